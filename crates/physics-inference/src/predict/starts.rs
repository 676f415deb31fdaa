//! Starts for couplings with many minima: a quadratic form in place of the loss.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::optim::LbfgsParams;

use crate::Result;

use super::batch::Batch;
use super::field::FieldPredictor;
use super::{Coupling, DenseCoupling};

/// Widest rows for which each unit has its own matrix; above, all share one.
const WIDEST: usize = 64;

/// The loss around free couplings J*, to second order: $`\frac12 \sum_u \delta_u^T A_u \delta_u`$ with
/// $`\delta_u = (J_u, h_u) - (J^*_u, h^*_u)`$ and $`A_u`$ the Fisher matrix of the row.
///
/// The diagonal entry of a row (the own coupling s) and h are free: they are minimised with the couplings.
pub(super) struct Surrogate {
    units: usize,
    width: usize,
    /// J* with own couplings and h*, U x (V + 1).
    center: Vec<f64>,
    matrices: Vec<f64>,
    scales: Vec<f64>,
}

impl Surrogate {
    pub fn new(batch: &Batch<'_>, free: &FieldPredictor<DenseCoupling>) -> Self {
        let (units, v) = free.coupling.shape();
        let width = v + 1;
        let mut couplings = vec![0.0; units * v];
        free.coupling.matrix(&mut couplings);
        let own = &free.base[free.compound_start()..];
        free.compound.iter().zip(own).for_each(|(&k, d)| couplings[k * v + k] = *d);
        let fields = batch.fields(free.fields(), free.own_couplings(), &couplings);
        // The own coupling of a unit of one variable is its s, the diagonal of its row.
        let variables = free.units.single_variables();
        let mut center = vec![0.0; units * width];
        for (u, row) in center.chunks_exact_mut(width).enumerate() {
            row[..v].copy_from_slice(&couplings[u * v..(u + 1) * v]);
            if let Some(i) = variables[u] {
                row[u] = free.own_couplings().get(i).copied().unwrap_or(0.0);
                row[v] = free.fields()[i];
            }
        }
        let (matrices, scales) = batch.curvatures(&fields, width > WIDEST);
        Self { units, width, center, matrices, scales }
    }

    /// Half the quadratic form, and the form applied to δ.
    fn value(&self, delta: &[f64], applied: &mut [f64]) -> f64 {
        let (u, w) = (self.units, self.width);
        if self.matrices.len() == w * w {
            let (d, a) = (Matrix::row_major(delta, u, w), Matrix::row_major(&self.matrices, w, w));
            gemm(1.0, d, a, 0.0, MatrixMut::row_major(applied, u, w));
            for (row, scale) in applied.chunks_exact_mut(w).zip(&self.scales) {
                row.iter_mut().for_each(|x| *x *= scale);
            }
        } else {
            for (k, out) in applied.chunks_exact_mut(w).enumerate() {
                let (row, matrix) = (&delta[k * w..(k + 1) * w], &self.matrices[k * w * w..(k + 1) * w * w]);
                out.fill(0.0);
                // The matrix is symmetric: its rows are its columns.
                for (d, column) in row.iter().zip(matrix.chunks_exact(w)) {
                    out.iter_mut().zip(column).for_each(|(o, a)| *o += d * a);
                }
            }
        }
        0.5 * delta.iter().zip(applied).map(|(d, a)| d * *a).sum::<f64>()
    }

    /// Descends from where the coupling is; returns the value and θ.
    pub fn minimize<C: Coupling>(&self, coupling: &mut C, iterations: usize) -> Result<(f64, Vec<f64>)> {
        let (u, w) = (self.units, self.width);
        let v = w - 1;
        let mut start = vec![0.0; 2 * u];
        for k in 0..u {
            (start[k], start[u + k]) = (self.center[k * w + v], self.center[k * w + k]);
        }
        start.extend_from_slice(coupling.parameters());
        let (mut delta, mut applied) = (vec![0.0; u * w], vec![0.0; u * w]);
        let (mut matrix, mut by_matrix) = (vec![0.0; u * v], vec![0.0; u * v]);
        let objective = |x: &[f64], gradient: &mut [f64]| {
            coupling.parameters_mut().copy_from_slice(&x[2 * u..]);
            coupling.matrix(&mut matrix);
            for k in 0..u {
                let row = &mut delta[k * w..(k + 1) * w];
                row[..v].copy_from_slice(&matrix[k * v..(k + 1) * v]);
                row[k] = x[u + k];
                row[v] = x[k];
                row.iter_mut().zip(&self.center[k * w..]).for_each(|(d, c)| *d -= c);
            }
            let value = self.value(&delta, &mut applied);
            for k in 0..u {
                let row = &applied[k * w..(k + 1) * w];
                by_matrix[k * v..(k + 1) * v].copy_from_slice(&row[..v]);
                (gradient[k], gradient[u + k]) = (row[v], row[k]);
                by_matrix[k * v + k] = 0.0;
            }
            coupling.pull_back(&by_matrix, &mut gradient[2 * u..]);
            // Charges and gains have a free scale between them: hold it.
            let mut penalty = 0.0;
            for (by, x) in gradient[2 * u..].iter_mut().zip(&x[2 * u..]) {
                penalty += 0.5e-5 * x * x;
                *by += 1e-5 * x;
            }
            value + penalty
        };
        let search = LbfgsParams::default()
            .memory(20)
            .max_iterations(iterations)
            .max_evaluations(4 * iterations + 100)
            .gradient_tolerance(1e-6)
            .value_tolerance(1e-8);
        let report = search.minimize(objective, &start, &mut ())?;
        Ok((report.value, report.x[2 * u..].to_vec()))
    }
}
