//! Connected components, spanning forests, bipartitions.

use super::csr::Csr;
use super::union_find::UnionFind;
use std::collections::VecDeque;
use thiserror::Error as ThisError;

/// The connected components of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Components {
    label: Vec<usize>,
    count: usize,
}

impl Components {
    /// The component of every vertex: 0 for that of vertex 0, then numbered by their smallest vertices.
    pub fn labels(&self) -> &[usize] {
        &self.label
    }

    /// Number of components; an isolated vertex is one.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of vertices of each component.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        for &c in &self.label {
            sizes[c] += 1;
        }
        sizes
    }
}

/// Labels the connected components. Linear in vertices and edges.
///
/// ```
/// use linalg_core::graph::{Csr, components};
///
/// let parts = components(&Csr::from_edges(5, [(3, 0), (2, 4)])?);
/// assert_eq!(parts.labels(), [0, 1, 2, 0, 2]);
/// assert_eq!(parts.sizes(), [2, 1, 2]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
pub fn components(graph: &Csr) -> Components {
    const UNSEEN: usize = usize::MAX;
    let mut label = vec![UNSEEN; graph.n_vertices()];
    let mut count = 0;
    let mut stack = Vec::new();
    for root in 0..graph.n_vertices() {
        if label[root] != UNSEEN {
            continue;
        }
        label[root] = count;
        stack.push(root);
        while let Some(v) = stack.pop() {
            for n in graph.neighbors(v) {
                if label[n.vertex] == UNSEEN {
                    label[n.vertex] = count;
                    stack.push(n.vertex);
                }
            }
        }
        count += 1;
    }
    Components { label, count }
}

/// Edges of a forest that connects whatever the graph connects: every edge, in the order of the edge list, that
/// closes no cycle with those before it.
///
/// There are `n_vertices - components` of them.
///
/// ```
/// use linalg_core::graph::{Csr, spanning_forest};
///
/// let triangle = Csr::from_edges(3, [(0, 1), (1, 2), (2, 0)])?;
/// assert_eq!(spanning_forest(&triangle), [0, 1]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
pub fn spanning_forest(graph: &Csr) -> Vec<usize> {
    let mut sets = UnionFind::new(graph.n_vertices());
    let edges = graph.edges().iter().enumerate();
    edges.filter(|&(_, &(u, v))| sets.union(u, v)).map(|(e, _)| e).collect()
}

/// Whether the graph has no cycle; a self-loop and two parallel edges are cycles.
pub fn is_forest(graph: &Csr) -> bool {
    let mut sets = UnionFind::new(graph.n_vertices());
    graph.edges().iter().all(|&(u, v)| sets.union(u, v))
}

/// A closed walk of odd length without repeated vertices: why a graph is not bipartite.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("not bipartite: odd cycle of {} edges through vertex {}", edges.len(), vertices[0])]
pub struct OddCycle {
    /// The vertices in order.
    pub vertices: Vec<usize>,
    /// Edge k joins vertex k to the next one; the last closes the cycle.
    pub edges: Vec<usize>,
}

/// The side of every vertex such that all edges join different sides, or an odd cycle. Linear in vertices and edges.
///
/// The smallest vertex of each component is on side `false`.
///
/// # Errors
/// [`OddCycle`] if the graph is not bipartite; a self-loop is a cycle of length 1.
///
/// ```
/// use linalg_core::graph::{Csr, bipartition};
///
/// let path = Csr::from_edges(3, [(0, 1), (1, 2)])?;
/// assert_eq!(bipartition(&path), Ok(vec![false, true, false]));
/// let lasso = Csr::from_edges(4, [(0, 1), (1, 2), (2, 3), (3, 1)])?;
/// let cycle = bipartition(&lasso).expect_err("a triangle");
/// assert_eq!(cycle.vertices.len(), 3);
/// assert!(!cycle.vertices.contains(&0));
/// # Ok::<(), linalg_core::Error>(())
/// ```
pub fn bipartition(graph: &Csr) -> std::result::Result<Vec<bool>, OddCycle> {
    let n = graph.n_vertices();
    let mut side = vec![false; n];
    let mut depth = vec![usize::MAX; n];
    // Predecessor and the edge from it, in a breadth-first tree.
    let mut before = vec![(0, 0); n];
    let mut queue = VecDeque::new();
    for root in 0..n {
        if depth[root] != usize::MAX {
            continue;
        }
        depth[root] = 0;
        queue.push_back(root);
        while let Some(v) = queue.pop_front() {
            for next in graph.neighbors(v) {
                let w = next.vertex;
                if depth[w] == usize::MAX {
                    depth[w] = depth[v] + 1;
                    side[w] = !side[v];
                    before[w] = (v, next.edge);
                    queue.push_back(w);
                } else if side[w] == side[v] {
                    return Err(close_cycle(&before, v, w, next.edge));
                }
            }
        }
    }
    Ok(side)
}

/// The cycle that `edge` closes between two vertices of one depth of a breadth-first tree.
fn close_cycle(before: &[(usize, usize)], mut v: usize, mut w: usize, edge: usize) -> OddCycle {
    // Sides agree and an edge spans at most one level, so both ends have one depth and climb in step.
    let (mut up, mut up_edges) = (vec![v], Vec::new());
    let (mut down, mut down_edges) = (Vec::new(), Vec::new());
    while v != w {
        let (above_v, edge_v) = before[v];
        let (above_w, edge_w) = before[w];
        up.push(above_v);
        up_edges.push(edge_v);
        down.push(w);
        down_edges.push(edge_w);
        (v, w) = (above_v, above_w);
    }
    up.extend(down.into_iter().rev());
    up_edges.extend(down_edges.into_iter().rev());
    up_edges.push(edge);
    OddCycle { vertices: up, edges: up_edges }
}
