//! The left-right planarity test and the embedding it leads to.
//!
//! A depth-first search turns every edge into a tree edge, away from the root, or a back edge, from a vertex to one of
//! its ancestors. In a drawing each back edge passes its fundamental cycle on the left or on the right. Two back edges
//! that leave a common path upwards from different branches may be forced to one side or to different sides, and the
//! graph is planar if and only if these constraints have a solution. The constraints are merged bottom up in a stack
//! of pairs of intervals of back edges: within an interval all are on one side, the two intervals of a pair are on
//! different sides. The sides then sort the edges around every vertex.
//!
//! The names follow U. Brandes, "The left-right planarity test" (2009). Recursion is unrolled: paths may be as long as
//! the graph.

use super::simple::Rotations;

const NONE: usize = usize::MAX;

/// Back edges on one side, from the one with the lowest return point to that with the highest; each edge refers to the
/// next lower one through [`LeftRight::reference`].
#[derive(Clone, Copy)]
struct Interval {
    low: usize,
    high: usize,
}

impl Interval {
    const EMPTY: Self = Self { low: NONE, high: NONE };

    fn is_empty(self) -> bool {
        self.high == NONE
    }
}

/// Two intervals on different sides.
#[derive(Clone, Copy)]
struct ConflictPair {
    left: Interval,
    right: Interval,
}

impl ConflictPair {
    fn swap(&mut self) {
        std::mem::swap(&mut self.left, &mut self.right);
    }
}

/// State of the test of one simple graph without self-loops.
pub(super) struct LeftRight<'a> {
    n_vertices: usize,
    edges: &'a [(usize, usize)],
    /// The edges leaving a vertex after orientation, in the order in which they are to be visited.
    out_starts: Vec<usize>,
    out: Vec<usize>,
    /// Next position in `out` (or in the adjacency) of the search at each vertex.
    cursor: Vec<usize>,
    roots: Vec<usize>,
    height: Vec<usize>,
    parent_edge: Vec<usize>,
    tail: Vec<usize>,
    head: Vec<usize>,
    /// Height of the lowest and of the second lowest return point of an edge.
    low: Vec<usize>,
    low2: Vec<usize>,
    nesting: Vec<usize>,
    /// An edge on whose side this one depends.
    reference: Vec<usize>,
    /// Whether the edge is on the same side as its reference; on the right if it has none.
    same_side: Vec<bool>,
    /// The back edge that returns lowest among those of the edge's subtree, as the stack knows it.
    low_edge: Vec<usize>,
    stack: Vec<ConflictPair>,
    /// Height of the stack before the edge was visited.
    stack_bottom: Vec<usize>,
}

impl<'a> LeftRight<'a> {
    pub(super) fn new(n_vertices: usize, edges: &'a [(usize, usize)]) -> Self {
        Self {
            n_vertices,
            edges,
            out_starts: Vec::new(),
            out: Vec::new(),
            cursor: Vec::new(),
            roots: Vec::new(),
            height: Vec::new(),
            parent_edge: Vec::new(),
            tail: Vec::new(),
            head: Vec::new(),
            low: Vec::new(),
            low2: Vec::new(),
            nesting: Vec::new(),
            reference: Vec::new(),
            same_side: Vec::new(),
            low_edge: Vec::new(),
            stack: Vec::new(),
            stack_bottom: Vec::new(),
        }
    }

    /// Whether the graph is planar.
    pub(super) fn decide(mut self) -> bool {
        self.test()
    }

    /// A plane rotation system, `None` if the graph is not planar.
    pub(super) fn embed(mut self) -> Option<Rotations> {
        self.test().then(|| self.rotations())
    }

    fn test(&mut self) -> bool {
        let (n, m) = (self.n_vertices, self.edges.len());
        // Euler's bound also bounds the memory by that of the vertices.
        if n > 2 && m > 3 * n - 6 {
            return false;
        }
        self.orient();
        self.sort_outgoing(|this, e| this.nesting[e]);
        self.reference = vec![NONE; m];
        self.same_side = vec![true; m];
        self.low_edge = vec![NONE; m];
        self.stack_bottom = vec![0; m];
        for k in 0..self.roots.len() {
            if !self.test_component(self.roots[k]) {
                return false;
            }
        }
        true
    }

    /// Depth-first search that orients the edges and computes their return points and nesting depths.
    fn orient(&mut self) {
        let (n, m) = (self.n_vertices, self.edges.len());
        let mut starts = vec![0; n + 1];
        for &(u, v) in self.edges {
            starts[u + 1] += 1;
            starts[v + 1] += 1;
        }
        for v in 0..n {
            starts[v + 1] += starts[v];
        }
        let mut adjacency = vec![0; 2 * m];
        let mut next = starts.clone();
        for (e, &(u, v)) in self.edges.iter().enumerate() {
            for w in [u, v] {
                adjacency[next[w]] = e;
                next[w] += 1;
            }
        }

        self.height = vec![NONE; n];
        self.parent_edge = vec![NONE; n];
        for field in [&mut self.tail, &mut self.head, &mut self.low, &mut self.low2, &mut self.nesting] {
            *field = vec![NONE; m];
        }
        self.cursor = starts[..n].to_vec();
        let mut path = Vec::new();
        for root in 0..n {
            if self.height[root] != NONE {
                continue;
            }
            self.height[root] = 0;
            self.roots.push(root);
            path.push(root);
            while let Some(&v) = path.last() {
                if self.cursor[v] == starts[v + 1] {
                    path.pop();
                    if self.parent_edge[v] != NONE {
                        self.finish_orientation(self.parent_edge[v]);
                    }
                    continue;
                }
                let e = adjacency[self.cursor[v]];
                self.cursor[v] += 1;
                if self.tail[e] != NONE {
                    continue;
                }
                let w = self.edges[e].0 ^ self.edges[e].1 ^ v;
                (self.tail[e], self.head[e]) = (v, w);
                (self.low[e], self.low2[e]) = (self.height[v], self.height[v]);
                if self.height[w] == NONE {
                    self.parent_edge[w] = e;
                    self.height[w] = self.height[v] + 1;
                    path.push(w);
                } else {
                    self.low[e] = self.height[w];
                    self.finish_orientation(e);
                }
            }
        }
    }

    /// With all return points of `e` known: its nesting depth, and what it means for the edge above.
    fn finish_orientation(&mut self, e: usize) {
        let v = self.tail[e];
        // Edges with a second return point below v go outside those without.
        let chordal = self.low2[e] < self.height[v];
        self.nesting[e] = 2 * self.low[e] + usize::from(chordal);
        let above = self.parent_edge[v];
        if above == NONE {
            return;
        }
        if self.low[e] < self.low[above] {
            self.low2[above] = self.low[above].min(self.low2[e]);
            self.low[above] = self.low[e];
        } else if self.low[e] > self.low[above] {
            self.low2[above] = self.low2[above].min(self.low[e]);
        } else {
            self.low2[above] = self.low2[above].min(self.low2[e]);
        }
    }

    /// Sorts the outgoing edges of every vertex by a key, in linear time, and sets the cursors to their beginnings.
    fn sort_outgoing(&mut self, key: impl Fn(&Self, usize) -> usize) {
        let m = self.edges.len();
        let mut bucket = Vec::new();
        for e in 0..m {
            let k = key(self, e);
            if k + 2 > bucket.len() {
                bucket.resize(k + 2, 0);
            }
            bucket[k + 1] += 1;
        }
        for k in 1..bucket.len() {
            bucket[k] += bucket[k - 1];
        }
        let mut sorted = vec![0; m];
        for e in 0..m {
            let slot = &mut bucket[key(self, e)];
            sorted[*slot] = e;
            *slot += 1;
        }
        let mut starts = vec![0; self.n_vertices + 1];
        for &v in &self.tail {
            starts[v + 1] += 1;
        }
        for v in 0..self.n_vertices {
            starts[v + 1] += starts[v];
        }
        self.cursor.clear();
        self.cursor.extend_from_slice(&starts[..self.n_vertices]);
        let mut next = starts.clone();
        self.out = vec![0; m];
        for e in sorted {
            let slot = &mut next[self.tail[e]];
            self.out[*slot] = e;
            *slot += 1;
        }
        self.out_starts = starts;
    }

    /// The next outgoing edge of `v`, in sorted order.
    fn next_outgoing(&mut self, v: usize) -> Option<usize> {
        let k = self.cursor[v];
        self.cursor[v] += 1;
        (k < self.out_starts[v + 1]).then(|| self.out[k])
    }

    fn is_tree_edge(&self, e: usize) -> bool {
        self.parent_edge[self.head[e]] == e
    }

    fn test_component(&mut self, root: usize) -> bool {
        let mut path = vec![root];
        while let Some(&v) = path.last() {
            if let Some(e) = self.next_outgoing(v) {
                self.stack_bottom[e] = self.stack.len();
                if self.is_tree_edge(e) {
                    path.push(self.head[e]);
                } else {
                    self.low_edge[e] = e;
                    self.stack.push(ConflictPair { left: Interval::EMPTY, right: Interval { low: e, high: e } });
                    if !self.integrate(e) {
                        return false;
                    }
                }
            } else {
                path.pop();
                let e = self.parent_edge[v];
                if e != NONE {
                    self.leave(e);
                    if !self.integrate(e) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Merges the return edges of `e` with those of the edges that left its tail before. `false` if that is impossible.
    fn integrate(&mut self, e: usize) -> bool {
        let v = self.tail[e];
        let above = self.parent_edge[v];
        if self.low[e] >= self.height[v] || above == NONE {
            return true;
        }
        if self.out[self.out_starts[v]] == e {
            self.low_edge[above] = self.low_edge[e];
            return true;
        }
        self.add_constraints(e, above)
    }

    fn conflicting(&self, interval: Interval, e: usize) -> bool {
        !interval.is_empty() && self.low[interval.high] > self.low[e]
    }

    /// The return edges of `e` above the lowest one of its predecessors go to one side, the return edges of its
    /// predecessors above the lowest one of `e` to the other.
    fn add_constraints(&mut self, e: usize, above: usize) -> bool {
        let mut merged = ConflictPair { left: Interval::EMPTY, right: Interval::EMPTY };
        while self.stack.len() > self.stack_bottom[e] {
            let mut pair = self.stack.pop().expect("above the bottom");
            if !pair.left.is_empty() {
                pair.swap();
            }
            if !pair.left.is_empty() {
                return false;
            }
            if self.low[pair.right.low] > self.low[above] {
                Self::append(&mut self.reference, &mut merged.right, pair.right);
            } else {
                // A return to the lowest point of the edge above takes the side of the first such return.
                self.reference[pair.right.low] = self.low_edge[above];
            }
        }
        while let Some(&(mut pair)) = self.stack.last() {
            if !self.conflicting(pair.left, e) && !self.conflicting(pair.right, e) {
                break;
            }
            self.stack.pop();
            if self.conflicting(pair.right, e) {
                pair.swap();
            }
            if self.conflicting(pair.right, e) {
                return false;
            }
            Self::append(&mut self.reference, &mut merged.right, pair.right);
            Self::append(&mut self.reference, &mut merged.left, pair.left);
        }
        if !merged.left.is_empty() || !merged.right.is_empty() {
            self.stack.push(merged);
        }
        true
    }

    /// Puts an interval below another one on the same side.
    fn append(reference: &mut [usize], interval: &mut Interval, lower: Interval) {
        if lower.is_empty() {
            return;
        }
        if interval.is_empty() {
            *interval = lower;
        } else {
            reference[interval.low] = lower.high;
            interval.low = lower.low;
        }
    }

    /// Height of the lowest return point of a pair.
    fn lowest(&self, pair: ConflictPair) -> usize {
        let of = |interval: Interval| if interval.is_empty() { NONE } else { self.low[interval.low] };
        of(pair.left).min(of(pair.right))
    }

    /// On the way back over tree edge `e`: drops the back edges that end at its tail, and ties its side to that of its
    /// highest return edge.
    fn leave(&mut self, e: usize) {
        let u = self.tail[e];
        while let Some(&pair) = self.stack.last()
            && self.lowest(pair) == self.height[u]
        {
            if !pair.left.is_empty() {
                self.same_side[pair.left.low] = false;
            }
            self.stack.pop();
        }
        if let Some(mut pair) = self.stack.pop() {
            self.trim(&mut pair.left, pair.right, u);
            self.trim(&mut pair.right, pair.left, u);
            self.stack.push(pair);
        }
        if self.low[e] < self.height[u]
            && let Some(&ConflictPair { left, right }) = self.stack.last()
        {
            let left_is_higher = !left.is_empty() && (right.is_empty() || self.low[left.high] > self.low[right.high]);
            self.reference[e] = if left_is_higher { left.high } else { right.high };
        }
    }

    /// Drops the back edges of an interval that end at `u`; `other` is the interval on the other side.
    fn trim(&mut self, interval: &mut Interval, other: Interval, u: usize) {
        while interval.high != NONE && self.head[interval.high] == u {
            interval.high = self.reference[interval.high];
        }
        if interval.high == NONE && interval.low != NONE {
            // The interval has become empty: its last edge stays opposite to the other side.
            self.reference[interval.low] = other.low;
            self.same_side[interval.low] = false;
            interval.low = NONE;
        }
    }

    /// Replaces the side of every edge relative to its reference by the side itself.
    fn resolve_sides(&mut self) {
        let mut chain = Vec::new();
        for first in 0..self.edges.len() {
            let mut e = first;
            while self.reference[e] != NONE {
                chain.push(e);
                e = std::mem::replace(&mut self.reference[e], NONE);
            }
            let mut right = self.same_side[e];
            while let Some(e) = chain.pop() {
                right = self.same_side[e] == right;
                self.same_side[e] = right;
            }
        }
    }

    /// The rotation system that the sides define. Half-edge `2 e` is the tail's end of edge e, `2 e + 1` the head's.
    fn rotations(mut self) -> Rotations {
        let (n, m) = (self.n_vertices, self.edges.len());
        self.resolve_sides();
        // From the parent edge on: the left edges from the innermost outwards, the right ones from the outermost inwards.
        let middle = 2 * n + 1;
        self.sort_outgoing(
            |this, e| {
                if this.same_side[e] { middle + this.nesting[e] } else { middle - this.nesting[e] }
            },
        );
        let mut ring = Ring::new(n, 2 * m);
        for v in 0..n {
            for &e in self.out[self.out_starts[v]..self.out_starts[v + 1]].iter() {
                ring.push_back(v, 2 * e);
            }
        }
        // Back edges to a vertex go beside the tree edge over which they come.
        let mut leftmost = vec![NONE; n];
        let mut rightmost = vec![NONE; n];
        let mut path = Vec::new();
        for k in 0..self.roots.len() {
            path.push(self.roots[k]);
            while let Some(&v) = path.last() {
                let Some(e) = self.next_outgoing(v) else {
                    path.pop();
                    continue;
                };
                let w = self.head[e];
                let arrival = 2 * e + 1;
                if self.is_tree_edge(e) {
                    ring.push_front(w, arrival);
                    (leftmost[v], rightmost[v]) = (2 * e, 2 * e);
                    path.push(w);
                } else if self.same_side[e] {
                    ring.insert_after(rightmost[w], arrival);
                } else {
                    ring.insert_before(w, leftmost[w], arrival);
                    leftmost[w] = arrival;
                }
            }
        }
        ring.collect()
    }
}

/// Doubly linked cyclic lists of half-edges, one a vertex.
struct Ring {
    first: Vec<usize>,
    next: Vec<usize>,
    previous: Vec<usize>,
}

impl Ring {
    fn new(n_vertices: usize, n_half_edges: usize) -> Self {
        Self { first: vec![NONE; n_vertices], next: vec![NONE; n_half_edges], previous: vec![NONE; n_half_edges] }
    }

    fn push_back(&mut self, v: usize, h: usize) {
        let first = self.first[v];
        if first == NONE {
            (self.next[h], self.previous[h]) = (h, h);
            self.first[v] = h;
        } else {
            self.insert_after(self.previous[first], h);
        }
    }

    fn push_front(&mut self, v: usize, h: usize) {
        self.push_back(v, h);
        self.first[v] = h;
    }

    fn insert_after(&mut self, at: usize, h: usize) {
        let after = self.next[at];
        (self.next[at], self.previous[h]) = (h, at);
        (self.next[h], self.previous[after]) = (after, h);
    }

    fn insert_before(&mut self, v: usize, at: usize, h: usize) {
        self.insert_after(self.previous[at], h);
        if self.first[v] == at {
            self.first[v] = h;
        }
    }

    /// The edges around every vertex.
    fn collect(self) -> Rotations {
        let mut starts = vec![0];
        let mut edges = Vec::with_capacity(self.next.len());
        for first in self.first {
            let mut h = first;
            while h != NONE {
                edges.push(h / 2);
                h = if self.next[h] == first { NONE } else { self.next[h] };
            }
            starts.push(edges.len());
        }
        Rotations { starts, edges }
    }
}
