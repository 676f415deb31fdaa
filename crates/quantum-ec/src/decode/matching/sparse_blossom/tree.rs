//! Alternating trees: growing regions that are each matched with the shrinking one above them, up to a root without a
//! partner.

use super::arcs::{Arcs, NONE};
use super::state::{Bond, Solver};

impl Solver {
    /// The growing region of `u` touches the region of `v`.
    pub(super) fn collide(&mut self, graph: &Arcs, u: u32, v: u32, h: u32) {
        let (a, b) = (self.nodes[u as usize].top, self.nodes[v as usize].top);
        let bond = self.bond(u, Some(v), graph.edge(h));
        if self.motions[b as usize].slope == 1 {
            let (s, t) = (self.regions[a as usize].tree, self.regions[b as usize].tree);
            if s == t {
                self.shrink_cycle(graph, a, b, bond);
                return;
            }
            self.flip(a, bond);
            self.flip(b, bond.reversed());
            self.exposed -= 2;
            self.dissolve(graph, &[s, t]);
            return;
        }
        let mate = self.regions[b as usize].mate;
        let tree = self.regions[a as usize].tree;
        if mate.to == graph.n_nodes() as u32 {
            self.regions[b as usize].mate = bond.reversed();
            self.flip(a, bond);
            self.exposed -= 1;
            self.dissolve(graph, &[tree]);
            return;
        }
        let c = self.nodes[mate.to as usize].top;
        self.regions[b as usize].up = bond.reversed();
        self.join(b, tree);
        self.join(c, tree);
        self.set_slope(b, -1);
        self.set_slope(c, 1);
        self.schedule_shrinking(b);
        self.scan_region(graph, c);
    }

    /// The growing region of `u` touches the boundary.
    pub(super) fn reach_boundary(&mut self, graph: &Arcs, u: u32, h: u32) {
        let a = self.nodes[u as usize].top;
        let tree = self.regions[a as usize].tree;
        let bond = self.bond(u, None, graph.edge(h));
        let bond = Bond { to: graph.n_nodes() as u32, ..bond };
        self.flip(a, bond);
        self.exposed -= 1;
        self.dissolve(graph, &[tree]);
    }

    /// Puts a region on the list of a tree.
    pub(super) fn join(&mut self, region: u32, tree: u32) {
        let head = std::mem::replace(&mut self.trees[tree as usize], region);
        let region = &mut self.regions[region as usize];
        region.tree = tree;
        region.tree_next = head;
    }

    /// Gives a growing region a partner outside of the tree and changes partners from there to the root.
    fn flip(&mut self, region: u32, bond: Bond) {
        let (mut r, mut bond) = (region, bond);
        loop {
            let old = std::mem::replace(&mut self.regions[r as usize].mate, bond);
            if old.to == NONE {
                return;
            }
            let inner = self.nodes[old.to as usize].top;
            let up = self.regions[inner as usize].up;
            self.regions[inner as usize].mate = up;
            r = self.nodes[up.to as usize].top;
            bond = up.reversed();
        }
    }

    /// Ends trees: all their regions rest.
    fn dissolve(&mut self, graph: &Arcs, trees: &[u32]) {
        let mut shrinking = std::mem::take(&mut self.scratch);
        shrinking.clear();
        for &tree in trees {
            let mut r = self.trees[tree as usize];
            while r != NONE {
                let region = self.regions[r as usize];
                if region.parent == NONE && region.tree == tree {
                    if self.motions[r as usize].slope < 0 {
                        shrinking.push(r);
                    }
                    self.set_slope(r, 0);
                    self.regions[r as usize].tree = NONE;
                }
                r = region.tree_next;
            }
        }
        // Growth around regions that shrank has to be looked at again; there may be none left to look.
        if self.exposed > 0 {
            for &r in &shrinking {
                self.for_each_node(r, |solver, v| solver.scan_resting(graph, v));
            }
        }
        self.scratch = shrinking;
    }

    /// Looks at all arcs out of a region that starts to grow.
    pub(super) fn scan_region(&mut self, graph: &Arcs, region: u32) {
        self.for_each_node(region, |solver, v| solver.scan(graph, v));
    }

    /// All nodes of a region and its parts.
    pub(super) fn for_each_node(&mut self, region: u32, mut visit: impl FnMut(&mut Self, u32)) {
        let mut stack = std::mem::take(&mut self.stack);
        let base = stack.len();
        stack.push(region);
        while stack.len() > base {
            let r = stack.pop().expect("more than the base");
            let mut v = self.regions[r as usize].shell;
            while v != NONE {
                visit(self, v);
                v = self.origins[v as usize].below;
            }
            let first = self.regions[r as usize].child;
            if first != NONE {
                let mut child = first;
                loop {
                    stack.push(child);
                    child = self.regions[child as usize].next;
                    if child == first {
                        break;
                    }
                }
            }
        }
        self.stack = stack;
    }
}
