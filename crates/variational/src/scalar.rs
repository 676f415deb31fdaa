//! The number types of network weights.

use linalg_core::gemm::GemmScalar;
use linalg_core::simd::{exp, exp_f32, ln_1p, ln_1p_f32};

/// `f32` and `f64`: what weights and activations are made of. Logarithms of probabilities are `f64` always. Sealed, as
/// [`GemmScalar`] is.
pub trait Scalar: GemmScalar + PartialOrd + std::fmt::Debug + Default {
    /// Its name: `f32` or `f64`.
    const NAME: &'static str;

    /// Rounds.
    fn from_f64(x: f64) -> Self;

    /// Widens.
    fn to_f64(self) -> f64;

    /// The hyperbolic tangent.
    fn tanh(self) -> Self;

    /// `e^x` for `x <= 0`, in the precision of the type.
    fn exp_nonpositive(self) -> Self;

    /// `(ln cosh x, tanh x)`, in the precision of the type.
    fn ln_cosh_tanh(self) -> (Self, Self);

    /// `ln(e^a + e^b)`, in the precision of the type.
    fn log_add_exp(self, other: Self) -> Self;
}

impl Scalar for f32 {
    const NAME: &'static str = "f32";

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        crate::kernels::tanh(f64::from(self)) as f32
    }

    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        exp_f32(self)
    }

    #[inline(always)]
    fn ln_cosh_tanh(self) -> (Self, Self) {
        let size = self.abs();
        let e = exp_f32(-2.0 * size);
        let tanh = (1.0 - e) / (1.0 + e);
        (size + ln_1p_f32(e) - std::f32::consts::LN_2, if self < 0.0 { -tanh } else { tanh })
    }

    #[inline(always)]
    fn log_add_exp(self, other: Self) -> Self {
        (if self > other { self } else { other }) + ln_1p_f32(exp_f32(-(self - other).abs()))
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        crate::kernels::tanh(self)
    }

    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        exp(self)
    }

    #[inline(always)]
    fn ln_cosh_tanh(self) -> (Self, Self) {
        crate::kernels::ln_cosh_tanh(self)
    }

    #[inline(always)]
    fn log_add_exp(self, other: Self) -> Self {
        (if self > other { self } else { other }) + ln_1p(exp(-(self - other).abs()))
    }
}
