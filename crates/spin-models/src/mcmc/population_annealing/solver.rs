//! Population annealing as a solver.

use linalg_core::{Observer, Streams};

use super::super::solver::{MOST_PAIRS, smallest_excitation};
use super::super::{Dynamics, Order};
use super::{Cooling, NAME, PopulationAnnealing, PopulationParams, PopulationRun};
use crate::error::check_beta;
use crate::model::{Correlations, EnergyModel, GroundState, PairCorrelations, Progress, Quantities, Solution, Solve};
use crate::{Error, Ising, Result};

/// Updates of all runs where the population is left open: about two seconds.
const UPDATES: u64 = 1 << 27;
const FEWEST: u64 = 100;
const MOST: u64 = 100_000;

/// Replicas of the run that finds the temperatures.
const SCOUTS: usize = 200;

/// [`PopulationAnnealing`] as a solver: `population-annealing`.
///
/// A small run with adaptive steps finds the temperatures. Several independent runs then go through them and are
/// combined with weights proportional to their estimates of Z, see [`PopulationRun::combine`]. ln Z comes with the other
/// averages. Sites and pairs have the errors of families and of the spread of the runs.
///
/// The lowest energy met is returned as [`Solution::ground_state`], without a degeneracy: no promise that it is the
/// ground state.
///
/// Left open, the population is such that the runs make `2²⁷ / (N + M/2)` sweeps in all for N spins and M couplings,
/// with 100 to 10⁵ replicas. A run stopped by its observer has no answer at the temperature asked for.
///
/// ```
/// use spin_models::mcmc::PopulationAnnealingSolver;
/// use spin_models::{Ising, Quantities, Solve};
///
/// // A ring of 4 with one negative bond, t = tanh β: Z = (2 cosh β)⁴ (1 - t⁴).
/// let ring = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (0, 3, -1.0)]).build()?;
/// let solver = PopulationAnnealingSolver::default().with_population(500).with_seed(2);
/// let solution = solver.solve(&ring, 1.0, Quantities::all(), &mut ())?;
/// let exact = 4.0 * (2.0 * 1f64.cosh()).ln() + (1.0 - 1f64.tanh().powi(4)).ln();
/// let ln_z = solution.ln_z.unwrap();
/// assert!((ln_z.value - exact).abs() < 4.0 * ln_z.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PopulationAnnealingSolver {
    streams: Streams,
    dynamics: Dynamics,
    population: Option<usize>,
    sweeps: u64,
    runs: u64,
    threads: usize,
    quick: bool,
}

impl Default for PopulationAnnealingSolver {
    /// Heat bath, ten sweeps a temperature, eight runs, one thread, seed 0, the population left open.
    fn default() -> Self {
        Self {
            streams: Streams::new(0),
            dynamics: Dynamics::HeatBath,
            population: None,
            sweeps: 10,
            runs: 8,
            threads: 1,
            quick: false,
        }
    }
}

impl PopulationAnnealingSolver {
    /// The same with this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.streams = Streams::new(seed);
        self
    }

    /// The same with these dynamics.
    pub fn with_dynamics(mut self, dynamics: Dynamics) -> Self {
        self.dynamics = dynamics;
        self
    }

    /// The same with this number of replicas a run.
    pub fn with_population(mut self, population: usize) -> Self {
        self.population = Some(population);
        self
    }

    /// The same with this number of sweeps at every temperature.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = sweeps;
        self
    }

    /// The same with this number of runs.
    pub fn with_runs(mut self, runs: u64) -> Self {
        self.runs = runs;
        self
    }

    /// The same on this number of threads; the numbers do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// A tenth of the replicas, where they are left open.
    pub fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// The runs at `beta`, combined.
    ///
    /// # Errors
    /// As [`PopulationAnnealing::new`]; [`Error::Stopped`].
    pub fn run(
        &self,
        model: &Ising,
        beta: f64,
        pairs: &[(usize, usize)],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<PopulationRun> {
        self.check_parameters(beta)?;
        let kernel = self.dynamics.kernel(Order::Sequential);
        let params = PopulationParams::default().with_sweeps(self.sweeps).with_threads(self.threads);
        let scouts = params.clone().with_population(self.population.unwrap_or(SCOUTS).min(SCOUTS));
        let total = self.runs;
        let mut scout =
            PopulationAnnealing::new(model, kernel.clone(), Cooling::to(beta), scouts, self.streams.child(0))?;
        scout.cool(observer)?;
        if !scout.is_done() {
            return Err(Error::Stopped { solver: NAME, done: 0, total });
        }
        let ladder = scout.run().ladder()?;
        let sweeps = self.runs.max(1) * self.sweeps * ladder.len() as u64;
        let work = (model.n_spins() + model.n_couplings() / 2).max(1) as u64;
        let full = (UPDATES / work / sweeps.max(1)).clamp(FEWEST, MOST);
        let open = if self.quick { (full / 10).max(FEWEST) } else { full };
        let params = params.with_population(self.population.unwrap_or(open as usize));
        let params = params.with_pairs(pairs.iter().copied());
        let mut runs = Vec::new();
        for done in 0..total {
            let (cooling, streams) = (Cooling::Ladder(ladder.clone()), self.streams.child(1 + done));
            let mut run = PopulationAnnealing::new(model, kernel.clone(), cooling, params.clone(), streams)?;
            run.cool(observer)?;
            if !run.is_done() {
                return Err(Error::Stopped { solver: NAME, done, total });
            }
            runs.push(run.run());
        }
        PopulationRun::combine(&runs)
    }

    fn check_parameters(&self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        if self.runs == 0 {
            return Err(Error::Parameter { what: "runs", value: "0".to_owned(), expected: "at least 1" });
        }
        Ok(())
    }
}

/// The pairs a sampler measures: none where there are too many.
pub(in crate::mcmc) fn pairs_wanted(model: &Ising, correlations: Correlations) -> Option<Vec<(usize, usize)>> {
    let n = model.n_spins();
    match correlations {
        Correlations::None => None,
        Correlations::Coupled if model.n_couplings() > MOST_PAIRS => None,
        Correlations::Coupled => Some(model.couplings().map(|(i, j, _)| (i, j)).collect()),
        Correlations::All if n.saturating_mul(n.saturating_sub(1)) / 2 > MOST_PAIRS => None,
        Correlations::All => Some((0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect()),
    }
}

impl Solve<Ising> for PopulationAnnealingSolver {
    fn name(&self) -> &'static str {
        "population-annealing"
    }

    fn check(&self, _model: &Ising, beta: f64) -> Result<()> {
        self.check_parameters(beta)
    }

    /// Correlations of more than 131072 pairs are not measured: `None`.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let pairs = pairs_wanted(model, want.correlations);
        let run = self.run(model, beta, pairs.as_deref().unwrap_or(&[]), observer)?;
        let last = *run.last();
        let mut energy = last.energy;
        // Where no replica was excited, one excited among all would not have been noticed.
        let resolution = smallest_excitation(model, [&*run.best_spins].into_iter()) / run.population as f64;
        energy.std_error = energy.std_error.map(|error| error.max(resolution));
        let correlations = PairCorrelations { pairs: run.correlations.pairs, values: run.correlations.values };
        Ok(Solution {
            ln_z: Some(last.ln_z),
            energy: Some(energy),
            magnetizations: Some(run.magnetizations),
            correlations: pairs.map(|_| correlations),
            ground_state: Some(GroundState {
                energy: run.best_energy,
                degeneracy: None,
                spins: run.best_spins.into_vec(),
            }),
        })
    }
}
