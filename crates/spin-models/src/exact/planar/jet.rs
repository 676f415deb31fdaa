//! Numbers with their first two derivatives.

use std::ops::{Add, Div, Mul, Sub};

use super::number::{CarefulSum, LogSum, Number};

/// $`a_0 + a_1 t + a_2 t^2`$, higher powers of t left out, for a small change t of all couplings from K to (1 + t) K.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jet<T> {
    value: T,
    first: T,
    second: T,
}

impl<T: Number> Add for Jet<T> {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, first: self.first + other.first, second: self.second + other.second }
    }
}

impl<T: Number> Sub for Jet<T> {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, first: self.first - other.first, second: self.second - other.second }
    }
}

impl<T: Number> Mul for Jet<T> {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        Self {
            value: self.value * other.value,
            first: self.value * other.first + self.first * other.value,
            second: self.value * other.second + self.first * other.first + self.second * other.value,
        }
    }
}

impl<T: Number> Div for Jet<T> {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let first = (self.first - value * other.first) / other.value;
        let second = (self.second - value * other.second - first * other.first) / other.value;
        Self { value, first, second }
    }
}

/// The coefficients of a sum of logarithms.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct JetSum {
    pub value: CarefulSum,
    pub first: CarefulSum,
    pub second: CarefulSum,
}

impl LogSum for JetSum {
    fn power_of_two(&mut self, k: i64) {
        self.value.power_of_two(k);
    }

    fn exponent(&mut self, x: f64) {
        self.value.add(x);
        self.first.add(x);
    }
}

impl<T: Number> Jet<T> {
    /// Adds the part of `ln y` that changes with t.
    fn add_changes(self, sum: &mut JetSum) {
        let first = self.first / self.value;
        sum.first.add(first.to_f64());
        sum.second.add((self.second / self.value - T::from_f64(0.5) * first * first).to_f64());
    }
}

impl<T: Number> Number for Jet<T> {
    type Sum = JetSum;

    const ZERO: Self = Self { value: T::ZERO, first: T::ZERO, second: T::ZERO };
    const ONE: Self = Self { value: T::ONE, first: T::ZERO, second: T::ZERO };

    fn from_f64(x: f64) -> Self {
        Self { value: T::from_f64(x), ..Self::ZERO }
    }

    /// `exp((1 + t) x)`.
    fn exp(x: f64) -> Self {
        let (value, slope) = (T::exp(x), T::from_f64(x));
        Self { value, first: value * slope, second: T::from_f64(0.5) * value * slope * slope }
    }

    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }

    fn ln_1p(self) -> f64 {
        self.value.ln_1p()
    }

    fn ln(self) -> f64 {
        self.value.ln()
    }

    fn add_ln(self, sum: &mut JetSum) {
        sum.value.add(self.value.ln());
        self.add_changes(sum);
    }

    fn add_ln_1p(self, sum: &mut JetSum) {
        sum.value.add(self.value.ln_1p());
        (self + Self::ONE).add_changes(sum);
    }

    #[inline]
    fn exceeds(self, other: Self) -> bool {
        self.value.exceeds(other.value)
    }

    fn is_safe(self) -> bool {
        self.value.is_safe() && self.first.is_safe() && self.second.is_safe()
    }

    fn take_exponent(&mut self) -> i64 {
        let k = self.value.take_exponent();
        self.first = self.first.scaled(-k);
        self.second = self.second.scaled(-k);
        k
    }

    fn scaled(self, k: i64) -> Self {
        Self { value: self.value.scaled(k), first: self.first.scaled(k), second: self.second.scaled(k) }
    }

    fn floor() -> Self {
        Self { value: T::floor(), ..Self::ZERO }
    }

    fn coldest() -> f64 {
        T::coldest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_of_elementary_functions() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14 * b.abs().max(1.0), "{a} {b}");
        let (x, y) = (0.7f64, -1.3f64);
        let (p, q) = (Jet::<f64>::exp(x), Jet::<f64>::exp(y));
        // Products and quotients of exponentials are exponentials.
        for (jet, z) in [(p * q, x + y), (p / q, x - y)] {
            close(jet.value, z.exp());
            close(jet.first, z * z.exp());
            close(jet.second, 0.5 * z * z * z.exp());
        }
        // ln(e^x + e^y): its derivatives are the mean and the variance of x and y.
        let mut sum = JetSum::default();
        (p + q).add_ln(&mut sum);
        let (a, b) = (x.exp() / (x.exp() + y.exp()), y.exp() / (x.exp() + y.exp()));
        let expected = [(x.exp() + y.exp()).ln(), a * x + b * y, 0.5 * a * b * (x - y).powi(2)];
        let mut other = JetSum::default();
        p.add_ln(&mut other);
        (q / p).add_ln_1p(&mut other);
        for sum in [sum, other] {
            for (part, expected) in [sum.value, sum.first, sum.second].into_iter().zip(expected) {
                close(part.value(), expected);
            }
        }
    }
}
