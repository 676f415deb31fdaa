//! The Ising p-spin glass.

use std::f64::consts::LN_2;

use linalg_core::logspace::ln_2cosh;
use linalg_core::optim::{find_root, minimize_scalar};

use super::average::{GaussianAverage, sech_squared};
use super::saddle_point::{Convergence, SaddlePointParams};
use crate::{Error, Result};

/// The Ising p-spin glass of infinitely many spins without field: couplings of variance `p!/(2N^{p-1})`, so that energies have
/// covariance `N q^p/2`; p = 2 is the Sherrington-Kirkpatrick model and p → ∞ the
/// [random energy model](super::RandomEnergyModel).
///
/// For p ≥ 3 the replica-symmetric solution has q = 0. With one step of replica-symmetry breaking, $`q_0 = 0`$, $`q_1 = q`$,
/// breaking parameter m, $`\lambda = \beta\sqrt{p q^{p-1}/2}`$ and averages ⟨·⟩ with the weight $`(2\cosh\lambda z)^m`$ under the Gaussian,
///
/// ```math
/// -\beta f = \frac{\beta^2}{4} \bigl[1 - p q^{p-1} + (1 - m)(p - 1) q^p\bigr] + \frac1m \ln \int Dz\, (2\cosh \lambda z)^m,
/// \qquad q = \langle \tanh^2 \lambda z \rangle ,
/// ```
///
/// and m is where the complexity of the states $`\Sigma = m^2\, \partial_m (\beta f)`$ vanishes.
///
/// References: D. J. Gross and M. Mézard, Nucl. Phys. B 240, 431 (1984); E. Gardner, Nucl. Phys. B 257, 747 (1985).
///
/// ```
/// use spin_models::theory::PSpin;
///
/// let model = PSpin::new(3)?;
/// // To three digits: states appear at 0.682 and are in equilibrium from 0.651 on.
/// assert!((model.dynamical_temperature().0 - 0.682).abs() < 5e-4);
/// assert!((model.static_temperature().0 - 0.651).abs() < 5e-4);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PSpin {
    p: u32,
}

/// A state of the p-spin glass; energies are per spin.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PSpinSolution {
    /// Temperature.
    pub temperature: f64,
    /// The overlap q within a state; 0 in the paramagnet.
    pub overlap: f64,
    /// m; 1 in the paramagnet.
    pub breaking: f64,
    /// f.
    pub free_energy_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// `β(⟨E⟩/N - f)`.
    pub entropy_per_spin: f64,
    /// `1 - β² p(p-1)/2 q^{p-2} ⟨sech⁴⟩`: one step is not enough where it is negative, below Gardner's temperature.
    pub replicon: f64,
    /// Residual of the equation for q and of the complexity.
    pub convergence: Convergence,
}

/// Averages with the weight `(2cosh λz)^m`.
struct Tilted {
    ln_norm: f64,
    tanh_squared: f64,
    sech_fourth: f64,
    ln_2cosh: f64,
}

fn tilted(lambda: f64, m: f64) -> Tilted {
    if lambda <= 1e-12 {
        return Tilted { ln_norm: m * LN_2, tanh_squared: 0.0, sech_fourth: 1.0, ln_2cosh: LN_2 };
    }
    // Even in z: twice z > 0, where (2cosh λz)^m = e^{mλz} (1 + e^{-2λz})^m and the first factor moves the Gaussian by mλ.
    let average = GaussianAverage::panels(m * lambda * lambda, lambda, 1.0, 9.6);
    let [norm, tanh_squared, sech_fourth, logarithm] = average.of(|_, x| {
        if x < 0.0 {
            return [0.0; 4];
        }
        let s = sech_squared(x);
        let w = (m * (-2.0 * x).exp().ln_1p()).exp();
        [w, w * (1.0 - s), w * s * s, w * ln_2cosh(x)]
    });
    Tilted {
        ln_norm: LN_2 + 0.5 * (m * lambda).powi(2) + norm.ln(),
        tanh_squared: tanh_squared / norm,
        sech_fourth: sech_fourth / norm,
        ln_2cosh: logarithm / norm,
    }
}

impl PSpin {
    /// Interactions of p spins.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `3 ≤ p ≤ 1000`; for p = 2 see [`Parisi`](super::Parisi).
    pub fn new(p: u32) -> Result<Self> {
        if !(3..=1000).contains(&p) {
            return Err(Error::Parameter { what: "p", value: p.to_string(), expected: "3 to 1000" });
        }
        Ok(Self { p })
    }

    fn lambda(&self, beta: f64, q: f64) -> f64 {
        beta * (0.5 * f64::from(self.p) * q.powi(self.p as i32 - 1)).sqrt()
    }

    /// q at m = 1 and its temperature, for given λ.
    fn unbroken(&self, lambda: f64) -> (f64, f64) {
        let q = tilted(lambda, 1.0).tanh_squared;
        (q, self.lambda(1.0, q) / lambda)
    }

    /// `Σ(m)` at the overlap q.
    fn complexity(&self, beta: f64, q: f64, m: f64) -> f64 {
        let p = f64::from(self.p);
        let t = tilted(self.lambda(beta, q), m);
        t.ln_norm - m * t.ln_2cosh + 0.25 * m * m * beta * beta * (p - 1.0) * q.powi(self.p as i32)
    }

    /// The λ of the dynamical transition.
    fn marginal(&self) -> (f64, f64, Convergence) {
        let fall = |ln_lambda: f64| -self.unbroken(ln_lambda.exp()).1;
        let best = (1..40)
            .min_by(|a, b| fall(0.1 * f64::from(*a) - 1.0).total_cmp(&fall(0.1 * f64::from(*b) - 1.0)))
            .unwrap_or(1);
        let place = 0.1 * f64::from(best) - 1.0;
        let top = minimize_scalar(fall, place - 0.1, place + 0.1, 0.0);
        let convergence = Convergence { converged: top.converged, residual: 0.0, iterations: top.evaluations };
        (top.x.exp(), -top.value, convergence)
    }

    /// `T_d`, below which the paramagnet consists of exponentially many states (m = 1).
    pub fn dynamical_temperature(&self) -> (f64, Convergence) {
        let (_, temperature, convergence) = self.marginal();
        (temperature, convergence)
    }

    /// `T_s`, below which the complexity of these states would be negative: the static transition, of Kauzmann's kind.
    pub fn static_temperature(&self) -> (f64, Convergence) {
        let (lambda, _, _) = self.marginal();
        let complexity = |ln_lambda: f64| {
            let (q, t) = self.unbroken(ln_lambda.exp());
            self.complexity(1.0 / t, q, 1.0)
        };
        let root = find_root(complexity, lambda.ln(), lambda.ln() + 4.0, 0.0);
        let convergence =
            Convergence { converged: root.converged, residual: root.residual.abs(), iterations: root.evaluations };
        (self.unbroken(root.x.exp()).1, convergence)
    }

    /// The complexity of equilibrium states between `T_s` and `T_d`; `None` outside.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a temperature that is not positive.
    pub fn equilibrium_complexity(&self, temperature: f64) -> Result<Option<f64>> {
        check_positive(temperature)?;
        let (lambda, highest, _) = self.marginal();
        if temperature >= highest {
            return Ok(None);
        }
        let root = find_root(|l: f64| self.unbroken(l.exp()).1 - temperature, lambda.ln(), lambda.ln() + 4.0, 0.0);
        let (q, t) = self.unbroken(root.x.exp());
        let complexity = self.complexity(1.0 / t, q, 1.0);
        Ok((root.converged && complexity >= 0.0).then_some(complexity))
    }

    /// Gardner's temperature, below which one step is not enough; `None` if it is below 0.02 (large p).
    pub fn gardner_temperature(&self) -> Option<(f64, Convergence)> {
        let (highest, _) = self.static_temperature();
        let replicon = |t: f64| self.at_temperature(t).map_or(f64::NAN, |s| s.replicon);
        let root = find_root(replicon, 0.02, 0.98 * highest, 1e-10);
        let convergence =
            Convergence { converged: root.converged, residual: root.residual.abs(), iterations: root.evaluations };
        root.converged.then_some((root.x, convergence))
    }

    /// The state at temperature T: the paramagnet above `T_s`, one step of breaking below.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a temperature below 0.01 or not finite.
    pub fn at_temperature(&self, temperature: f64) -> Result<PSpinSolution> {
        check_positive(temperature)?;
        if temperature < 0.01 {
            let expected = "at least 0.01";
            return Err(Error::Parameter { what: "temperature", value: temperature.to_string(), expected });
        }
        let beta = 1.0 / temperature;
        if temperature >= self.static_temperature().0 {
            return Ok(PSpinSolution {
                temperature,
                overlap: 0.0,
                breaking: 1.0,
                free_energy_per_spin: -0.25 * beta - temperature * LN_2,
                energy_per_spin: -0.5 * beta,
                entropy_per_spin: LN_2 - 0.25 * beta * beta,
                replicon: 1.0,
                convergence: Convergence::judged(0.0, 0.0, 1),
            });
        }
        let mut iterations = 0;
        let mut state = |m: f64| {
            let map = |[q]: [f64; 1]| [tilted(self.lambda(beta, q.clamp(0.0, 1.0)), m).tanh_squared];
            let ([q], convergence) = SaddlePointParams::default().tolerance(1e-13).solve([1.0], map);
            iterations += convergence.iterations;
            (q, convergence.residual)
        };
        // From m = 1, where the complexity is negative, down to where it is positive.
        let mut complexity = |m: f64| {
            let (q, _) = state(m);
            if q < 0.05 { f64::NAN } else { self.complexity(beta, q, m) }
        };
        let mut high = 1.0;
        let mut low = 0.97;
        while complexity(low) < 0.0 && low > 1e-3 {
            high = low;
            low *= 0.9;
        }
        let root = find_root(&mut complexity, low, high, 0.0);
        let m = root.x;
        let (q, residual) = state(m);
        let residual = residual.max(root.residual.abs());
        let t = tilted(self.lambda(beta, q), m);
        let p = f64::from(self.p);
        let (rim, power) = (q.powi(self.p as i32 - 1), q.powi(self.p as i32));
        let free =
            -temperature * (0.25 * beta * beta * (1.0 - p * rim + (1.0 - m) * (p - 1.0) * power) + t.ln_norm / m);
        // -(β/2)(1 - ∫ q^p dx).
        let energy = -0.5 * beta * (1.0 - (1.0 - m) * power);
        let curvature = 0.5 * p * (p - 1.0) * q.powi(self.p as i32 - 2);
        Ok(PSpinSolution {
            temperature,
            overlap: q,
            breaking: m,
            free_energy_per_spin: free,
            energy_per_spin: energy,
            entropy_per_spin: beta * (energy - free),
            replicon: 1.0 - beta * beta * curvature * t.sech_fourth,
            convergence: Convergence { converged: root.converged && residual < 1e-9, residual, iterations },
        })
    }
}

fn check_positive(temperature: f64) -> Result<()> {
    if temperature > 0.0 && temperature.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { what: "temperature", value: temperature.to_string(), expected: "a finite number > 0" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::RandomEnergyModel;
    use approx::assert_relative_eq;

    /// `-βf` with one step, q_0 = 0, by the trapezoidal rule over z; the formula of the paper without its derivatives.
    fn one_step(p: i32, beta: f64, q: f64, m: f64) -> f64 {
        let lambda = beta * (0.5 * f64::from(p) * q.powi(p - 1)).sqrt();
        let h = 0.05;
        let term = |k: i32| {
            let z = h * f64::from(k);
            (-0.5 * z * z + m * ln_2cosh(lambda * z)).exp()
        };
        let integral = h * (-240..=240).map(term).sum::<f64>() / (2.0 * std::f64::consts::PI).sqrt();
        let overlap = f64::from(p) * q.powi(p - 1) - (1.0 - m) * f64::from(p - 1) * q.powi(p);
        0.25 * beta * beta * (1.0 - overlap) + integral.ln() / m
    }

    /// Temperatures of three spins against another route: the derivative of -βf in m at m = 1 as a function of q. States exist where
    /// it has an extremum besides q = 0 (T_d), and are in equilibrium where it is 0 there (T_s).
    #[test]
    fn transitions_of_three_spins() {
        let model = PSpin::new(3).unwrap();
        let potential = |beta: f64, q: f64| {
            let d = 1e-4;
            (one_step(3, beta, q, 1.0 + d) - one_step(3, beta, q, 1.0 - d)) / (2.0 * d)
        };
        // The second maximum over q, or minimum: the sign is that of its change from q = 0.3 on.
        let barrier = |t: f64| {
            let values: Vec<f64> = (0..=300).map(|k| potential(1.0 / t, 0.3 + 0.002 * f64::from(k))).collect();
            let sign = (values[1] - values[0]).signum();
            (1..300)
                .filter(|&k| sign * (values[k] - values[k - 1]) < 0.0 && sign * (values[k + 1] - values[k]) > 0.0)
                .map(|k| sign * values[k])
                .next()
        };
        let bisect = |mut low: f64, mut high: f64, below: &dyn Fn(f64) -> bool| {
            for _ in 0..12 {
                let middle = 0.5 * (low + high);
                if below(middle) { low = middle } else { high = middle }
            }
            0.5 * (low + high)
        };
        let (dynamical, a) = model.dynamical_temperature();
        let (equilibrium, b) = model.static_temperature();
        assert!(a.converged && b.converged);
        let states = bisect(0.64, 0.70, &|t| barrier(t).is_some());
        assert_relative_eq!(dynamical, states, epsilon = 2e-4);
        let ground = bisect(0.6, states - 1e-3, &|t| barrier(t).is_some_and(|value| value < 0.0));
        assert_relative_eq!(equilibrium, ground, epsilon = 2e-4);
        // To three digits as in the literature: 0.682, 0.651, and 0.240 for the second transition (Gardner 1985).
        assert_relative_eq!(dynamical, 0.682, epsilon = 5e-4);
        assert_relative_eq!(equilibrium, 0.651, epsilon = 5e-4);
        let (gardner, c) = model.gardner_temperature().unwrap();
        assert!(c.converged);
        assert_relative_eq!(gardner, 0.240, epsilon = 1e-3);
        // One step is stationary in q and m where the solver says.
        let cold = model.at_temperature(0.4).unwrap();
        let (beta, q, m, d) = (2.5, cold.overlap, cold.breaking, 1e-4);
        assert_relative_eq!(one_step(3, beta, q, m), -beta * cold.free_energy_per_spin, epsilon = 1e-10);
        assert!((one_step(3, beta, q + d, m) - one_step(3, beta, q - d, m)).abs() / (2.0 * d) < 1e-6);
        assert!((one_step(3, beta, q, m + d) - one_step(3, beta, q, m - d)).abs() / (2.0 * d) < 1e-6);
        assert!(model.equilibrium_complexity(0.67).unwrap().unwrap() > 0.0);
        assert!(
            model.equilibrium_complexity(0.69).unwrap().is_none()
                && model.equilibrium_complexity(0.6).unwrap().is_none()
        );
    }

    #[test]
    fn stationary_and_continuous() {
        let model = PSpin::new(3).unwrap();
        let at = model.at_temperature(0.5).unwrap();
        assert!(at.convergence.converged, "{at:?}");
        let f = |t: f64| model.at_temperature(t).unwrap().free_energy_per_spin;
        // f is stationary in q and m: the entropy is the explicit derivative.
        assert_relative_eq!(at.entropy_per_spin, -(f(0.501) - f(0.499)) / 0.002, epsilon = 1e-6);
        let (t, _) = model.static_temperature();
        assert_relative_eq!(f(t * (1.0 - 1e-6)), f(t * (1.0 + 1e-6)), epsilon = 1e-5);
        let below = model.at_temperature(0.999 * t).unwrap();
        assert!(below.breaking > 0.98 && below.breaking < 1.0 && below.overlap > 0.5);
    }

    #[test]
    fn the_two_spin_formula_is_one_step_of_parisi() {
        // The same f from the functional of the k-step solution with q_0 = 0, here at an arbitrary point.
        let (beta, q, m) = (2.0, 0.6, 0.4);
        let two = PSpin { p: 2 };
        let t = tilted(two.lambda(beta, q), m);
        let f = -(0.25 * beta * beta * (1.0 - 2.0 * q + (1.0 - m) * q * q) + t.ln_norm / m) / beta;
        let steps =
            crate::theory::parisi::Steps { temperature: 0.5, field: 0.0, q: vec![0.0, q], gamma: vec![beta * m] };
        assert_relative_eq!(-steps.evaluate().value, f, epsilon = 1e-10);
    }

    #[test]
    fn many_spins_are_random_energies() {
        let model = PSpin::new(40).unwrap();
        let (equilibrium, _) = model.static_temperature();
        assert_relative_eq!(1.0 / equilibrium, RandomEnergyModel::critical_beta(), epsilon = 1e-6);
        let (cold, exact) = (model.at_temperature(0.3).unwrap(), RandomEnergyModel::at(1.0 / 0.3).unwrap());
        assert_relative_eq!(cold.energy_per_spin, exact.energy_per_spin, epsilon = 1e-6);
        assert_relative_eq!(cold.breaking, exact.breaking, epsilon = 1e-5);
        assert!(cold.replicon > 0.9);
    }

    #[test]
    fn bad_input() {
        assert!(PSpin::new(2).is_err() && PSpin::new(1001).is_err());
        let model = PSpin::new(3).unwrap();
        assert!(model.at_temperature(0.0).is_err() && model.at_temperature(f64::NAN).is_err());
        assert!(model.equilibrium_complexity(-1.0).is_err());
    }
}
