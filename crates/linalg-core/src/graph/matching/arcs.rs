//! The graph as the search sees it: arcs grouped by tail, weights doubled.

/// Absent node, vertex or half-edge.
pub(super) const NONE: u32 = u32::MAX;

/// One direction of an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    /// Twice the weight of the edge, so that all duals stay integers.
    pub weight: i64,
    /// The vertex it leads to.
    pub head: u32,
    /// Half-edge `2 e` from the first to the second end of edge e, `2 e + 1` back.
    pub half: u32,
}

/// Arcs by tail, and the ends of every half-edge.
#[derive(Debug)]
pub(super) struct Arcs {
    /// Vertex v owns `arcs[starts[v]..starts[v + 1]]`.
    starts: Vec<usize>,
    arcs: Vec<Arc>,
    /// Head of each half-edge.
    heads: Vec<u32>,
    weights: Vec<i64>,
}

impl Arcs {
    /// Self-loops are left out: no matching can use them.
    ///
    /// # Panics
    /// If vertices or half-edges cannot be numbered by 31 bits.
    pub fn new(n: usize, edges: &[(usize, usize, i64)]) -> Self {
        assert!(n < 1 << 30 && edges.len() < 1 << 30, "{n} vertices and {} edges, both must be < 2^30", edges.len());
        let mut starts = vec![0; n + 1];
        for &(u, v, _) in edges.iter().filter(|(u, v, _)| u != v) {
            starts[u + 1] += 1;
            starts[v + 1] += 1;
        }
        for v in 0..n {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut arcs = vec![Arc { weight: 0, head: 0, half: 0 }; starts[n]];
        let mut heads = Vec::with_capacity(2 * edges.len());
        let mut weights = Vec::with_capacity(edges.len());
        for (e, &(u, v, weight)) in edges.iter().enumerate() {
            heads.extend([v as u32, u as u32]);
            weights.push(2 * weight);
            if u == v {
                continue;
            }
            for (tail, head, half) in [(u, v, 2 * e), (v, u, 2 * e + 1)] {
                arcs[next[tail]] = Arc { weight: 2 * weight, head: head as u32, half: half as u32 };
                next[tail] += 1;
            }
        }
        Self { starts, arcs, heads, weights }
    }

    #[inline]
    pub fn leaving(&self, v: u32) -> &[Arc] {
        &self.arcs[self.starts[v as usize]..self.starts[v as usize + 1]]
    }

    #[inline]
    pub fn head(&self, half: u32) -> u32 {
        self.heads[half as usize]
    }

    #[inline]
    pub fn tail(&self, half: u32) -> u32 {
        self.heads[half as usize ^ 1]
    }

    /// Twice the weight of the edge of a half-edge.
    #[inline]
    pub fn weight(&self, half: u32) -> i64 {
        self.weights[half as usize / 2]
    }
}
