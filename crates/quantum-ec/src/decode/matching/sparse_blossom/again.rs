//! Matching again what a few lower weights have changed.
//!
//! After a success the regions and the matching prove each other best. If some edges get lighter, the proof fails where
//! regions overlap on them: these regions are given up together with those they are matched with, and their defects grow
//! anew among all others, which rest as they are. The result is as good as a matching from nothing.

use super::arcs::{Arcs, NONE};
use super::state::{Couple, Motion, Node, Region, Solver};

impl Solver {
    /// After a success: whether the regions are no longer a proof if an edge gets this weight.
    ///
    /// They are if the regions around the ends do not overlap on the edge, or if both ends are in the region of one defect and
    /// the edge is no short cut between them. Inside of blossoms anything else counts as an overlap.
    #[inline]
    pub fn overlap(&self, (u, v): (u32, u32), weight: u32) -> bool {
        let (near, far) = (self.nodes[u as usize], self.nodes[v as usize]);
        if near.top == NONE && far.top == NONE {
            return false;
        }
        let rest = |node: Node| if node.top == NONE { 0 } else { self.local(node) };
        let (a, b, weight) = (rest(near), rest(far), i64::from(weight));
        if a + b <= weight {
            return false;
        }
        let alone = near.top == far.top && self.regions[near.top as usize].child == NONE;
        !(alone && (a - b).abs() <= weight)
    }

    /// After a success: makes regions smaller so that they do not overlap on an edge if it gets this weight, if that can be
    /// done by pairs of defects that are joined by one edge, which may be as light as `least` says.
    ///
    /// Smaller regions overlap nowhere else. [`settle`](Self::settle) has to follow.
    pub fn give_way(&mut self, (u, v): (u32, u32), weight: u32, least: impl Fn(u32) -> u32) {
        let (near, far) = (self.nodes[u as usize], self.nodes[v as usize]);
        if near.top == far.top {
            return;
        }
        let mut overlap = -i64::from(weight);
        for node in [near, far] {
            if node.top != NONE {
                overlap += self.local(node);
            }
        }
        let (near, far) = (self.couple(u), self.couple(v));
        let room = |couple: Option<Couple>| {
            couple.map_or(0, |couple| self.excess(couple, &least).min(self.radius(couple.region)))
        };
        let (a, b) = (room(near), room(far));
        if overlap <= 0 || overlap > a + b {
            return;
        }
        for (couple, room) in [(near, a), (far, b)] {
            if let Some(couple) = couple {
                let part = overlap.min(room);
                self.motions[couple.region as usize].intercept -= part;
                overlap -= part;
                self.couples.push(couple);
            }
        }
    }

    /// Makes regions that gave way so small that the edge between them is tight at its least weight; lists these edges, some
    /// more than once. They have to get that weight before anything grows again.
    pub fn settle(&mut self, least: impl Fn(u32) -> u32, edges: &mut Vec<u32>) {
        let mut couples = std::mem::take(&mut self.couples);
        for &couple in &couples {
            edges.push(couple.edge);
            for region in [couple.region, couple.mate] {
                if region != NONE {
                    let part = self.excess(couple, &least).min(self.radius(region));
                    self.motions[region as usize].intercept -= part;
                }
            }
        }
        couples.clear();
        self.couples = couples;
    }

    /// The pair of a defect, if both regions hold nothing else and one edge joins them.
    fn couple(&self, u: u32) -> Option<Couple> {
        let alone = |top: u32, u: u32| {
            let region = &self.regions[top as usize];
            region.child == NONE && region.shell == u
        };
        let region = self.nodes[u as usize].top;
        if region == NONE || !alone(region, u) {
            return None;
        }
        let bond = self.regions[region as usize].mate;
        let mate = self.nodes[bond.to as usize].top;
        let direct = bond.length == 1 && (mate == NONE || alone(mate, bond.to));
        direct.then(|| Couple { region, mate, edge: self.paths[bond.path as usize] })
    }

    /// What the radii of a pair sum up to beyond the least weight of their edge.
    fn excess(&self, couple: Couple, least: impl Fn(u32) -> u32) -> i64 {
        let other = if couple.mate == NONE { 0 } else { self.radius(couple.mate) };
        self.radius(couple.region) + other - i64::from(least(couple.edge))
    }

    /// After a success: gives up the regions around a node or the boundary, and those they are matched with.
    pub fn give_up(&mut self, v: u32) {
        let top = self.nodes[v as usize].top;
        if top == NONE {
            return;
        }
        let mate = self.regions[top as usize].mate;
        if mate.to == NONE {
            // Given up before.
            return;
        }
        self.free(top);
        // The boundary is a node without region.
        let other = self.nodes[mate.to as usize].top;
        if other != NONE {
            self.free(other);
        }
    }

    /// Makes defects by themselves of the defects of a region.
    fn free(&mut self, region: u32) {
        let mut stack = std::mem::take(&mut self.stack);
        stack.push(region);
        while let Some(r) = stack.pop() {
            let Region { shell, child: first, .. } = self.regions[r as usize];
            if first != NONE {
                let mut child = first;
                loop {
                    stack.push(child);
                    child = self.regions[child as usize].next;
                    if child == first {
                        break;
                    }
                }
                // As `open` leaves them.
                self.regions[r as usize].parent = r;
            }
            let mut v = shell;
            while v != NONE {
                let origin = self.origins[v as usize];
                let mut top = NONE;
                if origin.parent == NONE {
                    top = origin.leaf;
                    self.regions[top as usize] = Region { shell: v, ..Region::NEW };
                    self.motions[top as usize] = Motion { intercept: 0, slope: 0 };
                    self.freed.push(top);
                }
                self.nodes[v as usize] = Node { offset: 0, top, next: NONE };
                v = origin.below;
            }
        }
        self.stack = stack;
    }

    /// Matches the defects of all regions that were given up. False if there is no way.
    pub fn solve_again(&mut self, graph: &Arcs) -> bool {
        let mut freed = std::mem::take(&mut self.freed);
        // All regions rest: their radii do not know the time.
        self.now = 0;
        self.exposed = freed.len();
        for &i in &freed {
            let u = self.regions[i as usize].shell;
            let (from, to) = graph.range(u);
            let arcs = graph.slice(from, to);
            let mut room = arcs.first().map_or(0, |lightest| i64::from(lightest.weight / 2));
            for arc in arcs {
                let other = self.nodes[arc.to as usize];
                // Two that were given up share their edge.
                if other.top != NONE && self.regions[other.top as usize].mate.to != NONE {
                    room = room.min(i64::from(arc.weight) - self.local(other));
                }
            }
            debug_assert!(room >= 0);
            // Times and radii of what grows stay integers if radii are even at time 0; what rests may be odd.
            self.motions[i as usize].intercept = room & !1;
        }
        for &i in &freed {
            if self.regions[i as usize].mate.to == NONE {
                self.pair(graph, i, self.regions[i as usize].shell);
            }
        }
        if self.exposed > 0 {
            self.queue.reset(graph.heaviest());
            self.trees.clear();
            self.plant(graph, freed.iter().copied());
            self.run(graph);
        }
        freed.clear();
        self.freed = freed;
        self.exposed == 0
    }
}
