#![doc = include_str!("../README.md")]

pub mod autoregressive;
pub mod bethe;
pub mod error;
pub mod feedback;
mod kernels;
pub mod mean_field;
pub mod normalized;
mod pairs;
pub mod posterior;
pub mod product;
pub mod scalar;
pub mod van;

pub use bethe::Bethe;
pub use error::{Error, Result};
pub use feedback::{Completed, FeedbackReduction};
pub use mean_field::{NaiveMeanField, Tap};
pub use normalized::Normalized;
pub use pairs::CoupledPairs;
pub use posterior::Posterior;
pub use product::ProductState;
pub use scalar::Scalar;
pub use van::Van;

pub use linalg_core::rand;
