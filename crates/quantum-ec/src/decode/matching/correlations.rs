//! Edges that mechanisms flip together.

use crate::dem::xor_probability;

/// The edges that each mechanism flips together.
#[derive(Debug, Clone)]
pub(super) struct Mechanisms {
    /// Mechanism by mechanism, where its edges begin.
    first: Vec<u32>,
    edges: Vec<u32>,
    priors: Vec<f64>,
}

impl Mechanisms {
    /// Nothing is known of them.
    pub(super) fn none() -> Self {
        Self { first: vec![0], edges: Vec::new(), priors: Vec::new() }
    }

    /// Adds an edge to the last mechanism or to one after it.
    pub(super) fn push(&mut self, mechanism: usize, prior: f64, edge: u32) {
        let end = self.edges.len() as u32;
        self.first.resize(mechanism + 1, end);
        self.first.push(end + 1);
        self.priors.resize(mechanism, 0.0);
        self.priors.push(prior);
        self.edges.push(edge);
    }

    /// The edges of a mechanism.
    pub(super) fn edges_of(&self, mechanism: usize) -> &[u32] {
        match self.first.get(mechanism..mechanism + 2) {
            Some(&[from, to]) => &self.edges[from as usize..to as usize],
            _ => &[],
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (u32, u32, f64)> + '_ {
        // A mechanism with the same edge twice does not flip it.
        let of = |mechanism: usize| {
            let edges = self.edges_of(mechanism);
            edges.iter().enumerate().flat_map(move |(i, &a)| {
                edges[i + 1..].iter().filter(move |b| **b != a).map(move |&b| (a.min(b), a.max(b)))
            })
        };
        self.priors.iter().enumerate().flat_map(move |(mechanism, &p)| of(mechanism).map(move |(a, b)| (a, b, p)))
    }
}

/// For every edge, what is known of others once it is flipped.
///
/// A mechanism with several edges flips them at once. With $`p_{ab}`$ the probability that mechanisms shared by a and b
/// flip both, and $`p_a`$ that of edge a, edge b is flipped with probability $`p_{ab}/p_a`$ given that a is, at most 1/2
/// being used.
#[derive(Debug, Clone)]
pub(super) struct Correlations {
    /// Edge by edge, where its list begins.
    first: Vec<u32>,
    /// The other edge and its weight.
    implied: Vec<(u32, f64)>,
}

impl Correlations {
    /// Nothing is known.
    pub(super) fn none() -> Self {
        Self { first: Vec::new(), implied: Vec::new() }
    }

    /// From mechanisms and the probabilities of edges. Time and memory grow with the pairs of edges of all mechanisms.
    pub(super) fn new(mechanisms: &Mechanisms, probabilities: &[f64]) -> Self {
        let n = probabilities.len();
        // Pairs by the edge with the lower number.
        let mut begin = vec![0u32; n + 2];
        mechanisms.pairs().for_each(|(a, _, _)| begin[a as usize + 2] += 1);
        for e in 2..n + 2 {
            begin[e] += begin[e - 1];
        }
        let mut by_edge = vec![(0u32, 0.0); begin[n + 1] as usize];
        for (a, b, p) in mechanisms.pairs() {
            let at = &mut begin[a as usize + 1];
            by_edge[*at as usize] = (b, p);
            *at += 1;
        }
        // Equal pairs are one.
        let mut last_seen = vec![(u32::MAX, 0usize); n];
        let mut joint: Vec<(u32, u32, f64)> = Vec::new();
        let mut first = vec![0u32; n + 2];
        for a in 0..n {
            for &(b, p) in &by_edge[begin[a] as usize..begin[a + 1] as usize] {
                let (given, at) = last_seen[b as usize];
                if given == a as u32 {
                    let q = &mut joint[at].2;
                    *q = xor_probability(*q, p);
                } else {
                    last_seen[b as usize] = (a as u32, joint.len());
                    joint.push((a as u32, b, p));
                    first[a + 2] += 1;
                    first[b as usize + 2] += 1;
                }
            }
        }
        for e in 2..n + 2 {
            first[e] += first[e - 1];
        }
        let mut implied = vec![(0, 0.0); 2 * joint.len()];
        for &(a, b, p) in &joint {
            for (given, other) in [(a, b), (b, a)] {
                // Without its edge being possible nothing follows from it: the ratio is then not a number.
                let ratio = p / probabilities[given as usize];
                let conditional = if ratio.is_nan() { 0.0 } else { ratio.min(0.5) };
                let at = &mut first[given as usize + 1];
                implied[*at as usize] = (other, (-conditional).ln_1p() - conditional.ln());
                *at += 1;
            }
        }
        first.pop();
        Self { first, implied }
    }

    /// Number of edges that something is known of.
    pub(super) fn n_edges(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    /// The edges that are more likely if this one is flipped, with their weights then.
    pub(super) fn implied_by(&self, edge: usize) -> &[(u32, f64)] {
        &self.implied[self.first[edge] as usize..self.first[edge + 1] as usize]
    }
}
