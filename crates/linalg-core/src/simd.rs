//! Loops compiled for the widest vectors of the machine that runs them.
//!
//! A default build knows the oldest processor of its target only. [`Work`] is a piece of safe code over slices; [`widest`]
//! holds copies of it compiled with AVX2 and AVX-512 and runs the one that the processor has, so that one binary is fast
//! everywhere. No multiplication is fused with an addition: all copies give the same bits, and [`Work::run`] called directly
//! is the scalar twin to compare with.
//!
//! The choice costs a few loads and comparisons, so that a call should have some hundred operations to do.
//!
//! ```
//! use linalg_core::simd::{Work, widest};
//!
//! struct Dot<'a>(&'a [f64; 4], &'a [f64; 4]);
//!
//! impl Work for Dot<'_> {
//!     type Output = f64;
//!
//!     #[inline(always)]
//!     fn run(self) -> f64 {
//!         self.0.iter().zip(self.1).map(|(x, y)| x * y).sum()
//!     }
//! }
//!
//! assert_eq!(widest(Dot(&[1.0, 2.0, 3.0, 4.0], &[1.0; 4])), 10.0);
//! ```

#![allow(unsafe_code)]

/// Work that is compiled once for every instruction set.
///
/// `run` and all it calls must be `#[inline(always)]`: only then is it compiled with the wide instructions. What is not
/// inlined still runs, as it was compiled for the oldest processor.
pub trait Work {
    /// What the work gives back.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Runs the work with the widest vectors there are: AVX-512 (F, BW, DQ, VL), else AVX2, else those of the target.
///
/// The result does not depend on the choice as long as the work calls no fused operation itself.
#[inline]
pub fn widest<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi1")
        {
            // SAFETY: the features of the function are present; AVX-512 implies AVX2.
            return unsafe { avx512(work) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") {
            // SAFETY: the features of the function are present.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}

/// As [`widest`], for work that counts bits: with AVX-512 VPOPCNTDQ where the processor has it.
///
/// Eight words are counted by one instruction there; elsewhere it is [`widest`].
#[inline]
pub fn widest_popcount<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("popcnt")
        {
            // SAFETY: the features of the function are present; AVX-512 implies AVX2.
            return unsafe { avx512_popcount(work) };
        }
    }
    widest(work)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx2,popcnt")]
fn avx512_popcount<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1")]
fn avx512<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1")]
fn avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

/// `y += a x`, the work of a dense row.
///
/// ```
/// use linalg_core::simd::{AddScaled, widest};
///
/// let mut y = [1.0, 2.0];
/// widest(AddScaled { y: &mut y, a: 2.0, x: &[10.0, 20.0] });
/// assert_eq!(y, [21.0, 42.0]);
/// ```
#[derive(Debug)]
pub struct AddScaled<'a> {
    /// The slice that is added to.
    pub y: &'a mut [f64],
    /// The factor.
    pub a: f64,
    /// What is added; of slices of two lengths the shorter counts.
    pub x: &'a [f64],
}

impl Work for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y += self.a * x;
        }
    }
}

/// Below this argument the exponential is taken as 0; the true value is under 3e-308.
const SMALLEST: f64 = -708.0;

/// Adding it to `|x| < 2^51` rounds x to an integer, which stands in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// ln 2 in two parts; the first has 33 significant bits, so that its product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `e^x` for `x ≤ 709`, in operations that vectorise.
///
/// Writes `x = k ln 2 + r`, `|r| ≤ ln 2 / 2`, and sums the Taylor series of `e^r` to degree 12; the remainder is
/// below 1.7e-16. Measured against the standard library: relative difference at most 4.5e-16. Below -708, where the true
/// value is under 3e-308, it is 0; NaN stays NaN; above 709 the value is meaningless.
///
/// ```
/// use linalg_core::simd::exp;
///
/// assert_eq!(exp(0.0), 1.0);
/// assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let clamped = if x < SMALLEST { SMALLEST } else { x };
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (clamped - k * LN_2_HIGH) - k * LN_2_LOW;
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (1.0 + r) + r2 * (1.0 / 2.0 + r * (1.0 / 6.0));
    let middle = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5_040.0));
    let high = (1.0 / 40_320.0 + r * (1.0 / 362_880.0))
        + r2 * (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0) + r2 * (1.0 / 479_001_600.0));
    let mantissa = low + r4 * (middle + r4 * high);
    // The mantissa is near 1 and k above -1022: adding k to its exponent is the product with 2^k.
    let value = f64::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 52));
    if x >= SMALLEST {
        value
    } else if x.is_nan() {
        x
    } else {
        0.0
    }
}

/// `ln(1 + t)` for `0 ≤ t ≤ 1`, in operations that vectorise; absolute error below 1e-14.
///
/// `2 artanh(x)` with `x = t/(2 + t) ≤ 1/3` by its series up to `x^27`. With `t = e^{-|u|}` from [`exp`] it is the part of a
/// softplus, `max(u, 0) + ln(1 + t)`, and of `ln 2cosh` that needs a logarithm. Outside the interval the value is meaningless.
///
/// ```
/// use linalg_core::simd::ln_1p;
///
/// assert_eq!(ln_1p(0.0), 0.0);
/// assert!((ln_1p(1.0) - std::f64::consts::LN_2).abs() < 1e-14);
/// ```
#[inline(always)]
pub fn ln_1p(t: f64) -> f64 {
    let x = t / (2.0 + t);
    let x2 = x * x;
    let mut p = 1.0 / 27.0;
    p = p * x2 + 1.0 / 25.0;
    p = p * x2 + 1.0 / 23.0;
    p = p * x2 + 1.0 / 21.0;
    p = p * x2 + 1.0 / 19.0;
    p = p * x2 + 1.0 / 17.0;
    p = p * x2 + 1.0 / 15.0;
    p = p * x2 + 1.0 / 13.0;
    p = p * x2 + 1.0 / 11.0;
    p = p * x2 + 1.0 / 9.0;
    p = p * x2 + 1.0 / 7.0;
    p = p * x2 + 1.0 / 5.0;
    p = p * x2 + 1.0 / 3.0;
    p = p * x2 + 1.0;
    2.0 * x * p
}

/// `e^x` in single precision for `x ≤ 88`: relative error below 3e-7, 0 below -87, NaN stays NaN.
///
/// As [`exp`], with the Taylor series to degree 7. Twice as many numbers fit into a vector.
///
/// ```
/// use linalg_core::simd::exp_f32;
///
/// assert!((exp_f32(1.0) - std::f32::consts::E).abs() < 1e-6);
/// assert_eq!(exp_f32(-100.0), 0.0);
/// ```
#[inline(always)]
pub fn exp_f32(x: f32) -> f32 {
    const SMALLEST: f32 = -87.0;
    // 1.5 * 2^23.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if x < SMALLEST { SMALLEST } else { x };
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (clamped - k * LN_2_HIGH) - k * LN_2_LOW;
    let r2 = r * r;
    let low = (1.0 + r) + r2 * (1.0 / 2.0 + r * (1.0 / 6.0));
    let high = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5_040.0));
    let mantissa = low + (r2 * r2) * high;
    let value = f32::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x >= SMALLEST {
        value
    } else if x.is_nan() {
        x
    } else {
        0.0
    }
}

/// `ln(1 + t)` for `0 ≤ t ≤ 1` in single precision; absolute error below 2e-7. As [`ln_1p`], with fewer terms.
///
/// ```
/// use linalg_core::simd::ln_1p_f32;
///
/// assert!((ln_1p_f32(1.0) - std::f32::consts::LN_2).abs() < 2e-7);
/// ```
#[inline(always)]
pub fn ln_1p_f32(t: f32) -> f32 {
    let x = t / (2.0 + t);
    let x2 = x * x;
    let mut p = 1.0 / 13.0;
    p = p * x2 + 1.0 / 11.0;
    p = p * x2 + 1.0 / 9.0;
    p = p * x2 + 1.0 / 7.0;
    p = p * x2 + 1.0 / 5.0;
    p = p * x2 + 1.0 / 3.0;
    p = p * x2 + 1.0;
    2.0 * x * p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_agrees_with_double() {
        for k in 0..=1_750_000 {
            let x = -87.0 + 1e-4 * k as f32;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp_f32(x)) / exact - 1.0).abs() < 3e-7, "{x}");
        }
        for k in 0..=100_000 {
            let t = 1e-5 * k as f32;
            assert!((f64::from(ln_1p_f32(t)) - f64::from(t).ln_1p()).abs() < 2e-7, "{t}");
        }
        assert!(exp_f32(f32::NAN).is_nan() && exp_f32(f32::NEG_INFINITY) == 0.0);
    }

    #[test]
    fn logarithm_agrees_with_the_standard_library() {
        for k in 0..=100_000 {
            let t = 1e-5 * f64::from(k);
            assert!((ln_1p(t) - t.ln_1p()).abs() < 1e-14, "{t}");
        }
    }

    #[test]
    fn all_instruction_sets_give_the_bits_of_the_scalar_twin() {
        for n in [0, 1, 7, 8, 33, 100] {
            let x: Vec<f64> = (0..n).map(|k| (f64::from(k) + 0.1).sin()).collect();
            let start: Vec<f64> = x.iter().map(|x| 1.0 / x).collect();
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let run = |call: fn(AddScaled<'_>)| {
                let mut y = start.clone();
                call(AddScaled { y: &mut y, a: 0.3, x: &x });
                bits(&y)
            };
            let plain = run(|work| work.run());
            assert_eq!(run(|work| widest(work)), plain);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") {
                // SAFETY: the features were asked for.
                assert_eq!(run(|work| unsafe { avx2(work) }), plain);
            }
        }
    }

    struct Ones<'a>(&'a [u64]);

    impl Work for Ones<'_> {
        type Output = u64;

        #[inline(always)]
        fn run(self) -> u64 {
            self.0.iter().map(|word| u64::from(word.count_ones())).sum()
        }
    }

    #[test]
    fn bits_are_counted_the_same_everywhere() {
        let words: Vec<u64> = (0..133u64).map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        for n in [0, 1, 7, 8, 9, 64, 133] {
            assert_eq!(widest_popcount(Ones(&words[..n])), Ones(&words[..n]).run());
        }
    }

    #[test]
    fn exponential_agrees_with_the_standard_library() {
        let mut worst = 0.0f64;
        for k in 0..=1_400_000 {
            let x = -700.0 + 1e-3 * f64::from(k);
            worst = worst.max((exp(x) / x.exp() - 1.0).abs());
        }
        assert!(worst < 4.5e-16, "{worst}");
        approx::assert_abs_diff_eq!(exp(0.0), 1.0, epsilon = 0.0);
        approx::assert_abs_diff_eq!(exp(-0.0), 1.0, epsilon = 0.0);
        for x in [-708.5, -1e4, -1e300, f64::NEG_INFINITY] {
            approx::assert_abs_diff_eq!(exp(x), 0.0, epsilon = 0.0);
        }
        for bits in [0x7ff8_0000_0000_0000, 0x7ff0_0000_0000_0001, 0xffff_ffff_ffff_ffffu64] {
            assert!(exp(f64::from_bits(bits)).is_nan());
        }
    }
}
