//! Partition functions of square lattices by matrix product states of their rows.

mod chain;
mod compress;
mod grid;
mod marginals;
mod metric;
mod plan;
mod plane;
mod select;
mod solver;
#[cfg(test)]
mod tests;

pub use marginals::BoundaryMpsMarginals;
pub use solver::{BoundaryMps, BoundaryMpsReport};

/// Name of the method.
const NAME: &str = "boundary-mps";
