//! Sixteen chains, or rows of a batch, that are worked on together.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::Rng;

use super::bits::for_ones;
use super::matrix::{PackedRbm, means, sample_mask};
use super::{Lanes, Row, SHARD, WIDTH, valid};

/// States of up to 16 chains with their generator. What happens to a shard does not depend on other shards.
#[derive(Debug, Clone)]
pub(crate) struct Shard {
    /// Chains in use.
    pub(crate) n: usize,
    /// Masks of the visible units, a row for each chain.
    pub(crate) v: Vec<u64>,
    /// Masks of the hidden units.
    pub(crate) h: Vec<u64>,
    /// Means of the hidden units given the visible ones: panel by panel, 16 rows each.
    pub(crate) means: Vec<Row>,
    /// `-E(v, h)` of each chain, where it was asked for.
    pub(crate) ln_weight: [f64; SHARD],
    /// Inverse temperature.
    pub(crate) beta: f32,
    /// For every visible unit, the chains in which it is 1, as bits.
    pub(crate) columns: Vec<u16>,
    pub(crate) lanes: Lanes,
    words: [usize; 2],
}

/// What sampling the hidden units leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Means and a sample.
    Sample,
    /// The same, and the joint energies.
    Energy,
    /// The means alone; no random numbers are drawn.
    Means,
}

impl Shard {
    pub(crate) fn new<R: Rng + ?Sized>(rbm: &PackedRbm, n: usize, rng: &mut R) -> Self {
        let words = [rbm.n_visible.div_ceil(WIDTH), rbm.panels.len()];
        Self {
            n,
            v: vec![0; SHARD * words[0]],
            h: vec![0; SHARD * words[1]],
            means: vec![Row::ZERO; SHARD * words[1]],
            ln_weight: [0.0; SHARD],
            beta: 1.0,
            columns: vec![0; rbm.n_visible],
            lanes: Lanes::from_rng(rng),
            words,
        }
    }

    pub(crate) fn visible(&self, c: usize) -> &[u64] {
        &self.v[c * self.words[0]..][..self.words[0]]
    }

    pub(crate) fn set_visible(&mut self, c: usize, row: &[u64]) {
        self.v[c * self.words[0]..][..self.words[0]].copy_from_slice(row);
    }

    pub(crate) fn hidden(&self, c: usize) -> &[u64] {
        &self.h[c * self.words[1]..][..self.words[1]]
    }

    /// Exchanges the states of one chain with those of the same chain of another shard.
    pub(crate) fn exchange(&mut self, other: &mut Self, c: usize) {
        let [q, p] = self.words;
        self.v[c * q..(c + 1) * q].swap_with_slice(&mut other.v[c * q..(c + 1) * q]);
        self.h[c * p..(c + 1) * p].swap_with_slice(&mut other.h[c * p..(c + 1) * p]);
        std::mem::swap(&mut self.ln_weight[c], &mut other.ln_weight[c]);
    }

    /// Brings `columns` in line with the visible units.
    #[inline(always)]
    pub(crate) fn turn(&mut self) {
        self.columns.fill(0);
        let words = self.words[0];
        for c in 0..self.n {
            for_ones(&self.v[c * words..(c + 1) * words], |k| self.columns[k] |= 1 << c);
        }
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.write_u64s(&self.v).write_u64s(&self.h);
        self.lanes.save(out);
    }

    pub(crate) fn restore(&mut self, from: &mut Reader<'_>, rbm: &PackedRbm) -> Result<(), CheckpointError> {
        let sizes = [rbm.n_visible, rbm.n_hidden];
        for ((masks, words), n) in [&mut self.v, &mut self.h].into_iter().zip(self.words).zip(sizes) {
            let at = from.position();
            let read = from.read_u64s()?;
            if read.len() != masks.len() {
                return Err(CheckpointError::Length { at, expected: masks.len(), found: read.len() as u64 });
            }
            if read.iter().enumerate().any(|(k, mask)| mask & !valid(n, k % words) != 0) {
                return Err(CheckpointError::Invalid { what: "state of a chain", at });
            }
            *masks = read;
        }
        self.lanes = Lanes::read(from)?;
        Ok(())
    }
}

/// New visible units given the hidden ones, for all chains of the shards.
#[inline(always)]
pub(crate) fn sample_visible(rbm: &PackedRbm, shards: &mut [&mut Shard]) {
    // Panel by panel: its weights stay in the cache for all chains.
    for q in 0..rbm.visible_bias.len() {
        let valid = valid(rbm.n_visible, q);
        for shard in shards.iter_mut() {
            let words = shard.words[0];
            for c in 0..shard.n {
                let fields = rbm.visible_fields(q, &shard.h[c * shard.words[1]..][..shard.words[1]]);
                let p = means(&fields, shard.beta, u64::MAX);
                shard.v[c * words + q] = sample_mask(&p, &mut shard.lanes) & valid;
            }
        }
    }
}

/// Means of the hidden units given the visible ones, and what else is asked for.
#[inline(always)]
pub(crate) fn sample_hidden(rbm: &PackedRbm, shards: &mut [&mut Shard], leave: Leave) {
    if leave == Leave::Energy {
        for shard in shards.iter_mut() {
            for c in 0..shard.n {
                shard.ln_weight[c] = rbm.visible_energy(shard.visible(c));
            }
        }
    }
    for p in 0..rbm.panels.len() {
        let valid = valid(rbm.n_hidden, p);
        for shard in shards.iter_mut() {
            let words = shard.words[1];
            for c in 0..shard.n {
                let fields = rbm.hidden_fields(p, &shard.v[c * shard.words[0]..][..shard.words[0]]);
                let p_on = means(&fields, shard.beta, valid);
                shard.means[p * SHARD + c] = p_on;
                if leave == Leave::Means {
                    continue;
                }
                let mask = sample_mask(&p_on, &mut shard.lanes) & valid;
                shard.h[c * words + p] = mask;
                if leave == Leave::Energy {
                    let mut sum = 0.0;
                    for_ones(&[mask], |k| sum += f64::from(fields.0[k]));
                    shard.ln_weight[c] += sum;
                }
            }
        }
    }
}
