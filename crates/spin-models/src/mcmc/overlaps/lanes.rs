//! The estimates of overlaps.

use linalg_core::stats::{Binning, Estimate};

use super::chain::Chain;
use super::disorder::OverlapMoments;
use super::histogram::{Bins, OverlapDistribution};
use super::wave_vectors::WaveVectors;
use crate::mcmc::observables::{
    Block, Blocks, FEWEST_SAMPLES, LARGEST_DRIFT, Pooled, SignBlocks, Sums, drift, function_estimate, tau_estimate,
};

/// Overlaps of one temperature: the estimates of [`Overlaps`](super::Overlaps).
///
/// Errors are found as for [`Observables`](crate::mcmc::Observables): logarithmic binning for means, jackknife over
/// blocks of ten autocorrelation times for functions of them, the spread between chains where there are several.
#[derive(Debug, Clone)]
pub struct OverlapLanes<'a> {
    pub(super) n_spins: usize,
    pub(super) has_links: bool,
    pub(super) waves: Option<&'a WaveVectors>,
    pub(super) bins: Option<Bins>,
    /// The chains of these lanes that have measurements.
    pub(super) chains: Vec<&'a Chain>,
}

/// Whether the overlaps still drift: the evidence of
/// [`Equilibration`](crate::mcmc::Equilibration) for pairs of replicas.
///
/// Replicas that start from independent random spins have overlaps that grow towards their equilibrium from below, on a
/// logarithmic scale of time in a glass.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OverlapEquilibration {
    /// ⟨q²⟩ of the second half of the run less that of the windows `[1/4, 1/2]` and `[1/8, 1/4]`, in standard errors.
    pub q2_drift: [f64; 2],
    /// The same for the link overlap; 0 where it is not measured.
    pub link_drift: [f64; 2],
    /// Measurements divided by twice the longer autocorrelation time of q² and the link overlap.
    pub effective_samples: f64,
}

impl OverlapEquilibration {
    /// Whether every drift is within five standard errors, and there are at least 100 effective samples.
    pub fn passed(&self) -> bool {
        let mut drifts = self.q2_drift.iter().chain(&self.link_drift);
        drifts.all(|z| z.abs() <= LARGEST_DRIFT) && self.effective_samples >= FEWEST_SAMPLES
    }
}

impl OverlapLanes<'_> {
    /// Measurements in all: pairs, not sweeps.
    pub fn count(&self) -> u64 {
        self.chains.iter().map(|chain| chain.count()).sum()
    }

    /// Independent chains that were measured.
    pub fn n_chains(&self) -> usize {
        self.chains.len()
    }

    fn binned(&self, binning: impl Fn(&Chain) -> &Binning) -> Pooled {
        let binnings: Vec<&Binning> = self.chains.iter().map(|chain| binning(chain)).collect();
        Pooled::of(&binnings)
    }

    /// Autocorrelation time of the slower of q² and the link overlap.
    fn tau(&self) -> f64 {
        let times = [self.binned(|chain| &chain.q2).tau, self.binned(|chain| &chain.link).tau];
        times.into_iter().fold(0.5, f64::max)
    }

    /// The mean overlap ⟨q⟩; 0 in zero field, but for replicas that do not turn over.
    pub fn overlap(&self) -> Estimate {
        self.binned(|chain| &chain.q).estimate()
    }

    /// ⟨|q|⟩.
    pub fn abs_overlap(&self) -> Estimate {
        self.function(&|sums| sums[0])
    }

    /// ⟨q²⟩.
    pub fn q2(&self) -> Estimate {
        self.binned(|chain| &chain.q2).estimate()
    }

    /// ⟨q⁴⟩.
    pub fn q4(&self) -> Estimate {
        self.function(&|sums| sums[2])
    }

    /// The Binder cumulant of the overlap in the convention of spin glasses,
    ///
    /// ```math
    /// g = \frac12 \left( 3 - \frac{⟨q^4⟩}{⟨q^2⟩^2} \right) ,
    /// ```
    ///
    /// 0 for a Gaussian q and 1 for $`q = ±q_0`$. It is 3/2 of the convention $`1 - ⟨m^4⟩ / 3⟨m^2⟩^2`$ of
    /// [`binder_cumulant`](crate::mcmc::Observables::binder_cumulant). NaN when every overlap was 0.
    pub fn binder_q(&self) -> Estimate {
        self.function(&|sums| binder_q(sums[1], sums[2]))
    }

    /// The spin-glass susceptibility of one sample, $`χ_{SG} = N ⟨q^2⟩`$.
    pub fn susceptibility(&self) -> Estimate {
        scaled(self.q2(), self.n_spins as f64)
    }

    /// $`χ_{SG}(k) = N ⟨|q(k)|^2⟩`$, averaged over the wave vectors; `None` without any.
    pub fn susceptibility_k(&self) -> Option<Estimate> {
        let n = self.n_spins as f64;
        self.waves.map(|_| self.function(&|sums| n * sums[5]))
    }

    /// The second-moment correlation length over L, Eq. (1) of Ballesteros et al., Phys. Rev. B 62, 14237 (2000); see
    /// [`WaveVectors::xi_over_l`]. `None` without wave vectors.
    pub fn xi_over_l(&self) -> Option<Estimate> {
        self.waves.map(|waves| self.function(&|sums| waves.xi_over_l(sums[1], sums[5])))
    }

    /// The second-moment correlation length in lattice constants; `None` without wave vectors.
    pub fn correlation_length(&self) -> Option<Estimate> {
        self.waves.and_then(|waves| self.xi_over_l().map(|xi| scaled(xi, waves.length())))
    }

    /// The mean link overlap ⟨q_l⟩; `None` without links.
    pub fn link_overlap(&self) -> Option<Estimate> {
        self.has_links.then(|| self.binned(|chain| &chain.link).estimate())
    }

    /// ⟨q_l²⟩ - ⟨q_l⟩²; `None` without links.
    pub fn link_variance(&self) -> Option<Estimate> {
        self.has_links.then(|| self.function(&|sums| sums[4] - sums[3] * sums[3]))
    }

    /// Integrated autocorrelation time of q², in measurements; 1/2 for independent ones.
    pub fn tau_q2(&self) -> Estimate {
        tau_estimate(self.binned(|chain| &chain.q2))
    }

    /// P(q); `None` unless [`with_histogram`](super::Overlaps::with_histogram) was asked for, or nothing was measured.
    pub fn distribution(&self) -> Option<OverlapDistribution> {
        self.histograms().map(|(bins, chains)| OverlapDistribution::plain(bins, &chains))
    }

    /// P(|q|), for which both signs are counted: where P is symmetric, as in zero field, P(q) is half of it, with errors
    /// that do not know of slow turns of q.
    pub fn folded_distribution(&self) -> Option<OverlapDistribution> {
        self.histograms().map(|(bins, chains)| OverlapDistribution::folded(bins, &chains))
    }

    fn histograms(&self) -> Option<(Bins, Vec<&SignBlocks>)> {
        let chains: Vec<&SignBlocks> = self.chains.iter().filter_map(|chain| chain.histogram.as_ref()).collect();
        self.bins.filter(|_| !chains.is_empty()).map(|bins| (bins, chains))
    }

    /// Evidence for or against equilibrium.
    pub fn equilibration(&self) -> OverlapEquilibration {
        let blocks: Vec<&Blocks> = self.chains.iter().map(|chain| &chain.blocks).collect();
        let of = |column: usize| drift(&blocks, |_, sums, n| sums[column] / n);
        OverlapEquilibration {
            q2_drift: of(1),
            link_drift: of(3),
            effective_samples: self.count() as f64 / (2.0 * self.tau()),
        }
    }

    /// The plain means, without errors: what an average over disorder adds up. NaN where nothing was measured.
    pub fn moments(&self) -> OverlapMoments {
        let mut total = Block::default();
        self.chains.iter().for_each(|chain| total.add(&chain.blocks.total()));
        let [abs_q, q2, q4, link, _, wave] = total.sums.map(|sum| sum / total.count as f64);
        OverlapMoments { abs_q, q2, q4, link: self.has_links.then_some(link), q2_k: self.waves.map(|_| wave) }
    }

    /// A function of the mean moments, with its jackknife error.
    fn function(&self, function: &dyn Fn(&Sums) -> f64) -> Estimate {
        if self.chains.is_empty() {
            return Estimate::new(f64::NAN, f64::INFINITY);
        }
        let tau = self.tau();
        let blocks: Vec<Block> = self.chains.iter().flat_map(|chain| chain.blocks.of_length(10.0 * tau)).collect();
        let chains: Vec<Block> = self.chains.iter().map(|chain| chain.blocks.total()).collect();
        function_estimate(&blocks, &chains, tau, function)
    }
}

/// `(3 - q4 / q2²) / 2`.
pub(super) fn binder_q(q2: f64, q4: f64) -> f64 {
    0.5 * (3.0 - q4 / (q2 * q2))
}

fn scaled(estimate: Estimate, factor: f64) -> Estimate {
    Estimate { value: factor * estimate.value, std_error: estimate.std_error.map(|error| factor * error) }
}
