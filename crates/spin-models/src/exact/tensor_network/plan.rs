//! Many partition functions of one graph.

use linalg_core::gf2::BitVec;

use super::compiled::Compiled;
use crate::Result;
use crate::model::{LnZ, LogPartitionPlan, check_weights};

/// A prepared [`TensorNetwork`](super::TensorNetwork): tables, order, slices and all copies are kept.
#[derive(Debug, Clone)]
pub(super) struct TensorNetworkPlan {
    compiled: Compiled,
}

impl TensorNetworkPlan {
    /// `compiled` has to hold all interactions, those of weight 0 too.
    pub(super) fn new(compiled: Compiled) -> Self {
        Self { compiled }
    }
}

impl LogPartitionPlan for TensorNetworkPlan {
    fn n_interactions(&self) -> usize {
        self.compiled.interactions.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        let n = self.n_interactions();
        assert_eq!(flips.len(), n, "{} signs for {n} interactions", flips.len());
        let scaled = self.compiled.scaled(beta, &|a| flips.get(a))?;
        self.compiled.ln_z(&scaled, beta, &mut ()).map(LnZ::exact)
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        check_weights(weights, self.n_interactions())?;
        self.compiled.interactions.weights.copy_from_slice(weights);
        Ok(())
    }
}
