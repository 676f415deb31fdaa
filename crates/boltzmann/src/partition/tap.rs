//! Mean-field free energies of two-state machines: first order, TAP, and third order.

use spin_models::{Kind, LnZ};

use super::binary::BinaryForm;
use crate::error::check_beta;
use crate::units::Unit;
use crate::{Error, Rbm, Result, Statistics};

/// Plefka's expansion in the couplings, cut after the first, second (TAP) or third order.
///
/// With means $`m`$ of the visible and $`n`$ of the hidden units in 0/1 form,
///
/// ```math
/// \ln Z \approx S(m) + S(n) + a \cdot m + b \cdot n + \sum_{jk} \Big[ W n m + \tfrac12 W^2 c_2(n) c_2(m) + \tfrac16 W^3 c_3(n) c_3(m) \Big],
/// ```
///
/// at a stationary point, with the cumulants $`c_2(m) = m - m^2`$ and $`c_3(m) = (m - m^2)(1 - 2m)`$; there are no triangles in a
/// machine of two layers. The error of ln Z falls with the power 2, 3, 4 of the couplings where the biases are generic.
///
/// M. Gabrié, E. W. Tramel and F. Krzakala, NeurIPS 2015; T. Plefka, J. Phys. A 15, 1971 (1982).
///
/// ```
/// use boltzmann::Rbm;
/// use boltzmann::partition::{Tap, exact_ln_z};
/// use boltzmann::units::Bernoulli;
///
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![0.2], vec![0.3], vec![-0.1])?;
/// let report = Tap::new(3)?.solve(&rbm, 1.0)?;
/// assert!(report.converged);
/// assert!((report.ln_z - exact_ln_z(&rbm, 1.0)?).abs() < 1e-5);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tap {
    order: u8,
    damping: f64,
    tolerance: f64,
    max_iterations: usize,
}

/// A stationary point.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TapReport {
    /// The approximation of ln Z.
    pub ln_z: f64,
    /// Means of the visible units as probabilities of their upper value.
    pub visible: Vec<f64>,
    /// The same of the hidden units.
    pub hidden: Vec<f64>,
    /// Iterations made.
    pub iterations: usize,
    /// The largest difference between a mean and the right side of its equation.
    pub residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl TapReport {
    /// ln Z with its kind, [`Kind::Approximation`].
    pub fn to_ln_z(&self) -> LnZ {
        let kind = Kind::Approximation { converged: self.converged, residual: self.residual };
        LnZ { value: self.ln_z, std_error: None, kind }
    }
}

impl Tap {
    /// The expansion of this order, 1 to 3; damping 1/2, tolerance 1e-11, at most 10 000 iterations.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another order.
    pub fn new(order: u8) -> Result<Self> {
        if (1..=3).contains(&order) {
            Ok(Self { order, damping: 0.5, tolerance: 1e-11, max_iterations: 10_000 })
        } else {
            Err(Error::Parameter { what: "order", value: order.to_string(), expected: "1, 2 or 3" })
        }
    }

    /// Sets how much of the old means is kept in an iteration, 0 to less than 1, the tolerance and the iterations at most.
    pub fn iteration(mut self, damping: f64, tolerance: f64, max_iterations: usize) -> Self {
        (self.damping, self.tolerance, self.max_iterations) = (damping.clamp(0.0, 0.999), tolerance, max_iterations);
        self
    }

    /// Iterates the stationarity equations from the means of independent units.
    ///
    /// Cost: the number of weights an iteration.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for units without two states, [`Error::Parameter`] for a bad β. No convergence is no error: see the
    /// report.
    pub fn solve<V: Unit, H: Unit>(&self, rbm: &Rbm<V, H>, beta: f64) -> Result<TapReport> {
        let form = form(rbm, beta)?;
        let means = |fields: &[f64]| fields.iter().map(|&f| linalg_core::logspace::sigmoid(f)).collect();
        let (v, h) = (means(&form.visible), means(&form.hidden));
        Ok(self.iterate(&form, v, h))
    }

    /// The same from given means, probabilities of the upper value: another solution of a machine with several, or the one of a
    /// machine that has moved little.
    ///
    /// # Errors
    /// As [`solve`](Self::solve); [`Error::WrongLength`], [`Error::NotFinite`].
    pub fn solve_from<V: Unit, H: Unit>(
        &self,
        rbm: &Rbm<V, H>,
        beta: f64,
        visible: &[f64],
        hidden: &[f64],
    ) -> Result<TapReport> {
        let form = form(rbm, beta)?;
        for (what, means, n) in
            [("visible means", visible, form.visible.len()), ("hidden means", hidden, form.hidden.len())]
        {
            crate::error::check_length(what, means.len(), n)?;
            crate::error::check_finite(what, means)?;
        }
        Ok(self.iterate(&form, visible.to_vec(), hidden.to_vec()))
    }

    /// The averages that the expansion gives at a stationary point: means of both layers and of their products, in the values of the
    /// units. They are the derivatives of its ln Z over β.
    ///
    /// # Errors
    /// As [`solve_from`](Self::solve_from).
    pub fn statistics<V: Unit, H: Unit>(&self, rbm: &Rbm<V, H>, beta: f64, point: &TapReport) -> Result<Statistics> {
        let form = form(rbm, beta)?;
        crate::error::check_length("visible means", point.visible.len(), form.visible.len())?;
        crate::error::check_length("hidden means", point.hidden.len(), form.hidden.len())?;
        let [[low_v, step_v], [low_h, step_h]] = form.values;
        let nv = form.visible.len();
        let mut out = Statistics::zeros(nv, form.hidden.len());
        out.visible.iter_mut().zip(&point.visible).for_each(|(x, m)| *x = low_v + step_v * m);
        out.hidden.iter_mut().zip(&point.hidden).for_each(|(x, n)| *x = low_h + step_h * n);
        let rows = out.weights.chunks_exact_mut(nv).zip(form.weights.chunks_exact(nv)).zip(&point.hidden);
        for ((out, weights), &n) in rows {
            for ((out, &w), &m) in out.iter_mut().zip(weights).zip(&point.visible) {
                let mut both = m * n;
                if self.order >= 2 {
                    both += w * second(m) * second(n);
                }
                if self.order >= 3 {
                    both += 0.5 * w * w * third(m) * third(n);
                }
                *out = low_h * (low_v + step_v * m) + step_h * (low_v * n + step_v * both);
            }
        }
        Ok(out)
    }

    fn iterate(&self, form: &BinaryForm, mut v: Vec<f64>, mut h: Vec<f64>) -> TapReport {
        let sigmoid = linalg_core::logspace::sigmoid;
        let (mut iterations, mut residual) = (0, f64::INFINITY);
        while iterations < self.max_iterations && residual > self.tolerance {
            let new_h: Vec<f64> = self.hidden_fields(form, &v, &h).into_iter().map(sigmoid).collect();
            let mut change = mix(&mut h, &new_h, self.damping);
            let new_v: Vec<f64> = self.visible_fields(form, &v, &h).into_iter().map(sigmoid).collect();
            change = change.max(mix(&mut v, &new_v, self.damping));
            residual = change;
            iterations += 1;
        }
        let ln_z = self.value(form, &v, &h);
        let converged = residual <= self.tolerance;
        TapReport { ln_z, visible: v, hidden: h, iterations, residual, converged }
    }

    /// `∂/∂n_j` of all but the entropy.
    fn hidden_fields(&self, form: &BinaryForm, v: &[f64], h: &[f64]) -> Vec<f64> {
        let rows = form.weights.chunks_exact(v.len()).zip(&form.hidden).zip(h);
        rows.map(|((row, b), &n)| {
            let mut field = *b;
            for (&w, &m) in row.iter().zip(v) {
                field += self.force(w, m, n);
            }
            field
        })
        .collect()
    }

    fn visible_fields(&self, form: &BinaryForm, v: &[f64], h: &[f64]) -> Vec<f64> {
        let mut fields = form.visible.clone();
        for (row, &n) in form.weights.chunks_exact(v.len()).zip(h) {
            for ((field, &w), &m) in fields.iter_mut().zip(row).zip(v) {
                *field += self.force(w, n, m);
            }
        }
        fields
    }

    /// The derivative by `n` of the terms of one pair; `m` is the other mean.
    fn force(&self, w: f64, m: f64, n: f64) -> f64 {
        let mut force = w * m;
        if self.order >= 2 {
            force += 0.5 * w * w * second(m) * (1.0 - 2.0 * n);
        }
        if self.order >= 3 {
            force += w * w * w / 6.0 * third(m) * (1.0 - 6.0 * second(n));
        }
        force
    }

    fn value(&self, form: &BinaryForm, v: &[f64], h: &[f64]) -> f64 {
        let entropy = |x: f64| {
            let term = |x: f64| if x > 0.0 { -x * x.ln() } else { 0.0 };
            term(x) + term(1.0 - x)
        };
        let mut sum = form.constant;
        sum += v
            .iter()
            .zip(&form.visible)
            .chain(h.iter().zip(&form.hidden))
            .map(|(&m, a)| entropy(m) + a * m)
            .sum::<f64>();
        for (row, &n) in form.weights.chunks_exact(v.len()).zip(h) {
            for (&w, &m) in row.iter().zip(v) {
                sum += w * m * n;
                if self.order >= 2 {
                    sum += 0.5 * w * w * second(m) * second(n);
                }
                if self.order >= 3 {
                    sum += w * w * w / 6.0 * third(m) * third(n);
                }
            }
        }
        sum
    }
}

fn form<V: Unit, H: Unit>(rbm: &Rbm<V, H>, beta: f64) -> Result<BinaryForm> {
    check_beta(beta)?;
    BinaryForm::of(rbm, beta).ok_or(Error::NotApplicable { method: "TAP", reason: "a unit has other than two states" })
}

fn second(m: f64) -> f64 {
    m - m * m
}

fn third(m: f64) -> f64 {
    (m - m * m) * (1.0 - 2.0 * m)
}

/// Moves `x` towards `new`; the largest difference before.
fn mix(x: &mut [f64], new: &[f64], damping: f64) -> f64 {
    let mut largest = 0.0;
    for (x, new) in x.iter_mut().zip(new) {
        let difference = (new - *x).abs();
        if difference > largest || difference.is_nan() {
            largest = difference;
        }
        *x = damping * *x + (1.0 - damping) * new;
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bernoulli, Spin};
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    fn parameters() -> Vec<f64> {
        let mut rng = Streams::new(3).stream(0);
        (0..11).map(|k| if k < 6 { 0.4 } else { 1.0 } * standard_normal(&mut rng)).collect()
    }

    fn rbm(x: &[f64]) -> Rbm<Bernoulli, Spin> {
        Rbm::new(Bernoulli, Spin, x[..6].to_vec(), x[6..9].to_vec(), x[9..].to_vec()).unwrap()
    }

    /// The expansion is stationary in the means, so its total derivatives are the averages, at any β and for mixed units.
    #[test]
    fn averages_are_derivatives_of_the_expansion() {
        let x = parameters();
        for order in 1..=3 {
            let tap = Tap::new(order).unwrap().iteration(0.3, 1e-14, 100_000);
            for beta in [1.0, 0.6] {
                let point = tap.solve(&rbm(&x), beta).unwrap();
                assert!(point.converged);
                let found = tap.statistics(&rbm(&x), beta, &point).unwrap();
                let found = [found.weights, found.visible, found.hidden].concat();
                let numeric =
                    linalg_core::optim::finite_difference::gradient(|x| tap.solve(&rbm(x), beta).unwrap().ln_z, &x);
                for (a, b) in found.iter().zip(&numeric) {
                    assert!((beta * a - b).abs() < 1e-8, "order {order}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn a_solution_is_found_again_from_itself() {
        let tap = Tap::new(2).unwrap();
        let rbm = rbm(&parameters());
        let point = tap.solve(&rbm, 1.0).unwrap();
        let again = tap.solve_from(&rbm, 1.0, &point.visible, &point.hidden).unwrap();
        assert!(again.iterations <= 3 && (again.ln_z - point.ln_z).abs() < 1e-10);
        assert!(tap.solve_from(&rbm, 1.0, &[0.5], &[0.5; 2]).is_err());
        assert!(tap.solve_from(&rbm, 1.0, &[0.5, f64::NAN, 0.5], &[0.5; 2]).is_err());
    }
}
