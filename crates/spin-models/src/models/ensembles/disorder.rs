//! Laws of random couplings.

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;

use crate::{Error, Result};

/// The law of independent couplings.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Disorder;
///
/// let mut rng = Streams::new(1).stream(0);
/// let ferromagnetic = Disorder::PlusMinus { j: 2.0, p_negative: 0.0 };
/// assert_eq!(ferromagnetic.sample(3, &mut rng)?, [2.0, 2.0, 2.0]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Disorder {
    /// `-j` with probability `p_negative`, else `+j`: the ±J law. On the Nishimori line of `p = p_negative`,
    /// `exp(-2βj) = p/(1 - p)`.
    PlusMinus {
        /// Modulus of the couplings.
        j: f64,
        /// Probability p of a negative coupling.
        p_negative: f64,
    },
    /// Normal with this mean and standard deviation.
    Gaussian {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
}

impl Disorder {
    /// ±1 with equal probability.
    pub fn plus_minus() -> Self {
        Self::PlusMinus { j: 1.0, p_negative: 0.5 }
    }

    /// Normal with mean 0 and variance 1.
    pub fn gaussian() -> Self {
        Self::Gaussian { mean: 0.0, std: 1.0 }
    }

    /// `n` independent couplings. One number of the generator a ±J coupling; a Gaussian one takes a pair of numbers
    /// or more (polar method).
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `p_negative` lies in 0..=1, `std` is not negative, and all parameters are finite.
    pub fn sample<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Result<Vec<f64>> {
        self.check()?;
        Ok((0..n).map(|_| self.draw(rng)).collect())
    }

    fn check(&self) -> Result<()> {
        let refuse = |what, value: f64, expected| Err(Error::Parameter { what, value: value.to_string(), expected });
        match *self {
            Self::PlusMinus { j, .. } if !j.is_finite() => refuse("modulus of couplings", j, "a finite number"),
            Self::PlusMinus { p_negative: p, .. } if !(0.0..=1.0).contains(&p) => {
                refuse("probability of a negative coupling", p, "a probability from 0 to 1")
            }
            Self::Gaussian { mean, .. } if !mean.is_finite() => refuse("mean of couplings", mean, "a finite number"),
            Self::Gaussian { std, .. } if !(std >= 0.0 && std.is_finite()) => {
                refuse("standard deviation of couplings", std, "a finite number >= 0")
            }
            _ => Ok(()),
        }
    }

    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        match *self {
            Self::PlusMinus { j, p_negative } => {
                if rng.random::<f64>() < p_negative {
                    -j
                } else {
                    j
                }
            }
            Self::Gaussian { mean, std } => mean + std * standard_normal(rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    /// Sample means within 5 standard errors of their laws.
    #[test]
    fn moments_are_those_of_the_law() {
        let mut rng = Streams::new(60).stream(0);
        let n = 100_000;
        let root = (n as f64).sqrt();
        let p = 0.11;
        let signs = Disorder::PlusMinus { j: 0.5, p_negative: p }.sample(n, &mut rng).unwrap();
        let negative = signs.iter().filter(|&&j| j < 0.0).count() as f64 / n as f64;
        assert!((negative - p).abs() < 5.0 * (p * (1.0 - p)).sqrt() / root, "{negative}");
        assert!(signs.iter().all(|j| (j.abs() - 0.5).abs() < f64::EPSILON));
        let (mean, std) = (-0.7, 1.3);
        let normal = Disorder::Gaussian { mean, std }.sample(n, &mut rng).unwrap();
        let m1 = normal.iter().sum::<f64>() / n as f64;
        let m2 = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((m1 - mean).abs() < 5.0 * std / root, "{m1}");
        // The variance of (x - mean)² is 2 std⁴.
        assert!((m2 - std * std).abs() < 5.0 * 2f64.sqrt() * std * std / root, "{m2}");
    }

    #[test]
    fn bad_laws_are_refused() {
        let mut rng = Streams::new(61).stream(0);
        for law in [
            Disorder::PlusMinus { j: f64::NAN, p_negative: 0.5 },
            Disorder::PlusMinus { j: 1.0, p_negative: -0.1 },
            Disorder::PlusMinus { j: 1.0, p_negative: f64::NAN },
            Disorder::Gaussian { mean: f64::INFINITY, std: 1.0 },
            Disorder::Gaussian { mean: 0.0, std: -1.0 },
            Disorder::Gaussian { mean: 0.0, std: f64::NAN },
        ] {
            assert!(matches!(law.sample(1, &mut rng), Err(Error::Parameter { .. })), "{law:?}");
        }
        let all = Disorder::PlusMinus { j: 1.0, p_negative: 1.0 }.sample(50, &mut rng).unwrap();
        assert_eq!(all, [-1.0; 50]);
    }
}
