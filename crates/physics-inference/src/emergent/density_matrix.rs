//! Pure and mixed states.

use linalg_core::eigen::hermitian_eigen;
use linalg_core::num_complex::Complex64;

use super::matrix::{ZERO, adjoint, check_size, conjugate, product, trace};
use crate::{Error, Result};

/// Allowed deviation of the trace from 1 and of eigenvalues below 0.
const TOLERANCE: f64 = 1e-10;

/// A density matrix $`\rho`$ of `n` positions, (43) and (46).
///
/// ```
/// use physics_inference::emergent::DensityMatrix;
///
/// let mixed = DensityMatrix::mixture(&[0.5, 0.5])?;
/// assert!((mixed.purity() - 0.5).abs() < 1e-15 && (mixed.entropy()? - 2f64.ln()).abs() < 1e-14);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DensityMatrix {
    n: usize,
    entries: Vec<Complex64>,
}

impl DensityMatrix {
    /// A matrix of `n` rows, row-major. O(n³).
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for none, [`linalg_core::Error::NotHermitian`], [`Error::Parameter`] for a trace other than 1
    /// or a negative eigenvalue, beyond $`10^{-10}`$.
    ///
    /// # Panics
    /// When there are not `n * n` entries.
    pub fn new(entries: &[Complex64], n: usize) -> Result<Self> {
        check_size(entries, n);
        if n == 0 {
            return Err(linalg_core::Error::Empty { what: "density matrix" }.into());
        }
        let lowest = hermitian_eigen(entries, n)?.values[0];
        if lowest < -TOLERANCE {
            return Err(Error::Parameter { what: "eigenvalue of the density matrix", value: lowest, expected: ">= 0" });
        }
        let value = trace(entries, n).re;
        if (value - 1.0).abs() > TOLERANCE {
            return Err(Error::Parameter { what: "trace of the density matrix", value, expected: "1" });
        }
        Ok(Self { n, entries: entries.to_vec() })
    }

    /// A mixture of positions, (43): diagonal.
    ///
    /// # Errors
    /// As [`DensityMatrix::new`] for what are no probabilities.
    pub fn mixture(probabilities: &[f64]) -> Result<Self> {
        let diagonal: Vec<Complex64> = probabilities.iter().map(|p| (*p).into()).collect();
        Self::new(&super::matrix::diagonal(&diagonal), probabilities.len())
    }

    /// The pure state of a vector, which is normalised.
    ///
    /// # Errors
    /// As [`DensityMatrix::new`]; [`Error::Parameter`] for a vector of zeros.
    pub fn pure(psi: &[Complex64]) -> Result<Self> {
        let norm: f64 = psi.iter().map(Complex64::norm_sqr).sum();
        if norm == 0.0 && !psi.is_empty() {
            return Err(Error::Parameter { what: "norm of the state", value: norm, expected: "a number > 0" });
        }
        let entries: Vec<Complex64> = psi.iter().flat_map(|a| psi.iter().map(move |b| a * b.conj() / norm)).collect();
        Self::new(&entries, psi.len())
    }

    /// Number of positions.
    pub fn n_positions(&self) -> usize {
        self.n
    }

    /// The entries, row-major.
    pub fn entries(&self) -> &[Complex64] {
        &self.entries
    }

    /// $`U\rho U^\dagger`$. O(n³).
    ///
    /// # Errors
    /// [`Error::IncompletePovm`] when `unitary` is not.
    ///
    /// # Panics
    /// When `unitary` has another size.
    pub fn evolve(&self, unitary: &[Complex64]) -> Result<Self> {
        check_size(unitary, self.n);
        super::povm::check_complete(&[unitary.to_vec()], self.n, TOLERANCE)?;
        Ok(Self { n: self.n, entries: conjugate(unitary, &self.entries, self.n) })
    }

    /// Probabilities of the positions: the diagonal.
    pub fn probabilities(&self) -> Vec<f64> {
        self.entries.iter().step_by(self.n + 1).map(|z| z.re).collect()
    }

    /// $`\mathrm{tr}\,\rho^2`$, 1 for a pure state and $`1/n`$ for the even mixture.
    pub fn purity(&self) -> f64 {
        self.entries.iter().map(Complex64::norm_sqr).sum()
    }

    /// Von Neumann's entropy $`-\mathrm{tr}\,\rho\ln\rho`$ in nats. O(n³).
    ///
    /// # Errors
    /// [`linalg_core::Error::NotConverged`], which no matrix is known to cause.
    pub fn entropy(&self) -> Result<f64> {
        let values = hermitian_eigen(&self.entries, self.n)?.values;
        Ok(-values.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>())
    }

    /// $`\mathrm{tr}\,(O\rho O^\dagger)`$.
    pub(super) fn probability(&self, operator: &[Complex64]) -> f64 {
        let half = product(operator, &self.entries, self.n);
        let back = adjoint(operator, self.n);
        let mut sum = ZERO;
        for (i, row) in half.chunks_exact(self.n).enumerate() {
            sum += row.iter().zip(back.iter().skip(i).step_by(self.n)).map(|(a, b)| a * b).sum::<Complex64>();
        }
        sum.re
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input() {
        let one = Complex64::new(1.0, 0.0);
        assert!(DensityMatrix::new(&[], 0).is_err());
        assert!(DensityMatrix::new(&[one, one, -one, one], 2).is_err());
        assert!(DensityMatrix::mixture(&[0.5, 0.4]).is_err() && DensityMatrix::mixture(&[1.5, -0.5]).is_err());
        assert!(DensityMatrix::mixture(&[f64::NAN]).is_err());
        assert!(DensityMatrix::pure(&[one * 0.0; 2]).is_err() && DensityMatrix::pure(&[]).is_err());
        let state = DensityMatrix::pure(&[one, one]).unwrap();
        assert!((state.purity() - 1.0).abs() < 1e-15 && state.entropy().unwrap().abs() < 1e-12);
        assert!(matches!(state.evolve(&[one; 4]), Err(Error::IncompletePovm { .. })));
    }
}
