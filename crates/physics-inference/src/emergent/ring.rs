//! A particle on a ring with flux.

use std::f64::consts::TAU;

use linalg_core::eigen::hermitian_eigen;
use linalg_core::num_complex::Complex64;

use super::Wave;
use crate::{Error, Result};

/// A ring of `n` sites of radius 1 with a flux of `flux` quanta through it, (40) on a lattice.
///
/// The vector potential (39) is the gradient of a function $`\Omega_0`$. Where the space has no hole it can be turned away; on a
/// ring the jump of $`\Omega_0`$ around it is a flux, seen only modulo $`2\pi\hbar`$. A jump by $`\mu n`$ is an integer number of
/// quanta: it has no effect.
///
/// ```
/// use physics_inference::emergent::{Ring, Wave};
///
/// let wave = Wave::new(1.0, 1.0)?;
/// let still = Ring::new(64, wave, 0.0)?.energies();
/// assert!(still[0].abs() < 1e-12 && (still[1] - 0.4995985337).abs() < 1e-10);
/// let turning = Ring::new(64, wave, 0.3)?.energies();
/// assert!((turning[0] - 0.0449967472).abs() < 1e-10);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ring {
    n: usize,
    wave: Wave,
    flux: f64,
}

impl Ring {
    /// A ring.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than three sites, [`Error::NotFinite`] for the flux.
    pub fn new(n: usize, wave: Wave, flux: f64) -> Result<Self> {
        if n < 3 {
            return Err(Error::Parameter { what: "sites of the ring", value: n as f64, expected: "at least 3" });
        }
        Ok(Self { n, wave, flux: super::finite("flux", flux)? })
    }

    /// Energies without a potential, ascending: $`\frac{\hbar^2}{2m}\left[\frac{2}{d}\sin\frac{(l - \phi)d}{2}\right]^2`$ with
    /// $`d = 2\pi/n`$. O(n log n).
    pub fn energies(&self) -> Vec<f64> {
        let d = TAU / self.n as f64;
        let scale = self.wave.hbar.powi(2) / (2.0 * self.wave.mass);
        let mut energies: Vec<f64> =
            (0..self.n).map(|l| scale * (2.0 / d * (0.5 * (l as f64 - self.flux) * d).sin()).powi(2)).collect();
        energies.sort_by(f64::total_cmp);
        energies
    }

    /// The Hamiltonian with a potential on the sites, row-major; each hop carries a phase of $`\phi d`$.
    ///
    /// # Panics
    /// When there is not a value for each site.
    pub fn hamiltonian(&self, potential: &[f64]) -> Vec<Complex64> {
        let n = self.n;
        assert!(potential.len() == n, "{} values for {n} sites", potential.len());
        let d = TAU / n as f64;
        let hop = self.wave.hbar.powi(2) / (2.0 * self.wave.mass * d * d);
        let mut h = vec![Complex64::new(0.0, 0.0); n * n];
        for (i, v) in potential.iter().enumerate() {
            let next = (i + 1) % n;
            h[i * n + i] += 2.0 * hop + v;
            h[i * n + next] -= Complex64::from_polar(hop, -self.flux * d);
            h[next * n + i] -= Complex64::from_polar(hop, self.flux * d);
        }
        h
    }

    /// Energies in a potential, ascending. O(n³).
    ///
    /// # Errors
    /// Those of [`hermitian_eigen`], for a potential that is not finite.
    ///
    /// # Panics
    /// When there is not a value for each site.
    pub fn energies_in(&self, potential: &[f64]) -> Result<Vec<f64>> {
        Ok(hermitian_eigen(&self.hamiltonian(potential), self.n)?.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectra_of_the_specification() {
        let ring = |flux: f64| Ring::new(64, Wave::new(1.0, 1.0).unwrap(), flux).unwrap();
        let table = [
            (0.0, [0.0, 0.4995985337, 0.4995985337, 1.9935827281]),
            (0.3, [0.0449967472, 0.2449035922, 0.8438536264, 1.4416489492]),
            (1.0, [0.0, 0.4995985337, 0.4995985337, 1.9935827281]),
        ];
        for (flux, expected) in table {
            let direct = ring(flux).energies();
            let matrix = ring(flux).energies_in(&[0.0; 64]).unwrap();
            for k in 0..4 {
                assert!(
                    (direct[k] - expected[k]).abs() < 1e-10 && (matrix[k] - expected[k]).abs() < 1e-10,
                    "{flux} {k}"
                );
            }
            assert!(direct.iter().zip(&matrix).all(|(a, b)| (a - b).abs() < 1e-10));
        }
        // In a potential, too, only the flux modulo 1 counts.
        let potential: Vec<f64> = (0..64).map(|i| (0.3 * i as f64).sin()).collect();
        let [a, b, c] = [0.3, 2.3, 0.8].map(|flux| ring(flux).energies_in(&potential).unwrap());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9) && (a[0] - c[0]).abs() > 1e-3);
    }

    #[test]
    fn bad_input() {
        let wave = Wave::new(1.0, 1.0).unwrap();
        assert!(Ring::new(2, wave, 0.0).is_err() && Ring::new(5, wave, f64::NAN).is_err());
        assert!(Ring::new(3, wave, 0.0).unwrap().energies_in(&[0.0, f64::NAN, 0.0]).is_err());
    }
}
