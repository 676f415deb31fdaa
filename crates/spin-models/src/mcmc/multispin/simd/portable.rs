//! 64-bit integers: the reference for every other instruction set.

use super::{Block, Kernel, Simd, WORDS, Word};

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

impl Simd for Portable {
    type Word = u64;

    const PARTS: usize = WORDS;

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
