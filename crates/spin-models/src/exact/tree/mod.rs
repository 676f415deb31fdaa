//! Models on trees and forests.

mod forest;
mod ground;
mod messages;

use linalg_core::Observer;
use linalg_core::stats::Estimate;

use crate::error::check_beta;
use crate::model::{
    Correlations, EnergyModel, LnZ, LogPartition, LogPartitionPlan, PairCorrelations, PrepareLogPartition, Progress,
    Quantities, Replan, Solution, Solve,
};
use crate::models::{InteractionModel, Ising};
use crate::{Error, Result};
use forest::Forest;
use messages::{Averages, Messages};

const NAME: &str = "tree";

/// Most spins for the correlations of all pairs: 5e7 numbers.
const MOST_PAIRED: usize = 10_000;

/// Exact solution of Ising models without cycles, by message passing.
///
/// Leaves are summed out towards a root, each leaving an effective field on its neighbour,
///
/// ```math
/// u = \operatorname{artanh}(\tanh \beta J \, \tanh H), \qquad H_i = \beta h_i + \sum_{c} u_c ,
/// ```
///
/// and fields from the root's side come back the other way. Fields and logarithms of sums are all that is stored, so
/// that nothing overflows at any β.
///
/// Cost: `O(N)` time and memory, the correlations of coupled pairs included; those of all pairs take `O(N²)` and at
/// most 10 000 spins. The ground state comes along, with the number of configurations that have its energy if that
/// is a finite `f64`; local fields up to `2^-46 (|h_i| + Σ_j |J_ij|)` count as 0 there.
///
/// Any forest is taken: disconnected models, single spins, couplings of value 0 (which are no edges). The transfer
/// matrix of an open chain is the special case of a path; see Mézard and Montanari, *Information, Physics, and
/// Computation* (2009), chapter 14.
///
/// ```
/// use spin_models::{Ising, Quantities, Solve, Tree};
///
/// // An open chain of three spins: ⟨s_0 s_1⟩ = tanh βJ, Z = 2 (2 cosh βJ)².
/// let chain = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).build()?;
/// let solution = Tree::default().solve(&chain, 0.7, Quantities::all(), &mut ())?;
/// assert!((solution.ln_z.unwrap().value - (8.0 * 0.7f64.cosh().powi(2)).ln()).abs() < 1e-14);
/// assert!((solution.correlations.unwrap().values[1].value - 0.7f64.tanh()).abs() < 1e-15);
///
/// let ring = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0)]).build()?;
/// let error = Tree::default().check(&ring, 0.7).unwrap_err().to_string();
/// assert_eq!(error, "tree does not apply: coupling 2 of sites 0 and 2 closes a cycle");
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Tree {}

/// Refuses β times energies beyond the range of `f64`.
fn check_range(model: &Ising, beta: f64) -> Result<()> {
    let couplings = model.couplings().map(|(_, _, coupling)| coupling.abs());
    let fields = model.fields().iter().map(|field| field.abs());
    let largest = couplings.chain(fields).sum::<f64>() + model.offset().abs();
    if (4.0 * beta.max(1.0) * largest).is_finite() {
        return Ok(());
    }
    let reason = format!("energies up to {largest} at beta {beta} are beyond the range of f64");
    Err(Error::NotApplicable { solver: NAME, reason })
}

impl Tree {
    fn forest(&self, model: &Ising, beta: f64) -> Result<Forest> {
        check_beta(beta)?;
        check_range(model, beta)?;
        Forest::of(model)
    }
}

/// One report for a computation that is over in a moment.
fn report(done: usize, total: usize, observer: &mut dyn Observer<Progress>) -> Result<()> {
    let (done, total) = (done as u64, total as u64);
    if observer.observe(&Progress::new("tree", done, total)).is_break() && done < total {
        return Err(Error::Stopped { solver: NAME, done, total });
    }
    Ok(())
}

impl LogPartition<Ising> for Tree {
    fn ln_z_observed(&self, model: &Ising, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        let forest = self.forest(model, beta)?;
        let n = model.n_spins();
        report(0, n, observer)?;
        let ln_z = Messages::upwards(model, &forest, beta).ln_z(model, beta);
        report(n, n, observer)?;
        Ok(LnZ::exact(ln_z))
    }
}

impl LogPartition<InteractionModel> for Tree {
    fn ln_z_observed(&self, model: &InteractionModel, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        self.ln_z_observed(&pairwise(model)?, beta, observer)
    }
}

/// The model as an Ising model; the error names the first term of more than two sites.
fn pairwise(model: &InteractionModel) -> Result<Ising> {
    let too_many = model.terms().enumerate().find(|(_, (sites, _))| sites.len() > 2);
    if let Some((a, (sites, _))) = too_many {
        let reason = format!("term {a} has {} sites {sites:?}, at most 2 are possible", sites.len());
        return Err(Error::NotApplicable { solver: NAME, reason });
    }
    model.to_ising()
}

impl Solve<Ising> for Tree {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Names the first coupling that closes a cycle.
    fn check(&self, model: &Ising, beta: f64) -> Result<()> {
        self.forest(model, beta).map(|_| ())
    }

    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let forest = self.forest(model, beta)?;
        let n = model.n_spins();
        if want.correlations == Correlations::All && n > MOST_PAIRED {
            let what = "number of spins with correlations of all pairs";
            return Err(Error::TooLarge { solver: NAME, what, value: n, bound: MOST_PAIRED });
        }
        report(0, n, observer)?;
        let messages = Messages::upwards(model, &forest, beta);
        let ln_z = Some(LnZ::exact(messages.ln_z(model, beta)));
        let averages = Averages::downwards(model, &forest, messages, beta);
        let correlations = match want.correlations {
            Correlations::None => None,
            Correlations::Coupled => {
                let pairs: Vec<_> = model.couplings().map(|(i, j, _)| (i, j)).collect();
                let values = pairs.iter().map(|&(i, j)| Estimate::exact(averages.pair(&forest, i, j))).collect();
                Some(PairCorrelations { pairs, values })
            }
            Correlations::All => {
                let mut pairs = Vec::with_capacity(n * (n - 1) / 2);
                let mut values = Vec::with_capacity(n * (n - 1) / 2);
                let mut row = vec![0.0; n];
                for i in 0..n {
                    if i % 256 == 0 {
                        report(i, n, observer)?;
                    }
                    averages.row(&forest, i, &mut row);
                    pairs.extend((i + 1..n).map(|j| (i, j)));
                    values.extend(row[i + 1..].iter().copied().map(Estimate::exact));
                }
                Some(PairCorrelations { pairs, values })
            }
        };
        let ground_state = Some(ground::ground_state(model, &forest));
        report(n, n, observer)?;
        Ok(Solution {
            ln_z,
            energy: Some(Estimate::exact(averages.energy(model, &forest))),
            magnetizations: Some(averages.magnetizations.iter().copied().map(Estimate::exact).collect()),
            correlations,
            ground_state,
        })
    }
}

impl Solve<InteractionModel> for Tree {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Names the first term of more than two sites, or the first that closes a cycle.
    fn check(&self, model: &InteractionModel, beta: f64) -> Result<()> {
        Solve::<Ising>::check(self, &pairwise(model)?, beta)
    }

    fn solve(
        &self,
        model: &InteractionModel,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        self.solve(&pairwise(model)?, beta, want, observer)
    }
}

impl PrepareLogPartition<Ising> for Tree {
    fn prepare(&self, model: &Ising) -> Result<Box<dyn LogPartitionPlan>> {
        Solve::<Ising>::check(self, model, 0.0)?;
        Ok(Box::new(Replan::new(*self, model.clone())))
    }
}

impl PrepareLogPartition<InteractionModel> for Tree {
    fn prepare(&self, model: &InteractionModel) -> Result<Box<dyn LogPartitionPlan>> {
        Solve::<InteractionModel>::check(self, model, 0.0)?;
        Ok(Box::new(Replan::new(*self, model.clone())))
    }
}
