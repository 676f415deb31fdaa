//! Minimum-weight perfect matching on detector graphs.
//!
//! An error mechanism that flips one or two detectors is an edge of weight $`w = \ln((1-p)/p)`$, to the boundary if it
//! flips one. The most likely set of edges with a given syndrome has the least total weight, which is
//! a matching of the defects along shortest paths:
//!
//! ```math
//! \min_{x \in \{0,1\}^E} \sum_e w_e x_e \quad \text{with} \quad \sum_{e \ni v} x_e = s_v \pmod 2 .
//! ```
//!
//! # Method
//! No distances between defects are ever listed. Regions grow around the defects on the graph itself, as duals of the
//! matching problem, at unit speed; what happens when they touch is Edmonds's algorithm: alternating trees, blossoms,
//! augmentation. Higgott and Gidney call this a sparse blossom. Four things are different here:
//!
//! - Before anything grows, defects take half of their lightest edge and then what their neighbours leave. Two such
//!   radii can meet on a common edge only, so one look at the neighbours proves them feasible, and defects that touch are
//!   paired. Below threshold most defects are settled like this, and growth starts from the others with their radii.
//! - Arcs of a node are sorted by weight. The next free node is a pointer into them; events between regions
//!   are pushed once, when one of the two comes or changes its speed, and checked when they are due. No node is searched
//!   for its next event.
//! - Events lie within one heaviest edge from now: a ring of 256 buckets, sorted when their turn comes.
//! - A path between two defects is listed when regions touch. Observables, weights and edges of any number are read from
//!   the paths of the final matching.
//!
//! # Exactness
//! Weights are rounded to multiples of $`w_{\max}/2^{28}`$, or not at all if all are integers below 2³⁰;
//! [`MatchingGraph::rounding`] has the bound on the error of one edge. The matching is exactly the best for the rounded
//! weights. The weight reported is the sum before rounding.
//!
//! Negative weights (p > 1/2) are taken first, together with the syndrome that they make, and the matching decides which of
//! them to take back. Edges with p = 0 are left out, edges with p = 1 are always taken and add nothing to the weight.
//!
//! # References
//! - O. Higgott and C. Gidney, "Sparse Blossom: correcting a million errors per core second with minimum-weight matching",
//!   Quantum 9, 1595 (2025), arXiv:2303.15933.
//! - E. Dennis, A. Kitaev, A. Landahl and J. Preskill, "Topological quantum memory", J. Math. Phys. 43, 4452 (2002).
//! - A. G. Fowler, "Optimal complexity correction of correlated errors in the surface code", arXiv:1310.0863 (2013).

mod belief;
mod choice;
mod correlations;
mod decoder;
mod decompose;
mod graph;
pub(in crate::decode) mod sparse_blossom;
mod windowed;

#[cfg(test)]
mod correlated_tests;
#[cfg(test)]
mod tests;

pub use belief::BeliefMatching;
pub use choice::MatchingChoice;
pub use decoder::Matching;
pub use graph::MatchingGraph;
pub use windowed::WindowedMatching;
