//! The gradient of 64 hidden units and the step along it, in one pass over their weights.
#![allow(clippy::needless_range_loop, reason = "loops over indices of fixed length are what vectorises")]

use crate::deep::{Rates, normal};
use crate::fast::mean_field::{Point, cumulants};
use crate::fast::shard::Shard;
use crate::fast::{Panel, Row, SHARD, WIDTH};
use linalg_core::simd::Work;

/// What training keeps beside a panel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PanelState {
    /// Momentum of the weights, or the mean of the gradient; empty without.
    pub(super) velocity: Vec<Row>,
    pub(super) bias_velocity: Row,
    /// Mean square of the gradient; empty without Adam.
    pub(super) square: Vec<Row>,
    pub(super) bias_square: Row,
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
    /// Rates of Adam, where it moves the parameters.
    pub(super) adam: Option<Rates>,
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
    pub(super) model: Model<'a>,
    pub(super) step: Step<'a>,
}

/// What the model is averaged over.
#[derive(Clone, Copy)]
pub(super) enum Model<'a> {
    Chains(&'a [Shard]),
    Points(u8, &'a [Point]),
}

impl Model<'_> {
    /// The number of chains or points.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Chains(shards) => shards.iter().map(|shard| shard.n).sum(),
            Self::Points(_, points) => points.len(),
        }
    }

    /// The sum of visible unit `i` over them.
    pub(super) fn visible(&self, i: usize) -> f32 {
        match self {
            Self::Chains(shards) => shards.iter().map(|shard| shard.columns[i].count_ones()).sum::<u32>() as f32,
            Self::Points(_, points) => points.iter().map(|point| point.visible[i / WIDTH].0[i % WIDTH]).sum(),
        }
    }

    /// The sum of the hidden means of panel `p`.
    #[inline(always)]
    fn total(&self, p: usize) -> Row {
        match self {
            Self::Chains(shards) => total(shards, p),
            Self::Points(_, points) => {
                let mut sum = Row::ZERO;
                for point in *points {
                    for k in 0..WIDTH {
                        sum.0[k] += point.hidden[p].0[k];
                    }
                }
                sum
            }
        }
    }

    /// The sum of the products of visible unit `i` and the hidden units of panel `p`, with these weights between them.
    #[inline(always)]
    fn products(&self, p: usize, i: usize, w: &Row) -> Row {
        match self {
            Self::Chains(shards) => sum_of_ones(shards, p, i),
            Self::Points(order, points) => {
                let mut sum = Row::ZERO;
                for point in *points {
                    let [m, m2, m3] = cumulants(point.visible[i / WIDTH].0[i % WIDTH]);
                    let hidden = &point.hidden[p];
                    for k in 0..WIDTH {
                        let [n, n2, n3] = cumulants(hidden.0[k]);
                        let mut both = m * n;
                        if *order >= 2 {
                            both += w.0[k] * m2 * n2;
                        }
                        if *order >= 3 {
                            both += 0.5 * w.0[k] * w.0[k] * m3 * n3;
                        }
                        sum.0[k] += both;
                    }
                }
                sum
            }
        }
    }
}

/// What a step of Adam adds to a parameter, with the gradient of the likelihood: it goes up.
#[inline(always)]
pub(super) fn adam(g: f32, mean: &mut f32, square: &mut f32, rates: Rates) -> f32 {
    *mean = normal(0.9 * *mean + 0.1 * g);
    *square = normal(0.999 * *square + 0.001 * (g * g));
    rates.rate * (*mean * rates.mean_scale) / ((*square * rates.square_scale).sqrt() + 1e-8)
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
        let model_means = model.total(p);
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
            let (positive, negative) = (sum_of_ones(data, p, i), model.products(p, i, &panel.weights[i]));
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
                if step.adam.is_some() {
                    change.0[k] = g.0[k] - shrink;
                }
            }
            if let Some(rates) = step.adam {
                let (mean, square) = (&mut state.velocity[i], &mut state.square[i]);
                for k in 0..WIDTH {
                    change.0[k] = adam(change.0[k], &mut mean.0[k], &mut square.0[k], rates);
                }
            } else if !state.velocity.is_empty() {
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
            if let Some(rates) = step.adam {
                panel.bias.0[k] += adam(bias_gradient.0[k], velocity, &mut state.bias_square.0[k], rates);
            } else {
                *velocity = step.momentum * *velocity + step.rate * bias_gradient.0[k];
                panel.bias.0[k] += *velocity;
            }
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
