//! Products of many numbers, of any size.

use super::number::{LogSum, Number};

/// `value * 2^exponent`, the value between 1/2 and 2 in modulus or 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product<T> {
    value: T,
    exponent: i64,
}

impl<T: Number> Default for Product<T> {
    fn default() -> Self {
        Self { value: T::ONE, exponent: 0 }
    }
}

impl<T: Number> Product<T> {
    /// Multiplies by a number.
    pub(super) fn multiply(&mut self, x: T) {
        let mut x = x;
        // Taken off first: the product of two large numbers need not be in range.
        self.exponent = self.exponent.saturating_add(x.take_exponent());
        self.value = self.value * x;
        self.exponent = self.exponent.saturating_add(self.value.take_exponent());
    }

    /// The product with another one.
    pub(super) fn times(mut self, other: &Self) -> Self {
        self.multiply(other.value);
        self.exponent = self.exponent.saturating_add(other.exponent);
        self
    }

    /// The quotient by another one.
    pub(super) fn over(mut self, other: &Self) -> Self {
        self.multiply(T::ONE / other.value);
        self.exponent = self.exponent.saturating_sub(other.exponent);
        self
    }

    /// The product, where it is in range.
    pub(super) fn number(&self) -> T {
        self.value.scaled(self.exponent)
    }
}

/// Numbers in the proportions of these products, the largest of them near 1, and the power of two that was taken off.
pub(super) fn aligned<T: Number, const N: usize>(products: &[Product<T>; N]) -> ([T; N], i64) {
    let sizes = products.iter().filter(|product| product.value.modulus().exceeds(T::ZERO));
    let top = sizes.map(|product| product.exponent).max().unwrap_or_default();
    (products.each_ref().map(|product| product.value.scaled(product.exponent.saturating_sub(top))), top)
}

impl<T: Number> LogSum for Product<T> {
    fn power_of_two(&mut self, k: i64) {
        self.exponent = self.exponent.saturating_add(k);
    }

    fn exponent(&mut self, x: f64) {
        self.multiply(T::exp(x));
    }
}

#[cfg(test)]
mod tests {
    use super::super::double::Double;
    use super::super::wide::Wide;
    use super::*;

    fn check<T: Number>() {
        // 0.3^2000 3^2000 = 0.9^2000, far out of the range of f64 in between; the sign of an odd power.
        let mut product = Product::<T>::default();
        (0..2001).for_each(|_| product.multiply(T::from_f64(-0.3)));
        let small = product;
        (0..2000).for_each(|_| product.multiply(T::from_f64(3.0)));
        let expected = -0.3 * 0.9f64.powi(2000);
        assert!((product.number().to_f64() / expected - 1.0).abs() < 1e-11);
        assert!((small.over(&product).times(&product).over(&small).number().to_f64() - 1.0).abs() < 1e-14);
        let ([a, b, c], top) = aligned(&[small, Product::default(), Product { value: T::ZERO, exponent: 7 }]);
        assert!(a.to_f64().abs() < 1e-300 && (b.to_f64() - 1.0).abs() < 1e-15 && c.to_f64().abs() < 1e-300 && top == 0);
        let mut other = small;
        other.power_of_two(-2);
        let ([a, b], _) = aligned(&[small, other]);
        assert!(((b / a).to_f64() - 0.25).abs() < 1e-15 && (0.5..=2.0).contains(&a.modulus().to_f64()));
        // Weights of huge exponents, where the numbers have them.
        let mut wall = Product::<T>::default();
        for x in [-200.0, 150.0, 51.0] {
            wall.exponent(x);
        }
        assert!((wall.number().to_f64() / 1f64.exp() - 1.0).abs() < 1e-13);
    }

    #[test]
    fn products_out_of_range() {
        check::<f64>();
        check::<Double>();
        check::<Wide<2>>();
    }
}
