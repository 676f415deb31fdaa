//! Many partition functions of one graph.

use linalg_core::gf2::BitVec;

use super::compiled::{Compiled, Numbers, Scratch};
use super::engine::Watch;
use super::params::TransferMatrixParams;
use crate::Result;
use crate::model::{LnZ, LogPartitionPlan, check_weights};

/// A prepared [`TransferMatrix`](super::TransferMatrix): order of sites, operations, factors and memory are kept.
#[derive(Debug, Clone)]
pub(super) struct TransferMatrixPlan {
    params: TransferMatrixParams,
    compiled: Compiled,
    /// The temperature of the last question and the numbers that belong to it.
    numbers: Option<(f64, Numbers)>,
    scratch: Scratch,
}

impl TransferMatrixPlan {
    pub(super) fn new(compiled: Compiled, params: TransferMatrixParams) -> Self {
        Self { params, compiled, numbers: None, scratch: Scratch::default() }
    }
}

impl LogPartitionPlan for TransferMatrixPlan {
    fn n_interactions(&self) -> usize {
        self.compiled.interactions.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        let n = self.n_interactions();
        assert_eq!(flips.len(), n, "{} signs for {n} interactions", flips.len());
        let Self { compiled, numbers, scratch, .. } = self;
        let (_, numbers) = match numbers {
            Some(kept) if kept.0.to_bits() == beta.to_bits() => kept,
            _ => numbers.insert((beta, compiled.numbers(beta)?)),
        };
        compiled.ln_z(numbers, Some(flips), scratch, Watch::new(&mut ())).map(LnZ::exact)
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        check_weights(weights, self.n_interactions())?;
        let active = &self.compiled.program.active;
        let mut interactions = self.compiled.interactions.clone();
        interactions.weights.copy_from_slice(weights);
        if weights.iter().zip(active).any(|(&w, &active)| w != 0.0 && !active) {
            // A field where there was none: the symmetry that the program used is gone.
            let active = weights.iter().zip(active).map(|(&w, &active)| w != 0.0 || active).collect();
            self.compiled = Compiled::with_active(interactions, active, &self.params)?;
        } else {
            self.compiled.interactions = interactions;
        }
        self.numbers = None;
        Ok(())
    }
}
