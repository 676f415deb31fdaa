//! Complex numbers as a phase and the logarithm of the modulus.

use std::f64::consts::{PI, TAU};
use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use num_complex::Complex64;

use super::SignedLog;

/// A complex number $`e^{\ell + i\varphi}`$ of any magnitude.
///
/// For amplitudes and partition functions with complex couplings. The phase is kept in $`(-\pi, \pi]`$; every
/// multiplication adds a rounding error of about $`2^{-52}`$ to it, so $`n`$ factors leave the phase good to
/// $`n \cdot 2^{-52}`$ at worst.
///
/// Zero has `ln_abs == -inf` and phase 0. NaN is a NaN `ln_abs`.
///
/// ```
/// use linalg_core::logspace::ComplexLog;
/// use num_complex::Complex64;
/// # use linalg_core::num_complex;
///
/// let z = ComplexLog::from(Complex64::new(0.0, 2.0)); // 2i
/// let huge = ComplexLog::new(900.0, 0.0);
/// let w = (z * huge + huge) * huge.recip(); // 1 + 2i, through numbers near e^900
/// assert!((w.to_complex() - Complex64::new(1.0, 2.0)).norm() < 1e-12);
/// assert!((z * z - ComplexLog::from(-4.0)).to_complex().norm() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ComplexLog {
    /// Natural logarithm of the modulus; `-inf` for zero.
    pub ln_abs: f64,
    /// Argument in radians, in $`(-\pi, \pi]`$.
    pub phase: f64,
}

impl ComplexLog {
    /// The number 0.
    pub const ZERO: Self = Self { ln_abs: f64::NEG_INFINITY, phase: 0.0 };

    /// The number 1.
    pub const ONE: Self = Self { ln_abs: 0.0, phase: 0.0 };

    /// The number $`e^{\ell + i\varphi}`$; the phase is brought into $`(-\pi, \pi]`$.
    ///
    /// An `ln_abs` of `-inf` gives [`ZERO`](Self::ZERO); a NaN in either argument gives NaN, and so does an infinite
    /// phase.
    pub fn new(ln_abs: f64, phase: f64) -> Self {
        if ln_abs.is_nan() || !phase.is_finite() {
            return Self { ln_abs: f64::NAN, phase: 0.0 };
        }
        if ln_abs == f64::NEG_INFINITY {
            return Self::ZERO;
        }
        Self { ln_abs, phase: wrap(phase) }
    }

    /// The number as `Complex64`; overflows to infinite parts, underflows to 0.
    pub fn to_complex(self) -> Complex64 {
        if self.is_zero() {
            return Complex64::new(0.0, 0.0);
        }
        let modulus = self.ln_abs.exp();
        let (sin, cos) = self.phase.sin_cos();
        // An overflowed modulus times an exact zero would be NaN.
        let part = |x: f64| if x == 0.0 { 0.0 } else { modulus * x };
        Complex64::new(part(cos), part(sin))
    }

    /// Whether the number is 0.
    pub fn is_zero(self) -> bool {
        self.ln_abs == f64::NEG_INFINITY
    }

    /// Whether the number is NaN.
    pub fn is_nan(self) -> bool {
        self.ln_abs.is_nan()
    }

    /// The complex conjugate.
    pub fn conj(self) -> Self {
        Self::new(self.ln_abs, -self.phase)
    }

    /// The multiplicative inverse; NaN for zero.
    pub fn recip(self) -> Self {
        if self.is_zero() {
            return Self::new(f64::NAN, 0.0);
        }
        Self::new(-self.ln_abs, -self.phase)
    }
}

/// Brings a finite angle into (-π, π].
fn wrap(phase: f64) -> f64 {
    if phase > -PI && phase <= PI {
        return phase;
    }
    // One subtraction is exact enough after a product; larger angles go through the remainder.
    let reduced = phase.rem_euclid(TAU);
    if reduced > PI { reduced - TAU } else { reduced }
}

impl From<Complex64> for ComplexLog {
    fn from(z: Complex64) -> Self {
        if z.is_nan() {
            return Self::new(f64::NAN, 0.0);
        }
        // hypot neither over- nor underflows before its result does.
        Self::new(z.re.hypot(z.im).ln(), z.im.atan2(z.re))
    }
}

impl From<f64> for ComplexLog {
    fn from(x: f64) -> Self {
        SignedLog::from(x).into()
    }
}

impl From<SignedLog> for ComplexLog {
    fn from(x: SignedLog) -> Self {
        if x.is_zero() {
            return Self::ZERO;
        }
        Self::new(x.ln_abs, if x.sign < 0 { PI } else { 0.0 })
    }
}

impl Neg for ComplexLog {
    type Output = Self;

    fn neg(self) -> Self {
        let turn = if self.phase > 0.0 { -PI } else { PI };
        Self::new(self.ln_abs, self.phase + turn)
    }
}

impl Mul for ComplexLog {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(self.ln_abs + other.ln_abs, self.phase + other.phase)
    }
}

impl Div for ComplexLog {
    type Output = Self;

    /// Division by zero is NaN.
    #[allow(clippy::suspicious_arithmetic_impl, reason = "division is multiplication by the inverse")]
    fn div(self, other: Self) -> Self {
        self * other.recip()
    }
}

impl Add for ComplexLog {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            return Self::new(f64::NAN, 0.0);
        }
        let (large, small) = if self.ln_abs >= other.ln_abs { (self, other) } else { (other, self) };
        if small.is_zero() {
            return large;
        }
        // large (1 + r e^{iθ}), r <= 1: the logarithm of the bracket keeps the digits of a small r.
        let r = (small.ln_abs - large.ln_abs).exp();
        let (sin, cos) = (small.phase - large.phase).sin_cos();
        let (x, y) = (r * cos, r * sin);
        let ln_bracket = if x > -0.5 {
            0.5 * (x * (x + 2.0) + y * y).ln_1p()
        } else {
            // Near cancellation the small difference is 1 + x itself.
            (1.0 + x).hypot(y).ln()
        };
        Self::new(large.ln_abs + ln_bracket, large.phase + y.atan2(1.0 + x))
    }
}

impl Sub for ComplexLog {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + (-other)
    }
}

impl AddAssign for ComplexLog {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for ComplexLog {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Sum for ComplexLog {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}

impl Product for ComplexLog {
    fn product<I: Iterator<Item = Self>>(factors: I) -> Self {
        factors.fold(Self::ONE, Mul::mul)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    #[test]
    fn special_values() {
        let zero = ComplexLog::ZERO;
        assert_eq!(ComplexLog::from(Complex64::new(0.0, -0.0)), zero);
        assert_eq!(zero * ComplexLog::new(3.0, 1.0), zero);
        assert_eq!(-zero, zero);
        assert!((ComplexLog::ONE / zero).is_nan());
        assert!(ComplexLog::from(Complex64::new(f64::NAN, 0.0)).is_nan());
        assert!((ComplexLog::new(f64::INFINITY, 0.0) * zero).is_nan());
        assert!(ComplexLog::new(0.0, f64::INFINITY).is_nan());
        assert_eq!(ComplexLog::from(-1.0).phase.to_bits(), PI.to_bits());
        let overflow = ComplexLog::new(1000.0, 0.0).to_complex();
        assert!(overflow.re == f64::INFINITY && overflow.im == 0.0);
        assert!((ComplexLog::ONE - ComplexLog::ONE).to_complex().norm() < 1e-15);
    }

    #[test]
    fn a_sum_of_roots_of_unity_vanishes() {
        let n = 97;
        let sum: ComplexLog = (0..n).map(|k| ComplexLog::new(0.0, TAU * f64::from(k) / f64::from(n))).sum();
        assert!(sum.ln_abs < -30.0, "{sum:?}");
    }

    #[test]
    fn phases_stay_in_range() {
        let factor = ComplexLog::new(0.01, 2.5);
        let mut power = ComplexLog::ONE;
        for k in 1..=1000 {
            power *= factor;
            assert!(power.phase > -PI && power.phase <= PI);
            let expected = Complex64::from_polar(1.0, 2.5 * f64::from(k));
            let direction = Complex64::from_polar(1.0, power.phase);
            // Rounding of the phase: at most k ulps of π.
            assert!((direction - expected).norm() < 1e-12);
        }
        assert_relative_eq!(power.ln_abs, 10.0, max_relative = 1e-12);
    }

    proptest! {
        #[test]
        fn agrees_with_complex64(a in -50.0f64..50.0, b in -50.0f64..50.0, c in -50.0f64..50.0, d in -50.0f64..50.0) {
            let (z, w) = (Complex64::new(a, b), Complex64::new(c, d));
            let (lz, lw) = (ComplexLog::from(z), ComplexLog::from(w));
            let scale = 1e-14 * (z.norm() + w.norm());
            prop_assert!(((lz + lw).to_complex() - (z + w)).norm() <= scale);
            prop_assert!(((lz - lw).to_complex() - (z - w)).norm() <= scale);
            prop_assert!(((lz * lw).to_complex() - z * w).norm() <= 1e-13 * (z * w).norm());
            prop_assert!((lz.conj().to_complex() - z.conj()).norm() <= scale);
            if w.norm() > 1e-3 {
                prop_assert!(((lz / lw).to_complex() - z / w).norm() <= 1e-13 * (z / w).norm());
            }
        }
    }
}
