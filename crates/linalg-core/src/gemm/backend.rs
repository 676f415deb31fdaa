//! The kernels of the crate `gemm`, behind checks that make the call safe.
#![allow(unsafe_code)]

use super::matrix::Layout;
use super::scalar::GemmScalar;

/// `C ← α A B + β C`; the scalar twin is [`reference::gemm`](super::reference::gemm).
///
/// # Panics
/// If a slice is too short for its layout, if the shapes do not fit, or if entries of C coincide.
pub(super) fn gemm<T: GemmScalar>(alpha: T, a: &[T], b: &[T], beta: T, c: &mut [T], layouts: [Layout; 3]) {
    let [la, lb, lc] = layouts;
    assert!(la.rows == lc.rows && la.cols == lb.rows && lb.cols == lc.cols, "shapes do not fit: {layouts:?}");
    la.check_batch("a", 1, 0, a.len());
    lb.check_batch("b", 1, 0, b.len());
    lc.check_batch("c", 1, 0, c.len());
    lc.check_disjoint(1, 0);
    // SAFETY: the checks above show that every entry (i, j) of each layout lies inside its slice at a distance that
    // fits `isize`, and that the entries of C are distinct; C is borrowed exclusively, so it shares nothing with A and
    // B. The kernels read and write these entries only. `T` is one of the types that `gemm` dispatches on
    // (`GemmScalar` is sealed), and C is initialised.
    unsafe {
        gemm::gemm(
            lc.rows,
            lc.cols,
            la.cols,
            c.as_mut_ptr(),
            lc.col_stride as isize,
            lc.row_stride as isize,
            beta != T::ZERO,
            a.as_ptr(),
            la.col_stride as isize,
            la.row_stride as isize,
            b.as_ptr(),
            lb.col_stride as isize,
            lb.row_stride as isize,
            beta,
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
