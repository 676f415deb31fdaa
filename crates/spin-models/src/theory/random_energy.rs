//! The random energy model.

use std::f64::consts::LN_2;

use crate::Result;
use crate::error::check_beta;

/// The random energy model: `2^N` independent energies of variance `N/2`, N → ∞.
///
/// It freezes at $`\beta_c = 2\sqrt{\ln 2}`$:
///
/// ```math
/// \frac{\ln Z}{N} = \ln 2 + \frac{\beta^2}{4} \quad (\beta \le \beta_c), \qquad \beta \sqrt{\ln 2} \quad (\beta \ge \beta_c).
/// ```
///
/// The replica-symmetric solution is the first form at all β; below the transition one step of replica-symmetry breaking with
/// overlap 1 and parameter `m = β_c/β` is exact. It is the limit p → ∞ of [`PSpin`](super::PSpin).
///
/// Reference: B. Derrida, Phys. Rev. B 24, 2613 (1981).
///
/// ```
/// use spin_models::theory::RandomEnergyModel;
///
/// let frozen = RandomEnergyModel::at(3.0)?;
/// assert_eq!(frozen.entropy_per_spin, 0.0);
/// assert!((frozen.energy_per_spin + 2f64.ln().sqrt()).abs() < 1e-15);
/// assert!((frozen.breaking - 2.0 * 2f64.ln().sqrt() / 3.0).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RandomEnergyModel {
    /// `ln Z / N`.
    pub ln_z_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// Entropy per spin.
    pub entropy_per_spin: f64,
    /// The parameter m of one-step replica-symmetry breaking, at most 1: the mean participation `Σ w²` is `1 - m`.
    pub breaking: f64,
    /// `ln Z / N` of the replica-symmetric solution, wrong beyond `β_c`.
    pub replica_symmetric_ln_z_per_spin: f64,
}

impl RandomEnergyModel {
    /// `β_c = 2 √ln 2 = 1.6651…`.
    pub fn critical_beta() -> f64 {
        2.0 * LN_2.sqrt()
    }

    /// The state at inverse temperature β.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta).
    pub fn at(beta: f64) -> Result<Self> {
        check_beta(beta)?;
        let critical = Self::critical_beta();
        let symmetric = LN_2 + 0.25 * beta * beta;
        let warm = Self {
            ln_z_per_spin: symmetric,
            energy_per_spin: -0.5 * beta,
            entropy_per_spin: LN_2 - 0.25 * beta * beta,
            breaking: 1.0,
            replica_symmetric_ln_z_per_spin: symmetric,
        };
        if beta <= critical {
            return Ok(warm);
        }
        let ground = LN_2.sqrt();
        let (ln_z_per_spin, breaking) = (beta * ground, critical / beta);
        Ok(Self { ln_z_per_spin, energy_per_spin: -ground, entropy_per_spin: 0.0, breaking, ..warm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use linalg_core::rng::standard_normal;
    use linalg_core::{Streams, logspace::log_sum_exp};

    #[test]
    fn derivatives_and_continuity() {
        for beta in [0.3, 1.0, 1.6, 1.7, 4.0] {
            let f = |b: f64| RandomEnergyModel::at(b).unwrap().ln_z_per_spin;
            let at = RandomEnergyModel::at(beta).unwrap();
            assert_relative_eq!(at.energy_per_spin, -(f(beta + 1e-6) - f(beta - 1e-6)) / 2e-6, epsilon = 1e-8);
            assert_relative_eq!(at.ln_z_per_spin, at.entropy_per_spin - beta * at.energy_per_spin, epsilon = 1e-14);
        }
        let below = RandomEnergyModel::at(RandomEnergyModel::critical_beta() * (1.0 + 1e-12)).unwrap();
        assert_relative_eq!(below.ln_z_per_spin, 2.0 * LN_2, epsilon = 1e-11);
        assert!(RandomEnergyModel::at(f64::NAN).is_err());
    }

    /// 2^N drawn energies: ln Z above the transition within 4 standard errors, participation below it.
    ///
    /// Annealed and quenched averages agree above the transition up to e^{-N..}; below it `⟨Σ w²⟩ = 1 - m` with corrections of
    /// order `ln N / N`, for which 0.06 is left.
    #[test]
    fn drawn_energies() {
        let n = 16;
        let streams = Streams::new(5);
        let samples = 60;
        let (mut warm, mut participation) = (linalg_core::stats::Running::new(), linalg_core::stats::Running::new());
        let beta_cold = 3.0;
        for k in 0..samples {
            let mut rng = streams.fast_stream(k);
            let energies: Vec<f64> =
                (0..1 << n).map(|_| (0.5 * f64::from(n)).sqrt() * standard_normal(&mut rng)).collect();
            let ln_z = |beta: f64| log_sum_exp(&energies.iter().map(|e| -beta * e).collect::<Vec<_>>());
            warm.push(ln_z(0.6) / f64::from(n));
            participation.push((ln_z(2.0 * beta_cold) - 2.0 * ln_z(beta_cold)).exp());
        }
        let exact = RandomEnergyModel::at(0.6).unwrap().ln_z_per_spin;
        assert!((warm.mean() - exact).abs() < 4.0 * warm.std_error() + 1e-5, "{} {exact}", warm.mean());
        let exact = 1.0 - RandomEnergyModel::at(beta_cold).unwrap().breaking;
        let z = (participation.mean() - exact).abs() / participation.std_error();
        assert!(
            (participation.mean() - exact).abs() < 4.0 * participation.std_error() + 0.06,
            "{} {exact} {z}",
            participation.mean()
        );
    }
}
