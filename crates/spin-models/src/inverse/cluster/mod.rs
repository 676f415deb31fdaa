//! Maximum likelihood from exact solutions of small clusters of spins.

mod contributions;
mod reference;

pub use reference::Reference;

use linalg_core::{Observer, Streams};

use super::{DrawParams, Moments, Reconstruction, Samples, draw_samples, exact};
use crate::{Error, Result};
use contributions::{Bounds, ClusterSum, Contributions};

/// Up to this many spins the moments of a result are summed exactly.
const EXACT: usize = 16;
/// Chains of a heat bath at most, and as many as tell from their spread how far their mean is off.
const CHAINS: usize = 500;
const ENOUGH_CHAINS: usize = 20;
/// The child of the streams that comparisons draw from: samples are often drawn from the streams themselves.
const COMPARISON: u64 = u64::MAX;

/// Adaptive cluster expansion (ACE): the cross-entropy of the data as a sum over clusters of spins.
///
/// The cross-entropy `S = min (ln Z - Σ h_i ⟨s_i⟩ - Σ J_ij ⟨s_i s_j⟩ + γ/2 Σ J_ij² p_i p_j)`, `p_i = 1 - m_i²`, of a few spins is
/// found exactly. What a cluster Γ adds to it is
///
/// ```math
/// \Delta S_\Gamma = S_\Gamma - S_{0,\Gamma} - \sum_{\Gamma' \subset \Gamma} \Delta S_{\Gamma'} ,
/// ```
///
/// the sum over its proper subsets, and the whole is `S_0 + Σ ΔS`, with couplings and fields that are the sums of those of the
/// clusters in the same way. Kept are the single spins and clusters with `|ΔS| ≥ Θ`, built from small to large: the union of
/// two kept clusters of k spins that share k - 1 is the next to be looked at. Correlations that only pass through others are thus
/// told from couplings, and the sampling noise of most pairs never enters.
///
/// Θ falls from the largest contribution of a pair until the model reproduces the moments to within the errors of M samples:
/// root mean squares of the deviations of `⟨s_i⟩` and `⟨s_i s_j⟩` in units of their standard errors at most 1, and the
/// largest of all K of them at most `√(2 ln K)`. Moments of the model are exact up to 16 spins and from
/// [`draws`](Self::draws) of a heat bath beyond, the noise of which, what the means of the chains spread, counts into the
/// errors.
///
/// With 5000 samples of a free 6 x 6 lattice of couplings ±0.6, half of them missing, the expansion ends with 99 clusters of up to
/// four spins and a relative error of 0.047, where pseudolikelihood without penalty has 0.205. On the 7 x 7 lattice with ±0.7 and
/// 40 % missing it does not end within 20 000 clusters; the best point has the error 0.137 (pseudolikelihood 0.220). With the
/// mean-field reference both end, after about 100 clusters, with errors of 0.204 and 0.218.
///
/// Cost: a cluster of k spins takes some ten sums over `k 2^k` numbers; how many there are depends on the data and on Θ. The
/// method is at its best where correlations are short; where large clusters do not get small, [`PathParams`](super::PathParams)
/// is the better choice.
///
/// ```
/// use spin_models::inverse::{ClusterExpansion, Moments};
///
/// // A chain of three spins with tanh J = 1/2: what the ends add as a pair, the triple takes away again.
/// let chain = Moments::new(&[0.0; 3], &[1.0, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 1.0])?;
/// let found = ClusterExpansion::default().threshold(0.01).infer(&chain, 1e6)?;
/// assert!((found.reconstruction.coupling(0, 1) - 0.5f64.atanh()).abs() < 1e-9);
/// assert!(found.reconstruction.coupling(0, 2).abs() < 1e-9);
/// let triple = &found.clusters[6];
/// assert_eq!(triple.spins, [0, 1, 2]);
/// assert!((triple.contribution + found.clusters[4].contribution).abs() < 1e-9);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: S. Cocco and R. Monasson, Phys. Rev. Lett. 106, 090601 (2011); J. Stat. Phys. 147, 252 (2012); J. Barton and
/// S. Cocco, J. Stat. Mech. P03002 (2013), for the rule where to stop.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterExpansion {
    /// The first threshold; `None`, the default, is the largest `|ΔS|` of a pair times `ratio`.
    pub first: Option<f64>,
    /// Ratio of a threshold to the one before; default 0.5.
    pub ratio: f64,
    /// No threshold below this; default 1e-7.
    pub last: f64,
    /// Strength γ of the Gaussian prior of couplings; `None`, the default, is 1/M for samples and 0 for moments.
    pub prior: Option<f64>,
    /// What clusters correct; default nothing.
    pub reference: Reference,
    /// Spins of a cluster at most, 25 or less; default 10.
    pub max_size: usize,
    /// Clusters and subsets of clusters that are remembered at most; default 20 000.
    pub max_clusters: usize,
    /// Configurations drawn to compare moments of more than 16 spins; default 20 000.
    pub draws: usize,
    /// Random numbers of these draws, from a child of these streams.
    pub streams: Streams,
    /// Threads, 0 for all; default 0. The results do not depend on it.
    pub threads: usize,
}

impl Default for ClusterExpansion {
    fn default() -> Self {
        Self {
            first: None,
            ratio: 0.5,
            last: 1e-7,
            prior: None,
            reference: Reference::None,
            max_size: 10,
            max_clusters: 20_000,
            draws: 20_000,
            streams: Streams::new(0),
            threads: 0,
        }
    }
}

/// A kept cluster.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Cluster {
    /// Its spins, ascending.
    pub spins: Vec<usize>,
    /// `ΔS`, nats.
    pub contribution: f64,
}

/// The expansion at one threshold.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterPoint {
    /// Θ.
    pub threshold: f64,
    /// The cross-entropy, nats.
    pub cross_entropy: f64,
    /// Clusters kept, single spins among them.
    pub clusters: usize,
    /// Spins of the largest one.
    pub largest: usize,
    /// Root mean square of the deviations of magnetizations, in standard errors.
    pub magnetization_error: f64,
    /// The same for the correlations of pairs; 0 without pairs.
    pub correlation_error: f64,
    /// The largest deviation of all K, in standard errors, over `√(2 ln K)`.
    pub largest_error: f64,
    /// The largest deviation of a moment as it is.
    pub residual: f64,
}

impl ClusterPoint {
    /// Whether the moments are reproduced to within their errors.
    pub fn reproduces(&self) -> bool {
        self.magnetization_error <= 1.0 && self.correlation_error <= 1.0 && self.largest_error <= 1.0
    }
}

/// Why thresholds were not lowered any more.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ClusterEnd {
    /// The moments are reproduced.
    Reproduced,
    /// The last threshold was reached.
    LastThreshold,
    /// The next threshold leads to a cluster of too many spins, this one first.
    ClusterTooLarge {
        /// Its spins.
        spins: Vec<usize>,
    },
    /// The next threshold leads to too many clusters.
    TooManyClusters,
    /// The observer asked for it.
    Stopped,
}

/// A result of [`ClusterExpansion`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterReconstruction {
    /// Couplings and fields at the threshold of the last point; where moments are not reproduced by any, of the one with the
    /// smallest sum of squares of its three errors. Its residual is the largest deviation of a moment.
    pub reconstruction: Reconstruction,
    /// The cross-entropy there, nats: with all clusters and without prior the entropy of the maximum-entropy model.
    pub cross_entropy: f64,
    /// Θ there.
    pub threshold: f64,
    /// Kept clusters, smaller ones first.
    pub clusters: Vec<Cluster>,
    /// All thresholds, falling.
    pub points: Vec<ClusterPoint>,
    /// Why there are no more.
    pub end: ClusterEnd,
}

impl ClusterExpansion {
    /// Sets one threshold, instead of a row of them; 0 keeps all clusters.
    pub fn threshold(mut self, threshold: f64) -> Self {
        (self.first, self.last) = (Some(threshold), threshold);
        self
    }

    /// Sets the first threshold and the least: to go on where a run was stopped, begin with its last one.
    pub fn thresholds(mut self, first: f64, last: f64) -> Self {
        (self.first, self.last) = (Some(first), last);
        self
    }

    /// Sets the ratio of a threshold to the one before.
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// Sets the strength of the Gaussian prior.
    pub fn prior(mut self, strength: f64) -> Self {
        self.prior = Some(strength);
        self
    }

    /// Sets what clusters correct.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.reference = reference;
        self
    }

    /// Sets the most spins of a cluster.
    pub fn max_size(mut self, spins: usize) -> Self {
        self.max_size = spins;
        self
    }

    /// Sets the most clusters that are remembered.
    pub fn max_clusters(mut self, clusters: usize) -> Self {
        self.max_clusters = clusters;
        self
    }

    /// Sets how many configurations are drawn.
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// Sets the random numbers.
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// From moments, whose standard errors are those of `number` independent samples.
    ///
    /// # Errors
    /// [`Error::Parameter`]; [`Error::ConstantSpin`]; without prior [`Error::PerfectCorrelation`] naming the pair and
    /// [`Error::Divergent`] naming the moments of a cluster that are on the boundary of the marginal polytope or outside of it;
    /// [`Error::ClusterTooLarge`] naming a cluster and [`Error::TooLarge`] if the first threshold already leads to them.
    pub fn infer(&self, moments: &Moments, number: f64) -> Result<ClusterReconstruction> {
        self.infer_observed(moments, number, &mut ())
    }

    /// The same, with an observer that is told of every threshold and may end the search there.
    ///
    /// # Errors
    /// As [`infer`](Self::infer).
    pub fn infer_observed(
        &self,
        moments: &Moments,
        number: f64,
        observer: &mut dyn Observer<ClusterPoint>,
    ) -> Result<ClusterReconstruction> {
        self.run(moments, self.prior.unwrap_or(0.0), number, observer)
    }

    /// From samples, with their score.
    ///
    /// # Errors
    /// As [`infer`](Self::infer).
    pub fn reconstruct(&self, samples: &Samples) -> Result<ClusterReconstruction> {
        self.reconstruct_observed(samples, &mut ())
    }

    /// The same, with an observer that is told of every threshold and may end the search there.
    ///
    /// # Errors
    /// As [`infer`](Self::infer).
    pub fn reconstruct_observed(
        &self,
        samples: &Samples,
        observer: &mut dyn Observer<ClusterPoint>,
    ) -> Result<ClusterReconstruction> {
        let number = samples.effective_number();
        let prior = self.prior.unwrap_or(1.0 / number);
        let mut found = self.run(&Moments::of_samples(samples), prior, number, observer)?;
        found.reconstruction = found.reconstruction.scored(samples, self.threads)?;
        Ok(found)
    }

    fn check(&self, moments: &Moments, prior: f64, number: f64) -> Result<()> {
        let bad = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        super::check_positive("strength of the prior", prior)?;
        super::check_positive("last threshold", self.last)?;
        if let Some(first) = self.first {
            super::check_positive("first threshold", first)?;
            if first < self.last {
                return bad("first threshold", first.to_string(), "at least the last one");
            }
        }
        if !(self.ratio > 0.0 && self.ratio < 1.0) {
            return bad("ratio of thresholds", self.ratio.to_string(), "a number between 0 and 1");
        }
        if !(number > 0.0 && number.is_finite()) {
            return bad("number of samples", number.to_string(), "a finite number > 0");
        }
        if !(2..=contributions::LARGEST).contains(&self.max_size) {
            return bad("spins of a cluster", self.max_size.to_string(), "between 2 and 25");
        }
        if self.draws == 0 {
            return bad("draws", "0".to_owned(), "at least 1");
        }
        match moments.check() {
            Err(Error::PerfectCorrelation { .. }) if prior > 0.0 => Ok(()),
            other => other,
        }
    }

    fn run(
        &self,
        moments: &Moments,
        prior: f64,
        number: f64,
        observer: &mut dyn Observer<ClusterPoint>,
    ) -> Result<ClusterReconstruction> {
        self.check(moments, prior, number)?;
        let bounds = Bounds { size: self.max_size, clusters: self.max_clusters, threads: self.threads };
        let mut contributions = Contributions::new(moments, prior, self.reference, bounds)?;
        let mut threshold = match self.first {
            Some(first) => first,
            None => (contributions.largest_of_pairs()? * self.ratio).max(self.last),
        };
        let mut points: Vec<ClusterPoint> = Vec::new();
        let mut best: Option<(usize, ClusterSum)> = None;
        let end = loop {
            let sum = match contributions.sum(threshold) {
                Ok(sum) => sum,
                Err(Error::ClusterTooLarge { spins, .. }) if best.is_some() => {
                    break ClusterEnd::ClusterTooLarge { spins };
                }
                Err(Error::TooLarge { .. }) if best.is_some() => break ClusterEnd::TooManyClusters,
                Err(error) => return Err(error),
            };
            let point = self.compare(moments, number, threshold, &sum)?;
            let badness = |p: &ClusterPoint| p.magnetization_error.hypot(p.correlation_error).hypot(p.largest_error);
            let (reproduces, stopped) = (point.reproduces(), observer.observe(&point).is_break());
            if best.as_ref().is_none_or(|(k, _)| reproduces || badness(&point) <= badness(&points[*k])) {
                best = Some((points.len(), sum));
            }
            points.push(point);
            if reproduces {
                break ClusterEnd::Reproduced;
            }
            if threshold <= self.last {
                break ClusterEnd::LastThreshold;
            }
            if stopped {
                break ClusterEnd::Stopped;
            }
            let next = (threshold * self.ratio).max(self.last);
            // Numbers without all their digits need not get smaller any more.
            threshold = if next < f64::MIN_POSITIVE { self.last } else { next };
        };
        let Some((chosen, sum)) = best else {
            return Err(Error::TooFewSamples {
                method: "adaptive cluster expansion",
                what: "thresholds",
                got: 0,
                needed: 1,
            });
        };
        let mut reconstruction = Reconstruction::new("ace", sum.couplings, sum.fields);
        reconstruction.iterations = points.len();
        reconstruction.residual = points[chosen].residual;
        reconstruction.converged = points[chosen].reproduces();
        let cluster = |(spins, contribution): (Box<[u32]>, f64)| Cluster {
            spins: spins.iter().map(|&i| i as usize).collect(),
            contribution,
        };
        Ok(ClusterReconstruction {
            reconstruction,
            cross_entropy: sum.cross_entropy,
            threshold: points[chosen].threshold,
            clusters: sum.kept.into_iter().map(cluster).collect(),
            points,
            end,
        })
    }

    /// How well the moments are reproduced.
    fn compare(&self, moments: &Moments, number: f64, threshold: f64, sum: &ClusterSum) -> Result<ClusterPoint> {
        let n = moments.n_spins();
        let model = Reconstruction::new("ace", sum.couplings.clone(), sum.fields.clone()).to_ising(0.0)?;
        let (found, noise, spread) = if n <= EXACT {
            let table = exact::probabilities_of(&model)?;
            (Moments::of_samples(&Samples::from_states(n, &table)?), 0.0, None)
        } else {
            let params = DrawParams::default().chains(self.draws.min(CHAINS)).threads(self.threads);
            let drawn = draw_samples(&model, self.draws, &params, self.streams.child(COMPARISON))?;
            let found = Moments::of_samples(&drawn);
            let spread = spread_of_chains(&drawn, &found, self.draws.min(CHAINS))?;
            (found, 1.0 / self.draws as f64, spread)
        };
        // A correlation of ±1 has the error of one sample that differs. Draws of a chain are no better than independent
        // ones.
        let deviation = |a: f64, b: f64, spread: f64| {
            let one = (1.0 - b * b).max(1.0 / number);
            let variance = one / number + (one * noise).max(spread);
            ((a - b).abs(), (a - b).abs() / variance.sqrt())
        };
        let spread_at = |i: usize, j: usize| spread.as_ref().map_or(0.0, |spread| spread[i * n + j]);
        let singles = found.magnetizations().iter().zip(moments.magnetizations()).enumerate();
        let singles: Vec<(f64, f64)> = singles.map(|(i, (&a, &b))| deviation(a, b, spread_at(i, i))).collect();
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        let pairs: Vec<(f64, f64)> = pairs
            .map(|(i, j)| deviation(found.correlation(i, j), moments.correlation(i, j), spread_at(i, j)))
            .collect();
        let rms = |x: &[(f64, f64)]| (x.iter().map(|x| x.1 * x.1).sum::<f64>() / x.len().max(1) as f64).sqrt();
        let count = (singles.len() + pairs.len()).max(2) as f64;
        let largest = |part: fn(&(f64, f64)) -> f64| singles.iter().chain(&pairs).map(part).fold(0.0, f64::max);
        Ok(ClusterPoint {
            threshold,
            cross_entropy: sum.cross_entropy,
            clusters: sum.kept.len(),
            largest: sum.kept.last().map_or(0, |cluster| cluster.0.len()),
            magnetization_error: rms(&singles),
            correlation_error: rms(&pairs),
            largest_error: largest(|x| x.1) / (2.0 * count.ln()).sqrt(),
            residual: largest(|x| x.0),
        })
    }
}

/// Variances of the moments of draws from the moments of their chains, n x n with those of magnetizations on the
/// diagonal; nothing from too few chains. Draw k is of chain `k % chains`.
fn spread_of_chains(drawn: &Samples, mean: &Moments, chains: usize) -> Result<Option<Vec<f64>>> {
    if chains < ENOUGH_CHAINS {
        return Ok(None);
    }
    let n = drawn.n_spins();
    let mut variances = vec![0.0; n * n];
    for chain in 0..chains {
        let part = drawn.select((chain..drawn.len()).step_by(chains))?;
        let share = part.len() as f64 / drawn.len() as f64;
        let factor = share * share * chains as f64 / (chains - 1) as f64;
        let part = Moments::of_samples(&part);
        for i in 0..n {
            variances[i * n + i] += factor * (part.magnetizations()[i] - mean.magnetizations()[i]).powi(2);
            for j in i + 1..n {
                variances[i * n + j] += factor * (part.correlation(i, j) - mean.correlation(i, j)).powi(2);
            }
        }
    }
    Ok(Some(variances))
}

#[cfg(test)]
mod tests;
