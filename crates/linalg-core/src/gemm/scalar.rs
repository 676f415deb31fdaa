//! The number types that can be multiplied.

use std::ops::{Add, Mul};

use num_complex::Complex64;

/// `f32`, `f64` and `Complex64`. Sealed.
pub trait GemmScalar:
    Copy + PartialEq + Add<Output = Self> + Mul<Output = Self> + Send + Sync + 'static + Sealed
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
}

pub trait Sealed {}

impl Sealed for f32 {}
impl Sealed for f64 {}
impl Sealed for Complex64 {}

impl GemmScalar for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl GemmScalar for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl GemmScalar for Complex64 {
    const ZERO: Self = Self::new(0.0, 0.0);
    const ONE: Self = Self::new(1.0, 0.0);
}
