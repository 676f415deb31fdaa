//! The traits through which models, samplers and solvers meet.
//!
//! A model implements [`EnergyModel`] and, where it can, [`CachedModel`], [`PairwiseModel`] or [`Reweight`].
//! Anything that computes something implements [`Solve`], [`LogPartition`], [`MarkovKernel`] or [`Simulation`].

mod energy;
mod kernel;
mod log_partition;
mod plan;
mod progress;
mod solve;

pub use energy::{CachedModel, DiscreteModel, EnergyModel, PairwiseModel, Uncached};
pub use kernel::{MarkovKernel, Simulation, SweepStats};
pub use log_partition::{Kind, LnZ, LogPartition};
pub(crate) use plan::check_weights;
pub use plan::{LogPartitionPlan, PrepareLogPartition, Replan, Reweight};
pub use progress::Progress;
pub use solve::{Correlations, GroundState, PairCorrelations, Quantities, Solution, Solve};
