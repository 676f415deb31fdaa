//! One site through all blocks, with the keys and values of the earlier sites kept.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::layout::{Linear, Norm, START};
use super::loops::{Attend, Gelu, Head, LayerNorm};
use super::{Transformer, TransformerPass};
use crate::autoregressive::spins::Samples;
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

    /// The spins before site `i`, which is not the first.
    pub(super) fn before<'a>(&self, i: usize, context: &'a [T], samples: &'a Samples<T>) -> &'a [T] {
        let b = samples.b;
        match (i - 1).checked_sub(self.prefix) {
            Some(j) => &samples.spin[j * b..(j + 1) * b],
            None => &context[(i - 1) * b..i * b],
        }
    }

    /// Token of the spin before site `i`, position, and what the numbers beside the spins add.
    fn embed(&self, i: usize, pass: &mut TransformerPass<T>) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        let tokens = &self.theta[self.layout.token.clone()];
        let position = &self.theta[self.layout.position.clone()][i * dim..(i + 1) * dim];
        for (d, (x, &position)) in pass.x.chunks_exact_mut(b).zip(position).enumerate() {
            if i == 0 {
                x.fill(tokens[START * dim + d] + position);
            } else {
                let (up, down) = (tokens[d] + position, tokens[dim + d] + position);
                for (x, &s) in x.iter_mut().zip(self.before(i, &pass.context, &pass.samples)) {
                    *x = if s > T::ZERO { up } else { down };
                }
            }
        }
        for (x, &shift) in pass.x.iter_mut().zip(&pass.shift) {
            *x = *x + shift;
        }
    }

    /// Takes the numbers of the pass over into what they add to every site.
    pub(super) fn embed_globals(&self, pass: &mut TransformerPass<T>) {
        let (b, dim) = (pass.samples.b, self.params.dim);
        pass.shift.fill(T::ZERO);
        let weights = self.theta[self.layout.globals.clone()].chunks_exact(dim);
        for (weights, numbers) in weights.zip(pass.globals.chunks_exact(b)) {
            for (row, &weight) in pass.shift.chunks_exact_mut(b).zip(weights) {
                row.iter_mut().zip(numbers).for_each(|(row, &number)| *row = *row + weight * number);
            }
        }
    }

    /// Leaves the logit of site `i` in `pass.logit`; the spins before it must be there. A site of the prefix leaves keys and
    /// values alone, the only things that later sites ask of it: its last block stops there.
    pub(super) fn site(&self, i: usize, pass: &mut TransformerPass<T>) {
        let (b, dim, heads) = (pass.samples.b, self.params.dim, self.params.heads);
        self.embed(i, pass);
        let at = if pass.keeps { i } else { 0 };
        let rows = |size: usize| at * size * b..(at + 1) * size * b;
        let own = i * 3 * dim * b..(i + 1) * 3 * dim * b;
        for (l, (block, kept)) in self.layout.blocks.iter().zip(&mut pass.blocks).enumerate() {
            let (normed, scale) = (&mut kept.normed_1[rows(dim)], &mut kept.scale_1[rows(1)]);
            self.layer_norm(&block.norm_1, &pass.x, normed, scale, &mut pass.h);
            let qkv = &mut kept.qkv[own.clone()];
            qkv.fill(T::ZERO);
            self.add_linear(&block.attention, &pass.h, qkv, b);
            if i < self.prefix && l + 1 == self.layout.blocks.len() {
                return;
            }
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
        if i < self.prefix {
            return;
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
