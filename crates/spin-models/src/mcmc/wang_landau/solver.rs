//! Wang-Landau as a solver.

use linalg_core::{Observer, Streams};

use super::super::solver::StopOnce;
use super::{DensityOfStates, EnergyGrid, WangLandau, WangLandauParams};
use crate::error::check_beta;
use crate::model::{EnergyModel, Progress, Quantities, Solution, Solve};
use crate::{Error, Ising, Result};

/// Tries of all walkers where the sweeps are left open: one to two seconds.
const TRIES: u64 = 1 << 26;
const FEWEST_SWEEPS: u64 = 2000;

/// Tries of all walkers after which learning ends in any case, converged or not.
const LEARNING_TRIES: u64 = 1 << 28;

/// Step of ln g at which learning ends; with the option `quick` ten times larger.
const FINAL_STEP: f64 = 1e-5;

/// [`WangLandau`] and [`Multicanonical`](super::Multicanonical) as a solver: `wang-landau`.
///
/// Learns weights, then measures the density of states with them, and reweights it to the β asked for: ln Z and the
/// energy. Magnetizations and correlations are not measured: `None`. The density itself, for all temperatures at once,
/// is what [`density`](Self::density) returns.
///
/// Left open, the measured sweeps are such that all walkers try `2²⁶` flips, at least 2000 sweeps each. Learning ends after
/// `2²⁸` tries in any case: weights that have not converged cost accuracy, which the errors show as far as the walkers
/// have reached the energies that matter at β. Glasses of some hundred spins at low temperature are beyond this method. Models with real
/// couplings get bins of an eighth of the typical change by one flip, or `1/(2β)` where that is less.
///
/// ```
/// use spin_models::mcmc::WangLandauSolver;
/// use spin_models::{Ising, Quantities, Solve};
///
/// // A triangle with one negative bond: energies -1 six times, 3 twice.
/// let triangle = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)]).build()?;
/// let solver = WangLandauSolver::default().with_sweeps(10_000);
/// let solution = solver.solve(&triangle, 0.7, Quantities::all(), &mut ())?;
/// let exact = (6.0 * 0.7f64.exp() + 2.0 * (-2.1f64).exp()).ln();
/// let ln_z = solution.ln_z.unwrap();
/// assert!((ln_z.value - exact).abs() < 4.0 * ln_z.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WangLandauSolver {
    streams: Streams,
    walkers: usize,
    sweeps: Option<u64>,
    threads: usize,
    quick: bool,
}

impl Default for WangLandauSolver {
    /// Eight walkers, one thread, seed 0, sweeps left open.
    fn default() -> Self {
        Self { streams: Streams::new(0), walkers: 8, sweeps: None, threads: 1, quick: false }
    }
}

impl WangLandauSolver {
    /// The same with this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.streams = Streams::new(seed);
        self
    }

    /// The same with this number of walkers.
    pub fn with_walkers(mut self, walkers: usize) -> Self {
        self.walkers = walkers;
        self
    }

    /// The same with this number of measured sweeps a walker.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = Some(sweeps);
        self
    }

    /// The same on this number of threads; the numbers do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// A tenth of the work, where it is left open.
    pub fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// The density of states, with bins fine enough for temperatures down to that of `beta`.
    ///
    /// # Errors
    /// As [`WangLandau::new`]; [`Error::Stopped`] when the observer stops it before the first measurement.
    pub fn density(&self, model: &Ising, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<DensityOfStates> {
        self.check_parameters(beta)?;
        let mut grid = EnergyGrid::found(model, self.streams.child(0))?;
        if !grid.on_levels() && beta * grid.spacing() > 0.5 {
            grid = EnergyGrid::bins(grid.energy(0), 0.5 / beta)?;
        }
        let params = WangLandauParams::default()
            .with_walkers(self.walkers)
            .with_final_step(if self.quick { 10.0 * FINAL_STEP } else { FINAL_STEP })
            .with_threads(self.threads);
        let per_sweep = (self.walkers as u64 * model.n_spins() as u64).max(1);
        let shorten = |tries: u64| if self.quick { tries / 10 } else { tries };
        let params = params.with_max_sweeps((shorten(LEARNING_TRIES) / per_sweep).max(FEWEST_SWEEPS));
        let mut learning = WangLandau::new(model, grid, params, self.streams.child(1))?;
        let mut watch = StopOnce { observer, stopped: false };
        learning.learn(&mut watch)?;
        if watch.stopped {
            return Err(Error::Stopped { solver: "wang-landau", done: 0, total: 1 });
        }
        let mut production = learning.multicanonical(self.streams.child(2))?;
        let sweeps = self.sweeps.unwrap_or((shorten(TRIES) / per_sweep).max(FEWEST_SWEEPS));
        production.equilibrate(sweeps.div_ceil(10), &mut watch);
        if watch.stopped {
            return Err(Error::Stopped { solver: "wang-landau", done: 0, total: 1 });
        }
        production.run(sweeps, &mut watch);
        Ok(production.density())
    }

    fn check_parameters(&self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        for (what, value) in [("walkers", self.walkers as u64), ("sweeps", self.sweeps.unwrap_or(1))] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".to_owned(), expected: "at least 1" });
            }
        }
        Ok(())
    }
}

impl Solve<Ising> for WangLandauSolver {
    fn name(&self) -> &'static str {
        "wang-landau"
    }

    fn check(&self, _model: &Ising, beta: f64) -> Result<()> {
        self.check_parameters(beta)
    }

    /// An observer that stops the run while it measures gets the averages until then.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        _want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let density = self.density(model, beta, observer)?;
        Ok(Solution { ln_z: Some(density.ln_z(beta)?), energy: Some(density.energy(beta)?), ..Solution::default() })
    }
}
