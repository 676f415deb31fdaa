//! Moments of a stream of values.

use crate::merge::{Merge, MergeError};

use super::Estimate;

/// Mean and central moments up to the fourth, in one pass and mergeable.
///
/// Each value updates the mean and the sums $`M_k = \sum_i (x_i - \bar x)^k`$ without cancellation (Welford's method,
/// extended to higher moments and to pairs of samples by Pébay, Sandia report SAND2008-6212, 2008). Constant
/// memory, about a dozen multiplications a value.
///
/// Errors assume independent values; for a Markov chain use [`Binning`](super::Binning). An empty sample has NaN for
/// its mean and higher moments. A NaN or infinite value makes the moments NaN.
///
/// ```
/// use linalg_core::merge::Merge;
/// use linalg_core::stats::Running;
///
/// let mut sample: Running = [1.0, 2.0, 3.0].into_iter().collect();
/// sample.merge(&[4.0, 10.0].into_iter().collect())?;
/// assert_eq!(sample.count(), 5);
/// assert_eq!(sample.mean(), 4.0);
/// assert!((sample.variance() - 12.5).abs() < 1e-12); // (9+4+1+0+36)/4
/// assert!((sample.std_error() - (12.5f64 / 5.0).sqrt()).abs() < 1e-12);
/// assert!((sample.central_moment(3) - 36.0).abs() < 1e-12); // (-27-8-1+0+216)/5
/// # Ok::<(), linalg_core::MergeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Running {
    count: u64,
    mean: f64,
    /// Sums of powers 2, 3, 4 of the deviations from the mean.
    sums: [f64; 3],
}

impl Running {
    /// The empty sample.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub fn push(&mut self, x: f64) {
        let before = self.count as f64;
        self.count += 1;
        let n = self.count as f64;
        let delta = x - self.mean;
        let step = delta / n;
        let step2 = step * step;
        let second = delta * step * before;
        let [m2, m3, m4] = self.sums;
        self.mean += step;
        self.sums = [
            m2 + second,
            m3 + second * step * (n - 2.0) - 3.0 * step * m2,
            m4 + second * step2 * (n * n - 3.0 * n + 3.0) + 6.0 * step2 * m2 - 4.0 * step * m3,
        ];
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean; NaN for an empty sample.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// Central moment $`\frac1n \sum_i (x_i - \bar x)^k`$ of the sample; NaN for an empty sample.
    ///
    /// # Panics
    /// When `k` is larger than 4.
    pub fn central_moment(&self, k: usize) -> f64 {
        assert!(k <= 4, "central moment {k} asked for, the largest kept is 4");
        if self.count == 0 {
            return f64::NAN;
        }
        match k {
            0 => 1.0,
            1 => 0.0,
            _ => self.sums[k - 2] / self.count as f64,
        }
    }

    /// Moment about zero, $`\frac1n \sum_i x_i^k`$; NaN for an empty sample.
    ///
    /// ```
    /// use linalg_core::stats::Running;
    ///
    /// let spins: Running = [1.0, -1.0, 1.0, 3.0].into_iter().collect();
    /// assert_eq!(spins.raw_moment(2), 3.0);
    /// assert_eq!(spins.raw_moment(4), 21.0);
    /// ```
    ///
    /// # Panics
    /// When `k` is larger than 4.
    pub fn raw_moment(&self, k: usize) -> f64 {
        assert!(k <= 4, "moment {k} asked for, the largest kept is 4");
        let binomial = [1.0, 4.0, 6.0, 4.0, 1.0];
        let m = self.mean();
        let c = |j| self.central_moment(j);
        match k {
            0 => c(0),
            1 => m,
            2 => c(2) + m * m,
            3 => c(3) + 3.0 * m * c(2) + m.powi(3),
            _ => (0..=4).map(|j| binomial[j] * c(j) * m.powi(4 - j as i32)).sum(),
        }
    }

    /// Unbiased variance, $`M_2/(n-1)`$; NaN for fewer than two values.
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        self.sums[0] / (self.count - 1) as f64
    }

    /// Standard deviation, the square root of [`variance`](Self::variance).
    pub fn std_dev(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Standard error of the mean of independent values, $`\sqrt{\mathrm{var}/n}`$; NaN for fewer than two values.
    pub fn std_error(&self) -> f64 {
        (self.variance() / self.count as f64).sqrt()
    }

    /// Skewness $`c_3/c_2^{3/2}`$ of the sample; NaN for constant values.
    pub fn skewness(&self) -> f64 {
        self.central_moment(3) / self.central_moment(2).powf(1.5)
    }

    /// Excess kurtosis $`c_4/c_2^2 - 3`$ of the sample, 0 for a Gaussian in the limit; NaN for constant values.
    pub fn excess_kurtosis(&self) -> f64 {
        self.central_moment(4) / self.central_moment(2).powi(2) - 3.0
    }

    /// Mean with the standard error of independent values; no error for fewer than two.
    pub fn estimate(&self) -> Estimate {
        Estimate { value: self.mean(), std_error: (self.count >= 2).then(|| self.std_error()) }
    }
}

impl Merge for Running {
    /// Never fails: the result is that of the pooled sample, up to rounding.
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if other.count == 0 {
            return Ok(());
        }
        if self.count == 0 {
            *self = *other;
            return Ok(());
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let (step, step2) = (delta / n, delta * delta / (n * n));
        let [a2, a3, a4] = self.sums;
        let [b2, b3, b4] = other.sums;
        let second = delta * step * a * b;
        self.count += other.count;
        self.mean += step * b;
        self.sums = [
            a2 + b2 + second,
            a3 + b3 + second * step * (a - b) + 3.0 * step * (a * b2 - b * a2),
            a4 + b4
                + second * step2 * (a * a - a * b + b * b)
                + 6.0 * step2 * (a * a * b2 + b * b * a2)
                + 4.0 * step * (a * b3 - b * a3),
        ];
        Ok(())
    }
}

impl Extend<f64> for Running {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|x| self.push(x));
    }
}

impl FromIterator<f64> for Running {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sample = Self::new();
        sample.extend(values);
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    #[test]
    fn short_samples() {
        let empty = Running::new();
        assert!(empty.mean().is_nan() && empty.variance().is_nan() && empty.central_moment(2).is_nan());
        assert_eq!(empty.estimate().std_error, None);
        let one: Running = [3.0].into_iter().collect();
        assert!(one.variance().is_nan() && one.estimate().std_error.is_none());
        assert_relative_eq!(one.mean(), 3.0);
        let nan: Running = [3.0, f64::NAN, 1.0].into_iter().collect();
        assert!(nan.mean().is_nan() && nan.variance().is_nan());
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        // Values 0 and 1 shifted by 2^30: variance 1/4 exactly, fourth moment 1/16. Sums of squares would lose
        // 2^60 * 2^-53 = 128; the mean is rounded to 2^-23, which is what remains.
        let offset = f64::from(1 << 30);
        let sample: Running = (0..1000).map(|k| offset + f64::from(k % 2)).collect();
        assert_relative_eq!(sample.central_moment(2), 0.25, max_relative = 1e-7);
        assert_relative_eq!(sample.central_moment(4), 0.0625, max_relative = 1e-7);
        assert_relative_eq!(sample.excess_kurtosis(), -2.0, max_relative = 1e-6);
    }

    #[test]
    #[should_panic(expected = "central moment 5 asked for")]
    fn fifth_moment() {
        Running::new().central_moment(5);
    }

    proptest! {
        #[test]
        fn two_pass_and_merged_agree(values in prop::collection::vec(-10.0f64..10.0, 2..60), cut in 0usize..60) {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let sample: Running = values.iter().copied().collect();
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut merged: Running = left.iter().copied().collect();
            merged.merge(&right.iter().copied().collect()).unwrap();
            prop_assert_eq!(merged.count(), sample.count());
            for k in 2..=4usize {
                let direct = values.iter().map(|x| (x - mean).powi(k as i32)).sum::<f64>() / n;
                let raw = values.iter().map(|x| x.powi(k as i32)).sum::<f64>() / n;
                // Moments of values below 10 in modulus: rounding relative to 20^k.
                let tolerance = 1e-13 * 20f64.powi(k as i32);
                prop_assert!((sample.central_moment(k) - direct).abs() < tolerance);
                prop_assert!((merged.central_moment(k) - direct).abs() < tolerance);
                prop_assert!((merged.raw_moment(k) - raw).abs() < 4.0 * tolerance);
            }
            prop_assert!((merged.mean() - mean).abs() < 1e-13);
        }
    }
}
