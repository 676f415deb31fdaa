//! Stochastic gradient descent.

use crate::Result;
use crate::checkpoint::{CheckpointError, Reader, Writer};

use super::{check_gradient, check_range};

/// Use of past gradients.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Momentum {
    /// The gradient alone.
    #[default]
    None,
    /// $`v \leftarrow \mu v + g`$, step along $`v`$ (Polyak, 1964).
    Heavy(f64),
    /// $`v \leftarrow \mu v + g`$, step along $`g + \mu v`$ (Nesterov's method in the form of Sutskever et al., ICML 2013).
    Nesterov(f64),
}

impl Momentum {
    fn coefficient(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Heavy(mu) | Self::Nesterov(mu) => mu,
        }
    }
}

/// Parameters of stochastic gradient descent.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SgdParams {
    /// Step size $`\eta`$; default 0.01.
    pub learning_rate: f64,
    /// Use of past gradients; default none.
    pub momentum: Momentum,
    /// $`\lambda`$ of the term $`\tfrac\lambda2 |x|^2`$ added to the objective; default 0.
    pub weight_decay: f64,
}

impl Default for SgdParams {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: Momentum::None, weight_decay: 0.0 }
    }
}

impl SgdParams {
    /// Sets the step size.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the use of past gradients.
    pub fn momentum(mut self, momentum: Momentum) -> Self {
        self.momentum = momentum;
        self
    }

    /// Sets the weight decay.
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = decay;
        self
    }

    fn validate(&self) -> Result<()> {
        check_range("learning_rate", self.learning_rate, 0.0, f64::MAX)?;
        check_range("momentum", self.momentum.coefficient(), 0.0, 1.0 - f64::EPSILON)?;
        check_range("weight_decay", self.weight_decay, 0.0, f64::MAX)
    }
}

/// Stochastic gradient descent with momentum and weight decay, one step at a time.
///
/// ```
/// use linalg_core::optim::{Momentum, Sgd, SgdParams};
///
/// let params = SgdParams::default().learning_rate(0.5).momentum(Momentum::Heavy(0.5));
/// let mut sgd = Sgd::new(params, 1)?;
/// let mut x = [4.0];
/// sgd.step(&mut x, &[2.0])?; // v = 2, x = 4 - 1
/// assert_eq!(x, [3.0]);
/// sgd.step(&mut x, &[2.0])?; // v = 3, x = 3 - 1.5
/// assert_eq!(x, [1.5]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sgd {
    params: SgdParams,
    velocity: Vec<f64>,
}

impl Sgd {
    /// A stepper for `n` parameters.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange): the learning rate and the weight decay must be finite and not
    /// negative, the momentum in `[0, 1)`.
    pub fn new(params: SgdParams, n: usize) -> Result<Self> {
        params.validate()?;
        Ok(Self { params, velocity: vec![0.0; n] })
    }

    /// The parameters.
    pub fn params(&self) -> &SgdParams {
        &self.params
    }

    /// Changes the step size, for schedules.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) for a rate that is negative or not finite.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        let changed = self.params.learning_rate(rate);
        changed.validate()?;
        self.params = changed;
        Ok(())
    }

    /// One step along the gradient of the objective.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) for a bad component of the gradient; nothing is changed then.
    ///
    /// # Panics
    /// When `x` or `gradient` do not have `n` components.
    pub fn step(&mut self, x: &mut [f64], gradient: &[f64]) -> Result<()> {
        let n = self.velocity.len();
        assert!(
            x.len() == n && gradient.len() == n,
            "{} parameters and {} derivatives, expected {n}",
            x.len(),
            gradient.len()
        );
        check_gradient(gradient)?;
        let SgdParams { learning_rate, momentum, weight_decay } = self.params;
        let mu = momentum.coefficient();
        // The share of the new gradient beside the velocity in the step.
        let ahead = matches!(momentum, Momentum::Nesterov(_));
        for ((x, g), v) in x.iter_mut().zip(gradient).zip(&mut self.velocity) {
            let g = g + weight_decay * *x;
            *v = mu * *v + g;
            *x -= learning_rate * if ahead { g + mu * *v } else { *v };
        }
        Ok(())
    }

    /// Appends learning rate and velocity to a checkpoint.
    pub fn save(&self, writer: &mut Writer) {
        writer.write_f64(self.params.learning_rate).write_f64s(&self.velocity);
    }

    /// Restores what [`save`](Self::save) wrote, into a stepper made with the same parameters and `n`.
    ///
    /// # Errors
    /// [`CheckpointError`]; nothing is changed then.
    pub fn restore(&mut self, reader: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        let at = reader.position();
        let params = self.params.learning_rate(reader.read_f64()?);
        params.validate().map_err(|_| CheckpointError::Invalid { what: "learning rate", at })?;
        reader.read_f64s_into(&mut self.velocity)?;
        self.params = params;
        Ok(())
    }
}
