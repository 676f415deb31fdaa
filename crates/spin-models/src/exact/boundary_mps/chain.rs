//! Matrix product states of a row of spins.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

/// βJ and βh of a row: `bonds[i]` couples sites i and i + 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) bonds: Vec<f64>,
    pub(super) fields: Vec<f64>,
}

impl Row {
    /// `exp(K s s' - |K|)` of the bond left of a site, spin +1 first; without such a bond the weight of a first spin.
    pub(super) fn bond_before(&self, i: usize) -> [[f64; 2]; 2] {
        if i == 0 { [[1.0; 2], [0.0; 2]] } else { bond(self.bonds[i - 1]) }
    }

    /// `exp(h s - |h|)`.
    pub(super) fn field(&self, i: usize) -> [f64; 2] {
        let h = self.fields[i];
        [(h - h.abs()).exp(), (-h - h.abs()).exp()]
    }

    /// What the weights of bonds and fields leave out.
    pub(super) fn ln_scale(&self) -> f64 {
        self.bonds.iter().chain(&self.fields).map(|k| k.abs()).sum()
    }

    pub(super) fn reverse(&mut self) {
        self.bonds.reverse();
        self.fields.reverse();
    }
}

/// `exp(K s s' - |K|)`, spin +1 first.
fn bond(k: f64) -> [[f64; 2]; 2] {
    let (same, other) = ((k - k.abs()).exp(), (-k - k.abs()).exp());
    [[same, other], [other, same]]
}

/// A coupling `exp(K s t - |K|)` between two rows as the product of two equal factors, up to the sign of K.
///
/// Both factors are symmetric matrices of the spins: `√(1 ± e^{-2|K|})` times the even and the odd functions of a spin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Half {
    even: f64,
    odd: f64,
}

impl Half {
    /// The factor of the upper row, and that of the lower one, which has the sign.
    pub(super) fn pair(k: f64) -> [Self; 2] {
        let even = (1.0 + (-2.0 * k.abs()).exp()).sqrt();
        let odd = (-(-2.0 * k.abs()).exp_m1()).sqrt();
        [Self { even, odd }, Self { even, odd: odd.copysign(k) }]
    }

    /// The square, entry by entry: both spins the same, or not.
    pub(super) fn squared(self) -> [f64; 2] {
        let [even, odd] = [self.even * self.even, self.odd * self.odd];
        [0.5 * (even + odd), 0.5 * (even - odd)]
    }

    /// Applies the factor to vectors over a state and a spin: rows with all entries of spin +1 before those of spin -1,
    /// or in a symmetric chain the former alone, with the charges of the rows and of the states.
    pub(super) fn apply(self, rows: &mut [f64], charges: impl Iterator<Item = f64>, states: &[f64], symmetric: bool) {
        let x = states.len();
        if symmetric {
            for (row, charge) in rows.chunks_exact_mut(x).zip(charges) {
                for (entry, z) in row.iter_mut().zip(states) {
                    *entry *= if charge * z > 0.0 { self.even } else { self.odd };
                }
            }
            return;
        }
        let (same, other) = (0.5 * (self.even + self.odd), 0.5 * (self.even - self.odd));
        for row in rows.chunks_exact_mut(2 * x) {
            let (up, down) = row.split_at_mut(x);
            for (up, down) in up.iter_mut().zip(down) {
                (*up, *down) = (same * *up + other * *down, other * *up + same * *down);
            }
        }
    }
}

/// One matrix for each value of a spin, +1 first, `left x right` and row-major.
///
/// In a chain that is symmetric under the flip of all spins only that of +1 is held: the other differs by the signs of
/// the charges of its row and column.
pub(super) type Pair = Vec<Vec<f64>>;

/// `w_0 m_0 + w_1 m_1`; `out` has their shape.
pub(super) fn mix(pair: &Pair, w: [f64; 2], charges: [&[f64]; 2], out: &mut Vec<f64>) {
    out.clear();
    match &pair[..] {
        [m0, m1] => out.extend(m0.iter().zip(m1).map(|(x, y)| w[0] * x + w[1] * y)),
        all => {
            let [left, right] = charges;
            out.resize(all[0].len(), 0.0);
            let rows = out.chunks_exact_mut(right.len()).zip(all[0].chunks_exact(right.len()));
            for ((out, row), z) in rows.zip(left) {
                for ((out, x), z_right) in out.iter_mut().zip(row).zip(right) {
                    *out = x * (w[0] + w[1] * z * z_right);
                }
            }
        }
    }
}

/// A function of the spins of a row as a product of matrices, `exp(ln_scale) A_1(s_1) A_2(s_2) …`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    pub(super) sites: Vec<Pair>,
    /// The states of each bond, the trivial ones at both ends included, as their charges: signs under the flip of all
    /// spins, or 1 where the chain is not symmetric.
    pub(super) charges: Vec<Vec<f64>>,
    pub(super) ln_scale: f64,
}

impl Chain {
    /// The function 1. Fields need a chain that is not symmetric.
    pub(super) fn ones(n: usize, symmetric: bool) -> Self {
        let site = vec![vec![1.0]; if symmetric { 1 } else { 2 }];
        Self { sites: vec![site; n], charges: vec![vec![1.0]; n + 1], ln_scale: 0.0 }
    }

    pub(super) fn is_symmetric(&self) -> bool {
        self.sites[0].len() == 1
    }

    /// Numbers of states left and right of a site.
    pub(super) fn states(&self, i: usize) -> [usize; 2] {
        [self.charges[i].len(), self.charges[i + 1].len()]
    }

    /// The matrix of a site for a value of its spin.
    pub(super) fn matrix(&self, i: usize, s: usize) -> Matrix<'_, f64> {
        let [left, right] = self.states(i);
        Matrix::row_major(&self.sites[i][s], left, right)
    }

    /// The largest bond dimension.
    pub(super) fn bond_dimension(&self) -> usize {
        self.charges.iter().map(Vec::len).max().unwrap_or(1)
    }

    /// The same function of the spins in the opposite order.
    pub(super) fn reversed(&self) -> Self {
        let transposed = |i: usize| {
            let [left, right] = self.states(i);
            let turn = |m: &Vec<f64>| (0..left * right).map(|k| m[k % left * right + k / left]).collect();
            self.sites[i].iter().map(turn).collect()
        };
        Self {
            sites: (0..self.sites.len()).rev().map(transposed).collect(),
            charges: self.charges.iter().rev().cloned().collect(),
            ln_scale: self.ln_scale,
        }
    }
}

/// Divides all by the largest magnitude; the logarithm of it, 0 where all is 0.
pub(super) fn normalize(pair: &mut [Vec<f64>]) -> f64 {
    let mut lanes = [0.0f64; 8];
    for matrix in pair.iter() {
        let chunks = matrix.chunks_exact(8);
        let rest = chunks.remainder();
        chunks.chain([rest]).for_each(|chunk| {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane = if x.abs() > *lane { x.abs() } else { *lane };
            }
        });
    }
    let largest = lanes.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return 0.0;
    }
    let inverse = largest.recip();
    pair.iter_mut().flatten().for_each(|x| *x *= inverse);
    largest.ln()
}

/// `Σ_s top(s) bottom(s) Π exp(K s s') Π exp(h s)` over the spins of a row, as sign and logarithm.
pub(super) fn sandwich(top: &Chain, row: &Row, bottom: &Chain) -> (f64, f64) {
    let mut ln_scale = top.ln_scale + bottom.ln_scale + row.ln_scale();
    let values = top.sites[0].len();
    // One matrix for each value of the spin before, states of the top by those of the bottom.
    let mut last: Pair = vec![vec![1.0]; values];
    let (mut mixed, mut half) = (Vec::new(), Vec::new());
    for i in 0..top.sites.len() {
        let (weight, field) = (row.bond_before(i), row.field(i));
        let ([a_left, a_right], [b_left, b_right]) = (top.states(i), bottom.states(i));
        let mut next: Pair = vec![vec![0.0; a_right * b_right]; values];
        for (s, next) in next.iter_mut().enumerate() {
            let w = [0, 1].map(|r: usize| weight[r][s] * field[s]);
            mix(&last, w, [&top.charges[i], &bottom.charges[i]], &mut mixed);
            half.clear();
            half.resize(a_right * b_left, 0.0);
            let inner = Matrix::row_major(&mixed, a_left, b_left);
            let out = MatrixMut::row_major(&mut half, a_right, b_left);
            gemm(1.0, top.matrix(i, s).transposed(), inner, 0.0, out);
            let half = Matrix::row_major(&half, a_right, b_left);
            gemm(1.0, half, bottom.matrix(i, s), 0.0, MatrixMut::row_major(next, a_right, b_right));
        }
        ln_scale += normalize(&mut next);
        last = next;
    }
    let sum: f64 = last.iter().map(|m| m[0]).sum::<f64>() * (2 / values) as f64;
    (sum.signum(), ln_scale + sum.abs().ln())
}
