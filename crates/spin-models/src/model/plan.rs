//! Many partition functions of one graph.
//!
//! A decoder asks for ln Z of models that differ only in the signs of couplings. A solver prepares once what
//! depends on the graph (elimination order, symbolic factorisation, memory) and answers each question from there.

use linalg_core::gf2::BitVec;

use super::{EnergyModel, LnZ, LogPartition};
use crate::{Error, Result};

/// A model made of interactions `E(s) = const - Σ_a w_a Π_{i∈a} s_i`, whose weights can be replaced.
///
/// Interactions are numbered in the model's own fixed order, which its documentation states.
pub trait Reweight: EnergyModel {
    /// Number of interactions.
    fn n_interactions(&self) -> usize;

    /// The weight `w_a`.
    ///
    /// # Panics
    /// If `a` is not an interaction.
    fn weight(&self, a: usize) -> f64;

    /// Replaces the weight of interaction `a`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for NaN and infinite weights; the model is then unchanged.
    ///
    /// # Panics
    /// If `a` is not an interaction.
    fn set_weight(&mut self, a: usize, weight: f64) -> Result<()>;
}

/// A [`LogPartition`] that can prepare for many models of one graph.
pub trait PrepareLogPartition<M: ?Sized>: LogPartition<M> {
    /// Does the work that depends on the graph alone.
    ///
    /// # Errors
    /// When the solver does not apply to the model.
    fn prepare(&self, model: &M) -> Result<Box<dyn LogPartitionPlan>>;
}

/// A prepared partition function. Owns its memory; reuse it.
pub trait LogPartitionPlan: Send {
    /// Number of interactions, the length that [`ln_z_signed`](Self::ln_z_signed) and
    /// [`set_weights`](Self::set_weights) expect.
    fn n_interactions(&self) -> usize;

    /// ln Z of the prepared model with the sign of every interaction in `flips` reversed.
    ///
    /// The flips hold for this call only.
    ///
    /// # Errors
    /// When `beta` is not finite or the solver fails at these signs.
    ///
    /// # Panics
    /// If `flips.len() != self.n_interactions()`.
    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ>;

    /// Replaces all weights, in the order of the model's interactions; signs included.
    ///
    /// # Errors
    /// [`Error::WrongLength`], or [`Error::NotFinite`] naming the weight; the plan is then unchanged.
    fn set_weights(&mut self, weights: &[f64]) -> Result<()>;
}

/// The plan of a solver that has nothing to prepare: it changes the weights and solves again.
///
/// ```
/// use linalg_core::gf2::BitVec;
/// use spin_models::{Enumeration, Ising, LogPartitionPlan, Replan};
///
/// // A triangle; one negative bond frustrates it.
/// let triangle = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).coupling(0, 2, 1.0).build()?;
/// let mut plan = Replan::new(Enumeration::default(), triangle);
/// let mut flips = BitVec::zeros(plan.n_interactions());
/// flips.set(1, true);
/// let beta = 0.7f64;
/// let exact = (2.0 * (-3.0 * beta).exp() + 6.0 * beta.exp()).ln();
/// assert!((plan.ln_z_signed(&flips, beta)?.value - exact).abs() < 1e-13);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Replan<S, M> {
    solver: S,
    model: M,
    weights: Vec<f64>,
}

impl<S, M: Reweight> Replan<S, M> {
    /// A plan that calls `solver` on `model` with changed weights.
    pub fn new(solver: S, model: M) -> Self {
        let weights = (0..model.n_interactions()).map(|a| model.weight(a)).collect();
        Self { solver, model, weights }
    }
}

impl<S, M> LogPartitionPlan for Replan<S, M>
where
    S: LogPartition<M> + Send,
    M: Reweight + Send,
{
    fn n_interactions(&self) -> usize {
        self.weights.len()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> Result<LnZ> {
        assert_eq!(flips.len(), self.weights.len(), "{} signs for {} interactions", flips.len(), self.weights.len());
        for a in flips.iter_ones() {
            self.model.set_weight(a, -self.weights[a])?;
        }
        let answer = self.solver.ln_z(&self.model, beta);
        for a in flips.iter_ones() {
            self.model.set_weight(a, self.weights[a])?;
        }
        answer
    }

    fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        check_weights(weights, self.weights.len())?;
        for (a, &w) in weights.iter().enumerate() {
            self.model.set_weight(a, w)?;
        }
        self.weights.copy_from_slice(weights);
        Ok(())
    }
}

/// The check every plan makes before it takes new weights.
pub(crate) fn check_weights(weights: &[f64], expected: usize) -> Result<()> {
    if weights.len() != expected {
        return Err(Error::WrongLength { what: "weights", got: weights.len(), expected });
    }
    match weights.iter().position(|w| !w.is_finite()) {
        None => Ok(()),
        Some(entry) => Err(Error::NotFinite { what: "weight", entry, sites: Vec::new(), value: weights[entry] }),
    }
}
