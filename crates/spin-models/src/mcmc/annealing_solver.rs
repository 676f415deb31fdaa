//! Simulated annealing as a solver.

use linalg_core::{Observer, Streams};

use super::annealing::{AnnealingParams, simulated_annealing};
use crate::error::check_beta;
use crate::model::{GroundState, Progress, Quantities, Solution, Solve};
use crate::{Ising, Result};

/// [`simulated_annealing`] as a solver: `annealing`.
///
/// It looks for the lowest energy and returns what it found as [`Solution::ground_state`], without a degeneracy: no
/// promise that it is the ground state. It knows nothing about β, ln Z or averages.
///
/// ```
/// use spin_models::mcmc::AnnealingSolver;
/// use spin_models::{Ising, Quantities, Solve};
///
/// // A ring of 12 with one negative bond: all but one bond can be satisfied.
/// let ring = Ising::builder(12).couplings((0..12).map(|i| (i, (i + 1) % 12, if i == 5 { -1.0 } else { 1.0 }))).build()?;
/// let solution = AnnealingSolver::default().solve(&ring, 1.0, Quantities::all(), &mut ())?;
/// assert_eq!(solution.ground_state.unwrap().energy, -10.0);
/// assert!(solution.ln_z.is_none() && solution.energy.is_none());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AnnealingSolver {
    params: AnnealingParams,
    streams: Streams,
}

impl Default for AnnealingSolver {
    /// The default [`AnnealingParams`], seed 0.
    fn default() -> Self {
        Self { params: AnnealingParams::default(), streams: Streams::new(0) }
    }
}

impl AnnealingSolver {
    /// The same with this effort.
    pub fn with_params(mut self, params: AnnealingParams) -> Self {
        self.params = params;
        self
    }

    /// The same with this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.streams = Streams::new(seed);
        self
    }

    /// A tenth of the sweeps.
    pub fn quick(mut self) -> Self {
        self.params.sweeps = self.params.sweeps.div_ceil(10);
        self
    }
}

impl Solve<Ising> for AnnealingSolver {
    fn name(&self) -> &'static str {
        "annealing"
    }

    /// Only β itself is checked, although it is not used.
    fn check(&self, _model: &Ising, beta: f64) -> Result<()> {
        check_beta(beta)
    }

    /// An observer that stops the run gets the best so far.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        _want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        check_beta(beta)?;
        let found = simulated_annealing(model, &self.params, self.streams, observer)?;
        let (energy, spins) = (found.energy, found.spins.into_vec());
        Ok(Solution { ground_state: Some(GroundState { energy, degeneracy: None, spins }), ..Solution::default() })
    }
}
