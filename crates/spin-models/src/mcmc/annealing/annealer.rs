//! The choice of an engine.

use std::ops::Range;

use linalg_core::{Observer, Streams};

use super::drive::{ChainRead, Cut, Group, drive};
use super::params::{AnnealingParams, automatic_range};
use super::{AnnealedRead, Annealing};
use crate::mcmc::dense::{DenseModel, DenseReplicas, GROUP};
use crate::mcmc::multispin::Replicas;
use crate::model::{CachedModel, PairwiseModel, Progress, Simulation};
use crate::{Error, Ising, Result, Spins};

const SOLVER: &str = "dense annealing";

/// Spins up to which every model counts as dense.
const SMALL: usize = 128;

/// Couplings a spin, as a part of the spins, from which a model is dense.
const DENSITY: f64 = 1.0 / 32.0;

/// Spins of a dense model at most: a gibibyte of couplings in 32 bits.
const LARGEST: usize = 1 << 14;

/// Reads that run side by side.
const BATCH: u64 = 64;

/// How an [`Annealer`] updates spins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum AnnealingEngine {
    /// The fastest that applies. The default.
    #[default]
    Auto,
    /// One [`Chain`](crate::mcmc::Chain) a read, for every model.
    SingleSpin,
    /// A full matrix of couplings in 32 bits, which up to 16 reads share: for dense and for small models.
    Dense,
    /// A bit a read, see [`multispin`](crate::mcmc::multispin): for couplings and fields that are small multiples of one
    /// number.
    Multispin,
}

impl AnnealingEngine {
    /// `auto`, `single-spin`, `dense` or `multispin`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::SingleSpin => "single-spin",
            Self::Dense => "dense",
            Self::Multispin => "multispin",
        }
    }
}

/// Simulated annealing of a pairwise model, with the engine that suits it.
///
/// Engines differ in speed and in the random numbers they use. `SingleSpin` and `Dense` take the lowest configuration met
/// after a sweep, `Multispin` takes the last one. From there spins are flipped as long as that lowers the energy; energies
/// are computed from the model in 64 bits.
///
/// - `SingleSpin` is [`simulated_annealing`](super::simulated_annealing). Ties are accepted with probability ½, which on
///   ±J lattices takes up to twice as many sweeps as sure acceptance.
/// - `Dense` keeps local fields in 32 bits, with all couplings in a matrix of `4 N²` bytes. Thresholds come from numbers
///   of 31 bits, so that a flip of a probability below 2⁻³² is never made; fields are computed afresh every 256 sweeps
///   and the annealer refuses models and temperatures at which their rounding could matter (`2β` times the estimate
///   `16 √N 2⁻²⁴ max_i (|h_i| + Σ_j |J_ij|)` above 1/8). Metropolis accepts ties. It is chosen for up to 128 spins, and for
///   up to 16384 when a spin has on average more than `N/32` couplings.
/// - `Multispin` is [`Replicas`] at falling temperature, in groups of 64 to 512 reads. Metropolis accepts ties. It is
///   chosen for other models where it applies, for any number of reads: 64 cost what one costs.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Annealer, AnnealingEngine, AnnealingParams};
/// use spin_models::Ising;
///
/// // All pairs of six spins antiferromagnetic: three up and three down, 9 bonds satisfied and 6 not.
/// let pairs = (0..6).flat_map(|i| (i + 1..6).map(move |j| (i, j, -1.0)));
/// let model = Ising::builder(6).couplings(pairs).build()?;
/// let annealer = Annealer::new(&model, AnnealingParams::default().with_sweeps(50).with_reads(4), Streams::new(1))?;
/// assert_eq!(annealer.engine(), AnnealingEngine::Dense);
/// let found = annealer.run(&mut (), &mut ())?;
/// assert_eq!((found.energy, found.energies.len()), (-3.0, 4));
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Annealer<'a, M> {
    model: &'a M,
    params: AnnealingParams,
    range: (f64, f64),
    streams: Streams,
    plan: Plan,
}

#[derive(Debug, Clone)]
enum Plan {
    SingleSpin,
    Dense(DenseModel),
    Multispin(Ising),
}

impl<'a, M: PairwiseModel + CachedModel + Sync> Annealer<'a, M> {
    /// Plans with [`AnnealingEngine::Auto`]. `O(N + M)`, and `O(N²)` for a dense model.
    ///
    /// # Errors
    /// [`Error::Beta`] or [`Error::Parameter`].
    pub fn new(model: &'a M, params: AnnealingParams, streams: Streams) -> Result<Self> {
        Self::with_engine(model, params, streams, AnnealingEngine::Auto)
    }

    /// Plans with an engine.
    ///
    /// # Errors
    /// As for [`new`](Self::new); [`Error::NotApplicable`] or [`Error::TooLarge`] for a model that the engine cannot
    /// take.
    pub fn with_engine(
        model: &'a M,
        params: AnnealingParams,
        streams: Streams,
        engine: AnnealingEngine,
    ) -> Result<Self> {
        params.check()?;
        let range = params.range.unwrap_or_else(|| automatic_range(model, streams));
        let n = model.n_spins();
        let plan = match engine {
            AnnealingEngine::Auto => automatic_plan(model, &params, range, streams)?,
            AnnealingEngine::SingleSpin => Plan::SingleSpin,
            AnnealingEngine::Dense if n > LARGEST => {
                return Err(Error::TooLarge { solver: SOLVER, what: "number of spins", value: n, bound: LARGEST });
            }
            AnnealingEngine::Dense => Plan::Dense(DenseModel::new(model, range.1).ok_or_else(|| {
                let reason = format!("32-bit local fields are too coarse for these couplings at beta = {}", range.1);
                Error::NotApplicable { solver: SOLVER, reason }
            })?),
            AnnealingEngine::Multispin => {
                let ising = to_ising(model)?;
                Replicas::new(&ising, 1, params.dynamics, range.0, streams, 0)?;
                Plan::Multispin(ising)
            }
        };
        Ok(Self { model, params, range, streams, plan })
    }

    /// The engine that was chosen.
    pub fn engine(&self) -> AnnealingEngine {
        match self.plan {
            Plan::SingleSpin => AnnealingEngine::SingleSpin,
            Plan::Dense(_) => AnnealingEngine::Dense,
            Plan::Multispin(_) => AnnealingEngine::Multispin,
        }
    }

    /// The first and the last β.
    pub fn range(&self) -> (f64, f64) {
        self.range
    }

    /// Anneals. `reads` receives every read as its batch ends, in order; either observer can stop the run, which then
    /// keeps what was found by that time.
    ///
    /// Read `k` draws from the fast stream `k`, and is the same for any number of threads and of reads. The reads of
    /// `Multispin` draw from the children `k` of the streams, for groups of reads whose size depends on the number of reads
    /// alone.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the memory for the reads of a batch is not there.
    pub fn run(
        &self,
        reads: &mut dyn Observer<AnnealedRead>,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Annealing> {
        let Self { model, params, range, streams, plan } = self;
        match plan {
            Plan::SingleSpin => {
                let new = |units: Range<u64>| ChainRead::new(*model, params, *streams, units.start);
                drive(*model, params, *range, &Cut { batch: BATCH, group: 1 }, new, reads, observer)
            }
            Plan::Dense(dense) => {
                let share = params.reads.min(BATCH).div_ceil(params.threads as u64);
                let cut = Cut { batch: BATCH, group: share.clamp(1, GROUP) };
                let new = |units| {
                    let replicas = DenseReplicas::new(dense, params.dynamics, *streams, units);
                    Ok(DenseReads { dense, replicas })
                };
                drive(*model, params, *range, &cut, new, reads, observer)
            }
            Plan::Multispin(ising) => {
                // Large groups are faster, several groups keep several threads busy.
                let group = (params.reads / 8).next_power_of_two().clamp(64, 512);
                let new = |units: Range<u64>| {
                    let (first, count) = (units.start / group, (units.end - units.start) as usize);
                    let replicas = Replicas::new(ising, count, params.dynamics, range.0, *streams, first)?;
                    Ok(MultispinReads { replicas: replicas.with_sure_ties(), lowest: f64::INFINITY })
                };
                drive(*model, params, *range, &Cut { batch: 8 * group, group }, new, reads, observer)
            }
        }
    }
}

/// Couplings, fields and the constant.
fn to_ising<M: PairwiseModel>(model: &M) -> Result<Ising> {
    let n = model.n_spins();
    let pairs = || (0..n).flat_map(|i| model.neighbors(i).filter(move |&(j, _)| i < j).map(move |(j, c)| (i, j, c)));
    let fields = || (0..n).map(|i| model.field(i));
    let terms = || pairs().map(|(_, _, coupling)| coupling).chain(fields());
    let constant = model.energy(&vec![1; n]) + terms().sum::<f64>();
    // What rounding leaves is none, and of an energy that overflows none is known: reports alone need it.
    let rounding = 1e-12 * terms().map(f64::abs).sum::<f64>();
    let constant = if constant.is_finite() && constant.abs() > rounding { constant } else { 0.0 };
    Ising::builder(n).couplings(pairs()).fields(fields()).offset(constant).build()
}

fn automatic_plan<M: PairwiseModel>(
    model: &M,
    params: &AnnealingParams,
    range: (f64, f64),
    streams: Streams,
) -> Result<Plan> {
    let n = model.n_spins();
    let half_edges: usize = (0..n).map(|i| model.neighbors(i).count()).sum();
    let dense = half_edges as f64 >= DENSITY * (n as f64).powi(2) || n <= SMALL;
    if let Some(dense) = (dense && n <= LARGEST).then(|| DenseModel::new(model, range.1)).flatten() {
        return Ok(Plan::Dense(dense));
    }
    let ising = to_ising(model)?;
    if Replicas::new(&ising, 1, params.dynamics, range.0, streams, 0).is_ok() {
        return Ok(Plan::Multispin(ising));
    }
    Ok(Plan::SingleSpin)
}

struct DenseReads<'a> {
    dense: &'a DenseModel,
    replicas: DenseReplicas,
}

impl Group for DenseReads<'_> {
    fn anneal(&mut self, betas: &[f64]) {
        self.replicas.sweep(self.dense, betas);
    }

    fn lowest(&mut self) -> f64 {
        self.replicas.lowest(self.dense)
    }

    fn finish(self) -> Vec<Spins> {
        self.replicas.into_best(self.dense).collect()
    }
}

struct MultispinReads {
    replicas: Replicas,
    lowest: f64,
}

impl Group for MultispinReads {
    fn anneal(&mut self, betas: &[f64]) {
        for &beta in betas {
            self.replicas.set_beta(beta).expect("a checked range");
            self.replicas.advance(1, &mut ());
        }
    }

    fn lowest(&mut self) -> f64 {
        self.lowest = self.replicas.energies().into_iter().fold(self.lowest, f64::min);
        self.lowest
    }

    fn finish(self) -> Vec<Spins> {
        let signs = (0..self.replicas.n_lanes()).map(|read| self.replicas.spins(read));
        signs.map(|signs| Spins::from_signs(&signs).expect("spins are up or down")).collect()
    }
}
