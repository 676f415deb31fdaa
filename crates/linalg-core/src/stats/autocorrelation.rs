//! Autocorrelation times of stored Markov chains.

use crate::{Error, Result};

use super::{Estimate, check_finite, fourier};

/// Lags computed one by one before the Fourier transform takes over.
const DIRECT_LAGS: usize = 256;

/// Values a chain must have, in units of its autocorrelation time, before the time is trusted.
const LONG_CHAIN: f64 = 50.0;

/// How the sum over the autocorrelation function is cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Windowing {
    /// Wolff's automatic window: minimises the sum of statistical and truncation error under the assumption
    /// $`\tau_{\exp} \approx S\,\tau_{\mathrm{int}}`$ (Comput. Phys. Commun. 156, 143 (2004), section 3.3).
    Wolff {
        /// The factor $`S`$, usually 1.5.
        s: f64,
    },
    /// Sokal's rule: the smallest window with $`W \ge c\,\tau_{\mathrm{int}}(W)`$ ("Monte Carlo methods in statistical
    /// mechanics", 1989, section 3).
    Sokal {
        /// The factor $`c`$, usually 5 to 6, up to 10 for slow decay.
        c: f64,
    },
}

impl Default for Windowing {
    /// Wolff's window with $`S = 1.5`$.
    fn default() -> Self {
        Self::Wolff { s: 1.5 }
    }
}

/// What [`autocorrelation_time`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AutocorrelationTime {
    /// Integrated autocorrelation time, 1/2 for independent values.
    pub tau: f64,
    /// Statistical error of `tau`.
    pub tau_error: f64,
    /// Largest lag in the sum.
    pub window: usize,
    /// Whether the window closed and the chain has at least 50 `tau` values. If not, `tau` is likely too small.
    pub converged: bool,
    /// Number of values.
    pub count: usize,
    /// Mean of the values.
    pub mean: f64,
    /// Variance of the values, corrected for the correlation with their mean.
    pub variance: f64,
}

impl AutocorrelationTime {
    /// Standard error of the mean, $`\sqrt{2 \tau \sigma^2 / N}`$.
    pub fn std_error(&self) -> f64 {
        (2.0 * self.tau * self.variance / self.count as f64).sqrt()
    }

    /// $`N / (2\tau)`$: as many independent values give the same error.
    pub fn effective_sample_size(&self) -> f64 {
        self.count as f64 / (2.0 * self.tau)
    }

    /// Mean of the chain with its error.
    pub fn estimate(&self) -> Estimate {
        Estimate::new(self.mean, self.std_error())
    }
}

/// Deviations from the mean, scaled to a largest modulus of 1, and their autocovariances on demand.
struct Autocovariance {
    deviations: Vec<f64>,
    /// $`\Gamma(t) = \frac{1}{N-t} \sum_i \delta_i \delta_{i+t}`$ for the lags computed so far.
    values: Vec<f64>,
    mean: f64,
    scale: f64,
}

impl Autocovariance {
    fn new(series: &[f64]) -> Self {
        let n = series.len() as f64;
        let pivot = series[0];
        // Relative to the first value: exact for a constant series, whatever its size.
        let mean = pivot + series.iter().map(|x| (x - pivot) / n).sum::<f64>();
        let scale = series.iter().fold(0f64, |m, x| m.max((x - mean).abs()));
        let unit = if scale > 0.0 { scale } else { 1.0 };
        let deviations: Vec<f64> = series.iter().map(|x| (x - mean) / unit).collect();
        let mut this = Self { deviations, values: Vec::new(), mean, scale: unit };
        this.values.push(this.direct(0));
        this
    }

    fn direct(&self, lag: usize) -> f64 {
        let (x, y) = (&self.deviations[..], &self.deviations[lag..]);
        // Eight sums side by side, so that the loop vectorises.
        let mut partial = [0.0; 8];
        let (head, tail) = (y.chunks_exact(8), y.chunks_exact(8).remainder());
        for (a, b) in x.chunks_exact(8).zip(head) {
            for (sum, (p, q)) in partial.iter_mut().zip(a.iter().zip(b)) {
                *sum += p * q;
            }
        }
        let start = y.len() - tail.len();
        let rest: f64 = x[start..].iter().zip(tail).map(|(p, q)| p * q).sum();
        (partial.iter().sum::<f64>() + rest) / y.len() as f64
    }

    /// $`\Gamma(t)`$, for `lag < N`.
    fn at(&mut self, lag: usize) -> f64 {
        while self.values.len() <= lag.min(DIRECT_LAGS) {
            self.values.push(self.direct(self.values.len()));
        }
        if lag >= self.values.len() {
            let n = self.deviations.len();
            let sums = fourier::lagged_products(&self.deviations, n - 1);
            let known = self.values.len();
            let normalised = sums.iter().enumerate().skip(known).map(|(t, s)| s / (n - t) as f64);
            self.values.extend(normalised);
        }
        self.values[lag]
    }

    fn rho(&mut self, lag: usize) -> f64 {
        self.at(lag) / self.values[0]
    }
}

/// Normalised autocorrelation function $`\rho(0) = 1, \rho(1), \dots, \rho(`$`max_lag`$`)`$ of a series.
///
/// $`\rho(t) = \Gamma(t)/\Gamma(0)`$ with $`\Gamma(t) = \frac{1}{N-t}\sum_i (x_i - \bar x)(x_{i+t} - \bar x)`$. A constant
/// series is uncorrelated by convention: $`\rho(t > 0) = 0`$. O(N·`max_lag`) for up to 256 lags, O(N log N) beyond.
///
/// ```
/// use linalg_core::stats::autocorrelation_function;
///
/// let alternating: Vec<f64> = (0..100).map(|k| if k % 2 == 0 { 1.0 } else { -1.0 }).collect();
/// let rho = autocorrelation_function(&alternating, 3)?;
/// for (r, expected) in rho.iter().zip([1.0, -1.0, 1.0, -1.0]) {
///     assert!((r - expected).abs() < 1e-12);
/// }
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`], [`Error::NotFinite`], and [`Error::OutOfRange`] when `max_lag` is not below the length.
pub fn autocorrelation_function(series: &[f64], max_lag: usize) -> Result<Vec<f64>> {
    if series.is_empty() {
        return Err(Error::Empty { what: "series" });
    }
    check_finite("series", series)?;
    if max_lag >= series.len() {
        return Err(Error::OutOfRange {
            what: "max_lag",
            value: max_lag as f64,
            low: 0.0,
            high: (series.len() - 1) as f64,
        });
    }
    let mut covariance = Autocovariance::new(series);
    let constant = covariance.values[0] == 0.0;
    let rho = |lag| match lag {
        0 => 1.0,
        _ if constant => 0.0,
        _ => covariance.rho(lag),
    };
    Ok((0..=max_lag).map(rho).collect())
}

/// Integrated autocorrelation time of a Markov chain with Wolff's automatic window.
///
/// See [`autocorrelation_time_with`].
///
/// ```
/// use linalg_core::rng::{Streams, standard_normal};
/// use linalg_core::stats::autocorrelation_time;
///
/// // x' = x/2 + noise has rho(t) = 2^-t, tau = 1/2 + 1 = 3/2.
/// let mut rng = Streams::new(1).stream(0);
/// let mut x = 0.0;
/// let chain: Vec<f64> = (0..50_000)
///     .map(|_| {
///         x = 0.5 * x + standard_normal(&mut rng);
///         x
///     })
///     .collect();
/// let time = autocorrelation_time(&chain)?;
/// assert!(time.converged);
/// assert!((time.tau - 1.5).abs() < 4.0 * time.tau_error && time.tau_error < 0.05);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooShort`] for fewer than two values, [`Error::NotFinite`].
pub fn autocorrelation_time(series: &[f64]) -> Result<AutocorrelationTime> {
    autocorrelation_time_with(series, Windowing::default())
}

/// Integrated autocorrelation time of a Markov chain with a chosen window.
///
/// Sums the autocorrelation function up to a window $`W`$, with the correction of order $`1/N`$ for the unknown mean
/// (Wolff, Eq. (49)). The error is
/// $`\tau\sqrt{4 (W + \frac12 - \tau)/N}`$ for [`Windowing::Wolff`] (Wolff, Eq. (42)) and
/// $`\tau\sqrt{(4W+2)/N}`$ for [`Windowing::Sokal`] (Madras and Sokal, J. Stat. Phys. 50, 109 (1988)).
///
/// A chain with significantly negative $`\rho(1)`$ makes partial sums alternate and neither rule apply; then lags
/// are added in pairs, $`\rho(2k) + \rho(2k+1)`$, up to the first pair that is not positive (Geyer, Stat. Sci. 7, 473
/// (1992), section 3.3). A sum that is not positive is noise: it is replaced by 1/2 with error 1/2, not converged.
/// A constant series has `tau` 1/2 and error 0.
///
/// O(N W) for windows up to 256, O(N log N) beyond.
///
/// # Errors
/// [`Error::TooShort`] for fewer than two values, [`Error::NotFinite`], [`Error::OutOfRange`] when the factor of the
/// window is not in `(0, 1000]`.
pub fn autocorrelation_time_with(series: &[f64], windowing: Windowing) -> Result<AutocorrelationTime> {
    if series.len() < 2 {
        return Err(Error::TooShort { what: "autocorrelation time", got: series.len(), needed: 2 });
    }
    check_finite("series", series)?;
    let (what, factor) = match windowing {
        Windowing::Wolff { s } => ("windowing s", s),
        Windowing::Sokal { c } => ("windowing c", c),
    };
    if !(factor > 0.0 && factor <= 1e3) {
        return Err(Error::OutOfRange { what, value: factor, low: f64::MIN_POSITIVE, high: 1e3 });
    }
    let count = series.len();
    let n = count as f64;
    let mut covariance = Autocovariance::new(series);
    let naive = covariance.values[0];
    if naive == 0.0 {
        return Ok(AutocorrelationTime {
            tau: 0.5,
            tau_error: 0.0,
            window: 0,
            converged: true,
            count,
            mean: covariance.mean,
            variance: 0.0,
        });
    }
    let largest_window = (count / 2).max(1);
    let (window, closed) = if covariance.rho(1) < -3.0 / n.sqrt() {
        positive_pairs(&mut covariance, largest_window)
    } else {
        close_window(&mut covariance, largest_window, |window, tau| match windowing {
            Windowing::Wolff { s } => wolff_closes(window, tau, s, n),
            Windowing::Sokal { c } => window >= c * tau,
        })
    };
    // The measured mean takes about C/N out of every autocovariance.
    let area = naive + 2.0 * (1..=window).map(|t| covariance.at(t)).sum::<f64>();
    let missing = area / n;
    let corrected = naive + missing;
    let tau = 0.5 * (area + (2 * window + 1) as f64 * missing) / corrected;
    let variance = corrected * covariance.scale * covariance.scale;
    let mean = covariance.mean;
    if tau <= 0.0 {
        return Ok(AutocorrelationTime {
            tau: 0.5,
            tau_error: 0.5,
            window,
            converged: false,
            count,
            mean,
            variance: naive * covariance.scale * covariance.scale,
        });
    }
    let terms = match windowing {
        Windowing::Wolff { .. } => 4.0 * (window as f64 + 0.5 - tau).max(0.0),
        Windowing::Sokal { .. } => (4 * window + 2) as f64,
    };
    Ok(AutocorrelationTime {
        tau,
        tau_error: tau * (terms / n).sqrt(),
        window,
        converged: closed && n >= LONG_CHAIN * tau,
        count,
        mean,
        variance,
    })
}

/// The first window that `closes(window, tau)`, and whether there is one up to `largest`.
fn close_window(covariance: &mut Autocovariance, largest: usize, closes: impl Fn(f64, f64) -> bool) -> (usize, bool) {
    let mut tau = 0.5;
    for window in 1..=largest {
        tau += covariance.rho(window);
        if closes(window as f64, tau) {
            return (window, true);
        }
    }
    (largest, false)
}

/// Whether the derivative of the total error, Wolff's g(W), has changed its sign.
fn wolff_closes(window: f64, tau: f64, s: f64, n: f64) -> bool {
    if tau <= 0.5 {
        // No positive correlation left: any decay time is zero.
        return true;
    }
    let decay = s / ((tau + 0.5) / (tau - 0.5)).ln();
    (-window / decay).exp() < decay / (window * n).sqrt()
}

/// The last lag of the leading run of positive pairs, and whether the run ended.
fn positive_pairs(covariance: &mut Autocovariance, largest: usize) -> (usize, bool) {
    let mut window = 1;
    while window + 2 <= largest {
        if covariance.rho(window + 1) + covariance.rho(window + 2) <= 0.0 {
            return (window, true);
        }
        window += 2;
    }
    (window, false)
}

/// How many independent values a chain is worth: $`N/(2\tau_{\mathrm{int}})`$.
///
/// ```
/// use linalg_core::stats::effective_sample_size;
///
/// assert_eq!(effective_sample_size(&[4.0; 10])?, 10.0);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// As [`autocorrelation_time`].
pub fn effective_sample_size(series: &[f64]) -> Result<f64> {
    Ok(autocorrelation_time(series)?.effective_sample_size())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Streams, standard_normal};
    use approx::assert_relative_eq;

    fn autoregressive(a: f64, n: usize, stream: u64) -> Vec<f64> {
        let mut rng = Streams::new(50).stream(stream);
        let mut x = standard_normal(&mut rng) / (1.0 - a * a).sqrt();
        (0..n)
            .map(|_| {
                let now = x;
                x = a * x + standard_normal(&mut rng);
                now
            })
            .collect()
    }

    fn theory(a: f64) -> f64 {
        (1.0 + a) / (2.0 * (1.0 - a))
    }

    #[test]
    fn autoregressive_chains() {
        // Seed fixed, N = 2^17, |z| < 4. The window cuts a share exp(-W/tau_exp) of the sum, within the error.
        for (stream, a) in [(0, 0.0), (1, 0.3), (2, 0.8), (3, 0.95), (4, 0.99), (5, -0.3), (6, -0.9)] {
            let chain = autoregressive(a, 1 << 17, stream);
            for windowing in [Windowing::default(), Windowing::Sokal { c: 6.0 }] {
                let time = autocorrelation_time_with(&chain, windowing).unwrap();
                let tau = theory(a);
                assert!(time.converged, "a = {a}");
                // 1/sqrt N is the error of any single rho, for chains whose window closes at once.
                let error = time.tau_error + 0.003;
                assert!(error < 0.2 * tau.max(0.1), "a = {a}: no power, {error}");
                assert!((time.tau - tau).abs() < 4.0 * error, "a = {a}: {time:?}, theory {tau}");
                let exact = (2.0 * tau / (1.0 - a * a) / time.count as f64).sqrt();
                assert_relative_eq!(time.std_error(), exact, max_relative = 4.0 * error / tau);
                assert!(time.estimate().z_score(&Estimate::exact(0.0)).abs() < 4.0);
            }
        }
    }

    #[test]
    fn the_error_of_tau_covers() {
        // 400 chains of 2^12: the z-scores of tau have standard deviation 1 ± 4/sqrt(800) up to the skew of tau.
        let (a, n) = (0.7, 1 << 12);
        let z: crate::stats::Running = (100..500)
            .map(|k| autocorrelation_time(&autoregressive(a, n, k)).unwrap())
            .map(|time| (time.tau - theory(a)) / time.tau_error)
            .collect();
        assert!(z.mean().abs() < 0.3, "{}", z.mean());
        assert!((0.8..1.25).contains(&z.std_dev()), "{}", z.std_dev());
    }

    #[test]
    fn long_windows_use_the_transform() {
        let chain = autoregressive(0.997, 1 << 16, 7);
        let time = autocorrelation_time(&chain).unwrap();
        assert!(time.window > DIRECT_LAGS, "{time:?}");
        assert!((time.tau - theory(0.997)).abs() < 4.0 * time.tau_error);
        // Both sides of the switch from direct sums to the transform.
        let rho = autocorrelation_function(&chain, 300).unwrap();
        let covariance = Autocovariance::new(&chain);
        for lag in [255, 256, 257, 300] {
            let direct = covariance.direct(lag) / covariance.direct(0);
            assert_relative_eq!(rho[lag], direct, max_relative = 1e-10);
        }
    }

    #[test]
    fn unconverged_chains_say_so() {
        for chain in
            [autoregressive(0.999, 3000, 8), (0..5000).map(f64::from).collect(), vec![0.0, 1.0], vec![1.0, -1.0, 0.5]]
        {
            let time = autocorrelation_time(&chain).unwrap();
            assert!(!time.converged, "{time:?}");
            assert!(time.tau > 0.0 && time.std_error().is_finite());
        }
    }

    #[test]
    fn constant_series() {
        for value in [0.0, 0.1, -3e300, 1e-320] {
            let time = autocorrelation_time(&[value; 1000]).unwrap();
            assert!(time.converged && time.window == 0);
            assert_relative_eq!(time.tau, 0.5);
            assert!(time.std_error() == 0.0 && time.tau_error == 0.0);
            assert_relative_eq!(time.mean, value);
            let rho = autocorrelation_function(&[value; 10], 2).unwrap();
            assert!(rho == [1.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn scale_and_shift_do_not_matter() {
        let chain = autoregressive(0.6, 5000, 9);
        let moved: Vec<f64> = chain.iter().map(|x| 1e160 * x).collect();
        let (a, b) = (autocorrelation_time(&chain).unwrap(), autocorrelation_time(&moved).unwrap());
        assert_relative_eq!(a.tau, b.tau, max_relative = 1e-12);
        assert_eq!(a.window, b.window);
    }

    #[test]
    fn bad_input() {
        assert!(matches!(autocorrelation_time(&[1.0]), Err(Error::TooShort { got: 1, .. })));
        assert!(matches!(autocorrelation_time(&[1.0, f64::INFINITY]), Err(Error::NotFinite { index: 1, .. })));
        assert!(matches!(autocorrelation_function(&[], 0), Err(Error::Empty { .. })));
        assert!(matches!(autocorrelation_function(&[1.0, 2.0], 2), Err(Error::OutOfRange { .. })));
        for s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(autocorrelation_time_with(&[1.0, 2.0], Windowing::Wolff { s }).is_err());
            assert!(autocorrelation_time_with(&[1.0, 2.0], Windowing::Sokal { c: s }).is_err());
        }
    }
}
