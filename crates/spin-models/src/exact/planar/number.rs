//! Positive numbers of any magnitude.

use std::ops::{Add, Div, Mul, Sub};

/// What the elimination needs of its numbers.
pub(super) trait Number:
    Copy + Send + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;

    /// `e^x`.
    fn exp(x: f64) -> Self;

    /// The nearest `f64`.
    fn to_f64(self) -> f64;

    /// `ln(1 + x)`.
    fn ln_1p(self) -> f64;

    /// Whether products of three such numbers are still normal numbers, or too small to count.
    fn is_safe(self) -> bool;
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn exp(x: f64) -> Self {
        x.exp()
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn ln_1p(self) -> f64 {
        f64::ln_1p(self)
    }

    /// An underflow loses less than 1e-308. It is then multiplied by at most 1e50 and added to something above 1e-240.
    fn is_safe(self) -> bool {
        (1e-240..=1e50).contains(&self)
    }
}

/// `fraction * 2^exponent` with `1 <= |fraction| < 2`, or a fraction of 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wide {
    fraction: f64,
    exponent: i64,
}

/// `2^k` for `|k| <= 1022`.
fn power_of_two(k: i64) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

impl Wide {
    /// Brings the fraction, a normal number or 0, into its range.
    #[inline]
    fn new(fraction: f64, exponent: i64) -> Self {
        if fraction == 0.0 {
            return Self::ZERO;
        }
        let bits = fraction.to_bits();
        let shift = ((bits >> 52) & 0x7ff) as i64 - 1023;
        let fraction = f64::from_bits((bits & !(0x7ff << 52)) | (1023 << 52));
        Self { fraction, exponent: exponent + shift }
    }
}

impl Add for Wide {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        if other.fraction == 0.0 {
            return self;
        }
        if self.fraction == 0.0 {
            return other;
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let gap = large.exponent - small.exponent;
        if gap > 60 {
            return large;
        }
        Self::new(large.fraction + small.fraction * power_of_two(-gap), large.exponent)
    }
}

impl Sub for Wide {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        self + Self { fraction: -other.fraction, exponent: other.exponent }
    }
}

impl Mul for Wide {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        Self::new(self.fraction * other.fraction, self.exponent + other.exponent)
    }
}

impl Div for Wide {
    type Output = Self;

    #[inline]
    fn div(self, other: Self) -> Self {
        Self::new(self.fraction / other.fraction, self.exponent - other.exponent)
    }
}

impl Number for Wide {
    const ZERO: Self = Self { fraction: 0.0, exponent: 0 };
    const ONE: Self = Self { fraction: 1.0, exponent: 0 };

    fn exp(x: f64) -> Self {
        // Beyond this range the exponent k of 2 is exact as f64, and x - k ln 2 with ln 2 in two parts loses nothing.
        const HIGH: f64 = 6.931_471_803_691_238_16e-1;
        const LOW: f64 = 1.908_214_929_270_587_7e-10;
        let k = (x * std::f64::consts::LOG2_E).round();
        let rest = (x - k * HIGH) - k * LOW;
        Self::new(rest.exp(), k as i64)
    }

    fn to_f64(self) -> f64 {
        match self.exponent {
            ..-1022 => 0.0,
            1024.. => self.fraction * f64::INFINITY,
            k => self.fraction * power_of_two(k.min(1022)) * power_of_two(k - k.min(1022)),
        }
    }

    fn ln_1p(self) -> f64 {
        if self.exponent < 900 {
            return self.to_f64().ln_1p();
        }
        self.fraction.ln() + self.exponent as f64 * std::f64::consts::LN_2
    }

    fn is_safe(self) -> bool {
        self.fraction > 0.0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_numbers_agree_with_f64() {
        let values = [1.0f64, 0.3, 7.5e10, 2.0, 1e-12, 1.0 / 3.0];
        for a in values {
            for b in values {
                let (x, y) = (Wide::exp(a.ln()), Wide::exp(b.ln()));
                for (wide, plain) in [(x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b)] {
                    let scale = plain.abs().max((a.max(b)) * 1e-3);
                    assert!((wide.to_f64() - plain).abs() <= 4e-14 * scale.max(plain.abs()), "{a} {b} {plain}");
                }
                assert!((x.ln_1p() - a.ln_1p()).abs() <= 1e-14 * a.ln_1p());
            }
        }
        assert!((Wide::ONE - Wide::ONE).to_f64().abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn wide_numbers_reach_beyond_f64() {
        let x = Wide::exp(-1e5);
        let back = x * Wide::exp(1e5);
        assert!((back.to_f64() - 1.0).abs() < 1e-15);
        assert!(((Wide::ONE / x).ln_1p() - 1e5).abs() < 1e-10);
        assert!((Wide::ONE + x).to_f64() == 1.0 && x.is_safe() && !0f64.is_safe());
        assert!((Wide::exp(709.0).to_f64() / 709f64.exp() - 1.0).abs() < 1e-14);
    }
}
