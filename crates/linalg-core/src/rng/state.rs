//! The state of a ChaCha8 generator as plain numbers.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Key, stream number and position of a ChaCha8 generator: all that a checkpoint needs.
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::rng::ChaChaState;
/// use rand::Rng;
/// # use linalg_core::rand;
///
/// let mut rng = Streams::new(3).stream(8);
/// rng.next_u32();
/// let state = ChaChaState::save(&rng);
/// assert_eq!((state.stream, state.word_position), (8, 1));
/// assert_eq!(state.restore().next_u64(), rng.next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChaChaState {
    /// The 256-bit key.
    pub seed: [u8; 32],
    /// The stream number.
    pub stream: u64,
    /// How many 32-bit words of the stream were used, modulo $`2^{68}`$.
    pub word_position: u128,
}

impl ChaChaState {
    /// The state of `rng`.
    pub fn save(rng: &ChaCha8Rng) -> Self {
        Self { seed: rng.get_seed(), stream: rng.get_stream(), word_position: rng.get_word_pos() }
    }

    /// A generator that continues from this state.
    pub fn restore(&self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.seed);
        rng.set_stream(self.stream);
        rng.set_word_pos(self.word_position);
        rng
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;
    use rand::Rng;

    #[test]
    fn restores_at_any_position() {
        let mut rng = Streams::new(77).stream(u64::MAX);
        for k in 0..200 {
            let mut copy = ChaChaState::save(&rng).restore();
            assert_eq!(copy, rng);
            let (mut a, mut b) = (rng.clone(), copy.clone());
            assert_eq!([a.next_u64(), a.next_u64()], [b.next_u64(), b.next_u64()]);
            // Odd positions inside a block, and bytes that leave part of a word unused.
            if k % 3 == 0 {
                rng.next_u32();
                copy.next_u32();
            } else {
                let (mut x, mut y) = ([0; 5], [0; 5]);
                rng.fill_bytes(&mut x);
                copy.fill_bytes(&mut y);
                assert_eq!(x, y);
            }
        }
    }
}
