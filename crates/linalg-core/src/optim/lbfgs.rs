//! Limited-memory BFGS.

use std::collections::VecDeque;

use crate::Result;
use crate::observe::Observer;

use super::descent::{self, Direction, Stop};
use super::line_search::LineSearchParams;
use super::{Iteration, Report, check_range, dot};

/// Parameters of the limited-memory BFGS method.
///
/// ```
/// use linalg_core::optim::LbfgsParams;
///
/// let params = LbfgsParams::default().memory(5).gradient_tolerance(1e-10);
/// let quartic = |x: &[f64], g: &mut [f64]| {
///     g[0] = 4.0 * (x[0] - 2.0).powi(3);
///     (x[0] - 2.0).powi(4)
/// };
/// let report = params.minimize(quartic, &[10.0], &mut ())?;
/// assert!(report.converged && (report.x[0] - 2.0).abs() < 1e-3);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LbfgsParams {
    /// Pairs of displacement and gradient change kept; default 10.
    pub memory: usize,
    /// Stop when no component of the gradient is larger; default 1e-8.
    pub gradient_tolerance: f64,
    /// Stop when the value falls by less than this times max(|value|, 1); default 0, which never happens.
    pub value_tolerance: f64,
    /// Largest number of iterations; default 1000.
    pub max_iterations: usize,
    /// Evaluations after which no iteration is begun; default 10 000.
    pub max_evaluations: usize,
    /// Constants of the line search; default $`c_1 = 10^{-4}`$, $`c_2 = 0.9`$.
    pub line_search: LineSearchParams,
}

impl Default for LbfgsParams {
    fn default() -> Self {
        Self {
            memory: 10,
            gradient_tolerance: 1e-8,
            value_tolerance: 0.0,
            max_iterations: 1000,
            max_evaluations: 10_000,
            line_search: LineSearchParams::default(),
        }
    }
}

impl LbfgsParams {
    /// Sets the number of pairs kept.
    pub fn memory(mut self, pairs: usize) -> Self {
        self.memory = pairs;
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
    /// The direction is $`-H_k g_k`$ with the inverse Hessian of the last `memory` steps by the two-loop recursion, scaled by
    /// $`s\cdot y / y\cdot y`$ (Liu and Nocedal, Math. Program. 45, 503 (1989)), the step from a strong Wolfe line search.
    /// Per iteration one evaluation most of the time and $`4\,n\,\mathrm{memory}`$ multiplications; memory
    /// $`2\,n\,\mathrm{memory}`$ numbers.
    ///
    /// The observer is called for the start and after each iteration; a break returns the best point so far.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) and [`Error::NotFinite`](crate::Error::NotFinite) for `x0`,
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) for a parameter, and
    /// [`Error::Objective`](crate::Error::Objective) when value or gradient are not finite at `x0`, or at every trial point of
    /// a later iteration.
    pub fn minimize<F, O>(&self, f: F, x0: &[f64], observer: &mut O) -> Result<Report>
    where
        F: FnMut(&[f64], &mut [f64]) -> f64,
        O: Observer<Iteration> + ?Sized,
    {
        check_range("memory", self.memory as f64, 1.0, f64::MAX)?;
        let stop = Stop {
            gradient_tolerance: self.gradient_tolerance,
            value_tolerance: self.value_tolerance,
            max_iterations: self.max_iterations,
            max_evaluations: self.max_evaluations,
        };
        let mut history = History { memory: self.memory, pairs: VecDeque::new() };
        descent::minimize(&mut history, &stop, &self.line_search, f, x0, observer)
    }
}

/// The last pairs, oldest first.
struct History {
    memory: usize,
    pairs: VecDeque<Pair>,
}

struct Pair {
    displacement: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (displacement · change)
    rho: f64,
}

impl Direction for History {
    fn reset(&mut self) {
        self.pairs.clear();
    }

    fn direction(&mut self, gradient: &[f64], direction: &mut [f64]) {
        direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = pair.rho * dot(&pair.displacement, direction);
            direction.iter_mut().zip(&pair.change).for_each(|(d, y)| *d -= alpha * y);
            alphas.push(alpha);
        }
        if let Some(newest) = self.pairs.back() {
            let scale = 1.0 / (newest.rho * dot(&newest.change, &newest.change));
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas.iter().rev()) {
            let beta = alpha - pair.rho * dot(&pair.change, direction);
            direction.iter_mut().zip(&pair.displacement).for_each(|(d, s)| *d += beta * s);
        }
    }

    fn update(&mut self, displacement: &[f64], before: &[f64], after: &[f64]) {
        let change: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        let curvature = dot(displacement, &change);
        // A step without the Wolfe conditions may have no positive curvature: it teaches nothing.
        if curvature <= f64::EPSILON * dot(&change, &change) * 1e-4 || !(1.0 / curvature).is_finite() {
            return;
        }
        if self.pairs.len() == self.memory {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair { displacement: displacement.to_vec(), change, rho: 1.0 / curvature });
    }

    fn first_step(&self, _last: f64, _last_slope: f64, _slope: f64) -> f64 {
        // The direction has the length of a Newton step.
        1.0
    }
}
