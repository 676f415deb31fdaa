//! Partition functions as tensor networks.

mod compiled;
mod params;
mod plan;
mod solver;
pub(in crate::exact) mod tables;

pub use params::TensorNetworkParams;
pub use solver::{NetworkCost, TensorNetwork};

/// Name of the method.
const NAME: &str = "tensor-network";
