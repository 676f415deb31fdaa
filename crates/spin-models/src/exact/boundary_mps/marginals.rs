//! Means of spins and bonds between the boundary states above and below a row.

use linalg_core::Observer;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::NAME;
use super::chain::{Chain, Pair, Row, mix, normalize, sandwich};
use super::grid::Grid;
use super::solver::{BoundaryMps, COLD, Sweep, check_digits, kind, read};
use crate::model::{LnZ, Progress};
use crate::models::Ising;
use crate::{Error, Result};

/// What [`BoundaryMps::marginals`] finds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BoundaryMpsMarginals {
    /// ln Z; the larger of the discarded weight and of `difference` is its residual.
    pub ln_z: LnZ,
    /// The mean energy `⟨E⟩`, offset included.
    pub energy: f64,
    /// `⟨s_i⟩` for every site; 0 for all without fields.
    pub magnetizations: Vec<f64>,
    /// `⟨s_i s_j⟩` for every coupling, in the order of the model.
    pub correlations: Vec<f64>,
    /// The discarded weight of all four sweeps.
    pub discarded_weight: f64,
    /// The difference of ln Z by rows and by columns: truncation and rounding together.
    pub difference: f64,
}

/// `Σ x y z z'` over matrices of one shape; without charges `Σ x y`.
fn overlap(x: &[f64], y: &[f64], charges: Option<[&[f64]; 2]>) -> f64 {
    match charges {
        None => x.iter().zip(y).map(|(x, y)| x * y).sum(),
        Some([left, right]) => {
            let rows = x.chunks_exact(right.len()).zip(y.chunks_exact(right.len())).zip(left);
            rows.map(|((x, y), z)| z * x.iter().zip(y).zip(right).map(|((x, y), z)| x * y * z).sum::<f64>()).sum()
        }
    }
}

/// Means of the spins and of the bonds of a row between the states above and below it.
fn row_means(top: &Chain, row: &Row, bottom: &Chain) -> (Vec<f64>, Vec<f64>) {
    let (n, values) = (top.sites.len(), top.sites[0].len());
    let (mut mixed, mut half) = (Vec::new(), Vec::new());
    // Right of each bond: for the values of the spin after it, all that comes with it and after it.
    let mut right: Vec<Pair> = vec![Vec::new(); n];
    let mut last: Pair = vec![vec![1.0]; values];
    for i in (0..n).rev() {
        let ([a_left, a_right], [b_left, b_right]) = (top.states(i), bottom.states(i));
        let field = row.field(i);
        let mut own: Pair = vec![vec![0.0; a_left * b_left]; values];
        for (t, own) in own.iter_mut().enumerate() {
            half.clear();
            half.resize(a_left * b_right, 0.0);
            let out = MatrixMut::row_major(&mut half, a_left, b_right);
            gemm(field[t], top.matrix(i, t), Matrix::row_major(&last[t], a_right, b_right), 0.0, out);
            let half = Matrix::row_major(&half, a_left, b_right);
            let out = MatrixMut::row_major(own, a_left, b_left);
            gemm(1.0, half, bottom.matrix(i, t).transposed(), 0.0, out);
        }
        normalize(&mut own);
        if i > 0 {
            let weight = row.bond_before(i);
            for (s, last) in last.iter_mut().enumerate() {
                mix(&own, weight[s], [&top.charges[i], &bottom.charges[i]], &mut mixed);
                std::mem::swap(last, &mut mixed);
            }
        }
        right[i] = own;
    }
    let (mut spins, mut bonds) = (vec![0.0; n], vec![0.0; n - 1]);
    // Left of each bond: for the values of the spin before it, all that comes before it and with it.
    let mut left: Pair = vec![vec![1.0]; values];
    for i in 0..n {
        let charges = [&top.charges[i][..], &bottom.charges[i][..]];
        let weight = row.bond_before(i);
        // Weights of equal and of other spins on the bond, and of +1 and -1 on the site.
        let mut pair = [[0.0; 2]; 2];
        for (s, pair) in pair.iter_mut().enumerate() {
            for (t, entry) in pair.iter_mut().enumerate() {
                *entry = weight[s][t]
                    * match (values, s) {
                        (1, 0) => overlap(&left[0], &right[i][0], (t == 1).then_some(charges)),
                        (1, _) => 0.0,
                        _ => overlap(&left[s], &right[i][t], None),
                    };
            }
        }
        let total: f64 = pair.iter().flatten().sum();
        if i > 0 {
            bonds[i - 1] = (pair[0][0] - pair[0][1] - pair[1][0] + pair[1][1]) / total;
        }
        if values == 2 {
            spins[i] = (pair[0][0] + pair[1][0] - pair[0][1] - pair[1][1]) / total;
        }
        let ([a_left, a_right], [b_left, b_right]) = (top.states(i), bottom.states(i));
        let field = row.field(i);
        let mut next: Pair = vec![vec![0.0; a_right * b_right]; values];
        for (t, next) in next.iter_mut().enumerate() {
            mix(&left, [0, 1].map(|s: usize| weight[s][t] * field[t]), charges, &mut mixed);
            half.clear();
            half.resize(a_right * b_left, 0.0);
            let inner = Matrix::row_major(&mixed, a_left, b_left);
            let out = MatrixMut::row_major(&mut half, a_right, b_left);
            gemm(1.0, top.matrix(i, t).transposed(), inner, 0.0, out);
            let half = Matrix::row_major(&half, a_right, b_left);
            gemm(1.0, half, bottom.matrix(i, t), 0.0, MatrixMut::row_major(next, a_right, b_right));
        }
        normalize(&mut next);
        left = next;
    }
    (spins, bonds)
}

/// Means of one direction of rows: ln Z, spins by site, bonds within rows by number of the coupling.
fn means_by_rows(
    grid: &Grid,
    (couplings, fields): (&[f64], &[f64]),
    sweep: &mut Sweep<'_>,
    found: &mut BoundaryMpsMarginals,
) -> Result<f64> {
    let (rows, below) = grid.rows(couplings, fields);
    let (height, width) = (grid.height, grid.width);
    let ones = Chain::ones(width, sweep.symmetric);
    // The states below each row first, from the last row on; then those above, one at a time.
    let mut below_row = vec![ones.clone()];
    let upwards = (1..height).rev().map(|r| (&rows[r], &below[r - 1]));
    sweep.absorb_each(width, upwards, &mut |chain, opposite| {
        below_row.push(if opposite { chain.reversed() } else { chain.clone() });
    })?;
    let mut bonds = vec![vec![0.0; width - 1]; height];
    let mut spins = vec![vec![0.0; width]; height];
    let mut ln_z = f64::NAN;
    let mut of_row = |r: usize, top: &Chain| {
        let Some(bottom) = below_row.pop() else { unreachable!("a state below each row") };
        if r == height / 2 {
            let (sign, value) = sandwich(top, &rows[r], &bottom);
            ln_z = if sign > 0.0 { value } else { f64::NAN };
        }
        (spins[r], bonds[r]) = row_means(top, &rows[r], &bottom);
    };
    of_row(0, &ones);
    let mut r = 0;
    let downwards = (0..height - 1).map(|r| (&rows[r], &below[r]));
    sweep.absorb_each(width, downwards, &mut |chain, opposite| {
        r += 1;
        if opposite { of_row(r, &chain.reversed()) } else { of_row(r, chain) }
    })?;
    for (r, row) in spins.iter().enumerate() {
        for (c, &spin) in row.iter().enumerate() {
            found.magnetizations[grid.site(r, c)] = spin;
        }
    }
    for (a, r, c) in grid.within() {
        found.correlations[a] = bonds[r][c];
    }
    Ok(ln_z)
}

impl BoundaryMps {
    /// ln Z, energy, magnetizations and the correlations of coupled pairs.
    ///
    /// Each row stands between the state of all rows above it and that of all below; the means of its spins and bonds
    /// follow from the two by sums along the row. Bonds between rows are those within rows of the lattice read by
    /// columns. The two readings also give ln Z twice, and their difference is reported.
    ///
    /// ```
    /// use spin_models::{BoundaryMps, Ising, TransferMatrix};
    ///
    /// let glass = Ising::plus_minus_splitmix(12, 12, 1)?;
    /// let means = BoundaryMps::new(24).marginals(&glass, 1.0, &mut ())?;
    /// let exact = TransferMatrix::default().marginals(&glass, 1.0, &mut ())?;
    /// assert!((means.energy - exact.energy).abs() < 1e-7 && means.difference < 1e-8);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Cost
    /// Four times that of [`contract`](Self::contract) and the sums along the rows; the states of all rows are in
    /// memory at one time, $`O(N \chi^2)`$ numbers.
    ///
    /// # Errors
    /// As [`contract`](Self::contract).
    pub fn marginals(
        &self,
        model: &Ising,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<BoundaryMpsMarginals> {
        let (grid, couplings, fields) = read(model, beta)?;
        let mut found = BoundaryMpsMarginals {
            ln_z: LnZ::exact(0.0),
            energy: model.offset(),
            magnetizations: vec![0.0; fields.len()],
            correlations: vec![0.0; couplings.len()],
            discarded_weight: 0.0,
            difference: 0.0,
        };
        let symmetric = fields.iter().all(|&h| h == 0.0);
        let total = 2 * (grid.height + grid.width - 2) as u64;
        let chi = self.chi().max(1);
        let mut sweep = Sweep { chi, symmetric, discarded_weight: 0.0, done: 0, total, observer };
        let by_columns = means_by_rows(&grid.other(), (&couplings, &fields), &mut sweep, &mut found)?;
        let by_rows = means_by_rows(&grid, (&couplings, &fields), &mut sweep, &mut found)?;
        found.discarded_weight = sweep.discarded_weight;
        found.difference = (by_rows - by_columns).abs();
        // Where it is warm the two readings differ by truncation, which the residual tells.
        let cold = couplings.iter().chain(&fields).any(|k| k.abs() > COLD);
        let rounding = if cold || found.difference.is_nan() { found.difference } else { 0.0 };
        check_digits(by_rows, rounding, &couplings)?;
        if found.magnetizations.iter().chain(&found.correlations).any(|mean| mean.is_nan()) {
            let reason = "rounding left no digits: the mean of a spin or of a bond is not a number".into();
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        found.ln_z.value = by_rows - beta * model.offset();
        found.ln_z.kind = kind(by_rows, found.discarded_weight, found.difference);
        found.energy -= model.couplings().zip(&found.correlations).map(|((.., j), c)| j * c).sum::<f64>();
        found.energy -= model.fields().iter().zip(&found.magnetizations).map(|(h, m)| h * m).sum::<f64>();
        Ok(found)
    }
}
