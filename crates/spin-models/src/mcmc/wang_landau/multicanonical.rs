//! Walks with fixed weights.

use std::fmt;
use std::ops::Range;

use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Writer};
use linalg_core::merge::Units;
use linalg_core::{Error as CoreError, Observer, Streams};

use super::density::{Blocks, DensityOfStates};
use super::walker::{Frame, Walker};
use super::{ROUND, ends};
use crate::model::{CachedModel, Progress};
use crate::{Error, Result, Spins};

const KIND: &str = "multicanonical 1";

/// Estimates of ln g, one for each level, with which a [`Multicanonical`] walk visits all levels about equally.
#[derive(Debug, Clone, PartialEq)]
pub struct MulticanonicalWeights {
    pub(super) frame: Frame,
    /// Infinite where there is no level.
    pub(super) ln_g: Vec<f64>,
}

impl MulticanonicalWeights {
    /// Energies of the levels, or middles of the bins, with the estimates of ln g.
    pub fn levels(&self) -> Vec<(f64, f64)> {
        let known = self.ln_g.iter().enumerate().filter(|(_, ln_g)| **ln_g < f64::INFINITY);
        known.map(|(k, &ln_g)| (self.frame.energy(k), ln_g)).collect()
    }

    fn problem(&self, model: u64) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_u64(model).write_f64s(&self.frame.grid.numbers()).write_i64(self.frame.first);
        hash.write_f64s(&self.ln_g).finish()
    }
}

struct Measured<C> {
    unit: u64,
    walker: Walker<C>,
    blocks: Blocks,
}

/// Independent walkers with fixed weights `1 / g(E)`: single flips accepted with probability `min(1, g(E) / g(E'))`.
///
/// The energy, `|m|`, `m²` and `m⁴` are added to the level of the walker after every try. Walker of unit k draws from
/// fast stream `k`. Caches and energies are computed afresh at the start of each round of about 65536 tries; a run is
/// made of whole rounds and a last shorter one, and a checkpoint after it goes on bit for bit.
///
/// Other machines take other units with the same weights; the results can then be
/// [merged](linalg_core::merge::Merge).
pub struct Multicanonical<M: CachedModel> {
    model: M,
    weights: MulticanonicalWeights,
    problem: u64,
    walkers: Vec<Measured<M::Cache>>,
    sweeps: u64,
    threads: usize,
}

impl<M: CachedModel + Sync> Multicanonical<M> {
    /// Walkers of these units at random configurations, on one thread.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no unit; [`Error::NotApplicable`] for weights of another model, in whose levels no
    /// configuration is found.
    pub fn new(model: M, weights: MulticanonicalWeights, units: Range<u64>, streams: Streams) -> Result<Self> {
        if units.is_empty() {
            return Err(Error::Parameter { what: "walkers", value: "0".to_owned(), expected: "at least 1" });
        }
        let mut walkers = Vec::new();
        for unit in units {
            let walker = Walker::new(&model, &weights.frame.grid, streams.fast_stream(unit))?;
            walkers.push(Measured { unit, walker, blocks: Blocks::new() });
        }
        let problem = weights.problem(model.content_hash());
        let mut new = Self { model, weights, problem, walkers, sweeps: 0, threads: 1 };
        new.settle()?;
        Ok(new)
    }

    /// The same on this number of threads, at least 1; the results do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Puts the walkers at these configurations, in turn.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for no configuration or one of another length, [`Error::NotApplicable`] for one whose
    /// energy is not a known level. Some walkers may then stand at new configurations.
    pub fn set_configurations(&mut self, configurations: &[Spins]) -> Result<()> {
        let expected = self.model.n_spins();
        if let Some(got) = configurations.iter().map(|spins| spins.len()).find(|&got| got != expected) {
            return Err(Error::WrongLength { what: "spins", got, expected });
        }
        if configurations.is_empty() {
            return Err(Error::WrongLength { what: "configurations", got: 0, expected: self.walkers.len() });
        }
        for (measured, spins) in self.walkers.iter_mut().zip(configurations.iter().cycle()) {
            measured.walker.spins.copy_from_slice(spins);
        }
        self.settle()
    }

    fn settle(&mut self) -> Result<()> {
        for measured in &mut self.walkers {
            let walker = &mut measured.walker;
            walker.refresh(&self.model);
            if !walker.settle(&self.weights.frame) {
                let reason = format!("energy {} is not among the levels that have weights", walker.energy);
                return Err(Error::NotApplicable { solver: "wang-landau", reason });
            }
        }
        Ok(())
    }

    /// Sweeps that are measured. On `Break` from the observer it stops after the round; returns the sweeps done.
    pub fn run(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> u64 {
        self.drive(sweeps, true, observer)
    }

    /// Sweeps that are not measured, to forget the configurations of the start.
    pub fn equilibrate(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> u64 {
        self.drive(sweeps, false, observer)
    }

    fn drive(&mut self, sweeps: u64, measured: bool, observer: &mut dyn Observer<Progress>) -> u64 {
        let n = self.model.n_spins() as u64;
        let per_spin = 1.0 / n.max(1) as f64;
        let round = (ROUND / n.max(1)).max(1);
        let known: Vec<bool> = self.weights.ln_g.iter().map(|&x| x < f64::INFINITY).collect();
        let (lowest, highest) = ends(&known);
        let energies: Vec<f64> = (0..known.len()).map(|k| self.weights.frame.energy(k)).collect();
        let mut done = 0;
        while done < sweeps {
            let piece = round.min(sweeps - done);
            let (model, weights) = (&self.model, &self.weights);
            super::threads::for_each(self.threads, &mut self.walkers, |one| {
                let Measured { walker, blocks, .. } = one;
                walker.refresh_in(model, &weights.frame);
                let mut none = [];
                let sums = if measured { blocks.next_round(energies.len()) } else { &mut none };
                for _ in 0..piece * n {
                    walker.step(model, &weights.frame, &weights.ln_g);
                    walker.note_ends(lowest, highest);
                    if measured {
                        let distance = walker.energy - energies[walker.place];
                        let m = (walker.magnetization as f64 * per_spin).abs();
                        let square = m * m;
                        let sums = &mut sums[walker.place];
                        let add = [1.0, distance, distance * distance, m, square, square * square];
                        sums.iter_mut().zip(add).for_each(|(sum, x)| *sum += x);
                    }
                }
            });
            done += piece;
            self.sweeps += piece;
            let stage = if measured { "measuring" } else { "equilibrating" };
            if observer.observe(&Progress::new(stage, done, sweeps)).is_break() {
                break;
            }
        }
        done
    }

    /// Goes back to a saved state.
    ///
    /// # Errors
    /// When the checkpoint is damaged or belongs to another instance, other weights or other units. The state is then
    /// unchanged.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        self.read(from).map_err(CoreError::from)?;
        Ok(())
    }

    fn read(&mut self, from: &Checkpoint) -> std::result::Result<(), CheckpointError> {
        let mut reader = from.open(KIND, self.problem)?;
        let at = reader.position();
        let sweeps = reader.read_count()?;
        let invalid = CheckpointError::Invalid { what: "work units: those of another run", at };
        if reader.read_usize()? != self.walkers.len() {
            return Err(invalid);
        }
        let mut walkers = Vec::new();
        for measured in &self.walkers {
            if reader.read_u64()? != measured.unit {
                return Err(invalid);
            }
            let blocks = Blocks::read(self.weights.frame.len, &mut reader)?;
            let walker = Walker::read(&self.model, &self.weights.frame, &mut reader)?;
            walkers.push(Measured { unit: measured.unit, walker, blocks });
        }
        reader.finish()?;
        (self.walkers, self.sweeps) = (walkers, sweeps);
        Ok(())
    }
}

impl<M: CachedModel> Multicanonical<M> {
    /// The weights.
    pub fn weights(&self) -> &MulticanonicalWeights {
        &self.weights
    }

    /// Sweeps of a walker so far, those without measurements included.
    pub fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// What was measured.
    pub fn density(&self) -> DensityOfStates {
        let mut units = Units::new();
        for measured in &self.walkers {
            units.insert(measured.unit);
        }
        DensityOfStates {
            n_spins: self.model.n_spins(),
            problem: self.problem,
            grid: self.weights.frame.grid,
            first: self.weights.frame.first,
            ln_weights: self.weights.ln_g.clone(),
            units,
            walkers: self.walkers.iter().map(|measured| (measured.unit, measured.blocks.clone())).collect(),
            refused: self.walkers.iter().map(|measured| measured.walker.refused).sum(),
            round_trips: self.walkers.iter().map(|measured| measured.walker.round_trips).sum(),
        }
    }

    /// Everything needed to go on bit for bit.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_u64(self.sweeps).write_usize(self.walkers.len());
        for measured in &self.walkers {
            state.write_u64(measured.unit);
            measured.blocks.write(&mut state);
            measured.walker.write(&mut state);
        }
        Checkpoint::new(KIND, self.problem, state)
    }
}

impl<M: CachedModel> fmt::Debug for Multicanonical<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Multicanonical");
        debug.field("walkers", &self.walkers.len()).field("sweeps", &self.sweeps).finish_non_exhaustive()
    }
}
