//! The weight of all walls modulo a prime.
//!
//! The same order of elimination as with real numbers. Nothing is rounded, so that no reference is moved and no
//! amplitude is large or small; all that can go wrong is a division by 0, which a prime near 2⁶² makes improbable.

use super::modular::Prime;
use crate::exact::planar::program::{Program, Step};

/// A denominator is 0 modulo the prime, though not as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ZeroDivisor;

/// Pair amplitudes, those above the diagonal.
struct Patch {
    n: usize,
    g: Vec<u64>,
}

impl Patch {
    fn at(&self, i: usize, j: usize) -> u64 {
        self.g[i.min(j) * self.n + i.max(j)]
    }
}

/// `Σ_D Π_{e in D} w_e` over all sets of closed walls, given the weights of all sides.
pub(super) fn wall_weight(field: Prime, program: &Program, weights: &[u64]) -> Result<u64, ZeroDivisor> {
    let mut patches: Vec<Option<Patch>> = (0..program.lengths.len()).map(|_| None).collect();
    let mut total = field.one;
    for step in &program.up {
        let mut take = |patch: u32| {
            patches[patch as usize].take().unwrap_or_else(|| {
                let n = program.lengths[patch as usize] as usize;
                Patch { n, g: vec![field.one; n * n] }
            })
        };
        let (left, right) = (take(step.left), take(step.right));
        patches[step.out as usize] = Some(sew(field, step, &left, &right, weights, &mut total)?);
    }
    Ok(total)
}

fn sew(
    field: Prime,
    step: &Step,
    left: &Patch,
    right: &Patch,
    weights: &[u64],
    total: &mut u64,
) -> Result<Patch, ZeroDivisor> {
    let (n1, n2) = (left.n, right.n);
    let n = n1 + n2;
    let mut g = vec![0; n * n];
    for (patch, start, offset) in [(left, step.left_start as usize, 0), (right, step.right_start as usize, n1)] {
        let m = patch.n;
        for i in 0..m {
            for j in i + 1..m {
                g[(offset + i) * n + offset + j] = patch.at((start + i) % m, (start + j) % m);
            }
        }
    }
    let mut closing = Closing { field, n, g, alive: (0..n).collect(), u: vec![0; n], v: vec![0; n] };
    let length = step.seam.len();
    for (k, &side) in step.seam.iter().enumerate() {
        closing.close(n1 - 1 - k, n1 + k, weights[side as usize], total)?;
    }
    let at = |k: u32| if (k as usize) < n1 - length { k as usize } else { k as usize + 2 * length };
    for &(a, b, side) in &step.closings {
        closing.close(at(a), at(b), weights[side as usize], total)?;
    }
    let last = step.kept.len().wrapping_sub(1);
    for (k, &side) in step.wraps.iter().enumerate() {
        closing.close(at(step.kept[k]), at(step.kept[last - k]), weights[side as usize], total)?;
    }
    let Closing { g, alive, .. } = closing;
    let m = alive.len();
    let mut out = vec![0; m * m];
    for (i, &a) in alive.iter().enumerate() {
        for (j, &b) in alive.iter().enumerate().skip(i + 1) {
            out[i * m + j] = g[a * n + b];
        }
    }
    Ok(Patch { n: m, g: out })
}

/// A table of amplitudes of which pairs are closed one after the other.
struct Closing {
    field: Prime,
    n: usize,
    g: Vec<u64>,
    alive: Vec<usize>,
    u: Vec<u64>,
    v: Vec<u64>,
}

impl Closing {
    /// Closes sides a < b with nothing alive between them, or nothing outside.
    fn close(&mut self, a: usize, b: usize, w: u64, total: &mut u64) -> Result<(), ZeroDivisor> {
        let (field, n) = (self.field, self.n);
        self.alive.retain(|&i| i != a && i != b);
        let factor = field.add(field.one, field.mul(w, self.g[a * n + b]));
        if factor == 0 {
            return Err(ZeroDivisor);
        }
        *total = field.mul(*total, factor);
        let kappa = field.mul(w, field.inverse(factor));
        // Rows of the skew matrix.
        let signed = |i: usize, c: usize| if i < c { self.g[i * n + c] } else { field.neg(self.g[c * n + i]) };
        let m = self.alive.len();
        for (k, &i) in self.alive.iter().enumerate() {
            (self.u[k], self.v[k]) = (signed(i, a), signed(i, b));
        }
        let (u, v) = (&self.u[..m], &self.v[..m]);
        for (k, &i) in self.alive.iter().enumerate() {
            let (c, d) = (field.mul(kappa, v[k]), field.neg(field.mul(kappa, u[k])));
            let row = &mut self.g[i * n..(i + 1) * n];
            for ((&j, &u), &v) in self.alive[k + 1..].iter().zip(&u[k + 1..]).zip(&v[k + 1..]) {
                row[j] = field.add(row[j], field.mul_pair(c, u, d, v));
            }
        }
        Ok(())
    }
}
