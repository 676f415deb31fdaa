#![doc = include_str!("../README.md")]

pub mod action;
pub mod ensemble;
pub mod error;
pub mod exact;
pub mod potential;
pub mod reference;
pub mod sampler;
mod threads;
mod wide;

pub use action::{Action, Rule};
pub use ensemble::{Ends, Ensemble};
pub use error::{Error, Result};
pub use potential::{Polynomial, Potential, System};
pub use reference::{GaussianReference, ReferenceOscillator};

pub use linalg_core;
pub use linalg_core::rand;
