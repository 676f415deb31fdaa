//! One row more, compressed to a bond dimension.

use std::f64::consts::LN_2;

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::chain::{Chain, Half, Pair, Row, mix, normalize};
use super::metric::root;
use super::select::{Vectors, select};

/// Multiplies a chain by a row of bonds and fields and by the couplings to the next row, and brings it back to at most
/// `chi` states a bond. Returns the product, a function of the spins of the next row, in the opposite order, and the
/// discarded weight: the share of the squared norm that was cut.
///
/// The product has two states for each of the chain, numbered by the spin left of the bond. From the left, bond by
/// bond, the part left of the bond is projected on the states that weigh most; the weight is measured in the metric of
/// the part right of it. Both metrics are those halfway to the next row, with the square root of the couplings between:
/// what is cut is then as small as can be for both halves of the lattice, and not for the upper one alone. The new
/// chain is orthonormal halfway up to the last site: in the opposite order, as it is returned, the metric of the next
/// row is well conditioned, and small weights are not lost to rounding.
pub(super) fn multiply(chain: &Chain, row: &Row, below: &[f64], chi: usize) -> (Chain, f64) {
    let n = chain.sites.len();
    let values = chain.sites[0].len();
    let symmetric = chain.is_symmetric();
    let metrics = metrics(chain, row, below, chi);
    let mut new = Chain { sites: Vec::with_capacity(n), charges: vec![vec![1.0]], ln_scale: chain.ln_scale };
    new.ln_scale += row.ln_scale() + below.iter().map(|k| k.abs()).sum::<f64>();
    let mut discarded = 0.0;
    // The product up to here in the new basis, one matrix for each value of the spin before.
    let mut left: Pair = vec![vec![1.0]; values];
    let mut mixed = Vec::new();
    for (i, metric) in metrics.iter().enumerate() {
        let [a, b] = chain.states(i);
        let charges = &new.charges[i];
        let x = charges.len();
        let (weight, field, [upper, lower]) = (row.bond_before(i), row.field(i), Half::pair(below[i]));
        let mut block: Pair = vec![vec![0.0; x * b]; values];
        for (s, block) in block.iter_mut().enumerate() {
            mix(&left, [0, 1].map(|r: usize| weight[r][s] * field[s]), [charges, &chain.charges[i]], &mut mixed);
            gemm(1.0, Matrix::row_major(&mixed, x, a), chain.matrix(i, s), 0.0, MatrixMut::row_major(block, x, b));
        }
        if i + 1 == n {
            let mut all = block.concat();
            for half in [upper, lower] {
                half.apply(&mut all, std::iter::once(1.0), charges, symmetric);
            }
            let mut site: Pair = all.chunks_exact(x).map(<[f64]>::to_vec).collect();
            new.ln_scale += normalize(&mut site);
            new.sites.push(site);
            new.charges.push(vec![1.0]);
            break;
        }
        let (mut basis, signs) = match metric {
            Some(metric) if 2 * x > chi.min(2 * b) => {
                let mut images = images(&block, metric, [x, b]);
                for vectors in &mut images {
                    upper.apply(&mut vectors.data, std::iter::repeat(vectors.charge), charges, symmetric);
                }
                let (basis, signs, loss) = select(images, chi);
                discarded += loss;
                (basis, signs)
            }
            _ => everything(x, symmetric),
        };
        let (kept, length) = (signs.len(), values * x);
        let mut next: Pair = vec![vec![0.0; kept * b]; values];
        let mut halfway = basis.clone();
        upper.apply(&mut halfway, signs.iter().copied(), charges, symmetric);
        for (s, next) in next.iter_mut().enumerate() {
            let halfway = Matrix::strided(&halfway[s * x..], kept, x, length, 1);
            gemm(1.0, halfway, Matrix::row_major(&block[s], x, b), 0.0, MatrixMut::row_major(next, kept, b));
        }
        // A basis vector of a symmetric chain is one half of a vector of squared length 2.
        new.ln_scale += normalize(&mut next) - if symmetric { LN_2 } else { 0.0 };
        left = next;
        lower.apply(&mut basis, signs.iter().copied(), charges, symmetric);
        // Transposed, for the opposite order.
        let take = |s: usize| {
            let mut matrix = Vec::with_capacity(kept * x);
            basis.chunks_exact(length).for_each(|row| matrix.extend_from_slice(&row[s * x..(s + 1) * x]));
            matrix
        };
        new.sites.push((0..values).map(take).collect());
        new.charges.push(signs);
    }
    new.sites.reverse();
    new.charges.reverse();
    (new, discarded)
}

/// All states of `x` old ones and a spin, as basis vectors and charges.
fn everything(x: usize, symmetric: bool) -> (Vec<f64>, Vec<f64>) {
    let length = if symmetric { x } else { 2 * x };
    let mut basis = vec![0.0; 2 * x * length];
    for (y, row) in basis.chunks_exact_mut(length).enumerate() {
        row[y % length] = 1.0;
    }
    (basis, (0..2 * x).map(|y| if symmetric && y >= x { -1.0 } else { 1.0 }).collect())
}

/// The columns of the matrix left of a bond times the root of the metric right of it, by charge.
fn images(block: &Pair, metric: &[Vec<f64>], [x, b]: [usize; 2]) -> Vec<Vectors> {
    if let [block] = &block[..] {
        let of_charge = |(root, charge): (&Vec<f64>, f64)| {
            let mut data = vec![0.0; b * x];
            let (root, block) = (Matrix::row_major(root, b, b), Matrix::row_major(block, x, b));
            gemm(1.0, root.transposed(), block.transposed(), 0.0, MatrixMut::row_major(&mut data, b, x));
            Vectors { data, length: x, charge }
        };
        return metric.iter().zip([1.0, -1.0]).map(of_charge).collect();
    }
    let mut data = vec![0.0; 2 * b * 2 * x];
    for (s, block) in block.iter().enumerate() {
        let root = Matrix::row_major(&metric[0][s * b * 2 * b..(s + 1) * b * 2 * b], b, 2 * b);
        let out = MatrixMut::strided(&mut data[s * x..], 2 * b, x, 2 * x, 1);
        gemm(1.0, root.transposed(), Matrix::row_major(block, x, b).transposed(), 0.0, out);
    }
    vec![Vectors { data, length: 2 * x, charge: 1.0 }]
}

/// For each bond a root `L` of the metric `G = L Lᵗ` of the states of the product right of it, or one for even and one
/// for odd states. `None` where all states left of the bond stay.
fn metrics(chain: &Chain, row: &Row, below: &[f64], chi: usize) -> Vec<Option<Vec<Vec<f64>>>> {
    let n = chain.sites.len();
    let values = chain.sites[0].len();
    let mut all = vec![None; n];
    // The states of the new chain left of bond i are at most 2^(i + 1).
    let needed = |i: usize| i + 1 < n && chi >> (i + 1).min(63) == 0;
    let Some(first) = (0..n).find(|&i| needed(i)) else { return all };
    // The metric right of the site for the values of its spin: (+, +) and (+, -) in a symmetric chain; else also (-, -).
    let mut inner: Vec<Vec<f64>> = vec![vec![1.0]; values + 1];
    let (mut half, mut turned) = (Vec::new(), Vec::new());
    for i in (first..n - 1).rev() {
        let [a, b] = chain.states(i + 1);
        let (weight, field, squared) =
            (row.bond_before(i + 1), row.field(i + 1), Half::pair(below[i + 1])[0].squared());
        let charges = [&chain.charges[i + 1][..], &chain.charges[i + 2][..]];
        let mut own: Vec<Vec<f64>> = vec![vec![0.0; a * a]; values + 1];
        for (pair, (own, inner)) in own.iter_mut().zip(&inner).enumerate() {
            let [s, t] = PAIRS[pair];
            let factor = squared[usize::from(s != t)] * field[s] * field[t];
            half.clear();
            half.resize(a * b, 0.0);
            // In a symmetric chain the matrix of spin -1 is that of +1 with signs on both sides.
            let by_signs = values == 1 && t == 1;
            let inner = if by_signs {
                turned.clear();
                turned.extend_from_slice(inner);
                for row in turned.chunks_exact_mut(b) {
                    row.iter_mut().zip(charges[1]).for_each(|(g, z)| *g *= z);
                }
                &turned
            } else {
                inner
            };
            let (left, right) = (chain.matrix(i + 1, s), chain.matrix(i + 1, if by_signs { 0 } else { t }));
            gemm(1.0, left, Matrix::row_major(inner, b, b), 0.0, MatrixMut::row_major(&mut half, a, b));
            let half = Matrix::row_major(&half, a, b);
            gemm(factor, half, right.transposed(), 0.0, MatrixMut::row_major(own, a, a));
            if by_signs {
                own.chunks_exact_mut(a).for_each(|row| row.iter_mut().zip(charges[0]).for_each(|(g, z)| *g *= z));
            }
        }
        normalize(&mut own);
        inner = if values == 1 { between_symmetric(&own, weight[0], charges[0]) } else { between(&own, weight, a) };
        if !needed(i) {
            continue;
        }
        all[i] = Some(if values == 1 {
            let of_charge = |charge: f64| {
                let mut metric = inner[0].clone();
                for (out, cross) in metric.chunks_exact_mut(a).zip(inner[1].chunks_exact(a)) {
                    for ((out, g), z) in out.iter_mut().zip(cross).zip(charges[0]) {
                        *out += g * z * charge;
                    }
                }
                root(&metric, a)
            };
            vec![of_charge(1.0), of_charge(-1.0)]
        } else {
            let mut metric = vec![0.0; 4 * a * a];
            for (k, row) in metric.chunks_exact_mut(2 * a).enumerate() {
                let (r, p) = (k / a, k % a);
                for (t, out) in row.chunks_exact_mut(a).enumerate() {
                    match (r, t) {
                        (1, 0) => out.iter_mut().enumerate().for_each(|(q, out)| *out = inner[1][q * a + p]),
                        _ => out.copy_from_slice(&inner[r + t][p * a..(p + 1) * a]),
                    }
                }
            }
            vec![root(&metric, 2 * a)]
        });
    }
    all
}

/// Values of a spin in the order in which parts of a metric are held.
const PAIRS: [[usize; 2]; 3] = [[0, 0], [0, 1], [1, 1]];

/// The metric for the spin left of a bond from that of the spin right of it; `w` for equal spins and for others.
fn between_symmetric(own: &[Vec<f64>], w: [f64; 2], charges: &[f64]) -> Vec<Vec<f64>> {
    let a = charges.len();
    let (squares, product) = ([w[0] * w[0], w[1] * w[1]], w[0] * w[1]);
    let mut all = vec![vec![0.0; a * a], vec![0.0; a * a]];
    let [same_all, cross_all] = &mut all[..] else { unreachable!("two parts") };
    let rows = same_all.chunks_exact_mut(a).zip(cross_all.chunks_exact_mut(a));
    let own = own[0].chunks_exact(a).zip(own[1].chunks_exact(a));
    for (((same_out, cross_out), (same, cross)), z) in rows.zip(own).zip(charges) {
        let outs = same_out.iter_mut().zip(cross_out);
        for (((same_out, cross_out), (same, cross)), z_other) in outs.zip(same.iter().zip(cross)).zip(charges) {
            let sign = z * z_other;
            let (diagonal, mixed) = (squares[0] + squares[1] * sign, product * (1.0 + sign));
            *same_out = same * diagonal + cross * mixed;
            *cross_out = same * mixed + cross * diagonal;
        }
    }
    all
}

/// The same without symmetry.
fn between(own: &[Vec<f64>], weight: [[f64; 2]; 2], a: usize) -> Vec<Vec<f64>> {
    let of_pair = |[r, t]: [usize; 2]| -> Vec<f64> {
        let w = |s: usize, u: usize| weight[r][s] * weight[t][u];
        (0..a * a)
            .map(|k| {
                let turned = k % a * a + k / a;
                w(0, 0) * own[0][k] + w(0, 1) * own[1][k] + w(1, 0) * own[1][turned] + w(1, 1) * own[2][k]
            })
            .collect()
    };
    PAIRS.iter().map(|&pair| of_pair(pair)).collect()
}
