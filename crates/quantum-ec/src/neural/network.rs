//! The kinds of networks under one name.

use std::borrow::Cow;

use linalg_core::rand::Rng;
use variational::autoregressive::{
    Conditional, ConditionalPass, ConditionalTransformer, TransformerParams, TransformerPass,
};

use super::model::Part;
use super::shapes::{Connection, NetworkParams, shapes};
use super::subject::{Batch, Subject};
use crate::error::Result;

/// A normalised distribution of bits given others, in single precision.
///
/// Both kinds do the same: they take the context once, then evaluate, sample, or tell one conditional after the other.
///
/// ```
/// use quantum_ec::code;
/// use quantum_ec::neural::{CodeNoise, NetworkParams, NeuralModel, Part, Subject};
/// use quantum_ec::noise::Noise;
///
/// let subject = Subject::of_code(code::parse("rotated-surface:3")?, CodeNoise::fixed(Noise::Depolarizing, 0.1))?;
/// let model = NeuralModel::new(subject, "transformer:8x1x2".parse::<NetworkParams>()?)?;
/// let network = model.network(Part::Logical).unwrap();
/// let mut pass = network.new_pass(4);
/// network.set_context(&[1; 32], &[], &mut pass);
/// network.evaluate(&[1, 1, 1, -1, -1, 1, -1, -1], &mut pass);
/// let sum: f64 = network.ln_q(&pass).iter().map(|x| x.exp()).sum();
/// assert!((sum - 1.0).abs() < 1e-6); // single precision
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Network {
    /// Layers of units, dense or local.
    Layers(Box<Conditional<f32>>),
    /// Causal attention.
    Transformer(Box<ConditionalTransformer<f32>>),
}

/// Samples of a [`Network`] with their activations.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NetworkPass {
    /// Of layers.
    Layers(ConditionalPass<f32>),
    /// Of a transformer.
    Transformer(TransformerPass<f32>),
}

/// Calls a method of the network, which has the same name for both kinds.
macro_rules! of_both {
    ($network:expr, $name:ident => $call:expr) => {
        match $network {
            Network::Layers($name) => $call,
            Network::Transformer($name) => $call,
        }
    };
}

/// Calls a method that takes a pass.
macro_rules! of_both_with {
    ($network:expr, $pass:expr, ($name:ident, $inner:ident) => $call:expr) => {
        match ($network, $pass) {
            (Network::Layers($name), NetworkPass::Layers($inner)) => $call,
            (Network::Transformer($name), NetworkPass::Transformer($inner)) => $call,
            _ => panic!("a pass of another kind of network"),
        }
    };
}

impl Network {
    /// Bits of the context.
    pub fn n_context(&self) -> usize {
        of_both!(self, network => network.n_context())
    }

    /// Number of bits.
    pub fn n_bits(&self) -> usize {
        of_both!(self, network => network.n_bits())
    }

    /// Numbers beside the bits.
    pub fn n_globals(&self) -> usize {
        match self {
            Self::Layers(network) => network.shape().globals,
            Self::Transformer(network) => network.n_globals(),
        }
    }

    /// Kind, sizes and number type in words.
    pub fn architecture(&self) -> String {
        of_both!(self, network => network.architecture())
    }

    /// The parameters.
    pub fn parameters(&self) -> &[f64] {
        of_both!(self, network => network.parameters())
    }

    /// Replaces the parameters.
    ///
    /// # Errors
    /// [`Error::Network`](crate::Error::Network) for another number of them, or one that is not finite.
    pub fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        Ok(of_both!(self, network => network.set_parameters(parameters))?)
    }

    /// Room for `samples` samples.
    pub fn new_pass(&self, samples: usize) -> NetworkPass {
        match self {
            Self::Layers(network) => NetworkPass::Layers(network.new_pass(samples)),
            Self::Transformer(network) => NetworkPass::Transformer(network.new_pass(samples)),
        }
    }

    /// Number of samples of a pass.
    ///
    /// # Panics
    /// Here and below, if the pass is one of the other kind of network.
    pub fn samples(&self, pass: &NetworkPass) -> usize {
        of_both_with!(self, pass, (network, pass) => network.samples(pass))
    }

    /// Sets the contexts, a row of ±1 and a row of numbers for every sample.
    ///
    /// # Panics
    /// If the numbers of bits or numbers are not those of the pass.
    pub fn set_context(&self, contexts: &[i8], globals: &[f64], pass: &mut NetworkPass) {
        of_both_with!(self, pass, (network, pass) => network.set_context(contexts, globals, pass));
    }

    /// Evaluates these bits, a row of ±1 a sample, in the contexts of the pass.
    ///
    /// # Panics
    /// If the number of bits is not that of the pass.
    pub fn evaluate(&self, bits: &[i8], pass: &mut NetworkPass) {
        of_both_with!(self, pass, (network, pass) => network.evaluate(bits, pass));
    }

    /// Draws the bits of all samples in the contexts of the pass.
    pub fn sample<R: Rng + ?Sized>(&self, pass: &mut NetworkPass, rng: &mut R) {
        of_both_with!(self, pass, (network, pass) => network.sample(pass, rng));
    }

    /// The logits of bit j in every sample, given its context and the bits before j as they were set, from bit 0 on.
    ///
    /// # Panics
    /// If there is no such bit.
    pub fn logits<'a>(&self, j: usize, pass: &'a mut NetworkPass) -> &'a [f32] {
        of_both_with!(self, pass, (network, pass) => network.logits(j, pass))
    }

    /// Sets bit j of every sample to ±1.
    ///
    /// # Panics
    /// If `bits` has another length than the samples of the pass.
    pub fn set_bit(&self, j: usize, bits: &[i8], pass: &mut NetworkPass) {
        of_both_with!(self, pass, (network, pass) => network.set_bit(j, bits, pass));
    }

    /// A pass with the given samples of another, not for gradients.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn select(&self, pass: &NetworkPass, samples: &[usize]) -> NetworkPass {
        match (self, pass) {
            (Self::Layers(network), NetworkPass::Layers(pass)) => NetworkPass::Layers(network.select(pass, samples)),
            (Self::Transformer(network), NetworkPass::Transformer(pass)) => {
                NetworkPass::Transformer(network.select(pass, samples))
            }
            _ => panic!("a pass of another kind of network"),
        }
    }

    /// Writes the bits of the pass, a row of ±1 a sample.
    ///
    /// # Panics
    /// If the number of bits is not that of the pass.
    pub fn write_bits(&self, pass: &NetworkPass, out: &mut [i8]) {
        of_both_with!(self, pass, (network, pass) => network.write_bits(pass, out));
    }

    /// `ln q` of the samples of the pass.
    pub fn ln_q<'a>(&self, pass: &'a NetworkPass) -> &'a [f64] {
        of_both_with!(self, pass, (network, pass) => network.ln_q(pass))
    }

    /// `gradient += Σ_b weights[b] ∂ln q(s_b | c_b)/∂parameters`, for a pass that was evaluated.
    ///
    /// # Panics
    /// If the numbers of weights or parameters do not fit, or the pass is a selected one.
    pub fn accumulate_gradient(&self, pass: &mut NetworkPass, weights: &[f64], gradient: &mut [f32]) {
        of_both_with!(self, pass, (network, pass) => network.accumulate_gradient(pass, weights, gradient));
    }

    /// Samples side by side in a pass: as many as keep the activations of a site, or of a layer, in the caches.
    pub(super) fn lanes(&self) -> usize {
        match self {
            Self::Layers(_) => 256,
            Self::Transformer(_) => 64,
        }
    }

    /// Most beginnings side by side, but for those of one shot. A lane of layers takes some 10 kB, one of a transformer
    /// its keys and values.
    pub(super) fn most_lanes(&self) -> usize {
        match self {
            Self::Layers(_) => 1 << 13,
            Self::Transformer(network) => {
                let params = network.params();
                let sites = network.n_context() + network.n_bits();
                ((1 << 24) / (3 * params.dim * params.layers.max(1) * sites).max(1)).clamp(1, 1 << 13)
            }
        }
    }

    /// The contexts of a part in a batch: a transformer is given the stabilizer part's as the bits before it, layers as the
    /// error that these stand for.
    pub(super) fn contexts<'a>(&self, part: Part, batch: &'a Batch) -> Cow<'a, [i8]> {
        match (self, part) {
            (Self::Transformer(_), Part::Gauge) => {
                let per_shot = |bits: &[i8]| (bits.len() / batch.shots.max(1)).max(1);
                let syndromes = batch.syndrome.chunks_exact(per_shot(&batch.syndrome));
                let rows = syndromes.zip(batch.logical.chunks_exact(per_shot(&batch.logical)));
                Cow::Owned(rows.flat_map(|(syndrome, logical)| syndrome.iter().chain(logical)).copied().collect())
            }
            _ => Cow::Borrowed(part.rows(batch).1),
        }
    }
}

/// The networks of syndrome, logical bits and stabilizer part.
pub(super) fn networks(subject: &Subject, params: &NetworkParams) -> Result<[Option<Network>; 3]> {
    let mut networks = [None, None, None];
    let seed = |k: usize| params.seed.wrapping_mul(3).wrapping_add(k as u64);
    if params.connection == Connection::Transformer {
        let (r, m, s) = (subject.n_syndrome(), subject.n_observables(), subject.n_gauge());
        for (part, context, bits) in [(Part::Syndrome, 0, r), (Part::Logical, r, m), (Part::Gauge, r + m, s)] {
            if bits > 0 && (params.joint || part == Part::Logical) {
                let k = part as usize;
                let sizes = TransformerParams::default().size(params.channels, params.depth).heads(params.heads);
                let sizes = sizes.tied(false).seed(seed(k));
                let network = ConditionalTransformer::new(context, bits, subject.n_globals(), sizes)?;
                networks[k] = Some(Network::Transformer(Box::new(network)));
            }
        }
        return Ok(networks);
    }
    for (k, shape) in shapes(subject, params)?.into_iter().enumerate() {
        if let Some(shape) = shape {
            networks[k] = Some(Network::Layers(Box::new(Conditional::new(shape, seed(k))?)));
        }
    }
    Ok(networks)
}
