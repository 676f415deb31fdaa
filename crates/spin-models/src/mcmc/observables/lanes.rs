//! The estimates.

use linalg_core::stats::{Binning, Estimate};

use super::blocks::{Block, Sums};
use super::pooled::{Pooled, function_estimate};
use super::series::Series;
use super::signs::{SignBlocks, column_estimate};
use crate::model::PairCorrelations;

/// Lanes of one temperature, pooled: what [`Observables`](super::Observables) reports for all its lanes, for some.
///
/// See [`Observables`](super::Observables) for how errors are found.
#[derive(Debug, Clone)]
pub struct Lanes<'a> {
    pub(super) n_spins: usize,
    pub(super) pairs: &'a [(u32, u32)],
    /// The chains of these lanes that have measurements.
    pub(super) chains: Vec<&'a Series>,
}

impl Lanes<'_> {
    /// Measurements in all.
    pub fn count(&self) -> u64 {
        self.chains.iter().map(|chain| chain.count()).sum()
    }

    /// Independent chains that were measured.
    pub fn n_chains(&self) -> usize {
        self.chains.len()
    }

    fn binned(&self, binning: impl Fn(&Series) -> &Binning) -> Pooled {
        let binnings: Vec<&Binning> = self.chains.iter().map(|chain| binning(chain)).collect();
        Pooled::of(&binnings)
    }

    pub(super) fn pooled_energy(&self) -> Pooled {
        self.binned(|chain| &chain.energy)
    }

    pub(super) fn pooled_abs_magnetization(&self) -> Pooled {
        self.binned(|chain| &chain.abs_magnetization)
    }

    /// The mean energy `⟨E⟩`, extensive, constant term included.
    pub fn energy(&self) -> Estimate {
        let n = self.n_spins as f64;
        let e = self.energy_per_spin();
        Estimate { value: n * e.value, std_error: e.std_error.map(|error| n * error) }
    }

    /// The mean energy per spin, `e = ⟨E⟩ / N`.
    pub fn energy_per_spin(&self) -> Estimate {
        self.pooled_energy().estimate()
    }

    /// The mean magnetization per spin, `⟨m⟩`.
    pub fn magnetization_per_spin(&self) -> Estimate {
        self.binned(|chain| &chain.magnetization).estimate()
    }

    /// The mean of the absolute magnetization per spin, `⟨|m|⟩`.
    pub fn abs_magnetization(&self) -> Estimate {
        self.pooled_abs_magnetization().estimate()
    }

    /// The specific heat per spin, `β² N (⟨e²⟩ - ⟨e⟩²)`.
    pub fn specific_heat(&self, beta: f64) -> Estimate {
        let factor = beta * beta * self.n_spins as f64;
        self.function(&|sums| factor * (sums[1] - sums[0] * sums[0]))
    }

    /// The susceptibility per spin with the absolute magnetization, `β N (⟨m²⟩ - ⟨|m|⟩²)`.
    pub fn susceptibility(&self, beta: f64) -> Estimate {
        let factor = beta * self.n_spins as f64;
        self.function(&|sums| factor * (sums[4] - sums[3] * sums[3]))
    }

    /// The Binder cumulant, `1 - ⟨m⁴⟩ / 3⟨m²⟩²`: 0 for a Gaussian m, 2/3 for `m = ±m_0`.
    ///
    /// The value is NaN when every measurement had `m = 0`.
    pub fn binder_cumulant(&self) -> Estimate {
        self.function(&|sums| 1.0 - sums[5] / (3.0 * sums[4] * sums[4]))
    }

    /// Integrated autocorrelation time of the energy, in measurements; 1/2 for independent ones.
    pub fn tau_energy(&self) -> Estimate {
        tau_estimate(self.pooled_energy())
    }

    /// Integrated autocorrelation time of the magnetization, in measurements.
    ///
    /// Without a field this is the time in which the magnetization turns over. Where it does not, the error is infinite.
    pub fn tau_magnetization(&self) -> Estimate {
        tau_estimate(self.binned(|chain| &chain.magnetization))
    }

    /// Integrated autocorrelation time of the absolute magnetization, in measurements.
    pub fn tau_abs_magnetization(&self) -> Estimate {
        tau_estimate(self.pooled_abs_magnetization())
    }

    /// `⟨s_i⟩` of every site; `None` unless [`with_sites`](super::Observables::with_sites) was asked for.
    ///
    /// `O(N C B)` for C chains and B ≤ 64 blocks.
    pub fn magnetizations(&self) -> Option<Vec<Estimate>> {
        self.columns(self.n_spins, |chain| chain.sites.as_ref())
    }

    /// `⟨s_i s_j⟩` of the pairs given to [`with_pairs`](super::Observables::with_pairs); `None` without.
    pub fn correlations(&self) -> Option<PairCorrelations> {
        let values = self.columns(self.pairs.len(), |chain| chain.pairs.as_ref())?;
        let pairs = self.pairs.iter().map(|&(i, j)| (i as usize, j as usize)).collect();
        Some(PairCorrelations { pairs, values })
    }

    fn columns(&self, width: usize, signs: impl Fn(&Series) -> Option<&SignBlocks>) -> Option<Vec<Estimate>> {
        let chains: Vec<&SignBlocks> = self.chains.iter().filter_map(|chain| signs(chain)).collect();
        if chains.is_empty() {
            return None;
        }
        Some((0..width).map(|column| column_estimate(&chains, column)).collect())
    }

    /// A function of the mean moments, with its jackknife error.
    ///
    /// Blocks are ten times longer than the longest autocorrelation time of energy and absolute magnetization.
    fn function(&self, function: &dyn Fn(&Sums) -> f64) -> Estimate {
        let Some(first) = self.chains.first() else {
            return Estimate::new(f64::NAN, f64::INFINITY);
        };
        let slowest = [self.pooled_energy(), self.pooled_abs_magnetization()];
        let tau = slowest.iter().map(|pooled| pooled.tau).fold(0.5, f64::max);
        let align = |chain: &Series, block: Block| block.shifted(chain.reference - first.reference);
        let blocks: Vec<Block> = self
            .chains
            .iter()
            .flat_map(|chain| chain.blocks.of_length(10.0 * tau).into_iter().map(|block| align(chain, block)))
            .collect();
        let chains: Vec<Block> = self.chains.iter().map(|chain| align(chain, chain.total())).collect();
        function_estimate(&blocks, &chains, tau, function)
    }
}

pub(in crate::mcmc) fn tau_estimate(pooled: Pooled) -> Estimate {
    // Bins of about ten autocorrelation times: the variance of k of them is known to sqrt(2 / k).
    let bins = (pooled.count as f64 / (10.0 * pooled.tau)).max(2.0);
    let error = if pooled.long_enough() { pooled.tau * (2.0 / (bins - 1.0)).sqrt() } else { f64::INFINITY };
    Estimate::new(pooled.tau, error)
}
