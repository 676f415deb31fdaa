#![doc = include_str!("../README.md")]

pub mod deep;
pub mod error;
pub mod forward_forward;
pub mod io;
pub mod partition;
pub mod train;
pub mod units;

mod chains;
mod classifier;
mod conditional;
mod correlations;
mod equilibrium;
mod fast;
mod machine;
mod rbm;
mod tempering;
mod trajectory;

pub use chains::GibbsChains;
pub use classifier::{ClassRbm, ClassTraining};
pub use conditional::{ConditionalMethod, ConditionalRbm, ConditionalTraining};
pub use correlations::{CorrelationAgreement, compare_correlations};
pub use equilibrium::{Equilibrium, equilibrium};
pub use error::{Error, Result};
pub use fast::{BitRows, PackedRbm};
pub use machine::{BoltzmannMachine, MachineStatistics, PositivePhase};
pub use rbm::{Marginal, MarginalCache, Rbm, Statistics};
pub use tempering::JointTempering;
pub use trajectory::TrajectoryTempering;
pub use units::Unit;

pub use linalg_core::rand;
