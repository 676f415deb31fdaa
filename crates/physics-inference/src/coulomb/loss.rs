//! Losses of data under the covariance, and their gradients.

use std::f64::consts::PI;

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::CoulombCovariance;
use crate::{Result, check};

impl<const D: usize> CoulombCovariance<D> {
    /// The Gaussian loss of data with second moments `s`, eqs. (22) to (26) without the prior.
    ///
    /// ```math
    /// L = \tfrac12 \ln\det(2\pi K) + \tfrac12 \operatorname{tr}(K^{-1} S)
    /// ```
    ///
    /// $`S = E[x x^T]`$ is measured; n × n row-major. $`K`$ is a covariance at *equal* times: eq. (22) has dropped the
    /// conditioning on the step before, and so this loss by itself predicts nothing.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) and [`NotFinite`](crate::Error::NotFinite) for an entry of `s`.
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn loss_exact(&self, s: &[f64]) -> Result<f64> {
        self.check_moments(s)?;
        let factor = self.factor()?;
        let n = self.len();
        let mut trace = 0.0;
        let mut row = vec![0.0; n];
        for i in 0..n {
            // Row i of S is column i of it: the i-th element of K⁻¹ S e_i.
            (0..n).for_each(|k| row[k] = s[k * n + i]);
            factor.solve(&mut row);
            trace += row[i];
        }
        Ok(0.5 * (n as f64 * (2.0 * PI).ln() + factor.ln_det() + trace))
    }

    /// The loss to second order, for data whose variances are the masses.
    ///
    /// ```math
    /// L_2 = \tfrac12 \sum_i \Bigl[\ln(2\pi m_i) + \frac{S_{ii}}{m_i}\Bigr]
    ///     + \tfrac14 \sum_{i \ne j} \frac{K_{ij}^2 - 2 K_{ij} S_{ij}}{m_i m_j}
    /// ```
    ///
    /// Up to a constant this is $`\tfrac14\sum_{i\ne j}(K_{ij} - S_{ij})^2/(m_i m_j)`$, matching of covariances: for a pair with
    /// $`S_{ij} q_i q_j > 0`$ a Coulomb attraction with a core of $`1/r^2`$ (Kratzer's potential), least at
    /// $`r_{ij} = q_i q_j/S_{ij}`$ where nothing is softened. Eq. (60) keeps the linear term only; see
    /// [`Self::loss_printed_order1`]. $`O(N^2)`$.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for an entry of `s`.
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn loss_order2(&self, s: &[f64]) -> Result<f64> {
        let quadratic = |k: f64, s: f64| k * k - 2.0 * k * s;
        self.expanded_loss(s, quadratic)
    }

    /// The loss as eq. (60) has it: the first-order trace and no second-order determinant.
    ///
    /// Linear in $`K`$ and so without a lower bound: particles with $`S_{ij} q_i q_j > 0`$ fall into each other, the others fly
    /// away. Kept for comparison (5.3163 against the exact 5.3452 and the second-order 5.3444 in the test case).
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for an entry of `s`.
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn loss_printed_order1(&self, s: &[f64]) -> Result<f64> {
        let linear = |k: f64, s: f64| -2.0 * k * s;
        self.expanded_loss(s, linear)
    }

    fn expanded_loss(&self, s: &[f64], pair: impl Fn(f64, f64) -> f64) -> Result<f64> {
        self.check_moments(s)?;
        let n = self.len();
        let m = self.masses();
        let mut loss = 0.0;
        for i in 0..n {
            loss += 0.5 * ((2.0 * PI * m[i]).ln() + s[i * n + i] / m[i]);
            for j in 0..i {
                let mean = 0.5 * (s[i * n + j] + s[j * n + i]);
                loss += 0.5 * pair(self.off_diagonal(i, j), mean) / (m[i] * m[j]);
            }
        }
        Ok(loss)
    }

    /// Gradient of [`Self::loss_exact`] with respect to the positions, with the loss.
    ///
    /// $`\partial L/\partial K = \tfrac12 (K^{-1} - K^{-1} S K^{-1})`$, then the chain rule. $`O(N^3)`$.
    ///
    /// # Errors
    /// As [`Self::loss_exact`].
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn grad_positions_exact(&self, s: &[f64]) -> Result<(f64, Vec<[f64; D]>)> {
        self.check_moments(s)?;
        let n = self.len();
        let factor = self.factor()?;
        let inverse = factor.inverse();
        let product = |a: &[f64], b: &[f64]| {
            let mut c = vec![0.0; n * n];
            let matrix = |x| Matrix::row_major(x, n, n);
            gemm(1.0, matrix(a), matrix(b), 0.0, MatrixMut::row_major(&mut c, n, n));
            c
        };
        let inverse_s = product(&inverse, s);
        let trace: f64 = (0..n).map(|i| inverse_s[i * n + i]).sum();
        let sandwich = product(&inverse_s, &inverse);
        let loss = 0.5 * (n as f64 * (2.0 * PI).ln() + factor.ln_det() + trace);
        let slope = |i: usize, j: usize| inverse[i * n + j] - 0.5 * (sandwich[i * n + j] + sandwich[j * n + i]);
        Ok((loss, self.chain(slope)))
    }

    /// Gradient of [`Self::loss_order2`] with respect to the positions, with the loss. $`O(N^2)`$.
    ///
    /// # Errors
    /// [`NotFinite`](crate::Error::NotFinite) for an entry of `s`.
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn grad_positions_order2(&self, s: &[f64]) -> Result<(f64, Vec<[f64; D]>)> {
        let loss = self.loss_order2(s)?;
        let n = self.len();
        let m = self.masses();
        let slope =
            |i: usize, j: usize| (self.off_diagonal(i, j) - 0.5 * (s[i * n + j] + s[j * n + i])) / (m[i] * m[j]);
        Ok((loss, self.chain(slope)))
    }

    /// From the derivative with respect to a pair's $`K_{ij} = K_{ji}`$ to positions: $`\partial k/\partial r_i = -k^3 (r_i - r_j)`$.
    pub(crate) fn chain(&self, slope: impl Fn(usize, usize) -> f64) -> Vec<[f64; D]> {
        let n = self.len();
        let q = self.charges();
        let mut gradient = vec![[0.0; D]; n];
        for i in 0..n {
            for j in 0..i {
                let (difference, k) = self.pair(i, j);
                let factor = -slope(i, j) * q[i] * q[j] * k * k * k;
                for d in 0..D {
                    gradient[i][d] += factor * difference[d];
                    gradient[j][d] -= factor * difference[d];
                }
            }
        }
        gradient
    }

    pub(crate) fn check_moments(&self, s: &[f64]) -> Result<()> {
        let n = self.len();
        assert_eq!(s.len(), n * n, "{} second moments for {n} particles", s.len());
        // The index counts n i + j.
        check::finite("second moment", s)
    }
}
