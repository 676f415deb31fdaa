//! Population annealing: many replicas cooled together and resampled on the way.

mod params;
mod resampling;
mod run;
mod solver;

use std::fmt;

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::logspace::log_sum_exp;
use linalg_core::rand::RngExt;
use linalg_core::rng::Xoshiro256PlusPlus;
use linalg_core::stats::Estimate;
use linalg_core::{Error as CoreError, Observer, Streams};

pub use self::params::{Cooling, PopulationParams};
use self::resampling::{rearrange, systematic};
pub use self::run::{PopulationRun, PopulationStep};
pub use self::solver::PopulationAnnealingSolver;
use super::threads;
use crate::error::check_beta;
use crate::model::{CachedModel, LnZ, MarkovKernel, PairCorrelations, Progress};
use crate::{Error, Result, Spins};

const KIND: &str = "population annealing 2";

pub(super) const NAME: &str = "population annealing";

/// Where a population begins that does not begin at β = 0.
///
/// The configurations must be a fair sample at `beta`; they are used in turn until the population is full, and copies
/// of one configuration are one family.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PopulationStart {
    /// Inverse temperature.
    pub beta: f64,
    /// ln Z there; a standard error is carried along.
    pub ln_z: LnZ,
    /// Configurations, at least one.
    pub configurations: Vec<Spins>,
}

/// A configuration in its place. Kernel and generator stay with the place when configurations are copied.
struct Replica<C, K> {
    spins: Spins,
    cache: C,
    energy: f64,
    family: u32,
    kernel: K,
    rng: Xoshiro256PlusPlus,
}

/// Population annealing: replicas that are cooled together, and resampled at every step.
///
/// The population begins at β = 0 with random spins, where `ln Z = N ln 2`, or from a [`PopulationStart`]. At each step
/// replica j gets `τ_j = R w_j / Σw` copies in the mean, `w_j = exp(-(β' - β) E_j)`, and every replica then makes some
/// sweeps at `β'`:
///
/// ```math
/// \ln Z(β_K) = \ln Z(β_0) + \sum_k \ln \frac1R \sum_j e^{-(β_{k+1} - β_k) E_j}
/// ```
///
/// # Resampling
/// Systematic: one uniform number decides all copies of a step, each count is `⌊τ_j⌋` or `⌈τ_j⌉`, and R is kept.
/// Replicas stay in the order of their families, so that the size of a whole family is rounded once and not once for
/// each member, which keeps `ρ_t` and the scatter of ln Z small.
///
/// # What is exact
/// At the temperatures of a [`Cooling::Ladder`], `exp(ln_z)` has the true Z as its mean for any population and any number
/// of sweeps. Adaptive temperatures depend on the same random numbers and spoil that a little; take the
/// [`ladder`](PopulationRun::ladder) of a first run for the others. Averages have a bias of order `ρ_t / R`, which
/// [`PopulationRun::combine`] lowers with the number of runs.
///
/// # Streams, cost
/// Place j draws from fast stream `j`, resampling from stream R, and the work at a temperature is cut by places: any
/// number of threads gives the same bits. Caches are computed afresh after each resampling, and a
/// [`checkpoint`](Self::checkpoint) between two temperatures therefore goes on bit for bit. Cost: R times `sweeps`
/// sweeps and a cache a step; the number of adaptive steps grows as `√N`. A checkpoint has `R (N + 36)` bytes.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Ising;
/// use spin_models::mcmc::{Cooling, Metropolis, PopulationAnnealing, PopulationParams};
///
/// // A pair: Z = 4 cosh β.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let params = PopulationParams::default().with_population(2000);
/// let mut population =
///     PopulationAnnealing::new(&pair, Metropolis::default(), Cooling::to(1.0), params, Streams::new(1))?;
/// population.cool(&mut ())?;
/// let run = population.run();
/// let ln_z = run.last().ln_z;
/// assert!((ln_z.value - (4.0 * 1f64.cosh()).ln()).abs() < 4.0 * ln_z.std_error.unwrap());
/// let energy = run.last().energy;
/// assert!((energy.value + 1f64.tanh()).abs() < 4.0 * energy.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: K. Hukushima and Y. Iba, AIP Conf. Proc. 690, 200 (2003); J. Machta, Phys. Rev. E 82, 026704 (2010);
/// W. Wang, J. Machta and H. G. Katzgraber, Phys. Rev. E 92, 063307 (2015); for the errors A. Lee and N. Whiteley,
/// Biometrika 105, 609 (2018).
pub struct PopulationAnnealing<M: CachedModel, K> {
    model: M,
    cooling: Cooling,
    params: PopulationParams,
    replicas: Vec<Replica<M::Cache, K>>,
    draws: Xoshiro256PlusPlus,
    /// Variance of ln Z at the start.
    start_variance: f64,
    /// Sum of the squared shares of the families at the start.
    start_squares: f64,
    steps: Vec<PopulationStep>,
    best: (f64, Spins),
}

impl<M, K> PopulationAnnealing<M, K>
where
    M: CachedModel + Sync,
    K: MarkovKernel<M> + Clone + Send,
{
    /// Random spins at β = 0.
    ///
    /// # Errors
    /// [`Error::Beta`], [`Error::Parameter`], [`Error::SiteOutOfBounds`] for a pair, [`Error::TooLarge`], or
    /// [`Error::NotFinite`] when an energy is not, with the number of the replica.
    pub fn new(model: M, kernel: K, cooling: Cooling, params: PopulationParams, streams: Streams) -> Result<Self> {
        let ln_z = model.n_spins() as f64 * std::f64::consts::LN_2;
        let random = |rng: &mut Xoshiro256PlusPlus, _| (Spins::random(model.n_spins(), rng), None);
        let (beta, variance) = (0.0, 0.0);
        let parts = Self::parts(&model, &kernel, &params, streams, (beta, &cooling), random)?;
        Self::begun(model, cooling, params, parts, (beta, ln_z, variance))
    }

    /// From configurations at another β.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Parameter`] for no configuration or a temperature before the start,
    /// [`Error::WrongLength`] for a configuration of another length.
    pub fn from_start(
        model: M,
        kernel: K,
        start: &PopulationStart,
        cooling: Cooling,
        params: PopulationParams,
        streams: Streams,
    ) -> Result<Self> {
        check_beta(start.beta)?;
        let given = &start.configurations;
        if given.is_empty() {
            let value = "none".to_owned();
            return Err(Error::Parameter { what: "configurations to start from", value, expected: "at least one" });
        }
        if let Some(spins) = given.iter().find(|spins| spins.len() != model.n_spins()) {
            return Err(Error::WrongLength { what: "spins", got: spins.len(), expected: model.n_spins() });
        }
        if !start.ln_z.value.is_finite() || start.ln_z.std_error.is_some_and(f64::is_nan) {
            let value = format!("{:?}", start.ln_z);
            return Err(Error::Parameter { what: "ln Z at the start", value, expected: "a finite number" });
        }
        // Copies stand side by side, as all families do.
        let population = params.population;
        let source = |place: usize| (place as u128 * given.len() as u128 / population.max(1) as u128) as usize;
        let spins = |_: &mut Xoshiro256PlusPlus, place| {
            let family = if given.len() < population { source(place) } else { place };
            (given[family].clone(), Some(family as u32))
        };
        let parts = Self::parts(&model, &kernel, &params, streams, (start.beta, &cooling), spins)?;
        let variance = start.ln_z.std_error.unwrap_or(0.0).powi(2);
        Self::begun(model, cooling, params, parts, (start.beta, start.ln_z.value, variance))
    }

    #[allow(clippy::type_complexity)]
    fn parts(
        model: &M,
        kernel: &K,
        params: &PopulationParams,
        streams: Streams,
        (start, cooling): (f64, &Cooling),
        spins: impl Fn(&mut Xoshiro256PlusPlus, usize) -> (Spins, Option<u32>),
    ) -> Result<(Vec<Replica<M::Cache, K>>, Xoshiro256PlusPlus)> {
        params.check(model.n_spins())?;
        cooling.check(start)?;
        let replicas = (0..params.population)
            .map(|place| {
                let mut rng = streams.fast_stream(place as u64);
                let (spins, family) = spins(&mut rng, place);
                let cache = model.cache(&spins);
                let energy = model.energy_cached(&cache, &spins);
                Replica { spins, cache, energy, family: family.unwrap_or(place as u32), kernel: kernel.clone(), rng }
            })
            .collect();
        Ok((replicas, streams.fast_stream(params.population as u64)))
    }

    #[allow(clippy::type_complexity)]
    fn begun(
        model: M,
        cooling: Cooling,
        params: PopulationParams,
        (replicas, draws): (Vec<Replica<M::Cache, K>>, Xoshiro256PlusPlus),
        (beta, ln_z, start_variance): (f64, f64, f64),
    ) -> Result<Self> {
        let best = (f64::INFINITY, replicas[0].spins.clone());
        let (start_squares, steps) = (0.0, Vec::new());
        let mut new = Self { model, cooling, params, replicas, draws, start_variance, start_squares, steps, best };
        new.check_energies()?;
        new.start_squares = new.squares();
        new.note(beta, ln_z);
        Ok(new)
    }

    /// Cools to the last temperature. On `Break` from the observer it stops after the present temperature, and can be
    /// called again to go on.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when an energy is not, with the number of the replica.
    pub fn cool(&mut self, observer: &mut dyn Observer<Progress>) -> Result<()> {
        while self.step()? {
            let last = &self.steps[self.steps.len() - 1];
            let (done, total) = match &self.cooling {
                Cooling::Adaptive { beta, .. } => ((1000.0 * last.beta / beta) as u64, 1000),
                Cooling::Ladder(ladder) => {
                    (ladder.betas().iter().filter(|&&beta| beta <= last.beta).count() as u64, ladder.len() as u64)
                }
            };
            let progress = Progress::new("cooling", done, total);
            let progress = progress.with_energy(last.energy.value).with_ln_z(last.ln_z.value);
            if observer.observe(&progress).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Goes to the next temperature; `false` when there is none.
    ///
    /// # Errors
    /// As [`cool`](Self::cool).
    pub fn step(&mut self) -> Result<bool> {
        let energies: Vec<f64> = self.replicas.iter().map(|replica| replica.energy).collect();
        let (now, ln_z) = (self.beta(), self.steps[self.steps.len() - 1].ln_z.value);
        let Some(next) = self.cooling.next(now, &energies) else { return Ok(false) };
        let ln_weights: Vec<f64> = energies.iter().map(|energy| -(next - now) * energy).collect();
        let ln_z = ln_z + log_sum_exp(&ln_weights) - (energies.len() as f64).ln();
        let copies = systematic(&ln_weights, self.draws.random());
        rearrange(&copies, |from, to| {
            let [from, to] = if from < to {
                let (head, tail) = self.replicas.split_at_mut(to);
                [&mut head[from], &mut tail[0]]
            } else {
                let (head, tail) = self.replicas.split_at_mut(from);
                [&mut tail[0], &mut head[to]]
            };
            to.spins.copy_from_slice(&from.spins);
            to.family = from.family;
        });
        let (model, sweeps) = (&self.model, self.params.sweeps);
        threads::for_each(self.params.threads, &mut self.replicas, |replica| {
            model.refresh(&mut replica.cache, &replica.spins);
            for _ in 0..sweeps {
                replica.kernel.sweep(model, next, &mut replica.spins, &mut replica.cache, &mut replica.rng);
            }
            replica.energy = model.energy_cached(&replica.cache, &replica.spins);
        });
        self.check_energies()?;
        self.note(next, ln_z);
        Ok(true)
    }

    /// The measurements at the present temperature.
    fn note(&mut self, beta: f64, ln_z: f64) {
        let population = self.replicas.len() as f64;
        let squares = self.squares();
        let energies: Vec<f64> = self.replicas.iter().map(|replica| replica.energy).collect();
        let m: Vec<f64> = self.replicas.iter().map(|r| r.spins.magnetization_per_spin()).collect();
        let energy = self.average(squares, |j| energies[j]);
        // Nothing is added at the start. A single family knows no error.
        let families = (squares - self.start_squares).max(0.0) / (1.0 - squares);
        let families = if squares < 1.0 { families } else { f64::INFINITY };
        let step = PopulationStep {
            beta,
            ln_z: LnZ::estimate(ln_z, (self.start_variance + families).sqrt()),
            energy,
            energy_variance: self.average(squares, |j| (energies[j] - energy.value).powi(2)),
            abs_magnetization: self.average(squares, |j| m[j].abs()),
            magnetization_2: self.average(squares, |j| m[j].powi(2)),
            magnetization_4: self.average(squares, |j| m[j].powi(4)),
            rho_t: population * squares,
            largest_family: self.families().map(|family| family.len() as f64).fold(0.0, f64::max) / population,
        };
        let lowest = (0..energies.len()).min_by(|&a, &b| energies[a].total_cmp(&energies[b])).unwrap_or(0);
        if energies[lowest] < self.best.0 {
            self.best = (energies[lowest], self.replicas[lowest].spins.clone());
        }
        self.steps.push(step);
    }

    /// `Σν²` over the families.
    fn squares(&self) -> f64 {
        let sizes = self.families().map(|family| family.len() as f64);
        sizes.map(|size| size * size).sum::<f64>() / (self.replicas.len() as f64).powi(2)
    }

    fn check_energies(&self) -> Result<()> {
        match self.replicas.iter().position(|replica| !replica.energy.is_finite()) {
            None => Ok(()),
            Some(entry) => {
                let value = self.replicas[entry].energy;
                Err(Error::NotFinite { what: "energy of replica", entry, sites: Vec::new(), value })
            }
        }
    }

    /// Goes back to a saved state.
    ///
    /// # Errors
    /// When the checkpoint is damaged or belongs to another instance or other parameters. The state is then unchanged.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        self.read(from).map_err(CoreError::from)?;
        Ok(())
    }

    fn read(&mut self, from: &Checkpoint) -> std::result::Result<(), CheckpointError> {
        let mut reader = from.open(KIND, self.model.content_hash())?;
        let at = reader.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let same = reader.read_usize()? == self.params.population
            && reader.read_u64()? == self.params.sweeps
            && reader.read_f64s()?.iter().map(|x| x.to_bits()).eq(cooling_numbers(&self.cooling).map(f64::to_bits));
        if !same {
            return Err(invalid("population, sweeps or temperatures: those of another run"));
        }
        let (start_variance, start_squares) = (reader.read_f64()?, reader.read_f64()?);
        let draws = reader.read_xoshiro()?;
        let (best_energy, best_signs) = (reader.read_f64()?, reader.read_i8s()?);
        let numbers = reader.read_f64s()?;
        let (chunks, rest) = numbers.as_chunks::<15>();
        if !rest.is_empty() || chunks.is_empty() || best_signs.len() != self.model.n_spins() {
            return Err(invalid("number of temperatures or spins"));
        }
        let spins_of = |signs: &[i8]| Spins::from_signs(signs).map_err(|_| invalid("spin"));
        let best = (best_energy, spins_of(&best_signs)?);
        let mut states = Vec::with_capacity(self.replicas.len());
        let mut signs = vec![0; self.model.n_spins()];
        let mut before = 0;
        for _ in 0..self.replicas.len() {
            reader.read_i8s_into(&mut signs)?;
            let (family, energy) = (reader.read_u32()?, reader.read_f64()?);
            if family < before {
                return Err(invalid("family: they are kept in order"));
            }
            before = family;
            states.push((spins_of(&signs)?, family, energy, reader.read_xoshiro()?));
        }
        reader.finish()?;
        for (replica, (spins, family, energy, rng)) in self.replicas.iter_mut().zip(states) {
            (replica.spins, replica.family, replica.energy, replica.rng) = (spins, family, energy, rng);
        }
        self.steps = chunks.iter().map(PopulationStep::from_numbers).collect();
        (self.start_variance, self.start_squares) = (start_variance, start_squares);
        (self.draws, self.best) = (draws, best);
        Ok(())
    }
}

/// What identifies a schedule in a checkpoint.
fn cooling_numbers(cooling: &Cooling) -> impl Iterator<Item = f64> {
    let numbers = match cooling {
        Cooling::Adaptive { beta, culled } => vec![-1.0, *beta, *culled],
        Cooling::Ladder(ladder) => ladder.betas().to_vec(),
    };
    numbers.into_iter()
}

impl<M: CachedModel, K> PopulationAnnealing<M, K> {
    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The present inverse temperature.
    pub fn beta(&self) -> f64 {
        self.steps[self.steps.len() - 1].beta
    }

    /// Whether the last temperature is reached.
    pub fn is_done(&self) -> bool {
        self.beta() >= self.cooling.last_beta()
    }

    /// The temperatures so far.
    pub fn steps(&self) -> &[PopulationStep] {
        &self.steps
    }

    /// The present configurations with their families, families side by side.
    pub fn configurations(&self) -> impl Iterator<Item = (&Spins, u32)> {
        self.replicas.iter().map(|replica| (&replica.spins, replica.family))
    }

    fn families(&self) -> impl Iterator<Item = &[Replica<M::Cache, K>]> {
        self.replicas.chunk_by(|a, b| a.family == b.family)
    }

    /// The mean of a number of each replica, with the error from the families.
    fn average(&self, squares: f64, value: impl Fn(usize) -> f64) -> Estimate {
        let n = self.replicas.len();
        let mean = (0..n).map(&value).sum::<f64>() / n as f64;
        let mut place = 0;
        let mut spread = 0.0;
        for family in self.families() {
            spread += (place..place + family.len()).map(|j| value(j) - mean).sum::<f64>().powi(2);
            place += family.len();
        }
        Estimate::new(mean, family_error(spread / (n as f64).powi(2), squares))
    }

    /// Means of `width` products of spins.
    fn products(&self, width: usize, add: impl Fn(&[i8], &mut [i64])) -> Vec<Estimate> {
        let n = self.replicas.len() as f64;
        let [mut total, mut square, mut cross] = [vec![0.0; width], vec![0.0; width], vec![0.0; width]];
        let mut sums = vec![0i64; width];
        let mut squares = 0.0;
        for family in self.families() {
            sums.fill(0);
            family.iter().for_each(|replica| add(&replica.spins, &mut sums));
            let share = family.len() as f64 / n;
            squares += share * share;
            for (k, &sum) in sums.iter().enumerate() {
                let sum = sum as f64 / n;
                total[k] += sum;
                square[k] += sum * sum;
                cross[k] += share * sum;
            }
        }
        let estimate = |k: usize| {
            let mean = total[k];
            let spread = square[k] - 2.0 * mean * cross[k] + mean * mean * squares;
            Estimate::new(mean, family_error(spread.max(0.0), squares))
        };
        (0..width).map(estimate).collect()
    }

    /// All results up to the present temperature.
    ///
    /// Cost: R times the number of sites and pairs.
    pub fn run(&self) -> PopulationRun {
        let pairs = &self.params.pairs;
        let magnetizations = self.products(self.model.n_spins(), |s, sums| {
            sums.iter_mut().zip(s).for_each(|(sum, &s)| *sum += i64::from(s));
        });
        let values = self.products(pairs.len(), |s, sums| {
            sums.iter_mut().zip(pairs).for_each(|(sum, &(i, j))| *sum += i64::from(s[i] * s[j]));
        });
        PopulationRun {
            population: self.replicas.len(),
            start_variance: self.start_variance,
            steps: self.steps.clone(),
            magnetizations,
            correlations: PairCorrelations { pairs: pairs.clone(), values },
            best_energy: self.best.0,
            best_spins: self.best.1.clone(),
        }
    }

    /// Everything needed to go on bit for bit from the present temperature, with any number of threads. Kernels whose
    /// sweeps depend on a state of their own are beyond it.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_usize(self.params.population).write_u64(self.params.sweeps);
        state.write_f64s(&cooling_numbers(&self.cooling).collect::<Vec<_>>());
        state.write_f64(self.start_variance).write_f64(self.start_squares).write_xoshiro(&self.draws);
        state.write_f64(self.best.0).write_i8s(&self.best.1);
        state.write_f64s(&self.steps.iter().flat_map(PopulationStep::numbers).collect::<Vec<_>>());
        for replica in &self.replicas {
            state.write_i8s(&replica.spins).write_u32(replica.family).write_f64(replica.energy);
            state.write_xoshiro(&replica.rng);
        }
        Checkpoint::new(KIND, self.model.content_hash(), state)
    }
}

/// From `Σ_i (Σ_{j∈i} (f_j - f̄))² / R²`; infinite for a single family.
fn family_error(spread: f64, squares: f64) -> f64 {
    if squares < 1.0 { (spread / (1.0 - squares)).sqrt() } else { f64::INFINITY }
}

impl<M: CachedModel, K> fmt::Debug for PopulationAnnealing<M, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("PopulationAnnealing");
        debug.field("cooling", &self.cooling).field("params", &self.params).field("beta", &self.beta());
        debug.finish_non_exhaustive()
    }
}
