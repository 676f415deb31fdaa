//! Adjacency in compressed rows.

use crate::error::{Error, Result};

/// The other end of an edge, seen from one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Neighbor {
    /// The vertex at the other end.
    pub vertex: usize,
    /// Position of the edge in the edge list.
    pub edge: usize,
}

/// An undirected graph: its edge list, and for every vertex its neighbours in one slice.
///
/// Parallel edges are kept apart by their positions in the edge list. A self-loop appears twice among the neighbours
/// of its vertex and counts 2 in its degree, so that the degrees always add up to twice the number of edges.
///
/// ```
/// use linalg_core::graph::{Csr, Neighbor};
///
/// let graph = Csr::from_edges(3, [(0, 1), (2, 1), (1, 1)])?;
/// assert_eq!(graph.neighbors(0), [Neighbor { vertex: 1, edge: 0 }]);
/// let around: Vec<_> = graph.neighbors(1).iter().map(|n| n.vertex).collect();
/// assert_eq!(around, [0, 2, 1, 1]);
/// assert_eq!(graph.degree(1), 4);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "EdgeList", into = "EdgeList"))]
pub struct Csr {
    edges: Vec<(usize, usize)>,
    /// Vertex v owns `neighbors[starts[v]..starts[v + 1]]`.
    starts: Vec<usize>,
    neighbors: Vec<Neighbor>,
}

/// The serialised form.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct EdgeList {
    n_vertices: usize,
    edges: Vec<(usize, usize)>,
}

#[cfg(feature = "serde")]
impl TryFrom<EdgeList> for Csr {
    type Error = Error;

    fn try_from(raw: EdgeList) -> Result<Self> {
        Self::from_edges(raw.n_vertices, raw.edges)
    }
}

#[cfg(feature = "serde")]
impl From<Csr> for EdgeList {
    fn from(graph: Csr) -> Self {
        Self { n_vertices: graph.n_vertices(), edges: graph.edges }
    }
}

impl Csr {
    /// The graph on the vertices `0..n_vertices` with these edges. Linear in vertices and edges.
    ///
    /// The neighbours of a vertex come out in the order of the edge list.
    ///
    /// # Errors
    /// [`Error::VertexOutOfBounds`] names the first edge that ends beyond the last vertex.
    ///
    /// # Panics
    /// If the vertices do not fit into memory.
    pub fn from_edges(n_vertices: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        let edges: Vec<(usize, usize)> = edges.into_iter().collect();
        for (edge, &(u, v)) in edges.iter().enumerate() {
            for vertex in [u, v] {
                if vertex >= n_vertices {
                    return Err(Error::VertexOutOfBounds { edge, vertex, n_vertices });
                }
            }
        }
        let n_starts = n_vertices.checked_add(1).expect("memory for all vertices");
        let mut starts = vec![0; n_starts];
        for &(u, v) in &edges {
            starts[u + 1] += 1;
            starts[v + 1] += 1;
        }
        for v in 0..n_vertices {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut neighbors = vec![Neighbor { vertex: 0, edge: 0 }; 2 * edges.len()];
        for (edge, &(u, v)) in edges.iter().enumerate() {
            for (from, vertex) in [(u, v), (v, u)] {
                neighbors[next[from]] = Neighbor { vertex, edge };
                next[from] += 1;
            }
        }
        Ok(Self { edges, starts, neighbors })
    }

    /// Number of vertices.
    pub fn n_vertices(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of edges, parallel ones and self-loops included.
    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    /// The edge list as given.
    pub fn edges(&self) -> &[(usize, usize)] {
        &self.edges
    }

    /// The neighbours of `v` in the order of the edge list, a self-loop twice.
    ///
    /// # Panics
    /// If `v >= n_vertices`.
    #[inline]
    pub fn neighbors(&self, v: usize) -> &[Neighbor] {
        assert!(v < self.n_vertices(), "vertex {v} of {}", self.n_vertices());
        &self.neighbors[self.starts[v]..self.starts[v + 1]]
    }

    /// Number of edge ends at `v`.
    ///
    /// # Panics
    /// If `v >= n_vertices`.
    pub fn degree(&self, v: usize) -> usize {
        self.neighbors(v).len()
    }

    /// The largest degree, 0 without vertices.
    pub fn max_degree(&self) -> usize {
        self.starts.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }
}
