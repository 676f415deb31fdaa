//! Blossoms: odd cycles of touching regions that go on as one.

use super::arcs::{Arcs, NONE};
use super::state::{Bond, Motion, Region, Solver};

impl Solver {
    /// Two growing regions of a tree touch: the cycle through their common ancestor becomes a region.
    pub(super) fn shrink_cycle(&mut self, graph: &Arcs, a: u32, b: u32, bond: Bond) {
        let root = self.common_ancestor(a, b);
        let mut ring = std::mem::take(&mut self.ring);
        ring.clear();
        // From a up to the root, turned round afterwards: every entry has the bond to the entry after it.
        let mut r = a;
        let mut onward = bond;
        while r != root {
            ring.push((r, onward));
            let mate = self.regions[r as usize].mate;
            let inner = self.nodes[mate.to as usize].top;
            ring.push((inner, mate.reversed()));
            let up = self.regions[inner as usize].up;
            onward = up.reversed();
            r = self.nodes[up.to as usize].top;
        }
        ring.push((root, onward));
        ring.reverse();
        let mut r = b;
        while r != root {
            let mate = self.regions[r as usize].mate;
            ring.push((r, mate));
            let inner = self.nodes[mate.to as usize].top;
            let up = self.regions[inner as usize].up;
            ring.push((inner, up));
            r = self.nodes[up.to as usize].top;
        }
        let blossom = self.regions.len() as u32;
        let tree = self.regions[root as usize].tree;
        self.regions.push(Region { child: root, mate: self.regions[root as usize].mate, ..Region::NEW });
        self.motions.push(Motion { intercept: -self.now, slope: 1 });
        self.join(blossom, tree);
        let mut shrank = std::mem::take(&mut self.scratch);
        shrank.clear();
        for (k, &(part, link)) in ring.iter().enumerate() {
            let next = ring[(k + 1) % ring.len()].0;
            if self.motions[part as usize].slope < 0 {
                shrank.push(part);
            }
            self.set_slope(part, 0);
            let radius = self.radius(part);
            self.for_each_node(part, |solver, v| {
                let node = &mut solver.nodes[v as usize];
                node.top = blossom;
                node.offset += radius;
            });
            let region = &mut self.regions[part as usize];
            region.parent = blossom;
            region.next = next;
            region.link = link;
        }
        for &part in &shrank {
            self.scan_region(graph, part);
        }
        self.scratch = shrank;
        self.ring = ring;
    }

    fn common_ancestor(&mut self, a: u32, b: u32) -> u32 {
        self.marks += 1;
        let mark = self.marks;
        let (mut x, mut y) = (a, b);
        loop {
            if x != NONE {
                if self.regions[x as usize].mark == mark {
                    return x;
                }
                self.regions[x as usize].mark = mark;
                let mate = self.regions[x as usize].mate;
                x = match mate.to {
                    NONE => NONE,
                    to => self.nodes[self.regions[self.nodes[to as usize].top as usize].up.to as usize].top,
                };
            }
            std::mem::swap(&mut x, &mut y);
        }
    }

    /// A shrinking defect has no radius left: the growing regions above and below meet through it.
    pub(super) fn implode(&mut self, graph: &Arcs, r: u32) {
        let Region { up, mate, .. } = self.regions[r as usize];
        let path = self.paths.len() as u32;
        for bond in [up, mate] {
            for k in bond.path..bond.path + bond.length {
                self.paths.push(self.paths[k as usize]);
            }
        }
        let bond = Bond { from: up.to, to: mate.to, path, length: up.length + mate.length };
        let (above, below) = (self.nodes[up.to as usize].top, self.nodes[mate.to as usize].top);
        self.shrink_cycle(graph, above, below, bond);
    }

    /// A shrinking blossom has no radius left: its parts go on by themselves.
    pub(super) fn open(&mut self, graph: &Arcs, blossom: u32) {
        let Region { up, mate, tree, child: first, .. } = self.regions[blossom as usize];
        let entry = self.part_of(up.from, blossom);
        let exit = self.part_of(mate.from, blossom);
        let mut ring = std::mem::take(&mut self.ring);
        ring.clear();
        let mut part = first;
        loop {
            let region = self.regions[part as usize];
            ring.push((part, region.link));
            part = region.next;
            if part == first {
                break;
            }
        }
        let n = ring.len();
        for &(part, _) in &ring {
            self.regions[part as usize].parent = NONE;
            self.regions[part as usize].tree = NONE;
            let radius = self.radius(part);
            self.for_each_node(part, |solver, v| {
                let node = &mut solver.nodes[v as usize];
                node.top = part;
                node.offset -= radius;
            });
        }
        // The dead stay on the list of the tree and are not taken for members.
        self.regions[blossom as usize].parent = blossom;
        self.regions[blossom as usize].tree = NONE;
        let at = |part: u32| ring.iter().position(|(other, _)| *other == part).expect("a part");
        let (i, j) = (at(entry), at(exit));
        // The way from entry to exit with an even number of bonds stays in the tree.
        let forward = (j + n - i) % n;
        let even = forward.is_multiple_of(2);
        let length = if even { forward } else { n - forward };
        // The part k steps along this way, and its bond to the part after it.
        let step = |k: usize| {
            if even {
                ring[(i + k) % n]
            } else {
                let k = i + 2 * n - k;
                (ring[k % n].0, ring[(k - 1) % n].1.reversed())
            }
        };
        self.regions[entry as usize].up = up;
        for k in (0..length).step_by(2) {
            let (inner, bond) = step(k);
            let (outer, onward) = step(k + 1);
            self.regions[inner as usize].mate = bond;
            self.regions[outer as usize].mate = bond.reversed();
            let (below, _) = step(k + 2);
            self.regions[below as usize].up = onward.reversed();
        }
        self.regions[exit as usize].mate = mate;
        for k in (length + 1..n).step_by(2) {
            let (x, bond) = step(k);
            let (y, _) = step(k + 1);
            self.regions[x as usize].mate = bond;
            self.regions[y as usize].mate = bond.reversed();
        }
        for k in 0..=length {
            let (part, _) = step(k);
            self.join(part, tree);
            self.set_slope(part, if k % 2 == 0 { -1 } else { 1 });
        }
        for k in 0..n {
            let (part, _) = step(k);
            if k > length {
                self.for_each_node(part, |solver, v| solver.scan_resting(graph, v));
            } else if k % 2 == 0 {
                self.schedule_shrinking(part);
            } else {
                self.scan_region(graph, part);
            }
        }
        self.ring = ring;
    }

    /// The part of a blossom that holds a defect.
    pub(super) fn part_of(&self, defect: u32, blossom: u32) -> u32 {
        let mut r = self.origins[defect as usize].leaf;
        while self.regions[r as usize].parent != blossom {
            r = self.regions[r as usize].parent;
        }
        r
    }
}
