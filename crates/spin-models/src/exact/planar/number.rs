//! Numbers that an elimination may run on.

use std::ops::{Add, Div, Mul, Sub};

/// What the elimination needs of its numbers.
pub(super) trait Number:
    Copy + Send + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Sums of logarithms of such numbers.
    type Sum: LogSum;

    const ZERO: Self;
    const ONE: Self;

    fn from_f64(x: f64) -> Self;

    /// `e^x`.
    fn exp(x: f64) -> Self;

    /// The nearest `f64`.
    fn to_f64(self) -> f64;

    /// `ln(1 + x)`.
    fn ln_1p(self) -> f64;

    /// `ln x`.
    fn ln(self) -> f64;

    /// Adds `ln x` to a sum.
    fn add_ln(self, sum: &mut Self::Sum);

    /// Adds `ln(1 + x)` to a sum.
    fn add_ln_1p(self, sum: &mut Self::Sum);

    /// `|x|`.
    fn modulus(self) -> Self {
        if Self::ZERO.exceeds(self) { Self::ZERO - self } else { self }
    }

    /// Whether `self > other`.
    fn exceeds(self, other: Self) -> bool;

    /// Whether products of three such numbers do not overflow.
    fn is_safe(self) -> bool;

    /// Divides by a power of two of about its size and returns the exponent; leaves 0 as it is.
    fn take_exponent(&mut self) -> i64;

    /// Times `2^k`, 0 where that is too small.
    fn scaled(self, k: i64) -> Self;

    /// A few units in the last place of 1.
    fn floor() -> Self;

    /// The largest |K| at which sums of terms of either sign are tried with these digits.
    fn coldest() -> f64;
}

/// A sum of logarithms of numbers.
pub(super) trait LogSum: Default {
    /// Adds `k ln 2`.
    fn power_of_two(&mut self, k: i64);

    /// Adds the logarithm of `exp(x)`.
    fn exponent(&mut self, x: f64);
}

impl Number for f64 {
    type Sum = CarefulSum;

    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn from_f64(x: f64) -> Self {
        x
    }

    fn exp(x: f64) -> Self {
        x.exp()
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn ln_1p(self) -> f64 {
        f64::ln_1p(self)
    }

    fn ln(self) -> f64 {
        f64::ln(self)
    }

    fn add_ln(self, sum: &mut CarefulSum) {
        sum.add(Number::ln(self));
    }

    fn add_ln_1p(self, sum: &mut CarefulSum) {
        sum.add(Number::ln_1p(self));
    }

    #[inline]
    fn exceeds(self, other: Self) -> bool {
        self > other
    }

    fn is_safe(self) -> bool {
        self.abs() <= 1e90
    }

    fn take_exponent(&mut self) -> i64 {
        let k = (self.to_bits() >> 52 & 0x7ff) as i64 - 1023;
        // Zeros, subnormal and infinite numbers stay.
        if !(-1000..=1000).contains(&k) {
            return 0;
        }
        *self *= power_of_two(-k);
        k
    }

    fn scaled(self, k: i64) -> Self {
        match k {
            ..-1000 => 0.0,
            -1000..=1000 => self * power_of_two(k),
            _ if self == 0.0 => self,
            _ => self * f64::INFINITY,
        }
    }

    fn floor() -> Self {
        16.0 * f64::EPSILON
    }

    fn coldest() -> f64 {
        4.0
    }
}

/// `2^k`, |k| at most 1000.
pub(super) fn power_of_two(k: i64) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

/// A sum that carries its rounding error along (A. Neumaier, Zeitschrift für Angewandte Mathematik und Mechanik 54, 39
/// (1974)).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CarefulSum {
    sum: f64,
    error: f64,
}

impl CarefulSum {
    pub(super) fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.error += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    pub(super) fn value(self) -> f64 {
        self.sum + self.error
    }
}

impl LogSum for CarefulSum {
    fn power_of_two(&mut self, k: i64) {
        self.add(k as f64 * std::f64::consts::LN_2);
    }

    fn exponent(&mut self, x: f64) {
        self.add(x);
    }
}
