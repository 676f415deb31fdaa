//! What every autoregressive network can do.

use linalg_core::Streams;
use rand::Rng;

use crate::Result;
use crate::normalized::{Normalized, check_batch};
use crate::scalar::Scalar;

/// Samples of one work unit of [`Normalized::sample_batch`].
const UNIT: usize = 256;

/// A network $`q(s) = \prod_i q(s_i \mid s_1 \dots s_{i-1})`$ with trainable parameters.
///
/// A *pass* holds a fixed number of samples with the activations of every layer. Sampling fills it; the gradient reads
/// it. Parameters are one flat slice of `f64`; the network works with its own [`Scalar`].
pub trait Autoregressive: Clone + Send + Sync {
    /// The number type of weights and activations.
    type Scalar: Scalar;
    /// Samples with their activations; its memory is reused.
    type Pass: Send;

    /// Number of spins N.
    fn n_spins(&self) -> usize;

    /// The architecture in words, for example `made:3:4:prelu:bias:f32`: what a checkpoint must agree with.
    fn architecture(&self) -> String;

    /// The parameters; entries that a mask excludes are 0 and stay 0.
    fn parameters(&self) -> &[f64];

    /// Replaces the parameters; what a mask excludes is set to 0.
    ///
    /// # Errors
    /// [`Error::WrongLength`](crate::Error::WrongLength), [`Error::NotFinite`](crate::Error::NotFinite); the network is
    /// then unchanged.
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()>;

    /// Number of parameters that are not masked.
    fn n_free_parameters(&self) -> usize;

    /// Whether the logits are odd functions of the spins, so that `q(-s) = q(s)` without further work.
    fn is_odd(&self) -> bool {
        false
    }

    /// Room for `samples` samples.
    fn new_pass(&self, samples: usize) -> Self::Pass;

    /// Number of samples of a pass.
    fn samples(&self, pass: &Self::Pass) -> usize;

    /// Draws all samples of the pass, with one pass's worth of work in total.
    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut Self::Pass, rng: &mut R);

    /// Evaluates the network at these configurations, a row of N spins each.
    ///
    /// # Panics
    /// If the number of spins is not that of the pass.
    fn evaluate(&self, batch: &[i8], pass: &mut Self::Pass);

    /// Evaluates the network at the configurations of another pass with all spins reversed.
    ///
    /// # Panics
    /// If the passes differ in size.
    fn evaluate_reversed(&self, of: &Self::Pass, pass: &mut Self::Pass) {
        let mut rows = vec![0; self.samples(of) * self.n_spins()];
        self.write_spins(of, &mut rows);
        rows.iter_mut().for_each(|s| *s = -*s);
        self.evaluate(&rows, pass);
    }

    /// Writes the configurations of the pass, a row each.
    ///
    /// # Panics
    /// If the number of spins is not that of the pass.
    fn write_spins(&self, pass: &Self::Pass, out: &mut [i8]);

    /// `ln q` of the samples of the pass.
    fn ln_q<'a>(&self, pass: &'a Self::Pass) -> &'a [f64];

    /// `gradient += Σ_b weights[b] ∂ln q(s_b)/∂parameters`. The activations of the pass may be overwritten.
    ///
    /// # Panics
    /// If the numbers of weights or parameters do not fit.
    fn accumulate_gradient(&self, pass: &mut Self::Pass, weights: &[f64], gradient: &mut [Self::Scalar]);

    /// `∂ln q(s_b)/∂parameters` of every sample, a row each; by default one sample after the other.
    ///
    /// # Panics
    /// If `gradients` is not a row of parameters for every sample.
    fn sample_gradients(&self, pass: &mut Self::Pass, gradients: &mut [Self::Scalar]) {
        let (samples, n, parameters) = (self.samples(pass), self.n_spins(), self.parameters().len());
        super::check_gradient(gradients.len(), samples * parameters);
        let mut rows = vec![0; samples * n];
        self.write_spins(pass, &mut rows);
        gradients.fill(Self::Scalar::from_f64(0.0));
        let mut one = self.new_pass(1);
        for (row, gradient) in rows.chunks_exact(n).zip(gradients.chunks_exact_mut(parameters)) {
            self.evaluate(row, &mut one);
            self.accumulate_gradient(&mut one, &[1.0], gradient);
        }
    }
}

impl<N: Autoregressive> Normalized for N {
    fn n_spins(&self) -> usize {
        Autoregressive::n_spins(self)
    }

    fn ln_prob_batch(&self, batch: &[i8], out: &mut [f64]) {
        let n = Autoregressive::n_spins(self);
        check_batch(batch.len(), out.len(), n);
        let mut pass = self.new_pass(out.len().min(UNIT));
        for (rows, out) in batch.chunks(UNIT * n).zip(out.chunks_mut(UNIT)) {
            if self.samples(&pass) != out.len() {
                pass = self.new_pass(out.len());
            }
            self.evaluate(rows, &mut pass);
            out.copy_from_slice(self.ln_q(&pass));
        }
    }

    fn sample_batch(&self, streams: Streams, out: &mut [i8], ln_q: &mut [f64]) {
        let n = Autoregressive::n_spins(self);
        check_batch(out.len(), ln_q.len(), n);
        let mut pass = self.new_pass(ln_q.len().min(UNIT));
        for (k, (rows, ln_q)) in out.chunks_mut(UNIT * n).zip(ln_q.chunks_mut(UNIT)).enumerate() {
            if self.samples(&pass) != ln_q.len() {
                pass = self.new_pass(ln_q.len());
            }
            self.sample_pass(&mut pass, &mut streams.fast_stream(k as u64));
            self.write_spins(&pass, rows);
            ln_q.copy_from_slice(self.ln_q(&pass));
        }
    }

    fn sample<R: Rng + ?Sized>(&self, s: &mut [i8], rng: &mut R) -> f64 {
        let mut pass = self.new_pass(1);
        self.sample_pass(&mut pass, rng);
        self.write_spins(&pass, s);
        self.ln_q(&pass)[0]
    }
}
