//! Strings of spins that can be read at any distance.

use super::super::simd::{Block, Simd, WORDS, Word};
use super::bonds::Lattice;
use super::geometry::Geometry;

/// A copy of the string of one colour, with its end in front and its beginning behind: the neighbours of all sites are
/// at the same few distances.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Published {
    words: Vec<u64>,
    /// Words in front.
    front: usize,
}

impl Published {
    /// Room for the string of a colour; none for a plain lattice, which does without.
    pub(super) fn new(lattice: &Lattice) -> Self {
        let geometry = lattice.geometry;
        if lattice.is_plain() {
            return Self { words: Vec::new(), front: 0 };
        }
        let front = margin(geometry).div_ceil(64);
        // One more word at the end is read and shifted out.
        Self { words: vec![0; 2 * front + WORDS * geometry.blocks() + 1], front }
    }

    /// Copies the string.
    pub(super) fn update(&mut self, lattice: &Lattice, string: &[Block]) {
        let geometry = lattice.geometry;
        if lattice.is_plain() {
            return;
        }
        for (words, block) in self.words[self.front..].chunks_exact_mut(WORDS).zip(string) {
            words.copy_from_slice(&block.0);
        }
        let (n, margin) = (geometry.bits(), margin(geometry));
        // Shorter strings have no bonds around the ends.
        if margin <= n {
            let start = 64 * self.front;
            copy_bits(&mut self.words, start + n - margin, start - margin, margin);
            copy_bits(&mut self.words, start, start + n, margin);
        }
    }

    /// The bits `distance` places after those of a block.
    #[inline(always)]
    pub(super) fn load<S: Simd>(&self, simd: S, block: usize, distance: isize, part: usize) -> S::Word {
        let bit = (64 * (self.front + WORDS * block)).wrapping_add_signed(distance);
        let (word, shift) = (bit / 64, (bit % 64) as u32);
        let low = simd.load_at(&self.words, word, part);
        if shift == 0 {
            return low;
        }
        low.shr(shift) | simd.load_at(&self.words, word + 1, part).shl(64 - shift)
    }
}

/// Largest distance of a neighbour.
fn margin(geometry: Geometry) -> usize {
    geometry.pitch()
}

/// Copies `n` bits within `words`, in pieces of up to 64; the ranges do not overlap.
fn copy_bits(words: &mut [u64], mut from: usize, mut to: usize, mut n: usize) {
    while n > 0 {
        let count = n.min(64 - to % 64);
        let mut bits = words[from / 64] >> (from % 64);
        if !from.is_multiple_of(64) && 64 - from % 64 < count {
            bits |= words[from / 64 + 1] << (64 - from % 64);
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
        for (from, to, n) in [(0, 200, 64), (3, 197, 130), (70, 256, 1), (5, 192, 60), (190, 0, 129), (64, 320, 0)] {
            let mut words = [0; 6];
            for k in 0..384 {
                words[k / 64] |= u64::from(pattern(k)) << (k % 64);
            }
            copy_bits(&mut words, from, to, n);
            for k in 0..384 {
                let expected = if (to..to + n).contains(&k) { pattern(from + k - to) } else { pattern(k) };
                assert_eq!(words[k / 64] >> (k % 64) & 1 == 1, expected, "bit {k} of {from} -> {to}, {n} bits");
            }
        }
    }
}
