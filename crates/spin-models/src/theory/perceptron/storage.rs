//! How many weights store random patterns.

use std::f64::consts::LN_2;

use linalg_core::logspace::ln_cosh;
use linalg_core::special::{ln_normal_cdf, normal_cdf, normal_pdf};

use super::Weights;
use super::integrals::{gaussian_average, hazard};
use crate::{Error, Result};

fn check_margin(margin: f64) -> Result<()> {
    if margin.abs() <= 10.0 {
        return Ok(());
    }
    Err(Error::Parameter { what: "margin", value: margin.to_string(), expected: "a number from -10 to 10" })
}

/// Gardner's capacity: the load up to which continuous weights store random patterns with the margin κ.
///
/// ```math
/// \alpha_c(\kappa)^{-1} = \int_{-\kappa}^\infty Dt\, (t + \kappa)^2 = (1 + \kappa^2)\, \Phi(\kappa) + \kappa\, \varphi(\kappa)
/// ```
///
/// α_c(0) = 2. For κ < 0, where weights are not a convex set, it is the replica-symmetric value, an upper bound.
///
/// ```
/// use spin_models::theory::perceptron::gardner_capacity;
///
/// assert_eq!(gardner_capacity(0.0)?, 2.0);
/// assert!((gardner_capacity(1.0)? - 1.0 / (2.0 * 0.8413447460685429 + 0.24197072451914337)).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: E. Gardner, J. Phys. A 21, 257 (1988).
///
/// # Errors
/// [`Error::Parameter`] for a margin that is NaN or beyond ±10.
pub fn gardner_capacity(margin: f64) -> Result<f64> {
    check_margin(margin)?;
    // Cancellation for negative margins: the integral itself is positive.
    let inverse = if margin >= -1.0 {
        (1.0 + margin * margin) * normal_cdf(margin) + margin * normal_pdf(margin)
    } else {
        gaussian_average(|t| (t + margin).max(0.0).powi(2), -margin, 1.0)?
    };
    Ok(1.0 / inverse)
}

/// The weights that store random patterns with a margin, replica symmetric.
///
/// The patterns are inputs with random labels, and weights store them if $`y_\mu z_\mu \ge \kappa`$ for all. With
/// $`A = (\kappa - \sqrt q\, t)/\sqrt{1-q}`$, q the overlap of two of these weights, H = 1 - Φ, and $`\psi = \varphi(A)/H(A)`$, the entropy a
/// weight is for continuous weights on the sphere
///
/// ```math
/// s = \tfrac12 \ln(1-q) + \frac{q}{2(1-q)} + \alpha \int Dt\, \ln H(A), \qquad \frac{q}{1-q} = \alpha \int Dt\, \psi^2
/// ```
///
/// the logarithm of the fraction of the sphere, and for binary weights the logarithm of their number,
///
/// ```math
/// s = -\frac{\hat q (1-q)}{2} + \int Dz\, \ln 2\cosh \sqrt{\hat q} z + \alpha \int Dt\, \ln H(A), \qquad
/// q = \int Dz\, \tanh^2 \sqrt{\hat q} z, \quad \hat q = \frac{\alpha}{1-q} \int Dt\, \psi^2
/// ```
///
/// The sphere becomes empty as q → 1 ([`gardner_capacity`]); binary weights where s = 0 at q < 1, α = 0.8331 for κ = 0 (Krauth and
/// Mézard), although replica symmetry would go on.
///
/// ```
/// use spin_models::theory::perceptron::{Storage, Weights};
///
/// // Without patterns all 2^N weights do.
/// let binary = Storage::new(Weights::Binary, 0.0)?;
/// let free = binary.at(0.0)?;
/// assert!(free.q == 0.0 && (free.entropy - 2f64.ln()).abs() < 1e-12);
/// // One pattern more halves their number at least.
/// assert!(binary.at(0.5)?.entropy < 0.5 * 2f64.ln());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Storage {
    weights: Weights,
    margin: f64,
    tolerance: f64,
    max_iterations: u64,
}

/// The replica-symmetric state of stored patterns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StorageSolution {
    /// The load.
    pub alpha: f64,
    /// The overlap of two solutions.
    pub q: f64,
    /// Its conjugate, $`\frac{\alpha}{1-q} \int Dt\, \psi^2`$.
    pub q_hat: f64,
    /// The entropy a weight; for continuous weights relative to the whole sphere.
    pub entropy: f64,
    /// The relative change of 1 - q in the last iteration.
    pub residual: f64,
    /// Iterations.
    pub iterations: u64,
    /// Whether the residual is within the tolerance. Above the capacity of continuous weights it is not.
    pub converged: bool,
}

/// The load at which nothing stores the patterns any more.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StorageCapacity {
    /// The capacity.
    pub alpha: f64,
    /// The overlap of two solutions there.
    pub q: f64,
    /// For binary weights the entropy there, which should be 0.
    pub residual: f64,
    /// Solutions computed.
    pub iterations: u64,
    /// Whether the entropy is 0 within 1e-9, with all solutions converged.
    pub converged: bool,
}

impl Storage {
    /// Weights of this kind with the margin κ.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a margin that is NaN or beyond ±10.
    pub fn new(weights: Weights, margin: f64) -> Result<Self> {
        check_margin(margin)?;
        Ok(Self { weights, margin, tolerance: 1e-11, max_iterations: 20_000 })
    }

    /// Sets the relative change of 1 - q below which the iteration ends; default 1e-11.
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the most iterations; default 20 000. Near the capacity of continuous weights they become many.
    pub fn with_max_iterations(mut self, iterations: u64) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// The average of a function of `-A`, the argument of Φ.
    fn average(&self, q: f64, f: impl Fn(f64) -> f64) -> Result<f64> {
        let (root, rest) = (q.sqrt(), (1.0 - q).sqrt());
        // Within some units of A about 0 the integrand bends.
        let (center, width) = if root > 0.0 { (self.margin / root, 12.0 * rest / root) } else { (0.0, 1.0) };
        gaussian_average(|t| f((root * t - self.margin) / rest), center, width)
    }

    /// `α ∫ Dt ψ²`.
    fn force(&self, alpha: f64, q: f64) -> Result<f64> {
        Ok(alpha * self.average(q, |u| hazard(u).powi(2))?)
    }

    /// The state at load α, by iteration from q = 0.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a load that is not a number from 0 to 10⁶.
    pub fn at(&self, alpha: f64) -> Result<StorageSolution> {
        if !(0.0..=1e6).contains(&alpha) {
            let value = alpha.to_string();
            return Err(Error::Parameter { what: "load", value, expected: "a number from 0 to 1e6" });
        }
        self.from(alpha, 0.0)
    }

    fn from(&self, alpha: f64, start: f64) -> Result<StorageSolution> {
        // A q that is 1 to rounding has no 1 - q left.
        let largest = 1.0 - 1e-12;
        let (mut q, mut residual, mut iterations) = (start, f64::INFINITY, 0);
        while iterations < self.max_iterations && residual > self.tolerance {
            let force = self.force(alpha, q)?;
            let new = match self.weights {
                Weights::Gaussian => force / (1.0 + force),
                Weights::Binary => square_of_tanh(force / (1.0 - q))?,
            };
            residual = (new - q).abs() / (1.0 - q);
            q = new.min(largest);
            iterations += 1;
        }
        let q_hat = self.force(alpha, q)? / (1.0 - q);
        let weights = match self.weights {
            Weights::Gaussian => 0.5 * ((-q).ln_1p() + q / (1.0 - q)),
            Weights::Binary => {
                let root = q_hat.sqrt();
                LN_2 + gaussian_average(|z| ln_cosh(root * z), 0.0, 12.0 / root.max(1.0))? - 0.5 * q_hat * (1.0 - q)
            }
        };
        let entropy = weights + alpha * self.average(q, ln_normal_cdf)?;
        let converged = residual <= self.tolerance && q < largest;
        Ok(StorageSolution { alpha, q, q_hat, entropy, residual, iterations, converged })
    }

    /// The largest load: [`gardner_capacity`] for continuous weights, where the entropy passes 0 for binary ones.
    ///
    /// # Errors
    /// None for a valid margin; failures of integrals are passed on.
    pub fn capacity(&self) -> Result<StorageCapacity> {
        let gardner = gardner_capacity(self.margin)?;
        if self.weights == Weights::Gaussian {
            return Ok(StorageCapacity { alpha: gardner, q: 1.0, residual: 0.0, iterations: 0, converged: true });
        }
        // Half the numbers are lost with a pattern at κ = 0 at least: the entropy is below ln 2 + α ln H(κ).
        let bound = -LN_2 / ln_normal_cdf(-self.margin);
        let (mut low, mut high) = (self.at(0.0)?, self.from(bound.min(gardner), 0.5)?);
        let mut iterations = 2;
        let mut best = high;
        // False position; an end that stays twice counts half (the Illinois rule).
        let (mut low_value, mut high_value) = (low.entropy, high.entropy);
        let mut stayed = 0;
        while best.entropy.abs() > 1e-11 && iterations < 100 && high.alpha - low.alpha > 1e-14 {
            let alpha = (low.alpha * high_value - high.alpha * low_value) / (high_value - low_value);
            best = self.from(alpha, 0.5 * (low.q + high.q))?;
            iterations += 1;
            if best.entropy > 0.0 {
                (low, low_value) = (best, best.entropy);
                high_value *= if stayed == 1 { 0.5 } else { 1.0 };
                stayed = 1;
            } else {
                (high, high_value) = (best, best.entropy);
                low_value *= if stayed == -1 { 0.5 } else { 1.0 };
                stayed = -1;
            }
        }
        let converged = best.converged && best.entropy.abs() <= 1e-9;
        Ok(StorageCapacity { alpha: best.alpha, q: best.q, residual: best.entropy, iterations, converged })
    }
}

/// `∫ Dz tanh²(√q̂ z)`.
fn square_of_tanh(q_hat: f64) -> Result<f64> {
    let root = q_hat.sqrt();
    gaussian_average(|z| (root * z).tanh().powi(2), 0.0, 12.0 / root.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed form against the integral; 1/α_c(κ) → κ² for wide margins and → 0 for negative ones.
    #[test]
    fn gardners_capacity_is_its_integral() {
        for margin in [-3.0, -1.0, -0.5, 0.0, 0.3, 1.0, 4.0] {
            let integral = gaussian_average(|t| (t + margin).max(0.0).powi(2), -margin, 1.0).unwrap();
            approx::assert_relative_eq!(gardner_capacity(margin).unwrap(), 1.0 / integral, max_relative = 1e-10);
        }
        approx::assert_abs_diff_eq!(gardner_capacity(0.0).unwrap(), 2.0, epsilon = 1e-15);
        assert!(gardner_capacity(f64::NAN).is_err() && gardner_capacity(11.0).is_err());
    }

    /// The solution of continuous weights exists up to α_c and q → 1 there; the entropy is stationary in q and falls.
    #[test]
    fn continuous_weights_up_to_their_capacity() {
        for margin in [0.0, 0.5] {
            let storage = Storage::new(Weights::Gaussian, margin).unwrap();
            let capacity = storage.capacity().unwrap().alpha;
            let mut last = 0.0;
            for part in [0.2, 0.5, 0.8, 0.95] {
                let state = storage.at(part * capacity).unwrap();
                assert!(state.converged && state.entropy < last, "κ = {margin}: {state:?}");
                last = state.entropy;
                let entropy = |q: f64| {
                    let all = storage.average(q, ln_normal_cdf).unwrap();
                    0.5 * (-q).ln_1p() + 0.5 * q / (1.0 - q) + state.alpha * all
                };
                let h = 1e-4 * (1.0 - state.q);
                let slope = (entropy(state.q + h) - entropy(state.q - h)) / (2.0 * h);
                assert!(slope.abs() < 1e-4 / (1.0 - state.q), "κ = {margin}: {slope}");
            }
            assert!(storage.at(0.95 * capacity).unwrap().q > 0.9);
            let beyond = storage.with_max_iterations(200).at(1.2 * capacity).unwrap();
            assert!(!beyond.converged);
        }
    }

    /// 0.833 of Krauth and Mézard; q there is 0.5639.
    #[test]
    fn binary_capacity_of_krauth_and_mezard() {
        let capacity = Storage::new(Weights::Binary, 0.0).unwrap().capacity().unwrap();
        assert!(capacity.converged && capacity.residual.abs() < 1e-9, "{capacity:?}");
        approx::assert_abs_diff_eq!(capacity.alpha, 0.833_078_6, epsilon = 1e-6);
        approx::assert_abs_diff_eq!(capacity.q, 0.563_949, epsilon = 1e-5);
        // Less than that with a margin, and stationary in q̂ and q: ds/dα is the term that α multiplies.
        let narrow = Storage::new(Weights::Binary, 0.2).unwrap().capacity().unwrap();
        assert!(narrow.converged && narrow.alpha < 0.7);
        let storage = Storage::new(Weights::Binary, 0.0).unwrap();
        let (h, state) = (1e-3, storage.at(0.6).unwrap());
        let slope = (storage.at(0.6 + h).unwrap().entropy - storage.at(0.6 - h).unwrap().entropy) / (2.0 * h);
        approx::assert_abs_diff_eq!(slope, storage.average(state.q, ln_normal_cdf).unwrap(), epsilon = 1e-5);
    }

    #[test]
    fn bad_loads_are_refused() {
        let storage = Storage::new(Weights::Binary, 0.0).unwrap();
        assert!(storage.at(-0.1).is_err() && storage.at(f64::NAN).is_err() && storage.at(f64::INFINITY).is_err());
        assert!(Storage::new(Weights::Binary, f64::NAN).is_err());
    }

    #[test]
    fn every_margin_has_a_capacity() {
        for margin in [-5.0, -4.0, 4.0] {
            let capacity = Storage::new(Weights::Binary, margin).unwrap().capacity();
            assert!(capacity.is_ok_and(|found| found.alpha > 0.0), "{margin}");
        }
    }
}
