//! Square lattices that are periodic in both directions.

use linalg_core::graph::Csr;
use std::collections::HashMap;

use super::cells::Cells;
use super::number::{LogSum, Number};
use super::patch::Patch;
use super::product::{Product, aligned};
use crate::models::{Boundary, Shape};

/// The sides at which the torus is cut open into a rectangle.
///
/// A side that is cut keeps the half on one edge of the rectangle; the half on the other edge is that of another side,
/// its twin. Both have their second halves outside of the rectangle, where they are joined.
#[derive(Debug, Clone)]
pub(super) struct Torus {
    /// Sides and their twins: across the cut between the last column and the first, and between the last row and the
    /// first.
    cuts: [Vec<[u32; 2]>; 2],
}

/// Choices of sign, one for either cut.
pub(super) const SECTORS: usize = 4;

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
        // Walls of the plaquettes in the last column leave through the bonds `up` of the first, and so on.
        let mut twinned = |side: u32| {
            n_sides += 1;
            [side, n_sides as u32 - 1]
        };
        let beside: Vec<[u32; 2]> = (0..rows).map(|r| twinned(up[site(r, 0)])).collect();
        let above: Vec<[u32; 2]> = (0..columns).map(|c| twinned(right[site(0, c)])).collect();
        let mut halves = Vec::with_capacity(n);
        let mut vertices = Vec::with_capacity(n);
        for (r, beside) in beside.iter().enumerate() {
            for (c, above) in above.iter().enumerate() {
                let s = site(r, c);
                // Counterclockwise from the bottom; the first half belongs to the cell above or to the right.
                let far = if c + 1 < columns { 2 * up[s + 1] + 1 } else { 2 * beside[1] };
                let top = if r + 1 < rows { 2 * right[s + columns] + 1 } else { 2 * above[1] };
                halves.push(vec![2 * right[s], far, top, 2 * up[s]]);
                vertices.push(vec![s as u32]);
            }
        }
        let whole = 0..halves.len();
        let cells = Cells { n_sides, halves, vertices, blocks: vec![whole], bridges: Vec::new() };
        Some((cells, Self { cuts: [beside, above] }))
    }

    /// Marks the sides of both cuts.
    pub(super) fn frozen(&self, n_sides: usize) -> Vec<bool> {
        let mut frozen = vec![false; n_sides];
        for &side in self.cuts.iter().flatten().flatten() {
            frozen[side as usize] = true;
        }
        frozen
    }

    /// The joints at the edges of the rectangle: two positions in its word, and which cut they are at.
    fn joints(&self, word: &[u32]) -> Vec<Joint> {
        let place: HashMap<u32, usize> = word.iter().enumerate().map(|(k, &h)| (h / 2, k)).collect();
        let joints = self.cuts.iter().enumerate().flat_map(|(cut, twins)| twins.iter().map(move |&sides| (cut, sides)));
        let joints = joints.map(|(cut, sides)| {
            let [i, j] = sides.map(|side| place[&side]);
            Joint { a: i.min(j), b: i.max(j), sides, cut }
        });
        joints.collect()
    }

    /// What lies outside of the rectangle with some choice of signs, as a patch: a wall that leaves at a joint comes in
    /// at its other end. `word` is that of the patch.
    pub(super) fn outside<T: Number>(&self, sector: usize, word: &[u32], unit: impl Fn(u32) -> T) -> Patch<T> {
        let n = word.len();
        let mut g = vec![T::ZERO; n * n];
        for Joint { a, b, cut, .. } in self.joints(word) {
            let through = unit(word[a]) * unit(word[b]);
            g[a * n + b] = if sector >> cut & 1 == 1 { T::ZERO - through } else { through };
        }
        Patch { n, g, walls: vec![false; n] }
    }

    /// Closes the cuts: adds ln of a quarter of the sum over four choices of sign, one for either cut, and returns the
    /// factor by which the four cancel; `None` where nothing is left.
    ///
    /// With walls at b sides of one cut and r of the other, the Pfaffian counts them with the sign
    /// $`(-1)^{b r + \alpha b + \beta r}`$; the sum over α and β keeps the configurations with even b and r. `unit` is that
    /// of the halves outside.
    pub(super) fn close<T: Number>(
        &self,
        roots: &[(u32, Vec<u32>)],
        open: &Patch<T>,
        exponents: &[f64],
        unit: impl Fn(u32) -> f64,
        sum: &mut T::Sum,
    ) -> Option<f64> {
        let [(_, word)] = roots else { unreachable!("the plaquettes of a torus are connected") };
        let n = word.len();
        let joints = self.joints(word);
        // A joint has one weight, that of its sides and its units outside.
        let weight = |joint: &Joint| {
            let ends = [joint.a, joint.b].map(|k| unit(word[k] ^ 1));
            joint.sides.iter().map(|&side| exponents[side as usize]).sum::<f64>() + (ends[0] * ends[1]).ln()
        };
        let mut crossings = 0usize;
        for (k, x) in joints.iter().enumerate() {
            crossings += joints[..k].iter().filter(|y| (x.a < y.a && y.a < x.b) != (x.a < y.b && y.b < x.b)).count();
        }
        let mut patch = open.clone();
        while let Some(&Joint { a, b, .. }) = joints.iter().find(|joint| patch.walls[joint.a] != patch.walls[joint.b]) {
            let different = joints.iter().filter(|other| other.a != a && patch.walls[other.a] != patch.walls[other.b]);
            let offers = different.flat_map(|other| [(a, other.a), (a, other.b), (b, other.a), (b, other.b)]);
            let best = offers.reduce(|x, y| if patch.at(y.0, y.1).exceeds(patch.at(x.0, x.1)) { y } else { x });
            let (p, q) = best.expect("references have an even number of walls");
            patch.pivot(p.min(q), p.max(q)).add_ln(sum);
        }
        // Changes of the reference are counted like walls; the parity of its own walls at both cuts is taken off.
        let mut parity = [false; 2];
        for joint in joints.iter().filter(|joint| patch.walls[joint.a]) {
            sum.exponent(weight(joint));
            parity[joint.cut] ^= true;
        }
        let mut root = vec![T::ONE; n];
        for joint in &joints {
            let half = if patch.walls[joint.a] { -0.5 } else { 0.5 } * weight(joint);
            root[joint.a] = T::exp(half);
            root[joint.b] = T::exp(half);
        }
        let mut table = vec![T::ZERO; n * n];
        for i in 0..n {
            for j in i + 1..n {
                let x = root[i] * patch.at(i, j) * root[j];
                table[i * n + j] = x;
                table[j * n + i] = T::ZERO - x;
            }
        }
        let sectors: [Product<T>; SECTORS] = std::array::from_fn(|sector| {
            let mut matrix = table.clone();
            let mut odd = (crossings % 2 == 1) ^ (parity[0] && parity[1]);
            for (k, &here) in parity.iter().enumerate() {
                odd ^= here && sector >> k & 1 == 1;
            }
            for &Joint { a, b, cut, .. } in &joints {
                let flipped = sector >> cut & 1 == 1;
                let sign = if flipped { T::ZERO - T::ONE } else { T::ONE };
                odd ^= flipped;
                matrix[a * n + b] = matrix[a * n + b] + sign;
                matrix[b * n + a] = matrix[b * n + a] - sign;
            }
            pfaffian(matrix, n, odd)
        });
        let (sectors, scale) = aligned(&sectors);
        let total = sectors.iter().fold(T::ZERO, |sum, &x| sum + x);
        let moduli = sectors.iter().fold(T::ZERO, |sum, &x| sum + x.modulus());
        if !total.exceeds(T::ZERO) {
            return None;
        }
        total.add_ln(sum);
        // A quarter.
        sum.power_of_two(scale.saturating_sub(2));
        let loss = (moduli / total).to_f64();
        loss.is_finite().then_some(loss)
    }
}

/// Two positions of a word through which walls pass from one edge of the rectangle to the other.
#[derive(Debug, Clone, Copy)]
struct Joint {
    a: usize,
    b: usize,
    /// The side that was cut and its twin.
    sides: [u32; 2],
    cut: usize,
}

/// The Pfaffian of a skew matrix, or its negative: pairs of rows are eliminated with the largest entry of the first.
fn pfaffian<T: Number>(mut a: Vec<T>, n: usize, negative: bool) -> Product<T> {
    let mut out = Product::default();
    if negative {
        out.multiply(T::ZERO - T::ONE);
    }
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
            out.multiply(T::ZERO - T::ONE);
        }
        let pivot = a[k * n + k + 1];
        out.multiply(pivot);
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
