//! Means of all interactions and spins from one backward pass.

use super::backward::{Context, Sums};
use super::engine::{Engine, Visitor};
use super::program::Op;
use super::schedule::{Group, Schedule};
use super::semiring::Semiring;
use super::table::parity;
use crate::Result;

/// Where the largest entry of `λ` is put when it is scaled: 2^144 ≈ e^100. Products with `ψ` stay in range.
const LAMBDA_TARGET: i64 = 144;

/// Carries `λ` backward and collects means.
pub(super) struct Gradient<S: Semiring> {
    lambda: Vec<S::Value>,
    /// Exponent of two taken out of `lambda`.
    exponent: i64,
    /// Bound of the growth of `lambda` since it was last scaled.
    since: f64,
    sums: Vec<Sums>,
    history: Vec<S::Value>,
    /// Means of the interactions that operations apply.
    pub interactions: Vec<f64>,
    /// Means of the spins that entered the vector.
    pub spins: Vec<f64>,
}

impl<S: Semiring> Gradient<S> {
    pub(super) fn new(semiring: S, n_interactions: usize, n_spins: usize) -> Self {
        Self {
            lambda: vec![semiring.one()],
            exponent: 0,
            since: 0.0,
            sums: Vec::new(),
            history: Vec::new(),
            interactions: vec![0.0; n_interactions],
            spins: vec![0.0; n_spins],
        }
    }

    /// The whole sum as `x 2^exponent`, once the pass has reached the beginning.
    pub(super) fn total(&self) -> (S::Value, i64) {
        (self.lambda[0], self.exponent)
    }

    fn means(&mut self, engine: &Engine<'_, '_, S>, op: &Op, rows: &[[f64; 4]]) {
        let total: f64 = rows.iter().flatten().sum();
        let t_mean = |row: &[f64; 4]| row[0] + row[1] - row[2] - row[3];
        let ts_mean = |row: &[f64; 4]| row[0] - row[1] - row[2] + row[3];
        if let Some(mean) = self.spins.get_mut(op.entering as usize) {
            *mean = rows.iter().map(t_mean).sum::<f64>() / total;
        }
        for member in engine.program.members(op) {
            let mean = |row| if member.with_leaving { ts_mean(row) } else { t_mean(row) };
            let signed = rows.iter().enumerate().map(|(pattern, row)| match parity(pattern, member.pattern) {
                0 => mean(row),
                _ => -mean(row),
            });
            self.interactions[member.interaction as usize] = signed.sum::<f64>() / total;
        }
    }
}

impl<S: Semiring> Visitor<S> for Gradient<S> {
    fn visit(&mut self, engine: &mut Engine<'_, '_, S>, group: Group, before: Vec<S::Value>) -> Result<()> {
        let program = engine.program;
        let ops = &program.ops[group.ops()];
        if Schedule::rescale_back(self.since, &group) {
            self.exponent += engine.semiring.rescale(&mut self.lambda, LAMBDA_TARGET);
            self.since = 0.0;
        }
        self.since += group.growth;
        self.sums.resize_with(ops.len().max(self.sums.len()), Sums::default);
        for (sums, table) in self.sums.iter_mut().zip(&engine.tables[..ops.len()]) {
            sums.clear(table);
        }
        let context = |engine: &Engine<'_, '_, S>, k: usize, run: &mut dyn FnMut(Context<'_, S>)| {
            let (op, table) = (&ops[k], &engine.tables[k]);
            run(Context { semiring: engine.semiring, op, columns: program.columns(op), table });
        };
        if group.local {
            let length = group.block(before.len());
            for (lambda, before) in self.lambda.chunks_exact_mut(length).zip(before.chunks_exact(length)) {
                engine.history(group, before, &mut self.history);
                for (k, (states, sums)) in self.history.chunks_exact(length).zip(&mut self.sums).enumerate().rev() {
                    context(engine, k, &mut |context| context.block(lambda, states, sums));
                }
                engine.work(length * ops.len() * 4)?;
            }
        } else {
            for k in (0..ops.len()).rev() {
                let (lambda, sums) = (&mut self.lambda, &mut self.sums[k]);
                context(engine, k, &mut |context| context.whole(lambda, &before, sums));
            }
            engine.work(before.len() * 4)?;
        }
        for (k, op) in ops.iter().enumerate() {
            let mut sums = std::mem::take(&mut self.sums[k]);
            sums.collect(&engine.tables[k]);
            // Removing a spin applies nothing.
            if !sums.rows.is_empty() && op.kind != super::program::Kind::Remove {
                self.means(engine, op, &sums.rows);
            }
            self.sums[k] = sums;
        }
        Ok(())
    }
}
