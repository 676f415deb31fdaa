//! Units chosen while a program runs.

use linalg_core::rand::Rng;

use super::{Bernoulli, Binomial, DoubleRelu, Gaussian, Potts, Relu, Spin, Unit};
use crate::{Error, Result};

/// Any of the units of this crate, for programs that choose by name.
///
/// ```
/// use boltzmann::units::{Unit, UnitKind};
///
/// assert_eq!(UnitKind::parse("potts:4", 10)?.width(), 4);
/// assert!(UnitKind::parse("spline", 10).is_err());
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum UnitKind {
    /// [`Bernoulli`].
    Bernoulli(Bernoulli),
    /// [`Spin`].
    Spin(Spin),
    /// [`Potts`].
    Potts(Potts),
    /// [`Binomial`].
    Binomial(Binomial),
    /// [`Gaussian`].
    Gaussian(Gaussian),
    /// [`Relu`].
    Relu(Relu),
    /// [`DoubleRelu`].
    DoubleRelu(DoubleRelu),
}

impl UnitKind {
    /// The unit of a name, for a layer of `n` units: `bernoulli`, `spin`, `potts:Q`, `binomial:N`, `gaussian` (variance 1),
    /// `relu` (γ = 1, θ = 0), `double-relu` (γ = 1, θ = 0).
    ///
    /// # Errors
    /// [`Error::Parameter`] for another name.
    pub fn parse(name: &str, n: usize) -> Result<Self> {
        let unknown = || Error::Parameter {
            what: "unit",
            value: name.to_owned(),
            expected: "bernoulli, spin, potts:Q, binomial:N, gaussian, relu or double-relu",
        };
        let (kind, number) = match name.split_once(':') {
            Some((kind, number)) => (kind, Some(number.parse::<u32>().map_err(|_| unknown())?)),
            None => (name, None),
        };
        match (kind, number) {
            ("bernoulli", None) => Ok(Self::Bernoulli(Bernoulli)),
            ("spin", None) => Ok(Self::Spin(Spin)),
            ("potts", Some(q)) => Ok(Self::Potts(Potts::new(q as usize)?)),
            ("binomial", Some(trials)) => Ok(Self::Binomial(Binomial::new(trials)?)),
            ("gaussian", None) => Ok(Self::Gaussian(Gaussian::unit_variance(n))),
            ("relu", None) => Ok(Self::Relu(Relu::new(1.0, 0.0)?)),
            ("double-relu", None) => Ok(Self::DoubleRelu(DoubleRelu::new([1.0; 2], [0.0; 2])?)),
            _ => Err(unknown()),
        }
    }

    fn inner(&self) -> &dyn Unit {
        match self {
            Self::Bernoulli(unit) => unit,
            Self::Spin(unit) => unit,
            Self::Potts(unit) => unit,
            Self::Binomial(unit) => unit,
            Self::Gaussian(unit) => unit,
            Self::Relu(unit) => unit,
            Self::DoubleRelu(unit) => unit,
        }
    }
}

impl Unit for UnitKind {
    fn name(&self) -> &'static str {
        self.inner().name()
    }
    fn width(&self) -> usize {
        self.inner().width()
    }
    fn check(&self, n_units: usize) -> Result<()> {
        self.inner().check(n_units)
    }
    fn contains(&self, x: &[f64]) -> bool {
        self.inner().contains(x)
    }
    fn alphabet(&self) -> &'static str {
        self.inner().alphabet()
    }
    fn energy(&self, unit: usize, x: &[f64]) -> f64 {
        self.inner().energy(unit, x)
    }
    fn ln_multiplicity(&self, unit: usize, x: &[f64]) -> f64 {
        self.inner().ln_multiplicity(unit, x)
    }
    fn ln_z(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        self.inner().ln_z(unit, field, beta)
    }
    fn mean(&self, unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        self.inner().mean(unit, field, beta, out);
    }
    fn sample(&self, unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        self.inner().sample(unit, field, beta, rng, out);
    }
    fn mode(&self, unit: usize, field: &[f64], out: &mut [f64]) {
        self.inner().mode(unit, field, out);
    }
    fn n_states(&self) -> Option<usize> {
        self.inner().n_states()
    }
    fn state(&self, state: usize, out: &mut [f64]) {
        self.inner().state(state, out);
    }
    fn precision(&self, unit: usize) -> Option<f64> {
        self.inner().precision(unit)
    }
    fn precision_statistic(&self, unit: usize, x: &[f64]) -> f64 {
        self.inner().precision_statistic(unit, x)
    }
    fn precision_mean(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        self.inner().precision_mean(unit, field, beta)
    }
    fn set_precision(&mut self, unit: usize, gamma: f64) -> Result<()> {
        match self {
            Self::Gaussian(gaussian) => gaussian.set_precision(unit, gamma),
            _ => Err(Error::NotApplicable { method: "learning of precisions", reason: "the units have none" }),
        }
    }
}
