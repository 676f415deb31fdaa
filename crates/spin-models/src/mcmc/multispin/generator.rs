//! Eight xoshiro256++ generators side by side.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::Rng;

use super::simd::{Block, Simd, WORDS, Word};

/// Eight independent xoshiro256++ generators, one a 64-bit word of a [`Block`].
///
/// A step gives 512 bits at the price of one 64-bit number. The states are drawn from the generator given, ChaCha8
/// in this crate: a chance overlap of two sequences of length n has probability below `64 n / 2^256`. All bits of a
/// word are used, each for another spin; the output function ++ leaves none of them linear over GF(2).
///
/// Reference: D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mcmc) struct Generator {
    state: [Block; 4],
}

/// 64-bit words of the state of a [`Generator`].
const STATE_WORDS: usize = 4 * WORDS;

impl Generator {
    pub(in crate::mcmc) fn new<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut words = [0; STATE_WORDS];
        words.fill_with(|| rng.next_u64());
        // Four zeros in one generator would stay; this happens once in 2^253 seeds.
        words[..WORDS].iter_mut().for_each(|word| *word = (*word).max(1));
        Self::from_words(&words)
    }

    fn from_words(words: &[u64; STATE_WORDS]) -> Self {
        let mut state = [Block::ZERO; 4];
        for (block, words) in state.iter_mut().zip(words.chunks_exact(WORDS)) {
            block.0.copy_from_slice(words);
        }
        Self { state }
    }

    /// Appends the state: word 0 of all eight generators, then word 1, and so on.
    pub(in crate::mcmc) fn write(&self, to: &mut Writer) {
        self.state.iter().flat_map(|block| block.0).for_each(|word| {
            to.write_u64(word);
        });
    }

    /// The generator with the state written by [`write`](Self::write).
    pub(in crate::mcmc) fn read(from: &mut Reader<'_>) -> Result<Self, CheckpointError> {
        let at = from.position();
        let mut words = [0; STATE_WORDS];
        for word in &mut words {
            *word = from.read_u64()?;
        }
        if (0..WORDS).any(|lane| words[lane..].iter().step_by(WORDS).all(|&word| word == 0)) {
            return Err(CheckpointError::Invalid { what: "state of a generator", at });
        }
        Ok(Self::from_words(&words))
    }

    /// The part of the generators that belongs to a part of a block, in registers.
    #[inline(always)]
    pub(in crate::mcmc) fn load<S: Simd>(&self, simd: S, part: usize) -> Lanes<S::Word> {
        let [a, b, c, d] = &self.state;
        Lanes([simd.load(a, part), simd.load(b, part), simd.load(c, part), simd.load(d, part)])
    }

    /// Puts a part back.
    #[inline(always)]
    pub(in crate::mcmc) fn store<S: Simd>(&mut self, simd: S, part: usize, lanes: &Lanes<S::Word>) {
        for (block, &word) in self.state.iter_mut().zip(&lanes.0) {
            simd.store(block, part, word);
        }
    }
}

/// Generators in registers.
#[derive(Clone, Copy)]
pub(in crate::mcmc) struct Lanes<W>([W; 4]);

impl<W: Word> Lanes<W> {
    #[inline(always)]
    pub(in crate::mcmc) fn next(&mut self) -> W {
        let [a, b, c, d] = self.0;
        let bits = a.add(d).rotate_left(23).add(a);
        let shifted = b.shl(17);
        let bd = b ^ d;
        // The same linear map, with the fewest instructions of either kind.
        self.0 = if W::TERNARY {
            [a.xor3(b, d), a.xor3(b, c), a.xor3(c, shifted), bd.rotate_left(45)]
        } else {
            let ac = a ^ c;
            [a ^ bd, b ^ ac, ac ^ shifted, bd.rotate_left(45)]
        };
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{InstructionSet, Kernel};
    use super::*;
    use linalg_core::rng::{Streams, Xoshiro256PlusPlus};

    struct Draw<'a>(&'a mut Generator, usize);

    impl Kernel for Draw<'_> {
        type Output = Vec<Block>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<Block> {
            let mut blocks = vec![Block::ZERO; self.1];
            for part in 0..S::PARTS {
                let mut lanes = self.0.load(simd, part);
                for block in &mut blocks {
                    simd.store(block, part, lanes.next());
                }
                self.0.store(simd, part, &lanes);
            }
            blocks
        }
    }

    #[test]
    fn every_word_is_a_xoshiro() {
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let mut generator = Generator::new(&mut Streams::new(5).stream(1));
            let state: Vec<u64> = generator.state.iter().flat_map(|block| block.0).collect();
            let blocks = [set.run(Draw(&mut generator, 60)), set.run(Draw(&mut generator, 40))].concat();
            for word in 0..WORDS {
                let state = std::array::from_fn(|k| state[WORDS * k + word]);
                let mut single = Xoshiro256PlusPlus::from_state(state).unwrap();
                for block in &blocks {
                    assert_eq!(block.0[word], single.next_u64(), "word {word}, {set:?}");
                }
            }
        }
    }

    #[test]
    fn states_are_saved_and_zeros_refused() {
        let generator = Generator::new(&mut Streams::new(5).stream(1));
        let mut saved = Writer::new();
        generator.write(&mut saved);
        let mut bytes = saved.into_bytes();
        assert_eq!(Generator::read(&mut Reader::new(&bytes)).unwrap(), generator);
        (0..4).for_each(|k| bytes[64 * k + 24..64 * k + 32].fill(0));
        assert!(matches!(Generator::read(&mut Reader::new(&bytes)), Err(CheckpointError::Invalid { .. })));
    }

    #[test]
    fn no_generator_starts_from_zero() {
        struct Zeros;
        impl linalg_core::rand::TryRng for Zeros {
            type Error = std::convert::Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                Ok(0)
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                Ok(0)
            }
            fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
                bytes.fill(0);
                Ok(())
            }
        }
        let generator = Generator::new(&mut Zeros);
        assert_eq!(generator.state[0], Block([1; WORDS]));
    }
}
