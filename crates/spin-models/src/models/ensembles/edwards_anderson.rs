//! The Edwards-Anderson model.

use linalg_core::rand::Rng;

use super::Disorder;
use crate::Result;
use crate::models::{Ising, Lattice};

impl Ising {
    /// The Edwards-Anderson model: independent random couplings on the edges of any lattice.
    ///
    /// ```math
    /// E(s) = -\sum_{\langle i, j \rangle} J_{ij} s_i s_j
    /// ```
    ///
    /// One coupling is drawn for every edge in its order; parallel edges have one each, and they add up. `O(N + M)`.
    ///
    /// Reference: S. F. Edwards and P. W. Anderson, J. Phys. F 5, 965 (1975).
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::{Boundary, Disorder, Ising, Lattice};
    ///
    /// let lattice = Lattice::square(4, Boundary::Free)?;
    /// let mut rng = Streams::new(1).stream(0);
    /// let glass = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut rng)?;
    /// assert!(glass.couplings().all(|(_, _, j)| j == 1.0 || j == -1.0));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Disorder::sample`].
    pub fn edwards_anderson<R: Rng + ?Sized>(lattice: &Lattice, disorder: Disorder, rng: &mut R) -> Result<Self> {
        Self::on_lattice(lattice, &disorder.sample(lattice.n_edges(), rng)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Boundary;
    use linalg_core::Streams;

    #[test]
    fn couplings_are_drawn_in_the_order_of_edges() {
        let lattice = Lattice::square(5, Boundary::Periodic).unwrap();
        let model = Ising::edwards_anderson(&lattice, Disorder::gaussian(), &mut Streams::new(7).stream(0)).unwrap();
        let drawn = Disorder::gaussian().sample(50, &mut Streams::new(7).stream(0)).unwrap();
        assert_eq!(model.couplings().map(|(_, _, j)| j).collect::<Vec<_>>(), drawn);
        assert_eq!(model.positions(), Some(lattice.positions()));
    }
}
