//! Distributions of spins whose probabilities are known exactly and that can be sampled independently.

use linalg_core::Streams;
use rand::Rng;

/// A normalised distribution of ±1 spins: ln q(s) of any configuration, and independent samples.
///
/// `Σ_s q(s) = 1`, so that samples can be reweighted to any energy with an honest error. Object-safe; the generic method
/// needs a sized type.
pub trait Normalized {
    /// Number of spins N.
    fn n_spins(&self) -> usize;

    /// `ln q(s)` of a batch, a row of N spins for each entry of `out`.
    ///
    /// # Panics
    /// If `batch.len() != out.len() * self.n_spins()`.
    fn ln_prob_batch(&self, batch: &[i8], out: &mut [f64]);

    /// Draws `ln_q.len()` samples, a row of N spins each, with their `ln q`.
    ///
    /// Work units of a fixed size draw from the streams of their number, so that the samples do not depend on threads.
    ///
    /// # Panics
    /// If `out.len() != ln_q.len() * self.n_spins()`.
    fn sample_batch(&self, streams: Streams, out: &mut [i8], ln_q: &mut [f64]);

    /// `ln q(s)`.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()`.
    fn ln_prob(&self, s: &[i8]) -> f64 {
        assert_eq!(s.len(), self.n_spins(), "{} spins for a distribution of {}", s.len(), self.n_spins());
        let mut out = [0.0];
        self.ln_prob_batch(s, &mut out);
        out[0]
    }

    /// Draws one sample and returns its `ln q`.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()`.
    fn sample<R: Rng + ?Sized>(&self, s: &mut [i8], rng: &mut R) -> f64
    where
        Self: Sized;
}

pub(crate) fn check_batch(batch: usize, rows: usize, n: usize) {
    assert_eq!(batch, rows * n, "{batch} spins for {rows} rows of {n}");
}
