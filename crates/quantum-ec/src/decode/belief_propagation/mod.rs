//! Belief propagation, and the ensembles made of it.

mod decimation;
mod decoder;
mod engine;
mod graph;
mod lanes;
mod params;
mod phi;
mod relay;
mod rescued;
mod rules;
mod runner;
mod serial;
mod simd;

#[cfg(test)]
mod reference;
#[cfg(test)]
pub(super) mod tests;

pub use decimation::GuidedDecimation;
pub use decoder::BeliefPropagation;
pub use params::{BpMethod, BpParams, Scaling, Schedule};
pub use relay::{RelayBp, RelayParams};
pub use rescued::BpReport;

pub(crate) use graph::FactorGraph;
pub(crate) use rescued::{Rescue, Rescued, decode_by_inner};
