//! Errors of Markov-chain averages by logarithmic binning, online.

use crate::checkpoint::{CheckpointError, Reader, Writer};
use crate::merge::{Merge, MergeError};

use super::Estimate;

/// Bins a level must have before its error is looked at: the error of the error is then below 13 %.
const FEWEST_BINS: u64 = 32;

/// Mean of a Markov chain with its error, in one pass, constant memory, mergeable over independent chains.
///
/// Level $`\ell`$ holds the means of bins of $`2^\ell`$ successive values. With bins much longer than the
/// autocorrelation time the bin means are independent, and the naive error of their mean,
///
/// ```math
/// \sigma_\ell^2 = \frac{1}{n_\ell (n_\ell - 1)} \sum_{b} (\bar x_b - \bar x)^2 ,
/// ```
///
/// stops growing with $`\ell`$ (Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989)). The reported level is the
/// smallest with bin size $`B`$, $`B^3 > 2 N (\sigma_\ell^2/\sigma_0^2)^2`$, which balances the bias of short bins
/// against the noise of few (Lee et al., Phys. Rev. E 83, 066706 (2011)); the estimate counts as
/// [`converged`](Self::converged) when that level has at least 32 bins and no longer bins give an error
/// larger by more than three of its own standard deviations. Without convergence the largest error of all levels with
/// 32 bins is reported.
///
/// A value costs two updates of a mean and a variance on average. Memory is $`\log_2 N`$ levels of five numbers.
///
/// ```
/// use linalg_core::stats::Binning;
///
/// // Each value twice: pairs are fully correlated, the error is that of half as many values.
/// let mut doubled = Binning::new();
/// let mut single = Binning::new();
/// for k in 0..4096u32 {
///     let x = f64::from(k.wrapping_mul(2654435761) >> 16); // a scrambled sequence
///     single.push(x);
///     doubled.push(x);
///     doubled.push(x);
/// }
/// assert!((single.mean() - doubled.mean()).abs() < 1e-9);
/// assert!((doubled.levels()[1].std_error / single.levels()[0].std_error - 1.0).abs() < 1e-12);
/// assert_eq!(doubled.count(), 8192);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Binning {
    levels: Vec<Level>,
}

/// Mean and variance of complete bins of one size, and the bin waiting for its partner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Level {
    count: u64,
    mean: f64,
    squares: f64,
    pending: Option<f64>,
}

impl Level {
    fn push(&mut self, x: f64) {
        self.count += 1;
        let delta = x - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (x - self.mean);
    }

    fn squared_error(&self) -> f64 {
        let n = self.count as f64;
        self.squares / (n * (n - 1.0))
    }
}

/// The error of the mean at one bin size.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BinningLevel {
    /// Values a bin.
    pub bin_size: u64,
    /// Complete bins.
    pub bins: u64,
    /// Error of the mean if the bins are independent.
    pub std_error: f64,
    /// Standard deviation of `std_error` for independent Gaussian bins, `std_error / sqrt(2 (bins - 1))`.
    pub uncertainty: f64,
    /// Integrated autocorrelation time implied, $`\sigma_\ell^2/(2\sigma_0^2)`$; 1/2 for a constant series.
    pub tau: f64,
}

impl Binning {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next value of the chain.
    pub fn push(&mut self, x: f64) {
        let mut bin = x;
        let mut level = 0;
        loop {
            if level == self.levels.len() {
                self.levels.push(Level::default());
            }
            let here = &mut self.levels[level];
            here.push(bin);
            match here.pending.take() {
                None => {
                    here.pending = Some(bin);
                    return;
                }
                Some(partner) => bin = 0.5 * (partner + bin),
            }
            level += 1;
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.levels.first().map_or(0, |level| level.count)
    }

    /// Mean of all values; NaN without any.
    pub fn mean(&self) -> f64 {
        self.levels.first().map_or(f64::NAN, |level| level.mean)
    }

    /// Unbiased variance of the values, divided by $`n - 1`$; NaN for fewer than two.
    pub fn variance(&self) -> f64 {
        match self.levels.first() {
            Some(level) if level.count >= 2 => level.squares / (level.count - 1) as f64,
            _ => f64::NAN,
        }
    }

    /// The errors by bin size, for every level with at least two bins, shortest bins first.
    pub fn levels(&self) -> Vec<BinningLevel> {
        let naive = self.levels.first().map_or(f64::NAN, Level::squared_error);
        let report = |(k, level): (usize, &Level)| {
            let squared = level.squared_error();
            BinningLevel {
                bin_size: 1 << k,
                bins: level.count,
                std_error: squared.sqrt(),
                uncertainty: (squared / (2.0 * (level.count - 1) as f64)).sqrt(),
                // A constant series has 0/0.
                tau: if naive == 0.0 { 0.5 } else { 0.5 * squared / naive },
            }
        };
        let enough = self.levels.iter().take_while(|level| level.count >= 2);
        enough.enumerate().map(report).collect()
    }

    /// The level whose error is reported, and whether the error has reached its plateau.
    ///
    /// `None` for fewer than two values.
    pub fn plateau(&self) -> Option<(BinningLevel, bool)> {
        let mut levels = self.levels();
        let first = *levels.first()?;
        if first.std_error.is_nan() {
            return Some((first, false));
        }
        levels.retain(|level| level.bin_size == 1 || level.bins >= FEWEST_BINS);
        let n = self.count() as f64;
        let long_enough = |level: &BinningLevel| {
            let ratio = 2.0 * level.tau;
            (level.bin_size as f64).powi(3) > 2.0 * n * ratio * ratio
        };
        if first.std_error == 0.0 && self.count() >= FEWEST_BINS {
            return Some((first, true));
        }
        if let Some(chosen) = levels.iter().position(long_enough) {
            let level = levels[chosen];
            let grows = |later: &BinningLevel| later.std_error - level.std_error > 3.0 * later.uncertainty;
            if !levels[chosen + 1..].iter().any(grows) {
                return Some((level, true));
            }
        }
        let largest = levels.into_iter().max_by(|a, b| a.std_error.total_cmp(&b.std_error));
        largest.map(|level| (level, false))
    }

    /// Standard error of the mean; NaN for fewer than two values. See [`converged`](Self::converged).
    pub fn std_error(&self) -> f64 {
        self.plateau().map_or(f64::NAN, |(level, _)| level.std_error)
    }

    /// Integrated autocorrelation time in the convention of [`stats`](super); NaN for fewer than two values.
    pub fn tau(&self) -> f64 {
        self.plateau().map_or(f64::NAN, |(level, _)| level.tau)
    }

    /// Whether the error has reached a plateau; if not, [`std_error`](Self::std_error) is a lower bound of the truth.
    ///
    /// False below about 100 values, where no bin size gives both long and many bins.
    pub fn converged(&self) -> bool {
        self.plateau().is_some_and(|(_, converged)| converged)
    }

    /// Mean and error; no error for fewer than two values.
    pub fn estimate(&self) -> Estimate {
        Estimate { value: self.mean(), std_error: self.plateau().map(|(level, _)| level.std_error) }
    }

    /// Appends the state to a checkpoint; [`read`](Self::read) takes it back bit for bit.
    pub fn write(&self, out: &mut Writer) {
        out.write_usize(self.levels.len());
        for level in &self.levels {
            out.write_u64(level.count).write_f64(level.mean).write_f64(level.squares);
            out.write_bool(level.pending.is_some()).write_f64(level.pending.unwrap_or(0.0));
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// [`CheckpointError`] when the bytes end too early or have more than 65 levels.
    pub fn read(from: &mut Reader<'_>) -> std::result::Result<Self, CheckpointError> {
        let at = from.position();
        let n_levels = from.read_usize()?;
        // 2^64 values have 65 levels at most.
        if n_levels > 65 {
            return Err(CheckpointError::Invalid { what: "number of binning levels", at });
        }
        let mut levels = Vec::new();
        for _ in 0..n_levels {
            let (count, mean, squares) = (from.read_count()?, from.read_f64()?, from.read_f64()?);
            let (is_pending, value) = (from.read_bool()?, from.read_f64()?);
            levels.push(Level { count, mean, squares, pending: is_pending.then_some(value) });
        }
        Ok(Self { levels })
    }
}

impl Merge for Binning {
    /// Pools the bins of two independent chains; never fails.
    ///
    /// Every value counts in the mean. A bin that `other` had begun stays incomplete and does not enter the levels
    /// above; a bin begun by `self` is kept, so that its own chain can go on.
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.levels.len() < other.levels.len() {
            self.levels.resize(other.levels.len(), Level::default());
        }
        for (mine, theirs) in self.levels.iter_mut().zip(&other.levels) {
            if theirs.count == 0 {
                continue;
            }
            let (a, b) = (mine.count as f64, theirs.count as f64);
            let delta = theirs.mean - mine.mean;
            mine.mean += delta * b / (a + b);
            mine.squares += theirs.squares + delta * delta * a * b / (a + b);
            mine.count += theirs.count;
        }
        Ok(())
    }
}

impl Extend<f64> for Binning {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|x| self.push(x));
    }
}

impl FromIterator<f64> for Binning {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut binning = Self::new();
        binning.extend(values);
        binning
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Streams, standard_normal};
    use approx::assert_relative_eq;

    /// A stationary AR(1) chain x' = a x + noise with unit noise.
    fn autoregressive(a: f64, n: usize, stream: u64) -> Vec<f64> {
        let mut rng = Streams::new(20).stream(stream);
        let mut x = standard_normal(&mut rng) / (1.0 - a * a).sqrt();
        (0..n)
            .map(|_| {
                let now = x;
                x = a * x + standard_normal(&mut rng);
                now
            })
            .collect()
    }

    #[test]
    fn error_of_an_autoregressive_chain() {
        // tau = (1 + a) / (2 (1 - a)); variance 1 / (1 - a²).
        for (stream, a) in [(0, 0.0), (1, 0.5), (2, 0.9), (3, 0.95), (4, -0.5)] {
            let n = 1 << 20;
            let binning: Binning = autoregressive(a, n, stream).into_iter().collect();
            let tau: f64 = (1.0 + a) / (2.0 * (1.0 - a));
            let theory = (2.0 * tau / (1.0 - a * a) / n as f64).sqrt();
            let (level, converged) = binning.plateau().unwrap();
            assert!(converged, "a = {a}");
            // Four standard deviations of the error, plus the bias tau / B of the short bins.
            let tolerance = 4.0 * level.uncertainty / theory + tau / level.bin_size as f64;
            assert!(tolerance < 0.15, "a = {a}: the test has no power, {tolerance}");
            assert_relative_eq!(binning.std_error(), theory, max_relative = tolerance);
            assert_relative_eq!(binning.tau(), tau, max_relative = 2.5 * tolerance);
            assert!(binning.mean().abs() < 4.0 * theory, "a = {a}");
        }
    }

    #[test]
    fn a_chain_shorter_than_its_memory_is_not_converged() {
        let binning: Binning = autoregressive(0.999, 2000, 5).into_iter().collect();
        assert!(!binning.converged());
        // Fast noise over a slow mode: the first levels look flat.
        let slow = autoregressive(0.9999, 1 << 14, 6);
        let fast = autoregressive(0.0, 1 << 14, 7);
        let mixed: Binning = slow.iter().zip(&fast).map(|(s, f)| 0.003 * s + f).collect();
        assert!(mixed.levels()[4].tau < 1.0);
        assert!(!mixed.converged(), "{:?}", mixed.levels());
    }

    #[test]
    fn chains_merge_to_the_pooled_result() {
        let n = 1 << 12;
        let chains: Vec<Vec<f64>> = (10..14).map(|k| autoregressive(0.7, n, k)).collect();
        let mut merged = Binning::new();
        for chain in &chains {
            merged.merge(&chain.iter().copied().collect()).unwrap();
        }
        // With a power of two values a chain leaves no incomplete bin: pooling is concatenation, up to bins
        // that straddle two chains, which are the two highest levels.
        let pooled: Binning = chains.concat().into_iter().collect();
        assert_eq!(merged.count(), pooled.count());
        assert_relative_eq!(merged.mean(), pooled.mean(), max_relative = 1e-12);
        for (a, b) in merged.levels().iter().zip(pooled.levels()) {
            assert_eq!(a.bins, b.bins);
            assert_relative_eq!(a.std_error, b.std_error, max_relative = 1e-10);
        }
        assert_eq!(merged.converged(), pooled.converged());
    }

    #[test]
    fn an_odd_chain_keeps_every_value_in_the_mean() {
        let mut a: Binning = [1.0, 2.0, 3.0].into_iter().collect();
        let b: Binning = [10.0].into_iter().collect();
        a.merge(&b).unwrap();
        assert_relative_eq!(a.mean(), 4.0);
        a.push(4.0); // completes the bin (3, 4) of the first chain
        let pairs = a.levels()[1];
        assert_eq!((pairs.bins, pairs.bin_size), (2, 2));
        assert_relative_eq!(pairs.std_error, 1.0); // bins 1.5 and 3.5
    }

    #[test]
    fn constant_empty_and_nan() {
        let constant: Binning = std::iter::repeat_n(2.5, 1000).collect();
        let (level, converged) = constant.plateau().unwrap();
        assert!(converged && level.std_error == 0.0);
        assert_relative_eq!(level.tau, 0.5);
        let empty = Binning::new();
        assert!(empty.mean().is_nan() && empty.plateau().is_none());
        assert_eq!(empty.estimate().std_error, None);
        let one: Binning = [1.0].into_iter().collect();
        assert_eq!(one.estimate().std_error, None);
        let nan: Binning = (0..100).map(|k| if k == 7 { f64::NAN } else { 1.0 }).collect();
        assert!(nan.std_error().is_nan() && !nan.converged());
    }

    #[test]
    fn a_saved_chain_goes_on() {
        let values = autoregressive(0.8, 1001, 8);
        let mut saved: Binning = values[..700].iter().copied().collect();
        let mut bytes = Writer::new();
        saved.write(&mut bytes);
        let bytes = bytes.into_bytes();
        let mut reader = Reader::new(&bytes);
        let mut restored = Binning::read(&mut reader).unwrap();
        reader.finish().unwrap();
        saved.extend(values[700..].iter().copied());
        restored.extend(values[700..].iter().copied());
        assert_eq!(saved, restored);
        for end in 0..bytes.len() {
            assert!(Binning::read(&mut Reader::new(&bytes[..end])).is_err());
        }
        assert!(Binning::read(&mut Reader::new(&[255; 8])).is_err());
    }
}
