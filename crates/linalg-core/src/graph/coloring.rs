//! Proper vertex colourings, for sweeps that update all vertices of one colour at once.

use super::csr::Csr;
use crate::error::{Error, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A colour for every vertex, different at the two ends of every edge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coloring {
    color: Vec<usize>,
    n_colors: usize,
}

impl Coloring {
    /// The colour of every vertex, in `0..n_colors`.
    pub fn colors(&self) -> &[usize] {
        &self.color
    }

    /// Number of colours.
    pub fn n_colors(&self) -> usize {
        self.n_colors
    }

    /// The vertices of each colour, ascending.
    pub fn classes(&self) -> Vec<Vec<usize>> {
        let mut classes = vec![Vec::new(); self.n_colors];
        for (v, &c) in self.color.iter().enumerate() {
            classes[c].push(v);
        }
        classes
    }
}

/// Colours the graph by saturation (DSATUR): next comes a vertex whose neighbours have the most colours, of these one
/// with the most neighbours, of these the smallest; it takes the smallest colour that is free.
///
/// Two colours on a bipartite graph, at most `max_degree + 1` on any. Parallel edges count once for the colours and
/// each for the degree. Time $`O((V + E) \ln V)`$ while colours are few.
///
/// # Errors
/// [`Error::SelfLoop`] names a self-loop: its vertex has no proper colour.
///
/// ```
/// use linalg_core::graph::{Csr, greedy_coloring};
///
/// let ring = Csr::from_edges(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)])?;
/// let coloring = greedy_coloring(&ring)?;
/// assert_eq!(coloring.n_colors(), 3);
/// assert_eq!(coloring.colors(), [0, 1, 0, 1, 2]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # References
/// - D. Brélaz, "New methods to color the vertices of a graph", Communications of the ACM 22, 251 (1979).
pub fn greedy_coloring(graph: &Csr) -> Result<Coloring> {
    const NONE: usize = usize::MAX;
    if let Some(edge) = graph.edges().iter().position(|&(u, v)| u == v) {
        let vertex = graph.edges()[edge].0;
        return Err(Error::SelfLoop { edge, vertex });
    }
    let n = graph.n_vertices();
    let mut color = vec![NONE; n];
    // The colours of the neighbours of each vertex, ascending.
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); n];
    let mut heap: BinaryHeap<_> = (0..n).map(|v| (0, graph.degree(v), Reverse(v))).collect();
    let mut n_colors = 0;
    while let Some((saturation, _, Reverse(v))) = heap.pop() {
        // A vertex is pushed again whenever its saturation grows: older entries are stale.
        if color[v] != NONE || saturation != taken[v].len() {
            continue;
        }
        let free = taken[v].iter().enumerate().find(|&(k, &c)| k != c);
        let mine = free.map_or(taken[v].len(), |(k, _)| k);
        color[v] = mine;
        n_colors = n_colors.max(mine + 1);
        for next in graph.neighbors(v) {
            let w = next.vertex;
            if color[w] == NONE
                && let Err(at) = taken[w].binary_search(&mine)
            {
                taken[w].insert(at, mine);
                heap.push((taken[w].len(), graph.degree(w), Reverse(w)));
            }
        }
    }
    Ok(Coloring { color, n_colors })
}
