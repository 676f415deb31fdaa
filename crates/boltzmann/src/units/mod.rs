//! Kinds of units: what a variable of a layer can be.
//!
//! A unit in a field $`f`$ has the weight $`m(x)\, e^{\beta (f \cdot x - U(x))}`$, with $`U`$ its own energy and $`m`$
//! a multiplicity (1 but for the binomial unit). Everything a machine needs follows from the function
//!
//! ```math
//! \Lambda_\beta(f) = \ln \sum_x m(x)\, e^{\beta (f \cdot x - U(x))}
//! ```
//!
//! (an integral for continuous units) and a way to sample. A user adds a unit by implementing [`Unit`].
//!
//! | unit | values | `U(x)` | width |
//! |---|---|---|---|
//! | [`Bernoulli`] | 0, 1 | 0 | 1 |
//! | [`Spin`] | -1, 1 | 0 | 1 |
//! | [`Potts`] | one of q, as q numbers of which one is 1 | 0 | q |
//! | [`Binomial`] | 0 .. n, multiplicity `n choose x` | 0 | 1 |
//! | [`Gaussian`] | real | `γ x² / 2` | 1 |
//! | [`Relu`] | x >= 0 | `γ x² / 2 + θ x` | 1 |
//! | [`DoubleRelu`] | real | `γ x² / 2 + θ x` with its own γ and θ on each side of 0 | 1 |

mod continuous;
mod discrete;
mod half_line;
mod kind;

pub use continuous::{DoubleRelu, Gaussian, Relu};
pub use discrete::{Bernoulli, Binomial, Potts, Spin};
pub use kind::UnitKind;

use linalg_core::rand::Rng;

use crate::Result;

/// A layer of units of one kind. Object-safe.
///
/// A unit is described by [`width`](Self::width) numbers, 1 but for [`Potts`]. Methods get the number of the unit, so that
/// units of a layer may have parameters of their own. The inverse temperature multiplies the field and the unit's energy,
/// not the multiplicity.
///
/// ```
/// use boltzmann::units::{Bernoulli, Spin, Unit};
///
/// // 1 + e^{βf} with βf = ln 3, and 2 cosh βf.
/// assert!((Bernoulli.ln_z(0, &[3f64.ln()], 1.0) - 4f64.ln()).abs() < 1e-15);
/// assert!((Spin.ln_z(0, &[3f64.ln()], 1.0) - (10.0f64 / 3.0).ln()).abs() < 1e-15);
/// let mut mean = [0.0];
/// Bernoulli.mean(0, &[3f64.ln()], 1.0, &mut mean);
/// assert!((mean[0] - 0.75).abs() < 1e-15);
/// ```
pub trait Unit: Send + Sync {
    /// Name of the kind, as the examples take it on their command line.
    fn name(&self) -> &'static str;

    /// Numbers that describe one unit.
    fn width(&self) -> usize {
        1
    }

    /// Checks the unit's own parameters for a layer of `n_units`.
    ///
    /// # Errors
    /// When there are too few or too many of them, or one lies outside its range.
    fn check(&self, n_units: usize) -> Result<()> {
        let _ = n_units;
        Ok(())
    }

    /// Whether a unit may have the value `x`.
    fn contains(&self, x: &[f64]) -> bool;

    /// In words, the values a unit may have.
    fn alphabet(&self) -> &'static str;

    /// The unit's own energy `U(x)`.
    fn energy(&self, unit: usize, x: &[f64]) -> f64 {
        let _ = (unit, x);
        0.0
    }

    /// `ln m(x)`.
    fn ln_multiplicity(&self, unit: usize, x: &[f64]) -> f64 {
        let _ = (unit, x);
        0.0
    }

    /// $`\Lambda_\beta(f)`$; infinite where the weight cannot be normalised.
    fn ln_z(&self, unit: usize, field: &[f64], beta: f64) -> f64;

    /// The mean of `x`, the gradient of $`\Lambda_\beta(f)/\beta`$.
    fn mean(&self, unit: usize, field: &[f64], beta: f64, out: &mut [f64]);

    /// A random value.
    fn sample(&self, unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]);

    /// The value of lowest `U(x) - f · x`, the limit of infinite β; ties go to the larger value, or the first state.
    fn mode(&self, unit: usize, field: &[f64], out: &mut [f64]);

    /// Number of values, where it is finite.
    fn n_states(&self) -> Option<usize> {
        None
    }

    /// Writes value number `state`.
    ///
    /// # Panics
    /// If the unit has no finite number of states, or `state` is not below it.
    fn state(&self, state: usize, out: &mut [f64]) {
        let _ = out;
        panic!("units of kind {} have no state number {state}", self.name());
    }

    /// The curvature γ at infinity, where the energy grows quadratically on both sides with one γ; `None` elsewhere.
    ///
    /// Machines use it to see whether their energy has a lower bound.
    fn precision(&self, unit: usize) -> Option<f64> {
        let _ = unit;
        None
    }

    /// Changes the precision γ of a unit, for units whose precision can be learned.
    ///
    /// # Errors
    /// [`Error::NotApplicable`](crate::Error::NotApplicable) for other units, [`Error::Parameter`](crate::Error::Parameter) unless γ
    /// is positive and finite.
    fn set_precision(&mut self, unit: usize, gamma: f64) -> Result<()> {
        let _ = (unit, gamma);
        Err(crate::Error::NotApplicable { method: "learning of precisions", reason: "the units have none" })
    }

    /// `∂U/∂γ` at `x` for units whose precision can be learned; 0 elsewhere.
    fn precision_statistic(&self, unit: usize, x: &[f64]) -> f64 {
        let _ = (unit, x);
        0.0
    }

    /// The mean of [`precision_statistic`](Self::precision_statistic) in a field.
    fn precision_mean(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        let _ = (unit, field, beta);
        0.0
    }
}

/// Units of two states, which the ±1 world of `spin-models` can stand for: bit 1 is spin +1.
pub trait TwoState: Unit {
    /// The value of a spin: 0 and 1, or -1 and 1.
    fn of_spin(&self, spin: i8) -> f64;
}

impl<U: Unit + ?Sized> Unit for Box<U> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn width(&self) -> usize {
        (**self).width()
    }
    fn check(&self, n_units: usize) -> Result<()> {
        (**self).check(n_units)
    }
    fn contains(&self, x: &[f64]) -> bool {
        (**self).contains(x)
    }
    fn alphabet(&self) -> &'static str {
        (**self).alphabet()
    }
    fn energy(&self, unit: usize, x: &[f64]) -> f64 {
        (**self).energy(unit, x)
    }
    fn ln_multiplicity(&self, unit: usize, x: &[f64]) -> f64 {
        (**self).ln_multiplicity(unit, x)
    }
    fn ln_z(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        (**self).ln_z(unit, field, beta)
    }
    fn mean(&self, unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        (**self).mean(unit, field, beta, out);
    }
    fn sample(&self, unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        (**self).sample(unit, field, beta, rng, out);
    }
    fn mode(&self, unit: usize, field: &[f64], out: &mut [f64]) {
        (**self).mode(unit, field, out);
    }
    fn n_states(&self) -> Option<usize> {
        (**self).n_states()
    }
    fn state(&self, state: usize, out: &mut [f64]) {
        (**self).state(state, out);
    }
    fn precision(&self, unit: usize) -> Option<f64> {
        (**self).precision(unit)
    }
    fn precision_statistic(&self, unit: usize, x: &[f64]) -> f64 {
        (**self).precision_statistic(unit, x)
    }
    fn precision_mean(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        (**self).precision_mean(unit, field, beta)
    }
    fn set_precision(&mut self, unit: usize, gamma: f64) -> Result<()> {
        (**self).set_precision(unit, gamma)
    }
}
