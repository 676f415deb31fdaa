//! ±J instances that any language can remake: signs from SplitMix64.

use linalg_core::rand::Rng;
use linalg_core::rng::SplitMix64;

use crate::Result;
use crate::models::{Boundary, Ising, Lattice};

impl Ising {
    /// A ±1 square lattice with free boundaries whose signs a dozen lines in any language reproduce.
    ///
    /// Bonds in the order of [`Lattice::rectangle`], one SplitMix64 output u a bond, the state starting at `seed`:
    /// J = -1 if u < 2⁶³, else +1. Meant for reference values, not for statistics; for those see
    /// [`edwards_anderson`](Self::edwards_anderson).
    ///
    /// ```
    /// use spin_models::Ising;
    ///
    /// let instance = Ising::plus_minus_splitmix(16, 16, 1)?;
    /// let sum: f64 = instance.couplings().map(|(_, _, j)| j).sum();
    /// assert_eq!((instance.n_couplings(), sum), (480, -44.0));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Lattice::rectangle`].
    pub fn plus_minus_splitmix(rows: usize, columns: usize, seed: u64) -> Result<Self> {
        Self::plus_minus_splitmix_on(&Lattice::rectangle([rows, columns], [Boundary::Free; 2])?, seed)
    }

    /// The same signs on the edges of any lattice, in their order.
    ///
    /// # Errors
    /// None; the builder's checks are passed on.
    pub fn plus_minus_splitmix_on(lattice: &Lattice, seed: u64) -> Result<Self> {
        let mut stream = SplitMix64::new(seed);
        let signs: Vec<f64> =
            (0..lattice.n_edges()).map(|_| if stream.next_u64() >> 63 == 0 { -1.0 } else { 1.0 }).collect();
        Self::on_lattice(lattice, &signs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnergyModel, Spins};

    /// Sums of all couplings of the reference instances.
    #[test]
    fn sums_are_those_of_the_reference_instances() {
        for (l, seed, sum) in [
            (4, 1, 2.0),
            (4, 2026, 2.0),
            (8, 1, 16.0),
            (8, 2026, 6.0),
            (16, 1, -44.0),
            (16, 2026, 2.0),
            (32, 1, -30.0),
            (32, 2026, 4.0),
        ] {
            let model = Ising::plus_minus_splitmix(l, l, seed).unwrap();
            approx::assert_abs_diff_eq!(model.couplings().map(|(_, _, j)| j).sum::<f64>(), sum, epsilon = 0.0);
        }
    }

    /// Ground states and their number for L = 4, which depend on the place of every bond, not only on the sum.
    #[test]
    fn ground_states_are_those_of_the_reference_instances() {
        for (seed, energy, degeneracy) in [(1, -16.0, 8), (2026, -22.0, 4)] {
            let model = Ising::plus_minus_splitmix(4, 4, seed).unwrap();
            let energies: Vec<f64> = (0..1 << 16).map(|state| model.energy(&Spins::from_state(state, 16))).collect();
            let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
            approx::assert_abs_diff_eq!(lowest, energy, epsilon = 0.0);
            assert_eq!(energies.iter().filter(|&&e| e < lowest + 0.5).count(), degeneracy);
        }
    }
}
