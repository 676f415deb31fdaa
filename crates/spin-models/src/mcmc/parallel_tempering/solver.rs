//! Parallel tempering as a solver.

use linalg_core::logspace::sigmoid;
use linalg_core::{Observer, Streams};

use super::super::observables::Pooled;
use super::super::population_annealing::{Cooling, PopulationAnnealing, PopulationParams};
use super::super::solver::{Measured, solution, work};
use super::super::{Dynamics, Order, SingleSpin, threads};
use super::{Ladder, ParallelTempering, ParallelTemperingParams};
use crate::error::check_beta;
use crate::model::{EnergyModel, LnZ, Progress, Quantities, Simulation, Solution, Solve};
use crate::{Error, Ising, Result};

/// Updates in all where the sweeps are left open: one to two seconds.
const UPDATES: u64 = 1 << 26;
const FEWEST_SWEEPS: u64 = 1000;
const MOST_SWEEPS: u64 = 1_000_000;

/// Replicas of the population that finds the ladder, and the share of it that a step removes: energies of neighbouring
/// temperatures overlap by the rest, which makes about 0.6 of the exchanges succeed.
const SCOUTS: usize = 200;
const CULLED: f64 = 0.3;

/// Rounds in which the ladder is tuned, and sweeps of one of them.
const TUNING: (u64, u64) = (5, 100);

/// Blocks of a set, for the error within it.
const BLOCKS: u64 = 32;

/// [`ParallelTempering`] as a solver: `parallel-tempering`.
///
/// The ladder goes from β = 0, where every sweep of the heat bath draws new spins and `ln Z = N ln 2`, to the β asked for.
/// A small population annealing run places its temperatures, [`ParallelTempering::tune`] evens out the exchanges.
/// Eight independent sets of replicas are equilibrated for a fifth of the measured sweeps.
///
/// # ln Z
/// The differences of ln Z between neighbouring temperatures are summed up from β = 0. Each is found from both sides,
///
/// ```math
/// \ln \frac{Z_{k+1}}{Z_k} = C + \ln \langle f(ΔβE + C) \rangle_k - \ln \langle f(-ΔβE - C) \rangle_{k+1},
/// \qquad f(x) = \frac{1}{1 + e^x},
/// ```
///
/// with C close to the difference itself, from the equilibration. There is no error of a quadrature. The error is the
/// larger of a jackknife over 32 blocks of every set and of the spread of the sets, as in
/// [`Observables`](super::super::Observables); all other averages are those of the replicas at β with the errors
/// described there.
///
/// # Effort
/// Left open, the sweeps are `2²⁶ / (8 K (N + M/2))` for N spins, M couplings and K temperatures, between 1000 and 10⁶.
/// Sets are shared by [`with_threads`](Self::with_threads); the numbers do not depend on it.
///
/// Reference: C. H. Bennett, J. Comput. Phys. 22, 245 (1976).
///
/// ```
/// use spin_models::mcmc::ParallelTemperingSolver;
/// use spin_models::{Ising, Quantities, Solve};
///
/// // A ring of 4 at β = 3, t = tanh β: Z = (2 cosh β)⁴ (1 + t⁴), no magnetization.
/// let ring = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (0, 3, 1.0)]).build()?;
/// let solver = ParallelTemperingSolver::default().with_sweeps(2000);
/// let solution = solver.solve(&ring, 3.0, Quantities::all(), &mut ())?;
/// let ln_z = solution.ln_z.unwrap();
/// let exact = 4.0 * (2.0 * 3f64.cosh()).ln() + (1.0 + 3f64.tanh().powi(4)).ln();
/// assert!((ln_z.value - exact).abs() < 4.0 * ln_z.std_error.unwrap());
/// for m in solution.magnetizations.unwrap() {
///     assert!(m.value.abs() < 4.0 * m.std_error.unwrap() && m.std_error.unwrap() < 0.2);
/// }
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParallelTemperingSolver {
    streams: Streams,
    dynamics: Dynamics,
    sets: usize,
    sweeps: Option<u64>,
    threads: usize,
    quick: bool,
}

impl Default for ParallelTemperingSolver {
    /// Heat bath, eight sets, one thread, seed 0, sweeps left open.
    fn default() -> Self {
        let (streams, dynamics) = (Streams::new(0), Dynamics::HeatBath);
        Self { streams, dynamics, sets: 8, sweeps: None, threads: 1, quick: false }
    }
}

/// Independent replicas at all temperatures.
struct Set<'a> {
    tempering: ParallelTempering<&'a Ising, SingleSpin>,
    measured: Measured,
    sweeps: u64,
    /// `ΔβE` of each pair of neighbours summed over both while equilibrating.
    scouted: Vec<f64>,
    blocks: Vec<Block>,
}

/// Sums of the two Fermi functions of each pair of neighbours.
#[derive(Clone)]
struct Block {
    count: f64,
    up: Vec<f64>,
    down: Vec<f64>,
}

impl Block {
    fn new(pairs: usize) -> Self {
        Self { count: 0.0, up: vec![0.0; pairs], down: vec![0.0; pairs] }
    }

    fn add(&mut self, other: &Self, sign: f64) {
        self.count += sign * other.count;
        self.up.iter_mut().zip(&other.up).for_each(|(sum, x)| *sum += sign * x);
        self.down.iter_mut().zip(&other.down).for_each(|(sum, x)| *sum += sign * x);
    }

    /// `Σ_k (ln Z_{k+1} - ln Z_k)` without the constants; the counts cancel.
    fn ln_ratio(&self) -> f64 {
        self.up.iter().zip(&self.down).map(|(up, down)| (up / down).ln()).sum()
    }
}

impl Set<'_> {
    fn energies(&self) -> Vec<f64> {
        (0..self.tempering.ladder().len()).map(|k| self.tempering.energy(k, 0)).collect()
    }

    fn equilibrate(&mut self, sweeps: u64) {
        for _ in 0..sweeps {
            self.tempering.advance(1, &mut ());
            let energies = self.energies();
            let steps = self.tempering.ladder().betas().windows(2).map(|pair| pair[1] - pair[0]);
            for ((sum, pair), step) in self.scouted.iter_mut().zip(energies.windows(2)).zip(steps) {
                *sum += 0.5 * step * (pair[0] + pair[1]);
            }
        }
    }

    fn measure(&mut self, sweeps: u64, constants: &[f64]) {
        let mut block = Block::new(constants.len());
        for _ in 0..sweeps {
            self.tempering.advance(1, &mut ());
            self.sweeps += 1;
            let energies = self.energies();
            let betas = self.tempering.ladder().betas();
            for (k, constant) in constants.iter().enumerate() {
                let step = betas[k + 1] - betas[k];
                block.up[k] += sigmoid(-(step * energies[k] + constant));
                block.down[k] += sigmoid(step * energies[k + 1] + constant);
            }
            block.count += 1.0;
            let last = energies.len() - 1;
            self.measured.record(self.sweeps, energies[last], &self.tempering.spins(last, 0));
        }
        self.blocks.push(block);
    }
}

impl ParallelTemperingSolver {
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

    /// The same with this number of independent sets of replicas.
    pub fn with_sets(mut self, sets: usize) -> Self {
        self.sets = sets;
        self
    }

    /// The same with this number of measured sweeps.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = Some(sweeps);
        self
    }

    /// The same on this number of threads; no more than there are sets are of use.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// A tenth of the sweeps, where they are left open.
    pub fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    fn check_parameters(&self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        for (what, value) in [("sets", self.sets as u64), ("sweeps", self.sweeps.unwrap_or(1))] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".to_owned(), expected: "at least 1" });
            }
        }
        Ok(())
    }

    fn stopped(done: u64, total: u64) -> Error {
        Error::Stopped { solver: "parallel tempering", done, total }
    }

    /// Temperatures from 0 to β.
    fn ladder(&self, model: &Ising, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<Ladder> {
        let cooling = Cooling::Adaptive { beta, culled: CULLED };
        let params =
            PopulationParams::default().with_population(SCOUTS).with_sweeps(5).with_threads(self.threads.max(1));
        let kernel = self.dynamics.kernel(Order::Sequential);
        let mut scouts = PopulationAnnealing::new(model, kernel, cooling, params, self.streams.child(0))?;
        scouts.cool(observer)?;
        if !scouts.is_done() {
            return Err(Self::stopped(0, 1));
        }
        Ladder::new(scouts.steps().iter().map(|step| step.beta).collect())
    }

    fn sets<'a>(
        &self,
        model: &'a Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<(Vec<Set<'a>>, u64)> {
        let mut ladder = self.ladder(model, beta, observer)?;
        let all = self.sets as u64 * ladder.len() as u64 * work(model).max(1);
        let full = (UPDATES / all).clamp(FEWEST_SWEEPS, MOST_SWEEPS);
        let sweeps = self.sweeps.unwrap_or(if self.quick { full / 10 } else { full });
        let mut sets: Vec<Set<'a>> = Vec::new();
        for unit in 0..self.sets as u64 {
            let kernel = self.dynamics.kernel(Order::Sequential);
            let (params, streams) = (ParallelTemperingParams::default(), self.streams.child(1 + unit));
            let mut tempering = ParallelTempering::new(model, kernel, ladder.clone(), params, streams)?;
            if unit == 0 && ladder.len() > 2 {
                tempering.tune(TUNING.0, TUNING.1, &mut ())?;
                ladder = tempering.ladder().clone();
            }
            let measured = Measured::new(model, want, sweeps, unit);
            let scouted = vec![0.0; ladder.len() - 1];
            sets.push(Set { tempering, measured, sweeps: 0, scouted, blocks: Vec::new() });
        }
        Ok((sets, sweeps))
    }
}

/// ln Z at the cold end.
fn ln_z(model: &Ising, sets: &[Set<'_>], constants: &[f64]) -> LnZ {
    let pairs = constants.len();
    let mut total = Block::new(pairs);
    let blocks: Vec<&Block> = sets.iter().flat_map(|set| &set.blocks).collect();
    blocks.iter().for_each(|block| total.add(block, 1.0));
    let own = |set: &Set<'_>| {
        let mut sum = Block::new(pairs);
        set.blocks.iter().for_each(|block| sum.add(block, 1.0));
        (sum.count, sum.ln_ratio())
    };
    let without: Vec<f64> = blocks
        .iter()
        .map(|block| {
            let mut rest = total.clone();
            rest.add(block, -1.0);
            rest.ln_ratio()
        })
        .collect();
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let within = (n - 1.0) / n * without.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let between = Pooled::between(&sets.iter().map(own).collect::<Vec<_>>());
    let value = model.n_spins() as f64 * std::f64::consts::LN_2 + constants.iter().sum::<f64>() + total.ln_ratio();
    let pooled = Pooled {
        mean: value,
        within: if blocks.len() > 1 { within } else { f64::INFINITY },
        // The blocks are taken as long enough; where they are not, the spread of the sets shows it.
        tau: 0.0,
        count: total.count as u64,
        chains: sets.len(),
        between: between.filter(|between| between.is_finite()),
    };
    LnZ::estimate(value, pooled.variance().sqrt())
}

impl Solve<Ising> for ParallelTemperingSolver {
    fn name(&self) -> &'static str {
        "parallel-tempering"
    }

    fn check(&self, _model: &Ising, beta: f64) -> Result<()> {
        self.check_parameters(beta)
    }

    /// Pair correlations of more than 131072 pairs are not measured: `None`. An observer that stops the run while it
    /// measures gets the averages until then.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        self.check_parameters(beta)?;
        let (mut sets, sweeps) = self.sets(model, beta, want, observer)?;
        let equilibration = sweeps.div_ceil(5);
        let total = equilibration + sweeps;
        let (mut done, mut forgotten) = (0, 0);
        for piece in threads::pieces(equilibration, BLOCKS) {
            // The first half is forgotten for the constants too.
            if 2 * done <= equilibration {
                sets.iter_mut().for_each(|set| set.scouted.fill(0.0));
                forgotten = done;
            }
            threads::for_each(self.threads, &mut sets, |set| set.equilibrate(piece));
            done += piece;
            if observer.observe(&Progress::new("equilibrating", done, total)).is_break() {
                return Err(Self::stopped(done, total));
            }
        }
        let remembered = ((equilibration - forgotten) * self.sets as u64) as f64;
        let n_pairs = sets[0].scouted.len();
        let constant = |k: usize| -sets.iter().map(|set| set.scouted[k]).sum::<f64>() / remembered;
        let constants: Vec<f64> = (0..n_pairs).map(constant).collect();
        for piece in threads::pieces(sweeps, BLOCKS) {
            threads::for_each(self.threads, &mut sets, |set| set.measure(piece, &constants));
            done += piece;
            let energy = sets.iter().map(|set| set.measured.energy()).sum::<f64>() / sets.len() as f64;
            if observer.observe(&Progress::new("measuring", done, total).with_energy(energy)).is_break() {
                break;
            }
        }
        let ln_z = ln_z(model, &sets, &constants);
        let last = n_pairs;
        let chains = sets.into_iter().map(|set| (set.tempering.spins(last, 0), set.measured)).collect();
        let mut answer = solution(model, want, chains);
        answer.ln_z = Some(ln_z);
        Ok(answer)
    }
}
