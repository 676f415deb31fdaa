//! Many replicas of one instance with real couplings, 16 of them side by side in vectors of 32-bit numbers.
//!
//! | engine | replicas | temperatures |
//! |---|---|---|
//! | [`VectorReplicas`] | any number | one |
//! | [`VectorLadders`] | whole ladders for parallel tempering | one for each replica of a ladder |
//!
//! Both implement [`Simulation`](crate::Simulation) and [`ReplicaPairs`](super::ReplicaPairs), for any graph and any
//! couplings and fields. Where couplings are small multiples of one number, [`multispin`](super::multispin) is ten
//! times as fast.
//!
//! # How an update works
//! The spins of 16 replicas at a site stand side by side as ±1. Their local fields `h_i + Σ_j J_ij s_j` are summed for
//! all 16 at once, in an order of the sites in which neighbours do not follow each other: class by class of a
//! colouring. A polynomial gives `2^-x` of the 16 exponents, and every replica compares it with a random number of its
//! own. No step depends on what another replica does.
//!
//! # Exactness
//! Fields and probabilities in 32 bits have an error, for which there are bounds: the field at a site of degree d
//! with $`F = |h_i| + \sum_j |J_{ij}|`$ is within $`(d + 7)\, 2^{-24} F`$, the power of two within 4·10⁻⁶ of
//! its value. Where a random number lies so close to the probability that these errors matter, and where Metropolis may
//! see a tie, the replica is decided once more: with the field summed in 64 bits, the probability of
//! [`metropolis_acceptance`](super::metropolis_acceptance) or [`heat_bath_acceptance`](super::heat_bath_acceptance), and
//! further digits of the random number, 52 in all. So decisions are those of 64-bit arithmetic; about one site in two
//! thousand takes the detour at β = 1. Where couplings and fields are multiples of one number, such that 32-bit sums are
//! exact, ties are known and do not take it.
//!
//! # Random numbers
//! Each group of 16 replicas has eight [xoshiro256++](linalg_core::rng::Xoshiro256PlusPlus) generators side by side,
//! 32 bits a replica, and one for the further digits of each replica, all seeded from ChaCha8 streams. Replicas share
//! nothing.
//!
//! # Instruction sets
//! AVX-512, AVX2 or portable code give the same spins, bit for bit, and so does any number of threads.
//!
//! # Speed
//! 64 replicas of a cubic lattice with Gaussian couplings, L = 8, β = 0.9, one core of a busy Xeon, `cargo bench --bench
//! vector`: 0.79 attempted flips per nanosecond with AVX-512, 0.41 with AVX2, 0.12 in portable code; one
//! [`Chain`](super::Chain) makes 0.08 there.

mod couplings;
mod ladders;
mod population;
mod rates;
mod replicas;
mod sweep;

pub use ladders::VectorLadders;
pub use replicas::VectorReplicas;
