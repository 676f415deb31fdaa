//! Models that are not known as sums of products: energies by walking through the states.

use linalg_core::Observer;

use super::boltzmann::lowest;
use super::drive::Job;
use super::energies::{BlockEnergies, UnitWork, unit_sums};
use super::engine::TIE;
use super::enumerable::Enumerable;
use super::layout::Layout;
use super::sums::{PairwiseSum, Sums, Want};
use crate::model::{GroundState, Progress};
use crate::{Result, Spins};

/// Low and mid spins: blocks long enough for the exponentials, units short enough for a few reports a second even if
/// an energy difference takes microseconds.
const BLOCK: (usize, usize) = (10, 3);

/// The energies of a model, block by block.
#[derive(Debug)]
pub(super) struct Walk<'a, M: ?Sized> {
    model: &'a M,
    layout: Layout,
    s: Vec<i8>,
    unit: u64,
}

impl<'a, M: Enumerable + ?Sized> Walk<'a, M> {
    pub fn new(model: &'a M) -> Self {
        let n = model.n_spins();
        Self { model, layout: Layout::with_block(n, &[], BLOCK.0, BLOCK.1), s: vec![1; n], unit: 0 }
    }

    fn job(&self, stage: &'static str) -> Job {
        Job { stage, units: self.layout.units(), unit_states: self.layout.unit_states() }
    }

    /// Sums over all states.
    pub fn sums(mut self, beta: f64, want: Want, observer: &mut dyn Observer<Progress>) -> Result<(Sums, Layout)> {
        let layout = self.layout.clone();
        let mut work = UnitWork::default();
        let mut sum = PairwiseSum::new(beta);
        self.job("enumerating").run_sequential(observer, |unit| {
            sum.push(unit_sums(&mut self, &layout, unit, beta, want, &mut work));
        })?;
        Ok((sum.finish().expect("there is at least one unit"), layout))
    }

    /// Calls `each` with the first state of every block and the block's energies.
    pub fn for_each_block(
        mut self,
        stage: &'static str,
        observer: &mut dyn Observer<Progress>,
        mut each: impl FnMut(u64, &[f64]),
    ) -> Result<()> {
        let (low, mid) = (self.layout.low, self.layout.mid);
        let mut block = vec![0.0; 1 << low];
        self.job(stage).run_sequential(observer, |unit| {
            self.begin(unit);
            for b in 0..1 << mid {
                self.fill(b, &mut block);
                each((unit << mid | b as u64) << low, &block);
            }
        })
    }
}

impl<M: Enumerable + ?Sized> BlockEnergies for Walk<'_, M> {
    fn begin(&mut self, unit: u64) {
        self.unit = unit;
    }

    fn fill(&mut self, block: usize, out: &mut [f64]) -> bool {
        let state = self.unit << self.layout.mid | block as u64;
        for (k, s) in self.s[self.layout.low..].iter_mut().enumerate() {
            *s = 1 - 2 * (state >> k & 1) as i8;
        }
        self.model.block_energies(&mut self.s, out);
        true
    }
}

/// The lowest energy, its first state, and how many states have it up to the tie tolerance: two walks.
pub(super) fn ground_state<M: Enumerable + ?Sized>(
    model: &M,
    observer: &mut dyn Observer<Progress>,
) -> Result<GroundState> {
    let (mut best, mut largest) = (f64::INFINITY, 0f64);
    Walk::new(model).for_each_block("ground state", observer, |_, energies| {
        best = best.min(lowest(energies));
        largest = energies.iter().fold(largest, |largest, energy| largest.max(energy.abs()));
    })?;
    let ceiling = best + TIE * largest;
    let (mut count, mut state) = (0u64, None);
    Walk::new(model).for_each_block("degeneracy", observer, |first, energies| {
        for (k, _) in energies.iter().enumerate().filter(|(_, energy)| **energy <= ceiling) {
            state.get_or_insert(first + k as u64);
            count += 1;
        }
    })?;
    // Only a model whose energies are all NaN has no lowest state; any state then stands for it.
    let spins = Spins::from_state(state.unwrap_or(0), model.n_spins()).into_vec();
    Ok(GroundState { energy: model.energy(&spins), degeneracy: Some(count as f64), spins })
}
