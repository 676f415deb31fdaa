//! The loops of transformer blocks, samples side by side.

use crate::kernels::{sum, tanh};
use crate::scalar::Scalar;
use linalg_core::simd::{Work, exp};

/// Added to the variance of a layer norm.
const EPSILON: f64 = 1e-5;
/// `√(2/π)`.
const GELU_RATE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBE: f64 = 0.044_715;

/// `normed = (x - mean)/√(variance + ε)` over the features of every sample, `out = gain · normed + shift`.
pub(super) struct LayerNorm<'a, T> {
    pub x: &'a [T],
    pub gain: &'a [T],
    pub shift: &'a [T],
    pub normed: &'a mut [T],
    /// `1/√(variance + ε)`.
    pub scale: &'a mut [T],
    pub out: &'a mut [T],
}

impl<T: Scalar> Work for LayerNorm<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let b = self.scale.len();
        let (minus, per) = (T::from_f64(-1.0), T::from_f64(1.0 / self.gain.len() as f64));
        // `out` holds the mean first.
        let mean = &mut self.out[..b];
        mean.fill(T::ZERO);
        for row in self.x.chunks_exact(b) {
            for k in 0..b {
                mean[k] = mean[k] + per * row[k];
            }
        }
        self.scale.fill(T::ZERO);
        for (row, normed) in self.x.chunks_exact(b).zip(self.normed.chunks_exact_mut(b)) {
            for k in 0..b {
                let centred = row[k] + minus * mean[k];
                normed[k] = centred;
                self.scale[k] = self.scale[k] + per * centred * centred;
            }
        }
        for scale in self.scale.iter_mut() {
            *scale = T::from_f64(1.0 / (scale.to_f64() + EPSILON).sqrt());
        }
        let rows = self.normed.chunks_exact_mut(b).zip(self.out.chunks_exact_mut(b));
        for ((normed, out), (&gain, &shift)) in rows.zip(self.gain.iter().zip(self.shift)) {
            for k in 0..b {
                normed[k] = normed[k] * self.scale[k];
                out[k] = gain * normed[k] + shift;
            }
        }
    }
}

/// From `∂/∂out` to `x_gradient += ∂/∂x`, and the gradients of gain and shift. `out` is overwritten.
pub(super) struct LayerNormBack<'a, T> {
    pub normed: &'a [T],
    pub scale: &'a [T],
    pub gain: &'a [T],
    pub out: &'a mut [T],
    pub gain_gradient: &'a mut [T],
    pub shift_gradient: &'a mut [T],
    pub x_gradient: &'a mut [T],
    /// Room for two numbers a sample.
    pub scratch: &'a mut [T],
}

impl<T: Scalar> Work for LayerNormBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let b = self.scale.len();
        let (minus, per) = (T::from_f64(-1.0), T::from_f64(1.0 / self.gain.len() as f64));
        let (mean, along) = self.scratch[..2 * b].split_at_mut(b);
        mean.fill(T::ZERO);
        along.fill(T::ZERO);
        for (d, (out, normed)) in self.out.chunks_exact_mut(b).zip(self.normed.chunks_exact(b)).enumerate() {
            self.gain_gradient[d] = self.gain_gradient[d] + dot(out, normed);
            self.shift_gradient[d] = self.shift_gradient[d] + sum(out);
            for k in 0..b {
                out[k] = self.gain[d] * out[k];
                mean[k] = mean[k] + per * out[k];
                along[k] = along[k] + per * out[k] * normed[k];
            }
        }
        let rows = self.out.chunks_exact(b).zip(self.normed.chunks_exact(b));
        for ((out, normed), x) in rows.zip(self.x_gradient.chunks_exact_mut(b)) {
            for k in 0..b {
                x[k] = x[k] + self.scale[k] * (out[k] + minus * (mean[k] + normed[k] * along[k]));
            }
        }
    }
}

/// Eight sums of products side by side.
#[inline(always)]
pub(super) fn dot<T: Scalar>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::ZERO; 8];
    let (eights, others) = (a.chunks_exact(8), b.chunks_exact(8));
    let mut rest = T::ZERO;
    for (&x, &y) in eights.remainder().iter().zip(others.remainder()) {
        rest = rest + x * y;
    }
    for (x, y) in eights.zip(others) {
        for k in 0..8 {
            sums[k] = sums[k] + x[k] * y[k];
        }
    }
    sums.iter().fold(rest, |total, &x| total + x)
}

/// `a = z/2 (1 + tanh(√(2/π) (z + 0.044715 z³)))`.
pub(super) struct Gelu<'a, T> {
    pub z: &'a [T],
    pub a: &'a mut [T],
}

impl<T: Scalar> Work for Gelu<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (a, &z) in self.a.iter_mut().zip(self.z) {
            let z = z.to_f64();
            *a = T::from_f64(0.5 * z * (1.0 + tanh(GELU_RATE * (z + GELU_CUBE * z * z * z))));
        }
    }
}

/// `∂/∂a` to `∂/∂z` in place.
pub(super) struct GeluBack<'a, T> {
    pub z: &'a [T],
    pub delta: &'a mut [T],
}

impl<T: Scalar> Work for GeluBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (delta, &z) in self.delta.iter_mut().zip(self.z) {
            let z = z.to_f64();
            let t = tanh(GELU_RATE * (z + GELU_CUBE * z * z * z));
            let slope = GELU_RATE * (1.0 + 3.0 * GELU_CUBE * z * z);
            *delta = T::from_f64(delta.to_f64() * 0.5 * ((1.0 + t) + z * (1.0 - t * t) * slope));
        }
    }
}

/// Where the queries, keys and values of one head lie: every site has 3 D rows of `b` samples.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub dim: usize,
    /// First row of the head in each third.
    pub first: usize,
    /// Rows of the head.
    pub size: usize,
    pub b: usize,
}

impl Head {
    /// Rows of the head in the third `part` (0 queries, 1 keys, 2 values) of site `j`.
    #[inline(always)]
    fn at(&self, j: usize, part: usize) -> std::ops::Range<usize> {
        let begin = (j * 3 * self.dim + part * self.dim + self.first) * self.b;
        begin..begin + self.size * self.b
    }

    /// `score_j = scale Σ_d q_d k_jd` for `j = 0 ..= i`.
    #[inline(always)]
    fn scores<T: Scalar>(&self, qkv: &[T], i: usize, scores: &mut [T]) {
        let (b, scale) = (self.b, T::from_f64(1.0 / (self.size as f64).sqrt()));
        let query = &qkv[self.at(i, 0)];
        for (j, score) in scores[..(i + 1) * b].chunks_exact_mut(b).enumerate() {
            score.fill(T::ZERO);
            for (q, k) in query.chunks_exact(b).zip(qkv[self.at(j, 1)].chunks_exact(b)) {
                for lane in 0..b {
                    score[lane] = score[lane] + q[lane] * k[lane];
                }
            }
            score.iter_mut().for_each(|s| *s = scale * *s);
        }
    }
}

/// One head at site `i` over the sites up to it: `out = Σ_j softmax(score)_j v_j`.
pub(super) struct Attend<'a, T> {
    pub head: Head,
    pub i: usize,
    pub qkv: &'a [T],
    pub out: &'a mut [T],
    /// Largest score and the logarithm of the sum of exponentials above it.
    pub ln_sum: &'a mut [T],
    /// Room for a number for every site and sample.
    pub scores: &'a mut [T],
}

impl<T: Scalar> Work for Attend<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (b, i) = (self.head.b, self.i);
        self.head.scores(self.qkv, i, self.scores);
        let scores = &mut self.scores[..(i + 1) * b];
        let (largest, total) = self.ln_sum.split_at_mut(b);
        largest.copy_from_slice(&scores[..b]);
        for score in scores[b..].chunks_exact(b) {
            for lane in 0..b {
                largest[lane] = if score[lane] > largest[lane] { score[lane] } else { largest[lane] };
            }
        }
        total.fill(T::ZERO);
        for score in scores.chunks_exact_mut(b) {
            for lane in 0..b {
                score[lane] = T::from_f64(exp(score[lane].to_f64() - largest[lane].to_f64()));
                total[lane] = total[lane] + score[lane];
            }
        }
        // From here on the inverse of the sum.
        total.iter_mut().for_each(|t| *t = T::from_f64(1.0 / t.to_f64()));
        self.out.fill(T::ZERO);
        for (j, weight) in scores.chunks_exact(b).enumerate() {
            for (out, v) in self.out.chunks_exact_mut(b).zip(self.qkv[self.head.at(j, 2)].chunks_exact(b)) {
                for lane in 0..b {
                    out[lane] = out[lane] + weight[lane] * v[lane];
                }
            }
        }
        for out in self.out.chunks_exact_mut(b) {
            for lane in 0..b {
                out[lane] = out[lane] * total[lane];
            }
        }
    }
}

/// From `∂/∂out` of [`Attend`] to the gradients of queries, keys and values, which are added to.
pub(super) struct AttendBack<'a, T> {
    pub head: Head,
    pub i: usize,
    pub qkv: &'a [T],
    pub out_gradient: &'a [T],
    /// As [`Attend`] left it.
    pub ln_sum: &'a [T],
    pub qkv_gradient: &'a mut [T],
    /// Room for two numbers for every site and sample, and one for every sample.
    pub scratch: &'a mut [T],
}

impl<T: Scalar> Work for AttendBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (b, i, head) = (self.head.b, self.i, self.head);
        let (minus, scale) = (T::from_f64(-1.0), T::from_f64(1.0 / (head.size as f64).sqrt()));
        let (weights, rest) = self.scratch.split_at_mut((i + 1) * b);
        let (slopes, rest) = rest.split_at_mut((i + 1) * b);
        let along = &mut rest[..b];
        let (largest, inverse) = self.ln_sum.split_at(b);
        head.scores(self.qkv, i, weights);
        along.fill(T::ZERO);
        for (j, (weight, slope)) in weights.chunks_exact_mut(b).zip(slopes.chunks_exact_mut(b)).enumerate() {
            for lane in 0..b {
                let e = exp(weight[lane].to_f64() - largest[lane].to_f64());
                weight[lane] = T::from_f64(e) * inverse[lane];
            }
            slope.fill(T::ZERO);
            let values = self.qkv[head.at(j, 2)].chunks_exact(b);
            let value_gradients = self.qkv_gradient[head.at(j, 2)].chunks_exact_mut(b);
            for ((delta, v), gradient) in self.out_gradient.chunks_exact(b).zip(values).zip(value_gradients) {
                for lane in 0..b {
                    slope[lane] = slope[lane] + delta[lane] * v[lane];
                    gradient[lane] = gradient[lane] + weight[lane] * delta[lane];
                }
            }
            for lane in 0..b {
                along[lane] = along[lane] + weight[lane] * slope[lane];
            }
        }
        for (j, (weight, slope)) in weights.chunks_exact(b).zip(slopes.chunks_exact_mut(b)).enumerate() {
            for lane in 0..b {
                slope[lane] = scale * weight[lane] * (slope[lane] + minus * along[lane]);
            }
            for d in 0..head.size {
                let (q, k) = (head.at(i, 0).start + d * b, head.at(j, 1).start + d * b);
                let (query, key) = (&self.qkv[q..q + b], &self.qkv[k..k + b]);
                let gradient = &mut self.qkv_gradient[q..q + b];
                for lane in 0..b {
                    gradient[lane] = gradient[lane] + slope[lane] * key[lane];
                }
                let gradient = &mut self.qkv_gradient[k..k + b];
                for lane in 0..b {
                    gradient[lane] = gradient[lane] + slope[lane] * query[lane];
                }
            }
        }
    }
}
