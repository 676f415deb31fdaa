//! Vectors over GF(2), packed 64 bits a word.

use super::slice::{BitSlice, Ones, check_index, check_len};
use crate::error::{Error, Result};
use rand::Rng;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Mask of the bits of the last word that belong to a vector of `len` bits; all ones when the word is full.
pub(super) fn tail_mask(len: usize) -> u64 {
    match len % 64 {
        0 => u64::MAX,
        used => (1 << used) - 1,
    }
}

/// A vector over GF(2).
///
/// Bit `i` is bit `i % 64` of word `i / 64`; the bits of the last word beyond the length are always zero, so that
/// equality, hashing and [`weight`](Self::weight) work on whole words. The order is that of the text form: the first
/// bit that differs decides, and a prefix comes before its extensions.
///
/// ```
/// use linalg_core::gf2::BitVec;
///
/// let mut a: BitVec = "1100".parse()?;
/// let b: BitVec = "1010".parse()?;
/// assert!(a.dot(&b)); // one common 1
/// a.xor_assign(&b);
/// assert_eq!(a.to_string(), "0110");
/// assert_eq!(a.iter_ones().collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct BitVec {
    len: usize,
    words: Vec<u64>,
}

/// What a serialised vector may hold before it is checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    len: usize,
    words: Vec<u64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for BitVec {
    type Error = String;

    fn try_from(raw: Unchecked) -> std::result::Result<Self, String> {
        if raw.words.len() != raw.len.div_ceil(64) {
            return Err(format!("{} bits in {} words", raw.len, raw.words.len()));
        }
        Self::from_words(raw.words, raw.len).map_err(|e| e.to_string())
    }
}

impl BitVec {
    /// The vector of length 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The zero vector of `len` bits.
    pub fn zeros(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// The vector of `len` bits with ones at the given positions.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] for a position beyond the end, [`Error::Duplicate`] for one named twice.
    ///
    /// ```
    /// use linalg_core::gf2::BitVec;
    ///
    /// assert_eq!(BitVec::from_ones(5, [3, 0])?.to_string(), "10010");
    /// assert!(BitVec::from_ones(5, [5]).is_err());
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn from_ones(len: usize, ones: impl IntoIterator<Item = usize>) -> Result<Self> {
        let mut v = Self::zeros(len);
        for index in ones {
            if index >= len {
                return Err(Error::IndexOutOfBounds { what: "position of a one", index, bound: len });
            }
            if v.get(index) {
                return Err(Error::Duplicate { what: "position of a one", index });
            }
            v.set(index, true);
        }
        Ok(v)
    }

    /// The vector with these bits; [`collect`](Iterator::collect) does the same for an iterator.
    pub fn from_bools(bits: &[bool]) -> Self {
        bits.iter().copied().collect()
    }

    /// The vector of `len` bits held in packed words, least significant bit first.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] if a bit beyond `len` is set.
    ///
    /// # Panics
    /// If there are not `len.div_ceil(64)` words.
    ///
    /// ```
    /// use linalg_core::gf2::BitVec;
    ///
    /// assert_eq!(BitVec::from_words(vec![0b0110], 4)?.to_string(), "0110");
    /// assert!(BitVec::from_words(vec![0b10110], 4).is_err());
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn from_words(words: Vec<u64>, len: usize) -> Result<Self> {
        assert!(words.len() == len.div_ceil(64), "{} words for {len} bits, expected {}", words.len(), len.div_ceil(64));
        if let Some(last) = words.last() {
            let beyond = last & !tail_mask(len);
            if beyond != 0 {
                return Err(Error::IndexOutOfBounds {
                    what: "set bit",
                    index: 64 * (words.len() - 1) + beyond.trailing_zeros() as usize,
                    bound: len,
                });
            }
        }
        Ok(Self { words, len })
    }

    /// Independent fair bits.
    pub fn random<R: Rng + ?Sized>(len: usize, rng: &mut R) -> Self {
        let mut v = Self::zeros(len);
        for word in &mut v.words {
            *word = rng.next_u64();
        }
        v.clear_tail();
        v
    }

    /// The caller keeps the invariant: `len.div_ceil(64)` words, zero beyond `len`.
    pub(super) fn from_parts(words: Vec<u64>, len: usize) -> Self {
        Self { len, words }
    }

    fn clear_tail(&mut self) {
        if let Some(last) = self.words.last_mut() {
            *last &= tail_mask(self.len);
        }
    }

    /// The same vector, borrowed.
    pub fn as_slice(&self) -> BitSlice<'_> {
        BitSlice::new(&self.words, self.len)
    }

    /// Number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The packed words, least significant bit first, zero beyond the length.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Bit `i`.
    ///
    /// # Panics
    /// If `i >= len`.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.as_slice().get(i)
    }

    /// Makes bit `i` equal to `value`.
    ///
    /// # Panics
    /// If `i >= len`.
    #[inline]
    pub fn set(&mut self, i: usize, value: bool) {
        check_index(i, self.len);
        let word = &mut self.words[i / 64];
        *word = *word & !(1 << (i % 64)) | u64::from(value) << (i % 64);
    }

    /// Adds 1 to bit `i`.
    ///
    /// # Panics
    /// If `i >= len`.
    #[inline]
    pub fn flip(&mut self, i: usize) {
        check_index(i, self.len);
        self.words[i / 64] ^= 1 << (i % 64);
    }

    /// Makes all bits zero.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Appends a bit.
    pub fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        self.len += 1;
        if bit {
            self.flip(self.len - 1);
        }
    }

    /// Adds `other`, bit by bit.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn xor_assign<'b>(&mut self, other: impl Into<BitSlice<'b>>) {
        let other = other.into();
        check_len(self.len, other.len());
        xor_words(&mut self.words, other.words());
    }

    /// Keeps the ones that `other` has too.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn and_assign<'b>(&mut self, other: impl Into<BitSlice<'b>>) {
        let other = other.into();
        check_len(self.len, other.len());
        for (a, b) in self.words.iter_mut().zip(other.words()) {
            *a &= b;
        }
    }

    /// The common ones of the two vectors.
    ///
    /// # Panics
    /// If the lengths differ.
    #[must_use]
    pub fn and<'b>(&self, other: impl Into<BitSlice<'b>>) -> Self {
        let mut out = self.clone();
        out.and_assign(other);
        out
    }

    /// The inner product $`\sum_i a_i b_i`$ over GF(2): the parity of the common ones.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot<'b>(&self, other: impl Into<BitSlice<'b>>) -> bool {
        self.as_slice().dot(other)
    }

    /// Number of ones.
    pub fn weight(&self) -> usize {
        self.as_slice().weight()
    }

    /// Whether all bits are zero.
    pub fn is_zero(&self) -> bool {
        self.as_slice().is_zero()
    }

    /// Position of the first one, `None` if all bits are zero.
    pub fn first_one(&self) -> Option<usize> {
        self.as_slice().first_one()
    }

    /// Positions of the ones, ascending.
    pub fn iter_ones(&self) -> Ones<'_> {
        self.as_slice().iter_ones()
    }

    /// All bits in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        self.as_slice().iter()
    }
}

impl FromIterator<bool> for BitVec {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut v = Self::new();
        for bit in bits {
            v.push(bit);
        }
        v
    }
}

impl PartialOrd for BitVec {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BitVec {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(&other.as_slice())
    }
}

impl FromStr for BitVec {
    type Err = Error;

    /// Reads the text form, such as `0110`.
    fn from_str(text: &str) -> Result<Self> {
        text.chars()
            .enumerate()
            .map(|(position, found)| match found {
                '0' => Ok(false),
                '1' => Ok(true),
                _ => Err(Error::NotABit { position, found }),
            })
            .collect()
    }
}

impl fmt::Display for BitVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl fmt::Debug for BitVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BitVec({self})")
    }
}

/// `target ^= source`, of equal length.
#[inline]
pub(super) fn xor_words(target: &mut [u64], source: &[u64]) {
    for (a, b) in target.iter_mut().zip(source) {
        *a ^= b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_across_word_boundaries() {
        let mut v = BitVec::zeros(130);
        for i in [0, 63, 64, 127, 128, 129] {
            v.set(i, true);
        }
        assert_eq!(v.iter_ones().collect::<Vec<_>>(), [0, 63, 64, 127, 128, 129]);
        assert_eq!(v.words(), [1 | 1 << 63, 1 | 1 << 63, 0b11]);
        assert_eq!(v.first_one(), Some(0));
        v.flip(0);
        v.set(63, false);
        assert_eq!(v.first_one(), Some(64));
        assert_eq!(v.weight(), 4);
        v.clear();
        assert!(v.is_zero());
        assert_eq!(v.first_one(), None);
        assert_eq!(v.len(), 130);
    }

    #[test]
    fn the_empty_vector() {
        let v = BitVec::new();
        assert!(v.is_empty() && v.is_zero() && !v.dot(&v));
        assert_eq!(v.iter_ones().next(), None);
        assert_eq!(v.to_string(), "");
        assert_eq!(BitVec::from_words(Vec::new(), 0), Ok(v.clone()));
        assert_eq!("".parse(), Ok(v));
    }

    #[test]
    fn order_is_that_of_the_text() {
        let mut all = vec![String::new()];
        for len in 1..=5 {
            for k in 0..1 << len {
                all.push(format!("{k:0len$b}"));
            }
        }
        // Words beyond the first, and a length that ends at a word.
        let long: String = (0..64).map(|i| if i % 3 == 0 { '1' } else { '0' }).collect();
        for tail in ["", "0", "1", "01", "0000"] {
            all.push(format!("{long}{tail}"));
        }
        for a in &all {
            for b in &all {
                let (x, y): (BitVec, BitVec) = (a.parse().unwrap(), b.parse().unwrap());
                assert_eq!(x.cmp(&y), a.cmp(b), "{a} {b}");
                assert_eq!(x == y, a == b);
            }
        }
    }

    #[test]
    fn bad_input_is_named() {
        assert_eq!(
            BitVec::from_words(vec![0, 1 << 7], 70),
            Err(Error::IndexOutOfBounds { what: "set bit", index: 71, bound: 70 })
        );
        assert_eq!(BitVec::from_ones(4, [1, 1]), Err(Error::Duplicate { what: "position of a one", index: 1 }));
        assert_eq!("01x0".parse::<BitVec>(), Err(Error::NotABit { position: 2, found: 'x' }));
    }

    #[test]
    #[should_panic(expected = "vectors of 3 and 4 bits")]
    fn lengths_must_agree() {
        BitVec::zeros(3).xor_assign(&BitVec::zeros(4));
    }

    #[test]
    #[should_panic(expected = "bit 3 of a vector of 3 bits")]
    fn bits_beyond_the_end_panic() {
        BitVec::zeros(3).flip(3);
    }

    #[test]
    fn display_pads() {
        let v: BitVec = "101".parse().unwrap();
        assert_eq!(format!("{v:>5}|"), "  101|");
        assert_eq!(format!("{v:?}"), "BitVec(101)");
    }
}
