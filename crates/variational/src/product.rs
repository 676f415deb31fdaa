//! Independent spins.

use linalg_core::Streams;
use rand::{Rng, RngExt};

use crate::normalized::{Normalized, check_batch};
use crate::{Error, Result};

/// Independent spins of given magnetizations: the distribution behind naive mean field, ready to be sampled and reweighted.
///
/// ```math
/// q(s) = \prod_i \frac{1 + m_i s_i}{2}
/// ```
///
/// ```
/// use variational::{Normalized, ProductState};
///
/// let state = ProductState::new(vec![0.0, 0.5])?;
/// assert!((state.ln_prob(&[-1, 1]) - (0.5f64 * 0.75).ln()).abs() < 1e-15);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProductState {
    magnetizations: Vec<f64>,
}

impl ProductState {
    /// The state of these magnetizations.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a magnetization outside -1 to 1, naming its site.
    pub fn new(magnetizations: Vec<f64>) -> Result<Self> {
        match magnetizations.iter().position(|m| !(-1.0..=1.0).contains(m)) {
            None => Ok(Self { magnetizations }),
            Some(i) => {
                let value = format!("{} at site {i}", magnetizations[i]);
                Err(Error::Parameter { what: "magnetization", value, expected: "a number from -1 to 1" })
            }
        }
    }

    /// The magnetizations.
    pub fn magnetizations(&self) -> &[f64] {
        &self.magnetizations
    }

    /// `ln q` of one row; -∞ where a spin is against a magnetization of ±1.
    fn ln_q(&self, s: &[i8]) -> f64 {
        self.magnetizations.iter().zip(s).map(|(m, &s)| (0.5 * (1.0 + m * f64::from(s))).ln()).sum()
    }
}

impl Normalized for ProductState {
    fn n_spins(&self) -> usize {
        self.magnetizations.len()
    }

    fn ln_prob_batch(&self, batch: &[i8], out: &mut [f64]) {
        let n = self.n_spins();
        check_batch(batch.len(), out.len(), n);
        for (row, ln_q) in batch.chunks_exact(n.max(1)).zip(out) {
            *ln_q = self.ln_q(row);
        }
    }

    fn sample_batch(&self, streams: Streams, out: &mut [i8], ln_q: &mut [f64]) {
        let n = self.n_spins();
        check_batch(out.len(), ln_q.len(), n);
        let mut rng = streams.fast_stream(0);
        for (row, ln_q) in out.chunks_exact_mut(n.max(1)).zip(ln_q) {
            *ln_q = self.sample(row, &mut rng);
        }
    }

    fn sample<R: Rng + ?Sized>(&self, s: &mut [i8], rng: &mut R) -> f64 {
        check_batch(s.len(), 1, self.n_spins());
        for (s, m) in s.iter_mut().zip(&self.magnetizations) {
            *s = if 2.0 * rng.random::<f64>() < 1.0 + m { 1 } else { -1 };
        }
        self.ln_q(s)
    }
}
