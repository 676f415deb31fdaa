//! Masked dense layers (Germain, Gregor, Murray and Larochelle, ICML 2015; Wu, Wang and Zhang, PRL 122, 080602 (2019)).

use linalg_core::Streams;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use rand::{Rng, RngExt};

use super::network::Autoregressive;
use super::spins::Samples;
use crate::error::check_positive;
use crate::kernels::{AddProducts, PRelu, PReluGradient, Tanh, sum};
use crate::scalar::Scalar;
use crate::{Error, Result};
use linalg_core::simd::widest;

/// What follows a hidden layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Activation {
    /// `max(z, 0) + slope · min(z, 0)` with a trained slope for every unit, 1/2 at first.
    #[default]
    PRelu,
    /// `tanh z`. Without biases the network is then odd and `q(-s) = q(s)`.
    Tanh,
}

/// Parameters of [`Made`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MadeParams {
    /// Masked affine layers, the output included; default 1.
    pub depth: usize,
    /// Channels a site of the hidden layers; default 1.
    pub width: usize,
    /// Whether layers have biases; default true.
    pub bias: bool,
    /// What follows a hidden layer; default [`Activation::PRelu`].
    pub activation: Activation,
    /// Whether a hidden layer after the first adds its input to its output; default false.
    pub residual: bool,
    /// Seed of the first weights.
    pub seed: u64,
}

impl Default for MadeParams {
    fn default() -> Self {
        Self { depth: 1, width: 1, bias: true, activation: Activation::PRelu, residual: false, seed: 1 }
    }
}

impl MadeParams {
    /// Sets the number of layers and the channels a site.
    pub fn layers(mut self, depth: usize, width: usize) -> Self {
        (self.depth, self.width) = (depth, width);
        self
    }

    /// Sets whether layers have biases.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// Sets what follows a hidden layer.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether hidden layers add their input to their output.
    pub fn residual(mut self, residual: bool) -> Self {
        self.residual = residual;
        self
    }

    /// Sets the seed of the first weights.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A layer and where its parameters begin: weights `n c_out x n c_in` row-major, then biases, then slopes.
#[derive(Debug, Clone, Copy)]
struct Layer {
    c_in: usize,
    c_out: usize,
    /// Whether a site does not see itself.
    strict: bool,
    weight: usize,
    bias: usize,
    slope: usize,
}

/// A network of masked dense layers: unit (i, c) of a layer sees the units of sites up to i, those of the first layer the
/// spins before i.
///
/// ```math
/// q(s) = \prod_i \sigma(s_i x_i), \qquad x = W_D\, a(\dots a(W_1 s + b_1) \dots) + b_D
/// ```
///
/// with $`\sigma(x) = 1/(1 + e^{-x})`$. One layer is the form `x_i = b_i + Σ_{j<i} W_ij s_j`. The first weights are uniform
/// with the variance of a dense layer, times 2N/(N - 1) in the first layer for what the mask removes, and 2N/(N + 2) in the
/// others, where 2N/(N + 1) would make up for all of it.
///
/// Cost of a pass over B samples with depth D and width C: about `D C² N² B` operations, for sampling, for evaluation and
/// twice as much for the gradient. Sampling goes block by block of sites: what finished blocks contribute is one matrix
/// product, so that all N conditionals together cost one pass.
///
/// ```
/// use variational::Normalized;
/// use variational::autoregressive::{Autoregressive, Made, MadeParams};
///
/// let mut made = Made::<f64>::new(2, MadeParams::default())?;
/// // One layer on two spins: weights [[0, 0], [w, 0]], biases [b_0, b_1].
/// made.set_parameters(&[0.0, 0.0, 1.5, 0.0, 0.4, -0.2])?;
/// let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
/// let expected = (1.0 - sigma(0.4)).ln() + sigma(-0.2 - 1.5).ln(); // P(s_0 = -1) P(s_1 = +1 | s_0 = -1)
/// assert!((made.ln_prob(&[-1, 1]) - expected).abs() < 1e-14);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Made<T = f32> {
    n: usize,
    params: MadeParams,
    layers: Vec<Layer>,
    parameters: Vec<f64>,
    /// The same, rounded.
    theta: Vec<T>,
    /// The weights of every layer transposed, inputs x outputs: what products over samples read in order.
    transposed: Vec<T>,
    /// Sites of a block: of sampling, and of the triangles that masks leave.
    block: usize,
}

/// Activations of a [`Made`] for a block of samples.
#[derive(Debug, Clone)]
pub struct MadePass<T> {
    samples: Samples<T>,
    /// Affine outputs of every layer, units x samples; the last are the logits.
    z: Vec<Vec<T>>,
    /// Activations of the hidden layers.
    a: Vec<Vec<T>>,
    delta: Vec<T>,
    back: Vec<T>,
    /// Samples x units: the inputs and the gradient of a layer.
    turned: [Vec<T>; 2],
}

impl<T: Scalar> Made<T> {
    /// A network of `n` spins with random first weights.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no spins, layers or channels; [`Error::TooLarge`] from 2³¹ weights on.
    pub fn new(n: usize, params: MadeParams) -> Result<Self> {
        check_positive("number of spins", n)?;
        check_positive("depth", params.depth)?;
        check_positive("width", params.width)?;
        let units = n.saturating_mul(params.width);
        let weights = units.saturating_mul(units).saturating_mul(params.depth);
        if weights >= 1 << 31 {
            return Err(Error::TooLarge {
                method: "made",
                what: "number of weights",
                value: weights,
                bound: (1 << 31) - 1,
            });
        }
        let mut layers = Vec::new();
        let (mut c_in, mut next) = (1, 0);
        for l in 0..params.depth {
            let last = l + 1 == params.depth;
            let c_out = if last { 1 } else { params.width };
            let weight = next;
            let bias = weight + n * c_out * n * c_in;
            let slope = bias + if params.bias { n * c_out } else { 0 };
            let slopes = !last && params.activation == Activation::PRelu;
            next = slope + if slopes { n * c_out } else { 0 };
            layers.push(Layer { c_in, c_out, strict: l == 0, weight, bias, slope });
            c_in = c_out;
        }
        let block = (64 / params.width).clamp(4, 32);
        let (theta, transposed) = (vec![T::ZERO; next], vec![T::ZERO; next]);
        let mut made = Self { n, params, layers, parameters: vec![0.0; next], theta, transposed, block };
        let first = made.first_parameters();
        made.set_parameters(&first)?;
        Ok(made)
    }

    /// How the network was made.
    pub fn params(&self) -> &MadeParams {
        &self.params
    }

    fn first_parameters(&self) -> Vec<f64> {
        let mut rng = Streams::new(self.params.seed).stream(0);
        let mut parameters = vec![0.0; self.parameters.len()];
        for (l, layer) in self.layers.iter().enumerate() {
            let (rows, cols) = (self.n * layer.c_out, self.n * layer.c_in);
            let free = layer.c_in * layer.c_out * self.n * (self.n - usize::from(layer.strict)) / 2
                + if layer.strict { 0 } else { layer.c_in * layer.c_out * self.n };
            let bound = 1.0 / (cols as f64).sqrt();
            let masked = bound * ((rows * cols) as f64 / free.max(1) as f64).sqrt();
            let mut uniform = |bound: f64| bound * (2.0 * rng.random::<f64>() - 1.0);
            parameters[layer.weight..layer.bias].iter_mut().for_each(|w| *w = uniform(masked));
            parameters[layer.bias..layer.slope].iter_mut().for_each(|b| *b = uniform(bound));
            let end = self.layers.get(l + 1).map_or(parameters.len(), |next| next.weight);
            parameters[layer.slope..end].fill(0.5);
        }
        parameters
    }

    /// One past the last column that row-site `i` of a layer sees.
    fn seen(layer: &Layer, i: usize) -> usize {
        (i + usize::from(!layer.strict)) * layer.c_in
    }

    /// Whether hidden layer `l` adds its input.
    fn skips(&self, l: usize) -> bool {
        self.params.residual && l > 0 && l + 1 < self.layers.len()
    }

    /// `z = b + W a` for the rows of sites `from .. to`, over the inputs of the sites before `finished`.
    fn affine(&self, l: usize, from: usize, to: usize, finished: usize, pass: &mut MadePass<T>) {
        let layer = &self.layers[l];
        let b = pass.samples.b;
        let rows = from * layer.c_out..to * layer.c_out;
        let z = &mut pass.z[l][rows.start * b..rows.end * b];
        if self.params.bias {
            let biases = &self.theta[layer.bias + rows.start..layer.bias + rows.end];
            z.chunks_exact_mut(b).zip(biases).for_each(|(row, &bias)| row.fill(bias));
        } else {
            z.fill(T::ZERO);
        }
        let used = finished * layer.c_in;
        if used > 0 {
            let input = if l == 0 { &pass.samples.spin } else { &pass.a[l - 1] };
            let outputs = self.n * layer.c_out;
            let w = &self.transposed[layer.weight + rows.start..layer.bias];
            gemm(
                T::ONE,
                Matrix::strided(w, rows.len(), used, 1, outputs),
                Matrix::row_major(input, used, b),
                T::ONE,
                MatrixMut::row_major(z, rows.len(), b),
            );
        }
    }

    /// The activations of hidden layer `l` for the sites `from .. to`.
    fn activate(&self, l: usize, from: usize, to: usize, pass: &mut MadePass<T>) {
        let layer = &self.layers[l];
        let b = pass.samples.b;
        let rows = from * layer.c_out..to * layer.c_out;
        let range = rows.start * b..rows.end * b;
        let z = &pass.z[l][range.clone()];
        let (before, after) = pass.a.split_at_mut(l);
        let a = &mut after[0][range.clone()];
        match self.params.activation {
            Activation::PRelu => {
                let slopes = &self.theta[layer.slope + rows.start..layer.slope + rows.end];
                for ((z, a), &slope) in z.chunks_exact(b).zip(a.chunks_exact_mut(b)).zip(slopes) {
                    widest(PRelu { z, slope, a });
                }
            }
            Activation::Tanh => widest(Tanh { z, a }),
        }
        if self.skips(l) {
            a.iter_mut().zip(&before[l - 1][range]).for_each(|(a, &input)| *a = *a + input);
        }
    }

    /// The layers from `first` on, over spins that are known.
    fn forward_from(&self, first: usize, pass: &mut MadePass<T>) {
        let panel = self.block;
        for l in 0..self.layers.len() {
            if l >= first {
                for from in (0..self.n).step_by(panel) {
                    let to = (from + panel).min(self.n);
                    // Weights that the mask excludes are 0.
                    self.affine(l, from, to, to, pass);
                }
            }
            if l + 1 < self.layers.len() {
                self.activate(l, 0, self.n, pass);
            }
        }
        let b = pass.samples.b;
        let logits = &pass.z[self.layers.len() - 1];
        pass.samples.begin();
        for (i, logit) in logits.chunks_exact(b).enumerate() {
            pass.samples.condition(i, logit);
        }
        pass.samples.end();
    }

    /// What the sites of the present block before and at `i` add to the rows of site `i`.
    fn add_recent(&self, l: usize, from: usize, i: usize, pass: &mut MadePass<T>) {
        let layer = &self.layers[l];
        let (b, cols) = (pass.samples.b, self.n * layer.c_in);
        let columns = from * layer.c_in..Self::seen(layer, i);
        if columns.is_empty() {
            return;
        }
        let input = if l == 0 { &pass.samples.spin } else { &pass.a[l - 1] };
        widest(AddProducts {
            z: &mut pass.z[l][i * layer.c_out * b..(i + 1) * layer.c_out * b],
            w: &self.theta[layer.weight + i * layer.c_out * cols + columns.start..],
            stride: cols,
            a: &input[columns.start * b..columns.end * b],
            samples: b,
        });
    }

    /// Turns `∂/∂a` of hidden layer `l` into `∂/∂z`, in place, and adds the gradient of the slopes.
    fn through_activation(&self, l: usize, pass: &mut MadePass<T>, gradient: &mut [T]) {
        let layer = &self.layers[l];
        let b = pass.samples.b;
        let rows = pass.delta.chunks_exact_mut(b).zip(pass.z[l].chunks_exact(b));
        match self.params.activation {
            Activation::PRelu => {
                for (r, (delta, z)) in rows.enumerate() {
                    let slope = self.theta[layer.slope + r];
                    let sum = &mut gradient[layer.slope + r];
                    widest(PReluGradient { z, slope, delta, sum });
                }
            }
            Activation::Tanh => {
                let minus = T::from_f64(-1.0);
                for (delta, z) in rows {
                    for (delta, &z) in delta.iter_mut().zip(z) {
                        let t = z.tanh();
                        *delta = *delta * (T::ONE + minus * t * t);
                    }
                }
            }
        }
    }

    /// Adds the gradient of weights and biases of layer `l` from `∂/∂z` in `pass.delta`.
    fn weight_gradient(&self, l: usize, pass: &mut MadePass<T>, gradient: &mut [T]) {
        let layer = &self.layers[l];
        let (b, cols, outputs, panel) = (pass.samples.b, self.n * layer.c_in, self.n * layer.c_out, self.block);
        let input = if l == 0 { &pass.samples.spin } else { &pass.a[l - 1] };
        let [inputs, deltas] = &mut pass.turned;
        transpose(input, cols, b, inputs);
        transpose(&pass.delta, outputs, b, deltas);
        for from in (0..self.n).step_by(panel) {
            let to = (from + panel).min(self.n);
            let rows = from * layer.c_out..to * layer.c_out;
            let used = to * layer.c_in;
            let begin = layer.weight + rows.start * cols;
            gemm(
                T::ONE,
                Matrix::strided(&deltas[rows.start..], rows.len(), b, 1, outputs),
                Matrix::strided(inputs, b, used, cols, 1),
                T::ONE,
                MatrixMut::strided(&mut gradient[begin..layer.bias], rows.len(), used, cols, 1),
            );
            for row in rows {
                let seen = Self::seen(layer, row / layer.c_out);
                gradient[layer.weight + row * cols + seen..layer.weight + row * cols + used].fill(T::ZERO);
            }
        }
        if self.params.bias {
            for (g, delta) in gradient[layer.bias..layer.slope].iter_mut().zip(pass.delta.chunks_exact(b)) {
                *g = *g + sum(delta);
            }
        }
    }

    /// `∂/∂a` of layer `l - 1` from `∂/∂z` of layer `l`, into `pass.back`.
    fn input_gradient(&self, l: usize, pass: &mut MadePass<T>) {
        let layer = &self.layers[l];
        let (b, cols, panel) = (pass.samples.b, self.n * layer.c_in, self.block);
        let rows = self.n * layer.c_out;
        pass.back.resize(cols * b, T::ZERO);
        for from in (0..self.n).step_by(panel) {
            let to = (from + panel).min(self.n);
            let (first, columns) = (from * layer.c_out, from * layer.c_in..to * layer.c_in);
            let w = &self.theta[layer.weight + first * cols + columns.start..layer.bias];
            gemm(
                T::ONE,
                Matrix::strided(w, rows - first, columns.len(), cols, 1).transposed(),
                Matrix::row_major(&pass.delta[first * b..], rows - first, b),
                T::ZERO,
                MatrixMut::row_major(&mut pass.back[columns.start * b..], columns.len(), b),
            );
        }
    }
}

/// The transpose of a matrix of `rows x cols`, in tiles that stay in the cache.
fn transpose<T: Scalar>(from: &[T], rows: usize, cols: usize, to: &mut Vec<T>) {
    const TILE: usize = 16;
    // Every entry is written below.
    to.resize(rows * cols, T::default());
    for first in (0..rows).step_by(TILE) {
        let height = TILE.min(rows - first);
        for (c, out) in to.chunks_exact_mut(rows).enumerate() {
            for (k, out) in out[first..first + height].iter_mut().enumerate() {
                *out = from[(first + k) * cols + c];
            }
        }
    }
}

impl<T: Scalar> Autoregressive for Made<T> {
    type Scalar = T;
    type Pass = MadePass<T>;

    fn n_spins(&self) -> usize {
        self.n
    }

    fn architecture(&self) -> String {
        let MadeParams { depth, width, bias, activation, residual, .. } = self.params;
        let activation = match activation {
            Activation::PRelu => "prelu",
            Activation::Tanh => "tanh",
        };
        let bias = if bias { ":bias" } else { "" };
        let residual = if residual { ":residual" } else { "" };
        format!("made:{depth}:{width}:{activation}{bias}{residual}:{} of {} spins", T::NAME, self.n)
    }

    fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        super::check_parameters(parameters, self.parameters.len())?;
        self.parameters.copy_from_slice(parameters);
        for layer in &self.layers {
            let cols = self.n * layer.c_in;
            for (row, w) in self.parameters[layer.weight..layer.bias].chunks_exact_mut(cols).enumerate() {
                w[Self::seen(layer, row / layer.c_out)..].fill(0.0);
            }
        }
        super::round_parameters(&mut self.theta, &self.parameters);
        let mut turned = Vec::new();
        for layer in &self.layers {
            let range = layer.weight..layer.bias;
            transpose(&self.theta[range.clone()], self.n * layer.c_out, self.n * layer.c_in, &mut turned);
            self.transposed[range].copy_from_slice(&turned);
        }
        Ok(())
    }

    fn n_free_parameters(&self) -> usize {
        let masked: usize = self
            .layers
            .iter()
            .map(|layer| (0..self.n).map(|i| layer.c_out * (self.n * layer.c_in - Self::seen(layer, i))).sum::<usize>())
            .sum();
        self.parameters.len() - masked
    }

    fn is_odd(&self) -> bool {
        !self.params.bias && (self.layers.len() == 1 || self.params.activation == Activation::Tanh)
    }

    fn new_pass(&self, samples: usize) -> MadePass<T> {
        let units = |layer: &Layer| vec![T::ZERO; self.n * layer.c_out * samples];
        let hidden = &self.layers[..self.layers.len() - 1];
        MadePass {
            samples: Samples::new(self.n, samples),
            z: self.layers.iter().map(units).collect(),
            a: hidden.iter().map(units).collect(),
            delta: Vec::new(),
            back: Vec::new(),
            turned: [Vec::new(), Vec::new()],
        }
    }

    fn samples(&self, pass: &MadePass<T>) -> usize {
        pass.samples.b
    }

    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut MadePass<T>, rng: &mut R) {
        let (b, depth) = (pass.samples.b, self.layers.len());
        pass.samples.begin();
        if b == 0 {
            return;
        }
        for from in (0..self.n).step_by(self.block) {
            let to = (from + self.block).min(self.n);
            for l in 0..depth {
                self.affine(l, from, to, from, pass);
            }
            for i in from..to {
                for l in 0..depth {
                    self.add_recent(l, from, i, pass);
                    if l + 1 < depth {
                        self.activate(l, i, i + 1, pass);
                    }
                }
                let logit = &pass.z[depth - 1][i * b..(i + 1) * b];
                pass.samples.draw(i, logit, rng);
            }
        }
        pass.samples.end();
    }

    fn evaluate(&self, batch: &[i8], pass: &mut MadePass<T>) {
        pass.samples.set_rows(batch);
        if pass.samples.b > 0 {
            self.forward_from(0, pass);
        }
    }

    /// The first layer is affine: what it gives for -s is twice its bias less what it gave for s.
    fn evaluate_reversed(&self, of: &MadePass<T>, pass: &mut MadePass<T>) {
        let b = of.samples.b;
        assert_eq!(b, pass.samples.b, "passes of {b} and {} samples", pass.samples.b);
        if b == 0 {
            return;
        }
        let (minus, two) = (T::from_f64(-1.0), T::from_f64(2.0));
        for (mine, &s) in pass.samples.spin.iter_mut().zip(&of.samples.spin) {
            *mine = minus * s;
        }
        let layer = &self.layers[0];
        let rows = pass.z[0].chunks_exact_mut(b).zip(of.z[0].chunks_exact(b));
        for (r, (mine, theirs)) in rows.enumerate() {
            let twice = if self.params.bias { two * self.theta[layer.bias + r] } else { T::ZERO };
            for (mine, &z) in mine.iter_mut().zip(theirs) {
                *mine = twice + minus * z;
            }
        }
        self.forward_from(1, pass);
    }

    fn write_spins(&self, pass: &MadePass<T>, out: &mut [i8]) {
        pass.samples.write_rows(out);
    }

    fn ln_q<'a>(&self, pass: &'a MadePass<T>) -> &'a [f64] {
        &pass.samples.ln_q
    }

    fn accumulate_gradient(&self, pass: &mut MadePass<T>, weights: &[f64], gradient: &mut [T]) {
        super::check_gradient(gradient.len(), self.parameters.len());
        let mut delta = std::mem::take(&mut pass.delta);
        pass.samples.logit_gradient(weights, &mut delta);
        pass.delta = delta;
        if pass.samples.b == 0 {
            return;
        }
        for l in (0..self.layers.len()).rev() {
            // `skipped` holds ∂/∂a of this layer where its input is added to its output.
            let skipped = if self.skips(l) { pass.delta.clone() } else { Vec::new() };
            if l + 1 < self.layers.len() {
                self.through_activation(l, pass, gradient);
            }
            self.weight_gradient(l, pass, gradient);
            if l > 0 {
                self.input_gradient(l, pass);
                pass.back.iter_mut().zip(&skipped).for_each(|(back, &direct)| *back = *back + direct);
                std::mem::swap(&mut pass.delta, &mut pass.back);
            }
        }
    }
}
