//! Growth of clusters and the correction of what was grown.

use crate::decode::matching::sparse_blossom::{Arcs, NONE, Queue};

/// Set in the first number of an event: the next arc into free nodes.
const CROSSING: u32 = 1 << 31;

/// A node of a cluster, or a free one.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// The node above in the cluster; the node itself at the root, none if free.
    parent: u32,
    /// The next node in the cluster's list.
    next: u32,
    /// Radius of the cluster around this node, less that around the parent; at the root, less the clock of the cluster.
    offset: i64,
    /// The arc to be crossed next into free nodes.
    crossing: u32,
    /// Edges of the forest here: how many, and the exclusive or of their numbers.
    degree: u32,
    edges: u32,
    /// At a root: the last node of the list.
    last: u32,
    defect: bool,
}

const FREE: Node =
    Node { parent: NONE, next: NONE, offset: 0, crossing: NONE, degree: 0, edges: 0, last: NONE, defect: false };

/// The clock of a cluster, kept at its root.
#[derive(Debug, Clone, Copy)]
struct Clock {
    intercept: i64,
    slope: i64,
    odd: bool,
    /// Whether it holds the boundary.
    open: bool,
    size: u32,
}

impl Clock {
    fn grows(self) -> bool {
        self.odd && !self.open
    }
}

/// All clusters of a shot.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    now: i64,
    nodes: Vec<Node>,
    clocks: Vec<Clock>,
    queue: Queue,
    taken: Vec<u32>,
    /// Ends and edge of what spans the clusters; the boundary is the number of nodes.
    forest: Vec<(u32, u32, u32)>,
    growing: usize,
}

impl Clusters {
    pub(super) fn new(n: usize) -> Self {
        Self {
            now: 0,
            nodes: vec![FREE; n + 1],
            clocks: vec![Clock { intercept: 0, slope: 0, odd: false, open: false, size: 0 }; n],
            queue: Queue::new(),
            taken: Vec::new(),
            forest: Vec::new(),
            growing: 0,
        }
    }

    /// Edges with this syndrome, into `edges`; a defect of a cluster that cannot be corrected, if there is one.
    pub(super) fn solve(&mut self, graph: &Arcs, defects: &[u32], edges: &mut Vec<u32>) -> Result<(), u32> {
        edges.clear();
        if defects.is_empty() {
            return Ok(());
        }
        self.now = 0;
        self.queue.reset(graph.heaviest());
        self.growing = defects.len();
        for &v in defects {
            self.nodes[v as usize] = Node { parent: v, last: v, defect: true, ..FREE };
            self.clocks[v as usize] = Clock { intercept: 0, slope: 1, odd: true, open: false, size: 1 };
        }
        self.taken.extend_from_slice(defects);
        for &v in defects {
            self.scan(graph, v);
        }
        while self.growing > 0 {
            let Some(event) = self.queue.pop() else { break };
            self.now = event.time;
            if event.what & CROSSING != 0 {
                self.cross(graph, event.what & !CROSSING, event.which);
            } else {
                self.touch(graph, event.what, event.which);
            }
        }
        let stuck = (self.growing > 0).then(|| {
            let grows = |v: &&u32| self.clocks[self.find(**v).0 as usize].slope > 0;
            *defects.iter().find(grows).expect("a growing cluster holds a defect")
        });
        if stuck.is_none() {
            self.peel(graph.n_nodes() as u32, edges);
        }
        for &v in &self.taken {
            self.nodes[v as usize] = FREE;
        }
        self.taken.clear();
        self.forest.clear();
        stuck.map_or(Ok(()), Err)
    }

    /// The root of a node's cluster and the node's offset from its clock.
    fn find(&self, v: u32) -> (u32, i64) {
        let mut node = self.nodes[v as usize];
        let (mut root, mut offset) = (v, node.offset);
        while node.parent != root {
            root = node.parent;
            node = self.nodes[root as usize];
            offset += node.offset;
        }
        (root, offset)
    }

    /// As [`find`](Self::find), and brings the node and those on the way closer to the root.
    fn find_short(&mut self, v: u32) -> (u32, i64) {
        let mut x = v;
        loop {
            let parent = self.nodes[x as usize].parent;
            let above = self.nodes[parent as usize];
            if above.parent == parent {
                break;
            }
            let node = &mut self.nodes[x as usize];
            node.parent = above.parent;
            node.offset += above.offset;
            x = above.parent;
        }
        self.find(v)
    }

    fn radius(&self, root: u32) -> i64 {
        let clock = self.clocks[root as usize];
        clock.intercept + clock.slope * self.now
    }

    /// Events of a node of a growing cluster.
    fn scan(&mut self, graph: &Arcs, u: u32) {
        let (root, offset) = self.find_short(u);
        let local = offset + self.radius(root);
        let (from, to) = graph.range(u);
        let mut crossing = NONE;
        for (k, arc) in graph.slice(from, to).iter().enumerate() {
            let h = (from + k) as u32;
            let room = i64::from(arc.weight) - local;
            if self.nodes[arc.to as usize].parent == NONE {
                if crossing == NONE {
                    crossing = h;
                    self.queue.push(self.now + room, u | CROSSING, h);
                }
                continue;
            }
            let (other, offset) = self.find_short(arc.to);
            if other != root {
                let slack = room - offset - self.radius(other);
                // What comes to touch by a merger at this moment may have been beyond.
                self.queue.push(self.now + (slack.max(0) >> self.clocks[other as usize].slope), u, h);
            }
        }
        self.nodes[u as usize].crossing = crossing;
    }

    fn cross(&mut self, graph: &Arcs, u: u32, h: u32) {
        if self.nodes[u as usize].crossing != h {
            return;
        }
        let (root, offset) = self.find_short(u);
        let arc = graph.arc(h);
        let local = offset + self.radius(root);
        if self.clocks[root as usize].slope == 0 || local != i64::from(arc.weight) {
            return;
        }
        if arc.to == graph.n_nodes() as u32 {
            self.forest.push((u, arc.to, graph.edge(h)));
            self.stop(root);
            return;
        }
        let (_, to) = graph.range(u);
        let from = h as usize + 1;
        let ahead = graph.slice(from, to).iter().position(|arc| self.nodes[arc.to as usize].parent == NONE);
        self.nodes[u as usize].crossing = ahead.map_or(NONE, |k| (from + k) as u32);
        if let Some(k) = ahead {
            let next = (from + k) as u32;
            self.queue.push(self.now + i64::from(graph.arc(next).weight) - local, u | CROSSING, next);
        }
        if self.nodes[arc.to as usize].parent == NONE {
            let v = arc.to;
            self.nodes[v as usize] = Node { parent: root, offset: -self.radius(root), ..FREE };
            self.append(root, v, v);
            self.clocks[root as usize].size += 1;
            self.taken.push(v);
            self.forest.push((u, v, graph.edge(h)));
            self.scan(graph, v);
        }
    }

    fn touch(&mut self, graph: &Arcs, u: u32, h: u32) {
        let arc = graph.arc(h);
        let ((a, x), (b, y)) = (self.find_short(u), self.find_short(arc.to));
        let slope = self.clocks[a as usize].slope + self.clocks[b as usize].slope;
        if a == b || slope == 0 {
            return;
        }
        let slack = i64::from(arc.weight) - x - y - self.radius(a) - self.radius(b);
        if slack > 0 {
            // An odd slack between two growing clusters closes within the next unit.
            self.queue.push(self.now + (slack + slope - 1) / slope, u, h);
            return;
        }
        self.forest.push((u, arc.to, graph.edge(h)));
        self.merge(graph, a, b);
    }

    /// A growing cluster comes to the boundary and has what it needs.
    fn stop(&mut self, root: u32) {
        let intercept = self.radius(root);
        self.growing -= 1;
        let clock = &mut self.clocks[root as usize];
        *clock = Clock { intercept, slope: 0, open: true, ..*clock };
    }

    /// Puts a list of nodes behind that of a cluster.
    fn append(&mut self, root: u32, first: u32, last: u32) {
        let tail = std::mem::replace(&mut self.nodes[root as usize].last, last);
        self.nodes[tail as usize].next = first;
    }

    fn merge(&mut self, graph: &Arcs, a: u32, b: u32) {
        let (a, b) = if self.clocks[a as usize].size >= self.clocks[b as usize].size { (a, b) } else { (b, a) };
        let (radius, other) = (self.radius(a), self.radius(b));
        let (large, small) = (self.clocks[a as usize], self.clocks[b as usize]);
        let resting = if large.grows() { b } else { a };
        let (first, last) = (resting, self.nodes[resting as usize].last);
        let tail = self.nodes[b as usize].last;
        self.append(a, b, tail);
        let node = &mut self.nodes[b as usize];
        node.parent = a;
        node.offset += other - radius;
        let (odd, open, size) = (large.odd != small.odd, large.open || small.open, large.size + small.size);
        let merged = Clock { intercept: radius, slope: 0, odd, open, size };
        self.growing -= usize::from(large.grows()) + usize::from(small.grows());
        if !merged.grows() {
            self.clocks[a as usize] = merged;
            return;
        }
        self.growing += 1;
        self.clocks[a as usize] = Clock { intercept: radius - self.now, slope: 1, ..merged };
        // One of the two grew already; the other starts again.
        let mut v = first;
        loop {
            self.scan(graph, v);
            if v == last {
                return;
            }
            v = self.nodes[v as usize].next;
        }
    }

    /// Takes leaves off the forest: the edge of a leaf that is a defect is in the correction.
    fn peel(&mut self, boundary: u32, edges: &mut Vec<u32>) {
        for (f, &(u, v, _)) in self.forest.iter().enumerate() {
            for x in [u, v] {
                let node = &mut self.nodes[x as usize];
                node.degree += 1;
                node.edges ^= f as u32;
            }
        }
        for &v in &self.taken {
            let mut x = v;
            while x != boundary && self.nodes[x as usize].degree == 1 {
                let Node { edges: f, defect, .. } = self.nodes[x as usize];
                let (a, b, edge) = self.forest[f as usize];
                let above = a ^ b ^ x;
                self.nodes[x as usize].degree = 0;
                let node = &mut self.nodes[above as usize];
                node.degree -= 1;
                node.edges ^= f;
                if defect {
                    edges.push(edge);
                    node.defect = !node.defect;
                }
                x = above;
            }
        }
        self.nodes[boundary as usize] = FREE;
    }
}
