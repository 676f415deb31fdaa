//! Numbers with their first and second derivatives by two parameters.

use std::ops::{Add, AddAssign, Mul, Sub};

/// A value, its gradient, and its second derivatives `[11, 12, 22]`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Jet {
    pub value: f64,
    pub first: [f64; 2],
    pub second: [f64; 3],
}

/// The parameters of the second derivatives.
pub(crate) const PAIRS: [(usize, usize); 3] = [(0, 0), (0, 1), (1, 1)];

impl Jet {
    pub fn constant(value: f64) -> Self {
        Self { value, ..Self::default() }
    }

    /// `f(self)` from f and its two derivatives at the value.
    pub fn map(self, [f, df, ddf]: [f64; 3]) -> Self {
        let first = self.first.map(|x| df * x);
        let mut second = self.second.map(|x| df * x);
        for (x, (a, b)) in second.iter_mut().zip(PAIRS) {
            *x += ddf * self.first[a] * self.first[b];
        }
        Self { value: f, first, second }
    }

    pub fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.map([root, 0.5 / root, -0.25 / (root * self.value)])
    }

    pub fn ln(self) -> Self {
        let inverse = 1.0 / self.value;
        self.map([self.value.ln(), inverse, -inverse * inverse])
    }

    pub fn recip(self) -> Self {
        let inverse = 1.0 / self.value;
        self.map([inverse, -inverse * inverse, 2.0 * inverse * inverse * inverse])
    }

    pub fn scale(self, factor: f64) -> Self {
        Self {
            value: factor * self.value,
            first: self.first.map(|x| factor * x),
            second: self.second.map(|x| factor * x),
        }
    }

    /// The derivative along a direction, and the second one.
    pub fn along(&self, direction: [f64; 2]) -> (f64, f64) {
        let [a, b] = direction;
        let first = a * self.first[0] + b * self.first[1];
        let [aa, ab, bb] = self.second;
        (first, a * a * aa + 2.0 * a * b * ab + b * b * bb)
    }
}

impl Add for Jet {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for Jet {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.first.iter_mut().zip(other.first).for_each(|(x, y)| *x += y);
        self.second.iter_mut().zip(other.second).for_each(|(x, y)| *x += y);
    }
}

impl Sub for Jet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + other.scale(-1.0)
    }
}

impl Mul for Jet {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut product = Self::constant(self.value * other.value);
        for k in 0..2 {
            product.first[k] = self.first[k] * other.value + self.value * other.first[k];
        }
        for (k, (a, b)) in PAIRS.into_iter().enumerate() {
            product.second[k] = self.second[k] * other.value
                + self.value * other.second[k]
                + self.first[a] * other.first[b]
                + self.first[b] * other.first[a];
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_agree_with_differences() {
        let f = |x: f64, y: f64| {
            let x = Jet { value: x, first: [1.0, 0.0], second: [0.0; 3] };
            let y = Jet { value: y, first: [0.0, 1.0], second: [0.0; 3] };
            (x * x * y + y).sqrt().ln() + (x - y.scale(3.0)).recip() * x
        };
        let (x, y, step) = (1.3, 0.7, 1e-4);
        let jet = f(x, y);
        let value = |dx: f64, dy: f64| f(x + dx * step, y + dy * step).value;
        let first = [value(1.0, 0.0) - value(-1.0, 0.0), value(0.0, 1.0) - value(0.0, -1.0)];
        let second = [
            value(1.0, 0.0) - 2.0 * jet.value + value(-1.0, 0.0),
            0.25 * (value(1.0, 1.0) - value(1.0, -1.0) - value(-1.0, 1.0) + value(-1.0, -1.0)),
            value(0.0, 1.0) - 2.0 * jet.value + value(0.0, -1.0),
        ];
        for (jet, difference) in jet.first.iter().zip(first) {
            approx::assert_relative_eq!(*jet, difference / (2.0 * step), max_relative = 1e-6);
        }
        for (jet, difference) in jet.second.iter().zip(second) {
            approx::assert_relative_eq!(*jet, difference / (step * step), max_relative = 1e-5);
        }
        let (slope, curvature) = jet.along([2.0, -1.0]);
        approx::assert_relative_eq!(slope, 2.0 * jet.first[0] - jet.first[1], max_relative = 1e-15);
        let [aa, ab, bb] = jet.second;
        approx::assert_relative_eq!(curvature, 4.0 * aa - 4.0 * ab + bb, max_relative = 1e-15);
    }
}
