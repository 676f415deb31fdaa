//! Partition functions and what is known about their values.

use linalg_core::Observer;

use super::Progress;
use crate::Result;

/// How a value of ln Z relates to the true one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Kind {
    /// Equal up to rounding.
    Exact,
    /// Never above the true value; with a standard error where the bound itself was sampled.
    Lower,
    /// Never below the true value.
    Upper,
    /// A random number with the stated standard error.
    Estimate,
    /// Neither a bound nor random: Bethe, TAP, truncated tensor networks.
    Approximation {
        /// Whether the iteration reached its tolerance.
        converged: bool,
        /// What was left of the equations, or the discarded weight.
        residual: f64,
    },
}

impl Kind {
    /// The word used in output: `exact`, `lower`, `upper`, `estimate` or `approximation`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Estimate => "estimate",
            Self::Approximation { .. } => "approximation",
        }
    }
}

/// A value of `ln Z`, natural logarithm, extensive.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LnZ {
    /// The value.
    pub value: f64,
    /// Its standard error, where it is random.
    pub std_error: Option<f64>,
    /// What the value is.
    pub kind: Kind,
}

impl LnZ {
    /// An exact value.
    pub fn exact(value: f64) -> Self {
        Self { value, std_error: None, kind: Kind::Exact }
    }

    /// A random estimate with its standard error.
    pub fn estimate(value: f64, std_error: f64) -> Self {
        Self { value, std_error: Some(std_error), kind: Kind::Estimate }
    }

    /// The free energy `F = -ln Z / β`.
    pub fn free_energy(&self, beta: f64) -> f64 {
        -self.value / beta
    }
}

/// Computes `ln Z(β) = ln Σ_s exp(-βE(s))` of a model.
///
/// Object-safe for a given `M`. An implementation that draws random numbers holds its seed: two calls give one
/// answer.
///
/// ```
/// use spin_models::{Enumeration, Ising, LogPartition};
///
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let ln_z = Enumeration::default().ln_z(&pair, 0.5)?;
/// assert!((ln_z.value - (4.0 * 0.5f64.cosh()).ln()).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
pub trait LogPartition<M: ?Sized> {
    /// ln Z, with progress reports and the possibility to stop.
    ///
    /// # Errors
    /// When the solver does not apply to the model, `beta` is not finite, or the observer stops the computation
    /// ([`Error::Stopped`](crate::Error::Stopped)).
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ>;

    /// ln Z without reports.
    ///
    /// # Errors
    /// As [`ln_z_observed`](LogPartition::ln_z_observed), a stop excepted.
    fn ln_z(&self, model: &M, beta: f64) -> Result<LnZ> {
        self.ln_z_observed(model, beta, &mut ())
    }
}
