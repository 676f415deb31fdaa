//! Pairs of 64-bit integers and four 32-bit numbers: the reference for every other instruction set.
//!
//! Every 64-bit machine has registers of 128 bits, for which the compiler then chooses; single integers are half as fast.

use std::ops::{BitAnd, BitOr, BitXor};

use super::{Block, Float, Floats, Kernel, Mask, Simd, WORDS, Word};

/// Plain arithmetic.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Portable;

/// Some numbers.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Numbers<const N: usize>([f32; N]);

/// All ones or all zeros for each.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct NumberMask<const N: usize>([u32; N]);

impl<const N: usize> NumberMask<N> {
    #[inline(always)]
    fn of(bits: u32) -> Self {
        Self(std::array::from_fn(|k| (bits >> k & 1).wrapping_neg()))
    }

    #[inline(always)]
    fn both(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(
            #[inline(always)]
            |k| f(self.0[k], other.0[k]),
        ))
    }
}

impl<const N: usize> BitAnd for NumberMask<N> {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        self.both(other, |a, b| a & b)
    }
}

impl<const N: usize> BitOr for NumberMask<N> {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        self.both(other, |a, b| a | b)
    }
}

impl<const N: usize> Mask for NumberMask<N> {
    #[inline(always)]
    fn bits(self) -> u32 {
        let mut bits = 0;
        for k in 0..N {
            bits |= self.0[k] & 1 << k;
        }
        bits
    }
}

impl<const N: usize> Numbers<N> {
    #[inline(always)]
    fn both(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(
            #[inline(always)]
            |k| f(self.0[k], other.0[k]),
        ))
    }
}

impl<const N: usize> Float for Numbers<N> {
    type Mask = NumberMask<N>;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.both(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.both(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.both(other, |a, b| a * b)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.both(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.both(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.both(self, |a, _| a.abs())
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.both(other, f32::copysign)
    }

    #[inline(always)]
    fn below(self, other: Self) -> NumberMask<N> {
        NumberMask(std::array::from_fn(
            #[inline(always)]
            |k| u32::from(self.0[k] < other.0[k]).wrapping_neg(),
        ))
    }

    #[inline(always)]
    fn negate_where(self, mask: NumberMask<N>) -> Self {
        Self(std::array::from_fn(
            #[inline(always)]
            |k| f32::from_bits(self.0[k].to_bits() ^ (mask.0[k] & 1 << 31)),
        ))
    }

    #[inline(always)]
    fn or_where_not(self, mask: NumberMask<N>, other: Self) -> Self {
        Self(std::array::from_fn(
            #[inline(always)]
            |k| f32::from_bits((self.0[k].to_bits() & mask.0[k]) | (other.0[k].to_bits() & !mask.0[k])),
        ))
    }

    #[inline(always)]
    fn lower_exponent(self, shift: Self) -> Self {
        self.both(shift, |a, b| f32::from_bits(a.to_bits().wrapping_sub(b.to_bits() << 23)))
    }
}

/// Two 64-bit integers.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Pair([u64; 2]);

impl Pair {
    #[inline(always)]
    fn both(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self([f(self.0[0], other.0[0]), f(self.0[1], other.0[1])])
    }
}

impl BitAnd for Pair {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        self.both(other, |a, b| a & b)
    }
}

impl BitOr for Pair {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        self.both(other, |a, b| a | b)
    }
}

impl BitXor for Pair {
    type Output = Self;

    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        self.both(other, |a, b| a ^ b)
    }
}

impl Word for Pair {
    #[inline(always)]
    fn and_not(self, mask: Self) -> Self {
        self.both(mask, |a, b| a & !b)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.both(other, u64::wrapping_add)
    }

    #[inline(always)]
    fn shl(self, n: u32) -> Self {
        self.both(self, |a, _| a << n)
    }

    #[inline(always)]
    fn shr(self, n: u32) -> Self {
        self.both(self, |a, _| a >> n)
    }

    #[inline(always)]
    fn rotate_left(self, n: u32) -> Self {
        self.both(self, |a, _| a.rotate_left(n))
    }

    #[inline(always)]
    fn below(self, bound: Self) -> Self {
        self.both(bound, |a, b| u64::from(a < b).wrapping_neg())
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.0[0] | self.0[1] == 0
    }
}

impl Simd for Portable {
    type Word = Pair;
    type Float = Numbers<4>;

    const PARTS: usize = WORDS / 2;

    #[inline(always)]
    fn mask(self, bits: u32) -> NumberMask<4> {
        NumberMask::of(bits)
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> Numbers<4> {
        Numbers([value; 4])
    }

    #[inline(always)]
    fn load_floats(self, floats: &Floats, part: usize) -> Numbers<4> {
        Numbers(floats.0.as_chunks().0[part])
    }

    #[inline(always)]
    fn store_floats(self, floats: &mut Floats, part: usize, float: Numbers<4>) {
        floats.0.as_chunks_mut().0[part] = float.0;
    }

    #[inline(always)]
    fn whole_numbers(self, word: Pair) -> Numbers<4> {
        let [low, high] = word.0.map(|word| [word as u32, (word >> 32) as u32]);
        Numbers([low[0], low[1], high[0], high[1]].map(|half| (half >> 1) as i32 as f32))
    }

    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, value: u64) -> Pair {
        Pair([value; 2])
    }

    #[inline(always)]
    fn load(self, block: &Block, part: usize) -> Pair {
        Pair(block.0.as_chunks().0[part])
    }

    #[inline(always)]
    fn store(self, block: &mut Block, part: usize, word: Pair) {
        block.0.as_chunks_mut().0[part] = word.0;
    }

    #[inline(always)]
    fn load_at(self, words: &[u64], at: usize, part: usize) -> Pair {
        Pair([words[at + 2 * part], words[at + 2 * part + 1]])
    }

    #[inline(always)]
    fn preceding(self, before: &Block, block: &Block, part: usize) -> Pair {
        let first = if part == 0 { before.0[WORDS - 1] } else { block.0[2 * part - 1] };
        Pair([first, block.0[2 * part]])
    }

    #[inline(always)]
    fn following(self, block: &Block, after: &Block, part: usize) -> Pair {
        let last = if part == WORDS / 2 - 1 { after.0[0] } else { block.0[2 * part + 2] };
        Pair([block.0[2 * part + 1], last])
    }

    #[inline(always)]
    fn gather(self, blocks: &[Block], index: &[u32; WORDS], part: usize) -> Pair {
        Pair([Block::word(blocks, index[2 * part]), Block::word(blocks, index[2 * part + 1])])
    }
}
