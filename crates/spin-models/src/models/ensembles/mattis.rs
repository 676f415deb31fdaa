//! The Mattis model: disorder without frustration.

use linalg_core::rand::Rng;

use crate::models::{Ising, Lattice};
use crate::{Result, Spins};

impl Ising {
    /// The Mattis model with pattern ξ: the gauge transform of a ferromagnet.
    ///
    /// ```math
    /// J_{ij} = J\, \xi_i \xi_j
    /// ```
    ///
    /// The partition function is that of the ferromagnet; the ground states are ±ξ. Parallel edges add up.
    /// `O(N + M)`.
    ///
    /// Reference: D. C. Mattis, Phys. Lett. A 56, 421 (1976).
    ///
    /// ```
    /// use spin_models::{Boundary, EnergyModel, Ising, Lattice, Spins};
    ///
    /// let chain = Lattice::chain(3, Boundary::Free)?;
    /// let pattern = Spins::from_signs(&[1, -1, -1])?;
    /// let model = Ising::mattis(&chain, &pattern, 1.0)?;
    /// assert_eq!(model.energy(&pattern), -2.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if `j` is not finite.
    ///
    /// # Panics
    /// If the pattern has another length than the lattice.
    pub fn mattis(lattice: &Lattice, pattern: &Spins, j: f64) -> Result<Self> {
        Ok(Self::ferromagnet(lattice, j)?.gauge_transform(pattern))
    }

    /// The Mattis model with a uniformly random pattern, and the pattern.
    ///
    /// # Errors
    /// As [`mattis`](Self::mattis).
    pub fn random_mattis<R: Rng + ?Sized>(lattice: &Lattice, j: f64, rng: &mut R) -> Result<(Self, Spins)> {
        let pattern = Spins::random(lattice.n_sites(), rng);
        Ok((Self::mattis(lattice, &pattern, j)?, pattern))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnergyModel;
    use crate::models::Boundary;
    use linalg_core::Streams;

    /// E(s) of the Mattis model is the ferromagnet's energy of s ξ, for every configuration.
    #[test]
    fn it_is_a_gauged_ferromagnet() {
        let lattice = Lattice::square(3, Boundary::Free).unwrap();
        let (model, pattern) = Ising::random_mattis(&lattice, 0.5, &mut Streams::new(63).stream(0)).unwrap();
        assert!(pattern.iter().any(|&s| s < 0) && pattern.iter().any(|&s| s > 0));
        for (i, j, coupling) in model.couplings() {
            approx::assert_relative_eq!(coupling, 0.5 * f64::from(pattern[i] * pattern[j]));
        }
        let ferromagnet = Ising::ferromagnet(&lattice, 0.5).unwrap();
        for state in 0..512 {
            let s = Spins::from_state(state, 9);
            let turned: Vec<i8> = s.iter().zip(pattern.iter()).map(|(&a, &b)| a * b).collect();
            approx::assert_abs_diff_eq!(model.energy(&s), ferromagnet.energy(&turned), epsilon = 1e-13);
        }
    }
}
