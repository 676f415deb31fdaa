//! Cholesky factors of small dense matrices.

/// `A = L Lᵀ`, the lower triangle row-major.
#[derive(Debug)]
pub(crate) struct Cholesky {
    factor: Vec<f64>,
    n: usize,
}

impl Cholesky {
    /// Factorises a symmetric matrix in place; `None` if it is not positive definite. `n³/3` operations.
    pub(crate) fn new(mut a: Vec<f64>, n: usize) -> Option<Self> {
        assert_eq!(a.len(), n * n, "{} entries for a matrix of {n} rows", a.len());
        for j in 0..n {
            let (done, rest) = a.split_at_mut(j * n);
            let row = &mut rest[..n];
            for i in 0..j {
                let other = &done[i * n..i * n + i + 1];
                row[i] = (row[i] - dot(&row[..i], &other[..i])) / other[i];
            }
            let pivot = row[j] - dot(&row[..j], &row[..j]);
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            row[j] = pivot.sqrt();
        }
        Some(Self { factor: a, n })
    }

    /// Solves `A x = b` in place.
    pub(crate) fn solve(&self, b: &mut [f64]) {
        let n = self.n;
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

    /// `A⁻¹`, row-major.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        for (i, row) in inverse.chunks_exact_mut(n.max(1)).enumerate() {
            row[i] = 1.0;
            self.solve(row);
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
        let inverse = Cholesky::new(a.clone(), n).unwrap().inverse();
        for i in 0..n {
            for j in 0..n {
                let product: f64 = (0..n).map(|k| a[i * n + k] * inverse[k * n + j]).sum();
                approx::assert_abs_diff_eq!(product, f64::from(u8::from(i == j)), epsilon = 1e-12);
            }
        }
        assert!(Cholesky::new(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::new(vec![f64::NAN], 1).is_none());
    }
}
