//! 64-bit integers: the reference for every other instruction set.

use std::ops::{BitAnd, BitOr};

use super::{Block, Float, Floats, Kernel, Mask, Simd, WORDS, Word};

/// Plain 64-bit arithmetic.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Portable;

impl Word for u64 {
    #[inline(always)]
    fn and_not(self, mask: Self) -> Self {
        self & !mask
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn shl(self, n: u32) -> Self {
        self << n
    }

    #[inline(always)]
    fn shr(self, n: u32) -> Self {
        self >> n
    }

    #[inline(always)]
    fn rotate_left(self, n: u32) -> Self {
        u64::rotate_left(self, n)
    }

    #[inline(always)]
    fn below(self, bound: Self) -> Self {
        u64::from(self < bound).wrapping_neg()
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0
    }
}

/// Two numbers.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Float2([f32; 2]);

/// A bit for each.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Mask2([bool; 2]);

impl BitAnd for Mask2 {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }
}

impl BitOr for Mask2 {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }
}

impl Mask for Mask2 {
    #[inline(always)]
    fn bits(self) -> u32 {
        u32::from(self.0[0]) | u32::from(self.0[1]) << 1
    }
}

impl Float2 {
    #[inline(always)]
    fn both(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self([f(self.0[0], other.0[0]), f(self.0[1], other.0[1])])
    }
}

impl Float for Float2 {
    type Mask = Mask2;

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
        Self(self.0.map(f32::abs))
    }

    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.both(other, f32::copysign)
    }

    #[inline(always)]
    fn below(self, other: Self) -> Mask2 {
        Mask2([self.0[0] < other.0[0], self.0[1] < other.0[1]])
    }

    #[inline(always)]
    fn negate_where(self, mask: Mask2) -> Self {
        let sign = |k: usize| u32::from(mask.0[k]) << 31;
        Self([f32::from_bits(self.0[0].to_bits() ^ sign(0)), f32::from_bits(self.0[1].to_bits() ^ sign(1))])
    }

    #[inline(always)]
    fn lower_exponent(self, shift: Self) -> Self {
        self.both(shift, |a, b| f32::from_bits(a.to_bits().wrapping_sub(b.to_bits() << 23)))
    }
}

impl Simd for Portable {
    type Word = u64;
    type Float = Float2;

    const PARTS: usize = WORDS;

    #[inline(always)]
    fn mask(self, bits: u32) -> Mask2 {
        Mask2([bits & 1 == 1, bits >> 1 & 1 == 1])
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> Float2 {
        Float2([value; 2])
    }

    #[inline(always)]
    fn load_floats(self, floats: &Floats, part: usize) -> Float2 {
        Float2([floats.0[2 * part], floats.0[2 * part + 1]])
    }

    #[inline(always)]
    fn store_floats(self, floats: &mut Floats, part: usize, float: Float2) {
        floats.0[2 * part..2 * part + 2].copy_from_slice(&float.0);
    }

    #[inline(always)]
    fn whole_numbers(self, word: u64) -> Float2 {
        Float2([(word as u32 >> 1) as i32 as f32, (word >> 33) as i32 as f32])
    }

    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, value: u64) -> u64 {
        value
    }

    #[inline(always)]
    fn load(self, block: &Block, part: usize) -> u64 {
        block.0[part]
    }

    #[inline(always)]
    fn store(self, block: &mut Block, part: usize, word: u64) {
        block.0[part] = word;
    }

    #[inline(always)]
    fn load_at(self, words: &[u64], at: usize, part: usize) -> u64 {
        words[at + part]
    }

    #[inline(always)]
    fn preceding(self, before: &Block, block: &Block, part: usize) -> u64 {
        if part == 0 { before.0[WORDS - 1] } else { block.0[part - 1] }
    }

    #[inline(always)]
    fn following(self, block: &Block, after: &Block, part: usize) -> u64 {
        if part == WORDS - 1 { after.0[0] } else { block.0[part + 1] }
    }

    #[inline(always)]
    fn gather(self, blocks: &[Block], index: &[u32; WORDS], part: usize) -> u64 {
        Block::word(blocks, index[part])
    }
}
