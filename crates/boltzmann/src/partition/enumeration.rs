//! Exact sums over one layer.

use linalg_core::logspace::LogSum;

use super::{binary::BinaryForm, gaussian, gray};
use crate::error::check_beta;
use crate::rbm::{Statistics, layer_energy, layer_ln_multiplicity, layer_ln_z, layer_mean};
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// The largest number of states that is enumerated.
pub const MOST_STATES: u64 = 1 << 28;

const NAME: &str = "exact sum";

/// What the sum over all states gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// ln Z.
    pub ln_z: f64,
    /// Means under the model; β times the difference to those of the data is the gradient.
    pub statistics: Statistics,
}

/// ln Z, exact: the layer of fewer states is enumerated, the other summed or integrated by its units.
///
/// Two Gaussian layers have a closed form. Two-state units (Bernoulli, spin) are walked in Gray-code order, for 784 x 20
/// units 0.3 s.
///
/// Cost: states of the smaller layer times units of the larger.
///
/// # Errors
/// [`Error::Parameter`] for a bad β, [`Error::TooLarge`] for more than [`MOST_STATES`] states, [`Error::NotApplicable`] for two
/// continuous layers that are not both Gaussian, [`Error::Unbounded`] for Gaussian ones with too large couplings.
pub fn exact_ln_z<V: Unit, H: Unit>(rbm: &Rbm<V, H>, beta: f64) -> Result<f64> {
    check_beta(beta)?;
    if let Some(value) = gaussian::ln_z(rbm, beta)? {
        return Ok(value);
    }
    let layers = Layers::of(rbm)?;
    if let Some(form) = BinaryForm::of(rbm, beta) {
        return Ok(gray::ln_z(&form));
    }
    let mut total = LogSum::new();
    layers.walk(beta, |ln_weight, _, _| total.push(ln_weight));
    Ok(total.value() - beta * rbm.offset())
}

/// ln Z and the means of `v`, `h` and `h vᵀ`, exact.
///
/// # Errors
/// As [`exact_ln_z`]; [`Error::NotApplicable`] for two continuous layers.
pub fn exact<V: Unit, H: Unit>(rbm: &Rbm<V, H>, beta: f64) -> Result<Exact> {
    check_beta(beta)?;
    let layers = Layers::of(rbm)?;
    let mut total = LogSum::new();
    layers.walk(beta, |ln_weight, _, _| total.push(ln_weight));
    let ln_z = total.value();
    let (n, m) = (layers.bias.len(), layers.other_bias.len());
    let (mut products, mut own, mut other) = (vec![0.0; n * m], vec![0.0; n], vec![0.0; m]);
    let mut means = vec![0.0; m];
    layers.walk(beta, |ln_weight, x, fields| {
        let p = (ln_weight - ln_z).exp();
        layer_mean(layers.other, fields, beta, &mut means);
        other.iter_mut().zip(&means).for_each(|(sum, y)| *sum += p * y);
        for ((row, sum), &x) in products.chunks_exact_mut(m).zip(&mut own).zip(x) {
            *sum += p * x;
            row.iter_mut().zip(&means).for_each(|(sum, y)| *sum += p * x * y);
        }
    });
    let statistics = if layers.hidden_side {
        Statistics { weights: products, visible: other, hidden: own }
    } else {
        let weights = (0..m).flat_map(|j| products.iter().skip(j).step_by(m).copied()).collect();
        Statistics { weights, visible: own, hidden: other }
    };
    Ok(Exact { ln_z: ln_z - beta * rbm.offset(), statistics })
}

/// The means of [`Unit::precision_statistic`] of continuous visible units, exact, a number a unit.
pub(crate) fn exact_precisions<V: Unit, H: Unit>(rbm: &Rbm<V, H>, beta: f64) -> Result<Vec<f64>> {
    let layers = Layers::of(rbm)?;
    if !layers.hidden_side {
        return Err(Error::NotApplicable { method: NAME, reason: "the visible units are not continuous" });
    }
    let mut total = LogSum::new();
    layers.walk(beta, |ln_weight, _, _| total.push(ln_weight));
    let (ln_z, width) = (total.value(), layers.other.width());
    let mut means = vec![0.0; rbm.n_visible()];
    layers.walk(beta, |ln_weight, _, fields| {
        let p = (ln_weight - ln_z).exp();
        for (unit, (mean, field)) in means.iter_mut().zip(fields.chunks_exact(width)).enumerate() {
            *mean += p * layers.other.precision_mean(unit, field, beta);
        }
    });
    Ok(means)
}

/// A layer to enumerate and the one to sum by hand.
struct Layers<'a> {
    units: &'a dyn Unit,
    bias: &'a [f64],
    other: &'a dyn Unit,
    other_bias: &'a [f64],
    /// Enumerated x other.
    weights: std::borrow::Cow<'a, [f64]>,
    hidden_side: bool,
}

impl<'a> Layers<'a> {
    fn of<V: Unit, H: Unit>(rbm: &'a Rbm<V, H>) -> Result<Self> {
        let states = |unit: &dyn Unit, n: usize| {
            let q = unit.n_states()? as u64;
            Some((0..n).try_fold(1u64, |states, _| states.checked_mul(q)).unwrap_or(u64::MAX))
        };
        let visible = states(rbm.visible(), rbm.n_visible());
        let hidden = states(rbm.hidden(), rbm.n_hidden());
        let hidden_side = match (visible, hidden) {
            (None, None) => {
                return Err(Error::NotApplicable { method: NAME, reason: "both layers are continuous" });
            }
            (Some(v), Some(h)) => h <= v,
            (visible, _) => visible.is_none(),
        };
        let fewest = if hidden_side { hidden } else { visible }.unwrap_or(u64::MAX);
        if fewest > MOST_STATES {
            return Err(Error::TooLarge {
                method: NAME,
                what: "number of states of the smaller layer",
                value: usize::try_from(fewest).unwrap_or(usize::MAX),
                bound: MOST_STATES as usize,
            });
        }
        let (visible, hidden): (&dyn Unit, &dyn Unit) = (rbm.visible(), rbm.hidden());
        Ok(if hidden_side {
            Self {
                units: hidden,
                bias: rbm.hidden_bias(),
                other: visible,
                other_bias: rbm.visible_bias(),
                weights: rbm.weights().into(),
                hidden_side,
            }
        } else {
            let nv = rbm.visible_len();
            let transposed = (0..nv).flat_map(|k| rbm.weights().iter().skip(k).step_by(nv).copied());
            Self {
                units: visible,
                bias: rbm.visible_bias(),
                other: hidden,
                other_bias: rbm.hidden_bias(),
                weights: transposed.collect::<Vec<_>>().into(),
                hidden_side,
            }
        })
    }

    /// Calls `visit` with ln weight (the other layer summed), state and fields on the other layer, for every state.
    fn walk(&self, beta: f64, mut visit: impl FnMut(f64, &[f64], &[f64])) {
        let width = self.units.width();
        let n = self.bias.len() / width;
        let m = self.other_bias.len();
        let q = self.units.n_states().unwrap_or(1);
        let mut digits = vec![0; n];
        let mut x = vec![0.0; self.bias.len()];
        x.chunks_exact_mut(width).for_each(|x| self.units.state(0, x));
        loop {
            let mut fields = self.other_bias.to_vec();
            for (row, &x) in self.weights.chunks_exact(m).zip(&x) {
                if x != 0.0 {
                    fields.iter_mut().zip(row).for_each(|(f, w)| *f += x * w);
                }
            }
            let field_term: f64 = self.bias.iter().zip(&x).map(|(b, x)| b * x).sum();
            let ln_weight = beta * (field_term - layer_energy(self.units, &x))
                + layer_ln_multiplicity(self.units, &x)
                + layer_ln_z(self.other, &fields, beta);
            visit(ln_weight, &x, &fields);
            // The next number in base q.
            let Some(i) = digits.iter().position(|&digit| digit + 1 < q) else { return };
            digits[..i].fill(0);
            digits[i] += 1;
            for (k, &digit) in digits[..=i].iter().enumerate() {
                self.units.state(digit, &mut x[k * width..(k + 1) * width]);
            }
        }
    }
}
