//! A coset model with a solver prepared for it.

use std::f64::consts::LN_2;

use spin_models::{InteractionModel, Kind, LnZ, LogPartitionPlan, PrepareLogPartition, Reweight};

use crate::error::Result;
use crate::shots::{ones, words_per_row};
use crate::statmech::{CosetModel, Erasure, SyndromeFlips};

/// The likelihoods of all cosets: one plan for all signs.
pub(super) struct Likelihoods {
    pub coset: CosetModel,
    plan: Box<dyn LogPartitionPlan>,
    /// What is added to ln Z.
    shift: f64,
    erasures: Option<Erasures>,
}

/// What is needed to change weights from shot to shot.
struct Erasures {
    /// For each mechanism; empty where every change makes another model.
    effects: Vec<Erasure>,
    weights: Vec<f64>,
    changed: Vec<f64>,
}

/// Whether a solver stands by its value: not where an iteration, a truncation or a comparison with itself failed.
fn is_converged(ln_z: &LnZ) -> bool {
    !matches!(ln_z.kind, Kind::Approximation { converged: false, .. })
}

impl Likelihoods {
    pub fn new<S: PrepareLogPartition<InteractionModel>>(solver: &S, coset: CosetModel) -> Result<Self> {
        let plan = solver.prepare(coset.model())?;
        let shift = coset.ln_normalization();
        Ok(Self { coset, plan, shift, erasures: None })
    }

    /// `ln P(σ, λ)` of one class, given the signs of its model, and whether the solver converged.
    pub fn ln_probability(&mut self, state: &SyndromeFlips, class: &[u64]) -> Result<(f64, bool)> {
        if !self.coset.is_possible(state, class) {
            return Ok((f64::NEG_INFINITY, true));
        }
        let ln_z = self.plan.ln_z_signed(&state.flips, 1.0)?;
        let (ln, converged) = (ln_z.value + self.shift, is_converged(&ln_z));
        let impossible = self.coset.ln_least().is_some_and(|least| ln < least);
        Ok((if impossible { f64::NEG_INFINITY } else { ln }, converged))
    }

    /// Runs something in a shot with erasures: with weights of 0 in the plan where that is enough, else with a model and a
    /// plan of the shot's own.
    pub fn erased<S: PrepareLogPartition<InteractionModel>, R>(
        &mut self,
        solver: &S,
        erased: &[u64],
        run: impl FnOnce(&mut Self) -> Result<R>,
    ) -> Result<R> {
        let coset = &self.coset;
        let erasures = self.erasures.get_or_insert_with(|| {
            let model = coset.model();
            let weights: Vec<f64> = (0..model.n_interactions()).map(|a| model.weight(a)).collect();
            Erasures { effects: coset.erasures().unwrap_or_default(), changed: weights.clone(), weights }
        });
        let known = erasures.effects.len();
        let in_place = words_per_row(known) == erased.len()
            && ones(erased).all(|j| j < known && erasures.effects[j] != Erasure::Rebuild);
        if !in_place {
            return run(&mut Self::new(solver, coset.with_erased(erased)?)?);
        }
        let (weights, mut shift) = (&mut erasures.changed, self.shift);
        for j in ones(erased) {
            if let Erasure::Term(a) = erasures.effects[j] {
                // The constant of the term was -ln 2 cosh K, and is -ln 2.
                let k = weights[a].abs();
                shift += k + (-2.0 * k).exp().ln_1p() - LN_2;
                weights[a] = 0.0;
            }
        }
        self.plan.set_weights(weights)?;
        let before = std::mem::replace(&mut self.shift, shift);
        let result = run(self);
        self.shift = before;
        if let Some(erasures) = &mut self.erasures {
            erasures.changed.copy_from_slice(&erasures.weights);
            self.plan.set_weights(&erasures.weights)?;
        }
        result
    }
}
