//! The gradient of 64 hidden units and the step along it, in one pass over their weights.
#![allow(clippy::needless_range_loop, reason = "loops over indices of fixed length are what vectorises")]

use crate::fast::shard::Shard;
use crate::fast::{Panel, Row, SHARD, WIDTH};
use linalg_core::simd::Work;

/// What training keeps beside a panel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PanelState {
    /// Momentum of the weights; empty without momentum.
    pub(super) velocity: Vec<Row>,
    pub(super) bias_velocity: Row,
    /// Offsets of the hidden units.
    pub(super) offsets: Row,
    /// Fast weights; empty without.
    pub(super) fast: Vec<Row>,
    pub(super) fast_bias: Row,
    /// `Σ_j g_ij d_j` over the 64 units, for each visible unit.
    pub(super) corrections: Vec<f32>,
    /// Sum of the squares of the gradient.
    pub(super) squares: f64,
}

/// Numbers of one update.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) rate: f32,
    pub(super) momentum: f32,
    pub(super) l2: f32,
    pub(super) l1: f32,
    pub(super) centred: bool,
    pub(super) offset_rate: f32,
    pub(super) sparsity: Option<(f32, f32)>,
    /// Rate and decay of the fast weights.
    pub(super) fast: Option<(f32, f32)>,
    /// Offsets of the visible units.
    pub(super) offsets: &'a [f32],
    /// Data minus model means of the visible units.
    pub(super) visible: &'a [f32],
    /// One over the number of rows and of chains.
    pub(super) weights: [f32; 2],
}

/// The sum of the hidden means of panel `p` over rows with visible unit `i` set.
#[inline(always)]
fn sum_of_ones(shards: &[Shard], p: usize, i: usize) -> Row {
    let mut sum = Row::ZERO;
    for shard in shards {
        let rows = &shard.means[p * SHARD..][..SHARD];
        let mut left = shard.columns[i];
        while left != 0 {
            let row = &rows[left.trailing_zeros() as usize & (SHARD - 1)].0;
            for k in 0..WIDTH {
                sum.0[k] += row[k];
            }
            left &= left - 1;
        }
    }
    sum
}

/// The sum of the hidden means of panel `p` over all rows.
#[inline(always)]
fn total(shards: &[Shard], p: usize) -> Row {
    let mut sum = Row::ZERO;
    for shard in shards {
        for row in &shard.means[p * SHARD..][..shard.n] {
            for k in 0..WIDTH {
                sum.0[k] += row.0[k];
            }
        }
    }
    sum
}

/// The update of one panel.
pub(super) struct Update<'a> {
    pub(super) p: usize,
    pub(super) panel: &'a mut Panel,
    /// The panel that chains are sampled with, where it is not the same.
    pub(super) sampler: Option<&'a mut Panel>,
    pub(super) state: &'a mut PanelState,
    pub(super) data: &'a [Shard],
    pub(super) model: &'a [Shard],
    pub(super) step: Step<'a>,
}

#[inline(always)]
fn dot(x: &Row, y: &Row) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    for k in 0..WIDTH {
        sums[k % LANES] += x.0[k] * y.0[k];
    }
    let mut half = LANES / 2;
    while half > 0 {
        for k in 0..half {
            sums[k] += sums[k + half];
        }
        half /= 2;
    }
    sums[0]
}

impl Work for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { p, panel, sampler, state, data, model, step } = self;
        let [of_data, of_model] = step.weights;
        let data_means = total(data, p);
        let model_means = total(model, p);
        let mut hidden = Row::ZERO;
        for k in 0..WIDTH {
            let mean = of_data * data_means.0[k];
            hidden.0[k] = mean - of_model * model_means.0[k];
            if step.centred {
                state.offsets.0[k] += step.offset_rate * (mean - state.offsets.0[k]);
            }
        }
        let d = state.offsets;
        let mut bias_gradient = hidden;
        if let Some((target, strength)) = step.sparsity {
            for k in 0..WIDTH {
                bias_gradient.0[k] += strength * (target - of_data * data_means.0[k]);
            }
        }
        state.squares = 0.0;
        for i in 0..step.visible.len() {
            let (positive, negative) = (sum_of_ones(data, p, i), sum_of_ones(model, p, i));
            let mut g = Row::ZERO;
            for k in 0..WIDTH {
                g.0[k] = of_data * positive.0[k] - of_model * negative.0[k];
            }
            if step.centred {
                let (a, c) = (step.visible[i], step.offsets[i]);
                for k in 0..WIDTH {
                    g.0[k] -= d.0[k] * a + hidden.0[k] * c;
                    bias_gradient.0[k] -= c * g.0[k];
                }
                state.corrections[i] = dot(&g, &d);
            }
            state.squares += f64::from(dot(&g, &g));
            let w = &mut panel.weights[i];
            let mut change = Row::ZERO;
            for k in 0..WIDTH {
                let sign = if w.0[k] > 0.0 { 1.0 } else { -1.0 };
                let shrink = step.l2 * w.0[k] + if w.0[k] == 0.0 { 0.0 } else { step.l1 * sign };
                change.0[k] = step.rate * (g.0[k] - shrink);
            }
            if !state.velocity.is_empty() {
                let velocity = &mut state.velocity[i];
                for k in 0..WIDTH {
                    velocity.0[k] = step.momentum * velocity.0[k] + change.0[k];
                    change.0[k] = velocity.0[k];
                }
            }
            for k in 0..WIDTH {
                w.0[k] += change.0[k];
            }
            if let Some((rate, decay)) = step.fast {
                let fast = &mut state.fast[i];
                for k in 0..WIDTH {
                    fast.0[k] = decay * fast.0[k] + rate * g.0[k];
                }
            }
        }
        for k in 0..WIDTH {
            let velocity = &mut state.bias_velocity.0[k];
            *velocity = step.momentum * *velocity + step.rate * bias_gradient.0[k];
            panel.bias.0[k] += *velocity;
        }
        panel.transpose();
        if let (Some(sampler), Some((rate, decay))) = (sampler, step.fast) {
            for i in 0..step.visible.len() {
                for k in 0..WIDTH {
                    sampler.weights[i].0[k] = panel.weights[i].0[k] + state.fast[i].0[k];
                }
            }
            for k in 0..WIDTH {
                state.fast_bias.0[k] = decay * state.fast_bias.0[k] + rate * bias_gradient.0[k];
                sampler.bias.0[k] = panel.bias.0[k] + state.fast_bias.0[k];
            }
            sampler.transpose();
        }
    }
}
