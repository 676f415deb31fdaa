//! Errors of means over one or several chains.

use linalg_core::stats::{Binning, Estimate};
use linalg_core::{Merge, stats::BinningLevel};

use super::blocks::{Block, Sums};

/// A chain must be this many times longer than its measured autocorrelation time before its own error is believed.
/// In a shorter chain the time itself comes out too small, by half at ten true times.
const LONG_ENOUGH: f64 = 50.0;

/// Independent chains from which the spread between them is believed where the error within them is not.
const ENOUGH_CHAINS: usize = 4;

/// Ratio of the variance between chains to that within them above which they disagree: five standard deviations of the
/// ratio above 1, which chance exceeds once in a few hundred to a few thousand times.
pub(super) fn largest_ratio(chains: usize) -> f64 {
    1.0 + 5.0 * (2.0 / (chains as f64 - 1.0)).sqrt()
}

/// The mean over all chains and the two ways to its variance.
#[derive(Debug, Clone, Copy)]
pub(in crate::mcmc) struct Pooled {
    pub mean: f64,
    /// Variance of the mean from the scatter within chains.
    pub within: f64,
    /// Integrated autocorrelation time in measurements.
    pub tau: f64,
    /// Measurements in all.
    pub count: u64,
    pub chains: usize,
    /// Variance of the mean from the spread of the chains, for two or more.
    pub between: Option<f64>,
}

impl Pooled {
    /// The mean of a quantity that was binned in every chain.
    pub fn of(binnings: &[&Binning]) -> Self {
        let binnings: Vec<&Binning> = binnings.iter().copied().filter(|binning| binning.count() > 0).collect();
        let mut all = Binning::new();
        for binning in &binnings {
            // Merging never fails for this type.
            let _ = all.merge(binning);
        }
        let level = reported_level(&all, binnings.len());
        let means: Vec<(f64, f64)> = binnings.iter().map(|binning| (binning.count() as f64, binning.mean())).collect();
        Self {
            mean: all.mean(),
            within: level.map_or(f64::NAN, |level| level.std_error.powi(2)),
            tau: level.map_or(f64::NAN, |level| level.tau),
            count: all.count(),
            chains: binnings.len(),
            between: Self::between(&means),
        }
    }

    /// Variance of the weighted mean of `(weight, value)` pairs from their spread, for two or more.
    pub fn between(means: &[(f64, f64)]) -> Option<f64> {
        if means.len() < 2 {
            return None;
        }
        let total: f64 = means.iter().map(|(n, _)| n).sum();
        let mean = means.iter().map(|(n, x)| n * x).sum::<f64>() / total;
        let (mut spread, mut squares) = (0.0, 0.0);
        for (n, x) in means {
            let weight = n / total;
            spread += (weight * (x - mean)).powi(2);
            squares += weight * weight;
        }
        // For equal weights this is Σ (x - mean)² / (C (C - 1)).
        Some(spread / (1.0 - squares))
    }

    /// Whether the chains are long enough for the error that was found within them.
    pub fn long_enough(&self) -> bool {
        self.count as f64 >= LONG_ENOUGH * self.tau * self.chains as f64
    }

    /// Whether the chains differ by more than chance: they then sample different parts of the configurations.
    pub fn disagree(&self) -> bool {
        self.between.is_some_and(|between| between > largest_ratio(self.chains) * self.within)
    }

    /// The larger of the two variances; that of a single chain if the chains disagree; infinite if neither can be
    /// believed.
    pub fn variance(&self) -> f64 {
        let variance = match self.between {
            // The mean of chains in different valleys does not approach the truth with their number.
            Some(between) if self.disagree() => between * self.chains as f64,
            // `max` ignores a NaN within, from chains of one measurement.
            Some(between) if self.chains >= ENOUGH_CHAINS => between.max(self.within),
            Some(between) if self.long_enough() => between.max(self.within),
            None if self.long_enough() => self.within,
            _ => f64::INFINITY,
        };
        if self.mean.is_nan() || variance.is_nan() { f64::INFINITY } else { variance }
    }

    pub fn estimate(&self) -> Estimate {
        Estimate::new(self.mean, self.variance().sqrt())
    }
}

/// The level on the plateau, or without one the level of the largest error among those with a few bins a chain.
fn reported_level(binning: &Binning, chains: usize) -> Option<BinningLevel> {
    match binning.plateau() {
        Some((level, true)) => Some(level),
        _ => {
            let few = 8 * chains.max(1) as u64;
            let levels = binning.levels().into_iter().filter(|level| level.bin_size == 1 || level.bins >= few);
            levels.max_by(|a, b| a.std_error.total_cmp(&b.std_error))
        }
    }
}

/// A function of the mean moments with its delete-a-group jackknife error.
///
/// Groups may differ in size (Busing, Meijer and van der Leeden, Stat. Comput. 9, 3 (1999)). Returns the value with
/// its bias of order 1/n removed, and its variance.
fn jackknife(groups: &[Block], function: &dyn Fn(&Sums) -> f64) -> Option<(f64, f64)> {
    let mut total = Block::default();
    groups.iter().for_each(|group| total.add(group));
    let n = total.count as f64;
    let all = function(&total.sums.map(|sum| sum / n));
    if groups.len() < 2 {
        return None;
    }
    let g = groups.len() as f64;
    let mut corrected = g * all;
    let mut pseudo = Vec::with_capacity(groups.len());
    for group in groups {
        let others = n - group.count as f64;
        let mut means = total.sums;
        means.iter_mut().zip(group.sums).for_each(|(mean, sum)| *mean = (*mean - sum) / others);
        let without = function(&means);
        corrected -= others / n * without;
        let h = n / group.count as f64;
        pseudo.push((h, h * all - (h - 1.0) * without));
    }
    let variance = pseudo.iter().map(|(h, value)| (value - corrected).powi(2) / (h - 1.0)).sum::<f64>() / g;
    Some((corrected, variance))
}

/// A function of the mean moments with its jackknife error, from the blocks of all chains and the sums of each chain.
///
/// # Panics
/// If there is no chain.
pub(in crate::mcmc) fn function_estimate(
    blocks: &[Block],
    chains: &[Block],
    tau: f64,
    function: &dyn Fn(&Sums) -> f64,
) -> Estimate {
    let Some((value, within)) = jackknife(blocks, function) else {
        let total = chains[0];
        return Estimate::new(function(&total.sums.map(|sum| sum / total.count as f64)), f64::INFINITY);
    };
    let between = jackknife(chains, function).map(|(_, variance)| variance);
    let count = chains.iter().map(|chain| chain.count).sum();
    Pooled { mean: value, within, tau, count, chains: chains.len(), between }.estimate()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(values: &[f64]) -> Block {
        let mut block = Block::default();
        for &x in values {
            block.add(&Block { count: 1, sums: [x, x * x, 0.0, 0.0, 0.0, 0.0] });
        }
        block
    }

    #[test]
    fn jackknife_of_equal_groups_is_the_textbook_one() {
        // Square of the mean of 1, 2, 3, 6: 9 less var/n = 14/12.
        let groups: Vec<Block> = [1.0, 2.0, 3.0, 6.0].iter().map(|&x| block(&[x])).collect();
        let (value, variance) = jackknife(&groups, &|sums| sums[0] * sums[0]).unwrap();
        approx::assert_relative_eq!(value, 9.0 - 14.0 / 12.0, max_relative = 1e-14);
        let library = linalg_core::stats::jackknife(&[1.0, 2.0, 3.0, 6.0], 1, |m| m[0] * m[0]).unwrap();
        approx::assert_relative_eq!(variance.sqrt(), library.std_error, max_relative = 1e-13);
    }

    #[test]
    fn jackknife_of_a_mean_is_the_mean() {
        let groups = [block(&[1.0, 4.0, 2.0]), block(&[0.5]), block(&[3.0, -1.0])];
        let (value, variance) = jackknife(&groups, &|sums| sums[0]).unwrap();
        approx::assert_relative_eq!(value, 9.5 / 6.0, max_relative = 1e-14);
        assert!(variance > 0.0);
        assert!(jackknife(&groups[..1], &|sums| sums[0]).is_none());
    }

    #[test]
    fn spread_of_equal_chains() {
        let means = [(5.0, 1.0), (5.0, 2.0), (5.0, 6.0)];
        // Deviations -2, -1, 3: Σ = 14 over C (C - 1) = 6.
        approx::assert_relative_eq!(Pooled::between(&means).unwrap(), 14.0 / 6.0, max_relative = 1e-14);
        assert_eq!(Pooled::between(&means[..1]), None);
    }
}
