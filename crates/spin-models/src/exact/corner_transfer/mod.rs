//! The infinite square lattice by corner transfer matrices.

mod environment;
mod site;
mod solver;
#[cfg(test)]
mod tests;

pub use solver::{CornerTransfer, CornerTransferReport};

/// Name of the method.
const NAME: &str = "corner-transfer";
