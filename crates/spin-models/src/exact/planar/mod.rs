//! Planar Ising models without fields.
//!
//! [`Planar`] is the solver: any couplings, any temperature, large systems. [`kasteleyn`] and [`kac_ward`] are two other
//! formulas for the same number, dense and for small systems; the tests hold all three against each other.
//! [`PlanarSampler`] draws exact samples, [`PlanarGroundState`] finds ground states by matching, [`DensityOfStates`]
//! counts configurations of ±J models.
//!
//! # How it works
//! Relative to a configuration of low energy, a configuration is a set of domain walls, which cross every coupling that
//! changed its sign: $`Z = 2^C e^{-\beta E_0} \sum_D \prod_{e \in D} e^{-2 K_e}`$, where D has an even number of sides of
//! every face and $`K_e = \beta J_e s_i s_j`$. All weights are positive, whatever the couplings. (This is the Pfaffian of
//! the dual graph, where tanh K of the dual coupling is $`e^{-2K}`$.) Faces with many sides are cut by chords into
//! cells of at most four. Discs of cells are sewn together in the order of a nested dissection; a disc with n open
//! sides is known by its n (n - 1) / 2 pair amplitudes, the Pfaffian gives all others. Blocks (2-connected components)
//! are independent; a bridge has the factor cosh K.
//!
//! To sew a seam of k sides costs k n² operations, so that a lattice of N sites takes $`O(N^{3/2})`$ time and
//! $`O(N \ln N)`$ memory, most of it for the graph.
//!
//! # Low temperature
//! The reference of every disc is moved to its most likely walls as it grows, so that amplitudes stay below a small
//! bound: this takes the place of pivoting. What can still cancel is found by running twice, with different rounding
//! and with lost amplitudes once dropped and once as large as they can be. If the two values of ln Z differ by more than
//! 1e-13 of the sum of their terms (1e-12 where that exceeds 10⁴), the elimination is repeated with numbers of 106 bits,
//! then with 128, 384, 1280 and 3840 bits until two results agree; where even the last two do not, the result is an
//! approximation and says so.

mod bisection;
mod blocks;
mod cells;
pub(super) mod density;
mod double;
mod elimination;
mod ground_state;
mod jet;
mod kac_ward;
mod kasteleyn;
mod number;
mod pairs;
mod patch;
mod plan;
mod prepared;
mod product;
mod program;
mod sampling;
mod signed;
mod thermodynamics;
mod torus;
mod torus_walls;
mod wide;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use density::{DensityOfStates, FisherZeros, Natural, Thermodynamics};
pub use ground_state::{DomainWall, LowestState, PlanarGroundState, PlanarGroundStatePlan};
pub use kac_ward::kac_ward;
pub use kasteleyn::{kasteleyn, kasteleyn_complex};
pub use sampling::PlanarSampler;

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
use prepared::{Prepared, check_scaled};

const NAME: &str = "planar";

/// The exact partition function of a planar Ising model without fields, for any couplings.
///
/// The graph may be any planar one, connected or not. It is embedded by the positions of the model where they are a
/// straight-line drawing, else by a planarity test; a square lattice that is periodic in one direction is planar. One
/// that is periodic in both, with lengths of at least 3, is closed by four Pfaffians. Positions (or a numbering row by
/// row of a square lattice) also guide the dissection. A coupling of value 0 counts as an edge.
///
/// ln Z is accurate to about 1e-13 of the sum of its terms, 1e-12 for large systems, see the [module](self).
/// [`Kind`](crate::Kind) is `Exact`, or
/// `Approximation` with the estimated relative error where that exceeds 1e-11. `solve` adds the energy, the
/// correlations of coupled pairs and the magnetizations, which are 0 by symmetry. Asked for all pairs it
/// returns the coupled ones. [`pair_correlations`](Planar::pair_correlations) takes any pairs,
/// [`thermodynamics`](Planar::thermodynamics) adds entropy and specific heat.
///
/// A lattice of N sites takes $`O(N^{3/2})`$ time; correlations take about four times as long, eight on a torus or more
/// where that needs more digits, and $`O(N \ln N)`$ memory. [`prepare`](PrepareLogPartition::prepare) keeps the embedding and
/// the order of elimination.
///
/// # Errors
/// Before any work: [`Error::NotApplicable`] names the first site with a field, or the first coupling, in the order of
/// the model, that cannot be drawn without a crossing; [`Error::Beta`]; [`Error::Parameter`] where |βJ| exceeds 1e15.
/// Where 3840 bits do not suffice, [`Error::NotApplicable`] says so.
///
/// ```
/// use spin_models::{Ising, LogPartition, Planar};
///
/// // A spin glass of 16 by 16 with free boundaries: ln Z known to 60 digits.
/// let glass = Ising::plus_minus_splitmix(16, 16, 1)?;
/// let ln_z = Planar::default().ln_z(&glass, 1.0)?;
/// assert!((ln_z.value - 369.0406302039768531).abs() < 1e-10);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Two spins: ⟨s s'⟩ = tanh K.
///
/// ```
/// use spin_models::{Ising, Planar, Quantities, Solve};
///
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let solution = Planar::default().solve(&pair, 0.3, Quantities::all(), &mut ())?;
/// let energy = solution.energy.expect("a plane graph");
/// assert!((energy.value + 0.3f64.tanh()).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - M. E. Fisher, Journal of Mathematical Physics 7, 1776 (1966); P. W. Kasteleyn, ibid. 4, 287 (1963): Pfaffians.
/// - J. Groeneveld, R. J. Boel and P. W. Kasteleyn, Physica A 93, 138 (1978): Pfaffian relations between correlations
///   on the boundary.
/// - C. K. Thomas and A. A. Middleton, Physical Review E 80, 046708 (2009): planar spin glasses by nested dissection.
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
        check_scaled(&scaled(model, beta))?;
        Prepared::new(model).map(|_| ())
    }

    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        check_beta(beta)?;
        let mut prepared = Prepared::new(model)?;
        let k = scaled(model, beta);
        let mut solution = Solution::default();
        if want.magnetizations {
            // Every configuration has the weight of its mirror image.
            solution.magnetizations = Some(vec![Estimate::exact(0.0); model.n_spins()]);
        }
        // On a torus the energy alone is cheaper by derivatives.
        let pairs = want.correlations != Correlations::None || (want.energy && !prepared.is_torus());
        let ln_z = if pairs {
            prepared.prepare_correlations();
            let (ln_z, values) = prepared.correlations(&k, observer)?;
            let coupled: f64 = model.couplings().zip(&values).map(|((_, _, j), c)| j * c).sum();
            solution.energy = Some(Estimate::exact(model.offset() - coupled));
            solution.correlations = Some(PairCorrelations {
                pairs: prepared.graph.edges().to_vec(),
                values: values.into_iter().map(Estimate::exact).collect(),
            });
            ln_z
        } else if want.energy {
            let (ln_z, [_, first, _]) = prepared.jet(&k, observer)?;
            let coupled = if beta > 0.0 { first / beta } else { 0.0 };
            solution.energy = Some(Estimate::exact(model.offset() - coupled));
            ln_z
        } else {
            prepared.ln_z(&k, observer)?
        };
        solution.ln_z = Some(shifted(ln_z, -beta * model.offset()));
        Ok(solution)
    }
}
