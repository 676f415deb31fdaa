//! Rotation systems, their faces and their duals.

use crate::error::{Error, Result};
use crate::graph::csr::Csr;
use crate::graph::union_find::UnionFind;

/// The cyclic order of the edges around every vertex: an embedding of a graph in an orientable surface.
///
/// Edge e, which the edge list gives as (u, v), consists of the half-edge `2 e` from u to v and its twin `2 e + 1` from
/// v to u. Orders are counterclockwise, and the face of a half-edge is the one on its left: a bounded face of a plane
/// drawing is walked counterclockwise.
///
/// ```
/// use linalg_core::graph::{Csr, planar};
///
/// //  3---2      edges 0: 0-1, 1: 1-2, 2: 2-0, 3: 2-3, 4: 3-0
/// //  | / |
/// //  0---1
/// let graph = Csr::from_edges(4, [(0, 1), (1, 2), (2, 0), (2, 3), (3, 0)])?;
/// let positions = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
/// let embedding = planar::embed_drawing(&graph, &positions)?;
/// // Around vertex 0, from the right to the top: to 1, to 2, to 3.
/// assert_eq!(embedding.rotation(0), [0, 5, 9]);
/// let faces = embedding.faces();
/// assert_eq!(faces.len(), 3);
/// assert_eq!(faces.walk(faces.left_of(0)), [0, 2, 4]); // 0 -> 1 -> 2 -> 0
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked", into = "Unchecked"))]
pub struct Embedding {
    edges: Vec<(usize, usize)>,
    /// The half-edges leaving vertex v are `order[starts[v]..starts[v + 1]]`, counterclockwise.
    starts: Vec<usize>,
    order: Vec<usize>,
    /// Where each half-edge stands in `order`.
    position: Vec<usize>,
}

/// The serialised form.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Unchecked {
    edges: Vec<(usize, usize)>,
    rotations: Vec<Vec<usize>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Embedding {
    type Error = Error;

    fn try_from(raw: Unchecked) -> Result<Self> {
        let graph = Csr::from_edges(raw.rotations.len(), raw.edges)?;
        Self::from_rotations(&graph, &raw.rotations)
    }
}

#[cfg(feature = "serde")]
impl From<Embedding> for Unchecked {
    fn from(embedding: Embedding) -> Self {
        let vertices = 0..embedding.n_vertices();
        Self { rotations: vertices.map(|v| embedding.rotation(v).to_vec()).collect(), edges: embedding.edges }
    }
}

impl Embedding {
    /// `order` holds every half-edge once, at its tail.
    pub(super) fn from_parts(edges: Vec<(usize, usize)>, starts: Vec<usize>, order: Vec<usize>) -> Self {
        let mut position = vec![0; order.len()];
        for (k, &h) in order.iter().enumerate() {
            position[h] = k;
        }
        Self { edges, starts, order, position }
    }

    /// The embedding with the given counterclockwise order of the half-edges leaving each vertex, of any genus.
    ///
    /// # Errors
    /// [`Error::InvalidRotation`] names a half-edge that is listed twice, at a vertex that it does not leave, or not at
    /// all.
    ///
    /// # Panics
    /// If there is not one rotation for every vertex.
    ///
    /// ```
    /// use linalg_core::graph::Csr;
    /// use linalg_core::graph::planar::Embedding;
    ///
    /// // One vertex and two loops that cross: a torus.
    /// let bouquet = Csr::from_edges(1, [(0, 0), (0, 0)])?;
    /// let torus = Embedding::from_rotations(&bouquet, &[vec![0, 2, 1, 3]])?;
    /// assert_eq!(torus.genus(), 1);
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn from_rotations(graph: &Csr, rotations: &[Vec<usize>]) -> Result<Self> {
        let n = graph.n_vertices();
        assert!(rotations.len() == n, "{} rotations for {n} vertices", rotations.len());
        let mut listed = vec![false; 2 * graph.n_edges()];
        let mut starts = vec![0];
        let mut order = Vec::with_capacity(listed.len());
        let tail = |h: usize| {
            let (u, v) = graph.edges()[h / 2];
            if h.is_multiple_of(2) { u } else { v }
        };
        for (vertex, rotation) in rotations.iter().enumerate() {
            for &half_edge in rotation {
                let problem = if half_edge >= listed.len() {
                    "unknown"
                } else if tail(half_edge) != vertex {
                    "not one that leaves the vertex"
                } else if listed[half_edge] {
                    "listed twice"
                } else {
                    listed[half_edge] = true;
                    continue;
                };
                return Err(Error::InvalidRotation { vertex, half_edge, problem });
            }
            order.extend_from_slice(rotation);
            starts.push(order.len());
        }
        if let Some(half_edge) = listed.iter().position(|&seen| !seen) {
            return Err(Error::InvalidRotation { vertex: tail(half_edge), half_edge, problem: "missing" });
        }
        Ok(Self::from_parts(graph.edges().to_vec(), starts, order))
    }

    /// Number of vertices.
    pub fn n_vertices(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of edges; half-edges are `0..2 * n_edges`.
    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    /// The edge list of the graph.
    pub fn edges(&self) -> &[(usize, usize)] {
        &self.edges
    }

    /// The other half of the edge of `h`.
    #[inline]
    pub fn twin(h: usize) -> usize {
        h ^ 1
    }

    /// Where half-edge `h` starts.
    ///
    /// # Panics
    /// If `h >= 2 * n_edges`.
    #[inline]
    pub fn tail(&self, h: usize) -> usize {
        let (u, v) = self.edges[h / 2];
        if h.is_multiple_of(2) { u } else { v }
    }

    /// Where half-edge `h` ends.
    ///
    /// # Panics
    /// If `h >= 2 * n_edges`.
    #[inline]
    pub fn head(&self, h: usize) -> usize {
        self.tail(Self::twin(h))
    }

    /// The half-edges leaving `v`, counterclockwise.
    ///
    /// # Panics
    /// If `v >= n_vertices`.
    pub fn rotation(&self, v: usize) -> &[usize] {
        assert!(v < self.n_vertices(), "vertex {v} of {}", self.n_vertices());
        &self.order[self.starts[v]..self.starts[v + 1]]
    }

    /// The half-edge that follows `h` counterclockwise around its tail.
    ///
    /// # Panics
    /// If `h >= 2 * n_edges`.
    #[inline]
    pub fn next_around(&self, h: usize) -> usize {
        let v = self.tail(h);
        let k = self.position[h] + 1;
        self.order[if k == self.starts[v + 1] { self.starts[v] } else { k }]
    }

    /// The half-edge that follows `h` clockwise around its tail.
    ///
    /// # Panics
    /// If `h >= 2 * n_edges`.
    #[inline]
    pub fn previous_around(&self, h: usize) -> usize {
        let v = self.tail(h);
        let k = self.position[h];
        let end = if k == self.starts[v] { self.starts[v + 1] } else { k };
        self.order[end - 1]
    }

    /// The half-edge that follows `h` on the boundary of the face on its left.
    ///
    /// # Panics
    /// If `h >= 2 * n_edges`.
    #[inline]
    pub fn next_in_face(&self, h: usize) -> usize {
        self.previous_around(Self::twin(h))
    }

    /// The boundary walks of all faces. Linear in the number of edges.
    pub fn faces(&self) -> Faces {
        const NONE: usize = usize::MAX;
        let mut left = vec![NONE; self.order.len()];
        let mut starts = vec![0];
        let mut walks = Vec::with_capacity(self.order.len());
        for first in 0..self.order.len() {
            if left[first] != NONE {
                continue;
            }
            let mut h = first;
            while left[h] == NONE {
                left[h] = starts.len() - 1;
                walks.push(h);
                h = self.next_in_face(h);
            }
            starts.push(walks.len());
        }
        Faces { left, starts, walks }
    }

    /// Number of connected components and of isolated vertices among them.
    fn components(&self) -> (usize, usize) {
        let mut sets = UnionFind::new(self.n_vertices());
        for &(u, v) in &self.edges {
            sets.union(u, v);
        }
        let isolated = self.starts.windows(2).filter(|w| w[0] == w[1]).count();
        (sets.n_sets(), isolated)
    }

    /// The genus, summed over the components: 0 if and only if the embedding is plane.
    ///
    /// Euler's formula $`V - E + F = 2 - 2 g`$ for each component, where an isolated vertex has one face.
    pub fn genus(&self) -> usize {
        let (components, isolated) = self.components();
        let faces = self.faces().len() + isolated;
        (2 * components + self.n_edges() - self.n_vertices() - faces) / 2
    }

    /// Number of regions into which a plane embedding cuts the plane.
    ///
    /// One region outside is shared by all components, so that $`V - E + F = 1 + C`$ with C components. This is less
    /// than the number of boundary walks when the graph is not connected: a region then has one walk for each
    /// component it touches.
    pub fn n_regions(&self) -> usize {
        let (components, isolated) = self.components();
        self.faces().len() + isolated + 1 - components
    }

    /// The dual graph: a vertex for every boundary walk of `faces`, and edge e between the faces on the two sides of
    /// edge e, from the left of half-edge `2 e` to the left of `2 e + 1`. A bridge becomes a self-loop.
    ///
    /// Components of the graph are components of the dual.
    ///
    /// # Panics
    /// If `faces` belongs to a graph with another number of edges.
    ///
    /// ```
    /// use linalg_core::graph::{Csr, planar};
    ///
    /// let triangle = Csr::from_edges(3, [(0, 1), (1, 2), (2, 0)])?;
    /// let embedding = planar::embed(&triangle)?;
    /// let dual = embedding.dual(&embedding.faces());
    /// assert_eq!((dual.n_vertices(), dual.n_edges()), (2, 3)); // three parallel edges
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    pub fn dual(&self, faces: &Faces) -> Csr {
        assert!(
            faces.left.len() == self.order.len(),
            "faces of {} half-edges for an embedding with {}",
            faces.left.len(),
            self.order.len()
        );
        let edges = faces.left.chunks_exact(2).map(|sides| (sides[0], sides[1]));
        Csr::from_edges(faces.len(), edges).expect("faces are numbered below their count")
    }
}

/// The boundary walks of the faces of an [`Embedding`].
///
/// A vertex without edges has no walk; each component with edges has all of its own, the outer one included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faces {
    left: Vec<usize>,
    starts: Vec<usize>,
    walks: Vec<usize>,
}

impl Faces {
    /// Number of boundary walks.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no walk, because there is no edge.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The face on the left of half-edge `h`.
    ///
    /// # Panics
    /// If there is no half-edge `h`.
    #[inline]
    pub fn left_of(&self, h: usize) -> usize {
        self.left[h]
    }

    /// The half-edges on the boundary of face `f`, with the face on their left, starting with the smallest. An edge
    /// with the face on both sides appears with both halves.
    ///
    /// # Panics
    /// If `f >= len`.
    pub fn walk(&self, f: usize) -> &[usize] {
        assert!(f < self.len(), "face {f} of {}", self.len());
        &self.walks[self.starts[f]..self.starts[f + 1]]
    }

    /// All boundary walks in order.
    pub fn walks(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.starts.windows(2).map(|w| &self.walks[w[0]..w[1]])
    }
}
