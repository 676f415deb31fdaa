//! Reduced row echelon forms and what can be read off them.

use super::bitmatrix::BitMatrix;
use super::bitvec::BitVec;

/// A matrix in reduced row echelon form, with its pivot columns.
///
/// Row `i < rank` has its first one in column `pivots[i]`, which has no other one; the rows from `rank` on are zero.
/// The form depends on the row space alone.
///
/// ```
/// use linalg_core::gf2::BitMatrix;
///
/// let reduced = BitMatrix::from_text("1100\n0110")?.row_reduce();
/// assert_eq!(reduced.rank(), 2);
/// assert!(reduced.contains(&"1010".parse()?));
/// assert!(!reduced.contains(&"0001".parse()?));
/// assert_eq!(reduced.nullspace(), BitMatrix::from_text("1110\n0001")?);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RowReduced {
    matrix: BitMatrix,
    pivots: Vec<usize>,
}

impl RowReduced {
    pub(super) fn new(matrix: BitMatrix, pivots: Vec<usize>) -> Self {
        Self { matrix, pivots }
    }

    /// The matrix in reduced row echelon form; it has as many rows as the matrix it came from.
    pub fn matrix(&self) -> &BitMatrix {
        &self.matrix
    }

    /// The pivot columns, ascending.
    pub fn pivots(&self) -> &[usize] {
        &self.pivots
    }

    /// The number of pivots.
    pub fn rank(&self) -> usize {
        self.pivots.len()
    }

    /// Adds rows to `v` until its bits at the pivot columns are zero: the representative of its coset.
    ///
    /// # Panics
    /// If `v` does not have as many bits as the matrix has columns.
    #[must_use]
    pub fn reduce(&self, v: &BitVec) -> BitVec {
        let mut rest = v.clone();
        for i in self.coefficients(v).iter_ones() {
            rest.xor_assign(self.matrix.row(i));
        }
        rest
    }

    /// Whether `v` is a sum of rows.
    ///
    /// # Panics
    /// If `v` does not have as many bits as the matrix has columns.
    pub fn contains(&self, v: &BitVec) -> bool {
        self.reduce(v).is_zero()
    }

    /// A basis of the vectors x with `A x = 0`, as rows, one for each column without a pivot: a one there and zeros at
    /// the other columns without a pivot.
    pub fn nullspace(&self) -> BitMatrix {
        let n_cols = self.matrix.n_cols();
        let mut is_pivot = vec![false; n_cols];
        for &j in &self.pivots {
            is_pivot[j] = true;
        }
        let free: Vec<usize> = (0..n_cols).filter(|&j| !is_pivot[j]).collect();
        // Which basis vector belongs to a free column; pivot columns never ask.
        let mut index = vec![0; n_cols];
        for (k, &j) in free.iter().enumerate() {
            index[j] = k;
        }
        let mut basis = BitMatrix::zeros(free.len(), n_cols);
        for (k, &j) in free.iter().enumerate() {
            basis.flip(k, j);
        }
        for (i, &pivot) in self.pivots.iter().enumerate() {
            for j in self.matrix.row(i).iter_ones().filter(|&j| j != pivot) {
                basis.flip(index[j], pivot);
            }
        }
        basis
    }

    /// The bits of `v` at the pivot columns.
    fn coefficients(&self, v: &BitVec) -> BitVec {
        assert!(
            v.len() == self.matrix.n_cols(),
            "a vector of {} bits for a matrix with {} columns",
            v.len(),
            self.matrix.n_cols()
        );
        let mut out = BitVec::zeros(self.matrix.n_rows());
        for (i, &j) in self.pivots.iter().enumerate() {
            out.set(i, v.get(j));
        }
        out
    }
}

/// A reduced row echelon form R of a matrix A together with an invertible T such that `T A = R`; made by
/// [`BitMatrix::factor`].
///
/// Answers many questions with the same matrix at $`n^2 / 64`$ operations each.
///
/// ```
/// use linalg_core::gf2::BitMatrix;
///
/// let a = BitMatrix::from_text("110\n011\n101")?;
/// let factored = a.factor();
/// assert_eq!(factored.transform().mul(&a), *factored.reduced().matrix());
/// assert_eq!(factored.solve(&"011".parse()?), Some("110".parse()?));
/// assert_eq!(factored.solve(&"111".parse()?), None);
/// assert_eq!(factored.row_space_coefficients(&"101".parse()?), Some("110".parse()?));
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Factored {
    reduced: RowReduced,
    transform: BitMatrix,
}

impl Factored {
    pub(super) fn new(reduced: RowReduced, transform: BitMatrix) -> Self {
        Self { reduced, transform }
    }

    /// The reduced row echelon form R.
    pub fn reduced(&self) -> &RowReduced {
        &self.reduced
    }

    /// The row operations T; their last `n_rows - rank` rows are a basis of the y with $`y^T A = 0`$.
    pub fn transform(&self) -> &BitMatrix {
        &self.transform
    }

    /// R and T.
    pub fn into_parts(self) -> (RowReduced, BitMatrix) {
        (self.reduced, self.transform)
    }

    /// A solution of `A x = b`, `None` if there is none; the free variables are zero.
    ///
    /// # Panics
    /// If `b` does not have as many bits as A has rows.
    pub fn solve(&self, b: &BitVec) -> Option<BitVec> {
        let reduced = self.transform.mul_vec(b);
        let mut x = BitVec::zeros(self.reduced.matrix.n_cols());
        for i in reduced.iter_ones() {
            x.set(*self.reduced.pivots.get(i)?, true);
        }
        Some(x)
    }

    /// Rows of A that add up to `v`: `x` with $`x^T A = v`$, `None` if there are none.
    ///
    /// # Panics
    /// If `v` does not have as many bits as A has columns.
    pub fn row_space_coefficients(&self, v: &BitVec) -> Option<BitVec> {
        let coefficients = self.reduced.coefficients(v);
        (self.reduced.matrix.vec_mul(&coefficients) == *v).then(|| self.transform.vec_mul(&coefficients))
    }
}
