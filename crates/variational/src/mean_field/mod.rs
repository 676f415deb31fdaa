//! Mean field: naive, Thouless-Anderson-Palmer, and the third order of Plefka's expansion.
//!
//! At fixed magnetizations $`m`$ the free energy is a power series in β (Plefka, J. Phys. A 15, 1971 (1982); Georges and
//! Yedidia, J. Phys. A 24, 2173 (1991)),
//!
//! ```math
//! -\beta G(m) = \sum_i S(m_i) + \beta \sum_i h_i m_i + \beta \sum_{(ij)} J_{ij} m_i m_j
//!   + \tfrac{\beta^2}{2} \sum_{(ij)} J_{ij}^2 w_i w_j
//!   + \tfrac{2\beta^3}{3} \sum_{(ij)} J_{ij}^3 m_i w_i m_j w_j + \beta^3 \sum_{(ijk)} J_{ij} J_{jk} J_{ki} w_i w_j w_k + \dots
//! ```
//!
//! with $`w = 1 - m^2`$ and $`S(m) = -\tfrac{1+m}{2} \ln \tfrac{1+m}{2} - \tfrac{1-m}{2} \ln \tfrac{1-m}{2}`$. Its
//! stationary points are the mean-field equations of that order. The error of ln Z is of order 2, 3 and 4 in β for the
//! three orders kept, and 2, 4, 4 on graphs without triangles and fields.
//!
//! Lecture notes often print the entropy without the weights $`\tfrac{1\pm m}{2}`$ before the logarithms, and the coupling
//! energy with a plus sign; at J = 0, m = 0 the free energy would then be $`-2\ln 2`$ a spin instead of $`-\ln 2`$.

pub(crate) mod graph;
mod hopfield;
mod iterate;
mod kikuchi;
mod params;
mod plefka;

use linalg_core::Observer;
use linalg_core::stats::Estimate;
use spin_models::{
    Correlations, Kind, LnZ, LogPartition, PairCorrelations, PairwiseModel, Progress, Quantities, Solution, Solve,
};

pub use hopfield::{HopfieldBp, HopfieldParams, HopfieldSolution, HopfieldTap};
pub use iterate::MeanFieldSolution;
pub use kikuchi::{Kikuchi, KikuchiParams, KikuchiSolution, squares};
pub use params::{MeanFieldParams, Update};
pub use plefka::PlefkaOrder;
pub use spin_models::hopfield::Patterns;

use crate::Result;
use crate::pairs::CoupledPairs;

/// Naive mean field: the product distribution $`q`$ with the lowest free energy that the iteration finds.
///
/// ```math
/// \ln Z \ge \sum_s q(s) [-\beta E(s) - \ln q(s)], \qquad m_i = \tanh \beta (h_i + \textstyle\sum_j J_{ij} m_j)
/// ```
///
/// The right side is a lower bound of ln Z at any magnetizations, so the value is one whether the iteration has converged
/// or not. Updates one site after the other never lower it.
///
/// Cost: `O(N + M)` a sweep and in memory, M couplings.
///
/// ```
/// use spin_models::{Ising, LogPartition};
/// use variational::NaiveMeanField;
///
/// // A pair at β = 1/2: the bound is 2 ln 2 at m = 0, the exact value ln(4 cosh(1/2)).
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let bound = NaiveMeanField::default().ln_z(&pair, 0.5)?;
/// assert!((bound.value - 4f64.ln()).abs() < 1e-12);
/// assert!(bound.value < (4.0 * 0.5f64.cosh()).ln());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NaiveMeanField {
    params: MeanFieldParams,
}

impl NaiveMeanField {
    /// With these parameters; they are checked when a model is solved.
    pub fn new(params: MeanFieldParams) -> Self {
        Self { params }
    }

    /// Magnetizations, free energy and how the iteration went.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter); β that is negative or not finite; couplings and fields that are
    /// not finite. A stop by the observer ends the iteration: the report is that of the last sweep.
    pub fn fit<M: PairwiseModel + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<MeanFieldSolution> {
        iterate::solve(model, beta, PlefkaOrder::First, &self.params, observer)
    }

    /// Connected correlations by linear response, $`\chi = \partial m / \partial (\beta h)`$: N x N, row-major.
    ///
    /// Cost: `O(N³)`, at most 4096 spins.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge); [`Error::NotApplicable`](crate::Error::NotApplicable) where the free
    /// energy has no minimum.
    ///
    /// # Panics
    /// If the number of magnetizations is not that of the spins.
    pub fn linear_response<M: PairwiseModel + ?Sized>(&self, model: &M, beta: f64, m: &[f64]) -> Result<Vec<f64>> {
        iterate::linear_response(model, beta, PlefkaOrder::First, m)
    }
}

/// The Thouless-Anderson-Palmer equations and their neighbours in Plefka's expansion.
///
/// ```math
/// m_i = \tanh\Bigl(\beta h_i + \beta \sum_j J_{ij} m_j - \beta^2 m_i \sum_j J_{ij}^2 (1 - m_j^2)\Bigr)
/// ```
///
/// at second order. The value of ln Z is an approximation, no bound. See the [module](self) for the free energy.
///
/// Cost: `O(N + M)` a sweep; the third order also visits every triangle.
///
/// ```
/// use spin_models::Ising;
/// use variational::mean_field::{PlefkaOrder, Tap};
///
/// // Second order for a pair at m = 0: 2 ln 2 + (βJ)²/2. The exact value is 2 ln 2 + ln cosh βJ.
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let solution = Tap::default().fit(&pair, 0.1, &mut ())?;
/// assert!((solution.ln_z - (4f64.ln() + 0.005)).abs() < 1e-12 && solution.converged);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tap {
    order: PlefkaOrder,
    params: MeanFieldParams,
}

impl Default for Tap {
    /// Second order, sequential updates, half of the old value kept.
    fn default() -> Self {
        Self::new(PlefkaOrder::Second, MeanFieldParams::default().damping(0.5))
    }
}

impl Tap {
    /// This order with these parameters; they are checked when a model is solved.
    pub fn new(order: PlefkaOrder, params: MeanFieldParams) -> Self {
        Self { order, params }
    }

    /// Magnetizations, free energy and how the iteration went.
    ///
    /// # Errors
    /// As [`NaiveMeanField::fit`]; [`Error::TooLarge`](crate::Error::TooLarge) for more than 5e7 triangles at third order.
    pub fn fit<M: PairwiseModel + ?Sized>(
        &self,
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<MeanFieldSolution> {
        iterate::solve(model, beta, self.order, &self.params, observer)
    }

    /// Connected correlations by linear response: N x N, row-major.
    ///
    /// # Errors
    /// As [`NaiveMeanField::linear_response`].
    ///
    /// # Panics
    /// If the number of magnetizations is not that of the spins.
    pub fn linear_response<M: PairwiseModel + ?Sized>(&self, model: &M, beta: f64, m: &[f64]) -> Result<Vec<f64>> {
        iterate::linear_response(model, beta, self.order, m)
    }

    fn kind(&self, solution: &MeanFieldSolution) -> Kind {
        match self.order {
            PlefkaOrder::First => Kind::Lower,
            _ => Kind::Approximation { converged: solution.converged, residual: solution.residual },
        }
    }
}

/// The answer in the words of `spin-models`. `pair` gives the correlation of a pair.
fn answer<M: CoupledPairs>(
    model: &M,
    solution: MeanFieldSolution,
    kind: Kind,
    want: Quantities,
    mut pair: impl FnMut(usize, usize) -> Option<f64>,
) -> Solution {
    let mut answer = Solution::default();
    answer.ln_z = Some(LnZ { value: solution.ln_z, std_error: None, kind });
    answer.energy = Some(Estimate::exact(solution.energy));
    if want.correlations != Correlations::None {
        let pairs: Vec<(usize, usize)> = model.wanted(want.correlations);
        let values: Option<Vec<Estimate>> = pairs.iter().map(|&(i, j)| pair(i, j).map(Estimate::exact)).collect();
        answer.correlations = values.map(|values| PairCorrelations { pairs, values });
    }
    answer.magnetizations = Some(solution.magnetizations.into_iter().map(Estimate::exact).collect());
    answer
}

impl<M: PairwiseModel + ?Sized> LogPartition<M> for NaiveMeanField {
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> spin_models::Result<LnZ> {
        let solution = self.fit(model, beta, observer)?;
        Ok(LnZ { value: solution.ln_z, std_error: None, kind: Kind::Lower })
    }
}

impl<M: PairwiseModel + ?Sized> LogPartition<M> for Tap {
    fn ln_z_observed(&self, model: &M, beta: f64, observer: &mut dyn Observer<Progress>) -> spin_models::Result<LnZ> {
        let solution = self.fit(model, beta, observer)?;
        Ok(LnZ { value: solution.ln_z, std_error: None, kind: self.kind(&solution) })
    }
}

impl<M: CoupledPairs> Solve<M> for NaiveMeanField {
    fn name(&self) -> &'static str {
        "naive-mean-field"
    }

    /// Correlations are those of the product distribution, `m_i m_j`.
    fn solve(
        &self,
        model: &M,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<Solution> {
        let solution = self.fit(model, beta, observer)?;
        let m = solution.magnetizations.clone();
        Ok(answer(model, solution, Kind::Lower, want, |i, j| Some(m[i] * m[j])))
    }
}

impl<M: CoupledPairs> Solve<M> for Tap {
    fn name(&self) -> &'static str {
        "tap"
    }

    /// Correlations are those of linear response; none above 1024 spins or where the free energy has no minimum.
    fn solve(
        &self,
        model: &M,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<Solution> {
        let solution = self.fit(model, beta, observer)?;
        let kind = self.kind(&solution);
        let (n, m) = (model.n_spins(), solution.magnetizations.clone());
        let response = match want.correlations {
            Correlations::None => None,
            // A second; whoever can wait calls `linear_response`.
            _ if n > 1024 => None,
            _ => self.linear_response(model, beta, &m).ok(),
        };
        Ok(answer(model, solution, kind, want, |i, j| response.as_ref().map(|chi| chi[i * n + j] + m[i] * m[j])))
    }
}
