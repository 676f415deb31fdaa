//! Stationary points of Plefka's expansion in `f32`, panel by panel: what [`Tap`](crate::partition::Tap) computes, for training.
#![allow(clippy::needless_range_loop, reason = "loops over indices of fixed length are what vectorises")]

use super::math::sigmoid;
use super::{PackedRbm, Row, WIDTH, valid};
use linalg_core::simd::Work;

/// Largest change of a mean with which a point counts as found.
const TOLERANCE: f32 = 1e-6;

/// Means of all units; 0 where a panel has no unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) visible: Vec<Row>,
    pub(crate) hidden: Vec<Row>,
}

impl Point {
    /// The hidden means given a row of data.
    pub(crate) fn at_row(machine: &PackedRbm, row: &[u64]) -> Self {
        let visible = row.iter().map(|mask| Row(std::array::from_fn(|k| (mask >> k & 1) as f32))).collect();
        let hidden = (0..machine.panels.len())
            .map(|p| super::means(&machine.hidden_fields(p, row), 1.0, valid(machine.n_hidden, p)))
            .collect();
        Self { visible, hidden }
    }
}

/// A layer's means and cumulants: `m`, `m - m²`, `(m - m²)(1 - 2m)`.
#[inline(always)]
pub(crate) fn cumulants(m: f32) -> [f32; 3] {
    let second = m - m * m;
    [m, second, second * (1.0 - 2.0 * m)]
}

/// Moves a point towards stationarity.
pub(crate) struct Solve<'a> {
    pub(crate) machine: &'a PackedRbm,
    pub(crate) order: u8,
    pub(crate) iterations: usize,
    pub(crate) point: &'a mut Point,
}

impl Work for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { machine, order, iterations, point } = self;
        for _ in 0..iterations {
            let mut change = 0.0f32;
            for p in 0..machine.panels.len() {
                let panel = &machine.panels[p];
                let mut sums = [panel.bias, Row::ZERO, Row::ZERO];
                for (rows, m) in panel.weights.chunks_exact(WIDTH).zip(&point.visible) {
                    add_terms(&mut sums, rows, m, order);
                }
                let valid = valid(machine.n_hidden, p);
                change = change.max(mix(&sums, &mut point.hidden[p], order, valid));
            }
            for q in 0..machine.visible_bias.len() {
                let mut sums = [machine.visible_bias[q], Row::ZERO, Row::ZERO];
                for (panel, m) in machine.panels.iter().zip(&point.hidden) {
                    add_terms(&mut sums, &panel.transposed[q * WIDTH..][..WIDTH], m, order);
                }
                let valid = valid(machine.n_visible, q);
                change = change.max(mix(&sums, &mut point.visible[q], order, valid));
            }
            if change <= TOLERANCE {
                break;
            }
        }
    }
}

/// Adds `W m`, `W² c_2(m)` and `W³ c_3(m)` of 64 units.
#[inline(always)]
fn add_terms(sums: &mut [Row; 3], rows: &[Row], means: &Row, order: u8) {
    let [first, second, third] = sums;
    for (row, &m) in rows.iter().zip(&means.0) {
        let [m, c2, c3] = cumulants(m);
        for k in 0..WIDTH {
            first.0[k] += row.0[k] * m;
        }
        if order >= 2 {
            for k in 0..WIDTH {
                second.0[k] += row.0[k] * row.0[k] * c2;
            }
        }
        if order >= 3 {
            for k in 0..WIDTH {
                third.0[k] += row.0[k] * row.0[k] * row.0[k] * c3;
            }
        }
    }
}

/// Moves 64 means half of the way to the right side of their equations; the largest difference before.
#[inline(always)]
fn mix([first, second, third]: &[Row; 3], means: &mut Row, order: u8, valid: u64) -> f32 {
    let mut largest = 0.0f32;
    let n = valid.count_ones() as usize;
    for k in 0..n {
        let m = means.0[k];
        let mut field = first.0[k];
        if order >= 2 {
            field += 0.5 * (1.0 - 2.0 * m) * second.0[k];
        }
        if order >= 3 {
            field += (1.0 - 6.0 * (m - m * m)) / 6.0 * third.0[k];
        }
        let new = sigmoid(field);
        largest = largest.max((new - m).abs());
        means.0[k] = 0.5 * (m + new);
    }
    largest
}
