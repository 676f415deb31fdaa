#![doc = include_str!("../README.md")]

mod check;
#[cfg(test)]
mod clock;
pub mod cluster;
pub mod coulomb;
pub mod dynamics;
pub mod emergent;
pub mod error;
pub mod predict;
pub mod series;
pub mod spin;
pub mod tree;

pub use error::{Error, Result};

pub use linalg_core;
pub use linalg_core::rand;
