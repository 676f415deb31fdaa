//! Exact minimum-weight perfect matching of a general weighted graph.
//!
//! A perfect matching pairs all vertices along edges; [`minimum_weight_perfect_matching`] finds one of least total
//! weight, and [`Matching::verify`] proves it. Weights are integers: nothing is rounded.
//!
//! # Method
//! Edmonds's blossom algorithm on the dual
//!
//! ```math
//! \max \sum_v y_v - \sum_B z_B \frac{|B| - 1}{2}, \qquad z_B \ge 0, \qquad
//! s_{uv} = w_{uv} - y_u - y_v + \sum_{B \ni u, v} z_B \ge 0 ,
//! ```
//!
//! where B runs over the odd sets of vertices. Feasible duals and a matching on tight edges ($`s_{uv} = 0`$) come from
//! a greedy start. Each exposed vertex in turn then roots an alternating tree of tight edges, which moves its duals
//! until an augmenting path appears. Odd cycles of tight edges shrink to blossoms and stay shrunk from one tree to the
//! next. Events are held in a binary heap by the time at which they are due, duals are stored such that nothing is
//! touched while time passes, and only what the tree reaches costs anything. The earliest edge to another exposed
//! vertex bounds the search, and no event after it is stored.
//!
//! One tree costs O(M ln N) unless vertices fall out of expanding blossoms and are scanned again, which happens at most
//! once for each level of nesting. Trees number N/2 at most. In graphs where near vertices are joined most
//! trees are small, and the cost grows little faster than M ln N.
//!
//! # References
//! - J. Edmonds, "Paths, trees, and flowers", Can. J. Math. 17, 449 (1965); "Maximum matching and a polyhedron with
//!   0,1-vertices", J. Res. Natl. Bur. Stand. B 69, 125 (1965).
//! - Z. Galil, "Efficient algorithms for finding maximum matching in graphs", ACM Comput. Surv. 18, 23 (1986).
//! - W. Cook and A. Rohe, "Computing minimum-weight perfect matchings", INFORMS J. Comput. 11, 138 (1999).
//! - V. Kolmogorov, "Blossom V: a new implementation of a minimum cost perfect matching algorithm", Math. Prog. Comp.
//!   1, 43 (2009).

mod arcs;
mod certificate;
mod events;
mod initial;
mod laminar;
mod search;
#[cfg(test)]
mod tests;

pub use certificate::{Duals, Violation};

use crate::error::{Error, Result};
use arcs::Arcs;
use search::Search;

/// A perfect matching of least weight, with the duals that prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Matching {
    /// The vertex that each vertex is paired with.
    pub mate: Vec<usize>,
    /// Positions of the matched edges in the edge list, ascending.
    pub edges: Vec<usize>,
    /// Sum of their weights.
    pub weight: i64,
    /// The proof that no perfect matching is lighter.
    pub duals: Duals,
}

/// The largest absolute weight allowed with this many vertices: $`2^{63} / (128 (N + 1))`$, rounded down.
///
/// No number in a search exceeds $`128 (N + 1) W`$ with $`W = \max |w|`$. Vertex duals, doubled, start between
/// $`-W`$ and $`3 W`$. A tree raises the dual objective by as much as its root, and before the last tree the objective
/// stays between $`-N W`$ and $`4 N W`$; so all times together are at most $`5 N W`$. The last tree, if it cannot be
/// augmented, adds at most $`(15 N + 5) W`$. A dual as of time 0 has changed by all times and, once more, by the last:
/// at most $`(35 N + 13) W`$. A slack holds two of these and $`2 W`$.
///
/// ```
/// use linalg_core::graph::matching::max_weight;
///
/// assert_eq!(max_weight(0), (1 << 56) - 1);
/// assert_eq!(max_weight(10_000), 7_205_038_899_902); // 7.2e12
/// ```
pub fn max_weight(n: usize) -> i64 {
    i64::MAX / 128 / i64::try_from(n).map_or(i64::MAX, |n| n.saturating_add(1))
}

/// A perfect matching of least weight of the graph on the vertices `0..n` with these edges `(u, v, weight)`.
///
/// Weights may be negative. Of parallel edges the lightest is taken; self-loops are never used. When several matchings
/// have the least weight, which one comes out depends on the order of the edges only. Without vertices the empty
/// matching is perfect.
///
/// See the [module](self) for method and cost. Memory is O(N + M).
///
/// # Errors
/// - [`Error::VertexOutOfBounds`] and [`Error::WeightTooLarge`] name the first edge concerned; the bound is
///   [`max_weight`].
/// - [`Error::OddVertices`] if n is odd.
/// - [`Error::NoPerfectMatching`] with the number of vertices that every matching leaves out, one that can be left out,
///   and a set of vertices that shows why.
///
/// # Panics
/// If there are $`2^{30}`$ vertices or edges, or more.
///
/// ```
/// use linalg_core::graph::matching::minimum_weight_perfect_matching;
///
/// // Two triangles, joined by one heavy edge: it must be taken.
/// //   0         3
/// //   | \  9  / |
/// //   |  2---5  |
/// //   | /     \ |
/// //   1         4
/// let edges = [(0, 1, 2), (1, 2, 1), (2, 0, 1), (3, 4, 2), (4, 5, 1), (5, 3, 1), (2, 5, 9)];
/// let matching = minimum_weight_perfect_matching(6, &edges)?;
/// assert_eq!(matching.mate, [1, 0, 5, 4, 3, 2]);
/// assert_eq!(matching.edges, [0, 3, 6]);
/// assert_eq!(matching.weight, 13);
/// assert_eq!(matching.verify(&edges), Ok(()));
/// # Ok::<(), linalg_core::Error>(())
/// ```
pub fn minimum_weight_perfect_matching(n: usize, edges: &[(usize, usize, i64)]) -> Result<Matching> {
    check(n, edges)?;
    let mut search = Search::new(n, Arcs::new(n, edges));
    for v in 0..n as u32 {
        if search.is_exposed(v) && !search.grow_from(v) {
            return Err(no_perfect_matching(n, edges));
        }
    }
    let duals = Duals::new(n, &search);
    let matched = search.into_matched();
    let mut mate = vec![0; n];
    let mut chosen = Vec::with_capacity(n / 2);
    let mut weight = 0;
    for (v, half) in matched.into_iter().enumerate() {
        let e = half as usize / 2;
        mate[v] = edges[e].0 ^ edges[e].1 ^ v;
        if v < mate[v] {
            chosen.push(e);
            weight += edges[e].2;
        }
    }
    chosen.sort_unstable();
    Ok(Matching { mate, edges: chosen, weight, duals })
}

fn check(n: usize, edges: &[(usize, usize, i64)]) -> Result<()> {
    let bound = max_weight(n);
    for (edge, &(u, v, value)) in edges.iter().enumerate() {
        if let Some(vertex) = [u, v].into_iter().find(|&vertex| vertex >= n) {
            return Err(Error::VertexOutOfBounds { edge, vertex, n_vertices: n });
        }
        if value.unsigned_abs() > bound.unsigned_abs() {
            return Err(Error::WeightTooLarge { edge, value, bound });
        }
    }
    if n.is_multiple_of(2) { Ok(()) } else { Err(Error::OddVertices { n_vertices: n }) }
}

/// The deficiency of the graph, by the same search with all weights 0.
///
/// A tree that cannot be augmented never takes part in an augmenting path later, and the inner vertices of all such
/// trees together form a set that leaves `unmatched` more odd components than it has vertices.
fn no_perfect_matching(n: usize, edges: &[(usize, usize, i64)]) -> Error {
    let unweighted: Vec<_> = edges.iter().map(|&(u, v, _)| (u, v, 0)).collect();
    let mut search = Search::new(n, Arcs::new(n, &unweighted));
    let mut exposed = Vec::new();
    let mut barrier = Vec::new();
    for v in 0..n as u32 {
        if search.is_exposed(v) && !search.grow_from(v) {
            exposed.push(v as usize);
            barrier.extend(search.bury().into_iter().map(|v| v as usize));
        }
    }
    barrier.sort_unstable();
    Error::NoPerfectMatching { vertex: exposed[0], unmatched: exposed.len(), barrier }
}
