//! The convex dual of maximum entropy, by Newton's method.

use linalg_core::cholesky::Cholesky;

use super::exact;
use super::face::{self, Face};
use crate::Result;

/// Parameters beyond this mean a minimum at infinity.
const LARGEST_PARAMETER: f64 = 50.0;
/// Parameters are found when another step changes the ratio of two probabilities by a factor less than this from 1.
const SETTLED: f64 = 1e-6;
/// On a face each step changes ratios of probabilities by about e, and by more than this.
const DRIFTING: f64 = 1e-3;

/// The minimum over λ of `ln Z(λ) - Σ λ_a ⟨f_a⟩ + ½ Σ γ_a λ_a²` for products of spins `f_a`; γ is a Gaussian prior.
pub(super) struct Dual<'a> {
    pub n_spins: usize,
    /// The sets of spins.
    pub masks: &'a [u32],
    /// `⟨f_a⟩`, between -1 and 1.
    pub averages: &'a [f64],
    /// `γ_a`, or nothing for no prior.
    pub prior: &'a [f64],
    /// Largest derivative that counts as 0.
    pub tolerance: f64,
    pub max_iterations: usize,
}

/// Where [`Dual::minimize`] ended.
pub(super) struct Minimum {
    pub parameters: Vec<f64>,
    pub ln_z: f64,
    /// The value of the dual, prior included.
    pub value: f64,
    /// Averages of all products of spins, by mask.
    pub moments: Vec<f64>,
    pub iterations: usize,
    /// The largest derivative.
    pub residual: f64,
    /// Where parameters go, if the minimum is at infinity.
    pub face: Option<Face>,
}

impl Dual<'_> {
    /// Newton's method with halved steps from these parameters; `n 2^n` operations an iteration and the solution of its equations.
    ///
    /// On a face of the marginal polytope every step divides the probabilities outside of it by about e, so that derivatives fall
    /// to any tolerance; inside, what is left of the last step is its square. A step that is still large ends the search only if
    /// it is normal to a face, else the search goes on below the tolerance. A prior keeps all parameters finite.
    ///
    /// # Errors
    /// Those of the factorisation.
    pub fn minimize(&self, mut parameters: Vec<f64>) -> Result<Minimum> {
        let prior = |a: usize| self.prior.get(a).copied().unwrap_or(0.0);
        let bounded = self.prior.iter().any(|&strength| strength > 0.0);
        let dual = |parameters: &[f64], ln_z: f64| {
            let terms = parameters.iter().zip(self.averages).enumerate();
            ln_z + terms.map(|(a, (x, average))| x * (0.5 * prior(a) * x - average)).sum::<f64>()
        };
        let gradient = |parameters: &[f64], moments: &[f64]| -> Vec<f64> {
            let terms = self.masks.iter().zip(self.averages).zip(parameters).enumerate();
            terms.map(|(a, ((&mask, average), x))| moments[mask as usize] - average + prior(a) * x).collect()
        };
        let largest = |x: &[f64]| x.iter().fold(0.0f64, |r, x| r.max(x.abs()));
        let normal_to = |direction: &[f64]| Face::normal_to(direction, self.n_spins, self.masks, self.averages);
        let (table, mut ln_z) = exact::probabilities(self.n_spins, self.masks, &parameters);
        let mut moments = exact::moments(table);
        let mut slopes = gradient(&parameters, &moments);
        let (mut residual, mut iterations, mut found) = (largest(&slopes), 0, None);
        let (mut before, mut looked_at) = (f64::INFINITY, f64::INFINITY);
        while iterations < self.max_iterations {
            let within = residual <= self.tolerance;
            if within && bounded {
                break;
            }
            let mut direction: Vec<f64> = slopes.iter().map(|g| -g).collect();
            fisher_factor(self.masks, &moments, self.prior)?.solve(&mut direction);
            if within {
                let change = face::spread(&direction, self.n_spins, self.masks);
                if change <= SETTLED {
                    break;
                }
                // What does not fall any more is rounding.
                let last = residual >= before;
                if change > DRIFTING && (last || residual <= 0.1 * looked_at) {
                    looked_at = residual;
                    found = normal_to(&direction)?;
                }
                if last || found.is_some() {
                    break;
                }
            }
            iterations += 1;
            before = residual;
            let slope: f64 = slopes.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let value = dual(&parameters, ln_z);
            let mut step = 1.0;
            moments = loop {
                let moved: Vec<f64> = parameters.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
                let (new_table, new_ln_z) = exact::probabilities(self.n_spins, self.masks, &moved);
                if dual(&moved, new_ln_z) <= value + 1e-4 * step * slope + 1e-13 * value.abs().max(1.0) || step < 1e-9 {
                    (parameters, ln_z) = (moved, new_ln_z);
                    break exact::moments(new_table);
                }
                step *= 0.5;
            };
            slopes = gradient(&parameters, &moments);
            residual = largest(&slopes);
            if parameters.iter().any(|x| x.is_nan() || x.abs() >= LARGEST_PARAMETER) {
                found = match normal_to(&direction)? {
                    None => normal_to(&parameters)?,
                    face => face,
                };
                let far = || Face::along(parameters.clone(), self.n_spins, self.masks, self.averages);
                found = found.or_else(|| Some(far()));
                break;
            }
        }
        let value = dual(&parameters, ln_z);
        Ok(Minimum { parameters, ln_z, value, moments, iterations, residual, face: found })
    }
}

/// The Fisher information `⟨f_a f_b⟩ - ⟨f_a⟩⟨f_b⟩` and the prior: the product of two statistics is that over the symmetric
/// difference.
pub(super) fn fisher_factor(masks: &[u32], moments: &[f64], prior: &[f64]) -> Result<Cholesky> {
    let p = masks.len();
    let mut matrix = vec![0.0; p * p];
    for (a, &x) in masks.iter().enumerate() {
        for (b, &y) in masks.iter().enumerate() {
            matrix[a * p + b] = moments[(x ^ y) as usize] - moments[x as usize] * moments[y as usize];
        }
        matrix[a * p + a] += prior.get(a).copied().unwrap_or(0.0);
    }
    match Cholesky::new(matrix.clone(), p) {
        Ok(factor) => Ok(factor),
        Err(_) => {
            // At the edge of the polytope a statistic hardly fluctuates.
            (0..p).for_each(|a| matrix[a * p + a] += 1e-10);
            Ok(Cholesky::new(matrix, p)?)
        }
    }
}
