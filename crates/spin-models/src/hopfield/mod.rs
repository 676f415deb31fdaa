//! Associative memories: patterns stored in couplings, and their recall.
//!
//! | part | what it is |
//! |---|---|
//! | [`Patterns`] | random, biased, correlated patterns and images of ±1 |
//! | [`Hopfield`], [`Hebb`] | Hebb's couplings without the N x N matrix: the patterns themselves, packed |
//! | [`pseudo_inverse`], [`storkey`], [`PerceptronRule`] | couplings that store more, as dense matrices |
//! | [`DenseMemory`], [`Interaction`] | Krotov and Hopfield's energies of higher order and the exponential one |
//! | [`ModernHopfield`] | continuous states, recalled by softmax attention |
//! | [`Glauber`], [`Update`], [`Network`] | parallel and sequential dynamics at any temperature, zero included |
//! | [`Basin`], [`Attractor`], [`survey`] | basins of attraction, mixtures and other spurious states |
//! | [`CapacityParams`] | the load at which patterns are lost, against the number of spins |
//!
//! Spins are ±1, energies count pairs once, and the couplings of a spin with itself are left out. The normalisation is
//! [`Hebb::PerNeuron`] unless another is asked for: the load is α = P/N, the transition to the glass at
//! T = 1 + √α, and at T = 0 patterns are lost above α = 0.1379 (replica symmetric).
//!
//! ```
//! use linalg_core::Streams;
//! use spin_models::hopfield::{Glauber, Hopfield, Patterns, Update};
//!
//! // 10 patterns of 500 spins; one comes back from a start with a fifth of the spins wrong.
//! let mut rng = Streams::new(1).stream(0);
//! let patterns = Patterns::random(500, 10, &mut rng)?;
//! let start = patterns.with_overlap(3, 0.6, &mut rng)?;
//! let memory = Hopfield::new(&patterns)?;
//! let recall = Glauber::zero_temperature(Update::Parallel).recall(&memory, &start, 20, &mut rng);
//! assert_eq!(&*recall.spins, patterns.pattern(3));
//! # Ok::<(), spin_models::Error>(())
//! ```
//!
//! References: J. J. Hopfield, Proc. Natl. Acad. Sci. USA 79, 2554 (1982); D. J. Amit, H. Gutfreund and H. Sompolinsky,
//! Ann. Phys. 173, 30 (1987).

mod attractors;
mod basins;
mod capacity;
mod dense;
mod dynamics;
mod hebb;
mod learning;
mod matrix;
mod modern;
mod network;
mod packed;
mod patterns;

pub use attractors::{Attractor, Survey, survey};
pub use basins::{Basin, BasinPoint};
pub use capacity::{CapacityMeasurement, CapacityParams, CapacityPoint, FreeExponent, HalfLoad};
pub use dense::{DenseMemory, Interaction};
pub use dynamics::{Ending, Glauber, Recall, Snapshot, Update, overlap_trajectory};
pub use hebb::{Hebb, Hopfield};
pub use learning::{PerceptronRule, Symmetry, Training, pseudo_inverse, storkey};
pub use matrix::Synapses;
pub use modern::{ModernHopfield, Retrieval};
pub use network::Network;
pub use patterns::Patterns;

#[cfg(test)]
mod tests;
