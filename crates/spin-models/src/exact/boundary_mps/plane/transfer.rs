//! One strip between two boundaries, without any cut.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::frontier::{Frontier, normalize};
use super::schedule::{TooWide, bound};

/// More spins are not open at once.
const MAX_OPEN: usize = 12;

/// What joins the partial sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The site of the boundary before the strip at a place.
    Before(usize),
    /// The site of the boundary after the strip at a place.
    After(usize),
    Table(usize),
}

/// A step; the partial sum has a matrix for each value of the open spins, states of the one boundary by those of the other.
#[derive(Debug, Clone, PartialEq)]
struct Operation {
    what: What,
    /// For a site: the matrix that is multiplied, and the value of the spin. For a table: matrix before, matrix after, entry.
    first: Vec<(u16, u16, u16)>,
    /// Matrices after the first part.
    count: usize,
    /// Matrices to add up, with their place after the sum over spins that are complete; empty where none is.
    sums: Vec<u16>,
    /// Matrices after the sum.
    left: usize,
}

/// `⟨after| strip |before⟩` as a list of steps along the strip.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Transfer {
    operations: Vec<Operation>,
    /// Multiplications, roughly.
    pub(super) cost: f64,
}

/// Memory of [`Transfer::value`].
#[derive(Debug, Clone, Default)]
pub(super) struct TransferScratch {
    sum: Vec<f64>,
    next: Vec<f64>,
}

impl Transfer {
    /// The strip of `members`, whose sites are `tables[t]` from the highest bit down, between boundaries on these sites.
    ///
    /// Step by step, what leaves the fewest spins open comes next.
    pub(super) fn new(
        tables: &[Vec<usize>],
        members: &[usize],
        before: &[usize],
        after: &[usize],
        chi: usize,
    ) -> Result<Self, TooWide> {
        let states = |place: usize, n: usize| bound(place.min(n - place), chi);
        let mut cost = 0.0;
        let mut waiting: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
        for &site in before.iter().chain(after).chain(members.iter().flat_map(|&t| &tables[t])) {
            *waiting.entry(site).or_insert(0) += 1;
        }
        let mut open: Vec<usize> = Vec::new();
        let mut rest: Vec<usize> = members.to_vec();
        let (mut b, mut a) = (0, 0);
        let mut operations = Vec::new();
        while b < before.len() || a < after.len() || !rest.is_empty() {
            let grown = |sites: &[usize]| {
                let new = sites.iter().filter(|s| !open.contains(s)).count();
                let done = sites.iter().filter(|s| waiting[s] == 1).count();
                (open.len() + new - done, open.len() + new)
            };
            let mut best: Option<((usize, usize), What)> = None;
            let mut offer = |sites: &[usize], what: What| {
                let key = grown(sites);
                if best.is_none_or(|(old, _)| key < old) {
                    best = Some((key, what));
                }
            };
            if let Some(site) = before.get(b) {
                offer(std::slice::from_ref(site), What::Before(b));
            }
            if let Some(site) = after.get(a) {
                offer(std::slice::from_ref(site), What::After(a));
            }
            rest.iter().for_each(|&t| offer(&tables[t], What::Table(t)));
            let Some(((_, most), what)) = best else { break };
            let sites: Vec<usize> = match what {
                What::Before(place) => {
                    b += 1;
                    vec![before[place]]
                }
                What::After(place) => {
                    a += 1;
                    vec![after[place]]
                }
                What::Table(t) => {
                    rest.retain(|&other| other != t);
                    tables[t].clone()
                }
            };
            if most > MAX_OPEN {
                return Err(TooWide { table: members[0], sites: most });
            }
            let mut wide = open.clone();
            wide.extend(sites.iter().filter(|s| !open.contains(s)));
            let value = |state: usize, list: &[usize]| {
                list.iter().fold(0u16, |value, site| {
                    let place = wide.iter().position(|s| s == site).unwrap_or(0);
                    value << 1 | (state >> (wide.len() - 1 - place) & 1) as u16
                })
            };
            for site in &sites {
                waiting.entry(*site).and_modify(|count| *count -= 1);
            }
            let next: Vec<usize> = wide.iter().copied().filter(|s| waiting[s] > 0).collect();
            let all = 1usize << wide.len();
            let is_table = matches!(what, What::Table(_));
            // A table sums at once; a site multiplies first.
            let first = (0..all)
                .map(|state| {
                    let to = if is_table { value(state, &next) } else { state as u16 };
                    (value(state, &open), to, value(state, &sites))
                })
                .collect();
            let sums = if is_table || next.len() == wide.len() {
                Vec::new()
            } else {
                (0..all).map(|state| value(state, &next)).collect()
            };
            let left = 1 << next.len();
            let (x, y) = (states(b, before.len()), states(a, after.len()));
            // A small product of matrices takes some thousand multiplications before it begins.
            cost += all as f64 * if is_table { 4.0 * x * y } else { x * y * x.max(y) + 3000.0 };
            operations.push(Operation { what, first, count: if is_table { left } else { all }, sums, left });
            open = next;
        }
        Ok(Self { operations, cost })
    }

    /// The value as a number and the logarithm of its scale, without the scales of the boundaries.
    pub(super) fn value<'a>(
        &self,
        before: &Frontier,
        after: &Frontier,
        table: &dyn Fn(usize) -> &'a [f64],
        scratch: &mut TransferScratch,
    ) -> (f64, f64) {
        let TransferScratch { sum, next } = scratch;
        sum.clear();
        sum.push(1.0);
        // States of the two boundaries.
        let (mut x, mut y) = (1, 1);
        let mut ln_scale = 0.0;
        for operation in &self.operations {
            let size = x * y;
            next.clear();
            match operation.what {
                What::Table(t) => {
                    let entries = table(t);
                    next.resize(operation.count * size, 0.0);
                    for &(from, to, entry) in &operation.first {
                        let w = entries[entry as usize];
                        let old = &sum[from as usize * size..][..size];
                        let new = &mut next[to as usize * size..][..size];
                        new.iter_mut().zip(old).for_each(|(y, x)| *y += w * x);
                    }
                }
                What::Before(place) => {
                    let site = &before.sites[place];
                    next.resize(operation.count * site.right * y, 0.0);
                    for &(from, to, value) in &operation.first {
                        let data = &site.data[value as usize * site.right..];
                        let a = Matrix::strided(data, site.left, site.right, 2 * site.right, 1);
                        let old = Matrix::row_major(&sum[from as usize * size..], x, y);
                        let new = &mut next[to as usize * site.right * y..][..site.right * y];
                        gemm(1.0, a.transposed(), old, 0.0, MatrixMut::row_major(new, site.right, y));
                    }
                    x = site.right;
                }
                What::After(place) => {
                    let site = &after.sites[place];
                    next.resize(operation.count * x * site.right, 0.0);
                    for &(from, to, value) in &operation.first {
                        let data = &site.data[value as usize * site.right..];
                        let b = Matrix::strided(data, site.left, site.right, 2 * site.right, 1);
                        let old = Matrix::row_major(&sum[from as usize * size..], x, y);
                        let new = &mut next[to as usize * x * site.right..][..x * site.right];
                        gemm(1.0, old, b, 0.0, MatrixMut::row_major(new, x, site.right));
                    }
                    y = site.right;
                }
            }
            if !operation.sums.is_empty() {
                let size = x * y;
                sum.clear();
                sum.resize(operation.left * size, 0.0);
                for (old, &to) in next.chunks_exact(size).zip(&operation.sums) {
                    let new = &mut sum[to as usize * size..][..size];
                    new.iter_mut().zip(old).for_each(|(y, x)| *y += x);
                }
            } else {
                std::mem::swap(sum, next);
            }
            let scale = normalize(sum);
            if scale.is_finite() {
                ln_scale += scale;
            }
        }
        (sum[0], ln_scale)
    }
}
