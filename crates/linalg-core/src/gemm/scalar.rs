//! The number types that can be multiplied.

use std::ops::{Add, Mul};

use gemm_common::Parallelism;
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

/// `C ← α C + β A B`: sizes m, n, k; C with its strides of columns and rows, and whether it is read; A and B with theirs; α, β;
/// whether C, A and B are conjugated.
pub type Kernel<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

pub trait Sealed: Sized {
    /// The kernel for this processor.
    fn kernel() -> Kernel<Self>;
}

impl Sealed for f32 {
    fn kernel() -> Kernel<Self> {
        gemm_f32::gemm::f32::get_gemm_fn()
    }
}

impl Sealed for f64 {
    fn kernel() -> Kernel<Self> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }
}

impl Sealed for Complex64 {
    fn kernel() -> Kernel<Self> {
        gemm_c64::gemm::f64::get_gemm_fn()
    }
}

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
