#![doc = include_str!("../README.md")]

pub mod decode;
pub mod error;
pub mod problem;
pub mod shots;

pub use decode::{BatchReport, Decoder, Prediction};
pub use error::{Error, Result};
pub use problem::DecodingProblem;
pub use shots::{Shots, ShotsMut, ShotsRef};

pub use linalg_core::rand;
