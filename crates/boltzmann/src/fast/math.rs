//! Elementary functions that vectorise.
#![allow(clippy::excessive_precision, reason = "coefficients are written as they were computed")]

use super::WIDTH;

/// Adding and subtracting it rounds to an integer, whose low bits then stand in the mantissa.
const ROUND_F32: f32 = 12_582_912.0;
const ROUND_F64: f64 = 6_755_399_441_055_744.0;

/// `e^x` for |x| <= 87, relative error below 3e-7.
///
/// `x = n ln 2 + r` with |r| <= ln 2 / 2, and the Taylor polynomial of degree 7 in r.
#[inline(always)]
fn exp_f32(x: f32) -> f32 {
    let shifted = x * std::f32::consts::LOG2_E + ROUND_F32;
    let n = shifted - ROUND_F32;
    let r = (x - n * 0.693_359_375) + n * 2.121_944_4e-4;
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    let power = shifted.to_bits().wrapping_sub(ROUND_F32.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(power)
}

/// The logistic function, relative error below 1e-6; beyond ±87 the value there.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp_f32(-x.clamp(-87.0, 87.0)))
}

/// `e^x` for |x| <= 700, relative error below 4e-16 times a few.
#[inline(always)]
pub(crate) fn exp_f64(x: f64) -> f64 {
    let shifted = x * std::f64::consts::LOG2_E + ROUND_F64;
    let n = shifted - ROUND_F64;
    let r = (x - n * 6.931_471_803_691_238_2e-1) - n * 1.908_214_929_270_587_7e-10;
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p * r + c;
    }
    let power = shifted.to_bits().wrapping_sub(ROUND_F64.to_bits()).wrapping_add(1023) << 52;
    p * f64::from_bits(power)
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

/// `Σ ln(1 + e^{t x_k})` over the first `n` of 64 numbers, multiplied into `product`. Beyond ±700 the exponent is cut.
#[inline(always)]
pub(crate) fn softplus_sum(x: &[f32; WIDTH], n: usize, t: f64, product: &mut Product) {
    for start in (0..n).step_by(8) {
        let mut factors = [0.0; 8];
        for (k, factor) in factors.iter_mut().enumerate() {
            let e = exp_f64((t * f64::from(x[start + k])).clamp(-700.0, 700.0));
            *factor = if start + k < n { 1.0 + e } else { 1.0 };
        }
        product.multiply(factors);
        product.carry();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_accurate() {
        for k in -8700..=8700 {
            let x = k as f32 / 100.0;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) / exact - 1.0).abs() < 1e-6, "{x}");
            let y = f64::from(k) / 12.5;
            assert!((exp_f64(y) / y.exp() - 1.0).abs() < 3e-15, "{y}");
        }
        assert!(sigmoid(f32::INFINITY) <= 1.0 && sigmoid(f32::NEG_INFINITY) >= 0.0 && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn sums_of_softplus() {
        let mut x = [0.0; WIDTH];
        x.iter_mut().enumerate().for_each(|(k, x)| *x = 3.0 * k as f32 - 95.0);
        for (n, t) in [(64, 1.0), (64, 6.0), (13, 0.3), (1, 1.0)] {
            let mut product = Product::ONE;
            softplus_sum(&x, n, t, &mut product);
            let exact: f64 = x[..n].iter().map(|&x| linalg_core::logspace::softplus(t * f64::from(x))).sum();
            assert!((product.ln() - exact).abs() < 1e-12 * exact.max(1.0), "{n} {t}");
        }
    }
}
