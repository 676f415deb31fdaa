#![doc = include_str!("../README.md")]

pub mod coulomb;
pub mod dynamics;
pub mod emergent;
pub mod error;
pub mod spin;
pub mod tree;

mod check;

pub use error::{Error, Result};

pub use linalg_core;
pub use linalg_core::rand;
