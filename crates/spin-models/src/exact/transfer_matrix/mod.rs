//! The transfer matrix, site by site.

mod backward;
mod block;
mod compiled;
mod engine;
mod forward;
mod gradient;
mod graph;
pub(in crate::exact) mod ground_state;
mod homogeneous;
pub(super) mod interactions;
mod order;
mod params;
mod plan;
mod program;
mod sampling;
mod schedule;
mod semiring;
mod solver;
mod table;

pub use homogeneous::{StripLimit, UniformRow, homogeneous_torus};
pub use interactions::FrontierModel;
pub use params::TransferMatrixParams;
pub use solver::{FrontierOrder, Marginals, TransferMatrix};

/// Name of the method.
const NAME: &str = "transfer-matrix";
