//! First and second moments of spins.

use linalg_core::cholesky::Cholesky;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::Samples;
use crate::{Error, Result};

/// Distance from ±1 at which a magnetization or correlation counts as perfect: rounding of sums of weights.
const PERFECT: f64 = 1e-12;
/// Violation of an inequality that rounding explains.
const ROUNDING: f64 = 1e-9;

/// Magnetizations `m_i = ⟨s_i⟩` and correlations `⟨s_i s_j⟩`, not connected.
///
/// ```
/// use spin_models::inverse::Moments;
///
/// let moments = Moments::new(&[0.5, 0.0], &[1.0, 0.25, 0.25, 1.0])?;
/// assert_eq!(moments.correlation(0, 1), 0.25);
/// assert_eq!(moments.connected(), [0.75, 0.25, 0.25, 1.0]);
/// // Spins that are mostly up and mostly opposite: no distribution does that.
/// let error = Moments::new(&[0.5, 0.5], &[1.0, -0.5, -0.5, 1.0]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "correlation [0, 1] is -0.5, expected at least |m_i + m_j| - 1 = 0 and at most 1 - |m_i - m_j| = 1"
/// );
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Moments {
    magnetizations: Vec<f64>,
    /// n x n, row-major, 1 on the diagonal.
    correlations: Vec<f64>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    magnetizations: Vec<f64>,
    correlations: Vec<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Moments {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        Self::new(&unchecked.magnetizations, &unchecked.correlations)
    }
}

impl Moments {
    /// Moments from elsewhere: `n` magnetizations and an n x n matrix of correlations, row-major with ones on the diagonal.
    ///
    /// Checked are the inequalities of pairs, `|m_i ± m_j| - 1 ≤ ±⟨s_i s_j⟩`, and those of triples,
    /// `a⟨s_i s_j⟩ + b⟨s_j s_k⟩ + ab⟨s_i s_k⟩ ≥ -1` for signs a, b. They are necessary; for more than three spins the marginal
    /// polytope has further facets, too many to list (deciding membership is NP-hard: Deza and Laurent, Geometry of Cuts and
    /// Metrics, 1997). `O(n³)`.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::WrongLength`]; [`Error::Moment`] with the place of what is not finite, out of range, not
    /// symmetric, not 1 on the diagonal, or breaks one of the inequalities.
    pub fn new(magnetizations: &[f64], correlations: &[f64]) -> Result<Self> {
        let n = magnetizations.len();
        if n == 0 {
            return Err(Error::NoSpins);
        }
        if correlations.len() != n * n {
            return Err(Error::WrongLength { what: "correlations", got: correlations.len(), expected: n * n });
        }
        let c = |i: usize, j: usize| correlations[i * n + j];
        let refuse = |what, place: &[usize], value, expected: String| {
            Err(Error::Moment { what, place: place.to_vec(), value, expected })
        };
        for (i, &m) in magnetizations.iter().enumerate() {
            if m.is_nan() || m.abs() > 1.0 {
                return refuse("magnetization", &[i], m, "between -1 and 1".to_owned());
            }
            if (c(i, i) - 1.0).abs() > ROUNDING || c(i, i).is_nan() {
                return refuse("correlation", &[i, i], c(i, i), "1, the square of a spin".to_owned());
            }
            for (j, &other) in magnetizations.iter().enumerate().take(i) {
                let value = c(i, j);
                if value.is_nan() || (value - c(j, i)).abs() > ROUNDING || c(j, i).is_nan() {
                    return refuse("correlation", &[i, j], value, format!("{} as at [{j}, {i}]", c(j, i)));
                }
                let (low, high) = ((m + other).abs() - 1.0, 1.0 - (m - other).abs());
                if value < low - ROUNDING || value > high + ROUNDING {
                    let rule = format!("at least |m_i + m_j| - 1 = {low} and at most 1 - |m_i - m_j| = {high}");
                    return refuse("correlation", &[j, i], value, rule);
                }
            }
        }
        for i in 0..n {
            for j in 0..i {
                for k in 0..j {
                    let (x, y, z) = (c(i, j), c(j, k), c(i, k));
                    let least = (x + y + z).min(x - y - z).min(y - x - z).min(z - x - y);
                    if least < -1.0 - ROUNDING {
                        let rule = "signed sums of the three correlations >= -1".to_owned();
                        return refuse("triangle inequality of spins", &[k, j, i], least, rule);
                    }
                }
            }
        }
        let mut moments = Self { magnetizations: magnetizations.to_vec(), correlations: correlations.to_vec() };
        moments.mirror();
        Ok(moments)
    }

    /// The weighted averages of samples. `O(M N²)`.
    pub fn of_samples(samples: &Samples) -> Self {
        const BLOCK: usize = 512;
        let n = samples.n_spins();
        let total: f64 = samples.weights().iter().sum();
        let mut magnetizations = vec![0.0; n];
        let mut correlations = vec![0.0; n * n];
        let mut rows = vec![0.0; BLOCK.min(samples.len()) * n];
        let mut weighted = rows.clone();
        for from in (0..samples.len()).step_by(BLOCK) {
            let weights = &samples.weights()[from..(from + BLOCK).min(samples.len())];
            let (rows, weighted) = (&mut rows[..weights.len() * n], &mut weighted[..weights.len() * n]);
            samples.unpack(from, n, rows);
            for ((row, weighted), weight) in rows.chunks_exact(n).zip(weighted.chunks_exact_mut(n)).zip(weights) {
                for ((x, y), m) in row.iter().zip(weighted).zip(&mut magnetizations) {
                    *y = weight / total * x;
                    *m += *y;
                }
            }
            let left = Matrix::row_major(rows, weights.len(), n).transposed();
            let right = Matrix::row_major(weighted, weights.len(), n);
            gemm(1.0, left, right, 1.0, MatrixMut::row_major(&mut correlations, n, n));
        }
        // Rounding may leave the interval.
        magnetizations.iter_mut().chain(&mut correlations).for_each(|x| *x = x.clamp(-1.0, 1.0));
        let mut moments = Self { magnetizations, correlations };
        moments.mirror();
        moments
    }

    /// Makes the matrix symmetric bit for bit, with ones on the diagonal.
    fn mirror(&mut self) {
        let n = self.n_spins();
        for i in 0..n {
            self.correlations[i * n + i] = 1.0;
            for j in 0..i {
                self.correlations[j * n + i] = self.correlations[i * n + j];
            }
        }
    }

    /// Mixes in independent unbiased spins: all moments times `1 - share`.
    ///
    /// The usual cure for covariances that have no inverse (a pseudo-count).
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `0 <= share <= 1`.
    pub fn with_pseudo_count(mut self, share: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&share) {
            let expected = "0 <= share <= 1";
            return Err(Error::Parameter { what: "share of the pseudo-count", value: share.to_string(), expected });
        }
        self.magnetizations.iter_mut().chain(&mut self.correlations).for_each(|x| *x *= 1.0 - share);
        self.mirror();
        Ok(self)
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.magnetizations.len()
    }

    /// `⟨s_i⟩`.
    pub fn magnetizations(&self) -> &[f64] {
        &self.magnetizations
    }

    /// `⟨s_i s_j⟩`, n x n row-major.
    pub fn correlations(&self) -> &[f64] {
        &self.correlations
    }

    /// `⟨s_i s_j⟩`.
    ///
    /// # Panics
    /// If a spin is not below their number.
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        let n = self.n_spins();
        assert!(i < n && j < n, "spins {i} and {j} of {n}");
        self.correlations[i * n + j]
    }

    /// The connected correlations `⟨s_i s_j⟩ - m_i m_j`, n x n row-major.
    pub fn connected(&self) -> Vec<f64> {
        let n = self.n_spins();
        let m = &self.magnetizations;
        (0..n * n).map(|k| self.correlations[k] - m[k / n] * m[k % n]).collect()
    }

    /// The inverse of the connected correlations, n x n row-major.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`Error::Numerics`] naming the first spin whose fluctuations are a combination of those
    /// before it.
    pub fn inverse_covariance(&self) -> Result<Vec<f64>> {
        self.check()?;
        Ok(Cholesky::new(self.connected(), self.n_spins())?.inverse())
    }

    /// Refuses what makes couplings diverge: spins that never change, and pairs that are always equal or always opposite.
    ///
    /// # Errors
    /// [`Error::ConstantSpin`], [`Error::PerfectCorrelation`], each with the first place.
    pub fn check(&self) -> Result<()> {
        let n = self.n_spins();
        for (spin, &m) in self.magnetizations.iter().enumerate() {
            if m.abs() >= 1.0 - PERFECT {
                return Err(Error::ConstantSpin { spin, value: if m > 0.0 { 1 } else { -1 } });
            }
        }
        for first in 0..n {
            for second in first + 1..n {
                let correlation = self.correlations[first * n + second];
                if correlation.abs() >= 1.0 - PERFECT {
                    let correlation = correlation.signum();
                    return Err(Error::PerfectCorrelation { first, second, correlation });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_of_samples_are_plain_sums() {
        let n = 5;
        let spins: Vec<i8> = (0..700 * n).map(|k| if (k * k + k / 7) % 11 < 6 { 1 } else { -1 }).collect();
        let weights: Vec<f64> = (0..700).map(|k| f64::from(k % 4)).collect();
        let samples = Samples::from_spins(n, &spins).unwrap().with_weights(weights.clone()).unwrap();
        let total: f64 = weights.iter().sum();
        let average =
            |f: &dyn Fn(&[i8]) -> f64| spins.chunks(n).zip(&weights).map(|(s, w)| w * f(s)).sum::<f64>() / total;
        for moments in [Moments::of_samples(&samples), Moments::of_samples(&samples.merged())] {
            for i in 0..n {
                let m = average(&|s| f64::from(s[i]));
                approx::assert_abs_diff_eq!(moments.magnetizations()[i], m, epsilon = 1e-13);
                for j in 0..n {
                    let c = average(&|s| f64::from(s[i] * s[j]));
                    approx::assert_abs_diff_eq!(moments.correlation(i, j), c, epsilon = 1e-13);
                }
            }
            // What comes from samples is inside the polytope.
            assert!(Moments::new(moments.magnetizations(), moments.correlations()).is_ok());
        }
    }

    #[test]
    fn impossible_moments_are_refused_with_their_place() {
        let place = |m: &[f64], c: &[f64]| match Moments::new(m, c) {
            Err(Error::Moment { place, .. }) => place,
            other => panic!("{other:?}"),
        };
        assert_eq!(place(&[1.5], &[1.0]), [0]);
        assert_eq!(place(&[f64::NAN], &[1.0]), [0]);
        assert_eq!(place(&[0.0], &[0.9]), [0, 0]);
        assert_eq!(place(&[0.0, 0.0], &[1.0, 0.1, 0.2, 1.0]), [1, 0]);
        assert_eq!(place(&[0.0, 0.0], &[1.0, f64::NAN, 0.2, 1.0]), [1, 0]);
        assert_eq!(place(&[0.9, -0.9], &[1.0, 0.0, 0.0, 1.0]), [0, 1]);
        // Three spins cannot all be mostly opposite.
        let t = -0.5;
        assert_eq!(place(&[0.0; 3], &[1.0, t, t, t, 1.0, t, t, t, 1.0]), [0, 1, 2]);
        assert!(matches!(Moments::new(&[], &[]), Err(Error::NoSpins)));
        assert!(matches!(Moments::new(&[0.0], &[]), Err(Error::WrongLength { .. })));
    }

    #[test]
    fn divergences_are_named() {
        let of = |spins: &[i8]| Moments::of_samples(&Samples::from_spins(3, spins).unwrap()).check();
        assert!(matches!(of(&[1, 1, -1, -1, 1, 1]), Err(Error::ConstantSpin { spin: 1, value: 1 })));
        match of(&[1, 1, -1, -1, 1, 1, 1, -1, -1]) {
            Err(Error::PerfectCorrelation { first: 0, second: 2, correlation }) => assert!(correlation < 0.0),
            other => panic!("{other:?}"),
        }
        let singular = Moments::new(&[0.0; 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).unwrap();
        assert!(singular.inverse_covariance().is_ok());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_possible_moments() {
        let samples = Samples::from_spins(3, &[1, 1, -1, -1, 1, 1, 1, -1, -1, 1, 1, 1]).unwrap();
        let moments = Moments::of_samples(&samples);
        let file = |c: &[f64]| {
            Moments::try_from(Unchecked { magnetizations: moments.magnetizations.clone(), correlations: c.to_vec() })
        };
        assert_eq!(file(moments.correlations()).unwrap(), moments);
        assert!(file(&[1.0; 4]).is_err() && file(&[f64::NAN; 9]).is_err());
    }
}
