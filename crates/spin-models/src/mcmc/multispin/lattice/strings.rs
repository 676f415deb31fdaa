//! Strings of spins that can be read at any distance.

use std::ops::Range;

use super::super::simd::{BITS, Block, Simd, WORDS, Word};
use super::geometry::Geometry;

/// A copy of some blocks of the string of one colour, with what comes before and after them: the neighbours of all
/// sites are at the same few distances.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Published {
    words: Vec<u64>,
    /// Words in front.
    front: usize,
    /// Bits before and after.
    margin: usize,
    /// The first block.
    first: usize,
    /// Bits of the blocks.
    bits: usize,
    /// Bits at the end of the blocks before that stand for no site.
    unused: usize,
}

impl Published {
    /// Room for some blocks of a colour and for what is read around them.
    pub(super) fn new(geometry: Geometry, blocks: Range<usize>) -> Self {
        let margin = geometry.margin();
        let front = margin.div_ceil(64);
        let n = geometry.bits();
        let bits = n.min(BITS * blocks.end) - BITS * blocks.start;
        // Before the first block comes the end of the string.
        let unused = if blocks.start == 0 { BITS * geometry.blocks() - n } else { 0 };
        // One more word at the end is read and shifted out.
        let words = vec![0; 2 * front + WORDS * blocks.len() + 1];
        Self { words, front, margin, first: blocks.start, bits, unused }
    }

    /// Copies the blocks.
    pub(super) fn copy(&mut self, own: &[Block]) {
        for (words, block) in self.words[self.front..].chunks_exact_mut(WORDS).zip(own) {
            words.copy_from_slice(&block.0);
        }
    }

    /// Copies what is read of the blocks before and of those after.
    pub(super) fn surround(&mut self, before: &[Block], after: &[Block]) {
        let start = 64 * self.front;
        let end = BITS * before.len() - self.unused;
        // Shorter strings have no bonds around the ends.
        if self.margin <= end {
            copy_bits(&mut self.words, start - self.margin, before, end - self.margin, self.margin);
            copy_bits(&mut self.words, start + self.bits, after, 0, self.margin);
        }
    }

    /// The bits `distance` places after those of a block of the lattice.
    #[inline(always)]
    pub(super) fn load<S: Simd>(&self, simd: S, block: usize, distance: isize, part: usize) -> S::Word {
        let bit = (64 * (self.front + WORDS * (block - self.first))).wrapping_add_signed(distance);
        let (word, shift) = (bit / 64, (bit % 64) as u32);
        let low = simd.load_at(&self.words, word, part);
        if shift == 0 {
            return low;
        }
        low.shr(shift) | simd.load_at(&self.words, word + 1, part).shl(64 - shift)
    }
}

/// Copies `n` bits in pieces of up to 64.
fn copy_bits(words: &mut [u64], mut to: usize, blocks: &[Block], mut from: usize, mut n: usize) {
    let source = |k: usize| blocks[k / WORDS].0[k % WORDS];
    while n > 0 {
        let count = n.min(64 - to % 64);
        let mut bits = source(from / 64) >> (from % 64);
        if !from.is_multiple_of(64) && 64 - from % 64 < count {
            bits |= source(from / 64 + 1) << (64 - from % 64);
        }
        let mask = if count == 64 { !0 } else { ((1 << count) - 1) << (to % 64) };
        let word = &mut words[to / 64];
        *word = (*word & !mask) | (bits << (to % 64) & mask);
        (from, to, n) = (from + count, to + count, n - count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_copied_one_by_one() {
        let pattern = |k: usize| (k * k + k / 3) % 5 < 2;
        let other = |k: usize| (k * k + k / 2) % 7 < 3;
        for (from, to, n) in [(0, 200, 64), (3, 197, 130), (70, 256, 1), (5, 192, 60), (190, 0, 129), (896, 320, 0)] {
            let mut blocks = [Block::ZERO; 2];
            (0..1024).for_each(|k| blocks[k / BITS].set_bit(k % BITS, pattern(k)));
            let mut words = [0; 6];
            (0..384).for_each(|k| words[k / 64] |= u64::from(other(k)) << (k % 64));
            copy_bits(&mut words, to, &blocks, from, n);
            for k in 0..384 {
                let expected = if (to..to + n).contains(&k) { pattern(from + k - to) } else { other(k) };
                assert_eq!(words[k / 64] >> (k % 64) & 1 == 1, expected, "bit {k} of {from} -> {to}, {n} bits");
            }
        }
    }
}
