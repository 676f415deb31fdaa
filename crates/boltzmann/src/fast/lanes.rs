//! 64 generators side by side.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::Rng;

use super::WIDTH;

/// 64 xoshiro128++ generators (Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021)), their states in columns so that
/// one step of all of them is vector arithmetic. The states come from a ChaCha8 stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lanes {
    state: [[u32; WIDTH]; 4],
}

impl Lanes {
    /// Lanes with states drawn from `rng`.
    pub(crate) fn from_rng<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut state = [[0; WIDTH]; 4];
        for k in 0..WIDTH {
            while state.iter().all(|words| words[k] == 0) {
                state.iter_mut().for_each(|words| words[k] = rng.next_u32());
            }
        }
        Self { state }
    }

    /// A number from each lane.
    #[inline(always)]
    pub(crate) fn draw(&mut self) -> [u32; WIDTH] {
        let [s0, s1, s2, s3] = &mut self.state;
        let mut out = [0; WIDTH];
        for k in 0..WIDTH {
            let (mut a, mut b, mut c, mut d) = (s0[k], s1[k], s2[k], s3[k]);
            out[k] = a.wrapping_add(d).rotate_left(7).wrapping_add(a);
            let t = b << 9;
            c ^= a;
            d ^= b;
            b ^= c;
            a ^= d;
            c ^= t;
            d = d.rotate_left(11);
            (s0[k], s1[k], s2[k], s3[k]) = (a, b, c, d);
        }
        out
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        for words in &self.state {
            words.iter().for_each(|&word| {
                out.write_u32(word);
            });
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, CheckpointError> {
        let mut state = [[0; WIDTH]; 4];
        for words in &mut state {
            for word in words {
                *word = from.read_u32()?;
            }
        }
        if (0..WIDTH).any(|k| state.iter().all(|words| words[k] == 0)) {
            return Err(CheckpointError::Invalid { what: "state of a generator", at: from.position() });
        }
        Ok(Self { state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fast::{Row, sample_mask};
    use linalg_core::Streams;

    /// The first outputs from state 1, 2, 3, 4, by hand: rotl(1 + 4, 7) + 1 = 641; then the state is
    /// (7, 0, 2^10 + 2, rotl(6, 11)) and rotl(7 + 12288, 7) + 7 = 1573767.
    #[test]
    fn the_sequence_is_that_of_xoshiro128_plus_plus() {
        let mut lanes = Lanes { state: [[1; WIDTH], [2; WIDTH], [3; WIDTH], [4; WIDTH]] };
        assert_eq!(lanes.draw(), [641; WIDTH]);
        assert_eq!(lanes.draw(), [1_573_767; WIDTH]);
    }

    /// a = 0 and d = 2^32 - 1 give the largest word, rotl(2^32 - 1, 7) + 0: a certain bit is set all the same.
    #[test]
    fn a_certain_bit_is_set_by_every_word() {
        let state = [[0; WIDTH], [1; WIDTH], [1; WIDTH], [u32::MAX; WIDTH]];
        assert_eq!(Lanes { state }.draw(), [u32::MAX; WIDTH]);
        let mask = |p: f32| sample_mask(&Row([p; WIDTH]), &mut Lanes { state });
        assert_eq!(mask(1.0), u64::MAX);
        assert_eq!(mask(1.0 - f32::EPSILON / 2.0), 0);
        // The smallest word: a probability of 0 is never met.
        let zero = [[0; WIDTH], [1; WIDTH], [1; WIDTH], [0; WIDTH]];
        assert_eq!(sample_mask(&Row::ZERO, &mut Lanes { state: zero }), 0);
        assert_eq!(sample_mask(&Row([2f32.powi(-24); WIDTH]), &mut Lanes { state: zero }), u64::MAX);
    }

    #[test]
    fn lanes_differ_and_are_uniform() {
        let mut lanes = Lanes::from_rng(&mut Streams::new(1).stream(0));
        let draws = 4096;
        let mut sums = [0.0; WIDTH];
        for _ in 0..draws {
            let words = lanes.draw();
            sums.iter_mut().zip(words).for_each(|(sum, word)| *sum += f64::from(word) / 2f64.powi(32) - 0.5);
        }
        // Standard deviation of a mean: 1/√(12 n); the largest of 64 lies below 4.5 of them with probability 0.9996.
        let bound = 4.5 / (12.0 * f64::from(draws)).sqrt();
        assert!(sums.iter().all(|sum| (sum / f64::from(draws)).abs() < bound));
        assert!(sums.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 0.0));
    }

    #[test]
    fn a_saved_state_goes_on() {
        let mut lanes = Lanes::from_rng(&mut Streams::new(2).stream(0));
        lanes.draw();
        let mut writer = Writer::new();
        lanes.save(&mut writer);
        let bytes = writer.into_bytes();
        let mut again = Lanes::read(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(lanes.draw(), again.draw());
        assert!(Lanes::read(&mut Reader::new(&vec![0; 4 * 4 * WIDTH])).is_err());
    }
}
