//! Moves of two replicas at one temperature.

use linalg_core::rand::Rng;

use crate::mcmc::cluster::Houdayer;
use crate::model::{CachedModel, PairwiseModel, SweepStats};

/// A move of two replicas of one temperature that leaves $`e^{-β(E(s) + E(t))}`$ invariant.
///
/// `()` does nothing; [`Houdayer`] exchanges clusters of the overlap.
pub trait PairMove<M: CachedModel>: Clone + Send {
    /// Whether the move does anything; if not, no pairs are drawn.
    const ACTIVE: bool;

    /// One move on two replicas, each a configuration with its cache.
    fn apply<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        first: (&mut [i8], &mut M::Cache),
        second: (&mut [i8], &mut M::Cache),
        rng: &mut R,
    ) -> SweepStats;
}

impl<M: CachedModel> PairMove<M> for () {
    const ACTIVE: bool = false;

    fn apply<R: Rng + ?Sized>(
        &mut self,
        _model: &M,
        _first: (&mut [i8], &mut M::Cache),
        _second: (&mut [i8], &mut M::Cache),
        _rng: &mut R,
    ) -> SweepStats {
        SweepStats::default()
    }
}

impl<M: CachedModel + PairwiseModel> PairMove<M> for Houdayer {
    const ACTIVE: bool = true;

    fn apply<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        first: (&mut [i8], &mut M::Cache),
        second: (&mut [i8], &mut M::Cache),
        rng: &mut R,
    ) -> SweepStats {
        let size = self.pair(model, first, second, rng).size as u64;
        let found = u64::from(size > 0);
        SweepStats { attempted: 1, accepted: found, flipped: 2 * size, clusters: found }
    }
}
