//! Covariances of charges in space, and what follows from them.
//!
//! Bryan and Pressé ("Mapping general inference to physics", 2024, draft; equation numbers are theirs) write the covariance
//! of N variables with three numbers per variable and a position, eqs. (28) and (29):
//!
//! ```math
//! K_{ii} = m_i, \qquad K_{ij} = q_i q_j\,k(|r_i - r_j|), \qquad k(r) = \frac{1}{\sqrt{r^2 + a^2}}
//! ```
//!
//! with $`a = 0`$ in their text. What the map can and cannot do:
//!
//! - **Scale freedom.** $`q \to s q`$, $`r \to s^2 r`$ (and $`a \to s^2 a`$) leave $`K`$ unchanged. Charges of ±1, or a fixed
//!   softening length, fix the scale.
//! - **Balanced signs only.** The sign of $`K_{ij}`$ is that of $`q_i q_j`$, so that the product of the three signs round a
//!   triangle is positive. Three variables with all correlations −0.3 are a valid covariance (eigenvalues 0.4, 1.3, 1.3) and
//!   are not representable; the best fit leaves a finite loss.
//! - **Not positive definite in general.** Random charges at random places often give an indefinite matrix (72% of 400
//!   configurations in the study behind this crate); [`CoulombCovariance::is_guaranteed_pd`] names two conditions that
//!   exclude it.
//! - **3N numbers do not match N(N−1)/2.** The distances $`1/|K_{ij}|`$ must be those of points in space, which is why
//!   positions are fitted ([`CoulombCovariance::fit_positions`]) and distances are not solved for.
//! - **Masses are not learned through the loss.** With measured second moments and particles at rest, the prior's
//!   $`-\tfrac D2\ln m`$ lets the loss fall without bound as masses grow. They are the measured variances, eq. (27).
//!
//! ```
//! use physics_inference::coulomb::CoulombCovariance;
//!
//! let k = CoulombCovariance::new(
//!     vec![2.0, 1.5, 3.0],
//!     vec![1.0, -1.0, 1.0],
//!     vec![[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 4.0, 0.0]],
//!     0.0,
//! )?;
//! assert_eq!(k.matrix()[1], -1.0 / 3.0);
//! assert!((k.logdet()? - 2.1431496399867918).abs() < 1e-14);
//! // Without the second order, ln 9 = 2.197: the sum of the ln m.
//! assert!((k.logdet_order1() - 9f64.ln()).abs() < 1e-15);
//! assert!((k.logdet_order2() - 2.1408819847).abs() < 1e-10);
//! # Ok::<(), physics_inference::Error>(())
//! ```

mod covariance;
mod fit;
mod kinetic;
mod loss;
mod mean_field;

#[cfg(test)]
mod tests;

pub(crate) use covariance::not_positive_definite;
pub use covariance::{CoulombCovariance, Guarantee};
pub use fit::{Fit, FitParams, Objective, torgerson};
pub use kinetic::DarwinKinetic;
pub use mean_field::MeanFieldEps;
