//! Minimisers over flat slices.
//!
//! | name | for |
//! |---|---|
//! | [`LbfgsParams`] | smooth functions, the default choice: limited-memory quasi-Newton |
//! | [`ConjugateGradientParams`] | smooth functions in very many dimensions, two vectors of memory |
//! | [`Sgd`], [`Adam`] | noisy gradients, one step at a time |
//! | [`find_root`], [`minimize_scalar`] | functions of one variable, without derivatives |
//! | [`line_search`](line_search::line_search) | one-dimensional search with the strong Wolfe conditions |
//! | [`finite_difference`] | checking a gradient |
//!
//! The first two take a function `f(x, gradient) -> value` that fills the gradient, a start and an
//! [`Observer`](crate::Observer) of [`Iteration`], and return a [`Report`]. Not reaching the tolerance is a field of the
//! report. A value or a gradient that is not finite at a trial point shortens the step; if no step along a direction
//! helps, the error is [`Error::Objective`](crate::Error::Objective). Everything is deterministic.
//!
//! ```
//! use linalg_core::optim::LbfgsParams;
//!
//! // (x - 1)² + 10 (y + 2)²
//! let bowl = |x: &[f64], gradient: &mut [f64]| {
//!     gradient[0] = 2.0 * (x[0] - 1.0);
//!     gradient[1] = 20.0 * (x[1] + 2.0);
//!     (x[0] - 1.0).powi(2) + 10.0 * (x[1] + 2.0).powi(2)
//! };
//! let report = LbfgsParams::default().minimize(bowl, &[0.0, 0.0], &mut ())?;
//! assert!(report.converged);
//! assert!((report.x[0] - 1.0).abs() < 1e-8 && (report.x[1] + 2.0).abs() < 1e-8);
//! # Ok::<(), linalg_core::Error>(())
//! ```

mod adam;
mod conjugate_gradient;
mod descent;
pub mod finite_difference;
mod lbfgs;
pub mod line_search;
mod scalar;
mod sgd;

pub use adam::{Adam, AdamParams};
pub use conjugate_gradient::{Beta, ConjugateGradientParams};
pub use lbfgs::LbfgsParams;
pub use scalar::{Root, ScalarMinimum, find_root, minimize_scalar};
pub use sgd::{Momentum, Sgd, SgdParams};

/// What an [`Observer`](crate::Observer) of a minimisation receives after each iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Iteration {
    /// Iterations done; 0 for the start.
    pub iteration: usize,
    /// Evaluations of the function so far.
    pub evaluations: usize,
    /// Value of the function.
    pub value: f64,
    /// Largest modulus among the components of the gradient.
    pub gradient_norm: f64,
    /// Step along the search direction; 0 for the start.
    pub step: f64,
}

/// Why a minimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum StopReason {
    /// The gradient is within its tolerance.
    Gradient,
    /// The value fell by less than its tolerance in one iteration.
    Value,
    /// The largest number of iterations was reached.
    Iterations,
    /// The largest number of evaluations was reached.
    Evaluations,
    /// No lower value was found along the direction of steepest descent: the limit of rounding, or a wrong gradient.
    LineSearch,
    /// The observer asked for it.
    Observer,
}

/// What a minimisation returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Report {
    /// The best point.
    pub x: Vec<f64>,
    /// The value there.
    pub value: f64,
    /// Largest modulus among the components of the gradient there.
    pub gradient_norm: f64,
    /// Iterations, that is, line searches that moved the point.
    pub iterations: usize,
    /// Evaluations of the function with its gradient.
    pub evaluations: usize,
    /// Whether a tolerance was met: `reason` is `Gradient` or `Value`.
    pub converged: bool,
    /// Why it ended.
    pub reason: StopReason,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn largest(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// Typed error unless `low <= value <= high`.
fn check_range(what: &'static str, value: f64, low: f64, high: f64) -> crate::Result<()> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(crate::Error::OutOfRange { what, value, low, high }) }
}

/// Typed error unless every component is finite.
fn check_gradient(gradient: &[f64]) -> crate::Result<()> {
    match gradient.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(crate::Error::NotFinite { what: "gradient", index, value: gradient[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
