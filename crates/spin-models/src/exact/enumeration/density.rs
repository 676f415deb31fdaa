//! Numbers of states of every energy.

use linalg_core::Observer;

use super::drive::Job;
use super::engine::{Engine, TIE};
use super::generic::Walk;
use super::layout::{Scratch, Tables};
use super::terms::{Commensurate, Terms, commensurate};
use super::{Enumerable, NAME};
use crate::model::Progress;
use crate::{Error, Result};

/// A level of the density of states.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnergyLevel {
    /// The energy.
    pub energy: f64,
    /// Number of configurations.
    pub count: u64,
}

/// Numbers kept at once: integer levels, or states of models with other energies.
pub(super) const LARGEST: usize = 1 << 24;

/// The levels of a model, ascending.
pub(super) fn density_of_states<M: Enumerable + ?Sized>(
    model: &M,
    observer: &mut dyn Observer<Progress>,
) -> Result<Vec<EnergyLevel>> {
    let n = model.n_spins();
    if let Some(interactions) = model.interactions() {
        let engine = Engine::new(Terms::of_interactions(&interactions), true);
        engine.check_range(0.0, super::engine::Ask::LnZ)?;
        if let Some(exact) = commensurate(&engine.weights()).filter(|exact| exact.total < LARGEST as u64) {
            return integer_levels(&engine, &exact, observer);
        }
    }
    if n > LARGEST.ilog2() as usize {
        let what = "number of spins with energies that are not integer multiples of one number";
        return Err(Error::TooLarge { solver: NAME, what, value: n, bound: LARGEST.ilog2() as usize });
    }
    real_levels(model, observer)
}

/// A histogram. With integer weights all energies have the parity of their sum.
fn integer_levels(
    engine: &Engine,
    exact: &Commensurate,
    observer: &mut dyn Observer<Progress>,
) -> Result<Vec<EnergyLevel>> {
    let layout = &engine.layout;
    let (mut tables, mut scratch) = (Tables::default(), Scratch::default());
    let coefficients: Vec<f64> = exact.weights.iter().map(|w| -w).collect();
    layout.load(&coefficients, &mut tables, &mut scratch);
    let total = exact.total as f64;
    let mut counts = vec![0u64; exact.total as usize + 1];
    let mut rows = Vec::new();
    let mut block = vec![0.0; 1 << layout.low];
    let job = Job { stage: "density of states", units: layout.units(), unit_states: layout.unit_states() };
    job.run_sequential(observer, |unit| {
        layout.rows(&tables, unit, &mut scratch, &mut rows);
        for b in 0..1 << layout.mid {
            layout.energies(&tables, &rows, b, &mut scratch, &mut block);
            for energy in &block {
                // Exact: twice the index is an even integer below 2^25.
                counts[(0.5 * (energy + total)) as u32 as usize] += 1;
            }
        }
    })?;
    let classes = 1u64 << engine.symmetry.generators.len();
    let constant = engine.constant();
    let level = |(k, &count): (usize, &u64)| EnergyLevel {
        energy: constant + exact.unit * (2.0 * k as f64 - total),
        count: count * classes,
    };
    Ok(counts.iter().enumerate().filter(|(_, count)| **count > 0).map(level).collect())
}

/// All energies sorted, those within the tie tolerance of the first of a level counted with it.
fn real_levels<M: Enumerable + ?Sized>(model: &M, observer: &mut dyn Observer<Progress>) -> Result<Vec<EnergyLevel>> {
    let mut energies = Vec::with_capacity(1 << model.n_spins());
    Walk::new(model).for_each_block("density of states", observer, |_, block| energies.extend_from_slice(block))?;
    energies.sort_unstable_by(f64::total_cmp);
    let tolerance = TIE * energies.iter().fold(0f64, |largest, energy| largest.max(energy.abs()));
    let mut levels: Vec<EnergyLevel> = Vec::new();
    for energy in energies {
        match levels.last_mut() {
            Some(level) if energy - level.energy <= tolerance => level.count += 1,
            _ => levels.push(EnergyLevel { energy, count: 1 }),
        }
    }
    Ok(levels)
}
