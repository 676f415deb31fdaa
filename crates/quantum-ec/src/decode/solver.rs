//! The choice of a solver for the likelihoods of classes.

use std::fmt;
use std::str::FromStr;

use linalg_core::Observer;
use spin_models::{
    BoundaryMps, EnergyModel, Enumeration, InteractionModel, LnZ, LogPartition, LogPartitionPlan, Planar,
    PrepareLogPartition, Progress, Solve, TensorNetwork, TransferMatrix,
};

use super::pairwise::Pairwise;
use crate::error::{Error, Result};

/// How the partition function of a coset is computed.
///
/// Read from and written as `enumeration`, `transfer-matrix`, `planar`, `tensor-network` and `boundary-mps:CHI`.
///
/// ```
/// use quantum_ec::decode::LikelihoodSolver;
///
/// let solver: LikelihoodSolver = "boundary-mps:16".parse()?;
/// assert_eq!(solver, LikelihoodSolver::BoundaryMps(16));
/// assert_eq!(solver.to_string(), "boundary-mps:16");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LikelihoodSolver {
    /// All configurations, by [`Enumeration`].
    Enumeration,
    /// Spin by spin, by [`TransferMatrix`].
    TransferMatrix,
    /// Polynomial time for planar two-body models, by [`Planar`].
    Planar,
    /// An optimised order of contraction, by [`TensorNetwork`].
    TensorNetwork,
    /// Models in the plane with at most this many states a bond, by [`BoundaryMps`]; approximate, and a shot's
    /// [`LnZ`] says how far.
    ///
    /// Square lattices with free boundaries, numbered row by row, go row by row: bit flips, and phase flips, of unrotated
    /// surface codes. All others are laid out by their graph, with terms of any number of spins: depolarizing and biased
    /// noise of unrotated, rotated and XZZX surface codes. Refused, with [`spin_models::Error::NotApplicable`], are
    /// models that do not lie in the plane, where too many spins would be open beside each other.
    BoundaryMps(usize),
}

impl fmt::Display for LikelihoodSolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enumeration => f.write_str("enumeration"),
            Self::TransferMatrix => f.write_str("transfer-matrix"),
            Self::Planar => f.write_str("planar"),
            Self::TensorNetwork => f.write_str("tensor-network"),
            Self::BoundaryMps(chi) => write!(f, "boundary-mps:{chi}"),
        }
    }
}

impl FromStr for LikelihoodSolver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::Parameter {
            what: "solver",
            value: text.into(),
            expected: "enumeration, transfer-matrix, planar, tensor-network or boundary-mps:CHI with CHI from 1 on",
        };
        match text {
            "enumeration" => Ok(Self::Enumeration),
            "transfer-matrix" => Ok(Self::TransferMatrix),
            "planar" => Ok(Self::Planar),
            "tensor-network" => Ok(Self::TensorNetwork),
            _ => {
                let chi = text.strip_prefix("boundary-mps:").ok_or_else(refused)?;
                chi.parse().ok().filter(|&chi| chi > 0).map(Self::BoundaryMps).ok_or_else(refused)
            }
        }
    }
}

/// What a solver is expected to cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolverCost {
    /// The solver.
    pub solver: LikelihoodSolver,
    /// Seconds for one partition function, roughly.
    pub seconds: f64,
}

/// Above this a partition function is not within reach.
const TOO_LONG: f64 = 1e4;

impl LikelihoodSolver {
    /// The exact solver that is expected to be the fastest for a model, with a rough estimate of its time.
    ///
    /// Enumeration, transfer matrix and tensor network are compared; the order of contraction is searched only where the
    /// others would take more than a millisecond. A planar model is told by the caller, who knows its faces.
    ///
    /// # Errors
    /// [`Error::TooLarge`] with the width of the frontier if all of them would take hours.
    pub fn cheapest(model: &InteractionModel) -> Result<SolverCost> {
        let n = model.n_spins();
        let mut best = SolverCost { solver: Self::Enumeration, seconds: f64::INFINITY };
        let mut offer = |solver, seconds| {
            if seconds < best.seconds {
                best = SolverCost { solver, seconds };
            }
        };
        if n <= 32 {
            offer(Self::Enumeration, 5e-7 + 1e-9 * (n as f64).exp2());
        }
        let order = TransferMatrix::default().frontier(model);
        let width = order.frontier_width();
        if width <= 26 {
            offer(Self::TransferMatrix, 5e-7 + 5e-10 * order.cost() + 2e-8 * n as f64);
        }
        if best.seconds > 1e-3 {
            // The search refuses what no memory holds; then it is no candidate.
            if let Ok(cost) = TensorNetwork::default().cost(model) {
                best = match 1e-5 + 1e-9 * cost.log2_flops.exp2() * cost.slices as f64 {
                    seconds if seconds < best.seconds => SolverCost { solver: Self::TensorNetwork, seconds },
                    _ => best,
                };
            }
        }
        if best.seconds > TOO_LONG {
            let (method, what) = ("maximum likelihood", "frontier width of the coset model");
            return Err(Error::TooLarge { method, what, value: width, bound: 26 });
        }
        Ok(best)
    }
}

/// Seconds for one partition function of a planar model by [`Planar`], roughly.
pub(super) fn planar_seconds(model: &InteractionModel) -> f64 {
    8.5e-7 * (model.n_spins() as f64).powf(1.35)
}

/// Whether a model is a square lattice with free boundaries, numbered row by row.
fn on_square(solver: BoundaryMps, model: &InteractionModel) -> bool {
    model.to_ising().is_ok_and(|ising| Solve::check(&solver, &ising, 1.0).is_ok())
}

impl LogPartition<InteractionModel> for LikelihoodSolver {
    fn ln_z_observed(
        &self,
        model: &InteractionModel,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<LnZ> {
        match self {
            Self::Enumeration => Enumeration::default().ln_z_observed(model, beta, observer),
            Self::TransferMatrix => TransferMatrix::default().ln_z_observed(model, beta, observer),
            Self::Planar => Pairwise(Planar::default()).ln_z_observed(model, beta, observer),
            Self::TensorNetwork => TensorNetwork::default().ln_z_observed(model, beta, observer),
            Self::BoundaryMps(chi) => {
                let solver = BoundaryMps::new(*chi);
                if on_square(solver, model) {
                    return Pairwise(solver).ln_z_observed(model, beta, observer);
                }
                solver.ln_z_observed(model, beta, observer)
            }
        }
    }
}

impl PrepareLogPartition<InteractionModel> for LikelihoodSolver {
    fn prepare(&self, model: &InteractionModel) -> spin_models::Result<Box<dyn LogPartitionPlan>> {
        match self {
            Self::Enumeration => Enumeration::default().prepare(model),
            Self::TransferMatrix => TransferMatrix::default().prepare(model),
            Self::Planar => Pairwise(Planar::default()).prepare(model),
            Self::TensorNetwork => TensorNetwork::default().prepare(model),
            Self::BoundaryMps(chi) => {
                let solver = BoundaryMps::new(*chi);
                if on_square(solver, model) { Pairwise(solver).prepare(model) } else { solver.prepare(model) }
            }
        }
    }
}
