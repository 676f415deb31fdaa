//! One hypercubic lattice, 512 sites of one colour in a block.

mod bands;
mod bonds;
mod geometry;
mod propose;
mod simulation;
mod strings;
mod sweep;
mod team;

pub use simulation::{HypercubicLattice, SquareLattice};

/// Name in errors.
const SOLVER: &str = "packed lattice";
