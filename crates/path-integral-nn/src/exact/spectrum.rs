//! Energies and wave functions.

use linalg_core::grid::{GridAxis, SincDvr, SincEigen};

use super::extent;
use crate::error::Result;
use crate::potential::System;

/// Grid points of the automatic grid.
const POINTS: usize = 320;

/// Energies and wave functions of a system in a sinc basis.
///
/// ```
/// use path_integral_nn::exact::Spectrum;
/// use path_integral_nn::{Polynomial, System};
///
/// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
/// let spectrum = Spectrum::new(&system)?;
/// assert!((spectrum.energy(0) - 0.8037706512342738).abs() < 1e-11);
/// assert!((spectrum.average(0, |x| x[0] * x[0]) - 0.2571498214428).abs() < 1e-11);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    axes: Vec<GridAxis>,
    points: Vec<Vec<f64>>,
    eigen: SincEigen,
}

impl Spectrum {
    /// On 320 points that reach where the ground state is $`e^{-40}`$ of its height; one coordinate.
    ///
    /// # Errors
    /// [`Error::NotApplicable`](crate::Error::NotApplicable) for more coordinates or a potential that does not confine.
    pub fn new(system: &System) -> Result<Self> {
        let (low, high) = extent(system)?;
        Self::on(system, &[GridAxis::new(low, high, POINTS)?])
    }

    /// On given axes, one for each of up to three coordinates, at most 4096 points together.
    ///
    /// # Errors
    /// As [`SincDvr::new`].
    ///
    /// # Panics
    /// When the number of axes is not the number of coordinates.
    pub fn on(system: &System, axes: &[GridAxis]) -> Result<Self> {
        assert!(axes.len() == system.dim(), "{} axes for {} coordinates", axes.len(), system.dim());
        let c = system.hbar() * system.hbar() / (2.0 * system.mass());
        let mut points = Vec::new();
        let dvr = SincDvr::new(axes, c, |x| {
            points.push(x.to_vec());
            system.potential().value(x)
        })?;
        Ok(Self { axes: axes.to_vec(), points, eigen: dvr.eigen()? })
    }

    /// $`E_k`$.
    ///
    /// # Panics
    /// When there are not so many states.
    pub fn energy(&self, k: usize) -> f64 {
        self.eigen.values[k]
    }

    /// All energies of the basis, ascending; the upper ones belong to the basis, not to the system.
    pub fn energies(&self) -> &[f64] {
        &self.eigen.values
    }

    /// The grid points.
    pub fn points(&self) -> &[Vec<f64>] {
        &self.points
    }

    /// $`\psi_k`$ on the grid, normalised.
    ///
    /// # Panics
    /// When there are not so many states.
    pub fn wave_function(&self, k: usize) -> &[f64] {
        let n = self.points.len();
        &self.eigen.functions[k * n..(k + 1) * n]
    }

    /// $`\langle k\vert f\vert l\rangle`$.
    ///
    /// # Panics
    /// When there are not so many states.
    pub fn element<F: Fn(&[f64]) -> f64>(&self, k: usize, f: F, l: usize) -> f64 {
        let volume: f64 = self.axes.iter().map(GridAxis::spacing).product();
        let products = self.wave_function(k).iter().zip(self.wave_function(l)).zip(&self.points);
        products.map(|((a, b), x)| volume * a * b * f(x)).sum()
    }

    /// $`\langle k\vert f\vert k\rangle`$.
    ///
    /// # Panics
    /// When there are not so many states.
    pub fn average<F: Fn(&[f64]) -> f64>(&self, k: usize, f: F) -> f64 {
        self.element(k, f, k)
    }

    /// $`E(\beta) = \sum E_k e^{-\beta E_k}/Z`$.
    pub fn thermal_energy(&self, beta: f64) -> f64 {
        let weights = |e: &f64| (-beta * (e - self.energy(0))).exp();
        let z: f64 = self.energies().iter().map(weights).sum();
        self.energies().iter().map(|e| e * weights(e)).sum::<f64>() / z
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Polynomial;

    #[test]
    fn the_table() {
        let cases: [(&[f64], &[f64], f64); 7] = [
            (
                &[0.0, 0.0, 0.5, 0.0, 1.0],
                &[0.803_770_651_234_273_8, 2.737892268009, 5.179291687639, 7.942403984391],
                0.2571498214428,
            ),
            (&[0.0, 0.0, 0.5, 0.0, 0.1], &[0.559146327184, 1.769502643949], 0.4125253683837),
            (&[0.0, 0.0, 0.5, 0.0, 10.0], &[1.504972407779, 5.321608256264], f64::NAN),
            (&[0.0, 0.0, 0.0, 0.0, 1.0], &[0.667986259155777, 2.393644016483], 0.28733756676),
            (&[0.0, 0.0, 0.0, 0.0, 0.5], &[0.530181045242, 1.899836514901], f64::NAN),
            (&[0.0, 0.0, -2.0, 0.0, 1.0], &[-0.130419081065, 0.661428998257], 0.5789982825870),
            (&[0.0, 0.0, -1.0, 0.0, 0.25], &[-0.299521367416, 0.046371082227], 1.207118472652),
        ];
        for (coefficients, energies, x2) in cases {
            let spectrum = Spectrum::new(&System::new(Polynomial::new(coefficients).unwrap()).unwrap()).unwrap();
            for (k, energy) in energies.iter().enumerate() {
                assert!((spectrum.energy(k) - energy).abs() < 1e-10, "{coefficients:?}: {}", spectrum.energy(k));
            }
            if x2.is_finite() {
                assert!((spectrum.average(0, |x| x[0] * x[0]) - x2).abs() < 1e-10);
            }
        }
        let quartic = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
        assert!((Spectrum::new(&quartic).unwrap().thermal_energy(4.0) - 0.8046148354).abs() < 1e-9);
    }

    #[test]
    fn units() {
        // ħω(n + ½) with m = 2, ħ = 0.3, ω = 1.7.
        let system = System::new(Polynomial::oscillator(2.0, 1.7).unwrap()).unwrap();
        let system = system.with_mass(2.0).unwrap().with_hbar(0.3).unwrap();
        let spectrum = Spectrum::new(&system).unwrap();
        for k in 0..4 {
            assert!((spectrum.energy(k) - 0.3 * 1.7 * (k as f64 + 0.5)).abs() < 1e-11);
        }
    }
}
