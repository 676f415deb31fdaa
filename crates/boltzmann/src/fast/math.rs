//! Elementary functions that vectorise.

use linalg_core::simd::{exp, exp_f32};

use super::WIDTH;

/// The logistic function, relative error below 1e-6; beyond ±87 the value there.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp_f32(-x.clamp(-87.0, 87.0)))
}

/// A product of numbers of at least 1, kept in range: mantissas and exponents of eight partial products.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    mantissas: [f64; 8],
    exponents: [u64; 8],
    factors: u64,
}

impl Product {
    pub(crate) const ONE: Self = Self { mantissas: [1.0; 8], exponents: [0; 8], factors: 0 };

    /// Multiplies each of the eight products; they must stay finite: factors up to 1e300 since the last `carry`.
    #[inline(always)]
    pub(crate) fn multiply(&mut self, factors: [f64; 8]) {
        for k in 0..8 {
            self.mantissas[k] *= factors[k];
        }
    }

    /// Moves the exponents out of the products.
    #[inline(always)]
    pub(crate) fn carry(&mut self) {
        for k in 0..8 {
            let bits = self.mantissas[k].to_bits();
            self.exponents[k] += bits >> 52;
            self.mantissas[k] = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
        }
        self.factors += 1;
    }

    /// The logarithm of the product.
    #[inline(always)]
    pub(crate) fn ln(mut self) -> f64 {
        self.carry();
        let mut mantissa = 1.0;
        let mut exponent = 0;
        for k in 0..8 {
            mantissa *= self.mantissas[k];
            exponent += self.exponents[k];
        }
        let exponent = exponent as f64 - 1023.0 * 8.0 * self.factors as f64;
        mantissa.ln() + exponent * std::f64::consts::LN_2
    }
}

/// A sum of `ln(1 + e^x) = max(x, 0) + ln(1 + e^{-|x|})`: the first parts are added up, the factors `1 + e^{-|x|}` in (1, 2] are
/// multiplied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoftplusSum {
    linear: [f64; 8],
    product: Product,
}

impl SoftplusSum {
    pub(crate) const ZERO: Self = Self { linear: [0.0; 8], product: Product::ONE };

    /// Adds `Σ ln(1 + e^{t x_k})` over the first `n` of 64 numbers. NaN stays.
    #[inline(always)]
    pub(crate) fn add(&mut self, x: &[f32; WIDTH], n: usize, t: f64) {
        for start in (0..n).step_by(8) {
            let mut factors = [1.0; 8];
            for k in 0..8 {
                let y = t * f64::from(x[start + k]);
                let e = exp(-y.abs());
                // A NaN is not below 0.
                let positive = if y < 0.0 { 0.0 } else { y };
                let inside = start + k < n;
                self.linear[k] += if inside { positive } else { 0.0 };
                factors[k] = if inside { 1.0 + e } else { 1.0 };
            }
            self.product.multiply(factors);
        }
        // Eight factors of at most 2 since the last one.
        self.product.carry();
    }

    pub(crate) fn value(self) -> f64 {
        self.linear.iter().sum::<f64>() + self.product.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_function_is_accurate() {
        for k in -8700..=8700 {
            let x = k as f32 / 100.0;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) / exact - 1.0).abs() < 1e-6, "{x}");
        }
        assert!(sigmoid(f32::INFINITY) <= 1.0 && sigmoid(f32::NEG_INFINITY) >= 0.0 && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn sums_of_softplus() {
        let mut x = [0.0; WIDTH];
        x.iter_mut().enumerate().for_each(|(k, x)| *x = 3.0 * k as f32 - 95.0);
        // Numbers up to 9.4e5: far beyond what an exponential can hold.
        for (n, t) in [(64, 1.0), (64, 6.0), (13, 0.3), (1, 1.0), (64, 20.0), (64, 1e4), (61, -9.0), (64, 0.0)] {
            let mut sum = SoftplusSum::ZERO;
            sum.add(&x, n, t);
            let exact: f64 = x[..n].iter().map(|&x| linalg_core::logspace::softplus(t * f64::from(x))).sum();
            assert!((sum.value() - exact).abs() < 1e-12 * exact.max(1.0), "{n} {t}");
            (0..50).for_each(|_| sum.add(&x, n, t));
            assert!((sum.value() - 51.0 * exact).abs() < 1e-11 * exact.max(1.0), "{n} {t}");
        }
        x[3] = f32::INFINITY;
        let mut sum = SoftplusSum::ZERO;
        sum.add(&x, 64, 1.0);
        assert!(sum.value() > f64::MAX);
        sum.add(&x, 64, -1.0);
        assert!(sum.value() > f64::MAX);
        x[63] = f32::NAN;
        sum.add(&x, 63, 1.0);
        assert!(sum.value() > f64::MAX);
        sum.add(&x, 64, 1.0);
        assert!(sum.value().is_nan());
    }
}
