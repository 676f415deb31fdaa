//! Configurations drawn, or traced back, from the stored vectors.

use super::engine::{Engine, Visitor};
use super::program::{Kind, Op};
use super::schedule::Group;
use super::semiring::Semiring;
use super::table::Table;
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

    /// Takes sample `k` back through one operation; `before` is the part of the vector that starts at `offset`.
    fn back(
        &mut self,
        s: S,
        op: &Op,
        columns: &[u16],
        table: &Table<S::Value>,
        k: usize,
        (before, offset): (&[S::Value], usize),
    ) {
        let state = self.states[k];
        let slot = op.slot as usize;
        let half = 1usize << slot;
        match op.kind {
            Kind::Diagonal => {}
            Kind::Add => {
                let top = 1usize << op.bits;
                self.spins[k][op.entering as usize] = if state & top == 0 { 1 } else { -1 };
                self.states[k] = state & !top;
            }
            Kind::Replace => {
                let down = state & half != 0;
                self.spins[k][op.entering as usize] = if down { -1 } else { 1 };
                let rest = state & !half;
                let reduced = rest >> (slot + 1) << slot | rest & (half - 1);
                let row = &table.rows[pattern_of(columns, reduced)];
                let t = 2 * usize::from(down);
                let plus = s.mul(row[t], before[rest - offset]);
                let minus = s.mul(row[t + 1], before[(rest | half) - offset]);
                self.states[k] = if (self.draw)() < s.share(plus, minus) { rest } else { rest | half };
            }
            Kind::Remove => {
                let rest = state >> slot << (slot + 1) | state & (half - 1);
                let share = s.share(before[rest - offset], before[(rest | half) - offset]);
                self.states[k] = if (self.draw)() < share { rest } else { rest | half };
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
        let program = engine.program;
        let ops = &program.ops[group.ops()];
        let mut history = std::mem::take(&mut self.history);
        if group.local {
            // Samples of one block share its history.
            let length = group.block(before.len());
            let mut samples: Vec<(usize, usize)> =
                self.states.iter().enumerate().map(|(k, &state)| (state / length, k)).collect();
            samples.sort_unstable();
            for same in samples.chunk_by(|a, b| a.0 == b.0) {
                let offset = same[0].0 * length;
                engine.history(group, &before[offset..offset + length], &mut history);
                let steps = ops.iter().zip(engine.tables.iter().zip(history.chunks_exact(length)));
                for (op, (table, states)) in steps.rev() {
                    for &(_, k) in same {
                        self.back(engine.semiring, op, program.columns(op), table, k, (states, offset));
                    }
                }
                engine.work(length * ops.len())?;
            }
        } else {
            for (op, table) in ops.iter().zip(&engine.tables).rev() {
                for k in 0..self.states.len() {
                    self.back(engine.semiring, op, program.columns(op), table, k, (&before, 0));
                }
            }
            engine.work(before.len() + self.states.len())?;
        }
        self.history = history;
        Ok(())
    }
}
