//! Learning on the way: momentum with friction.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

use crate::{Error, Result};

/// How a predictor goes on learning from each step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FrictionParams {
    /// Memory H in steps; infinite for an average over all steps. Default infinite.
    pub horizon: f64,
    /// What a step leaves of the velocity, c; 1 would conserve it, 0 is gradient descent. Default 0.5.
    pub persistence: f64,
    /// Steps that count as seen before the first; default 100.
    pub seen: f64,
    /// No number moves further in a step; default 0.1.
    pub largest_step: f64,
}

impl Default for FrictionParams {
    fn default() -> Self {
        Self { horizon: f64::INFINITY, persistence: 0.5, seen: 100.0, largest_step: 0.1 }
    }
}

impl FrictionParams {
    /// Sets H.
    pub fn horizon(mut self, steps: f64) -> Self {
        self.horizon = steps;
        self
    }

    /// Sets c.
    pub fn persistence(mut self, c: f64) -> Self {
        self.persistence = c;
        self
    }

    /// Sets the number of steps that count as seen.
    pub fn seen(mut self, steps: f64) -> Self {
        self.seen = steps;
        self
    }
}

/// Positions θ pulled by forces F against friction.
///
/// ```math
/// v \leftarrow c\,v + (1-c)\,\frac{F}{n\,M}, \qquad \theta \leftarrow \theta + v, \qquad n = \min(t, H),
/// ```
///
/// with M the running mean of F² over the same memory: the mass of a number is the curvature of its loss, and a step is the natural
/// gradient with a diagonal Fisher matrix. For c = 1 the motion would conserve energy and learn nothing.
///
/// ```
/// use physics_inference::predict::{FrictionParams, Learner};
///
/// // Learns the mean of ±1: the residual of θ is its force.
/// let mut learner = Learner::new(1, FrictionParams::default().seen(1.0))?;
/// let mut theta = [0.0];
/// for t in 0..4000 {
///     let b = if t % 4 == 0 { -1.0 } else { 1.0 };
///     let force = [b - f64::tanh(theta[0])];
///     learner.step(&mut theta, &force);
/// }
/// assert!((theta[0].tanh() - 0.5).abs() < 0.02);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Learner {
    params: FrictionParams,
    steps: f64,
    velocity: Vec<f64>,
    mass: Vec<f64>,
}

impl Learner {
    /// For `n` numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`]: horizon at least 1, persistence in `[0, 1]`, seen and largest step not negative.
    pub fn new(n: usize, params: FrictionParams) -> Result<Self> {
        crate::series::decay(params.horizon)?;
        let check = |what, value: f64, low: f64, high: f64, expected| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(Error::Parameter { what, value, expected }) }
        };
        check("persistence", params.persistence, 0.0, 1.0, "from 0 to 1")?;
        check("number of steps seen", params.seen, 0.0, f64::MAX, "not negative and finite")?;
        check("largest step", params.largest_step, 0.0, f64::MAX, "not negative and finite")?;
        Ok(Self { params, steps: 0.0, velocity: vec![0.0; n], mass: vec![0.0; n] })
    }

    /// Takes in the forces of a step without moving: the masses settle.
    ///
    /// # Panics
    /// If the number of forces is wrong.
    pub fn weigh(&mut self, force: &[f64]) {
        assert_eq!(force.len(), self.mass.len(), "{} forces for {} numbers", force.len(), self.mass.len());
        self.steps += 1.0;
        // Of a mean over the memory, but never of a single step.
        let share = 1.0 / self.steps.min(self.params.horizon.max(20.0));
        self.mass.iter_mut().zip(force).for_each(|(m, f)| *m += share * (f * f - *m));
    }

    /// Moves θ by one step; a force that is not finite counts as 0.
    ///
    /// # Panics
    /// If the number of forces or of θ is wrong.
    pub fn step(&mut self, theta: &mut [f64], force: &[f64]) {
        assert_eq!(theta.len(), self.mass.len(), "{} numbers, expected {}", theta.len(), self.mass.len());
        self.weigh(force);
        let n = (self.steps + self.params.seen).min(self.params.horizon);
        let (c, most) = (self.params.persistence, self.params.largest_step);
        for (((x, v), m), f) in theta.iter_mut().zip(&mut self.velocity).zip(&self.mass).zip(force) {
            let pull = f / (n * (m + 1e-12));
            *v = c * *v + (1.0 - c) * if pull.is_finite() { pull } else { 0.0 };
            *v = v.clamp(-most, most);
            *x += *v;
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        let p = &self.params;
        out.write_f64(p.horizon).write_f64(p.persistence).write_f64(p.seen).write_f64(p.largest_step);
        out.write_f64(self.steps).write_f64s(&self.velocity).write_f64s(&self.mass);
    }

    pub(super) fn read(n: usize, from: &mut Reader<'_>) -> std::result::Result<Self, CheckpointError> {
        let at = from.position();
        let mut number = || from.read_f64();
        let (horizon, persistence, seen, largest_step) = (number()?, number()?, number()?, number()?);
        let steps = number()?;
        let params = FrictionParams { horizon, persistence, seen, largest_step };
        let mut learner = Self::new(n, params).map_err(|_| CheckpointError::Invalid { what: "learner", at })?;
        learner.steps = steps;
        from.read_f64s_into(&mut learner.velocity)?;
        from.read_f64s_into(&mut learner.mass)?;
        Ok(learner)
    }
}
