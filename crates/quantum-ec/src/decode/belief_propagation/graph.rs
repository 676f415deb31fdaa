//! The Tanner graph of a decoding problem, brought to probabilities of at most 1/2.

use std::sync::Arc;

use linalg_core::gf2::BitVec;

use crate::problem::DecodingProblem;
use crate::shots::{ones, words_per_row};

/// The graph that all decoders of this family share.
///
/// A mechanism above 1/2 is taken to have happened, and its absence to be the mechanism: syndromes, observables and weights
/// are shifted by a constant. Mechanisms that never happen, and those without detectors, are not in the graph; of the
/// latter the prior decides.
#[derive(Debug)]
pub(crate) struct FactorGraph {
    pub(crate) n_detectors: usize,
    pub(crate) n_observables: usize,
    /// The mechanism of each bit of the graph.
    pub(crate) mechanisms: Vec<u32>,
    /// Check i owns the edges `check_starts[i]..check_starts[i + 1]`.
    pub(crate) check_starts: Vec<u32>,
    /// The bit of each edge, by checks.
    pub(crate) edge_bits: Vec<u32>,
    /// Bit j owns `bit_starts[j]..bit_starts[j + 1]` of the two lists below.
    pub(crate) bit_starts: Vec<u32>,
    pub(crate) bit_checks: Vec<u32>,
    pub(crate) bit_edges: Vec<u32>,
    /// `ln((1 - p)/p)` of each bit, at least 0.
    pub(crate) weights: Vec<f64>,
    /// The same, rounded.
    pub(crate) priors: Vec<f32>,
    observable_starts: Vec<u32>,
    observables: Vec<u32>,
    flipped: Vec<bool>,
    /// What the mechanisms above 1/2 do.
    shift_syndrome: Vec<u64>,
    shift_observables: BitVec,
    shift_weight: f64,
}

/// Prior log-likelihood ratios of mechanisms that never or always happen, in posteriors.
fn prior(p: f64) -> f64 {
    (-p).ln_1p() - p.ln()
}

impl FactorGraph {
    pub(crate) fn new(problem: &DecodingProblem) -> Arc<Self> {
        let mut shift_syndrome = vec![0; words_per_row(problem.n_detectors())];
        let mut shift_observables = BitVec::zeros(problem.n_observables());
        let mut shift_weight = 0.0;
        let mut graph_bits = Vec::new();
        for (j, &p) in problem.priors().iter().enumerate() {
            if p > 0.5 {
                problem.checks().column(j).iter().for_each(|&i| shift_syndrome[i / 64] ^= 1 << (i % 64));
                problem.observables().column(j).iter().for_each(|&i| shift_observables.flip(i));
                // What always happens is no choice.
                shift_weight += if p < 1.0 { problem.weight(j) } else { 0.0 };
            }
            if p > 0.0 && p < 1.0 && !problem.checks().column(j).is_empty() {
                graph_bits.push(j as u32);
            }
        }
        let mut degrees = vec![0u32; problem.n_detectors()];
        let (mut bit_starts, mut bit_checks) = (vec![0], Vec::new());
        let (mut observable_starts, mut observables) = (vec![0], Vec::new());
        for &j in &graph_bits {
            for &i in problem.checks().column(j as usize) {
                degrees[i] += 1;
                bit_checks.push(i as u32);
            }
            bit_starts.push(bit_checks.len() as u32);
            observables.extend(problem.observables().column(j as usize).iter().map(|&i| i as u32));
            observable_starts.push(observables.len() as u32);
        }
        let mut check_starts = vec![0u32];
        degrees.iter().for_each(|d| check_starts.push(check_starts.last().expect("never empty") + d));
        let mut next = check_starts.clone();
        let mut edge_bits = vec![0; bit_checks.len()];
        let mut bit_edges = Vec::with_capacity(bit_checks.len());
        for bit in 0..graph_bits.len() {
            for &i in &bit_checks[bit_starts[bit] as usize..bit_starts[bit + 1] as usize] {
                let edge = &mut next[i as usize];
                edge_bits[*edge as usize] = bit as u32;
                bit_edges.push(*edge);
                *edge += 1;
            }
        }
        let weights: Vec<f64> = graph_bits.iter().map(|&j| problem.weight(j as usize).abs()).collect();
        Arc::new(Self {
            n_detectors: problem.n_detectors(),
            n_observables: problem.n_observables(),
            check_starts,
            edge_bits,
            bit_starts,
            bit_checks,
            bit_edges,
            priors: weights.iter().map(|&w| w as f32).collect(),
            weights,
            observable_starts,
            observables,
            flipped: problem.priors().iter().map(|&p| p > 0.5).collect(),
            mechanisms: graph_bits,
            shift_syndrome,
            shift_observables,
            shift_weight,
        })
    }

    /// Number of mechanisms in the graph.
    pub(crate) fn n_bits(&self) -> usize {
        self.mechanisms.len()
    }

    /// The bits of a check.
    #[inline]
    pub(crate) fn check(&self, i: usize) -> &[u32] {
        &self.edge_bits[self.check_starts[i] as usize..self.check_starts[i + 1] as usize]
    }

    /// The checks of a bit.
    #[inline]
    pub(crate) fn bit(&self, j: usize) -> &[u32] {
        &self.bit_checks[self.bit_starts[j] as usize..self.bit_starts[j + 1] as usize]
    }

    /// The largest number of bits of a check.
    pub(crate) fn max_degree(&self) -> usize {
        self.check_starts.windows(2).map(|w| (w[1] - w[0]) as usize).max().unwrap_or(0)
    }

    /// The syndrome that the bits of the graph have to explain.
    pub(crate) fn shifted(&self, syndrome: &[u64], out: &mut Vec<u64>) {
        out.clear();
        out.extend(syndrome.iter().zip(&self.shift_syndrome).map(|(a, b)| a ^ b));
    }

    /// The observables that a set of bits flips, and its weight.
    pub(crate) fn predict(&self, bits: &[u32], observables: &mut BitVec) -> f64 {
        // In place: cloning would allocate.
        if observables.len() != self.n_observables {
            *observables = BitVec::zeros(self.n_observables);
        }
        observables.clear();
        observables.xor_assign(&self.shift_observables);
        let mut weight = self.shift_weight;
        for &bit in bits {
            let bit = bit as usize;
            // Of a mechanism above 1/2 this undoes its share of the shift.
            weight += self.weights[bit];
            let own = self.observable_starts[bit] as usize..self.observable_starts[bit + 1] as usize;
            self.observables[own].iter().for_each(|&i| observables.flip(i as usize));
        }
        weight
    }

    /// The mechanisms that a set of bits stands for.
    pub(crate) fn chosen(&self, bits: &[u32], priors: &[f64]) -> BitVec {
        let mut chosen: BitVec = priors.iter().map(|&p| p > 0.5).collect();
        bits.iter().for_each(|&bit| chosen.flip(self.mechanisms[bit as usize] as usize));
        chosen
    }

    /// Posterior log-likelihood ratios of all mechanisms from those of the bits of the graph.
    pub(crate) fn posteriors(&self, bits: &[f32], priors: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.extend(priors.iter().map(|&p| prior(p)));
        for (&j, &llr) in self.mechanisms.iter().zip(bits) {
            out[j as usize] = if self.flipped[j as usize] { -f64::from(llr) } else { f64::from(llr) };
        }
    }

    /// A check without bits whose syndrome bit is one.
    pub(crate) fn empty_check_violated(&self, shifted: &[u64]) -> Option<usize> {
        ones(shifted).find(|&i| self.check(i).is_empty())
    }
}
