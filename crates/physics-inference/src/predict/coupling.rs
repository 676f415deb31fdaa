//! Couplings between units: none, free, of low rank.

use linalg_core::checkpoint::ContentHash;
use linalg_core::eigen::symmetric_eigen;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::rng::standard_normal;
use rand::Rng;

/// Couplings $`J_{uv}(\theta)`$ from V inputs to U units, $`V \ge U`$; input u is unit u itself and its coupling $`J_{uu}`$ is 0.
///
/// Online prediction uses [`fields`](Self::fields) and [`force`](Self::force), which need not form J; a batch fit uses
/// [`matrix`](Self::matrix) and [`pull_back`](Self::pull_back).
pub trait Coupling: Clone + Send + Sync {
    /// Name of the form.
    fn name(&self) -> &'static str;

    /// Units U and inputs V.
    fn shape(&self) -> (usize, usize);

    /// The numbers θ.
    fn parameters(&self) -> &[f64];

    /// The numbers θ, to change them.
    fn parameters_mut(&mut self) -> &mut [f64];

    /// Writes $`\phi_u = \sum_v J_{uv} z_v`$.
    fn fields(&mut self, inputs: &[f64], fields: &mut [f64]);

    /// Writes $`\sum_u e_u\, \partial \phi_u/\partial\theta`$, the direction in which the loss of this step falls.
    fn force(&mut self, inputs: &[f64], residuals: &[f64], force: &mut [f64]);

    /// Writes J, U x V row-major.
    fn matrix(&self, matrix: &mut [f64]);

    /// Writes the gradient by θ of a function whose gradient by J is given.
    fn pull_back(&self, by_matrix: &[f64], gradient: &mut [f64]);

    /// Draws θ for a start of a fit.
    fn randomize<R: Rng + ?Sized>(&mut self, rng: &mut R);

    /// Sets θ so that J comes near given couplings, U x V row-major with any diagonal; says whether the form knows a way.
    fn approach(&mut self, _matrix: &[f64]) -> bool {
        false
    }

    /// Whether the loss has many minima and the fit should start from several points.
    fn needs_starts(&self) -> bool;

    /// Adds what distinguishes this form from others of the same name.
    fn write_hash(&self, hash: &mut ContentHash);
}

/// No couplings.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NoCoupling {
    units: usize,
    inputs: usize,
}

impl NoCoupling {
    /// For `units` units with `inputs` inputs.
    pub fn new(units: usize, inputs: usize) -> Self {
        Self { units, inputs }
    }
}

impl Coupling for NoCoupling {
    fn name(&self) -> &'static str {
        "none"
    }

    fn shape(&self) -> (usize, usize) {
        (self.units, self.inputs)
    }

    fn parameters(&self) -> &[f64] {
        &[]
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut []
    }

    fn fields(&mut self, _inputs: &[f64], fields: &mut [f64]) {
        fields.fill(0.0);
    }

    fn force(&mut self, _inputs: &[f64], _residuals: &[f64], _force: &mut [f64]) {}

    fn matrix(&self, matrix: &mut [f64]) {
        matrix.fill(0.0);
    }

    fn pull_back(&self, _by_matrix: &[f64], _gradient: &mut [f64]) {}

    fn randomize<R: Rng + ?Sized>(&mut self, _rng: &mut R) {}

    fn needs_starts(&self) -> bool {
        false
    }

    fn write_hash(&self, hash: &mut ContentHash) {
        hash.write_usizes(&[self.units, self.inputs]);
    }
}

/// Every coupling is free: $`U (V - 1)`$ numbers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DenseCoupling {
    inputs: usize,
    units: usize,
    /// Rows of J without their diagonal entry.
    free: Vec<f64>,
}

impl DenseCoupling {
    /// Zero couplings.
    ///
    /// # Panics
    /// If there are fewer inputs than units.
    pub fn new(units: usize, inputs: usize) -> Self {
        assert!(inputs >= units, "{inputs} inputs for {units} units");
        Self { inputs, units, free: vec![0.0; units * inputs.saturating_sub(1)] }
    }
}

impl Coupling for DenseCoupling {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn shape(&self) -> (usize, usize) {
        (self.units, self.inputs)
    }

    fn parameters(&self) -> &[f64] {
        &self.free
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.free
    }

    fn fields(&mut self, inputs: &[f64], fields: &mut [f64]) {
        if self.inputs < 2 {
            return fields.fill(0.0);
        }
        for (u, (field, row)) in fields.iter_mut().zip(self.free.chunks_exact(self.inputs - 1)).enumerate() {
            let before: f64 = row[..u].iter().zip(&inputs[..u]).map(|(j, z)| j * z).sum();
            *field = before + row[u..].iter().zip(&inputs[u + 1..]).map(|(j, z)| j * z).sum::<f64>();
        }
    }

    fn force(&mut self, inputs: &[f64], residuals: &[f64], force: &mut [f64]) {
        if self.inputs < 2 {
            return;
        }
        for (u, (e, row)) in residuals.iter().zip(force.chunks_exact_mut(self.inputs - 1)).enumerate() {
            row[..u].iter_mut().zip(&inputs[..u]).for_each(|(f, z)| *f = e * z);
            row[u..].iter_mut().zip(&inputs[u + 1..]).for_each(|(f, z)| *f = e * z);
        }
    }

    fn matrix(&self, matrix: &mut [f64]) {
        for u in 0..self.units {
            let row = &self.free[u * (self.inputs - 1)..][..self.inputs - 1];
            let out = &mut matrix[u * self.inputs..][..self.inputs];
            out[..u].copy_from_slice(&row[..u]);
            out[u] = 0.0;
            out[u + 1..].copy_from_slice(&row[u..]);
        }
    }

    fn pull_back(&self, by_matrix: &[f64], gradient: &mut [f64]) {
        for u in 0..self.units {
            let row = &mut gradient[u * (self.inputs - 1)..][..self.inputs - 1];
            let by = &by_matrix[u * self.inputs..][..self.inputs];
            row[..u].copy_from_slice(&by[..u]);
            row[u..].copy_from_slice(&by[u + 1..]);
        }
    }

    fn randomize<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.free.iter_mut().for_each(|j| *j = 0.1 * standard_normal(rng));
    }

    fn needs_starts(&self) -> bool {
        false
    }

    fn write_hash(&self, hash: &mut ContentHash) {
        hash.write_usizes(&[self.units, self.inputs]);
    }
}

/// $`J = U V^T`$ off the diagonal, with k columns each: $`k (U + V)`$ numbers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LowRankCoupling {
    units: usize,
    inputs: usize,
    rank: usize,
    /// U x k row-major, then V x k row-major.
    factors: Vec<f64>,
}

impl LowRankCoupling {
    /// Zero couplings of rank `rank`.
    ///
    /// # Panics
    /// If there are fewer inputs than units.
    pub fn new(units: usize, inputs: usize, rank: usize) -> Self {
        assert!(inputs >= units, "{inputs} inputs for {units} units");
        Self { units, inputs, rank, factors: vec![0.0; rank * (units + inputs)] }
    }

    fn split(&self) -> (&[f64], &[f64]) {
        self.factors.split_at(self.units * self.rank)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Columns of a row-major matrix, weighted and summed.
fn weighted_rows(rows: &[f64], weights: &[f64], rank: usize) -> Vec<f64> {
    let mut sum = vec![0.0; rank];
    for (row, w) in rows.chunks_exact(rank).zip(weights) {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += w * x);
    }
    sum
}

impl Coupling for LowRankCoupling {
    fn name(&self) -> &'static str {
        "low rank"
    }

    fn shape(&self) -> (usize, usize) {
        (self.units, self.inputs)
    }

    fn parameters(&self) -> &[f64] {
        &self.factors
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.factors
    }

    fn fields(&mut self, inputs: &[f64], fields: &mut [f64]) {
        let (k, (left, right)) = (self.rank, self.split());
        let inner = weighted_rows(right, inputs, k);
        for (u, field) in fields.iter_mut().enumerate() {
            let row = &left[u * k..][..k];
            *field = dot(row, &inner) - inputs[u] * dot(row, &right[u * k..][..k]);
        }
    }

    fn force(&mut self, inputs: &[f64], residuals: &[f64], force: &mut [f64]) {
        let (k, (left, right)) = (self.rank, self.split());
        let (inner, outer) = (weighted_rows(right, inputs, k), weighted_rows(left, residuals, k));
        let (by_left, by_right) = force.split_at_mut(self.units * k);
        for (u, e) in residuals.iter().enumerate() {
            for a in 0..k {
                by_left[u * k + a] = e * (inner[a] - inputs[u] * right[u * k + a]);
            }
        }
        for (v, z) in inputs.iter().enumerate() {
            for a in 0..k {
                let own = if v < self.units { residuals[v] * left[v * k + a] } else { 0.0 };
                by_right[v * k + a] = z * (outer[a] - own);
            }
        }
    }

    fn matrix(&self, matrix: &mut [f64]) {
        let (u, v, k, (left, right)) = (self.units, self.inputs, self.rank, self.split());
        let (a, b) = (Matrix::row_major(left, u, k), Matrix::row_major(right, v, k).transposed());
        gemm(1.0, a, b, 0.0, MatrixMut::row_major(matrix, u, v));
        (0..u).for_each(|i| matrix[i * v + i] = 0.0);
    }

    fn pull_back(&self, by_matrix: &[f64], gradient: &mut [f64]) {
        let (u, v, k, (left, right)) = (self.units, self.inputs, self.rank, self.split());
        let mut by = by_matrix.to_vec();
        (0..u).for_each(|i| by[i * v + i] = 0.0);
        let (by_left, by_right) = gradient.split_at_mut(u * k);
        let by = Matrix::row_major(&by, u, v);
        gemm(1.0, by, Matrix::row_major(right, v, k), 0.0, MatrixMut::row_major(by_left, u, k));
        gemm(1.0, by.transposed(), Matrix::row_major(left, u, k), 0.0, MatrixMut::row_major(by_right, v, k));
    }

    /// The k leading singular vectors of the couplings without their diagonal.
    fn approach(&mut self, matrix: &[f64]) -> bool {
        let (u, v, k) = (self.units, self.inputs, self.rank);
        assert_eq!(matrix.len(), u * v, "{} couplings from {v} inputs to {u} units", matrix.len());
        let mut j = matrix.to_vec();
        (0..u).for_each(|i| j[i * v + i] = 0.0);
        let mut square = vec![0.0; u * u];
        let m = Matrix::row_major(&j, u, v);
        gemm(1.0, m, m.transposed(), 0.0, MatrixMut::row_major(&mut square, u, u));
        let Ok(eigen) = symmetric_eigen(&square, u) else { return false };
        self.factors.fill(0.0);
        let (left, right) = self.factors.split_at_mut(u * k);
        for a in 0..k.min(u) {
            // J = Σ w (Jᵀw)ᵀ over unit vectors w; the scale goes to both sides in equal parts.
            let (w, scale) = (eigen.vector(u - 1 - a), eigen.values[u - 1 - a].max(0.0).powf(0.25));
            if scale <= 0.0 {
                continue;
            }
            let turned = weighted_rows(&j, w, v);
            (0..u).for_each(|i| left[i * k + a] = scale * w[i]);
            (0..v).for_each(|i| right[i * k + a] = turned[i] / scale);
        }
        true
    }

    fn randomize<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        self.factors.iter_mut().for_each(|x| *x = 0.4 * standard_normal(rng));
    }

    fn needs_starts(&self) -> bool {
        true
    }

    fn write_hash(&self, hash: &mut ContentHash) {
        hash.write_usizes(&[self.units, self.inputs, self.rank]);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::optim::finite_difference::check_gradient;

    /// Fields are those of the matrix, forces and pulled-back gradients are derivatives.
    pub(in crate::predict) fn check_coupling<C: Coupling>(mut coupling: C, frozen: &[usize]) {
        let mut rng = Streams::new(8).stream(0);
        coupling.randomize(&mut rng);
        let (units, inputs) = coupling.shape();
        let mut normal = |n: usize| -> Vec<f64> { (0..n).map(|_| standard_normal(&mut rng)).collect() };
        let (z, e, by) = (normal(inputs), normal(units), normal(units * inputs));
        let mut matrix = vec![0.0; units * inputs];
        coupling.matrix(&mut matrix);
        let mut fields = vec![0.0; units];
        coupling.fields(&z, &mut fields);
        for u in 0..units {
            assert!(matrix[u * inputs + u].abs() < f64::MIN_POSITIVE, "no coupling to itself");
            let direct = dot(&matrix[u * inputs..][..inputs], &z);
            assert!(
                (direct - fields[u]).abs() < 1e-12 * (1.0 + direct.abs()),
                "{} {direct} {}",
                coupling.name(),
                fields[u]
            );
        }
        let theta = coupling.parameters().to_vec();
        if theta.is_empty() {
            return;
        }
        let mut copy = coupling.clone();
        let weighted = |x: &[f64], gradient: &mut [f64]| {
            copy.parameters_mut().copy_from_slice(x);
            copy.matrix(&mut matrix);
            copy.pull_back(&by, gradient);
            dot(&matrix, &by)
        };
        let check = check_gradient(weighted, &theta).unwrap();
        assert!(check.relative_error < 1e-7, "{}: {check:?}", coupling.name());
        let mut copy = coupling.clone();
        let step = |x: &[f64], gradient: &mut [f64]| {
            copy.parameters_mut().copy_from_slice(x);
            copy.force(&z, &e, gradient);
            let mut x = x.to_vec();
            // What stays fixed online has no force: hold it in the function, too.
            frozen.iter().for_each(|&k| x[k] = theta[k]);
            copy.parameters_mut().copy_from_slice(&x);
            copy.fields(&z, &mut fields);
            dot(&fields, &e)
        };
        let check = check_gradient(step, &theta).unwrap();
        assert!(check.relative_error < 1e-7, "{}: {check:?}", coupling.name());
    }

    #[test]
    fn derivatives() {
        check_coupling(NoCoupling::new(3, 3), &[]);
        check_coupling(DenseCoupling::new(4, 4), &[]);
        check_coupling(DenseCoupling::new(3, 6), &[]);
        check_coupling(DenseCoupling::new(1, 1), &[]);
        check_coupling(LowRankCoupling::new(4, 4, 2), &[]);
        check_coupling(LowRankCoupling::new(3, 6, 1), &[]);
    }
}
