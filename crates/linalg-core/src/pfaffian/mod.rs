//! Pfaffians of skew-symmetric matrices, as sign or phase and logarithm.

mod elimination;

use num_complex::Complex64;

use crate::logspace::{ComplexLog, SignedLog};
use elimination::eliminate;

/// The Pfaffian of a real skew-symmetric matrix.
///
/// ```math
/// \mathrm{Pf}\,A = \frac{1}{2^n n!} \sum_{\pi \in S_{2n}} \mathrm{sgn}\,\pi \prod_{k=1}^{n} A_{\pi(2k-1),\pi(2k)},
/// \qquad (\mathrm{Pf}\,A)^2 = \det A
/// ```
///
/// `matrix`: n x n, row-major. Only the entries above the diagonal are read. The rows are first scaled by powers of
/// two, then the matrix is brought to tridiagonal form by Gauss transformations with partial pivoting (the method of
/// Parlett and Reid). The backward error is that of Gaussian elimination. 1 for n = 0, 0 for odd n, NaN when an entry
/// is NaN or infinite. $`n^3 / 3`$ multiplications and a copy of the matrix.
///
/// # Panics
/// If `matrix.len() != n * n`.
///
/// ```
/// use linalg_core::pfaffian::pfaffian;
///
/// // a f - b e + c d
/// let (a, b, c, d, e, f) = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
/// let matrix = [0.0, a, b, c, -a, 0.0, d, e, -b, -d, 0.0, f, -c, -e, -f, 0.0];
/// let pf = pfaffian(&matrix, 4);
/// assert_eq!(pf.sign, 1);
/// assert!((pf.to_f64() - 8.0).abs() < 1e-14);
/// ```
///
/// # References
/// - B. N. Parlett and J. K. Reid, "On the solution of a system of linear equations whose matrix is symmetric but not
///   definite", BIT 10, 386 (1970).
/// - M. Wimmer, "Efficient numerical computation of the Pfaffian for dense and banded skew-symmetric matrices", ACM
///   Transactions on Mathematical Software 38, 30 (2012).
pub fn pfaffian(matrix: &[f64], n: usize) -> SignedLog {
    let mut pf = SignedLog::ONE;
    let ln_scale = eliminate(matrix, n, |pivot| pf *= SignedLog::from(pivot));
    pf *= SignedLog::new(1, ln_scale);
    if matrix_is_finite(n, |k| matrix[k].is_finite()) { pf } else { SignedLog::new(1, f64::NAN) }
}

/// The Pfaffian of a complex skew-symmetric (not skew-Hermitian) matrix; otherwise as [`pfaffian`].
///
/// # Panics
/// If `matrix.len() != n * n`.
///
/// ```
/// use linalg_core::num_complex::Complex64;
/// use linalg_core::pfaffian::pfaffian_complex;
///
/// let (zero, i) = (Complex64::new(0.0, 0.0), Complex64::new(0.0, 1.0));
/// let pf = pfaffian_complex(&[zero, 2.0 * i, -2.0 * i, zero], 2).to_complex();
/// assert!((pf - 2.0 * i).norm() < 1e-15);
/// ```
pub fn pfaffian_complex(matrix: &[Complex64], n: usize) -> ComplexLog {
    let mut pf = ComplexLog::ONE;
    let ln_scale = eliminate(matrix, n, |pivot| pf *= ComplexLog::from(pivot));
    pf *= ComplexLog::new(ln_scale, 0.0);
    if matrix_is_finite(n, |k| matrix[k].is_finite()) { pf } else { ComplexLog::new(f64::NAN, 0.0) }
}

/// Whether all entries above the diagonal are finite.
fn matrix_is_finite(n: usize, finite: impl Fn(usize) -> bool) -> bool {
    (0..n).all(|i| (i + 1..n).all(|j| finite(i * n + j)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streams;
    use rand::RngExt;

    /// Expansion along the first row.
    fn expand(a: &[Complex64], n: usize, rows: &[usize]) -> Complex64 {
        let Some((&first, rest)) = rows.split_first() else { return Complex64::new(1.0, 0.0) };
        let mut sum = Complex64::new(0.0, 0.0);
        for (k, &j) in rest.iter().enumerate() {
            let others: Vec<usize> = rest.iter().copied().filter(|&r| r != j).collect();
            let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
            sum += sign * a[first * n + j] * expand(a, n, &others);
        }
        sum
    }

    #[test]
    fn expansion_along_the_first_row() {
        let mut rng = Streams::new(71).stream(0);
        for n in 0..=9usize {
            for _ in 0..5 {
                let a: Vec<Complex64> = (0..n * n)
                    .map(|_| Complex64::new(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)))
                    .collect();
                let rows: Vec<usize> = (0..n).collect();
                let expected = if n % 2 == 1 { Complex64::new(0.0, 0.0) } else { expand(&a, n, &rows) };
                // Up to 105 terms of size 1 or so.
                assert!((pfaffian_complex(&a, n).to_complex() - expected).norm() < 1e-12);
                let real: Vec<f64> = a.iter().map(|x| x.re).collect();
                let embedded: Vec<Complex64> = real.iter().map(|&x| Complex64::new(x, 0.0)).collect();
                let expected = if n % 2 == 1 { 0.0 } else { expand(&embedded, n, &rows).re };
                assert!((pfaffian(&real, n).to_f64() - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn scaling_and_permutation() {
        // Pf(D A D) = det D Pf A with entries over 600 orders of magnitude; a transposition changes the sign.
        let n = 20;
        let mut rng = Streams::new(72).stream(0);
        let a: Vec<f64> = (0..n * n).map(|_| rng.random_range(-1.0..1.0)).collect();
        let pf = pfaffian(&a, n);
        let scale: Vec<f64> = (0..n).map(|k| (10.0 * (k as f64) - 100.0).exp()).collect();
        let scaled: Vec<f64> = (0..n * n).map(|k| a[k] * scale[k / n] * scale[k % n]).collect();
        let there = pfaffian(&scaled, n);
        let ln_det: f64 = scale.iter().map(|x| x.ln()).sum();
        assert_eq!(there.sign, pf.sign);
        assert!((there.ln_abs - ln_det - pf.ln_abs).abs() < 1e-11);
        let skew = |i: usize, j: usize| match i.cmp(&j) {
            std::cmp::Ordering::Less => a[i * n + j],
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => -a[j * n + i],
        };
        let swap = |i: usize| {
            if i == 3 {
                11
            } else if i == 11 {
                3
            } else {
                i
            }
        };
        let swapped: Vec<f64> = (0..n * n).map(|k| skew(swap(k / n), swap(k % n))).collect();
        let there = pfaffian(&swapped, n);
        assert_eq!(there.sign, -pf.sign);
        assert!((there.ln_abs - pf.ln_abs).abs() < 1e-12);
    }

    #[test]
    fn singular_and_bad_matrices() {
        assert_eq!(pfaffian(&[], 0), SignedLog::ONE);
        assert_eq!(pfaffian(&[0.0; 16], 4), SignedLog::ZERO);
        assert_eq!(pfaffian(&[0.0; 9], 3), SignedLog::ZERO);
        let mut bad = [0.0; 16];
        bad[1] = f64::NAN;
        assert!(pfaffian(&bad, 4).is_nan());
        bad[1] = f64::INFINITY;
        assert!(pfaffian(&bad, 4).is_nan());
        // What stands below the diagonal is not read.
        assert_eq!(pfaffian(&[f64::NAN, 2.0, f64::NAN, f64::NAN], 2).sign, 1);
    }
}
