//! Units with a finite number of values.
#![allow(clippy::float_cmp, reason = "the values of discrete units are small integers, exact in floating point")]

use linalg_core::logspace::{ln_2cosh, log_sum_exp, sigmoid, softplus};
use linalg_core::rand::Rng;
use linalg_core::rng::uniform_open01;
use linalg_core::special::ln_binomial;

use super::{TwoState, Unit};
use crate::{Error, Result};

/// Units 0 and 1: $`\Lambda_\beta(f) = \ln(1 + e^{\beta f})`$, mean $`\sigma(\beta f)`$.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bernoulli;

/// Units -1 and 1: $`\Lambda_\beta(f) = \ln 2\cosh \beta f`$, mean $`\tanh \beta f`$.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spin;

/// Units with one of `q` states, each with its own field: $`\Lambda_\beta(f) = \ln \sum_a e^{\beta f_a}`$.
///
/// State a is the vector of q numbers with a 1 in place a. Adding a constant to all q fields of a unit changes nothing but
/// the constant of the energy.
///
/// ```
/// use boltzmann::units::{Potts, Unit};
///
/// let potts = Potts::new(3)?;
/// assert!((potts.ln_z(0, &[0.5, 0.5, 0.5], 2.0) - (1.0 + 3f64.ln())).abs() < 1e-15);
/// assert!(potts.contains(&[0.0, 1.0, 0.0]) && !potts.contains(&[1.0, 1.0, 0.0]));
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Potts {
    q: usize,
}

/// Units 0 .. n with multiplicity `n choose x`: the sum of n Bernoulli units with shared weights.
/// $`\Lambda_\beta(f) = n \ln(1 + e^{\beta f})`$.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Binomial {
    n: u32,
}

impl Potts {
    /// Units with `q` states.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `q` is from 2 to 65536.
    pub fn new(q: usize) -> Result<Self> {
        if (2..=65536).contains(&q) {
            Ok(Self { q })
        } else {
            Err(Error::Parameter { what: "number of Potts states", value: q.to_string(), expected: "2 to 65536" })
        }
    }

    /// Number of states.
    pub fn q(&self) -> usize {
        self.q
    }
}

impl Binomial {
    /// Units that count to `n`.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `n` is from 1 to 65535.
    pub fn new(n: u32) -> Result<Self> {
        if (1..=65535).contains(&n) {
            Ok(Self { n })
        } else {
            Err(Error::Parameter { what: "trials of a binomial unit", value: n.to_string(), expected: "1 to 65535" })
        }
    }

    /// The largest value.
    pub fn trials(&self) -> u32 {
        self.n
    }
}

impl Unit for Bernoulli {
    fn name(&self) -> &'static str {
        "bernoulli"
    }
    fn contains(&self, x: &[f64]) -> bool {
        x[0] == 0.0 || x[0] == 1.0
    }
    fn alphabet(&self) -> &'static str {
        "0 or 1"
    }
    fn ln_z(&self, _unit: usize, field: &[f64], beta: f64) -> f64 {
        softplus(beta * field[0])
    }
    fn mean(&self, _unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        out[0] = sigmoid(beta * field[0]);
    }
    fn sample(&self, _unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        out[0] = f64::from(uniform_open01(rng) < sigmoid(beta * field[0]));
    }
    fn mode(&self, _unit: usize, field: &[f64], out: &mut [f64]) {
        out[0] = f64::from(field[0] >= 0.0);
    }
    fn n_states(&self) -> Option<usize> {
        Some(2)
    }
    fn state(&self, state: usize, out: &mut [f64]) {
        assert!(state < 2, "state {state} of a unit with 2");
        out[0] = state as f64;
    }
}

impl TwoState for Bernoulli {
    fn of_spin(&self, spin: i8) -> f64 {
        f64::from(spin > 0)
    }
}

impl Unit for Spin {
    fn name(&self) -> &'static str {
        "spin"
    }
    fn contains(&self, x: &[f64]) -> bool {
        x[0] == 1.0 || x[0] == -1.0
    }
    fn alphabet(&self) -> &'static str {
        "-1 or 1"
    }
    fn ln_z(&self, _unit: usize, field: &[f64], beta: f64) -> f64 {
        ln_2cosh(beta * field[0])
    }
    fn mean(&self, _unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        out[0] = (beta * field[0]).tanh();
    }
    fn sample(&self, _unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        out[0] = if uniform_open01(rng) < sigmoid(2.0 * beta * field[0]) { 1.0 } else { -1.0 };
    }
    fn mode(&self, _unit: usize, field: &[f64], out: &mut [f64]) {
        out[0] = if field[0] >= 0.0 { 1.0 } else { -1.0 };
    }
    fn n_states(&self) -> Option<usize> {
        Some(2)
    }
    fn state(&self, state: usize, out: &mut [f64]) {
        assert!(state < 2, "state {state} of a unit with 2");
        out[0] = if state == 1 { 1.0 } else { -1.0 };
    }
}

impl TwoState for Spin {
    fn of_spin(&self, spin: i8) -> f64 {
        if spin > 0 { 1.0 } else { -1.0 }
    }
}

impl Unit for Potts {
    fn name(&self) -> &'static str {
        "potts"
    }
    fn width(&self) -> usize {
        self.q
    }
    fn contains(&self, x: &[f64]) -> bool {
        x.iter().all(|&x| x == 0.0 || x == 1.0) && x.iter().sum::<f64>() == 1.0
    }
    fn alphabet(&self) -> &'static str {
        "q numbers, one of them 1 and the others 0"
    }
    fn ln_z(&self, _unit: usize, field: &[f64], beta: f64) -> f64 {
        let terms: Vec<f64> = field.iter().map(|f| beta * f).collect();
        log_sum_exp(&terms)
    }
    fn mean(&self, unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        let ln_z = self.ln_z(unit, field, beta);
        for (out, f) in out.iter_mut().zip(field) {
            *out = (beta * f - ln_z).exp();
        }
    }
    fn sample(&self, unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        self.mean(unit, field, beta, out);
        let mut left = uniform_open01(rng);
        let mut chosen = self.q - 1;
        for (a, p) in out.iter().enumerate() {
            if left < *p {
                chosen = a;
                break;
            }
            left -= p;
        }
        out.fill(0.0);
        out[chosen] = 1.0;
    }
    fn mode(&self, _unit: usize, field: &[f64], out: &mut [f64]) {
        let best = (0..self.q).fold(0, |best, a| if field[a] > field[best] { a } else { best });
        out.fill(0.0);
        out[best] = 1.0;
    }
    fn n_states(&self) -> Option<usize> {
        Some(self.q)
    }
    fn state(&self, state: usize, out: &mut [f64]) {
        out.fill(0.0);
        out[state] = 1.0;
    }
}

impl Unit for Binomial {
    fn name(&self) -> &'static str {
        "binomial"
    }
    fn contains(&self, x: &[f64]) -> bool {
        x[0] >= 0.0 && x[0] <= f64::from(self.n) && x[0] == x[0].floor()
    }
    fn alphabet(&self) -> &'static str {
        "an integer from 0 to the number of trials"
    }
    fn ln_multiplicity(&self, _unit: usize, x: &[f64]) -> f64 {
        if self.contains(x) { ln_binomial(u64::from(self.n), x[0] as u64) } else { f64::NEG_INFINITY }
    }
    fn ln_z(&self, _unit: usize, field: &[f64], beta: f64) -> f64 {
        f64::from(self.n) * softplus(beta * field[0])
    }
    fn mean(&self, _unit: usize, field: &[f64], beta: f64, out: &mut [f64]) {
        out[0] = f64::from(self.n) * sigmoid(beta * field[0]);
    }
    fn sample(&self, _unit: usize, field: &[f64], beta: f64, rng: &mut dyn Rng, out: &mut [f64]) {
        let p = sigmoid(beta * field[0]);
        out[0] = (0..self.n).map(|_| f64::from(uniform_open01(rng) < p)).sum();
    }
    fn mode(&self, _unit: usize, field: &[f64], out: &mut [f64]) {
        out[0] = if field[0] >= 0.0 { f64::from(self.n) } else { 0.0 };
    }
    fn n_states(&self) -> Option<usize> {
        Some(self.n as usize + 1)
    }
    fn state(&self, state: usize, out: &mut [f64]) {
        assert!(state <= self.n as usize, "state {state} of a unit with {}", self.n + 1);
        out[0] = state as f64;
    }
}
