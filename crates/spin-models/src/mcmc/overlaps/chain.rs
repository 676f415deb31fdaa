//! What is kept of one pair of replicas.

use linalg_core::stats::Binning;

use super::histogram::{Bins, ROWS};
use crate::mcmc::observables::{Blocks, SignBlocks};

/// What is measured once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measurement {
    pub n_spins: usize,
    /// Spins in which the two replicas differ.
    pub different: usize,
    /// The link overlap; 0 where it is not measured.
    pub link: f64,
    /// `|q(k)|²` averaged over the wave vectors; 0 where it is not measured.
    pub wave: f64,
}

/// Averages of one Markov chain of pairs: constant memory.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Chain {
    pub q: Binning,
    pub q2: Binning,
    pub link: Binning,
    /// Sums of `|q|`, `q²`, `q⁴`, `q_l`, `q_l²`, `|q(k)|²`.
    pub blocks: Blocks,
    pub histogram: Option<SignBlocks>,
}

impl Chain {
    pub fn new(bins: Option<Bins>) -> Self {
        Self { histogram: bins.map(|bins| SignBlocks::new(bins.count, ROWS)), ..Self::default() }
    }

    pub fn count(&self) -> u64 {
        self.q.count()
    }

    pub fn push(&mut self, measured: Measurement, bins: Option<Bins>) {
        let Measurement { n_spins, different, link, wave } = measured;
        let q = 1.0 - 2.0 * different as f64 / n_spins as f64;
        let q2 = q * q;
        self.q.push(q);
        self.q2.push(q2);
        self.link.push(link);
        self.blocks.push([q.abs(), q2, q2 * q2, link, link * link, wave]);
        if let (Some(histogram), Some(bins)) = (&mut self.histogram, bins) {
            histogram.push(|sums| {
                sums.iter_mut().for_each(|sum| *sum -= 1);
                sums[bins.of(different)] += 2;
            });
        }
    }
}
