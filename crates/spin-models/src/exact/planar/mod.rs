//! Planar Ising models without fields.

mod bisection;
mod blocks;
mod cells;
mod elimination;
mod number;
mod patch;
mod plan;
mod prepared;
mod program;
mod torus;
mod wide;

#[cfg(test)]
mod tests;

use linalg_core::Observer;
use linalg_core::stats::Estimate;

use crate::error::check_beta;
use crate::model::{
    Correlations, LnZ, LogPartition, LogPartitionPlan, PairCorrelations, PrepareLogPartition, Progress, Quantities,
    Solution, Solve,
};
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};
use plan::PlanarPlan;
use prepared::Prepared;

const NAME: &str = "planar";

/// The exact partition function of a planar Ising model without fields, for any couplings.
#[derive(Debug, Clone, Default)]
pub struct Planar {}

fn stopped(done: u64, total: u64) -> Error {
    Error::Stopped { solver: NAME, done, total }
}

/// βJ of all couplings, in their order.
fn scaled(model: &Ising, beta: f64) -> Vec<f64> {
    model.couplings().map(|(_, _, j)| beta * j).collect()
}

fn shifted(mut ln_z: LnZ, shift: f64) -> LnZ {
    ln_z.value += shift;
    ln_z
}

impl LogPartition<Ising> for Planar {
    fn ln_z_observed(&self, model: &Ising, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        check_beta(beta)?;
        let ln_z = Prepared::new(model)?.ln_z(&scaled(model, beta), observer)?;
        Ok(shifted(ln_z, -beta * model.offset()))
    }
}

impl PrepareLogPartition<Ising> for Planar {
    fn prepare(&self, model: &Ising) -> Result<Box<dyn LogPartitionPlan>> {
        Ok(Box::new(PlanarPlan::new(model)?))
    }
}

impl Solve<Ising> for Planar {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Tests planarity; linear in the size of the model but for sorting.
    fn check(&self, model: &Ising, beta: f64) -> Result<()> {
        check_beta(beta)?;
        Prepared::new(model).map(|_| ())
    }

    fn solve(&self, model: &Ising, beta: f64, want: Quantities, observer: &mut dyn Observer<Progress>) -> Result<Solution> {
        check_beta(beta)?;
        let mut prepared = Prepared::new(model)?;
        let k = scaled(model, beta);
        let mut solution = Solution::default();
        if want.magnetizations {
            // Every configuration has the weight of its mirror image.
            solution.magnetizations = Some(vec![Estimate::exact(0.0); model.n_spins()]);
        }
        let pairs = want.energy || want.correlations != Correlations::None;
        let ln_z = if pairs && !prepared.is_torus() {
            prepared.prepare_correlations();
            let (ln_z, values) = prepared.correlations(&k, observer)?;
            let coupled: f64 = model.couplings().zip(&values).map(|((_, _, j), c)| j * c).sum();
            solution.energy = Some(Estimate::exact(model.offset() - coupled));
            solution.correlations = Some(PairCorrelations {
                pairs: prepared.graph.edges().to_vec(),
                values: values.into_iter().map(Estimate::exact).collect(),
            });
            ln_z
        } else {
            prepared.ln_z(&k, observer)?
        };
        solution.ln_z = Some(shifted(ln_z, -beta * model.offset()));
        Ok(solution)
    }
}
