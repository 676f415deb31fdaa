//! Couplings of charges in space.

mod coupling;
mod potential;

pub use coupling::{CoulombCoupling, CoulombParams, CoulombPredictor, Geometry};
pub use potential::{DirectSum, PairPotential, TreeSum};
