//! Independent paths of the reference with weights.

use std::sync::Arc;

use linalg_core::rng::Streams;
use linalg_core::stats::{Estimate, WeightedMean};

use super::{Block, Target};
use crate::action::LANES;
use crate::error::{Error, Result};

/// Smallest effective share of the samples.
const LEAST_SHARE: f64 = 0.01;

/// What [`importance`] returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Importance {
    /// The weighted mean of the observable.
    pub mean: Estimate,
    /// $`\ln Z`$ of the ensemble: $`\ln\operatorname{tr} e^{-\beta H}`$, $`\ln\langle\psi_T\vert\dots\vert\psi_T\rangle`$ or the kernel.
    pub ln_z: Estimate,
    /// $`(\sum w)^2/\sum w^2`$.
    pub effective_sample_size: f64,
    /// Paths drawn.
    pub samples: u64,
}

/// Averages and $`\ln Z`$ from `samples` independent paths of the reference, weighted with $`e^{-\Phi/\hbar}`$.
///
/// $`Z = Z_{\mathrm{ref}}\,\langle e^{-\Phi/\hbar}\rangle_{\mathrm{ref}}`$ with the exact $`Z_{\mathrm{ref}}`$: the kernel itself, not only its
/// logarithmic derivative. `observable` is called with one path. Block `k` of 16 paths uses streams `16 k` to `16 k + 15`.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::sampler::{Target, importance};
/// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
///
/// // The trapezoid kernel of the oscillator, which is its own reference: no noise.
/// let system = System::new(Polynomial::oscillator(1.0, 1.0)?)?;
/// let action = Action::new(&system, &Ensemble::fixed_ends(1.5, 8, &[0.3], &[-0.5])?, Rule::Trapezoid)?;
/// let result = importance(&Target::variational(&action)?, 100, Streams::new(1), |_| 0.0)?;
/// assert!((result.ln_z.value - 0.211595098030f64.ln()).abs() < 1e-6);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::EffectiveSampleSize`] below 1 % of the samples, [`Error::PathNotFinite`], [`Error::Parameter`] for no samples.
pub fn importance<F>(target: &Target, samples: u64, streams: Streams, mut observable: F) -> Result<Importance>
where
    F: FnMut(&[f64]) -> f64,
{
    if samples == 0 {
        return Err(Error::Parameter { what: "number of samples", value: 0.0, expected: "at least 1" });
    }
    let target = Arc::new(target.clone());
    let hbar = target.action().system().hbar();
    let mut mean = WeightedMean::new();
    let mut phi = [0.0; LANES];
    for first in (0..samples).step_by(LANES) {
        let mut block = Block::new(&target, streams, first)?;
        block.phi(&mut phi);
        for (lane, phi) in phi.iter().enumerate().take((samples - first).min(LANES as u64) as usize) {
            mean.push(-phi / hbar, observable(&block.path(lane)));
        }
    }
    let effective = mean.effective_sample_size();
    let bound = LEAST_SHARE * samples as f64;
    if effective.is_nan() || effective < bound {
        return Err(Error::EffectiveSampleSize { effective, samples, bound });
    }
    let mut ln_z = mean.ln_mean_weight();
    ln_z.value += target.reference().ln_z();
    Ok(Importance { mean: mean.estimate(), ln_z, effective_sample_size: effective, samples })
}
