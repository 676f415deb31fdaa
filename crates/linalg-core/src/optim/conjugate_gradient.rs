//! Nonlinear conjugate gradients.

use crate::Result;
use crate::observe::Observer;

use super::descent::{self, Direction, Stop};
use super::line_search::LineSearchParams;
use super::{Iteration, Report, dot};

/// How much of the last direction enters the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Beta {
    /// $`\max(0, g_{k+1}\cdot y_k / g_k\cdot g_k)`$ with $`y_k = g_{k+1} - g_k`$ (Polak and Ribière, 1969; truncation of Gilbert
    /// and Nocedal, SIAM J. Optim. 2, 21 (1992)).
    #[default]
    PolakRibierePlus,
    /// $`(y_k - 2 d_k \frac{y_k\cdot y_k}{d_k\cdot y_k}) \cdot \frac{g_{k+1}}{d_k\cdot y_k}`$, bounded from below: a descent direction
    /// for every line search (Hager and Zhang, SIAM J. Optim. 16, 170 (2005), Eqs. (1.3), (1.6)).
    HagerZhang,
}

/// Parameters of the nonlinear conjugate-gradient method.
///
/// ```
/// use linalg_core::optim::{Beta, ConjugateGradientParams};
///
/// // x² + 100 y²
/// let bowl = |x: &[f64], g: &mut [f64]| {
///     (g[0], g[1]) = (2.0 * x[0], 200.0 * x[1]);
///     x[0] * x[0] + 100.0 * x[1] * x[1]
/// };
/// let params = ConjugateGradientParams::default().beta(Beta::HagerZhang);
/// let report = params.minimize(bowl, &[1.0, 1.0], &mut ())?;
/// assert!(report.converged && report.value < 1e-16);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ConjugateGradientParams {
    /// The update rule; default Polak-Ribière+.
    pub beta: Beta,
    /// Stop when no component of the gradient is larger; default 1e-8.
    pub gradient_tolerance: f64,
    /// Stop when the value falls by less than this times max(|value|, 1); default 0, which never happens.
    pub value_tolerance: f64,
    /// Largest number of iterations; default 10 000.
    pub max_iterations: usize,
    /// Evaluations after which no iteration is begun; default 100 000.
    pub max_evaluations: usize,
    /// Constants of the line search; default $`c_1 = 10^{-4}`$, $`c_2 = 0.1`$.
    pub line_search: LineSearchParams,
}

impl Default for ConjugateGradientParams {
    fn default() -> Self {
        Self {
            beta: Beta::default(),
            gradient_tolerance: 1e-8,
            value_tolerance: 0.0,
            max_iterations: 10_000,
            max_evaluations: 100_000,
            line_search: LineSearchParams::default().curvature(0.1),
        }
    }
}

impl ConjugateGradientParams {
    /// Sets the update rule.
    pub fn beta(mut self, beta: Beta) -> Self {
        self.beta = beta;
        self
    }

    /// Sets the tolerance of the gradient.
    pub fn gradient_tolerance(mut self, tolerance: f64) -> Self {
        self.gradient_tolerance = tolerance;
        self
    }

    /// Sets the tolerance of the value.
    pub fn value_tolerance(mut self, tolerance: f64) -> Self {
        self.value_tolerance = tolerance;
        self
    }

    /// Sets the largest number of iterations.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// Sets the largest number of evaluations.
    pub fn max_evaluations(mut self, evaluations: usize) -> Self {
        self.max_evaluations = evaluations;
        self
    }

    /// Sets the constants of the line search.
    pub fn line_search(mut self, params: LineSearchParams) -> Self {
        self.line_search = params;
        self
    }

    /// Minimises `f(x, gradient) -> value` from `x0`.
    ///
    /// Directions $`d_{k+1} = -g_{k+1} + \beta_k d_k`$ with a strong Wolfe line search; steepest descent again when two
    /// successive gradients are far from orthogonal (Powell, 1977) or the direction does not descend. About two evaluations
    /// an iteration; memory of a few vectors.
    ///
    /// # Errors
    /// As [`LbfgsParams::minimize`](super::LbfgsParams::minimize).
    pub fn minimize<F, O>(&self, f: F, x0: &[f64], observer: &mut O) -> Result<Report>
    where
        F: FnMut(&[f64], &mut [f64]) -> f64,
        O: Observer<Iteration> + ?Sized,
    {
        let stop = Stop {
            gradient_tolerance: self.gradient_tolerance,
            value_tolerance: self.value_tolerance,
            max_iterations: self.max_iterations,
            max_evaluations: self.max_evaluations,
        };
        let mut state = State { beta: self.beta, last: Vec::new(), factor: 0.0 };
        descent::minimize(&mut state, &stop, &self.line_search, f, x0, observer)
    }
}

/// The last direction (up to the step, which cancels) and its share in the next.
struct State {
    beta: Beta,
    last: Vec<f64>,
    factor: f64,
}

impl Direction for State {
    fn reset(&mut self) {
        self.factor = 0.0;
        self.last.clear();
    }

    fn direction(&mut self, gradient: &[f64], direction: &mut [f64]) {
        // `direction` still holds the last one.
        for (d, g) in direction.iter_mut().zip(gradient) {
            *d = if self.factor == 0.0 { -g } else { self.factor * *d - g };
        }
        self.last.clear();
        self.last.extend_from_slice(direction);
    }

    fn update(&mut self, _displacement: &[f64], before: &[f64], after: &[f64]) {
        let change: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        let squared = dot(before, before);
        let norm = dot(after, after);
        let beta = match self.beta {
            Beta::PolakRibierePlus if dot(after, before).abs() >= 0.2 * norm => 0.0,
            Beta::PolakRibierePlus => (dot(after, &change) / squared).max(0.0),
            Beta::HagerZhang if self.last.is_empty() => 0.0,
            Beta::HagerZhang => {
                let along = dot(&self.last, &change);
                let beta = (dot(&change, after) - 2.0 * dot(&change, &change) * dot(&self.last, after) / along) / along;
                let length = dot(&self.last, &self.last).sqrt();
                beta.max(-1.0 / (length * squared.sqrt().min(0.01)))
            }
        };
        self.factor = if beta.is_finite() { beta } else { 0.0 };
    }

    fn first_step(&self, last: f64, last_slope: f64, slope: f64) -> f64 {
        // The same first-order change as in the last step.
        last * last_slope / slope
    }
}
