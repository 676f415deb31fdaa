//! Cosine and sine transforms of type I.

use num_complex::Complex64;

use super::Fft;
use crate::Result;

/// Sine transform of type I on the $`n - 1`$ inner points of $`n`$ intervals.
///
/// $`X_k = \sum_{j=1}^{n-1} x_j \sin(\pi jk/n)`$ for $`k = 1 \dots n-1`$. Twice in a row multiplies by $`n/2`$.
///
/// ```
/// use linalg_core::fft::SineTransform;
///
/// let mut sine = SineTransform::new(2)?; // one inner point, sin(π/2) = 1
/// let mut x = [3.0];
/// sine.forward(&mut x);
/// assert!((x[0] - 3.0).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SineTransform {
    intervals: usize,
    fft: Fft,
    buffer: Vec<Complex64>,
}

/// Cosine transform of type I on the $`n + 1`$ points of $`n`$ intervals.
///
/// $`X_k = \tfrac12 [x_0 + (-1)^k x_n] + \sum_{j=1}^{n-1} x_j \cos(\pi jk/n)`$ for $`k = 0 \dots n`$. Twice in a row
/// multiplies by $`n/2`$.
///
/// ```
/// use linalg_core::fft::CosineTransform;
///
/// let mut cosine = CosineTransform::new(2)?;
/// let mut x = [1.0, 1.0, 1.0];
/// cosine.forward(&mut x);
/// assert!((x[0] - 2.0).abs() < 1e-15 && x[1].abs() < 1e-15 && x[2].abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CosineTransform {
    intervals: usize,
    fft: Fft,
    buffer: Vec<Complex64>,
}

fn plan(intervals: usize) -> Result<(Fft, Vec<Complex64>)> {
    Ok((Fft::new(2 * intervals)?, vec![Complex64::new(0.0, 0.0); 2 * intervals]))
}

impl SineTransform {
    /// A plan for this number of intervals.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) for none.
    pub fn new(intervals: usize) -> Result<Self> {
        let (fft, buffer) = plan(intervals)?;
        Ok(Self { intervals, fft, buffer })
    }

    /// Transforms in place.
    ///
    /// # Panics
    /// When there are not as many values as inner points.
    pub fn forward(&mut self, x: &mut [f64]) {
        let n = self.intervals;
        assert!(x.len() + 1 == n, "{} values for {} inner points", x.len(), n - 1);
        // The odd extension of period 2n.
        self.buffer.fill(Complex64::new(0.0, 0.0));
        for (j, &value) in x.iter().enumerate() {
            self.buffer[j + 1].re = value;
            self.buffer[2 * n - 1 - j].re = -value;
        }
        self.fft.forward(&mut self.buffer);
        for (value, z) in x.iter_mut().zip(&self.buffer[1..]) {
            *value = -0.5 * z.im;
        }
    }

    /// Undoes [`forward`](Self::forward).
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn inverse(&mut self, x: &mut [f64]) {
        self.forward(x);
        let scale = 2.0 / self.intervals as f64;
        x.iter_mut().for_each(|value| *value *= scale);
    }
}

impl CosineTransform {
    /// A plan for this number of intervals.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) for none.
    pub fn new(intervals: usize) -> Result<Self> {
        let (fft, buffer) = plan(intervals)?;
        Ok(Self { intervals, fft, buffer })
    }

    /// Transforms in place.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn forward(&mut self, x: &mut [f64]) {
        let n = self.intervals;
        assert!(x.len() == n + 1, "{} values for {} points", x.len(), n + 1);
        // The even extension of period 2n.
        for (j, &value) in x.iter().enumerate() {
            self.buffer[j] = value.into();
            self.buffer[(2 * n - j) % (2 * n)] = value.into();
        }
        self.fft.forward(&mut self.buffer);
        for (value, z) in x.iter_mut().zip(&self.buffer) {
            *value = 0.5 * z.re;
        }
    }

    /// Undoes [`forward`](Self::forward).
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn inverse(&mut self, x: &mut [f64]) {
        self.forward(x);
        let scale = 2.0 / self.intervals as f64;
        x.iter_mut().for_each(|value| *value *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn agree_with_the_definitions() {
        for n in [1usize, 2, 3, 8, 15, 64] {
            let x: Vec<f64> = (0..=n).map(|j| (2.1 * j as f64).sin() + 0.1 * j as f64).collect();
            let mut cosine = CosineTransform::new(n).unwrap();
            let mut y = x.clone();
            cosine.forward(&mut y);
            for (k, value) in y.iter().enumerate() {
                let weight = |j: usize| if j == 0 || j == n { 0.5 } else { 1.0 };
                let sum: f64 = (0..=n).map(|j| weight(j) * x[j] * (PI * (j * k) as f64 / n as f64).cos()).sum();
                assert!((sum - value).abs() < 1e-12 * n as f64, "{n} {k}");
            }
            cosine.inverse(&mut y);
            assert!(y.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-13));

            let inner = &x[1..n];
            let mut sine = SineTransform::new(n).unwrap();
            let mut y = inner.to_vec();
            sine.forward(&mut y);
            for (k, value) in y.iter().enumerate() {
                let sum: f64 = (1..n).map(|j| x[j] * (PI * (j * (k + 1)) as f64 / n as f64).sin()).sum();
                assert!((sum - value).abs() < 1e-12 * n as f64, "{n} {k}");
            }
            sine.inverse(&mut y);
            assert!(y.iter().zip(inner).all(|(a, b)| (a - b).abs() < 1e-13));
        }
    }

    #[test]
    #[should_panic(expected = "4 values for 3 inner points")]
    fn wrong_length() {
        SineTransform::new(4).unwrap().forward(&mut [0.0; 4]);
    }
}
