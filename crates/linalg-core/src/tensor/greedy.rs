//! Contraction orders pair by pair.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rand::{Rng, RngExt};

use super::network::Network;
use super::tree::{ContractionTree, Counted, leaf, merge, size_of};
use crate::Result;

/// Of a leg with many tensors, how many are considered as partners.
const PARTNERS: usize = 16;

/// A pair and the reason to contract it; the smallest comes first, ties by number.
#[derive(Debug, PartialEq)]
struct Candidate {
    score: f64,
    pair: [u32; 2],
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then_with(|| other.pair.cmp(&self.pair))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The contraction under construction.
struct Greedy<'a, R: ?Sized> {
    network: &'a Network,
    legs: Vec<Counted>,
    size: Vec<f64>,
    alive: Vec<bool>,
    members: Vec<Vec<u32>>,
    living: Vec<u32>,
    queue: BinaryHeap<Candidate>,
    steps: Vec<[usize; 2]>,
    alpha: f64,
    temperature: f64,
    rng: &'a mut R,
}

/// Contracts again and again the pair with the least `size(out) - alpha (size(a) + size(b))`.
///
/// At a temperature above 0 scores get Gumbel noise in the logarithm: pairs are drawn with Boltzmann weights.
pub(super) fn greedy<R: Rng + ?Sized>(
    network: &Network,
    alpha: f64,
    temperature: f64,
    rng: &mut R,
) -> Result<ContractionTree> {
    let n = network.tensors().len();
    let legs: Vec<Counted> = network.tensors().iter().map(|legs| leaf(network, legs)).collect();
    let size = legs.iter().map(|legs| size_of(network, legs)).collect();
    let mut members = vec![Vec::new(); network.dims().len()];
    for (node, legs) in legs.iter().enumerate() {
        for &(leg, _) in legs {
            members[leg as usize].push(node as u32);
        }
    }
    let living = members.iter().map(|nodes| nodes.len() as u32).collect();
    let alive = vec![true; n];
    let steps = Vec::with_capacity(n);
    let queue = BinaryHeap::new();
    let mut state = Greedy { network, legs, size, alive, members, living, queue, steps, alpha, temperature, rng };
    for node in 0..n {
        // Each pair once: with the partners after it.
        state.propose(node, true);
    }
    loop {
        while let Some(Candidate { pair: [a, b], .. }) = state.queue.pop() {
            if state.alive[a as usize] && state.alive[b as usize] {
                state.join(a as usize, b as usize);
            }
        }
        // Partners left out above.
        let connected: Vec<usize> = (0..state.alive.len())
            .filter(|&v| state.alive[v] && state.legs[v].iter().any(|&(leg, _)| state.living[leg as usize] > 1))
            .collect();
        if connected.is_empty() {
            break;
        }
        for node in connected {
            state.propose(node, false);
        }
    }
    state.join_parts();
    ContractionTree::new(n, state.steps)
}

impl<R: Rng + ?Sized> Greedy<'_, R> {
    fn propose(&mut self, node: usize, later_only: bool) {
        let mut partners = Vec::new();
        for &(leg, _) in &self.legs[node] {
            let members = &mut self.members[leg as usize];
            if members.len() > 2 * self.living[leg as usize] as usize {
                members.retain(|&v| self.alive[v as usize]);
            }
            let others = members.iter().copied().filter(|&v| v as usize != node && self.alive[v as usize]);
            if members.len() <= 2 * PARTNERS {
                partners.extend(others.filter(|&v| !later_only || v as usize > node));
            } else {
                let after = members.partition_point(|&v| v as usize <= node);
                let next = members[after..].iter().chain(members.iter().rev()).copied();
                partners.extend(next.filter(|&v| v as usize != node && self.alive[v as usize]).take(PARTNERS));
            }
        }
        partners.sort_unstable();
        partners.dedup();
        for partner in partners {
            let other = partner as usize;
            let (out, _) = merge(self.network, &self.legs[node], &self.legs[other]);
            let gain = size_of(self.network, &out) - self.alpha * (self.size[node] + self.size[other]);
            let mut score = gain.signum() * gain.abs().ln_1p();
            if self.temperature > 0.0 {
                let uniform: f64 = self.rng.random();
                score += self.temperature * (-(1.0 - uniform).ln()).max(f64::MIN_POSITIVE).ln();
            }
            self.queue.push(Candidate { score, pair: [node as u32, partner] });
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        let (out, _) = merge(self.network, &self.legs[a], &self.legs[b]);
        for node in [a, b] {
            self.alive[node] = false;
            for &(leg, _) in &self.legs[node] {
                self.living[leg as usize] -= 1;
            }
        }
        let node = self.legs.len();
        for &(leg, _) in &out {
            self.members[leg as usize].push(node as u32);
            self.living[leg as usize] += 1;
        }
        self.size.push(size_of(self.network, &out));
        self.legs[a] = Vec::new();
        self.legs[b] = Vec::new();
        self.legs.push(out);
        self.alive.push(true);
        self.steps.push([a, b]);
        self.propose(node, false);
    }

    /// Parts without common legs, the smallest first.
    fn join_parts(&mut self) {
        let mut parts: Vec<usize> = (0..self.alive.len()).filter(|&v| self.alive[v]).collect();
        parts.sort_by(|&a, &b| self.size[b].total_cmp(&self.size[a]).then(b.cmp(&a)));
        while let (Some(a), Some(b)) = (parts.pop(), parts.pop()) {
            self.join(a, b);
            let node = self.legs.len() - 1;
            let place = parts.partition_point(|&v| self.size[v] > self.size[node]);
            parts.insert(place, node);
        }
    }
}
