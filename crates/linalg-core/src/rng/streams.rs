//! A seed and its numbered streams.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Xoshiro256PlusPlus;

/// Marks in the ChaCha key that keep the families of streams of one seed apart.
const FAST: u8 = 0x01;
const CHILD: u8 = 0x02;

/// A seed and its numbered, independent ChaCha8 streams.
///
/// The same seed and number give the same sequence on every platform, within a version of this crate; across
/// versions the sequence may change, and the changelog says so.
///
/// ```
/// use linalg_core::rng::Streams;
/// use rand::Rng;
/// # use linalg_core::rand;
///
/// let streams = Streams::new(7);
/// let a = streams.stream(3).next_u64();
/// assert_eq!(a, Streams::new(7).stream(3).next_u64());
/// assert_ne!(a, streams.stream(4).next_u64());
/// assert_ne!(a, streams.fast_stream(3).next_u64());
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
        self.family(0, k)
    }

    /// The fast generator of work unit `k`: xoshiro256++ with a state drawn from a ChaCha8 stream.
    ///
    /// That stream is not [`stream`](Self::stream)`(k)`, so one unit may use both. Two units collide within $`n`$
    /// draws with a probability below $`n\,2^{-254}`$.
    pub fn fast_stream(&self, k: u64) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::from_rng(&mut self.family(FAST, k))
    }

    /// The streams of unit `k` when it has numbered units of its own.
    ///
    /// The new seed is 64 random bits: among $`n`$ children two coincide with probability $`n^2\,2^{-65}`$.
    ///
    /// ```
    /// use linalg_core::Streams;
    ///
    /// let disorder = Streams::new(1).child(5); // sample 5, its chains are disorder.stream(0), ...
    /// assert_eq!(disorder, Streams::new(1).child(5));
    /// assert_ne!(disorder, Streams::new(1).child(6));
    /// ```
    pub fn child(&self, k: u64) -> Self {
        Self::new(self.family(CHILD, k).next_u64())
    }

    fn family(&self, mark: u8, k: u64) -> ChaCha8Rng {
        let mut key = ChaCha8Rng::seed_from_u64(self.seed).get_seed();
        key[31] ^= mark;
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(k);
        rng
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_plain_chacha() {
        // What another program needs to draw the same numbers.
        let mut direct = ChaCha8Rng::seed_from_u64(12);
        direct.set_stream(34);
        assert_eq!(Streams::new(12).stream(34), direct);
    }

    #[test]
    fn families_and_units_differ() {
        let mut firsts = Vec::new();
        for seed in [0, 1, u64::MAX] {
            let streams = Streams::new(seed);
            for k in [0, 1, 2, u64::MAX] {
                firsts.push(streams.stream(k).next_u64());
                firsts.push(streams.fast_stream(k).next_u64());
                firsts.push(streams.child(k).seed);
                firsts.push(streams.child(k).stream(k).next_u64());
            }
        }
        let n = firsts.len();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), n);
    }
}
