//! Maximum-likelihood decoding.

use linalg_core::gf2::BitVec;
use spin_models::{InteractionModel, PrepareLogPartition};

use super::decoder::{Decoder, Prediction, check_syndrome};
use super::likelihoods::Likelihoods;
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
    likelihoods: Likelihoods,
    state: SyndromeFlips,
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
        let likelihoods = Likelihoods::new(&solver, coset)?;
        Ok(Self { solver, likelihoods, state: SyndromeFlips::default() })
    }

    /// Another decoder of the same problem, for another thread.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn try_clone(&self) -> Result<Self>
    where
        S: Clone,
    {
        Self::new(self.solver.clone(), self.likelihoods.coset.clone())
    }

    /// The solver.
    pub fn solver(&self) -> &S {
        &self.solver
    }

    /// The coset model.
    pub fn coset(&self) -> &CosetModel {
        &self.likelihoods.coset
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

/// No class of the syndrome has an error, for a reason that is no linear relation.
pub(super) fn impossible() -> Error {
    let reason = "the syndrome has probability 0 in all classes".to_owned();
    Error::NotApplicable { method: "maximum likelihood", reason }
}

/// The likelihoods of all classes and the best of them.
fn decode_classes(
    likelihoods: &mut Likelihoods,
    state: &mut SyndromeFlips,
    syndrome: &[u64],
    out: &mut Prediction,
) -> Result<()> {
    let n = likelihoods.coset.n_observables();
    likelihoods.coset.start(syndrome, state)?;
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
            state.flips.xor_assign(likelihoods.coset.observable_flips(observable));
        }
        let words = [class as u64];
        let (ln, converged) = likelihoods.ln_probability(state, &words[..n.div_ceil(64)])?;
        out.ln_class[class] = ln;
        out.converged &= converged;
    }
    let chosen = best(&out.ln_class);
    if out.ln_class[chosen] == f64::NEG_INFINITY {
        return Err(impossible());
    }
    set_class(&mut out.observables, n, chosen);
    out.weight = f64::NAN;
    Ok(())
}

impl<S: PrepareLogPartition<InteractionModel> + Send> Decoder for MaximumLikelihood<S> {
    fn n_detectors(&self) -> usize {
        self.coset().n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.coset().n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.coset().n_detectors());
        decode_classes(&mut self.likelihoods, &mut self.state, syndrome, out)
    }

    /// Weights of erased mechanisms are 0 in the shot; where a mechanism of probability 0 or 1 is among them, the shot gets
    /// a coset model and a plan of its own. For Pauli tables `erased` has a bit a qubit, and every such shot gets its own.
    fn decode_erased_into(&mut self, syndrome: &[u64], erased: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.coset().n_detectors());
        let Self { solver, likelihoods, state } = self;
        likelihoods.erased(solver, erased, |likelihoods| decode_classes(likelihoods, state, syndrome, out))
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
