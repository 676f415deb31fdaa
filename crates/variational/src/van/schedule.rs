//! Inverse temperatures along a training run.

use crate::Result;
use crate::error::check_beta;

/// The inverse temperature of every step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Annealing {
    /// The same at every step.
    Constant {
        /// The inverse temperature.
        beta: f64,
    },
    /// $`\beta_t = \beta (1 - r^{t+1})`$: Wu, Wang and Zhang, PRL 122, 080602 (2019), take r = 0.998.
    Exponential {
        /// The inverse temperature in the end.
        beta: f64,
        /// r, in `[0, 1)`.
        rate: f64,
    },
    /// From `from` to `to` in equal steps, then constant.
    Linear {
        /// First inverse temperature.
        from: f64,
        /// Last inverse temperature.
        to: f64,
        /// Steps to get there.
        steps: u64,
    },
}

impl Annealing {
    /// The inverse temperature of step `t`, from 0.
    ///
    /// ```
    /// use variational::van::Annealing;
    ///
    /// assert_eq!(Annealing::Exponential { beta: 2.0, rate: 0.5 }.beta(1), 1.5);
    /// assert_eq!(Annealing::Linear { from: 0.0, to: 1.0, steps: 4 }.beta(1), 0.25);
    /// assert_eq!(Annealing::Linear { from: 0.0, to: 1.0, steps: 4 }.beta(9), 1.0);
    /// ```
    pub fn beta(&self, t: u64) -> f64 {
        match *self {
            Self::Constant { beta } => beta,
            Self::Exponential { beta, rate } => beta * (1.0 - rate.powf(t as f64 + 1.0)),
            Self::Linear { from, to, steps } => {
                if t >= steps {
                    to
                } else {
                    from + (to - from) * (t as f64 / steps as f64)
                }
            }
        }
    }

    /// The inverse temperature in the end.
    pub fn target(&self) -> f64 {
        match *self {
            Self::Constant { beta } | Self::Exponential { beta, .. } => beta,
            Self::Linear { to, .. } => to,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        match *self {
            Self::Constant { beta } => check_beta(beta),
            Self::Exponential { beta, rate } => {
                crate::error::check_range("rate", rate, 0.0, 1.0 - f64::EPSILON, "a number from 0 to below 1")?;
                check_beta(beta)
            }
            Self::Linear { from, to, .. } => check_beta(from).and(check_beta(to)),
        }
    }
}
