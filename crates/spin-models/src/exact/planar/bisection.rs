//! Nested dissection of the cells.

use std::collections::VecDeque;

use super::cells::Cells;

/// A binary tree over cells, children before parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Cell(usize),
    Pair(usize, usize),
}

/// The tree of one block; the last node is its root.
///
/// With positions a set of cells is halved across its longer direction, otherwise by the difference of its distances
/// from two cells far apart. The result does not depend on the quality of the cut, only the cost does.
pub(super) fn dissect(cells: &Cells, block: std::ops::Range<usize>, positions: Option<&[[f64; 2]]>) -> Vec<Node> {
    let mut owner = vec![[u32::MAX; 2]; cells.n_sides];
    for cell in block.clone() {
        for &h in &cells.halves[cell] {
            owner[h as usize / 2][h as usize % 2] = cell as u32;
        }
    }
    let start = block.start;
    let centers = positions.map(|positions| {
        let center = |cell: usize| {
            let around = &cells.vertices[cell];
            let sum = |k: usize| around.iter().map(|&v| positions[v as usize][k]).sum::<f64>() / around.len() as f64;
            [sum(0), sum(1)]
        };
        block.clone().map(center).collect::<Vec<_>>()
    });
    let mut dissection = Dissection {
        cells,
        owner,
        start,
        centers,
        inside: vec![0; block.len()],
        distance: vec![[0; 2]; block.len()],
        round: 0,
        nodes: Vec::new(),
    };
    let mut members: Vec<usize> = block.collect();
    dissection.split(&mut members);
    dissection.nodes
}

struct Dissection<'a> {
    cells: &'a Cells,
    /// The cells on both sides.
    owner: Vec<[u32; 2]>,
    /// The first cell of the block.
    start: usize,
    centers: Option<Vec<[f64; 2]>>,
    /// Round in which a cell was last marked.
    inside: Vec<u32>,
    distance: Vec<[u32; 2]>,
    round: u32,
    nodes: Vec<Node>,
}

impl Dissection<'_> {
    /// Returns the node of these cells. The depth of the recursion is the logarithm of their number.
    fn split(&mut self, members: &mut [usize]) -> usize {
        if let [cell] = *members {
            self.nodes.push(Node::Cell(cell));
            return self.nodes.len() - 1;
        }
        if self.centers.is_some() {
            self.order_by_place(members)
        } else {
            self.order_by_distance(members)
        }
        let (first, second) = members.split_at_mut(members.len().div_ceil(2));
        let first = self.split(first);
        let second = self.split(second);
        self.nodes.push(Node::Pair(first, second));
        self.nodes.len() - 1
    }

    fn order_by_place(&self, members: &mut [usize]) {
        let Some(centers) = &self.centers else { return };
        let at = |cell: usize| centers[cell - self.start];
        let extent = |k: usize| {
            let (low, high) = members
                .iter()
                .map(|&cell| at(cell)[k])
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
            high - low
        };
        let k = usize::from(extent(1) > extent(0));
        let order = |a: &usize, b: &usize| {
            let (p, q) = (at(*a), at(*b));
            p[k].total_cmp(&q[k]).then(p[1 - k].total_cmp(&q[1 - k])).then(a.cmp(b))
        };
        let middle = members.len().div_ceil(2);
        members.select_nth_unstable_by(middle, order);
    }

    fn order_by_distance(&mut self, members: &mut [usize]) {
        let far = self.search(members, members[0], 0);
        let other = self.search(members, far, 0);
        self.search(members, other, 1);
        let key = |cell: usize| {
            let [a, b] = self.distance[cell - self.start];
            (i64::from(a) - i64::from(b), a, cell)
        };
        members.sort_unstable_by_key(|&cell| key(cell));
    }

    /// Distances from `source` among `members`, cells in other parts behind all; returns the last cell reached.
    fn search(&mut self, members: &[usize], source: usize, slot: usize) -> usize {
        let unreached = self.round + 1;
        self.round += 2;
        let reached = self.round;
        for &cell in members {
            self.inside[cell - self.start] = unreached;
        }
        let mut queue = VecDeque::new();
        let mut last = source;
        let mut sources = std::iter::once(source).chain(members.iter().copied());
        let mut distance = 0;
        while let Some(next) = sources.find(|&cell| self.inside[cell - self.start] == unreached) {
            self.inside[next - self.start] = reached;
            self.distance[next - self.start][slot] = distance;
            queue.push_back(next);
            while let Some(cell) = queue.pop_front() {
                last = cell;
                let here = self.distance[cell - self.start][slot];
                for &h in &self.cells.halves[cell] {
                    let [a, b] = self.owner[h as usize / 2];
                    let neighbor = (a ^ b ^ cell as u32) as usize;
                    if neighbor < self.start || neighbor - self.start >= self.inside.len() {
                        continue;
                    }
                    if self.inside[neighbor - self.start] == unreached {
                        self.inside[neighbor - self.start] = reached;
                        self.distance[neighbor - self.start][slot] = here + 1;
                        queue.push_back(neighbor);
                    }
                }
                distance = distance.max(here + 2);
            }
        }
        last
    }
}
