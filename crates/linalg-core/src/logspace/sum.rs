//! Sums of exponentials: of a slice, of two terms, of a stream.

use crate::merge::{Merge, MergeError};

use super::functions::log1m_exp;

/// $`\ln\sum_i e^{x_i}`$ of a slice.
///
/// The largest term is taken out and the others are added to it through `ln_1p`, so nothing overflows and a single
/// dominant term keeps the digits of the rest. `-inf` for an empty slice; a NaN term gives NaN; otherwise a `+inf`
/// term gives `+inf`. O(n), no allocation.
///
/// ```
/// use linalg_core::logspace::log_sum_exp;
///
/// let ln_z = log_sum_exp(&[1000.0, 1000.0, 1000.0 + 2f64.ln()]);
/// assert!((ln_z - (1000.0 + 4f64.ln())).abs() < 1e-12);
/// assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
/// assert!(log_sum_exp(&[0.0, f64::NAN]).is_nan());
/// ```
pub fn log_sum_exp(terms: &[f64]) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    let mut position = 0;
    for (i, &x) in terms.iter().enumerate() {
        if x.is_nan() {
            return f64::NAN;
        }
        if x > largest {
            largest = x;
            position = i;
        }
    }
    if largest.is_infinite() {
        return largest;
    }
    let tail = |part: &[f64]| part.iter().map(|&x| (x - largest).exp()).sum::<f64>();
    largest + (tail(&terms[..position]) + tail(&terms[position + 1..])).ln_1p()
}

/// $`\ln(e^a + e^b)`$.
///
/// ```
/// use linalg_core::logspace::log_add_exp;
///
/// assert!((log_add_exp(3f64.ln(), 5f64.ln()) - 8f64.ln()).abs() < 1e-15);
/// assert_eq!(log_add_exp(-1e300, 2.0), 2.0);
/// ```
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let difference = (a - b).abs();
    if difference.is_nan() {
        // Equal infinities, or a NaN among the two.
        return if a.is_nan() || b.is_nan() { f64::NAN } else { a };
    }
    a.max(b) + (-difference).exp().ln_1p()
}

/// $`\ln(e^a - e^b)`$ for $`a \ge b`$.
///
/// `-inf` for finite `a == b` and for `a == b == -inf`. NaN for `a < b`, where the difference is negative
/// ([`SignedLog`](super::SignedLog) can hold it), and for two `+inf`.
///
/// ```
/// use linalg_core::logspace::log_sub_exp;
///
/// assert!((log_sub_exp(8f64.ln(), 5f64.ln()) - 3f64.ln()).abs() < 1e-15);
/// assert_eq!(log_sub_exp(-3.0, -3.0), f64::NEG_INFINITY);
/// assert!(log_sub_exp(0.0, 1.0).is_nan());
/// ```
pub fn log_sub_exp(a: f64, b: f64) -> f64 {
    if b == f64::NEG_INFINITY {
        return a;
    }
    a + log1m_exp(b - a)
}

/// Turns log-weights into log-probabilities in place and returns the logarithm of their sum.
///
/// After the call $`\sum_i e^{x_i} = 1`$. When the sum is 0 or infinite (all weights `-inf`, an empty slice, a `+inf`
/// weight) or NaN there is no such distribution: the slice is left as it was and the sum is returned for the caller to
/// look at.
///
/// ```
/// use linalg_core::logspace::log_normalize;
///
/// let mut ln_p = [1f64.ln() + 500.0, 3f64.ln() + 500.0];
/// let ln_z = log_normalize(&mut ln_p);
/// assert!((ln_z - (4f64.ln() + 500.0)).abs() < 1e-12);
/// assert!((ln_p[1].exp() - 0.75).abs() < 1e-12);
/// ```
pub fn log_normalize(ln_weights: &mut [f64]) -> f64 {
    let ln_sum = log_sum_exp(ln_weights);
    if ln_sum.is_finite() {
        ln_weights.iter_mut().for_each(|x| *x -= ln_sum);
    }
    ln_sum
}

/// $`\ln\sum_i e^{x_i}`$ of a stream of terms, with their number.
///
/// One exponential a term. The running sum is kept relative to the largest term so far; the result agrees with
/// [`log_sum_exp`] to a few units in the last place of the sum. Special values as there.
///
/// ```
/// use linalg_core::logspace::LogSum;
/// use linalg_core::merge::Merge;
///
/// let mut sum = LogSum::new();
/// sum.push(-2000.0);
/// sum.push(-2000.0 + 3f64.ln());
/// assert!((sum.value() - (-2000.0 + 4f64.ln())).abs() < 1e-12);
/// assert!((sum.ln_mean() - (-2000.0 + 2f64.ln())).abs() < 1e-12);
///
/// let rest: LogSum = [-2000.0; 4].into_iter().collect();
/// sum.merge(&rest)?;
/// assert_eq!(sum.count(), 6);
/// assert!((sum.value() - (-2000.0 + 8f64.ln())).abs() < 1e-12);
/// # Ok::<(), linalg_core::MergeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogSum {
    count: u64,
    /// Largest term so far, `f64::MIN` before the first (finite, so that text formats can store an empty sum);
    /// NaN once a term was NaN.
    largest: f64,
    /// Sum of `exp(term - largest)` over the terms seen: 0 for the empty sum, else at least 1.
    scaled: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self::new()
    }
}

impl LogSum {
    /// The empty sum.
    pub fn new() -> Self {
        Self { count: 0, largest: f64::MIN, scaled: 0.0 }
    }

    /// Adds $`e^x`$ to the sum.
    pub fn push(&mut self, x: f64) {
        self.count += 1;
        self.add_scaled(x, 1.0);
    }

    /// Adds `factor * exp(x)`.
    fn add_scaled(&mut self, x: f64, factor: f64) {
        if x == f64::NEG_INFINITY || self.largest.is_nan() {
            return;
        }
        if x > self.largest {
            // The first term meets scaled = 0.
            self.scaled = self.scaled * (self.largest - x).exp() + factor;
            self.largest = x;
        } else if x.is_nan() {
            self.largest = f64::NAN;
        } else if self.largest < f64::INFINITY {
            self.scaled += factor * (x - self.largest).exp();
        }
    }

    /// $`\ln`$ of the sum; `-inf` when nothing was pushed.
    pub fn value(&self) -> f64 {
        if self.largest.is_finite() {
            // The empty sum has scaled = 0: MIN + ln 0 is -inf.
            self.largest + self.scaled.ln()
        } else {
            self.largest
        }
    }

    /// How many terms were pushed, those of `-inf` included.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// $`\ln`$ of the mean term: [`value`](Self::value) minus $`\ln n`$; NaN when nothing was pushed.
    pub fn ln_mean(&self) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        self.value() - (self.count as f64).ln()
    }
}

impl Merge for LogSum {
    /// Never fails.
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        self.count += other.count;
        self.add_scaled(other.largest, other.scaled);
        Ok(())
    }
}

impl Extend<f64> for LogSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, terms: I) {
        terms.into_iter().for_each(|x| self.push(x));
    }
}

impl FromIterator<f64> for LogSum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::new();
        sum.extend(terms);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    const INF: f64 = f64::INFINITY;

    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    #[test]
    fn special_values() {
        let table: [(&[f64], f64); 9] = [
            (&[], -INF),
            (&[-INF], -INF),
            (&[-INF, -INF], -INF),
            (&[-INF, 2.5], 2.5),
            (&[INF, 1.0], INF),
            (&[INF, INF], INF),
            (&[INF, -INF], INF),
            (&[INF, f64::NAN], f64::NAN),
            (&[f64::NAN, -INF], f64::NAN),
        ];
        for (terms, expected) in table {
            assert!(same(log_sum_exp(terms), expected), "{terms:?}");
            let streamed: LogSum = terms.iter().copied().collect();
            assert!(same(streamed.value(), expected), "stream {terms:?}");
            if let &[a, b] = terms {
                assert!(same(log_add_exp(a, b), expected), "pair {terms:?}");
                assert!(same(log_add_exp(b, a), expected), "pair reversed {terms:?}");
            }
        }
        assert!(log_sub_exp(INF, INF).is_nan());
        assert!(log_sub_exp(f64::NAN, -INF).is_nan());
        assert!(log_sub_exp(1.0, f64::NAN).is_nan());
        assert!(log_sub_exp(1.0, INF).is_nan());
        assert!(same(log_sub_exp(INF, 3.0), INF));
        assert!(same(log_sub_exp(-INF, -INF), -INF));
        assert!(LogSum::new().ln_mean().is_nan());
    }

    #[test]
    fn a_small_tail_is_kept() {
        // The sum exceeds 1 by 1e-20: far below the last place of 1, all of it in the logarithm.
        assert_relative_eq!(log_sum_exp(&[0.0, 1e-20f64.ln()]), 1e-20, max_relative = 1e-14);
        assert_relative_eq!(log_add_exp(1e-20f64.ln(), 0.0), 1e-20, max_relative = 1e-14);
    }

    #[test]
    fn normalize_leaves_impossible_weights() {
        let mut weights = [-INF, -INF];
        assert!(same(log_normalize(&mut weights), -INF));
        assert!(weights.iter().all(|&w| same(w, -INF)));
        let mut weights = [0.0, f64::NAN];
        assert!(log_normalize(&mut weights).is_nan());
        assert!(same(weights[0], 0.0));
    }

    proptest! {
        #[test]
        fn agrees_with_the_direct_sum(terms in prop::collection::vec(-30.0f64..30.0, 1..40), shift in -1e3f64..1e3) {
            let direct = terms.iter().map(|x| x.exp()).sum::<f64>().ln();
            let shifted: Vec<f64> = terms.iter().map(|x| x + shift).collect();
            // The shift rounds every term to an ulp of 1e3.
            prop_assert!((log_sum_exp(&terms) - direct).abs() < 1e-13);
            prop_assert!((log_sum_exp(&shifted) - shift - direct).abs() < 1e-12);

            let (left, right) = terms.split_at(terms.len() / 2);
            let mut merged: LogSum = left.iter().copied().collect();
            merged.merge(&right.iter().copied().collect()).unwrap();
            prop_assert!((merged.value() - direct).abs() < 1e-13);
            prop_assert_eq!(merged.count(), terms.len() as u64);
        }

        #[test]
        fn subtraction_undoes_addition(a in -600.0f64..600.0, gap in 0.0f64..30.0) {
            let sum = log_add_exp(a, a - gap);
            // e^sum - e^(a-gap) loses no digit of e^a, which is the larger part.
            prop_assert!((log_sub_exp(sum, a - gap) - a).abs() < 1e-12);
        }
    }
}
