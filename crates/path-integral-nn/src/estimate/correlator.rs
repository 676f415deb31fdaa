//! Correlation functions in time, effective masses and the generalised eigenvalue problem.

use linalg_core::stats::{Estimate, autocorrelation_time, jackknife};

use super::regression::{fitted_columns, residuals};
use crate::error::{Error, Result};

/// Sums of $`u_i(0)\,u_j(t)`$ for $`u_1 = u`$ and $`u_2 = u^3`$, in bins of consecutive samples.
///
/// A bin holds the sums of the products 11, 12 and 22 for every lag, then of both operators, then of control variates: numbers
/// whose mean is zero by the equation of motion.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Correlators {
    pub(super) lags: usize,
    pub(super) reference_lag: usize,
    pub(super) step: f64,
    pub(super) hbar: f64,
    /// Length of the ring in slices; 0 for open paths.
    pub(super) ring: usize,
    /// Number of control variates.
    pub(super) variates: usize,
    pub(super) bins: Vec<Vec<f64>>,
    pub(super) counts: Vec<f64>,
}

/// Fewest bins for a jackknife.
const LEAST_BINS: usize = 8;

/// Fewest bins for each control variate.
const BINS_A_VARIATE: usize = 8;

/// Fewest bins for an error that knows of their autocorrelation.
const LONG_SERIES: usize = 64;

impl Correlators {
    pub(super) fn width(&self) -> usize {
        self.first_variate() + self.variates
    }

    pub(super) fn first_variate(&self) -> usize {
        3 * self.lags + 2
    }

    /// The lags of the two matrices of [`gap`](Self::gap).
    pub(super) fn gap_lags(&self) -> Option<[usize; 2]> {
        let lags = [self.reference_lag, 2 * self.reference_lag];
        (lags[0] > 0 && lags[1] < self.lags).then_some(lags)
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

    fn evaluate(&self, function: impl FnMut(&[f64]) -> f64) -> Result<Estimate> {
        Ok(self.evaluate_with(function, false)?[0])
    }

    /// A function of the means, plain and, if asked for, with the control variates taken off.
    ///
    /// The jackknife's pseudo-values $`n\theta - (n-1)\theta_{(i)}`$ are a series whose mean is the estimate: what the control variates
    /// explain of it goes, and its autocorrelation time belongs to the error.
    fn evaluate_with(&self, mut function: impl FnMut(&[f64]) -> f64, reduce: bool) -> Result<Vec<Estimate>> {
        let (rows, width) = (self.rows()?, self.width());
        let mut values = Vec::new();
        let jackknife = jackknife(&rows, width, |means| {
            values.push(function(means));
            values[values.len() - 1]
        })?;
        let n = jackknife.blocks;
        let mut out = vec![jackknife.estimate()];
        // The value of all bins is the one that is not of a bin left out.
        let place = values.iter().position(|v| v.to_bits() == jackknife.value.to_bits()).unwrap_or(0);
        values.remove(place);
        if n < LONG_SERIES || values.iter().any(|v| !v.is_finite()) {
            return Ok(out);
        }
        let pseudo: Vec<f64> = values.iter().map(|v| n as f64 * jackknife.value - (n - 1) as f64 * v).collect();
        out[0] = autocorrelation_time(&pseudo)?.estimate();
        if reduce && self.variates > 0 {
            let variates: Vec<f64> =
                rows.chunks_exact(width).flat_map(|row| row[self.first_variate()..].iter().copied()).collect();
            let fitted = fitted_columns(n, self.variates, BINS_A_VARIATE);
            let left = residuals(&pseudo, &variates, self.variates, BINS_A_VARIATE)?;
            let mut estimate = autocorrelation_time(&left)?.estimate();
            // What a fit of few bins takes off by chance.
            estimate.std_error = estimate.std_error.map(|e| e * (n as f64 / (n - fitted) as f64).sqrt());
            out.push(estimate);
        }
        Ok(out)
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
        (0..self.lags.saturating_sub(1))
            .take_while(|lag| *lag < half)
            .map(|lag| {
                let of = |means: &[f64]| {
                    self.energy(self.matrix(means, lag + 1)[0] / self.matrix(means, lag)[0], lag, lag + 1)
                };
                match self.evaluate(of) {
                    Err(Error::Core(linalg_core::Error::NotFinite { .. })) => Ok(Estimate::new(f64::NAN, f64::NAN)),
                    other => other,
                }
            })
            .collect()
    }

    /// $`E_1 - E_0`$ from both operators: $`C(2t_0)\,v = \lambda\, C(t_0)\,v`$, with $`t_0`$ about one period of the reference over
    /// $`2\pi`$. What is left of higher states falls as $`e^{-(E_5 - E_0)t_0}`$ in a symmetric well.
    ///
    /// With control variates recorded, those of the two lags are taken off: the equation of motion relates $`u_0\,u_t`$ to
    /// $`u_0`$ times the force around $`t`$, which knows the same noise. [`gap_plain`](Self::gap_plain) is without.
    ///
    /// # Errors
    /// As [`connected`](Self::connected); [`Error::NotApplicable`] when paths are too short for two lags.
    pub fn gap(&self) -> Result<Estimate> {
        let estimates = self.gaps()?;
        Ok(estimates[estimates.len() - 1])
    }

    /// [`gap`](Self::gap) without control variates.
    ///
    /// # Errors
    /// As [`gap`](Self::gap).
    pub fn gap_plain(&self) -> Result<Estimate> {
        Ok(self.gaps()?[0])
    }

    fn gaps(&self) -> Result<Vec<Estimate>> {
        let Some([from, to]) = self.gap_lags() else {
            let reason = "the window is shorter than two periods of the reference over 2 pi: take a longer time";
            return Err(Error::NotApplicable { what: "the gap", reason });
        };
        self.evaluate_with(
            |means| self.energy(largest_root(self.matrix(means, from), self.matrix(means, to)), from, to),
            true,
        )
    }
}

/// The larger root of $`\det(C - \lambda C_0) = 0`$ for symmetric matrices by their entries 11, 12, 22.
fn largest_root([a, b, c]: [f64; 3], [p, q, r]: [f64; 3]) -> f64 {
    let (x, y, z) = (a * c - b * b, 2.0 * b * q - a * r - p * c, p * r - q * q);
    let root = (y * y - 4.0 * x * z).max(0.0).sqrt();
    if x.abs() > 1e-13 * a * c { (-y + root) / (2.0 * x) } else { p / a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::TransferMatrix;
    use crate::{Polynomial, Rule, System};

    #[test]
    fn what_higher_states_leave_in_the_gap() {
        // Exact correlators of the lattice: the gap from two lags of 0.5 and 1.0 is that of the lattice but for the fifth state.
        let step = 0.1;
        let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
        let lattice = TransferMatrix::new(&system, Rule::TakahashiImada, step).unwrap();
        let overlap = |k: usize, p: i32| -> f64 {
            let (x, a, b) = (lattice.points(), lattice.wave_function(0), lattice.wave_function(k));
            (0..x.len()).map(|i| a[i] * x[i].powi(p) * b[i]).sum::<f64>() * (x[1] - x[0])
        };
        let states: Vec<[f64; 3]> =
            (1..10).map(|k| [lattice.energy(k) - lattice.energy(0), overlap(k, 1), overlap(k, 3)]).collect();
        let matrix = |t: f64| {
            states.iter().fold([0.0; 3], |sum, [e, u, v]| {
                let weight = (-e * t).exp();
                [sum[0] + weight * u * u, sum[1] + weight * u * v, sum[2] + weight * v * v]
            })
        };
        let of_two = -largest_root(matrix(0.5), matrix(1.0)).ln() / 0.5;
        assert!((of_two - lattice.gap()).abs() < 2e-6, "{of_two} {}", lattice.gap());
        // One operator alone is further away.
        let of_one = (matrix(0.5)[0] / matrix(1.0)[0]).ln() / 0.5;
        assert!((of_one - lattice.gap()) > 1e-4, "{of_one}");
    }
}
