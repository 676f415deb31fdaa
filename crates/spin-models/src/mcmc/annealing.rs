//! Simulated annealing.

use linalg_core::{Observer, Streams};

use super::{Chain, Dynamics, Order, SingleSpin, threads};
use crate::error::check_beta;
use crate::model::{CachedModel, Progress};
use crate::{Error, Result, Spins};

/// How β goes from its first to its last value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Schedule {
    /// In equal steps.
    Linear,
    /// In equal ratios. The default.
    #[default]
    Geometric,
}

/// Effort of [`simulated_annealing`].
///
/// ```
/// use spin_models::mcmc::{AnnealingParams, Schedule};
///
/// let params = AnnealingParams::default().with_range(0.1, 5.0).with_schedule(Schedule::Linear).with_sweeps(200);
/// assert_eq!((params.range, params.sweeps, params.reads), (Some((0.1, 5.0)), 200, 32));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnnealingParams {
    /// First and last β. `None`, the default, takes them from the energy changes of single flips in random
    /// configurations: `ln 2` over the largest, and `ln 100` over the one that a tenth lie below.
    pub range: Option<(f64, f64)>,
    /// How β goes between them; geometric by default.
    pub schedule: Schedule,
    /// Sweeps a read, each at its own β; 1000 by default.
    pub sweeps: u64,
    /// Independent reads; 32 by default. Read `k` draws from fast stream `k`.
    pub reads: u64,
    /// Metropolis by default.
    pub dynamics: Dynamics,
}

impl Default for AnnealingParams {
    fn default() -> Self {
        Self { range: None, schedule: Schedule::default(), sweeps: 1000, reads: 32, dynamics: Dynamics::Metropolis }
    }
}

impl AnnealingParams {
    /// The same from `first` to `last` β.
    pub fn with_range(mut self, first: f64, last: f64) -> Self {
        self.range = Some((first, last));
        self
    }

    /// The same with this schedule.
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The same with these sweeps a read.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = sweeps;
        self
    }

    /// The same with this number of reads.
    pub fn with_reads(mut self, reads: u64) -> Self {
        self.reads = reads;
        self
    }

    /// The same with these dynamics.
    pub fn with_dynamics(mut self, dynamics: Dynamics) -> Self {
        self.dynamics = dynamics;
        self
    }

    fn check(&self) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if let Some((first, last)) = self.range {
            check_beta(first)?;
            check_beta(last)?;
            if first > last {
                return refuse("range", format!("{first} to {last}"), "an ascending range of beta");
            }
            if self.schedule == Schedule::Geometric && first == 0.0 && last > 0.0 {
                return refuse("first beta", first.to_string(), "more than 0 for a geometric schedule");
            }
        }
        if self.sweeps == 0 || self.reads == 0 {
            let what = if self.sweeps == 0 { "sweeps" } else { "reads" };
            return refuse(what, "0".to_owned(), "at least 1");
        }
        Ok(())
    }

    /// β of sweep `k`.
    fn beta(&self, (first, last): (f64, f64), k: u64) -> f64 {
        let fraction = if self.sweeps > 1 { k as f64 / (self.sweeps - 1) as f64 } else { 1.0 };
        let beta = match self.schedule {
            Schedule::Linear => first + (last - first) * fraction,
            Schedule::Geometric if first == 0.0 => 0.0,
            Schedule::Geometric => first * (last / first).powf(fraction),
        };
        beta.clamp(first, last)
    }
}

/// What [`simulated_annealing`] found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Annealing {
    /// The lowest energy met, computed afresh from the configuration.
    pub energy: f64,
    /// The first configuration that had it.
    pub spins: Spins,
    /// The lowest energy of every read that was begun.
    pub energies: Vec<f64>,
    /// Sweeps done, over all reads.
    pub sweeps: u64,
    /// Whether every read came to its end.
    pub complete: bool,
}

/// Reads that run side by side.
const BATCH: u64 = 64;

/// Reports a batch.
const REPORTS: u64 = 50;

struct Read<'a, M: CachedModel> {
    chain: Chain<&'a M, SingleSpin>,
    sweeps: u64,
    best: f64,
    spins: Spins,
}

impl<M: CachedModel> Read<'_, M> {
    fn anneal(&mut self, params: &AnnealingParams, range: (f64, f64), sweeps: u64) {
        for _ in 0..sweeps {
            self.chain.sweep_at(params.beta(range, self.sweeps));
            self.sweeps += 1;
            let energy = self.chain.energy();
            if energy < self.best {
                self.best = energy;
                self.spins.copy_from_slice(self.chain.spins());
            }
        }
    }
}

/// Looks for a configuration of low energy by cooling independent chains from random spins.
///
/// Each read makes `sweeps` sweeps at rising β and remembers the lowest energy it met after a sweep. No promise that
/// it is the ground state. The answer is the same for any number of threads, which the feature `rayon` uses.
///
/// An observer that stops the run keeps the best so far, the random start in the extreme.
///
/// Cost: `reads · sweeps` sweeps and energies.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Ising;
/// use spin_models::mcmc::{AnnealingParams, simulated_annealing};
///
/// // A ring of 12 with one negative bond: all but one bond can be satisfied.
/// let ring = Ising::builder(12).couplings((0..12).map(|i| (i, (i + 1) % 12, if i == 5 { -1.0 } else { 1.0 }))).build()?;
/// let params = AnnealingParams::default().with_sweeps(100).with_reads(8);
/// let found = simulated_annealing(&ring, &params, Streams::new(1), &mut ())?;
/// assert_eq!(found.energy, -10.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Science 220, 671 (1983).
///
/// # Errors
/// [`Error::Beta`] or [`Error::Parameter`].
pub fn simulated_annealing<M: CachedModel + Sync>(
    model: &M,
    params: &AnnealingParams,
    streams: Streams,
    observer: &mut dyn Observer<Progress>,
) -> Result<Annealing> {
    params.check()?;
    let range = params.range.unwrap_or_else(|| automatic_range(model, streams));
    let total = params.reads.saturating_mul(params.sweeps);
    let mut found = Annealing {
        energy: f64::INFINITY,
        spins: Spins::up(model.n_spins()),
        energies: Vec::new(),
        sweeps: 0,
        complete: true,
    };
    let mut first = 0;
    while first < params.reads && found.complete {
        let units = first..params.reads.min(first + BATCH);
        let new_read = |unit| -> Result<Read<'_, M>> {
            let chain = Chain::new(model, params.dynamics.kernel(Order::Sequential), range.0, streams, unit)?;
            let (best, spins) = (chain.energy(), chain.spins().clone());
            Ok(Read { chain, sweeps: 0, best, spins })
        };
        let mut reads = units.clone().map(new_read).collect::<Result<Vec<_>>>()?;
        for piece in threads::pieces(params.sweeps, REPORTS) {
            threads::for_each_read(&mut reads, |read| read.anneal(params, range, piece));
            found.sweeps += piece * reads.len() as u64;
            let best = reads.iter().map(|read| read.best).fold(found.energy, f64::min);
            let progress = Progress::new("annealing", found.sweeps, total).with_energy(best);
            if observer.observe(&progress).is_break() {
                found.complete = false;
                break;
            }
        }
        for read in reads {
            let energy = model.energy(&read.spins);
            if energy < found.energy || found.energies.is_empty() {
                (found.energy, found.spins) = (energy, read.spins);
            }
            found.energies.push(energy);
        }
        first = units.end;
    }
    // A stop at the very last report left nothing undone.
    found.complete |= found.sweeps == total;
    Ok(found)
}

/// From the energy changes of single flips in a few random configurations.
fn automatic_range<M: CachedModel>(model: &M, streams: Streams) -> (f64, f64) {
    let mut rng = streams.child(u64::MAX).stream(0);
    let n = model.n_spins();
    let mut changes: Vec<f64> = Vec::new();
    for _ in 0..4 {
        let s = Spins::random(n, &mut rng);
        let cache = model.cache(&s);
        let deltas = (0..n).map(|i| model.delta_cached(&cache, &s, i).abs());
        changes.extend(deltas.filter(|delta| delta.is_finite() && *delta > 0.0));
    }
    changes.sort_by(f64::total_cmp);
    let Some(&largest) = changes.last() else {
        // Flat: any temperature will do.
        return (1.0, 1.0);
    };
    let small = changes[changes.len() / 10];
    let (hot, cold) = (std::f64::consts::LN_2 / largest, 100f64.ln() / small);
    // Energies so small that their inverse overflows cannot be told apart anyway.
    (hot.min(f64::MAX), cold.min(f64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnergyModel, Ising, SherringtonKirkpatrick};
    use std::ops::ControlFlow;

    fn ground_state(model: &SherringtonKirkpatrick) -> f64 {
        let n = model.n_spins();
        (0..1u64 << n).map(|state| model.energy(&Spins::from_state(state, n))).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn finds_ground_states_of_small_glasses() {
        for seed in 0..5 {
            let model = SherringtonKirkpatrick::gaussian(14, &mut Streams::new(seed).stream(0)).unwrap();
            for params in [
                AnnealingParams::default(),
                AnnealingParams::default().with_schedule(Schedule::Linear).with_dynamics(Dynamics::HeatBath),
            ] {
                let found = simulated_annealing(&model, &params, Streams::new(1), &mut ()).unwrap();
                approx::assert_abs_diff_eq!(found.energy, ground_state(&model), epsilon = 1e-12);
                approx::assert_abs_diff_eq!(found.energy, model.energy(&found.spins), epsilon = 0.0);
                assert!(found.complete && found.energies.len() == 32 && found.sweeps == 32_000);
                assert!(found.energies.iter().all(|&energy| energy >= found.energy));
            }
        }
    }

    #[test]
    fn a_stop_keeps_the_best_so_far() {
        let model = SherringtonKirkpatrick::gaussian(30, &mut Streams::new(4).stream(0)).unwrap();
        let params = AnnealingParams::default().with_reads(100).with_sweeps(50);
        let mut seen = f64::INFINITY;
        let mut reports = 0;
        let mut stop = |progress: &Progress| {
            (seen, reports) = (progress.energy.unwrap(), reports + 1);
            if reports == 60 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = simulated_annealing(&model, &params, Streams::new(1), &mut stop).unwrap();
        assert!(!found.complete);
        // One batch of 64 in full, ten sweeps of the other 36.
        assert_eq!((found.energies.len(), found.sweeps), (100, 64 * 50 + 36 * 10));
        approx::assert_abs_diff_eq!(found.energy, seen, epsilon = 1e-12);
    }

    #[test]
    fn schedules_reach_both_ends() {
        for schedule in [Schedule::Linear, Schedule::Geometric] {
            let params = AnnealingParams::default().with_sweeps(11).with_schedule(schedule);
            let betas: Vec<f64> = (0..11).map(|k| params.beta((0.1, 10.0), k)).collect();
            approx::assert_relative_eq!(betas[0], 0.1);
            approx::assert_relative_eq!(betas[10], 10.0, max_relative = 1e-14);
            assert!(betas.windows(2).all(|pair| pair[0] < pair[1]));
        }
        let one = AnnealingParams::default().with_sweeps(1);
        approx::assert_relative_eq!(one.beta((0.1, 10.0), 0), 10.0);
    }

    #[test]
    fn bad_parameters_and_flat_models() {
        let flat = Ising::builder(3).offset(2.0).build().unwrap();
        let run = |params: AnnealingParams| simulated_annealing(&flat, &params, Streams::new(1), &mut ());
        approx::assert_relative_eq!(run(AnnealingParams::default()).unwrap().energy, 2.0);
        assert!(matches!(run(AnnealingParams::default().with_range(f64::NAN, 1.0)), Err(Error::Beta { .. })));
        for bad in [
            AnnealingParams::default().with_range(2.0, 1.0),
            AnnealingParams::default().with_range(0.0, 1.0),
            AnnealingParams::default().with_sweeps(0),
            AnnealingParams::default().with_reads(0),
        ] {
            assert!(matches!(run(bad), Err(Error::Parameter { .. })));
        }
        let extreme = Ising::builder(2).coupling(0, 1, f64::MIN_POSITIVE).field(0, f64::MAX / 4.0).build().unwrap();
        let found = simulated_annealing(&extreme, &AnnealingParams::default(), Streams::new(1), &mut ()).unwrap();
        assert_eq!(found.spins[0], 1);
    }
}
