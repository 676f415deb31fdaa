//! Errors of functions of means: jackknife and bootstrap.

use rand::{Rng, RngExt};

use crate::{Error, Result};

use super::{Estimate, Interval, Running, check_finite};

/// Means of `n_blocks` blocks of equal length of one series.
///
/// The blocks cover the end of the series; the first `series.len() % n_blocks` values, nearest to the start of the
/// chain, are left out. Blocks should be much longer than the autocorrelation time.
///
/// ```
/// use linalg_core::stats::block_means;
///
/// assert_eq!(block_means(&[9.0, 1.0, 2.0, 3.0, 5.0], 2)?, [1.5, 4.0]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] for no blocks, [`Error::TooShort`] for fewer values than blocks, [`Error::NotFinite`].
pub fn block_means(series: &[f64], n_blocks: usize) -> Result<Vec<f64>> {
    if n_blocks == 0 {
        return Err(Error::Empty { what: "blocks" });
    }
    if series.len() < n_blocks {
        return Err(Error::TooShort { what: "block means", got: series.len(), needed: n_blocks });
    }
    check_finite("series", series)?;
    let length = series.len() / n_blocks;
    let used = &series[series.len() - n_blocks * length..];
    Ok(used.chunks_exact(length).map(|block| block.iter().sum::<f64>() / length as f64).collect())
}

/// What [`jackknife`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Jackknife {
    /// The function of the means over all blocks.
    pub value: f64,
    /// The same with the bias of order $`1/n`$ removed.
    pub bias_corrected: f64,
    /// Standard error of either.
    pub std_error: f64,
    /// Number of blocks.
    pub blocks: usize,
}

impl Jackknife {
    /// The bias-corrected value with its error.
    pub fn estimate(&self) -> Estimate {
        Estimate::new(self.bias_corrected, self.std_error)
    }
}

/// Delete-one-block jackknife for a function of several means.
///
/// `blocks` holds the means of $`n`$ equally long, independent blocks, a row of `n_means` each: for the Binder
/// cumulant the rows are $`(\overline{m^2}, \overline{m^4})`$ of a block. With $`\theta`$ the function of the means of all
/// blocks and $`\theta_{(i)}`$ that without block $`i`$,
///
/// ```math
/// \theta_{\mathrm{bc}} = n\theta - (n-1)\,\overline{\theta_{(\cdot)}}, \qquad
/// \sigma^2 = \frac{n-1}{n} \sum_i \left(\theta_{(i)} - \overline{\theta_{(\cdot)}}\right)^2
/// ```
///
/// (Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", SIAM 1982, ch. 2 and 3). Correlations between
/// the means are included. $`n + 1`$ evaluations of the function.
///
/// ```
/// use linalg_core::stats::jackknife;
///
/// // Square of the mean of 1, 2, 3, 6: plain 9, bias var/n = (14/3)/4 removed.
/// let square = jackknife(&[1.0, 2.0, 3.0, 6.0], 1, |m| m[0] * m[0])?;
/// assert_eq!(square.value, 9.0);
/// assert!((square.bias_corrected - (9.0 - 14.0 / 12.0)).abs() < 1e-12);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooShort`] for fewer than two blocks, [`Error::NotFinite`] for a bad entry of `blocks` or a value of the
/// function that is not finite (`index` is the block left out, `n` for none).
///
/// # Panics
/// When `n_means` is 0 or `blocks.len()` is not a multiple of it.
pub fn jackknife<F>(blocks: &[f64], n_means: usize, mut function: F) -> Result<Jackknife>
where
    F: FnMut(&[f64]) -> f64,
{
    check_rows(blocks, n_means);
    let n = blocks.len() / n_means;
    if n < 2 {
        return Err(Error::TooShort { what: "jackknife", got: n, needed: 2 });
    }
    check_finite("blocks", blocks)?;
    let mut evaluate = |means: &[f64], index: usize| {
        let value = function(means);
        if value.is_finite() {
            return Ok(value);
        }
        let what = "function of the jackknife means";
        Err(Error::NotFinite { what, index, value })
    };
    let mut means = vec![0.0; n_means];
    for row in blocks.chunks_exact(n_means) {
        means.iter_mut().zip(row).for_each(|(m, x)| *m += x / n as f64);
    }
    let value = evaluate(&means, n)?;
    let mut without = vec![0.0; n_means];
    let mut deleted = Running::new();
    for (i, row) in blocks.chunks_exact(n_means).enumerate() {
        for ((w, m), x) in without.iter_mut().zip(&means).zip(row) {
            // (n m - x) / (n - 1), as a small correction of m.
            *w = m + (m - x) / (n - 1) as f64;
        }
        deleted.push(evaluate(&without, i)?);
    }
    let others = (n - 1) as f64;
    Ok(Jackknife {
        value,
        bias_corrected: value + others * (value - deleted.mean()),
        std_error: (others * deleted.central_moment(2)).sqrt(),
        blocks: n,
    })
}

/// What [`bootstrap`] returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bootstrap {
    /// The statistic of the sample itself.
    pub value: f64,
    /// Standard deviation of the statistic over the resamples.
    pub std_error: f64,
    /// The statistic of every resample, ascending.
    pub replicates: Vec<f64>,
}

impl Bootstrap {
    /// The value with its error.
    pub fn estimate(&self) -> Estimate {
        Estimate::new(self.value, self.std_error)
    }

    /// Percentile interval that holds the share `level` of the replicates, the same share cut at both ends.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when `level` is not in `[0, 1]`, [`Error::Empty`] without replicates.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        if !(0.0..=1.0).contains(&level) {
            return Err(Error::OutOfRange { what: "level", value: level, low: 0.0, high: 1.0 });
        }
        if self.replicates.is_empty() {
            return Err(Error::Empty { what: "replicates" });
        }
        let last = self.replicates.len() - 1;
        // Linear between order statistics.
        let quantile = |q: f64| {
            let position = q * last as f64;
            let below = (position as usize).min(last);
            let above = (below + 1).min(last);
            let (a, b) = (self.replicates[below], self.replicates[above]);
            a + (position - below as f64) * (b - a)
        };
        Ok(Interval { low: quantile(0.5 - 0.5 * level), high: quantile(0.5 + 0.5 * level) })
    }
}

/// Bootstrap of any statistic of independent rows.
///
/// Draws `resamples` samples of as many rows as `sample` has, with replacement, and evaluates `statistic` on each
/// (Efron, Ann. Stat. 7, 1 (1979)). The statistic receives rows of `n_columns`, row-major. Rows must be independent:
/// pass block means for a Markov chain. Errors of the error are about $`1/\sqrt{2 \cdot \mathrm{resamples}}`$.
///
/// ```
/// use linalg_core::stats::bootstrap;
/// use linalg_core::Streams;
///
/// let sample: Vec<f64> = (0..100).map(f64::from).collect();
/// let mean = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len() as f64;
/// let result = bootstrap(&sample, 1, 2000, mean, &mut Streams::new(1).stream(0))?;
/// assert_eq!(result.value, 49.5);
/// // sqrt((100² - 1)/12 / 100) = 2.887, known to 1/sqrt(2 * 2000) = 1.6 %.
/// assert!((result.std_error / 2.887 - 1.0).abs() < 4.0 * 0.016);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooShort`] for fewer than two rows or resamples, [`Error::NotFinite`] for a bad entry of `sample` or a
/// statistic that is not finite (`index` is the resample, `resamples` for the sample itself).
///
/// # Panics
/// When `n_columns` is 0 or `sample.len()` is not a multiple of it.
pub fn bootstrap<F, R>(
    sample: &[f64],
    n_columns: usize,
    resamples: usize,
    mut statistic: F,
    rng: &mut R,
) -> Result<Bootstrap>
where
    F: FnMut(&[f64]) -> f64,
    R: Rng + ?Sized,
{
    check_rows(sample, n_columns);
    let n = sample.len() / n_columns;
    for (what, got) in [("bootstrap sample", n), ("bootstrap resamples", resamples)] {
        if got < 2 {
            let needed = 2;
            return Err(Error::TooShort { what, got, needed });
        }
    }
    check_finite("sample", sample)?;
    let mut evaluate = |rows: &[f64], index: usize| {
        let value = statistic(rows);
        if value.is_finite() {
            return Ok(value);
        }
        let what = "bootstrap statistic";
        Err(Error::NotFinite { what, index, value })
    };
    let value = evaluate(sample, resamples)?;
    let mut drawn = vec![0.0; sample.len()];
    let mut replicates = Vec::with_capacity(resamples);
    for index in 0..resamples {
        for row in drawn.chunks_exact_mut(n_columns) {
            let k = rng.random_range(0..n);
            row.copy_from_slice(&sample[k * n_columns..(k + 1) * n_columns]);
        }
        replicates.push(evaluate(&drawn, index)?);
    }
    let std_error = replicates.iter().copied().collect::<Running>().std_dev();
    replicates.sort_unstable_by(f64::total_cmp);
    Ok(Bootstrap { value, std_error, replicates })
}

fn check_rows(values: &[f64], columns: usize) {
    assert!(
        columns > 0 && values.len().is_multiple_of(columns),
        "{} values do not form rows of {columns}",
        values.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Streams, standard_normal};
    use approx::assert_relative_eq;

    fn gaussian(n: usize, stream: u64) -> Vec<f64> {
        let mut rng = Streams::new(30).stream(stream);
        (0..n).map(|_| standard_normal(&mut rng)).collect()
    }

    #[test]
    fn jackknife_of_the_mean_is_the_standard_error() {
        let data = gaussian(57, 0);
        let plain: Running = data.iter().copied().collect();
        let result = jackknife(&data, 1, |m| m[0]).unwrap();
        assert_relative_eq!(result.value, plain.mean(), max_relative = 1e-12);
        assert_relative_eq!(result.bias_corrected, plain.mean(), max_relative = 1e-11);
        assert_relative_eq!(result.std_error, plain.std_error(), max_relative = 1e-12);
    }

    #[test]
    fn jackknife_of_the_biased_variance_is_the_unbiased_one() {
        // Means of x and x²: c2 = <x²> - <x>² has bias -var/n, which the correction removes exactly.
        let data = gaussian(40, 1);
        let rows: Vec<f64> = data.iter().flat_map(|&x| [x, x * x]).collect();
        let plain: Running = data.iter().copied().collect();
        let result = jackknife(&rows, 2, |m| m[1] - m[0] * m[0]).unwrap();
        assert_relative_eq!(result.bias_corrected, plain.variance(), max_relative = 1e-12);
    }

    #[test]
    fn jackknife_covers_a_ratio_of_correlated_means() {
        // y = 2x + noise: the ratio of means is 2, error = σ_noise / (mean x sqrt n) although x itself varies.
        let n = 4000;
        let (x, noise) = (gaussian(n, 2), gaussian(n, 3));
        let rows: Vec<f64> = x.iter().zip(&noise).flat_map(|(x, e)| [x + 5.0, 2.0 * (x + 5.0) + 0.1 * e]).collect();
        let result = jackknife(&rows, 2, |m| m[1] / m[0]).unwrap();
        let theory = 0.1 / (5.0 * (n as f64).sqrt());
        // The error of the error is 1/sqrt(2 n) = 1.1 %.
        assert_relative_eq!(result.std_error, theory, max_relative = 4.0 * 0.0112);
        assert!(result.estimate().z_score(&Estimate::exact(2.0)).abs() < 4.0);
    }

    #[test]
    fn bootstrap_of_a_median() {
        // Density of the median of n Gaussians: standard deviation sqrt(π / (2 n)).
        let n = 1001;
        let data = gaussian(n, 4);
        let median = |rows: &[f64]| {
            let mut sorted = rows.to_vec();
            *sorted.select_nth_unstable_by(n / 2, f64::total_cmp).1
        };
        let result = bootstrap(&data, 1, 1000, median, &mut Streams::new(31).stream(0)).unwrap();
        let theory = (std::f64::consts::PI / (2.0 * n as f64)).sqrt();
        // The bootstrap of a median converges as n^(-1/4); 30 % catches a wrong factor sqrt 2.
        assert_relative_eq!(result.std_error, theory, max_relative = 0.3);
        let interval = result.interval(0.95).unwrap();
        assert!(interval.contains(result.value) && interval.contains(0.0));
        assert!(result.interval(0.5).unwrap().low > interval.low);
    }

    #[test]
    fn bad_input() {
        assert!(matches!(jackknife(&[1.0], 1, |m| m[0]), Err(Error::TooShort { got: 1, .. })));
        assert!(matches!(jackknife(&[], 3, |m| m[0]), Err(Error::TooShort { got: 0, .. })));
        assert!(matches!(
            jackknife(&[1.0, f64::NAN], 1, |m| m[0]),
            Err(Error::NotFinite { what: "blocks", index: 1, .. })
        ));
        // The mean without block 1 is 0.
        assert!(matches!(jackknife(&[0.0, 1.0], 1, |m| 1.0 / m[0]), Err(Error::NotFinite { index: 1, .. })));
        let mut rng = Streams::new(0).stream(0);
        assert!(matches!(bootstrap(&[1.0], 1, 9, |m| m[0], &mut rng), Err(Error::TooShort { .. })));
        assert!(matches!(
            bootstrap(&[1.0, 2.0], 1, 0, |m| m[0], &mut rng),
            Err(Error::TooShort { what: "bootstrap resamples", .. })
        ));
        let result = bootstrap(&[1.0, 2.0], 1, 9, |m| m[0], &mut rng).unwrap();
        assert!(result.interval(1.5).is_err() && result.interval(f64::NAN).is_err());
        assert!(matches!(block_means(&[1.0], 2), Err(Error::TooShort { .. })));
        assert!(matches!(block_means(&[1.0], 0), Err(Error::Empty { .. })));
    }

    #[test]
    #[should_panic(expected = "3 values do not form rows of 2")]
    fn ragged_rows() {
        let _ = jackknife(&[1.0, 2.0, 3.0], 2, |m| m[0]);
    }
}
