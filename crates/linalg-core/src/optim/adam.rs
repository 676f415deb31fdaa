//! Adam with decoupled weight decay.

use crate::Result;
use crate::checkpoint::{CheckpointError, Reader, Writer};
use crate::simd::{Work, widest};

use super::{check_gradient, check_range};

/// Parameters of Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AdamParams {
    /// Step size $`\eta`$; default 0.001.
    pub learning_rate: f64,
    /// Decay $`\beta_1`$ of the mean gradient; default 0.9.
    pub beta1: f64,
    /// Decay $`\beta_2`$ of the mean squared gradient; default 0.999.
    pub beta2: f64,
    /// $`\epsilon`$ added to the root of the mean square; default 1e-8.
    pub epsilon: f64,
    /// Decoupled weight decay $`\lambda`$ (AdamW); default 0.
    pub weight_decay: f64,
}

impl Default for AdamParams {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl AdamParams {
    /// Sets the step size.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the decays of the mean gradient and of its square.
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        (self.beta1, self.beta2) = (beta1, beta2);
        self
    }

    /// Sets the number added to the root of the mean square.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Sets the weight decay.
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.weight_decay = decay;
        self
    }

    fn validate(&self) -> Result<()> {
        check_range("learning_rate", self.learning_rate, 0.0, f64::MAX)?;
        check_range("beta1", self.beta1, 0.0, 1.0 - f64::EPSILON)?;
        check_range("beta2", self.beta2, 0.0, 1.0 - f64::EPSILON)?;
        // Zero would divide 0 by 0 for a gradient that has always been 0.
        check_range("epsilon", self.epsilon, f64::MIN_POSITIVE, f64::MAX)?;
        check_range("weight_decay", self.weight_decay, 0.0, f64::MAX)
    }
}

/// Adam, one step at a time, with decoupled weight decay (AdamW).
///
/// ```math
/// m \leftarrow \beta_1 m + (1-\beta_1) g, \quad v \leftarrow \beta_2 v + (1-\beta_2) g^2, \quad
/// x \leftarrow x - \eta \left( \frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon} + \lambda x \right)
/// ```
///
/// (Kingma and Ba, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter, arXiv:1711.05101, algorithm 2 with schedule 1
/// and the decay multiplied by the learning rate.)
///
/// ```
/// use linalg_core::optim::{Adam, AdamParams};
///
/// let mut adam = Adam::new(AdamParams::default().learning_rate(0.1), 2)?;
/// let mut x = [1.0, 1.0];
/// adam.step(&mut x, &[1e-3, -50.0])?; // the first step is the sign of the gradient
/// assert!((x[0] - 0.9).abs() < 1e-5 && (x[1] - 1.1).abs() < 1e-5);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adam {
    params: AdamParams,
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: u64,
}

impl Adam {
    /// A stepper for `n` parameters.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange): learning rate and weight decay must be finite and not negative,
    /// the decays in `[0, 1)`, epsilon positive.
    pub fn new(params: AdamParams, n: usize) -> Result<Self> {
        params.validate()?;
        Ok(Self { params, mean: vec![0.0; n], square: vec![0.0; n], steps: 0 })
    }

    /// The parameters.
    pub fn params(&self) -> &AdamParams {
        &self.params
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
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
        let n = self.mean.len();
        assert!(
            x.len() == n && gradient.len() == n,
            "{} parameters and {} derivatives, expected {n}",
            x.len(),
            gradient.len()
        );
        check_gradient(gradient)?;
        self.steps += 1;
        let params = self.params;
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let mean_scale = 1.0 / (1.0 - params.beta1.powi(power));
        let square_scale = 1.0 / (1.0 - params.beta2.powi(power));
        widest(Update {
            x,
            gradient,
            mean: &mut self.mean,
            square: &mut self.square,
            params,
            mean_scale,
            square_scale,
        });
        Ok(())
    }

    /// Appends learning rate, moments and step count to a checkpoint.
    pub fn save(&self, writer: &mut Writer) {
        writer
            .write_f64(self.params.learning_rate)
            .write_u64(self.steps)
            .write_f64s(&self.mean)
            .write_f64s(&self.square);
    }

    /// Restores what [`save`](Self::save) wrote, into a stepper made with the same parameters and `n`.
    ///
    /// # Errors
    /// [`CheckpointError`]; nothing is changed then.
    pub fn restore(&mut self, reader: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        let at = reader.position();
        let params = self.params.learning_rate(reader.read_f64()?);
        params.validate().map_err(|_| CheckpointError::Invalid { what: "learning rate", at })?;
        let steps = reader.read_count()?;
        let mut restored = Self { params, steps, ..self.clone() };
        reader.read_f64s_into(&mut restored.mean)?;
        reader.read_f64s_into(&mut restored.square)?;
        *self = restored;
        Ok(())
    }
}

/// One step for all parameters.
struct Update<'a> {
    x: &'a mut [f64],
    gradient: &'a [f64],
    mean: &'a mut [f64],
    square: &'a mut [f64],
    params: AdamParams,
    mean_scale: f64,
    square_scale: f64,
}

impl Work for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let AdamParams { learning_rate, beta1, beta2, epsilon, weight_decay } = self.params;
        // The moments of a parameter whose gradient is 0 from some step on would end as subnormal numbers and stay there; each
        // operation on one takes a hundred times as long.
        let normal = |x: f64| if x.abs() < f64::MIN_POSITIVE { 0.0 } else { x };
        let moments = self.mean.iter_mut().zip(self.square);
        for ((x, g), (m, v)) in self.x.iter_mut().zip(self.gradient).zip(moments) {
            *m = normal(beta1 * *m + (1.0 - beta1) * g);
            *v = normal(beta2 * *v + (1.0 - beta2) * g * g);
            let step = *m * self.mean_scale / ((*v * self.square_scale).sqrt() + epsilon);
            *x -= learning_rate * (step + weight_decay * *x);
        }
    }
}
