//! Precisions of visible units that are learned.
//!
//! With `E = ½ Σ γ_i v_i² - …` the gradient of the mean log-likelihood is `∂ln P/∂γ_i = ⟨v_i²/2⟩_model - ⟨v_i²/2⟩_data`. The step
//! goes along `ln γ`, which keeps γ positive and makes it independent of the unit of v near the optimum.

use super::super::dense_params::{DenseMethod, DenseParams};
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// Refuses units and methods that precisions cannot be learned with.
pub(super) fn check<V: Unit, H: Unit>(machine: &Rbm<V, H>, params: &DenseParams) -> Result<()> {
    if params.precision_rate > 0.0 {
        let method = "learning of precisions";
        if (0..machine.n_visible()).any(|unit| machine.visible().precision(unit).is_none()) {
            return Err(Error::NotApplicable { method, reason: "the visible units have none" });
        }
        if matches!(params.method, DenseMethod::TrajectoryTempering { .. } | DenseMethod::MeanField { .. }) {
            let reason = "it goes with exact sums, contrastive divergence, persistent chains and parallel tempering";
            return Err(Error::NotApplicable { method, reason });
        }
    }
    Ok(())
}

/// The means of `∂U/∂γ` over rows, of equal weights unless there are others, which sum to 1; a number a visible unit.
pub(super) fn means<V: Unit, H: Unit>(machine: &Rbm<V, H>, rows: &[f64], weights: Option<&[f64]>) -> Vec<f64> {
    let (nv, width) = (machine.visible_len(), machine.visible().width());
    let equal = nv as f64 / rows.len() as f64;
    let mut out = vec![0.0; machine.n_visible()];
    for (r, row) in rows.chunks_exact(nv).enumerate() {
        let weight = weights.map_or(equal, |weights| weights[r]);
        for (unit, (mean, x)) in out.iter_mut().zip(row.chunks_exact(width)).enumerate() {
            *mean += weight * machine.visible().precision_statistic(unit, x);
        }
    }
    out
}

/// Moves the precisions by `rate` along the gradient in `ln γ`; whether they are finite after it.
pub(super) fn step<V: Unit + Clone, H: Unit + Clone>(
    machine: &mut Rbm<V, H>,
    data: &[f64],
    model: &[f64],
    rate: f64,
) -> Result<bool> {
    let mut units = machine.visible().clone();
    for (unit, (data, model)) in data.iter().zip(model).enumerate() {
        let gamma = units.precision(unit).unwrap_or(f64::NAN);
        let next = gamma * (rate * gamma * (model - data)).exp();
        if !(next.is_finite() && next > 0.0) {
            return Ok(false);
        }
        units.set_precision(unit, next)?;
    }
    *machine = machine.clone().with_visible(units)?;
    Ok(true)
}
