//! The number types of network weights.

use linalg_core::gemm::GemmScalar;

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
}
