//! The equations for the partition functions.

use linalg_core::cholesky::Cholesky;
use linalg_core::logspace::log_sum_exp;

use crate::{Error, Result};

/// How the equations are solved.
///
/// ```
/// use spin_models::mcmc::ReweightingParams;
///
/// let params = ReweightingParams::default();
/// assert_eq!((params.max_iterations, params.tolerance), (200, 1e-10));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReweightingParams {
    /// Iterations after which the solution is reported as not converged; 200 by default.
    pub max_iterations: usize,
    /// Largest relative violation of an equation that counts as a solution; 1e-10 by default.
    pub tolerance: f64,
}

impl Default for ReweightingParams {
    fn default() -> Self {
        Self { max_iterations: 200, tolerance: 1e-10 }
    }
}

impl ReweightingParams {
    /// Sets the largest number of iterations.
    pub fn with_max_iterations(mut self, iterations: usize) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// Sets the tolerance.
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    fn check(&self) -> Result<()> {
        if self.tolerance > 0.0 && self.tolerance.is_finite() {
            return Ok(());
        }
        let expected = "a finite number above 0";
        Err(Error::Parameter { what: "tolerance", value: self.tolerance.to_string(), expected })
    }
}

/// How the solution went.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReweightingReport {
    /// Whether the residual came below the tolerance.
    pub converged: bool,
    /// Iterations made: steps of Newton, or of the self-consistent equations where the Hessian is singular.
    pub iterations: usize,
    /// Largest relative violation of an equation.
    pub residual: f64,
    /// For each pair of neighbouring temperatures, how many independent samples connect all data on one side with all on
    /// the other: the variance of their difference of ln Z is about the inverse.
    pub shared: Vec<f64>,
}

/// Energies with weights, and the partition functions that make them consistent.
#[derive(Debug, Clone)]
pub(super) struct Equations {
    /// Inverse temperature of each state; ascending.
    pub betas: Vec<f64>,
    /// `ln c_k`.
    ln_counts: Vec<f64>,
    /// Different energies, relative to `reference`, ascending.
    pub energies: Vec<f64>,
    pub reference: f64,
    /// Sum of the weights `u` at each energy.
    pub weights: Vec<f64>,
    /// `ln Z_k` relative to the first, of the shifted energies.
    ln_z: Vec<f64>,
    /// `ln D(E)` at each energy.
    pub ln_d: Vec<f64>,
    /// Cholesky factor of the Hessian without its first row and column.
    factor: Option<Cholesky>,
    pub report: ReweightingReport,
}

/// The weight of a unit of mass at each energy for one β: `Σ weights · per_mass = 1`.
pub(super) struct AtBeta {
    pub per_mass: Vec<f64>,
    /// ln Z(β) relative to the first state, for the shifted energies.
    pub ln_z: f64,
}

impl Equations {
    /// `betas` ascending; `counts`: independent samples of each state; `means`: mean energy of each state relative to
    /// `reference`; `points`: different shifted energies, ascending, with their weights.
    pub fn solve(
        solver: &'static str,
        states: &[(f64, f64, f64)],
        points: (Vec<f64>, Vec<f64>),
        reference: f64,
        params: &ReweightingParams,
    ) -> Result<Self> {
        params.check()?;
        let betas: Vec<f64> = states.iter().map(|state| state.0).collect();
        // The integral of the mean energy by the trapezoidal rule.
        let mut ln_z = vec![0.0];
        for pair in states.windows(2) {
            let [(a, _, e), (b, _, f)] = [pair[0], pair[1]];
            ln_z.push(ln_z[ln_z.len() - 1] - 0.5 * (b - a) * (e + f));
        }
        let report = ReweightingReport { converged: false, iterations: 0, residual: f64::NAN, shared: Vec::new() };
        let (energies, weights) = points;
        let ln_counts = states.iter().map(|state| state.1.ln()).collect();
        let ln_d = vec![0.0; energies.len()];
        let mut equations = Self { betas, ln_counts, energies, reference, weights, ln_z, ln_d, factor: None, report };
        equations.iterate(params);
        equations.report.shared = equations.shared();
        let gap = equations.report.shared.iter().position(|&shared| shared.is_nan() || shared < 1.0);
        match gap {
            None => Ok(equations),
            Some(k) => {
                let (lower, upper) = (equations.betas[k], equations.betas[k + 1]);
                Err(Error::NoOverlap { solver, lower, upper, shared: equations.report.shared[k] })
            }
        }
    }

    pub fn n_states(&self) -> usize {
        self.betas.len()
    }

    fn ln_terms(&self, e: usize, ln_z: &[f64], out: &mut [f64]) {
        let energy = self.energies[e];
        for (k, term) in out.iter_mut().enumerate() {
            *term = self.ln_counts[k] - ln_z[k] - self.betas[k] * energy;
        }
    }

    /// `ln D` at every energy, and the convex function `Σ u ln D + Σ c_k ln Z_k`.
    fn evaluate(&self, ln_z: &[f64], ln_d: &mut [f64]) -> f64 {
        let mut terms = vec![0.0; self.n_states()];
        let mut sum = 0.0;
        for (e, d) in ln_d.iter_mut().enumerate() {
            self.ln_terms(e, ln_z, &mut terms);
            *d = log_sum_exp(&terms);
            sum += self.weights[e] * *d;
        }
        sum + self.ln_counts.iter().zip(ln_z).map(|(ln_c, a)| ln_c.exp() * a).sum::<f64>()
    }

    /// The probability that a sample of an energy came from each state.
    pub fn posterior(&self, e: usize, out: &mut [f64]) {
        self.ln_terms(e, &self.ln_z, out);
        out.iter_mut().for_each(|term| *term = (*term - self.ln_d[e]).exp());
    }

    /// Expected counts of each state and the Hessian of the convex function, lower triangle by rows.
    fn derivatives(&self) -> (Vec<f64>, Vec<f64>) {
        let k = self.n_states();
        let (mut expected, mut hessian, mut p) = (vec![0.0; k], vec![0.0; k * k], vec![0.0; k]);
        for (e, &u) in self.weights.iter().enumerate() {
            self.posterior(e, &mut p);
            for i in 0..k {
                let scaled = u * p[i];
                expected[i] += scaled;
                for j in 0..i {
                    hessian[i * k + j] -= scaled * p[j];
                }
            }
        }
        // A row adds up to 0, which keeps the digits of small differences.
        for i in 0..k {
            let below: f64 = (i + 1..k).map(|j| hessian[j * k + i]).sum();
            let left: f64 = (0..i).map(|j| hessian[i * k + j]).sum();
            hessian[i * k + i] = -(left + below);
        }
        (expected, hessian)
    }

    fn iterate(&mut self, params: &ReweightingParams) {
        let k = self.n_states();
        let counts: Vec<f64> = self.ln_counts.iter().map(|ln_c| ln_c.exp()).collect();
        let mut ln_d = vec![0.0; self.energies.len()];
        let mut value = self.evaluate(&self.ln_z, &mut ln_d);
        std::mem::swap(&mut self.ln_d, &mut ln_d);
        loop {
            let (expected, hessian) = self.derivatives();
            self.factor = reduced_factor(&hessian, k);
            let violations = expected.iter().zip(&counts).map(|(found, count)| (found / count - 1.0).abs());
            self.report.residual = violations.fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) });
            self.report.converged = self.report.residual <= params.tolerance;
            if self.report.converged || self.report.iterations >= params.max_iterations || self.report.residual.is_nan()
            {
                return;
            }
            self.report.iterations += 1;
            let newton = self.factor.as_ref().map(|factor| {
                let gradient: Vec<f64> = (1..k).map(|i| expected[i] - counts[i]).collect();
                let mut step = vec![0.0];
                step.extend(solve_factored(factor, &gradient));
                step
            });
            let mut moved = false;
            if let Some(step) = newton.filter(|step| step.iter().all(|x| x.is_finite())) {
                let mut length = 1.0;
                while length > 1e-6 {
                    let trial: Vec<f64> = self.ln_z.iter().zip(&step).map(|(a, s)| a + length * s).collect();
                    let next = self.evaluate(&trial, &mut ln_d);
                    // Near the solution the function is flat to rounding.
                    if next <= value + 1e-13 * value.abs() {
                        (self.ln_z, value, moved) = (trial, next, true);
                        std::mem::swap(&mut self.ln_d, &mut ln_d);
                        break;
                    }
                    length *= 0.5;
                }
            }
            if !moved {
                let first = (expected[0] / counts[0]).ln();
                for ((a, found), count) in self.ln_z.iter_mut().zip(&expected).zip(&counts) {
                    // A state that no energy belongs to stays where it is.
                    let step = (found / count).ln() - first;
                    *a += if step.is_finite() { step } else { 0.0 };
                }
                value = self.evaluate(&self.ln_z, &mut ln_d);
                std::mem::swap(&mut self.ln_d, &mut ln_d);
            }
        }
    }

    /// Samples shared across each gap between neighbouring temperatures.
    fn shared(&self) -> Vec<f64> {
        let k = self.n_states();
        let (mut shared, mut p) = (vec![0.0; k - 1], vec![0.0; k]);
        for (e, &u) in self.weights.iter().enumerate() {
            self.posterior(e, &mut p);
            let mut below = 0.0;
            for (i, sum) in shared.iter_mut().enumerate() {
                below += p[i];
                let above: f64 = p[i + 1..].iter().sum();
                *sum += u * below * above;
            }
        }
        shared
    }

    /// The weights at an inverse temperature.
    pub fn at(&self, beta: f64) -> AtBeta {
        let ln_w: Vec<f64> = self.energies.iter().zip(&self.ln_d).map(|(e, d)| -beta * e - d).collect();
        let terms: Vec<f64> = ln_w.iter().zip(&self.weights).map(|(w, u)| w + u.ln()).collect();
        let ln_z = log_sum_exp(&terms);
        AtBeta { per_mass: ln_w.iter().map(|w| (w - ln_z).exp()).collect(), ln_z }
    }

    /// `Σ_e sums[e] p_k(e)`: how a linear average answers to the `ln Z_k`, columns of `sums` by rows of energies.
    pub fn response(&self, sums: &[f64], columns: usize) -> Vec<f64> {
        let k = self.n_states();
        let (mut response, mut p) = (vec![0.0; columns * k], vec![0.0; k]);
        for (e, row) in sums.chunks_exact(columns).enumerate() {
            self.posterior(e, &mut p);
            for (c, sum) in row.iter().enumerate() {
                response[c * k..(c + 1) * k].iter_mut().zip(&p).for_each(|(r, p)| *r += sum * p);
            }
        }
        response
    }

    /// How the `ln Z_k` move when `mass` of posterior `Σ u p_k` is added; zero for the first state.
    pub fn moved(&self, mass: &[f64]) -> Vec<f64> {
        let mut step = vec![0.0];
        match &self.factor {
            Some(factor) => step.extend(solve_factored(factor, &mass[1..])),
            // Not determined: only without convergence.
            None => step.extend(vec![f64::NAN; mass.len() - 1]),
        }
        step
    }
}

/// Sorts samples into different energies: the energies, the sum of weights of each, and the place of every sample.
pub(super) fn distinct(energies: &[f64], weights: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<u32>) {
    let mut order: Vec<u32> = (0..energies.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| energies[a as usize].total_cmp(&energies[b as usize]));
    let (mut values, mut sums, mut place) = (Vec::<f64>::new(), Vec::new(), vec![0; energies.len()]);
    for n in order {
        let energy = energies[n as usize];
        if values.last().is_none_or(|last| last.to_bits() != energy.to_bits()) {
            values.push(energy);
            sums.push(0.0);
        }
        let last = sums.len() - 1;
        sums[last] += weights[n as usize];
        place[n as usize] = last as u32;
    }
    (values, sums, place)
}

/// Factor of rows and columns 1.. of a symmetric matrix of order `k`; `None` if it is not positive definite.
fn reduced_factor(matrix: &[f64], k: usize) -> Option<Cholesky> {
    let reduced: Vec<f64> = matrix[k..].chunks_exact(k).flat_map(|row| &row[1..]).copied().collect();
    Cholesky::new(reduced, k - 1).ok()
}

/// `A⁻¹ right`.
fn solve_factored(factor: &Cholesky, right: &[f64]) -> Vec<f64> {
    let mut x = right.to_vec();
    factor.solve(&mut x);
    x
}
