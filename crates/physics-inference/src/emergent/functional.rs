//! The functional of the theory in both of its forms, (7) and (9), and the potential of its constraint, (8).

use linalg_core::grid::GridAxis;

use super::{QuantumMap, check_density, fisher_information, n_points, point, positive, volume};
use crate::{Error, Result};

/// Fourth-order central differences.
const DIFFERENCE: [(f64, f64); 4] = [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)];
/// The same for second derivatives.
const CURVATURE: [(f64, f64); 5] = [(-2.0, -1.0), (-1.0, 16.0), (0.0, -30.0), (1.0, 16.0), (2.0, -1.0)];

/// The functional whose stationary points the theory postulates.
///
/// ```math
/// S = \int dt \left\{ \frac{dS_q}{dt} + \lambda \int p \left( \partial_t F + \gamma|\nabla F|^2 + \frac V\epsilon \right) \right\}
///   = \frac\lambda\epsilon \int dt \int \sqrt p \left( -\frac{\hbar^2}{2m}\nabla^2 + \partial_t(\epsilon F)
///     + \frac{|\nabla(\epsilon F)|^2}{2m} + V \right) \sqrt p
/// ```
///
/// The first form is (7) with the entropy production near learning equilibrium, (6): what [`FunctionalRate::left_out`] says is not
/// in it. The second is (9). They agree because $`\hbar^2/2m = 4D\epsilon/\lambda`$ and $`\epsilon^2/2m = \gamma\epsilon`$, for any
/// density and free energy; that either is *stationary* along training is a postulate (see the [module](super)).
///
/// Densities must vanish at the ends of the grid or be periodic. Free energy and potential are functions of (time and) place, looked
/// at up to two spacings beyond the grid; their derivatives are fourth-order differences, exact up to quartic functions.
///
/// ```
/// use linalg_core::grid::GridAxis;
/// use physics_inference::emergent::{Functional, QuantumMap};
/// # use physics_inference::linalg_core;
///
/// // F = 0.5 t − q²/4, V = q²/2 and a Gaussian of variance 0.81; ε = 1.3, γ = 0.8, D = 0.3, λ = 2.2.
/// let axis = GridAxis::new(-9.0, 9.0, 128)?;
/// let p: Vec<f64> = axis.points().map(|x| (-x * x / 1.62).exp() / (1.62 * std::f64::consts::PI).sqrt()).collect();
/// let functional = Functional::new(&[axis], QuantumMap::new(1.3, 0.8, 0.3, 2.2)?);
/// let rate = functional.rate(&p, 0.0, |t, q| 0.5 * t - 0.25 * q[0] * q[0], |q| 0.5 * q[0] * q[0])?;
/// // D/0.81 + λ (0.5 + γ·0.81/4 + 0.81/(2·1.3)).
/// let by_hand = 0.3 / 0.81 + 2.2 * (0.5 + 0.8 * 0.81 / 4.0 + 0.81 / 2.6);
/// assert!((rate.diffusion_form - by_hand).abs() < 1e-10);
/// assert!((rate.wave_form - by_hand).abs() < 1e-10);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Functional {
    axes: Vec<GridAxis>,
    map: QuantumMap,
    time_step: f64,
}

/// What the functional adds up at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FunctionalRate {
    /// $`D I_F`$, the entropy production (6).
    pub entropy: f64,
    /// $`\gamma \int p\,\nabla^2 F`$, the part of (5) that (6) and both functionals leave out.
    pub left_out: f64,
    /// $`d\langle F\rangle/dt = \int p\,(\partial_t F + \gamma|\nabla F|^2)`$, (2).
    pub free_energy: f64,
    /// $`\int p V`$.
    pub potential: f64,
    /// Integrand of (7).
    pub diffusion_form: f64,
    /// Integrand of (9).
    pub wave_form: f64,
}

/// Integrals over a path.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Action {
    /// (7).
    pub diffusion_form: f64,
    /// (9).
    pub wave_form: f64,
    /// What (7) would have more with the whole entropy production (5).
    pub left_out: f64,
}

impl Functional {
    /// On a grid with the constants of the map. Differences in time have the step ε/100.
    pub fn new(axes: &[GridAxis], map: QuantumMap) -> Self {
        Self { axes: axes.to_vec(), map, time_step: 0.01 * map.eps }
    }

    /// Sets the step of the differences in time.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless it is positive and finite.
    pub fn time_step(mut self, step: f64) -> Result<Self> {
        self.time_step = positive("time step", step)?;
        Ok(self)
    }

    /// Time derivative, squared gradient and Laplacian of the free energy at a point.
    fn derivatives(&self, free_energy: &mut impl FnMut(f64, &[f64]) -> f64, t: f64, x: &mut [f64]) -> (f64, f64, f64) {
        let mut rate = 0.0;
        for (k, weight) in DIFFERENCE {
            rate += weight * free_energy(t + k * self.time_step, x) / (12.0 * self.time_step);
        }
        let (mut square, mut laplacian) = (0.0, 0.0);
        for (a, axis) in self.axes.iter().enumerate() {
            let (centre, h) = (x[a], axis.spacing());
            let (mut slope, mut bend) = (0.0, 0.0);
            for ((k, weight), first) in CURVATURE.into_iter().zip([1.0, -8.0, 0.0, 8.0, -1.0]) {
                x[a] = centre + k * h;
                let value = free_energy(t, x);
                slope += first * value / (12.0 * h);
                bend += weight * value / (12.0 * h * h);
            }
            x[a] = centre;
            square += slope * slope;
            laplacian += bend;
        }
        (rate, square, laplacian)
    }

    /// The integrands at time `t`.
    ///
    /// # Errors
    /// For what is no density, as [`FokkerPlanck::propagate`](super::FokkerPlanck::propagate); [`Error::NotFinite`] with the point for
    /// a free energy or a potential that is not finite.
    ///
    /// # Panics
    /// When there are not as many densities as points.
    pub fn rate(
        &self,
        p: &[f64],
        t: f64,
        mut free_energy: impl FnMut(f64, &[f64]) -> f64,
        mut potential: impl FnMut(&[f64]) -> f64,
    ) -> Result<FunctionalRate> {
        check_density(p, n_points(&self.axes))?;
        let QuantumMap { eps, gamma, d, lambda } = self.map;
        let (mass, hbar) = (self.map.mass(), self.map.hbar());
        let fisher = fisher_information(&self.axes, p)?;
        let (mut in_time, mut squares, mut bends, mut potentials) = (0.0, 0.0, 0.0, 0.0);
        for (index, &p) in p.iter().enumerate() {
            let mut x = point(&self.axes, index);
            let x = &mut x[..self.axes.len()];
            let (rate, square, laplacian) = self.derivatives(&mut free_energy, t, x);
            let v = potential(x);
            for (what, value) in [("free energy", rate + square + laplacian), ("potential", v)] {
                if !value.is_finite() {
                    return Err(Error::NotFinite { what, index, value });
                }
            }
            in_time += p * rate;
            squares += p * square;
            bends += p * laplacian;
            potentials += p * v;
        }
        let cell = volume(&self.axes);
        let (in_time, squares, bends, potential) = (cell * in_time, cell * squares, cell * bends, cell * potentials);
        let (entropy, free_energy) = (d * fisher, in_time + gamma * squares);
        // ∫ √p (−∇²) √p = ∫ |∇√p|² = I_F/4.
        let kinetic = hbar * hbar / (2.0 * mass) * 0.25 * fisher;
        let flow = eps * eps * squares / (2.0 * mass);
        Ok(FunctionalRate {
            entropy,
            left_out: gamma * bends,
            free_energy,
            potential,
            diffusion_form: entropy + lambda * (free_energy + potential / eps),
            wave_form: lambda / eps * (kinetic + eps * in_time + flow + potential),
        })
    }

    /// Both forms over a path from 0 to `duration` by Simpson's rule on `pieces` pieces; `density` writes p at a time.
    ///
    /// # Errors
    /// As [`Functional::rate`]; [`Error::Parameter`] for a duration that is not positive or no pieces.
    pub fn action(
        &self,
        duration: f64,
        pieces: usize,
        mut density: impl FnMut(f64, &mut [f64]),
        mut free_energy: impl FnMut(f64, &[f64]) -> f64,
        mut potential: impl FnMut(&[f64]) -> f64,
    ) -> Result<Action> {
        positive("duration", duration)?;
        if pieces == 0 {
            return Err(Error::Parameter { what: "pieces", value: 0.0, expected: "at least 1" });
        }
        let mut p = vec![0.0; n_points(&self.axes)];
        let mut action = Action { diffusion_form: 0.0, wave_form: 0.0, left_out: 0.0 };
        let h = duration / (2 * pieces) as f64;
        for k in 0..=2 * pieces {
            let t = k as f64 * h;
            density(t, &mut p);
            let rate = self.rate(&p, t, &mut free_energy, &mut potential)?;
            let weight = h / 3.0
                * if k == 0 || k == 2 * pieces {
                    1.0
                } else if k % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
            action.diffusion_form += weight * rate.diffusion_form;
            action.wave_form += weight * rate.wave_form;
            action.left_out += weight * rate.left_out;
        }
        Ok(action)
    }

    /// $`V(q) = -\left\langle \frac{d}{dt}\,\epsilon F \right\rangle_t`$, (8), at the points of the grid: the mean over times from 0 to
    /// `duration` by Simpson's rule, with the derivative along the drift, $`\partial_t F + \gamma|\nabla F|^2`$, as (2) has it.
    ///
    /// With this potential the constraint of (7) vanishes for every density that does not move.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a free energy, [`Error::Parameter`] as for [`Functional::action`].
    pub fn averaged_potential(
        &self,
        duration: f64,
        pieces: usize,
        mut free_energy: impl FnMut(f64, &[f64]) -> f64,
    ) -> Result<Vec<f64>> {
        positive("duration", duration)?;
        if pieces == 0 {
            return Err(Error::Parameter { what: "pieces", value: 0.0, expected: "at least 1" });
        }
        let at = |index: usize| {
            let mut x = point(&self.axes, index);
            let x = &mut x[..self.axes.len()];
            let mut sum = 0.0;
            for k in 0..=2 * pieces {
                let t = duration * k as f64 / (2 * pieces) as f64;
                let (rate, square, _) = self.derivatives(&mut free_energy, t, x);
                let weight = if k == 0 || k == 2 * pieces {
                    1.0
                } else if k % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                sum += weight * (rate + self.map.gamma * square);
            }
            let value = -self.map.eps * sum / (6 * pieces) as f64;
            if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what: "free energy", index, value }) }
        };
        (0..n_points(&self.axes)).map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn map() -> QuantumMap {
        QuantumMap::new(1.3, 0.8, 0.3, 2.2).unwrap()
    }

    fn gaussian(axis: GridAxis, mean: f64, variance: f64) -> Vec<f64> {
        axis.points().map(|x| (-(x - mean).powi(2) / (2.0 * variance)).exp() / (2.0 * PI * variance).sqrt()).collect()
    }

    #[test]
    fn both_forms_are_one_for_any_density() {
        // Two axes, a density with a correlation, a free energy that moves and is not a square.
        let axis = GridAxis::new(-8.0, 8.0, 48).unwrap();
        let weight = |x: f64, y: f64| (-(x * x + y * y - 0.8 * x * y) / 1.5).exp() * (1.0 + 0.3 * (x - 0.5).tanh());
        let mut p: Vec<f64> = axis.points().flat_map(|x| axis.points().map(move |y| weight(x, y))).collect();
        let total: f64 = p.iter().sum::<f64>() * axis.spacing().powi(2);
        p.iter_mut().for_each(|p| *p /= total);
        let functional = Functional::new(&[axis, axis], map());
        let free =
            |t: f64, q: &[f64]| (0.3 * t).sin() * q[0] * q[1] - 0.1 * q[0].powi(4) / 4.0 + (0.2 * t + q[1]).cos();
        let rate = functional.rate(&p, 0.7, free, |q| q[0] * q[0] + 0.1 * q[1].powi(4)).unwrap();
        assert!((rate.diffusion_form - rate.wave_form).abs() < 1e-10 * rate.wave_form.abs(), "{rate:?}");
        assert!(rate.left_out.abs() > 0.01, "not nothing is left out: {rate:?}");
        // Other constants in one of the forms would be seen.
        let other = Functional::new(&[axis, axis], QuantumMap::new(1.3, 0.8, 0.3, 1.1).unwrap());
        let second = other.rate(&p, 0.7, free, |q| q[0] * q[0] + 0.1 * q[1].powi(4)).unwrap();
        assert!(
            (second.diffusion_form - rate.diffusion_form).abs() > 0.1 && (second.entropy - rate.entropy).abs() < 1e-12
        );
    }

    #[test]
    fn the_ground_state_is_stationary() {
        // εF = −ħωt/2, V = mω²q²/2: with a variance of (1 + δ) ħ/2mω the action over a time T is (λ/ε) T ħω/4 · δ²/(1 + δ).
        let axis = GridAxis::new(-9.0, 9.0, 256).unwrap();
        let (functional, omega) = (Functional::new(&[axis], map()), 1.4);
        let (m, hbar, eps) = (map().mass(), map().hbar(), map().eps);
        for delta in [-0.3, -0.01, 0.0, 0.01, 0.5] {
            let p = gaussian(axis, 0.0, (1.0 + delta) * hbar / (2.0 * m * omega));
            let free = |t: f64, _: &[f64]| -0.5 * hbar * omega * t / eps;
            let well = |q: &[f64]| 0.5 * m * omega * omega * q[0] * q[0];
            let action = functional.action(2.0, 3, |_, to| to.copy_from_slice(&p), free, well).unwrap();
            let expected = 2.2 / eps * 2.0 * hbar * omega / 4.0 * delta * delta / (1.0 + delta);
            assert!((action.wave_form - expected).abs() < 1e-9, "{delta}: {action:?} {expected}");
            assert!((action.diffusion_form - expected).abs() < 1e-9 && action.left_out.abs() < 1e-9);
        }
    }

    #[test]
    fn a_coherent_state_has_no_first_variation() {
        // Mean a cos ωt with εF the phase: moving the whole path sideways by s changes the action by s² only.
        let axis = GridAxis::new(-9.0, 9.0, 256).unwrap();
        let (functional, omega) = (Functional::new(&[axis], map()), 1.4);
        let (m, hbar, eps) = (map().mass(), map().hbar(), map().eps);
        let period = std::f64::consts::TAU / omega;
        let variance = hbar / (2.0 * m * omega);
        // Phase of a coherent state: p̄ (q − q̄/2) − ħωt/2, with p̄ = −m ω a sin ωt and q̄ = a cos ωt.
        let (a, phase) = (0.8, |t: f64, q: f64| {
            let (s, c) = (omega * t).sin_cos();
            -m * omega * 0.8 * s * (q - 0.4 * c) - 0.5 * hbar * omega * t
        });
        let value = |shift: f64| {
            let density = |t: f64, to: &mut [f64]| {
                to.copy_from_slice(&gaussian(axis, a * (omega * t).cos() + shift, variance));
            };
            let well = |q: &[f64]| 0.5 * m * omega * omega * q[0] * q[0];
            functional.action(period, 16, density, |t, q| phase(t, q[0]) / eps, well).unwrap().wave_form
        };
        // The action itself is 0: the integrand is that of the Schrödinger equation. Differences in time are right to 1.4e-8.
        assert!(value(0.0).abs() < 1e-7, "{}", value(0.0));
        let (up, down) = (value(0.1), value(-0.1));
        assert!((up - down).abs() < 1e-7, "{up} {down}");
        // λ/ε · T · mω² s²/2.
        assert!((up - 2.2 / eps * period * 0.5 * m * omega * omega * 0.01).abs() < 1e-7, "{up}");
    }

    #[test]
    fn the_potential_makes_the_constraint_vanish() {
        let axis = GridAxis::new(-8.0, 8.0, 128).unwrap();
        let functional = Functional::new(&[axis], map());
        let free = |t: f64, q: &[f64]| 0.4 * t - 0.5 * q[0] * q[0];
        let v = functional.averaged_potential(3.0, 2, free).unwrap();
        // −ε (0.4 + γ q²).
        for (q, v) in axis.points().zip(&v) {
            assert!((v + 1.3 * (0.4 + 0.8 * q * q)).abs() < 1e-9, "{q}: {v}");
        }
        let p = gaussian(axis, 0.3, 0.7);
        let rate = functional.rate(&p, 1.0, free, |q| -1.3 * (0.4 + 0.8 * q[0] * q[0])).unwrap();
        assert!(
            (rate.free_energy + rate.potential / 1.3).abs() < 1e-10
                && (rate.diffusion_form - rate.entropy).abs() < 1e-9
        );
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(-1.0, 1.0, 8).unwrap();
        let functional = Functional::new(&[axis], map());
        let p = [0.5; 8];
        assert!(functional.clone().time_step(0.0).is_err());
        assert!(matches!(functional.rate(&[0.0; 8], 0.0, |_, _| 0.0, |_| 0.0), Err(Error::Core(_))));
        let nan = functional.rate(&p, 0.0, |_, q| if q[0] > 0.5 { f64::NAN } else { 0.0 }, |_| 0.0);
        assert!(matches!(nan, Err(Error::NotFinite { what: "free energy", .. })));
        let nan = functional.rate(&p, 0.0, |_, _| 0.0, |_| f64::INFINITY);
        assert!(matches!(nan, Err(Error::NotFinite { what: "potential", index: 0, .. })));
        assert!(functional.action(0.0, 1, |_, p| p.fill(0.5), |_, _| 0.0, |_| 0.0).is_err());
        assert!(functional.averaged_potential(1.0, 0, |_, _| 0.0).is_err());
    }
}
