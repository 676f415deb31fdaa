//! Correlation functions in time, effective masses and the generalised eigenvalue problem.

use linalg_core::stats::{Estimate, jackknife};

use crate::error::{Error, Result};

/// Sums of $`u_i(0)\,u_j(t)`$ for $`u_1 = u`$ and $`u_2 = u^3`$, in bins of consecutive samples.
///
/// A bin holds the sums of the products 11, 12 and 22 for every lag, then of both operators.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Correlators {
    pub(super) lags: usize,
    pub(super) reference_lag: usize,
    pub(super) step: f64,
    pub(super) hbar: f64,
    /// Length of the ring in slices; 0 for open paths.
    pub(super) ring: usize,
    pub(super) bins: Vec<Vec<f64>>,
    pub(super) counts: Vec<f64>,
}

/// Fewest bins for a jackknife.
const LEAST_BINS: usize = 8;

impl Correlators {
    pub(super) fn width(&self) -> usize {
        3 * self.lags + 2
    }

    /// Number of lags, 0 included.
    pub fn n_lags(&self) -> usize {
        self.lags
    }

    /// Means of all bins, a row for each bin with samples.
    fn rows(&self) -> Result<Vec<f64>> {
        let used: Vec<usize> = (0..self.bins.len()).filter(|&b| self.counts[b] > 0.0).collect();
        if used.len() < LEAST_BINS {
            let expected = "at least 8 bins with samples: run longer or with more chains";
            return Err(Error::Parameter { what: "bins of the correlator", value: used.len() as f64, expected });
        }
        Ok(used.iter().flat_map(|&b| self.bins[b].iter().map(move |x| x / self.counts[b])).collect())
    }

    fn evaluate(&self, mut function: impl FnMut(&[f64]) -> f64) -> Result<Estimate> {
        Ok(jackknife(&self.rows()?, self.width(), |means| function(means))?.estimate())
    }

    /// The connected matrix at a lag.
    fn matrix(&self, means: &[f64], lag: usize) -> [f64; 3] {
        let [a, b] = [means[3 * self.lags], means[3 * self.lags + 1]];
        let at = |k: usize| means[3 * lag + k];
        [at(0) - a * a, at(1) - a * b, at(2) - b * b]
    }

    /// $`\langle u_0 u_t\rangle - \langle u\rangle^2`$ at every lag, in units of the coordinate squared.
    ///
    /// # Errors
    /// [`Error::Parameter`] with fewer than eight bins of samples.
    pub fn connected(&self) -> Result<Vec<Estimate>> {
        (0..self.lags).map(|lag| self.evaluate(|means| self.matrix(means, lag)[0])).collect()
    }

    /// The energy that a ratio of correlators at two lags stands for: $`e^{-E(t-t_0)}`$, or hyperbolic cosines on a ring.
    fn energy(&self, ratio: f64, from: usize, to: usize) -> f64 {
        if !(ratio > 0.0 && ratio < 1.0) {
            return f64::NAN;
        }
        let first = -ratio.ln() / (to - from) as f64;
        if self.ring == 0 {
            return self.hbar * first / self.step;
        }
        // cosh(e(N/2 - t))/cosh(e(N/2 - t₀)) falls with e: bisection.
        let half = 0.5 * self.ring as f64;
        let ln_cosh = |x: f64| x.abs() + (-2.0 * x.abs()).exp().ln_1p();
        let excess = |e: f64| ln_cosh(e * (half - to as f64)) - ln_cosh(e * (half - from as f64)) - ratio.ln();
        let (mut low, mut high) = (0.0, 4.0 * first + 1.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
        self.hbar * 0.5 * (low + high) / self.step
    }

    /// $`\ln[C(t)/C(t+1)]\,\hbar/\Delta`$ of the coordinate itself, on a ring by hyperbolic cosines; NaN where noise wins.
    ///
    /// # Errors
    /// As [`connected`](Self::connected).
    pub fn effective_mass(&self) -> Result<Vec<Estimate>> {
        let half = if self.ring == 0 { usize::MAX } else { self.ring / 2 };
        (0..self.lags - 1)
            .take_while(|lag| *lag < half)
            .map(|lag| {
                self.evaluate(|means| {
                    self.energy(self.matrix(means, lag + 1)[0] / self.matrix(means, lag)[0], lag, lag + 1)
                })
            })
            .collect()
    }

    /// $`E_1 - E_0`$ from both operators: $`C(2t_0)\,v = \lambda\, C(t_0)\,v`$, with $`t_0`$ about one period of the reference over
    /// $`2\pi`$. What is left of higher states falls as $`e^{-(E_3' - E_0)t_0}`$.
    ///
    /// # Errors
    /// As [`connected`](Self::connected); [`Error::NotApplicable`] when paths are too short for two lags.
    pub fn gap(&self) -> Result<Estimate> {
        let (from, to) = (self.reference_lag, 2 * self.reference_lag);
        if from == 0 || to >= self.lags {
            let reason = "the window is shorter than two periods of the reference over 2 pi: take a longer time";
            return Err(Error::NotApplicable { what: "the gap", reason });
        }
        self.evaluate(|means| {
            let ([a, b, c], [p, q, r]) = (self.matrix(means, from), self.matrix(means, to));
            // det(C(t) - λ C(t₀)) = 0, the larger root.
            let (x, y, z) = (a * c - b * b, 2.0 * b * q - a * r - p * c, p * r - q * q);
            let root = (y * y - 4.0 * x * z).max(0.0).sqrt();
            let ratio = if x.abs() > 1e-13 * a * c { (-y + root) / (2.0 * x) } else { p / a };
            self.energy(ratio, from, to)
        })
    }
}
