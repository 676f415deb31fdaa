//! Reproducible random streams.
//!
//! Work is cut into numbered units and unit `k` always draws from [`Streams::stream`]`(k)`: the answer does not
//! depend on the number of threads or machines. ChaCha8 is the generator of record: portable, named, with
//! 2⁶⁴ independent streams a seed. Inner loops that are bound by the generator seed a faster one from it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A seed and its numbered, independent ChaCha8 streams.
///
/// The same seed and number give the same sequence on every platform, within a version of this crate; across
/// versions the sequence may change, and the changelog says so.
///
/// ```
/// use linalg_core::rng::Streams;
/// use rand::Rng;
///
/// let streams = Streams::new(7);
/// let a = streams.stream(3).next_u64();
/// assert_eq!(a, Streams::new(7).stream(3).next_u64());
/// assert_ne!(a, streams.stream(4).next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Streams {
    /// The seed all streams share.
    pub seed: u64,
}

impl Streams {
    /// Streams of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The generator of work unit `k`, at its beginning.
    pub fn stream(&self, k: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(k);
        rng
    }
}

/// A standard normal number by the polar method.
pub fn standard_normal<R: rand::Rng + ?Sized>(rng: &mut R) -> f64 {
    use rand::RngExt;
    loop {
        let x = 2.0 * rng.random::<f64>() - 1.0;
        let y = 2.0 * rng.random::<f64>() - 1.0;
        let r = x * x + y * y;
        if r > 0.0 && r < 1.0 {
            return x * (-2.0 * r.ln() / r).sqrt();
        }
    }
}
