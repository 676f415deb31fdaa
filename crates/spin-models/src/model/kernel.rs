//! Markov chains: one step of a kernel, and whole simulations.

use linalg_core::Observer;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::rand::Rng;

use super::{CachedModel, Progress};
use crate::Result;
use crate::mcmc::Observables;
use crate::spins::Spins;

/// What a number of sweeps did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SweepStats {
    /// Flips proposed; cluster kernels count the clusters they tried to turn.
    pub attempted: u64,
    /// Proposals accepted.
    pub accepted: u64,
    /// Spins whose value changed.
    pub flipped: u64,
    /// Clusters built; 0 for single-spin kernels.
    pub clusters: u64,
}

impl SweepStats {
    /// `accepted / attempted`, or 0 before the first attempt.
    pub fn acceptance(&self) -> f64 {
        if self.attempted == 0 { 0.0 } else { self.accepted as f64 / self.attempted as f64 }
    }
}

impl std::ops::AddAssign for SweepStats {
    fn add_assign(&mut self, other: Self) {
        self.attempted += other.attempted;
        self.accepted += other.accepted;
        self.flipped += other.flipped;
        self.clusters += other.clusters;
    }
}

/// One sweep of a Markov chain that leaves `exp(-βE)` invariant.
///
/// A sweep is N attempted flips for single-spin kernels. A kernel may keep scratch space and a position, hence
/// `&mut self`; the configuration and its cache stay with the caller.
pub trait MarkovKernel<M: CachedModel> {
    /// Performs one sweep on `s`, whose cache is `cache`.
    ///
    /// # Panics
    /// If `s.len() != model.n_spins()`.
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        cache: &mut M::Cache,
        rng: &mut R,
    ) -> SweepStats;
}

/// A running simulation that owns its configurations: packed words, many replicas, temperature ladders.
///
/// The seam behind which every engine stands. Object-safe, so that a caller can hold whichever engine was planned.
///
/// A *lane* is one replica, which [`Observables`] keep apart: 64 in a word of packed spins, one a temperature in a
/// ladder.
pub trait Simulation {
    /// Number of spins of a replica.
    fn n_spins(&self) -> usize;

    /// Number of replicas.
    fn n_lanes(&self) -> usize;

    /// The inverse temperature of a replica.
    ///
    /// # Panics
    /// If `lane` is not a lane.
    fn beta(&self, lane: usize) -> f64;

    /// Sweeps done since the start, those before a restored checkpoint included.
    fn sweeps(&self) -> u64;

    /// The present configuration of a replica; of the first one where a lane has several. `O(N)`.
    ///
    /// # Panics
    /// If `lane` is not a lane.
    fn configuration(&self, lane: usize) -> Spins;

    /// Runs `sweeps` sweeps of every replica. On `Break` from the observer it stops at the next whole sweep;
    /// the state is then that of the sweeps done, which the statistics count.
    fn advance(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> SweepStats;

    /// Adds one measurement of every replica.
    ///
    /// # Panics
    /// If `into` was made for another number of replicas or spins.
    fn measure(&mut self, into: &mut Observables);

    /// Everything needed to go on bit for bit: configurations, generator states, counters.
    fn checkpoint(&self) -> Checkpoint;

    /// Returns to the state saved in `from`; afterwards the run continues as the saved one would have.
    ///
    /// # Errors
    /// When the checkpoint is damaged or belongs to another engine or instance. The state is then unchanged.
    fn restore(&mut self, from: &Checkpoint) -> Result<()>;

    /// Alternates `interval` sweeps and one measurement, `measurements` times.
    ///
    /// On `Break` from the observer it stops after the present measurement; what was measured until then is in `into`,
    /// and the statistics count the sweeps done.
    fn run(
        &mut self,
        measurements: u64,
        interval: u64,
        into: &mut Observables,
        observer: &mut dyn Observer<Progress>,
    ) -> SweepStats {
        let mut stats = SweepStats::default();
        for done in 1..=measurements {
            stats += self.advance(interval, &mut ());
            self.measure(into);
            if observer.observe(&Progress::new("measuring", done, measurements)).is_break() {
                break;
            }
        }
        stats
    }
}
