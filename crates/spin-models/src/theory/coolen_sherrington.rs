//! The order-parameter flow of the Hopfield model by Coolen and Sherrington.

use linalg_core::optim::find_root;

use super::average::{GaussianAverage, field_averages};
use super::hopfield_ags::AmitGutfreundSompolinsky;
use super::saddle_point::{Convergence, check_temperature};
use crate::{Error, Result};

/// Sequential Glauber dynamics of the Hopfield model, closed in two order parameters.
///
/// With $`m`$ the overlap with the condensed pattern and $`r = \frac{1}{\alpha N^2} \sum_{\mu > 1} (\sum_i \xi^\mu_i s_i)^2`$, time in
/// sweeps, and $`D(z)`$ the law of the crosstalk in the local fields,
///
/// ```math
/// \frac{dm}{dt} = \int dz\, D(z) \tanh \beta(m + z) - m, \qquad
/// \frac12 \frac{dr}{dt} = \frac1\alpha \int dz\, D(z)\, z \tanh \beta(m + z) + 1 - r .
/// ```
///
/// All states of given m and r count alike in D (equipartitioning), and D follows from replica-symmetric theory of the
/// ensemble that has them: with $`q = \int Dy \tanh^2(\lambda y + \mu)`$, $`m = \int Dy \tanh(\lambda y + \mu)`$,
/// $`\lambda = \rho\sqrt{\alpha q}/(1 - \rho(1 - q))`$, $`r = (1 - \rho(1-q)^2)/(1 - \rho(1-q))^2`$, and
/// $`V = \alpha(1 - q)/(1 - \rho(1 - q))`$, $`\Delta = \rho V`$,
///
/// ```math
/// D(z) = \sum_{s = \pm 1} \int Dy\, \frac{e^{s(\lambda y + \mu)}}{2\cosh(\lambda y + \mu)}\,
///        \mathcal N\Bigl(z;\, \frac{\lambda y}{\rho} + s\Delta,\, V\Bigr) .
/// ```
///
/// Fixed points are the replica-symmetric equilibrium states, with ρ = β. Far from equilibrium and where replica symmetry is
/// broken the flow is an approximation: it misses the slow last part of the relaxation.
///
/// Reference: A. C. C. Coolen and D. Sherrington, Phys. Rev. Lett. 71, 3886 (1993) and Phys. Rev. E 49, 1921 (1994).
///
/// ```
/// use spin_models::theory::CoolenSherrington;
///
/// // A random state of overlap 0.3 has r = 1, ρ = 0 and Gaussian crosstalk of variance α.
/// let flow = CoolenSherrington::new(0.05, 0.2)?;
/// let start = flow.velocity(0.3, 1.0)?.expect("a random state");
/// assert!(start.inverse_temperature.abs() < 1e-9 && (start.overlap - 0.09).abs() < 1e-9);
/// assert!(start.magnetization_rate > 0.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CoolenSherrington {
    load: f64,
    temperature: f64,
}

/// The ensemble at given m and r, and where it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlowVelocity {
    /// `dm/dt`.
    pub magnetization_rate: f64,
    /// `dr/dt`.
    pub crosstalk_rate: f64,
    /// ρ, the inverse temperature of the ensemble; negative for r < 1.
    pub inverse_temperature: f64,
    /// q of the ensemble.
    pub overlap: f64,
    /// Residual of the equations for λ and μ.
    pub convergence: Convergence,
}

/// A point of the flow.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlowPoint {
    /// Time in sweeps.
    pub time: f64,
    /// m.
    pub magnetization: f64,
    /// r.
    pub crosstalk: f64,
}

/// A piece of the flow.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Flow {
    /// Points at multiples of the time step, the start first.
    pub points: Vec<FlowPoint>,
    /// Worst residual of the ensembles on the way; not converged if the flow left the region where they exist.
    pub convergence: Convergence,
}

/// Largest residual of a converged ensemble.
const TOLERANCE: f64 = 1e-9;

/// `λ, μ` and what follows from them.
#[derive(Debug, Clone, Copy)]
struct Ensemble {
    lambda: f64,
    mu: f64,
    spread: f64,
    /// ρ(1 - q).
    c: f64,
    convergence: Convergence,
}

impl CoolenSherrington {
    /// Load α and temperature T ≥ 0.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn new(load: f64, temperature: f64) -> Result<Self> {
        AmitGutfreundSompolinsky::new(load)?;
        check_temperature(temperature)?;
        Ok(Self { load, temperature })
    }

    /// The ensemble of states with these m and r; `None` if it has no replica-symmetric solution: r is then larger than in
    /// any state of overlap m.
    fn ensemble(&self, m: f64, r: f64) -> Option<Ensemble> {
        let mut evaluations = 0;
        let size = m.abs();
        // μ for |m| at given λ, to the precision of m.
        let mut field = |lambda: f64| {
            if size == 0.0 {
                return 0.0;
            }
            let reach = size.atanh() + 3.0 * lambda * (1.0 + (-(1.0 - size).ln()).max(0.0)).sqrt() + 1.0;
            let root = find_root(|mu| field_averages(mu, lambda, 1.0).magnetization - size, 0.0, reach, 1e-15);
            evaluations += root.evaluations;
            root.x
        };
        // ρ(1-q) from r: the root of a quadratic equation that is smaller than 1.
        let rho_spread = |spread: f64| {
            let q = 1.0 - spread;
            2.0 * (r - 1.0) / (2.0 * r - spread + (spread * spread + 4.0 * r * q).sqrt())
        };
        let mut excess = |lambda: f64| {
            let a = field_averages(field(lambda), lambda, 1.0);
            let (spread, c) = (a.spread, rho_spread(a.spread));
            ((c / spread / (1.0 - c)).abs() * (self.load * (1.0 - spread)).sqrt() - lambda) / (1.0 + lambda)
        };
        let mut high = 1.0;
        let lambda = if m == 0.0 && excess(1e-6) <= 0.0 {
            // A paramagnetic ensemble: q = 0.
            0.0
        } else {
            while excess(high) > 0.0 {
                high *= 2.0;
                if high > 1e5 {
                    return None;
                }
            }
            let low = if m == 0.0 { 1e-6 } else { 0.0 };
            let root = find_root(&mut excess, low, high, 1e-15);
            if !root.converged {
                return None;
            }
            root.x
        };
        let residual = if lambda > 0.0 { excess(lambda).abs() } else { 0.0 };
        let mu = field(lambda);
        let a = field_averages(mu, lambda, 1.0);
        let residual = residual.max((a.magnetization - size).abs());
        let convergence = Convergence::judged(residual, TOLERANCE, evaluations);
        Some(Ensemble { lambda, mu: mu.copysign(m), spread: a.spread, c: rho_spread(a.spread), convergence })
    }

    /// The velocity at overlap m and crosstalk r; `None` if no replica-symmetric ensemble has them. A millisecond.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `-1 < m < 1` and `r > 0`.
    pub fn velocity(&self, m: f64, r: f64) -> Result<Option<FlowVelocity>> {
        if m.is_nan() || m.abs() >= 1.0 {
            return Err(Error::Parameter {
                what: "overlap",
                value: m.to_string(),
                expected: "more than -1 and less than 1",
            });
        }
        if !(r > 0.0 && r.is_finite()) {
            return Err(Error::Parameter { what: "crosstalk", value: r.to_string(), expected: "a finite number > 0" });
        }
        let Some(Ensemble { lambda, mu, spread, c, convergence }) = self.ensemble(m, r) else { return Ok(None) };
        let q = 1.0 - spread;
        // λ/ρ, λ²/ρ, V and Δ, which are finite at ρ = 0.
        let frozen = (self.load * q).sqrt() / (1.0 - c);
        let variance = self.load * spread / (1.0 - c);
        let reaction = self.load * c / (1.0 - c);
        let width = (self.load * r).sqrt();
        // Given z and s, y is Gaussian again: its mean rises with z - sΔ, its variance is V/αr.
        let rest = lambda * (variance / (self.load * r)).sqrt();
        let slope = lambda.copysign(c) * frozen / (self.load * r);
        let (mut tanh, mut z_tanh) = (0.0, 0.0);
        for s in [-1.0, 1.0] {
            let shift = s * reaction;
            // The field vanishes at z = -m.
            let average = if self.temperature >= width {
                GaussianAverage::new(m + shift, width, self.temperature)
            } else {
                GaussianAverage::panels(m + shift, width, self.temperature, 9.0)
            };
            let [a, b] = average.of(|x, h| {
                let weight = 0.5 * (1.0 + s * field_averages(mu + slope * width * x, rest, 1.0).magnetization);
                let response = if self.temperature > 0.0 { (h / self.temperature).tanh() } else { h.signum() };
                [weight * response, weight * response * (width * x + shift)]
            });
            tanh += a;
            z_tanh += b;
        }
        Ok(Some(FlowVelocity {
            magnetization_rate: tanh - m,
            crosstalk_rate: 2.0 * (z_tanh / self.load + 1.0 - r),
            inverse_temperature: c / spread,
            overlap: q,
            convergence,
        }))
    }

    /// The flow from `(m, r)` over `steps` steps of length `step` sweeps, by the Runge-Kutta method of fourth order.
    ///
    /// It ends early, with `converged: false`, where no replica-symmetric ensemble exists. A step takes a few milliseconds.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a start out of range or a step that is not positive.
    pub fn flow(&self, m: f64, r: f64, step: f64, steps: usize) -> Result<Flow> {
        if !(step > 0.0 && step.is_finite()) {
            return Err(Error::Parameter {
                what: "time step",
                value: step.to_string(),
                expected: "a finite number > 0",
            });
        }
        self.velocity(m, r)?;
        let mut convergence = Convergence::judged(0.0, TOLERANCE, 0);
        let mut rate = |m: f64, r: f64| {
            let inside = m.abs() < 1.0 && r > 0.0;
            let velocity = if inside { self.velocity(m, r).ok().flatten() } else { None }?;
            convergence.residual = convergence.residual.max(velocity.convergence.residual);
            convergence.iterations += velocity.convergence.iterations;
            convergence.converged &= velocity.convergence.converged;
            Some((velocity.magnetization_rate, velocity.crosstalk_rate))
        };
        let mut points = vec![FlowPoint { time: 0.0, magnetization: m, crosstalk: r }];
        let (mut m, mut r) = (m, r);
        for k in 1..=steps {
            let mut runge_kutta = || {
                let (m1, r1) = rate(m, r)?;
                let (m2, r2) = rate(m + 0.5 * step * m1, r + 0.5 * step * r1)?;
                let (m3, r3) = rate(m + 0.5 * step * m2, r + 0.5 * step * r2)?;
                let (m4, r4) = rate(m + step * m3, r + step * r3)?;
                let mean = |a, b, c, d| step / 6.0 * (a + 2.0 * b + 2.0 * c + d);
                Some((m + mean(m1, m2, m3, m4), r + mean(r1, r2, r3, r4)))
            };
            let Some(next) = runge_kutta() else {
                convergence.converged = false;
                break;
            };
            (m, r) = next;
            points.push(FlowPoint { time: k as f64 * step, magnetization: m, crosstalk: r });
        }
        Ok(Flow { points, convergence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn equilibrium_states_do_not_move() {
        for (load, t) in [(0.05, 0.2), (0.1, 0.3), (0.02, 0.6), (0.1, 0.05), (0.3, 0.4)] {
            let model = AmitGutfreundSompolinsky::new(load).unwrap();
            let flow = CoolenSherrington::new(load, t).unwrap();
            for state in [model.retrieval(t).unwrap(), model.spin_glass(t).unwrap()].into_iter().flatten() {
                let velocity = flow.velocity(state.magnetization, state.measured_crosstalk()).unwrap().unwrap();
                assert!(velocity.convergence.converged, "{velocity:?}");
                assert!(velocity.magnetization_rate.abs() < 1e-8, "{load} {t} {velocity:?}");
                assert!(velocity.crosstalk_rate.abs() < 1e-7, "{load} {t} {velocity:?}");
                assert_relative_eq!(velocity.inverse_temperature, 1.0 / t, max_relative = 1e-6);
                assert_relative_eq!(velocity.overlap, state.overlap, epsilon = 1e-7);
            }
        }
    }

    #[test]
    fn the_flow_ends_in_equilibrium() {
        // Found by running, not by asking: fixed points equal replica-symmetric theory to 1e-6.
        for (load, t, m) in [(0.05, 0.3, 0.6), (0.08, 0.2, 0.7)] {
            let state = AmitGutfreundSompolinsky::new(load).unwrap().retrieval(t).unwrap().unwrap();
            assert!(state.is_stable());
            let flow = CoolenSherrington::new(load, t).unwrap().flow(m, 1.0, 0.5, 80).unwrap();
            assert!(flow.convergence.converged, "{:?}", flow.convergence);
            let end = flow.points.last().unwrap();
            assert_relative_eq!(end.magnetization, state.magnetization, epsilon = 1e-6);
            assert_relative_eq!(end.crosstalk, state.measured_crosstalk(), epsilon = 1e-6);
        }
    }

    #[test]
    fn random_states_have_gaussian_crosstalk() {
        // r = 1: dm/dt = ∫Dz tanh β(m + √α z) - m and dr/dt = 2 ∫Dz z tanh(..)/√α.
        let (load, t, m) = (0.2, 0.5, 0.4);
        let velocity = CoolenSherrington::new(load, t).unwrap().velocity(m, 1.0).unwrap().unwrap();
        let a = field_averages(m, load.sqrt(), t);
        assert_relative_eq!(velocity.magnetization_rate, a.magnetization - m, epsilon = 1e-10);
        // Integrated by parts: ⟨z tanh⟩ = √α β ⟨sech²⟩.
        assert_relative_eq!(velocity.crosstalk_rate, 2.0 * a.spread / t, epsilon = 1e-10);
        // At T = 0, with steps instead.
        let velocity = CoolenSherrington::new(load, 0.0).unwrap().velocity(m, 1.0).unwrap().unwrap();
        let a = field_averages(m, load.sqrt(), 0.0);
        assert_relative_eq!(velocity.magnetization_rate, a.magnetization - m, epsilon = 1e-10);
        assert_relative_eq!(velocity.crosstalk_rate, 2.0 * a.spread, epsilon = 1e-10);
    }

    #[test]
    fn mirrored_states_move_alike() {
        let flow = CoolenSherrington::new(0.1, 0.1).unwrap();
        let (a, b) = (flow.velocity(0.4, 1.7).unwrap().unwrap(), flow.velocity(-0.4, 1.7).unwrap().unwrap());
        assert_relative_eq!(a.magnetization_rate, -b.magnetization_rate, epsilon = 1e-10);
        assert_relative_eq!(a.crosstalk_rate, b.crosstalk_rate, epsilon = 1e-9);
        let low = flow.velocity(0.0, 0.8).unwrap().unwrap();
        assert!(low.inverse_temperature < 0.0 && low.magnetization_rate.abs() < 1e-12 && low.crosstalk_rate > 0.0);
    }

    #[test]
    fn bad_input() {
        assert!(CoolenSherrington::new(0.0, 0.1).is_err() && CoolenSherrington::new(0.1, -1.0).is_err());
        let flow = CoolenSherrington::new(0.1, 0.1).unwrap();
        for (m, r) in [(1.0, 1.0), (f64::NAN, 1.0), (0.1, 0.0), (0.1, f64::NAN), (0.1, f64::INFINITY)] {
            assert!(flow.velocity(m, r).is_err() && flow.flow(m, r, 0.1, 1).is_err());
        }
        assert!(flow.flow(0.1, 1.0, 0.0, 1).is_err());
        // No state of overlap 0.5 has a crosstalk of 1000.
        assert!(flow.velocity(0.5, 1000.0).unwrap().is_none());
    }
}
