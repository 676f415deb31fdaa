//! Overlaps between the sets.

use super::ParallelTempering;
use super::core::lock;
use super::pair_move::PairMove;
use crate::mcmc::{Overlaps, ReplicaPairs};
use crate::model::{CachedModel, MarkovKernel};

/// Every pair of sets is a measurement, one after the other: with four sets six, which are not independent of each other.
/// The errors of [`Overlaps`] take that as the correlation of a chain.
impl<M, K, X> ReplicaPairs for ParallelTempering<M, K, X>
where
    M: CachedModel + Sync,
    K: MarkovKernel<M> + Clone + Send,
    X: PairMove<M>,
{
    fn measure_overlaps(&self, into: &mut Overlaps) {
        let (lanes, sets) = (self.ladder.len(), self.params.sets);
        assert_eq!(into.n_lanes(), lanes, "overlaps of {} lanes for {lanes} temperatures", into.n_lanes());
        assert!(sets >= 2, "overlaps need two sets of replicas, there is {sets}");
        for lane in 0..lanes {
            for (a, b) in (0..sets).flat_map(|a| (a + 1..sets).map(move |b| (a, b))) {
                let first = lock(&self.core.replicas[self.replica(lane, a)]);
                let second = lock(&self.core.replicas[self.replica(lane, b)]);
                into.record(lane, &first.spins, &second.spins);
            }
        }
    }
}
