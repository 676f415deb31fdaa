//! Densities of states: Wang-Landau weights and multicanonical production.

mod density;
mod grid;
mod multicanonical;
mod solver;
mod walker;

use std::collections::BTreeSet;
use std::fmt;

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::logspace::log_sum_exp;
use linalg_core::{Error as CoreError, Observer, Streams};

pub use self::density::{DensityOfStates, LevelEstimate};
pub use self::grid::EnergyGrid;
pub use self::multicanonical::{Multicanonical, MulticanonicalWeights};
pub use self::solver::WangLandauSolver;
use self::walker::{Frame, Walker, off_grid, read_first};
use super::threads;
use crate::model::{CachedModel, Progress};
use crate::{Error, Result, Spins};

const KIND: &str = "wang-landau 1";

/// Flips tried by a walker from one look at the histogram to the next, about.
const ROUND: u64 = 1 << 16;

/// Sweeps of every walker in each direction of temperature before the weights are learnt.
const EXPLORATION: u64 = 200;

/// How [`WangLandau`] learns.
///
/// ```
/// use spin_models::mcmc::WangLandauParams;
///
/// let params = WangLandauParams::default().with_walkers(4).with_final_step(1e-4);
/// assert_eq!((params.walkers, params.threads), (4, 1));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WangLandauParams {
    /// Independent walkers; 8 by default.
    pub walkers: usize,
    /// The step of ln g at which the weights are good enough; 1e-5 by default. The number of flips tried by a walker
    /// is the number of levels over this.
    pub final_step: f64,
    /// Sweeps of a walker after which learning ends in any case; 10⁶ by default.
    pub max_sweeps: u64,
    /// Threads that share the walkers; 1 by default. The results do not depend on it.
    pub threads: usize,
}

impl Default for WangLandauParams {
    fn default() -> Self {
        Self { walkers: 8, final_step: 1e-5, max_sweeps: 1_000_000, threads: 1 }
    }
}

impl WangLandauParams {
    /// The same with this number of walkers.
    pub fn with_walkers(mut self, walkers: usize) -> Self {
        self.walkers = walkers;
        self
    }

    /// The same with this last step of ln g.
    pub fn with_final_step(mut self, step: f64) -> Self {
        self.final_step = step;
        self
    }

    /// The same with this bound on the sweeps.
    pub fn with_max_sweeps(mut self, sweeps: u64) -> Self {
        self.max_sweeps = sweeps;
        self
    }

    /// The same on this number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    fn check(&self) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        for (what, value) in [("walkers", self.walkers), ("number of threads", self.threads)] {
            if value == 0 {
                return refuse(what, "0".to_owned(), "at least 1");
            }
        }
        if !(self.final_step > 0.0 && self.final_step <= 1.0) {
            return refuse("final step", self.final_step.to_string(), "a number above 0, at most 1");
        }
        Ok(())
    }
}

/// A walker with the weights it learns.
struct Learner<C> {
    walker: Walker<C>,
    /// ln g, up to a constant; infinite where no level is known.
    ln_g: Vec<f64>,
    /// Levels visited since the step was halved.
    visited: Vec<bool>,
}

/// The Wang-Landau method: walkers that learn weights with which all energies are visited equally.
///
/// A walker flips single random spins and accepts with probability `min(1, g(E) / g(E'))`, where g is its present
/// estimate of the density of states; after each try `ln g` of the level where it stands grows by a step F.
///
/// # Schedule
/// F is 1 at first. Time t counts flips tried by a walker over the number of levels. After each round of about 65536
/// tries F is halved if every walker has visited every known level since the last halving; as soon as that makes F no
/// larger than `1/t`, F is `1/t` from then on and no histogram is asked any more, until it reaches
/// [`final_step`](WangLandauParams::final_step). The error of ln g then falls as `1/√t` instead of staying where a
/// geometric schedule leaves it.
///
/// # Levels
/// Before learning, each walker is cooled from β = 0 and, in the other direction, to negative β; every energy proposed on
/// the way is a known level. One met later is not entered until the round ends, then belongs to the known ones, and the
/// schedule begins anew: F = 1, t = 0. The levels need not be contiguous.
///
/// What is learnt is biased by the way it is learnt; [`multicanonical`](Self::multicanonical) gives the walk with fixed
/// weights, which is a Markov chain with honest errors. Walker k draws from fast stream `k`; caches and energies are
/// computed afresh at the start of each round, so that a checkpoint goes on bit for bit.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{EnergyGrid, WangLandau, WangLandauParams};
/// use spin_models::Ising;
///
/// // Four spins in a ring: energies -4, 0, 4 with 2, 12, 2 configurations.
/// let ring = Ising::builder(4).couplings((0..4).map(|i| (i, (i + 1) % 4, 1.0))).build()?;
/// let grid = EnergyGrid::found(&ring, Streams::new(1))?;
/// let params = WangLandauParams::default().with_final_step(1e-4);
/// let mut learning = WangLandau::new(&ring, grid, params, Streams::new(1))?;
/// learning.learn(&mut ())?;
/// assert!(learning.converged());
///
/// let mut production = learning.multicanonical(Streams::new(2))?;
/// production.run(20_000, &mut ());
/// let levels = production.density().levels();
/// for (level, (energy, count)) in levels.iter().zip([(-4.0, 2.0f64), (0.0, 12.0), (4.0, 2.0)]) {
///     assert_eq!(level.energy, energy);
///     assert!((level.ln_g.value - count.ln()).abs() < 4.0 * level.ln_g.std_error.unwrap());
/// }
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: F. Wang and D. P. Landau, Phys. Rev. Lett. 86, 2050 (2001); R. E. Belardinelli and V. D. Pereyra, J. Chem.
/// Phys. 127, 184105 (2007); B. A. Berg and T. Neuhaus, Phys. Rev. Lett. 68, 9 (1992).
pub struct WangLandau<M: CachedModel> {
    model: M,
    params: WangLandauParams,
    frame: Frame,
    /// Places of the table that are levels.
    known: Vec<bool>,
    learners: Vec<Learner<M::Cache>>,
    step: f64,
    /// Whether the step is 1/t.
    inverse_time: bool,
    /// Flips tried by a walker since the schedule began, the last time.
    tries: u64,
    sweeps: u64,
}

impl<M: CachedModel + Sync> WangLandau<M> {
    /// Walkers at random configurations that have seen the levels of a short cooling in both directions.
    ///
    /// # Errors
    /// [`Error::Parameter`]; [`Error::NotApplicable`] for an energy that is not on the levels of the grid or not finite,
    /// or when no configuration in its range is found; [`Error::TooLarge`] for too many levels.
    pub fn new(model: M, grid: EnergyGrid, params: WangLandauParams, streams: Streams) -> Result<Self> {
        params.check()?;
        let new_walker = |unit| Walker::new(&model, &grid, streams.fast_stream(unit));
        let mut explorers: Vec<(Walker<M::Cache>, BTreeSet<i64>)> = Vec::new();
        for unit in 0..params.walkers as u64 {
            explorers.push((new_walker(unit)?, BTreeSet::new()));
        }
        let coldest = coldest(&model, &explorers[0].0.spins);
        threads::for_each(params.threads, &mut explorers, |(walker, seen)| {
            for direction in [1.0, -1.0] {
                for sweep in 1..=EXPLORATION {
                    let beta = direction * coldest * (sweep as f64 / EXPLORATION as f64).powi(2);
                    walker.explore(&model, &grid, beta, &mut |index| {
                        seen.insert(index);
                    });
                    walker.refresh(&model);
                }
            }
        });
        let mut indices = BTreeSet::new();
        let mut walkers = Vec::new();
        for (walker, seen) in explorers {
            if let Some(energy) = walker.off {
                return Err(off_grid(energy, &grid));
            }
            if let grid::Spot::At(index) = grid.index(walker.energy) {
                indices.insert(index);
            }
            indices.extend(seen);
            walkers.push(walker);
        }
        let frame = Frame::around(grid, indices.iter().copied())?;
        let mut known = vec![false; frame.len];
        indices.iter().filter_map(|&index| frame.place(index)).for_each(|place| known[place] = true);
        let ln_g: Vec<f64> = known.iter().map(|&known| if known { 0.0 } else { f64::INFINITY }).collect();
        let mut learners = Vec::new();
        for mut walker in walkers {
            if !walker.settle(&frame) {
                return Err(off_grid(walker.energy, &grid));
            }
            learners.push(Learner { walker, ln_g: ln_g.clone(), visited: vec![false; frame.len] });
        }
        Ok(Self { model, params, frame, known, learners, step: 1.0, inverse_time: false, tries: 0, sweeps: 0 })
    }

    /// Learns until the step is small enough or the sweeps are used up. On `Break` from the observer it stops after the
    /// round, and can be called again to go on. The progress is that of ln F.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for an energy that is not on the levels of the grid, [`Error::TooLarge`] for too many
    /// levels.
    pub fn learn(&mut self, observer: &mut dyn Observer<Progress>) -> Result<()> {
        while !self.converged() && self.sweeps < self.params.max_sweeps {
            self.round()?;
            let share = self.step.max(self.params.final_step).ln() / self.params.final_step.min(0.5).ln();
            if observer.observe(&Progress::new("learning", (1000.0 * share) as u64, 1000)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn round(&mut self) -> Result<()> {
        let n = self.model.n_spins() as u64;
        let sweeps = (ROUND / n.max(1)).max(1).min(self.params.max_sweeps - self.sweeps);
        let (model, frame) = (&self.model, &self.frame);
        let levels = self.n_levels() as f64;
        let (step, inverse_time, tries) = (self.step, self.inverse_time, self.tries);
        let (lowest, highest) = ends(&self.known);
        threads::for_each(self.params.threads, &mut self.learners, |learner| {
            let Learner { walker, ln_g, visited } = learner;
            walker.refresh_in(model, frame);
            for sweep in 0..sweeps {
                let step = if inverse_time { step.min(levels / (tries + sweep * n).max(1) as f64) } else { step };
                for _ in 0..n {
                    walker.step(model, frame, ln_g);
                    ln_g[walker.place] += step;
                    visited[walker.place] = true;
                    walker.note_ends(lowest, highest);
                }
            }
        });
        self.sweeps += sweeps;
        self.tries += sweeps * n;
        if let Some(energy) = self.learners.iter().find_map(|learner| learner.walker.off) {
            return Err(off_grid(energy, &self.frame.grid));
        }
        let met: BTreeSet<i64> =
            self.learners.iter_mut().flat_map(|learner| std::mem::take(&mut learner.walker.met)).collect();
        if !met.is_empty() {
            return self.extend(&met);
        }
        let time = self.tries as f64 / levels;
        if self.inverse_time {
            self.step = self.step.min(1.0 / time);
        } else {
            let flat = |learner: &Learner<M::Cache>| {
                learner.visited.iter().zip(&self.known).all(|(&visited, &known)| visited || !known)
            };
            if self.learners.iter().all(flat) {
                self.step *= 0.5;
                self.learners.iter_mut().for_each(|learner| learner.visited.fill(false));
            }
            if self.step <= 1.0 / time {
                self.inverse_time = true;
                self.step = 1.0 / time;
            }
        }
        Ok(())
    }

    /// Takes new levels in, with the ln g of the nearest known one, and begins the schedule anew.
    fn extend(&mut self, met: &BTreeSet<i64>) -> Result<()> {
        let old = self.frame;
        let range = [old.first, old.first + old.len as i64 - 1];
        self.frame = Frame::around(old.grid, range.into_iter().chain(met.iter().copied()))?;
        let shift = usize::try_from(old.first - self.frame.first).unwrap_or(0);
        let mut known = vec![false; self.frame.len];
        known[shift..shift + old.len].copy_from_slice(&self.known);
        let before: Vec<usize> = (0..known.len()).filter(|&k| known[k]).collect();
        let nearest = |place: usize| before.iter().copied().min_by_key(|&k| k.abs_diff(place));
        let places: Vec<usize> = met.iter().filter_map(|&index| self.frame.place(index)).collect();
        for learner in &mut self.learners {
            let mut ln_g = vec![f64::INFINITY; self.frame.len];
            ln_g[shift..shift + old.len].copy_from_slice(&learner.ln_g);
            for &place in &places {
                if let Some(k) = nearest(place) {
                    ln_g[place] = ln_g[k];
                }
            }
            learner.ln_g = ln_g;
            learner.visited = vec![false; self.frame.len];
            learner.walker.place += shift;
        }
        places.into_iter().for_each(|place| known[place] = true);
        self.known = known;
        (self.step, self.inverse_time, self.tries) = (1.0, false, 0);
        Ok(())
    }

    /// Goes back to a saved state.
    ///
    /// # Errors
    /// When the checkpoint is damaged or belongs to another instance, grid or number of walkers. The state is then
    /// unchanged.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        self.read(from).map_err(CoreError::from)?;
        Ok(())
    }

    fn read(&mut self, from: &Checkpoint) -> std::result::Result<(), CheckpointError> {
        let mut reader = from.open(KIND, self.model.content_hash())?;
        let at = reader.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let mut numbers = [0.0; 5];
        reader.read_f64s_into(&mut numbers)?;
        let same = numbers.iter().zip(self.frame.grid.numbers()).all(|(a, b)| a.to_bits() == b.to_bits());
        if !same || reader.read_usize()? != self.learners.len() {
            return Err(invalid("energy grid or number of walkers: those of another run"));
        }
        let first = read_first(&mut reader)?;
        let known: Vec<bool> = reader.read_u8s()?.into_iter().map(|byte| byte != 0).collect();
        let frame = Frame { grid: self.frame.grid, first, len: known.len() };
        let (step, inverse_time) = (reader.read_f64()?, reader.read_bool()?);
        let (tries, sweeps) = (reader.read_count()?, reader.read_count()?);
        let mut learners = Vec::new();
        for _ in 0..self.learners.len() {
            let mut ln_g = vec![0.0; known.len()];
            reader.read_f64s_into(&mut ln_g)?;
            let visited: Vec<bool> = reader.read_u8s()?.into_iter().map(|byte| byte != 0).collect();
            if visited.len() != known.len() {
                return Err(invalid("number of levels"));
            }
            learners.push(Learner { walker: Walker::read(&self.model, &frame, &mut reader)?, ln_g, visited });
        }
        reader.finish()?;
        (self.frame, self.known, self.learners) = (frame, known, learners);
        (self.step, self.inverse_time, self.tries, self.sweeps) = (step, inverse_time, tries, sweeps);
        Ok(())
    }
}

impl<M: CachedModel> WangLandau<M> {
    /// Whether the step has come down to its final value.
    pub fn converged(&self) -> bool {
        self.inverse_time && self.step <= self.params.final_step
    }

    /// The present step F of ln g.
    pub fn ln_step(&self) -> f64 {
        self.step
    }

    /// Whether the step has become `1/t`.
    pub fn inverse_time(&self) -> bool {
        self.inverse_time
    }

    /// Sweeps of a walker so far.
    pub fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// Levels known so far.
    pub fn n_levels(&self) -> usize {
        self.known.iter().filter(|&&known| known).count()
    }

    /// Times that a walker went from the lowest known level to the highest and back, over all walkers.
    pub fn round_trips(&self) -> u64 {
        self.learners.iter().map(|learner| learner.walker.round_trips).sum()
    }

    /// The weights: ln g of each level, normalised and averaged over the walkers.
    pub fn weights(&self) -> MulticanonicalWeights {
        let mut ln_g = vec![0.0; self.frame.len];
        for learner in &self.learners {
            let values: Vec<f64> =
                learner.ln_g.iter().map(|&x| if x < f64::INFINITY { x } else { f64::NEG_INFINITY }).collect();
            let total = log_sum_exp(&values);
            for (mean, x) in ln_g.iter_mut().zip(&learner.ln_g) {
                *mean += (x - total) / self.learners.len() as f64;
            }
        }
        let shift = self.model.n_spins() as f64 * std::f64::consts::LN_2;
        MulticanonicalWeights { frame: self.frame, ln_g: ln_g.into_iter().map(|x| x + shift).collect() }
    }

    /// Everything needed to go on bit for bit.
    pub fn checkpoint(&self) -> Checkpoint {
        let bytes = |flags: &[bool]| -> Vec<u8> { flags.iter().map(|&flag| u8::from(flag)).collect() };
        let mut state = Writer::new();
        state.write_f64s(&self.frame.grid.numbers()).write_usize(self.learners.len()).write_i64(self.frame.first);
        state.write_u8s(&bytes(&self.known)).write_f64(self.step).write_bool(self.inverse_time);
        state.write_u64(self.tries).write_u64(self.sweeps);
        for learner in &self.learners {
            state.write_f64s(&learner.ln_g).write_u8s(&bytes(&learner.visited));
            learner.walker.write(&mut state);
        }
        Checkpoint::new(KIND, self.model.content_hash(), state)
    }

    /// The configurations of the walkers.
    pub fn configurations(&self) -> Vec<Spins> {
        self.learners.iter().map(|learner| learner.walker.spins.clone()).collect()
    }
}

impl<M: CachedModel + Sync + Clone> WangLandau<M> {
    /// As many walkers with the weights learnt, from the present configurations: the walk that is measured.
    ///
    /// `streams` should be of another seed, or a [`child`](Streams::child), for numbers independent of those of learning.
    ///
    /// # Errors
    /// None beyond those that [`new`](Self::new) has already reported.
    pub fn multicanonical(&self, streams: Streams) -> Result<Multicanonical<M>> {
        let units = 0..self.params.walkers as u64;
        let mut production = Multicanonical::new(self.model.clone(), self.weights(), units, streams)?;
        production.set_configurations(&self.configurations())?;
        Ok(production.with_threads(self.params.threads))
    }
}

/// β at which one flip in a hundred up a small gap is accepted: `ln 100` over the change that a tenth lie below.
fn coldest<M: CachedModel>(model: &M, s: &[i8]) -> f64 {
    let cache = model.cache(s);
    let mut changes: Vec<f64> = (0..s.len()).map(|i| model.delta_cached(&cache, s, i).abs()).collect();
    changes.retain(|change| *change > 0.0);
    changes.sort_by(f64::total_cmp);
    changes.get(changes.len() / 10).map_or(0.0, |change| 100f64.ln() / change)
}

/// The first and the last place that is a level.
fn ends(known: &[bool]) -> (usize, usize) {
    (known.iter().position(|&k| k).unwrap_or(0), known.iter().rposition(|&k| k).unwrap_or(0))
}

impl<M: CachedModel> fmt::Debug for WangLandau<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("WangLandau");
        debug.field("params", &self.params).field("levels", &self.n_levels()).field("step", &self.step);
        debug.finish_non_exhaustive()
    }
}
