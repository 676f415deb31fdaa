//! The coupled pairs of a model in the model's own order.

use spin_models::{Correlations, Ising, PairwiseModel, SherringtonKirkpatrick};

/// A pairwise model that lists its coupled pairs, so that a solver can return their correlations in the model's order.
///
/// ```
/// use spin_models::Ising;
/// use variational::CoupledPairs;
///
/// let path = Ising::builder(3).coupling(1, 2, 1.0).coupling(0, 1, 1.0).build()?;
/// assert_eq!(path.coupled_pairs(), [(1, 2), (0, 1)]);
/// # Ok::<(), spin_models::Error>(())
/// ```
pub trait CoupledPairs: PairwiseModel {
    /// The coupled pairs `(i, j)` with `i < j`; by default in order of sites.
    fn coupled_pairs(&self) -> Vec<(usize, usize)> {
        let pairs_of = |i: usize| self.neighbors(i).filter(move |&(j, _)| j > i).map(move |(j, _)| (i, j));
        (0..self.n_spins()).flat_map(pairs_of).collect()
    }

    /// The pairs asked for.
    fn wanted(&self, which: Correlations) -> Vec<(usize, usize)> {
        let n = self.n_spins();
        match which {
            Correlations::None => Vec::new(),
            Correlations::All => (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect(),
            _ => self.coupled_pairs(),
        }
    }
}

impl CoupledPairs for Ising {
    /// The couplings in the order in which they were given.
    fn coupled_pairs(&self) -> Vec<(usize, usize)> {
        self.couplings().map(|(i, j, _)| (i, j)).collect()
    }
}

impl CoupledPairs for SherringtonKirkpatrick {}
