//! Decoding as statistical mechanics: cosets of errors are spin models, their probabilities partition functions.
//!
//! [`CosetModel`] holds the spin model of a problem for all its cosets; [`coset_model`] is the model of one.
//! [`SyndromeDistribution`] sums over everything, for small problems.

mod correlated;
mod coset;
mod distribution;
mod erasure;
mod kernel;
mod linear;
mod planar;
mod solution;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use coset::SyndromeFlips;
pub use coset::{CosetModel, coset_model};
pub(crate) use distribution::best;
pub use distribution::{SyndromeDistribution, optimal_failure_rate};
pub(crate) use erasure::Erasure;
