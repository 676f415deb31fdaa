//! Autoregressive networks of bits given other bits.

mod layer;
mod shape;
#[cfg(test)]
mod tests;

use linalg_core::Streams;
use linalg_core::simd::widest;
use rand::{Rng, RngExt};

use self::layer::{Block, Layer};
use self::shape::ranges;
pub use self::shape::{BitView, ConditionalShape, SiteLink};
use super::spins::Samples;
use crate::kernels::{PRelu, PReluGradient};
use crate::scalar::Scalar;
use crate::{Error, Result};

/// Slope of a unit below 0.
const LEAK: f64 = 0.1;

/// A normalised distribution of ±1 bits given a context, $`q(s \mid c) = \prod_j q(s_j \mid s_{<j}, c)`$.
///
/// The context passes through layers in which every unit may see all of it, once; the bits then come one after the other,
/// each with units of its own that see the last layer of the context and the bits before it. So a context that is known
/// costs one pass, whatever is asked about the bits: their probability, a sample, or one conditional after the other.
///
/// ```math
/// z_1 = W_1 c + b_1, \qquad z_{l+1} = z_l + W_{l+1} f(z_l) + b_{l+1}, \qquad
/// q(s_j \mid s_{<j}, c) = \sigma(s_j x_j)
/// ```
///
/// with $`f(z) = \max(z, z/10)`$ and layers of the same form from there to the logits x. Below 0 the slope is not 0: units that
/// are off for every sample would learn no more, and in long trainings many end there. Weights are blocks, one a
/// [link](SiteLink); links of a class share theirs. Context and bits are spins: bit 0 is +1.
///
/// Cost of a pass over B samples: two operations a weight of every link and sample, twice as much for the gradient.
///
/// ```
/// use linalg_core::Streams;
/// use variational::autoregressive::{Conditional, ConditionalShape};
///
/// let network = Conditional::<f64>::new(ConditionalShape::dense(3, 2).channels(8, 2), 1)?;
/// // The probabilities of the four patterns of two bits, given a context.
/// let mut pass = network.new_pass(4);
/// network.set_context(&[1, -1, 1].repeat(4), &[], &mut pass);
/// network.evaluate(&[1, 1, 1, -1, -1, 1, -1, -1], &mut pass);
/// let sum: f64 = network.ln_q(&pass).iter().map(|x| x.exp()).sum();
/// assert!((sum - 1.0).abs() < 1e-12);
/// # Ok::<(), variational::Error>(())
/// ```
///
/// Reference: Cao, Pan, Wang and Zhang, arXiv:2307.09025, for decoding by such networks; the blocks are ours.
#[derive(Debug, Clone)]
pub struct Conditional<T = f32> {
    shape: ConditionalShape,
    context: Vec<Layer>,
    /// From the numbers that all see to the first layer of the context.
    globals: Layer,
    /// From the context, and from the numbers that all see, to the first layer of the bits.
    enter: Layer,
    enter_globals: Layer,
    bits: Vec<Layer>,
    out: Layer,
    parameters: Vec<f64>,
    theta: Vec<T>,
}

/// Contexts, bits and activations of a [`Conditional`] for a block of samples.
#[derive(Debug, Clone)]
pub struct ConditionalPass<T> {
    samples: Samples<T>,
    context: Vec<T>,
    globals: Vec<T>,
    /// Before and after the bend, layers of the context.
    context_z: Vec<Vec<T>>,
    context_a: Vec<Vec<T>>,
    /// What the context brings to the first layer of the bits.
    entered: Vec<T>,
    z: Vec<Vec<T>>,
    a: Vec<Vec<T>>,
    logits: Vec<T>,
    delta: Vec<T>,
    back: Vec<T>,
}

/// Numbers the weights of blocks.
struct Weights {
    next: usize,
    /// First and last parameter, and half width of the uniform distribution of the first values.
    first: Vec<(std::ops::Range<usize>, f64)>,
}

impl Weights {
    fn take(&mut self, n: usize) -> usize {
        self.next += n;
        self.next - n
    }

    /// A layer; `sources` are (node, units seen, key): blocks of the same key share their weights.
    fn layer(
        &mut self,
        nodes: usize,
        width: usize,
        sources: Vec<(usize, std::ops::Range<usize>, Option<usize>)>,
        bias: bool,
        gain: f64,
    ) -> Layer {
        let mut shared = std::collections::BTreeMap::new();
        let mut seen = vec![0; nodes];
        for (to, from, _) in &sources {
            seen[*to] += from.len();
        }
        let mut blocks = Vec::with_capacity(sources.len());
        for (to, from, key) in sources {
            let size = width * from.len();
            let weight = match key.and_then(|key| shared.get(&key).copied()) {
                Some(weight) => weight,
                None => {
                    let weight = self.take(size);
                    // Variance gain / inputs.
                    self.first.push((weight..weight + size, (3.0 * gain / seen[to] as f64).sqrt()));
                    key.map(|key| shared.insert(key, weight));
                    weight
                }
            };
            blocks.push(Block { to, from, weight });
        }
        let bias = bias.then(|| self.take(nodes * width));
        Layer::new(nodes, width, blocks, bias)
    }
}

impl<T: Scalar> Conditional<T> {
    /// A network with random first weights.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a shape without bits, units or layers, or with links that lead nowhere;
    /// [`Error::TooLarge`] from 2³¹ weights on.
    pub fn new(shape: ConditionalShape, seed: u64) -> Result<Self> {
        shape.validate()?;
        let (n, n_bits) = (shape.sites.len(), shape.bits.len());
        let (channels, width) = (shape.channels, shape.width);
        let mut starts = vec![0];
        starts.extend(shape.sites.iter().scan(0, |sum, &k| {
            *sum += k;
            Some(*sum)
        }));
        let mut weights = Weights { next: 0, first: Vec::new() };
        let mut context = Vec::new();
        for l in 0..if n > 0 { shape.context_depth } else { 0 } {
            let units = |site: usize| {
                if l == 0 { starts[site]..starts[site + 1] } else { site * channels..(site + 1) * channels }
            };
            let links = shape.links.iter().map(|link| (link.to, units(link.from), Some(link.class))).collect();
            let gain = if l == 0 { 1.0 } else { 2.0 / shape.context_depth as f64 };
            context.push(weights.layer(n, channels, links, true, gain));
        }
        let all = 0..shape.globals;
        let to_all = |nodes: usize, key: Option<usize>| match shape.globals {
            0 => Vec::new(),
            _ => (0..nodes).map(|j| (j, all.clone(), key)).collect(),
        };
        let globals = weights.layer(n, channels, to_all(n, Some(0)), false, 0.5);
        let mut sources = Vec::new();
        for (j, view) in shape.bits.iter().enumerate() {
            for run in ranges(&sorted(&view.sites)) {
                sources.push((j, run.start * channels..run.end * channels, None));
            }
        }
        let enter = weights.layer(n_bits, width, sources, true, 1.0);
        let enter_globals = weights.layer(n_bits, width, to_all(n_bits, None), false, 0.5);
        let mut bits = Vec::new();
        for l in 0..shape.depth {
            let mut sources = Vec::new();
            for (j, view) in shape.bits.iter().enumerate() {
                let mut seen = sorted(&view.bits);
                if l > 0 {
                    seen.push(j);
                }
                let unit = if l > 0 { width } else { 1 };
                sources.extend(ranges(&seen).into_iter().map(|run| (j, run.start * unit..run.end * unit, None)));
            }
            bits.push(weights.layer(n_bits, width, sources, l > 0, if l > 0 { 2.0 / shape.depth as f64 } else { 1.0 }));
        }
        let mut sources = Vec::new();
        for (j, view) in shape.bits.iter().enumerate() {
            let mut seen = sorted(&view.bits);
            seen.push(j);
            sources.extend(ranges(&seen).into_iter().map(|run| (j, run.start * width..run.end * width, None)));
        }
        // Small: all probabilities are near 1/2 at first.
        let out = weights.layer(n_bits, 1, sources, true, 0.01);
        let size = weights.next;
        if size >= 1 << 31 {
            let (method, what) = ("conditional network", "number of weights");
            return Err(Error::TooLarge { method, what, value: size, bound: (1 << 31) - 1 });
        }
        let mut parameters = vec![0.0; size];
        let mut rng = Streams::new(seed).stream(0);
        for (range, bound) in weights.first {
            parameters[range].iter_mut().for_each(|w| *w = bound * (2.0 * rng.random::<f64>() - 1.0));
        }
        let mut network = Self {
            shape,
            context,
            globals,
            enter,
            enter_globals,
            bits,
            out,
            parameters: Vec::new(),
            theta: vec![T::ZERO; size],
        };
        network.parameters = vec![0.0; size];
        network.set_parameters(&parameters)?;
        Ok(network)
    }

    /// The shape.
    pub fn shape(&self) -> &ConditionalShape {
        &self.shape
    }

    /// Bits of the context.
    pub fn n_context(&self) -> usize {
        self.shape.n_context()
    }

    /// Number of bits.
    pub fn n_bits(&self) -> usize {
        self.shape.n_bits()
    }

    /// Shape and number type in words, with a hash of the links: what a file of weights must agree with.
    pub fn architecture(&self) -> String {
        let shape = &self.shape;
        format!(
            "conditional:{LEAK}:{}:{}:{}:{}x{}:{}x{}:{:016x}:{}",
            self.n_context(),
            shape.globals,
            self.n_bits(),
            shape.channels,
            shape.context_depth,
            shape.width,
            shape.depth,
            shape.content_hash(),
            T::NAME
        )
    }

    /// The parameters: weights and biases, layer after layer.
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// Replaces the parameters.
    ///
    /// # Errors
    /// [`Error::WrongLength`], [`Error::NotFinite`]; the network is then unchanged.
    pub fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        super::check_parameters(parameters, self.parameters.len())?;
        self.parameters.copy_from_slice(parameters);
        super::round_parameters(&mut self.theta, parameters);
        Ok(())
    }

    /// Room for `samples` samples.
    pub fn new_pass(&self, samples: usize) -> ConditionalPass<T> {
        let b = samples;
        let layers =
            |layers: &[Layer]| -> Vec<Vec<T>> { layers.iter().map(|layer| vec![T::ZERO; layer.units() * b]).collect() };
        let (context, bits) = (layers(&self.context), layers(&self.bits));
        ConditionalPass {
            samples: Samples::new(self.n_bits(), b),
            context: vec![T::ONE; self.n_context() * b],
            globals: vec![T::ZERO; self.shape.globals * b],
            context_a: context.clone(),
            context_z: context,
            entered: vec![T::ZERO; self.enter.units() * b],
            a: bits.clone(),
            z: bits,
            logits: vec![T::ZERO; self.n_bits() * b],
            delta: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Number of samples of a pass.
    pub fn samples(&self, pass: &ConditionalPass<T>) -> usize {
        pass.samples.b
    }

    /// Sets the contexts, a row of ±1 and a row of numbers for every sample, and passes them through the context layers.
    ///
    /// # Panics
    /// If the numbers of bits or numbers are not those of the pass.
    pub fn set_context(&self, contexts: &[i8], globals: &[f64], pass: &mut ConditionalPass<T>) {
        let (b, n, g) = (pass.samples.b, self.n_context(), self.shape.globals);
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
        for (l, layer) in self.context.iter().enumerate() {
            let nodes = 0..self.shape.sites.len();
            let (before, after) = pass.context_z.split_at_mut(l);
            let z = &mut after[0];
            match before.last() {
                None => {
                    z.fill(T::ZERO);
                    layer.add_products(&self.theta, &nodes, &pass.context, b, z);
                    self.globals.add_products(&self.theta, &nodes, &pass.globals, b, z);
                }
                Some(before) => {
                    z.copy_from_slice(before);
                    layer.add_products(&self.theta, &nodes, &pass.context_a[l - 1], b, z);
                }
            }
            layer.add_bias(&self.theta, &nodes, b, z);
            widest(PRelu { z, slope: T::from_f64(LEAK), a: &mut pass.context_a[l] });
        }
        let nodes = 0..self.n_bits();
        pass.entered.fill(T::ZERO);
        self.enter.add_bias(&self.theta, &nodes, b, &mut pass.entered);
        if let Some(a) = pass.context_a.last() {
            self.enter.add_products(&self.theta, &nodes, a, b, &mut pass.entered);
        }
        self.enter_globals.add_products(&self.theta, &nodes, &pass.globals, b, &mut pass.entered);
    }

    /// The units of these bits from the bits before them.
    fn advance(&self, nodes: &std::ops::Range<usize>, pass: &mut ConditionalPass<T>) {
        let b = pass.samples.b;
        if b == 0 {
            return;
        }
        for (l, layer) in self.bits.iter().enumerate() {
            let units = layer.units_of(nodes);
            let range = units.start * b..units.end * b;
            let (before, after) = pass.z.split_at_mut(l);
            let z = &mut after[0];
            match before.last() {
                None => {
                    z[range.clone()].copy_from_slice(&pass.entered[range.clone()]);
                    layer.add_products(&self.theta, nodes, &pass.samples.spin, b, z);
                }
                Some(before) => {
                    z[range.clone()].copy_from_slice(&before[range.clone()]);
                    layer.add_products(&self.theta, nodes, &pass.a[l - 1], b, z);
                    layer.add_bias(&self.theta, nodes, b, z);
                }
            }
            widest(PRelu { z: &z[range.clone()], slope: T::from_f64(LEAK), a: &mut pass.a[l][range] });
        }
        pass.logits[nodes.start * b..nodes.end * b].fill(T::ZERO);
        if let Some(a) = pass.a.last() {
            self.out.add_products(&self.theta, nodes, a, b, &mut pass.logits);
        }
        self.out.add_bias(&self.theta, nodes, b, &mut pass.logits);
    }

    /// Evaluates these bits, a row of ±1 a sample, in the contexts of the pass.
    ///
    /// # Panics
    /// If the number of bits is not that of the pass.
    pub fn evaluate(&self, bits: &[i8], pass: &mut ConditionalPass<T>) {
        pass.samples.set_rows(bits);
        if pass.samples.b == 0 {
            return;
        }
        self.advance(&(0..self.n_bits()), pass);
        pass.samples.begin();
        for (j, logit) in pass.logits.chunks_exact(pass.samples.b).enumerate() {
            pass.samples.condition(j, logit);
        }
        pass.samples.end();
    }

    /// Draws the bits of all samples in the contexts of the pass.
    pub fn sample<R: Rng + ?Sized>(&self, pass: &mut ConditionalPass<T>, rng: &mut R) {
        let b = pass.samples.b;
        pass.samples.begin();
        for j in 0..self.n_bits() {
            self.advance(&(j..j + 1), pass);
            pass.samples.draw(j, &pass.logits[j * b..(j + 1) * b], rng);
        }
        pass.samples.end();
    }

    /// The logits $`\ln q(s_j = +1)/q(s_j = -1)`$ of bit j in every sample, given its context and the bits before j as they
    /// were set, from bit 0 on in this order.
    ///
    /// # Panics
    /// If there is no such bit.
    pub fn logits<'a>(&self, j: usize, pass: &'a mut ConditionalPass<T>) -> &'a [T] {
        let b = pass.samples.b;
        assert!(j < self.n_bits(), "bit {j} of {}", self.n_bits());
        self.advance(&(j..j + 1), pass);
        &pass.logits[j * b..(j + 1) * b]
    }

    /// Sets bit j of every sample to ±1.
    ///
    /// # Panics
    /// If `bits` has another length than the samples of the pass.
    pub fn set_bit(&self, j: usize, bits: &[i8], pass: &mut ConditionalPass<T>) {
        let b = pass.samples.b;
        assert_eq!(bits.len(), b, "{} bits for {b} samples", bits.len());
        for (x, &s) in pass.samples.spin[j * b..(j + 1) * b].iter_mut().zip(bits) {
            *x = T::from_f64(f64::from(s));
        }
    }

    /// A pass with the given samples of another: contexts, bits and what was computed for the bits; a sample may come
    /// often. It serves for [`logits`](Self::logits), [`sample`](Self::sample) and [`evaluate`](Self::evaluate), not for
    /// gradients.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn select(&self, pass: &ConditionalPass<T>, samples: &[usize]) -> ConditionalPass<T> {
        let b = pass.samples.b;
        let mut out = self.new_pass_of_bits(samples.len());
        if samples.is_empty() {
            return out;
        }
        let copy = |from: &[T], to: &mut [T]| {
            for (from, to) in from.chunks_exact(b).zip(to.chunks_exact_mut(samples.len())) {
                to.iter_mut().zip(samples).for_each(|(x, &k)| *x = from[k]);
            }
        };
        copy(&pass.entered, &mut out.entered);
        copy(&pass.samples.spin, &mut out.samples.spin);
        pass.a.iter().zip(&mut out.a).for_each(|(from, to)| copy(from, to));
        out
    }

    /// Room without context layers.
    fn new_pass_of_bits(&self, b: usize) -> ConditionalPass<T> {
        let bits: Vec<Vec<T>> = self.bits.iter().map(|layer| vec![T::ZERO; layer.units() * b]).collect();
        ConditionalPass {
            samples: Samples::new(self.n_bits(), b),
            context: Vec::new(),
            globals: Vec::new(),
            context_a: Vec::new(),
            context_z: Vec::new(),
            entered: vec![T::ZERO; self.enter.units() * b],
            a: bits.clone(),
            z: bits,
            logits: vec![T::ZERO; self.n_bits() * b],
            delta: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Writes the bits of the pass, a row of ±1 a sample.
    ///
    /// # Panics
    /// If the number of bits is not that of the pass.
    pub fn write_bits(&self, pass: &ConditionalPass<T>, out: &mut [i8]) {
        pass.samples.write_rows(out);
    }

    /// $`\ln q(s \mid c)`$ of the samples of the pass.
    pub fn ln_q<'a>(&self, pass: &'a ConditionalPass<T>) -> &'a [f64] {
        &pass.samples.ln_q
    }

    /// `gradient += Σ_b weights[b] ∂ln q(s_b | c_b)/∂parameters`, for a pass with [contexts](Self::set_context) that was
    /// [evaluated](Self::evaluate).
    ///
    /// # Panics
    /// If the numbers of weights or parameters do not fit.
    pub fn accumulate_gradient(&self, pass: &mut ConditionalPass<T>, weights: &[f64], gradient: &mut [T]) {
        super::check_gradient(gradient.len(), self.parameters.len());
        let b = pass.samples.b;
        assert_eq!(pass.context.len(), self.n_context() * b, "a pass with contexts is needed");
        let theta = &self.theta;
        let (mut delta, mut back) = (std::mem::take(&mut pass.delta), std::mem::take(&mut pass.back));
        pass.samples.logit_gradient(weights, &mut delta);
        if b == 0 {
            (pass.delta, pass.back) = (delta, back);
            return;
        }
        let start = |back: &mut Vec<T>, len: usize| {
            back.clear();
            back.resize(len, T::ZERO);
        };
        // From the logits to the last layer of the bits, and down; `delta` is the gradient of z of the layer above.
        start(&mut back, self.enter.units() * b);
        if let Some(a) = pass.a.last() {
            self.out.backward(theta, a, &delta, b, gradient, Some(&mut back));
        }
        descend(&self.bits, theta, &pass.samples.spin, &pass.z, &pass.a, b, gradient, &mut delta, &mut back);
        // `delta` belongs to the first layer of the bits.
        self.enter_globals.backward(theta, &pass.globals, &delta, b, gradient, None);
        let (Some(a), Some(top)) = (pass.context_a.last(), self.context.last()) else {
            self.enter.backward(theta, &[], &delta, b, gradient, None);
            (pass.delta, pass.back) = (delta, back);
            return;
        };
        start(&mut back, top.units() * b);
        self.enter.backward(theta, a, &delta, b, gradient, Some(&mut back));
        descend(
            &self.context,
            theta,
            &pass.context,
            &pass.context_z,
            &pass.context_a,
            b,
            gradient,
            &mut delta,
            &mut back,
        );
        self.globals.backward(theta, &pass.globals, &delta, b, gradient, None);
        (pass.delta, pass.back) = (delta, back);
    }
}

/// From `back`, the gradient of the activations of the last of these layers, to `delta`, that of z of the first.
#[allow(clippy::too_many_arguments)]
fn descend<T: Scalar>(
    layers: &[Layer],
    theta: &[T],
    input: &[T],
    z: &[Vec<T>],
    a: &[Vec<T>],
    b: usize,
    gradient: &mut [T],
    delta: &mut Vec<T>,
    back: &mut Vec<T>,
) {
    let mut above: Option<Vec<T>> = None;
    for (l, layer) in layers.iter().enumerate().rev() {
        let mut unused = T::ZERO;
        widest(PReluGradient { z: &z[l], slope: T::from_f64(LEAK), delta: back, sum: &mut unused });
        if let Some(above) = &above {
            back.iter_mut().zip(above).for_each(|(d, &skip)| *d = *d + skip);
        }
        std::mem::swap(delta, back);
        if l == 0 {
            layer.backward(theta, input, delta, b, gradient, None);
        } else {
            let mut down = above.take().unwrap_or_default();
            down.clear();
            down.resize(a[l - 1].len(), T::ZERO);
            layer.backward(theta, &a[l - 1], delta, b, gradient, Some(&mut down));
            let this = std::mem::replace(back, down);
            let mut keep = this;
            keep.clear();
            keep.extend_from_slice(delta);
            above = Some(keep);
        }
    }
}

/// Ascending, each once.
fn sorted(list: &[usize]) -> Vec<usize> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}
