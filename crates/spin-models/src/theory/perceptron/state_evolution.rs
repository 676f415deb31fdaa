//! What a student can learn from a teacher.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use linalg_core::logspace::ln_cosh;
use linalg_core::special::{ln_normal_cdf, normal_pdf};

use super::Weights;
use super::integrals::{gaussian_average, hazard};
use crate::{Error, Result};

/// A student who knows the prior of the teacher's weights and the noise of the labels, in the limit of large N.
///
/// Labels are $`y = \mathrm{sign}(z^* + \sqrt\Delta\, \xi)`$ with the field z* of the teacher and a Gaussian ξ: Δ = 0 is the sign, Δ > 0 a probit,
/// $`P(y|z) = \Phi(y z/\sqrt\Delta)`$. The overlap q of the posterior mean with the teacher, which is that of two draws from the posterior (the
/// Nishimori condition), follows the state evolution of message passing,
///
/// ```math
/// \hat q = \frac{2\alpha}{1 - q + \Delta} \int Dt\, \frac{\varphi(u)^2}{\Phi(u)}, \quad u = \frac{\sqrt q\, t}{\sqrt{1 - q + \Delta}}, \qquad
/// q = \frac{\hat q}{1 + \hat q} \ \text{(Gaussian)}, \quad q = \int Dz \tanh(\hat q + \sqrt{\hat q} z) \ \text{(binary)}
/// ```
///
/// and is replica symmetric. The free entropy is the limit of $`\frac1N \langle \ln P(y) \rangle`$; where there are two fixed points the larger one
/// is in equilibrium. Binary weights without noise have q = 1 as a fixed point: it is in equilibrium above α = 1.249, and found from q = 0
/// above α = 1.493.
///
/// ```
/// use spin_models::theory::perceptron::{Start, TeacherStudent, Weights};
///
/// let sign = TeacherStudent::new(Weights::Gaussian, 0.0)?;
/// let learnt = sign.state_evolution(4.0, Start::Uninformed)?;
/// assert!(learnt.converged && learnt.bayes_error() < learnt.gibbs_error());
/// // Nothing is known without examples.
/// assert_eq!(sign.state_evolution(0.0, Start::Uninformed)?.bayes_error(), 0.5);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: G. Györgyi, Phys. Rev. A 41, 7097 (1990); H. Sompolinsky, N. Tishby and H. S. Seung, Phys. Rev. Lett. 65, 1683 (1990);
/// M. Opper and D. Haussler, Phys. Rev. Lett. 66, 2677 (1991); J. Barbier et al., Proc. Natl. Acad. Sci. USA 116, 5451 (2019).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TeacherStudent {
    weights: Weights,
    noise: f64,
    tolerance: f64,
    max_iterations: u64,
}

/// Where state evolution begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Start {
    /// At q = 0, as an algorithm does.
    Uninformed,
    /// Next to the teacher, 1 - q = 10⁻⁶.
    Informed,
}

/// A fixed point of state evolution, and the way there.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StateEvolution {
    /// The overlap with the teacher.
    pub q: f64,
    /// 1 - q, exact where q is near 1.
    pub error: f64,
    /// The conjugate of q; infinite at q = 1.
    pub q_hat: f64,
    /// q at the start and after every iteration.
    pub trajectory: Vec<f64>,
    /// The limit of $`\frac1N \langle \ln P(y) \rangle`$, at most 0.
    pub free_entropy: f64,
    /// The relative change of 1 - q in the last iteration.
    pub residual: f64,
    /// Iterations.
    pub iterations: u64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl StateEvolution {
    /// The fraction of noiseless labels that the sign of the posterior mean field misses, $`\frac1\pi \arccos \sqrt q`$: the least possible.
    pub fn bayes_error(&self) -> f64 {
        self.error.sqrt().min(1.0).asin() / PI
    }

    /// The same for weights drawn from the posterior, $`\frac1\pi \arccos q`$.
    pub fn gibbs_error(&self) -> f64 {
        2.0 * (self.error.sqrt() * FRAC_1_SQRT_2).min(1.0).asin() / PI
    }
}

impl TeacherStudent {
    /// Weights of this kind, and the variance Δ of the noise.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a noise that is negative or not finite.
    pub fn new(weights: Weights, noise: f64) -> Result<Self> {
        if (0.0..=1e12).contains(&noise) {
            return Ok(Self { weights, noise, tolerance: 1e-10, max_iterations: 20_000 });
        }
        Err(Error::Parameter { what: "noise", value: noise.to_string(), expected: "a number from 0 to 1e12" })
    }

    /// Sets the relative change of 1 - q below which the iteration ends; default 1e-10.
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the most iterations; default 20 000.
    pub fn with_max_iterations(mut self, iterations: u64) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// `2 ∫ Dt f(u)` for an `f` that vanishes at large |u|, with 1 - q given.
    fn average(&self, error: f64, f: impl Fn(f64) -> f64) -> Result<f64> {
        let slope = ((1.0 - error) / (error + self.noise)).sqrt();
        Ok(2.0 * gaussian_average(|t| f(slope * t), 0.0, 12.0 / slope.max(1.0))?)
    }

    /// q̂ of 1 - q.
    fn conjugate(&self, alpha: f64, error: f64) -> Result<f64> {
        if error + self.noise <= 0.0 {
            return Ok(if alpha > 0.0 { f64::INFINITY } else { 0.0 });
        }
        Ok(alpha / (error + self.noise) * self.average(error, |u| normal_pdf(u) * hazard(u))?)
    }

    /// 1 - q of q̂.
    fn error_of(&self, q_hat: f64) -> Result<f64> {
        match self.weights {
            Weights::Gaussian => Ok(1.0 / (1.0 + q_hat)),
            Weights::Binary if q_hat > 1400.0 => Ok(0.0),
            Weights::Binary => {
                let root = q_hat.sqrt();
                // 1 - tanh x, without cancellation for large x.
                let missing = |z: f64| 2.0 / (1.0 + (2.0 * (q_hat + root * z)).exp());
                gaussian_average(missing, -root, 20.0 / root.max(1.0))
            }
        }
    }

    /// The limit of ⟨ln P(y)⟩/N at this point.
    fn free_entropy(&self, alpha: f64, error: f64, q_hat: f64) -> Result<f64> {
        let labels = if error + self.noise <= 0.0 {
            0.0
        } else {
            alpha
                * self.average(error, |u| {
                    let ln = ln_normal_cdf(u);
                    ln * ln.exp()
                })?
        };
        let weights = match self.weights {
            Weights::Gaussian => 0.5 * (q_hat * error - q_hat.ln_1p()),
            Weights::Binary if q_hat > 1400.0 => -LN_2,
            Weights::Binary => {
                let root = q_hat.sqrt();
                let mean = gaussian_average(|z| ln_cosh(q_hat + root * z), -root, 20.0 / root.max(1.0))?;
                // -q̂/2 - q q̂/2 = -q̂ + q̂(1 - q)/2.
                mean - q_hat + 0.5 * q_hat * error
            }
        };
        Ok(labels + weights)
    }

    /// Iterates at load α until 1 - q changes by less than the tolerance.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a load that is negative or above 10⁶.
    pub fn state_evolution(&self, alpha: f64, start: Start) -> Result<StateEvolution> {
        if !(0.0..=1e6).contains(&alpha) {
            let value = alpha.to_string();
            return Err(Error::Parameter { what: "load", value, expected: "a number from 0 to 1e6" });
        }
        let mut error = match start {
            Start::Uninformed => 1.0,
            Start::Informed => 1e-6,
        };
        let mut trajectory = vec![1.0 - error];
        let (mut residual, mut iterations) = (f64::INFINITY, 0);
        while iterations < self.max_iterations && residual > self.tolerance {
            let new = self.error_of(self.conjugate(alpha, error)?)?;
            residual = if error > 0.0 { (new - error).abs() / error } else { new };
            error = new;
            trajectory.push(1.0 - error);
            iterations += 1;
        }
        let q_hat = self.conjugate(alpha, error)?;
        let free_entropy = self.free_entropy(alpha, error, q_hat)?;
        let converged = residual <= self.tolerance;
        Ok(StateEvolution { q: 1.0 - error, error, q_hat, trajectory, free_entropy, residual, iterations, converged })
    }

    /// Of the fixed points from both starts the one of larger free entropy: that of the posterior itself, found or not.
    ///
    /// # Errors
    /// As [`state_evolution`](Self::state_evolution).
    pub fn equilibrium(&self, alpha: f64) -> Result<StateEvolution> {
        let (a, b) = (self.state_evolution(alpha, Start::Uninformed)?, self.state_evolution(alpha, Start::Informed)?);
        Ok(if b.free_entropy > a.free_entropy { b } else { a })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::special::normal_cdf;

    /// Averages against plain Gauss-Hermite sums for an easy case, and the exact first step: q̂ = 2α/(π(1 + Δ)) at q = 0.
    #[test]
    fn first_step_is_known() {
        for (weights, noise) in [(Weights::Gaussian, 0.0), (Weights::Gaussian, 0.5), (Weights::Binary, 0.0)] {
            let model = TeacherStudent::new(weights, noise).unwrap();
            let q_hat = model.conjugate(1.3, 1.0).unwrap();
            approx::assert_abs_diff_eq!(q_hat, 2.6 / (PI * (1.0 + noise)), epsilon = 1e-12);
        }
        let rule = linalg_core::quadrature::GaussHermite::new(100).unwrap();
        let model = TeacherStudent::new(Weights::Binary, 0.3).unwrap();
        let plain = 1.0 - rule.average(|z| (0.7 + 0.7f64.sqrt() * z).tanh());
        approx::assert_abs_diff_eq!(model.error_of(0.7).unwrap(), plain, epsilon = 1e-10);
        let u = |t: f64| (0.6f64 / 0.7).sqrt() * t;
        let plain = 2.0 * rule.average(|t| normal_pdf(u(t)).powi(2) / normal_cdf(u(t))) * 1.3 / 0.7;
        approx::assert_abs_diff_eq!(model.conjugate(1.3, 0.4).unwrap(), plain, epsilon = 1e-9);
    }

    /// ε α → 0.442 for Bayes (Opper and Haussler) and 0.625 for Gibbs; corrections fall as 1/α.
    #[test]
    fn errors_of_the_sign_teacher_fall_as_one_over_alpha() {
        let model = TeacherStudent::new(Weights::Gaussian, 0.0).unwrap();
        let learnt = model.state_evolution(400.0, Start::Uninformed).unwrap();
        assert!(learnt.converged);
        approx::assert_abs_diff_eq!(400.0 * learnt.bayes_error(), 0.4417, epsilon = 2e-3);
        approx::assert_abs_diff_eq!(400.0 * learnt.gibbs_error(), 0.6246, epsilon = 3e-3);
        // With noise the error falls more slowly.
        let noisy =
            TeacherStudent::new(Weights::Gaussian, 0.5).unwrap().state_evolution(400.0, Start::Uninformed).unwrap();
        assert!(noisy.converged && noisy.bayes_error() > 3.0 * learnt.bayes_error());
    }

    /// The free entropy is stationary: its derivative in α is the average that α multiplies (I-MMSE).
    #[test]
    fn free_entropy_is_stationary() {
        for (weights, noise) in
            [(Weights::Gaussian, 0.0), (Weights::Gaussian, 0.4), (Weights::Binary, 0.0), (Weights::Binary, 0.4)]
        {
            let model = TeacherStudent::new(weights, noise).unwrap().with_tolerance(1e-13);
            let at = |alpha: f64| model.state_evolution(alpha, Start::Uninformed).unwrap();
            let (h, state) = (1e-3, at(0.9));
            let slope = (at(0.9 + h).free_entropy - at(0.9 - h).free_entropy) / (2.0 * h);
            let labels = model.average(state.error, |u| normal_cdf(u) * ln_normal_cdf(u)).unwrap();
            approx::assert_abs_diff_eq!(slope, labels, epsilon = 1e-5);
        }
    }

    /// The transition to perfect learning of binary weights: in equilibrium at α = 1.249, from q = 0 at 1.493 (Györgyi; Barbier et al.).
    #[test]
    fn binary_teacher_is_learnt_at_once() {
        let model = TeacherStudent::new(Weights::Binary, 0.0).unwrap();
        let perfect = |alpha: f64| model.equilibrium(alpha).unwrap().error < 1e-9;
        assert!(!perfect(1.243) && perfect(1.252));
        let found = |alpha: f64| model.state_evolution(alpha, Start::Uninformed).unwrap().error < 1e-9;
        assert!(!found(1.485) && found(1.50));
    }

    #[test]
    fn bad_input_is_refused() {
        assert!(
            TeacherStudent::new(Weights::Binary, -1.0).is_err()
                && TeacherStudent::new(Weights::Binary, f64::NAN).is_err()
        );
        let model = TeacherStudent::new(Weights::Binary, 0.0).unwrap();
        assert!(model.state_evolution(f64::NAN, Start::Uninformed).is_err() && model.equilibrium(-1.0).is_err());
        let short = model.with_max_iterations(3).state_evolution(1.4, Start::Uninformed).unwrap();
        assert!(!short.converged && short.iterations == 3 && short.trajectory.len() == 4);
        let none = model.state_evolution(0.0, Start::Informed).unwrap();
        approx::assert_abs_diff_eq!(none.error, 1.0, epsilon = 1e-12);
    }
}
