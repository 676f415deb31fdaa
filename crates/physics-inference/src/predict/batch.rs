//! Loss and gradient over a whole series, by blocks of matrix products.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use crate::Result;
use crate::series::{BitSeries, SeriesError};

use super::{Link, Units};

/// Steps in one product: the blocks stay in the second cache up to some hundred variables.
const BLOCK: usize = 256;

/// Steps of a series as inputs, own values and outcomes.
pub(super) struct Batch<'a> {
    units: &'a Units,
    link: Link,
    n_inputs: usize,
    /// T x V.
    inputs: Vec<f64>,
    /// T x M, the present step.
    own: Vec<f64>,
    /// T x M, the next step.
    outcomes: Vec<f64>,
    /// Sum is 1.
    weights: Vec<f64>,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    unit_fields: Vec<f64>,
    fields: Vec<f64>,
    residuals: Vec<f64>,
    unit_residuals: Vec<f64>,
}

impl<'a> Batch<'a> {
    /// Steps of age k weigh `decay^k`; inputs reach `lags` steps back.
    pub fn new(series: &BitSeries, units: &'a Units, lags: usize, link: Link, decay: f64) -> Result<Self> {
        let (m, u, steps) = (series.n_series(), units.n_units(), series.n_steps());
        if steps < lags + 3 {
            return Err(SeriesError::TooShort { found: steps, needed: lags + 3 }.into());
        }
        let (n, n_inputs) = (steps - 1 - lags, u * (lags + 1));
        let mut values = vec![0.0; steps * u];
        let mut bits = vec![0i8; steps * m];
        for t in 0..steps {
            let step = &mut bits[t * m..(t + 1) * m];
            series.step_into(t, step);
            units.inputs(step, &mut values[t * u..(t + 1) * u]);
        }
        let mut inputs = Vec::with_capacity(n * n_inputs);
        for t in lags..steps - 1 {
            (0..=lags).for_each(|lag| inputs.extend_from_slice(&values[(t - lag) * u..(t - lag + 1) * u]));
        }
        let real = |from: usize| bits[from * m..(from + n) * m].iter().map(|&b| f64::from(b)).collect();
        let (own, outcomes) = (real(lags), real(lags + 1));
        let mut weights = vec![1.0; n];
        for t in (0..n - 1).rev() {
            weights[t] = decay * weights[t + 1];
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        Ok(Self { units, link, n_inputs, inputs, own, outcomes, weights, scratch: Scratch::default() })
    }

    pub fn n_steps(&self) -> usize {
        self.weights.len()
    }

    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Mean loss of a step, summed over variables, with gradients by h, s and J.
    ///
    /// `s` may be empty for no own term, `j` for no couplings.
    pub fn evaluate(&mut self, h: &[f64], s: &[f64], j: &[f64], by: Gradients<'_>) -> f64 {
        let (m, u, v) = (self.units.n_variables(), self.units.n_units(), self.n_inputs);
        let coupled = !j.is_empty() && u > 0;
        by.h.fill(0.0);
        by.s.fill(0.0);
        by.j.fill(0.0);
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut total = 0.0;
        for first in (0..self.n_steps()).step_by(BLOCK) {
            let n = BLOCK.min(self.n_steps() - first);
            let inputs = Matrix::row_major(&self.inputs[first * v..(first + n) * v], n, v);
            self.block_fields(first, n, h, s, j, &mut scratch);
            scratch.residuals.resize(n * m, 0.0);
            let outcomes = &self.outcomes[first * m..(first + n) * m];
            for t in 0..n {
                let w = self.weights[first + t];
                for i in 0..m {
                    let k = t * m + i;
                    let (loss, residual) = self.link.loss(scratch.fields[k], outcomes[k]);
                    total += w * loss;
                    scratch.residuals[k] = -w * residual;
                    by.h[i] += scratch.residuals[k];
                }
            }
            if !s.is_empty() {
                let own = &self.own[first * m..(first + n) * m];
                for (rows, b) in scratch.residuals.chunks_exact(m).zip(own.chunks_exact(m)) {
                    by.s.iter_mut().zip(rows).zip(b).for_each(|((by, e), b)| *by += e * b);
                }
            }
            if coupled {
                scratch.unit_residuals.resize(n * u, 0.0);
                let rows = scratch.residuals.chunks_exact(m).zip(scratch.unit_residuals.chunks_exact_mut(u));
                rows.for_each(|(e, out)| self.units.gather(e, out));
                let e = Matrix::row_major(&scratch.unit_residuals[..n * u], n, u).transposed();
                gemm(1.0, e, inputs, 1.0, MatrixMut::row_major(&mut *by.j, u, v));
            }
        }
        self.scratch = scratch;
        total
    }

    fn block_fields(&self, first: usize, n: usize, h: &[f64], s: &[f64], j: &[f64], scratch: &mut Scratch) {
        let (m, u, v) = (self.units.n_variables(), self.units.n_units(), self.n_inputs);
        scratch.fields.clear();
        (0..n).for_each(|_| scratch.fields.extend_from_slice(h));
        if !s.is_empty() {
            let own = &self.own[first * m..(first + n) * m];
            for (row, b) in scratch.fields.chunks_exact_mut(m).zip(own.chunks_exact(m)) {
                row.iter_mut().zip(s).zip(b).for_each(|((f, s), b)| *f += s * b);
            }
        }
        if !j.is_empty() && u > 0 {
            scratch.unit_fields.resize(n * u, 0.0);
            let inputs = Matrix::row_major(&self.inputs[first * v..(first + n) * v], n, v);
            let out = MatrixMut::row_major(&mut scratch.unit_fields[..n * u], n, u);
            gemm(1.0, inputs, Matrix::row_major(j, u, v).transposed(), 0.0, out);
            let rows = scratch.fields.chunks_exact_mut(m).zip(scratch.unit_fields.chunks_exact(u));
            rows.for_each(|(row, fields)| self.units.spread(fields, row));
        }
    }

    /// Fields of all steps, T x M.
    pub fn fields(&self, h: &[f64], s: &[f64], j: &[f64]) -> Vec<f64> {
        let (mut scratch, mut all) = (Scratch::default(), Vec::with_capacity(self.outcomes.len()));
        for first in (0..self.n_steps()).step_by(BLOCK) {
            self.block_fields(first, BLOCK.min(self.n_steps() - first), h, s, j, &mut scratch);
            all.extend_from_slice(&scratch.fields);
        }
        all
    }

    /// Weighted mean of -ln p of the outcomes, a variable and step.
    pub fn log_loss(&self, link: Link, fields: &[f64]) -> f64 {
        let m = self.units.n_variables();
        let rows = fields.chunks_exact(m).zip(self.outcomes.chunks_exact(m)).zip(&self.weights);
        let of_step = |f: &[f64], b: &[f64]| -> f64 {
            let outcome = |(f, b): (&f64, &f64)| {
                let p = link.probability(*f);
                -(if *b > 0.0 { p } else { 1.0 - p }).max(f64::MIN_POSITIVE).ln()
            };
            f.iter().zip(b).map(outcome).sum()
        };
        rows.map(|((f, b), w)| w * of_step(f, b)).sum::<f64>() / m as f64
    }

    /// For each unit, the mean of (curvature of its members) x xᵀ with x = (inputs, 1): U matrices of (V+1)², or one for all,
    /// with a weight for each unit.
    pub fn curvatures(&self, fields: &[f64], shared: bool) -> (Vec<f64>, Vec<f64>) {
        let (m, u, v) = (self.units.n_variables(), self.units.n_units(), self.n_inputs);
        let width = v + 1;
        let mut extended = Vec::with_capacity(self.n_steps() * width);
        for row in self.inputs.chunks_exact(v) {
            extended.extend_from_slice(row);
            extended.push(1.0);
        }
        // Members all have sign ±1: squares add.
        let unit = self.units.members();
        let mut per_unit = vec![0.0; self.n_steps() * u];
        for (t, row) in fields.chunks_exact(m).enumerate() {
            for (f, place) in row.iter().zip(unit) {
                if let Some(k) = *place {
                    per_unit[t * u + k] += self.weights[t] * self.link.curvature(*f);
                }
            }
        }
        let n = self.n_steps();
        let product = |weight: &dyn Fn(usize) -> f64, out: &mut [f64]| {
            let mut weighted = extended.clone();
            for (t, row) in weighted.chunks_exact_mut(width).enumerate() {
                let w = weight(t);
                row.iter_mut().for_each(|x| *x *= w);
            }
            let (a, b) = (Matrix::row_major(&weighted, n, width), Matrix::row_major(&extended, n, width));
            gemm(1.0, a.transposed(), b, 0.0, MatrixMut::row_major(out, width, width));
        };
        if shared {
            let scale: Vec<f64> = (0..u).map(|k| (0..n).map(|t| per_unit[t * u + k]).sum()).collect();
            let mut matrix = vec![0.0; width * width];
            product(&|t| self.weights[t], &mut matrix);
            return (matrix, scale);
        }
        let mut matrices = vec![0.0; u * width * width];
        for (k, out) in matrices.chunks_exact_mut(width * width).enumerate() {
            product(&|t| per_unit[t * u + k], out);
        }
        (matrices, vec![1.0; u])
    }
}

/// Where gradients go.
pub(super) struct Gradients<'a> {
    pub h: &'a mut [f64],
    pub s: &'a mut [f64],
    pub j: &'a mut [f64],
}
