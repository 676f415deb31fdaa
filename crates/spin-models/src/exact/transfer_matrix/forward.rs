//! Kernels that carry the state vector forward.

use super::block::Step;
use super::program::Kind;
use super::semiring::Semiring;
use super::table::{Patterns, TILE, TILE_BITS, run_bits};

/// Applies an operation that keeps the size of the vector to one block of it.
pub(super) fn apply_to_block<S: Semiring>(s: S, step: &Step<S::Value>, block: &mut [S::Value]) {
    match (step.op.kind, step.table.tiles.is_empty()) {
        (Kind::Replace, false) => replace_tiles(s, step, block),
        (Kind::Replace, true) => replace_runs(s, step, block),
        (_, false) => diagonal_tiles(s, step, block),
        (_, true) => diagonal_runs(s, step, block),
    }
}

/// As [`apply_to_block`], with the result in another block.
pub(super) fn apply_into<S: Semiring>(s: S, step: &Step<S::Value>, from: &[S::Value], to: &mut [S::Value]) {
    match (step.op.kind, step.table.tiles.is_empty()) {
        (Kind::Replace, true) => replace_runs_into(s, step, from, to),
        (Kind::Replace, false) if step.op.slot as usize >= TILE_BITS => replace_tiles_into(s, step, from, to),
        _ => {
            to.copy_from_slice(from);
            apply_to_block(s, step, to);
        }
    }
}

/// Applies any operation to the whole vector, whose length follows the number of spins in the frontier.
pub(super) fn apply<S: Semiring>(s: S, step: &Step<S::Value>, v: &mut Vec<S::Value>) {
    match step.op.kind {
        Kind::Add => add(s, step, v),
        Kind::Remove => remove(s, step.op.slot as usize, v),
        Kind::Replace | Kind::Diagonal => apply_to_block(s, step, v),
    }
}

fn replace_runs<S: Semiring>(s: S, step: &Step<S::Value>, block: &mut [S::Value]) {
    let Step { op, columns, table } = step;
    let half = 1usize << op.slot;
    let run = 1usize << run_bits(op, columns, usize::MAX);
    let mut patterns = Patterns::new(columns, run.trailing_zeros() as usize);
    for pair in block.chunks_exact_mut(2 * half) {
        let (up, down) = pair.split_at_mut(half);
        for (up, down) in up.chunks_exact_mut(run).zip(down.chunks_exact_mut(run)) {
            let [pp, pm, mp, mm] = table.rows[patterns.next()];
            for (x, y) in up.iter_mut().zip(down) {
                let (a, b) = (*x, *y);
                *x = s.add(s.mul(pp, a), s.mul(pm, b));
                *y = s.add(s.mul(mp, a), s.mul(mm, b));
            }
        }
    }
}

fn replace_tiles<S: Semiring>(s: S, step: &Step<S::Value>, block: &mut [S::Value]) {
    let Step { op, columns, table } = step;
    match op.slot {
        0 => replace_inside::<S, 0>(s, step, block),
        1 => replace_inside::<S, 1>(s, step, block),
        2 => replace_inside::<S, 2>(s, step, block),
        slot => {
            let half = 1usize << slot;
            let mut patterns = Patterns::new(columns, TILE_BITS);
            for pair in block.chunks_exact_mut(2 * half) {
                let (up, down) = pair.split_at_mut(half);
                for (up, down) in up.as_chunks_mut::<TILE>().0.iter_mut().zip(down.as_chunks_mut::<TILE>().0) {
                    let [pp, pm, mp, mm] = &table.tiles[patterns.next()];
                    for k in 0..TILE {
                        let (a, b) = (up[k], down[k]);
                        up[k] = s.add(s.mul(pp[k], a), s.mul(pm[k], b));
                        down[k] = s.add(s.mul(mp[k], a), s.mul(mm[k], b));
                    }
                }
            }
        }
    }
}

fn replace_runs_into<S: Semiring>(s: S, step: &Step<S::Value>, from: &[S::Value], to: &mut [S::Value]) {
    let Step { op, columns, table } = step;
    let half = 1usize << op.slot;
    let run = 1usize << run_bits(op, columns, usize::MAX);
    let mut patterns = Patterns::new(columns, run.trailing_zeros() as usize);
    for (from, to) in from.chunks_exact(2 * half).zip(to.chunks_exact_mut(2 * half)) {
        let (up, down) = from.split_at(half);
        let (to_up, to_down) = to.split_at_mut(half);
        let froms = up.chunks_exact(run).zip(down.chunks_exact(run));
        let tos = to_up.chunks_exact_mut(run).zip(to_down.chunks_exact_mut(run));
        for ((up, down), (to_up, to_down)) in froms.zip(tos) {
            let [pp, pm, mp, mm] = table.rows[patterns.next()];
            for ((&a, &b), (x, y)) in up.iter().zip(down).zip(to_up.iter_mut().zip(to_down)) {
                *x = s.add(s.mul(pp, a), s.mul(pm, b));
                *y = s.add(s.mul(mp, a), s.mul(mm, b));
            }
        }
    }
}

fn replace_tiles_into<S: Semiring>(s: S, step: &Step<S::Value>, from: &[S::Value], to: &mut [S::Value]) {
    let Step { op, columns, table } = step;
    let half = 1usize << op.slot;
    let mut patterns = Patterns::new(columns, TILE_BITS);
    for (from, to) in from.chunks_exact(2 * half).zip(to.chunks_exact_mut(2 * half)) {
        let (up, down) = from.split_at(half);
        let (to_up, to_down) = to.split_at_mut(half);
        let froms = up.as_chunks::<TILE>().0.iter().zip(down.as_chunks::<TILE>().0);
        let tos = to_up.as_chunks_mut::<TILE>().0.iter_mut().zip(to_down.as_chunks_mut::<TILE>().0);
        for ((up, down), (to_up, to_down)) in froms.zip(tos) {
            let [pp, pm, mp, mm] = &table.tiles[patterns.next()];
            for k in 0..TILE {
                to_up[k] = s.add(s.mul(pp[k], up[k]), s.mul(pm[k], down[k]));
                to_down[k] = s.add(s.mul(mp[k], up[k]), s.mul(mm[k], down[k]));
            }
        }
    }
}

/// The places of entry `k` of a tile with spin up and with spin down in a block of `2 TILE` entries.
#[inline(always)]
pub(super) const fn pair_places<const SLOT: usize>(k: usize) -> (usize, usize) {
    let up = (k >> SLOT) << (SLOT + 1) | k & ((1 << SLOT) - 1);
    (up, up | 1 << SLOT)
}

fn replace_inside<S: Semiring, const SLOT: usize>(s: S, step: &Step<S::Value>, block: &mut [S::Value]) {
    let mut patterns = Patterns::new(&step.columns, TILE_BITS);
    for pairs in block.as_chunks_mut::<{ 2 * TILE }>().0 {
        let [pp, pm, mp, mm] = &step.table.tiles[patterns.next()];
        for k in 0..TILE {
            let (up, down) = pair_places::<SLOT>(k);
            let (a, b) = (pairs[up], pairs[down]);
            pairs[up] = s.add(s.mul(pp[k], a), s.mul(pm[k], b));
            pairs[down] = s.add(s.mul(mp[k], a), s.mul(mm[k], b));
        }
    }
}

fn diagonal_runs<S: Semiring>(s: S, step: &Step<S::Value>, block: &mut [S::Value]) {
    let Step { op, columns, table } = step;
    let run = 1usize << run_bits(op, columns, block.len().trailing_zeros() as usize);
    let mut patterns = Patterns::new(columns, run.trailing_zeros() as usize);
    for chunk in block.chunks_exact_mut(run) {
        let factor = table.rows[patterns.next()][0];
        for x in chunk {
            *x = s.mul(factor, *x);
        }
    }
}

fn diagonal_tiles<S: Semiring>(s: S, step: &Step<S::Value>, block: &mut [S::Value]) {
    let mut patterns = Patterns::new(&step.columns, TILE_BITS);
    for tile in block.as_chunks_mut::<TILE>().0 {
        let factors = &step.table.tiles[patterns.next()][0];
        for k in 0..TILE {
            tile[k] = s.mul(factors[k], tile[k]);
        }
    }
}

fn add<S: Semiring>(s: S, step: &Step<S::Value>, v: &mut Vec<S::Value>) {
    let Step { op, columns, table } = step;
    let half = v.len();
    v.extend_from_within(..);
    let (up, down) = v.split_at_mut(half);
    let run = 1usize << run_bits(op, columns, op.bits as usize);
    let mut patterns = Patterns::new(columns, run.trailing_zeros() as usize);
    for (up, down) in up.chunks_exact_mut(run).zip(down.chunks_exact_mut(run)) {
        let [plus, _, minus, _] = table.rows[patterns.next()];
        for (x, y) in up.iter_mut().zip(down) {
            *x = s.mul(plus, *x);
            *y = s.mul(minus, *y);
        }
    }
}

fn remove<S: Semiring>(s: S, slot: usize, v: &mut Vec<S::Value>) {
    let half = 1usize << slot;
    let length = v.len() / 2;
    // The sums close ranks: entry k is written after all that is read for the entries before it.
    if half < TILE {
        for k in 0..length {
            let up = (2 * (k & !(half - 1))) | (k & (half - 1));
            v[k] = s.add(v[up], v[up + half]);
        }
    } else {
        let (first, _) = v.split_at_mut(2 * half);
        let (up, down) = first.split_at_mut(half);
        for (x, &y) in up.iter_mut().zip(&*down) {
            *x = s.add(*x, y);
        }
        for k in 1..length / half {
            let (done, left) = v.split_at_mut(2 * k * half);
            let (up, down) = left[..2 * half].split_at(half);
            for ((x, &a), &b) in done[k * half..(k + 1) * half].iter_mut().zip(up).zip(down) {
                *x = s.add(a, b);
            }
        }
    }
    v.truncate(length);
}
