//! The text's assumption of a biased model.

use super::CoulombCovariance;
use crate::{Result, check};

/// The assumption $`E[x_i] = \varepsilon m_i`$ of eqs. (63) to (66), as an option.
///
/// With a correct mean, ε = 0 and the Coulomb term of eq. (65) is gone; then $`E[x_i x_j]`$ is the covariance, and eq. (60)
/// becomes $`-(q_i q_j)^2/(2 m_i m_j r^2)`$, blind to signs. The losses of [`CoulombCovariance`] take measured moments instead.
/// $`E[x_i^2] = m_i + \varepsilon^2 m_i^2`$ makes the $`\tfrac12\varepsilon^2 m_i`$ of eq. (65) right (beside N/2) and the
/// $`\tfrac12\varepsilon^2 m_i^2`$ of eqs. (66) and (69) wrong: for m = 3 and ε = 0.3 the trace term is 0.5 + 0.135, not 0.5 + 0.405.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MeanFieldEps(f64);

impl MeanFieldEps {
    /// The bias ε.
    ///
    /// # Errors
    /// [`Parameter`](crate::Error::Parameter) unless it is a finite number above 0.
    pub fn new(eps: f64) -> Result<Self> {
        check::positive_parameter("eps", eps)?;
        Ok(Self(eps))
    }

    /// ε.
    pub fn eps(self) -> f64 {
        self.0
    }

    /// Second moments $`E[x_i x_j] = K_{ij} + \varepsilon^2 m_i m_j`$ of data from the biased model, n × n row-major.
    pub fn second_moments<const D: usize>(self, k: &CoulombCovariance<D>) -> Vec<f64> {
        let n = k.len();
        let mut moments = k.matrix();
        for i in 0..n {
            for j in 0..n {
                moments[i * n + j] += self.0 * self.0 * k.masses()[i] * k.masses()[j];
            }
        }
        moments
    }

    /// What a mass adds to the loss of a particle at rest in `dimension` dimensions: $`\tfrac12 (1 - D) \ln m +
    /// \tfrac12(1 + \varepsilon^2 m)`$, from the determinant, the prior's normaliser and eq. (65).
    pub fn mass_term(self, m: f64, dimension: usize) -> f64 {
        0.5 * ((1.0 - dimension as f64) * m.ln() + 1.0 + self.0 * self.0 * m)
    }

    /// The mass at which [`Self::mass_term`] is least: $`(D - 1)/\varepsilon^2`$.
    ///
    /// It says nothing of the data: masses are to be measured, eq. (27).
    ///
    /// ```
    /// use physics_inference::coulomb::MeanFieldEps;
    ///
    /// assert!((MeanFieldEps::new(0.3)?.mass_optimum(3) - 200.0 / 9.0).abs() < 1e-13);
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    pub fn mass_optimum(self, dimension: usize) -> f64 {
        (dimension as f64 - 1.0) / (self.0 * self.0)
    }
}
