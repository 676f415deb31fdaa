//! How belief propagation is iterated.

use crate::Result;
use crate::error::{check_positive, check_range};

/// In which order messages are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Schedule {
    /// Factor after factor, forwards and then backwards, each seeing the new messages.
    #[default]
    Sequential,
    /// All messages at once (flooding).
    Parallel,
    /// The factor whose messages would change most comes next (Elidan, McGraw and Koller, UAI 2006). An update looks at all
    /// factors around its own: a sweep costs $`O(\sum_i d_i^2)`$ for sites in $`d_i`$ factors, with the logarithm of a queue.
    Residual,
    /// Convex problems inside a loop that lowers the Bethe free energy (Yuille, Neural Comput. 14, 1691 (2002)): slower, and
    /// converges to a minimum also where plain belief propagation cycles. Takes no damping; the residual is the last change
    /// of a site's field.
    DoubleLoop,
}

/// Parameters of belief propagation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BetheParams {
    /// Order of messages; default sequential.
    pub schedule: Schedule,
    /// Part of the old message that is kept, in `[0, 1)`; default 0.
    pub damping: f64,
    /// Converged when no message changes by more than this in a sweep; default 1e-12.
    pub tolerance: f64,
    /// Most sweeps; default 1000. A sweep of the residual schedule is as many updates as there are factors.
    pub max_sweeps: u64,
    /// Size of the random first messages; default 0.01. With 0 a model without fields stays at zero magnetization.
    pub noise: f64,
    /// Seed of the first messages.
    pub seed: u64,
}

impl Default for BetheParams {
    fn default() -> Self {
        Self { schedule: Schedule::default(), damping: 0.0, tolerance: 1e-12, max_sweeps: 1000, noise: 0.01, seed: 1 }
    }
}

impl BetheParams {
    /// Sets the order of messages.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets the part of the old message that is kept.
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the number of sweeps after which the iteration is given up.
    pub fn max_sweeps(mut self, max_sweeps: u64) -> Self {
        self.max_sweeps = max_sweeps;
        self
    }

    /// Sets the size of the random first messages.
    pub fn noise(mut self, noise: f64) -> Self {
        self.noise = noise;
        self
    }

    /// Sets the seed of the first messages.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_range("damping", self.damping, 0.0, 1.0 - f64::EPSILON, "a number from 0 to below 1")?;
        check_range("tolerance", self.tolerance, 0.0, 1.0, "a number from 0 to 1")?;
        check_range("noise", self.noise, 0.0, 1e3, "a number from 0 to 1000")?;
        check_positive("max_sweeps", usize::try_from(self.max_sweeps).unwrap_or(usize::MAX))
    }
}
