//! Split-step propagation by Fourier transforms.

use num_complex::Complex64;

use super::{GridAxis, check_axes, tabulate};
use crate::fft::FftNd;
use crate::{Error, Result};

/// $`e^{-zH}`$ for $`H = -c\,\nabla^2 + V`$ on a periodic grid.
///
/// One step is Strang's product $`e^{-zV/2} e^{zc\nabla^2} e^{-zV/2}`$, exact up to $`O(z^3)`$, the Laplacian being exact on the
/// grid by its Fourier transform. Real $`z > 0`$ is diffusion (imaginary time), $`z = i\,dt`$ a rotation. Two Fourier
/// transforms a step.
///
/// ```
/// use linalg_core::grid::{GridAxis, SplitStep};
/// use linalg_core::num_complex::Complex64;
///
/// let axis = GridAxis::new(-8.0, 8.0, 64)?;
/// let mut split = SplitStep::new(&[axis], 0.5, |x| 0.5 * x[0] * x[0])?;
/// let mut psi: Vec<Complex64> = axis.points().map(|x| (-0.5 * x * x).exp().into()).collect();
/// let before = psi[32];
/// // The ground state of the oscillator decays as e^{-t/2}.
/// split.propagate(&mut psi, Complex64::new(1.0, 0.0), 10, 8)?;
/// assert!((psi[32] / before - (-0.5f64).exp()).norm() < 1e-9);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SplitStep {
    potential: Vec<f64>,
    /// $`c k^2`$ for every Fourier mode.
    kinetic: Vec<f64>,
    fft: FftNd,
    n: usize,
}

/// The two factors of a step.
struct Factors {
    half_potential: Vec<Complex64>,
    kinetic: Vec<Complex64>,
}

impl SplitStep {
    /// Tabulates the potential; it is called with a point of as many coordinates as axes.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a negative or NaN `c` or more than three axes, [`Error::NotFinite`] for a potential that
    /// is not finite (`index` counts points, row-major).
    pub fn new<F: FnMut(&[f64]) -> f64>(axes: &[GridAxis], c: f64, potential: F) -> Result<Self> {
        let n = check_axes(axes)?;
        if !(c.is_finite() && c >= 0.0) {
            return Err(Error::OutOfRange { what: "kinetic coefficient", value: c, low: 0.0, high: f64::MAX });
        }
        let potential = tabulate(axes, "potential", potential)?;
        let shape: Vec<usize> = axes.iter().map(GridAxis::n_points).collect();
        let mut kinetic = vec![0.0; n];
        let mut inner = n;
        for axis in axes {
            let length = axis.n_points();
            inner /= length;
            let unit = std::f64::consts::TAU / (axis.spacing() * length as f64);
            for (i, value) in kinetic.iter_mut().enumerate() {
                let k = i / inner % length;
                let signed = if 2 * k > length { k as f64 - length as f64 } else { k as f64 };
                *value += c * (unit * signed).powi(2);
            }
        }
        Ok(Self { potential, kinetic, fft: FftNd::new(&shape)?, n })
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        self.n
    }

    fn factors(&self, z: Complex64) -> Factors {
        Factors {
            half_potential: self.potential.iter().map(|v| (-0.5 * z * v).exp()).collect(),
            kinetic: self.kinetic.iter().map(|k| (-z * k).exp()).collect(),
        }
    }

    fn apply(&mut self, psi: &mut [Complex64], factors: &Factors, steps: usize) {
        for _ in 0..steps {
            psi.iter_mut().zip(&factors.half_potential).for_each(|(p, f)| *p *= f);
            self.fft.forward(psi);
            psi.iter_mut().zip(&factors.kinetic).for_each(|(p, f)| *p *= f);
            self.fft.inverse(psi);
            psi.iter_mut().zip(&factors.half_potential).for_each(|(p, f)| *p *= f);
        }
    }

    /// `steps` steps of Strang's product, `z` each.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn strang(&mut self, psi: &mut [Complex64], z: Complex64, steps: usize) {
        assert!(psi.len() == self.n, "{} values for {} points", psi.len(), self.n);
        let factors = self.factors(z);
        self.apply(psi, &factors, steps);
    }

    /// $`e^{-zH}\psi`$ in `steps` steps of an even order.
    ///
    /// A step of order $`2k`$ is $`\sum_{i=1}^{k} c_i\, S(z/i)^i`$ with Strang's product $`S`$ and
    /// $`c_i = \prod_{j \ne i} i^2/(i^2 - j^2)`$ (Chin, Celest. Mech. Dyn. Astron. 106, 391 (2010)): no step goes backwards,
    /// so that it serves diffusion, too. Errors are $`O(\text{steps}^{-2k})`$, $`k(k+1)`$ Fourier transforms a step. It is
    /// not exactly unitary for imaginary $`z`$.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for an odd order, one outside 2 to 12, or no steps; [`Error::NotFinite`] for `z`.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn propagate(&mut self, psi: &mut [Complex64], z: Complex64, steps: usize, order: usize) -> Result<()> {
        assert!(psi.len() == self.n, "{} values for {} points", psi.len(), self.n);
        if !(2..=12).contains(&order) || order % 2 == 1 {
            return Err(Error::OutOfRange { what: "even order", value: order as f64, low: 2.0, high: 12.0 });
        }
        if steps == 0 {
            return Err(Error::OutOfRange { what: "number of steps", value: 0.0, low: 1.0, high: f64::MAX });
        }
        if !z.is_finite() {
            let value = if z.re.is_finite() { z.im } else { z.re };
            return Err(Error::NotFinite { what: "z", index: 0, value });
        }
        let terms: Vec<(usize, f64, Factors)> = (1..=order / 2)
            .map(|i| {
                let square = (i * i) as f64;
                let others = (1..=order / 2).filter(|&j| j != i);
                let weight = others.map(|j| square / (square - (j * j) as f64)).product();
                (i, weight, self.factors(z / (steps * i) as f64))
            })
            .collect();
        let (mut sum, mut part) = (vec![Complex64::new(0.0, 0.0); self.n], vec![Complex64::new(0.0, 0.0); self.n]);
        for _ in 0..steps {
            sum.fill(Complex64::new(0.0, 0.0));
            for (repeats, weight, factors) in &terms {
                part.copy_from_slice(psi);
                self.apply(&mut part, factors, *repeats);
                sum.iter_mut().zip(&part).for_each(|(s, p)| *s += p * weight);
            }
            psi.copy_from_slice(&sum);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::SincDvr;

    #[test]
    fn orders() {
        // A displaced packet in a quartic potential against the eigenfunctions of the DVR, in imaginary time.
        let axis = GridAxis::new(-4.5, 4.5, 96).unwrap();
        let v = |x: &[f64]| 0.5 * x[0] * x[0] + x[0].powi(4);
        let eigen = SincDvr::new(&[axis], 0.5, v).unwrap().eigen().unwrap();
        let start: Vec<f64> = axis.points().map(|x| (-2.0 * (x - 0.5f64).powi(2)).exp()).collect();
        let h = axis.spacing();
        for (time, dense) in [(Complex64::new(1.0, 0.0), true), (Complex64::new(0.0, 1.0), false)] {
            let mut exact = vec![Complex64::new(0.0, 0.0); 96];
            for (k, value) in eigen.values.iter().enumerate() {
                let psi = &eigen.functions[k * 96..(k + 1) * 96];
                let overlap: f64 = psi.iter().zip(&start).map(|(a, b)| a * b * h).sum();
                let factor = overlap * (-time * value).exp();
                exact.iter_mut().zip(psi).for_each(|(e, p)| *e += factor * p);
            }
            let mut split = SplitStep::new(&[axis], 0.5, v).unwrap();
            let mut error = |steps: usize, order: usize| {
                let mut psi: Vec<Complex64> = start.iter().map(|&x| x.into()).collect();
                split.propagate(&mut psi, time, steps, order).unwrap();
                psi.iter().zip(&exact).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
            };
            // In real time high modes turn fast, and the asymptotic regime begins later.
            let slower = if dense { 1 } else { 8 };
            for (order, steps) in [(2, 40), (4, 30), (6, 20)].map(|(order, steps)| (order, slower * steps)) {
                if order == 6 && !dense {
                    // Down to the difference of the two grids: no rate to read off.
                    continue;
                }
                let ratio: f64 = error(steps, order) / error(2 * steps, order);
                assert!((ratio.log2() - order as f64).abs() < 0.3, "{order}: {ratio}");
            }
            let last = error(if dense { 40 } else { 400 }, 10);
            assert!(last < if dense { 1e-10 } else { 1e-7 }, "{last}");
        }
    }

    #[test]
    fn strang_is_unitary_in_two_dimensions() {
        let axis = GridAxis::new(-6.0, 6.0, 50).unwrap();
        let mut split = SplitStep::new(&[axis, axis], 0.5, |x| x[0].powi(2) + x[1].powi(4)).unwrap();
        let mut psi: Vec<Complex64> = (0..2500).map(|i| Complex64::new((i as f64).sin(), 0.3)).collect();
        let norm = |psi: &[Complex64]| psi.iter().map(Complex64::norm_sqr).sum::<f64>();
        let before = norm(&psi);
        split.strang(&mut psi, Complex64::new(0.0, 0.01), 50);
        assert!((norm(&psi) / before - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(-1.0, 1.0, 8).unwrap();
        assert!(SplitStep::new(&[axis], f64::NAN, |_| 0.0).is_err());
        assert!(SplitStep::new(&[axis], 0.5, |_| f64::INFINITY).is_err());
        let mut split = SplitStep::new(&[axis], 0.5, |_| 0.0).unwrap();
        let mut psi = vec![Complex64::new(1.0, 0.0); 8];
        let one = Complex64::new(1.0, 0.0);
        for (z, steps, order) in [(one, 0, 2), (one, 1, 3), (one, 1, 14), (one * f64::NAN, 1, 2)] {
            assert!(split.propagate(&mut psi, z, steps, order).is_err());
        }
        assert!(psi.iter().all(|z| (z - one).norm() < 1e-15));
    }
}
