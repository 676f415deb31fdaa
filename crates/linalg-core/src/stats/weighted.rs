//! Averages over weighted samples.

use crate::merge::{Merge, MergeError};

use super::Estimate;

/// Self-normalised importance-sampling average from log-weights, in one pass and mergeable.
///
/// For samples $`x_i`$ with weights $`w_i = e^{\ell_i}`$, known up to a common factor,
///
/// ```math
/// \bar x = \frac{\sum_i w_i x_i}{\sum_i w_i}, \qquad
/// \sigma^2 = \frac{n_{\mathrm{eff}}}{n_{\mathrm{eff}} - 1} \, \frac{\sum_i w_i^2 (x_i - \bar x)^2}{(\sum_i w_i)^2}, \qquad
/// n_{\mathrm{eff}} = \frac{(\sum_i w_i)^2}{\sum_i w_i^2} .
/// ```
///
/// The error is that of the ratio of two means (delta method; Owen, "Monte Carlo theory, methods and examples",
/// chapter 9) with the small-sample factor that makes it $`s^2/n`$ for equal weights, and infinite when one sample
/// holds all the weight. It is an estimate from the weights seen: with a small [`effective_sample_size`](
/// Self::effective_sample_size) the samples that matter may not have been drawn, and no error from within shows it.
/// Samples must be independent. Constant memory; one exponential a sample.
///
/// A log-weight of `-inf` counts as a sample and adds nothing; NaN and `+inf` make the result NaN.
///
/// ```
/// use linalg_core::stats::WeightedMean;
///
/// let mut mean = WeightedMean::new();
/// mean.push(3f64.ln() - 5000.0, 2.0);
/// mean.push(1f64.ln() - 5000.0, 6.0);
/// assert!((mean.mean() - 3.0).abs() < 1e-12);
/// assert!((mean.effective_sample_size() - 16.0 / 10.0).abs() < 1e-12);
/// assert!((mean.ln_mean_weight().value - (2f64.ln() - 5000.0)).abs() < 1e-11);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WeightedMean {
    count: u64,
    /// Largest log-weight so far; all sums below are relative to it. `f64::MIN` before the first.
    ln_scale: f64,
    /// Sums with the weights and with their squares.
    first: Moments,
    second: Moments,
}

/// Σw, the w-weighted mean, and Σ w (x - mean)².
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Moments {
    sum: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn scale(&mut self, factor: f64) {
        self.sum *= factor;
        self.squares *= factor;
    }

    fn add(&mut self, other: &Self) {
        if other.sum == 0.0 {
            return;
        }
        let sum = self.sum + other.sum;
        let delta = other.mean - self.mean;
        self.mean += delta * (other.sum / sum);
        self.squares += other.squares + delta * delta * (self.sum / sum) * other.sum;
        self.sum = sum;
    }
}

impl Default for WeightedMean {
    fn default() -> Self {
        Self::new()
    }
}

impl WeightedMean {
    /// No samples.
    pub fn new() -> Self {
        Self { count: 0, ln_scale: f64::MIN, first: Moments::default(), second: Moments::default() }
    }

    /// Adds the value `x` with weight $`e^{\ell}`$.
    pub fn push(&mut self, ln_weight: f64, x: f64) {
        self.count += 1;
        let one = Moments { sum: 1.0, mean: x, squares: 0.0 };
        self.add_scaled(ln_weight, one, one);
    }

    fn add_scaled(&mut self, ln_scale: f64, mut first: Moments, mut second: Moments) {
        if ln_scale == f64::NEG_INFINITY {
            return;
        }
        if ln_scale > self.ln_scale {
            let factor = (self.ln_scale - ln_scale).exp();
            self.first.scale(factor);
            self.second.scale(factor * factor);
            self.ln_scale = ln_scale;
        }
        // NaN for a NaN or +inf log-weight, which then fills every sum.
        let factor = (ln_scale - self.ln_scale).exp();
        first.scale(factor);
        second.scale(factor * factor);
        self.first.add(&first);
        self.second.add(&second);
    }

    /// Number of samples, those of weight 0 included.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Weighted mean; NaN while all weights are 0.
    pub fn mean(&self) -> f64 {
        if self.first.sum == 0.0 { f64::NAN } else { self.first.mean }
    }

    /// Variance of `x` under the weights, $`\sum_i w_i (x_i - \bar x)^2 / \sum_i w_i`$; NaN while all weights are 0.
    pub fn variance(&self) -> f64 {
        self.first.squares / self.first.sum
    }

    /// $`(\sum w)^2 / \sum w^2`$, between 1 and the number of samples; 0 while all weights are 0.
    pub fn effective_sample_size(&self) -> f64 {
        if self.first.sum == 0.0 {
            return 0.0;
        }
        self.first.sum * self.first.sum / self.second.sum
    }

    /// Standard error of the mean; infinite when one sample holds all the weight, NaN without samples.
    pub fn std_error(&self) -> f64 {
        if self.first.sum == 0.0 {
            return f64::NAN;
        }
        let n = self.effective_sample_size();
        if n <= 1.0 {
            return f64::INFINITY;
        }
        let shift = self.second.mean - self.first.mean;
        let squares = self.second.squares + self.second.sum * shift * shift;
        (squares * n / (n - 1.0)).sqrt() / self.first.sum
    }

    /// Mean with its error.
    pub fn estimate(&self) -> Estimate {
        Estimate { value: self.mean(), std_error: (self.effective_sample_size() > 0.0).then(|| self.std_error()) }
    }

    /// $`\ln \frac1n \sum_i w_i`$ with its error to first order, $`\sqrt{(n/n_{\mathrm{eff}} - 1)/(n-1)}`$.
    ///
    /// This is the log of a ratio of partition functions in importance sampling and annealed importance sampling. By
    /// Jensen's inequality its expectation lies below the truth, by about half the squared error. `-inf` when all
    /// weights are 0, NaN without samples; no error for fewer than two samples.
    pub fn ln_mean_weight(&self) -> Estimate {
        if self.count == 0 {
            return Estimate::exact(f64::NAN);
        }
        let n = self.count as f64;
        let value = self.ln_scale + (self.first.sum / n).ln();
        let defined = self.count >= 2 && self.first.sum != 0.0;
        let relative_variance = (n / self.effective_sample_size() - 1.0) / (n - 1.0);
        Estimate {
            value,
            // Rounding can bring equal weights a little below 0; a NaN must pass.
            std_error: defined.then(|| if relative_variance < 0.0 { 0.0 } else { relative_variance.sqrt() }),
        }
    }
}

impl Merge for WeightedMean {
    /// Never fails: the result is that of the pooled sample, up to rounding. Weights of both must have the same
    /// normalisation.
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        self.count += other.count;
        if other.first.sum != 0.0 {
            self.add_scaled(other.ln_scale, other.first, other.second);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Streams, standard_normal};
    use crate::stats::Running;
    use approx::assert_relative_eq;

    #[test]
    fn equal_weights_are_a_plain_mean() {
        let values = [1.0, 4.0, -2.0, 7.5, 3.0];
        let plain: Running = values.into_iter().collect();
        let mut weighted = WeightedMean::new();
        values.iter().for_each(|&x| weighted.push(-800.0, x));
        assert_relative_eq!(weighted.mean(), plain.mean(), max_relative = 1e-14);
        assert_relative_eq!(weighted.std_error(), plain.std_error(), max_relative = 1e-14);
        assert_relative_eq!(weighted.variance(), plain.central_moment(2), max_relative = 1e-14);
        assert_relative_eq!(weighted.effective_sample_size(), 5.0, max_relative = 1e-15);
        let ln_mean = weighted.ln_mean_weight();
        assert_relative_eq!(ln_mean.value, -800.0);
        assert!(ln_mean.std_error.unwrap() < 1e-7);
    }

    #[test]
    fn two_pass_formula_and_merge() {
        let mut rng = Streams::new(40).stream(0);
        let data: Vec<(f64, f64)> = (0..300)
            .map(|k| (5.0 * standard_normal(&mut rng) + 0.1 * f64::from(k), standard_normal(&mut rng) + 1e3))
            .collect();
        let sum = |f: &dyn Fn(f64, f64) -> f64| data.iter().map(|&(l, x)| f(l.exp(), x)).sum::<f64>();
        let total = sum(&|w, _| w);
        let mean = sum(&|w, x| w * x) / total;
        let n_eff = total * total / sum(&|w, _| w * w);
        let error = (sum(&|w, x| (w * (x - mean)).powi(2)) * n_eff / (n_eff - 1.0)).sqrt() / total;

        let collect = |part: &[(f64, f64)]| {
            let mut mean = WeightedMean::new();
            part.iter().for_each(|&(l, x)| mean.push(l, x));
            mean
        };
        let mut merged = collect(&data[..100]);
        merged.merge(&WeightedMean::new()).unwrap();
        merged.merge(&collect(&data[100..])).unwrap();
        for result in [collect(&data), merged] {
            assert_eq!(result.count(), 300);
            assert_relative_eq!(result.mean(), mean, max_relative = 1e-13);
            assert_relative_eq!(result.effective_sample_size(), n_eff, max_relative = 1e-11);
            assert_relative_eq!(result.std_error(), error, max_relative = 1e-9);
            assert_relative_eq!(result.ln_mean_weight().value, (total / 300.0).ln(), max_relative = 1e-12);
        }
    }

    #[test]
    fn gaussian_to_gaussian() {
        // Samples of N(0,1), target N(0.5,1): ln w = x/2 - 1/8, mean 1/2, mean weight 1,
        // n_eff/n = exp(-1/4). Seed fixed, n = 40000, bound 4 standard errors.
        let n = 40_000u32;
        let mut rng = Streams::new(41).stream(0);
        let mut mean = WeightedMean::new();
        for _ in 0..n {
            let x = standard_normal(&mut rng);
            mean.push(0.5 * x - 0.125, x);
        }
        assert!(mean.estimate().z_score(&Estimate::exact(0.5)).abs() < 4.0);
        assert!(mean.ln_mean_weight().z_score(&Estimate::exact(0.0)).abs() < 4.0);
        let share = mean.effective_sample_size() / f64::from(n);
        assert_relative_eq!(share, (-0.25f64).exp(), max_relative = 0.03);
        // E[w² (x - 1/2)²] = e^(1/4) (1 + 1/4).
        let theory = ((0.25f64).exp() * 1.25 / f64::from(n)).sqrt();
        assert_relative_eq!(mean.std_error(), theory, max_relative = 0.05);
    }

    #[test]
    fn zero_nan_and_infinite_weights() {
        let mut mean = WeightedMean::new();
        assert!(mean.mean().is_nan() && mean.ln_mean_weight().value.is_nan());
        mean.push(f64::NEG_INFINITY, f64::NAN);
        assert!(mean.mean().is_nan() && mean.estimate().std_error.is_none());
        assert!(mean.ln_mean_weight().value == f64::NEG_INFINITY);
        mean.push(-3.0, 2.0);
        assert_relative_eq!(mean.mean(), 2.0);
        assert!(mean.std_error() == f64::INFINITY);
        assert_relative_eq!(mean.ln_mean_weight().value, -3.0 - 2f64.ln(), max_relative = 1e-15);
        assert_relative_eq!(mean.ln_mean_weight().std_error.unwrap(), 1.0);
        for bad in [f64::NAN, f64::INFINITY] {
            let mut spoilt = mean;
            spoilt.push(bad, 1.0);
            assert!(spoilt.mean().is_nan() && spoilt.std_error().is_nan(), "{bad}");
        }
    }
}
