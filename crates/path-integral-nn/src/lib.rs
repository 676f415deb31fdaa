#![doc = include_str!("../README.md")]

pub mod action;
mod cumulant;
pub mod ensemble;
pub mod error;
pub mod estimate;
pub mod exact;
pub mod field;
pub mod nelson;
pub mod nnft;
pub mod path;
pub mod potential;
pub mod real_time;
pub mod reference;
mod relativistic;
pub mod sampler;

pub use action::{Action, Rule};
pub use cumulant::cumulant_expansion;
pub use ensemble::{Ends, Ensemble};
pub use error::{Error, Result};
pub use potential::{Polynomial, Potential, System};
pub use reference::{GaussianReference, ReferenceOscillator};
pub use relativistic::relativistic_action;

pub use linalg_core;
pub use linalg_core::rand;
