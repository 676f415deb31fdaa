//! Many weights on one graph.

use linalg_core::gf2::BitVec;

use super::prepared::Prepared;
use super::{NAME, scaled};
use crate::error::check_beta;
use crate::model::{LnZ, LogPartitionPlan};
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};

/// A model with its order of elimination. Interactions are those of [`Ising`]: couplings, then fields, all 0.
#[derive(Debug, Clone)]
pub(super) struct PlanarPlan {
    prepared: Prepared,
    couplings: Vec<f64>,
    n_fields: usize,
    offset: f64,
}

impl PlanarPlan {
    pub(super) fn new(model: &Ising) -> Result<Self> {
        Ok(Self {
            prepared: Prepared::new(model)?,
            couplings: scaled(model, 1.0),
            n_fields: model.n_spins(),
            offset: model.offset(),
        })
    }
}

impl LogPartitionPlan for PlanarPlan {
    fn n_interactions(&self) -> usize {
        self.couplings.len() + self.n_fields
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        let n = self.n_interactions();
        assert_eq!(flips.len(), n, "{} signs for {n} interactions", flips.len());
        check_beta(beta)?;
        let mut k: Vec<f64> = self.couplings.iter().map(|j| beta * j).collect();
        // The sign of a field of 0 changes nothing.
        for a in flips.iter_ones().take_while(|&a| a < self.couplings.len()) {
            k[a] = -k[a];
        }
        let mut ln_z = self.prepared.ln_z(&k, &mut ())?;
        ln_z.value -= beta * self.offset;
        Ok(ln_z)
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        crate::model::check_weights(weights, self.n_interactions())?;
        let (couplings, fields) = weights.split_at(self.couplings.len());
        if let Some(site) = fields.iter().position(|&h| h != 0.0) {
            let reason = format!("site {site} has the field {}, expected no fields", fields[site]);
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        self.couplings.copy_from_slice(couplings);
        Ok(())
    }
}
