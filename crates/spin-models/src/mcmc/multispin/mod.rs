//! Multi-spin coding: 512 spins in a block of bits, updated together.
//!
//! | engine | a bit is | random numbers | models |
//! |---|---|---|---|
//! | [`HypercubicLattice`] | a site of one lattice | one a spin | square, cubic, four-dimensional lattices, couplings ±J or 0 |
//! | [`Replicas`] | a replica of one instance | one a spin | any graph, small integer couplings and fields |
//! | [`TemperingLadders`] | a replica with a temperature of its own | one a spin | the same |
//! | [`DisorderSamples`] | a sample of the disorder | one for 512 samples | the same, samples differ in signs |
//!
//! All implement [`Simulation`](crate::Simulation). For models with other couplings there are the
//! [vector engines](super::vector).
//!
//! # How an update works
//! The bits of all neighbours are added up by logical operations on whole blocks, which sorts the spins into classes
//! of equal flip probability. A uniform number a spin is then compared with the probability of its class, binary digit by
//! binary digit, until the two differ. A block draws seven digits for all its spins and shares, on average with seven
//! other blocks, the draws for the few bits that are still undecided, at different positions in each; eight draws of 512
//! random bits decide 512 spins. (S. Kirkpatrick and E. P. Stoll, J. Comput. Phys. 40, 517 (1981), on random bits of a
//! given probability; L. Jacobs and C. Rebbi, J. Comput. Phys. 41, 203 (1981), on systems in bits.)
//!
//! # Exactness
//! Probabilities are those of [`metropolis_acceptance`](super::metropolis_acceptance) and
//! [`heat_bath_acceptance`](super::heat_bath_acceptance), rounded down to 64 binary digits: the error is below 2⁻⁶⁴, on top
//! of that of the `f64`. Every spin of an engine with one number a spin uses its own digits; the numbers of different
//! spins, replicas and times are independent. They come from eight
//! [xoshiro256++](linalg_core::rng::Xoshiro256PlusPlus) generators side by side, seeded from ChaCha8 streams.
//!
//! Sites are updated in fixed sets of non-neighbours, one set after the other. This leaves the Boltzmann distribution
//! invariant, as any order does.
//!
//! # Instruction sets
//! Kernels run on AVX-512, AVX2 or plain pairs of 64-bit integers, by what the machine has: [`InstructionSet`]. The spins are the
//! same, bit for bit, and the same with and without the feature `rayon`.
//!
//! # Speed
//! Attempted flips per nanosecond on one core of a Xeon with AVX-512, `cargo bench --bench multispin`:
//!
//! | | AVX-512 | AVX2 | portable |
//! |---|---|---|---|
//! | [`HypercubicLattice`], square, L = 1024, ferromagnet at β_c | 17.3 | 9.0 | 3.5 |
//! | [`HypercubicLattice`], square, L = 512, ±J, β = 1 | 12.6 | 6.4 | 3.2 |
//! | [`Replicas`], 512 of a cubic ±J lattice, L = 8, β = 0.9 | 16.2 | 7.7 | 3.5 |
//! | [`Replicas`], 512 of a random 3-regular ±J graph, N = 1000 | 17.7 | 8.4 | 4.0 |
//! | [`TemperingLadders`], 16 of 32 temperatures, cubic ±J, L = 8 | 6.3 | 3.9 | 1.8 |
//! | [`DisorderSamples`], 512 of a square ±J lattice, L = 32 | 79 | 45 | 19 |

mod counter;
mod decide;
pub(super) mod generator;
mod lattice;
mod local;
mod measure;
pub(super) mod memory;
mod packing;
mod pairs;
pub(super) mod population;
mod replicas;
mod samples;
pub(super) mod simd;
mod sweep;
pub(super) mod tempering;
mod thresholds;
mod units;

pub use lattice::{HypercubicLattice, SquareLattice};
pub use replicas::Replicas;
pub use samples::DisorderSamples;
pub use simd::InstructionSet;
pub use tempering::TemperingLadders;
