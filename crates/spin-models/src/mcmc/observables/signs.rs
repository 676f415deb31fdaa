//! Averages of many ±1 variables of one chain: single spins and products of pairs.

use linalg_core::stats::Estimate;

use super::pooled::Pooled;

/// Block sums of `width` variables that are ±1.
///
/// The sums are integers: nothing is rounded, and a row of 32-bit sums holds 2³¹ measurements.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::mcmc) struct SignBlocks {
    pub(in crate::mcmc) width: usize,
    /// Complete blocks kept, an even number: from half of it up to it.
    pub(in crate::mcmc) most_rows: usize,
    /// Complete blocks, a row of `width` sums each, in order of time.
    pub(in crate::mcmc) rows: Vec<i32>,
    pub(in crate::mcmc) block_length: u64,
    pub(in crate::mcmc) current: Vec<i32>,
    pub(in crate::mcmc) filled: u64,
}

impl SignBlocks {
    pub fn new(width: usize, most_rows: usize) -> Self {
        Self { width, most_rows, rows: Vec::new(), block_length: 1, current: vec![0; width], filled: 0 }
    }

    /// Adds a measurement: `add` increases the sums it is given.
    #[inline]
    pub fn push(&mut self, add: impl FnOnce(&mut [i32])) {
        add(&mut self.current);
        self.filled += 1;
        if self.filled == self.block_length {
            self.rows.extend_from_slice(&self.current);
            self.current.fill(0);
            self.filled = 0;
            // A width of 0 never has rows.
            if self.rows.len() >= self.most_rows * self.width.max(1) {
                self.halve();
            }
        }
    }

    /// Adds every second row to the one before it.
    fn halve(&mut self) {
        let width = self.width;
        for k in 0..self.most_rows / 2 {
            for c in 0..width {
                self.rows[k * width + c] = self.rows[2 * k * width + c] + self.rows[(2 * k + 1) * width + c];
            }
        }
        self.rows.truncate(self.most_rows / 2 * width);
        self.block_length *= 2;
    }

    fn n_rows(&self) -> usize {
        self.rows.len() / self.width.max(1)
    }

    fn count(&self) -> u64 {
        self.n_rows() as u64 * self.block_length + self.filled
    }

    fn total(&self, column: usize) -> i64 {
        let rows = (0..self.n_rows()).map(|k| i64::from(self.rows[k * self.width + column])).sum::<i64>();
        rows + i64::from(self.current[column])
    }

    /// Sums over complete blocks of `length`, a multiple of the block length.
    fn sums_of(&self, column: usize, length: u64) -> impl Iterator<Item = f64> + '_ {
        let factor = (length / self.block_length) as usize;
        (0..self.n_rows() / factor).map(move |group| {
            let rows = group * factor..(group + 1) * factor;
            rows.map(|k| i64::from(self.rows[k * self.width + column])).sum::<i64>() as f64
        })
    }
}

/// Mean of one column over independent chains, with its error.
///
/// The variance of a single measurement is `1 - mean²` exactly, which gives the autocorrelation time from the scatter
/// of blocks. The shortest blocks of ten times that are used; where the longest are too short, the largest error is.
/// An error below `2 / n`, one flip among n measurements, is not resolved: a spin that was never seen to turn has that.
pub(in crate::mcmc) fn column_estimate(chains: &[&SignBlocks], column: usize) -> Estimate {
    let chains: Vec<&SignBlocks> = chains.iter().copied().filter(|chain| chain.count() > 0).collect();
    let count: u64 = chains.iter().map(|chain| chain.count()).sum();
    let mean = chains.iter().map(|chain| chain.total(column)).sum::<i64>() as f64 / count as f64;
    let variance = 1.0 - mean * mean;
    let mut length = chains.iter().map(|chain| chain.block_length).max().unwrap_or(1);
    let (mut within, mut tau) = (f64::NAN, f64::NAN);
    loop {
        let means: Vec<f64> =
            chains.iter().flat_map(|chain| chain.sums_of(column, length)).map(|sum| sum / length as f64).collect();
        if means.len() < 8.max(4 * chains.len()) {
            break;
        }
        let k = means.len() as f64;
        let center = means.iter().sum::<f64>() / k;
        let squared = means.iter().map(|x| (x - center).powi(2)).sum::<f64>() / (k * (k - 1.0));
        let implied = if variance > 0.0 { 0.5 * squared * k * length as f64 / variance } else { 0.5 };
        if within.is_nan() || squared > within {
            (within, tau) = (squared, implied);
        }
        if length as f64 >= 10.0 * implied {
            (within, tau) = (squared, implied);
            break;
        }
        length *= 2;
    }
    let resolved = 2.0 / count as f64;
    if !within.is_nan() {
        within = within.max(resolved * resolved);
    }
    let means: Vec<(f64, f64)> =
        chains.iter().map(|chain| (chain.count() as f64, chain.total(column) as f64 / chain.count() as f64)).collect();
    let pooled = Pooled { mean, within, tau, count, chains: chains.len(), between: Pooled::between(&means) };
    Estimate::new(mean, pooled.variance().sqrt().max(resolved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    /// A spin that keeps its value with probability `keep`, else is drawn with mean `m`.
    fn telegraph(n: u64, keep: f64, m: f64, stream: u64) -> SignBlocks {
        let mut rng = Streams::new(3).fast_stream(stream);
        let mut blocks = SignBlocks::new(1, 64);
        let draw = |rng: &mut linalg_core::rng::Xoshiro256PlusPlus| if rng.random_bool(0.5 + 0.5 * m) { 1 } else { -1 };
        let mut s = draw(&mut rng);
        for _ in 0..n {
            if !rng.random_bool(keep) {
                s = draw(&mut rng);
            }
            blocks.push(|sums| sums[0] += s);
        }
        blocks
    }

    #[test]
    fn error_of_a_telegraph_signal() {
        // τ = 1/2 (1 + keep) / (1 - keep) and variance 1 - m².
        for (keep, m, n) in [(0.0, 0.3, 4096), (0.9, 0.0, 1 << 17), (0.9, -0.6, 100_000)] {
            let chains: Vec<SignBlocks> = (0..8).map(|k| telegraph(n, keep, m, k)).collect();
            let estimate = column_estimate(&chains.iter().collect::<Vec<_>>(), 0);
            let tau = 0.5 * (1.0 + keep) / (1.0 - keep);
            let theory = (2.0 * tau * (1.0 - m * m) / (8 * n) as f64).sqrt();
            let error = estimate.std_error.unwrap();
            // At least 256 blocks, or 7 degrees of freedom where the chains differ by chance.
            assert!(error > 0.85 * theory && error < 1.8 * theory, "{error} for {theory}");
            assert!((estimate.value - m).abs() < 4.0 * theory);
        }
    }

    #[test]
    fn halving_loses_nothing() {
        let mut blocks = SignBlocks::new(2, 64);
        for k in 0..1_000_003i32 {
            blocks.push(|sums| {
                sums[0] += 1;
                sums[1] += if k % 4 == 0 { -1 } else { 1 };
            });
        }
        assert_eq!((blocks.count(), blocks.total(0)), (1_000_003, 1_000_003));
        assert_eq!(blocks.total(1), 1_000_003 - 2 * 250_001);
        assert!((32..64).contains(&blocks.n_rows()));
        let constant = column_estimate(&[&blocks], 0);
        assert_eq!(constant, Estimate::new(1.0, 2.0 / 1_000_003.0));
    }

    #[test]
    fn the_spread_of_many_short_chains_is_their_error() {
        // 512 replicas of a free spin, measured twice each: an error of about 1/√512, or 1/√1024.
        let chains: Vec<SignBlocks> = (0..512).map(|k| telegraph(2, 0.5, 0.0, k)).collect();
        let error = column_estimate(&chains.iter().collect::<Vec<_>>(), 0).std_error.unwrap();
        assert!((0.025..0.05).contains(&error), "{error}");
        // Spins that never turned are known to one turn.
        let constant: Vec<SignBlocks> = (0..512).map(|k| telegraph(2, 1.0, 1.0, k)).collect();
        assert_eq!(column_estimate(&constant.iter().collect::<Vec<_>>(), 0), Estimate::new(1.0, 2.0 / 1024.0));
    }

    #[test]
    fn a_short_chain_has_an_infinite_error() {
        // τ = 200: the chain is ten times as long.
        let slow = telegraph(2000, 0.995, 0.0, 9);
        assert_eq!(column_estimate(&[&slow], 0).std_error, Some(f64::INFINITY));
        let empty = SignBlocks::new(1, 64);
        let none = column_estimate(&[&empty], 0);
        assert!(none.value.is_nan() && none.std_error == Some(f64::INFINITY));
    }
}
