//! The graph as the solver walks it: arcs out of every node, the lightest first.

/// No node, region, arc or anything else.
pub const NONE: u32 = u32::MAX;

/// An edge seen from one of its ends.
#[derive(Debug, Clone, Copy)]
pub struct Arc {
    /// The node at the other end; the number of nodes stands for the boundary.
    pub to: u32,
    /// Its weight.
    pub weight: u32,
}

/// Nodes with their arcs in one array, sorted by weight within a node.
#[derive(Debug, Clone)]
pub struct Arcs {
    first: Vec<u32>,
    arcs: Vec<Arc>,
    edges: Vec<u32>,
    heaviest: u32,
}

impl Arcs {
    /// The graph of `n` nodes with edges `(u, v, weight)`, `v = n` for the boundary, at most one between two nodes and no
    /// loop. Edges keep their numbers; those with `keep` false are left out.
    pub fn new(n: usize, edges: &[(u32, u32, u32)], keep: impl Fn(usize) -> bool) -> Self {
        let mut graph = Self { first: Vec::new(), arcs: Vec::new(), edges: Vec::new(), heaviest: 0 };
        graph.rebuild(n, edges, keep);
        graph
    }

    /// The same, in the memory there is.
    pub fn rebuild(&mut self, n: usize, edges: &[(u32, u32, u32)], keep: impl Fn(usize) -> bool) {
        self.first.clear();
        self.first.resize(n + 2, 0);
        self.heaviest = 0;
        for (_, &(u, v, weight)) in edges.iter().enumerate().filter(|(e, _)| keep(*e)) {
            self.heaviest = self.heaviest.max(weight);
            self.first[u as usize + 2] += 1;
            if v < n as u32 {
                self.first[v as usize + 2] += 1;
            }
        }
        for i in 2..n + 2 {
            self.first[i] += self.first[i - 1];
        }
        let total = self.first[n + 1] as usize;
        self.arcs.clear();
        self.arcs.resize(total, Arc { to: 0, weight: 0 });
        self.edges.clear();
        self.edges.resize(total, 0);
        for (e, &(u, v, weight)) in edges.iter().enumerate().filter(|(e, _)| keep(*e)) {
            for (from, to) in [(u, v), (v, u)] {
                if from < n as u32 {
                    let at = &mut self.first[from as usize + 1];
                    self.arcs[*at as usize] = Arc { to, weight };
                    self.edges[*at as usize] = e as u32;
                    *at += 1;
                }
            }
        }
        self.first.pop();
        // Few arcs a node.
        for u in 0..n {
            let (from, to) = self.range(u as u32);
            for i in from + 1..to {
                let mut at = i;
                while at > from && self.key(at - 1) > self.key(at) {
                    self.swap(at - 1, at);
                    at -= 1;
                }
            }
        }
    }

    /// The order of arcs does not depend on how weights came about.
    fn key(&self, at: usize) -> (u32, u32) {
        (self.arcs[at].weight, self.edges[at])
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.arcs.swap(a, b);
        self.edges.swap(a, b);
    }

    /// Changes the weight of an edge between `u` and `v` that is in the graph, to no more than the
    /// [heaviest](Self::heaviest).
    pub fn set_weight(&mut self, (u, v): (u32, u32), edge: u32, weight: u32) {
        debug_assert!(weight <= self.heaviest);
        for node in [u, v] {
            if node as usize == self.n_nodes() {
                continue;
            }
            let (from, to) = self.range(node);
            let found = self.edges[from..to].iter().position(|&e| e == edge);
            let mut at = from + found.expect("an edge of the graph");
            self.arcs[at].weight = weight;
            while at > from && self.key(at - 1) > self.key(at) {
                self.swap(at - 1, at);
                at -= 1;
            }
            while at + 1 < to && self.key(at) > self.key(at + 1) {
                self.swap(at, at + 1);
                at += 1;
            }
        }
    }

    /// Number of nodes without the boundary, and the number of the boundary.
    pub fn n_nodes(&self) -> usize {
        self.first.len() - 1
    }

    /// The largest weight.
    pub fn heaviest(&self) -> u32 {
        self.heaviest
    }

    /// The arcs out of `u`, as a range of positions.
    #[inline]
    pub fn range(&self, u: u32) -> (usize, usize) {
        (self.first[u as usize] as usize, self.first[u as usize + 1] as usize)
    }

    /// The arcs at a range of positions.
    #[inline]
    pub fn slice(&self, from: usize, to: usize) -> &[Arc] {
        &self.arcs[from..to]
    }

    /// An arc.
    #[inline]
    pub fn arc(&self, h: u32) -> Arc {
        self.arcs[h as usize]
    }

    /// The edge of an arc.
    #[inline]
    pub fn edge(&self, h: u32) -> u32 {
        self.edges[h as usize]
    }
}
