//! Why a graph is not planar.

use super::left_right::LeftRight;
use super::simple::Simple;
use crate::graph::csr::Csr;

/// The smallest k such that `kept` together with the first k of `candidates` is not planar, if there is one.
pub(super) fn first_critical(
    n_vertices: usize,
    kept: &[(usize, usize)],
    candidates: &[(usize, usize)],
) -> Option<usize> {
    let is_planar = |k: usize| {
        let edges = [kept, &candidates[..k]].concat();
        LeftRight::new(n_vertices, &edges).decide()
    };
    if is_planar(candidates.len()) {
        return None;
    }
    if !is_planar(0) {
        return Some(0);
    }
    // Planar with `low` candidates, not with `high`. More than 3 V - 6 edges are never planar.
    let mut low = 0;
    let mut high = candidates.len().min(3 * n_vertices);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_planar(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// Edges that form a subdivision of K₅ or K₃,₃, ascending; `None` if the graph is planar.
///
/// No edge of it can be spared: the rest is planar. Each edge found costs about $`\ln E / \ln 2`$ planarity tests, so a
/// subdivision of K edges takes $`O(K (V + E) \ln E)`$.
///
/// ```
/// use linalg_core::graph::{Csr, planar};
///
/// // K₅ with a pendant edge and one parallel edge.
/// let edges = (0..5).flat_map(|i| (0..i).map(move |j| (j, i))).chain([(4, 5), (0, 1)]);
/// let graph = Csr::from_edges(6, edges)?;
/// assert_eq!(planar::kuratowski_subgraph(&graph), Some((0..10).collect()));
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # References
/// - K. Kuratowski, "Sur le problème des courbes gauches en topologie", Fundamenta Mathematicae 15, 271 (1930).
pub fn kuratowski_subgraph(graph: &Csr) -> Option<Vec<usize>> {
    let simple = Simple::new(graph);
    let n = graph.n_vertices();
    let mut candidates = simple.edges().len();
    let mut kept = Vec::new();
    let mut found = Vec::new();
    // The last edge of the shortest prefix that is not planar is needed; those after it are not.
    loop {
        let critical = first_critical(n, &kept, &simple.edges()[..candidates])?;
        if critical == 0 {
            break;
        }
        candidates = critical - 1;
        kept.push(simple.edges()[candidates]);
        found.push(simple.members(candidates)[0]);
    }
    found.sort_unstable();
    Some(found)
}
