//! Numbers of either sign in an elimination.

use std::ops::{Add, Div, Mul, Sub};

use super::number::{CarefulSum, LogSum, Number};

/// A number that is compared by its modulus: what is sought is the largest pivot, whatever its sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<T>(pub T);

/// The logarithm of the modulus of a product, and whether the product is negative.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SignedSum {
    pub ln: CarefulSum,
    pub negative: bool,
}

impl LogSum for SignedSum {
    fn constant(&mut self, x: f64) {
        self.ln.add(x);
    }

    fn exponent(&mut self, x: f64) {
        self.ln.add(x);
    }
}

impl<T: Number> Add for Signed<T> {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl<T: Number> Sub for Signed<T> {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl<T: Number> Mul for Signed<T> {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl<T: Number> Div for Signed<T> {
    type Output = Self;

    #[inline]
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }
}

impl<T: Number> Number for Signed<T> {
    type Sum = SignedSum;

    const ZERO: Self = Self(T::ZERO);
    const ONE: Self = Self(T::ONE);

    fn from_f64(x: f64) -> Self {
        Self(T::from_f64(x))
    }

    fn exp(x: f64) -> Self {
        Self(T::exp(x))
    }

    fn to_f64(self) -> f64 {
        self.0.to_f64()
    }

    fn ln_1p(self) -> f64 {
        self.0.ln_1p()
    }

    fn ln(self) -> f64 {
        self.0.ln()
    }

    fn add_ln(self, sum: &mut SignedSum) {
        sum.ln.add(self.0.modulus().ln());
        sum.negative ^= T::ZERO.exceeds(self.0);
    }

    fn add_ln_1p(self, sum: &mut SignedSum) {
        let whole = T::ONE + self.0;
        if T::from_f64(0.5).exceeds(whole) {
            // The digits of 1 + x, which may be few.
            Self(whole).add_ln(sum);
        } else {
            sum.ln.add(self.0.ln_1p());
        }
    }

    fn modulus(self) -> Self {
        Self(self.0.modulus())
    }

    #[inline]
    fn exceeds(self, other: Self) -> bool {
        self.0.modulus().exceeds(other.0.modulus())
    }

    fn is_safe(self) -> bool {
        self.0.is_safe()
    }

    fn floor() -> Self {
        Self(T::floor())
    }
}
