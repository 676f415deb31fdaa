//! Ising models on lattices.

use super::{Boundary, Lattice};
use crate::models::{Duplicates, Ising};
use crate::{Error, Result};

/// Models on lattices. Positions come from the lattice; parallel bonds add up, so that a torus of length 2 has
/// couplings 2J, as in Kaufman's formula.
impl Ising {
    /// One coupling for every edge of the lattice, in its order.
    ///
    /// ```
    /// use spin_models::{Boundary, EnergyModel, Ising, Lattice};
    ///
    /// let chain = Lattice::chain(3, Boundary::Free)?;
    /// let model = Ising::on_lattice(&chain, &[1.0, -2.0])?;
    /// assert_eq!(model.energy(&[1, 1, 1]), 1.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`] for the couplings, [`Error::NotFinite`] naming the edge.
    pub fn on_lattice(lattice: &Lattice, couplings: &[f64]) -> Result<Self> {
        if couplings.len() != lattice.n_edges() {
            let (got, expected) = (couplings.len(), lattice.n_edges());
            return Err(Error::WrongLength { what: "couplings", got, expected });
        }
        Self::builder(lattice.n_sites())
            .couplings(lattice.edges().zip(couplings).map(|((i, j), &coupling)| (i, j, coupling)))
            .duplicates(Duplicates::Sum)
            .positions(lattice.positions().to_vec())
            .build()
    }

    /// The same coupling `j` on every edge: a ferromagnet for `j > 0`, an antiferromagnet for `j < 0`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if `j` is not finite.
    pub fn ferromagnet(lattice: &Lattice, j: f64) -> Result<Self> {
        Self::on_lattice(lattice, &vec![j; lattice.n_edges()])
    }

    /// The chain of `n` spins with coupling `j`.
    ///
    /// # Errors
    /// As [`Lattice::chain`] and [`ferromagnet`](Self::ferromagnet).
    pub fn chain(n: usize, boundary: Boundary, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::chain(n, boundary)?, j)
    }

    /// The ring of `n` spins with coupling `j`, drawn on a circle.
    ///
    /// # Errors
    /// As [`Lattice::ring`] and [`ferromagnet`](Self::ferromagnet).
    pub fn ring(n: usize, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::ring(n)?, j)
    }

    /// The square lattice of `l` by `l` spins with coupling `j`.
    ///
    /// ```
    /// use spin_models::{Boundary, EnergyModel, Ising};
    ///
    /// let torus = Ising::square(4, Boundary::Periodic, 1.0)?;
    /// assert_eq!(torus.energy(&[1; 16]), -32.0);
    /// let smallest = Ising::square(2, Boundary::Periodic, 1.0)?;
    /// assert_eq!(smallest.couplings().next(), Some((0, 1, 2.0))); // two parallel bonds
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Lattice::square`] and [`ferromagnet`](Self::ferromagnet).
    pub fn square(l: usize, boundary: Boundary, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::square(l, boundary)?, j)
    }

    /// A rectangle of the square lattice, `[rows, columns]`, with coupling `j`.
    ///
    /// # Errors
    /// As [`Lattice::rectangle`] and [`ferromagnet`](Self::ferromagnet).
    pub fn rectangle(lengths: [usize; 2], boundaries: [Boundary; 2], j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::rectangle(lengths, boundaries)?, j)
    }

    /// The triangular lattice of `l` by `l` spins with coupling `j`.
    ///
    /// # Errors
    /// As [`Lattice::triangular`] and [`ferromagnet`](Self::ferromagnet).
    pub fn triangular(l: usize, boundary: Boundary, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::triangular([l, l], [boundary; 2])?, j)
    }

    /// The honeycomb lattice of `l` by `l` cells, `2 l²` spins, with coupling `j`.
    ///
    /// # Errors
    /// As [`Lattice::honeycomb`] and [`ferromagnet`](Self::ferromagnet).
    pub fn honeycomb(l: usize, boundary: Boundary, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::honeycomb([l, l], [boundary; 2])?, j)
    }

    /// The cubic lattice of `l³` spins with coupling `j`.
    ///
    /// # Errors
    /// As [`Lattice::cubic`] and [`ferromagnet`](Self::ferromagnet).
    pub fn cubic(l: usize, boundary: Boundary, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::cubic(l, boundary)?, j)
    }

    /// The complete graph of `n` spins with coupling `j` as given: the Curie-Weiss model has `j = J/n`.
    ///
    /// # Errors
    /// As [`Lattice::complete`] and [`ferromagnet`](Self::ferromagnet).
    pub fn complete(n: usize, j: f64) -> Result<Self> {
        Self::ferromagnet(&Lattice::complete(n)?, j)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnergyModel;

    #[test]
    fn parallel_bonds_add_up() {
        let torus = Ising::square(2, Boundary::Periodic, 0.5).unwrap();
        assert_eq!(torus.couplings().collect::<Vec<_>>(), [(0, 1, 1.0), (0, 2, 1.0), (1, 3, 1.0), (2, 3, 1.0)]);
        assert_eq!(torus.positions().unwrap().len(), 4);
        let pair = Ising::ring(2, 1.5).unwrap();
        assert_eq!(pair.couplings().collect::<Vec<_>>(), [(0, 1, 3.0)]);
    }

    /// Energies of aligned spins are -J times the number of bonds.
    #[test]
    fn aligned_energies_count_bonds() {
        let aligned = |model: Ising| model.energy(&vec![1; model.n_spins()]);
        for (model, bonds) in [
            (Ising::chain(5, Boundary::Free, 0.5), 4.0),
            (Ising::square(3, Boundary::Free, 0.5), 12.0),
            (Ising::rectangle([2, 3], [Boundary::Free, Boundary::Periodic], 0.5), 9.0),
            (Ising::triangular(3, Boundary::Periodic, 0.5), 27.0),
            (Ising::honeycomb(2, Boundary::Periodic, 0.5), 12.0),
            (Ising::cubic(3, Boundary::Periodic, 0.5), 81.0),
            (Ising::complete(5, 0.5), 10.0),
        ] {
            approx::assert_relative_eq!(aligned(model.unwrap()), -0.5 * bonds);
        }
    }

    #[test]
    fn wrong_couplings_are_refused() {
        let lattice = Lattice::chain(4, Boundary::Free).unwrap();
        let error = Ising::on_lattice(&lattice, &[1.0; 4]).unwrap_err();
        assert_eq!(error.to_string(), "couplings: 4 values for 3");
        assert!(Ising::ferromagnet(&lattice, f64::NAN).is_err());
    }
}
