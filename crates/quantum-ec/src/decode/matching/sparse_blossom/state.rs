//! What the solver remembers of one shot.

use super::arcs::{Arcs, NONE};
use super::queue::Queue;

/// A node, as its neighbours look at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Radius of the region around this node, less the radius of the outermost region.
    pub offset: i64,
    /// The outermost region that holds it.
    pub top: u32,
    /// The arc that is to be crossed next into free nodes.
    pub next: u32,
}

/// How a region came to a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// The node it came from; none at the defect itself.
    pub parent: u32,
    /// The edge it came along.
    pub edge: u32,
    /// The node taken before by the same region.
    pub below: u32,
    /// For defects: their own region.
    pub leaf: u32,
}

/// The radius of a region, a linear function of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Motion {
    pub intercept: i64,
    pub slope: i64,
}

/// A path of tight edges between two defects, or from a defect to the boundary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bond {
    pub from: u32,
    pub to: u32,
    /// Where its edges are listed, and how many.
    pub path: u32,
    pub length: u32,
}

impl Bond {
    pub const NONE: Self = Self { from: NONE, to: NONE, path: 0, length: 0 };

    pub fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }
}

/// A defect or a blossom, with the part of the graph around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    /// The node taken last.
    pub shell: u32,
    /// The blossom it is a part of.
    pub parent: u32,
    /// For blossoms: one of the parts; the others follow by `next`.
    pub child: u32,
    pub next: u32,
    /// From here to `next`.
    pub link: Bond,
    /// From here to the region it is matched with.
    pub mate: Bond,
    /// In a tree, for shrinking regions: from here to the growing region above.
    pub up: Bond,
    pub tree: u32,
    pub tree_next: u32,
    /// When it has something to do because it shrinks.
    pub due: i64,
    /// For finding the common ancestor of two regions.
    pub mark: u32,
}

impl Region {
    pub const NEW: Self = Self {
        shell: NONE,
        parent: NONE,
        child: NONE,
        next: NONE,
        link: Bond::NONE,
        mate: Bond::NONE,
        up: Bond::NONE,
        tree: NONE,
        tree_next: NONE,
        due: -1,
        mark: 0,
    };
}

/// Two defects, or one and the boundary, that one edge joins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Couple {
    pub region: u32,
    /// None for the boundary.
    pub mate: u32,
    pub edge: u32,
}

/// Set in the first number of an event: the next arc into free nodes.
pub(super) const CROSSING: u32 = 1 << 31;

/// The solver with its memory, reused from shot to shot.
#[derive(Debug, Clone)]
pub struct Solver {
    pub(super) now: i64,
    pub(super) nodes: Vec<Node>,
    pub(super) origins: Vec<Origin>,
    pub(super) motions: Vec<Motion>,
    pub(super) regions: Vec<Region>,
    /// The first member of every tree.
    pub(super) trees: Vec<u32>,
    pub(super) queue: Queue,
    /// Edges of paths.
    pub(super) paths: Vec<u32>,
    /// Nodes that were taken at any time.
    pub(super) taken: Vec<u32>,
    /// Trees without a partner.
    pub(super) exposed: usize,
    pub(super) marks: u32,
    /// Regions of defects that were given up.
    pub(super) freed: Vec<u32>,
    /// Pairs that gave way.
    pub(super) couples: Vec<Couple>,
    pub(super) stack: Vec<u32>,
    pub(super) scratch: Vec<u32>,
    pub(super) ring: Vec<(u32, Bond)>,
    pub(super) entries: Vec<(u32, u32)>,
}

impl Solver {
    /// A solver for graphs with `n` nodes.
    pub fn new(n: usize) -> Self {
        Self {
            now: 0,
            // The boundary is a node that nobody takes.
            nodes: vec![Node { offset: 0, top: NONE, next: NONE }; n + 1],
            origins: vec![Origin { parent: NONE, edge: NONE, below: NONE, leaf: NONE }; n],
            motions: Vec::new(),
            regions: Vec::new(),
            trees: Vec::new(),
            queue: Queue::new(),
            paths: Vec::new(),
            taken: Vec::new(),
            exposed: 0,
            marks: 0,
            freed: Vec::new(),
            couples: Vec::new(),
            stack: Vec::new(),
            scratch: Vec::new(),
            ring: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Matches the defects, which are distinct nodes, at least weight. False if there is no way; else
    /// [`for_each_edge`](Self::for_each_edge) has the edges. [`clear`](Self::clear) comes before the next shot.
    pub fn solve(&mut self, graph: &Arcs, defects: &[u32]) -> bool {
        self.start(graph, defects);
        if self.exposed > 0 {
            self.queue.reset(graph.heaviest());
            self.plant(graph, 0..defects.len() as u32);
            self.run(graph);
        }
        self.exposed == 0
    }

    /// After a failure: a defect of a tree that found no partner.
    pub fn stuck(&self) -> Option<u32> {
        let root = (0..self.regions.len()).find(|&r| {
            let region = &self.regions[r];
            region.parent == NONE && region.mate.to == NONE
        })?;
        let mut r = root;
        while self.regions[r].child != NONE {
            r = self.regions[r].child as usize;
        }
        // Regions of defects come first and in their order, as do the nodes taken.
        Some(self.taken[r])
    }

    /// Forgets the shot.
    pub fn clear(&mut self) {
        for &v in &self.taken {
            self.nodes[v as usize].top = NONE;
        }
        self.taken.clear();
        self.now = 0;
        self.motions.clear();
        self.regions.clear();
        self.trees.clear();
        self.paths.clear();
        self.exposed = 0;
        self.marks = 0;
    }

    /// Radius of a region now.
    #[inline]
    pub(super) fn radius(&self, region: u32) -> i64 {
        let motion = self.motions[region as usize];
        motion.intercept + motion.slope * self.now
    }

    /// Radius of the outermost region around a node that it holds, seen from that node.
    #[inline]
    pub(super) fn local(&self, node: Node) -> i64 {
        node.offset + self.radius(node.top)
    }

    /// Lets a region grow, rest or shrink from now on.
    #[inline]
    pub(super) fn set_slope(&mut self, region: u32, slope: i64) {
        let intercept = self.radius(region) - slope * self.now;
        self.motions[region as usize] = Motion { intercept, slope };
    }
}
