//! Decoders: from a syndrome to the observables that were flipped.

mod decoder;

pub use decoder::{BatchReport, Decoder, Prediction};
