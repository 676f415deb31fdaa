//! Decoders: from a syndrome to the observables that were flipped.

mod belief_propagation;
mod choice;
mod decoder;
mod erasure;
mod likelihoods;
mod lookup;
mod lsd;
pub mod matching;
mod maximum_likelihood;
mod options;
mod osd;
mod pairwise;
mod posterior;
mod propagation_choice;
mod sequential;
mod solver;
mod threads;
pub mod union_find;

#[cfg(test)]
mod tests;

pub use belief_propagation::{
    BeliefPropagation, BpMethod, BpParams, BpReport, GuidedDecimation, RelayBp, RelayParams, Scaling, Schedule,
};
pub use choice::{ChosenDecoder, DecoderChoice};
pub use decoder::{BatchReport, Decoder, Prediction};
pub use erasure::ErasureDecoder;
pub use lookup::Lookup;
pub use lsd::BpLsd;
pub use matching::{BeliefMatching, Matching, MatchingChoice, MatchingGraph, WindowedMatching};
pub use maximum_likelihood::MaximumLikelihood;
pub use osd::{BpOsd, OsdOrder};
pub use pairwise::Pairwise;
pub use propagation_choice::PropagationChoice;
pub use sequential::{MaximumLikelihoodMarginals, MaximumLikelihoodSequential, sequential_choice};
pub use solver::{LikelihoodSolver, SolverCost};
pub use threads::decode_on_threads;
pub use union_find::UnionFind;
