//! Kernels that carry derivatives backward.
//!
//! With `λ'(u') = ∂Z/∂ψ'(u')` after an operation, `λ(u) = Σ_{u'} M(u', u) λ'(u')` before it, and the terms
//! `λ'(u') M(u', u) ψ(u)` are the weights of the configurations that pass through `u` and `u'`: their sums over
//! entries of one pattern give the means of all interactions that the operation applies.

use super::block::Step;
use super::forward::pair_places;
use super::program::Kind;
use super::semiring::Semiring;
use super::table::{Patterns, TILE, TILE_BITS, Table, run_bits};

/// Weights summed by pattern and `(t, s)`, as the rows of a [`Table`].
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub rows: Vec<[f64; 4]>,
    tiles: Vec<[[f64; TILE]; 4]>,
}

impl Sums {
    pub(super) fn clear<V>(&mut self, table: &Table<V>) {
        self.rows.clear();
        self.rows.resize(table.rows.len(), [0.0; 4]);
        self.tiles.clear();
        self.tiles.resize(table.tiles.len(), [[0.0; TILE]; 4]);
    }

    /// Adds what was summed by tiles to the rows.
    pub(super) fn collect<V>(&mut self, table: &Table<V>) {
        for (pattern, tile) in self.tiles.iter().enumerate() {
            for (ts, lanes) in tile.iter().enumerate() {
                for (k, &sum) in lanes.iter().enumerate() {
                    self.rows[pattern ^ table.low[k] as usize][ts] += sum;
                }
            }
        }
        self.tiles.clear();
    }
}

/// What the kernels need to know of an operation.
pub(super) struct Context<'a, S: Semiring> {
    pub semiring: S,
    pub step: &'a Step<S::Value>,
}

impl<S: Semiring> Context<'_, S> {
    /// Takes `lambda` of one block back through an operation that keeps the size; `before` is `ψ` before it.
    pub(super) fn block(&self, lambda: &mut [S::Value], before: &[S::Value], sums: &mut Sums) {
        match (self.step.op.kind, self.step.table.tiles.is_empty()) {
            (Kind::Replace, true) => self.replace_runs(lambda, before, sums),
            (Kind::Replace, false) => match self.step.op.slot {
                0 => self.replace_inside::<0>(lambda, before, sums),
                1 => self.replace_inside::<1>(lambda, before, sums),
                2 => self.replace_inside::<2>(lambda, before, sums),
                _ => self.replace_tiles(lambda, before, sums),
            },
            (_, true) => self.diagonal_runs(lambda, before, sums),
            (_, false) => self.diagonal_tiles(lambda, before, sums),
        }
    }

    /// Takes the whole of `lambda` back through any operation.
    pub(super) fn whole(&self, lambda: &mut Vec<S::Value>, before: &[S::Value], sums: &mut Sums) {
        match self.step.op.kind {
            Kind::Add => self.add(lambda, before, sums),
            Kind::Remove => self.remove(lambda),
            Kind::Replace | Kind::Diagonal => self.block(lambda, before, sums),
        }
    }

    /// One pair of entries: `lambda` after becomes `lambda` before, weights are added to `sums`.
    #[inline(always)]
    fn pair(
        s: S,
        factors: [S::Value; 4],
        lambda: (&mut S::Value, &mut S::Value),
        before: (S::Value, S::Value),
    ) -> [f64; 4] {
        let [pp, pm, mp, mm] = factors;
        let (up, down) = (*lambda.0, *lambda.1);
        let terms = [s.mul(pp, up), s.mul(pm, up), s.mul(mp, down), s.mul(mm, down)];
        *lambda.0 = s.add(terms[0], terms[2]);
        *lambda.1 = s.add(terms[1], terms[3]);
        [
            s.weight(s.mul(terms[0], before.0)),
            s.weight(s.mul(terms[1], before.1)),
            s.weight(s.mul(terms[2], before.0)),
            s.weight(s.mul(terms[3], before.1)),
        ]
    }

    fn replace_runs(&self, lambda: &mut [S::Value], before: &[S::Value], sums: &mut Sums) {
        let half = 1usize << self.step.op.slot;
        let run = 1usize << run_bits(&self.step.op, &self.step.columns, usize::MAX);
        let mut patterns = Patterns::new(&self.step.columns, run.trailing_zeros() as usize);
        for (lambda, before) in lambda.chunks_exact_mut(2 * half).zip(before.chunks_exact(2 * half)) {
            let (l_up, l_down) = lambda.split_at_mut(half);
            let (b_up, b_down) = before.split_at(half);
            let lambdas = l_up.chunks_exact_mut(run).zip(l_down.chunks_exact_mut(run));
            let befores = b_up.chunks_exact(run).zip(b_down.chunks_exact(run));
            for ((l_up, l_down), (b_up, b_down)) in lambdas.zip(befores) {
                let pattern = patterns.next();
                let added = self.run(self.step.table.rows[pattern], (l_up, l_down), (b_up, b_down));
                for (sum, x) in sums.rows[pattern].iter_mut().zip(added) {
                    *sum += x;
                }
            }
        }
    }

    /// A run of pairs with common factors; four partial sums of each kind, so that it vectorises.
    #[inline(always)]
    fn run(
        &self,
        factors: [S::Value; 4],
        lambda: (&mut [S::Value], &mut [S::Value]),
        before: (&[S::Value], &[S::Value]),
    ) -> [f64; 4] {
        const LANES: usize = 4;
        let mut lanes = [[0.0; LANES]; 4];
        let (l_up, l_up_rest) = lambda.0.as_chunks_mut::<LANES>();
        let (l_down, l_down_rest) = lambda.1.as_chunks_mut::<LANES>();
        let (b_up, b_up_rest) = before.0.as_chunks::<LANES>();
        let (b_down, b_down_rest) = before.1.as_chunks::<LANES>();
        for ((l_up, l_down), (b_up, b_down)) in l_up.iter_mut().zip(l_down).zip(b_up.iter().zip(b_down)) {
            for k in 0..LANES {
                let lambda = (&mut l_up[k], &mut l_down[k]);
                let weights = Self::pair(self.semiring, factors, lambda, (b_up[k], b_down[k]));
                for ts in 0..4 {
                    lanes[ts][k] += weights[ts];
                }
            }
        }
        let mut sums = lanes.map(|lane| (lane[0] + lane[1]) + (lane[2] + lane[3]));
        let rest = l_up_rest.iter_mut().zip(l_down_rest).zip(b_up_rest.iter().zip(b_down_rest));
        for ((l_up, l_down), (&b_up, &b_down)) in rest {
            let weights = Self::pair(self.semiring, factors, (l_up, l_down), (b_up, b_down));
            for ts in 0..4 {
                sums[ts] += weights[ts];
            }
        }
        sums
    }

    fn replace_tiles(&self, lambda: &mut [S::Value], before: &[S::Value], sums: &mut Sums) {
        let half = 1usize << self.step.op.slot;
        let mut patterns = Patterns::new(&self.step.columns, TILE_BITS);
        for (lambda, before) in lambda.chunks_exact_mut(2 * half).zip(before.chunks_exact(2 * half)) {
            let (l_up, l_down) = lambda.split_at_mut(half);
            let (b_up, b_down) = before.split_at(half);
            let lambdas = l_up.as_chunks_mut::<TILE>().0.iter_mut().zip(l_down.as_chunks_mut::<TILE>().0);
            let befores = b_up.as_chunks::<TILE>().0.iter().zip(b_down.as_chunks::<TILE>().0);
            for ((l_up, l_down), (b_up, b_down)) in lambdas.zip(befores) {
                let pattern = patterns.next();
                let (factors, sums) = (&self.step.table.tiles[pattern], &mut sums.tiles[pattern]);
                for k in 0..TILE {
                    let factors = [factors[0][k], factors[1][k], factors[2][k], factors[3][k]];
                    let lambda = (&mut l_up[k], &mut l_down[k]);
                    let weights = Self::pair(self.semiring, factors, lambda, (b_up[k], b_down[k]));
                    for ts in 0..4 {
                        sums[ts][k] += weights[ts];
                    }
                }
            }
        }
    }

    fn replace_inside<const SLOT: usize>(&self, lambda: &mut [S::Value], before: &[S::Value], sums: &mut Sums) {
        let mut patterns = Patterns::new(&self.step.columns, TILE_BITS);
        let blocks = lambda.as_chunks_mut::<{ 2 * TILE }>().0.iter_mut().zip(before.as_chunks::<{ 2 * TILE }>().0);
        for (lambda, before) in blocks {
            let pattern = patterns.next();
            let (factors, sums) = (&self.step.table.tiles[pattern], &mut sums.tiles[pattern]);
            for k in 0..TILE {
                let (up, down) = pair_places::<SLOT>(k);
                let factors = [factors[0][k], factors[1][k], factors[2][k], factors[3][k]];
                let (mut l_up, mut l_down) = (lambda[up], lambda[down]);
                let weights = Self::pair(self.semiring, factors, (&mut l_up, &mut l_down), (before[up], before[down]));
                (lambda[up], lambda[down]) = (l_up, l_down);
                for ts in 0..4 {
                    sums[ts][k] += weights[ts];
                }
            }
        }
    }

    fn diagonal_runs(&self, lambda: &mut [S::Value], before: &[S::Value], sums: &mut Sums) {
        let s = self.semiring;
        let run = 1usize << run_bits(&self.step.op, &self.step.columns, lambda.len().trailing_zeros() as usize);
        let mut patterns = Patterns::new(&self.step.columns, run.trailing_zeros() as usize);
        for (lambda, before) in lambda.chunks_exact_mut(run).zip(before.chunks_exact(run)) {
            let pattern = patterns.next();
            let factor = self.step.table.rows[pattern][0];
            let mut sum = 0.0;
            for (x, &b) in lambda.iter_mut().zip(before) {
                *x = s.mul(factor, *x);
                sum += s.weight(s.mul(*x, b));
            }
            sums.rows[pattern][0] += sum;
        }
    }

    fn diagonal_tiles(&self, lambda: &mut [S::Value], before: &[S::Value], sums: &mut Sums) {
        let s = self.semiring;
        let mut patterns = Patterns::new(&self.step.columns, TILE_BITS);
        for (lambda, before) in lambda.as_chunks_mut::<TILE>().0.iter_mut().zip(before.as_chunks::<TILE>().0) {
            let pattern = patterns.next();
            let (factors, sums) = (&self.step.table.tiles[pattern][0], &mut sums.tiles[pattern][0]);
            for k in 0..TILE {
                lambda[k] = s.mul(factors[k], lambda[k]);
                sums[k] += s.weight(s.mul(lambda[k], before[k]));
            }
        }
    }

    fn add(&self, lambda: &mut Vec<S::Value>, before: &[S::Value], sums: &mut Sums) {
        let s = self.semiring;
        let run = 1usize << run_bits(&self.step.op, &self.step.columns, self.step.op.bits as usize);
        let mut patterns = Patterns::new(&self.step.columns, run.trailing_zeros() as usize);
        let (up, down) = lambda.split_at_mut(before.len());
        for ((up, down), before) in up.chunks_exact_mut(run).zip(down.chunks_exact(run)).zip(before.chunks_exact(run)) {
            let pattern = patterns.next();
            let [plus, _, minus, _] = self.step.table.rows[pattern];
            let mut sum = [0.0; 2];
            for ((x, &y), &b) in up.iter_mut().zip(down).zip(before) {
                let terms = [s.mul(plus, *x), s.mul(minus, y)];
                *x = s.add(terms[0], terms[1]);
                sum[0] += s.weight(s.mul(terms[0], b));
                sum[1] += s.weight(s.mul(terms[1], b));
            }
            sums.rows[pattern][0] += sum[0];
            sums.rows[pattern][2] += sum[1];
        }
        lambda.truncate(before.len());
    }

    fn remove(&self, lambda: &mut Vec<S::Value>) {
        let half = 1usize << self.step.op.slot;
        let length = lambda.len();
        lambda.resize(2 * length, self.semiring.zero());
        // From the end, so that nothing is read after it was written.
        if half < TILE {
            for k in (0..length).rev() {
                let up = (2 * (k & !(half - 1))) | (k & (half - 1));
                (lambda[up], lambda[up + half]) = (lambda[k], lambda[k]);
            }
        } else {
            for k in (0..length / half).rev() {
                lambda.copy_within(k * half..(k + 1) * half, 2 * k * half);
                lambda.copy_within(2 * k * half..(2 * k + 1) * half, (2 * k + 1) * half);
            }
        }
    }
}
