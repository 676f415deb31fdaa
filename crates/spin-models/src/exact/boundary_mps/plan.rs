//! Many weights on one lattice.

use linalg_core::gf2::BitVec;

use super::grid::Grid;
use super::solver::{BoundaryMps, check_scaled};
use crate::Result;
use crate::model::{LnZ, LogPartitionPlan, check_weights};
use crate::models::Ising;

/// A lattice whose rows are known. Interactions are those of [`Ising`]: couplings, then fields.
#[derive(Debug, Clone)]
pub(super) struct BoundaryMpsPlan {
    solver: BoundaryMps,
    grid: Grid,
    weights: Vec<f64>,
    n_couplings: usize,
    offset: f64,
}

impl BoundaryMpsPlan {
    pub(super) fn new(solver: BoundaryMps, model: &Ising) -> Result<Self> {
        let grid = Grid::new(model)?;
        let couplings = model.couplings().map(|(_, _, j)| j);
        let weights = couplings.chain(model.fields().iter().copied()).collect();
        Ok(Self { solver, grid, weights, n_couplings: model.n_couplings(), offset: model.offset() })
    }
}

impl LogPartitionPlan for BoundaryMpsPlan {
    fn n_interactions(&self) -> usize {
        self.weights.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        let n = self.weights.len();
        assert_eq!(flips.len(), n, "{} signs for {n} interactions", flips.len());
        crate::error::check_beta(beta)?;
        let mut scaled: Vec<f64> = self.weights.iter().map(|w| beta * w).collect();
        for a in flips.iter_ones() {
            scaled[a] = -scaled[a];
        }
        check_scaled(&scaled, beta * self.offset)?;
        let (couplings, fields) = scaled.split_at(self.n_couplings);
        Ok(self.solver.contract_grid(&self.grid, couplings, fields, beta * self.offset, &mut ())?.ln_z)
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        check_weights(weights, self.weights.len())?;
        self.weights.copy_from_slice(weights);
        Ok(())
    }
}
