//! The order of an elimination: everything that depends on the graph alone.
//!
//! A patch is a disc of cells. Its word is the counterclockwise list of the halves through which walls leave it. Two
//! patches that share sides are sewn along their longest common seam; sides of the result that have become neighbours
//! of their own other half are closed.

use std::ops::Range;

use super::bisection::{Node, dissect};
use super::cells::Cells;
use super::number::Number;
use super::patch::Patch;

const NONE: u32 = u32::MAX;

/// Sews patch `right` to patch `left`.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub left: u32,
    pub right: u32,
    pub out: u32,
    /// Where the rotated word of `left` starts, so that the seam is at its end.
    pub left_start: u32,
    /// Where the rotated word of `right` starts, with the seam.
    pub right_start: u32,
    /// The sides of the seam, from the end of `left` and the start of `right` outwards.
    pub seam: Vec<u32>,
    /// Positions in the word after sewing and their side, inner pairs first.
    pub closings: Vec<(u32, u32, u32)>,
    /// Sides to be closed, first with last, in the word that is left then.
    pub wraps: Vec<u32>,
    /// Positions in the word after sewing that remain, wraps not yet removed.
    pub kept: Vec<u32>,
}

/// Where the amplitudes of a cell come from.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// Length of the word of every patch; the first patches are the cells.
    pub lengths: Vec<u32>,
    /// The steps that sew all cells of every block together.
    pub up: Vec<Step>,
    /// The patches that remain at the end, with words of halves that could not be closed.
    pub roots: Vec<(u32, Vec<u32>)>,
    /// Steps that build the surroundings of every cell, filled on demand.
    pub down: Option<Vec<Step>>,
    /// For every cell the patch of its surroundings and the word of that patch.
    pub around: Vec<(u32, Vec<u32>)>,
    /// With frozen sides: the patch that lies outside of the cells, with the other halves of the frozen sides. Patches up
    /// to it are those of the way up.
    pub outside: Option<u32>,
    trees: Vec<Vec<Node>>,
    /// Patches of every node of every tree.
    regions: Vec<Vec<Vec<u32>>>,
    /// The upward steps that sew the cells of every node together.
    spans: Vec<Vec<Range<usize>>>,
    pub words: Vec<Vec<u32>>,
    n_sides: usize,
}

/// Sews patches; `frozen` sides stay open.
struct Sewing<'a> {
    words: &'a mut Vec<Vec<u32>>,
    frozen: &'a [bool],
    /// Patch and position of every half, for the patches at hand.
    place: Vec<(u32, u32)>,
}

impl Program {
    /// The program of these cells; `frozen` sides are never sewn.
    pub(super) fn new(cells: &Cells, positions: Option<&[[f64; 2]]>, frozen: &[bool]) -> Self {
        let mut words = cells.halves.clone();
        let mut up = Vec::new();
        let mut roots = Vec::new();
        let (mut trees, mut regions, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        let mut sewing = Sewing { words: &mut words, frozen, place: vec![(NONE, 0); 2 * cells.n_sides] };
        for block in &cells.blocks {
            let tree = dissect(cells, block.clone(), positions);
            let mut region: Vec<Vec<u32>> = Vec::with_capacity(tree.len());
            let mut span: Vec<Range<usize>> = Vec::with_capacity(tree.len());
            for node in &tree {
                let (patches, start) = match *node {
                    Node::Cell(cell) => (vec![cell as u32], up.len()),
                    // The first child and all below it come before the second.
                    Node::Pair(a, b) => (sewing.sew(&region[a], &region[b], &mut up), span[a].start),
                };
                region.push(patches);
                span.push(start..up.len());
            }
            if let Some(patches) = region.last() {
                roots.extend(patches.iter().map(|&p| (p, sewing.words[p as usize].clone())));
            }
            trees.push(tree);
            regions.push(region);
            spans.push(span);
        }
        let lengths = words.iter().map(|word| word.len() as u32).collect();
        let n_sides = cells.n_sides;
        let (down, around, outside) = (None, Vec::new(), None);
        Self { lengths, up, roots, down, around, outside, trees, regions, spans, words, n_sides }
    }

    /// The largest nodes that `take` something, from the top: what it makes of their cells, and their steps.
    pub(super) fn largest_nodes<R>(&self, mut take: impl FnMut(&[usize]) -> Option<R>) -> Vec<(R, Range<usize>)> {
        let mut taken = Vec::new();
        for (tree, spans) in self.trees.iter().zip(&self.spans) {
            // The cells of a node are those of the leaves since the first one below it.
            let mut cells = Vec::new();
            let mut start = Vec::with_capacity(tree.len());
            for node in tree {
                match *node {
                    Node::Cell(cell) => {
                        start.push(cells.len()..cells.len() + 1);
                        cells.push(cell);
                    }
                    Node::Pair(a, b) => start.push(start[a].start..start[b].end),
                }
            }
            let mut stack: Vec<usize> = tree.len().checked_sub(1).into_iter().collect();
            while let Some(node) = stack.pop() {
                match (take(&cells[start[node].clone()]), tree[node]) {
                    (Some(result), _) => taken.push((result, spans[node].clone())),
                    (None, Node::Pair(a, b)) => stack.extend([b, a]),
                    (None, Node::Cell(_)) => {}
                }
            }
        }
        taken
    }

    /// The patch of a cell, given the units of the halves.
    pub(super) fn cell<T: Number>(&self, cell: u32, unit: impl Fn(u32) -> T) -> Patch<T> {
        Patch::cell(&self.words[cell as usize].iter().map(|&h| unit(h)).collect::<Vec<_>>())
    }

    /// Adds the steps that build the surroundings of every cell: those of a node with one child are the surroundings
    /// of the other. Halves that are left at the end of the way up, all of frozen sides, are taken to be those of one
    /// patch outside.
    pub(super) fn prepare_down(&mut self) {
        if self.down.is_some() {
            return;
        }
        let n_cells = self.trees.iter().flatten().filter(|node| matches!(node, Node::Cell(_))).count();
        let frozen = vec![false; self.n_sides];
        let mut steps = Vec::new();
        self.around = vec![(NONE, Vec::new()); n_cells];
        if let [(_, word)] = &self.roots[..]
            && !word.is_empty()
        {
            self.outside = Some(self.words.len() as u32);
            self.words.push(word.iter().rev().map(|&h| h ^ 1).collect());
        }
        let outside: Vec<u32> = self.outside.into_iter().collect();
        let mut sewing = Sewing { words: &mut self.words, frozen: &frozen, place: vec![(NONE, 0); 2 * self.n_sides] };
        for (tree, regions) in self.trees.iter().zip(&self.regions) {
            // Depth first, so that few surroundings are in memory at a time.
            let mut stack: Vec<(usize, Vec<u32>)> = vec![(tree.len() - 1, outside.clone())];
            while let Some((node, outside)) = stack.pop() {
                match tree[node] {
                    Node::Cell(cell) => {
                        if let [patch] = outside[..] {
                            self.around[cell] = (patch, sewing.words[patch as usize].clone());
                        }
                    }
                    Node::Pair(a, b) => {
                        let around_b = sewing.sew(&outside, &regions[a], &mut steps);
                        let around_a = sewing.sew(&outside, &regions[b], &mut steps);
                        stack.push((b, around_b));
                        stack.push((a, around_a));
                    }
                }
            }
        }
        self.lengths = self.words.iter().map(|word| word.len() as u32).collect();
        self.down = Some(steps);
    }
}

impl Sewing<'_> {
    /// Sews what can be sewn among the patches of two regions and returns the patches of their union.
    fn sew(&mut self, a: &[u32], b: &[u32], steps: &mut Vec<Step>) -> Vec<u32> {
        let mut open: Vec<u32> = a.iter().chain(b).copied().collect();
        for &patch in &open {
            self.enter(patch);
        }
        let mut done = Vec::new();
        while let Some(patch) = open.pop() {
            match self.longest_seam(patch) {
                None => done.push(patch),
                Some((at, length)) => {
                    let step = self.step(patch, at, length);
                    open.retain(|&p| p != step.right);
                    // A patch without a seam to `left` or `right` may still be in `done`; it has none to the union.
                    self.enter(step.out);
                    open.push(step.out);
                    steps.push(step);
                }
            }
        }
        for &patch in &done {
            for &h in &self.words[patch as usize] {
                self.place[h as usize].0 = NONE;
            }
        }
        done.sort_unstable();
        done
    }

    fn enter(&mut self, patch: u32) {
        for (k, &h) in self.words[patch as usize].iter().enumerate() {
            self.place[h as usize] = (patch, k as u32);
        }
    }

    /// The patch and the position of the other half, if that is in another patch at hand.
    fn partner(&self, patch: u32, h: u32) -> Option<(u32, u32)> {
        let (other, k) = self.place[h as usize ^ 1];
        (other != NONE && other != patch && !self.frozen[h as usize / 2]).then_some((other, k))
    }

    /// The last position in the word of `patch` of its longest seam with another patch, and the length.
    fn longest_seam(&self, patch: u32) -> Option<(usize, usize)> {
        let word = &self.words[patch as usize];
        let n = word.len();
        // Whether position i + 1 continues the seam through position i towards its start.
        let continues = |i: usize| {
            let (Some((p, k)), Some((q, l))) = (self.partner(patch, word[i]), self.partner(patch, word[(i + 1) % n]))
            else {
                return false;
            };
            let m = self.words[p as usize].len() as u32;
            p == q && (l + 1) % m == k
        };
        let mut best: Option<(usize, usize)> = None;
        let first = (0..n).find(|&i| self.partner(patch, word[i]).is_some() && !continues(i));
        // A seam all around may start anywhere.
        let first = first.or_else(|| (n > 0 && self.partner(patch, word[n - 1]).is_some()).then(|| n - 1))?;
        let mut i = first;
        let mut left = n;
        while left > 0 {
            let Some((other, _)) = self.partner(patch, word[i]) else {
                i = (i + n - 1) % n;
                left -= 1;
                continue;
            };
            let most = left.min(self.words[other as usize].len());
            let mut length = 1;
            let mut j = i;
            while length < most && continues((j + n - 1) % n) {
                j = (j + n - 1) % n;
                length += 1;
            }
            if best.is_none_or(|(_, longest)| length > longest) {
                best = Some((i, length));
            }
            left -= length;
            i = (j + n - 1) % n;
        }
        best
    }

    fn step(&mut self, left: u32, at: usize, length: usize) -> Step {
        let (right, from) = self.partner(left, self.words[left as usize][at]).expect("a seam has two sides");
        let (l, r) = (&self.words[left as usize], &self.words[right as usize]);
        let (n, m) = (l.len(), r.len());
        let left_start = (at + 1) % n;
        let right_start = from as usize;
        let seam = (0..length).map(|k| l[(at + n - k) % n] / 2).collect();
        let sewn: Vec<u32> = (0..n - length)
            .map(|k| l[(left_start + k) % n])
            .chain((length..m).map(|k| r[(right_start + k) % m]))
            .collect();
        let mut closings = Vec::new();
        let mut kept: Vec<u32> = Vec::with_capacity(sewn.len());
        for (k, &h) in sewn.iter().enumerate() {
            match kept.last() {
                Some(&top) if sewn[top as usize] == h ^ 1 && !self.frozen[h as usize / 2] => {
                    closings.push((top, k as u32, h / 2));
                    kept.pop();
                }
                _ => kept.push(k as u32),
            }
        }
        let mut wraps = Vec::new();
        let (mut low, mut high) = (0, kept.len());
        while high >= low + 2 {
            let (a, b) = (sewn[kept[low] as usize], sewn[kept[high - 1] as usize]);
            if a != b ^ 1 || self.frozen[a as usize / 2] {
                break;
            }
            wraps.push(a / 2);
            (low, high) = (low + 1, high - 1);
        }
        let word = kept[low..high].iter().map(|&k| sewn[k as usize]).collect();
        // Halves that are gone must not be found as partners.
        for &h in l.iter().chain(r) {
            self.place[h as usize].0 = NONE;
        }
        self.words.push(word);
        let out = self.words.len() as u32 - 1;
        Step {
            left,
            right,
            out,
            left_start: left_start as u32,
            right_start: right_start as u32,
            seam,
            closings,
            wraps,
            kept,
        }
    }
}
