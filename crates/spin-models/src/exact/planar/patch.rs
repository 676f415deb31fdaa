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

use super::number::{CarefulSum, Number};
use super::program::Step;

/// Pairs of sides closed together before the rest of the matrix is brought up to date.
const PANEL: usize = 4;

/// The pair amplitudes of a patch, row-major; only the part above the diagonal is used.
#[derive(Debug, Clone)]
pub(super) struct Patch<T> {
    pub n: usize,
    pub g: Vec<T>,
}

impl<T: Number> Patch<T> {
    /// A cell: every even set of walls has weight 1.
    pub(super) fn cell(n: usize) -> Self {
        Self { n, g: vec![T::ONE; n * n] }
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
}

impl<T> Default for Workspace<T> {
    fn default() -> Self {
        Self { g: Vec::new(), rows: Vec::new(), kappa: Vec::new() }
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
    weights: &[T],
    work: &mut Workspace<T>,
    ln_weight: &mut CarefulSum,
) -> Result<Patch<T>, OutOfRange> {
    let (n1, n2) = (left.n, right.n);
    let n = n1 + n2;
    let Workspace { g, rows, kappa } = work;
    g.clear();
    g.resize(n * n, T::ZERO);
    place(left, step.left_start as usize, g, n, 0);
    place(right, step.right_start as usize, g, n, n1);

    let mut table = Table { g, n, low: n1, high: n1 };
    for sides in step.seam.chunks(PANEL) {
        let w = sides.iter().map(|&side| weights[side as usize]);
        table.close_panel(w, rows, kappa, ln_weight);
    }
    let (sewn_left, skipped) = (table.low, table.high - table.low);
    for &(a, b, side) in &step.closings {
        let at = |k: u32| if (k as usize) < sewn_left { k as usize } else { k as usize + skipped };
        (table.low, table.high) = (at(a) + 1, at(b));
        table.close_panel(std::iter::once(weights[side as usize]), rows, kappa, ln_weight);
    }
    let at = |k: u32| if (k as usize) < sewn_left { k as usize } else { k as usize + skipped };
    let mut out = gather(g, n, step.kept.iter().map(|&k| at(k)));
    for &side in &step.wraps {
        out = close_ends(&out, weights[side as usize], ln_weight);
    }
    let safe = (0..out.n).all(|i| out.g[i * out.n + i + 1..(i + 1) * out.n].iter().all(|x| x.is_safe()));
    if safe { Ok(out) } else { Err(OutOfRange) }
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
fn gather<T: Number>(g: &[T], n: usize, kept: impl Iterator<Item = usize>) -> Patch<T> {
    let kept: Vec<usize> = kept.collect();
    let m = kept.len();
    let mut out = vec![T::ZERO; m * m];
    for (i, &from) in kept.iter().enumerate() {
        let row = &g[from * n..][..n];
        for (x, &column) in out[i * m + i + 1..(i + 1) * m].iter_mut().zip(&kept[i + 1..]) {
            *x = row[column];
        }
    }
    Patch { n: m, g: out }
}

/// Closes the first side with the last.
fn close_ends<T: Number>(patch: &Patch<T>, w: T, ln_weight: &mut CarefulSum) -> Patch<T> {
    let n = patch.n;
    let x = w * patch.at(0, n - 1);
    ln_weight.add(x.ln_1p());
    let kappa = w / (T::ONE + x);
    let mut out = gather(&patch.g, n, 1..n - 1);
    let m = out.n;
    for i in 0..m {
        for j in i + 1..m {
            let change = patch.at(0, i + 1) * patch.at(j + 1, n - 1) - patch.at(0, j + 1) * patch.at(i + 1, n - 1);
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
        ln_weight: &mut CarefulSum,
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
            ln_weight.add(x.ln_1p());
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
