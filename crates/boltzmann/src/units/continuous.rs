//! Units with real values.

use std::f64::consts::PI;

use linalg_core::logspace::{log_add_exp, sigmoid};
use linalg_core::rand::Rng;
use linalg_core::rng::{standard_normal, uniform_open01};

use super::{Unit, half_line};
use crate::error::{check_finite, check_length};
use crate::{Error, Result};

/// Real units with `U(x) = γ x²/2`: mean `f/γ`, variance `1/(βγ)`.
///
/// The precisions γ are fixed, or learned: [`DenseParams::precision_rate`](crate::train::DenseParams::precision_rate).
///
/// ```
/// use boltzmann::units::{Gaussian, Unit};
///
/// let gaussian = Gaussian::new(vec![4.0])?;
/// let mut mean = [0.0];
/// gaussian.mean(0, &[2.0], 1.0, &mut mean);
/// assert_eq!(mean, [0.5]);
/// // ½ ln(2π/γ) + f²/(2γ)
/// assert!((gaussian.ln_z(0, &[2.0], 1.0) - (0.5 * (std::f64::consts::PI / 2.0).ln() + 0.5)).abs() < 1e-15);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Gaussian {
    precision: Vec<f64>,
}

/// Units x >= 0 with `U(x) = γ x²/2 + θ x`: a Gaussian cut off at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Relu {
    gamma: f64,
    theta: f64,
}

/// Real units with `U(x) = γ₊ x²/2 + θ₊ x` for x > 0 and `γ₋ x²/2 + θ₋ x` for x < 0.
///
/// The double-ReLU of Tubiana, Cocco and Monasson (eLife 8, e39397 (2019)): Gaussian for equal sides, a Bernoulli-like
/// pair of humps for θ₊ < 0 < θ₋.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DoubleRelu {
    gamma: [f64; 2],
    theta: [f64; 2],
}

fn check_gamma(what: &'static str, gamma: f64) -> Result<()> {
    if gamma.is_finite() && gamma > 0.0 {
        Ok(())
    } else {
        Err(Error::Parameter { what, value: gamma.to_string(), expected: "a finite number > 0" })
    }
}

impl Gaussian {
    /// Units with these precisions γ, one a unit.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless all are positive and finite.
    pub fn new(precision: Vec<f64>) -> Result<Self> {
        precision.iter().try_for_each(|&gamma| check_gamma("precision of a Gaussian unit", gamma))?;
        Ok(Self { precision })
    }

    /// `n` units of variance 1.
    pub fn unit_variance(n: usize) -> Self {
        Self { precision: vec![1.0; n] }
    }

    /// The precisions γ.
    pub fn precisions(&self) -> &[f64] {
        &self.precision
    }
}

impl Relu {
    /// Units of curvature `gamma` and threshold `theta`.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `gamma` is positive and both are finite.
    pub fn new(gamma: f64, theta: f64) -> Result<Self> {
        check_gamma("gamma of a ReLU unit", gamma)?;
        check_finite("theta of a ReLU unit", &[theta])?;
        Ok(Self { gamma, theta })
    }
}

impl DoubleRelu {
    /// Curvatures and thresholds, those of the positive side first.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the curvatures are positive and all four are finite.
    pub fn new(gamma: [f64; 2], theta: [f64; 2]) -> Result<Self> {
        gamma.iter().try_for_each(|&gamma| check_gamma("gamma of a double-ReLU unit", gamma))?;
        check_finite("theta of a double-ReLU unit", &theta)?;
        Ok(Self { gamma, theta })
    }

    /// Log-weights of both sides; the negative side is mirrored.
    fn sides(&self, f: f64, beta: f64) -> [f64; 2] {
        [
            half_line::ln_z(self.gamma[0], f - self.theta[0], beta),
            half_line::ln_z(self.gamma[1], self.theta[1] - f, beta),
        ]
    }
}

impl Unit for Gaussian {
    fn name(&self) -> &'static str {
        "gaussian"
    }
    fn check(&self, n_units: usize) -> Result<()> {
        check_length("precisions of Gaussian units", self.precision.len(), n_units)
    }
    fn contains(&self, x: &[f64]) -> bool {
        x[0].is_finite()
    }
    fn alphabet(&self) -> &'static str {
        "a finite number"
    }
    fn energy(&self, unit: usize, x: &[f64]) -> f64 {
        0.5 * self.precision[unit] * x[0] * x[0]
    }
    fn ln_z(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        let gamma = self.precision[unit];
        0.5 * (2.0 * PI / (beta * gamma)).ln() + 0.5 * beta * field[0] * field[0] / gamma
    }
    fn mean(&self, unit: usize, field: &[f64], _beta: f64, out: &mut [f64]) {
        out[0] = field[0] / self.precision[unit];
    }
    fn sample(&self, unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        let gamma = self.precision[unit];
        out[0] = field[0] / gamma + standard_normal(rng) / (beta * gamma).sqrt();
    }
    fn mode(&self, unit: usize, field: &[f64], out: &mut [f64]) {
        out[0] = field[0] / self.precision[unit];
    }
    fn precision(&self, unit: usize) -> Option<f64> {
        Some(self.precision[unit])
    }
    fn set_precision(&mut self, unit: usize, gamma: f64) -> Result<()> {
        check_gamma("precision of a Gaussian unit", gamma)?;
        self.precision[unit] = gamma;
        Ok(())
    }
    fn precision_statistic(&self, _unit: usize, x: &[f64]) -> f64 {
        0.5 * x[0] * x[0]
    }
    fn precision_mean(&self, unit: usize, field: &[f64], beta: f64) -> f64 {
        let gamma = self.precision[unit];
        0.5 * ((field[0] / gamma).powi(2) + 1.0 / (beta * gamma))
    }
}

impl Unit for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }
    fn contains(&self, x: &[f64]) -> bool {
        x[0].is_finite() && x[0] >= 0.0
    }
    fn alphabet(&self) -> &'static str {
        "a finite number >= 0"
    }
    fn energy(&self, _unit: usize, x: &[f64]) -> f64 {
        0.5 * self.gamma * x[0] * x[0] + self.theta * x[0]
    }
    fn ln_z(&self, _unit: usize, field: &[f64], beta: f64) -> f64 {
        half_line::ln_z(self.gamma, field[0] - self.theta, beta)
    }
    fn mean(&self, _unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        out[0] = half_line::mean(self.gamma, field[0] - self.theta, beta);
    }
    fn sample(&self, _unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        out[0] = half_line::sample(self.gamma, field[0] - self.theta, beta, rng);
    }
    fn mode(&self, _unit: usize, field: &[f64], out: &mut [f64]) {
        out[0] = ((field[0] - self.theta) / self.gamma).max(0.0);
    }
}

impl Unit for DoubleRelu {
    fn name(&self) -> &'static str {
        "double-relu"
    }
    fn contains(&self, x: &[f64]) -> bool {
        x[0].is_finite()
    }
    fn alphabet(&self) -> &'static str {
        "a finite number"
    }
    fn energy(&self, _unit: usize, x: &[f64]) -> f64 {
        let side = usize::from(x[0] < 0.0);
        0.5 * self.gamma[side] * x[0] * x[0] + self.theta[side] * x[0]
    }
    fn ln_z(&self, _unit: usize, field: &[f64], beta: f64) -> f64 {
        let [positive, negative] = self.sides(field[0], beta);
        log_add_exp(positive, negative)
    }
    fn mean(&self, _unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        let [positive, negative] = self.sides(field[0], beta);
        let p = sigmoid(positive - negative);
        out[0] = p * half_line::mean(self.gamma[0], field[0] - self.theta[0], beta)
            - (1.0 - p) * half_line::mean(self.gamma[1], self.theta[1] - field[0], beta);
    }
    fn sample(&self, _unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        let [positive, negative] = self.sides(field[0], beta);
        out[0] = if uniform_open01(rng) < sigmoid(positive - negative) {
            half_line::sample(self.gamma[0], field[0] - self.theta[0], beta, rng)
        } else {
            -half_line::sample(self.gamma[1], self.theta[1] - field[0], beta, rng)
        };
    }
    fn mode(&self, _unit: usize, field: &[f64], out: &mut [f64]) {
        let positive = ((field[0] - self.theta[0]) / self.gamma[0]).max(0.0);
        let negative = ((field[0] - self.theta[1]) / self.gamma[1]).min(0.0);
        let gain = |x: f64| field[0] * x - self.energy(0, &[x]);
        out[0] = if gain(positive) >= gain(negative) { positive } else { negative };
    }
}
