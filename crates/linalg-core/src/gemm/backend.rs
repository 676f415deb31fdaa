//! The kernels of the crates `gemm-f32`, `gemm-f64` and `gemm-c64`, behind checks that make the call safe.
#![allow(unsafe_code)]

use gemm_common::Parallelism;

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
    // The kernels want the stride of the rows of C to be the smaller one: else the transposed product.
    let (a, la, b, lb, lc) = if lc.col_stride < lc.row_stride {
        (b, lb.transposed(), a, la.transposed(), lc.transposed())
    } else {
        (a, la, b, lb, lc)
    };
    // SAFETY: the checks above show that every entry (i, j) of each layout lies inside its slice at a distance that
    // fits `isize`, and that the entries of C are distinct; C is borrowed exclusively, so it shares nothing with A and
    // B; a transposed layout has the same entries. The kernels read and write these entries only; they are chosen by
    // what the processor has. C is initialised.
    unsafe {
        T::kernel()(
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
            Parallelism::None,
        );
    }
}
