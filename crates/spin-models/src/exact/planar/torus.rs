//! Square lattices that are periodic in both directions.

use linalg_core::graph::Csr;
use std::collections::HashMap;

use super::cells::Cells;
use super::number::{LogSum, Number};
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

    /// Closes the cuts: adds ln of a quarter of the sum over four choices of sign, one for either cut, and returns the
    /// factor by which the four cancel; `None` where nothing is left.
    ///
    /// With walls at b sides of one cut and r of the other, the Pfaffian counts them with the sign
    /// $`(-1)^{b r + \alpha b + \beta r}`$; the sum over α and β keeps the configurations with even b and r.
    pub(super) fn close<T: Number>(
        &self,
        roots: &[(u32, Vec<u32>)],
        open: &Patch<T>,
        exponents: &[f64],
        sum: &mut T::Sum,
    ) -> Option<f64> {
        let [(_, word)] = roots else { unreachable!("the plaquettes of a torus are connected") };
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
        let mut patch = open.clone();
        while let Some(&(a, b, _)) = pairs.iter().find(|&&(a, b, _)| patch.walls[a] != patch.walls[b]) {
            let different = pairs.iter().filter(|&&(c, d, _)| c != a && patch.walls[c] != patch.walls[d]);
            let offers = different.flat_map(|&(c, d, _)| [(a, c), (a, d), (b, c), (b, d)]);
            let best = offers.reduce(|x, y| if patch.at(y.0, y.1).exceeds(patch.at(x.0, x.1)) { y } else { x });
            let (p, q) = best.expect("references have an even number of walls");
            patch.pivot(p.min(q), p.max(q)).add_ln(sum);
        }
        // Changes of the reference are counted like walls; the parity of its own walls at both cuts is taken off.
        let mut parity = [false; 2];
        for &(_, _, side) in pairs.iter().filter(|&&(a, ..)| patch.walls[a]) {
            sum.exponent(exponents[side as usize]);
            for (odd, cut) in parity.iter_mut().zip(&self.cuts) {
                *odd ^= cut.contains(&side);
            }
        }
        let root: Vec<T> = (word.iter().zip(&patch.walls))
            .map(|(&h, &wall)| T::exp(if wall { -0.5 } else { 0.5 } * exponents[h as usize / 2]))
            .collect();
        let mut table = vec![T::ZERO; n * n];
        for i in 0..n {
            for j in i + 1..n {
                let x = root[i] * patch.at(i, j) * root[j];
                table[i * n + j] = x;
                table[j * n + i] = T::ZERO - x;
            }
        }
        let sectors: [Scaled<T>; 4] = std::array::from_fn(|sector| {
            let mut matrix = table.clone();
            let mut odd = (crossings % 2 == 1) ^ (parity[0] && parity[1]);
            for (k, &here) in parity.iter().enumerate() {
                odd ^= here && sector >> k & 1 == 1;
            }
            for &(a, b, side) in &pairs {
                let flipped = self.cuts.iter().enumerate().any(|(k, cut)| sector >> k & 1 == 1 && cut.contains(&side));
                let sign = if flipped { T::ZERO - T::ONE } else { T::ONE };
                odd ^= flipped;
                matrix[a * n + b] = matrix[a * n + b] + sign;
                matrix[b * n + a] = matrix[b * n + a] - sign;
            }
            pfaffian(matrix, n, odd)
        });
        let scale = sectors.iter().map(|x| x.scale).max().unwrap_or_default();
        let (mut total, mut moduli) = (T::ZERO, T::ZERO);
        for sector in &sectors {
            let mut x = sector.value;
            for _ in sector.scale.max(scale - 1000)..scale {
                x = x * T::from_f64(1.0 / SCALE);
            }
            total = total + x;
            moduli = moduli + x.modulus();
        }
        if !total.exceeds(T::ZERO) {
            return None;
        }
        total.add_ln(sum);
        sum.constant(f64::from(scale) * SCALE.ln() - 2.0 * std::f64::consts::LN_2);
        let loss = (moduli / total).to_f64();
        loss.is_finite().then_some(loss)
    }
}

/// Products are kept below this number and above its inverse.
const SCALE: f64 = 1e30;

/// `value * SCALE^scale`.
struct Scaled<T> {
    value: T,
    scale: i32,
}

/// The Pfaffian of a skew matrix, or its negative: pairs of rows are eliminated with the largest entry of the first.
fn pfaffian<T: Number>(mut a: Vec<T>, n: usize, negative: bool) -> Scaled<T> {
    let mut out = Scaled { value: if negative { T::ZERO - T::ONE } else { T::ONE }, scale: 0 };
    for k in (0..n).step_by(2) {
        let mut best = k + 1;
        for j in k + 2..n {
            if a[k * n + j].modulus().exceeds(a[k * n + best].modulus()) {
                best = j;
            }
        }
        if best != k + 1 {
            for c in 0..n {
                a.swap((k + 1) * n + c, best * n + c);
            }
            for r in 0..n {
                a.swap(r * n + k + 1, r * n + best);
            }
            out.value = T::ZERO - out.value;
        }
        let pivot = a[k * n + k + 1];
        out.value = out.value * pivot;
        while out.value.modulus().exceeds(T::from_f64(SCALE)) {
            out.value = out.value * T::from_f64(1.0 / SCALE);
            out.scale += 1;
        }
        while k + 2 < n && T::from_f64(1.0 / SCALE).exceeds(out.value.modulus()) && out.value.modulus().exceeds(T::ZERO)
        {
            out.value = out.value * T::from_f64(SCALE);
            out.scale -= 1;
        }
        if k + 2 == n {
            break;
        }
        let inverse = T::ONE / pivot;
        let (head, tail) = a.split_at_mut((k + 2) * n);
        let (u, v) = head[k * n..].split_at(n);
        for row in tail.chunks_exact_mut(n) {
            // a_ij - (u_i v_j - v_i u_j) / p, where u_i = -a_ik.
            let (c, d) = (inverse * row[k], inverse * row[k + 1]);
            for ((x, &u), &v) in row[k + 2..].iter_mut().zip(&u[k + 2..]).zip(&v[k + 2..]) {
                *x = *x + (c * v - d * u);
            }
        }
    }
    out
}
