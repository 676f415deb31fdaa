//! The loops of network layers, samples side by side.

use crate::scalar::Scalar;
use linalg_core::simd::{Work, exp, ln_1p};

/// `tanh x` in plain arithmetic; absolute error below 1e-15.
#[inline(always)]
pub(crate) fn tanh(x: f64) -> f64 {
    let e = exp(-2.0 * x.abs());
    let size = (1.0 - e) / (1.0 + e);
    if x < 0.0 { -size } else { size }
}

/// `(ln cosh x, tanh x)` in plain arithmetic; absolute errors below 2e-14.
#[inline(always)]
pub(crate) fn ln_cosh_tanh(x: f64) -> (f64, f64) {
    let size = x.abs();
    let e = exp(-2.0 * size);
    let tanh = (1.0 - e) / (1.0 + e);
    (size + ln_1p(e) - std::f64::consts::LN_2, if x < 0.0 { -tanh } else { tanh })
}

/// The sum of a row, in eight sums side by side.
#[inline(always)]
pub(crate) fn sum<T: Scalar>(a: &[T]) -> T {
    let mut sums = [T::ZERO; 8];
    let eights = a.chunks_exact(8);
    let mut rest = T::ZERO;
    eights.remainder().iter().for_each(|&x| rest = rest + x);
    for x in eights {
        for k in 0..8 {
            sums[k] = sums[k] + x[k];
        }
    }
    sums.iter().fold(rest, |total, &x| total + x)
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
        for (sum, &xi) in self.sum.iter_mut().zip(self.xi) {
            *sum = *sum + self.w * (xi + self.shift).ln_cosh_tanh().0;
        }
    }
}

/// `Σ share ln cosh(xi + shift)` and `Σ share tanh(xi + shift)`, in sixteen sums side by side.
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
        let (mut ln_cosh, mut tanh) = ([T::ZERO; 16], [T::ZERO; 16]);
        let (xis, shares) = (self.xi.chunks_exact(16), self.share.chunks_exact(16));
        for (k, (&xi, &share)) in xis.remainder().iter().zip(shares.remainder()).enumerate() {
            let (l, t) = (xi + self.shift).ln_cosh_tanh();
            ln_cosh[k] = ln_cosh[k] + share * l;
            tanh[k] = tanh[k] + share * t;
        }
        for (xi, share) in xis.zip(shares) {
            for k in 0..16 {
                let (l, t) = (xi[k] + self.shift).ln_cosh_tanh();
                ln_cosh[k] = ln_cosh[k] + share[k] * l;
                tanh[k] = tanh[k] + share[k] * t;
            }
        }
        *self.sums = [ln_cosh, tanh].map(|sums| sums.into_iter().fold(T::ZERO, |total, x| total + x));
    }
}

/// Turns the logarithms of K terms, K x samples, into shares of their sums, and adds `factor` times the logarithms of the sums to the
/// logits.
pub(crate) struct Shares<'a, T> {
    pub ln_terms: &'a mut [T],
    pub factor: T,
    pub logit: &'a mut [T],
    /// Room for a number a sample.
    pub total: &'a mut [T],
}

impl<T: Scalar> Work for Shares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let b = self.logit.len();
        let minus = T::from_f64(-1.0);
        let total = &mut self.total[..b];
        total.copy_from_slice(&self.ln_terms[..b]);
        for term in self.ln_terms[b..].chunks_exact(b) {
            total.iter_mut().zip(term).for_each(|(total, &x)| *total = total.log_add_exp(x));
        }
        for term in self.ln_terms.chunks_exact_mut(b) {
            for (x, &total) in term.iter_mut().zip(&*total) {
                *x = (*x + minus * total).exp_nonpositive();
            }
        }
        self.logit.iter_mut().zip(total).for_each(|(logit, &mut total)| *logit = *logit + self.factor * total);
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
                let e = exp(-x.abs());
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
                let e = exp(-x.abs());
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
    fn hyperbolic_functions() {
        for k in 0..=70_900 {
            let x = -f64::from(k) / 100.0;
            let t = x / 30.0;
            let (ln_cosh, tanh_of) = ln_cosh_tanh(t);
            assert!((ln_cosh - linalg_core::logspace::ln_cosh(t)).abs() < 2e-14, "{t}: {ln_cosh}");
            assert!((tanh_of - t.tanh()).abs() < 1e-15);
            assert!((tanh(t) - t.tanh()).abs() < 1e-15 && (tanh(-t) + t.tanh()).abs() < 1e-15);
        }
    }

    /// Three terms of seven samples, sums over which overflow if taken as they are; single precision within its own.
    #[test]
    fn shares_of_terms() {
        let terms: Vec<f64> = (0..21).map(|k| 900.0 * (f64::from(k) * 1.7).sin()).collect();
        let run = |wide: bool| {
            let (mut ln_terms, mut logit, mut total) = (terms.clone(), vec![1.0; 7], vec![0.0; 7]);
            let work = Shares { ln_terms: &mut ln_terms, factor: -1.0, logit: &mut logit, total: &mut total };
            if wide {
                widest(work)
            } else {
                work.run()
            }
            (ln_terms, logit)
        };
        let (shares, logit) = run(true);
        assert_eq!((&shares, &logit), (&run(false).0, &run(false).1));
        let mut single: Vec<f32> = terms.iter().map(|x| (*x / 300.0) as f32).collect();
        let (mut single_logit, mut total) = (vec![0.0f32; 7], vec![0.0; 7]);
        let doubles: Vec<f64> = single.iter().map(|x| f64::from(*x)).collect();
        Shares { ln_terms: &mut single, factor: 1.0, logit: &mut single_logit, total: &mut total }.run();
        for lane in 0..7 {
            let of = |values: &[f64]| {
                linalg_core::logspace::log_sum_exp(&[values[lane], values[7 + lane], values[14 + lane]])
            };
            assert!((logit[lane] - 1.0 + of(&terms)).abs() < 1e-11);
            assert!((f64::from(single_logit[lane]) - of(&doubles)).abs() < 1e-6);
            for k in 0..3 {
                let at = 7 * k + lane;
                assert!((shares[at] - (terms[at] - of(&terms)).exp()).abs() < 1e-12);
                assert!((f64::from(single[at]) - (doubles[at] - of(&doubles)).exp()).abs() < 1e-6);
            }
        }
        for k in -500..=500 {
            let x = 0.02 * f64::from(k);
            let ((l, t), (ln_cosh, tanh)) = ((x as f32).ln_cosh_tanh(), ln_cosh_tanh(f64::from(x as f32)));
            assert!((f64::from(l) - ln_cosh).abs() < 1e-6 && (f64::from(t) - tanh).abs() < 3e-7, "{x}: {l} {t}");
        }
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
