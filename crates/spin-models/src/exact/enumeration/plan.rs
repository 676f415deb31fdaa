//! Many partition functions of one graph by enumeration.

use linalg_core::gf2::BitVec;

use super::engine::{Ask, Engine};
use super::terms::Terms;
use crate::Result;
use crate::error::check_beta;
use crate::model::{LnZ, LogPartitionPlan, check_weights};

/// Keeps the cut of the model into blocks, its symmetry and all memory; signs and weights only refill the tables.
#[derive(Debug)]
pub(super) struct EnumerationPlan {
    engine: Engine,
    weights: Vec<f64>,
}

impl EnumerationPlan {
    pub fn new(terms: Terms) -> Self {
        let weights = terms.weights.clone();
        Self { engine: Engine::new(terms, true), weights }
    }
}

impl LogPartitionPlan for EnumerationPlan {
    fn n_interactions(&self) -> usize {
        self.weights.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        assert_eq!(flips.len(), self.weights.len(), "{} signs for {} interactions", flips.len(), self.weights.len());
        check_beta(beta)?;
        let signed = self.weights.iter().enumerate().map(|(a, &w)| if flips.get(a) { -w } else { w });
        self.engine.set_weights(signed);
        Ok(LnZ::exact(self.engine.totals(beta, Ask::LnZ, &mut ())?.ln_z))
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        check_weights(weights, self.weights.len())?;
        self.weights.copy_from_slice(weights);
        Ok(())
    }
}
