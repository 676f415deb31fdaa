//! The faces of an embedding, cut into cells with few sides.

use linalg_core::graph::planar::Embedding;

use super::blocks::blocks;
use linalg_core::graph::Csr;

const NONE: usize = usize::MAX;

/// Faces with more sides than this are cut by chords.
const MOST_SIDES: usize = 4;

/// The sides of domain walls: cells, and the sides through which walls pass from one to the next.
///
/// Side `e` consists of the halves `2 e` and `2 e + 1`, one in each of the two cells that it separates. The first
/// sides are the edges of the graph; those beyond are chords, which cost a wall nothing.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// Number of sides, chords included.
    pub n_sides: usize,
    /// The halves of every cell, counterclockwise.
    pub halves: Vec<Vec<u32>>,
    /// Where a cell lies, for those who have positions: the vertices whose mean position it is.
    pub vertices: Vec<Vec<u32>>,
    /// The cells of every block, as ranges.
    pub blocks: Vec<std::ops::Range<usize>>,
    /// Edges that lie on no cycle; they border no cell.
    pub bridges: Vec<usize>,
}

impl Cells {
    /// The faces of every block with more than one edge.
    pub(super) fn of_plane(graph: &Csr, embedding: &Embedding) -> Self {
        let (block, sizes) = blocks(graph);
        let n_halves = 2 * graph.n_edges();
        // The half-edge before h around its tail, clockwise, among those of the same block.
        let mut previous = vec![NONE; n_halves];
        let mut latest = vec![NONE; sizes.len()];
        for v in 0..graph.n_vertices() {
            let around = embedding.rotation(v);
            for &h in around.iter().chain(around) {
                let b = block[h / 2];
                previous[h] = latest[b];
                latest[b] = h;
            }
            for &h in around {
                latest[block[h / 2]] = NONE;
            }
        }
        let mut by_block: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
        let mut bridges = Vec::new();
        for (edge, &b) in block.iter().enumerate() {
            if sizes[b] == 1 {
                bridges.push(edge);
            } else {
                by_block[b].extend([2 * edge, 2 * edge + 1]);
            }
        }
        let mut cells =
            Self { n_sides: graph.n_edges(), halves: Vec::new(), vertices: Vec::new(), blocks: Vec::new(), bridges };
        let mut seen = vec![false; n_halves];
        for halves in by_block.iter().filter(|halves| !halves.is_empty()) {
            let start = cells.halves.len();
            for &first in halves {
                let mut face = Vec::new();
                let mut h = first;
                while !seen[h] {
                    seen[h] = true;
                    face.push(h);
                    h = previous[Embedding::twin(h)];
                }
                if !face.is_empty() {
                    cells.add_face(&face, |h| embedding.tail(h) as u32);
                }
            }
            cells.blocks.push(start..cells.halves.len());
        }
        cells
    }

    /// Adds a face, given by its half-edges counterclockwise; `tail` is where a half-edge starts.
    pub(super) fn add_face(&mut self, face: &[usize], tail: impl Fn(usize) -> u32) {
        let d = face.len();
        if d <= MOST_SIDES {
            self.halves.push(face.iter().map(|&h| h as u32).collect());
            self.vertices.push(face.iter().map(|&h| tail(h)).collect());
            return;
        }
        let (a, b) = (d / 3, 2 * d / 3);
        let arcs = [(0, a), (a, b), (b, d)];
        let halves = arcs.map(|(low, high)| self.cut(face, low, high, &tail)).to_vec();
        self.halves.push(halves);
        self.vertices.push(arcs.iter().map(|&(low, _)| tail(face[low])).collect());
    }

    /// Cuts off the sides `low..high` of a face by triangles in a balanced tree, and returns the half of the last chord
    /// that the rest of the face sees. A wall from side i to side j then crosses about 2 log2 |i - j| chords, and a run
    /// of sides is as many chords.
    fn cut(&mut self, face: &[usize], low: usize, high: usize, tail: &impl Fn(usize) -> u32) -> u32 {
        if high - low == 1 {
            return face[low] as u32;
        }
        let middle = low + (high - low) / 2;
        let left = self.cut(face, low, middle, tail);
        let right = self.cut(face, middle, high, tail);
        let chord = 2 * self.n_sides as u32;
        self.n_sides += 1;
        self.halves.push(vec![left, right, chord]);
        self.vertices.push(vec![tail(face[middle])]);
        chord + 1
    }
}
