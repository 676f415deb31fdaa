//! Contraction trees and what they cost.

use super::dense::Leg;
use super::network::Network;
use crate::{Error, Result};

/// The order in which pairs of tensors are contracted.
///
/// Node k below the number of leaves is tensor k; step s makes node `leaves + s` from two earlier ones. The last step
/// makes the result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ContractionTree {
    leaves: usize,
    steps: Vec<[usize; 2]>,
}

/// What a contraction costs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cost {
    /// Binary logarithm of the number of multiplications.
    pub log2_flops: f64,
    /// Binary logarithm of the number of entries of the largest tensor.
    pub log2_size: f64,
    /// Binary logarithm of the most entries that exist at one time, copies included.
    pub log2_peak: f64,
}

/// Legs below a node with the number of tensors below that have them, sorted; legs that are summed are gone.
pub(super) type Counted = Vec<(Leg, u32)>;

impl ContractionTree {
    /// A tree from its steps.
    ///
    /// # Errors
    /// [`Error::TooShort`] unless there is one step less than leaves, [`Error::IndexOutOfBounds`] for a node that does
    /// not exist yet, [`Error::Duplicate`] for a node used twice.
    pub fn new(leaves: usize, steps: Vec<[usize; 2]>) -> Result<Self> {
        if steps.len() + 1 != leaves {
            return Err(Error::TooShort {
                what: "contraction tree",
                got: steps.len(),
                needed: leaves.saturating_sub(1),
            });
        }
        let mut used = vec![false; leaves + steps.len()];
        for (s, step) in steps.iter().enumerate() {
            for &node in step {
                if node >= leaves + s {
                    return Err(Error::IndexOutOfBounds { what: "node", index: node, bound: leaves + s });
                }
                if std::mem::replace(&mut used[node], true) {
                    return Err(Error::Duplicate { what: "node", index: node });
                }
            }
        }
        Ok(Self { leaves, steps })
    }

    /// Number of tensors.
    pub fn leaves(&self) -> usize {
        self.leaves
    }

    /// The steps: which two nodes are contracted.
    pub fn steps(&self) -> &[[usize; 2]] {
        &self.steps
    }

    /// What the tree costs on a network. `O(n W)` for n tensors and W legs in the largest.
    ///
    /// # Panics
    /// If the network has another number of tensors.
    pub fn cost(&self, network: &Network) -> Cost {
        Shape::new(network, self).cost()
    }

    /// The same steps, ordered so that few tensors exist at one time: of two subtrees first the one that needs more.
    pub(super) fn depth_first(&self, shape: &Shape) -> Self {
        let n = self.leaves;
        let mut order = Vec::with_capacity(self.steps.len());
        let mut stack = vec![(n + self.steps.len()).wrapping_sub(1)];
        // Reversed preorder with the first subtree last is postorder.
        while let Some(node) = stack.pop() {
            if node >= n && !self.steps.is_empty() {
                order.push(node);
                let [a, b] = self.steps[node - n];
                let (first, second) = if shape.first_is_left[node - n] { (a, b) } else { (b, a) };
                stack.extend([first, second]);
            }
        }
        order.reverse();
        let mut name: Vec<usize> = (0..n + self.steps.len()).collect();
        for (s, &node) in order.iter().enumerate() {
            name[node] = n + s;
        }
        let steps = order.iter().map(|&node| self.steps[node - n].map(|child| name[child])).collect();
        Self { leaves: n, steps }
    }
}

/// Sizes of everything a tree makes.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) legs: Vec<Counted>,
    pub(super) size: Vec<f64>,
    pub(super) flops: f64,
    pub(super) work: f64,
    /// Most entries at one time when only the value is wanted, leaves not counted.
    pub(super) peak: f64,
    /// The same when all intermediates are kept for a backward pass.
    pub(super) kept: f64,
    pub(super) first_is_left: Vec<bool>,
}

impl Shape {
    pub(super) fn cost(&self) -> Cost {
        let largest = self.size.iter().copied().fold(1.0, f64::max);
        Cost { log2_flops: self.flops.log2(), log2_size: largest.log2(), log2_peak: self.peak.log2() }
    }

    pub(super) fn new(network: &Network, tree: &ContractionTree) -> Self {
        assert_eq!(tree.leaves, network.tensors().len(), "a tree of {} tensors", tree.leaves);
        let mut legs: Vec<Counted> = network.tensors().iter().map(|legs| leaf(network, legs)).collect();
        let mut size: Vec<f64> = legs.iter().map(|legs| size_of(network, legs)).collect();
        // Leaves exist anyway.
        let mut need = vec![0.0f64; legs.len()];
        let hold = |node: usize, size: &[f64]| if node < tree.leaves { 0.0 } else { size[node] };
        let (mut flops, mut work) = (0.0, 0.0);
        let mut first_is_left = Vec::with_capacity(tree.steps.len());
        let mut scratch: f64 = 0.0;
        for &[a, b] in &tree.steps {
            let (out, all) = merge(network, &legs[a], &legs[b]);
            let out_size = size_of(network, &out);
            flops += all;
            work += work_of(all, size[a], size[b], out_size);
            let copies = size[a] + size[b];
            scratch = scratch.max(copies);
            let last = hold(a, &size) + hold(b, &size) + out_size + copies;
            let left_first = need[a].max(hold(a, &size) + need[b]);
            let right_first = need[b].max(hold(b, &size) + need[a]);
            first_is_left.push(left_first <= right_first);
            need.push(left_first.min(right_first).max(last));
            legs.push(out);
            size.push(out_size);
        }
        let made: f64 = size.iter().sum();
        let peak = need.last().copied().unwrap_or(0.0).max(1.0);
        // Backwards there is an adjoint beside each node at worst, and a copy of one pair.
        Self { legs, size, flops: flops.max(1.0), work, peak, kept: 2.0 * made + scratch, first_is_left }
    }
}

/// The legs of a tensor that are not summed at once.
pub(super) fn leaf(network: &Network, legs: &[Leg]) -> Counted {
    let mut counted: Counted = legs.iter().filter(|&&leg| network.degree(leg) > 1).map(|&leg| (leg, 1)).collect();
    counted.sort_unstable();
    counted
}

pub(super) fn size_of(network: &Network, legs: &Counted) -> f64 {
    legs.iter().map(|&(leg, _)| network.dim(leg) as f64).product()
}

/// Legs of the product of two nodes, and its number of multiplications.
pub(super) fn merge(network: &Network, a: &Counted, b: &Counted) -> (Counted, f64) {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut p, mut q, mut all) = (0, 0, 1.0);
    while p < a.len() || q < b.len() {
        let (leg, count) = match (a.get(p), b.get(q)) {
            (Some(&x), Some(&y)) if x.0 == y.0 => {
                p += 1;
                q += 1;
                (x.0, x.1 + y.1)
            }
            (Some(&x), y) if y.is_none_or(|y| x.0 < y.0) => {
                p += 1;
                x
            }
            (_, Some(&y)) => {
                q += 1;
                y
            }
            _ => break,
        };
        all *= network.dim(leg) as f64;
        if count < network.degree(leg) {
            out.push((leg, count));
        }
    }
    (out, all)
}

/// Time of a contraction in units of one multiplication in a matrix product; moving an entry costs eight.
pub(super) fn work_of(flops: f64, a: f64, b: f64, out: f64) -> f64 {
    flops + 8.0 * (a + b + out)
}
