//! Sparse matrices over GF(2), by columns.

use super::bitmatrix::BitMatrix;
use super::bitvec::BitVec;
use super::slice::BitSlice;
use crate::error::{Error, Result};

/// A sparse matrix over GF(2): for each column the ascending indices of the rows with a one.
///
/// The transposed matrix of this type is the same matrix by rows (CSR).
///
/// ```
/// use linalg_core::gf2::{BinaryCsc, BitVec};
///
/// // Parity checks of the ring of four bits; bit j is in checks j - 1 and j.
/// let checks = BinaryCsc::from_columns(4, [[3, 0], [0, 1], [1, 2], [2, 3]])?;
/// assert_eq!(checks.column(0), [0, 3]);
/// assert_eq!(checks.transpose().column(1), [1, 2]); // the bits in check 1
/// let error = BitVec::from_ones(4, [1, 2])?;
/// assert_eq!(checks.mul_vec(&error).to_string(), "1010");
/// assert_eq!(checks.to_matrix().rank(), 3);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Columns", into = "Columns"))]
pub struct BinaryCsc {
    n_rows: usize,
    /// Column j owns `rows[starts[j]..starts[j + 1]]`.
    starts: Vec<usize>,
    rows: Vec<usize>,
}

/// The serialised form.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Columns {
    n_rows: usize,
    columns: Vec<Vec<usize>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Columns> for BinaryCsc {
    type Error = Error;

    fn try_from(raw: Columns) -> Result<Self> {
        Self::from_columns(raw.n_rows, raw.columns)
    }
}

#[cfg(feature = "serde")]
impl From<BinaryCsc> for Columns {
    fn from(m: BinaryCsc) -> Self {
        Self { n_rows: m.n_rows, columns: m.columns().map(<[usize]>::to_vec).collect() }
    }
}

impl BinaryCsc {
    /// The matrix whose column j has ones in the rows that item j names, in any order.
    ///
    /// # Errors
    /// [`Error::RowOutOfBounds`] for a row beyond the end, [`Error::DuplicateEntry`] for a row named twice in one
    /// column; both name the column and the row.
    ///
    /// ```
    /// use linalg_core::Error;
    /// use linalg_core::gf2::BinaryCsc;
    ///
    /// let twice = BinaryCsc::from_columns(3, [vec![0, 1], vec![2, 0, 2]]);
    /// assert_eq!(twice, Err(Error::DuplicateEntry { column: 1, row: 2 }));
    /// ```
    pub fn from_columns<C: AsRef<[usize]>>(n_rows: usize, columns: impl IntoIterator<Item = C>) -> Result<Self> {
        let mut starts = vec![0];
        let mut rows = Vec::new();
        for (j, column) in columns.into_iter().enumerate() {
            let start = rows.len();
            rows.extend_from_slice(column.as_ref());
            let added = &mut rows[start..];
            added.sort_unstable();
            if let Some(&row) = added.last().filter(|&&row| row >= n_rows) {
                return Err(Error::RowOutOfBounds { column: j, row, n_rows });
            }
            if let Some(pair) = added.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(Error::DuplicateEntry { column: j, row: pair[0] });
            }
            starts.push(rows.len());
        }
        Ok(Self { n_rows, starts, rows })
    }

    /// The same matrix from its dense form.
    pub fn from_matrix(matrix: &BitMatrix) -> Self {
        let by_rows = Self {
            n_rows: matrix.n_cols(),
            starts: std::iter::once(0)
                .chain(matrix.rows().scan(0, |end, row| {
                    *end += row.weight();
                    Some(*end)
                }))
                .collect(),
            rows: matrix.rows().flat_map(BitSlice::iter_ones).collect(),
        };
        by_rows.transpose()
    }

    /// The same matrix in dense form.
    pub fn to_matrix(&self) -> BitMatrix {
        let mut out = BitMatrix::zeros(self.n_rows, self.n_cols());
        for (j, column) in self.columns().enumerate() {
            for &i in column {
                out.flip(i, j);
            }
        }
        out
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_cols(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of ones.
    pub fn n_ones(&self) -> usize {
        self.rows.len()
    }

    /// The rows in which column `j` has ones, ascending.
    ///
    /// # Panics
    /// If `j >= n_cols`.
    pub fn column(&self, j: usize) -> &[usize] {
        assert!(j < self.n_cols(), "column {j} of a matrix with {} columns", self.n_cols());
        &self.rows[self.starts[j]..self.starts[j + 1]]
    }

    /// All columns in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.starts.windows(2).map(|w| &self.rows[w[0]..w[1]])
    }

    /// The number of ones of each column.
    pub fn column_weights(&self) -> Vec<usize> {
        self.columns().map(<[usize]>::len).collect()
    }

    /// The number of ones of each row.
    pub fn row_weights(&self) -> Vec<usize> {
        let mut weights = vec![0; self.n_rows];
        for &i in &self.rows {
            weights[i] += 1;
        }
        weights
    }

    /// The transposed matrix: its columns are the rows of this one. Linear in rows, columns and ones.
    #[must_use]
    pub fn transpose(&self) -> Self {
        let mut starts = vec![0; self.n_rows + 1];
        for (i, weight) in self.row_weights().into_iter().enumerate() {
            starts[i + 1] = starts[i] + weight;
        }
        let mut next = starts.clone();
        let mut rows = vec![0; self.rows.len()];
        // Columns are visited in order, so every new column comes out ascending.
        for (j, column) in self.columns().enumerate() {
            for &i in column {
                rows[next[i]] = j;
                next[i] += 1;
            }
        }
        Self { n_rows: self.n_cols(), starts, rows }
    }

    /// The product with a column vector: the sum of the columns named by the ones of `x`.
    ///
    /// # Panics
    /// If `x` does not have `n_cols` bits.
    #[must_use]
    pub fn mul_vec<'a>(&self, x: impl Into<BitSlice<'a>>) -> BitVec {
        let x = x.into();
        assert!(x.len() == self.n_cols(), "a matrix with {} columns times a vector of {} bits", self.n_cols(), x.len());
        let mut out = BitVec::zeros(self.n_rows);
        for j in x.iter_ones() {
            for &i in self.column(j) {
                out.flip(i);
            }
        }
        out
    }

    /// The product of a row vector with the matrix, $`x^T A`$: bit j is the parity of the ones of `x` in column j.
    ///
    /// # Panics
    /// If `x` does not have `n_rows` bits.
    #[must_use]
    pub fn vec_mul<'a>(&self, x: impl Into<BitSlice<'a>>) -> BitVec {
        let x = x.into();
        assert!(x.len() == self.n_rows, "a vector of {} bits times a matrix with {} rows", x.len(), self.n_rows);
        self.columns().map(|column| column.iter().fold(false, |parity, &i| parity ^ x.get(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_columns_are_named() {
        assert_eq!(
            BinaryCsc::from_columns(3, [vec![0], vec![3, 1]]),
            Err(Error::RowOutOfBounds { column: 1, row: 3, n_rows: 3 })
        );
        assert_eq!(BinaryCsc::from_columns(3, [vec![1, 0, 1]]), Err(Error::DuplicateEntry { column: 0, row: 1 }));
        assert!(BinaryCsc::from_columns(0, [[0]]).is_err());
    }

    #[test]
    fn degenerate_shapes() {
        for (n_rows, n_cols) in [(0, 0), (0, 3), (3, 0)] {
            let sparse = BinaryCsc::from_columns(n_rows, vec![Vec::new(); n_cols]).unwrap();
            assert_eq!((sparse.n_rows(), sparse.n_cols(), sparse.n_ones()), (n_rows, n_cols, 0));
            assert_eq!(BinaryCsc::from_matrix(&sparse.to_matrix()), sparse);
            let transposed = sparse.transpose();
            assert_eq!((transposed.n_rows(), transposed.n_cols()), (n_cols, n_rows));
            assert_eq!(sparse.mul_vec(&BitVec::zeros(n_cols)), BitVec::zeros(n_rows));
        }
    }
}
