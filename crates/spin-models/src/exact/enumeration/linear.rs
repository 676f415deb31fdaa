//! Blocks of weights by multiplication: no exponential a state.
//!
//! Where products of low and other spins involve one low spin each, the others act on the low spins as fields. The
//! weights of a block are then those of the low spins alone, tabulated once, times a product of one factor a spin.
//! Safe as long as all weights and partial products are far inside the range of `f64`, which the caller checks.

use super::boltzmann::exp_scaled;
use super::expand::fold;
use super::layout::{Layout, Scratch, Tables};
use super::sums::{Sums, UnitSums, Want};

/// What is fixed for all units.
#[derive(Debug)]
pub(super) struct Linear<'a> {
    layout: &'a Layout,
    tables: &'a Tables,
    /// The low spin of every coefficient of a block.
    low_spins: Vec<usize>,
    /// `e^{-βE}` of the low spins alone.
    inner_weights: Vec<f64>,
    beta: f64,
}

/// Scratch space of a unit.
#[derive(Debug, Default)]
pub(super) struct LinearWork {
    scratch: Scratch,
    rows: Vec<f64>,
    /// The weight of the block's first state from the other spins, then `e^{2βc}` of every row.
    factors: Vec<f64>,
    block: Vec<f64>,
    sums: UnitSums,
}

impl<'a> Linear<'a> {
    /// `None` when some product has several low spins and others.
    pub fn new(layout: &'a Layout, tables: &'a Tables, beta: f64) -> Option<Self> {
        let low_spins = layout.single_spins()?;
        let mut inner_weights = tables.inner.clone();
        exp_scaled(-beta, &mut inner_weights);
        Some(Self { layout, tables, low_spins, inner_weights, beta })
    }

    /// Sums over one unit, with weights `e^{-βE}`.
    pub fn unit(&self, unit: u64, want: Want, work: &mut LinearWork) -> Sums {
        let layout = self.layout;
        let size = 1 << layout.mid;
        layout.rows(self.tables, unit, &mut work.scratch, &mut work.rows);
        self.fill_factors(work);
        let mut sums = Sums::new(layout, want);
        sums.reference = 0.0;
        work.block.resize(1 << layout.low, 0.0);
        work.sums.blocks.resize(size, 0.0);
        let mut ratios = [1.0; 64];
        let ratios = &mut ratios[..layout.low];
        let mut down = [0.0; 64];
        let down = &mut down[..layout.low];
        if want == Want::Moments {
            work.sums.spins.resize(layout.low * size, 0.0);
        }
        for block in 0..size {
            for (row, &spin) in work.factors.chunks_exact(size).skip(1).zip(&self.low_spins) {
                ratios[spin] = row[block];
            }
            let base = work.factors[block];
            if want == Want::Weights {
                work.sums.blocks[block] = base * contract(&self.inner_weights, ratios, &mut work.block);
                continue;
            }
            let total = moments(&self.inner_weights, base, ratios, &mut work.block, &mut sums.table, down);
            work.sums.blocks[block] = total;
            for (row, down) in work.sums.spins.chunks_exact_mut(size).zip(&*down) {
                row[block] = total - 2.0 * down;
            }
        }
        if want == Want::Moments {
            sums.of.energy = self.energy(&sums.table, work);
            sums.absorb_blocks(layout, unit, &mut work.sums);
            sums.of.weight = work.sums.blocks[0];
        } else {
            sums.of.weight = fold(&mut work.sums.blocks, &mut [0.0; 64][..layout.mid]);
        }
        sums
    }

    /// First row: `e^{-β(c_0 + Σ c_l)}`, the other spins' part of the weight when all low spins are up. Further
    /// rows: `e^{2βc_l}`, the factor of turning spin l down.
    fn fill_factors(&self, work: &mut LinearWork) {
        let size = 1 << self.layout.mid;
        work.factors.clear();
        work.factors.extend_from_slice(&work.rows);
        let (base, others) = work.factors.split_at_mut(size);
        for row in others.chunks_exact_mut(size) {
            for (base, c) in base.iter_mut().zip(&*row) {
                *base += c;
            }
            exp_scaled(2.0 * self.beta, row);
        }
        exp_scaled(-self.beta, base);
    }

    /// `Σ w E` from the sums: every coefficient times the average of its product.
    fn energy(&self, table: &[f64], work: &LinearWork) -> f64 {
        let size = 1 << self.layout.mid;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut rows = work.rows.chunks_exact(size);
        let constant = dot(rows.next().unwrap_or(&[]), &work.sums.blocks);
        let fields: f64 = rows
            .zip(&self.low_spins)
            .map(|(row, &spin)| dot(row, &work.sums.spins[spin * size..(spin + 1) * size]))
            .sum();
        constant + fields + dot(&self.tables.inner, table)
    }
}

/// `Σ_s w_s Π_{i down in s} r_i`, by summing out the last two spins at a time.
fn contract(weights: &[f64], ratios: &[f64], scratch: &mut [f64]) -> f64 {
    let k = ratios.len();
    if k < 2 {
        return if k == 0 { weights[0] } else { weights[0] + ratios[0] * weights[1] };
    }
    let mut quarter = weights.len() / 4;
    let [r, q] = [ratios[k - 2], ratios[k - 1]];
    let (low, high) = weights.split_at(2 * quarter);
    let (a, b) = low.split_at(quarter);
    let (c, d) = high.split_at(quarter);
    for ((((out, a), b), c), d) in scratch.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *out = (a + r * b) + q * (c + r * d);
    }
    let mut left = k - 2;
    while left >= 2 {
        let len = quarter;
        quarter /= 4;
        let [r, q] = [ratios[left - 2], ratios[left - 1]];
        let (low, high) = scratch[..len].split_at_mut(2 * quarter);
        let (a, b) = low.split_at_mut(quarter);
        let (c, d) = high.split_at(quarter);
        for (((a, b), c), d) in a.iter_mut().zip(&*b).zip(c).zip(d) {
            *a = (*a + r * b) + q * (c + r * d);
        }
        left -= 2;
    }
    if left == 1 { scratch[0] + ratios[0] * scratch[1] } else { scratch[0] }
}

/// Adds the weights of a block to `table`; returns their sum, and in `down` the sums over the states with each spin
/// down.
fn moments(weights: &[f64], base: f64, ratios: &[f64], block: &mut [f64], table: &mut [f64], down: &mut [f64]) -> f64 {
    let Some((&last, ratios)) = ratios.split_last() else {
        table[0] += base * weights[0];
        return base * weights[0];
    };
    let half = weights.len() / 2;
    let block = &mut block[..half];
    block[0] = base;
    for (l, &ratio) in ratios.iter().enumerate() {
        let (up, down) = block[..2 << l].split_at_mut(1 << l);
        for (up, down) in up.iter().zip(down) {
            *down = ratio * up;
        }
    }
    // The last doubling, the low spins' own weights, the table and the first halving of the sum in one pass.
    let (weights_up, weights_down) = weights.split_at(half);
    let (table_up, table_down) = table.split_at_mut(half);
    let mut sums = [0.0; 4];
    let step = |factor: &mut f64, w_up: f64, w_down: f64, t_up: &mut f64, t_down: &mut f64, sum: &mut f64| {
        let up = w_up * *factor;
        let down = w_down * (last * *factor);
        *t_up += up;
        *t_down += down;
        *sum += down;
        *factor = up + down;
    };
    let (chunks, rest) = block.as_chunks_mut::<4>();
    let (w_up, w_up_rest) = weights_up.as_chunks::<4>();
    let (w_down, w_down_rest) = weights_down.as_chunks::<4>();
    let (t_up, t_up_rest) = table_up.as_chunks_mut::<4>();
    let (t_down, t_down_rest) = table_down.as_chunks_mut::<4>();
    for ((((f, wu), wd), tu), td) in chunks.iter_mut().zip(w_up).zip(w_down).zip(t_up).zip(t_down) {
        for j in 0..4 {
            step(&mut f[j], wu[j], wd[j], &mut tu[j], &mut td[j], &mut sums[j]);
        }
    }
    let rest = rest.iter_mut().zip(w_up_rest).zip(w_down_rest).zip(t_up_rest).zip(t_down_rest);
    for ((((f, &wu), &wd), tu), td) in rest {
        step(f, wu, wd, tu, td, &mut sums[0]);
    }
    let (down_last, down) = down.split_last_mut().expect("as many sums as ratios");
    *down_last = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    fold(block, down)
}
