//! Numbers of 106 bits as sums of two `f64`.
//!
//! T. J. Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik 18, 224
//! (1971). Products are split, not fused: without hardware support a fused operation is much slower.

use std::ops::{Add, Div, Mul, Sub};

use super::number::{CarefulSum, Number, power_of_two};

/// `high + low`, with |low| at most half a unit in the last place of `high`. The range is that of `f64`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Double {
    high: f64,
    low: f64,
}

/// The sum and its rounding error, |a| >= |b|.
#[inline]
fn sum_ordered(a: f64, b: f64) -> Double {
    let high = a + b;
    Double { high, low: b - (high - a) }
}

/// The sum and its rounding error.
#[inline]
fn sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let c = high - a;
    Double { high, low: (a - (high - c)) + (b - c) }
}

/// The upper and the lower half of the digits.
#[inline]
fn split(a: f64) -> (f64, f64) {
    let c = 134_217_729.0 * a;
    let high = c - (c - a);
    (high, a - high)
}

/// The product and its rounding error.
#[inline]
fn product(a: f64, b: f64) -> Double {
    let high = a * b;
    let ((a1, a2), (b1, b2)) = (split(a), split(b));
    Double { high, low: ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2 }
}

impl Add for Double {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        let (s, t) = (sum(self.high, other.high), sum(self.low, other.low));
        let s = sum_ordered(s.high, s.low + t.high);
        sum_ordered(s.high, s.low + t.low)
    }
}

impl Sub for Double {
    type Output = Self;

    #[inline]
    #[allow(clippy::suspicious_arithmetic_impl, reason = "a sum with the negative")]
    fn sub(self, other: Self) -> Self {
        self + Self { high: -other.high, low: -other.low }
    }
}

impl Mul for Double {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let p = product(self.high, other.high);
        sum_ordered(p.high, p.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Double {
    type Output = Self;

    /// Two more digits of the quotient, in base 2⁵³, from the remainders.
    fn div(self, other: Self) -> Self {
        let digit = |rest: Self| Self::from_f64(rest.high / other.high);
        let first = digit(self);
        let rest = self - other * first;
        let second = digit(rest);
        first + (second + digit(rest - other * second))
    }
}

impl Number for Double {
    type Sum = CarefulSum;

    const ZERO: Self = Self { high: 0.0, low: 0.0 };
    const ONE: Self = Self { high: 1.0, low: 0.0 };

    fn from_f64(x: f64) -> Self {
        Self { high: x, low: 0.0 }
    }

    /// Rounded to the digits of `f64`: a relative change of the weights of that size changes their sum by as much.
    fn exp(x: f64) -> Self {
        Self::from_f64(x.exp())
    }

    fn to_f64(self) -> f64 {
        self.high
    }

    fn ln_1p(self) -> f64 {
        self.high.ln_1p() + self.low / (1.0 + self.high)
    }

    fn ln(self) -> f64 {
        self.high.ln()
    }

    fn add_ln(self, sum: &mut CarefulSum) {
        sum.add(Number::ln(self));
    }

    fn add_ln_1p(self, sum: &mut CarefulSum) {
        sum.add(Number::ln_1p(self));
    }

    #[inline]
    #[allow(clippy::float_cmp, reason = "the lower parts decide between equal upper parts")]
    fn exceeds(self, other: Self) -> bool {
        self.high > other.high || (self.high == other.high && self.low > other.low)
    }

    fn is_safe(self) -> bool {
        self.high.abs() <= 1e90
    }

    fn take_exponent(&mut self) -> i64 {
        let k = self.high.take_exponent();
        self.low *= power_of_two(-k);
        k
    }

    fn scaled(self, k: i64) -> Self {
        Self { high: self.high.scaled(k), low: self.low.scaled(k) }
    }

    fn floor() -> Self {
        Self::from_f64(16.0 * f64::EPSILON * f64::EPSILON)
    }

    fn coldest() -> f64 {
        10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_keeps_104_bits() {
        let values = [1.0f64, 0.3, 7.5e10, 2.0, 1e-12, 1.0 / 3.0, 0.999_999_999];
        let unit = 2f64.powi(-103);
        for a in values {
            for b in values {
                let (x, y) = (Double::from_f64(a), Double::from_f64(b));
                for (double, plain) in [(x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b)] {
                    assert!((double.to_f64() - plain).abs() <= 2e-16 * plain.abs(), "{a} {b}");
                }
                let difference = (x + y) * (x - y) - (x * x - y * y);
                assert!(difference.to_f64().abs() <= 4.0 * unit * (a * a + b * b), "{a} {b}");
                let difference = x / y * y - x;
                assert!(difference.to_f64().abs() <= 4.0 * unit * a, "{a} {b}");
                assert_eq!(x.exceeds(y), a > b);
            }
            assert!((Double::from_f64(a).ln_1p() - a.ln_1p()).abs() <= 1e-15 * a.ln_1p());
        }
        // A third in 106 bits, and what remains of it.
        let third = Double::ONE / Double::from_f64(3.0);
        let rest = Double::ONE - third - third - third;
        assert!(rest.to_f64().abs() <= 4.0 * unit && third.low != 0.0);
        assert!(Double::ONE.exceeds(Double::ONE - Double::floor()));
    }
}
