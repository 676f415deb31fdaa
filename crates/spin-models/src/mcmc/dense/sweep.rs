//! Sweeps of a group of replicas.

// Loops over a fixed length and several arrays at once are what becomes vector code.
#![allow(clippy::needless_range_loop)]

use linalg_core::rng::Xoshiro256PlusPlus;

use super::couplings::{BLOCK, DenseCouplings, Row};
use super::thresholds;
use crate::Spins;
use crate::mcmc::Dynamics;
use linalg_core::simd::Work;

/// Sweeps after which local fields are computed afresh.
pub(super) const REFRESH: u64 = 256;

/// The spins of a block that flipped in this sweep.
#[derive(Debug, Clone, Copy)]
struct Flipped {
    up: [u8; BLOCK],
    n_up: usize,
    down: [u8; BLOCK],
    n_down: usize,
}

impl Flipped {
    const NONE: Self = Self { up: [0; BLOCK], n_up: 0, down: [0; BLOCK], n_down: 0 };
}

/// One configuration with its local fields, in 32 bits.
#[derive(Debug, Clone)]
pub(crate) struct DenseReplica {
    /// ±1; 0 beyond the last spin.
    spins: Vec<Row>,
    /// External field and couplings, in the unit of the couplings.
    fields: Vec<Row>,
    thresholds: Vec<Row>,
    flipped: Flipped,
    rng: Xoshiro256PlusPlus,
    /// Energy in the unit of the couplings, without the constant of the model.
    pub energy: f64,
    best: f64,
    best_spins: Vec<Row>,
}

impl DenseReplica {
    /// Random spins from the same draws as [`Spins::random`].
    pub fn new(couplings: &DenseCouplings, mut rng: Xoshiro256PlusPlus) -> Self {
        let start = Spins::random(couplings.n, &mut rng);
        let mut spins = vec![Row::ZERO; couplings.blocks];
        for (i, &s) in start.iter().enumerate() {
            spins[i / BLOCK].0[i % BLOCK] = f32::from(s);
        }
        let rows = vec![Row::ZERO; couplings.blocks];
        let mut replica = Self {
            best_spins: spins.clone(),
            spins,
            fields: rows.clone(),
            thresholds: rows,
            flipped: Flipped::NONE,
            rng,
            energy: 0.0,
            best: f64::INFINITY,
        };
        replica.refresh(couplings);
        replica.measure(couplings);
        replica
    }

    /// The configuration of lowest energy after any sweep.
    pub fn best_spins(&self, n: usize) -> Spins {
        spins_of(&self.best_spins, n)
    }

    /// The lowest energy after any sweep, in the unit of the couplings.
    pub fn best(&self) -> f64 {
        self.best
    }

    /// All numbers, for comparison.
    #[cfg(test)]
    pub fn bits(&self) -> (Vec<u32>, [u64; 4], u64) {
        let rows = [&self.spins, &self.fields, &self.thresholds, &self.best_spins];
        let bits = rows.iter().flat_map(|rows| rows.iter().flat_map(|row| row.0.map(f32::to_bits))).collect();
        (bits, self.rng.state(), self.energy.to_bits())
    }

    #[cfg(test)]
    pub fn spins(&self, n: usize) -> Spins {
        spins_of(&self.spins, n)
    }

    /// Local fields from scratch: sums of 64 products in 32 bits, their sums in 64.
    #[inline(always)]
    fn refresh(&mut self, couplings: &DenseCouplings) {
        for c in 0..couplings.blocks {
            let mut sum = [0.0f64; BLOCK];
            for b in 0..couplings.blocks {
                let mut part = [0.0f32; BLOCK];
                for (row, s) in couplings.tile(b, c).iter().zip(self.spins[b].0) {
                    for k in 0..BLOCK {
                        part[k] += s * row.0[k];
                    }
                }
                for k in 0..BLOCK {
                    sum[k] += 0.5 * f64::from(part[k]);
                }
            }
            for k in 0..BLOCK {
                self.fields[c].0[k] = (sum[k] + f64::from(couplings.external[c].0[k])) as f32;
            }
        }
    }

    /// `-½ Σ s (h + field)`, and whether it is the lowest so far.
    #[inline(always)]
    fn measure(&mut self, couplings: &DenseCouplings) {
        let mut sum = [0.0f32; BLOCK];
        for ((s, h), external) in self.spins.iter().zip(&self.fields).zip(&couplings.external) {
            for k in 0..BLOCK {
                sum[k] += s.0[k] * (h.0[k] + external.0[k]);
            }
        }
        self.energy = -0.5 * sum.iter().map(|&x| f64::from(x)).sum::<f64>();
        if self.energy < self.best {
            self.best = self.energy;
            self.best_spins.copy_from_slice(&self.spins);
        }
    }

    /// Decides the 64 spins of a block one after the other; fields inside the block follow at once.
    #[inline(always)]
    fn decide(&mut self, couplings: &DenseCouplings, b: usize) {
        let tile = couplings.tile(b, b);
        let (s, h, t) = (&mut self.spins[b].0, &mut self.fields[b].0, &self.thresholds[b].0);
        let flipped = &mut self.flipped;
        (flipped.n_up, flipped.n_down) = (0, 0);
        for first in (0..BLOCK).step_by(16) {
            // Without a flip nothing changes: a look at 16 spins at once skips the hopeless.
            let mut any = 0;
            for k in first..first + 16 {
                any |= i32::from(s[k] * h[k] < t[k]);
            }
            if any == 0 {
                continue;
            }
            for k in first..first + 16 {
                if s[k] * h[k] < t[k] {
                    let sign = -s[k];
                    s[k] = sign;
                    // Both lists are written and one of them grows: no branch on a random sign.
                    let up = usize::from(sign > 0.0);
                    flipped.up[flipped.n_up & (BLOCK - 1)] = k as u8;
                    flipped.down[flipped.n_down & (BLOCK - 1)] = k as u8;
                    flipped.n_up += up;
                    flipped.n_down += 1 - up;
                    for j in 0..BLOCK {
                        h[j] += sign * tile[k].0[j];
                    }
                }
            }
        }
    }

    /// Adds the flips of a block to the fields of another one.
    #[inline(always)]
    fn spread(&mut self, tile: &[Row; BLOCK], c: usize) {
        let Flipped { up, n_up, down, n_down } = &self.flipped;
        let h = &mut self.fields[c].0;
        add_rows(h, tile, &up[..*n_up], |h, x| h + x);
        add_rows(h, tile, &down[..*n_down], |h, x| h - x);
    }
}

fn spins_of(rows: &[Row], n: usize) -> Spins {
    let mut spins = Spins::up(n);
    for (i, s) in spins.iter_mut().enumerate() {
        *s = if rows[i / BLOCK].0[i % BLOCK] > 0.0 { 1 } else { -1 };
    }
    spins
}

/// Adds or subtracts rows of a tile; eight at a time, summed in pairs, wait less for one another.
#[inline(always)]
fn add_rows(h: &mut [f32; BLOCK], tile: &[Row; BLOCK], rows: &[u8], add: impl Fn(f32, f32) -> f32) {
    let row = |k: u8| &tile[usize::from(k) & (BLOCK - 1)].0;
    let (eights, rest) = rows.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, i] in eights {
        let [a, b, c, d, e, f, g, i] = [row(a), row(b), row(c), row(d), row(e), row(f), row(g), row(i)];
        for k in 0..BLOCK {
            h[k] = add(h[k], ((a[k] + b[k]) + (c[k] + d[k])) + ((e[k] + f[k]) + (g[k] + i[k])));
        }
    }
    let (twos, last) = rest.as_chunks::<2>();
    for &[a, b] in twos {
        let (a, b) = (row(a), row(b));
        for k in 0..BLOCK {
            h[k] = add(h[k], a[k] + b[k]);
        }
    }
    for &a in last {
        let a = row(a);
        for k in 0..BLOCK {
            h[k] = add(h[k], a[k]);
        }
    }
}

/// A sweep of a group of replicas at every one of some temperatures.
pub(super) struct Sweeps<'a> {
    pub couplings: &'a DenseCouplings,
    pub replicas: &'a mut [DenseReplica],
    pub dynamics: Dynamics,
    pub betas: &'a [f64],
    /// Sweeps done before these.
    pub done: u64,
}

impl Work for Sweeps<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { couplings, replicas, dynamics, betas, done } = self;
        let pad = couplings.n % BLOCK;
        for (&beta, sweep) in betas.iter().zip(done..) {
            // At β = 0 every threshold is infinite, or 0 where the number was.
            let inverse = (0.5 / (beta * couplings.unit)).min(f64::from(f32::MAX)) as f32;
            for replica in replicas.iter_mut() {
                if sweep > 0 && sweep % REFRESH == 0 {
                    replica.refresh(couplings);
                }
                thresholds::fill(&mut replica.thresholds, dynamics, inverse, &mut replica.rng);
                if let Some(last) = replica.thresholds.last_mut().filter(|_| pad > 0) {
                    last.0[pad..].fill(f32::NEG_INFINITY);
                }
            }
            for b in 0..couplings.blocks {
                for replica in replicas.iter_mut() {
                    replica.decide(couplings, b);
                }
                for c in (0..couplings.blocks).filter(|&c| c != b) {
                    let tile = couplings.tile(b, c);
                    for replica in replicas.iter_mut() {
                        replica.spread(tile, c);
                    }
                }
            }
            for replica in replicas.iter_mut() {
                replica.measure(couplings);
            }
        }
    }
}
