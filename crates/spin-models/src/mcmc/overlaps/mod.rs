//! Overlaps of pairs of replicas.

mod chain;
mod disorder;
mod histogram;
mod lanes;
mod links;
mod replica_pairs;
mod saved;
mod wave_vectors;

use std::ops::Range;

use linalg_core::merge::{Merge, MergeError, Units};

use self::chain::{Chain, Measurement};
use self::histogram::Bins;
use self::links::Links;
use super::cluster::pack_eight;
use super::observables::Chains;
use crate::model::PairwiseModel;

pub use disorder::{DisorderAverages, OverlapMoments, link_identity_gap};
pub use histogram::OverlapDistribution;
pub use lanes::{OverlapEquilibration, OverlapLanes};
pub use replica_pairs::ReplicaPairs;
pub use wave_vectors::WaveVectors;

/// Averages of overlaps between two replicas of one instance at one temperature.
///
/// For the configurations $`s^a`$ and $`s^b`$ of a pair,
///
/// ```math
/// q = \frac1N \sum_i s_i^a s_i^b , \qquad
/// q_l = \frac1{N_b} \sum_{\langle i j \rangle} s_i^a s_j^a s_i^b s_j^b , \qquad
/// q(k) = \frac1N \sum_i s_i^a s_i^b \, e^{i k \cdot r_i} .
/// ```
///
/// A *lane* is a temperature, as for [`Observables`](super::Observables); the estimates are those of
/// [`lane`](Self::lane). Several independent pairs of replicas at one temperature are a chain each, by
/// [`record_pair`](Self::record_pair): put one after the other into a single chain, their common valley would be taken
/// for the whole of the configurations and its errors come out too small. No configuration is stored. The link overlap,
/// the distribution of q and the Fourier component are measured on request.
///
/// All is counted on 64 sites a word: [`record_words`](Self::record_words) takes packed spins, [`record`](Self::record)
/// packs ±1 spins first. A measurement costs `O(N / 64)` and `O(M / 64)` for the links of a lattice, `O(M)` for those of
/// a random graph. Memory is about 4 kB a lane and chain, plus 128 bytes a bin.
///
/// [`Merge`] appends the chains of other runs of the *same instance*; averages over instances are the work of
/// [`DisorderAverages`].
///
/// ```
/// use spin_models::mcmc::Overlaps;
///
/// // A ring of four spins; the replicas differ in the first spin.
/// let mut overlaps = Overlaps::new(4, 1).with_links([(0, 1), (1, 2), (2, 3), (3, 0)]);
/// overlaps.record(0, &[1, 1, -1, 1], &[-1, 1, -1, 1]);
/// assert_eq!(overlaps.lane(0).q2().value, 0.25); // q = 2/4
/// assert_eq!(overlaps.lane(0).link_overlap().unwrap().value, 0.0); // two bonds of four
/// // The same as bits, 1 for a spin down.
/// overlaps.record_words(0, &[0b0100], &[0b0101]);
/// assert_eq!((overlaps.lane(0).count(), overlaps.lane(0).overlap().value), (2, 0.5));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Overlaps {
    n_spins: usize,
    problem: u64,
    units: Units,
    links: Links,
    waves: Option<WaveVectors>,
    bins: Option<Bins>,
    lanes: Vec<Chains<Chain>>,
}

impl Overlaps {
    /// No measurements yet, for pairs of `n_spins` spins at `n_lanes` temperatures; work unit 0.
    ///
    /// # Panics
    /// If `n_spins` is 0.
    pub fn new(n_spins: usize, n_lanes: usize) -> Self {
        assert!(n_spins > 0, "overlaps of {n_spins} spins");
        let mut overlaps = Self {
            n_spins,
            problem: 0,
            units: Units::range(0..1),
            links: Links::default(),
            waves: None,
            bins: None,
            lanes: vec![Chains::new(Chain::new(None)); n_lanes],
        };
        overlaps.clear();
        overlaps
    }

    /// Measures the link overlap of these bonds too. Drops what was measured before.
    ///
    /// # Panics
    /// If a site is not below the number of spins, or a bond joins a site to itself.
    pub fn with_links(mut self, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        self.links = Links::new(self.n_spins, edges);
        self.clear();
        self
    }

    /// Measures the link overlap of the coupled pairs of a model, each pair once.
    ///
    /// # Panics
    /// If the model has another number of spins.
    pub fn with_links_of<M: PairwiseModel + ?Sized>(self, model: &M) -> Self {
        let n = model.n_spins();
        assert_eq!(n, self.n_spins, "a model of {n} spins for overlaps of {}", self.n_spins);
        self.with_links((0..n).flat_map(|i| {
            let later = model.neighbors(i).filter(move |&(j, _)| j > i);
            later.map(move |(j, _)| (i, j))
        }))
    }

    /// Measures the distribution of q too, in about `bins` bins: one more where that makes them symmetric about 0, and
    /// at most one for each of the N + 1 values. Drops what was measured before.
    pub fn with_histogram(mut self, bins: usize) -> Self {
        self.bins = Some(Bins::new(self.n_spins, bins));
        self.clear();
        self
    }

    /// Measures `|q(k)|²` too. Drops what was measured before.
    ///
    /// # Panics
    /// If the wave vectors are for another number of sites.
    pub fn with_wave_vectors(mut self, waves: WaveVectors) -> Self {
        let n = waves.n_sites();
        assert_eq!(n, self.n_spins, "wave vectors on {n} sites for overlaps of {}", self.n_spins);
        self.waves = Some(waves);
        self.clear();
        self
    }

    /// Sets the numbers of the work units whose chains are measured here.
    pub fn with_units(mut self, units: Units) -> Self {
        self.units = units;
        self
    }

    /// Sets the content hash of the instance, which [`Merge`] compares; 0 by default.
    pub fn with_problem(mut self, problem: u64) -> Self {
        self.problem = problem;
        self
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Number of temperatures.
    pub fn n_lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Number of bonds of the link overlap.
    pub fn n_links(&self) -> usize {
        self.links.len()
    }

    /// The wave vectors, if the Fourier component is measured.
    pub fn wave_vectors(&self) -> Option<&WaveVectors> {
        self.waves.as_ref()
    }

    /// The work units measured here.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Adds a measurement of a pair of configurations at a temperature: [`record_pair`](Self::record_pair) of pair 0.
    ///
    /// # Panics
    /// If `lane` is not a lane or a configuration has the wrong length.
    pub fn record(&mut self, lane: usize, a: &[i8], b: &[i8]) {
        self.record_pair(lane, 0, a, b);
    }

    /// Adds a measurement of one of several independent pairs of replicas at a temperature, which are numbered from 0.
    ///
    /// # Panics
    /// If `lane` is not a lane, a configuration has the wrong length, or `pair` is above the number of pairs that were
    /// recorded in this lane.
    pub fn record_pair(&mut self, lane: usize, pair: usize, a: &[i8], b: &[i8]) {
        let n = self.n_spins;
        assert!(a.len() == n && b.len() == n, "{} and {} spins for overlaps of {n}", a.len(), b.len());
        let mut differ = vec![0u64; n.div_ceil(64)];
        for (word, (a, b)) in differ.iter_mut().zip(a.chunks(64).zip(b.chunks(64))) {
            let ((a_eights, a_rest), (b_eights, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
            // +1 and -1 differ in their sign bits.
            for (k, (a, b)) in a_eights.iter().zip(b_eights).enumerate() {
                *word |= pack_eight(std::array::from_fn(|i| a[i] ^ b[i])) << (8 * k);
            }
            let place = 8 * a_eights.len();
            for (k, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
                *word |= u64::from(a ^ b < 0) << (place + k);
            }
        }
        self.push(lane, pair, &differ);
    }

    /// Adds a measurement of a pair of packed configurations: spin i is bit `i % 64` of word `i / 64`. Whether 1 means up
    /// or down does not matter; bits beyond the last spin are ignored.
    ///
    /// # Panics
    /// If `lane` is not a lane or a configuration has not `N / 64` words, rounded up.
    pub fn record_words(&mut self, lane: usize, a: &[u64], b: &[u64]) {
        self.record_pair_words(lane, 0, a, b);
    }

    /// [`record_pair`](Self::record_pair) of packed configurations, as [`record_words`](Self::record_words) takes them.
    ///
    /// # Panics
    /// If `lane` is not a lane, a configuration has not `N / 64` words, rounded up, or `pair` is above the number of
    /// pairs that were recorded in this lane.
    pub fn record_pair_words(&mut self, lane: usize, pair: usize, a: &[u64], b: &[u64]) {
        let words = self.n_spins.div_ceil(64);
        let lengths = (a.len(), b.len());
        assert_eq!(lengths, (words, words), "{lengths:?} words for overlaps of {} spins", self.n_spins);
        let mut differ: Vec<u64> = a.iter().zip(b).map(|(a, b)| a ^ b).collect();
        let used = self.n_spins % 64;
        if used > 0 {
            differ[words - 1] &= (1 << used) - 1;
        }
        self.push(lane, pair, &differ);
    }

    fn push(&mut self, lane: usize, pair: usize, differ: &[u64]) {
        let lanes = self.lanes.len();
        assert!(lane < lanes, "lane {lane} of {lanes}");
        let n = self.n_spins;
        let different = differ.iter().map(|word| word.count_ones() as usize).sum();
        let links = self.links.len().max(1) as f64;
        let square = (n as f64).powi(2);
        let measured = Measurement {
            n_spins: n,
            different,
            link: self.links.sum(differ) as f64 / links,
            wave: self.waves.as_ref().map_or(0.0, |waves| waves.mean_square(differ) / square),
        };
        let bins = self.bins;
        self.lanes[lane].at(pair, || Chain::new(bins)).push(measured, bins);
    }

    /// Drops all measurements, keeping what is measured, units and problem.
    pub fn clear(&mut self) {
        let bins = self.bins;
        self.lanes.iter_mut().for_each(|lane| *lane = Chains::new(Chain::new(bins)));
    }

    /// The estimates of one temperature, merged chains included.
    ///
    /// # Panics
    /// If `lane` is not a lane.
    pub fn lane(&self, lane: usize) -> OverlapLanes<'_> {
        self.lanes(lane..lane + 1)
    }

    /// The pooled estimates of several lanes of one temperature.
    ///
    /// # Panics
    /// If the range reaches beyond the lanes.
    pub fn lanes(&self, lanes: Range<usize>) -> OverlapLanes<'_> {
        OverlapLanes {
            n_spins: self.n_spins,
            has_links: !self.links.is_empty(),
            waves: self.waves.as_ref(),
            bins: self.bins,
            chains: self.lanes[lanes].iter().flat_map(Chains::iter).filter(|chain| chain.count() > 0).collect(),
        }
    }
}

impl Merge for Overlaps {
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if other.problem != self.problem {
            return Err(MergeError::Problem { expected: self.problem, found: other.problem });
        }
        let of = |overlaps: &Self| {
            let bins = overlaps.bins.map_or(0, |bins| bins.count);
            [overlaps.n_spins, overlaps.lanes.len(), overlaps.links.len(), bins]
        };
        let names = ["number of spins", "number of lanes", "number of links", "number of bins"];
        for ((what, expected), found) in names.into_iter().zip(of(self)).zip(of(other)) {
            if expected != found {
                return Err(MergeError::Shape { what, expected, found });
            }
        }
        let (mine, theirs) = (self.links.edges(), other.links.edges());
        if let Some(k) = (0..mine.len()).find(|&k| mine[k] != theirs[k]) {
            // The number of the first link that differs, in place of a size.
            return Err(MergeError::Shape { what: "link list up to its difference", expected: mine.len(), found: k });
        }
        if self.waves != other.waves {
            let count = |overlaps: &Self| overlaps.waves.as_ref().map_or(0, WaveVectors::len);
            let (expected, found) = (count(self), count(other));
            return Err(MergeError::Shape { what: "set of wave vectors, by number,", expected, found });
        }
        self.units.merge(&other.units)?;
        for (mine, theirs) in self.lanes.iter_mut().zip(&other.lanes) {
            mine.merged.extend(theirs.iter().filter(|chain| chain.count() > 0).cloned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
