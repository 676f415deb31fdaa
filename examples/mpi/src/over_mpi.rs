//! Processes of an MPI program as ranks.

use mpi::traits::CommunicatorCollectives;

use crate::Transport;

/// A communicator of MPI.
pub struct OverMpi<C>(pub C);

impl<C: CommunicatorCollectives> Transport for OverMpi<C> {
    fn rank(&self) -> usize {
        self.0.rank() as usize
    }

    fn ranks(&self) -> usize {
        self.0.size() as usize
    }

    fn all_gather(&self, mine: &[f64], all: &mut [f64]) {
        assert_eq!(all.len(), self.ranks() * mine.len(), "{} numbers from {} ranks", all.len(), self.ranks());
        self.0.all_gather_into(mine, all);
    }
}
