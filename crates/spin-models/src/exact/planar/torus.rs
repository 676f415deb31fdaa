//! Square lattices that are periodic in both directions.

use linalg_core::graph::Csr;
use linalg_core::logspace::SignedLog;
use linalg_core::pfaffian::pfaffian;
use std::collections::HashMap;

use super::cells::Cells;
use super::number::CarefulSum;
use super::patch::Patch;
use crate::models::{Boundary, Shape};

/// The sides at which the torus is cut open into a rectangle.
#[derive(Debug, Clone)]
pub(super) struct Torus {
    /// Sides across the cut between the last column and the first, and between the last row and the first.
    cuts: [Vec<u32>; 2],
}

impl Torus {
    /// The plaquettes of a periodic square lattice; bonds that are missing become sides that cost nothing. `None` for
    /// other shapes.
    pub(super) fn new(shape: &Shape, graph: &Csr) -> Option<(Cells, Self)> {
        let &[rows, columns] = shape.lengths() else { return None };
        if shape.boundaries() != [Boundary::Periodic; 2] || rows < 3 || columns < 3 {
            return None;
        }
        let bonds: HashMap<(usize, usize), usize> =
            graph.edges().iter().enumerate().map(|(e, &(i, j))| ((i.min(j), i.max(j)), e)).collect();
        let mut n_sides = graph.n_edges();
        let site = |r: usize, c: usize| (r % rows) * columns + c % columns;
        let mut side = |i: usize, j: usize| {
            bonds.get(&(i.min(j), i.max(j))).copied().unwrap_or_else(|| {
                n_sides += 1;
                n_sides - 1
            }) as u32
        };
        let n = rows * columns;
        // right[s]: the bond from s to the next column; up[s]: to the next row.
        let right: Vec<u32> = (0..n).map(|s| side(s, site(s / columns, s % columns + 1))).collect();
        let up: Vec<u32> = (0..n).map(|s| side(s, site(s / columns + 1, s % columns))).collect();
        let mut halves = Vec::with_capacity(n);
        let mut vertices = Vec::with_capacity(n);
        for r in 0..rows {
            for c in 0..columns {
                let s = site(r, c);
                // Counterclockwise from the bottom; the first half belongs to the cell above or to the right.
                let around = [2 * right[s], 2 * up[site(r, c + 1)] + 1, 2 * right[site(r + 1, c)] + 1, 2 * up[s]];
                halves.push(around.to_vec());
                vertices.push(vec![s as u32]);
            }
        }
        // Walls of the plaquettes in the last column leave through the bonds `up` of the first, and so on.
        let cuts = [(0..rows).map(|r| up[site(r, 0)]).collect(), (0..columns).map(|c| right[site(0, c)]).collect()];
        let whole = 0..halves.len();
        let cells = Cells { n_sides, halves, vertices, blocks: vec![whole], bridges: Vec::new() };
        Some((cells, Self { cuts }))
    }

    /// Marks the sides of both cuts.
    pub(super) fn frozen(&self, n_sides: usize) -> Vec<bool> {
        let mut frozen = vec![false; n_sides];
        for &side in self.cuts.iter().flatten() {
            frozen[side as usize] = true;
        }
        frozen
    }

    /// Closes the cuts: ln of a quarter of the sum over four choices of sign, one for either cut, and the factor by
    /// which the four cancel.
    ///
    /// With walls at b sides of one cut and r of the other, the Pfaffian counts them with the sign
    /// $`(-1)^{b r + \alpha b + \beta r}`$; the sum over α and β keeps the configurations with even b and r.
    pub(super) fn close(&self, roots: &[(u32, Vec<u32>)], open: &[Patch<f64>], exponents: &[f64]) -> (f64, f64) {
        let ([(_, word)], [patch]) = (roots, open) else {
            unreachable!("the plaquettes of a torus are connected");
        };
        let mut sum = CarefulSum::default();
        let n = word.len();
        let mut first = HashMap::new();
        let mut pairs = Vec::with_capacity(n / 2);
        for (k, &h) in word.iter().enumerate() {
            match first.remove(&(h / 2)) {
                None => drop(first.insert(h / 2, k)),
                Some(a) => pairs.push((a, k, h / 2)),
            }
        }
        let mut crossings = 0usize;
        for (k, &(a, b, _)) in pairs.iter().enumerate() {
            crossings += pairs[..k].iter().filter(|&&(c, d, _)| (a < c && c < b) != (a < d && d < b)).count();
        }
        let mut patch = patch.clone();
        while let Some(&(a, b, _)) = pairs.iter().find(|&&(a, b, _)| patch.walls[a] != patch.walls[b]) {
            let different = pairs.iter().filter(|&&(c, d, _)| c != a && patch.walls[c] != patch.walls[d]);
            let offers = different.flat_map(|&(c, d, _)| [(a, c), (a, d), (b, c), (b, d)]);
            let best = offers.reduce(|x, y| if patch.at(y.0, y.1) > patch.at(x.0, x.1) { y } else { x });
            let (p, q) = best.expect("references have an even number of walls");
            sum.add(patch.pivot(p.min(q), p.max(q)));
        }
        // Changes of the reference are counted like walls; the parity of its own walls at both cuts is taken off.
        let mut parity = [false; 2];
        for &(_, _, side) in pairs.iter().filter(|&&(a, ..)| patch.walls[a]) {
            sum.add(exponents[side as usize]);
            for (odd, cut) in parity.iter_mut().zip(&self.cuts) {
                *odd ^= cut.contains(&side);
            }
        }
        let root: Vec<f64> = (word.iter().zip(&patch.walls))
            .map(|(&h, &wall)| (if wall { -0.5 } else { 0.5 } * exponents[h as usize / 2]).exp())
            .collect();
        let mut table = vec![0.0; n * n];
        for i in 0..n {
            for j in i + 1..n {
                let x = root[i] * patch.at(i, j) * root[j];
                table[i * n + j] = x;
                table[j * n + i] = -x;
            }
        }
        let mut sectors = [SignedLog::ZERO; 4];
        for (sector, value) in sectors.iter_mut().enumerate() {
            let mut matrix = table.clone();
            let mut odd = (crossings % 2 == 1) ^ (parity[0] && parity[1]);
            for (k, &here) in parity.iter().enumerate() {
                odd ^= here && sector >> k & 1 == 1;
            }
            for &(a, b, side) in &pairs {
                let flipped = self.cuts.iter().enumerate().any(|(k, cut)| sector >> k & 1 == 1 && cut.contains(&side));
                let sign = if flipped { -1.0 } else { 1.0 };
                odd ^= flipped;
                matrix[a * n + b] += sign;
                matrix[b * n + a] -= sign;
            }
            let value_here = pfaffian(&matrix, n);
            *value = if odd { -value_here } else { value_here };
        }
        let total: SignedLog = sectors.iter().copied().sum();
        let moduli: SignedLog = sectors.iter().map(|x| x.abs()).sum();
        sum.add(total.ln_abs);
        sum.add(-2.0 * std::f64::consts::LN_2);
        let loss = (moduli.ln_abs - total.ln_abs).exp();
        if total.sign > 0 && loss.is_finite() { (sum.value(), loss) } else { (f64::NAN, f64::INFINITY) }
    }
}
