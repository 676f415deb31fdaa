//! Maximum-likelihood decoding.

use linalg_core::gf2::BitVec;
use spin_models::{InteractionModel, Kind, LnZ, LogPartitionPlan, PrepareLogPartition};

use super::decoder::{Decoder, Prediction, check_syndrome};
use super::solver::{LikelihoodSolver, planar_seconds};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::statmech::{CosetModel, SyndromeFlips, best};

/// More classes are not listed: 2¹².
const MAX_OBSERVABLES: usize = 12;

/// Predicts the class of observables that is most likely, given the syndrome, by the partition functions of all classes.
///
/// ```math
/// \hat\lambda = \arg\max_\lambda P(\lambda, \sigma) = \arg\max_\lambda Z_{\sigma, \lambda}(\beta = 1)
/// ```
///
/// The coset model is built once and the solver prepared for it; a shot costs a partition function for each of the
/// `2^O` classes. Any solver that prepares will do: exact, bounded or approximate. [`Prediction::ln_class`] holds the
/// joint `ln P(σ, λ)`, `-∞` where a class is impossible; of equally likely classes the first is predicted.
/// [`Prediction::converged`] is false where the solver says of a class that its value is not converged.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{Decoder, MaximumLikelihood};
/// use quantum_ec::{DecodingProblem, statmech::CosetModel};
/// use spin_models::TransferMatrix;
///
/// // The repetition code of three bits; both checks fire: the middle bit, or the other two.
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 3])?;
/// let mut decoder = MaximumLikelihood::new(TransferMatrix::default(), CosetModel::new(&problem)?)?;
/// let prediction = decoder.decode(&"11".parse()?)?;
/// assert_eq!(prediction.observables.to_string(), "0");
/// assert!((prediction.ln_class[0] - 0.081f64.ln()).abs() < 1e-14);
/// assert!((prediction.ln_class[1] - 0.009f64.ln()).abs() < 1e-14);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - S. Bravyi, M. Suchara and A. Vargo, Phys. Rev. A 90, 032326 (2014).
pub struct MaximumLikelihood<S> {
    solver: S,
    coset: CosetModel,
    plan: Box<dyn LogPartitionPlan>,
    state: SyndromeFlips,
    ln_normalization: f64,
}

impl<S: std::fmt::Debug> std::fmt::Debug for MaximumLikelihood<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaximumLikelihood").field("solver", &self.solver).finish_non_exhaustive()
    }
}

impl<S: PrepareLogPartition<InteractionModel>> MaximumLikelihood<S> {
    /// Prepares a solver for a coset model.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 12 observables (see [`MaximumLikelihoodMarginals`](super::MaximumLikelihoodMarginals)),
    /// [`Error::Spins`] if the solver does not take the model.
    pub fn new(solver: S, coset: CosetModel) -> Result<Self> {
        check_observables(coset.n_observables())?;
        let plan = solver.prepare(coset.model())?;
        let ln_normalization = coset.ln_normalization();
        Ok(Self { solver, coset, plan, state: SyndromeFlips::default(), ln_normalization })
    }

    /// Another decoder of the same problem, for another thread.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn try_clone(&self) -> Result<Self>
    where
        S: Clone,
    {
        Self::new(self.solver.clone(), self.coset.clone())
    }

    /// The solver.
    pub fn solver(&self) -> &S {
        &self.solver
    }

    /// The coset model.
    pub fn coset(&self) -> &CosetModel {
        &self.coset
    }
}

/// The exact solver that is expected to be the fastest, with the coset model that suits it.
pub(super) fn fastest(problem: &DecodingProblem) -> Result<(LikelihoodSolver, CosetModel)> {
    let planar = CosetModel::planar(problem).ok();
    let planar_cost = planar.as_ref().map_or(f64::INFINITY, |coset| planar_seconds(coset.model()));
    let coset = CosetModel::new(problem)?;
    match (LikelihoodSolver::cheapest(coset.model()), planar) {
        (Ok(cost), _) if cost.seconds <= planar_cost => Ok((cost.solver, coset)),
        (_, Some(planar)) => Ok((LikelihoodSolver::Planar, planar)),
        (cost, None) => Ok((cost?.solver, coset)),
    }
}

fn check_observables(n: usize) -> Result<()> {
    if n > MAX_OBSERVABLES {
        let (method, what) = ("maximum likelihood", "number of observables");
        return Err(Error::TooLarge { method, what, value: n, bound: MAX_OBSERVABLES });
    }
    Ok(())
}

impl MaximumLikelihood<LikelihoodSolver> {
    /// A decoder with the exact solver that is expected to be the fastest; [`solver`](Self::solver) tells which.
    ///
    /// Graphlike planar problems of one observable are candidates for [`LikelihoodSolver::Planar`].
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 12 observables, or if every exact solver would take hours.
    pub fn automatic(problem: &DecodingProblem) -> Result<Self> {
        check_observables(problem.n_observables())?;
        let (solver, coset) = fastest(problem)?;
        Self::new(solver, coset)
    }

    /// A decoder with the given solver; generators are chosen for it.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`CosetModel::planar`].
    pub fn with_solver(solver: LikelihoodSolver, problem: &DecodingProblem) -> Result<Self> {
        check_observables(problem.n_observables())?;
        let coset = match solver {
            LikelihoodSolver::Planar => CosetModel::planar(problem)?,
            _ => CosetModel::new(problem)?,
        };
        Self::new(solver, coset)
    }

    /// A decoder of a coset model with the exact solver that is expected to be the fastest.
    ///
    /// # Errors
    /// As [`LikelihoodSolver::cheapest`] and [`new`](Self::new).
    pub fn of_coset(coset: CosetModel) -> Result<Self> {
        check_observables(coset.n_observables())?;
        Self::new(LikelihoodSolver::cheapest(coset.model())?.solver, coset)
    }
}

/// Whether a solver stands by its value: not where an iteration, a truncation or a comparison with itself failed.
pub(super) fn is_converged(ln_z: &LnZ) -> bool {
    !matches!(ln_z.kind, Kind::Approximation { converged: false, .. })
}

/// `ln P(σ, λ)` of one class, given the signs of its model, and whether the solver converged.
pub(super) fn ln_probability(
    plan: &mut dyn LogPartitionPlan,
    coset: &CosetModel,
    state: &SyndromeFlips,
    class: &[u64],
    ln_normalization: f64,
) -> Result<(f64, bool)> {
    if !coset.is_possible(state, class) {
        return Ok((f64::NEG_INFINITY, true));
    }
    let ln_z = plan.ln_z_signed(&state.flips, 1.0)?;
    Ok((ln_z.value + ln_normalization, is_converged(&ln_z)))
}

impl<S: PrepareLogPartition<InteractionModel> + Send> Decoder for MaximumLikelihood<S> {
    fn n_detectors(&self) -> usize {
        self.coset.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.coset.n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.coset.n_detectors());
        let n = self.coset.n_observables();
        self.coset.start(syndrome, &mut self.state)?;
        out.converged = true;
        out.probabilities.clear();
        out.ln_class.clear();
        out.ln_class.resize(1 << n, f64::NEG_INFINITY);
        // In the order of a Gray code: from class to class one observable changes.
        let mut class = 0usize;
        for step in 0..1usize << n {
            if step > 0 {
                let observable = step.trailing_zeros() as usize;
                class ^= 1 << observable;
                self.state.flips.xor_assign(self.coset.observable_flips(observable));
            }
            let words = [class as u64];
            let words = &words[..n.div_ceil(64)];
            let (ln, converged) =
                ln_probability(&mut *self.plan, &self.coset, &self.state, words, self.ln_normalization)?;
            out.ln_class[class] = ln;
            out.converged &= converged;
        }
        let chosen = best(&out.ln_class);
        set_class(&mut out.observables, n, chosen);
        out.weight = f64::NAN;
        Ok(())
    }
}

/// The class as bits.
pub(super) fn set_class(observables: &mut BitVec, n: usize, class: usize) {
    if observables.len() != n {
        *observables = BitVec::zeros(n);
    }
    for i in 0..n {
        observables.set(i, class >> i & 1 == 1);
    }
}

#[cfg(test)]
mod tests;
