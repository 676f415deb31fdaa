//! The inverse Ising problem: couplings from samples or from moments.
//!
//! Data are ±1 spins, and the law is `P(s) ∝ exp(Σ_{i<j} J_ij s_i s_j + Σ h_i s_i)`: β = 1, absorbed in the parameters. It is the
//! distribution of largest entropy with the means and the pair correlations of the data.
//!
//! | name | from | for |
//! |---|---|---|
//! | [`PathParams`] | samples | the default: ℓ1 path, threshold, refit, chosen on held-out samples |
//! | [`LocalParams`] | samples | pseudolikelihood and interaction screening with no penalty, ℓ1 or ℓ2; standard errors |
//! | [`Decimation`] | samples | pseudolikelihood, couplings removed one by one |
//! | [`HigherOrderParams`] | samples | products of more than two spins |
//! | [`BoltzmannLearning`] | both | maximum likelihood, exact up to 25 spins, by persistent chains beyond |
//! | [`ClusterExpansion`] | both | maximum likelihood from exact solutions of small clusters; short correlations, few strong couplings |
//! | [`MaximumEntropy`] | both | any products of spins, exact, up to 25 spins; entropies |
//! | [`MeanField`] | both | closed forms: naive, TAP, Bethe, Sessak-Monasson, independent pair |
//!
//! Every method returns a [`Reconstruction`] (or has one in its result), which knows how to compare itself with a true model and,
//! given the samples, the errors that its parameters have at best ([`Reconstruction::with_fisher_errors`]).
//! What makes parameters diverge is an error that names the place: spins that never change, pairs that are always equal, spins
//! that a combination of the others predicts without a mistake, if only in some of the samples while it leaves the rest
//! open, moments on or beyond the boundary of the marginal polytope.
//!
//! ```
//! use linalg_core::Streams;
//! use spin_models::inverse::{DrawParams, LocalParams, draw_samples};
//! use spin_models::Ising;
//!
//! let truth = Ising::builder(4).couplings([(0, 1, 0.6), (1, 2, -0.4), (2, 3, 0.5)]).fields([0.2; 4]).build()?;
//! let samples = draw_samples(&truth, 20_000, &DrawParams::default(), Streams::new(1))?;
//! let found = LocalParams::pseudolikelihood().errors(true).reconstruct(&samples)?;
//! let error = found.coupling_errors.as_ref().unwrap()[1];
//! assert!((found.coupling(0, 1) - 0.6).abs() < 4.0 * error && error < 0.02);
//! # Ok::<(), spin_models::Error>(())
//! ```
//!
//! Review: H. C. Nguyen, R. Zecchina and J. Berg, Adv. Phys. 66, 197 (2017).

mod boltzmann_learning;
mod cluster;
mod draw;
mod dual;
mod exact;
mod face;
mod fisher;
mod higher_order;
mod local;
mod maximum_entropy;
mod mean_field;
mod moments;
mod read;
mod reconstruction;
mod samples;

pub use boltzmann_learning::{BoltzmannLearning, Gradient};
pub use cluster::{Cluster, ClusterEnd, ClusterExpansion, ClusterPoint, ClusterReconstruction, Reference};
pub use draw::{DrawParams, draw_samples};
pub use higher_order::{HigherOrderParams, HigherOrderReconstruction};
pub use local::{Decimation, DecimationStep, LocalParams, Loss, PathParams, PathPoint, Penalty, pseudo_log_likelihood};
pub use maximum_entropy::{MaximumEntropy, MaximumEntropyModel, MultiInformation};
pub use mean_field::MeanField;
pub use moments::Moments;
pub use read::{read_csv, read_npy};
pub use reconstruction::{Comparison, Reconstruction};
pub use samples::Samples;

use crate::{Error, Result};

/// Refuses fewer different samples than `needed`.
fn check_different(method: &'static str, got: usize, needed: usize) -> Result<()> {
    if got < needed {
        return Err(Error::TooFewSamples { method, what: "different samples", got, needed });
    }
    Ok(())
}

/// The same for samples that are merged.
fn check_different_samples(method: &'static str, merged: &Samples, needed: usize) -> Result<()> {
    check_different(method, merged.len(), needed)
}

/// A finite number that is not negative.
fn check_positive(what: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Parameter { what, value: value.to_string(), expected: "a finite number >= 0" })
}

#[cfg(test)]
mod tests {
    use super::{Samples, exact};
    use crate::model::EnergyModel;
    use crate::models::Ising;

    /// All configurations with their Boltzmann weights.
    pub(super) fn exact_samples(model: &Ising) -> Samples {
        Samples::from_states(model.n_spins(), &exact::probabilities_of(model).unwrap()).unwrap()
    }
}
