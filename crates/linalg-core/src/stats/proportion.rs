//! Rates from counts.

use crate::{Error, Result};

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `x` lies in the interval, ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

/// Wilson score interval of a rate: the `p` that lie within `z` standard deviations of the count.
///
/// The ends solve $`|\hat p - p| = z \sqrt{p (1-p)/n}`$ with $`\hat p = k/n`$ (E. B. Wilson, J. Am. Stat. Assoc. 22, 209
/// (1927)):
///
/// ```math
/// p_\pm = \frac{2k + z^2 \pm z \sqrt{z^2 + 4k(n-k)/n}}{2(n + z^2)} .
/// ```
///
/// It stays inside `[0, 1]` and is of use for rare events, where $`\hat p \pm z\sigma`$ is not. The lower end is computed
/// without the cancellation of this formula, so that it is exactly 0 for no success. `z = 1` covers 68 %, `z = 1.96`
/// 95 %. Without trials nothing is known: the interval is `[0, 1]`.
///
/// ```
/// use linalg_core::stats::wilson_interval;
///
/// let rate = wilson_interval(0, 96, 2.0)?;
/// assert_eq!(rate.low, 0.0);
/// assert!((rate.high - 4.0 / (96.0 + 4.0)).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::OutOfRange`] when `successes` exceeds `trials`, or `z` is negative, NaN or infinite.
pub fn wilson_interval(successes: u64, trials: u64, z: f64) -> Result<Interval> {
    if successes > trials {
        return Err(Error::OutOfRange { what: "successes", value: successes as f64, low: 0.0, high: trials as f64 });
    }
    if !(0.0..=f64::MAX).contains(&z) {
        return Err(Error::OutOfRange { what: "z", value: z, low: 0.0, high: f64::MAX });
    }
    if trials == 0 {
        return Ok(Interval { low: 0.0, high: 1.0 });
    }
    // Beyond this z the ends are 0 and 1 to the last place, and z² could overflow.
    let z = z.min(1e100);
    let bound = |k: f64, n: f64| {
        let root = z * (z * z + 4.0 * k * (n - k) / n).sqrt();
        // The root of the quadratic written with the conjugate: no subtraction.
        if k == 0.0 { 0.0 } else { 2.0 * k * k / (n * (2.0 * k + z * z + root)) }
    };
    let (k, n) = (successes as f64, trials as f64);
    let failures = (trials - successes) as f64;
    let high = if failures < k {
        1.0 - bound(failures, n)
    } else {
        let root = z * (z * z + 4.0 * k * failures / n).sqrt();
        (2.0 * k + z * z + root) / (2.0 * (n + z * z))
    };
    Ok(Interval { low: bound(k, n), high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    #[test]
    fn newcombe_table() {
        // Newcombe, Statistics in Medicine 17, 857 (1998), Table I, method 3, 95 % to four places.
        for (k, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let interval = wilson_interval(k, n, 1.959964).unwrap();
            assert_relative_eq!(interval.low, low, epsilon = 6e-5);
            assert_relative_eq!(interval.high, high, epsilon = 6e-5);
        }
    }

    #[test]
    fn bad_input() {
        assert!(matches!(wilson_interval(3, 2, 1.0), Err(Error::OutOfRange { what: "successes", .. })));
        for z in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(matches!(wilson_interval(1, 2, z), Err(Error::OutOfRange { what: "z", .. })));
        }
        assert_eq!(wilson_interval(0, 0, 1.0).unwrap(), Interval { low: 0.0, high: 1.0 });
        let all = wilson_interval(5, 5, f64::MAX).unwrap();
        assert!(all.low >= 0.0 && all.low < 1e-100 && all.high <= 1.0 && all.high > 0.999);
        let huge = wilson_interval(u64::MAX, u64::MAX, 1.0).unwrap();
        assert!(huge.contains(1.0));
    }

    proptest! {
        #[test]
        fn ends_solve_the_defining_equation(k in 0u64..500, extra in 0u64..500, z in 0.01f64..6.0) {
            let n = k + extra + 1;
            let rate = k as f64 / n as f64;
            let interval = wilson_interval(k, n, z).unwrap();
            prop_assert!(interval.contains(rate) && interval.low >= 0.0 && interval.high <= 1.0);
            for p in [interval.low, interval.high] {
                let deviation = (rate - p).powi(2) - z * z * p * (1.0 - p) / n as f64;
                prop_assert!(deviation.abs() < 1e-14);
            }
            // Mirror image.
            let mirror = wilson_interval(n - k, n, z).unwrap();
            prop_assert!((mirror.low - (1.0 - interval.high)).abs() < 1e-14);
        }
    }
}
