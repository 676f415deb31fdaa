//! Numerical integration.
//!
//! | name | for |
//! |---|---|
//! | [`integrate`], [`AdaptiveParams`] | a function on a finite or infinite interval, to a tolerance |
//! | [`tanh_sinh`], [`TanhSinhParams`] | a function with singularities at the ends |
//! | [`GaussLegendre`] | a smooth function, a fixed number of points |
//! | [`GaussHermite`] | averages over a Gaussian variable, $`\int Dz\, f(z)`$ |
//! | [`integrate_tabulated`] | measured points with errors, as in thermodynamic integration |
//!
//! An integral that misses its tolerance is a result with `converged: false`, not an error. An integrand that is NaN or
//! infinite at a point is [`Error::Integrand`].

mod adaptive;
mod gauss_hermite;
mod gauss_legendre;
mod tabulated;
mod tanh_sinh;

pub use adaptive::{AdaptiveParams, integrate};
pub use gauss_hermite::GaussHermite;
pub use gauss_legendre::GaussLegendre;
pub use tabulated::{Rule, TabulatedIntegral, integrate_tabulated, tabulated_weights};
pub use tanh_sinh::{Abscissa, TanhSinhParams, tanh_sinh};

use crate::{Error, Result};

/// Largest number of points of a Gauss rule.
const MOST_POINTS: usize = 1000;

/// Value of an integral with an estimate of its error.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Integral {
    /// The integral.
    pub value: f64,
    /// Estimate of the absolute error, usually far above the true one for smooth integrands.
    pub error: f64,
    /// How often the integrand was evaluated.
    pub evaluations: usize,
    /// Whether `error` is within the tolerance.
    pub converged: bool,
}

fn check_points(n: usize) -> Result<()> {
    if (1..=MOST_POINTS).contains(&n) {
        return Ok(());
    }
    Err(Error::OutOfRange { what: "number of points", value: n as f64, low: 1.0, high: MOST_POINTS as f64 })
}

fn check_tolerance(what: &'static str, value: f64) -> Result<()> {
    if (0.0..=f64::MAX).contains(&value) {
        return Ok(());
    }
    Err(Error::OutOfRange { what, value, low: 0.0, high: f64::MAX })
}

/// A value of the integrand, which must be finite.
fn checked(at: f64, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::Integrand { at, value }) }
}
