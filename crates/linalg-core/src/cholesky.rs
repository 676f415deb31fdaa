//! Cholesky factors of dense symmetric positive definite matrices.

use crate::{Error, Result};

/// Part of its diagonal entry that a pivot has to keep: less is rounding.
const SMALLEST_PIVOT: f64 = 1e-14;

/// $`A = L L^T`$ with the lower triangle $`L`$.
///
/// ```
/// use linalg_core::cholesky::Cholesky;
///
/// // [[4, 2], [2, 5]] has the determinant 16.
/// let factor = Cholesky::new(vec![4.0, 2.0, 2.0, 5.0], 2)?;
/// assert!((factor.ln_det() - 16f64.ln()).abs() < 1e-15);
/// let mut x = [8.0, 12.0];
/// factor.solve(&mut x);
/// assert_eq!(x, [1.0, 2.0]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky {
    factor: Vec<f64>,
    n: usize,
}

impl Cholesky {
    /// Factorises a symmetric matrix, n × n row-major, in place; only the lower triangle is read. $`n^3/3`$ operations.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] with the first pivot that is not above 1e-14 of its diagonal entry: there the matrix is
    /// singular within rounding, or not positive, or holds a NaN.
    ///
    /// # Panics
    /// When `a.len()` is not `n * n`.
    pub fn new(mut a: Vec<f64>, n: usize) -> Result<Self> {
        assert_eq!(a.len(), n * n, "{} entries for a matrix of {n} rows", a.len());
        for j in 0..n {
            let (done, rest) = a.split_at_mut(j * n);
            let row = &mut rest[..n];
            for i in 0..j {
                let other = &done[i * n..i * n + i + 1];
                row[i] = (row[i] - dot(&row[..i], &other[..i])) / other[i];
            }
            let pivot = row[j] - dot(&row[..j], &row[..j]);
            if pivot.is_nan() || pivot <= SMALLEST_PIVOT * row[j] || pivot.is_infinite() {
                return Err(Error::NotPositiveDefinite { row: j, pivot });
            }
            row[j] = pivot.sqrt();
        }
        Ok(Self { factor: a, n })
    }

    /// Solves $`A x = b`$ in place; $`2 n^2`$ operations.
    ///
    /// # Panics
    /// When `b` does not have `n` elements.
    pub fn solve(&self, b: &mut [f64]) {
        let n = self.n;
        assert_eq!(b.len(), n, "{} right-hand sides for {n} rows", b.len());
        for i in 0..n {
            let row = &self.factor[i * n..];
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
        for i in (0..n).rev() {
            b[i] /= self.factor[i * n + i];
            let x = b[i];
            for (b, l) in b[..i].iter_mut().zip(&self.factor[i * n..i * n + i]) {
                *b -= x * l;
            }
        }
    }

    /// Multiplies in place by $`L`$, which turns independent standard normal numbers into ones with the covariance $`A`$.
    ///
    /// # Panics
    /// When `x` does not have `n` elements.
    pub fn correlate(&self, x: &mut [f64]) {
        let n = self.n;
        assert_eq!(x.len(), n, "{} numbers for {n} rows", x.len());
        for i in (0..n).rev() {
            x[i] = dot(&self.factor[i * n..=i * n + i], &x[..=i]);
        }
    }

    /// $`\ln\det A`$.
    pub fn ln_det(&self) -> f64 {
        2.0 * (0..self.n).map(|i| self.factor[i * (self.n + 1)].ln()).sum::<f64>()
    }

    /// $`A^{-1}`$, row-major and symmetric bit for bit; $`2 n^3`$ operations.
    pub fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        for (i, row) in inverse.chunks_exact_mut(n.max(1)).enumerate() {
            row[i] = 1.0;
            self.solve(row);
        }
        for i in 0..n {
            for j in 0..i {
                inverse[i * n + j] = inverse[j * n + i];
            }
        }
        inverse
    }
}

/// Four partial sums, so that the sum is vectorised.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let tail: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let n = 9;
        let a: Vec<f64> =
            (0..n * n).map(|k| 1.0 / (1.0 + (k / n + k % n) as f64) + f64::from(u8::from(k % (n + 1) == 0))).collect();
        let factor = Cholesky::new(a.clone(), n).unwrap();
        let inverse = factor.inverse();
        for i in 0..n {
            let mut column: Vec<f64> = (0..n).map(|k| factor.factor[i * n + k] * f64::from(u8::from(k <= i))).collect();
            factor.correlate(&mut column);
            for j in 0..n {
                let product: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                approx::assert_abs_diff_eq!(product, f64::from(u8::from(i == j)), epsilon = 1e-12);
                approx::assert_abs_diff_eq!(column[j], a[i * n + j], epsilon = 1e-14);
            }
        }
        let ln_det: f64 = crate::eigen::symmetric_eigenvalues(&a, n).unwrap().iter().map(|x| x.ln()).sum();
        approx::assert_abs_diff_eq!(factor.ln_det(), ln_det, epsilon = 1e-13);
        assert_eq!(Cholesky::new(vec![1.0, 2.0, 2.0, 1.0], 2), Err(Error::NotPositiveDefinite { row: 1, pivot: -3.0 }));
        assert!(Cholesky::new(vec![f64::NAN], 1).is_err());
        assert!(Cholesky::new(Vec::new(), 0).unwrap().inverse().is_empty());
    }
}
