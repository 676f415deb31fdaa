//! Constants of the two descriptions and the map between them.

use std::f64::consts::TAU;

use super::{finite, positive};
use crate::Result;

/// Diffusion $`D`$ and mobility $`\gamma`$ of (1) and (3).
///
/// The drift $`\gamma\nabla F`$ goes up the gradient. For a loss $`U`$ minimised by stochastic gradient descent with step
/// $`\eta`$, batch $`B`$ and single-sample variance $`\sigma^2`$ of the gradient: $`F = -U`$, $`\gamma = \eta`$ and
/// $`D = \eta^2\sigma^2/2B`$ a step, see [`FpParams::of_sgd`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FpParams {
    /// Diffusion, length² over time.
    pub d: f64,
    /// Mobility.
    pub gamma: f64,
}

impl FpParams {
    /// Checked parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) unless `d` is positive and finite,
    /// [`Error::NotFinite`](crate::Error::NotFinite) for `gamma`.
    pub fn new(d: f64, gamma: f64) -> Result<Self> {
        Ok(Self { d: positive("diffusion", d)?, gamma: finite("gamma", gamma)? })
    }

    /// Those of gradient descent with step `eta`, single-sample gradient variance `variance` and batches of `batch`.
    ///
    /// ```
    /// use physics_inference::emergent::FpParams;
    ///
    /// let fp = FpParams::of_sgd(0.1, 4.0, 8)?;
    /// assert!((fp.d - 0.0025).abs() < 1e-15);
    /// assert!((fp.d / fp.gamma - 0.025).abs() < 1e-15); // variance under a curvature of 1
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`FpParams::new`], with zero variance or an infinite diffusion from an empty batch refused.
    pub fn of_sgd(eta: f64, variance: f64, batch: usize) -> Result<Self> {
        Self::new(eta * eta * variance / (2.0 * batch as f64), eta)
    }
}

/// Mass and ħ of a Schrödinger equation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Wave {
    /// Mass.
    pub mass: f64,
    /// Planck's constant over 2π.
    pub hbar: f64,
}

impl Wave {
    /// Checked parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) unless both are positive and finite.
    pub fn new(mass: f64, hbar: f64) -> Result<Self> {
        Ok(Self { mass: positive("mass", mass)?, hbar: positive("hbar", hbar)? })
    }
}

/// The constants of (7) and, from them, those of (9).
///
/// ```math
/// m = \frac{\epsilon}{2\gamma}, \qquad \hbar = \epsilon\sqrt{\frac{4D}{\gamma\lambda}}, \qquad \mu = \frac{2\pi\hbar}{\epsilon}
/// ```
///
/// (10), (11) and (26), the radicand of (11) fixed by the agreement of (7) with (9). ħ is not fixed by $`D`$ and $`\gamma`$: the
/// multiplier $`\lambda`$ stays free until (26) ties it to a chemical potential, $`\lambda = 16\pi^2 D/\gamma\mu^2`$. Varying (9)
/// with respect to ħ, the paper's (12), would ask for a Fisher information of zero and so for a uniform density.
///
/// A positive mass needs $`\gamma > 0`$: $`F`$ grows along the drift. Read as a free energy that falls, it would have a
/// negative mass.
///
/// ```
/// use physics_inference::emergent::QuantumMap;
///
/// let map = QuantumMap::new(1.3, 0.8, 0.3, 2.2)?;
/// assert!((map.mass() - 0.8125).abs() < 1e-15);
/// assert!((map.hbar() - 1.0734396710).abs() < 1e-10);
/// assert!((map.mu() - 5.1881695146).abs() < 1e-10);
/// let back = QuantumMap::from_mu(1.3, 0.8, 0.3, map.mu())?;
/// assert!((back.lambda - 2.2).abs() < 1e-14);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct QuantumMap {
    /// Time step ε.
    pub eps: f64,
    /// Mobility γ.
    pub gamma: f64,
    /// Diffusion D.
    pub d: f64,
    /// Multiplier λ of the constraint in (7).
    pub lambda: f64,
}

impl QuantumMap {
    /// Checked constants.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) unless all four are positive and finite.
    pub fn new(eps: f64, gamma: f64, d: f64, lambda: f64) -> Result<Self> {
        Ok(Self {
            eps: positive("time step", eps)?,
            gamma: positive("gamma", gamma)?,
            d: positive("diffusion", d)?,
            lambda: positive("lambda", lambda)?,
        })
    }

    /// The inverse with λ from the chemical potential, (26).
    ///
    /// # Errors
    /// As [`QuantumMap::new`].
    pub fn from_mu(eps: f64, gamma: f64, d: f64, mu: f64) -> Result<Self> {
        let mu = positive("chemical potential", mu)?;
        Self::new(eps, gamma, d, 4.0 * TAU * TAU * d / (gamma * mu * mu))
    }

    /// The inverse from a mass and ħ at a given time step and diffusion.
    ///
    /// # Errors
    /// As [`QuantumMap::new`].
    pub fn from_wave(eps: f64, d: f64, wave: Wave) -> Result<Self> {
        let gamma = positive("time step", eps)? / (2.0 * wave.mass);
        Self::new(eps, gamma, d, 4.0 * d * eps * eps / (gamma * wave.hbar * wave.hbar))
    }

    /// $`m = \epsilon/2\gamma`$.
    pub fn mass(&self) -> f64 {
        self.eps / (2.0 * self.gamma)
    }

    /// $`\hbar = \epsilon\sqrt{4D/\gamma\lambda}`$.
    pub fn hbar(&self) -> f64 {
        self.eps * (4.0 * self.d / (self.gamma * self.lambda)).sqrt()
    }

    /// $`\mu = 2\pi\hbar/\epsilon`$.
    pub fn mu(&self) -> f64 {
        TAU * self.hbar() / self.eps
    }

    /// Mass and ħ together.
    ///
    /// # Errors
    /// As [`Wave::new`], when they leave the range of numbers.
    pub fn wave(&self) -> Result<Wave> {
        Wave::new(self.mass(), self.hbar())
    }

    /// Diffusion and mobility.
    pub fn fp(&self) -> FpParams {
        FpParams { d: self.d, gamma: self.gamma }
    }

    /// Velocity of the fluid of (9) at a gradient of $`F`$: $`(\epsilon/m)\nabla F = 2\gamma\nabla F`$, (18).
    pub fn current_velocity(&self, gradient: f64) -> f64 {
        self.eps / self.mass() * gradient
    }

    /// Drift of (3) at a gradient of $`F`$: $`\gamma\nabla F`$, half of [`current_velocity`](Self::current_velocity).
    ///
    /// For $`D \to 0`$ the two continuity equations (1) and (16) disagree by this factor.
    pub fn drift_velocity(&self, gradient: f64) -> f64 {
        self.gamma * gradient
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn inverses_and_the_factor_of_two() {
        let map = QuantumMap::new(1.3, 0.8, 0.3, 2.2).unwrap();
        let back = QuantumMap::from_wave(1.3, 0.3, map.wave().unwrap()).unwrap();
        assert!((back.gamma - 0.8).abs() < 1e-14 && (back.lambda - 2.2).abs() < 1e-13);
        // Both checks of (7) = (9).
        let (m, hbar) = (map.mass(), map.hbar());
        assert!((hbar * hbar / (2.0 * m) - 4.0 * 0.3 * 1.3 / 2.2).abs() < 1e-14);
        assert!((hbar * hbar / (2.0 * m) - 0.709090909090909).abs() < 1e-14);
        assert!((map.eps.powi(2) / (2.0 * m) - map.gamma * map.eps).abs() < 1e-14);
        assert!((map.current_velocity(0.7) / map.drift_velocity(0.7) - 2.0).abs() < 1e-14);
    }

    #[test]
    fn bad_input() {
        for (d, gamma) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert!(matches!(FpParams::new(d, gamma), Err(Error::Parameter { what: "diffusion", .. })));
        }
        assert!(FpParams::new(1.0, f64::NAN).is_err());
        assert!(FpParams::of_sgd(0.1, 1.0, 0).is_err());
        assert!(matches!(QuantumMap::new(1.0, -0.5, 1.0, 1.0), Err(Error::Parameter { what: "gamma", .. })));
        assert!(QuantumMap::from_mu(1.0, 0.5, 1.0, 0.0).is_err());
        assert!(Wave::new(0.0, 1.0).is_err() && Wave::new(1.0, f64::NAN).is_err());
    }
}
