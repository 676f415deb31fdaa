//! One alternating tree at a time: grow, shrink, expand, augment.
//!
//! Time is the amount by which the dual of the root has risen. Duals of outer vertices rise and those of inner
//! vertices fall at unit rate; they are stored as the value at time 0 that a constant rate would have needed, so
//! nothing is touched while time passes. Outside the tree nothing moves. Weights are doubled; then all outer vertices
//! have duals of one parity, the slack of an edge between two of them is even, and every event has an integer time.

use super::arcs::{Arcs, NONE};
use super::events::{Event, Events};
use super::initial;
use super::laminar::{Label, Laminar, Link};

/// What the scan of an arc needs to know of its head.
#[derive(Debug, Clone, Copy)]
struct Vertex {
    /// The dual at time 0 if it has changed at the present rate since.
    dual: i64,
    /// Outside the tree: when the first edge from an outer vertex is due.
    reached: i64,
    label: Label,
}

#[derive(Debug)]
pub(super) struct Search {
    arcs: Arcs,
    vertices: Vec<Vertex>,
    pub laminar: Laminar,
    events: Events,
    time: i64,
    /// Vertices labelled or reached since the search began, possibly more than once.
    touched: Vec<u32>,
    /// Outer vertices whose arcs are to be scanned.
    to_scan: Vec<u32>,
    stamp: u32,
}

impl Search {
    pub fn new(n: usize, arcs: Arcs) -> Self {
        let (duals, matched) = initial::greedy(n, &arcs);
        let mut laminar = Laminar::new(n);
        let mut vertices = Vec::with_capacity(n);
        for (v, (&dual, &half)) in duals.iter().zip(&matched).enumerate() {
            let label = if half == NONE { Label::Exposed } else { Label::Free };
            laminar.nodes[v].matched = half;
            vertices.push(Vertex { dual, reached: i64::MAX, label });
        }
        Self {
            arcs,
            vertices,
            laminar,
            events: Events::default(),
            time: 0,
            touched: Vec::new(),
            to_scan: Vec::new(),
            stamp: 0,
        }
    }

    /// Dual of a vertex between searches.
    pub fn dual(&self, v: u32) -> i64 {
        self.vertices[v as usize].dual
    }

    pub fn is_exposed(&self, v: u32) -> bool {
        self.vertices[v as usize].label == Label::Exposed
    }

    /// Grows a tree from an exposed vertex until it can be augmented. `false` if no path to another exposed vertex
    /// exists; then the tree is kept as it stands until [`Self::bury`] or [`Self::finish`].
    pub fn grow_from(&mut self, root: u32) -> bool {
        self.time = 0;
        self.events.clear();
        self.become_outer(root);
        self.scan();
        while let Some((time, event)) = self.events.pop(self.time) {
            self.time = time;
            match event {
                Event::Tight(half) => self.follow(half),
                Event::Expand(node) => self.expand(node),
            }
            self.scan();
        }
        let Some((time, half)) = self.events.exit() else { return false };
        self.time = time;
        self.augment(half);
        self.finish();
        true
    }

    /// The matched half-edge that leaves each vertex, all blossoms taken apart. Everything must be matched.
    pub fn into_matched(mut self) -> Vec<u32> {
        let n = self.vertices.len();
        let tops = (n as u32..self.laminar.nodes.len() as u32).filter(|&b| self.laminar.is_alive(b));
        let mut todo: Vec<u32> = tops.filter(|&b| self.laminar.is_top(b)).collect();
        while let Some(blossom) = todo.pop() {
            let base = self.arcs.tail(self.laminar.nodes[blossom as usize].matched);
            let cycle = self.laminar.split(blossom, base);
            todo.extend(cycle.iter().map(|link| link.node).filter(|&part| self.laminar.is_blossom(part)));
        }
        self.laminar.nodes[..n].iter().map(|node| node.matched).collect()
    }

    /// Sets the label of a vertex and keeps its present dual.
    #[inline]
    fn label_vertex(vertex: &mut Vertex, label: Label, time: i64) {
        vertex.dual += (vertex.label.rate() - label.rate()) * time;
        vertex.label = label;
    }

    /// Labels a top-level node that was not a part of another, with all its vertices.
    fn relabel(&mut self, node: u32, label: Label) {
        let Self { laminar, vertices, touched, time, .. } = self;
        laminar.for_each_vertex(node, |v| {
            Self::label_vertex(&mut vertices[v as usize], label, *time);
            touched.push(v);
        });
        let node = &mut self.laminar.nodes[node as usize];
        // The dual of a blossom makes up for the two ends of each edge in it.
        node.dual -= 2 * (label.rate() - node.label.rate()) * self.time;
        node.label = label;
    }

    fn become_outer(&mut self, node: u32) {
        self.relabel(node, Label::Outer);
        let Self { laminar, to_scan, .. } = self;
        laminar.for_each_vertex(node, |v| to_scan.push(v));
    }

    fn become_inner(&mut self, node: u32, towards_root: u32) {
        self.relabel(node, Label::Inner);
        self.laminar.nodes[node as usize].towards_root = towards_root;
        self.watch_dual(node);
    }

    /// Announces when the dual of an inner blossom will be 0.
    fn watch_dual(&mut self, node: u32) {
        if self.laminar.is_blossom(node) {
            // Stored as it would have been at time 0, falling by 2 per unit.
            let due = self.laminar.nodes[node as usize].dual / 2;
            self.events.push(self.time, due, Event::Expand(node));
        }
    }

    /// Slack of an edge between two top-level nodes now.
    fn slack(&self, half: u32) -> i64 {
        let dual = |v: u32| {
            let vertex = &self.vertices[v as usize];
            vertex.dual + vertex.label.rate() * self.time
        };
        self.arcs.weight(half) - dual(self.arcs.tail(half)) - dual(self.arcs.head(half))
    }

    /// Looks along all arcs of the vertices that became outer.
    fn scan(&mut self) {
        while let Some(u) = self.to_scan.pop() {
            let Vertex { dual: dual_u, label, .. } = self.vertices[u as usize];
            debug_assert!(label == Label::Outer, "{u} is {label:?}");
            for arc in self.arcs.leaving(u) {
                let head = &mut self.vertices[arc.head as usize];
                // Duals as of time 0: this is the sum of the rates times the time at which the edge is tight.
                let due = arc.weight - dual_u - head.dual;
                match head.label {
                    Label::Outer => {
                        if self.events.matters(due / 2) && !self.laminar.together(u, arc.head) {
                            debug_assert!(due % 2 == 0, "slack {due} between outer vertices");
                            self.events.push(self.time, due / 2, Event::Tight(arc.half));
                        }
                    }
                    Label::Free => {
                        if due < head.reached && self.events.matters(due) {
                            head.reached = due;
                            self.touched.push(arc.head);
                            self.events.push(self.time, due, Event::Tight(arc.half));
                        }
                    }
                    Label::Exposed => self.events.push_exit(due, arc.half),
                    Label::Inner | Label::Dead => {}
                }
            }
        }
    }

    /// Looks from a vertex that fell out of the tree back to the outer vertices.
    fn scan_back(&mut self, v: u32) {
        let mut best = (i64::MAX, NONE);
        let dual_v = self.vertices[v as usize].dual;
        for arc in self.arcs.leaving(v) {
            let head = &self.vertices[arc.head as usize];
            if head.label == Label::Outer {
                best = best.min((arc.weight - dual_v - head.dual, arc.half ^ 1));
            }
        }
        let (due, half) = best;
        self.vertices[v as usize].reached = due;
        if half != NONE {
            self.events.push(self.time, due, Event::Tight(half));
        }
    }

    /// Uses an edge from an outer vertex, if it is tight and still leads somewhere.
    fn follow(&mut self, half: u32) {
        let (u, v) = (self.arcs.tail(half), self.arcs.head(half));
        match self.vertices[v as usize].label {
            Label::Outer if !self.laminar.together(u, v) && self.slack(half) == 0 => self.shrink(half),
            Label::Free if self.slack(half) == 0 => {
                let inner = self.laminar.top(v);
                self.become_inner(inner, half ^ 1);
                let outer = self.laminar.top(self.arcs.head(self.laminar.nodes[inner as usize].matched));
                self.become_outer(outer);
            }
            _ => {}
        }
    }

    /// The half-edge that leaves a tree node towards the root, [`NONE`] at the root.
    fn up(&self, node: u32) -> u32 {
        let node = &self.laminar.nodes[node as usize];
        if node.label == Label::Outer { node.matched } else { node.towards_root }
    }

    /// The nearest node on the paths of both to the root. Linear in the shorter of the two ways to it.
    fn meet(&mut self, a: u32, b: u32) -> u32 {
        self.stamp += 1;
        let (mut here, mut other) = (a, b);
        loop {
            if here != NONE {
                let mark = &mut self.laminar.nodes[here as usize].mark;
                if *mark == self.stamp {
                    return here;
                }
                *mark = self.stamp;
                let up = self.up(here);
                here = if up == NONE { NONE } else { self.laminar.top(self.arcs.head(up)) };
            }
            std::mem::swap(&mut here, &mut other);
        }
    }

    /// Makes a blossom of the cycle that a tight edge between two outer nodes closes.
    fn shrink(&mut self, half: u32) {
        let a = self.laminar.top(self.arcs.tail(half));
        let b = self.laminar.top(self.arcs.head(half));
        let base = self.meet(a, b);
        // Down from the base to a, across, and up from b.
        let mut cycle = Vec::new();
        let mut node = a;
        let mut to_next = half;
        while node != base {
            cycle.push(Link { node, half: to_next });
            let up = self.up(node);
            to_next = up ^ 1;
            node = self.laminar.top(self.arcs.head(up));
        }
        cycle.push(Link { node: base, half: to_next });
        cycle.reverse();
        node = b;
        while node != base {
            let up = self.up(node);
            cycle.push(Link { node, half: up });
            node = self.laminar.top(self.arcs.head(up));
        }
        for &Link { node: part, .. } in &cycle {
            if self.laminar.nodes[part as usize].label == Label::Inner {
                self.become_outer(part);
            }
            // Inside a blossom duals rest.
            let part = &mut self.laminar.nodes[part as usize];
            part.dual += 2 * self.time;
            part.label = Label::Free;
        }
        let matched = self.laminar.nodes[base as usize].matched;
        let blossom = self.laminar.join(cycle);
        let blossom = &mut self.laminar.nodes[blossom as usize];
        blossom.matched = matched;
        blossom.label = Label::Outer;
        blossom.dual = -2 * self.time;
    }

    /// Takes an inner blossom of dual 0 apart and puts the even way through it into the tree.
    fn expand(&mut self, blossom: u32) {
        let node = &self.laminar.nodes[blossom as usize];
        if node.label != Label::Inner || node.dual != 2 * self.time {
            return;
        }
        let entry = node.towards_root;
        let base = self.arcs.tail(node.matched);
        let cycle = self.laminar.split(blossom, base);
        let entered = self.laminar.top(self.arcs.tail(entry));
        let at = cycle.iter().position(|link| link.node == entered).expect("the entry is a part");
        // From the entry to the base: the direction that takes an even number of edges.
        let forward = !at.is_multiple_of(2);
        let n_path = if forward { cycle.len() - at + 1 } else { at + 1 };
        let position = |step: usize| if forward { (at + step) % cycle.len() } else { at - step };
        // The parts carry the label of the blossom on their vertices but not yet on themselves.
        for link in &cycle {
            let part = &mut self.laminar.nodes[link.node as usize];
            part.label = Label::Inner;
            part.dual += 2 * self.time;
        }
        let mut towards_root = entry;
        for step in 0..n_path {
            let part = cycle[position(step)].node;
            if step % 2 == 1 {
                self.become_outer(part);
                continue;
            }
            self.laminar.nodes[part as usize].towards_root = towards_root;
            self.watch_dual(part);
            if step + 2 < n_path {
                // The inner node two steps on sees the outer one between.
                let between = position(step + 1);
                towards_root = if forward { cycle[between].half ^ 1 } else { cycle[position(step + 2)].half };
            }
        }
        let mut freed = Vec::new();
        for step in 1..=cycle.len() - n_path {
            let k = if forward { at - step } else { at + step };
            let part = cycle[k].node;
            self.relabel(part, Label::Free);
            self.laminar.for_each_vertex(part, |v| freed.push(v));
        }
        for &v in &freed {
            self.scan_back(v);
        }
    }

    /// Matches along the path from an exposed vertex at the head of a tight edge to the root.
    fn augment(&mut self, mut half: u32) {
        let exposed = self.arcs.head(half);
        self.laminar.nodes[exposed as usize].matched = half ^ 1;
        self.vertices[exposed as usize].label = Label::Free;
        loop {
            let outer = self.laminar.top(self.arcs.tail(half));
            let before = std::mem::replace(&mut self.laminar.nodes[outer as usize].matched, half);
            if before == NONE {
                return;
            }
            let inner = self.laminar.top(self.arcs.head(before));
            let up = self.laminar.nodes[inner as usize].towards_root;
            self.laminar.nodes[inner as usize].matched = up;
            half = up ^ 1;
        }
    }

    /// Dissolves the tree: everything in it is matched and rests.
    fn finish(&mut self) {
        self.rest(Label::Free);
    }

    /// Takes the tree that could not be augmented out of the game. Gives back its inner vertices.
    pub fn bury(&mut self) -> Vec<u32> {
        let mut inner: Vec<u32> = self.touched.clone();
        inner.retain(|&v| self.vertices[v as usize].label == Label::Inner);
        inner.sort_unstable();
        inner.dedup();
        self.rest(Label::Dead);
        inner
    }

    fn rest(&mut self, label: Label) {
        let touched = std::mem::take(&mut self.touched);
        for &v in &touched {
            let vertex = &mut self.vertices[v as usize];
            vertex.reached = i64::MAX;
            if !matches!(vertex.label, Label::Outer | Label::Inner) {
                continue;
            }
            Self::label_vertex(vertex, label, self.time);
            if self.laminar.is_name(v) {
                let top = self.laminar.top(v);
                let node = &mut self.laminar.nodes[top as usize];
                node.dual += 2 * node.label.rate() * self.time;
                node.label = label;
            }
        }
        self.touched = touched;
        self.touched.clear();
    }
}
