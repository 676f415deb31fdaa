//! xoshiro256++.

use std::convert::Infallible;

use rand::rand_core::utils;
use rand::{Rng, SeedableRng, TryRng};

use crate::{Error, Result};

use super::SplitMix64;

/// Polynomials of Blackman and Vigna's reference code: advance by 2¹²⁸ and 2¹⁹² steps.
const JUMP: [u64; 4] = [0x180e_c6d3_3cfd_0aba, 0xd5a6_1266_f0c9_392c, 0xa958_2618_e03f_c9aa, 0x39ab_dc45_29b1_661c];
const LONG_JUMP: [u64; 4] =
    [0x76e1_5d3e_fefd_cbbf, 0xc500_4e44_1c52_2fb3, 0x7771_0069_854e_e241, 0x3910_9bb0_2acb_e635];

/// xoshiro256++ of Blackman and Vigna: the fast generator for inner loops.
///
/// 256 bits of state, period $`2^{256} - 1`$, half the time of ChaCha8 or less; all bits of a word are usable, and it
/// passes the usual statistical batteries (ACM Trans. Math. Softw. 47, 36 (2021)). It is linear over GF(2) before its output
/// function and predictable from its output, so the generator of record stays ChaCha8: get one of these from
/// [`Streams::fast_stream`](super::Streams::fast_stream), or cut one sequence into pieces with [`jump`](Self::jump).
///
/// ```
/// use linalg_core::rng::Xoshiro256PlusPlus;
/// use rand::Rng;
/// # use linalg_core::rand;
///
/// let mut rng = Xoshiro256PlusPlus::from_state([1, 2, 3, 4])?;
/// assert_eq!(rng.next_u64(), 41943041); // rotl(1 + 4, 23) + 1
/// let mut copy = Xoshiro256PlusPlus::from_state(rng.state())?;
/// assert_eq!(rng.next_u64(), copy.next_u64());
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "[u64; 4]", into = "[u64; 4]"))]
pub struct Xoshiro256PlusPlus {
    state: [u64; 4],
}

impl Xoshiro256PlusPlus {
    /// The generator with this state.
    ///
    /// # Errors
    /// [`Error::ZeroState`] for four zeros, from which it would never leave.
    pub fn from_state(state: [u64; 4]) -> Result<Self> {
        if state == [0; 4] {
            return Err(Error::ZeroState { generator: "xoshiro256++" });
        }
        Ok(Self { state })
    }

    /// The state; [`from_state`](Self::from_state) with it continues the sequence.
    pub fn state(&self) -> [u64; 4] {
        self.state
    }

    /// Advances by $`2^{128}`$ steps: as many calls separate two successive pieces of the sequence.
    ///
    /// Costs 256 steps.
    pub fn jump(&mut self) {
        self.advance(&JUMP);
    }

    /// Advances by $`2^{192}`$ steps: starting points for units that [`jump`](Self::jump) themselves.
    pub fn long_jump(&mut self) {
        self.advance(&LONG_JUMP);
    }

    /// Applies a polynomial in the transition matrix.
    fn advance(&mut self, polynomial: &[u64; 4]) {
        let mut sum = [0; 4];
        for word in polynomial {
            for bit in 0..64 {
                if word >> bit & 1 == 1 {
                    sum.iter_mut().zip(self.state).for_each(|(s, x)| *s ^= x);
                }
                self.next_u64();
            }
        }
        self.state = sum;
    }
}

impl TryRng for Xoshiro256PlusPlus {
    type Error = Infallible;

    /// The upper half of the next 64 bits.
    #[inline]
    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        self.try_next_u64().map(|x| (x >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        let [a, b, c, d] = self.state;
        let word = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        Ok(word)
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Infallible> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

impl SeedableRng for Xoshiro256PlusPlus {
    type Seed = [u8; 32];

    /// The seed is the state, little-endian; 32 zero bytes are replaced by `seed_from_u64(0)`.
    fn from_seed(seed: Self::Seed) -> Self {
        let state = utils::read_words(&seed);
        Self::from_state(state).unwrap_or_else(|_| Self::seed_from_u64(0))
    }

    /// The state is the next four words of [`SplitMix64`] with this state, as its authors recommend.
    fn seed_from_u64(seed: u64) -> Self {
        let mut words = SplitMix64::new(seed);
        // SplitMix64 takes each value once in a period: four zeros in a row cannot be.
        Self { state: std::array::from_fn(|_| words.next_u64()) }
    }
}

impl From<Xoshiro256PlusPlus> for [u64; 4] {
    fn from(rng: Xoshiro256PlusPlus) -> Self {
        rng.state
    }
}

impl TryFrom<[u64; 4]> for Xoshiro256PlusPlus {
    type Error = Error;

    fn try_from(state: [u64; 4]) -> Result<Self> {
        Self::from_state(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_output() {
        // xoshiro256plusplus.c from state 1, 2, 3, 4.
        let mut rng = Xoshiro256PlusPlus::from_state([1, 2, 3, 4]).unwrap();
        let expected = [
            41943041u64,
            58720359,
            3588806011781223,
            3591011842654386,
            9228616714210784205,
            9973669472204895162,
            14011001112246962877,
            12406186145184390807,
            15849039046786891736,
            10450023813501588000,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn agrees_with_rand() {
        // rand has the same generator, without access to its state.
        let mut theirs = rand::rngs::Xoshiro256PlusPlus::seed_from_u64(99);
        let mut ours = Xoshiro256PlusPlus::seed_from_u64(99);
        for _ in 0..100 {
            assert_eq!(ours.next_u64(), theirs.next_u64());
        }
        assert_eq!(ours.next_u32(), theirs.next_u32());
        let mut seed = [0; 32];
        assert_eq!(Xoshiro256PlusPlus::from_seed(seed), Xoshiro256PlusPlus::seed_from_u64(0));
        seed[8] = 2;
        assert_eq!(Xoshiro256PlusPlus::from_seed(seed).state(), [0, 2, 0, 0]);
    }

    type Bits = [u64; 4];

    /// Row i: the state one step after the unit vector i.
    fn transition() -> Vec<Bits> {
        (0..256)
            .map(|i| {
                let mut state = [0; 4];
                state[i / 64] = 1 << (i % 64);
                let mut rng = Xoshiro256PlusPlus { state };
                rng.next_u64();
                rng.state
            })
            .collect()
    }

    fn apply(matrix: &[Bits], vector: &Bits) -> Bits {
        let mut sum = [0; 4];
        for (i, row) in matrix.iter().enumerate() {
            if vector[i / 64] >> (i % 64) & 1 == 1 {
                sum.iter_mut().zip(row).for_each(|(s, r)| *s ^= r);
            }
        }
        sum
    }

    #[test]
    fn jumps_are_powers_of_the_transition_matrix() {
        let start = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut power = transition();
        for doubling in 1..=192 {
            power = power.iter().map(|row| apply(&power, row)).collect();
            let mut rng = start.clone();
            match doubling {
                128 => rng.jump(),
                192 => rng.long_jump(),
                _ => continue,
            }
            assert_eq!(rng.state, apply(&power, &start.state), "2^{doubling} steps");
        }
    }

    #[test]
    fn the_zero_state_is_refused() {
        let error = Xoshiro256PlusPlus::from_state([0; 4]).unwrap_err();
        assert_eq!(error, Error::ZeroState { generator: "xoshiro256++" });
    }
}
