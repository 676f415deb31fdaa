//! Averages of overlaps over samples of the disorder.

use std::collections::BTreeMap;

use linalg_core::merge::{Merge, MergeError};
use linalg_core::stats::{Estimate, jackknife};

use super::lanes::binder_q;
use super::{Overlaps, WaveVectors};
use crate::{Error, Result};

/// Thermal averages of one sample at one temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OverlapMoments {
    /// ⟨|q|⟩.
    pub abs_q: f64,
    /// ⟨q²⟩.
    pub q2: f64,
    /// ⟨q⁴⟩.
    pub q4: f64,
    /// ⟨q_l⟩, if links were measured.
    pub link: Option<f64>,
    /// ⟨|q(k)|²⟩, if wave vectors were given.
    pub q2_k: Option<f64>,
}

impl OverlapMoments {
    /// The numbers in order, 0 for what was not measured.
    fn row(&self) -> [f64; 5] {
        [self.abs_q, self.q2, self.q4, self.link.unwrap_or(0.0), self.q2_k.unwrap_or(0.0)]
    }

    fn measured(&self) -> (bool, bool) {
        (self.link.is_some(), self.q2_k.is_some())
    }
}

/// Averages over disorder of the overlaps of many samples, with errors from the spread of the samples.
///
/// Thermal averages of a sample enter as they are; functions such as $`\frac12 (3 - [⟨q^4⟩] / [⟨q^2⟩]^2)`$ are those of
/// the averages over samples, with the error and the bias correction of the jackknife over samples. Sample numbers make
/// [`Merge`] safe: no sample counts twice.
///
/// ```
/// use spin_models::mcmc::{DisorderAverages, OverlapMoments};
///
/// let sample = |q2: f64| OverlapMoments { abs_q: q2.sqrt(), q2, q4: q2 * q2, link: None, q2_k: None };
/// let mut averages = DisorderAverages::new(10, 1);
/// for (number, q2) in [0.1, 0.2, 0.3, 0.6].into_iter().enumerate() {
///     averages.add(number as u64, vec![sample(q2)])?;
/// }
/// // The mean of the four, and sqrt(0.14 / (4 · 3)).
/// assert!((averages.q2(0).value - 0.3).abs() < 1e-12);
/// assert!((averages.q2(0).std_error.unwrap() - (0.14f64 / 12.0).sqrt()).abs() < 1e-12);
/// assert!((averages.susceptibility(0).value - 3.0).abs() < 1e-12);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DisorderAverages {
    n_spins: usize,
    n_lanes: usize,
    waves: Option<WaveVectors>,
    samples: BTreeMap<u64, Vec<OverlapMoments>>,
}

impl DisorderAverages {
    /// No samples yet, of `n_spins` spins at `n_lanes` temperatures.
    pub fn new(n_spins: usize, n_lanes: usize) -> Self {
        Self { n_spins, n_lanes, waves: None, samples: BTreeMap::new() }
    }

    /// Names the wave vectors for which `q2_k` was measured, as the correlation length needs.
    pub fn with_wave_vectors(mut self, waves: WaveVectors) -> Self {
        self.waves = Some(waves);
        self
    }

    /// Adds the thermal averages of a sample, one for each temperature.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of temperatures, [`Error::Parameter`] for a sample number that is there
    /// already or a sample that measured other quantities, [`Error::NotFinite`] for a NaN or infinite average (`entry` is
    /// the temperature). The averages are then unchanged.
    pub fn add(&mut self, sample: u64, lanes: Vec<OverlapMoments>) -> Result<()> {
        if lanes.len() != self.n_lanes {
            return Err(Error::WrongLength { what: "averages of a sample", got: lanes.len(), expected: self.n_lanes });
        }
        let refuse = |expected| Err(Error::Parameter { what: "sample", value: sample.to_string(), expected });
        if self.samples.contains_key(&sample) {
            return refuse("a number that was not added before");
        }
        let first = self.samples.values().flatten().chain(&lanes).next().map(OverlapMoments::measured);
        if lanes.iter().any(|lane| Some(lane.measured()) != first) {
            return refuse("one with the same quantities measured at every temperature");
        }
        for (entry, moments) in lanes.iter().enumerate() {
            if let Some(value) = moments.row().into_iter().find(|value| !value.is_finite()) {
                return Err(Error::NotFinite { what: "average at temperature", entry, sites: Vec::new(), value });
            }
        }
        self.samples.insert(sample, lanes);
        Ok(())
    }

    /// Adds the averages that were measured on a sample.
    ///
    /// # Errors
    /// As [`add`](Self::add); a temperature without measurements is not finite.
    pub fn add_overlaps(&mut self, sample: u64, overlaps: &Overlaps) -> Result<()> {
        self.add(sample, (0..overlaps.n_lanes()).map(|lane| overlaps.lane(lane).moments()).collect())
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.samples.len()
    }

    /// The averages of every sample, by its number.
    pub fn samples(&self) -> impl Iterator<Item = (u64, &[OverlapMoments])> {
        self.samples.iter().map(|(&sample, lanes)| (sample, lanes.as_slice()))
    }

    /// [⟨q²⟩] at a temperature.
    ///
    /// # Panics
    /// As all estimates: if `lane` is not a lane.
    pub fn q2(&self, lane: usize) -> Estimate {
        self.function(lane, |mean| mean.q2)
    }

    /// [⟨|q|⟩] at a temperature.
    pub fn abs_overlap(&self, lane: usize) -> Estimate {
        self.function(lane, |mean| mean.abs_q)
    }

    /// $`g = \frac12 (3 - [⟨q^4⟩] / [⟨q^2⟩]^2)`$ at a temperature.
    pub fn binder_q(&self, lane: usize) -> Estimate {
        self.function(lane, |mean| binder_q(mean.q2, mean.q4))
    }

    /// $`χ_{SG} = N [⟨q^2⟩]`$ at a temperature.
    pub fn susceptibility(&self, lane: usize) -> Estimate {
        let n = self.n_spins as f64;
        self.function(lane, |mean| n * mean.q2)
    }

    /// [⟨q_l⟩] at a temperature; `None` where it was not measured.
    pub fn link_overlap(&self, lane: usize) -> Option<Estimate> {
        self.samples.values().next()?[lane].link?;
        Some(self.function(lane, |mean| mean.link.unwrap_or(f64::NAN)))
    }

    /// ξ/L from $`[⟨q^2⟩]`$ and $`[⟨|q(k)|^2⟩]`$ at a temperature; `None` where there are no wave vectors.
    pub fn xi_over_l(&self, lane: usize) -> Option<Estimate> {
        let waves = self.waves.as_ref()?;
        self.samples.values().next()?[lane].q2_k?;
        Some(self.function(lane, |mean| waves.xi_over_l(mean.q2, mean.q2_k.unwrap_or(f64::NAN))))
    }

    /// Any function of the averages over samples at a temperature, with its jackknife error.
    ///
    /// The error is infinite for fewer than two samples and where the function is not finite.
    ///
    /// # Panics
    /// If `lane` is not a lane.
    pub fn function(&self, lane: usize, function: impl Fn(&OverlapMoments) -> f64) -> Estimate {
        assert!(lane < self.n_lanes, "lane {lane} of {}", self.n_lanes);
        let Some(first) = self.samples.values().next() else {
            return Estimate::new(f64::NAN, f64::INFINITY);
        };
        let (link, wave) = first[lane].measured();
        let of_means = |row: &[f64]| {
            let (link, q2_k) = (link.then_some(row[3]), wave.then_some(row[4]));
            function(&OverlapMoments { abs_q: row[0], q2: row[1], q4: row[2], link, q2_k })
        };
        let rows: Vec<f64> = self.samples.values().flat_map(|lanes| lanes[lane].row()).collect();
        match jackknife(&rows, 5, of_means) {
            Ok(jackknife) => jackknife.estimate(),
            Err(_) => {
                let n = self.samples.len() as f64;
                let mean = |c: usize| rows.iter().skip(c).step_by(5).sum::<f64>() / n;
                Estimate::new(of_means(&std::array::from_fn::<f64, 5, _>(mean)), f64::INFINITY)
            }
        }
    }
}

impl Merge for DisorderAverages {
    fn merge(&mut self, other: &Self) -> std::result::Result<(), MergeError> {
        let of = |averages: &Self| {
            let waves = averages.waves.as_ref().map_or(0, WaveVectors::len);
            let measured = averages.samples.values().flatten().next().map(OverlapMoments::measured);
            let columns = measured.map(|(link, wave)| 3 + usize::from(link) + 2 * usize::from(wave));
            (averages.n_spins, averages.n_lanes, waves, columns)
        };
        let ((n_spins, n_lanes, waves, columns), theirs) = (of(self), of(other));
        let mut shapes = vec![
            ("number of spins", n_spins, theirs.0),
            ("number of lanes", n_lanes, theirs.1),
            ("number of wave vectors", waves, theirs.2),
        ];
        if waves == theirs.2 && self.waves != other.waves {
            let what = "set of wave vectors, by number,";
            return Err(MergeError::Shape { what, expected: waves, found: theirs.2 });
        }
        shapes.extend(columns.zip(theirs.3).map(|(a, b)| ("kind of quantities measured", a, b)));
        for (what, expected, found) in shapes {
            if expected != found {
                return Err(MergeError::Shape { what, expected, found });
            }
        }
        if let Some(&unit) = other.samples.keys().find(|sample| self.samples.contains_key(sample)) {
            return Err(MergeError::OverlappingUnits { unit });
        }
        self.samples.extend(other.samples.iter().map(|(&sample, lanes)| (sample, lanes.clone())));
        Ok(())
    }
}

/// What the energy per bond of a sample misses of the value that its link overlap asks for,
///
/// ```math
/// Δ = \frac{⟨E⟩}{N_b} + β J^2 \left( 1 - ⟨q_l⟩ \right) ,
/// ```
///
/// whose average over independent Gaussian couplings of mean 0 and variance J² vanishes in equilibrium.
///
/// For a Gaussian coupling, $`[J_{ij} f(J)] = J^2 [\partial f / \partial J_{ij}]`$; with $`f = ⟨s_i s_j⟩`$ and
/// $`\partial ⟨s_i s_j⟩ / \partial J_{ij} = β (1 - ⟨s_i s_j⟩^2)`$ the energy $`-\sum [J_{ij} ⟨s_i s_j⟩]`$ is
/// $`-N_b β J^2 (1 - [⟨q_l⟩])`$, for $`⟨s_i s_j⟩^2`$ is the average of $`s_i^a s_j^a s_i^b s_j^b`$ over two independent
/// replicas. From random spins the energy falls towards equilibrium from above and the link overlap rises from below:
/// the average of Δ is positive and reaches 0 only when both have arrived. It is a test of the average, not of a sample:
/// a single Δ is not 0. There must be no field, and the links must be the bonds.
///
/// Reference: Katzgraber, Palassini and Young, Phys. Rev. B 63, 184422 (2001).
///
/// ```
/// use spin_models::mcmc::link_identity_gap;
///
/// // At β = 0 both terms vanish.
/// assert_eq!(link_identity_gap(0.0, 1.0, 0.0, 0.0), 0.0);
/// assert_eq!(link_identity_gap(0.5, 1.0, -0.25, 0.5), 0.0);
/// ```
pub fn link_identity_gap(beta: f64, variance: f64, energy_per_bond: f64, link_overlap: f64) -> f64 {
    energy_per_bond + beta * variance * (1.0 - link_overlap)
}
