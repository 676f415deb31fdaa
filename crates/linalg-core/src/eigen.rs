//! Eigenvalues of real symmetric and of Hermitian matrices.
//!
//! Matrices are flat slices, n × n, row-major (for a symmetric matrix the order of rows and columns makes no
//! difference). The work is done by nalgebra: Householder tridiagonalisation and implicit QR, about $`\tfrac43 n^3`$
//! operations for the values and several times that with vectors. Fit for dense matrices up to a few thousand rows.
//!
//! The matrix must be symmetric up to rounding; an entry that differs from its mirror image by more than $`10^{-10}`$ of
//! the largest entry is an error, because the algorithm would silently use one of the two.

use nalgebra::DMatrix;
use num_complex::Complex64;

use crate::{Error, Result};

/// Allowed asymmetry relative to the largest entry.
const ASYMMETRY: f64 = 1e-10;

/// Eigenvalues, ascending, and orthonormal eigenvectors.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SymmetricEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenvectors, n × n row-major: row `k` belongs to `values[k]`.
    pub vectors: Vec<f64>,
}

impl SymmetricEigen {
    /// The normalised eigenvector of `values[k]`; its component of largest modulus is positive.
    ///
    /// # Panics
    /// When `k` is not below the number of eigenvalues.
    pub fn vector(&self, k: usize) -> &[f64] {
        let n = self.values.len();
        assert!(k < n, "eigenvector {k} of {n}");
        &self.vectors[k * n..(k + 1) * n]
    }
}

/// Eigenvalues of a symmetric matrix, ascending.
///
/// Absolute errors are a few units in the last place of the largest modulus.
///
/// ```
/// use linalg_core::eigen::symmetric_eigenvalues;
///
/// let values = symmetric_eigenvalues(&[2.0, 1.0, 1.0, 2.0], 2)?;
/// assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for a NaN or infinite entry (`index` is `n * row + column`), [`Error::NotSymmetric`], and
/// [`Error::NotConverged`] when the iteration stalls, which no matrix is known to cause.
///
/// # Panics
/// When `matrix.len()` is not `n * n`.
pub fn symmetric_eigenvalues(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    let scale = check(matrix, n)?;
    if scale == 0.0 || n == 1 {
        return Ok(matrix[..n].to_vec());
    }
    let scaled = DMatrix::from_iterator(n, n, matrix.iter().map(|x| x / scale));
    let (diagonal, off_diagonal) = scaled.symmetric_tridiagonalize().unpack_tridiagonal();
    let mut values: Vec<f64> = diagonal.iter().copied().collect();
    let mut beside: Vec<f64> = off_diagonal.iter().copied().collect();
    tridiagonal_values(&mut values, &mut beside)?;
    values.iter_mut().for_each(|x| *x *= scale);
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

/// Turns the diagonal of a tridiagonal matrix into its eigenvalues by the implicit QL method with Wilkinson's shift;
/// `beside` is destroyed.
///
/// nalgebra's own values-only iteration has no bound.
fn tridiagonal_values(diagonal: &mut [f64], beside: &mut Vec<f64>) -> Result<()> {
    const SWEEPS: usize = 60;
    let n = diagonal.len();
    beside.push(0.0);
    for first in 0..n {
        for sweep in 0.. {
            let negligible = |k: usize| {
                let size = diagonal[k].abs() + diagonal[k + 1].abs();
                beside[k].abs() <= f64::EPSILON * size + f64::MIN_POSITIVE
            };
            let last = (first..n - 1).find(|&k| negligible(k)).unwrap_or(n - 1);
            if last == first {
                break;
            }
            if sweep == SWEEPS {
                return Err(Error::NotConverged { what: "symmetric eigenvalues", iterations: SWEEPS });
            }
            // The eigenvalue of the upper 2 x 2 block nearer to its corner.
            let half = 0.5 * (diagonal[first + 1] - diagonal[first]) / beside[first];
            let shift = diagonal[first] - beside[first] / (half + half.hypot(1.0).copysign(half));
            // Chase the bulge upwards with plane rotations.
            let (mut sine, mut cosine, mut moved) = (1.0, 1.0, 0.0);
            let mut corner = diagonal[last] - shift;
            let mut split = None;
            for k in (first..last).rev() {
                let (bulge, side) = (sine * beside[k], cosine * beside[k]);
                let length = bulge.hypot(corner);
                beside[k + 1] = length;
                if length == 0.0 {
                    split = Some(k);
                    break;
                }
                (sine, cosine) = (bulge / length, corner / length);
                let base = diagonal[k + 1] - moved;
                let mixed = (diagonal[k] - base) * sine + 2.0 * cosine * side;
                moved = sine * mixed;
                diagonal[k + 1] = base + moved;
                corner = cosine * mixed - side;
            }
            beside[last] = 0.0;
            match split {
                // The matrix has come apart in the middle.
                Some(k) => diagonal[k + 1] -= moved,
                None => {
                    diagonal[first] -= moved;
                    beside[first] = corner;
                }
            }
        }
    }
    Ok(())
}

/// Eigenvalues and eigenvectors of a symmetric matrix.
///
/// ```
/// use linalg_core::eigen::symmetric_eigen;
///
/// let eigen = symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2)?;
/// let top = eigen.vector(1); // (1, 1)/√2
/// assert!((top[0] - 0.5f64.sqrt()).abs() < 1e-15 && (top[1] - 0.5f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// As [`symmetric_eigenvalues`].
///
/// # Panics
/// When `matrix.len()` is not `n * n`.
pub fn symmetric_eigen(matrix: &[f64], n: usize) -> Result<SymmetricEigen> {
    let scale = check(matrix, n)?;
    if scale == 0.0 {
        let mut vectors = vec![0.0; n * n];
        vectors.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
        return Ok(SymmetricEigen { values: vec![0.0; n], vectors });
    }
    // Scaled to a largest entry of 1: squares neither over- nor underflow.
    let scaled = DMatrix::from_iterator(n, n, matrix.iter().map(|x| x / scale));
    let iterations = 1000 + 100 * n;
    let Some(eigen) = nalgebra::SymmetricEigen::try_new(scaled, f64::EPSILON, iterations) else {
        return Err(Error::NotConverged { what: "symmetric eigenvalues", iterations });
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| eigen.eigenvalues[i].total_cmp(&eigen.eigenvalues[j]));
    let values = order.iter().map(|&k| eigen.eigenvalues[k] * scale).collect();
    let mut vectors = Vec::with_capacity(n * n);
    for &k in &order {
        let column = eigen.eigenvectors.column(k);
        let sign = if column[column.iamax()] < 0.0 { -1.0 } else { 1.0 };
        vectors.extend(column.iter().map(|x| sign * x));
    }
    Ok(SymmetricEigen { values, vectors })
}

/// Eigenvalues, ascending, and orthonormal eigenvectors of a Hermitian matrix.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HermitianEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenvectors, n × n row-major: row `k` belongs to `values[k]`.
    pub vectors: Vec<Complex64>,
}

impl HermitianEigen {
    /// The matrix $`f(H) = \sum_k f(\lambda_k) |k\rangle\langle k|`$, row-major; O(n³).
    pub fn function(&self, mut f: impl FnMut(f64) -> Complex64) -> Vec<Complex64> {
        let n = self.values.len();
        let mut out = vec![Complex64::new(0.0, 0.0); n * n];
        for (value, vector) in self.values.iter().zip(self.vectors.chunks_exact(n.max(1))) {
            let weight = f(*value);
            for (row, a) in out.chunks_exact_mut(n.max(1)).zip(vector) {
                let a = weight * a;
                row.iter_mut().zip(vector).for_each(|(o, b)| *o += a * b.conj());
            }
        }
        out
    }
}

/// Eigenvalues and eigenvectors of a Hermitian matrix, n × n row-major.
///
/// ```
/// use linalg_core::eigen::hermitian_eigen;
/// use linalg_core::num_complex::Complex64;
///
/// // σ_y has the eigenvalues ±1; its square is the identity.
/// let (zero, i) = (Complex64::new(0.0, 0.0), Complex64::new(0.0, 1.0));
/// let eigen = hermitian_eigen(&[zero, -i, i, zero], 2)?;
/// assert!((eigen.values[0] + 1.0).abs() < 1e-15 && (eigen.values[1] - 1.0).abs() < 1e-15);
/// let square = eigen.function(|x| (x * x).into());
/// assert!((square[0] - 1.0).norm() < 1e-14 && square[1].norm() < 1e-14);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for a NaN or infinite entry, [`Error::NotHermitian`] for an entry that differs from the conjugate of its
/// mirror image by more than $`10^{-10}`$ of the largest, and [`Error::NotConverged`] when the iteration stalls.
///
/// # Panics
/// When `matrix.len()` is not `n * n`.
pub fn hermitian_eigen(matrix: &[Complex64], n: usize) -> Result<HermitianEigen> {
    assert!(matrix.len() == n * n, "{} entries for a matrix of {n} rows", matrix.len());
    if let Some(index) = matrix.iter().position(|z| !z.is_finite()) {
        let value = if matrix[index].re.is_finite() { matrix[index].im } else { matrix[index].re };
        return Err(Error::NotFinite { what: "matrix", index, value });
    }
    let scale = matrix.iter().map(|z| z.re.abs().max(z.im.abs())).fold(0.0, f64::max);
    for row in 0..n {
        for column in 0..=row {
            let difference = (matrix[row * n + column] - matrix[column * n + row].conj()).norm();
            if difference > ASYMMETRY * scale {
                return Err(Error::NotHermitian { row, column, difference });
            }
        }
    }
    if scale == 0.0 {
        let mut vectors = vec![Complex64::new(0.0, 0.0); n * n];
        vectors.iter_mut().step_by(n + 1).for_each(|z| *z = 1.0.into());
        return Ok(HermitianEigen { values: vec![0.0; n], vectors });
    }
    // Row-major in, as for the real case scaled to a largest entry of 1.
    let scaled = DMatrix::from_row_iterator(n, n, matrix.iter().map(|z| z / scale));
    let iterations = 1000 + 100 * n;
    let Some(eigen) = nalgebra::SymmetricEigen::try_new(scaled, f64::EPSILON, iterations) else {
        return Err(Error::NotConverged { what: "Hermitian eigenvalues", iterations });
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| eigen.eigenvalues[i].total_cmp(&eigen.eigenvalues[j]));
    let values = order.iter().map(|&k| eigen.eigenvalues[k] * scale).collect();
    let vectors =
        order.iter().flat_map(|&k| eigen.eigenvectors.column(k).iter().copied().collect::<Vec<_>>()).collect();
    Ok(HermitianEigen { values, vectors })
}

/// The largest modulus among the entries of a matrix found fit.
fn check(matrix: &[f64], n: usize) -> Result<f64> {
    assert!(n.checked_mul(n) == Some(matrix.len()), "{} entries do not form a {n} x {n} matrix", matrix.len());
    if let Some(index) = matrix.iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "matrix", index, value: matrix[index] });
    }
    let largest = matrix.iter().fold(0f64, |m, x| m.max(x.abs()));
    for row in 0..n {
        for column in 0..row {
            let (lower, upper) = (matrix[row * n + column], matrix[column * n + row]);
            // Halves, because the difference of two large entries may overflow.
            if (0.5 * lower - 0.5 * upper).abs() > 0.5 * ASYMMETRY * largest {
                return Err(Error::NotSymmetric { row, column, lower, upper });
            }
        }
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Streams, standard_normal};

    fn verify(matrix: &[f64], n: usize) -> SymmetricEigen {
        let eigen = symmetric_eigen(matrix, n).unwrap();
        let scale = matrix.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs())) * n as f64;
        assert!(eigen.values.windows(2).all(|pair| pair[0] <= pair[1]));
        // Values alone come from another iteration.
        let values = symmetric_eigenvalues(matrix, n).unwrap();
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        for (a, b) in values.iter().zip(&eigen.values) {
            assert!((a - b).abs() <= 1e-14 * scale, "{a} {b}");
        }
        for k in 0..n {
            let v = eigen.vector(k);
            for i in 0..n {
                let product: f64 = (0..n).map(|j| matrix[i * n + j] * v[j]).sum();
                assert!((product - eigen.values[k] * v[i]).abs() <= 1e-14 * scale, "vector {k}");
            }
            for l in 0..=k {
                let overlap: f64 = v.iter().zip(eigen.vector(l)).map(|(a, b)| a * b).sum();
                assert!((overlap - f64::from(u8::from(k == l))).abs() < 1e-13, "{k} {l}");
            }
        }
        eigen
    }

    #[test]
    fn chain_laplacian() {
        // 2 on the diagonal, -1 beside it: 2 - 2 cos(k π/(n + 1)).
        for n in [1, 2, 3, 10, 64] {
            let mut matrix = vec![0.0; n * n];
            for i in 0..n {
                matrix[i * n + i] = 2.0;
                if i > 0 {
                    matrix[i * n + i - 1] = -1.0;
                    matrix[(i - 1) * n + i] = -1.0;
                }
            }
            let eigen = verify(&matrix, n);
            for (k, value) in eigen.values.iter().enumerate() {
                let angle = std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
                assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn random_degenerate_and_extreme() {
        let n = 40;
        let mut rng = Streams::new(80).stream(0);
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let x = standard_normal(&mut rng);
                (matrix[i * n + j], matrix[j * n + i]) = (x, x);
            }
        }
        let eigen = verify(&matrix, n);
        let trace: f64 = (0..n).map(|i| matrix[i * n + i]).sum();
        assert!((eigen.values.iter().sum::<f64>() - trace).abs() < 1e-12);
        for factor in [1e300, 1e-300, 1e-310] {
            let scaled: Vec<f64> = matrix.iter().map(|x| x * factor).collect();
            let values = symmetric_eigenvalues(&scaled, n).unwrap();
            // 1e-310 is subnormal: the entries themselves keep four digits.
            let tolerance = if factor < 1e-300 { 1e-3 } else { 1e-13 };
            for (a, b) in values.iter().zip(&eigen.values) {
                assert!((a / factor - b).abs() < tolerance * 20.0, "{factor:e}");
            }
        }
        // All ones: n once and 0 else. Identity and zero matrix: any basis.
        let ones = verify(&vec![1.0; n * n], n);
        assert!((ones.values[n - 1] - n as f64).abs() < 1e-12 && ones.values[n - 2].abs() < 1e-13);
        let identity: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(k % (n + 1) == 0))).collect();
        assert!(verify(&identity, n).values.iter().all(|x| (x - 1.0).abs() < 1e-15));
        assert!(verify(&vec![0.0; n * n], n).values.iter().all(|x| *x == 0.0));
        assert!(symmetric_eigenvalues(&[], 0).unwrap().is_empty());
    }

    #[test]
    fn bad_input() {
        assert!(matches!(
            symmetric_eigenvalues(&[1.0, 2.0, 3.0, 4.0], 2),
            Err(Error::NotSymmetric { row: 1, column: 0, .. })
        ));
        assert!(matches!(
            symmetric_eigen(&[1.0, f64::NAN, f64::NAN, 1.0], 2),
            Err(Error::NotFinite { what: "matrix", index: 1, .. })
        ));
        // Rounding is no asymmetry.
        assert!(symmetric_eigenvalues(&[1.0, 0.1 + 0.2, 0.3, 1.0], 2).is_ok());
    }

    #[test]
    #[should_panic(expected = "3 entries do not form a 2 x 2 matrix")]
    fn wrong_length() {
        let _ = symmetric_eigenvalues(&[1.0, 0.0, 1.0], 2);
    }

    #[test]
    fn hermitian_matrices_are_rebuilt_from_their_parts() {
        for n in [1usize, 2, 5, 16] {
            let entry = |i: usize, j: usize| ((3 * i + 7 * j + 1) as f64).sin();
            let matrix: Vec<Complex64> = (0..n * n)
                .map(|k| {
                    let (i, j) = (k / n, k % n);
                    Complex64::new(entry(i, j) + entry(j, i), entry(i, j) - entry(j, i))
                })
                .collect();
            let eigen = hermitian_eigen(&matrix, n).unwrap();
            let again = eigen.function(Complex64::from);
            assert!(again.iter().zip(&matrix).all(|(a, b)| (a - b).norm() < 1e-12), "{n}");
            let one = eigen.function(|_| 1.0.into());
            assert!((0..n * n).all(|k| (one[k] - f64::from(u8::from(k / n == k % n))).norm() < 1e-12));
            assert!(eigen.values.windows(2).all(|pair| pair[0] <= pair[1]));
        }
        let one = Complex64::new(1.0, 0.0);
        assert!(hermitian_eigen(&[one * 0.0; 4], 2).unwrap().values.iter().all(|x| *x == 0.0));
        let error = hermitian_eigen(&[one, one, -one, one], 2);
        assert!(matches!(error, Err(Error::NotHermitian { row: 1, column: 0, .. })));
        assert!(matches!(hermitian_eigen(&[one * f64::NAN], 1), Err(Error::NotFinite { .. })));
    }
}
