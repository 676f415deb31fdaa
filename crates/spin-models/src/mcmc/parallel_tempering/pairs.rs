//! Overlaps between the sets.

use super::ParallelTempering;
use super::core::lock;
use super::pair_move::PairMove;
use crate::mcmc::{Overlaps, ReplicaPairs};
use crate::model::{CachedModel, MarkovKernel};

/// The sets 0 and 1, 2 and 3, … are a pair each. Pairs that share a set are not independent of each other and are left out.
/// The pairs are chains of their own, but where pair moves couple the sets: there they are one.
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
            for (pair, first) in (0..sets - 1).step_by(2).enumerate() {
                let [a, b] = [first, first + 1].map(|set| lock(&self.core.replicas[self.replica(lane, set)]));
                into.record_pair(lane, if X::ACTIVE { 0 } else { pair }, &a.spins, &b.spins);
            }
        }
    }
}
