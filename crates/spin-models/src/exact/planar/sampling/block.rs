//! A few cells whose walls are drawn by summation over all of them.

use std::ops::Range;

use super::super::prepared::Prepared;

/// The largest dimension of the space of walls: 2⁹ sets inside 4 x 4 plaquettes.
const DIMENSION: usize = 9;

/// Every cell has an even number of walls at its sides. Those through the sides that leave the block are known; those
/// inside follow from them but for some cycles, each of which may be changed.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The sides inside that tie the cells together, each with the other sides of the cell that it hangs from the rest, in
    /// an order in which these are known.
    hung: Vec<(u32, Vec<u32>)>,
    /// The sides of the cells from which the others hang: an even number of walls for each.
    roots: Vec<Vec<u32>>,
    /// Every side inside that is left, with those that change with it.
    cycles: Vec<Vec<u32>>,
}

const NONE: usize = usize::MAX;

impl Block {
    /// The largest blocks in the dissection, with the steps that they stand for.
    pub(super) fn all(prepared: &Prepared) -> Vec<(Self, Range<usize>)> {
        let halves = prepared.cell_halves();
        let mut owner = vec![[NONE; 2]; prepared.n_sides()];
        for (cell, halves) in halves.iter().enumerate() {
            for &h in halves {
                owner[h as usize / 2][h as usize % 2] = cell;
            }
        }
        // The cells of a block that have been reached.
        let mut reached = vec![false; halves.len()];
        let mut inside = vec![false; halves.len()];
        prepared.program().largest_nodes(|cells| {
            // So many cells have more cycles: every vertex inside makes one, and these are most.
            if cells.len() > 8 * DIMENSION {
                return None;
            }
            cells.iter().for_each(|&cell| inside[cell] = true);
            let block = Self::new(cells, halves, &owner, &inside, &mut reached);
            cells.iter().for_each(|&cell| (inside[cell], reached[cell]) = (false, false));
            (block.cycles.len() <= DIMENSION).then_some(block)
        })
    }

    fn new(cells: &[usize], halves: &[Vec<u32>], owner: &[[usize; 2]], inside: &[bool], reached: &mut [bool]) -> Self {
        let mut block = Self { hung: Vec::new(), roots: Vec::new(), cycles: Vec::new() };
        // Depth of a cell below its root, and the side by which it hangs.
        let mut above: Vec<(usize, usize, u32)> = vec![(NONE, 0, 0); cells.len()];
        let place = |cell: usize| cells.iter().position(|&c| c == cell).expect("a cell of the block");
        for &root in cells {
            if reached[root] {
                continue;
            }
            reached[root] = true;
            block.roots.push(halves[root].iter().map(|h| h / 2).collect());
            let mut queue = std::collections::VecDeque::from([root]);
            while let Some(cell) = queue.pop_front() {
                for &h in &halves[cell] {
                    let next = owner[h as usize / 2][1 - h as usize % 2];
                    if next == NONE || !inside[next] || reached[next] {
                        continue;
                    }
                    reached[next] = true;
                    above[place(next)] = (cell, above[place(cell)].1 + 1, h / 2);
                    let others = halves[next].iter().map(|h| h / 2).filter(|&side| side != h / 2);
                    block.hung.push((h / 2, others.collect()));
                    queue.push_back(next);
                }
            }
        }
        // From the leaves to the roots.
        block.hung.reverse();
        for &cell in cells {
            for &h in halves[cell].iter().filter(|&&h| h % 2 == 0) {
                let side = h / 2;
                let other = owner[side as usize][1];
                if other == NONE || !inside[other] || block.hung.iter().any(|&(hung, _)| hung == side) {
                    continue;
                }
                // Up from both cells to where they meet.
                let mut cycle = vec![side];
                let (mut a, mut b) = (cell, other);
                while a != b {
                    let deeper = if above[place(a)].1 >= above[place(b)].1 { &mut a } else { &mut b };
                    let (up, _, by) = above[place(*deeper)];
                    cycle.push(by);
                    *deeper = up;
                }
                block.cycles.push(cycle);
            }
        }
        block
    }

    /// Draws the walls inside, given those around, and returns the logarithm of their probability; `None` where those
    /// around are odd in number.
    pub(super) fn draw(
        &self,
        exponents: &[f64],
        uniforms: &[f64],
        wall: &mut [bool],
        weights: &mut Vec<f64>,
    ) -> Option<f64> {
        self.cycles.iter().for_each(|cycle| wall[cycle[0] as usize] = false);
        for (side, others) in &self.hung {
            wall[*side as usize] = others.iter().fold(false, |odd, &other| odd ^ wall[other as usize]);
        }
        let odd = |sides: &Vec<u32>| sides.iter().fold(false, |odd, &side| odd ^ wall[side as usize]);
        if self.roots.iter().any(odd) {
            return None;
        }
        let Some(first) = self.cycles.first() else { return Some(0.0) };
        // One cycle after the other is changed, in the order of the Gray code.
        let mut change = |cycle: &[u32]| {
            let mut change = 0.0;
            for &side in cycle {
                let wall = &mut wall[side as usize];
                *wall = !*wall;
                change += if *wall { exponents[side as usize] } else { -exponents[side as usize] };
            }
            change
        };
        let count = 1usize << self.cycles.len();
        weights.clear();
        weights.push(0.0);
        let (mut here, mut most) = (0.0f64, 0.0f64);
        for k in 1..count {
            here += change(&self.cycles[k.trailing_zeros() as usize]);
            most = most.max(here);
            weights.push(here);
        }
        let mut total = 0.0;
        for weight in weights.iter_mut() {
            *weight = (*weight - most).exp();
            total += *weight;
        }
        let mut left = uniforms[first[0] as usize] * total;
        let mut chosen = 0;
        for (k, &weight) in weights.iter().enumerate().filter(|&(_, &weight)| weight > 0.0) {
            // The last one that is possible takes what rounding leaves.
            chosen = k;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        // Back from the last set of the Gray code, in which only the last cycle is changed.
        let (last, code) = (count - 1, chosen ^ chosen >> 1);
        let differing = (last ^ last >> 1) ^ code;
        for (_, cycle) in self.cycles.iter().enumerate().filter(|&(k, _)| differing >> k & 1 == 1) {
            change(cycle);
        }
        Some((weights[chosen] / total).ln())
    }
}
