//! Plain loops: the oracle of the kernels, and faster than they are for a few entries.

use super::matrix::Layout;
use super::scalar::GemmScalar;

pub(super) fn gemm<T: GemmScalar>(alpha: T, a: &[T], b: &[T], beta: T, c: &mut [T], layouts: [Layout; 3]) {
    let [la, lb, lc] = layouts;
    for i in 0..lc.rows {
        for j in 0..lc.cols {
            let mut sum = T::ZERO;
            for l in 0..la.cols {
                sum = sum + a[i * la.row_stride + l * la.col_stride] * b[l * lb.row_stride + j * lb.col_stride];
            }
            let entry = &mut c[i * lc.row_stride + j * lc.col_stride];
            *entry = if beta == T::ZERO { alpha * sum } else { alpha * sum + beta * *entry };
        }
    }
}
