//! A causal transformer of bits given other bits.

use rand::Rng;

use super::{Transformer, TransformerParams, TransformerPass};
use crate::Result;
use crate::autoregressive::Autoregressive;
use crate::scalar::Scalar;

/// A causal transformer of ±1 bits given a context, $`q(s \mid c) = \prod_j q(s_j \mid s_{<j}, c)`$.
///
/// The bits of the context are the first tokens of a [`Transformer`], the bits s the ones after them. The context passes
/// once and leaves keys and values behind; every conditional is then the pass of a single site,
/// `24 D² + 4 D N` operations a block and sample with N the number of all bits, instead of N times as many. Real numbers
/// that all sites see, such as a parameter of the distribution, are added to every embedding, each with a row of weights.
/// The methods are those of [`Conditional`](crate::autoregressive::Conditional).
///
/// Parameters are those of a [`Transformer`] of all bits, then the rows of the numbers.
///
/// ```
/// use variational::autoregressive::{ConditionalTransformer, TransformerParams};
///
/// let params = TransformerParams::default().size(8, 1).heads(2).tied(false);
/// let network = ConditionalTransformer::<f64>::new(3, 2, 0, params)?;
/// let mut pass = network.new_pass(4);
/// network.set_context(&[1, -1, 1].repeat(4), &[], &mut pass);
/// network.evaluate(&[1, 1, 1, -1, -1, 1, -1, -1], &mut pass);
/// let sum: f64 = network.ln_q(&pass).iter().map(|x| x.exp()).sum();
/// assert!((sum - 1.0).abs() < 1e-12);
/// // The bits one after the other, from the same keys and values.
/// let up = network.logits(0, &mut pass)[0];
/// network.set_bit(0, &[1; 4], &mut pass);
/// let also_up = network.logits(1, &mut pass)[0];
/// let ln_q = -((1.0 + (-up).exp()).ln() + (1.0 + (-also_up).exp()).ln());
/// assert!((ln_q - network.ln_q(&pass)[0]).abs() < 1e-12);
/// # Ok::<(), variational::Error>(())
/// ```
///
/// Reference: Cao, Pan, Wang and Zhang, arXiv:2307.09025, for decoding by such networks.
#[derive(Debug, Clone)]
pub struct ConditionalTransformer<T = f32> {
    core: Transformer<T>,
}

impl<T: Scalar> ConditionalTransformer<T> {
    /// A network of `n_bits` bits given `n_context` bits and `globals` numbers, with random first weights.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for no bits, a width below 2, or heads that do not divide it;
    /// [`Error::TooLarge`](crate::Error::TooLarge) from 2³¹ parameters on.
    pub fn new(n_context: usize, n_bits: usize, globals: usize, params: TransformerParams) -> Result<Self> {
        Ok(Self { core: Transformer::with_prefix(n_context, n_bits, globals, params)? })
    }

    /// Width, blocks and heads.
    pub fn params(&self) -> &TransformerParams {
        &self.core.params
    }

    /// Bits of the context.
    pub fn n_context(&self) -> usize {
        self.core.prefix
    }

    /// Number of bits.
    pub fn n_bits(&self) -> usize {
        self.core.n
    }

    /// Numbers beside the bits.
    pub fn n_globals(&self) -> usize {
        self.core.layout.globals.len() / self.core.params.dim
    }

    /// Sizes and number type in words: what a file of weights must agree with.
    pub fn architecture(&self) -> String {
        format!("conditional:{}:{}:{}", self.n_context(), self.n_globals(), self.core.architecture())
    }

    /// The parameters.
    pub fn parameters(&self) -> &[f64] {
        self.core.parameters()
    }

    /// Replaces the parameters.
    ///
    /// # Errors
    /// [`Error::WrongLength`](crate::Error::WrongLength), [`Error::NotFinite`](crate::Error::NotFinite); the network is
    /// then unchanged.
    pub fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.core.set_parameters(parameters)
    }

    /// Room for `samples` samples: `10 D` numbers a site, block and sample.
    pub fn new_pass(&self, samples: usize) -> TransformerPass<T> {
        self.core.new_pass(samples)
    }

    /// Number of samples of a pass.
    pub fn samples(&self, pass: &TransformerPass<T>) -> usize {
        pass.samples.b
    }

    /// Sets the contexts, a row of ±1 and a row of numbers for every sample, and passes them through the blocks.
    ///
    /// # Panics
    /// If the numbers of bits or numbers are not those of the pass.
    pub fn set_context(&self, contexts: &[i8], globals: &[f64], pass: &mut TransformerPass<T>) {
        let (b, n, g) = (pass.samples.b, self.n_context(), self.n_globals());
        assert_eq!(contexts.len(), n * b, "{} bits of context for {b} rows of {n}", contexts.len());
        assert_eq!(globals.len(), g * b, "{} numbers for {b} rows of {g}", globals.len());
        if b == 0 {
            return;
        }
        for (i, row) in pass.context.chunks_exact_mut(b).enumerate() {
            row.iter_mut().enumerate().for_each(|(k, x)| *x = T::from_f64(f64::from(contexts[k * n + i])));
        }
        for (i, row) in pass.globals.chunks_exact_mut(b).enumerate() {
            row.iter_mut().enumerate().for_each(|(k, x)| *x = T::from_f64(globals[k * g + i]));
        }
        self.core.embed_globals(pass);
        for i in 0..n {
            self.core.site(i, pass);
        }
    }

    /// Evaluates these bits, a row of ±1 a sample, in the contexts of the pass.
    ///
    /// # Panics
    /// If the number of bits is not that of the pass.
    pub fn evaluate(&self, bits: &[i8], pass: &mut TransformerPass<T>) {
        self.core.evaluate(bits, pass);
    }

    /// Draws the bits of all samples in the contexts of the pass.
    pub fn sample<R: Rng + ?Sized>(&self, pass: &mut TransformerPass<T>, rng: &mut R) {
        self.core.sample_pass(pass, rng);
    }

    /// The logits $`\ln q(s_j = +1)/q(s_j = -1)`$ of bit j in every sample, given its context and the bits before j as they
    /// were set, from bit 0 on in this order.
    ///
    /// # Panics
    /// If there is no such bit.
    pub fn logits<'a>(&self, j: usize, pass: &'a mut TransformerPass<T>) -> &'a [T] {
        assert!(j < self.n_bits(), "bit {j} of {}", self.n_bits());
        if pass.samples.b > 0 {
            self.core.site(self.core.prefix + j, pass);
        }
        &pass.logit
    }

    /// Sets bit j of every sample to ±1.
    ///
    /// # Panics
    /// If `bits` has another length than the samples of the pass.
    pub fn set_bit(&self, j: usize, bits: &[i8], pass: &mut TransformerPass<T>) {
        pass.samples.set_site(j, bits);
    }

    /// A pass with the given samples of another: contexts, bits, keys and values; a sample may come often. It serves for
    /// [`logits`](Self::logits), [`sample`](Self::sample) and [`evaluate`](Self::evaluate), not for gradients. It copies
    /// `3 D` numbers a site, block and sample.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn select(&self, pass: &TransformerPass<T>, samples: &[usize]) -> TransformerPass<T> {
        let b = pass.samples.b;
        let mut out = self.core.room(samples.len(), false);
        if samples.is_empty() {
            return out;
        }
        let copy = |from: &[T], to: &mut [T]| {
            for (from, to) in from.chunks_exact(b).zip(to.chunks_exact_mut(samples.len())) {
                to.iter_mut().zip(samples).for_each(|(x, &k)| *x = from[k]);
            }
        };
        copy(&pass.context, &mut out.context);
        copy(&pass.shift, &mut out.shift);
        copy(&pass.samples.spin, &mut out.samples.spin);
        for (from, to) in pass.blocks.iter().zip(&mut out.blocks) {
            copy(&from.qkv, &mut to.qkv);
        }
        out
    }

    /// Writes the bits of the pass, a row of ±1 a sample.
    ///
    /// # Panics
    /// If the number of bits is not that of the pass.
    pub fn write_bits(&self, pass: &TransformerPass<T>, out: &mut [i8]) {
        pass.samples.write_rows(out);
    }

    /// $`\ln q(s \mid c)`$ of the samples of the pass.
    pub fn ln_q<'a>(&self, pass: &'a TransformerPass<T>) -> &'a [f64] {
        &pass.samples.ln_q
    }

    /// `gradient += Σ_b weights[b] ∂ln q(s_b | c_b)/∂parameters`, for a pass with [contexts](Self::set_context) that was
    /// [evaluated](Self::evaluate).
    ///
    /// # Panics
    /// If the numbers of weights or parameters do not fit, or the pass is a [selected](Self::select) one.
    pub fn accumulate_gradient(&self, pass: &mut TransformerPass<T>, weights: &[f64], gradient: &mut [T]) {
        assert!(pass.keeps, "a selected pass keeps nothing for gradients");
        self.core.accumulate_gradient(pass, weights, gradient);
    }
}
