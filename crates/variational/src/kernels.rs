//! The loops of network layers, samples side by side.

use crate::scalar::Scalar;
use linalg_core::simd::Work;

/// `e^x` for `x <= 0` in plain arithmetic, so that a loop over it is vectorised. Relative error below 4e-16; 0 below -708.
#[inline(always)]
pub(crate) fn exp_nonpositive(x: f64) -> f64 {
    // Adding and subtracting 1.5 * 2^52 rounds to an integer, whose bits are then the low bits of the sum.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let inside = if x > -708.0 { x } else { -708.0 };
    let shifted = inside * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (inside - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let value = p * scale;
    if x > -708.0 {
        value
    } else if x.is_nan() {
        x
    } else {
        0.0
    }
}

/// `tanh x` in plain arithmetic; absolute error below 1e-15.
#[inline(always)]
pub(crate) fn tanh(x: f64) -> f64 {
    let e = exp_nonpositive(-2.0 * x.abs());
    let size = (1.0 - e) / (1.0 + e);
    if x < 0.0 { -size } else { size }
}

/// `(ln cosh x, tanh x)` in plain arithmetic; absolute errors below 1e-11.
#[inline(always)]
pub(crate) fn ln_cosh_tanh(x: f64) -> (f64, f64) {
    let size = x.abs();
    let e = exp_nonpositive(-2.0 * size);
    // ln(1 + e) = 2 artanh(t) with t = e/(2 + e) in [0, 1/3].
    let t = e / (2.0 + e);
    let t2 = t * t;
    let mut p = 1.0 / 21.0;
    p = p * t2 + 1.0 / 19.0;
    p = p * t2 + 1.0 / 17.0;
    p = p * t2 + 1.0 / 15.0;
    p = p * t2 + 1.0 / 13.0;
    p = p * t2 + 1.0 / 11.0;
    p = p * t2 + 1.0 / 9.0;
    p = p * t2 + 1.0 / 7.0;
    p = p * t2 + 1.0 / 5.0;
    p = p * t2 + 1.0 / 3.0;
    p = p * t2 + 1.0;
    let tanh = (1.0 - e) / (1.0 + e);
    (size + 2.0 * t * p - std::f64::consts::LN_2, if x < 0.0 { -tanh } else { tanh })
}

/// `sum += w ln cosh(xi + shift)`.
pub(crate) struct AddLnCosh<'a, T> {
    pub xi: &'a [T],
    pub shift: T,
    pub w: T,
    pub sum: &'a mut [T],
}

impl<T: Scalar> Work for AddLnCosh<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (shift, w) = (self.shift.to_f64(), self.w.to_f64());
        for (sum, &xi) in self.sum.iter_mut().zip(self.xi) {
            *sum = T::from_f64(sum.to_f64() + w * ln_cosh_tanh(xi.to_f64() + shift).0);
        }
    }
}

/// `Σ share ln cosh(xi + shift)` and `Σ share tanh(xi + shift)`, in eight sums side by side.
pub(crate) struct LnCoshGradient<'a, T> {
    pub xi: &'a [T],
    pub shift: T,
    pub share: &'a [T],
    pub sums: &'a mut [T; 2],
}

impl<T: Scalar> Work for LnCoshGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let shift = self.shift.to_f64();
        let (mut ln_cosh, mut tanh) = ([0.0; 8], [0.0; 8]);
        let (xis, shares) = (self.xi.chunks_exact(8), self.share.chunks_exact(8));
        for (&xi, &share) in xis.remainder().iter().zip(shares.remainder()) {
            let (l, t) = ln_cosh_tanh(xi.to_f64() + shift);
            ln_cosh[0] += share.to_f64() * l;
            tanh[0] += share.to_f64() * t;
        }
        for (xi, share) in xis.zip(shares) {
            for k in 0..8 {
                let (l, t) = ln_cosh_tanh(xi[k].to_f64() + shift);
                ln_cosh[k] += share[k].to_f64() * l;
                tanh[k] += share[k].to_f64() * t;
            }
        }
        *self.sums = [T::from_f64(ln_cosh.iter().sum()), T::from_f64(tanh.iter().sum())];
    }
}

/// `z_r += Σ_k w_rk a_k` for rows of samples: z is rows x samples, w has `stride` entries a row, a is k x samples.
pub(crate) struct AddProducts<'a, T> {
    pub z: &'a mut [T],
    pub w: &'a [T],
    pub stride: usize,
    pub a: &'a [T],
    pub samples: usize,
}

impl<T: Scalar> Work for AddProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let b = self.samples;
        let inputs = self.a.len() / b;
        for (r, z) in self.z.chunks_exact_mut(b).enumerate() {
            let w = &self.w[r * self.stride..r * self.stride + inputs];
            let fours = w.chunks_exact(4).zip(self.a.chunks_exact(4 * b));
            for (w, a) in fours {
                let (a0, a1) = a.split_at(b);
                let (a1, a2) = a1.split_at(b);
                let (a2, a3) = a2.split_at(b);
                for i in 0..b {
                    z[i] = z[i] + ((w[0] * a0[i] + w[1] * a1[i]) + (w[2] * a2[i] + w[3] * a3[i]));
                }
            }
            let done = inputs / 4 * 4;
            for (&w, a) in w[done..].iter().zip(self.a[done * b..].chunks_exact(b)) {
                for i in 0..b {
                    z[i] = z[i] + w * a[i];
                }
            }
        }
    }
}

/// What becomes of a conditional probability: `±1` drawn or given, `P(+1)`, and the parts of `ln q`.
///
/// With $`e = e^{-|x|}`$, `ln q(s) = min(s x, 0) - ln(1 + e)`: the first part is added up, the factors `1 + e` in (1, 2]
/// are multiplied, so that one logarithm serves many sites.
pub(crate) struct Conditional<'a, T> {
    pub logit: &'a [T],
    /// Uniform in [0, 1) where a spin is drawn, empty where it is given.
    pub uniform: &'a [f64],
    pub spin: &'a mut [T],
    pub up: &'a mut [T],
    pub linear: &'a mut [f64],
    pub product: &'a mut [f64],
}

impl<T: Scalar> Work for Conditional<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let b = self.logit.len();
        let (spin, up) = (&mut self.spin[..b], &mut self.up[..b]);
        let (linear, product) = (&mut self.linear[..b], &mut self.product[..b]);
        let minus = T::from_f64(-1.0);
        if self.uniform.is_empty() {
            for i in 0..b {
                let x = self.logit[i].to_f64();
                let e = exp_nonpositive(-x.abs());
                let share = 1.0 / (1.0 + e);
                up[i] = T::from_f64(if x < 0.0 { e * share } else { share });
                let sx = spin[i].to_f64() * x;
                linear[i] += if sx > 0.0 { 0.0 } else { sx };
                product[i] *= 1.0 + e;
            }
        } else {
            let uniform = &self.uniform[..b];
            for i in 0..b {
                let x = self.logit[i].to_f64();
                let e = exp_nonpositive(-x.abs());
                let share = 1.0 / (1.0 + e);
                let p = if x < 0.0 { e * share } else { share };
                up[i] = T::from_f64(p);
                let plus = uniform[i] < p;
                spin[i] = if plus { T::ONE } else { minus };
                let sx = if plus { x } else { -x };
                linear[i] += if sx > 0.0 { 0.0 } else { sx };
                product[i] *= 1.0 + e;
            }
        }
    }
}

/// `a = z` above 0, `slope · z` below.
pub(crate) struct PRelu<'a, T> {
    pub z: &'a [T],
    pub slope: T,
    pub a: &'a mut [T],
}

impl<T: Scalar> Work for PRelu<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (a, &z) in self.a.iter_mut().zip(self.z) {
            *a = if z > T::ZERO { z } else { self.slope * z };
        }
    }
}

/// `∂/∂a` to `∂/∂z` in place, and `sum += Σ ∂/∂a min(z, 0)`, in eight sums side by side.
pub(crate) struct PReluGradient<'a, T> {
    pub z: &'a [T],
    pub slope: T,
    pub delta: &'a mut [T],
    pub sum: &'a mut T,
}

impl<T: Scalar> Work for PReluGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut sums = [T::ZERO; 8];
        let one = |delta: &mut T, z: T, sum: &mut T| {
            *sum = *sum + *delta * if z > T::ZERO { T::ZERO } else { z };
            *delta = if z > T::ZERO { *delta } else { self.slope * *delta };
        };
        let (mut deltas, zs) = (self.delta.chunks_exact_mut(8), self.z.chunks_exact(8));
        let rest = zs.remainder();
        for (delta, z) in deltas.by_ref().zip(zs) {
            for k in 0..8 {
                one(&mut delta[k], z[k], &mut sums[k]);
            }
        }
        for (delta, &z) in deltas.into_remainder().iter_mut().zip(rest) {
            one(delta, z, &mut sums[0]);
        }
        *self.sum = sums.iter().fold(*self.sum, |total, &x| total + x);
    }
}

/// `a = tanh z`.
pub(crate) struct Tanh<'a, T> {
    pub z: &'a [T],
    pub a: &'a mut [T],
}

impl<T: Scalar> Work for Tanh<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (a, &z) in self.a.iter_mut().zip(self.z) {
            *a = z.tanh();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::simd::widest;

    #[test]
    fn exponential_and_tanh() {
        for k in 0..=70_900 {
            let x = -f64::from(k) / 100.0;
            let (mine, reference) = (exp_nonpositive(x), x.exp());
            if x > -708.0 {
                assert!((mine / reference - 1.0).abs() < 5e-16, "{x}: {mine} {reference}");
            }
            let t = x / 30.0;
            let (ln_cosh, tanh_of) = ln_cosh_tanh(t);
            assert!((ln_cosh - linalg_core::logspace::ln_cosh(t)).abs() < 1e-11, "{t}: {ln_cosh}");
            assert!((tanh_of - t.tanh()).abs() < 1e-15);
            assert!((tanh(t) - t.tanh()).abs() < 1e-15 && (tanh(-t) + t.tanh()).abs() < 1e-15);
        }
        assert!(exp_nonpositive(f64::NEG_INFINITY).abs() < f64::MIN_POSITIVE && exp_nonpositive(f64::NAN).is_nan());
    }

    #[test]
    fn wide_vectors_give_the_same_bits() {
        for b in [1, 7, 16, 61] {
            for k in [1, 3, 4, 9] {
                let a: Vec<f32> = (0..k * b).map(|i| (i as f32 * 0.7).sin()).collect();
                let w: Vec<f32> = (0..3 * 11).map(|i| (i as f32 * 1.3).cos()).collect();
                let (mut wide, mut plain) = (vec![0.5f32; 3 * b], vec![0.5f32; 3 * b]);
                widest(AddProducts { z: &mut wide, w: &w, stride: 11, a: &a, samples: b });
                AddProducts { z: &mut plain, w: &w, stride: 11, a: &a, samples: b }.run();
                assert_eq!(
                    wide.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                    plain.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
                );
                let logit: Vec<f64> = (0..b).map(|i| (i as f64 * 0.9).sin() * 20.0).collect();
                let uniform: Vec<f64> = (0..b).map(|i| (i as f64 * 0.37).fract()).collect();
                let run = |wide: bool| {
                    let (mut spin, mut up) = (vec![0.0; b], vec![0.0; b]);
                    let (mut linear, mut product) = (vec![0.0; b], vec![1.0; b]);
                    let work = Conditional {
                        logit: &logit,
                        uniform: &uniform,
                        spin: &mut spin,
                        up: &mut up,
                        linear: &mut linear,
                        product: &mut product,
                    };
                    if wide {
                        widest(work)
                    } else {
                        work.run()
                    }
                    [spin, up, linear, product].concat().iter().map(|x: &f64| x.to_bits()).collect::<Vec<_>>()
                };
                assert_eq!(run(true), run(false));
            }
        }
    }
}
