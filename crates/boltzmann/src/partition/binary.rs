//! Machines with two states a unit, as 0/1 units at β = 1.

use crate::Rbm;
use crate::units::Unit;

/// `ln weight = constant + a · x + b · y + y W x` over bits x of the visible and y of the hidden layer: β, values,
/// energies and multiplicities of the units are in the numbers.
#[derive(Debug, Clone)]
pub(crate) struct BinaryForm {
    /// Hidden x visible.
    pub(crate) weights: Vec<f64>,
    pub(crate) visible: Vec<f64>,
    pub(crate) hidden: Vec<f64>,
    pub(crate) constant: f64,
    /// The lower value and the step to the upper one, of visible and of hidden units.
    pub(crate) values: [[f64; 2]; 2],
}

/// The two values of a unit and, for each unit, ln m - βU of both.
struct TwoValues {
    low: f64,
    step: f64,
    ln_weights: Vec<[f64; 2]>,
}

fn two_values(units: &dyn Unit, n: usize, beta: f64) -> Option<TwoValues> {
    if units.width() != 1 || units.n_states() != Some(2) {
        return None;
    }
    let value = |k: usize| {
        let mut x = [0.0];
        units.state(k, &mut x);
        x[0]
    };
    let ln_weight = |i: usize, x: f64| units.ln_multiplicity(i, &[x]) - beta * units.energy(i, &[x]);
    let (low, high) = (value(0), value(1));
    let ln_weights = (0..n).map(|i| [ln_weight(i, low), ln_weight(i, high)]).collect();
    Some(TwoValues { low, step: high - low, ln_weights })
}

impl BinaryForm {
    /// The form of a machine at `beta`, if all its units have two states.
    pub(crate) fn of<V: Unit, H: Unit>(rbm: &Rbm<V, H>, beta: f64) -> Option<Self> {
        let (nv, nh) = (rbm.n_visible(), rbm.n_hidden());
        let v = two_values(rbm.visible(), nv, beta)?;
        let h = two_values(rbm.hidden(), nh, beta)?;
        let mut visible = rbm.visible_bias().to_vec();
        let mut hidden = rbm.hidden_bias().to_vec();
        let mut constant = -rbm.offset();
        for (row, b) in rbm.weights().chunks_exact(nv).zip(&mut hidden) {
            let sum: f64 = row.iter().sum();
            constant += h.low * v.low * sum;
            *b += v.low * sum;
            visible.iter_mut().zip(row).for_each(|(a, w)| *a += h.low * w);
        }
        constant += v.low * rbm.visible_bias().iter().sum::<f64>() + h.low * rbm.hidden_bias().iter().sum::<f64>();
        constant *= beta;
        for (units, fields) in [(&v, &mut visible), (&h, &mut hidden)] {
            for (field, [low, high]) in fields.iter_mut().zip(&units.ln_weights) {
                *field = beta * units.step * *field + high - low;
                constant += low;
            }
        }
        let scale = beta * v.step * h.step;
        Some(Self {
            weights: rbm.weights().iter().map(|w| scale * w).collect(),
            visible,
            hidden,
            constant,
            values: [[v.low, v.step], [h.low, h.step]],
        })
    }
}
