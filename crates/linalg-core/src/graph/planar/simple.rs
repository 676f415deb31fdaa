//! The simple graph under a graph with parallel edges and self-loops.

use super::embedding::Embedding;
use crate::graph::csr::Csr;

/// One edge for every pair of adjacent vertices; parallel edges and self-loops are kept aside.
pub(super) struct Simple {
    /// Ends of the edges, in the order in which their first parallel edge appears in the graph.
    edges: Vec<(usize, usize)>,
    /// Simple edge k stands for the edges `members[starts[k]..starts[k + 1]]`.
    starts: Vec<usize>,
    members: Vec<usize>,
    loops: Vec<usize>,
}

/// The cyclic order of the edges of a simple graph around every vertex.
pub(super) struct Rotations {
    /// Around vertex v come the edges `edges[starts[v]..starts[v + 1]]`.
    pub(super) starts: Vec<usize>,
    pub(super) edges: Vec<usize>,
}

impl Simple {
    pub(super) fn new(graph: &Csr) -> Self {
        const NONE: usize = usize::MAX;
        // The first edge parallel to each edge.
        let mut first = vec![NONE; graph.n_edges()];
        let mut seen_from = vec![NONE; graph.n_vertices()];
        let mut seen_edge = vec![NONE; graph.n_vertices()];
        for u in 0..graph.n_vertices() {
            for next in graph.neighbors(u).iter().filter(|next| next.vertex > u) {
                let v = next.vertex;
                if seen_from[v] != u {
                    (seen_from[v], seen_edge[v]) = (u, next.edge);
                }
                first[next.edge] = seen_edge[v];
            }
        }
        let mut edges = Vec::new();
        let mut loops = Vec::new();
        let mut index = vec![NONE; graph.n_edges()];
        let mut starts = vec![0];
        for (e, &ends) in graph.edges().iter().enumerate() {
            if first[e] == NONE {
                loops.push(e);
                continue;
            }
            if first[e] == e {
                index[e] = edges.len();
                edges.push(ends);
                starts.push(0);
            }
            starts[index[first[e]] + 1] += 1;
        }
        for k in 0..edges.len() {
            starts[k + 1] += starts[k];
        }
        let mut next = starts.clone();
        let mut members = vec![0; graph.n_edges() - loops.len()];
        for e in (0..graph.n_edges()).filter(|&e| first[e] != NONE) {
            let k = index[first[e]];
            members[next[k]] = e;
            next[k] += 1;
        }
        Self { edges, starts, members, loops }
    }

    pub(super) fn edges(&self) -> &[(usize, usize)] {
        &self.edges
    }

    /// The graph's edges that simple edge `k` stands for, ascending.
    pub(super) fn members(&self, k: usize) -> &[usize] {
        &self.members[self.starts[k]..self.starts[k + 1]]
    }

    /// Puts parallel edges beside the edge that stood for them and self-loops anywhere.
    ///
    /// `rotations` holds the simple edges around every vertex in counterclockwise order.
    pub(super) fn expand(&self, graph: &Csr, rotations: &Rotations) -> Embedding {
        let mut order = Vec::with_capacity(2 * graph.n_edges());
        let mut starts = vec![0];
        let mut loops_at = vec![0; graph.n_vertices() + 1];
        for &e in &self.loops {
            loops_at[graph.edges()[e].0 + 1] += 1;
        }
        for v in 0..graph.n_vertices() {
            loops_at[v + 1] += loops_at[v];
        }
        let mut by_vertex = vec![0; self.loops.len()];
        let mut next = loops_at.clone();
        for &e in &self.loops {
            let v = graph.edges()[e].0;
            by_vertex[next[v]] = e;
            next[v] += 1;
        }
        for v in 0..graph.n_vertices() {
            for &k in &rotations.edges[rotations.starts[v]..rotations.starts[v + 1]] {
                let leaving = |&e: &usize| 2 * e + usize::from(graph.edges()[e].0 != v);
                // A bundle that is seen from left to right at one end is seen from right to left at the other.
                if v == self.edges[k].0 {
                    order.extend(self.members(k).iter().map(leaving));
                } else {
                    order.extend(self.members(k).iter().rev().map(leaving));
                }
            }
            for &e in &by_vertex[loops_at[v]..loops_at[v + 1]] {
                order.extend([2 * e, 2 * e + 1]);
            }
            starts.push(order.len());
        }
        Embedding::from_parts(graph.edges().to_vec(), starts, order)
    }
}
