//! Bond and site dilution of lattices.

use linalg_core::rand::{Rng, RngExt};

use crate::models::Lattice;
use crate::{Error, Result};

fn check_probability(what: &'static str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        Ok(())
    } else {
        Err(Error::Parameter { what, value: p.to_string(), expected: "a probability from 0 to 1" })
    }
}

/// Dilution makes lattices from lattices: couplings are then put on them as on any other.
impl Lattice {
    /// Keeps every bond with probability `concentration`, independently; all sites stay.
    ///
    /// Parallel bonds are kept or lost one by one. Positions stay, the shape is lost. `O(N + M)`.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::{Boundary, Ising, Lattice};
    ///
    /// let square = Lattice::square(8, Boundary::Periodic)?;
    /// let diluted = square.bond_diluted(0.7, &mut Streams::new(1).stream(0))?;
    /// assert_eq!(diluted.n_sites(), 64);
    /// assert!(diluted.n_edges() < 128);
    /// let model = Ising::ferromagnet(&diluted, 1.0)?; // the bond-diluted ferromagnet
    /// # assert_eq!(model.n_couplings(), diluted.n_edges());
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the concentration lies in 0..=1.
    pub fn bond_diluted<R: Rng + ?Sized>(&self, concentration: f64, rng: &mut R) -> Result<Self> {
        check_probability("concentration of bonds", concentration)?;
        let kept = self.edge_list().iter().copied().filter(|_| rng.random::<f64>() < concentration).collect();
        Ok(Self::assemble(kept, self.positions().to_vec(), None))
    }

    /// Keeps every site with probability `concentration`, independently, and the bonds between kept sites.
    ///
    /// Kept sites are renumbered in order; the second value lists their old numbers. Positions stay, the shape is
    /// lost. `O(N + M)`.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the concentration lies in 0..=1, [`Error::NoSpins`] if no site is left.
    pub fn site_diluted<R: Rng + ?Sized>(&self, concentration: f64, rng: &mut R) -> Result<(Self, Vec<usize>)> {
        check_probability("concentration of sites", concentration)?;
        let kept: Vec<usize> = (0..self.n_sites()).filter(|_| rng.random::<f64>() < concentration).collect();
        if kept.is_empty() {
            return Err(Error::NoSpins);
        }
        let mut new = vec![u32::MAX; self.n_sites()];
        for (site, &old) in kept.iter().enumerate() {
            new[old] = site as u32;
        }
        let edges = self.edges().map(|(i, j)| (new[i], new[j])).filter(|&(i, j)| i != u32::MAX && j != u32::MAX);
        let positions = kept.iter().map(|&old| self.positions()[old]).collect();
        Ok((Self::assemble(edges.collect(), positions, None), kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Boundary;
    use linalg_core::Streams;

    /// Kept bonds within 5 standard deviations of the binomial law.
    #[test]
    fn bonds_are_kept_with_their_probability() {
        let lattice = Lattice::square(100, Boundary::Periodic).unwrap();
        let mut rng = Streams::new(64).stream(0);
        let p = 0.6;
        let diluted = lattice.bond_diluted(p, &mut rng).unwrap();
        let m = lattice.n_edges() as f64;
        assert!((diluted.n_edges() as f64 - p * m).abs() < 5.0 * (m * p * (1.0 - p)).sqrt());
        assert_eq!(lattice.bond_diluted(1.0, &mut rng).unwrap().n_edges(), lattice.n_edges());
        assert_eq!(lattice.bond_diluted(0.0, &mut rng).unwrap().n_edges(), 0);
        assert!(lattice.bond_diluted(1.1, &mut rng).is_err());
        assert!(lattice.bond_diluted(f64::NAN, &mut rng).is_err());
    }

    #[test]
    fn kept_sites_keep_their_bonds() {
        let lattice = Lattice::square(20, Boundary::Free).unwrap();
        let mut rng = Streams::new(65).stream(0);
        let (diluted, kept) = lattice.site_diluted(0.5, &mut rng).unwrap();
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((kept.len() as f64 - 200.0).abs() < 5.0 * 10.0, "{} sites of 400", kept.len());
        let old: Vec<_> = diluted.edges().map(|(i, j)| (kept[i], kept[j])).collect();
        let expected: Vec<_> = lattice.edges().filter(|(i, j)| kept.contains(i) && kept.contains(j)).collect();
        assert_eq!(old, expected);
        let moved: Vec<_> = kept.iter().map(|&old| lattice.positions()[old]).collect();
        assert_eq!(diluted.positions(), moved);
        assert!(matches!(lattice.site_diluted(0.0, &mut rng), Err(Error::NoSpins)));
        assert!(lattice.site_diluted(-0.5, &mut rng).is_err());
    }
}
