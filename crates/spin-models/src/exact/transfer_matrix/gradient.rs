//! Means of all interactions and spins from one backward pass.

use super::backward::{Context, Sums};
use super::block::Blocks;
use super::engine::{Engine, Visitor};
use super::program::{Kind, Op};
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
    block: Vec<S::Value>,
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
            block: Vec::new(),
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
        let n_ops = group.ops().len();
        if Schedule::rescale_back(self.since, &group) {
            self.exponent += engine.semiring.rescale(&mut self.lambda, LAMBDA_TARGET);
            self.since = 0.0;
        }
        self.since += group.growth;
        self.sums.resize_with(n_ops.max(self.sums.len()), Sums::default);
        for (sums, step) in self.sums.iter_mut().zip(&engine.steps[..n_ops]) {
            sums.clear(&step.table);
        }
        let semiring = engine.semiring;
        if group.local {
            let blocks = Blocks::new(group.free, before.len());
            let size = blocks.size();
            self.history.resize(n_ops * size, semiring.zero());
            self.block.resize(size, semiring.zero());
            for base in blocks.bases() {
                blocks.gather(&before, base, &mut self.history[..size]);
                engine.history(size, &mut self.history);
                let lambda = if blocks.contiguous() {
                    &mut self.lambda[base..base + size]
                } else {
                    blocks.gather(&self.lambda, base, &mut self.block);
                    &mut self.block[..]
                };
                let steps = engine.steps[..n_ops].iter().zip(self.history.chunks_exact(size).zip(&mut self.sums));
                for (step, (states, sums)) in steps.rev() {
                    Context { semiring, step }.block(lambda, states, sums);
                }
                if !blocks.contiguous() {
                    blocks.scatter(&self.block, base, &mut self.lambda);
                }
                engine.work(4 * size * n_ops)?;
            }
        } else {
            for (step, sums) in engine.steps[..n_ops].iter().zip(&mut self.sums).rev() {
                Context { semiring, step }.whole(&mut self.lambda, &before, sums);
            }
            engine.work(4 * before.len())?;
        }
        for k in 0..n_ops {
            let (step, mut sums) = (&engine.steps[k], std::mem::take(&mut self.sums[k]));
            sums.collect(&step.table);
            // Removing a spin applies nothing.
            if step.op.kind != Kind::Remove {
                self.means(engine, &step.op, &sums.rows);
            }
            self.sums[k] = sums;
        }
        Ok(())
    }
}
