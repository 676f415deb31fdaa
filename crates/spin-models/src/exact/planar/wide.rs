//! Floating-point numbers with more digits and any exponent.

use std::ops::{Add, Div, Mul, Sub};

use super::number::{CarefulSum, Number};

/// `±0.m * 2^exponent` with L limbs of 64 bits, the first bit of m set; 0 if it is not.
///
/// Results are cut off, not rounded: errors are below two units in the last place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wide<const L: usize> {
    negative: bool,
    /// Least significant limb first.
    limbs: [u64; L],
    exponent: i64,
}

impl<const L: usize> Wide<L> {
    pub(super) fn is_zero(&self) -> bool {
        self.limbs[L - 1] == 0
    }

    /// The leading bits as a number from 1/2 to 1, with the sign.
    fn fraction(&self) -> f64 {
        let scale = |k: i32| f64::from(2.0f32).powi(k);
        let mut x = self.limbs[L - 1] as f64 * scale(-64);
        if L > 1 {
            x += self.limbs[L - 2] as f64 * scale(-128);
        }
        if self.negative { -x } else { x }
    }

    /// `ln |x|`.
    pub(super) fn ln_abs(self) -> f64 {
        Self { negative: false, ..self }.ln()
    }

    /// The leading K limbs.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn leading<const K: usize>(&self) -> Wide<K> {
        let limbs = std::array::from_fn(|k| self.limbs[k + L - K]);
        Wide { negative: self.negative, limbs, exponent: self.exponent }
    }

    fn negated(mut self) -> Self {
        self.negative = !self.negative;
        self
    }

    /// Compares moduli: whether that of `self` is at least that of `other`.
    fn at_least(&self, other: &Self) -> bool {
        if self.exponent != other.exponent {
            return self.exponent > other.exponent;
        }
        for k in (0..L).rev() {
            if self.limbs[k] != other.limbs[k] {
                return self.limbs[k] > other.limbs[k];
            }
        }
        true
    }

    /// The limbs shifted towards less significant places.
    fn shifted_down(&self, shift: usize) -> [u64; L] {
        let (whole, bits) = (shift / 64, shift % 64);
        std::array::from_fn(|k| {
            let limb = |k: usize| if k < L { self.limbs[k] } else { 0 };
            let low = limb(k + whole) >> bits;
            if bits == 0 { low } else { low | limb(k + whole + 1) << (64 - bits) }
        })
    }

    /// Moves the first bit that is set to the front.
    fn normalized(mut self) -> Self {
        let Some(top) = (0..L).rev().find(|&k| self.limbs[k] != 0) else { return Self::ZERO };
        let bits = self.limbs[top].leading_zeros() as usize;
        let whole = L - 1 - top;
        if whole + bits > 0 {
            let old = self.limbs;
            self.limbs = std::array::from_fn(|k| {
                let limb = |k: usize, back: usize| if k >= back { old[k - back] } else { 0 };
                let high = limb(k, whole) << bits;
                if bits == 0 { high } else { high | limb(k, whole + 1) >> (64 - bits) }
            });
            self.exponent -= (64 * whole + bits) as i64;
        }
        self
    }
}

impl<const L: usize> Add for Wide<L> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if other.is_zero() {
            return self;
        }
        if self.is_zero() {
            return other;
        }
        let (large, small) = if self.at_least(&other) { (self, other) } else { (other, self) };
        let gap = large.exponent.saturating_sub(small.exponent);
        if gap >= 64 * L as i64 {
            return large;
        }
        let addend = small.shifted_down(gap as usize);
        let mut sum = large;
        let mut carry = false;
        if large.negative == small.negative {
            for (x, y) in sum.limbs.iter_mut().zip(addend) {
                let (z, first) = x.overflowing_add(y);
                let (z, second) = z.overflowing_add(u64::from(carry));
                *x = z;
                carry = first | second;
            }
            if carry {
                sum.limbs = sum.shifted_down(1);
                sum.limbs[L - 1] |= 1 << 63;
                sum.exponent += 1;
            }
            sum
        } else {
            for (x, y) in sum.limbs.iter_mut().zip(addend) {
                let (z, first) = x.overflowing_sub(y);
                let (z, second) = z.overflowing_sub(u64::from(carry));
                *x = z;
                carry = first | second;
            }
            sum.normalized()
        }
    }
}

impl<const L: usize> Sub for Wide<L> {
    type Output = Self;

    #[allow(clippy::suspicious_arithmetic_impl, reason = "the sum looks at the signs")]
    fn sub(self, other: Self) -> Self {
        self + other.negated()
    }
}

impl<const L: usize> Mul for Wide<L> {
    type Output = Self;

    /// Partial products far below the last place are left out.
    fn mul(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::ZERO;
        }
        // Limbs L - 2 .. 2 L of the product; the first of them is there for the carry.
        let mut low = 0u128;
        let mut high = [0u64; L];
        let mut spill = 0u64;
        for i in 0..L {
            for j in 0..L {
                if i + j + 2 < L {
                    continue;
                }
                let product = u128::from(self.limbs[i]) * u128::from(other.limbs[j]);
                let place = i + j;
                if place + 2 == L {
                    low += product >> 64;
                } else if place + 1 == L {
                    let (sum, carry) = spill.overflowing_add(product as u64);
                    spill = sum;
                    add_at(&mut high, 0, (product >> 64) as u64, carry);
                } else {
                    let (sum, carry) = high[place - L].overflowing_add(product as u64);
                    high[place - L] = sum;
                    add_at(&mut high, place - L + 1, (product >> 64) as u64, carry);
                }
            }
        }
        let (sum, carry) = spill.overflowing_add(low as u64);
        spill = sum;
        add_at(&mut high, 0, (low >> 64) as u64, carry);
        let mut out = Self {
            negative: self.negative != other.negative,
            limbs: high,
            exponent: self.exponent.saturating_add(other.exponent),
        };
        if high[L - 1] >> 63 == 0 {
            out = out.normalized();
            out.limbs[0] |= spill >> 63;
        }
        out
    }
}

/// Adds a limb and a carry at a place, and carries on.
#[inline]
fn add_at<const L: usize>(limbs: &mut [u64; L], place: usize, x: u64, carry: bool) {
    let mut more = x;
    let mut carry = carry;
    for limb in &mut limbs[place..] {
        let (sum, first) = limb.overflowing_add(more);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        *limb = sum;
        carry = first | second;
        more = 0;
        if !carry {
            break;
        }
    }
}

impl<const L: usize> Div for Wide<L> {
    type Output = Self;

    /// By the reciprocal, whose digits double with every step of Newton's method.
    fn div(self, other: Self) -> Self {
        let fraction = Self { exponent: 0, ..other };
        let mut reciprocal = Self::from_f64(1.0 / fraction.fraction());
        let mut digits = 50;
        while digits < 64 * L {
            reciprocal = reciprocal + reciprocal * (Self::ONE - fraction * reciprocal);
            digits *= 2;
        }
        reciprocal.exponent -= other.exponent;
        self * reciprocal
    }
}

impl<const L: usize> Number for Wide<L> {
    type Sum = CarefulSum;

    const ZERO: Self = Self { negative: false, limbs: [0; L], exponent: 0 };
    const ONE: Self = {
        let mut limbs = [0; L];
        limbs[L - 1] = 1 << 63;
        Self { negative: false, limbs, exponent: 1 }
    };

    fn from_f64(x: f64) -> Self {
        let mut limbs = [0; L];
        let bits = x.to_bits();
        let shift = ((bits >> 52) & 0x7ff) as i64;
        // Subnormal numbers are none of the elimination's.
        if shift == 0 {
            return Self::ZERO;
        }
        limbs[L - 1] = (bits & ((1 << 52) - 1) | 1 << 52) << 11;
        Self { negative: x < 0.0, limbs, exponent: shift - 1022 }
    }

    /// Rounded to the digits of `f64`: a relative change of the weights of that size changes their sum by as much.
    fn exp(x: f64) -> Self {
        // ln 2 in two parts, so that x - k ln 2 loses nothing.
        const HIGH: f64 = 6.931_471_803_691_238e-1;
        const LOW: f64 = 1.908_214_929_270_587_7e-10;
        let k = (x * std::f64::consts::LOG2_E).round();
        let rest = (x - k * HIGH) - k * LOW;
        let mut out = Self::from_f64(rest.exp());
        out.exponent += k as i64;
        out
    }

    fn to_f64(self) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        match self.exponent {
            ..-1020 => 0.0,
            1025.. => self.fraction() * f64::INFINITY,
            k => self.fraction() * ((k / 2) as f64).exp2() * ((k - k / 2) as f64).exp2(),
        }
    }

    fn ln_1p(self) -> f64 {
        if self.exponent < 900 { self.to_f64().ln_1p() } else { self.ln() }
    }

    fn ln(self) -> f64 {
        if self.is_zero() {
            return f64::NEG_INFINITY;
        }
        self.fraction().ln() + self.exponent as f64 * std::f64::consts::LN_2
    }

    fn add_ln(self, sum: &mut CarefulSum) {
        sum.add(Number::ln(self));
    }

    fn add_ln_1p(self, sum: &mut CarefulSum) {
        sum.add(Number::ln_1p(self));
    }

    fn exceeds(self, other: Self) -> bool {
        let difference = self - other;
        !difference.negative && !difference.is_zero()
    }

    fn is_safe(self) -> bool {
        self.exponent.abs() < i64::MAX / 8
    }

    fn take_exponent(&mut self) -> i64 {
        if self.is_zero() { 0 } else { std::mem::take(&mut self.exponent) }
    }

    fn scaled(mut self, k: i64) -> Self {
        if !self.is_zero() {
            self.exponent = self.exponent.saturating_add(k);
        }
        self
    }

    fn floor() -> Self {
        let mut floor = Self::ONE;
        floor.exponent -= 64 * L as i64 - 4;
        floor
    }

    fn coldest() -> f64 {
        if L < 6 { 10.0 } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const L: usize>() {
        let values = [1.0f64, 0.3, 7.5e10, 2.0, 1e-12, 1.0 / 3.0, 0.999_999_999];
        for a in values {
            for b in values {
                let (x, y) = (Wide::<L>::from_f64(a), Wide::<L>::from_f64(b));
                for (wide, plain) in [(x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b)] {
                    assert!((wide.to_f64() - plain).abs() <= 4e-16 * plain.abs(), "{a} {b} {plain}");
                }
                // (x + y)(x - y) = x x - y y and (x / y) y = x to all digits.
                let difference = (x + y) * (x - y) - (x * x - y * y);
                let scale = (x * x + y * y).ln() - (64 * L) as f64 * std::f64::consts::LN_2;
                assert!(difference.is_zero() || negligible(difference, scale + 3.0));
                let difference = x / y * y - x;
                let scale = x.ln() - (64 * L) as f64 * std::f64::consts::LN_2;
                assert!(difference.is_zero() || negligible(difference, scale + 4.0));
                assert_eq!(x.exceeds(y), a > b);
            }
            assert!((Wide::<L>::from_f64(a).ln_1p() - a.ln_1p()).abs() <= 1e-15 * a.ln_1p());
        }
    }

    fn negligible<const L: usize>(mut x: Wide<L>, bound: f64) -> bool {
        x.negative = false;
        x.ln() < bound
    }

    #[test]
    fn arithmetic_keeps_all_digits() {
        check::<2>();
        check::<3>();
        check::<8>();
    }

    #[test]
    fn exponents_reach_beyond_f64() {
        let x = Wide::<2>::exp(-1e5);
        assert!(((x * Wide::exp(1e5)).to_f64() - 1.0).abs() < 1e-15);
        assert!(((Wide::ONE / x).ln_1p() - 1e5).abs() < 1e-10);
        assert!((Wide::<2>::exp(709.0).to_f64() / 709f64.exp() - 1.0).abs() < 1e-14);
        assert!((Wide::<2>::exp(-600.0).to_f64() / (-600f64).exp() - 1.0).abs() < 1e-14);
    }
}
