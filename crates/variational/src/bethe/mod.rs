//! The Bethe approximation by belief propagation, on pairwise models and on factor graphs of any order.
//!
//! Messages are fields: a factor $`e^{\beta w \prod s}`$ sends
//!
//! ```math
//! u_{a \to i} = \operatorname{artanh}\Bigl(\tanh \beta w_a \prod_{j \in a \setminus i} \tanh h_{j \to a}\Bigr), \qquad
//! h_{j \to a} = \beta h_j + \sum_{b \ni j,\, b \ne a} u_{b \to j}
//! ```
//!
//! (Mézard and Montanari, *Information, Physics, and Computation* (2009), chapter 14). Fields are logarithms of ratios of
//! probabilities, and the product is computed from them without a tanh, so that nothing saturates at low temperature.
//! The free energy weighs every logarithm by its belief:
//! $`\beta F = -\beta\langle E \rangle_b`$ with entropy $`-\sum_a b_a \ln b_a + \sum_i (d_i - 1) b_i \ln b_i`$; lecture notes
//! that leave the weights out print something else.

mod combine;
mod double_loop;
mod factor_graph;
mod messages;
mod params;
mod solution;

use linalg_core::Observer;
use linalg_core::stats::Estimate;
use spin_models::{
    Correlations, Ising, Kind, LnZ, LogPartition, PairCorrelations, Progress, Quantities, SherringtonKirkpatrick,
    Solution, Solve,
};

pub use factor_graph::{FactorGraph, ToFactorGraph};
pub use params::{BetheParams, Schedule};
pub use solution::{BetheSolution, Response};

use crate::error::check_beta;
use crate::pairs::CoupledPairs;
use crate::{Error, Result};
use messages::Messages;

/// Belief propagation.
///
/// Exact on trees; elsewhere an approximation, which says whether it has converged. On graphs with many short frustrated
/// loops it may not: then `converged` is false, the residual is the last change of a message, and ln Z is that of the
/// last messages, which is not to be trusted.
///
/// Cost: `O(edges)` a sweep and in memory; a factor of k sites costs `O(k)`. A sweep of [`Schedule::Residual`] costs more.
///
/// ```
/// use spin_models::{Ising, LogPartition};
/// use variational::Bethe;
///
/// // An open chain of three spins is a tree: Z = 2 (2 cosh βJ)².
/// let chain = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).build()?;
/// let ln_z = Bethe::default().ln_z(&chain, 0.7)?;
/// assert!((ln_z.value - (8.0 * 0.7f64.cosh().powi(2)).ln()).abs() < 1e-13);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bethe {
    params: BetheParams,
}

const NAME: &str = "bethe";

impl Bethe {
    /// With these parameters; they are checked when a model is solved.
    pub fn new(params: BetheParams) -> Self {
        Self { params }
    }

    /// Iterates on a factor graph.
    ///
    /// # Errors
    /// [`Error::Parameter`]; β that is negative or not finite; β times energies beyond the range of `f64`. A stop by the
    /// observer ends the iteration: the report is that of the last sweep.
    ///
    /// ```
    /// use variational::bethe::{Bethe, FactorGraph};
    ///
    /// // One factor of three spins: ⟨s_0 s_1 s_2⟩ = tanh β, Z = 8 cosh β.
    /// let graph = FactorGraph::new(3, vec![0.0; 3], [([0, 1, 2], 1.0)], 0.0)?;
    /// let solution = Bethe::default().fit(&graph, 0.4, &mut ())?;
    /// assert!((solution.products[0] - 0.4f64.tanh()).abs() < 1e-15);
    /// assert!((solution.ln_z - (8.0 * 0.4f64.cosh()).ln()).abs() < 1e-14);
    /// # Ok::<(), variational::Error>(())
    /// ```
    pub fn fit(&self, graph: &FactorGraph, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<BetheSolution> {
        self.params.validate()?;
        check_beta(beta)?;
        let all = graph.weights().iter().chain(graph.fields()).map(|x| x.abs()).sum::<f64>() + graph.offset().abs();
        if !(4.0 * beta.max(1.0) * all).is_finite() {
            let reason = format!("energies up to {all} at beta {beta} are beyond the range of f64");
            return Err(Error::NotApplicable { method: NAME, reason });
        }
        let mut messages = Messages::new(graph, beta, &self.params);
        let end = messages.run(&self.params, observer);
        Ok(BetheSolution::new(messages, end, self.params.tolerance))
    }

    fn answer<M: ToFactorGraph + CoupledPairs>(
        &self,
        model: &M,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let graph = model.to_factor_graph()?;
        let solution = self.fit(&graph, beta, observer)?;
        let mut answer = Solution::default();
        answer.ln_z = Some(ln_z(&solution));
        answer.energy = Some(Estimate::exact(solution.energy));
        answer.magnetizations = Some(solution.magnetizations.iter().copied().map(Estimate::exact).collect());
        answer.correlations = match want.correlations {
            Correlations::None => None,
            Correlations::All => all_pairs(&graph, &solution, &self.params),
            _ => {
                let pairs = model.coupled_pairs();
                // A factor for every pair, in the same order, unless couplings of value 0 were dropped.
                let values: Vec<Estimate> = solution.products.iter().copied().map(Estimate::exact).collect();
                (pairs.len() == values.len()).then_some(PairCorrelations { pairs, values })
            }
        };
        Ok(answer)
    }
}

/// Correlations of all pairs by linear response; none where messages or response do not converge, since the response then grows without
/// bound.
fn all_pairs(graph: &FactorGraph, solution: &BetheSolution, params: &BetheParams) -> Option<PairCorrelations> {
    if !solution.converged {
        return None;
    }
    let n = graph.n_spins();
    let (mut pairs, mut values) = (Vec::new(), Vec::new());
    for i in 0..n {
        let response = solution.response(graph, i, params.tolerance.max(1e-12), params.max_sweeps);
        if !response.converged {
            return None;
        }
        for j in i + 1..n {
            pairs.push((i, j));
            let connected = response.values[j];
            values.push(Estimate::exact(connected + solution.magnetizations[i] * solution.magnetizations[j]));
        }
    }
    Some(PairCorrelations { pairs, values })
}

fn ln_z(solution: &BetheSolution) -> LnZ {
    let kind = Kind::Approximation { converged: solution.converged, residual: solution.residual };
    LnZ { value: solution.ln_z, std_error: None, kind }
}

impl<M: ToFactorGraph + ?Sized> LogPartition<M> for Bethe {
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> spin_models::Result<LnZ> {
        Ok(ln_z(&self.fit(&model.to_factor_graph()?, beta, observer)?))
    }
}

impl Solve<Ising> for Bethe {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Correlations of coupled pairs are those of the beliefs, those of all pairs linear response, which is left out where it does not
    /// converge.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<Solution> {
        Ok(self.answer(model, beta, want, observer)?)
    }
}

impl Solve<SherringtonKirkpatrick> for Bethe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn solve(
        &self,
        model: &SherringtonKirkpatrick,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<Solution> {
        Ok(self.answer(model, beta, want, observer)?)
    }
}
