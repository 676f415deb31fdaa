//! Dense matrices over GF(2), packed 64 bits a word by rows.

use super::bitvec::{BitSlice, BitVec, tail_mask, xor_words};
use super::four_russians::{self, Form};
use super::row_reduce::{Factored, RowReduced};
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
        let Unchecked {
            n_rows,
            n_cols,
            words,
        } = raw;
        let stride = n_cols.div_ceil(64);
        if n_rows.checked_mul(stride) != Some(words.len()) {
            return Err(format!(
                "a {n_rows} x {n_cols} matrix in {} words",
                words.len()
            ));
        }
        let matrix = Self {
            n_rows,
            n_cols,
            words,
        };
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
        let n_words = n_words
            .unwrap_or_else(|| panic!("a {n_rows} x {n_cols} matrix does not fit into memory"));
        Self {
            n_rows,
            n_cols,
            words: vec![0; n_words],
        }
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
            assert!(
                row.len() == n_cols,
                "row {i} has {} bits, expected {n_cols}",
                row.len()
            );
            words.extend_from_slice(row.words());
        }
        Self {
            n_rows: rows.len(),
            n_cols,
            words,
        }
    }

    /// The matrix with ones at the given (row, column) positions.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] for a row or column beyond the end, [`Error::DuplicateEntry`] for a position named
    /// twice.
    pub fn from_ones(
        n_rows: usize,
        n_cols: usize,
        ones: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self> {
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
        let rows = text
            .lines()
            .map(str::parse)
            .collect::<Result<Vec<BitVec>>>()?;
        let n_cols = rows.first().map_or(0, BitVec::len);
        if let Some(row) = rows.iter().position(|r| r.len() != n_cols) {
            return Err(Error::RaggedRow {
                row,
                got: rows[row].len(),
                expected: n_cols,
            });
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
        assert!(
            i < self.n_rows && j < self.n_cols,
            "entry ({i}, {j}) of a {} x {} matrix",
            self.n_rows,
            self.n_cols
        );
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If `i >= n_rows`.
    pub fn row(&self, i: usize) -> BitSlice<'_> {
        assert!(
            i < self.n_rows,
            "row {i} of a matrix with {} rows",
            self.n_rows
        );
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
        assert!(
            j < self.n_cols,
            "column {j} of a matrix with {} columns",
            self.n_cols
        );
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
        assert!(
            i < self.n_rows,
            "row {i} of a matrix with {} rows",
            self.n_rows
        );
        self.check_row(v.len());
        let stride = self.stride();
        xor_words(&mut self.words[i * stride..][..stride], v.words());
    }

    fn check_row(&self, len: usize) {
        assert!(
            len == self.n_cols,
            "a vector of {len} bits as row of a matrix with {} columns",
            self.n_cols
        );
    }

    /// Exchanges two rows.
    ///
    /// # Panics
    /// If `i >= n_rows` or `j >= n_rows`.
    pub fn swap_rows(&mut self, i: usize, j: usize) {
        for k in [i, j] {
            assert!(
                k < self.n_rows,
                "row {k} of a matrix with {} rows",
                self.n_rows
            );
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
        assert!(
            self.n_cols == below.n_cols,
            "stacking matrices with {} and {} columns",
            self.n_cols,
            below.n_cols
        );
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
        assert!(
            self.n_rows == right.n_rows,
            "joining matrices with {} and {} rows",
            self.n_rows,
            right.n_rows
        );
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
        assert!(
            x.len() == self.n_rows,
            "a vector of {} bits times a matrix with {} rows",
            x.len(),
            self.n_rows
        );
        let mut out = BitVec::zeros(self.n_cols);
        for i in x.iter_ones() {
            xor_words(out.words_mut(), self.row(i).words());
        }
        out
    }

    /// The rank, by elimination with the method of four Russians: about $`n^3 / 1536`$ operations on a copy.
    pub fn rank(&self) -> usize {
        four_russians::eliminate(&mut self.clone(), self.n_cols, Form::Echelon).len()
    }

    /// The rank, one column at a time: about $`n^3 / 256`$ operations. The oracle of [`rank`](Self::rank).
    pub fn rank_naive(&self) -> usize {
        self.clone().eliminate_naive(Form::Echelon).len()
    }

    /// The reduced row echelon form, by the method of four Russians.
    ///
    /// ```
    /// use linalg_core::gf2::BitMatrix;
    ///
    /// let reduced = BitMatrix::from_text("011\n110\n101")?.row_reduce();
    /// assert_eq!(*reduced.matrix(), BitMatrix::from_text("101\n011\n000")?);
    /// assert_eq!(reduced.pivots(), [0, 1]);
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn row_reduce(&self) -> RowReduced {
        let mut matrix = self.clone();
        let pivots = four_russians::eliminate(&mut matrix, self.n_cols, Form::Reduced);
        RowReduced::new(matrix, pivots)
    }

    /// The reduced row echelon form, one column at a time: the oracle of [`row_reduce`](Self::row_reduce).
    pub fn row_reduce_naive(&self) -> RowReduced {
        let mut matrix = self.clone();
        let pivots = matrix.eliminate_naive(Form::Reduced);
        RowReduced::new(matrix, pivots)
    }

    /// The reduced row echelon form together with the row operations that lead to it, for many systems with the same
    /// matrix.
    pub fn factor(&self) -> Factored {
        let mut augmented = self.concat(&Self::identity(self.n_rows));
        let pivots = four_russians::eliminate(&mut augmented, self.n_cols, Form::Reduced);
        Factored::new(
            RowReduced::new(augmented.columns(0..self.n_cols), pivots),
            augmented.columns(self.n_cols..self.n_cols + self.n_rows),
        )
    }

    fn eliminate_naive(&mut self, form: Form) -> Vec<usize> {
        let mut pivots = Vec::new();
        for j in 0..self.n_cols {
            let rank = pivots.len();
            let Some(found) = (rank..self.n_rows).find(|&i| self.get(i, j)) else {
                continue;
            };
            self.swap_rows(rank, found);
            let pivot_row = self.row(rank).to_bitvec();
            let first = match form {
                Form::Echelon => rank + 1,
                Form::Reduced => 0,
            };
            for i in first..self.n_rows {
                if i != rank && self.get(i, j) {
                    self.xor_row(i, &pivot_row);
                }
            }
            pivots.push(j);
        }
        pivots
    }

    /// A solution of `self * x = b`, `None` if there is none; the free variables are zero.
    ///
    /// One elimination a call; [`factor`](Self::factor) first for many right-hand sides.
    /// [`inconsistency`](Self::inconsistency) says why there is no solution.
    ///
    /// # Panics
    /// If `b` does not have `n_rows` bits.
    ///
    /// ```
    /// use linalg_core::gf2::BitMatrix;
    ///
    /// let a = BitMatrix::from_text("110\n011\n101")?;
    /// let x = a.solve(&"101".parse()?).expect("the sum of b is even, as that of the rows");
    /// assert_eq!(x.to_string(), "100");
    /// assert_eq!(a.solve(&"100".parse()?), None);
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn solve(&self, b: &BitVec) -> Option<BitVec> {
        self.check_right_hand_side(b);
        let mut column = Self::zeros(self.n_rows, 1);
        for i in b.iter_ones() {
            column.flip(i, 0);
        }
        let mut augmented = self.concat(&column);
        let pivots = four_russians::eliminate(&mut augmented, self.n_cols, Form::Reduced);
        if (pivots.len()..self.n_rows).any(|i| augmented.get(i, self.n_cols)) {
            return None;
        }
        let mut x = BitVec::zeros(self.n_cols);
        for (i, &j) in pivots.iter().enumerate() {
            x.set(j, augmented.get(i, self.n_cols));
        }
        Some(x)
    }

    /// Equations of `self * x = b` that contradict each other: `y` with $`y^T A = 0`$ and $`y^T b = 1`$. The
    /// equations named by its ones add up to 0 = 1. `None` if there is a solution.
    ///
    /// # Panics
    /// If `b` does not have `n_rows` bits.
    ///
    /// ```
    /// use linalg_core::gf2::BitMatrix;
    ///
    /// let a = BitMatrix::from_text("110\n011\n101\n001")?;
    /// let b = "1000".parse()?;
    /// assert_eq!(a.inconsistency(&b).expect("odd").to_string(), "1110");
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn inconsistency(&self, b: &BitVec) -> Option<BitVec> {
        self.check_right_hand_side(b);
        let mut conditions = self.transpose();
        conditions.push_row(b);
        let mut wanted = BitVec::zeros(self.n_cols);
        wanted.push(true);
        conditions.solve(&wanted)
    }

    fn check_right_hand_side(&self, b: &BitVec) {
        assert!(
            b.len() == self.n_rows,
            "a right-hand side of {} bits for a matrix with {} rows",
            b.len(),
            self.n_rows
        );
    }

    /// A basis of the vectors x with `self * x = 0`, as rows: `n_cols - rank` of them.
    pub fn nullspace(&self) -> Self {
        self.row_reduce().nullspace()
    }

    /// Whether `v` is a sum of rows.
    ///
    /// One elimination a call; ask [`row_reduce`](Self::row_reduce) once for many vectors.
    ///
    /// # Panics
    /// If `v` does not have `n_cols` bits.
    pub fn row_space_contains(&self, v: &BitVec) -> bool {
        self.row_reduce().contains(v)
    }

    /// Rows that add up to `v`: `x` with $`x^T A = v`$, `None` if there are none.
    ///
    /// One elimination a call; [`factor`](Self::factor) first for many vectors.
    ///
    /// # Panics
    /// If `v` does not have `n_cols` bits.
    pub fn row_space_coefficients(&self, v: &BitVec) -> Option<BitVec> {
        self.check_row(v.len());
        self.transpose().solve(v)
    }

    /// The inverse, `None` if the matrix is singular or not square.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        if self.n_rows != self.n_cols {
            return None;
        }
        let factored = self.factor();
        (factored.reduced().rank() == self.n_rows).then(|| factored.into_parts().1)
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
