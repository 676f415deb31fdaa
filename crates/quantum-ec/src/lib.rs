#![doc = include_str!("../README.md")]

pub mod circuit;
pub mod code;
pub mod decode;
pub mod dem;
pub mod error;
pub mod io;
#[cfg(feature = "neural")]
pub mod neural;
pub mod noise;
pub mod pauli;
pub mod problem;
pub mod sample;
pub mod sensitivity;
pub mod shots;
pub mod statmech;

pub use circuit::Circuit;
pub use code::{CssCode, Decomposition, LinearCode, StabilizerCode};
pub use decode::{BatchReport, Decoder, Prediction};
pub use dem::DetectorErrorModel;
pub use error::{Error, Result};
pub use noise::PauliTable;
pub use pauli::{Pauli, PauliString, SparsePauli};
pub use problem::DecodingProblem;
pub use shots::{Shots, ShotsMut, ShotsRef};

pub use linalg_core::rand;
