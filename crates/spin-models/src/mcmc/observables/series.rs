//! What is kept of one Markov chain.

use linalg_core::stats::Binning;

use super::blocks::{Block, Blocks};
use super::signs::SignBlocks;

/// Rows of block sums kept of sites, and of pairs, which are many.
pub(super) const SITE_ROWS: usize = 64;
pub(super) const PAIR_ROWS: usize = 32;

impl Block {
    /// The same measurements relative to a reference energy lower by `shift`.
    pub fn shifted(mut self, shift: f64) -> Self {
        let n = self.count as f64;
        self.sums[1] += shift * (2.0 * self.sums[0] + n * shift);
        self.sums[0] += n * shift;
        self
    }
}

/// Averages of one Markov chain: constant memory, whatever its length.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Series {
    /// Energy per spin of the first measurement: variances are taken about it, so that a large constant term of the
    /// energy costs no digits.
    pub reference: f64,
    pub energy: Binning,
    pub magnetization: Binning,
    pub abs_magnetization: Binning,
    /// Sums of `e - e_0`, `(e - e_0)²`, `m`, `|m|`, `m²`, `m⁴`, with `e_0` the reference of the chain.
    pub blocks: Blocks,
    pub sites: Option<SignBlocks>,
    pub pairs: Option<SignBlocks>,
}

impl Series {
    pub fn new(n_sites: Option<usize>, n_pairs: Option<usize>) -> Self {
        let sites = n_sites.map(|width| SignBlocks::new(width, SITE_ROWS));
        let pairs = n_pairs.map(|width| SignBlocks::new(width, PAIR_ROWS));
        Self { sites, pairs, ..Self::default() }
    }

    /// Number of measurements.
    pub fn count(&self) -> u64 {
        self.energy.count()
    }

    /// Adds a measurement of energy and magnetization per spin.
    pub fn push(&mut self, e: f64, m: f64) {
        if self.count() == 0 {
            self.reference = e;
        }
        self.energy.push(e);
        self.magnetization.push(m);
        self.abs_magnetization.push(m.abs());
        let (d, m2) = (e - self.reference, m * m);
        self.blocks.push([d, d * d, m, m.abs(), m2, m2 * m2]);
    }

    /// Everything measured, relative to the reference of the chain.
    pub fn total(&self) -> Block {
        self.blocks.total()
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::MOST_BLOCKS;
    use super::*;

    #[test]
    fn memory_stays_bounded_and_nothing_is_lost() {
        let mut series = Series::new(None, None);
        for k in 1..=10_007u64 {
            series.push(k as f64, if k % 3 == 0 { -0.5 } else { 0.25 });
            assert!(series.blocks.complete.len() < MOST_BLOCKS);
        }
        assert_eq!(series.blocks.length, 128);
        let total = series.total();
        assert_eq!(total.count, 10_007);
        // Relative to the first energy, 1: Σ (k - 1) = n (n - 1) / 2.
        approx::assert_relative_eq!(total.sums[0], 10_007.0 * 10_006.0 / 2.0);
        approx::assert_relative_eq!(total.shifted(1.0).sums[0], 10_007.0 * 10_008.0 / 2.0);
        for length in [0.0, 1.0, 300.0, 1e18, f64::NAN] {
            let blocks = series.blocks.of_length(length);
            assert!(blocks.len() >= 4);
            assert_eq!(blocks.iter().map(|block| block.count).sum::<u64>(), 10_007);
            assert!(length > 2e3 || blocks.iter().all(|block| block.count as f64 >= length) || length.is_nan());
        }
    }

    #[test]
    fn short_chains_have_one_block_a_measurement() {
        let mut series = Series::new(None, None);
        assert!(series.blocks.of_length(5.0).is_empty());
        series.push(1.0, 1.0);
        assert_eq!(series.blocks.of_length(5.0).len(), 1);
        (0..6).for_each(|_| series.push(2.0, 1.0));
        assert_eq!(series.blocks.of_length(1.0).len(), 7);
        assert_eq!(series.blocks.of_length(100.0).len(), 7);
    }
}
