//! Annealed importance sampling, forward and backward, and the bridge between the two.
#![allow(clippy::needless_range_loop, reason = "loops over indices of fixed length are what vectorises")]

use std::ops::{ControlFlow, Range};

use linalg_core::stats::WeightedMean;
use linalg_core::{Observer, Streams};
use spin_models::{Kind, LnZ, Progress};

use crate::fast::math::SoftplusSum;
use crate::fast::shard::Shard;
use crate::fast::{BitRows, PackedRbm, Row, SHARD, WIDTH, rows_of, valid};
use crate::rbm::{layer_ln_z, layer_sample};
use crate::units::Unit;
use crate::{Error, Rbm, Result};
use linalg_core::logspace::{LogSum, ln_sigmoid};
use linalg_core::simd::{Work, widest};
use linalg_core::threads;

/// Annealed importance sampling from independent units to the machine.
///
/// The path goes from visible units in the fields $`a^0`$ of a base rate, with free hidden units, to the machine by scaling the
/// fields of the joint energy,
///
/// ```math
/// -E_t(v, h) = \left( (1-t)\, a^0 + t\, a \right) \cdot v + t\, (b \cdot h + h \cdot W v) - U(v) - U(h),
/// ```
///
/// in which hidden units are summed out of the weights. The mean weight is unbiased for Z, so its logarithm is below ln Z on
/// average (R. M. Neal, Stat. Comput. 11, 125 (2001); R. Salakhutdinov and I. Murray, ICML 2008). Chains that start at the machine
/// and run back give the reciprocal: unbiased for 1/Z, above ln Z on average where the start is a fair sample. Both together
/// bracket ln Z, and Bennett's acceptance ratio uses both at once.
///
/// ```
/// use boltzmann::partition::{AnnealedImportance, exact_ln_z};
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{PackedRbm, Rbm};
/// use linalg_core::Streams;
///
/// let rbm = Rbm::random(Bernoulli, Bernoulli, 10, 5, 0.5, &mut Streams::new(1).stream(0))?;
/// let ais = AnnealedImportance::new(500, 64)?;
/// let run = ais.run(&PackedRbm::new(&rbm)?, &[0.0; 10], Streams::new(2), &mut ())?;
/// let estimate = run.estimate();
/// assert!((estimate.value - exact_ln_z(&rbm, 1.0)?).abs() < 4.0 * estimate.std_error.unwrap() + 1e-3);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AnnealedImportance {
    path: Vec<f64>,
    chains: usize,
    /// Shard of 16 chains that is the first of this run.
    first: u64,
    threads: usize,
}

/// Log-weights of the chains: `ln(Z/Z_0)` work along the path plus `ln Z_0`, so that the mean of `e^w` is Z.
#[derive(Debug, Clone, PartialEq)]
pub struct AisRun {
    /// A log-weight for each chain.
    pub ln_weights: Vec<f64>,
    /// Whether the chains ran from the machine back to the base rate.
    pub reverse: bool,
}

impl AisRun {
    /// ln Z with its standard error: [`Kind::Lower`] forward and [`Kind::Upper`] backward, as stochastic bounds. One chain says nothing
    /// of its error, which is then infinite.
    ///
    /// ```
    /// use boltzmann::partition::AisRun;
    ///
    /// let one = AisRun { ln_weights: vec![3.0], reverse: false }.estimate();
    /// assert_eq!((one.value, one.std_error), (3.0, Some(f64::INFINITY)));
    /// ```
    pub fn estimate(&self) -> LnZ {
        let sign = if self.reverse { -1.0 } else { 1.0 };
        let mean = self.weighted().ln_mean_weight();
        let kind = if self.reverse { Kind::Upper } else { Kind::Lower };
        // A bound without an error would be taken for one that is certain.
        LnZ { value: sign * mean.value, std_error: Some(mean.std_error.unwrap_or(f64::INFINITY)), kind }
    }

    fn weighted(&self) -> WeightedMean {
        let sign = if self.reverse { -1.0 } else { 1.0 };
        let mut mean = WeightedMean::new();
        self.ln_weights.iter().for_each(|w| mean.push(sign * w, 1.0));
        mean
    }

    /// `(Σ w)² / Σ w²`: how many chains carry the mean.
    pub fn effective_sample_size(&self) -> f64 {
        self.weighted().effective_sample_size()
    }
}

/// ln Z from chains of both directions by Bennett's acceptance ratio (J. Comput. Phys. 22, 245 (1976)).
///
/// The solution c of `Σ_F 1/(1 + e^{M + c - w}) = Σ_R 1/(1 + e^{w - M - c})` with `M = ln(n_F/n_R)`, by bisection on the logarithms of
/// both sides; the error is that of two independent means, infinite where a side has one chain. Where the runs do not overlap, c lies half
/// way between them and the error knows the spread inside each alone: look at how far their own [estimates](AisRun::estimate) are apart.
///
/// # Errors
/// [`Error::Empty`] for a run without chains; [`Error::NotApplicable`] unless one run is forward and the other backward;
/// [`Error::NotFinite`] for a log-weight that is NaN or infinite.
pub fn bennett(forward: &AisRun, reverse: &AisRun) -> Result<LnZ> {
    if forward.reverse || !reverse.reverse {
        return Err(Error::NotApplicable { method: "Bennett's ratio", reason: "it takes a forward and a reverse run" });
    }
    if forward.ln_weights.is_empty() || reverse.ln_weights.is_empty() {
        return Err(Error::Empty { what: "run of annealed importance sampling" });
    }
    crate::error::check_finite("log-weight of the forward run", &forward.ln_weights)?;
    crate::error::check_finite("log-weight of the reverse run", &reverse.ln_weights)?;
    let (nf, nr) = (forward.ln_weights.len() as f64, reverse.ln_weights.len() as f64);
    let shift = (nf / nr).ln();
    // Logarithms of the terms: far from its own run a side vanishes in `f64`.
    let up = |c: f64| forward.ln_weights.iter().map(move |w| ln_sigmoid(w - shift - c));
    let down = |c: f64| reverse.ln_weights.iter().map(move |w| ln_sigmoid(shift + c - w));
    let all = || forward.ln_weights.iter().chain(&reverse.ln_weights).copied();
    let mut low = all().fold(f64::INFINITY, f64::min) - 50.0;
    let mut high = all().fold(f64::NEG_INFINITY, f64::max) + 50.0;
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if up(middle).collect::<LogSum>().value() > down(middle).collect::<LogSum>().value() {
            low = middle;
        } else {
            high = middle;
        }
    }
    let value = 0.5 * (low + high);
    let relative = |ln_terms: &mut dyn Iterator<Item = f64>| {
        let mut mean = WeightedMean::new();
        ln_terms.for_each(|ln_term| mean.push(ln_term, 1.0));
        // One chain says nothing of its error.
        mean.ln_mean_weight().std_error.unwrap_or(f64::INFINITY)
    };
    Ok(LnZ::estimate(value, relative(&mut up(value)).hypot(relative(&mut down(value)))))
}

impl AnnealedImportance {
    /// A path of `temperatures` steps and so many chains: a quarter of the steps up to t = 1/2, a quarter to 0.9, half to 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than 4 steps or no chain.
    pub fn new(temperatures: usize, chains: usize) -> Result<Self> {
        if temperatures < 4 {
            let value = temperatures.to_string();
            return Err(Error::Parameter { what: "number of temperatures", value, expected: "4 or more" });
        }
        let quarter = temperatures / 4;
        let pieces = [(0.0, 0.5, quarter), (0.5, 0.9, quarter), (0.9, 1.0, temperatures - 2 * quarter)];
        let mut path: Vec<f64> = Vec::with_capacity(temperatures + 1);
        for (from, to, n) in pieces {
            path.extend((0..n).map(|k| from + (to - from) * k as f64 / n as f64));
        }
        path.push(1.0);
        Self::with_path(path, chains)
    }

    /// The path through these points from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless it ascends from 0 to 1, or without a chain.
    pub fn with_path(path: Vec<f64>, chains: usize) -> Result<Self> {
        let ends =
            path.first().is_some_and(|t| t.abs() < 1e-300) && path.last().is_some_and(|t| (t - 1.0).abs() < 1e-300);
        if !(ends && path.windows(2).all(|pair| pair[0] < pair[1])) {
            let value = format!("{} points", path.len());
            return Err(Error::Parameter { what: "path", value, expected: "ascending points from 0 to 1" });
        }
        if chains == 0 {
            return Err(Error::Parameter { what: "number of chains", value: "0".to_owned(), expected: "1 or more" });
        }
        Ok(Self { path, chains, first: 0, threads: 1 })
    }

    /// The same with up to `threads` threads, 0 for all there are; the numbers do not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The share of one machine: work unit k is the chains 16 k to 16 k + 15. The log-weights of several shares, one after the
    /// other, are those of one run of all chains, bit for bit.
    ///
    /// ```
    /// use boltzmann::partition::AnnealedImportance;
    /// use boltzmann::units::Bernoulli;
    /// use boltzmann::{PackedRbm, Rbm};
    /// use linalg_core::Streams;
    ///
    /// let rbm = Rbm::random(Bernoulli, Bernoulli, 10, 5, 0.5, &mut Streams::new(1).stream(0))?;
    /// let machine = PackedRbm::new(&rbm)?;
    /// let all = AnnealedImportance::new(50, 48)?;
    /// let run = |ais: &AnnealedImportance| ais.run(&machine, &[0.0; 10], Streams::new(2), &mut ());
    /// let shares = [run(&all.clone().units(0..2)?)?, run(&all.clone().units(2..3)?)?];
    /// assert_eq!(shares.map(|share| share.ln_weights).concat(), run(&all)?.ln_weights);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range without a unit, or with so many that their chains cannot be counted.
    pub fn units(mut self, units: Range<u64>) -> Result<Self> {
        let n = units.end.saturating_sub(units.start);
        let chains = usize::try_from(n).ok().filter(|&n| n > 0).and_then(|n| n.checked_mul(SHARD));
        let Some(chains) = chains else {
            let value = format!("{}..{}", units.start, units.end);
            return Err(Error::Parameter {
                what: "range of units",
                value,
                expected: "A..B with A < B, and 16 (B - A) below 2^64",
            });
        };
        (self.chains, self.first) = (chains, units.start);
        Ok(self)
    }

    /// Chains of a work unit of [`units`](Self::units).
    pub const UNIT: usize = SHARD;

    /// The fields `a⁰` that reproduce the means of data, smoothed: `ln((ones + 1/2)/(zeros + 1/2))`.
    pub fn base_rate(data: &BitRows) -> Vec<f64> {
        let n = data.n_rows() as f64;
        data.means().into_iter().map(|p| ((p * n + 0.5) / ((1.0 - p) * n + 0.5)).ln()).collect()
    }

    /// Chains from the base rate to the machine. Unit k of 16 chains draws from stream k.
    ///
    /// Cost: a sweep and twice the hidden units a chain and temperature.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is a base field for each visible unit, [`Error::NotFinite`]; `Stopped` of
    /// `spin-models` when the observer stops it.
    pub fn run(
        &self,
        machine: &PackedRbm,
        base: &[f64],
        streams: Streams,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<AisRun> {
        self.anneal(machine, base, None, streams, observer)
    }

    /// Chains from samples of the machine back to the base rate; chain k starts at row `k mod n` of `start`.
    ///
    /// The bound is as good as the start is fair: rows of training data, or states of long chains.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::WrongLength`] for rows of another length.
    pub fn run_reverse(
        &self,
        machine: &PackedRbm,
        base: &[f64],
        start: &BitRows,
        streams: Streams,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<AisRun> {
        crate::error::check_length("columns of the start", start.n_columns(), machine.n_visible())?;
        self.anneal(machine, base, Some(start), streams, observer)
    }

    fn anneal(
        &self,
        machine: &PackedRbm,
        base: &[f64],
        start: Option<&BitRows>,
        streams: Streams,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<AisRun> {
        crate::error::check_length("base fields", base.len(), machine.n_visible())?;
        crate::error::check_finite("base fields", base)?;
        let mut chains: Vec<Chains> = (0..self.chains.div_ceil(SHARD))
            .map(|k| {
                let n = SHARD.min(self.chains - k * SHARD);
                let unit = self.first + k as u64;
                let mut shard = Shard::new(machine, n, &mut streams.stream(unit));
                if let Some(rows) = start {
                    let row =
                        |c: usize| ((u128::from(unit) * SHARD as u128 + c as u128) % rows.n_rows() as u128) as usize;
                    (0..n).for_each(|c| shard.set_visible(c, rows.row(row(c))));
                }
                Chains { shard, ln_weights: [0.0; SHARD] }
            })
            .collect();
        let base_rows = rows_of(base.iter().map(|&x| x as f32), 0.0);
        let mut path = self.path.clone();
        if start.is_some() {
            path.reverse();
        } else {
            // The first states are those of the base rate: t = 0 with no hidden unit coupled.
            let step = Anneal { machine, base: &base_rows, path: &[0.0, 0.0] };
            let mut first: Vec<&mut Chains> = chains.iter_mut().collect();
            widest(AnnealWork { step, chains: &mut first });
            chains.iter_mut().for_each(|chains| chains.ln_weights = [0.0; SHARD]);
        }
        let threads = threads::count(self.threads);
        const REPORT: usize = 256;
        let total = path.len() - 1;
        for first in (0..total).step_by(REPORT) {
            let last = (first + REPORT).min(total);
            let step = Anneal { machine, base: &base_rows, path: &path[first..=last] };
            threads::for_pieces(threads, &mut chains, |_, chains| {
                let mut chains: Vec<&mut Chains> = chains.iter_mut().collect();
                widest(AnnealWork { step, chains: &mut chains });
            });
            let progress = Progress::new("annealing", last as u64, total as u64);
            if observer.observe(&progress) == ControlFlow::Break(()) && last < total {
                let (done, total) = (last as u64, total as u64);
                return Err(spin_models::Error::Stopped { solver: "annealed importance sampling", done, total }.into());
            }
        }
        let ln_z0: f64 = base_rows
            .iter()
            .flat_map(|row| row.0)
            .take(base.len())
            .map(|a| linalg_core::logspace::softplus(f64::from(a)))
            .sum::<f64>()
            + machine.n_hidden() as f64 * std::f64::consts::LN_2;
        let sign = if start.is_some() { -1.0 } else { 1.0 };
        let ln_weights =
            chains.iter().flat_map(|c| c.ln_weights[..c.shard.n].iter()).map(|w| ln_z0 + sign * w).collect();
        Ok(AisRun { ln_weights, reverse: start.is_some() })
    }
}

struct Chains {
    shard: Shard,
    ln_weights: [f64; SHARD],
}

#[derive(Clone, Copy)]
struct Anneal<'a> {
    machine: &'a PackedRbm,
    base: &'a [Row],
    path: &'a [f64],
}

struct AnnealWork<'a, 'b> {
    step: Anneal<'a>,
    chains: &'a mut [&'b mut Chains],
}

impl Work for AnnealWork<'_, '_> {
    type Output = ();

    /// For each pair of neighbouring points: the weight at the present state, then a sweep at the second point.
    #[inline(always)]
    fn run(self) {
        let Anneal { machine, base, path } = self.step;
        for pair in path.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            for chains in self.chains.iter_mut() {
                let Chains { shard, ln_weights } = &mut **chains;
                let [q_words, p_words] = [machine.visible_bias.len(), machine.panels.len()];
                let mut sums = [[SoftplusSum::ZERO; 2]; SHARD];
                for p in 0..p_words {
                    let valid = valid(machine.n_hidden, p);
                    let n = valid.count_ones() as usize;
                    for c in 0..shard.n {
                        let fields = machine.hidden_fields(p, shard.visible(c));
                        sums[c][0].add(&fields.0, n, from);
                        sums[c][1].add(&fields.0, n, to);
                        let means = crate::fast::means(&fields, to as f32, valid);
                        shard.h[c * p_words + p] = crate::fast::sample_mask(&means, &mut shard.lanes) & valid;
                    }
                }
                for c in 0..shard.n {
                    let mut linear = 0.0;
                    crate::fast::bits::for_ones(shard.visible(c), |k| {
                        let (q, k) = (k / WIDTH, k % WIDTH);
                        linear += f64::from(machine.visible_bias[q].0[k]) - f64::from(base[q].0[k]);
                    });
                    let [before, after] = sums[c];
                    ln_weights[c] += (to - from) * linear + after.value() - before.value();
                }
                for q in 0..q_words {
                    let valid = valid(machine.n_visible, q);
                    for c in 0..shard.n {
                        let mut fields = machine.visible_fields(q, shard.hidden(c));
                        let t = to as f32;
                        for k in 0..WIDTH {
                            fields.0[k] = (1.0 - t) * base[q].0[k] + t * fields.0[k];
                        }
                        let means = crate::fast::means(&fields, 1.0, u64::MAX);
                        shard.v[c * q_words + q] = crate::fast::sample_mask(&means, &mut shard.lanes) & valid;
                    }
                }
            }
        }
    }
}

/// The same for any units, in `f64`; chain k draws from stream k.
///
/// Infinite or NaN weights (units whose integrals diverge on the way) are refused. Whether there is a Z at all is checked for two Gaussian
/// layers only: with rectified units couplings can be too large, too, and the chains then return a finite number.
///
/// # Errors
/// As [`AnnealedImportance::run`]; [`Error::Unbounded`] for Gaussian layers with too large couplings; [`Error::NotFinite`] for a weight that
/// is not finite.
pub fn annealed_importance<V: Unit, H: Unit>(
    rbm: &Rbm<V, H>,
    base: &[f64],
    params: &AnnealedImportance,
    streams: Streams,
) -> Result<AisRun> {
    crate::error::check_length("base fields", base.len(), rbm.visible_len())?;
    crate::error::check_finite("base fields", base)?;
    match rbm.normalisability()? {
        Some(eigenvalue) if eigenvalue.is_nan() || eigenvalue >= 1.0 => return Err(Error::Unbounded { eigenvalue }),
        _ => {}
    }
    let (nv, nh) = (rbm.visible_len(), rbm.hidden_len());
    let ln_z0 = layer_ln_z(rbm.visible(), base, 1.0) + layer_ln_z(rbm.hidden(), &vec![0.0; nh], 1.0);
    let mut ln_weights = Vec::with_capacity(params.chains);
    let (mut v, mut h, mut x, mut fields) = (vec![0.0; nv], vec![0.0; nh], vec![0.0; nh], vec![0.0; nv]);
    for chain in 0..params.chains {
        let mut rng = streams.stream(params.first.wrapping_mul(SHARD as u64) + chain as u64);
        layer_sample(rbm.visible(), base, 1.0, &mut v, &mut rng);
        let mut ln_weight = ln_z0 - rbm.offset();
        for pair in params.path.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            rbm.hidden_fields(&v, &mut x);
            let linear: f64 = v.iter().zip(rbm.visible_bias()).zip(base).map(|((v, a), a0)| v * (a - a0)).sum();
            let scaled = |t: f64| x.iter().map(|x| t * x).collect::<Vec<_>>();
            let after = scaled(to);
            ln_weight += (to - from) * linear + layer_ln_z(rbm.hidden(), &after, 1.0)
                - layer_ln_z(rbm.hidden(), &scaled(from), 1.0);
            layer_sample(rbm.hidden(), &after, 1.0, &mut h, &mut rng);
            rbm.visible_fields(&h, &mut fields);
            fields.iter_mut().zip(base).for_each(|(f, a0)| *f = (1.0 - to) * a0 + to * *f);
            layer_sample(rbm.visible(), &fields, 1.0, &mut v, &mut rng);
        }
        ln_weights.push(ln_weight);
    }
    crate::error::check_finite("log-weight of a chain", &ln_weights)?;
    Ok(AisRun { ln_weights, reverse: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::{disagreements, exact_ln_z};
    use crate::units::Gaussian;
    use linalg_core::logspace::log_sum_exp;

    fn run(ln_weights: Vec<f64>, reverse: bool) -> AisRun {
        AisRun { ln_weights, reverse }
    }

    /// Far apart every term is an exponential: `c = ½ (ln Σ_F e^w - ln Σ_R e^{-w})`, and the errors are those of the two sums.
    #[test]
    fn runs_that_do_not_overlap_meet_half_way() {
        let forward = run(vec![0.0, 1.0, -0.5], false);
        for distance in [800.0, 2000.0, 1e6] {
            let reverse = run(vec![distance, distance + 1.0, distance - 0.5], true);
            let both = bennett(&forward, &reverse).unwrap();
            let minus: Vec<f64> = reverse.ln_weights.iter().map(|w| -w).collect();
            let exact = 0.5 * (log_sum_exp(&forward.ln_weights) - log_sum_exp(&minus));
            assert!((both.value / exact - 1.0).abs() < 1e-12, "{} {exact}", both.value);
            let errors = [&forward, &reverse].map(|run| run.estimate().std_error.unwrap());
            assert!((both.std_error.unwrap() / errors[0].hypot(errors[1]) - 1.0).abs() < 1e-9, "{both:?}");
        }
    }

    #[test]
    fn weights_that_are_not_finite_are_refused() {
        let good = vec![0.0, 1.0];
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = bennett(&run(vec![0.5, bad], false), &run(good.clone(), true)).unwrap_err();
            assert!(error.to_string().starts_with("log-weight of the forward run[1] is"), "{error}");
            let error = bennett(&run(good.clone(), false), &run(vec![bad], true)).unwrap_err();
            assert!(error.to_string().starts_with("log-weight of the reverse run[0] is"), "{error}");
        }
    }

    #[test]
    fn a_single_chain_is_no_certain_bound() {
        let lower = run(vec![7.0], false).estimate();
        assert_eq!(lower.std_error, Some(f64::INFINITY));
        assert!(disagreements(&[("one chain", lower), ("exact", LnZ::exact(5.0))], 3.0).is_empty());
    }

    #[test]
    fn gaussian_layers_without_a_bound_have_no_estimate() {
        let machine = |w: f64| {
            let units = || Gaussian::unit_variance(1);
            Rbm::new(units(), units(), vec![w], vec![0.0], vec![0.0]).unwrap()
        };
        let ais = AnnealedImportance::new(200, 64).unwrap();
        for w in [1.0, 1.1] {
            let error = annealed_importance(&machine(w), &[0.0], &ais, Streams::new(1)).unwrap_err();
            assert!(matches!(error, Error::Unbounded { eigenvalue } if (eigenvalue - w * w).abs() < 1e-12), "{error}");
        }
        // Seed 1, 64 chains: 4 standard errors.
        let found = annealed_importance(&machine(0.5), &[0.0], &ais, Streams::new(1)).unwrap().estimate();
        let exact = exact_ln_z(&machine(0.5), 1.0).unwrap();
        assert!((found.value - exact).abs() < 4.0 * found.std_error.unwrap(), "{found:?} {exact}");
    }
}
