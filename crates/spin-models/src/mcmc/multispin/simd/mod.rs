//! Blocks of 512 bits, and the instruction sets that work on them.
//!
//! Everything random or spin-like is a [`Block`] of eight 64-bit words. A kernel is written once, over [`Simd`]: an
//! instruction set cuts a block into [`PARTS`](Simd::PARTS) registers (one of 512 bits, two of 256, four of 128) and
//! does the same to each. Nothing in a kernel depends on the cut, so all sets give the same bits.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::fmt::Debug;
use std::ops::{BitAnd, BitOr, BitXor};

use crate::{Error, Result};

use portable::Portable;

/// 64-bit words of a block.
pub(in crate::mcmc) const WORDS: usize = 8;

/// Numbers of 32 bits in the place of a block.
pub(in crate::mcmc) const FLOATS: usize = 2 * WORDS;

/// Bits of a block.
pub(in crate::mcmc) const BITS: usize = 64 * WORDS;

/// 512 bits; bit `k` is bit `k % 64` of word `k / 64`.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::mcmc) struct Block(pub(in crate::mcmc) [u64; WORDS]);

impl Block {
    pub(in crate::mcmc) const ZERO: Self = Self([0; WORDS]);
    pub(in crate::mcmc) const ONES: Self = Self([!0; WORDS]);

    /// Whether bit `k` is set.
    pub(in crate::mcmc) fn bit(&self, k: usize) -> bool {
        self.0[k / 64] >> (k % 64) & 1 == 1
    }

    /// Sets bit `k` to `value`.
    pub(in crate::mcmc) fn set_bit(&mut self, k: usize, value: bool) {
        let mask = 1 << (k % 64);
        if value { self.0[k / 64] |= mask } else { self.0[k / 64] &= !mask }
    }

    /// Word `index` of all words of `blocks`.
    #[inline(always)]
    fn word(blocks: &[Block], index: u32) -> u64 {
        blocks[index as usize / WORDS].0[index as usize % WORDS]
    }

    pub(in crate::mcmc) fn count_ones(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

/// A register full of independent bits that is also a row of 64-bit integers.
pub(in crate::mcmc) trait Word:
    Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self>
{
    /// Whether a function of three words costs no more than one of two.
    const TERNARY: bool = false;

    /// `self & !mask`.
    fn and_not(self, mask: Self) -> Self;

    /// Sums of 64-bit integers, modulo 2⁶⁴.
    fn add(self, other: Self) -> Self;

    /// Shifts every 64-bit integer up; `n < 64`.
    fn shl(self, n: u32) -> Self;

    /// Shifts every 64-bit integer down; `n < 64`.
    fn shr(self, n: u32) -> Self;

    /// Rotates every 64-bit integer up; `0 < n < 64`.
    fn rotate_left(self, n: u32) -> Self;

    /// All ones in every 64-bit integer that is below that of `bound`, both unsigned.
    fn below(self, bound: Self) -> Self;

    /// Whether no bit is set.
    fn is_zero(self) -> bool;

    /// `a` where a bit of `self` is set, else `b`.
    #[inline(always)]
    fn select(self, a: Self, b: Self) -> Self {
        b ^ (self & (a ^ b))
    }

    /// `self & !(a ^ b)`: the bits of `self` where `a` equals `b`.
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        self.and_not(a ^ b)
    }

    /// `self ^ a ^ b`.
    #[inline(always)]
    fn xor3(self, a: Self, b: Self) -> Self {
        self ^ a ^ b
    }

    /// Sum and carry of three bits.
    #[inline(always)]
    fn full_adder(self, a: Self, b: Self) -> (Self, Self) {
        let ab = a ^ b;
        (self ^ ab, (self & ab) | (a & b))
    }

    /// Sum and carry of two bits.
    #[inline(always)]
    fn half_adder(self, a: Self) -> (Self, Self) {
        (self ^ a, self & a)
    }

    /// `self | a | b`.
    #[inline(always)]
    fn or3(self, a: Self, b: Self) -> Self {
        self | a | b
    }

    /// `self | (a & b)`.
    #[inline(always)]
    fn or_and(self, a: Self, b: Self) -> Self {
        self | (a & b)
    }
}

/// 16 numbers of 32 bits; number `2k` is in the place of the lower half of word `k` of a [`Block`].
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::mcmc) struct Floats(pub(in crate::mcmc) [f32; FLOATS]);

/// A register of 32-bit floating-point numbers. Products and sums are rounded one by one, never fused.
pub(in crate::mcmc) trait Float: Copy {
    /// A bit for every number.
    type Mask: Mask;

    fn add(self, other: Self) -> Self;

    fn sub(self, other: Self) -> Self;

    fn mul(self, other: Self) -> Self;

    /// The smaller one; that of `other` if one is NaN.
    fn min(self, other: Self) -> Self;

    /// The larger one; that of `other` if one is NaN.
    fn max(self, other: Self) -> Self;

    fn abs(self) -> Self;

    /// The absolute value with the sign bit of `other`.
    fn with_sign_of(self, other: Self) -> Self;

    /// Where `self < other`; false for NaN.
    fn below(self, other: Self) -> Self::Mask;

    /// `-self` where the mask is set.
    fn negate_where(self, mask: Self::Mask) -> Self;

    /// That of `other` where the mask is not set.
    fn or_where_not(self, mask: Self::Mask, other: Self) -> Self;

    /// Subtracts the low bits of the representation of `shift` from the exponent.
    fn lower_exponent(self, shift: Self) -> Self;
}

/// Bits for the numbers of a [`Float`].
pub(in crate::mcmc) trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> {
    /// Bit `k` is that of number `k`; all others are 0.
    fn bits(self) -> u32;
}

/// An instruction set that is present on this machine: a value of an implementing type is the proof.
pub(in crate::mcmc) trait Simd: Copy {
    /// A register.
    type Word: Word;

    /// A register of as many bits in 32-bit numbers.
    type Float: Float;

    /// Registers of a block.
    const PARTS: usize;

    /// The mask whose number `k` is bit `k` of `bits`.
    fn mask(self, bits: u32) -> <Self::Float as Float>::Mask;

    /// Every number `value`.
    fn splat_float(self, value: f32) -> Self::Float;

    /// Part `part` of 16 numbers.
    fn load_floats(self, floats: &Floats, part: usize) -> Self::Float;

    /// Overwrites part `part` of 16 numbers.
    fn store_floats(self, floats: &mut Floats, part: usize, float: Self::Float);

    /// The upper 31 bits of each half of a 64-bit integer as a whole number, rounded to 24 binary digits.
    fn whole_numbers(self, word: Self::Word) -> Self::Float;

    /// Every 64-bit integer `value`.
    fn splat(self, value: u64) -> Self::Word;

    /// Part `part` of a block.
    fn load(self, block: &Block, part: usize) -> Self::Word;

    /// Overwrites part `part` of a block.
    fn store(self, block: &mut Block, part: usize, word: Self::Word);

    /// What part `part` of the block that begins at `words[at]` would be.
    ///
    /// # Panics
    /// If the part reaches beyond `words`.
    fn load_at(self, words: &[u64], at: usize, part: usize) -> Self::Word;

    /// Part `part` of `block` moved up by one 64-bit word; the last word of `before` moves in.
    fn preceding(self, before: &Block, block: &Block, part: usize) -> Self::Word;

    /// Part `part` of `block` moved down by one 64-bit word; the first word of `after` moves in.
    fn following(self, block: &Block, after: &Block, part: usize) -> Self::Word;

    /// Part `part` of a block whose word `k` is word `index[k]`, counted through all `blocks`.
    ///
    /// # Panics
    /// If an index is not below `WORDS * blocks.len()`.
    fn gather(self, blocks: &[Block], index: &[u32; WORDS], part: usize) -> Self::Word;

    /// Runs a kernel as a function of its own, compiled with these instructions.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;

    /// A word without set bits.
    #[inline(always)]
    fn zero(self) -> Self::Word {
        self.splat(0)
    }

    /// A word with all bits set.
    #[inline(always)]
    fn ones(self) -> Self::Word {
        self.splat(!0)
    }
}

/// Work that is compiled once for every instruction set.
///
/// `run` and all it calls must be `#[inline(always)]`, closures included: only then is it compiled with the instructions
/// of [`Simd::call`].
pub(in crate::mcmc) trait Kernel {
    type Output;

    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// The instructions with which packed kernels work.
///
/// All give the same spins for the same seed; they differ in speed.
///
/// ```
/// use spin_models::mcmc::multispin::InstructionSet;
///
/// let best = InstructionSet::detect();
/// assert!(best.is_available());
/// assert!(InstructionSet::Portable.is_available());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum InstructionSet {
    /// 64-bit integers, on any machine.
    Portable,
    /// 256-bit registers of x86-64.
    Avx2,
    /// 512-bit registers and logic of three operands, of x86-64.
    Avx512,
}

impl InstructionSet {
    /// All of them, the slowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The fastest set of this machine.
    pub fn detect() -> Self {
        let available = Self::ALL.into_iter().rev().find(|set| set.is_available());
        available.unwrap_or(Self::Portable)
    }

    /// Whether this machine has these instructions.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The name in output: `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    pub(in crate::mcmc) fn check(self) -> Result<Self> {
        if self.is_available() {
            return Ok(self);
        }
        Err(Error::Parameter { what: "instruction set", value: self.name().into(), expected: "one of this machine" })
    }

    /// Runs a kernel; with portable instructions where these are absent.
    pub(in crate::mcmc) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => match x86::Avx512::detect() {
                Some(simd) => simd.call(kernel),
                None => Portable.call(kernel),
            },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => match x86::Avx2::detect() {
                Some(simd) => simd.call(kernel),
                None => Portable.call(kernel),
            },
            _ => Portable.call(kernel),
        }
    }
}

#[cfg(test)]
mod tests;
