//! The lowest energy and how often it occurs.

use linalg_core::Observer;

use super::boltzmann::lowest;
use super::drive::Job;
use super::layout::{Layout, Scratch, Tables};
use crate::Result;
use crate::model::Progress;

/// The lowest level among the states of a layout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lowest {
    /// The first state of the level.
    pub state: u64,
    /// Number of states in it.
    pub count: u64,
}

#[derive(Debug, Default)]
struct Work {
    scratch: Scratch,
    rows: Vec<f64>,
    block: Vec<f64>,
}

impl Work {
    fn begin(&mut self, layout: &Layout, tables: &Tables, unit: u64) {
        layout.rows(tables, unit, &mut self.scratch, &mut self.rows);
        self.block.resize(1 << layout.low, 0.0);
    }

    /// The energies of a block, or `None` if its bound is above the ceiling.
    fn below(&mut self, layout: &Layout, tables: &Tables, block: usize, ceiling: f64) -> Option<&[f64]> {
        (layout.bound(tables, &self.rows, block) <= ceiling).then(|| {
            layout.energies(tables, &self.rows, block, &mut self.scratch, &mut self.block);
            &*self.block
        })
    }
}

/// Finds the lowest level; energies up to `tolerance` above the lowest belong to it.
///
/// Two passes over the states, one for the energy and one to count. Both leave out the blocks whose bound is too
/// high; the bounds are rounded too, so that what is too high by less than the tolerance is looked at.
pub(super) fn lowest_level(
    layout: &Layout,
    tables: &Tables,
    tolerance: f64,
    observer: &mut dyn Observer<Progress>,
) -> Result<Lowest> {
    let mut work = Work::default();
    let blocks = 0..1usize << layout.mid;
    let job = |stage| Job { stage, units: layout.units(), unit_states: layout.unit_states() };

    let mut best = f64::INFINITY;
    let search = |unit, &best: &f64, work: &mut Work| {
        work.begin(layout, tables, unit);
        blocks.clone().fold(best, |best, block| {
            work.below(layout, tables, block, best + tolerance).map_or(best, |energies| best.min(lowest(energies)))
        })
    };
    job("ground state").run(&mut best, &mut work, observer, search, |found, best| *best = best.min(found))?;

    let ceiling = best + tolerance;
    let mut level: Option<Lowest> = None;
    let count = |unit: u64, _: &Option<Lowest>, work: &mut Work| {
        work.begin(layout, tables, unit);
        let mut level: Option<Lowest> = None;
        for block in blocks.clone() {
            let Some(energies) = work.below(layout, tables, block, ceiling + tolerance) else { continue };
            if let Some(first) = energies.iter().position(|&energy| energy <= ceiling) {
                let state = (unit << layout.mid | block as u64) << layout.low | first as u64;
                let level = level.get_or_insert(Lowest { state, count: 0 });
                level.count += energies.iter().filter(|&&energy| energy <= ceiling).count() as u64;
            }
        }
        level
    };
    job("degeneracy").run(&mut level, &mut work, observer, count, |found, level| match (found, level.as_mut()) {
        (Some(found), Some(level)) => level.count += found.count,
        (Some(found), None) => *level = Some(found),
        (None, _) => {}
    })?;
    Ok(level.expect("some state has the lowest energy"))
}
