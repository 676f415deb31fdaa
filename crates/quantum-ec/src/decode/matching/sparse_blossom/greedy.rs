//! The start: radii that keep apart, and pairs that touch.
//!
//! Every defect gets half of its lightest edge, then as much more as its neighbours leave, up to the lightest edge. Two
//! such regions meet on a common edge or not at all, so that a look at the neighbours is a proof. Defects that touch are
//! matched. What is matched here is settled unless something else grows into it.

use super::arcs::{Arcs, NONE};
use super::state::{Bond, Motion, Node, Origin, Region, Solver};

impl Solver {
    /// Regions of all defects with their radii and first partners.
    pub(super) fn start(&mut self, graph: &Arcs, defects: &[u32]) {
        for (i, &u) in defects.iter().enumerate() {
            let i = i as u32;
            let (from, to) = graph.range(u);
            let half = if from < to { i64::from(graph.arc(from as u32).weight / 2) } else { 0 };
            self.nodes[u as usize] = Node { offset: 0, top: i, next: NONE };
            self.origins[u as usize] = Origin { parent: NONE, edge: NONE, below: NONE, leaf: i };
            self.motions.push(Motion { intercept: half, slope: 0 });
            self.regions.push(Region { shell: u, ..Region::NEW });
        }
        self.taken.extend_from_slice(defects);
        self.exposed = defects.len();
        for (i, &u) in defects.iter().enumerate() {
            if self.regions[i].mate.to == NONE {
                self.pair(graph, i as u32, u);
            }
        }
    }

    /// Raises a radius as far as the neighbours allow; matches with one that is then touched.
    pub(super) fn pair(&mut self, graph: &Arcs, i: u32, u: u32) {
        let (from, to) = graph.range(u);
        let arcs = graph.slice(from, to);
        let Some(lightest) = arcs.first() else { return };
        let radius = self.motions[i as usize].intercept;
        let mut room = i64::from(lightest.weight) - radius;
        let mut partner = NONE;
        let boundary = graph.n_nodes() as u32;
        if lightest.to == boundary {
            partner = from as u32;
        }
        for (k, arc) in arcs.iter().enumerate() {
            let Node { offset, top, .. } = self.nodes[arc.to as usize];
            if top != NONE {
                // Radii stay even; see `solve_again`.
                let slack = (i64::from(arc.weight) - radius - offset - self.motions[top as usize].intercept) & !1;
                if slack <= room {
                    let free = self.regions[top as usize].mate.to == NONE;
                    if slack < room || (free && partner == NONE) {
                        room = slack;
                        partner = if free { (from + k) as u32 } else { NONE };
                    }
                }
            }
        }
        self.motions[i as usize].intercept = radius + room;
        if partner == NONE {
            return;
        }
        let bond = Bond { from: u, to: graph.arc(partner).to, path: self.paths.len() as u32, length: 1 };
        self.paths.push(graph.edge(partner));
        self.regions[i as usize].mate = bond;
        self.exposed -= 1;
        if bond.to != boundary {
            let other = self.nodes[bond.to as usize].top;
            self.regions[other as usize].mate = bond.reversed();
            self.exposed -= 1;
        }
    }

    /// Makes a tree of each of these regions of defects that has no partner.
    pub(super) fn plant(&mut self, graph: &Arcs, regions: impl Iterator<Item = u32>) {
        for i in regions {
            if self.regions[i as usize].mate.to == NONE {
                self.regions[i as usize].tree = self.trees.len() as u32;
                self.trees.push(i);
                self.motions[i as usize].slope = 1;
            }
        }
        for t in 0..self.trees.len() {
            let defect = self.regions[self.trees[t] as usize].shell;
            self.scan(graph, defect);
        }
    }
}
