//! Paths between matched defects, edge by edge.

use super::arcs::NONE;
use super::state::{Bond, Solver};

impl Solver {
    /// The path from the defect behind `u` over an edge to the defect behind `v`.
    pub(super) fn bond(&mut self, u: u32, v: Option<u32>, edge: u32) -> Bond {
        let path = self.paths.len() as u32;
        self.paths.push(edge);
        let from = self.walk(u);
        let to = v.map_or(NONE, |v| self.walk(v));
        Bond { from, to, path, length: self.paths.len() as u32 - path }
    }

    /// Lists the edges from a node to the defect of its region.
    fn walk(&mut self, node: u32) -> u32 {
        let mut v = node;
        loop {
            let origin = self.origins[v as usize];
            if origin.parent == NONE {
                return v;
            }
            self.paths.push(origin.edge);
            v = origin.parent;
        }
    }

    /// The edges of all paths between matched defects and to the boundary. An edge may come more than once if its weight is
    /// 0; it then counts as often.
    pub fn for_each_edge(&mut self, mut visit: impl FnMut(u32)) {
        let mut entries = std::mem::take(&mut self.entries);
        for r in 0..self.regions.len() as u32 {
            let region = &self.regions[r as usize];
            if region.parent != NONE {
                continue;
            }
            let mate = region.mate;
            // A pair has one path, seen from either side.
            if mate.to as usize >= self.origins.len() || mate.from < mate.to {
                self.visit_path(mate, &mut visit);
            }
            if region.child == NONE {
                continue;
            }
            entries.push((r, mate.from));
            while let Some((blossom, entry)) = entries.pop() {
                let base = self.part_of(entry, blossom);
                if self.regions[base as usize].child != NONE {
                    entries.push((base, entry));
                }
                let mut x = self.regions[base as usize].next;
                while x != base {
                    let bond = self.regions[x as usize].link;
                    let y = self.regions[x as usize].next;
                    self.visit_path(bond, &mut visit);
                    for (part, entry) in [(x, bond.from), (y, bond.to)] {
                        if self.regions[part as usize].child != NONE {
                            entries.push((part, entry));
                        }
                    }
                    x = self.regions[y as usize].next;
                }
            }
        }
        self.entries = entries;
    }

    #[inline]
    fn visit_path(&self, bond: Bond, visit: &mut impl FnMut(u32)) {
        for &edge in &self.paths[bond.path as usize..(bond.path + bond.length) as usize] {
            visit(edge);
        }
    }
}
