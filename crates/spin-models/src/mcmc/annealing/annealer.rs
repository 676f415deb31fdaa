//! The choice of an engine.

use linalg_core::{Observer, Streams};

use super::drive::{ChainRead, Cut, Group, drive};
use super::params::{AnnealingParams, automatic_range};
use super::{AnnealedRead, Annealing};
use crate::mcmc::dense::{DenseModel, DenseReplicas, GROUP};
use crate::model::{CachedModel, PairwiseModel, Progress};
use crate::{Error, Result, Spins};

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
}

impl AnnealingEngine {
    /// `auto`, `single-spin` or `dense`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::SingleSpin => "single-spin",
            Self::Dense => "dense",
        }
    }
}

/// Simulated annealing of a pairwise model, with the engine that suits it.
///
/// Engines differ in speed and in the random numbers they use. All take the lowest configuration met after a sweep and
/// flip further spins as long as that lowers the energy; energies are computed from the model in 64 bits.
///
/// - `SingleSpin` is [`simulated_annealing`](super::simulated_annealing). Ties are accepted with probability ½.
/// - `Dense` keeps local fields in 32 bits, with all couplings in a matrix of `4 N²` bytes. Thresholds come from numbers
///   of 31 bits, so that a flip of a probability below 2⁻³² is never made; fields are computed afresh every 256 sweeps
///   and the annealer refuses models and temperatures at which their rounding could matter (`2β` times the estimate
///   `16 √N 2⁻²⁴ max_i (|h_i| + Σ_j |J_ij|)` above 1/8). Metropolis accepts ties. It is chosen for up to 128 spins, and for
///   up to 16384 when a spin has on average more than `N/32` couplings.
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
    dense: Option<DenseModel>,
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
        let dense = match engine {
            AnnealingEngine::SingleSpin => None,
            AnnealingEngine::Auto => {
                let half_edges: usize = (0..n).map(|i| model.neighbors(i).count()).sum();
                let dense = half_edges as f64 >= DENSITY * (n as f64).powi(2) || n <= SMALL;
                if dense && n <= LARGEST { DenseModel::new(model, range.1) } else { None }
            }
            AnnealingEngine::Dense if n > LARGEST => {
                return Err(Error::TooLarge { solver: SOLVER, what: "number of spins", value: n, bound: LARGEST });
            }
            AnnealingEngine::Dense => Some(DenseModel::new(model, range.1).ok_or_else(|| {
                let reason = format!("32-bit local fields are too coarse for these couplings at beta = {}", range.1);
                Error::NotApplicable { solver: SOLVER, reason }
            })?),
        };
        Ok(Self { model, params, range, streams, dense })
    }

    /// The engine that was chosen.
    pub fn engine(&self) -> AnnealingEngine {
        if self.dense.is_some() { AnnealingEngine::Dense } else { AnnealingEngine::SingleSpin }
    }

    /// The first and the last β.
    pub fn range(&self) -> (f64, f64) {
        self.range
    }

    /// Anneals. `reads` receives every read as its batch of 64 ends, in order; either observer can stop the run, which
    /// then keeps what was found by that time.
    ///
    /// Read `k` draws from the fast stream `k`, and is the same for any number of threads and of reads.
    ///
    /// # Errors
    /// None after a plan that could be made.
    pub fn run(
        &self,
        reads: &mut dyn Observer<AnnealedRead>,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Annealing> {
        let Self { model, params, range, streams, dense } = self;
        match dense {
            None => {
                let new = |units: std::ops::Range<u64>| ChainRead::new(*model, params, *streams, units.start);
                drive(*model, params, *range, &Cut { batch: BATCH, group: 1 }, new, reads, observer)
            }
            Some(dense) => {
                let share = params.reads.min(BATCH).div_ceil(params.threads as u64);
                let cut = Cut { batch: BATCH, group: share.clamp(1, GROUP) };
                let new = |units| {
                    let replicas = DenseReplicas::new(dense, params.dynamics, *streams, units);
                    Ok(DenseReads { dense, replicas })
                };
                drive(*model, params, *range, &cut, new, reads, observer)
            }
        }
    }
}

struct DenseReads<'a> {
    dense: &'a DenseModel,
    replicas: DenseReplicas,
}

impl Group for DenseReads<'_> {
    fn anneal(&mut self, betas: &[f64]) {
        self.replicas.sweep(self.dense, betas);
    }

    fn lowest(&self) -> f64 {
        self.replicas.lowest(self.dense)
    }

    fn finish(self) -> Vec<Spins> {
        self.replicas.into_best(self.dense).collect()
    }
}
