//! SplitMix64.

use std::convert::Infallible;

use rand::TryRng;
use rand::rand_core::utils;

/// SplitMix64: a 64-bit counter and a mixing function.
///
/// Each call adds `0x9e3779b97f4a7c15` to the state and returns the state mixed by two multiplications (Steele, Lea and
/// Flood, OOPSLA 2014, with the constants of Stafford's variant 13, as in Vigna's `splitmix64.c`). Small enough to be
/// rewritten in any language in five lines, which is why published instances use it; the period is $`2^{64}`$ and every
/// 64-bit value appears once in it. For simulations take [`Xoshiro256PlusPlus`](super::Xoshiro256PlusPlus).
///
/// ```
/// use linalg_core::rng::SplitMix64;
/// use rand::Rng;
/// # use linalg_core::rand;
///
/// let mut rng = SplitMix64::new(1234567);
/// assert_eq!(rng.next_u64(), 6457827717110365317);
/// assert_eq!(rng.next_u64(), 3203168211198807973);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The generator with this state; any value will do.
    pub fn new(state: u64) -> Self {
        Self { state }
    }

    /// The state; [`new`](Self::new) with it continues the sequence.
    pub fn state(&self) -> u64 {
        self.state
    }
}

impl TryRng for SplitMix64 {
    type Error = Infallible;

    /// The upper half of the next 64 bits.
    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|x| (x >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn reference_output() {
        // splitmix64.c with state 0 and 1234567.
        let mut rng = SplitMix64::new(0);
        assert_eq!(rng.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(rng.next_u64(), 0x06c4_5d18_8009_454f);
        let mut rng = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317u64,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn state_and_bytes() {
        let mut a = SplitMix64::new(9);
        a.next_u64();
        let mut b = SplitMix64::new(a.state());
        let mut bytes = [0; 11];
        a.fill_bytes(&mut bytes);
        assert_eq!(bytes[..8], b.next_u64().to_le_bytes());
        assert_eq!(bytes[8..], b.next_u64().to_le_bytes()[..3]);
    }
}
