//! Solvers that answer several questions at once.

use linalg_core::Observer;
use linalg_core::stats::Estimate;

use super::{LnZ, Progress};
use crate::Result;

/// Which pair correlations `⟨s_i s_j⟩` are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Correlations {
    /// None.
    #[default]
    None,
    /// Those of the coupled pairs, in the model's order.
    Coupled,
    /// Those of all pairs `i < j`.
    All,
}

/// What a solver is asked for. A solver may return more when it costs nothing, and `None` for what it cannot do.
///
/// ```
/// use spin_models::{Correlations, Quantities};
///
/// let want = Quantities::all().with_correlations(Correlations::None);
/// assert!(want.ln_z && want.magnetizations);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quantities {
    /// ln Z.
    pub ln_z: bool,
    /// The mean energy.
    pub energy: bool,
    /// The magnetizations `⟨s_i⟩`.
    pub magnetizations: bool,
    /// The pair correlations.
    pub correlations: Correlations,
}

impl Quantities {
    /// ln Z alone.
    pub fn ln_z() -> Self {
        Self { ln_z: true, ..Self::default() }
    }

    /// ln Z, energy, magnetizations and the correlations of coupled pairs.
    pub fn all() -> Self {
        Self { ln_z: true, energy: true, magnetizations: true, correlations: Correlations::Coupled }
    }

    /// The same with these correlations.
    pub fn with_correlations(mut self, correlations: Correlations) -> Self {
        self.correlations = correlations;
        self
    }
}

/// Pair correlations `⟨s_i s_j⟩` with the pairs they belong to.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PairCorrelations {
    /// The pairs `(i, j)`, sites from 0.
    pub pairs: Vec<(usize, usize)>,
    /// One value for each pair.
    pub values: Vec<Estimate>,
}

/// The lowest energy and how many configurations have it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroundState {
    /// `E_0`.
    pub energy: f64,
    /// Number of configurations at `E_0`, where it was counted.
    pub degeneracy: Option<f64>,
    /// One of them.
    pub spins: Vec<i8>,
}

/// The answers of a solver; what does not apply is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Solution {
    /// ln Z with what kind of value it is.
    pub ln_z: Option<LnZ>,
    /// The mean energy `⟨E⟩`, extensive, constant term included.
    pub energy: Option<Estimate>,
    /// `⟨s_i⟩` for every site.
    pub magnetizations: Option<Vec<Estimate>>,
    /// `⟨s_i s_j⟩` for the pairs asked for.
    pub correlations: Option<PairCorrelations>,
    /// The ground state, from solvers that meet it on their way; from those that draw random numbers the lowest state
    /// met, with no degeneracy.
    pub ground_state: Option<GroundState>,
}

/// Solves a model at one inverse temperature: the trait behind the list of methods of the `solve` example.
///
/// Object-safe for a given `M`: a list of `Box<dyn Solve<Ising>>` is the intended use. An implementation that draws
/// random numbers holds its seed: two calls give one answer.
pub trait Solve<M: ?Sized> {
    /// Name of the method in lower case with hyphens, for example `transfer-matrix`.
    fn name(&self) -> &'static str;

    /// Whether the method can take this model, decided before any work starts.
    ///
    /// # Errors
    /// The same error that [`solve`](Self::solve) would return, with the reason. The default accepts everything.
    fn check(&self, _model: &M, _beta: f64) -> Result<()> {
        Ok(())
    }

    /// Computes what is wanted.
    ///
    /// # Errors
    /// When the method does not apply, `beta` is not finite or negative, or the observer stops a computation that
    /// has no partial answer.
    fn solve(&self, model: &M, beta: f64, want: Quantities, observer: &mut dyn Observer<Progress>) -> Result<Solution>;
}
