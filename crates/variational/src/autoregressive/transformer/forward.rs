//! One site through all blocks, with the keys and values of the earlier sites kept.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::layout::{Linear, Norm, START};
use super::loops::{Attend, Gelu, Head, LayerNorm};
use super::{Transformer, TransformerPass};
use crate::scalar::Scalar;
use linalg_core::simd::widest;

impl<T: Scalar> Transformer<T> {
    /// `out += x @ w + b`, samples as columns.
    fn add_linear(&self, map: &Linear, x: &[T], out: &mut [T], b: usize) {
        for (row, &bias) in out.chunks_exact_mut(b).zip(&self.theta[map.bias.clone()]) {
            row.iter_mut().for_each(|out| *out = *out + bias);
        }
        gemm(
            T::ONE,
            Matrix::row_major(&self.theta[map.weight.clone()], map.inputs, map.outputs).transposed(),
            Matrix::row_major(x, map.inputs, b),
            T::ONE,
            MatrixMut::row_major(out, map.outputs, b),
        );
    }

    fn layer_norm(&self, norm: &Norm, x: &[T], normed: &mut [T], scale: &mut [T], out: &mut [T]) {
        let (gain, shift) = (&self.theta[norm.gain.clone()], &self.theta[norm.shift.clone()]);
        widest(LayerNorm { x, gain, shift, normed, scale, out });
    }

    /// Rows of head `h`.
    pub(super) fn head(&self, h: usize, b: usize) -> Head {
        let size = self.params.dim / self.params.heads;
        Head { dim: self.params.dim, first: h * size, size, b }
    }

    /// Token of the spin before site `i`, and position.
    fn embed(&self, i: usize, pass: &mut TransformerPass<T>) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        let tokens = &self.theta[self.layout.token.clone()];
        let position = &self.theta[self.layout.position.clone()][i * dim..(i + 1) * dim];
        for (d, (x, &position)) in pass.x.chunks_exact_mut(b).zip(position).enumerate() {
            if i == 0 {
                x.fill(tokens[START * dim + d] + position);
            } else {
                let (up, down) = (tokens[d] + position, tokens[dim + d] + position);
                for (x, &s) in x.iter_mut().zip(&pass.samples.spin[(i - 1) * b..i * b]) {
                    *x = if s > T::ZERO { up } else { down };
                }
            }
        }
    }

    /// Leaves the logit of site `i` in `pass.logit`; the spins before it must be there.
    pub(super) fn site(&self, i: usize, pass: &mut TransformerPass<T>) {
        let (b, dim, heads) = (pass.samples.b, self.params.dim, self.params.heads);
        self.embed(i, pass);
        let rows = |size: usize| i * size * b..(i + 1) * size * b;
        for (block, kept) in self.layout.blocks.iter().zip(&mut pass.blocks) {
            let (normed, scale) = (&mut kept.normed_1[rows(dim)], &mut kept.scale_1[rows(1)]);
            self.layer_norm(&block.norm_1, &pass.x, normed, scale, &mut pass.h);
            let own = &mut kept.qkv[rows(3 * dim)];
            own.fill(T::ZERO);
            self.add_linear(&block.attention, &pass.h, own, b);
            let mixed = kept.mixed[rows(dim)].chunks_exact_mut(dim / heads * b);
            let ln_sums = kept.ln_sum[rows(2 * heads)].chunks_exact_mut(2 * b);
            for (h, (out, ln_sum)) in mixed.zip(ln_sums).enumerate() {
                let (head, scores) = (self.head(h, b), &mut pass.scores);
                widest(Attend { head, i, qkv: &kept.qkv, out, ln_sum, scores });
            }
            self.add_linear(&block.mix, &kept.mixed[rows(dim)], &mut pass.x, b);
            let (normed, scale) = (&mut kept.normed_2[rows(dim)], &mut kept.scale_2[rows(1)]);
            self.layer_norm(&block.norm_2, &pass.x, normed, scale, &mut pass.h);
            let hidden = &mut kept.hidden[rows(4 * dim)];
            hidden.fill(T::ZERO);
            self.add_linear(&block.expand, &pass.h, hidden, b);
            widest(Gelu { z: hidden, a: &mut pass.wide });
            self.add_linear(&block.contract, &pass.wide, &mut pass.x, b);
        }
        let (normed, scale) = (&mut pass.normed[rows(dim)], &mut pass.scale[rows(1)]);
        self.layer_norm(&self.layout.norm, &pass.x, normed, scale, &mut pass.h);
        pass.logit.fill(T::ZERO);
        for (d, h) in pass.h.chunks_exact(b).enumerate() {
            let weight = self.output(d);
            for (logit, &h) in pass.logit.iter_mut().zip(h) {
                *logit = *logit + weight * h;
            }
        }
        if let Some(head) = &self.layout.head {
            let bias = self.theta[head.bias.start];
            pass.logit.iter_mut().for_each(|logit| *logit = *logit + bias);
        }
    }

    /// What feature `d` adds to the logit: that of the head, or the difference of the embeddings of up and down.
    pub(super) fn output(&self, d: usize) -> T {
        match &self.layout.head {
            Some(head) => self.theta[head.weight.start + d],
            None => {
                let tokens = &self.theta[self.layout.token.clone()];
                tokens[d] + T::from_f64(-1.0) * tokens[self.params.dim + d]
            }
        }
    }
}
