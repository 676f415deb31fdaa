//! Averages over Markov chains, with honest errors.

mod blocks;
mod chains;
mod equilibration;
mod lanes;
mod pooled;
mod saved;
mod series;
mod signs;

use std::ops::Range;

use linalg_core::merge::{Merge, MergeError, Units};
use linalg_core::stats::Estimate;

use crate::model::{PairCorrelations, PairwiseModel};

pub(super) use blocks::{Block, Blocks, Sums};
pub(super) use chains::Chains;
pub use equilibration::Equilibration;
pub(super) use equilibration::{FEWEST_SAMPLES, LARGEST_DRIFT, drift};
pub use lanes::Lanes;
pub(super) use lanes::tau_estimate;
pub(super) use pooled::{Pooled, function_estimate};
pub(super) use saved::{Read, counted, invalid, read_lane, read_units};
use series::Series;
pub(super) use signs::{SignBlocks, column_estimate};

/// Averages of energy, magnetization and, on request, single spins and pairs, over one or many replicas.
///
/// A *lane* is one replica of a simulation: one chain for [`Chain`](super::Chain), as many as there are for
/// [`multispin::Replicas`](super::multispin::Replicas), one a temperature for a ladder. The estimates of this type pool
/// all lanes, as independent chains at one temperature; those of a ladder are asked for by [`lane`](Self::lane). Several
/// independent replicas of one lane are chains of their own, by [`record_replica`](Self::record_replica).
///
/// | estimate | |
/// |---|---|
/// | [`energy_per_spin`](Self::energy_per_spin) | `⟨e⟩` |
/// | [`specific_heat`](Self::specific_heat) | `β² N (⟨e²⟩ - ⟨e⟩²)` |
/// | [`abs_magnetization`](Self::abs_magnetization) | `⟨\|m\|⟩` |
/// | [`susceptibility`](Self::susceptibility) | `β N (⟨m²⟩ - ⟨\|m\|⟩²)` |
/// | [`binder_cumulant`](Self::binder_cumulant) | `1 - ⟨m⁴⟩ / 3⟨m²⟩²` |
/// | [`magnetizations`](Self::magnetizations), [`correlations`](Self::correlations) | `⟨s_i⟩`, `⟨s_i s_j⟩`, on request |
///
/// # Errors of the estimates
/// Means have the error of logarithmic binning ([`Binning`](linalg_core::stats::Binning)); functions of means that of
/// the jackknife over blocks ten autocorrelation times long. The blocks, 64 to 127 a chain, double in length as the
/// run goes on, so that memory does not grow. With several chains the spread between them gives a second error, and the
/// larger one is reported. Where the spread is larger than chance allows, the chains are stuck in different valleys, and
/// their mean does not approach the truth with their number: the error is then the spread itself, that of a single
/// chain. A chain shorter than 50 of its autocorrelation times cannot tell its own error: the spread of four or more
/// chains is then taken, and with fewer the error is *infinite*. An error is never NaN and never missing. No error
/// covers a valley that no chain visited.
///
/// # Adding results
/// [`Merge`] appends the chains of another result with the same shape, lane by lane, after comparing problem hashes and
/// work units: a unit cannot be counted twice. Memory is about 4 kB a lane and chain, plus 256 bytes a site and 128 a pair.
///
/// ```
/// use spin_models::mcmc::Observables;
///
/// // Two spins, measured by hand: energies -1, -1, 1, -1.
/// let mut averages = Observables::new(2, 1);
/// for (energy, s) in [(-1.0, [1, 1]), (-1.0, [-1, -1]), (1.0, [1, -1]), (-1.0, [1, 1])] {
///     averages.record(0, energy, &s);
/// }
/// assert_eq!(averages.energy_per_spin().value, -0.25);
/// assert_eq!(averages.abs_magnetization().value, 0.75);
/// // Four values say nothing about their correlation time.
/// assert_eq!(averages.energy_per_spin().std_error, Some(f64::INFINITY));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Observables {
    n_spins: usize,
    problem: u64,
    units: Units,
    with_sites: bool,
    pairs: Vec<(u32, u32)>,
    lanes: Vec<Chains<Series>>,
}

impl Observables {
    /// No measurements yet, for `n_lanes` replicas of `n_spins` spins; work unit 0.
    pub fn new(n_spins: usize, n_lanes: usize) -> Self {
        let mut observables = Self {
            n_spins,
            problem: 0,
            units: Units::range(0..1),
            with_sites: false,
            pairs: Vec::new(),
            lanes: vec![Chains::new(Series::default()); n_lanes],
        };
        observables.clear();
        observables
    }

    /// Measures every `⟨s_i⟩` too. Drops what was measured before.
    pub fn with_sites(mut self) -> Self {
        self.with_sites = true;
        self.clear();
        self
    }

    /// Measures `⟨s_i s_j⟩` of these pairs too. Drops what was measured before.
    ///
    /// # Panics
    /// If a site is not below the number of spins.
    pub fn with_pairs(mut self, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let n = self.n_spins;
        let narrow = |(i, j): (usize, usize)| {
            assert!(i < n && j < n, "pair ({i}, {j}) of {n} spins");
            (i as u32, j as u32)
        };
        self.pairs = pairs.into_iter().map(narrow).collect();
        self.clear();
        self
    }

    /// Measures `⟨s_i s_j⟩` of all coupled pairs of a model, `i < j`, ordered by `i`.
    ///
    /// # Panics
    /// If the model has another number of spins.
    pub fn with_coupled_pairs<M: PairwiseModel + ?Sized>(self, model: &M) -> Self {
        let n = model.n_spins();
        assert_eq!(n, self.n_spins, "a model of {n} spins for observables of {}", self.n_spins);
        self.with_pairs((0..n).flat_map(|i| {
            let later = model.neighbors(i).filter(move |&(j, _)| j > i);
            later.map(move |(j, _)| (i, j))
        }))
    }

    /// Sets the numbers of the work units whose chains are measured here.
    pub fn with_units(mut self, units: Units) -> Self {
        self.units = units;
        self
    }

    /// Sets the content hash of the problem, which [`Merge`] compares; 0 by default.
    pub fn with_problem(mut self, problem: u64) -> Self {
        self.problem = problem;
        self
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Number of lanes.
    pub fn n_lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The work units measured here.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Whether configurations are needed: [`record_totals`](Self::record_totals) is not enough.
    pub fn needs_spins(&self) -> bool {
        self.with_sites || !self.pairs.is_empty()
    }

    /// Adds a measurement of one lane: its energy, extensive, and its configuration.
    ///
    /// # Panics
    /// If `lane` is not a lane or `s` has the wrong length.
    pub fn record(&mut self, lane: usize, energy: f64, s: &[i8]) {
        self.record_replica(lane, 0, energy, s);
    }

    /// Adds a measurement of one of several independent replicas of a lane, which are numbered from 0.
    ///
    /// # Panics
    /// If `lane` is not a lane, `s` has the wrong length, or `replica` is above the number of replicas that were recorded
    /// in this lane.
    pub fn record_replica(&mut self, lane: usize, replica: usize, energy: f64, s: &[i8]) {
        assert_eq!(s.len(), self.n_spins, "{} spins for observables of {}", s.len(), self.n_spins);
        let total: i64 = s.iter().map(|&s| i64::from(s)).sum();
        let series = self.push(lane, replica, energy, total as f64);
        if let Some(sites) = &mut series.sites {
            sites.push(|sums| sums.iter_mut().zip(s).for_each(|(sum, &s)| *sum += i32::from(s)));
        }
        // The borrow of the lane ends before the pairs are read.
        let Self { pairs, lanes, .. } = self;
        if let Some(products) = &mut lanes[lane].measured[replica].pairs {
            products.push(|sums| {
                for (sum, &(i, j)) in sums.iter_mut().zip(pairs.iter()) {
                    *sum += i32::from(s[i as usize] * s[j as usize]);
                }
            });
        }
    }

    /// Adds a measurement of one lane from its energy `E` and total magnetization `Σ s_i`.
    ///
    /// # Panics
    /// If `lane` is not a lane, or sites or pairs were asked for ([`needs_spins`](Self::needs_spins)).
    pub fn record_totals(&mut self, lane: usize, energy: f64, magnetization: i64) {
        assert!(!self.needs_spins(), "averages of sites or pairs need configurations");
        self.push(lane, 0, energy, magnetization as f64);
    }

    fn push(&mut self, lane: usize, replica: usize, energy: f64, magnetization: f64) -> &mut Series {
        assert!(lane < self.lanes.len(), "lane {lane} of {}", self.lanes.len());
        let n = self.n_spins as f64;
        let Self { with_sites, pairs, lanes, n_spins, .. } = self;
        let series = lanes[lane].at(replica, || empty(*n_spins, *with_sites, pairs));
        series.push(energy / n, magnetization / n);
        series
    }

    /// Drops all measurements, keeping shape, units and problem.
    pub fn clear(&mut self) {
        let series = empty(self.n_spins, self.with_sites, &self.pairs);
        self.lanes.iter_mut().for_each(|lane| *lane = Chains::new(series.clone()));
    }

    /// The estimates of one lane, merged chains included.
    ///
    /// # Panics
    /// If `lane` is not a lane.
    pub fn lane(&self, lane: usize) -> Lanes<'_> {
        self.lanes(lane..lane + 1)
    }

    /// The pooled estimates of several lanes of one temperature.
    ///
    /// # Panics
    /// If the range reaches beyond the lanes.
    pub fn lanes(&self, lanes: Range<usize>) -> Lanes<'_> {
        let chains = self.lanes[lanes].iter().flat_map(Chains::iter).filter(|chain| chain.count() > 0).collect();
        Lanes { n_spins: self.n_spins, pairs: &self.pairs, chains }
    }

    fn all(&self) -> Lanes<'_> {
        self.lanes(0..self.lanes.len())
    }
}

/// A chain without measurements.
fn empty(n_spins: usize, with_sites: bool, pairs: &[(u32, u32)]) -> Series {
    Series::new(with_sites.then_some(n_spins), (!pairs.is_empty()).then_some(pairs.len()))
}

/// The estimates of all lanes pooled.
impl Observables {
    /// See [`Lanes::count`].
    pub fn count(&self) -> u64 {
        self.all().count()
    }

    /// See [`Lanes::n_chains`].
    pub fn n_chains(&self) -> usize {
        self.all().n_chains()
    }

    /// See [`Lanes::energy`].
    pub fn energy(&self) -> Estimate {
        self.all().energy()
    }

    /// See [`Lanes::energy_per_spin`].
    pub fn energy_per_spin(&self) -> Estimate {
        self.all().energy_per_spin()
    }

    /// See [`Lanes::magnetization_per_spin`].
    pub fn magnetization_per_spin(&self) -> Estimate {
        self.all().magnetization_per_spin()
    }

    /// See [`Lanes::abs_magnetization`].
    pub fn abs_magnetization(&self) -> Estimate {
        self.all().abs_magnetization()
    }

    /// See [`Lanes::specific_heat`].
    pub fn specific_heat(&self, beta: f64) -> Estimate {
        self.all().specific_heat(beta)
    }

    /// See [`Lanes::susceptibility`].
    pub fn susceptibility(&self, beta: f64) -> Estimate {
        self.all().susceptibility(beta)
    }

    /// See [`Lanes::binder_cumulant`].
    pub fn binder_cumulant(&self) -> Estimate {
        self.all().binder_cumulant()
    }

    /// See [`Lanes::tau_energy`].
    pub fn tau_energy(&self) -> Estimate {
        self.all().tau_energy()
    }

    /// See [`Lanes::tau_magnetization`].
    pub fn tau_magnetization(&self) -> Estimate {
        self.all().tau_magnetization()
    }

    /// See [`Lanes::tau_abs_magnetization`].
    pub fn tau_abs_magnetization(&self) -> Estimate {
        self.all().tau_abs_magnetization()
    }

    /// See [`Lanes::magnetizations`].
    pub fn magnetizations(&self) -> Option<Vec<Estimate>> {
        self.all().magnetizations()
    }

    /// See [`Lanes::correlations`].
    pub fn correlations(&self) -> Option<PairCorrelations> {
        self.all().correlations()
    }

    /// See [`Lanes::equilibration`].
    pub fn equilibration(&self) -> Equilibration {
        self.all().equilibration()
    }

    /// See [`Lanes::equilibrated`].
    pub fn equilibrated(&self) -> bool {
        self.all().equilibrated()
    }
}

impl Merge for Observables {
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if other.problem != self.problem {
            return Err(MergeError::Problem { expected: self.problem, found: other.problem });
        }
        let shapes = [
            ("number of spins", self.n_spins, other.n_spins),
            ("number of lanes", self.lanes.len(), other.lanes.len()),
            ("sites measured", usize::from(self.with_sites), usize::from(other.with_sites)),
            ("number of pairs", self.pairs.len(), other.pairs.len()),
        ];
        for (what, expected, found) in shapes {
            if expected != found {
                return Err(MergeError::Shape { what, expected, found });
            }
        }
        if let Some(k) = (0..self.pairs.len()).find(|&k| self.pairs[k] != other.pairs[k]) {
            // The number of the first pair that differs, in place of a size.
            return Err(MergeError::Shape {
                what: "pair list up to its difference",
                expected: self.pairs.len(),
                found: k,
            });
        }
        self.units.merge(&other.units)?;
        for (mine, theirs) in self.lanes.iter_mut().zip(&other.lanes) {
            mine.merged.extend(theirs.iter().filter(|chain| chain.count() > 0).cloned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    /// A stationary AR(1) series as energy, with tau = (1 + a) / (2 (1 - a)) and variance 1 / (1 - a²).
    fn autoregressive(a: f64, n: usize, offset: f64, unit: u64) -> Observables {
        let mut rng = Streams::new(4).stream(unit);
        let mut averages = Observables::new(1, 1).with_units(Units::range(unit..unit + 1));
        let mut x = standard_normal(&mut rng) / (1.0 - a * a).sqrt();
        for _ in 0..n {
            averages.record(0, x + offset, &[if x > 0.0 { 1 } else { -1 }]);
            x = a * x + standard_normal(&mut rng);
        }
        averages
    }

    #[test]
    fn errors_of_an_autoregressive_chain() {
        for (unit, a, n) in [(0, 0.0, 1 << 16), (1, 0.9, 1 << 18), (2, 0.99, 1 << 20)] {
            // An offset of 10⁸ must not cost the variance its digits.
            let averages = autoregressive(a, n, 1e8, unit);
            let (tau, variance) = ((1.0 + a) / (2.0 * (1.0 - a)), 1.0 / (1.0 - a * a));
            let error = (2.0 * tau * variance / n as f64).sqrt();
            let e = averages.energy_per_spin();
            assert!((e.value - 1e8).abs() < 4.0 * error);
            approx::assert_relative_eq!(e.std_error.unwrap(), error, max_relative = 0.25);
            let measured = averages.tau_energy();
            assert!((measured.value - tau).abs() < 4.0 * measured.std_error.unwrap() + 0.1 * tau);
            // Variance of a Gaussian series: error sqrt(2 · 2τ₂ / n) of it, τ₂ = (1 + a²) / (2 (1 - a²)).
            let c = averages.specific_heat(1.0);
            let error = variance * (2.0 * (1.0 + a * a) / (1.0 - a * a) / n as f64).sqrt();
            assert!((c.value - variance).abs() < 4.0 * error, "{c} for {variance}");
            approx::assert_relative_eq!(c.std_error.unwrap(), error, max_relative = 0.4);
            assert!(averages.equilibrated(), "{:?}", averages.equilibration());
        }
    }

    #[test]
    fn short_chains_have_a_say_from_sixteen_measurements_on() {
        let mut many = Observables::new(1, 64);
        let mut rng = Streams::new(6).stream(0);
        for measurement in 0..40 {
            for lane in 0..64 {
                let x = standard_normal(&mut rng);
                many.record(lane, x, &[if x > 0.0 { 1 } else { -1 }]);
            }
            let drifts = many.equilibration().energy_drift;
            assert_eq!(drifts.iter().all(|z| z.abs() < 5.0), measurement >= 15, "{measurement}: {drifts:?}");
        }
        assert!(many.equilibrated(), "{:?}", many.equilibration());
        // One more chain that is too short spoils nothing.
        let mut short = Observables::new(1, 64).with_units(Units::range(1..2));
        short.record(3, 0.0, &[1]);
        many.merge(&short).unwrap();
        assert!(many.equilibrated());
    }

    #[test]
    fn merged_chains_are_the_pooled_chains() {
        let parts: Vec<Observables> = (0..4).map(|unit| autoregressive(0.5, 10_000, 0.0, unit)).collect();
        let mut merged = parts[0].clone();
        for part in &parts[1..] {
            merged.merge(part).unwrap();
        }
        let mean = parts.iter().map(|part| part.energy_per_spin().value).sum::<f64>() / 4.0;
        approx::assert_relative_eq!(merged.energy_per_spin().value, mean, max_relative = 1e-12);
        assert_eq!((merged.count(), merged.n_chains(), merged.units().len()), (40_000, 4, 4));
        // Half the error of one chain, or more where the four happen to differ.
        let ratio = merged.energy_per_spin().std_error.unwrap() / parts[0].energy_per_spin().std_error.unwrap();
        assert!((0.4..1.0).contains(&ratio), "{ratio}");
        // In any order.
        let mut reverse = parts[3].clone();
        for part in parts[..3].iter().rev() {
            reverse.merge(part).unwrap();
        }
        approx::assert_relative_eq!(
            reverse.specific_heat(2.0).value,
            merged.specific_heat(2.0).value,
            max_relative = 1e-10
        );
    }

    #[test]
    fn what_is_not_of_one_whole_is_refused() {
        let mut a = Observables::new(3, 2);
        let before = a.clone();
        assert_eq!(a.merge(&before), Err(MergeError::OverlappingUnits { unit: 0 }));
        let other = || Observables::new(3, 2).with_units(Units::range(5..6));
        assert!(matches!(a.merge(&other().with_problem(7)), Err(MergeError::Problem { found: 7, .. })));
        assert!(matches!(a.merge(&other().with_sites()), Err(MergeError::Shape { what: "sites measured", .. })));
        assert!(matches!(a.merge(&other().with_pairs([(0, 1)])), Err(MergeError::Shape { found: 1, .. })));
        assert!(matches!(a.merge(&Observables::new(4, 2)), Err(MergeError::Shape { expected: 3, found: 4, .. })));
        assert_eq!(a, before);
        let mut b = other().with_pairs([(0, 1)]);
        assert!(b.merge(&Observables::new(3, 2).with_pairs([(0, 2)])).is_err());
        a.merge(&other()).unwrap();
        assert_eq!(a.units().ranges(), &[(0, 1), (5, 6)]);
    }

    #[test]
    fn stuck_chains_show_in_the_error() {
        // Eight chains frozen at m = ±1: within each chain nothing moves.
        let mut merged: Option<Observables> = None;
        for unit in 0..8u64 {
            let mut part = Observables::new(2, 1).with_sites().with_units(Units::range(unit..unit + 1));
            let s = if unit % 2 == 0 { [1, 1] } else { [-1, -1] };
            (0..1000).for_each(|_| part.record(0, -1.0, &s));
            match &mut merged {
                None => merged = Some(part),
                Some(merged) => merged.merge(&part).unwrap(),
            }
        }
        let merged = merged.unwrap();
        let m = merged.magnetization_per_spin();
        // Standard deviation of ±1 over 8 chains, not of their mean.
        approx::assert_relative_eq!(m.std_error.unwrap(), (8.0f64 / 7.0).sqrt(), max_relative = 1e-12);
        assert_eq!(merged.magnetizations().unwrap()[1], m);
        assert_eq!(merged.energy_per_spin(), Estimate::new(-0.5, 0.0));
    }

    #[test]
    fn a_drift_is_noticed() {
        let mut rng = Streams::new(8).stream(0);
        let mut averages = Observables::new(1, 1);
        for k in 1..20_000 {
            // Logarithmic relaxation under noise.
            averages.record(0, standard_normal(&mut rng) - 0.3 * f64::from(k).ln(), &[1]);
        }
        let evidence = averages.equilibration();
        assert!(!evidence.passed(), "{evidence:?}");
        assert!(evidence.energy_drift[1] < -5.0);
    }

    #[test]
    fn nothing_and_nan_measured() {
        let empty = Observables::new(4, 3).with_sites();
        let unknown = |estimate: Estimate| estimate.value.is_nan() && estimate.std_error == Some(f64::INFINITY);
        assert!(
            unknown(empty.energy_per_spin()) && unknown(empty.binder_cumulant()) && unknown(empty.specific_heat(1.0))
        );
        assert!(empty.magnetizations().is_none() && !empty.equilibrated());
        let mut bad = Observables::new(1, 1);
        (0..1000).for_each(|_| bad.record(0, f64::NAN, &[1]));
        assert!(unknown(bad.energy_per_spin()) && unknown(bad.specific_heat(1.0)));
        assert_eq!(bad.abs_magnetization(), Estimate::new(1.0, 0.0));
        assert!(!bad.equilibrated());
    }

    #[test]
    fn lanes_are_kept_apart() {
        let mut ladder = Observables::new(1, 2);
        for k in 0..1000 {
            ladder.record(0, f64::from(k % 2), &[1]);
            ladder.record(1, 5.0, &[-1]);
        }
        approx::assert_relative_eq!(ladder.lane(0).energy_per_spin().value, 0.5);
        assert_eq!(ladder.lane(1).energy_per_spin(), Estimate::new(5.0, 0.0));
        approx::assert_relative_eq!(ladder.energy_per_spin().value, 2.75);
    }
}
