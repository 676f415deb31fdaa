//! Overlaps of packed replicas.

use super::{Replicas, TemperingLadders};
use crate::mcmc::{Overlaps, ReplicaPairs};
use crate::model::Simulation;

/// The replicas 0 and 1, 2 and 3, … are a pair each, chains of their own in the only lane of the overlaps.
impl ReplicaPairs for Replicas {
    fn measure_overlaps(&self, into: &mut Overlaps) {
        let n = self.n_lanes();
        assert_eq!(into.n_lanes(), 1, "overlaps of {} lanes for one temperature", into.n_lanes());
        assert!(n >= 2, "overlaps need two replicas, there is {n}");
        for (pair, first) in (0..n - 1).step_by(2).enumerate() {
            let [a, b] = [first, first + 1].map(|replica| self.population.packed_spins(replica));
            into.record_pair_words(0, pair, &a, &b);
        }
    }
}

/// At every temperature the ladders 0 and 1, 2 and 3, … are a pair each, chains of their own. Two ladders never exchange,
/// so their replicas are independent.
impl ReplicaPairs for TemperingLadders {
    fn measure_overlaps(&self, into: &mut Overlaps) {
        let (lanes, n) = (self.betas().len(), self.n_ladders());
        assert_eq!(into.n_lanes(), lanes, "overlaps of {} lanes for {lanes} temperatures", into.n_lanes());
        assert!(n >= 2, "overlaps need two ladders, there is {n}");
        for lane in 0..lanes {
            for (pair, first) in (0..n - 1).step_by(2).enumerate() {
                let [a, b] =
                    [first, first + 1].map(|ladder| self.population.packed_spins(self.replica(lane * n + ladder)));
                into.record_pair_words(lane, pair, &a, &b);
            }
        }
    }
}
