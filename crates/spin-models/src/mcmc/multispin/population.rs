//! Replicas of one packed model: what the engines with many replicas have in common.

use linalg_core::Observer;
use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::Rng;
use linalg_core::rng::Streams;

use super::generator::Generator;
use super::measure::{Differences, Energies, Magnetizations};
use super::memory;
use super::packing::Packing;
use super::simd::{BITS, Block, InstructionSet};
use super::units::IntegerModel;
use crate::mcmc::{Dynamics, Observables, threads};
use crate::model::{Progress, SweepStats};
use crate::{Error, Result};

/// Spin updates between two reports to an observer, unless a sweep is longer.
const UPDATES_PER_REPORT: u64 = 1 << 22;

/// Spin updates for which one more thread is started.
pub(super) const UPDATES_PER_THREAD: u64 = 1 << 20;

/// Up to 512 replicas, a bit each in every block, with generators of their own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    /// The spins, and a block of spins that are up for ever.
    pub(super) spins: Vec<Block>,
    pub(super) generator: Generator,
    /// Bits that belong to replicas.
    pub(super) used: Block,
}

/// Units of one packed model.
#[derive(Debug, Clone)]
pub(super) struct Population {
    pub(super) packing: Packing,
    pub(super) dynamics: Dynamics,
    pub(super) instructions: InstructionSet,
    pub(super) units: Vec<Unit>,
    /// Replicas of a unit; the last one may have fewer.
    pub(super) per_unit: usize,
    pub(super) n_replicas: usize,
    pub(super) sweeps: u64,
    pub(super) threads: usize,
    /// Content hash of the instance.
    pub(super) problem: u64,
}

/// How replicas are cut into units.
pub(super) struct Cut {
    pub(super) n_replicas: usize,
    /// Replicas of a unit, at most 512.
    pub(super) per_unit: usize,
    /// 64-bit words of a site: 1, 2, 4 or 8.
    pub(super) words: usize,
}

impl Cut {
    /// Into units of up to `per_unit`, with as few words as possible.
    pub(super) fn new(n_replicas: usize, per_unit: usize) -> Self {
        Self { n_replicas, per_unit, words: n_replicas.min(per_unit).div_ceil(64).next_power_of_two() }
    }
}

impl Population {
    /// Replicas with random spins.
    pub(super) fn new(
        solver: &'static str,
        model: IntegerModel,
        problem: u64,
        dynamics: Dynamics,
        cut: Cut,
        streams: Streams,
    ) -> Result<Self> {
        let Cut { n_replicas, per_unit, words } = cut;
        if n_replicas == 0 {
            return Err(Error::Parameter { what: "number of replicas", value: "0".into(), expected: "at least 1" });
        }
        let n_units = n_replicas.div_ceil(per_unit);
        let spins = 8 * words as u128 * n_units as u128 * model.n_spins as u128;
        memory::check(solver, spins + Packing::bytes(&model, words))?;
        let packing = Packing::new(model, words, solver)?;
        let mut units = Vec::with_capacity(n_units);
        for k in 0..n_units {
            let mut rng = streams.stream(k as u64);
            let generator = Generator::new(&mut rng);
            let used = used_bits(per_unit.min(n_replicas - k * per_unit), words);
            let spins = memory::blocks(solver, packing.n_blocks + 1)?;
            let mut unit = Unit { spins, generator, used };
            for site in 0..packing.model.n_spins {
                for word in 0..words {
                    let (block, word) = packing.place(site, word);
                    unit.spins[block].0[word] = rng.next_u64();
                }
            }
            units.push(unit);
        }
        let instructions = InstructionSet::detect();
        Ok(Self { packing, dynamics, instructions, units, per_unit, n_replicas, sweeps: 0, threads: 1, problem })
    }

    pub(super) fn n_spins(&self) -> usize {
        self.packing.model.n_spins
    }

    /// Threads for some sweeps.
    pub(super) fn threads(&self, sweeps: u64) -> usize {
        let updates = (self.n_spins() as u64 * self.n_replicas as u64).saturating_mul(sweeps);
        threads::worthwhile(self.threads, updates, UPDATES_PER_THREAD)
    }

    /// Replicas of unit `k`.
    pub(super) fn replicas_of(&self, k: usize) -> usize {
        self.per_unit.min(self.n_replicas - k * self.per_unit)
    }

    /// Unit, block and bit of a spin.
    fn place(&self, replica: usize, site: usize) -> (usize, usize, usize) {
        let bit = replica % self.per_unit;
        let (block, word) = self.packing.place(site, bit / 64);
        (replica / self.per_unit, block, 64 * word + bit % 64)
    }

    pub(super) fn spins(&self, replica: usize) -> Vec<i8> {
        assert!(replica < self.n_replicas, "replica {replica} of {}", self.n_replicas);
        let spin = |site| {
            let (unit, block, bit) = self.place(replica, site);
            if self.units[unit].spins[block].bit(bit) { -1 } else { 1 }
        };
        (0..self.n_spins()).map(spin).collect()
    }

    /// The spins of a replica in the order of the sites, 64 a word.
    pub(super) fn packed_spins(&self, replica: usize) -> Vec<u64> {
        let mut words = vec![0; self.n_spins().div_ceil(64)];
        for site in 0..self.n_spins() {
            let (unit, block, bit) = self.place(replica, site);
            words[site / 64] |= u64::from(self.units[unit].spins[block].bit(bit)) << (site % 64);
        }
        words
    }

    pub(super) fn set_spins(&mut self, replica: usize, s: &[i8]) {
        assert!(replica < self.n_replicas, "replica {replica} of {}", self.n_replicas);
        assert_eq!(s.len(), self.n_spins(), "{} spins for a model of {}", s.len(), self.n_spins());
        for (site, &spin) in s.iter().enumerate() {
            let (unit, block, bit) = self.place(replica, site);
            self.units[unit].spins[block].set_bit(bit, spin < 0);
        }
    }

    /// Energies of all replicas in units of the model, unit by unit.
    pub(super) fn energies(&self) -> Vec<i64> {
        self.of_units(|spins| self.instructions.run(Energies { packing: &self.packing, spins }))
    }

    pub(super) fn magnetizations(&self) -> Vec<i64> {
        self.of_units(|spins| self.instructions.run(Magnetizations { packing: &self.packing, spins }))
    }

    /// Overlaps of spins and of links of all replicas with those `distance` later in the same unit.
    pub(super) fn overlaps(&self, distance: usize) -> Vec<(f64, f64)> {
        let (n, m) = (self.n_spins(), self.packing.model.n_bonds());
        let overlap = |differing: u64, all: u64| if all == 0 { 1.0 } else { 1.0 - 2.0 * differing as f64 / all as f64 };
        self.of_units(|spins| {
            let (sites, links) = self.instructions.run(Differences { packing: &self.packing, spins, distance });
            sites.into_iter().zip(links).map(|(s, l)| (overlap(s, n as u64), overlap(l, m))).collect()
        })
    }

    fn of_units<T>(&self, of_unit: impl Fn(&[Block]) -> Vec<T>) -> Vec<T> {
        let mut all = Vec::with_capacity(self.n_replicas);
        for (k, unit) in self.units.iter().enumerate() {
            all.extend(of_unit(&unit.spins).into_iter().take(self.replicas_of(k)));
        }
        all
    }

    /// Appends dynamics, spins and generators.
    pub(super) fn write(&self, state: &mut Writer) {
        state.write_bool(self.dynamics == Dynamics::HeatBath);
        state.write_usize(self.n_replicas).write_usize(self.per_unit).write_u64(self.sweeps);
        for unit in &self.units {
            unit.generator.write(state);
            unit.spins[..self.packing.n_blocks].iter().flat_map(|block| block.0).for_each(|word| {
                state.write_u64(word);
            });
        }
    }

    /// The same population in the state written by [`write`](Self::write).
    pub(super) fn read(&self, state: &mut Reader<'_>) -> std::result::Result<Self, CheckpointError> {
        let mut read = self.clone();
        let at = state.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        if state.read_bool()? != (self.dynamics == Dynamics::HeatBath) {
            return Err(invalid("dynamics"));
        }
        if state.read_usize()? != self.n_replicas {
            return Err(invalid("number of replicas"));
        }
        if state.read_usize()? != self.per_unit {
            return Err(invalid("replicas of a unit"));
        }
        read.sweeps = state.read_count()?;
        for unit in &mut read.units {
            unit.generator = Generator::read(state)?;
            for word in unit.spins[..self.packing.n_blocks].iter_mut().flat_map(|block| &mut block.0) {
                *word = state.read_u64()?;
            }
            // Words that belong to no site stay up.
            for segment in &self.packing.segments {
                let block = &mut unit.spins[segment.blocks.end - 1];
                block.0.iter_mut().zip(&segment.last.0).for_each(|(word, used)| *word &= used);
            }
        }
        Ok(read)
    }
}

/// Sweeps between two reports to an observer.
pub(in crate::mcmc) fn sweeps_per_report(updates_per_sweep: u64) -> u64 {
    (UPDATES_PER_REPORT / updates_per_sweep.max(1)).max(1)
}

/// Runs `sweeps` sweeps in batches, reporting after each; `sweep` runs some and returns how many spins changed.
pub(in crate::mcmc) fn advance(
    sweeps: u64,
    updates_per_sweep: u64,
    observer: &mut dyn Observer<Progress>,
    mut sweep: impl FnMut(u64) -> u64,
) -> SweepStats {
    let batch = sweeps_per_report(updates_per_sweep);
    let mut stats = SweepStats::default();
    let mut done = 0;
    while done < sweeps {
        let now = batch.min(sweeps - done);
        let flips = sweep(now);
        done += now;
        stats += SweepStats { attempted: now * updates_per_sweep, accepted: flips, flipped: flips, clusters: 0 };
        if observer.observe(&Progress::new("sweeping", done, sweeps)).is_break() {
            break;
        }
    }
    stats
}

/// Records a measurement of every lane.
pub(in crate::mcmc) fn record(
    into: &mut Observables,
    n_spins: usize,
    energies: &[f64],
    magnetizations: &[i64],
    spins: impl Fn(usize) -> Vec<i8>,
) {
    let lanes = energies.len();
    assert_eq!(into.n_lanes(), lanes, "observables of {} lanes for {lanes} replicas", into.n_lanes());
    assert_eq!(into.n_spins(), n_spins, "observables of {} spins for {n_spins}", into.n_spins());
    for (lane, (&energy, &magnetization)) in energies.iter().zip(magnetizations).enumerate() {
        if into.needs_spins() {
            into.record(lane, energy, &spins(lane));
        } else {
            into.record_totals(lane, energy, magnetization);
        }
    }
}

/// The bits of `replicas` replicas in blocks of `words` words a site.
fn used_bits(replicas: usize, words: usize) -> Block {
    let mut used = Block::ZERO;
    for bit in 0..BITS {
        used.set_bit(bit, bit % (64 * words) < replicas);
    }
    used
}
