//! Shortest paths from one vertex.

use super::csr::{Csr, Neighbor};
use crate::error::{Error, Result};
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

fn check_source(graph: &Csr, source: usize) -> Result<()> {
    if source < graph.n_vertices() {
        Ok(())
    } else {
        Err(Error::IndexOutOfBounds { what: "source vertex", index: source, bound: graph.n_vertices() })
    }
}

/// The least number of edges from `source` to every vertex, `None` where there is no path. Linear in vertices and
/// edges.
///
/// # Errors
/// [`Error::IndexOutOfBounds`] if `source` is not a vertex.
///
/// ```
/// use linalg_core::graph::{Csr, bfs_distances};
///
/// let graph = Csr::from_edges(5, [(0, 1), (1, 2), (2, 0), (2, 3)])?;
/// assert_eq!(bfs_distances(&graph, 0)?, [Some(0), Some(1), Some(1), Some(2), None]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
pub fn bfs_distances(graph: &Csr, source: usize) -> Result<Vec<Option<usize>>> {
    check_source(graph, source)?;
    let mut distance = vec![None; graph.n_vertices()];
    distance[source] = Some(0);
    let mut queue = VecDeque::from([(source, 0)]);
    while let Some((v, d)) = queue.pop_front() {
        for next in graph.neighbors(v) {
            if distance[next.vertex].is_none() {
                distance[next.vertex] = Some(d + 1);
                queue.push_back((next.vertex, d + 1));
            }
        }
    }
    Ok(distance)
}

/// A path: its vertices and the edges between them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Path {
    /// The vertices from source to target; one more than edges.
    pub vertices: Vec<usize>,
    /// The edges in order.
    pub edges: Vec<usize>,
}

/// Distances from a source and a tree of shortest paths; made by [`shortest_paths`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShortestPaths {
    source: usize,
    distance: Vec<f64>,
    before: Vec<Option<Neighbor>>,
}

impl ShortestPaths {
    /// Where the paths start.
    pub fn source(&self) -> usize {
        self.source
    }

    /// The distance of every vertex from the source, infinite where there is no path.
    pub fn distances(&self) -> &[f64] {
        &self.distance
    }

    /// The vertex before `v` on its path and the edge from there; `None` for the source and for vertices that cannot
    /// be reached.
    ///
    /// # Panics
    /// If `v` is not a vertex.
    pub fn before(&self, v: usize) -> Option<Neighbor> {
        self.before[v]
    }

    /// A shortest path from the source to `target`, `None` if there is no path.
    ///
    /// # Panics
    /// If `target` is not a vertex.
    pub fn path_to(&self, target: usize) -> Option<Path> {
        if target != self.source {
            self.before[target]?;
        }
        let mut path = Path { vertices: vec![target], edges: Vec::new() };
        let mut v = target;
        while let Some(step) = self.before[v] {
            path.vertices.push(step.vertex);
            path.edges.push(step.edge);
            v = step.vertex;
        }
        path.vertices.reverse();
        path.edges.reverse();
        Some(path)
    }
}

/// A vertex waiting with the length of a path to it; no NaN gets here.
#[derive(PartialEq)]
struct Waiting {
    distance: f64,
    vertex: usize,
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        // Ties by vertex, so that the tree does not depend on the heap.
        let by_distance = self.distance.total_cmp(&other.distance);
        by_distance.then(self.vertex.cmp(&other.vertex))
    }
}

/// Shortest paths from `source` by Dijkstra's algorithm: $`O((V + E) \ln V)`$ time, $`O(V + E)`$ memory.
///
/// `weights` has one length for every edge, in the order of the edge list. An infinite length is that of an edge that
/// cannot be used.
///
/// # Errors
/// [`Error::InvalidWeight`] names the first edge with a negative or NaN weight; [`Error::IndexOutOfBounds`] if
/// `source` is not a vertex.
///
/// # Panics
/// If there is not one weight for every edge.
///
/// ```
/// use linalg_core::graph::{Csr, shortest_paths};
///
/// //   0 --1-- 1
/// //   |       |
/// //   4       1
/// //   |       |
/// //   3 --1-- 2
/// let square = Csr::from_edges(4, [(0, 1), (1, 2), (2, 3), (3, 0)])?;
/// let tree = shortest_paths(&square, &[1.0, 1.0, 1.0, 4.0], 0)?;
/// assert_eq!(tree.distances(), [0.0, 1.0, 2.0, 3.0]);
/// assert_eq!(tree.path_to(3).expect("connected").edges, [0, 1, 2]);
/// assert!(shortest_paths(&square, &[1.0, 1.0, -1.0, 4.0], 0).is_err());
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # References
/// - E. W. Dijkstra, "A note on two problems in connexion with graphs", Numerische Mathematik 1, 269 (1959).
pub fn shortest_paths(graph: &Csr, weights: &[f64], source: usize) -> Result<ShortestPaths> {
    assert!(weights.len() == graph.n_edges(), "{} weights for {} edges", weights.len(), graph.n_edges());
    check_source(graph, source)?;
    for (edge, &value) in weights.iter().enumerate() {
        if value.is_nan() || value < 0.0 {
            return Err(Error::InvalidWeight { edge, ends: graph.edges()[edge], value });
        }
    }
    let mut distance = vec![f64::INFINITY; graph.n_vertices()];
    let mut before = vec![None; graph.n_vertices()];
    distance[source] = 0.0;
    let mut heap = BinaryHeap::from([Reverse(Waiting { distance: 0.0, vertex: source })]);
    while let Some(Reverse(Waiting { distance: d, vertex })) = heap.pop() {
        if d > distance[vertex] {
            continue;
        }
        for next in graph.neighbors(vertex) {
            let through = d + weights[next.edge];
            if through < distance[next.vertex] {
                distance[next.vertex] = through;
                before[next.vertex] = Some(Neighbor { vertex, edge: next.edge });
                heap.push(Reverse(Waiting { distance: through, vertex: next.vertex }));
            }
        }
    }
    Ok(ShortestPaths { source, distance, before })
}
