//! Small square complex matrices, row-major.

use linalg_core::num_complex::Complex64;

pub(super) const ZERO: Complex64 = Complex64::new(0.0, 0.0);

/// `a b`.
pub(super) fn product(a: &[Complex64], b: &[Complex64], n: usize) -> Vec<Complex64> {
    let mut out = vec![ZERO; n * n];
    for (row, a) in out.chunks_exact_mut(n).zip(a.chunks_exact(n)) {
        for (x, b) in a.iter().zip(b.chunks_exact(n)) {
            row.iter_mut().zip(b).for_each(|(o, y)| *o += x * y);
        }
    }
    out
}

/// The conjugate transpose.
pub(super) fn adjoint(a: &[Complex64], n: usize) -> Vec<Complex64> {
    (0..n * n).map(|k| a[k % n * n + k / n].conj()).collect()
}

/// `u a u†`.
pub(super) fn conjugate(u: &[Complex64], a: &[Complex64], n: usize) -> Vec<Complex64> {
    product(&product(u, a, n), &adjoint(u, n), n)
}

/// The sum of the diagonal.
pub(super) fn trace(a: &[Complex64], n: usize) -> Complex64 {
    a.iter().step_by(n + 1).sum()
}

/// The matrix with this diagonal.
pub(super) fn diagonal(values: &[Complex64]) -> Vec<Complex64> {
    let n = values.len();
    let mut out = vec![ZERO; n * n];
    out.iter_mut().step_by(n + 1).zip(values).for_each(|(o, v)| *o = *v);
    out
}

/// Panics unless there are `n * n` entries.
pub(super) fn check_size(a: &[Complex64], n: usize) {
    assert!(a.len() == n * n, "{} entries for a matrix of {n} rows", a.len());
}
