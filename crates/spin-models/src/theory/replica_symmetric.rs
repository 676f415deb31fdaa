//! The replica-symmetric solution of the Sherrington-Kirkpatrick model and where it is unstable.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use linalg_core::optim::find_root;

use super::average::field_averages;
use super::saddle_point::{Convergence, SaddlePointParams, check_finite, check_temperature};
use crate::{Error, Result};

/// The Sherrington-Kirkpatrick model of infinitely many spins in replica-symmetric theory.
///
/// Couplings `J_ij ~ N(J_0/N, 1/N)`, pairs once, and a field h. With $`\int Dz`$ over a standard Gaussian,
///
/// ```math
/// m = \int Dz \tanh \beta(J_0 m + \sqrt q z + h), \qquad q = \int Dz \tanh^2 \beta(J_0 m + \sqrt q z + h),
/// ```
/// ```math
/// f = \frac{J_0 m^2}{2} - \frac{\beta}{4}(1 - q)^2 - \frac1\beta \int Dz \ln 2\cosh \beta(J_0 m + \sqrt q z + h).
/// ```
///
/// The solution is the true one where its replicon eigenvalue $`1 - \beta^2 \int Dz\, \mathrm{sech}^4`$ is positive, above the
/// line of de Almeida and Thouless; below it see [`Parisi`](super::Parisi).
///
/// References: D. Sherrington and S. Kirkpatrick, Phys. Rev. Lett. 35, 1792 (1975); J. R. L. de Almeida and D. J. Thouless,
/// J. Phys. A 11, 983 (1978).
///
/// ```
/// use spin_models::theory::ReplicaSymmetric;
///
/// // Above T = 1: q = 0 and ln Z/N = ln 2 + β²/4.
/// let warm = ReplicaSymmetric::new(0.0, 0.0)?.at_temperature(2.0)?;
/// assert!(warm.overlap == 0.0 && (warm.free_energy_per_spin + 2.0 * (2f64.ln() + 0.0625)).abs() < 1e-12);
/// // At T = 0 the entropy is -1/2π: a sign of what is missing.
/// let cold = ReplicaSymmetric::new(0.0, 0.0)?.at_temperature(0.0)?;
/// assert!((cold.energy_per_spin + 0.7978845608).abs() < 1e-10 && cold.entropy_per_spin < -0.159);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReplicaSymmetric {
    ferromagnetic: f64,
    field: f64,
    params: SaddlePointParams,
}

/// A replica-symmetric solution; energies are per spin.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReplicaSymmetricSolution {
    /// Temperature.
    pub temperature: f64,
    /// m.
    pub magnetization: f64,
    /// q.
    pub overlap: f64,
    /// `β(1 - q)`, which has a limit at T = 0.
    pub susceptibility: f64,
    /// f.
    pub free_energy_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// `β(⟨E⟩/N - f)`.
    pub entropy_per_spin: f64,
    /// `1 - β² ∫Dz sech⁴`: the solution is stable where it is positive. Minus infinity at T = 0 if it is negative there.
    pub replicon: f64,
    /// Residual of the equations.
    pub convergence: Convergence,
}

impl ReplicaSymmetricSolution {
    /// Whether the solution is stable against breaking of replica symmetry.
    pub fn is_stable(&self) -> bool {
        self.replicon >= 0.0
    }
}

impl ReplicaSymmetric {
    /// Mean coupling `J_0` (as `J_0/N` a pair) and field h.
    ///
    /// # Errors
    /// [`Error::Parameter`] for NaN and infinities.
    pub fn new(ferromagnetic: f64, field: f64) -> Result<Self> {
        check_finite("mean coupling", ferromagnetic)?;
        check_finite("field", field)?;
        Ok(Self { ferromagnetic, field, params: SaddlePointParams::default() })
    }

    /// Sets tolerance, damping and the number of iterations.
    ///
    /// # Errors
    /// [`Error::Parameter`] for values out of range.
    pub fn with_params(mut self, params: SaddlePointParams) -> Result<Self> {
        params.check()?;
        self.params = params;
        Ok(self)
    }

    /// The solution of largest magnetization at temperature T ≥ 0. A few dozen averages.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative or infinite temperature.
    pub fn at_temperature(&self, temperature: f64) -> Result<ReplicaSymmetricSolution> {
        check_temperature(temperature)?;
        let (j, h) = (self.ferromagnetic, self.field.abs());
        let averages = |m: f64, q: f64| field_averages(j * m + h, q.max(0.0).sqrt(), temperature);
        let paramagnet = h == 0.0 && temperature >= 1.0 && temperature >= j;
        let spread = |a: f64| if temperature > 0.0 { 1.0 - a } else { 1.0 };
        let (m, q, convergence) = if paramagnet {
            (0.0, 0.0, Convergence::judged(0.0, 0.0, 1))
        } else if h == 0.0 && j <= 0.0 {
            // m stays 0 and the equation for q has one positive solution; q = 0 solves it, too, where iterations must not go.
            let root = find_root(|q| averages(0.0, q).spread - (1.0 - q), 1e-300, 1.0, 0.0);
            let q = if temperature > 0.0 { root.x } else { 1.0 };
            let residual = if temperature > 0.0 { root.residual.abs() } else { 0.0 };
            (0.0, q, Convergence::judged(residual, self.params.tolerance, root.evaluations))
        } else {
            let ([m, q], convergence) = self.params.solve([1.0, 1.0], |[m, q]| {
                let a = averages(m, q);
                [a.magnetization, spread(a.spread)]
            });
            (m, q.max(0.0), convergence)
        };
        let a = averages(m, q);
        // At T = 0 the averages come divided by T.
        let (susceptibility, replicon) = if temperature > 0.0 {
            (a.spread / temperature, 1.0 - a.fourth / (temperature * temperature))
        } else {
            (a.spread, if a.fourth > 0.0 { f64::NEG_INFINITY } else { 1.0 })
        };
        let free = 0.5 * j * m * m - 0.25 * temperature * susceptibility * susceptibility - a.free;
        let energy = -0.5 * j * m * m - h * m - 0.5 * susceptibility * (1.0 + q);
        let entropy =
            if temperature > 0.0 { (energy - free) / temperature } else { -0.25 * susceptibility * susceptibility };
        Ok(ReplicaSymmetricSolution {
            temperature,
            magnetization: if self.field < 0.0 { -m } else { m },
            overlap: q,
            susceptibility,
            free_energy_per_spin: free,
            energy_per_spin: energy,
            entropy_per_spin: entropy,
            replicon,
            convergence,
        })
    }
}

/// The temperature of the Almeida-Thouless line at field h, without mean coupling: 1 at h = 0, falling.
///
/// ```math
/// T^2 = \int Dz\, \mathrm{sech}^4 \frac{\sqrt q z + h}{T}
/// ```
///
/// `T ≈ 1 - (3/4)^{1/3} h^{2/3}` for small fields and $`T \approx \frac{4}{3\sqrt{2\pi}} e^{-h^2/2}`$ for large ones.
///
/// ```
/// use spin_models::theory::almeida_thouless_temperature;
///
/// assert_eq!(almeida_thouless_temperature(0.0)?.0, 1.0);
/// let (t, convergence) = almeida_thouless_temperature(4.0)?;
/// assert!(convergence.converged && (t / (4.0 / 3.0 / (2.0 * std::f64::consts::PI).sqrt() * (-8f64).exp()) - 1.0).abs() < 0.01);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a field that is not finite or beyond 30, where the line is below 1e-195.
pub fn almeida_thouless_temperature(field: f64) -> Result<(f64, Convergence)> {
    if field.is_nan() || field.abs() > 30.0 {
        let expected = "a field between -30 and 30";
        return Err(Error::Parameter { what: "field", value: field.to_string(), expected });
    }
    if field == 0.0 {
        return Ok((1.0, Convergence::judged(0.0, 0.0, 1)));
    }
    let model = ReplicaSymmetric::new(0.0, field)?;
    let cold = 4.0 / 3.0 * FRAC_1_SQRT_2 / PI.sqrt() * (-0.5 * field * field).exp();
    let mut inner = Convergence::judged(0.0, 0.0, 0);
    let mut replicon = |ln_t: f64| {
        let solution = model.at_temperature(ln_t.exp()).expect("a positive temperature");
        inner.converged &= solution.convergence.converged;
        inner.residual = solution.convergence.residual;
        inner.iterations += solution.convergence.iterations;
        // Of order one everywhere.
        solution.replicon / (1.0 - solution.replicon)
    };
    let root = find_root(&mut replicon, (0.2 * cold).ln(), 0.0, 0.0);
    inner.converged &= root.converged;
    inner.residual = inner.residual.max(root.residual.abs());
    Ok((root.x.exp(), inner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn ground_state_of_sherrington_and_kirkpatrick() {
        let cold = ReplicaSymmetric::new(0.0, 0.0).unwrap().at_temperature(0.0).unwrap();
        assert_relative_eq!(cold.energy_per_spin, -0.797_884_560_802_865_4, epsilon = 1e-15);
        assert_relative_eq!(cold.entropy_per_spin, -0.159_154_943_091_895_35, epsilon = 1e-15);
        // The limit is approached linearly.
        let near = ReplicaSymmetric::new(0.0, 0.0).unwrap().at_temperature(1e-5).unwrap();
        assert!(near.convergence.converged);
        assert_relative_eq!(near.entropy_per_spin, cold.entropy_per_spin, epsilon = 1e-5);
        assert_relative_eq!(near.energy_per_spin, cold.energy_per_spin, epsilon = 1e-9);
    }

    #[test]
    fn entropy_and_energy_are_derivatives() {
        for (j, h, t) in [(0.0, 0.3, 0.7), (1.5, 0.0, 0.8), (0.0, 0.0, 0.6), (-0.5, 0.4, 1.5), (0.7, 0.2, 0.1)] {
            let model = ReplicaSymmetric::new(j, h).unwrap();
            let f = |t: f64| model.at_temperature(t).unwrap().free_energy_per_spin;
            let at = model.at_temperature(t).unwrap();
            assert!(at.convergence.converged, "{at:?}");
            let d = 1e-4 * t;
            assert_relative_eq!(at.entropy_per_spin, -(f(t + d) - f(t - d)) / (2.0 * d), epsilon = 1e-6);
            // ∂f/∂h = -m.
            let g = |h: f64| ReplicaSymmetric::new(j, h).unwrap().at_temperature(t).unwrap().free_energy_per_spin;
            if h != 0.0 {
                assert_relative_eq!(at.magnetization, -(g(h + 1e-5) - g(h - 1e-5)) / 2e-5, epsilon = 1e-8);
            }
        }
    }

    #[test]
    fn without_disorder_to_speak_of_it_is_curie_weiss() {
        // Scaled by J_0, the disorder is 1e-3 wide.
        let model = ReplicaSymmetric::new(1e3, 0.0).unwrap().at_temperature(700.0).unwrap();
        let exact = crate::theory::CurieWeissLimit::new(1.0, 0.0).unwrap().magnetization(1.0 / 0.7).unwrap();
        assert_relative_eq!(model.magnetization, exact, epsilon = 1e-5);
    }

    #[test]
    fn almeida_thouless_line() {
        for h in [1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 12.0] {
            let (t, convergence) = almeida_thouless_temperature(h).unwrap();
            assert!(convergence.converged, "h = {h}: {convergence:?}");
            assert!(ReplicaSymmetric::new(0.0, h).unwrap().at_temperature(1.01 * t).unwrap().is_stable());
            assert!(!ReplicaSymmetric::new(0.0, h).unwrap().at_temperature(0.99 * t).unwrap().is_stable());
        }
        let (t, _) = almeida_thouless_temperature(1e-4).unwrap();
        assert_relative_eq!((1.0 - t).powi(3) / 1e-8, 0.75, max_relative = 0.01);
        let (t, _) = almeida_thouless_temperature(10.0).unwrap();
        assert_relative_eq!(t, 4.0 / 3.0 / (2.0 * PI).sqrt() * (-50f64).exp(), max_relative = 1e-6);
    }

    #[test]
    fn bad_input() {
        assert!(ReplicaSymmetric::new(f64::NAN, 0.0).is_err() && ReplicaSymmetric::new(0.0, f64::INFINITY).is_err());
        let model = ReplicaSymmetric::new(0.0, 0.1).unwrap();
        assert!(model.at_temperature(-1.0).is_err() && model.at_temperature(f64::NAN).is_err());
        assert!(almeida_thouless_temperature(f64::NAN).is_err() && almeida_thouless_temperature(31.0).is_err());
    }
}
