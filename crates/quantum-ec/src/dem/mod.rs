//! Detector error models: independent mechanisms, the detectors and the observables they flip.
//!
//! [`DetectorErrorModel`] is a `.dem` file as a tree: repeat blocks stay folded, counts are known without unrolling.
//! [`to_problem`](DetectorErrorModel::to_problem) unrolls it into the check matrix, the observable matrix and the priors
//! that decoders take; [`to_components`](DetectorErrorModel::to_components) keeps the suggested decompositions, and
//! [`to_graph`](DetectorErrorModel::to_graph) makes edges of them. [`Sampler`] draws shots. The format is described in
//! `docs/formats/dem.md`.

mod components;
mod distance;
mod fit;
mod flatten;
mod graph;
mod merge;
mod model;
mod parse;
mod print;
mod sampler;
pub(crate) mod ziggurat;

pub use components::{Component, Components};
pub use distance::{
    GraphlikeDistance, LogicalErrorParams, LogicalErrorProgress, LogicalErrorSearch, UndetectableError,
};
pub use fit::{FIT_BLOCKS, Fit, MAX_FIT_DETECTORS, MechanismFit, ModelFit};
pub use flatten::{FlatInstruction, FlatInstructions, MAX_DETECTORS, MAX_MECHANISMS};
pub use graph::{DecodingGraph, Edge};
pub use merge::{merge_equal, xor_probability};
pub use model::{DEPTH_BOUND, DETECTOR_BOUND, DetectorErrorModel, Instruction, OBSERVABLE_BOUND, Target};
pub use sampler::{Sampler, Samples};
