//! What belief propagation computes, in which order, and for how long.

use crate::error::{Error, Result};

/// How a check combines the messages of its mechanisms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum BpMethod {
    /// $`\tanh(u/2) = \prod \tanh(v/2)`$: exact marginals on trees.
    SumProduct,
    /// The smallest magnitude with the product of the signs, corrected by a [`Scaling`].
    MinSum,
}

/// The correction of min-sum, which overestimates the magnitudes of messages.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Scaling {
    /// Magnitudes are multiplied by $`1 - 2^{-t}`$ in iteration t from 1.
    Adaptive,
    /// Magnitudes are multiplied by a number in (0, 1]: normalised min-sum.
    Factor(f64),
    /// A number of at least 0 is subtracted from magnitudes, down to 0: offset min-sum.
    Offset(f64),
}

/// The order in which messages are updated within an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Schedule {
    /// All checks, from the messages of the iteration before.
    Flooding,
    /// Check after check, each from the newest messages.
    Layered,
    /// Mechanism after mechanism, each from the newest messages. Costs the sum of the squared weights of the checks.
    Serial,
    /// Check after check, in an order that is drawn anew for every iteration, the same for every shot.
    Random,
}

/// Parameters of belief propagation.
///
/// ```
/// use quantum_ec::decode::{BpMethod, BpParams, Scaling, Schedule};
///
/// let params = BpParams::default().iterations(50).scaling(Scaling::Factor(0.625));
/// assert_eq!((params.method, params.schedule), (BpMethod::MinSum, Schedule::Flooding));
/// assert!(params.check().is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BpParams {
    /// The rule of the checks.
    pub method: BpMethod,
    /// The correction of min-sum; sum-product has none.
    pub scaling: Scaling,
    /// The order of updates.
    pub schedule: Schedule,
    /// Iterations at most.
    pub iterations: usize,
    /// The share γ of the last posterior in the prior of the next iteration, below 1 in magnitude; 0 is plain belief
    /// propagation. Flooding only.
    pub memory: f64,
    /// Whether a shot ends at the first iteration whose hard decision has the syndrome.
    pub early_stopping: bool,
}

impl Default for BpParams {
    /// Min-sum with adaptive scaling, flooding, at most 200 iterations, no memory, early stopping.
    fn default() -> Self {
        Self {
            method: BpMethod::MinSum,
            scaling: Scaling::Adaptive,
            schedule: Schedule::Flooding,
            iterations: 200,
            memory: 0.0,
            early_stopping: true,
        }
    }
}

impl BpParams {
    /// Sets the rule of the checks.
    pub fn method(mut self, method: BpMethod) -> Self {
        self.method = method;
        self
    }

    /// Sets the correction of min-sum.
    pub fn scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// Sets the order of updates.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets the number of iterations.
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Sets the memory strength.
    pub fn memory(mut self, memory: f64) -> Self {
        self.memory = memory;
        self
    }

    /// Sets whether to stop at the first hard decision with the syndrome.
    pub fn early_stopping(mut self, early_stopping: bool) -> Self {
        self.early_stopping = early_stopping;
        self
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no iterations or more than 2³¹, a factor outside (0, 1], a negative offset, a memory
    /// strength of magnitude 1 or more, or memory with another schedule than flooding.
    pub fn check(&self) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if self.iterations == 0 || self.iterations > MAX_ITERATIONS {
            return refuse("iterations", self.iterations.to_string(), "a number from 1 to 2^31");
        }
        match self.scaling {
            Scaling::Factor(x) if !(x > 0.0 && x <= 1.0) => {
                return refuse("scale", x.to_string(), "adaptive, a factor in (0, 1] or offset:X");
            }
            Scaling::Offset(x) if !(x >= 0.0 && x.is_finite()) => {
                return refuse("offset", x.to_string(), "a number of at least 0");
            }
            _ => {}
        }
        if self.memory.is_nan() || self.memory.abs() >= 1.0 {
            return refuse("memory", self.memory.to_string(), "a number between -1 and 1");
        }
        if self.memory != 0.0 && self.schedule != Schedule::Flooding {
            return refuse("memory", self.memory.to_string(), "0 for all schedules but flooding");
        }
        Ok(())
    }
}

/// Iterations are counted in 32 bits.
const MAX_ITERATIONS: usize = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        let good = BpParams::default();
        let bad = [
            (good.iterations(0), "iterations is 0"),
            (good.scaling(Scaling::Factor(0.0)), "scale is 0"),
            (good.scaling(Scaling::Factor(f64::NAN)), "scale is NaN"),
            (good.scaling(Scaling::Factor(1.5)), "scale is 1.5"),
            (good.scaling(Scaling::Offset(-0.5)), "offset is -0.5"),
            (good.memory(1.0), "memory is 1"),
            (good.memory(f64::NAN), "memory is NaN"),
            (good.memory(0.1).schedule(Schedule::Layered), "0 for all schedules but flooding"),
        ];
        for (params, message) in bad {
            assert!(params.check().unwrap_err().to_string().contains(message), "{message}");
        }
        assert!(good.check().is_ok() && good.memory(-0.24).check().is_ok());
    }
}
