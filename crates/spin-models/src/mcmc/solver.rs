//! Energies, magnetizations, correlations and ln Z of an Ising model by Monte Carlo.

use linalg_core::merge::{Merge, Units};
use linalg_core::{Observer, Streams};

use super::{
    Chain, Dynamics, Observables, Order, SingleSpin, ThermodynamicIntegration, ThermodynamicParams,
    thermodynamic_integration, threads,
};
use crate::error::check_beta;
use crate::model::{
    CachedModel, Correlations, EnergyModel, LnZ, LogPartition, PairCorrelations, Progress, Quantities, Simulation,
    Solution, Solve,
};
use crate::{Error, Ising, Result, Spins};

/// Updates a chain makes where the number of sweeps is left open: two to three seconds in all at N = 256.
const UPDATES: u64 = 1 << 24;
const FEWEST_SWEEPS: u64 = 2000;
const MOST_SWEEPS: u64 = 1_000_000;

/// Pairs whose correlations are measured at most; 128 bytes each and chain.
pub(super) const MOST_PAIRS: usize = 1 << 17;

/// Temperatures on the way from β = 0 during equilibration.
const RAMP: u64 = 20;

/// Reports while measuring.
const REPORTS: u64 = 50;

/// Single-spin Monte Carlo as a solver: `metropolis` and `heat-bath`.
///
/// Several chains start from independent random spins, are cooled from β = 0 to β during the first half of the
/// equilibration, and are measured every sweep. ln Z comes from [`thermodynamic_integration`] with chains of its own.
///
/// # What the errors mean
/// Errors are those of [`Observables`]: the larger of that from the autocorrelation within the chains and that from the
/// spread between them. Where the chains disagree, the error is that of a single chain: a ferromagnet without field at
/// low temperature reports magnetizations with errors of about 1, since every chain has chosen its side, and a glass
/// the spread of the valleys in which its chains ended. Symmetries are not put in by hand. What no chain has visited
/// cannot enter any error.
///
/// Where a number cannot be given, the error is infinite: too short a chain and fewer than four of them.
///
/// # Effort
/// Left open, the sweeps a chain are `2²⁴ / (N + M/2)` for N spins and M couplings, between 2000 and 10⁶, with a fifth
/// of that for equilibration; ln Z costs about as much again. Work is shared by [`with_threads`](Self::with_threads);
/// the numbers depend on the seed, not on the threads.
///
/// ```
/// use spin_models::mcmc::MonteCarlo;
/// use spin_models::{Ising, Quantities, Solve};
///
/// // A ring of 4 at β = 1/2, t = tanh β: E = -4 (t + t³)/(1 + t⁴), Z = (2 cosh β)⁴ (1 + t⁴).
/// let ring = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (0, 3, 1.0)]).build()?;
/// let solver = MonteCarlo::metropolis().with_sweeps(4000).with_seed(3);
/// let solution = solver.solve(&ring, 0.5, Quantities::all(), &mut ())?;
///
/// let t = 0.5f64.tanh();
/// let energy = solution.energy.unwrap();
/// assert!((energy.value + 4.0 * (t + t.powi(3)) / (1.0 + t.powi(4))).abs() < 4.0 * energy.std_error.unwrap());
/// let ln_z = solution.ln_z.unwrap();
/// let exact = 4.0 * (2.0 * 0.5f64.cosh()).ln() + (1.0 + t.powi(4)).ln();
/// assert!((ln_z.value - exact).abs() < 4.0 * ln_z.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MonteCarlo {
    dynamics: Dynamics,
    streams: Streams,
    sweeps: Option<u64>,
    chains: usize,
    threads: usize,
    quick: bool,
}

impl MonteCarlo {
    /// With these dynamics: eight chains, one thread, seed 0, sweeps left open.
    pub fn new(dynamics: Dynamics) -> Self {
        Self { dynamics, streams: Streams::new(0), sweeps: None, chains: 8, threads: 1, quick: false }
    }

    /// The Metropolis algorithm.
    pub fn metropolis() -> Self {
        Self::new(Dynamics::Metropolis)
    }

    /// The heat bath.
    pub fn heat_bath() -> Self {
        Self::new(Dynamics::HeatBath)
    }

    /// The same with this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.streams = Streams::new(seed);
        self
    }

    /// The same with this number of measured sweeps a chain.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = Some(sweeps);
        self
    }

    /// The same with this number of chains.
    pub fn with_chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// The same on this number of threads; no more than there are chains are of use.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// A tenth of the sweeps, where they are left open.
    pub fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// Measured sweeps a chain for `work` updates a sweep.
    fn sweeps_for(&self, work: u64) -> u64 {
        let full = (UPDATES / work.max(1)).clamp(FEWEST_SWEEPS, MOST_SWEEPS);
        self.sweeps.unwrap_or(if self.quick { full / 10 } else { full })
    }

    fn check_parameters(&self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        for (what, value) in [("chains", self.chains as u64), ("sweeps", self.sweeps.unwrap_or(1))] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".to_owned(), expected: "at least 1" });
            }
        }
        Ok(())
    }

    fn solver_name(&self) -> &'static str {
        match self.dynamics {
            Dynamics::Metropolis => "metropolis",
            Dynamics::HeatBath => "heat-bath",
        }
    }

    /// ln Z by thermodynamic integration, with about as many sweeps as the other averages.
    fn integrate<M: CachedModel + Sync>(
        &self,
        model: &M,
        beta: f64,
        sweeps: u64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<ThermodynamicIntegration> {
        let params = ThermodynamicParams::default()
            // A panel has 16 nodes, and few calculations have more than two panels.
            .with_sweeps((sweeps / 24).max(20))
            .with_chains(self.chains)
            .with_threads(self.threads);
        // Chains of another number than those of the averages at β.
        let streams = self.streams.child(1);
        thermodynamic_integration(model, &self.dynamics.kernel(Order::Sequential), beta, &params, streams, observer)
    }
}

/// Updates that a sweep costs: one a spin, and half a one for a coupling that a flip may have to follow.
pub(super) fn work(model: &Ising) -> u64 {
    (model.n_spins() + model.n_couplings() / 2) as u64
}

/// What is measured in one chain.
pub(super) struct Measured {
    averages: Observables,
    /// All pairs, measured less often.
    all_pairs: Option<(Observables, u64)>,
}

impl Measured {
    /// For the chain of this unit that is to make `sweeps` measured sweeps.
    pub fn new(model: &Ising, want: Quantities, sweeps: u64, unit: u64) -> Self {
        let n = model.n_spins();
        let averages = || Observables::new(n, 1).with_units(Units::range(unit..unit + 1));
        let mut always = averages();
        if want.magnetizations {
            always = always.with_sites();
        }
        let mut all_pairs = None;
        match want.correlations {
            Correlations::None => {}
            Correlations::Coupled if model.n_couplings() > MOST_PAIRS => {}
            Correlations::Coupled => {
                always = always.with_pairs(model.couplings().map(|(i, j, _)| (i, j)));
            }
            Correlations::All => {
                let n_pairs = n.saturating_mul(n - 1) / 2;
                if n_pairs <= MOST_PAIRS {
                    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
                    // So many sweeps between that measuring costs about half of the sweeps.
                    let interval = (n_pairs as u64).div_ceil(8 * work(model)).clamp(1, sweeps.max(1));
                    all_pairs = Some((averages().with_pairs(pairs), interval));
                }
            }
        }
        Self { averages: always, all_pairs }
    }

    /// Adds the configuration after sweep number `sweep`.
    pub fn record(&mut self, sweep: u64, energy: f64, s: &[i8]) {
        self.averages.record(0, energy, s);
        if let Some((pairs, interval)) = &mut self.all_pairs
            && sweep.is_multiple_of(*interval)
        {
            pairs.record(0, energy, s);
        }
    }

    /// The mean energy so far.
    pub fn energy(&self) -> f64 {
        self.averages.energy().value
    }
}

/// One chain with its averages.
struct Walker<'a> {
    chain: Chain<&'a Ising, SingleSpin>,
    measured: Measured,
}

impl Walker<'_> {
    fn measure(&mut self, sweeps: u64) {
        for _ in 0..sweeps {
            self.chain.sweep();
            self.measured.record(self.chain.sweeps(), self.chain.energy(), self.chain.spins());
        }
    }
}

impl MonteCarlo {
    /// Chains at β, equilibrated, with what is to be measured.
    fn walkers<'a>(&self, model: &'a Ising, beta: f64, want: Quantities, sweeps: u64) -> Result<Vec<Walker<'a>>> {
        let new_walker = |unit: u64| -> Result<Walker<'a>> {
            let chain = Chain::new(model, self.dynamics.kernel(Order::Sequential), beta, self.streams, unit)?;
            Ok(Walker { chain, measured: Measured::new(model, want, sweeps, unit) })
        };
        (0..self.chains as u64).map(new_walker).collect()
    }

    fn sample(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        sweeps: u64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let mut walkers = self.walkers(model, beta, want, sweeps)?;
        let equilibration = sweeps.div_ceil(5);
        let total = equilibration + sweeps;
        let stopped = |done| Error::Stopped { solver: self.solver_name(), done, total };
        let mut done = 0;
        // Up to β in equal steps, then at β: half of the sweeps each.
        let ramp =
            threads::pieces(equilibration / 2, RAMP).zip(1..).map(|(piece, k)| (piece, beta * k as f64 / RAMP as f64));
        let rest = threads::pieces(equilibration - equilibration / 2, RAMP).map(|piece| (piece, beta));
        for (piece, beta) in ramp.chain(rest) {
            for walker in &mut walkers {
                walker.chain.set_beta(beta)?;
            }
            threads::for_each(self.threads, &mut walkers, |walker| {
                (0..piece).for_each(|_| {
                    walker.chain.sweep();
                });
            });
            done += piece;
            if observer.observe(&Progress::new("equilibrating", done, total)).is_break() {
                return Err(stopped(done));
            }
        }
        for piece in threads::pieces(sweeps, REPORTS) {
            threads::for_each(self.threads, &mut walkers, |walker| walker.measure(piece));
            done += piece;
            let energy = walkers.iter().map(|walker| walker.measured.energy()).sum::<f64>() / walkers.len() as f64;
            if observer.observe(&Progress::new("measuring", done, total).with_energy(energy)).is_break() {
                break;
            }
        }
        let chains = walkers.into_iter().map(|walker| (walker.chain.spins().clone(), walker.measured)).collect();
        Ok(solution(model, want, chains))
    }
}

/// Pools chains, each with its last configuration.
pub(super) fn solution(model: &Ising, want: Quantities, chains: Vec<(Spins, Measured)>) -> Solution {
    let resolution = smallest_excitation(model, chains.iter().map(|(spins, _)| &**spins));
    let mut averages: Option<Observables> = None;
    let mut all_pairs: Option<Observables> = None;
    for (_, measured) in chains {
        pool(&mut averages, measured.averages);
        if let Some((pairs, _)) = measured.all_pairs {
            pool(&mut all_pairs, pairs);
        }
    }
    let Some(averages) = averages else { return Solution::default() };
    let mut energy = averages.energy();
    // Where the energy was never seen to change, one excitation among all measurements would not have been noticed.
    energy.std_error = energy.std_error.map(|error| error.max(resolution / averages.count() as f64));
    let correlations = match want.correlations {
        Correlations::All => all_pairs.and_then(|pairs| pairs.correlations()),
        _ => averages.correlations(),
    };
    // A single spin has no pairs, which is an answer too.
    let none = want.correlations != Correlations::None
        && (model.n_spins() == 1 || (want.correlations == Correlations::Coupled && model.n_couplings() == 0));
    Solution {
        energy: Some(energy),
        magnetizations: averages.magnetizations(),
        correlations: correlations.or_else(|| none.then(PairCorrelations::default)),
        ..Solution::default()
    }
}

fn pool(all: &mut Option<Observables>, one: Observables) {
    match all {
        None => *all = Some(one),
        // Chains of one call have one shape and units of their own.
        Some(all) => all.merge(&one).expect("chains of one run can be merged"),
    }
}

/// The smallest change of energy by one flip from these configurations; 0 if there is none.
pub(super) fn smallest_excitation<'a>(model: &Ising, configurations: impl Iterator<Item = &'a [i8]>) -> f64 {
    let mut smallest = f64::INFINITY;
    for s in configurations {
        let deltas = (0..model.n_spins()).map(|i| model.delta_energy(s, i).abs());
        smallest = deltas.filter(|&delta| delta > 0.0).fold(smallest, f64::min);
    }
    if smallest.is_finite() { smallest } else { 0.0 }
}

impl Solve<Ising> for MonteCarlo {
    fn name(&self) -> &'static str {
        self.solver_name()
    }

    fn check(&self, _model: &Ising, beta: f64) -> Result<()> {
        self.check_parameters(beta)
    }

    /// Pair correlations of more than 131072 pairs are not measured: `None`.
    ///
    /// An observer that stops the run while it measures gets the averages until then, without ln Z; one that stops it
    /// while ln Z is computed gets the averages.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        self.check_parameters(beta)?;
        let sweeps = self.sweeps_for(work(model));
        let only_ln_z = want == Quantities::ln_z();
        let mut stop = StopOnce { observer, stopped: false };
        let mut solution =
            if only_ln_z { Solution::default() } else { self.sample(model, beta, want, sweeps, &mut stop)? };
        if want.ln_z && !stop.stopped {
            match self.integrate(model, beta, sweeps, &mut stop) {
                Ok(result) => solution.ln_z = Some(result.ln_z),
                Err(Error::Stopped { .. }) if !only_ln_z => {}
                Err(error) => return Err(error),
            }
        }
        Ok(solution)
    }
}

/// Remembers that the observer asked for a stop.
pub(super) struct StopOnce<'a> {
    pub observer: &'a mut dyn Observer<Progress>,
    pub stopped: bool,
}

impl Observer<Progress> for StopOnce<'_> {
    fn observe(&mut self, event: &Progress) -> std::ops::ControlFlow<()> {
        let answer = self.observer.observe(event);
        self.stopped |= answer.is_break();
        answer
    }
}

impl<M: CachedModel + Sync> LogPartition<M> for MonteCarlo {
    /// By [`thermodynamic_integration`]; for the sweeps left open a coupling a spin is assumed.
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        self.check_parameters(beta)?;
        let n = model.n_spins() as u64;
        Ok(self.integrate(model, beta, self.sweeps_for(n + n / 2), observer)?.ln_z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Enumeration};
    use linalg_core::stats::Estimate;
    use std::ops::ControlFlow;

    fn glass() -> Ising {
        let couplings =
            (0..9).flat_map(|i| (i + 1..9).map(move |j| (i, j, f64::from((7 * i + 3 * j) as i32 % 5 - 2) / 4.0)));
        Ising::builder(9)
            .couplings(couplings)
            .fields((0..9).map(|i| 0.1 * f64::from(i - 4)))
            .offset(5.0)
            .build()
            .unwrap()
    }

    #[test]
    fn agrees_with_enumeration() {
        // Seed 2, 8 chains of 20000 sweeps, every number within 4 standard errors of 4.2 at most (9 + 36 + 2 numbers).
        let model = glass();
        let beta = 0.6;
        let want = Quantities::all().with_correlations(Correlations::All);
        let weights: Vec<(Vec<i8>, f64)> = (0..512)
            .map(|state| crate::Spins::from_state(state, 9).into_vec())
            .map(|s| {
                let weight = (-beta * model.energy(&s)).exp();
                (s, weight)
            })
            .collect();
        let z: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let mean = |f: &dyn Fn(&[i8]) -> f64| weights.iter().map(|(s, weight)| f(s) * weight).sum::<f64>() / z;
        for solver in [MonteCarlo::metropolis(), MonteCarlo::heat_bath()] {
            let solution = solver.with_seed(2).with_sweeps(20_000).solve(&model, beta, want, &mut ()).unwrap();
            let check = |estimate: Estimate, exact: f64, what: &str| {
                let z = (estimate.value - exact) / estimate.std_error.unwrap();
                assert!(z.abs() < 4.0, "{what}: {} for {exact}, z = {z}", estimate.value);
            };
            check(solution.energy.unwrap(), mean(&|s| model.energy(s)), "energy");
            for (i, m) in solution.magnetizations.unwrap().into_iter().enumerate() {
                check(m, mean(&|s| f64::from(s[i])), "magnetization");
            }
            let correlations = solution.correlations.unwrap();
            assert_eq!(correlations.pairs.len(), 36);
            for (&(i, j), value) in correlations.pairs.iter().zip(correlations.values) {
                check(value, mean(&|s| f64::from(s[i] * s[j])), "correlation");
            }
            let ln_z = solution.ln_z.unwrap();
            check(Estimate { value: ln_z.value, std_error: ln_z.std_error }, z.ln(), "ln Z");
        }
    }

    #[test]
    fn one_seed_one_answer_on_any_number_of_threads() {
        let model = glass();
        let solve = |solver: MonteCarlo| solver.solve(&model, 1.0, Quantities::all(), &mut ()).unwrap();
        let solver = MonteCarlo::metropolis().with_sweeps(300).with_seed(4);
        let first = solve(solver.clone());
        assert_eq!(first, solve(solver.clone()));
        for threads in [2, 3, 50] {
            assert_eq!(first, solve(solver.clone().with_threads(threads)));
        }
        assert_ne!(first, solve(solver.clone().with_seed(5)));
        // What else is wanted does not change the energy.
        let alone = Quantities { ln_z: false, ..Quantities::all().with_correlations(Correlations::None) };
        assert_eq!(solver.solve(&model, 1.0, alone, &mut ()).unwrap().energy, first.energy);
    }

    #[test]
    fn broken_symmetry_shows_in_the_errors() {
        // A ferromagnet of 64 spins far below T_c: every chain keeps the side it chose.
        let model = Ising::square(8, Boundary::Periodic, 1.0).unwrap();
        let solver = MonteCarlo::metropolis().with_sweeps(2000).with_seed(1);
        let solution = solver.solve(&model, 1.0, Quantities::all(), &mut ()).unwrap();
        for m in solution.magnetizations.unwrap() {
            assert!(m.std_error.unwrap() > 0.5 && m.value.abs() < 4.0 * m.std_error.unwrap(), "{m}");
        }
        assert!(solution.correlations.unwrap().values.iter().all(|c| c.value > 0.9));
    }

    #[test]
    fn frozen_energies_keep_an_error() {
        let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
        let solver = MonteCarlo::heat_bath().with_sweeps(1000);
        let solution = solver.solve(&pair, 40.0, Quantities::all(), &mut ()).unwrap();
        let energy = solution.energy.unwrap();
        assert_eq!((energy.value, energy.std_error), (-1.0, Some(2.0 / 8000.0)));
        // ln Z = 40 + ln 2 + ln(1 + e^-80).
        let ln_z = solution.ln_z.unwrap();
        assert!((ln_z.value - 40.0 - 2f64.ln()).abs() < 4.0 * ln_z.std_error.unwrap());
    }

    #[test]
    fn stops_give_what_there_is() {
        let model = glass();
        let solver = MonteCarlo::metropolis().with_sweeps(200);
        let run = |stage: &'static str, want| {
            let mut stop = move |progress: &Progress| {
                if progress.stage == stage { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            solver.solve(&model, 1.0, want, &mut stop)
        };
        assert!(matches!(run("equilibrating", Quantities::all()), Err(Error::Stopped { .. })));
        for stage in ["measuring", "integrating"] {
            let solution = run(stage, Quantities::all()).unwrap();
            assert!(solution.energy.is_some() && solution.ln_z.is_none());
        }
        assert!(matches!(run("integrating", Quantities::ln_z()), Err(Error::Stopped { .. })));
    }

    #[test]
    fn small_models_and_bad_parameters() {
        let one = Ising::builder(1).field(0, 0.5).build().unwrap();
        let solver = MonteCarlo::heat_bath().with_sweeps(500);
        let want = Quantities::all().with_correlations(Correlations::All);
        let solution = solver.solve(&one, 1.0, want, &mut ()).unwrap();
        assert_eq!(solution.correlations, Some(PairCorrelations::default()));
        let exact = Enumeration::default().ln_z(&one, 1.0).unwrap().value;
        let ln_z = solver.ln_z(&one, 1.0).unwrap();
        assert!((ln_z.value - exact).abs() < 4.0 * ln_z.std_error.unwrap());
        assert!(matches!(solver.check(&one, f64::NAN), Err(Error::Beta { .. })));
        assert!(matches!(solver.solve(&one, -1.0, want, &mut ()), Err(Error::Beta { .. })));
        for bad in [solver.clone().with_chains(0), solver.clone().with_sweeps(0)] {
            assert!(matches!(bad.check(&one, 1.0), Err(Error::Parameter { .. })));
        }
        let flat = solver.solve(&one, 0.0, want, &mut ()).unwrap();
        assert!((flat.ln_z.unwrap().value - 2f64.ln()).abs() < 1e-15);
    }
}
