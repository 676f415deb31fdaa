//! A small causal transformer (Vaswani et al., 2017; Radford et al., 2019).

mod backward;
mod conditional;
#[cfg(test)]
mod conditional_tests;
mod forward;
mod layout;
mod loops;

use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use rand::Rng;

use super::network::Autoregressive;
use super::spins::Samples;
use crate::error::check_positive;
use crate::scalar::Scalar;
use crate::{Error, Result};
use backward::Scratch;
use layout::{Layout, Linear};

pub use conditional::ConditionalTransformer;

/// Parameters of [`Transformer`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TransformerParams {
    /// Width D of the residual stream; default 16.
    pub dim: usize,
    /// Blocks; default 1.
    pub layers: usize,
    /// Heads, a divisor of D; default 2.
    pub heads: usize,
    /// Whether the output is tied to the embedding of the tokens, or a single logistic bit; default true.
    pub tied: bool,
    /// Seed of the first weights.
    pub seed: u64,
}

impl Default for TransformerParams {
    fn default() -> Self {
        Self { dim: 16, layers: 1, heads: 2, tied: true, seed: 1 }
    }
}

impl TransformerParams {
    /// Sets the width of the residual stream and the number of blocks.
    pub fn size(mut self, dim: usize, layers: usize) -> Self {
        (self.dim, self.layers) = (dim, layers);
        self
    }

    /// Sets the number of heads.
    pub fn heads(mut self, heads: usize) -> Self {
        self.heads = heads;
        self
    }

    /// Sets whether the output is tied to the embedding.
    pub fn tied(mut self, tied: bool) -> Self {
        self.tied = tied;
        self
    }

    /// Sets the seed of the first weights.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A causal transformer over the spins in their order.
///
/// The token of site i is the spin before it, for the first site a token of its own. With $`E`$ and $`P`$ the embeddings of
/// tokens and positions, $`x_i = E_{t_i} + P_i`$, and every block does
///
/// ```math
/// x \leftarrow x + \mathrm{Attention}(\mathrm{norm}(x)), \qquad x \leftarrow x + \mathrm{FF}(\mathrm{norm}(x))
/// ```
///
/// Attention is causal, with heads of width $`d = D/\mathrm{heads}`$ and weights $`\mathrm{softmax}_{j \le i}(q_i \cdot k_j / \sqrt{d})`$.
/// The feed-forward part has width 4D and $`\mathrm{gelu}(x) = \frac{x}{2} (1 + \tanh(\sqrt{2/\pi}(x + 0.044715\,x^3)))`$.
/// Layer norms add 1e-5 to the variance. The tied output is $`\mathrm{norm}(x_i) \cdot E_t`$ for the tokens of the two spins;
/// the single-bit head gives $`\mathrm{norm}(x_i) \cdot w + b`$. The logit is the difference of the first two, or the second.
///
/// Parameters in order: embeddings of up, down and the first token; of positions; every block: gain and shift of the norm,
/// weights (inputs x outputs) and biases of queries, keys and values together, of the mixing of heads, gain and shift, weights
/// and biases to 4D and back; gain and shift of the last norm; weights and bias of the single-bit head. First weights are
/// normal: embeddings with standard deviation 0.02, linear maps with one over the root of their inputs, those that add to
/// the stream divided by the root of twice the number of blocks, the single-bit head with a tenth.
///
/// Sampling keeps keys and values: all N conditionals cost one pass, `24 D² N + 4 D N²` operations a block and sample.
///
/// ```
/// use variational::Normalized;
/// use variational::autoregressive::{Autoregressive, Transformer, TransformerParams};
///
/// let params = TransformerParams::default().size(4, 0).heads(1).tied(false);
/// let mut network = Transformer::<f64>::new(2, params)?;
/// // Without blocks and with a gain of 0 only the bias of the head is left: P(+1) = σ(ln 3) = 3/4.
/// let mut parameters = vec![0.0; network.parameters().len()];
/// *parameters.last_mut().unwrap() = 3f64.ln();
/// network.set_parameters(&parameters)?;
/// assert!((network.ln_prob(&[1, -1]) - (0.75f64 * 0.25).ln()).abs() < 1e-14);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Transformer<T = f32> {
    /// Spins that come first and are given: their sites have no logits.
    prefix: usize,
    /// Spins after them.
    n: usize,
    params: TransformerParams,
    layout: Layout,
    parameters: Vec<f64>,
    theta: Vec<T>,
}

/// Activations of one block for every site.
#[derive(Debug, Clone)]
struct BlockPass<T> {
    normed_1: Vec<T>,
    scale_1: Vec<T>,
    qkv: Vec<T>,
    /// Largest score and inverse sum for every head.
    ln_sum: Vec<T>,
    mixed: Vec<T>,
    normed_2: Vec<T>,
    scale_2: Vec<T>,
    hidden: Vec<T>,
}

/// Activations of a [`Transformer`] for a block of samples.
#[derive(Debug, Clone)]
pub struct TransformerPass<T> {
    samples: Samples<T>,
    /// Spins that are given, sites x samples.
    context: Vec<T>,
    /// Numbers beside the spins, and what they add to the embedding of every site; empty without such numbers.
    globals: Vec<T>,
    shift: Vec<T>,
    /// Whether everything that a gradient needs is kept; otherwise queries, keys and values alone.
    keeps: bool,
    blocks: Vec<BlockPass<T>>,
    normed: Vec<T>,
    scale: Vec<T>,
    /// The stream, the output of a norm and the widened activations at the present site.
    x: Vec<T>,
    h: Vec<T>,
    wide: Vec<T>,
    scores: Vec<T>,
    logit: Vec<T>,
    scratch: Scratch<T>,
}

impl<T: Scalar> Transformer<T> {
    /// A network of `n` spins with random first weights.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no spins, a width below 2, or heads that do not divide it; [`Error::TooLarge`] from 2³¹
    /// parameters on.
    pub fn new(n: usize, params: TransformerParams) -> Result<Self> {
        Self::with_prefix(0, n, 0, params)
    }

    /// A network of `n` spins given `prefix` spins before them and so many numbers.
    fn with_prefix(prefix: usize, n: usize, globals: usize, params: TransformerParams) -> Result<Self> {
        let TransformerParams { dim, layers, heads, tied, .. } = params;
        check_positive("number of spins", n)?;
        check_positive("heads", heads)?;
        if dim < 2 {
            return Err(Error::Parameter { what: "dim", value: dim.to_string(), expected: "at least 2" });
        }
        if !dim.is_multiple_of(heads) {
            return Err(Error::Parameter { what: "heads", value: heads.to_string(), expected: "a divisor of dim" });
        }
        let bound = (1 << 31) - 1;
        let block = dim.saturating_mul(dim).saturating_mul(12).saturating_add(dim.saturating_mul(13));
        let rows = prefix.saturating_add(n).saturating_add(globals).saturating_add(6);
        let total = block.saturating_mul(layers).saturating_add(dim.saturating_mul(rows));
        if total > bound {
            let (method, what) = ("transformer", "number of parameters");
            return Err(Error::TooLarge { method, what, value: total, bound });
        }
        let layout = Layout::new(prefix + n, dim, layers, tied, globals);
        let len = layout.len;
        let mut network = Self { prefix, n, params, layout, parameters: vec![0.0; len], theta: vec![T::ZERO; len] };
        let first = network.first_parameters();
        network.set_parameters(&first)?;
        Ok(network)
    }

    /// Sites in all.
    fn sites(&self) -> usize {
        self.prefix + self.n
    }

    /// Room for `samples` samples, with what a gradient needs or without.
    fn room(&self, samples: usize, keeps: bool) -> TransformerPass<T> {
        let (dim, heads) = (self.params.dim, self.params.heads);
        let zeros = |rows: usize| vec![T::ZERO; rows * samples];
        let sites = |size: usize| zeros(size * if keeps { self.sites() } else { 1 });
        let block = |_| BlockPass {
            normed_1: sites(dim),
            scale_1: sites(1),
            qkv: zeros(self.sites() * 3 * dim),
            ln_sum: sites(2 * heads),
            mixed: sites(dim),
            normed_2: sites(dim),
            scale_2: sites(1),
            hidden: sites(4 * dim),
        };
        let globals = self.layout.globals.len() / dim;
        TransformerPass {
            samples: Samples::new(self.n, samples),
            context: vec![T::ONE; self.prefix * samples],
            globals: zeros(globals),
            shift: zeros(if globals > 0 { dim } else { 0 }),
            keeps,
            blocks: (0..self.params.layers).map(block).collect(),
            normed: sites(dim),
            scale: sites(1),
            x: zeros(dim),
            h: zeros(dim),
            wide: zeros(4 * dim),
            scores: zeros(self.sites()),
            logit: zeros(1),
            scratch: Scratch::default(),
        }
    }

    /// How the network was made.
    pub fn params(&self) -> &TransformerParams {
        &self.params
    }

    fn first_parameters(&self) -> Vec<f64> {
        let mut rng = Streams::new(self.params.seed).stream(0);
        let mut parameters = vec![0.0; self.layout.len];
        let Layout { token, position, blocks, norm, head, globals, .. } = &self.layout;
        parameters[token.start..position.end].iter_mut().for_each(|p| *p = 0.02 * standard_normal(&mut rng));
        let deep = 1.0 / (2.0 * blocks.len().max(1) as f64).sqrt();
        let mut normal = |parameters: &mut [f64], map: &Linear, factor: f64| {
            let size = factor / (map.inputs as f64).sqrt();
            parameters[map.weight.clone()].iter_mut().for_each(|w| *w = size * standard_normal(&mut rng));
        };
        for block in blocks {
            normal(&mut parameters, &block.attention, 1.0);
            normal(&mut parameters, &block.mix, deep);
            normal(&mut parameters, &block.expand, 1.0);
            normal(&mut parameters, &block.contract, deep);
            parameters[block.norm_1.gain.clone()].fill(1.0);
            parameters[block.norm_2.gain.clone()].fill(1.0);
        }
        parameters[norm.gain.clone()].fill(1.0);
        if let Some(head) = head {
            normal(&mut parameters, head, 0.1);
        }
        parameters[globals.clone()].iter_mut().for_each(|p| *p = 0.02 * standard_normal(&mut rng));
        parameters
    }
}

impl<T: Scalar> Autoregressive for Transformer<T> {
    type Scalar = T;
    type Pass = TransformerPass<T>;

    fn n_spins(&self) -> usize {
        self.n
    }

    fn architecture(&self) -> String {
        let TransformerParams { dim, layers, heads, tied, .. } = self.params;
        let head = if tied { "tied" } else { "bit" };
        format!("transformer:{dim}:{layers}:{heads}:{head}:{} of {} spins", T::NAME, self.n)
    }

    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        super::check_parameters(parameters, self.parameters.len())?;
        self.parameters.copy_from_slice(parameters);
        super::round_parameters(&mut self.theta, &self.parameters);
        Ok(())
    }

    fn n_free_parameters(&self) -> usize {
        self.parameters.len()
    }

    fn new_pass(&self, samples: usize) -> TransformerPass<T> {
        self.room(samples, true)
    }

    fn samples(&self, pass: &TransformerPass<T>) -> usize {
        pass.samples.b
    }

    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut TransformerPass<T>, rng: &mut R) {
        pass.samples.begin();
        if pass.samples.b > 0 {
            for i in 0..self.n {
                self.site(self.prefix + i, pass);
                pass.samples.draw(i, &pass.logit, rng);
            }
        }
        pass.samples.end();
    }

    fn evaluate(&self, batch: &[i8], pass: &mut TransformerPass<T>) {
        pass.samples.set_rows(batch);
        pass.samples.begin();
        if pass.samples.b > 0 {
            for i in 0..self.n {
                self.site(self.prefix + i, pass);
                pass.samples.condition(i, &pass.logit);
            }
        }
        pass.samples.end();
    }

    fn write_spins(&self, pass: &TransformerPass<T>, out: &mut [i8]) {
        pass.samples.write_rows(out);
    }

    fn ln_q<'a>(&self, pass: &'a TransformerPass<T>) -> &'a [f64] {
        &pass.samples.ln_q
    }

    fn accumulate_gradient(&self, pass: &mut TransformerPass<T>, weights: &[f64], gradient: &mut [T]) {
        super::check_gradient(gradient.len(), self.parameters.len());
        let mut delta = Vec::new();
        pass.samples.logit_gradient(weights, &mut delta);
        if pass.samples.b > 0 {
            self.backward(&delta, pass, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_those_of_plain_numpy() {
        // tests/data/transformer.py
        let golden = [
            (true, [1.237733231608021, 1.0302179919129677, 1.2566108001067402, 1.3047872224714383]),
            (false, [-0.4123628895082092, -0.43699023448610164, -0.43259008368564095, -0.41558971520192356]),
        ];
        for (tied, expected) in golden {
            let params = TransformerParams::default().size(4, 2).heads(2).tied(tied);
            let mut network = Transformer::<f64>::new(4, params).unwrap();
            let parameters: Vec<f64> =
                (0..network.layout.len).map(|k| 2.0 * ((k * k * 7919) % 1009) as f64 / 1009.0 - 1.0).collect();
            network.set_parameters(&parameters).unwrap();
            let mut pass = network.new_pass(1);
            network.evaluate(&[1, -1, -1, 1], &mut pass);
            for (up, expected) in pass.samples.up.iter().zip(expected) {
                approx::assert_abs_diff_eq!((up / (1.0 - up)).ln(), expected, epsilon = 1e-12);
            }
        }
    }
}
