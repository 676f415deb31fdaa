//! The amplitudes of a patch, and their change when two patches are sewn.
//!
//! A patch is known by its pair amplitudes $`G_{ij} > 0`$: the weight of all ways in which walls inside it join its
//! sides i and j, divided by the weight of all ways without an open wall. With walls at a set x of sides the weight is
//! the Pfaffian of the skew matrix with entries $`G_{ij}`$, i < j in x, above the diagonal.
//!
//! To close sides a and b with weight w is to add w times the weight with walls at both. The pair amplitudes become
//!
//! ```math
//! G'_{ij} = G_{ij} + \frac{w}{1 + w G_{ab}} \bigl(G_{ib} G_{aj} - G_{ia} G_{bj}\bigr)
//! ```
//!
//! for i < j < a < b, and the weight without open walls grows by the factor $`1 + w G_{ab}`$. In a disc the product
//! that is subtracted is at most $`G_{ij} G_{ab}`$ (its walls cross, and can be exchanged where they meet), so that no
//! digits cancel: the elimination is accurate entry by entry, whatever the magnitudes.

use super::number::{LogSum, Number};
use super::program::Step;

/// Pairs of sides closed together before the rest of the matrix is brought up to date.
const PANEL: usize = 4;

/// The pair amplitudes of a patch, row-major; only the part above the diagonal is used.
#[derive(Debug, Clone)]
pub(super) struct Patch<T> {
    pub n: usize,
    pub g: Vec<T>,
    /// The sides at which the reference has a wall. Amplitudes are those of changes of the reference.
    pub walls: Vec<bool>,
}

impl<T: Number> Patch<T> {
    /// A cell: every even set of walls has weight 1, in the units of its halves.
    pub(super) fn cell(units: &[T]) -> Self {
        let n = units.len();
        let g = units.iter().flat_map(|&u| units.iter().map(move |&v| u * v)).collect();
        Self { n, g, walls: vec![false; n] }
    }

    /// Changes the reference at sides p < q.
    pub(super) fn pivot(&mut self, p: usize, q: usize) -> T {
        pivot(&mut self.g, self.n, 0..self.n, p, q, &mut self.walls)
    }

    /// The amplitude of a pair.
    pub(super) fn at(&self, i: usize, j: usize) -> T {
        self.g[i.min(j) * self.n + i.max(j)]
    }
}

/// The memory of the elimination.
#[derive(Debug, Clone)]
pub(super) struct Workspace<T> {
    g: Vec<T>,
    /// Rows of the pairs of a panel, both of a pair one after the other.
    rows: Vec<T>,
    kappa: Vec<T>,
    walls: Vec<bool>,
    floor: T,
    largest: T,
}

impl<T: Number> Workspace<T> {
    /// With the least amplitude and the largest that is left as it is.
    pub(super) fn new(floor: T, largest: f64) -> Self {
        let largest = T::exp(largest.ln());
        Self { g: Vec::new(), rows: Vec::new(), kappa: Vec::new(), walls: Vec::new(), floor, largest }
    }
}

/// An amplitude left the range of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfRange;

/// Carries out a step: the patch sewn from `left` and `right`. The logarithm of the weight without open walls is added
/// to `ln_weight`.
pub(super) fn sew<T: Number>(
    step: &Step,
    left: &Patch<T>,
    right: &Patch<T>,
    exponents: &[f64],
    work: &mut Workspace<T>,
    ln_weight: &mut T::Sum,
) -> Result<Patch<T>, OutOfRange> {
    let (n1, n2) = (left.n, right.n);
    let n = n1 + n2;
    let Workspace { g, rows, kappa, walls, floor, largest } = work;
    let (floor, largest) = (*floor, *largest);
    g.clear();
    g.resize(n * n, T::ZERO);
    place(left, step.left_start as usize, g, n, 0);
    place(right, step.right_start as usize, g, n, n1);
    walls.clear();
    for (patch, start) in [(left, step.left_start as usize), (right, step.right_start as usize)] {
        walls.extend_from_slice(&patch.walls[start..]);
        walls.extend_from_slice(&patch.walls[..start]);
    }
    agree_on_seam(g, walls, n1, step.seam.len(), ln_weight);

    let mut table = Table { g, n, low: n1, high: n1 };
    let mut done = 0;
    for sides in step.seam.chunks(PANEL) {
        let w = sides.iter().enumerate().map(|(k, &side)| (side, walls[n1 + done + k]));
        table.close_panel(w.map(|(side, wall)| weight(exponents[side as usize], wall)), rows, kappa, ln_weight);
        done += sides.len();
    }
    for (k, &side) in step.seam.iter().enumerate() {
        if walls[n1 + k] {
            ln_weight.exponent(exponents[side as usize]);
        }
    }
    let (sewn_left, skipped) = (table.low, table.high - table.low);
    let at = |k: u32| if (k as usize) < sewn_left { k as usize } else { k as usize + skipped };
    let kept: Vec<usize> = step.kept.iter().map(|&k| at(k)).collect();
    if step.closings.is_empty() && step.wraps.is_empty() {
        let mut out = gather(g, n, &kept, walls);
        settle(&mut out, largest, ln_weight);
        return checked(out, floor);
    }
    // Rare: all positions but those of the seam, then one pair after the other.
    let rest: Vec<usize> = (0..sewn_left).chain(sewn_left + skipped..n).collect();
    let mut out = gather(g, n, &rest, walls);
    let mut alive: Vec<usize> = (0..out.n).collect();
    let wraps =
        step.wraps.iter().enumerate().map(|(k, &side)| (step.kept[k], step.kept[step.kept.len() - 1 - k], side));
    for (a, b, side) in step.closings.iter().copied().chain(wraps) {
        let find = |k: u32| alive.iter().position(|&x| x == k as usize).expect("a side is closed once");
        let (p, q) = (find(a), find(b));
        alive.remove(q);
        alive.remove(p);
        out = close_pair(out, p, q, exponents[side as usize], ln_weight);
    }
    settle(&mut out, largest, ln_weight);
    checked(out, floor)
}

/// The weight of a change of the reference at both halves of a side.
///
/// The one is the inverse of the other to all digits of T, though both have but those of `f64`: where signs cancel, all
/// references must have the same weights.
fn weight<T: Number>(exponent: f64, wall: bool) -> T {
    let weight = T::exp(exponent);
    if wall { T::ONE / weight } else { weight }
}

/// Raises amplitudes below the floor to it. They are positive, but may have lost all digits.
fn checked<T: Number>(mut patch: Patch<T>, floor: T) -> Result<Patch<T>, OutOfRange> {
    let n = patch.n;
    let mut safe = true;
    for i in 0..n {
        for x in &mut patch.g[i * n + i + 1..(i + 1) * n] {
            safe &= x.is_safe();
            if !x.exceeds(floor) {
                *x = floor;
            }
        }
    }
    if safe { Ok(patch) } else { Err(OutOfRange) }
}

/// Changes the references until both have or have not a wall at every side of the seam, by the largest amplitudes.
///
/// The seam is `n1 - 1 - k` with `n1 + k` for k below `length`.
fn agree_on_seam<T: Number>(g: &mut [T], walls: &mut [bool], n1: usize, length: usize, ln_weight: &mut T::Sum) {
    let n = walls.len();
    while let Some(k) = (0..length).find(|&k| walls[n1 - 1 - k] != walls[n1 + k]) {
        let mut best: Option<(T, usize, usize)> = None;
        let mut offer = |p: usize, q: usize| {
            let (p, q) = (p.min(q), p.max(q));
            let x = g[p * n + q];
            if best.is_none_or(|(y, ..)| x.exceeds(y)) {
                best = Some((x, p, q));
            }
        };
        let differs = |k: usize| walls[n1 - 1 - k] != walls[n1 + k];
        (0..n1 - length).for_each(|q| offer(n1 - 1 - k, q));
        (n1 + length..n).for_each(|q| offer(n1 + k, q));
        for other in (k + 1..length).filter(|&other| differs(other)) {
            offer(n1 - 1 - k, n1 - 1 - other);
            offer(n1 + k, n1 + other);
        }
        let Some((_, p, q)) = best else { unreachable!("references have an even number of walls") };
        let block = if q < n1 { 0..n1 } else { n1..n };
        pivot(g, n, block, p, q, walls).add_ln(ln_weight);
    }
}

/// Changes the reference until no pair amplitude is much above 1: to the most likely walls, or close to it.
pub(super) fn settle<T: Number>(patch: &mut Patch<T>, bound: T, ln_weight: &mut T::Sum) {
    let n = patch.n;
    // Every change increases the weight of the reference at least by the bound, so that this ends.
    for _ in 0..4 * n {
        let mut best = (bound, 0, 0);
        for i in 0..n {
            for j in i + 1..n {
                let x = patch.g[i * n + j];
                if x.exceeds(best.0) {
                    best = (x, i, j);
                }
            }
        }
        let (_, p, q) = best;
        if p == q {
            return;
        }
        patch.pivot(p, q).add_ln(ln_weight);
    }
}

/// Changes the reference at p < q in a block of a table, and returns the amplitude of the change.
///
/// The new amplitudes are $`G'_{pq} = 1 / G_{pq}`$, $`G'_{pi} = G_{qi} / G_{pq}`$, $`G'_{qi} = G_{pi} / G_{pq}`$ and
/// that of walls at i, j, p and q, divided by $`G_{pq}`$.
pub(super) fn pivot<T: Number>(
    g: &mut [T],
    n: usize,
    block: std::ops::Range<usize>,
    p: usize,
    q: usize,
    walls: &mut [bool],
) -> T {
    let (low, high) = (block.start, block.end);
    let at = |g: &[T], i: usize, j: usize| if i == j { T::ZERO } else { g[i.min(j) * n + i.max(j)] };
    let u: Vec<T> = (low..high).map(|i| at(g, p, i)).collect();
    let v: Vec<T> = (low..high).map(|i| at(g, q, i)).collect();
    let amplitude = at(g, p, q);
    let d = T::ONE / amplitude;
    let arc = |i: usize| usize::from(i > p) + usize::from(i > q);
    for i in (low..high).filter(|&i| i != p && i != q) {
        let (c, e) = (d * v[i - low], d * u[i - low]);
        for (from, to) in [(low, p), (p + 1, q), (q + 1, high)] {
            let from = from.max(i + 1);
            if from >= to {
                continue;
            }
            let row = &mut g[i * n + from..i * n + to];
            let pairs = u[from - low..to - low].iter().zip(&v[from - low..to - low]);
            match (arc(i), arc(from)) {
                (0, 0) | (2, 2) => row.iter_mut().zip(pairs).for_each(|(x, (&u, &v))| *x = *x + (c * u - e * v)),
                (0, 2) | (1, 1) => row.iter_mut().zip(pairs).for_each(|(x, (&u, &v))| *x = *x + (e * v - c * u)),
                _ => row.iter_mut().zip(pairs).for_each(|(x, (&u, &v))| *x = (c * u + e * v) - *x),
            }
        }
    }
    for i in (low..high).filter(|&i| i != p && i != q) {
        g[p.min(i) * n + p.max(i)] = d * v[i - low];
        g[q.min(i) * n + q.max(i)] = d * u[i - low];
    }
    g[p * n + q] = d;
    walls[p] = !walls[p];
    walls[q] = !walls[q];
    amplitude
}

/// Copies a patch into the square of a larger table, its word rotated to begin at `start`.
fn place<T: Number>(patch: &Patch<T>, start: usize, g: &mut [T], n: usize, offset: usize) {
    let m = patch.n;
    for i in 0..m {
        let from = (start + i) % m;
        let row = &mut g[(offset + i) * n + offset..][..m];
        // Old positions after `from` up to the end, then those from the start up to `start`.
        if from >= start {
            row[i + 1..m - start].copy_from_slice(&patch.g[from * m + from + 1..(from + 1) * m]);
            for (j, x) in row[m - start..].iter_mut().enumerate() {
                *x = patch.g[j * m + from];
            }
        } else {
            row[i + 1..].copy_from_slice(&patch.g[from * m + from + 1..from * m + start]);
        }
    }
}

/// The rows and columns at these positions, ascending.
pub(super) fn gather<T: Number>(g: &[T], n: usize, kept: &[usize], walls: &[bool]) -> Patch<T> {
    let m = kept.len();
    let mut out = vec![T::ZERO; m * m];
    for (i, &from) in kept.iter().enumerate() {
        let row = &g[from * n..][..n];
        for (x, &column) in out[i * m + i + 1..(i + 1) * m].iter_mut().zip(&kept[i + 1..]) {
            *x = row[column];
        }
    }
    Patch { n: m, g: out, walls: kept.iter().map(|&k| walls[k]).collect() }
}

/// Closes sides p < q, neighbours in the word or its first and last.
fn close_pair<T: Number>(mut patch: Patch<T>, p: usize, q: usize, exponent: f64, ln_weight: &mut T::Sum) -> Patch<T> {
    let n = patch.n;
    if patch.walls[p] != patch.walls[q] {
        // The number of walls is even, so that there are other sides.
        let others = (0..n).filter(|&k| k != p && k != q);
        let offers = others.flat_map(|k| [(p.min(k), p.max(k)), (q.min(k), q.max(k))]);
        let best = offers.reduce(|a, b| if patch.at(b.0, b.1).exceeds(patch.at(a.0, a.1)) { b } else { a });
        let (a, b) = best.expect("references have an even number of walls");
        patch.pivot(a, b).add_ln(ln_weight);
    }
    let w: T = weight(exponent, patch.walls[p]);
    if patch.walls[p] {
        ln_weight.exponent(exponent);
    }
    let x = w * patch.at(p, q);
    x.add_ln_1p(ln_weight);
    let kappa = w / (T::ONE + x);
    let kept: Vec<usize> = (0..n).filter(|&k| k != p && k != q).collect();
    let mut out = gather(&patch.g, n, &kept, &patch.walls);
    let m = out.n;
    for (i, &a) in kept.iter().enumerate() {
        for (j, &b) in kept.iter().enumerate().skip(i + 1) {
            let (first, second) = (patch.at(a, q) * patch.at(p, b), patch.at(a, p) * patch.at(q, b));
            // Both before, or both behind; otherwise a comes first and the pair lies between or around.
            let change = if (a < p) == (b < p) && (a < q) == (b < q) && !(p < a && a < q) {
                first - second
            } else {
                second - first
            };
            out.g[i * m + j] = out.g[i * m + j] + kappa * change;
        }
    }
    out
}

/// A table of pair amplitudes of which the positions `low..high` are closed.
struct Table<'a, T> {
    g: &'a mut [T],
    n: usize,
    low: usize,
    high: usize,
}

impl<T: Number> Table<'_, T> {
    /// Closes `low - 1` with `high`, then the pairs outside it, one for every weight.
    ///
    /// With the signs of the skew matrix, $`u_j = A_{aj}`$ up to a common factor, one formula serves all pairs i < j:
    /// $`G_{ij} \mathrel{+}= \kappa (v_i u_j - u_i v_j)`$, u and v the rows of a and b, negative beyond b.
    fn close_panel(
        &mut self,
        weights: impl Iterator<Item = T>,
        rows: &mut Vec<T>,
        kappa: &mut Vec<T>,
        ln_weight: &mut T::Sum,
    ) {
        let n = self.n;
        rows.clear();
        kappa.clear();
        let (mut low, mut high) = (self.low, self.high);
        for w in weights {
            let (a, b) = (low - 1, high);
            // The rows of a and b as they are after the pairs before.
            let start = rows.len();
            rows.resize(start + 2 * n, T::ZERO);
            let (before, here) = rows.split_at_mut(start);
            let (u, v) = here.split_at_mut(n);
            for (i, row) in [(a, &mut *u), (b, &mut *v)] {
                for j in (0..i).filter(|&j| j < low) {
                    row[j] = self.g[j * n + i];
                }
                let from = if i == a { high } else { b + 1 };
                row[from..].copy_from_slice(&self.g[i * n + from..(i + 1) * n]);
                for (pair, &kappa) in before.chunks_exact(2 * n).zip(kappa.iter()) {
                    let (u, v) = pair.split_at(n);
                    let (c, d) = (kappa * v[i], kappa * u[i]);
                    for j in 0..i.min(low) {
                        row[j] = row[j] + (d * v[j] - c * u[j]);
                    }
                    for j in from..n {
                        row[j] = row[j] + (c * u[j] - d * v[j]);
                    }
                }
            }
            let x = w * u[b];
            x.add_ln_1p(ln_weight);
            kappa.push(w / (T::ONE + x));
            for row in [u, v] {
                for x in &mut row[b + 1..] {
                    *x = T::ZERO - *x;
                }
            }
            (low, high) = (a, b + 1);
        }
        (self.low, self.high) = (low, high);
        if let [kappa] = kappa[..] {
            self.update_one(rows, kappa);
        } else if kappa.len() == PANEL {
            self.update_panel(rows, kappa);
        } else {
            for (pair, &kappa) in rows.chunks_exact(2 * n).zip(kappa.iter()) {
                self.update_one(pair, kappa);
            }
        }
    }

    fn update_one(&mut self, pair: &[T], kappa: T) {
        let n = self.n;
        let (u, v) = pair.split_at(n);
        for i in (0..self.low).chain(self.high..n) {
            let (c, d) = (kappa * v[i], kappa * u[i]);
            let row = &mut self.g[i * n..][..n];
            for (from, to) in [(i + 1, self.low), ((i + 1).max(self.high), n)] {
                if from < to {
                    for ((x, &u), &v) in row[from..to].iter_mut().zip(&u[from..to]).zip(&v[from..to]) {
                        *x = *x + (c * u - d * v);
                    }
                }
            }
        }
    }

    fn update_panel(&mut self, rows: &[T], kappa: &[T]) {
        let n = self.n;
        let pair = |k: usize| rows[2 * k * n..][..2 * n].split_at(n);
        let [(u0, v0), (u1, v1), (u2, v2), (u3, v3)] = [pair(0), pair(1), pair(2), pair(3)];
        for i in (0..self.low).chain(self.high..n) {
            let (c0, d0) = (kappa[0] * v0[i], kappa[0] * u0[i]);
            let (c1, d1) = (kappa[1] * v1[i], kappa[1] * u1[i]);
            let (c2, d2) = (kappa[2] * v2[i], kappa[2] * u2[i]);
            let (c3, d3) = (kappa[3] * v3[i], kappa[3] * u3[i]);
            let row = &mut self.g[i * n..][..n];
            for (from, to) in [(i + 1, self.low), ((i + 1).max(self.high), n)] {
                if from >= to {
                    continue;
                }
                let row = &mut row[from..to];
                let m = row.len();
                let (u0, v0, u1, v1) = (&u0[from..][..m], &v0[from..][..m], &u1[from..][..m], &v1[from..][..m]);
                let (u2, v2, u3, v3) = (&u2[from..][..m], &v2[from..][..m], &u3[from..][..m], &v3[from..][..m]);
                for j in 0..m {
                    row[j] = row[j]
                        + (c0 * u0[j] - d0 * v0[j])
                        + (c1 * u1[j] - d1 * v1[j])
                        + (c2 * u2[j] - d2 * v2[j])
                        + (c3 * u3[j] - d3 * v3[j]);
                }
            }
        }
    }
}
