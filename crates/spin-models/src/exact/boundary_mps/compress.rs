//! One row more, compressed to a bond dimension.

use std::f64::consts::LN_2;

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::chain::{Chain, Pair, Row, mix, normalize};
use super::metric::root;
use super::select::{Vectors, select};

/// Multiplies a chain by a row of bonds and fields and brings it back to at most `chi` states a bond. Returns the
/// product in the opposite order and the discarded weight: the share of the squared norm that was cut.
///
/// The product has two states for each of the chain, numbered by the spin left of the bond. From the left, bond by
/// bond, the part left of the bond is projected on the states that weigh most; the weight is measured in the metric of
/// the part right of it. The new chain is orthonormal up to the last site: in the opposite order, as it is returned, the
/// metric of the next row is well conditioned, and small weights are not lost to rounding.
pub(super) fn multiply(chain: &Chain, row: &Row, chi: usize) -> (Chain, f64) {
    let n = chain.sites.len();
    let values = chain.sites[0].len();
    let symmetric = chain.is_symmetric();
    let metrics = metrics(chain, row, chi);
    let mut new = Chain { sites: Vec::with_capacity(n), charges: vec![vec![1.0]], ln_scale: chain.ln_scale };
    new.ln_scale += row.ln_scale();
    let mut discarded = 0.0;
    // The product up to here in the new basis, one matrix for each value of the spin before.
    let mut left: Pair = vec![vec![1.0]; values];
    let mut mixed = Vec::new();
    for (i, metric) in metrics.iter().enumerate() {
        let [a, b] = chain.states(i);
        let charges = &new.charges[i];
        let x = charges.len();
        let (weight, field) = (row.bond_before(i), row.field(i));
        let mut block: Pair = vec![vec![0.0; x * b]; values];
        for (s, block) in block.iter_mut().enumerate() {
            mix(&left, [0, 1].map(|r: usize| weight[r][s] * field[s]), [charges, &chain.charges[i]], &mut mixed);
            gemm(1.0, Matrix::row_major(&mixed, x, a), chain.matrix(i, s), 0.0, MatrixMut::row_major(block, x, b));
        }
        if i + 1 == n {
            new.ln_scale += normalize(&mut block);
            new.sites.push(block);
            new.charges.push(vec![1.0]);
            break;
        }
        let (basis, signs) = match metric {
            Some(metric) if 2 * x > chi.min(2 * b) => {
                let (basis, signs, loss) = select(images(&block, metric, [x, b]), chi);
                discarded += loss;
                (basis, signs)
            }
            _ => everything(x, symmetric),
        };
        let (kept, length) = (signs.len(), values * x);
        let mut next: Pair = vec![vec![0.0; kept * b]; values];
        for (s, next) in next.iter_mut().enumerate() {
            let basis = Matrix::strided(&basis[s * x..], kept, x, length, 1);
            gemm(1.0, basis, Matrix::row_major(&block[s], x, b), 0.0, MatrixMut::row_major(next, kept, b));
        }
        // A basis vector of a symmetric chain is one half of a vector of squared length 2.
        new.ln_scale += normalize(&mut next) - if symmetric { LN_2 } else { 0.0 };
        left = next;
        // Transposed, for the opposite order.
        let take = |s: usize| basis.chunks_exact(length).flat_map(|row| &row[s * x..(s + 1) * x]).copied().collect();
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
fn metrics(chain: &Chain, row: &Row, chi: usize) -> Vec<Option<Vec<Vec<f64>>>> {
    let n = chain.sites.len();
    let values = chain.sites[0].len();
    let mut all = vec![None; n];
    // The states of the new chain left of bond i are at most 2^(i + 1).
    let needed = |i: usize| i + 1 < n && chi >> (i + 1).min(63) == 0;
    let Some(first) = (0..n).find(|&i| needed(i)) else { return all };
    // The metric right of the site, for each value of its spin.
    let mut inner: Pair = vec![vec![1.0]; values];
    let (mut half, mut mixed) = (Vec::new(), Vec::new());
    for i in (first..n - 1).rev() {
        let [a, b] = chain.states(i + 1);
        let (weight, field) = (row.bond_before(i + 1), row.field(i + 1));
        let mut own: Pair = vec![vec![0.0; a * a]; values];
        for (s, own) in own.iter_mut().enumerate() {
            half.clear();
            half.resize(a * b, 0.0);
            let (matrix, inner) = (chain.matrix(i + 1, s), Matrix::row_major(&inner[s], b, b));
            gemm(1.0, matrix, inner, 0.0, MatrixMut::row_major(&mut half, a, b));
            let half = Matrix::row_major(&half, a, b);
            gemm(field[s] * field[s], half, matrix.transposed(), 0.0, MatrixMut::row_major(own, a, a));
        }
        normalize(&mut own);
        let charges = &chain.charges[i + 1];
        let between = |r: usize, t: usize, out: &mut Vec<f64>| {
            mix(&own, [0, 1].map(|s: usize| weight[r][s] * weight[t][s]), [charges, charges], out);
        };
        let roots = if values == 1 {
            between(0, 0, &mut inner[0]);
            between(0, 1, &mut mixed);
            let of_charge = |charge: f64| {
                let cross = mixed.chunks_exact(a).flat_map(|row| row.iter().zip(charges).map(|(g, z)| g * z * charge));
                let metric: Vec<f64> = inner[0].iter().zip(cross).map(|(g, c)| g + c).collect();
                root(&metric, a)
            };
            vec![of_charge(1.0), of_charge(-1.0)]
        } else {
            let mut metric = vec![0.0; 4 * a * a];
            for (r, t) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                between(r, t, &mut mixed);
                let rows = metric.chunks_exact_mut(2 * a).skip(r * a);
                for (out, row) in rows.zip(mixed.chunks_exact(a)) {
                    out[t * a..(t + 1) * a].copy_from_slice(row);
                }
                if r == t {
                    std::mem::swap(&mut inner[r], &mut mixed);
                }
            }
            vec![root(&metric, 2 * a)]
        };
        if needed(i) {
            all[i] = Some(roots);
        }
    }
    all
}
