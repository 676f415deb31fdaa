//! Matrix multiplication, the one door to it.
//!
//! ```math
//! C \leftarrow \alpha A B + \beta C
//! ```
//!
//! for `f32`, `f64` and `Complex64`, each operand with its own row and column stride (a transpose is a swap of strides
//! and costs nothing), one product or a batch of them. Which kernels do the work is an implementation detail, chosen by
//! measurement; `docs/benchmarks/linalg-core.md` has the numbers. One thread: whoever has many products runs them on
//! many threads, and the answer does not depend on how many.
//!
//! ```
//! use linalg_core::gemm::{Matrix, MatrixMut, gemm};
//!
//! let a = [1.0, 2.0, 3.0, 4.0];
//! let b = [0.0, 1.0, 1.0, 0.0];
//! let mut c = [0.0; 4];
//! gemm(1.0, Matrix::row_major(&a, 2, 2), Matrix::row_major(&b, 2, 2), 0.0, MatrixMut::row_major(&mut c, 2, 2));
//! assert_eq!(c, [2.0, 1.0, 4.0, 3.0]);
//! gemm(1.0, Matrix::row_major(&a, 2, 2).transposed(), Matrix::row_major(&b, 2, 2), 1.0, MatrixMut::row_major(&mut c, 2, 2));
//! assert_eq!(c, [5.0, 2.0, 8.0, 5.0]);
//! ```

mod backend;
mod matrix;
mod reference;
mod scalar;

pub use matrix::{Matrix, MatrixMut};
pub use scalar::GemmScalar;

use matrix::Layout;

/// Products of at most this many multiplications are done by plain loops: the kernels cost more to enter.
const SMALL: usize = 48;

/// `C ← α A B + β C`.
///
/// `A` is m x k, `B` is k x n, `C` is m x n. With `β = 0` the old content of `C` is not read, so that NaN there does no
/// harm; with an empty inner dimension `C ← β C`.
///
/// # Cost
/// `2mkn` operations. Nothing is allocated that outlives the call.
///
/// # Panics
/// If the shapes do not fit: `a.cols() != b.rows()`, `a.rows() != c.rows()` or `b.cols() != c.cols()`; the message has
/// both sizes.
pub fn gemm<T: GemmScalar>(alpha: T, a: Matrix<'_, T>, b: Matrix<'_, T>, beta: T, c: MatrixMut<'_, T>) {
    gemm_batched(1, alpha, (a, 0), (b, 0), beta, (c, 0));
}

/// `C_t ← α A_t B_t + β C_t` for `t = 0 .. batch`.
///
/// Each operand comes with a step: matrix t starts `t * step` entries after the matrix given. A step of 0 uses one `A`
/// or `B` for all products. The slices behind the matrices must hold the last product too.
///
/// ```
/// use linalg_core::gemm::{Matrix, MatrixMut, gemm_batched};
///
/// // Two scalar products of length 2, with one left factor.
/// let (a, b) = ([1.0, 10.0], [1.0, 2.0, 3.0, 4.0]);
/// let mut c = [0.0; 2];
/// gemm_batched(
///     2,
///     1.0,
///     (Matrix::row_major(&a, 1, 2), 0),
///     (Matrix::row_major(&b, 2, 1), 2),
///     0.0,
///     (MatrixMut::row_major(&mut c, 1, 1), 1),
/// );
/// assert_eq!(c, [21.0, 43.0]);
/// ```
///
/// # Cost
/// `2mkn` operations a product.
///
/// # Panics
/// As [`gemm()`]; also if a slice is too short for the batch, or if two entries of the `C_t` may coincide: sorted by
/// size, each stride of C (of the row, the column, the batch) must exceed the reach of the smaller ones together.
pub fn gemm_batched<T: GemmScalar>(
    batch: usize,
    alpha: T,
    (a, a_step): (Matrix<'_, T>, usize),
    (b, b_step): (Matrix<'_, T>, usize),
    beta: T,
    (c, c_step): (MatrixMut<'_, T>, usize),
) {
    let (m, k, n) = (a.rows(), a.cols(), b.cols());
    assert_eq!(k, b.rows(), "a has {k} columns, b has {} rows", b.rows());
    assert_eq!(m, c.rows(), "a has {m} rows, c has {}", c.rows());
    assert_eq!(n, c.cols(), "b has {n} columns, c has {}", c.cols());
    a.layout.check_batch("a", batch, a_step, a.data.len());
    b.layout.check_batch("b", batch, b_step, b.data.len());
    c.layout.check_batch("c", batch, c_step, c.data.len());
    c.layout.check_disjoint(batch, c_step);
    if batch == 0 || m == 0 || n == 0 {
        return;
    }
    let layouts = [a.layout, b.layout, c.layout];
    let small = m.saturating_mul(n).saturating_mul(k.max(1)) <= SMALL;
    for t in 0..batch {
        let (a, b) = (&a.data[offset(t, a_step, a.layout)..], &b.data[offset(t, b_step, b.layout)..]);
        let c = &mut c.data[offset(t, c_step, c.layout)..];
        if small || k == 0 {
            reference::gemm(alpha, a, b, beta, c, layouts);
        } else {
            backend::gemm(alpha, a, b, beta, c, layouts);
        }
    }
}

/// Start of matrix t; an empty matrix may begin beyond its slice.
fn offset(t: usize, step: usize, layout: Layout) -> usize {
    if layout.is_empty() { 0 } else { t * step }
}

#[cfg(test)]
mod tests;
