//! How mean-field equations are iterated.

use crate::Result;
use crate::error::{check_positive, check_range};

/// In which order the magnetizations are replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Update {
    /// One site after the other, each seeing the new values. For the first order every step raises the bound.
    #[default]
    Sequential,
    /// All at once.
    Parallel,
    /// All at once, with the magnetization one step earlier in the reaction term:
    /// $`m_i^{t+1} = \tanh(\beta h_i + \beta\sum_j J_{ij} m_j^t - \beta^2 m_i^{t-1} \sum_j J_{ij}^2 (1 - (m_j^t)^2))`$.
    ///
    /// In the Sherrington-Kirkpatrick model this converges wherever its fixed point is stable (Bolthausen,
    /// Commun. Math. Phys. 325, 333 (2014)); with equal times it need not.
    TimeIndexed,
}

/// Parameters of the mean-field iterations.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MeanFieldParams {
    /// Order of updates; default sequential.
    pub update: Update,
    /// Part of the old magnetization that is kept, in `[0, 1)`; default 0.
    pub damping: f64,
    /// Converged when no magnetization changes by more than this in a sweep; default 1e-12.
    pub tolerance: f64,
    /// Most sweeps a start; default 10 000.
    pub max_sweeps: u64,
    /// Starts: the first near zero, the others random; default 1. Converged ones win, then the largest ln Z.
    pub starts: usize,
    /// Seed of the starts; start k draws from stream k.
    pub seed: u64,
}

impl Default for MeanFieldParams {
    fn default() -> Self {
        Self { update: Update::default(), damping: 0.0, tolerance: 1e-12, max_sweeps: 10_000, starts: 1, seed: 1 }
    }
}

impl MeanFieldParams {
    /// Sets the order of updates.
    pub fn update(mut self, update: Update) -> Self {
        self.update = update;
        self
    }

    /// Sets the part of the old magnetization that is kept.
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the number of sweeps after which a start is given up.
    pub fn max_sweeps(mut self, max_sweeps: u64) -> Self {
        self.max_sweeps = max_sweeps;
        self
    }

    /// Sets the number of starts.
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Sets the seed of the starts.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_range("damping", self.damping, 0.0, 1.0 - f64::EPSILON, "a number from 0 to below 1")?;
        check_range("tolerance", self.tolerance, 0.0, 1.0, "a number from 0 to 1")?;
        check_positive("max_sweeps", usize::try_from(self.max_sweeps).unwrap_or(usize::MAX))?;
        check_positive("starts", self.starts)
    }
}
