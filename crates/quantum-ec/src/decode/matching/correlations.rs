//! Edges that mechanisms flip together.

use std::collections::HashMap;

use crate::dem::xor_probability;

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
    /// Mechanism by mechanism, where its edges begin.
    first_of_mechanism: Vec<u32>,
    edges_of_mechanism: Vec<u32>,
}

impl Correlations {
    /// Nothing is known.
    pub(super) fn none(n_edges: usize) -> Self {
        Self {
            first: vec![0; n_edges + 1],
            implied: Vec::new(),
            first_of_mechanism: vec![0],
            edges_of_mechanism: Vec::new(),
        }
    }

    /// From `(mechanism, edge)` in ascending order of mechanisms, the probability of a mechanism (asked in ascending order),
    /// and those of edges.
    pub(super) fn new(
        pairs: &[(usize, u32)],
        mut of_mechanism: impl FnMut(usize) -> f64,
        probabilities: &[f64],
    ) -> Self {
        let n_mechanisms = pairs.last().map_or(0, |(mechanism, _)| mechanism + 1);
        let mut result = Self::none(probabilities.len());
        result.first_of_mechanism = vec![0; n_mechanisms + 1];
        result.edges_of_mechanism = pairs.iter().map(|(_, edge)| *edge).collect();
        for (mechanism, _) in pairs {
            result.first_of_mechanism[mechanism + 1] += 1;
        }
        for m in 0..n_mechanisms {
            result.first_of_mechanism[m + 1] += result.first_of_mechanism[m];
        }
        let mut known: HashMap<(u32, u32), usize> = HashMap::new();
        let mut joint: Vec<(u32, u32, f64)> = Vec::new();
        for group in pairs.chunk_by(|x, y| x.0 == y.0) {
            if group.len() < 2 {
                continue;
            }
            let p = of_mechanism(group[0].0);
            for (i, &(_, a)) in group.iter().enumerate() {
                for &(_, b) in &group[i + 1..] {
                    // A mechanism with the same edge twice does not flip it.
                    if a != b {
                        let key = (a.min(b), a.max(b));
                        let at = *known.entry(key).or_insert(joint.len());
                        match joint.get_mut(at) {
                            None => joint.push((key.0, key.1, p)),
                            Some((_, _, q)) => *q = xor_probability(*q, p),
                        }
                    }
                }
            }
        }
        for &(a, b, _) in &joint {
            result.first[a as usize + 1] += 1;
            result.first[b as usize + 1] += 1;
        }
        for e in 0..probabilities.len() {
            result.first[e + 1] += result.first[e];
        }
        let mut next = result.first.clone();
        result.implied = vec![(0, 0.0); 2 * joint.len()];
        for &(a, b, p) in &joint {
            for (given, other) in [(a, b), (b, a)] {
                // Without its edge being possible nothing follows from it: the ratio is then not a number and not used.
                let conditional = (p / probabilities[given as usize]).min(0.5);
                let at = &mut next[given as usize];
                result.implied[*at as usize] = (other, (-conditional).ln_1p() - conditional.ln());
                *at += 1;
            }
        }
        result
    }

    /// The edges that are more likely if this one is flipped, with their weights then.
    pub(super) fn implied_by(&self, edge: u32) -> &[(u32, f64)] {
        &self.implied[self.range(edge)]
    }

    /// The place of that list among all.
    pub(super) fn range(&self, edge: u32) -> std::ops::Range<usize> {
        self.first[edge as usize] as usize..self.first[edge as usize + 1] as usize
    }

    /// All lists, edge by edge.
    pub(super) fn all_implied(&self) -> &[(u32, f64)] {
        &self.implied
    }

    /// The edges of a mechanism.
    pub(super) fn edges_of(&self, mechanism: usize) -> &[u32] {
        match self.first_of_mechanism.get(mechanism..mechanism + 2) {
            Some(&[from, to]) => &self.edges_of_mechanism[from as usize..to as usize],
            _ => &[],
        }
    }
}
