//! Configurations drawn, or traced back, from the stored vectors.

use super::block::{Blocks, Step};
use super::engine::{Engine, Visitor};
use super::program::Kind;
use super::schedule::Group;
use super::semiring::Semiring;
use crate::Result;

/// Draws the spins in the reverse order of their removal.
///
/// After the last operation the frontier is empty. Going back through an operation that summed out `s`, the value of
/// `s` has the probabilities `M(u', s, u) ψ(s, u)`, given the values `u'` of the frontier after it.
pub(super) struct Sampler<'d, S: Semiring> {
    /// Index of each sample in the vector.
    states: Vec<usize>,
    /// A row of spins for each sample.
    pub spins: Vec<Vec<i8>>,
    draw: &'d mut dyn FnMut() -> f64,
    history: Vec<S::Value>,
}

impl<'d, S: Semiring> Sampler<'d, S> {
    pub(super) fn new(n_samples: usize, n_spins: usize, draw: &'d mut dyn FnMut() -> f64) -> Self {
        Self { states: vec![0; n_samples], spins: vec![vec![1; n_spins]; n_samples], draw, history: Vec::new() }
    }

    /// Takes sample `k`, at entry `state` after one operation, back to an entry of `before`.
    fn back(&mut self, s: S, step: &Step<S::Value>, k: usize, state: usize, before: &[S::Value]) -> usize {
        let Step { op, columns, table } = step;
        let slot = op.slot as usize;
        let half = 1usize << slot;
        match op.kind {
            Kind::Diagonal => state,
            Kind::Add => {
                let top = 1usize << op.bits;
                self.spins[k][op.entering as usize] = if state & top == 0 { 1 } else { -1 };
                state & !top
            }
            Kind::Replace => {
                let down = state & half != 0;
                self.spins[k][op.entering as usize] = if down { -1 } else { 1 };
                let rest = state & !half;
                let reduced = rest >> (slot + 1) << slot | rest & (half - 1);
                let row = &table.rows[pattern_of(columns, reduced)];
                let t = 2 * usize::from(down);
                let plus = s.mul(row[t], before[rest]);
                let minus = s.mul(row[t + 1], before[rest | half]);
                if (self.draw)() < s.share(plus, minus) { rest } else { rest | half }
            }
            Kind::Remove => {
                let rest = state >> slot << (slot + 1) | state & (half - 1);
                let share = s.share(before[rest], before[rest | half]);
                if (self.draw)() < share { rest } else { rest | half }
            }
        }
    }
}

/// Pattern of one entry.
fn pattern_of(columns: &[u16], index: usize) -> usize {
    let ones = columns.iter().enumerate().filter(|&(bit, _)| index >> bit & 1 == 1);
    ones.fold(0, |pattern, (_, &column)| pattern ^ column) as usize
}

impl<S: Semiring> Visitor<S> for Sampler<'_, S> {
    fn visit(&mut self, engine: &mut Engine<'_, '_, S>, group: Group, before: Vec<S::Value>) -> Result<()> {
        let n_ops = group.ops().len();
        let s = engine.semiring;
        if !group.local {
            for step in engine.steps[..n_ops].iter().rev() {
                for k in 0..self.states.len() {
                    self.states[k] = self.back(s, step, k, self.states[k], &before);
                }
            }
            return engine.work(before.len() + self.states.len());
        }
        // Samples of one block share its history.
        let blocks = Blocks::new(group.free, before.len());
        let mut samples: Vec<(usize, usize)> =
            self.states.iter().enumerate().map(|(k, &state)| (blocks.locate(state).0, k)).collect();
        samples.sort_unstable();
        let size = blocks.size();
        let mut history = std::mem::take(&mut self.history);
        history.resize(n_ops * size, s.zero());
        for same in samples.chunk_by(|a, b| a.0 == b.0) {
            let base = same[0].0;
            blocks.gather(&before, base, &mut history[..size]);
            engine.history(size, &mut history);
            for &(_, k) in same {
                self.states[k] = blocks.locate(self.states[k]).1;
            }
            let steps = engine.steps[..n_ops].iter().zip(history.chunks_exact(size));
            for (step, states) in steps.rev() {
                for &(_, k) in same {
                    self.states[k] = self.back(s, step, k, self.states[k], states);
                }
            }
            for &(_, k) in same {
                self.states[k] = blocks.entry(base, self.states[k]);
            }
            engine.work(size * n_ops)?;
        }
        self.history = history;
        Ok(())
    }
}
