//! Dense matrices over GF(2), packed 64 bits a word by rows.

use super::bitvec::{BitVec, tail_mask, xor_words};
use super::four_russians;
use super::slice::BitSlice;
use super::transpose;
use crate::error::{Error, Result};
use rand::Rng;
use std::fmt;
use std::ops::Range;

/// A dense matrix over GF(2).
///
/// Row `i` is `n_cols.div_ceil(64)` consecutive words; the bits of its last word beyond `n_cols` are always zero.
/// Costs are given in operations on 64-bit words for an n x n matrix unless said otherwise.
///
/// ```
/// use linalg_core::gf2::BitMatrix;
///
/// let a = BitMatrix::from_text("110\n011\n101")?;
/// assert_eq!(a.rank(), 2); // the rows add up to zero
/// assert_eq!(a.nullspace(), BitMatrix::from_text("111")?);
/// assert_eq!(a.mul(&a), BitMatrix::from_text("101\n110\n011")?);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct BitMatrix {
    n_rows: usize,
    n_cols: usize,
    words: Vec<u64>,
}

/// What a serialised matrix may hold before it is checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n_rows: usize,
    n_cols: usize,
    words: Vec<u64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for BitMatrix {
    type Error = String;

    fn try_from(raw: Unchecked) -> std::result::Result<Self, String> {
        let Unchecked { n_rows, n_cols, words } = raw;
        let stride = n_cols.div_ceil(64);
        if n_rows.checked_mul(stride) != Some(words.len()) {
            return Err(format!("a {n_rows} x {n_cols} matrix in {} words", words.len()));
        }
        let matrix = Self { n_rows, n_cols, words };
        if stride > 0 {
            let beyond = |i: &usize| matrix.words[(i + 1) * stride - 1] & !tail_mask(n_cols) != 0;
            if let Some(i) = (0..n_rows).find(beyond) {
                return Err(format!("row {i} has a one beyond column {n_cols}"));
            }
        }
        Ok(matrix)
    }
}

impl BitMatrix {
    /// The zero matrix.
    ///
    /// # Panics
    /// If the matrix does not fit into memory.
    pub fn zeros(n_rows: usize, n_cols: usize) -> Self {
        let n_words = n_rows.checked_mul(n_cols.div_ceil(64));
        let n_words = n_words.unwrap_or_else(|| panic!("a {n_rows} x {n_cols} matrix does not fit into memory"));
        Self { n_rows, n_cols, words: vec![0; n_words] }
    }

    /// The n x n unit matrix.
    pub fn identity(n: usize) -> Self {
        let mut out = Self::zeros(n, n);
        for i in 0..n {
            out.flip(i, i);
        }
        out
    }

    /// The matrix with these rows; `n_cols` counts when there are none.
    ///
    /// # Panics
    /// If a row does not have `n_cols` bits.
    ///
    /// ```
    /// use linalg_core::gf2::{BitMatrix, BitVec};
    ///
    /// let rows: [BitVec; 2] = ["101".parse()?, "010".parse()?];
    /// let a = BitMatrix::from_rows(3, &rows);
    /// assert_eq!((a.n_rows(), a.n_cols()), (2, 3));
    /// assert_eq!(a.row(1).to_bitvec(), rows[1]);
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn from_rows(n_cols: usize, rows: &[BitVec]) -> Self {
        let mut words = Vec::with_capacity(rows.len() * n_cols.div_ceil(64));
        for (i, row) in rows.iter().enumerate() {
            assert!(row.len() == n_cols, "row {i} has {} bits, expected {n_cols}", row.len());
            words.extend_from_slice(row.words());
        }
        Self { n_rows: rows.len(), n_cols, words }
    }

    /// The matrix with ones at the given (row, column) positions.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] for a row or column beyond the end, [`Error::DuplicateEntry`] for a position named
    /// twice.
    pub fn from_ones(n_rows: usize, n_cols: usize, ones: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        let mut out = Self::zeros(n_rows, n_cols);
        for (row, column) in ones {
            for (what, index, bound) in [("row", row, n_rows), ("column", column, n_cols)] {
                if index >= bound {
                    return Err(Error::IndexOutOfBounds { what, index, bound });
                }
            }
            if out.get(row, column) {
                return Err(Error::DuplicateEntry { column, row });
            }
            out.flip(row, column);
        }
        Ok(out)
    }

    /// Reads the form that [`Display`](fmt::Display) writes: one row of 0 and 1 a line.
    ///
    /// # Errors
    /// [`Error::NotABit`] for another character, with its position in its line; [`Error::RaggedRow`] if a row is not
    /// as long as the first.
    pub fn from_text(text: &str) -> Result<Self> {
        let rows = text.lines().map(str::parse).collect::<Result<Vec<BitVec>>>()?;
        let n_cols = rows.first().map_or(0, BitVec::len);
        if let Some(row) = rows.iter().position(|r| r.len() != n_cols) {
            return Err(Error::RaggedRow { row, got: rows[row].len(), expected: n_cols });
        }
        Ok(Self::from_rows(n_cols, &rows))
    }

    /// Independent fair bits.
    pub fn random<R: Rng + ?Sized>(n_rows: usize, n_cols: usize, rng: &mut R) -> Self {
        let mut out = Self::zeros(n_rows, n_cols);
        let stride = out.stride();
        for row in out.words.chunks_exact_mut(stride.max(1)) {
            for word in &mut *row {
                *word = rng.next_u64();
            }
            row[stride - 1] &= tail_mask(n_cols);
        }
        out
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Words a row.
    pub(super) fn stride(&self) -> usize {
        self.n_cols.div_ceil(64)
    }

    pub(super) fn all_words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn all_words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// The entry in row `i`, column `j`.
    ///
    /// # Panics
    /// If `i >= n_rows` or `j >= n_cols`.
    #[inline]
    pub fn get(&self, i: usize, j: usize) -> bool {
        self.check_entry(i, j);
        self.words[i * self.stride() + j / 64] >> (j % 64) & 1 == 1
    }

    /// Makes the entry in row `i`, column `j` equal to `value`.
    ///
    /// # Panics
    /// If `i >= n_rows` or `j >= n_cols`.
    #[inline]
    pub fn set(&mut self, i: usize, j: usize, value: bool) {
        if self.get(i, j) != value {
            self.flip(i, j);
        }
    }

    /// Adds 1 to the entry in row `i`, column `j`.
    ///
    /// # Panics
    /// If `i >= n_rows` or `j >= n_cols`.
    #[inline]
    pub fn flip(&mut self, i: usize, j: usize) {
        self.check_entry(i, j);
        let stride = self.stride();
        self.words[i * stride + j / 64] ^= 1 << (j % 64);
    }

    #[inline]
    fn check_entry(&self, i: usize, j: usize) {
        assert!(i < self.n_rows && j < self.n_cols, "entry ({i}, {j}) of a {} x {} matrix", self.n_rows, self.n_cols);
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If `i >= n_rows`.
    pub fn row(&self, i: usize) -> BitSlice<'_> {
        assert!(i < self.n_rows, "row {i} of a matrix with {} rows", self.n_rows);
        let stride = self.stride();
        BitSlice::new(&self.words[i * stride..][..stride], self.n_cols)
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = BitSlice<'_>> {
        (0..self.n_rows).map(|i| self.row(i))
    }

    /// Column `j`, gathered bit by bit; see [`transpose`](Self::transpose) for many of them.
    ///
    /// # Panics
    /// If `j >= n_cols`.
    pub fn column(&self, j: usize) -> BitVec {
        assert!(j < self.n_cols, "column {j} of a matrix with {} columns", self.n_cols);
        (0..self.n_rows).map(|i| self.get(i, j)).collect()
    }

    /// Appends a row.
    ///
    /// # Panics
    /// If the row does not have `n_cols` bits.
    pub fn push_row<'a>(&mut self, row: impl Into<BitSlice<'a>>) {
        let row = row.into();
        self.check_row(row.len());
        self.words.extend_from_slice(row.words());
        self.n_rows += 1;
    }

    /// Adds `v` to row `i`.
    ///
    /// # Panics
    /// If `i >= n_rows` or `v` does not have `n_cols` bits.
    pub fn xor_row<'a>(&mut self, i: usize, v: impl Into<BitSlice<'a>>) {
        let v = v.into();
        assert!(i < self.n_rows, "row {i} of a matrix with {} rows", self.n_rows);
        self.check_row(v.len());
        let stride = self.stride();
        xor_words(&mut self.words[i * stride..][..stride], v.words());
    }

    pub(super) fn check_row(&self, len: usize) {
        assert!(len == self.n_cols, "a vector of {len} bits as row of a matrix with {} columns", self.n_cols);
    }

    /// Exchanges two rows.
    ///
    /// # Panics
    /// If `i >= n_rows` or `j >= n_rows`.
    pub fn swap_rows(&mut self, i: usize, j: usize) {
        for k in [i, j] {
            assert!(k < self.n_rows, "row {k} of a matrix with {} rows", self.n_rows);
        }
        let stride = self.stride();
        if i != j {
            let (low, high) = self.words.split_at_mut(i.max(j) * stride);
            low[i.min(j) * stride..][..stride].swap_with_slice(&mut high[..stride]);
        }
    }

    /// Whether all entries are zero.
    pub fn is_zero(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// The transposed matrix, by blocks of 64 x 64 entries: about $`6 n^2 / 64`$ operations.
    #[must_use]
    pub fn transpose(&self) -> Self {
        transpose::transpose(self)
    }

    /// The rows of `self` above those of `below`.
    ///
    /// # Panics
    /// If the numbers of columns differ.
    #[must_use]
    pub fn stack(&self, below: &Self) -> Self {
        assert!(self.n_cols == below.n_cols, "stacking matrices with {} and {} columns", self.n_cols, below.n_cols);
        Self {
            n_rows: self.n_rows + below.n_rows,
            n_cols: self.n_cols,
            words: [&self.words[..], &below.words[..]].concat(),
        }
    }

    /// The columns of `self` left of those of `right`.
    ///
    /// # Panics
    /// If the numbers of rows differ.
    #[must_use]
    pub fn concat(&self, right: &Self) -> Self {
        assert!(self.n_rows == right.n_rows, "joining matrices with {} and {} rows", self.n_rows, right.n_rows);
        let mut out = Self::zeros(self.n_rows, self.n_cols + right.n_cols);
        let stride = out.stride();
        let (at, shift) = (self.n_cols / 64, self.n_cols % 64);
        for (i, row) in out.words.chunks_exact_mut(stride.max(1)).enumerate() {
            row[..self.stride()].copy_from_slice(self.row(i).words());
            for (k, &word) in right.row(i).words().iter().enumerate() {
                row[at + k] |= word << shift;
                if shift > 0 && at + k + 1 < stride {
                    row[at + k + 1] |= word >> (64 - shift);
                }
            }
        }
        out
    }

    /// The columns of a range, as a matrix.
    ///
    /// # Panics
    /// If the range is decreasing or ends beyond `n_cols`.
    ///
    /// ```
    /// use linalg_core::gf2::BitMatrix;
    ///
    /// let a = BitMatrix::from_text("1101\n0110")?;
    /// assert_eq!(a.columns(1..3), BitMatrix::from_text("10\n11")?);
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    #[must_use]
    pub fn columns(&self, range: Range<usize>) -> Self {
        assert!(
            range.start <= range.end && range.end <= self.n_cols,
            "columns {}..{} of a matrix with {} columns",
            range.start,
            range.end,
            self.n_cols
        );
        let mut out = Self::zeros(self.n_rows, range.len());
        let stride = out.stride();
        let (at, shift) = (range.start / 64, range.start % 64);
        for (i, row) in out.words.chunks_exact_mut(stride.max(1)).enumerate() {
            let source = self.row(i).words();
            for (k, word) in row.iter_mut().enumerate() {
                *word = source[at + k] >> shift;
                if shift > 0 && at + k + 1 < source.len() {
                    *word |= source[at + k + 1] << (64 - shift);
                }
            }
            row[stride - 1] &= tail_mask(range.len());
        }
        out
    }

    /// The product `self * right` by the method of four Russians: about $`n^3 / 512`$ operations.
    ///
    /// # Panics
    /// If `self.n_cols != right.n_rows`.
    #[must_use]
    pub fn mul(&self, right: &Self) -> Self {
        assert!(
            self.n_cols == right.n_rows,
            "product of matrices of {} x {} and {} x {}",
            self.n_rows,
            self.n_cols,
            right.n_rows,
            right.n_cols
        );
        four_russians::multiply(self, right)
    }

    /// The product with a column vector: bit i is the inner product of row i with `x`.
    ///
    /// # Panics
    /// If `x` does not have `n_cols` bits.
    #[must_use]
    pub fn mul_vec<'a>(&self, x: impl Into<BitSlice<'a>>) -> BitVec {
        let x = x.into();
        self.check_row(x.len());
        self.rows().map(|row| row.dot(x)).collect()
    }

    /// The product of a row vector with the matrix, $`x^T A`$: the sum of the rows named by the ones of `x`.
    ///
    /// # Panics
    /// If `x` does not have `n_rows` bits.
    #[must_use]
    pub fn vec_mul<'a>(&self, x: impl Into<BitSlice<'a>>) -> BitVec {
        let x = x.into();
        assert!(x.len() == self.n_rows, "a vector of {} bits times a matrix with {} rows", x.len(), self.n_rows);
        let mut out = BitVec::zeros(self.n_cols);
        for i in x.iter_ones() {
            xor_words(out.words_mut(), self.row(i).words());
        }
        out
    }
}

impl fmt::Display for BitMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, row) in self.rows().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{row}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for BitMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "BitMatrix({} x {})", self.n_rows, self.n_cols)?;
        write!(f, "{self}")
    }
}
