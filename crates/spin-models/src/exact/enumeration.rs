//! Sums over all configurations.

use linalg_core::Observer;

use crate::error::check_beta;
use crate::model::{CachedModel, LnZ, LogPartition, Progress};
use crate::{Error, Result};

/// Sums over all `2^N` configurations in Gray-code order.
#[derive(Debug, Clone, Default)]
pub struct Enumeration {}

impl<M: CachedModel> LogPartition<M> for Enumeration {
    fn ln_z_observed(&self, model: &M, beta: f64, _observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        check_beta(beta)?;
        let n = model.n_spins();
        if n > 36 {
            return Err(Error::TooLarge { solver: "enumerate", what: "number of spins", value: n, bound: 36 });
        }
        let mut s = vec![1i8; n];
        let mut cache = model.cache(&s);
        let mut energy = model.energy(&s);
        // Streaming log-sum-exp around the lowest energy met.
        let (mut lowest, mut sum) = (energy, 1.0f64);
        for k in 1..1u64 << n {
            let i = k.trailing_zeros() as usize;
            energy += model.delta_cached(&cache, &s, i);
            model.flip(&mut cache, &mut s, i);
            if energy < lowest {
                sum = sum * (-beta * (lowest - energy)).exp() + 1.0;
                lowest = energy;
            } else {
                sum += (-beta * (energy - lowest)).exp();
            }
        }
        Ok(LnZ::exact(sum.ln() - beta * lowest))
    }
}
