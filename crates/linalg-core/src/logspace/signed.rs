//! Real numbers as a sign and the logarithm of the modulus.

use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use super::{log_add_exp, log_sub_exp};

/// A real number $`\pm e^{\ell}`$ of any magnitude.
///
/// For determinants, Pfaffians and sums of signed Boltzmann weights. Addition, subtraction, multiplication and
/// division follow those of `f64` with an unlimited exponent; one unit in the last place of `ln_abs` is a relative
/// error of $`|\ell| \cdot 2^{-53}`$ of the number, so differences of nearly equal numbers lose more than in `f64`.
///
/// Zero has `sign == 0` and `ln_abs == -inf`; build values with [`new`](Self::new) or `From<f64>` to keep it so. NaN
/// is a NaN `ln_abs`, whatever the sign.
///
/// ```
/// use linalg_core::logspace::SignedLog;
///
/// let a = SignedLog::from(-3.0) * SignedLog::new(1, 1000.0); // -3 e^1000
/// let b = a + SignedLog::new(1, 1000.0); // -2 e^1000
/// assert_eq!(b.sign, -1);
/// assert!((b.ln_abs - (1000.0 + 2f64.ln())).abs() < 1e-12);
/// assert!(((b / a).to_f64() - 2.0 / 3.0).abs() < 1e-12);
/// assert_eq!(a - a, SignedLog::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignedLog {
    /// -1, 0 or 1.
    pub sign: i8,
    /// Natural logarithm of the modulus; `-inf` for zero.
    pub ln_abs: f64,
}

impl SignedLog {
    /// The number 0.
    pub const ZERO: Self = Self { sign: 0, ln_abs: f64::NEG_INFINITY };

    /// The number 1.
    pub const ONE: Self = Self { sign: 1, ln_abs: 0.0 };

    /// The number with the sign of `sign` and modulus $`e^{\ell}`$.
    ///
    /// A `sign` of 0 or an `ln_abs` of `-inf` gives [`ZERO`](Self::ZERO); a NaN `ln_abs` stays NaN.
    pub fn new(sign: i8, ln_abs: f64) -> Self {
        if ln_abs.is_nan() {
            return Self { sign: 1, ln_abs };
        }
        if sign == 0 || ln_abs == f64::NEG_INFINITY {
            return Self::ZERO;
        }
        Self { sign: sign.signum(), ln_abs }
    }

    /// The number as `f64`; overflows to an infinity, underflows to 0.
    pub fn to_f64(self) -> f64 {
        let modulus = self.ln_abs.exp();
        match self.sign {
            // Not 0 * modulus: a NaN must survive.
            0 if self.ln_abs.is_nan() => f64::NAN,
            0 => 0.0,
            s => f64::from(s) * modulus,
        }
    }

    /// The modulus.
    pub fn abs(self) -> Self {
        Self::new(self.sign.abs(), self.ln_abs)
    }

    /// Whether the number is 0.
    pub fn is_zero(self) -> bool {
        (self.sign == 0 && !self.ln_abs.is_nan()) || self.ln_abs == f64::NEG_INFINITY
    }

    /// Whether the number is NaN.
    pub fn is_nan(self) -> bool {
        self.ln_abs.is_nan()
    }

    /// The multiplicative inverse; NaN for zero, whose inverse has no sign.
    pub fn recip(self) -> Self {
        if self.is_zero() {
            return Self::new(1, f64::NAN);
        }
        Self::new(self.sign, -self.ln_abs)
    }
}

impl From<f64> for SignedLog {
    /// Exact sign, rounded logarithm; both zeros give [`ZERO`](SignedLog::ZERO).
    fn from(x: f64) -> Self {
        Self::new(if x < 0.0 { -1 } else { 1 }, x.abs().ln())
    }
}

impl Neg for SignedLog {
    type Output = Self;

    fn neg(self) -> Self {
        Self { sign: -self.sign, ln_abs: self.ln_abs }
    }
}

impl Mul for SignedLog {
    type Output = Self;

    /// 0 times infinity is NaN, as in `f64`.
    fn mul(self, other: Self) -> Self {
        Self::new(self.sign * other.sign, self.ln_abs + other.ln_abs)
    }
}

impl Div for SignedLog {
    type Output = Self;

    /// Division by zero is NaN.
    #[allow(clippy::suspicious_arithmetic_impl, reason = "division is multiplication by the inverse")]
    fn div(self, other: Self) -> Self {
        self * other.recip()
    }
}

impl Add for SignedLog {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            return Self::new(1, f64::NAN);
        }
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        if self.sign == other.sign {
            return Self::new(self.sign, log_add_exp(self.ln_abs, other.ln_abs));
        }
        let (large, small) = if self.ln_abs >= other.ln_abs { (self, other) } else { (other, self) };
        Self::new(large.sign, log_sub_exp(large.ln_abs, small.ln_abs))
    }
}

impl Sub for SignedLog {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + (-other)
    }
}

impl AddAssign for SignedLog {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for SignedLog {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Sum for SignedLog {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}

impl Product for SignedLog {
    fn product<I: Iterator<Item = Self>>(factors: I) -> Self {
        factors.fold(Self::ONE, Mul::mul)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zeros_and_infinities() {
        let infinity = SignedLog::from(f64::INFINITY);
        assert_eq!(SignedLog::from(-0.0), SignedLog::ZERO);
        assert_eq!(SignedLog::new(0, 5.0), SignedLog::ZERO);
        assert_eq!(SignedLog::new(-7, 0.0), -SignedLog::ONE);
        assert!((SignedLog::ZERO * infinity).is_nan());
        assert!((infinity - infinity).is_nan());
        assert!((SignedLog::ONE / SignedLog::ZERO).is_nan());
        assert!(SignedLog::from(f64::NAN).to_f64().is_nan());
        assert!((SignedLog::ZERO + SignedLog::from(f64::NAN)).is_nan());
        assert!(SignedLog::from(f64::NEG_INFINITY).to_f64() == f64::NEG_INFINITY);
        assert_eq!(SignedLog::ZERO.to_f64().to_bits(), 0);
        assert_eq!((-SignedLog::ZERO).to_f64().to_bits(), 0);
        // Fields are public: a hand-made zero of either kind is recognised.
        let odd = SignedLog { sign: 1, ln_abs: f64::NEG_INFINITY };
        assert_eq!(odd + SignedLog::ONE, SignedLog::ONE);
    }

    #[test]
    fn determinant_of_a_diagonal_matrix_beyond_f64() {
        // (-10)^1001: the sign is odd, the logarithm 1001 ln 10.
        let product: SignedLog = (0..1001).map(|_| SignedLog::from(-10.0)).product();
        assert_eq!(product.sign, -1);
        assert!((product.ln_abs / (1001.0 * 10f64.ln()) - 1.0).abs() < 1e-13);
    }

    proptest! {
        #[test]
        fn agrees_with_f64(a in -1e3f64..1e3, b in -1e3f64..1e3) {
            let (x, y) = (SignedLog::from(a), SignedLog::from(b));
            // |ln| <= 7 or so: a few ulps of 7 relative to the operands.
            let scale = 1e-14 * (a.abs() + b.abs());
            prop_assert!(((x + y).to_f64() - (a + b)).abs() <= scale);
            prop_assert!(((x - y).to_f64() - (a - b)).abs() <= scale);
            prop_assert!(((x * y).to_f64() - a * b).abs() <= 1e-14 * (a * b).abs());
            if b != 0.0 {
                prop_assert!(((x / y).to_f64() - a / b).abs() <= 1e-14 * (a / b).abs());
            }
            prop_assert!(((-x).to_f64() + a).abs() <= scale);
        }
    }
}
