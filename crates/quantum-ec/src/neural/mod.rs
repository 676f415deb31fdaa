//! Decoders that learn the noise from samples: generative neural decoding.
//!
//! A [`Subject`] draws errors and writes them as bits: syndrome, logical class, stabilizer part. A [`NeuralModel`] is a
//! normalised distribution of these bits, [trained](NeuralTrainer) by maximum likelihood on fresh samples; its
//! conditional distribution of the class is a [decoder](NeuralDecoder), and [importance sampling](RefinedDecoder) over the
//! stabilizer part leads from there to the exact answer.

mod basis;
mod decoder;
mod file;
mod model;
mod network;
mod refine;
mod shapes;
mod subject;
mod symmetry;
#[cfg(test)]
mod tests;
mod trainer;

pub use basis::Basis;
pub use decoder::{Candidate, NeuralDecoder, Search};
pub use file::ModelHeader;
pub use model::{NeuralModel, Part};
pub use network::{Network, NetworkPass};
pub use refine::{RefinedClass, RefinedDecoder, RefinementParams};
pub use shapes::{Connection, NetworkParams};
pub use subject::{Batch, CodeNoise, Subject};
pub use trainer::{NeuralTrainer, TrainingParams, TrainingStep};
