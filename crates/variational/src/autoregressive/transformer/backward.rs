//! The gradient, by hand.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::layout::{Linear, Norm, START};
use super::loops::{AttendBack, Gelu, GeluBack, LayerNormBack, dot};
use super::{Transformer, TransformerPass};
use crate::kernels::sum;
use crate::scalar::Scalar;
use linalg_core::simd::widest;

/// Buffers of the backward pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch<T> {
    /// ∂/∂x of every site.
    x: Vec<T>,
    qkv: Vec<T>,
    /// Outputs of a norm, recomputed, and their gradient.
    h: [Vec<T>; 2],
    wide: [Vec<T>; 2],
    attend: Vec<T>,
}

fn room<T: Scalar>(buffer: &mut Vec<T>, len: usize) {
    buffer.clear();
    buffer.resize(len, T::ZERO);
}

impl<T: Scalar> Transformer<T> {
    /// Gradients of a linear map from its inputs and `∂/∂out`.
    fn linear_gradient(map: &Linear, x: &[T], delta: &[T], gradient: &mut [T], b: usize) {
        gemm(
            T::ONE,
            Matrix::row_major(x, map.inputs, b),
            Matrix::row_major(delta, map.outputs, b).transposed(),
            T::ONE,
            MatrixMut::row_major(&mut gradient[map.weight.clone()], map.inputs, map.outputs),
        );
        for (g, delta) in gradient[map.bias.clone()].iter_mut().zip(delta.chunks_exact(b)) {
            *g = *g + sum(delta);
        }
    }

    /// `∂/∂x = w ∂/∂out`.
    fn through_linear(&self, map: &Linear, delta: &[T], out: &mut [T], b: usize) {
        gemm(
            T::ONE,
            Matrix::row_major(&self.theta[map.weight.clone()], map.inputs, map.outputs),
            Matrix::row_major(delta, map.outputs, b),
            T::ZERO,
            MatrixMut::row_major(out, map.inputs, b),
        );
    }

    /// The output of a norm from what was kept.
    fn norm_output(&self, norm: &Norm, normed: &[T], out: &mut [T], b: usize) {
        let affine = self.theta[norm.gain.clone()].iter().zip(&self.theta[norm.shift.clone()]);
        for ((out, normed), (&gain, &shift)) in out.chunks_exact_mut(b).zip(normed.chunks_exact(b)).zip(affine) {
            out.iter_mut().zip(normed).for_each(|(out, &x)| *out = gain * x + shift);
        }
    }

    #[allow(clippy::too_many_arguments)] // The operands of one formula.
    fn through_norm(
        &self,
        norm: &Norm,
        normed: &[T],
        scale: &[T],
        out: &mut [T],
        x_gradient: &mut [T],
        gradient: &mut [T],
        scratch: &mut [T],
    ) {
        let (gains, shifts) = gradient[norm.gain.start..norm.shift.end].split_at_mut(norm.gain.len());
        widest(LayerNormBack {
            normed,
            scale,
            gain: &self.theta[norm.gain.clone()],
            out,
            gain_gradient: gains,
            shift_gradient: shifts,
            x_gradient,
            scratch,
        });
    }

    pub(super) fn backward(&self, delta: &[T], pass: &mut TransformerPass<T>, gradient: &mut [T]) {
        let (b, n, dim) = (pass.samples.b, self.sites(), self.params.dim);
        let mut scratch = std::mem::take(&mut pass.scratch);
        room(&mut scratch.x, n * dim * b);
        room(&mut scratch.qkv, n * 3 * dim * b);
        scratch.h.iter_mut().for_each(|buffer| room(buffer, dim * b));
        scratch.wide.iter_mut().for_each(|buffer| room(buffer, 4 * dim * b));
        room(&mut scratch.attend, (2 * n + 2) * b);
        self.output_gradient(delta, pass, &mut scratch, gradient);
        for l in (0..self.layout.blocks.len()).rev() {
            scratch.qkv.fill(T::ZERO);
            // Sites of the prefix have keys and values alone in the last block.
            let first = if l + 1 == self.layout.blocks.len() { self.prefix } else { 0 };
            for i in first..n {
                self.feed_forward_gradient(l, i, pass, &mut scratch, gradient);
                self.mix_gradient(l, i, pass, &mut scratch, gradient);
            }
            self.attention_gradient(l, pass, &mut scratch, gradient);
        }
        self.embedding_gradient(pass, &scratch, gradient);
        pass.scratch = scratch;
    }

    fn output_gradient(&self, delta: &[T], pass: &TransformerPass<T>, scratch: &mut Scratch<T>, gradient: &mut [T]) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        let [h, back] = &mut scratch.h;
        let minus = T::from_f64(-1.0);
        for (delta, i) in delta.chunks_exact(b).zip(self.prefix..) {
            let rows = i * dim * b..(i + 1) * dim * b;
            let (normed, scale) = (&pass.normed[rows.clone()], &pass.scale[i * b..(i + 1) * b]);
            self.norm_output(&self.layout.norm, normed, h, b);
            for (d, (h, back)) in h.chunks_exact(b).zip(back.chunks_exact_mut(b)).enumerate() {
                let (weight, slope) = (self.output(d), dot(h, delta));
                back.iter_mut().zip(delta).for_each(|(back, &delta)| *back = weight * delta);
                match &self.layout.head {
                    Some(head) => {
                        let g = &mut gradient[head.weight.start + d];
                        *g = *g + slope;
                    }
                    None => {
                        let up = self.layout.token.start + d;
                        gradient[up] = gradient[up] + slope;
                        gradient[up + dim] = gradient[up + dim] + minus * slope;
                    }
                }
            }
            if let Some(head) = &self.layout.head {
                let g = &mut gradient[head.bias.start];
                *g = *g + sum(delta);
            }
            let x = &mut scratch.x[rows];
            self.through_norm(&self.layout.norm, normed, scale, back, x, gradient, &mut scratch.attend);
        }
    }

    fn feed_forward_gradient(
        &self,
        l: usize,
        i: usize,
        pass: &TransformerPass<T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        let (block, kept) = (&self.layout.blocks[l], &pass.blocks[l]);
        let rows = |size: usize| i * size * b..(i + 1) * size * b;
        let ([h, back], [wide, wide_back]) = (&mut scratch.h, &mut scratch.wide);
        let x = &mut scratch.x[rows(dim)];
        let (hidden, normed) = (&kept.hidden[rows(4 * dim)], &kept.normed_2[rows(dim)]);
        widest(Gelu { z: hidden, a: wide });
        Self::linear_gradient(&block.contract, wide, x, gradient, b);
        self.through_linear(&block.contract, x, wide_back, b);
        widest(GeluBack { z: hidden, delta: wide_back });
        self.norm_output(&block.norm_2, normed, h, b);
        Self::linear_gradient(&block.expand, h, wide_back, gradient, b);
        self.through_linear(&block.expand, wide_back, back, b);
        self.through_norm(&block.norm_2, normed, &kept.scale_2[rows(1)], back, x, gradient, &mut scratch.attend);
    }

    /// From `∂/∂x` after the attention of site `i` to the gradients of queries, keys and values.
    fn mix_gradient(
        &self,
        l: usize,
        i: usize,
        pass: &TransformerPass<T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) {
        let (b, dim, heads) = (pass.samples.b, self.params.dim, self.params.heads);
        let (block, kept) = (&self.layout.blocks[l], &pass.blocks[l]);
        let rows = |size: usize| i * size * b..(i + 1) * size * b;
        let (x, back) = (&scratch.x[rows(dim)], &mut scratch.h[1]);
        Self::linear_gradient(&block.mix, &kept.mixed[rows(dim)], x, gradient, b);
        self.through_linear(&block.mix, x, back, b);
        let deltas = back.chunks_exact(dim / heads * b);
        for (h, (out_gradient, ln_sum)) in deltas.zip(kept.ln_sum[rows(2 * heads)].chunks_exact(2 * b)).enumerate() {
            widest(AttendBack {
                head: self.head(h, b),
                i,
                qkv: &kept.qkv,
                out_gradient,
                ln_sum,
                qkv_gradient: &mut scratch.qkv,
                scratch: &mut scratch.attend,
            });
        }
    }

    fn attention_gradient(&self, l: usize, pass: &TransformerPass<T>, scratch: &mut Scratch<T>, gradient: &mut [T]) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        let (block, kept) = (&self.layout.blocks[l], &pass.blocks[l]);
        let [h, back] = &mut scratch.h;
        for i in 0..self.sites() {
            let rows = |size: usize| i * size * b..(i + 1) * size * b;
            let (delta, normed) = (&scratch.qkv[rows(3 * dim)], &kept.normed_1[rows(dim)]);
            self.norm_output(&block.norm_1, normed, h, b);
            Self::linear_gradient(&block.attention, h, delta, gradient, b);
            self.through_linear(&block.attention, delta, back, b);
            let x = &mut scratch.x[rows(dim)];
            self.through_norm(&block.norm_1, normed, &kept.scale_1[rows(1)], back, x, gradient, &mut scratch.attend);
        }
    }

    fn embedding_gradient(&self, pass: &TransformerPass<T>, scratch: &Scratch<T>, gradient: &mut [T]) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        let (token, position) = (self.layout.token.start, self.layout.position.start);
        let half = T::from_f64(0.5);
        let minus = T::from_f64(-1.0);
        for (row, x) in scratch.x.chunks_exact(b).enumerate() {
            let (i, d) = (row / dim, row % dim);
            let total = sum(x);
            gradient[position + row] = gradient[position + row] + total;
            if i == 0 {
                let g = &mut gradient[token + START * dim + d];
                *g = *g + total;
            } else {
                let odd = dot(x, self.before(i, &pass.context, &pass.samples));
                let (up, down) = (token + d, token + dim + d);
                gradient[up] = gradient[up] + half * (total + odd);
                gradient[down] = gradient[down] + half * (total + minus * odd);
            }
            for (k, numbers) in pass.globals.chunks_exact(b).enumerate() {
                let g = &mut gradient[self.layout.globals.start + k * dim + d];
                *g = *g + dot(x, numbers);
            }
        }
    }
}
