//! The Viana-Bray model.

use linalg_core::rand::Rng;

use super::Disorder;
use crate::Result;
use crate::models::{Ising, Lattice};

impl Ising {
    /// The Viana-Bray model: random couplings on an Erdős-Rényi graph of mean degree `c`.
    ///
    /// Every pair is coupled with probability `c/(n - 1)`; couplings are independent of the graph. With symmetric
    /// couplings the spin-glass transition is at `c E[tanh²(βJ)] = 1`, for ±1 at `tanh²β = 1/c`. `O(N + M)`.
    ///
    /// Reference: L. Viana and A. J. Bray, J. Phys. C 18, 3037 (1985).
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::{Disorder, EnergyModel, Ising};
    ///
    /// let mut rng = Streams::new(1).stream(0);
    /// let glass = Ising::viana_bray(100, 3.0, Disorder::plus_minus(), &mut rng)?;
    /// assert_eq!(glass.n_spins(), 100);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Lattice::erdos_renyi_mean_degree`] and [`Disorder::sample`].
    pub fn viana_bray<R: Rng + ?Sized>(n: usize, c: f64, disorder: Disorder, rng: &mut R) -> Result<Self> {
        let graph = Lattice::erdos_renyi_mean_degree(n, c, rng)?;
        Self::edwards_anderson(&graph, disorder, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    /// Degrees are Poisson in the limit: mean and variance c. Five standard errors, and 1/n for the finite size.
    #[test]
    fn degrees_are_poisson() {
        let (n, c) = (50_000, 4.0);
        let mut rng = Streams::new(62).stream(0);
        let model = Ising::viana_bray(n, c, Disorder::gaussian(), &mut rng).unwrap();
        let degrees: Vec<f64> = (0..n).map(|i| model.degree(i) as f64).collect();
        let mean = degrees.iter().sum::<f64>() / n as f64;
        let variance = degrees.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n as f64;
        // The mean degree is twice the number of edges: its variance is 2c/n. The fourth central moment of a Poisson
        // law is c + 3c².
        assert!((mean - c).abs() < 5.0 * (2.0 * c / n as f64).sqrt(), "{mean}");
        assert!((variance - c).abs() < 5.0 * ((c + 2.0 * c * c) / n as f64).sqrt(), "{variance}");
    }
}
