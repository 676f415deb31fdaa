//! Propagation of wave functions on a grid.

use linalg_core::grid::{GridAxis, SplitStep};
use linalg_core::num_complex::Complex64;

use crate::error::{Error, Result};
use crate::potential::System;

/// $`e^{-iHz/\hbar}\psi`$ on a grid, for real, imaginary and complex times $`z`$.
///
/// Split steps with Fourier transforms, of the eighth order ([`SplitStep::propagate`]). The grid is periodic: it must be wide
/// enough that nothing comes around.
///
/// ```
/// use linalg_core::grid::GridAxis;
/// use path_integral_nn::exact::{Oscillator, Propagator};
/// use path_integral_nn::{Polynomial, System};
///
/// // The Euclidean kernel of the oscillator from a delta function at x = 0.3.
/// let system = System::new(Polynomial::oscillator(1.0, 1.0)?)?;
/// let axis = GridAxis::new(-8.0, 8.0, 160)?; // spacing 0.1
/// let mut propagator = Propagator::new(&system, &[axis])?;
/// let mut psi = propagator.delta(83);
/// propagator.euclidean(&mut psi, 1.5, 20)?;
/// let exact = Oscillator::new(1.0, 1.0, 1.0)?.kernel(1.5, 0.3, -0.5);
/// assert!((psi[75].re - exact).abs() < 1e-10);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Propagator {
    split: SplitStep,
    volume: f64,
    hbar: f64,
}

/// Order of a step.
const ORDER: usize = 8;

impl Propagator {
    /// For a system on axes, one for each coordinate.
    ///
    /// # Errors
    /// As [`SplitStep::new`].
    ///
    /// # Panics
    /// When the number of axes is not the number of coordinates.
    pub fn new(system: &System, axes: &[GridAxis]) -> Result<Self> {
        assert!(axes.len() == system.dim(), "{} axes for {} coordinates", axes.len(), system.dim());
        let c = system.hbar() * system.hbar() / (2.0 * system.mass());
        let split = SplitStep::new(axes, c, |x| system.potential().value(x))?;
        let volume = axes.iter().map(GridAxis::spacing).product();
        Ok(Self { split, volume, hbar: system.hbar() })
    }

    /// A delta function at a grid point.
    ///
    /// # Panics
    /// When there is no such point.
    pub fn delta(&self, point: usize) -> Vec<Complex64> {
        let mut psi = vec![Complex64::new(0.0, 0.0); self.split.n_points()];
        psi[point] = (1.0 / self.volume).into();
        psi
    }

    /// $`e^{-TH/\hbar}\psi`$ in `steps` steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative or NaN time, an error of the core for no steps.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn euclidean(&mut self, psi: &mut [Complex64], time: f64, steps: usize) -> Result<()> {
        self.complex_time(psi, Complex64::new(0.0, -time), steps)
    }

    /// $`e^{-itH/\hbar}\psi`$ in `steps` steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a NaN time, an error of the core for no steps.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn real_time(&mut self, psi: &mut [Complex64], time: f64, steps: usize) -> Result<()> {
        self.complex_time(psi, Complex64::new(time, 0.0), steps)
    }

    /// $`e^{-izH/\hbar}\psi`$ in `steps` steps, for times such as $`z = t(1 - i\eta)`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] when $`z`$ is not finite or lies above the real axis, where high energies grow without bound; an
    /// error of the core for no steps.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn complex_time(&mut self, psi: &mut [Complex64], time: Complex64, steps: usize) -> Result<()> {
        if !time.is_finite() || time.im > 0.0 {
            let value = if time.re.is_finite() { time.im } else { time.re };
            return Err(Error::Parameter { what: "time", value, expected: "finite, with an imaginary part <= 0" });
        }
        self.split.propagate(psi, Complex64::i() * time / self.hbar, steps, ORDER)?;
        Ok(())
    }

    /// $`\int \bar\phi\psi`$.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn overlap(&self, phi: &[Complex64], psi: &[Complex64]) -> Complex64 {
        assert!(phi.len() == psi.len(), "{} and {} values", phi.len(), psi.len());
        phi.iter().zip(psi).map(|(a, b)| a.conj() * b).sum::<Complex64>() * self.volume
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Polynomial;
    use crate::exact::{Oscillator, Spectrum};

    #[test]
    fn the_ground_state_of_the_quartic_decays() {
        // -ln of the decay of a long imaginary time is E₀.
        let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
        let axis = GridAxis::new(-5.0, 5.0, 128).unwrap();
        let mut propagator = Propagator::new(&system, &[axis]).unwrap();
        let mut psi: Vec<Complex64> = axis.points().map(|x| (-x * x).exp().into()).collect();
        propagator.euclidean(&mut psi, 8.0, 400).unwrap();
        let before = propagator.overlap(&psi, &psi).re;
        propagator.euclidean(&mut psi, 1.0, 50).unwrap();
        let energy = -0.5 * (propagator.overlap(&psi, &psi).re / before).ln();
        assert!((energy - 0.803_770_651_234_273_8).abs() < 1e-10, "{energy}");
    }

    #[test]
    fn complex_time_against_eigenfunctions() {
        let system = System::new(Polynomial::new(&[0.0, 0.0, -1.0, 0.0, 0.25]).unwrap()).unwrap();
        let system = system.with_hbar(0.8).unwrap().with_mass(1.2).unwrap();
        let axis = GridAxis::new(-6.0, 6.0, 128).unwrap();
        let spectrum = Spectrum::on(&system, &[axis]).unwrap();
        let start: Vec<Complex64> = axis.points().map(|x| (-(x - 1.0) * (x - 1.0)).exp().into()).collect();
        let mut propagator = Propagator::new(&system, &[axis]).unwrap();
        for time in [Complex64::new(1.0, -0.2), Complex64::new(0.7, 0.0)] {
            let mut psi = start.clone();
            propagator.complex_time(&mut psi, time, 200).unwrap();
            let mut exact = vec![Complex64::new(0.0, 0.0); 128];
            for k in 0..128 {
                let phi = spectrum.wave_function(k);
                let overlap: Complex64 = phi.iter().zip(&start).map(|(a, b)| a * b * axis.spacing()).sum();
                let factor = overlap * (-Complex64::i() * time * spectrum.energy(k) / 0.8).exp();
                exact.iter_mut().zip(phi).for_each(|(e, p)| *e += factor * p);
            }
            let worst = psi.iter().zip(&exact).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
            assert!(worst < 1e-9, "{worst}");
        }
        assert!(propagator.complex_time(&mut start.clone(), Complex64::new(1.0, 0.1), 10).is_err());
        assert!(propagator.real_time(&mut start.clone(), f64::NAN, 10).is_err());
    }

    #[test]
    fn a_packet_in_real_time() {
        let system = System::new(Polynomial::oscillator(1.0, 1.0).unwrap()).unwrap();
        let axis = GridAxis::new(-10.0, 10.0, 200).unwrap();
        let mut propagator = Propagator::new(&system, &[axis]).unwrap();
        let start: Vec<Complex64> = axis.points().map(|x| (-0.5 * (x - 1.0) * (x - 1.0)).exp().into()).collect();
        let mut psi = start.clone();
        propagator.real_time(&mut psi, 1.5, 300).unwrap();
        let oscillator = Oscillator::new(1.0, 1.0, 1.0).unwrap();
        let sum: Complex64 =
            axis.points().zip(&start).map(|(y, p)| oscillator.kernel_real_time(1.5, 0.3, y) * p * axis.spacing()).sum();
        assert!((psi[103] - sum).norm() < 1e-9, "{} {sum}", psi[103]);
    }
}
