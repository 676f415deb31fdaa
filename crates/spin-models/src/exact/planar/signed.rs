//! Numbers of either sign in an elimination.

use std::ops::{Add, Div, Mul, Sub};

use super::number::Number;
use super::product::Product;

/// A number that is compared by its modulus: what is sought is the largest pivot, whatever its sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<T>(pub T);

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
    /// A product instead of a sum of logarithms: it keeps the sign and all digits.
    type Sum = Product<T>;

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

    fn add_ln(self, sum: &mut Product<T>) {
        sum.multiply(self.0);
    }

    fn add_ln_1p(self, sum: &mut Product<T>) {
        sum.multiply(T::ONE + self.0);
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

    fn take_exponent(&mut self) -> i64 {
        self.0.take_exponent()
    }

    fn scaled(self, k: i64) -> Self {
        Self(self.0.scaled(k))
    }

    fn floor() -> Self {
        Self(T::floor())
    }

    fn coldest() -> f64 {
        T::coldest()
    }
}
