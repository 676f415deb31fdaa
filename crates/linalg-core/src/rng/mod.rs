//! Reproducible random numbers.
//!
//! | name | for |
//! |---|---|
//! | [`Streams`] | a seed and its numbered streams: unit `k` of a computation draws from stream `k` |
//! | `ChaCha8Rng` | the generator of record, what [`Streams::stream`] returns |
//! | [`Xoshiro256PlusPlus`] | a fast generator for inner loops, what [`Streams::fast_stream`] returns |
//! | [`SplitMix64`] | instances published with this generator; seeding |
//! | [`standard_normal`], [`exponential`], [`uniform_open01`] | continuous distributions |
//! | [`ChaChaState`], [`Xoshiro256PlusPlus::state`] | saving and restoring a generator |
//!
//! Work is cut into numbered units and unit `k` always draws from [`Streams::stream`]`(k)`: the answer does not
//! depend on the number of threads or machines. ChaCha8 is the generator of record: portable, named, with $`2^{64}`$
//! independent streams a seed. Inner loops that are bound by the generator take a xoshiro256++ seeded from it.
//!
//! What is promised: the same version, seed and calls give the same integers everywhere. The continuous distributions
//! use only IEEE operations and the portable functions of the `libm` crate, so their values are the same everywhere too.
//! Between minor releases a sequence may change; the changelog says so under "Numbers", and tests with fixed values
//! make sure that it does not happen unnoticed.

mod distributions;
mod split_mix;
mod state;
mod streams;
mod xoshiro;

pub use distributions::{exponential, standard_normal, uniform_open01};
pub use split_mix::SplitMix64;
pub use state::ChaChaState;
pub use streams::Streams;
pub use xoshiro::Xoshiro256PlusPlus;

pub use rand_chacha::ChaCha8Rng;
