//! The samples of a pass: spins, conditional probabilities, ln q.

use rand::{Rng, RngExt};

use crate::kernels::Conditional;
use crate::scalar::Scalar;
use linalg_core::simd::widest;

/// Sites after which the product of factors up to 2 is turned into a logarithm.
const SITES_A_LOGARITHM: usize = 512;

/// Spins and conditionals of a block of samples: site-major, samples side by side.
#[derive(Debug, Clone)]
pub(super) struct Samples<T> {
    pub(super) n: usize,
    pub(super) b: usize,
    /// Spins ±1, N x samples.
    pub(super) spin: Vec<T>,
    /// `P(s_i = +1 | earlier)`, N x samples.
    pub(super) up: Vec<T>,
    pub(super) ln_q: Vec<f64>,
    linear: Vec<f64>,
    product: Vec<f64>,
    uniform: Vec<f64>,
}

impl<T: Scalar> Samples<T> {
    pub(super) fn new(n: usize, b: usize) -> Self {
        Self {
            n,
            b,
            spin: vec![T::ONE; n * b],
            up: vec![T::ZERO; n * b],
            ln_q: vec![0.0; b],
            linear: vec![0.0; b],
            product: vec![1.0; b],
            uniform: vec![0.0; b],
        }
    }

    pub(super) fn begin(&mut self) {
        self.linear.fill(0.0);
        self.product.fill(1.0);
    }

    /// Draws the spins of site `i` from its logits.
    pub(super) fn draw<R: Rng + ?Sized>(&mut self, i: usize, logit: &[T], rng: &mut R) {
        self.uniform.iter_mut().for_each(|u| *u = rng.random());
        self.conditional(i, logit, true);
    }

    /// Takes the spins of site `i` as they are.
    pub(super) fn condition(&mut self, i: usize, logit: &[T]) {
        self.conditional(i, logit, false);
    }

    fn conditional(&mut self, i: usize, logit: &[T], draw: bool) {
        let range = i * self.b..(i + 1) * self.b;
        widest(Conditional {
            logit,
            uniform: if draw { &self.uniform } else { &[] },
            spin: &mut self.spin[range.clone()],
            up: &mut self.up[range],
            linear: &mut self.linear,
            product: &mut self.product,
        });
        if i % SITES_A_LOGARITHM == SITES_A_LOGARITHM - 1 {
            self.fold_products();
        }
    }

    fn fold_products(&mut self) {
        for (linear, product) in self.linear.iter_mut().zip(&mut self.product) {
            *linear -= product.ln();
            *product = 1.0;
        }
    }

    pub(super) fn end(&mut self) {
        self.fold_products();
        self.ln_q.copy_from_slice(&self.linear);
    }

    pub(super) fn set_rows(&mut self, rows: &[i8]) {
        crate::normalized::check_batch(rows.len(), self.b, self.n);
        for (b, row) in rows.chunks_exact(self.n).enumerate() {
            for (i, &s) in row.iter().enumerate() {
                self.spin[i * self.b + b] = T::from_f64(f64::from(s));
            }
        }
    }

    /// Sets the spins of site `i`.
    pub(super) fn set_site(&mut self, i: usize, spins: &[i8]) {
        assert_eq!(spins.len(), self.b, "{} spins for {} samples", spins.len(), self.b);
        for (x, &s) in self.spin[i * self.b..(i + 1) * self.b].iter_mut().zip(spins) {
            *x = T::from_f64(f64::from(s));
        }
    }

    pub(super) fn write_rows(&self, out: &mut [i8]) {
        crate::normalized::check_batch(out.len(), self.b, self.n);
        for (b, row) in out.chunks_exact_mut(self.n).enumerate() {
            for (i, s) in row.iter_mut().enumerate() {
                *s = if self.spin[i * self.b + b] > T::ZERO { 1 } else { -1 };
            }
        }
    }

    /// `weights[b] ∂ln q(s_b)/∂logit_i`: `w ((1 + s)/2 - P(+1))`, N x samples.
    pub(super) fn logit_gradient(&self, weights: &[f64], out: &mut Vec<T>) {
        assert_eq!(weights.len(), self.b, "{} weights for {} samples", weights.len(), self.b);
        let weights: Vec<T> = weights.iter().map(|&w| T::from_f64(w)).collect();
        let minus = T::from_f64(-1.0);
        out.clear();
        if self.b == 0 {
            return;
        }
        out.reserve(self.spin.len());
        for (spin, up) in self.spin.chunks_exact(self.b).zip(self.up.chunks_exact(self.b)) {
            out.extend(
                spin.iter()
                    .zip(up)
                    .zip(&weights)
                    .map(|((&s, &p), &w)| w * (if s > T::ZERO { T::ONE } else { T::ZERO } + minus * p)),
            );
        }
    }
}
