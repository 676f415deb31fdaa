//! Cutting a contraction into independent pieces of less memory.

use super::dense::Leg;
use super::network::Network;
use super::tree::{ContractionTree, Shape};
use crate::{Error, Result};

/// What the memory of a contraction has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The value: tensors are dropped when they have been used.
    Value,
    /// All intermediates, for a backward pass.
    Gradient,
}

/// More pieces than two to this power are never made.
const MAX_LOG2_SLICES: f64 = 30.0;

/// Legs to fix, one after another, until the largest memory of a piece is within a budget.
///
/// Each piece is the contraction with these legs at one combination of values; the sum of the pieces is the whole. The
/// legs are chosen one by one for the least total work.
///
/// Memory is counted in bytes of intermediate tensors and copies; the given tensors are not counted.
///
/// ```
/// use linalg_core::tensor::{Contraction, Keep, Network, OrderParams, slice_to_budget};
///
/// // A ring of ten matrices of 100 x 100: too large for 100 kB unless legs are fixed.
/// let legs = (0..10).map(|t| vec![t, (t + 1) % 10]).collect();
/// let ring = Network::new(vec![100; 10], legs, vec![])?;
/// let tree = OrderParams::default().find(&ring)?;
/// assert!(slice_to_budget(&ring, &tree, 8, 1 << 20, Keep::Value)?.is_empty());
/// assert!(!slice_to_budget(&ring, &tree, 8, 100_000, Keep::Value)?.is_empty());
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::MemoryBudget`] when no slicing found is within the budget, with the least number of bytes that one needs.
pub fn slice_to_budget(
    network: &Network,
    tree: &ContractionTree,
    entry_bytes: usize,
    budget: usize,
    keep: Keep,
) -> Result<Vec<Leg>> {
    let bytes = |shape: &Shape| {
        entry_bytes as f64
            * match keep {
                Keep::Value => shape.peak,
                Keep::Gradient => shape.kept,
            }
    };
    let mut legs: Vec<Leg> = Vec::new();
    let mut shape = Shape::new(network, tree);
    let mut least = bytes(&shape);
    let mut log2_slices = 0.0;
    while bytes(&shape) > budget as f64 {
        let largest = shape.size.iter().copied().fold(0.0, f64::max);
        let mut candidates: Vec<Leg> = (0..shape.size.len())
            .filter(|&node| shape.size[node] > 0.3 * largest)
            .flat_map(|node| shape.legs[node].iter().map(|&(leg, _)| leg))
            .filter(|&leg| !network.open().contains(&leg) && network.dim(leg) > 1)
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut best: Option<(f64, Leg, Shape)> = None;
        for leg in candidates {
            legs.push(leg);
            let sliced = Shape::new(&network.without(&legs), tree);
            legs.pop();
            let work = sliced.work * network.dim(leg) as f64;
            if best.as_ref().is_none_or(|(least, ..)| work < *least) {
                best = Some((work, leg, sliced));
            }
        }
        let Some((_, leg, sliced)) = best else { break };
        log2_slices += (network.dim(leg) as f64).log2();
        if log2_slices > MAX_LOG2_SLICES {
            break;
        }
        legs.push(leg);
        shape = sliced;
        least = least.min(bytes(&shape));
    }
    if bytes(&shape) > budget as f64 {
        return Err(Error::MemoryBudget { least, budget });
    }
    Ok(legs)
}
