//! Borrowed vectors over GF(2).

use super::bitvec::BitVec;
use std::cmp::Ordering;
use std::fmt;

/// A borrowed vector over GF(2): a [`BitVec`] or a row of a [`BitMatrix`](super::BitMatrix).
///
/// Bit `i` is bit `i % 64` of word `i / 64`; the bits of the last word beyond the length are zero.
///
/// ```
/// use linalg_core::gf2::BitMatrix;
///
/// let identity = BitMatrix::identity(3);
/// let row = identity.row(1);
/// assert!(row.get(1) && !row.get(0));
/// assert_eq!(row.weight(), 1);
/// assert_eq!(row.to_string(), "010");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BitSlice<'a> {
    words: &'a [u64],
    len: usize,
}

impl<'a> BitSlice<'a> {
    /// The caller keeps the invariant: `len.div_ceil(64)` words, zero beyond `len`.
    pub(super) fn new(words: &'a [u64], len: usize) -> Self {
        debug_assert_eq!(words.len(), len.div_ceil(64));
        Self { words, len }
    }

    /// Number of bits.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are no bits at all.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The packed words, least significant bit first, zero beyond the length.
    pub fn words(self) -> &'a [u64] {
        self.words
    }

    /// Bit `i`.
    ///
    /// # Panics
    /// If `i >= len`.
    #[inline]
    pub fn get(self, i: usize) -> bool {
        check_index(i, self.len);
        self.words[i / 64] >> (i % 64) & 1 == 1
    }

    /// Number of ones.
    pub fn weight(self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether all bits are zero.
    pub fn is_zero(self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// The inner product $`\sum_i a_i b_i`$ over GF(2): the parity of the common ones.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot<'b>(self, other: impl Into<BitSlice<'b>>) -> bool {
        let other = other.into();
        check_len(self.len, other.len);
        let common = self.words.iter().zip(other.words).fold(0, |sum, (a, b)| sum ^ (a & b));
        common.count_ones() % 2 == 1
    }

    /// Position of the first one, `None` if all bits are zero.
    pub fn first_one(self) -> Option<usize> {
        let k = self.words.iter().position(|&w| w != 0)?;
        Some(64 * k + self.words[k].trailing_zeros() as usize)
    }

    /// Positions of the ones, ascending.
    pub fn iter_ones(self) -> Ones<'a> {
        Ones { words: self.words, current: self.words.first().copied().unwrap_or(0), word: 0 }
    }

    /// All bits in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = bool> + 'a {
        let words = self.words;
        (0..self.len).map(move |i| words[i / 64] >> (i % 64) & 1 == 1)
    }

    /// An owned copy.
    pub fn to_bitvec(self) -> BitVec {
        BitVec::from_parts(self.words.to_vec(), self.len)
    }
}

impl PartialOrd for BitSlice<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BitSlice<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        for (a, b) in self.words.iter().zip(other.words) {
            if a != b {
                let first = (a ^ b).trailing_zeros();
                // A zero beyond the end of the shorter vector also counts as smaller: it is then a prefix.
                return (a >> first & 1).cmp(&(b >> first & 1));
            }
        }
        self.len.cmp(&other.len)
    }
}

impl fmt::Display for BitSlice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.iter().map(|bit| if bit { '1' } else { '0' }).collect();
        f.pad(&text)
    }
}

impl fmt::Debug for BitSlice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BitSlice({self})")
    }
}

impl<'a> From<&'a BitVec> for BitSlice<'a> {
    fn from(v: &'a BitVec) -> Self {
        v.as_slice()
    }
}

/// Positions of the ones of a vector, ascending; made by [`BitVec::iter_ones`].
#[derive(Debug, Clone)]
pub struct Ones<'a> {
    words: &'a [u64],
    current: u64,
    word: usize,
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.current == 0 {
            self.word += 1;
            self.current = *self.words.get(self.word)?;
        }
        let bit = self.current.trailing_zeros() as usize;
        self.current &= self.current - 1;
        Some(64 * self.word + bit)
    }
}

#[inline]
pub(super) fn check_index(i: usize, len: usize) {
    assert!(i < len, "bit {i} of a vector of {len} bits");
}

pub(super) fn check_len(a: usize, b: usize) {
    assert!(a == b, "vectors of {a} and {b} bits");
}
