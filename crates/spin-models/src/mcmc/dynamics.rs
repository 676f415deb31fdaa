//! Which single-spin dynamics.

use linalg_core::rand::Rng;

use super::{HeatBath, Metropolis, Order};
use crate::model::{CachedModel, MarkovKernel, SweepStats};

/// The two single-spin dynamics, where a solver or a packed engine offers both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Dynamics {
    /// As [`Metropolis`].
    Metropolis,
    /// As [`HeatBath`].
    HeatBath,
}

impl Dynamics {
    /// The kernel of these dynamics.
    ///
    /// ```
    /// use spin_models::mcmc::{Dynamics, HeatBath, Order, SingleSpin};
    ///
    /// let kernel = Dynamics::HeatBath.kernel(Order::Random);
    /// assert_eq!(kernel, SingleSpin::HeatBath(HeatBath::new(Order::Random)));
    /// ```
    pub fn kernel(self, order: Order) -> SingleSpin {
        match self {
            Self::Metropolis => SingleSpin::Metropolis(Metropolis::new(order)),
            Self::HeatBath => SingleSpin::HeatBath(HeatBath::new(order)),
        }
    }
}

/// A single-spin kernel chosen at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SingleSpin {
    /// The Metropolis algorithm.
    Metropolis(Metropolis),
    /// The heat bath.
    HeatBath(HeatBath),
}

impl<M: CachedModel> MarkovKernel<M> for SingleSpin {
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        cache: &mut M::Cache,
        rng: &mut R,
    ) -> SweepStats {
        match self {
            Self::Metropolis(kernel) => kernel.sweep(model, beta, s, cache, rng),
            Self::HeatBath(kernel) => kernel.sweep(model, beta, s, cache, rng),
        }
    }
}
