//! Whether a run has forgotten where it began.

use linalg_core::stats::Running;

use super::blocks::{Block, Blocks, Sums};
use super::lanes::Lanes;
use super::pooled::{Pooled, largest_ratio};
use super::series::Series;

/// Bound on every drift, in standard errors.
pub(in crate::mcmc) const LARGEST_DRIFT: f64 = 5.0;

/// Groups of blocks a window, from whose scatter its error comes; fewer in a shorter chain.
const GROUPS: usize = 8;

/// Blocks of a chain below which it has no say: two in the shortest window.
const FEWEST_BLOCKS: usize = 16;

/// Independent samples below which no judgement is made.
pub(in crate::mcmc) const FEWEST_SAMPLES: f64 = 100.0;

/// Evidence for or against equilibrium.
///
/// Time is cut into the windows `[1/8, 1/4]`, `[1/4, 1/2]`, `[1/2, 1]` of the run. Averages that still drift differ
/// between windows, on the logarithmic scale on which glassy systems relax; chains that are stuck differ from each
/// other. Necessary conditions only: a valley that no chain has seen leaves no trace. Chains of fewer than 16 measurements
/// have no say in the drifts, which are NaN if there are no others.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Equilibration {
    /// Energy of the last window less that of the two before it, in standard errors.
    pub energy_drift: [f64; 2],
    /// The same for the absolute magnetization.
    pub abs_magnetization_drift: [f64; 2],
    /// Variance between chains over that expected from within them, the larger of energy and absolute magnetization;
    /// about 1 for chains that sample one ensemble. `None` for a single chain.
    pub chain_spread: Option<f64>,
    /// Independent chains.
    pub n_chains: usize,
    /// Measurements divided by twice the longer autocorrelation time of energy and absolute magnetization.
    pub effective_samples: f64,
}

impl Equilibration {
    /// Whether nothing speaks against equilibrium: every drift within five standard errors, the spread of the chains
    /// within five standard deviations of 1, and at least 100 effective samples.
    pub fn passed(&self) -> bool {
        let mut drifts = self.energy_drift.iter().chain(&self.abs_magnetization_drift);
        let still = drifts.all(|z| z.abs() <= LARGEST_DRIFT);
        let together = self.chain_spread.is_none_or(|ratio| ratio <= largest_ratio(self.n_chains));
        still && together && self.effective_samples >= FEWEST_SAMPLES
    }
}

impl Lanes<'_> {
    /// Evidence for or against equilibrium; see [`Equilibration`].
    pub fn equilibration(&self) -> Equilibration {
        let (energy, magnetization) = (self.pooled_energy(), self.pooled_abs_magnetization());
        let n = self.count() as f64;
        let ratio = |pooled: &Pooled| pooled.between.map(|between| spread(between, pooled.within));
        Equilibration {
            energy_drift: self.drift(|chain, sum, n| sum[0] / n + chain.reference),
            abs_magnetization_drift: self.drift(|_, sum, n| sum[3] / n),
            chain_spread: ratio(&energy).zip(ratio(&magnetization)).map(|(a, b)| a.max(b)),
            n_chains: self.n_chains(),
            effective_samples: n / (2.0 * energy.tau.max(magnetization.tau)),
        }
    }

    /// Whether nothing speaks against equilibrium; see [`Equilibration::passed`].
    pub fn equilibrated(&self) -> bool {
        self.equilibration().passed()
    }

    fn drift(&self, mean: impl Fn(&Series, &Sums, f64) -> f64) -> [f64; 2] {
        let blocks: Vec<&Blocks> = self.chains.iter().map(|chain| &chain.blocks).collect();
        drift(&blocks, |chain, sums, n| mean(self.chains[chain], sums, n))
    }
}

/// The mean of the last window less that of the two before it, in standard errors; NaN if no chain is long enough. `mean`
/// takes the number of the chain, sums, and the number of measurements in them.
pub(in crate::mcmc) fn drift(chains: &[&Blocks], mean: impl Fn(usize, &Sums, f64) -> f64) -> [f64; 2] {
    // Mean and squared error of the blocks from/8 .. to/8 of every chain, from eight groups of blocks a chain. A
    // drift within the window adds little to their scatter.
    let window = |from: usize, to: usize| {
        let (mut sum, mut squared_error, mut n) = (0.0, 0.0, 0.0);
        for (number, chain) in chains.iter().enumerate().filter(|(_, chain)| chain.complete.len() >= FEWEST_BLOCKS) {
            let k = chain.complete.len();
            let blocks = &chain.complete[k * from / 8..k * to / 8];
            let n_groups = GROUPS.min(blocks.len());
            let groups: Running = (0..n_groups)
                .map(|g| {
                    let mut group = Block::default();
                    let part = &blocks[blocks.len() * g / n_groups..blocks.len() * (g + 1) / n_groups];
                    part.iter().for_each(|block| group.add(block));
                    mean(number, &group.sums, group.count as f64)
                })
                .collect();
            sum += groups.mean();
            squared_error += groups.variance() / n_groups as f64;
            n += 1.0;
        }
        (sum / n, squared_error / (n * n))
    };
    let (last, last_error) = window(4, 8);
    [(2, 4), (1, 2)].map(|(from, to)| {
        let (before, error) = window(from, to);
        let difference = last - before;
        if difference == 0.0 { 0.0 } else { difference / (error + last_error).sqrt() }
    })
}

/// `between / within`, where 0/0 (all chains constant and equal) is 1.
fn spread(between: f64, within: f64) -> f64 {
    if between == 0.0 && within == 0.0 { 1.0 } else { between / within }
}
