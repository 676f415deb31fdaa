//! The random decisions of cluster kernels.
//!
//! Kernels ask for decisions and not for random numbers. A test can then walk through every sequence of decisions
//! with its probability and obtain the exact transition matrix of the code that runs in production.

use linalg_core::rand::{Rng, RngExt};

/// A probability as an integer out of 2⁶³: 0 and 1 are exact, others are rounded down by less than 2⁻⁶³.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Threshold(u64);

impl Threshold {
    pub const HALF: Self = Self(1 << 62);

    /// From a probability; values outside 0..=1 are clamped.
    pub fn new(probability: f64) -> Self {
        // 2^63 is a power of two: the product is exact and the cast cuts only below 2^-63.
        Self((probability.clamp(0.0, 1.0) * (1u64 << 63) as f64) as u64)
    }

    /// The activation probability `1 - exp(-2β|J|)`; 0 for a coupling of 0 at any β.
    pub fn activation(beta: f64, coupling: f64) -> Self {
        let exponent = 2.0 * beta * coupling.abs();
        // 0 · ∞ is NaN, and a bond of coupling 0 does not exist.
        Self::new(if exponent.is_nan() { 0.0 } else { -(-exponent).exp_m1() })
    }

    #[cfg(test)]
    pub fn probability(self) -> f64 {
        self.0 as f64 / (1u64 << 63) as f64
    }
}

/// A source of decisions.
pub(super) trait Draws {
    /// True with the probability of `threshold`.
    fn happens(&mut self, threshold: Threshold) -> bool;

    /// Uniform in `0..n`.
    fn below(&mut self, n: u32) -> u32;
}

/// Decisions from a random number generator.
pub(super) struct FromRng<'a, R: ?Sized>(pub &'a mut R);

impl<R: Rng + ?Sized> Draws for FromRng<'_, R> {
    #[inline]
    fn happens(&mut self, threshold: Threshold) -> bool {
        self.0.next_u64() >> 1 < threshold.0
    }

    #[inline]
    fn below(&mut self, n: u32) -> u32 {
        self.0.random_range(0..n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_exact_at_the_ends() {
        assert_eq!(Threshold::new(0.0), Threshold(0));
        assert_eq!(Threshold::new(1.0), Threshold(1 << 63));
        assert_eq!(Threshold::new(0.5), Threshold::HALF);
        assert_eq!(Threshold::activation(f64::INFINITY, 0.0), Threshold(0));
        assert_eq!(Threshold::activation(1e300, -1e300), Threshold(1 << 63));
        assert_eq!(Threshold::activation(0.0, 1.0), Threshold(0));
        approx::assert_relative_eq!(
            Threshold::activation(0.25, -2.0).probability(),
            1.0 - (-1.0f64).exp(),
            epsilon = 1e-16
        );
        // A weak bond keeps its relative precision.
        approx::assert_relative_eq!(Threshold::activation(1e-9, 1.0).probability(), 2e-9, max_relative = 1e-8);
    }
}
