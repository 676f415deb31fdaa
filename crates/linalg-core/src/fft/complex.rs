//! Complex transforms in one and more dimensions.

use std::fmt;
use std::sync::Arc;

use num_complex::Complex64;

use crate::{Error, Result};

/// Complex Fourier transform of one length.
///
/// ```
/// use linalg_core::fft::Fft;
/// use linalg_core::num_complex::Complex64;
///
/// let mut fft = Fft::new(4)?;
/// let mut x = [1.0, 0.0, -1.0, 0.0].map(Complex64::from); // cos(π j/2)
/// fft.forward(&mut x);
/// assert!((x[1].re - 2.0).abs() < 1e-15 && (x[3].re - 2.0).abs() < 1e-15 && x[0].norm() < 1e-15);
/// fft.inverse(&mut x);
/// assert!((x[2].re + 1.0).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Fft {
    n: usize,
    forward: Arc<dyn rustfft::Fft<f64>>,
    inverse: Arc<dyn rustfft::Fft<f64>>,
    scratch: Vec<Complex64>,
}

impl fmt::Debug for Fft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fft").field("n", &self.n).finish_non_exhaustive()
    }
}

impl Fft {
    /// A plan for `n` points.
    ///
    /// # Errors
    /// [`Error::Empty`] for `n = 0`.
    pub fn new(n: usize) -> Result<Self> {
        if n == 0 {
            return Err(Error::Empty { what: "Fourier transform" });
        }
        let mut planner = rustfft::FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
        let length = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        Ok(Self { n, forward, inverse, scratch: vec![Complex64::new(0.0, 0.0); length] })
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        self.n
    }

    /// $`X_k = \sum_j x_j e^{-2\pi i jk/n}`$, in place; several transforms when `data` holds several rows.
    ///
    /// # Panics
    /// When the length is not a multiple of the number of points.
    pub fn forward(&mut self, data: &mut [Complex64]) {
        self.check(data.len());
        self.forward.process_with_scratch(data, &mut self.scratch);
    }

    /// $`x_j = \frac1n \sum_k X_k e^{2\pi i jk/n}`$, in place.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn inverse(&mut self, data: &mut [Complex64]) {
        self.check(data.len());
        self.inverse.process_with_scratch(data, &mut self.scratch);
        let scale = 1.0 / self.n as f64;
        data.iter_mut().for_each(|z| *z *= scale);
    }

    fn check(&self, got: usize) {
        assert!(got.is_multiple_of(self.n), "{got} values are not rows of {} points", self.n);
    }
}

/// Complex Fourier transform of a row-major array of one or more dimensions.
///
/// ```
/// use linalg_core::fft::FftNd;
/// use linalg_core::num_complex::Complex64;
///
/// let mut fft = FftNd::new(&[2, 3])?;
/// let mut x = vec![Complex64::new(1.0, 0.0); 6];
/// fft.forward(&mut x);
/// assert!((x[0].re - 6.0).abs() < 1e-14 && x[1..].iter().all(|z| z.norm() < 1e-14));
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FftNd {
    plans: Vec<Fft>,
    column: Vec<Complex64>,
}

impl FftNd {
    /// A plan for an array of these lengths, the last running fastest.
    ///
    /// # Errors
    /// [`Error::Empty`] without dimensions or for a length of zero.
    pub fn new(shape: &[usize]) -> Result<Self> {
        if shape.is_empty() {
            return Err(Error::Empty { what: "shape of the Fourier transform" });
        }
        let plans = shape.iter().map(|&n| Fft::new(n)).collect::<Result<Vec<_>>>()?;
        let longest = shape.iter().copied().max().unwrap_or(1);
        Ok(Self { plans, column: vec![Complex64::new(0.0, 0.0); longest] })
    }

    /// Number of points of the array.
    pub fn n_points(&self) -> usize {
        self.plans.iter().map(Fft::n_points).product()
    }

    /// Transforms along every axis, in place.
    ///
    /// # Panics
    /// When the length is not the number of points.
    pub fn forward(&mut self, data: &mut [Complex64]) {
        self.along_all_axes(data, Fft::forward);
    }

    /// Undoes [`forward`](Self::forward).
    ///
    /// # Panics
    /// When the length is not the number of points.
    pub fn inverse(&mut self, data: &mut [Complex64]) {
        self.along_all_axes(data, Fft::inverse);
    }

    fn along_all_axes(&mut self, data: &mut [Complex64], transform: impl Fn(&mut Fft, &mut [Complex64])) {
        let total = self.n_points();
        assert!(data.len() == total, "{} values for a transform of {total} points", data.len());
        let mut inner = total;
        for plan in &mut self.plans {
            let n = plan.n;
            inner /= n;
            if inner == 1 {
                transform(plan, data);
                continue;
            }
            let column = &mut self.column[..n];
            for block in data.chunks_exact_mut(n * inner) {
                for offset in 0..inner {
                    let strided = block[offset..].iter().step_by(inner);
                    column.iter_mut().zip(strided).for_each(|(to, from)| *to = *from);
                    transform(plan, column);
                    let strided = block[offset..].iter_mut().step_by(inner);
                    strided.zip(column.iter()).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<Complex64> {
        (0..n).map(|i| Complex64::new((1.3 * i as f64).sin() + 0.2, (0.7 * (i * i) as f64).cos())).collect()
    }

    /// The definition, term by term.
    fn slow(x: &[Complex64]) -> Vec<Complex64> {
        let n = x.len();
        (0..n)
            .map(|k| {
                let root = |j: usize| Complex64::cis(-std::f64::consts::TAU * ((j * k) % n) as f64 / n as f64);
                (0..n).map(|j| x[j] * root(j)).sum()
            })
            .collect()
    }

    #[test]
    fn agrees_with_the_definition() {
        for n in [1, 2, 3, 5, 16, 17, 60, 97, 128] {
            let x = noise(n);
            let mut fft = Fft::new(n).unwrap();
            let mut fast = x.clone();
            fft.forward(&mut fast);
            for (a, b) in fast.iter().zip(slow(&x)) {
                assert!((a - b).norm() < 1e-12 * n as f64, "{n}");
            }
            fft.inverse(&mut fast);
            assert!(fast.iter().zip(&x).all(|(a, b)| (a - b).norm() < 1e-13));
        }
    }

    #[test]
    fn rows_are_transformed_one_by_one() {
        let x = noise(12);
        let mut both = x.clone();
        let mut fft = Fft::new(6).unwrap();
        fft.forward(&mut both);
        for (row, part) in x.chunks(6).zip(both.chunks(6)) {
            assert!(part.iter().zip(slow(row)).all(|(a, b)| (a - b).norm() < 1e-13));
        }
    }

    #[test]
    fn more_dimensions_agree_with_the_definition() {
        let shape = [3, 4, 5];
        let x = noise(60);
        let mut fast = x.clone();
        let mut fft = FftNd::new(&shape).unwrap();
        fft.forward(&mut fast);
        for (flat, value) in fast.iter().enumerate() {
            let k = [flat / 20, flat / 5 % 4, flat % 5];
            let mut sum = Complex64::new(0.0, 0.0);
            for (other, z) in x.iter().enumerate() {
                let j = [other / 20, other / 5 % 4, other % 5];
                let phase: f64 = (0..3).map(|a| (j[a] * k[a]) as f64 / shape[a] as f64).sum();
                sum += z * Complex64::cis(-std::f64::consts::TAU * phase);
            }
            assert!((sum - value).norm() < 1e-12, "{k:?}");
        }
        fft.inverse(&mut fast);
        assert!(fast.iter().zip(&x).all(|(a, b)| (a - b).norm() < 1e-13));
    }

    #[test]
    fn nothing_to_transform_is_refused() {
        assert!(matches!(Fft::new(0), Err(Error::Empty { .. })));
        assert!(matches!(FftNd::new(&[]), Err(Error::Empty { .. })));
        assert!(matches!(FftNd::new(&[3, 0]), Err(Error::Empty { .. })));
    }

    #[test]
    #[should_panic(expected = "7 values are not rows of 3 points")]
    fn wrong_length() {
        Fft::new(3).unwrap().forward(&mut noise(7));
    }
}
