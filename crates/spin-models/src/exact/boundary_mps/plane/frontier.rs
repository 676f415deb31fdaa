//! The boundary: a matrix product state with one orthogonality centre.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::range::{Mixtures, range};
use super::schedule::Step;

/// `left x 2 x right` entries, row-major, spin +1 first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Site {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) data: Vec<f64>,
}

/// A function of the open spins, `exp(ln_scale)` times the product of its sites.
///
/// Sites left of the centre are isometries from the left, those right of it from the right: the norm of the function is
/// that of the centre.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Frontier {
    pub(super) sites: Vec<Site>,
    center: usize,
    pub(super) ln_scale: f64,
    pub(super) discarded: f64,
    pub(super) bond_dimension: usize,
    /// Whether a sum over all sites was not positive.
    pub(super) lost: bool,
}

/// Memory of a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    block: Vec<f64>,
    next: Vec<f64>,
    mixtures: Mixtures,
}

/// Divides by the largest magnitude; its logarithm, -∞ where all is 0.
pub(super) fn normalize(data: &mut [f64]) -> f64 {
    let largest = data.iter().fold(0.0f64, |m, x| if x.abs() > m { x.abs() } else { m });
    if largest > 0.0 {
        let inverse = largest.recip();
        data.iter_mut().for_each(|x| *x *= inverse);
    }
    largest.ln()
}

fn transposed(data: &[f64], rows: usize, columns: usize, out: &mut Vec<f64>) {
    out.clear();
    out.resize(rows * columns, 0.0);
    for (i, row) in data.chunks_exact(columns).enumerate() {
        for (j, x) in row.iter().enumerate() {
            out[j * rows + i] = *x;
        }
    }
}

impl Frontier {
    /// The number 1.
    pub(super) fn one() -> Self {
        Self { bond_dimension: 1, ..Self::default() }
    }

    /// Multiplies by a table and sums over the sites that are complete.
    pub(super) fn step(&mut self, step: &Step, table: &[f64], chi: usize, scratch: &mut Scratch) {
        let Step { first, last, kept, .. } = *step;
        self.move_into(first, last, chi, scratch);
        let (left, right) = self.open(first, last, scratch);
        let (before, after) = (1usize << (last - first), 1usize << kept);
        let mut block = vec![0.0; left * after * right];
        for (old, new) in scratch.block.chunks_exact(before * right).zip(block.chunks_exact_mut(after * right)) {
            for &(from, to, entry) in &step.program {
                let w = table[entry as usize];
                let old = &old[from as usize * right..][..right];
                let new = &mut new[to as usize * right..][..right];
                new.iter_mut().zip(old).for_each(|(y, x)| *y += w * x);
            }
        }
        self.lost |= kept == 0 && block.iter().all(|&x| x <= 0.0);
        self.ln_scale += normalize(&mut block);
        let new = if step.to_right {
            self.split_rightwards(block, kept, left, right, chi, &mut scratch.mixtures)
        } else {
            self.split_leftwards(block, kept, left, right, chi, &mut scratch.mixtures)
        };
        self.center = if step.to_right { first + kept.saturating_sub(1) } else { first };
        self.sites.splice(first..last, new);
    }

    /// The product of sites `first..last` in the block of the scratch memory; states left and right of it.
    fn open(&self, first: usize, last: usize, scratch: &mut Scratch) -> (usize, usize) {
        scratch.block.clear();
        if first == last {
            scratch.block.push(1.0);
            return (1, 1);
        }
        scratch.block.extend_from_slice(&self.sites[first].data);
        let left = self.sites[first].left;
        let mut rows = 2 * left;
        for site in &self.sites[first + 1..last] {
            scratch.next.clear();
            scratch.next.resize(rows * 2 * site.right, 0.0);
            let a = Matrix::row_major(&scratch.block, rows, site.left);
            let b = Matrix::row_major(&site.data, site.left, 2 * site.right);
            gemm(1.0, a, b, 0.0, MatrixMut::row_major(&mut scratch.next, rows, 2 * site.right));
            std::mem::swap(&mut scratch.block, &mut scratch.next);
            rows *= 2;
        }
        (left, self.sites[last - 1].right)
    }

    /// Sites from a block, the last of them the centre.
    fn split_rightwards(
        &mut self,
        mut block: Vec<f64>,
        kept: usize,
        mut left: usize,
        right: usize,
        chi: usize,
        mixtures: &mut Mixtures,
    ) -> Vec<Site> {
        let mut sites = Vec::with_capacity(kept);
        for open in (1..kept).rev() {
            let (rows, columns) = (2 * left, (1usize << open) * right);
            let (basis, states, loss) = if rows <= chi && rows <= columns {
                (None, rows, 0.0)
            } else {
                let (basis, loss) = range(Matrix::row_major(&block, rows, columns), chi, mixtures);
                let states = basis.len() / rows;
                (Some(basis), states, loss)
            };
            self.discarded += loss;
            self.bond_dimension = self.bond_dimension.max(states);
            let mut site = Site { left, right: states, data: Vec::new() };
            match basis {
                None => {
                    site.data.resize(rows * rows, 0.0);
                    site.data.iter_mut().step_by(rows + 1).for_each(|x| *x = 1.0);
                }
                Some(basis) => {
                    transposed(&basis, states, rows, &mut site.data);
                    let mut rest = vec![0.0; states * columns];
                    let (a, b) = (Matrix::row_major(&basis, states, rows), Matrix::row_major(&block, rows, columns));
                    gemm(1.0, a, b, 0.0, MatrixMut::row_major(&mut rest, states, columns));
                    block = rest;
                }
            }
            left = states;
            sites.push(site);
        }
        if kept > 0 {
            sites.push(Site { left, right, data: block });
        }
        sites
    }

    /// Sites from a block, the first of them the centre.
    fn split_leftwards(
        &mut self,
        mut block: Vec<f64>,
        kept: usize,
        left: usize,
        mut right: usize,
        chi: usize,
        mixtures: &mut Mixtures,
    ) -> Vec<Site> {
        let mut sites = Vec::with_capacity(kept);
        for open in (1..kept).rev() {
            let (rows, columns) = (left * (1usize << open), 2 * right);
            let mut site = Site { left: columns, right, data: Vec::new() };
            if columns <= chi && columns <= rows {
                site.data.resize(columns * columns, 0.0);
                site.data.iter_mut().step_by(columns + 1).for_each(|x| *x = 1.0);
            } else {
                let (basis, loss) = range(Matrix::row_major(&block, rows, columns).transposed(), chi, mixtures);
                let states = basis.len() / columns;
                self.discarded += loss;
                let mut rest = vec![0.0; rows * states];
                let (a, b) = (Matrix::row_major(&block, rows, columns), Matrix::row_major(&basis, states, columns));
                gemm(1.0, a, b.transposed(), 0.0, MatrixMut::row_major(&mut rest, rows, states));
                block = rest;
                site.left = states;
                site.data = basis;
            }
            right = site.left;
            self.bond_dimension = self.bond_dimension.max(right);
            sites.push(site);
        }
        if kept > 0 {
            sites.push(Site { left, right, data: block });
        }
        sites.reverse();
        sites
    }

    /// Moves the centre into `first..last`.
    fn move_into(&mut self, first: usize, last: usize, chi: usize, scratch: &mut Scratch) {
        while self.center < first {
            let at = self.center;
            let (left, right) = self.open(at, at + 2, scratch);
            let block = scratch.block.clone();
            let new = self.split_rightwards(block, 2, left, right, chi, &mut scratch.mixtures);
            self.sites.splice(at..at + 2, new);
            self.center += 1;
        }
        while self.center >= last && self.center > 0 {
            let at = self.center - 1;
            let (left, right) = self.open(at, at + 2, scratch);
            let block = scratch.block.clone();
            let new = self.split_leftwards(block, 2, left, right, chi, &mut scratch.mixtures);
            self.sites.splice(at..at + 2, new);
            self.center -= 1;
        }
    }

    /// The norm with the scale taken off.
    pub(super) fn norm(&self) -> f64 {
        self.sites.get(self.center).map_or(1.0, |site| site.data.iter().map(|x| x * x).sum::<f64>().sqrt())
    }

    /// `Σ_s a(s) b(s)` with scales taken off.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        let mut inner = vec![1.0];
        for (a, b) in self.sites.iter().zip(&other.sites) {
            let mut half = vec![0.0; b.left * 2 * a.right];
            let (x, y) = (Matrix::row_major(&inner, a.left, b.left), Matrix::row_major(&a.data, a.left, 2 * a.right));
            gemm(1.0, x.transposed(), y, 0.0, MatrixMut::row_major(&mut half, b.left, 2 * a.right));
            inner = vec![0.0; a.right * b.right];
            let x = Matrix::row_major(&half, b.left * 2, a.right);
            let y = Matrix::row_major(&b.data, b.left * 2, b.right);
            gemm(1.0, x.transposed(), y, 0.0, MatrixMut::row_major(&mut inner, a.right, b.right));
        }
        inner[0]
    }
}
