//! Means and covariances of a stream that forgets.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

use crate::{Error, Result};

/// Exponentially weighted means and covariances of a stream of ±1 or real values.
///
/// A step of age k has weight $`\lambda^k`$ with $`\lambda = 1 - 1/H`$; `H = ∞` weighs all steps alike. The weights are normalised from
/// the first step on, so that nothing has to decay first:
///
/// ```math
/// m_t = m_{t-1} + \gamma_t (b_t - m_{t-1}), \quad
/// C_t = (1-\gamma_t)\left(C_{t-1} + \gamma_t (b_t - m_{t-1})(b_t - m_{t-1})^T\right), \quad
/// \gamma_t = \frac{1}{1 + \lambda + \dots + \lambda^{t-1}}.
/// ```
///
/// $`O(M^2)`$ a step and $`M(M+1)/2`$ numbers with covariances, $`O(M)`$ without.
///
/// ```
/// use physics_inference::series::StreamingMoments;
///
/// let mut moments = StreamingMoments::new(2, f64::INFINITY)?.with_covariances();
/// moments.push(&[1.0, 1.0]);
/// moments.push(&[-1.0, 1.0]);
/// moments.push(&[1.0, -1.0]);
/// assert!((moments.mean(0) - 1.0 / 3.0).abs() < 1e-15);
/// assert!((moments.covariance(0, 1).unwrap() + 4.0 / 9.0).abs() < 1e-15); // -1/3 - 1/9
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StreamingMoments {
    decay: f64,
    weight: f64,
    means: Vec<f64>,
    /// Lower triangle with the diagonal, row after row; empty when not asked for.
    covariances: Vec<f64>,
}

impl StreamingMoments {
    /// Moments of `n` series with memory `horizon` (steps, may be infinite).
    ///
    /// # Errors
    /// [`Error::Parameter`] for no series or a horizon below 1.
    pub fn new(n: usize, horizon: f64) -> Result<Self> {
        if n == 0 {
            return Err(Error::Parameter { what: "number of series", value: 0.0, expected: "at least 1" });
        }
        let decay = decay(horizon)?;
        Ok(Self { decay, weight: 0.0, means: vec![0.0; n], covariances: Vec::new() })
    }

    /// Also keeps covariances, from here on; steps seen before are forgotten.
    pub fn with_covariances(mut self) -> Self {
        let n = self.means.len();
        self.weight = 0.0;
        self.means.fill(0.0);
        self.covariances = vec![0.0; n * (n + 1) / 2];
        self
    }

    /// Takes in a step.
    ///
    /// # Panics
    /// If `step.len()` is not the number of series.
    pub fn push(&mut self, step: &[f64]) {
        let n = self.means.len();
        assert_eq!(step.len(), n, "step of {} for {n} series", step.len());
        self.weight = self.decay * self.weight + 1.0;
        let gamma = 1.0 / self.weight;
        if !self.covariances.is_empty() {
            // Row i has the columns 0 to i.
            let mut rows = self.covariances.as_mut_slice();
            for (i, (x, mean)) in step.iter().zip(&self.means).enumerate() {
                let deviation = gamma * (x - mean);
                let (row, rest) = std::mem::take(&mut rows).split_at_mut(i + 1);
                for ((covariance, y), mean) in row.iter_mut().zip(step).zip(&self.means) {
                    *covariance = (1.0 - gamma) * (*covariance + deviation * (y - mean));
                }
                rows = rest;
            }
        }
        self.means.iter_mut().zip(step).for_each(|(m, x)| *m += gamma * (x - *m));
    }

    /// Sum of the weights, the number of steps that count.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Weighted mean of series `i`; 0 before the first step.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn mean(&self, i: usize) -> f64 {
        self.means[i]
    }

    /// Weighted covariance (divided by the weight); `None` when covariances are not kept.
    ///
    /// # Panics
    /// If there is no such series.
    pub fn covariance(&self, i: usize, j: usize) -> Option<f64> {
        let n = self.means.len();
        assert!(i < n && j < n, "pair {i}, {j} of {n} series");
        let (low, high) = (i.min(j), i.max(j));
        self.covariances.get(high * (high + 1) / 2 + low).copied()
    }

    /// Writes the state.
    pub fn write(&self, out: &mut Writer) {
        out.write_f64(self.decay).write_f64(self.weight).write_f64s(&self.means).write_f64s(&self.covariances);
    }

    /// Reads what [`write`](Self::write) wrote, bit for bit.
    ///
    /// # Errors
    /// [`CheckpointError`] for a damaged payload.
    pub fn read(from: &mut Reader<'_>) -> std::result::Result<Self, CheckpointError> {
        let at = from.position();
        let (decay, weight) = (from.read_f64()?, from.read_f64()?);
        let (means, covariances) = (from.read_f64s()?, from.read_f64s()?);
        let n = means.len();
        if n == 0 || !(covariances.is_empty() || covariances.len() == n * (n + 1) / 2) || !(0.0..=1.0).contains(&decay)
        {
            return Err(CheckpointError::Invalid { what: "moments", at });
        }
        Ok(Self { decay, weight, means, covariances })
    }
}

/// 1 - 1/H.
pub(crate) fn decay(horizon: f64) -> Result<f64> {
    if horizon.is_nan() || horizon < 1.0 {
        let expected = "at least 1 step, or infinite";
        return Err(Error::Parameter { what: "horizon of forgetting", value: horizon, expected });
    }
    Ok(1.0 - 1.0 / horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_weighted_sums() {
        let steps: Vec<[f64; 3]> =
            (0..50).map(|t| std::array::from_fn(|i| if (t * t + 3 * i * t) % 7 < 3 { 1.0 } else { -1.0 })).collect();
        for horizon in [1.0, 4.0, f64::INFINITY] {
            let mut moments = StreamingMoments::new(3, horizon).unwrap().with_covariances();
            steps.iter().for_each(|step| moments.push(step));
            let lambda: f64 = 1.0 - 1.0 / horizon;
            let weights: Vec<f64> = (0..50).map(|t| lambda.powi(49 - t)).collect();
            let total: f64 = weights.iter().sum();
            let average = |f: &dyn Fn(&[f64; 3]) -> f64| -> f64 {
                steps.iter().zip(&weights).map(|(step, w)| w * f(step)).sum::<f64>() / total
            };
            for i in 0..3 {
                let mi = average(&|s| s[i]);
                assert!((moments.mean(i) - mi).abs() < 1e-13);
                for j in 0..3 {
                    let mj = average(&|s| s[j]);
                    let exact = average(&|s| (s[i] - mi) * (s[j] - mj));
                    assert!((moments.covariance(i, j).unwrap() - exact).abs() < 1e-13, "H = {horizon}");
                }
            }
            let mut state = Writer::new();
            moments.write(&mut state);
            let bytes = state.into_bytes();
            assert_eq!(StreamingMoments::read(&mut Reader::new(&bytes)).unwrap(), moments);
            assert!(StreamingMoments::read(&mut Reader::new(&bytes[..20])).is_err());
        }
    }

    #[test]
    fn horizons_below_one_step_are_refused() {
        for horizon in [0.0, 0.5, -3.0, f64::NAN] {
            assert!(StreamingMoments::new(2, horizon).is_err());
        }
        assert!(StreamingMoments::new(0, 2.0).is_err());
        assert_eq!(StreamingMoments::new(1, 2.0).unwrap().covariance(0, 0), None);
    }
}
