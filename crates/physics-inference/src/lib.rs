#![doc = include_str!("../README.md")]

pub mod dynamics;
pub mod emergent;
pub mod error;

pub use error::{Error, Result};

pub use linalg_core;
pub use linalg_core::rand;
