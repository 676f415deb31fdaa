//! What elimination answers about a matrix: rank, linear systems, null space, row space, inverse.

use super::bitmatrix::BitMatrix;
use super::bitvec::BitVec;
use super::four_russians::{self, Form};
use super::row_reduce::{Factored, RowReduced};

impl BitMatrix {
    /// The rank, by elimination with the method of four Russians: about $`n^3 / 1536`$ operations on a copy.
    pub fn rank(&self) -> usize {
        four_russians::eliminate(&mut self.clone(), self.n_cols(), Form::Echelon).len()
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
        let pivots = four_russians::eliminate(&mut matrix, self.n_cols(), Form::Reduced);
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
        let mut augmented = self.concat(&Self::identity(self.n_rows()));
        let pivots = four_russians::eliminate(&mut augmented, self.n_cols(), Form::Reduced);
        Factored::new(
            RowReduced::new(augmented.columns(0..self.n_cols()), pivots),
            augmented.columns(self.n_cols()..self.n_cols() + self.n_rows()),
        )
    }

    fn eliminate_naive(&mut self, form: Form) -> Vec<usize> {
        let mut pivots = Vec::new();
        for j in 0..self.n_cols() {
            let rank = pivots.len();
            let Some(found) = (rank..self.n_rows()).find(|&i| self.get(i, j)) else {
                continue;
            };
            self.swap_rows(rank, found);
            let pivot_row = self.row(rank).to_bitvec();
            let first = match form {
                Form::Echelon => rank + 1,
                Form::Reduced => 0,
            };
            for i in first..self.n_rows() {
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
        let mut column = Self::zeros(self.n_rows(), 1);
        for i in b.iter_ones() {
            column.flip(i, 0);
        }
        let mut augmented = self.concat(&column);
        let pivots = four_russians::eliminate(&mut augmented, self.n_cols(), Form::Reduced);
        if (pivots.len()..self.n_rows()).any(|i| augmented.get(i, self.n_cols())) {
            return None;
        }
        let mut x = BitVec::zeros(self.n_cols());
        for (i, &j) in pivots.iter().enumerate() {
            x.set(j, augmented.get(i, self.n_cols()));
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
        let mut wanted = BitVec::zeros(self.n_cols());
        wanted.push(true);
        conditions.solve(&wanted)
    }

    fn check_right_hand_side(&self, b: &BitVec) {
        assert!(
            b.len() == self.n_rows(),
            "a right-hand side of {} bits for a matrix with {} rows",
            b.len(),
            self.n_rows()
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
        if self.n_rows() != self.n_cols() {
            return None;
        }
        let factored = self.factor();
        (factored.reduced().rank() == self.n_rows()).then(|| factored.into_parts().1)
    }
}
