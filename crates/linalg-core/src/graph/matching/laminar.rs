//! The family of nested blossoms.
//!
//! Nodes `0..n` are the vertices, further nodes are blossoms: odd cycles of smaller nodes. Only top-level nodes know
//! how they are matched; what happens inside a blossom follows from the half-edge that matches it and is settled when
//! it is taken apart. Augmenting a path therefore never looks inside.

use super::arcs::NONE;

/// Role of a vertex, or of a top-level node, in the search under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// Matched and outside the tree.
    Free,
    /// A vertex without a mate, outside the tree.
    Exposed,
    /// At even distance from the root: duals grow.
    Outer,
    /// At odd distance from the root: duals shrink.
    Inner,
    /// In a tree that could not be augmented; out of the game.
    Dead,
}

impl Label {
    /// Change of a vertex dual per unit of time.
    #[inline]
    pub fn rate(self) -> i64 {
        match self {
            Self::Outer => 1,
            Self::Inner => -1,
            _ => 0,
        }
    }
}

/// A part of a blossom and the half-edge from it to the next part around the cycle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub node: u32,
    pub half: u32,
}

#[derive(Debug)]
pub(super) struct Node {
    /// The blossom that contains it directly.
    pub parent: u32,
    /// At top level, the half-edge leaving it that is in the matching.
    pub matched: u32,
    /// At top level and inner, the half-edge leaving it towards the root.
    pub towards_root: u32,
    /// At top level.
    pub label: Label,
    /// Blossoms: the dual at time 0 if it has changed at the present rate since; see [`Label::rate`].
    pub dual: i64,
    /// Parts in cyclic order; empty for a vertex.
    pub cycle: Vec<Link>,
    /// First and last vertex in the chain of all that it contains.
    first: u32,
    last: u32,
    size: u32,
    /// The vertex by which it is named at top level. A blossom has the name of one of its largest parts.
    name: u32,
    /// Stamp of the last climb that passed.
    pub mark: u32,
}

impl Node {
    fn vertex(v: u32) -> Self {
        Self {
            parent: NONE,
            matched: NONE,
            towards_root: NONE,
            label: Label::Free,
            dual: 0,
            cycle: Vec::new(),
            first: v,
            last: v,
            size: 1,
            name: v,
            mark: 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Laminar {
    pub nodes: Vec<Node>,
    /// Blossom slots to be used again.
    unused: Vec<u32>,
    n: usize,
    /// Next vertex in the chain. The vertices of any node are contiguous in it.
    chain: Vec<u32>,
    /// A vertex that names the top-level node around each vertex.
    name: Vec<u32>,
    /// The top-level node of that name.
    named: Vec<u32>,
}

impl Laminar {
    pub fn new(n: usize) -> Self {
        let vertices: Vec<u32> = (0..n as u32).collect();
        Self {
            nodes: vertices.iter().map(|&v| Node::vertex(v)).collect(),
            unused: Vec::new(),
            n,
            chain: vec![NONE; n],
            name: vertices.clone(),
            named: vertices,
        }
    }

    #[inline]
    pub fn is_blossom(&self, node: u32) -> bool {
        node as usize >= self.n
    }

    /// The top-level node around a vertex.
    #[inline]
    pub fn top(&self, v: u32) -> u32 {
        self.named[self.name[v as usize] as usize]
    }

    /// Whether two vertices are in one top-level node.
    #[inline]
    pub fn together(&self, u: u32, v: u32) -> bool {
        self.name[u as usize] == self.name[v as usize]
    }

    /// Whether the vertex is the one that names its top-level node.
    #[inline]
    pub fn is_name(&self, v: u32) -> bool {
        self.name[v as usize] == v
    }

    /// Calls `f` with every vertex of a node.
    #[inline]
    pub fn for_each_vertex(&self, node: u32, mut f: impl FnMut(u32)) {
        let Node { first, last, .. } = self.nodes[node as usize];
        let mut v = first;
        f(v);
        while v != last {
            v = self.chain[v as usize];
            f(v);
        }
    }

    /// Makes `name` the name of the top-level node around all vertices of `node`.
    fn rename(&mut self, node: u32, name: u32) {
        let Node { first, last, .. } = self.nodes[node as usize];
        let mut v = first;
        self.name[v as usize] = name;
        while v != last {
            v = self.chain[v as usize];
            self.name[v as usize] = name;
        }
    }

    /// Joins top-level nodes into a blossom. The new node has no label, dual or match yet.
    ///
    /// All parts but the largest are renamed, so that n merges cost O(n ln n).
    pub fn join(&mut self, cycle: Vec<Link>) -> u32 {
        let largest = cycle.iter().map(|link| link.node).max_by_key(|&c| self.nodes[c as usize].size);
        let largest = largest.expect("a blossom has parts");
        let name = self.nodes[largest as usize].name;
        let (first, mut last, mut size) = (self.nodes[cycle[0].node as usize].first, NONE, 0);
        let node = self.unused.pop().unwrap_or_else(|| {
            self.nodes.push(Node::vertex(0));
            self.nodes.len() as u32 - 1
        });
        for &Link { node: part, .. } in &cycle {
            if part != largest {
                self.rename(part, name);
            }
            let part = &mut self.nodes[part as usize];
            part.parent = node;
            if last != NONE {
                self.chain[last as usize] = part.first;
            }
            last = part.last;
            size += part.size;
        }
        self.named[name as usize] = node;
        let mark = self.nodes[node as usize].mark;
        self.nodes[node as usize] = Node { cycle, first, last, size, name, mark, ..Node::vertex(0) };
        node
    }

    /// Takes a top-level blossom apart and gives back its cycle, rotated so that the part that holds the base comes
    /// first. The parts are top-level nodes then, and know how they are matched. Linear in the vertices of all parts
    /// but one of the largest.
    pub fn split(&mut self, node: u32, base: u32) -> Vec<Link> {
        let mut cycle = std::mem::take(&mut self.nodes[node as usize].cycle);
        let Node { matched, name, .. } = self.nodes[node as usize];
        for &Link { node: part, .. } in &cycle {
            let part_name = self.nodes[part as usize].name;
            if part_name != name {
                self.rename(part, part_name);
            }
            self.named[part_name as usize] = part;
            self.nodes[part as usize].parent = NONE;
        }
        let holder = self.top(base);
        let position = cycle.iter().position(|link| link.node == holder).expect("a part of the blossom");
        cycle.rotate_left(position);
        self.nodes[holder as usize].matched = matched;
        for pair in cycle[1..].chunks_exact(2) {
            self.nodes[pair[0].node as usize].matched = pair[0].half;
            self.nodes[pair[1].node as usize].matched = pair[0].half ^ 1;
        }
        self.nodes[node as usize].label = Label::Free;
        self.unused.push(node);
        cycle
    }

    /// Whether the slot of a node is in use.
    pub fn is_alive(&self, node: u32) -> bool {
        !self.is_blossom(node) || !self.nodes[node as usize].cycle.is_empty()
    }

    pub fn is_top(&self, node: u32) -> bool {
        self.nodes[node as usize].parent == NONE
    }
}
