//! Numbers of single and of double precision in the loops over samples.

use std::ops::{Div, Neg, Sub};

use linalg_core::gemm::GemmScalar;
use linalg_core::simd::{exp, exp_f32, ln_1p, ln_1p_f32};

use super::super::samples::{SPINS_OF_BYTE, SPINS_OF_BYTE_SINGLE};
use super::columns::Columns;

/// What the loops over samples compute with: `f64` for results, `f32` on the way to them.
pub(in super::super) trait Real:
    GemmScalar + PartialOrd + Sub<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    const TWO: Self;
    const INFINITY: Self;
    /// No exponent of a screening loss is larger: beyond, a sum would overflow.
    const LARGEST_EXPONENT: Self;
    /// Rounding of a loss.
    const NOISE: f64;

    fn of(x: f64) -> Self;
    fn widen(self) -> f64;
    fn abs(self) -> Self;
    fn exp(self) -> Self;
    fn ln_1p(self) -> Self;
    fn spins_of_byte() -> &'static [[Self; 8]; 256];
    fn weights(columns: &Columns) -> &[Self];
}

impl Real for f64 {
    const TWO: Self = 2.0;
    const INFINITY: Self = Self::INFINITY;
    const LARGEST_EXPONENT: Self = 690.0;
    const NOISE: f64 = 1e-13;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        exp(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        ln_1p(self)
    }

    fn spins_of_byte() -> &'static [[Self; 8]; 256] {
        &SPINS_OF_BYTE
    }

    fn weights(columns: &Columns) -> &[Self] {
        &columns.weights
    }
}

impl Real for f32 {
    const TWO: Self = 2.0;
    const INFINITY: Self = Self::INFINITY;
    const LARGEST_EXPONENT: Self = 80.0;
    const NOISE: f64 = 1e-6;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as Self
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn exp(self) -> Self {
        exp_f32(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        ln_1p_f32(self)
    }

    fn spins_of_byte() -> &'static [[Self; 8]; 256] {
        &SPINS_OF_BYTE_SINGLE
    }

    fn weights(columns: &Columns) -> &[Self] {
        &columns.weights_single
    }
}
