//! Masked convolutions on a rectangle (van den Oord, Kalchbrenner and Kavukcuoglu, ICML 2016).

use linalg_core::Streams;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use rand::{Rng, RngExt};

use super::made::Activation;
use super::network::Autoregressive;
use super::spins::Samples;
use crate::error::check_positive;
use crate::kernels::{AddProducts, PRelu, PReluGradient, Tanh};
use crate::scalar::Scalar;
use crate::{Error, Result};
use linalg_core::simd::widest;

/// Channels from which a product goes through the matrix kernels.
const MANY: usize = 8;

/// Parameters of [`PixelCnn`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PixelCnnParams {
    /// Convolutions, the output included; default 3.
    pub depth: usize,
    /// Channels of the hidden layers; default 8.
    pub channels: usize,
    /// Side of the square kernel before it is masked, odd; default 5.
    pub kernel: usize,
    /// Whether layers have biases; default true.
    pub bias: bool,
    /// What follows a hidden layer, with a slope for every channel; default [`Activation::PRelu`].
    pub activation: Activation,
    /// Seed of the first weights.
    pub seed: u64,
}

impl Default for PixelCnnParams {
    fn default() -> Self {
        Self { depth: 3, channels: 8, kernel: 5, bias: true, activation: Activation::PRelu, seed: 1 }
    }
}

impl PixelCnnParams {
    /// Sets the number of layers, the channels, and the side of the kernel.
    pub fn layers(mut self, depth: usize, channels: usize, kernel: usize) -> Self {
        (self.depth, self.channels, self.kernel) = (depth, channels, kernel);
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

    /// Sets the seed of the first weights.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// A layer and where its parameters begin: weights output channels x taps x input channels, biases, slopes.
#[derive(Debug, Clone, Copy)]
struct Layer {
    c_in: usize,
    c_out: usize,
    strict: bool,
    /// Sites that a site sees away from the edges.
    taps: usize,
    weight: usize,
    bias: usize,
    slope: usize,
}

/// A network of masked convolutions on a rectangle whose sites are ordered row by row.
///
/// A kernel of side 2 h + 1 sees the h rows above and, in its own row, the h sites to the left; all layers but the first
/// see the site itself, too. What lies beyond the edges is 0. The same weights serve every site, so that their number does
/// not grow with the lattice. With D layers the conditional of a site depends on what lies up to D h rows above; to the
/// upper right the reach of stacked masks is a wedge, and sites beyond it are not seen however deep the network is.
///
/// Every layer is computed once at every site, when its spin is drawn: nothing outside the receptive field is touched, and
/// all N conditionals cost one pass, about `4 D h (h + 1) C² N` operations a sample.
///
/// ```
/// use variational::Normalized;
/// use variational::autoregressive::{Autoregressive, PixelCnn, PixelCnnParams};
///
/// // One layer, a kernel of side 3: taps upper left, upper, upper right, left; then the bias.
/// let mut network = PixelCnn::<f64>::new(2, 2, PixelCnnParams::default().layers(1, 1, 3))?;
/// network.set_parameters(&[0.1, 0.2, 0.3, 0.4, 0.0])?;
/// let ln = |x: f64| -(1.0 + (-x).exp()).ln();
/// // Sites 0, 1 / 2, 3: x_0 = 0, x_1 = 0.4 s_0, x_2 = 0.2 s_0 + 0.3 s_1, x_3 = 0.1 s_0 + 0.2 s_1 + 0.4 s_2.
/// let expected = ln(0.0) + ln(0.4) + ln(0.5) + ln(0.7);
/// assert!((network.ln_prob(&[1, 1, 1, 1]) - expected).abs() < 1e-14);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PixelCnn<T = f32> {
    height: usize,
    width: usize,
    params: PixelCnnParams,
    layers: Vec<Layer>,
    parameters: Vec<f64>,
    theta: Vec<T>,
}

/// Activations of a [`PixelCnn`] for a block of samples.
#[derive(Debug, Clone)]
pub struct PixelCnnPass<T> {
    samples: Samples<T>,
    /// Affine outputs of every layer, sites x channels x samples.
    z: Vec<Vec<T>>,
    a: Vec<Vec<T>>,
    delta: Vec<T>,
    back: Vec<T>,
}

/// Neighbouring taps of one row: their first place in the kernel, the first site, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    tap: usize,
    site: usize,
    len: usize,
}

impl<T: Scalar> PixelCnn<T> {
    /// A network on `height x width` sites with random first weights.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty rectangle, no layers or channels, or an even kernel; [`Error::TooLarge`] from 2³¹
    /// weights on.
    pub fn new(height: usize, width: usize, params: PixelCnnParams) -> Result<Self> {
        check_positive("height", height)?;
        check_positive("width", width)?;
        check_positive("depth", params.depth)?;
        check_positive("channels", params.channels)?;
        if params.kernel.is_multiple_of(2) {
            return Err(Error::Parameter {
                what: "kernel",
                value: params.kernel.to_string(),
                expected: "an odd number",
            });
        }
        let (c, k) = (params.channels, params.kernel);
        let sizes = [c, c, k, k, params.depth];
        let weights = sizes.into_iter().fold(1usize, usize::saturating_mul).max(height.saturating_mul(width));
        if weights >= 1 << 31 {
            let (method, what) = ("pixelcnn", "number of weights or sites");
            return Err(Error::TooLarge { method, what, value: weights, bound: (1 << 31) - 1 });
        }
        let half = k / 2;
        let (mut layers, mut next, mut c_in) = (Vec::new(), 0, 1);
        for l in 0..params.depth {
            let last = l + 1 == params.depth;
            let (strict, c_out) = (l == 0, if last { 1 } else { c });
            let taps = half * k + half + usize::from(!strict);
            let weight = next;
            let bias = weight + c_out * taps * c_in;
            let slope = bias + if params.bias { c_out } else { 0 };
            next = slope + if !last && params.activation == Activation::PRelu { c_out } else { 0 };
            layers.push(Layer { c_in, c_out, strict, taps, weight, bias, slope });
            c_in = c_out;
        }
        let theta = vec![T::ZERO; next];
        let mut network = Self { height, width, params, layers, parameters: vec![0.0; next], theta };
        let first = network.first_parameters();
        network.set_parameters(&first)?;
        Ok(network)
    }

    /// How the network was made.
    pub fn params(&self) -> &PixelCnnParams {
        &self.params
    }

    /// Rows and columns of the lattice.
    pub fn shape(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    fn first_parameters(&self) -> Vec<f64> {
        let mut rng = Streams::new(self.params.seed).stream(0);
        let mut parameters = vec![0.5; self.parameters.len()];
        for layer in &self.layers {
            let bound = 1.0 / ((layer.taps * layer.c_in).max(1) as f64).sqrt();
            let slice = &mut parameters[layer.weight..layer.slope];
            slice.iter_mut().for_each(|p| *p = bound * (2.0 * rng.random::<f64>() - 1.0));
        }
        parameters
    }

    fn sites(&self) -> usize {
        self.height * self.width
    }

    /// What site `i` sees in a layer, row by row.
    fn runs(&self, layer: &Layer, i: usize) -> impl Iterator<Item = Run> + use<T> {
        let (half, kernel, width) = (self.params.kernel / 2, self.params.kernel, self.width);
        let (y, x, strict) = (i / width, i % width, layer.strict);
        let left = x.min(half);
        (0..=half).rev().filter(move |&up| up <= y).filter_map(move |up| {
            let right = if up > 0 { (width - 1 - x).min(half) + 1 } else { usize::from(!strict) };
            let tap = (half - up) * kernel + half - left;
            let run = Run { tap, site: (y - up) * width + x - left, len: left + right };
            (run.len > 0).then_some(run)
        })
    }

    /// The affine part of layer `l` at site `i`.
    fn affine(&self, l: usize, i: usize, pass: &mut PixelCnnPass<T>) {
        let (layer, b) = (self.layers[l], pass.samples.b);
        let z = &mut pass.z[l][i * layer.c_out * b..(i + 1) * layer.c_out * b];
        if self.params.bias {
            let biases = &self.theta[layer.bias..layer.bias + layer.c_out];
            z.chunks_exact_mut(b).zip(biases).for_each(|(row, &bias)| row.fill(bias));
        } else {
            z.fill(T::ZERO);
        }
        let input = if l == 0 { &pass.samples.spin } else { &pass.a[l - 1] };
        let stride = layer.taps * layer.c_in;
        for run in self.runs(&layer, i) {
            let (len, first) = (run.len * layer.c_in, run.site * layer.c_in);
            let w = &self.theta[layer.weight + run.tap * layer.c_in..layer.bias];
            let a = &input[first * b..(first + len) * b];
            if layer.c_out < MANY {
                widest(AddProducts { z, w, stride, a, samples: b });
            } else {
                gemm(
                    T::ONE,
                    Matrix::strided(w, layer.c_out, len, stride, 1),
                    Matrix::row_major(a, len, b),
                    T::ONE,
                    MatrixMut::row_major(z, layer.c_out, b),
                );
            }
        }
    }

    fn activate(&self, l: usize, i: usize, pass: &mut PixelCnnPass<T>) {
        let (layer, b) = (self.layers[l], pass.samples.b);
        let range = i * layer.c_out * b..(i + 1) * layer.c_out * b;
        let (z, a) = (&pass.z[l][range.clone()], &mut pass.a[l][range]);
        match self.params.activation {
            Activation::PRelu => {
                let slopes = &self.theta[layer.slope..layer.slope + layer.c_out];
                for ((z, a), &slope) in z.chunks_exact(b).zip(a.chunks_exact_mut(b)).zip(slopes) {
                    widest(PRelu { z, slope, a });
                }
            }
            Activation::Tanh => widest(Tanh { z, a }),
        }
    }

    /// All layers at site `i`: the logit is the last of `pass.z`.
    fn site(&self, i: usize, pass: &mut PixelCnnPass<T>) {
        for l in 0..self.layers.len() {
            self.affine(l, i, pass);
            if l + 1 < self.layers.len() {
                self.activate(l, i, pass);
            }
        }
    }

    /// `∂/∂a` of hidden layer `l` to `∂/∂z` in place, and the gradient of the slopes.
    fn through_activation(&self, l: usize, pass: &mut PixelCnnPass<T>, gradient: &mut [T]) {
        let (layer, b) = (self.layers[l], pass.samples.b);
        let rows = pass.delta.chunks_exact_mut(b).zip(pass.z[l].chunks_exact(b));
        for (r, (delta, z)) in rows.enumerate() {
            match self.params.activation {
                Activation::PRelu => {
                    let at = layer.slope + r % layer.c_out;
                    widest(PReluGradient { z, slope: self.theta[at], delta, sum: &mut gradient[at] });
                }
                Activation::Tanh => {
                    for (delta, &a) in delta.iter_mut().zip(&pass.a[l][r * b..(r + 1) * b]) {
                        *delta = *delta * (T::ONE + T::from_f64(-1.0) * a * a);
                    }
                }
            }
        }
    }

    /// From `∂/∂z` of layer `l` in `pass.delta` to the gradients of its weights, and of its input in `pass.back`.
    fn through_affine(&self, l: usize, pass: &mut PixelCnnPass<T>, gradient: &mut [T]) {
        let (layer, b) = (self.layers[l], pass.samples.b);
        let input = if l == 0 { &pass.samples.spin } else { &pass.a[l - 1] };
        let stride = layer.taps * layer.c_in;
        pass.back.clear();
        pass.back.resize(if l == 0 { 0 } else { self.sites() * layer.c_in * b }, T::ZERO);
        for (i, delta) in pass.delta.chunks_exact(layer.c_out * b).enumerate() {
            let rows = Matrix::row_major(delta, layer.c_out, b);
            for run in self.runs(&layer, i) {
                let (len, first) = (run.len * layer.c_in, run.site * layer.c_in);
                let at = layer.weight + run.tap * layer.c_in;
                gemm(
                    T::ONE,
                    rows,
                    Matrix::row_major(&input[first * b..(first + len) * b], len, b).transposed(),
                    T::ONE,
                    MatrixMut::strided(&mut gradient[at..layer.bias], layer.c_out, len, stride, 1),
                );
                if l > 0 {
                    gemm(
                        T::ONE,
                        Matrix::strided(&self.theta[at..layer.bias], layer.c_out, len, stride, 1).transposed(),
                        rows,
                        T::ONE,
                        MatrixMut::row_major(&mut pass.back[first * b..(first + len) * b], len, b),
                    );
                }
            }
            if self.params.bias {
                let biases = &mut gradient[layer.bias..layer.bias + layer.c_out];
                for (g, delta) in biases.iter_mut().zip(delta.chunks_exact(b)) {
                    *g = delta.iter().fold(*g, |sum, &x| sum + x);
                }
            }
        }
    }
}

impl<T: Scalar> Autoregressive for PixelCnn<T> {
    type Scalar = T;
    type Pass = PixelCnnPass<T>;

    fn n_spins(&self) -> usize {
        self.sites()
    }

    fn architecture(&self) -> String {
        let PixelCnnParams { depth, channels, kernel, bias, activation, .. } = self.params;
        let activation = match activation {
            Activation::PRelu => "prelu",
            Activation::Tanh => "tanh",
        };
        let bias = if bias { ":bias" } else { "" };
        let (height, width) = (self.height, self.width);
        format!("pixelcnn:{depth}:{channels}:{kernel}:{activation}{bias}:{} of {height} x {width} spins", T::NAME)
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

    fn is_odd(&self) -> bool {
        !self.params.bias && (self.layers.len() == 1 || self.params.activation == Activation::Tanh)
    }

    fn new_pass(&self, samples: usize) -> PixelCnnPass<T> {
        let units = |layer: &Layer| vec![T::ZERO; self.sites() * layer.c_out * samples];
        PixelCnnPass {
            samples: Samples::new(self.sites(), samples),
            z: self.layers.iter().map(units).collect(),
            a: self.layers[..self.layers.len() - 1].iter().map(units).collect(),
            delta: Vec::new(),
            back: Vec::new(),
        }
    }

    fn samples(&self, pass: &PixelCnnPass<T>) -> usize {
        pass.samples.b
    }

    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut PixelCnnPass<T>, rng: &mut R) {
        let (b, last) = (pass.samples.b, self.layers.len() - 1);
        pass.samples.begin();
        for i in 0..if b == 0 { 0 } else { self.sites() } {
            self.site(i, pass);
            pass.samples.draw(i, &pass.z[last][i * b..(i + 1) * b], rng);
        }
        pass.samples.end();
    }

    fn evaluate(&self, batch: &[i8], pass: &mut PixelCnnPass<T>) {
        let (b, last) = (pass.samples.b, self.layers.len() - 1);
        pass.samples.set_rows(batch);
        pass.samples.begin();
        for i in 0..if b == 0 { 0 } else { self.sites() } {
            self.site(i, pass);
            pass.samples.condition(i, &pass.z[last][i * b..(i + 1) * b]);
        }
        pass.samples.end();
    }

    fn write_spins(&self, pass: &PixelCnnPass<T>, out: &mut [i8]) {
        pass.samples.write_rows(out);
    }

    fn ln_q<'a>(&self, pass: &'a PixelCnnPass<T>) -> &'a [f64] {
        &pass.samples.ln_q
    }

    fn accumulate_gradient(&self, pass: &mut PixelCnnPass<T>, weights: &[f64], gradient: &mut [T]) {
        super::check_gradient(gradient.len(), self.parameters.len());
        let mut delta = std::mem::take(&mut pass.delta);
        pass.samples.logit_gradient(weights, &mut delta);
        pass.delta = delta;
        if pass.samples.b == 0 {
            return;
        }
        for l in (0..self.layers.len()).rev() {
            if l + 1 < self.layers.len() {
                self.through_activation(l, pass, gradient);
            }
            self.through_affine(l, pass, gradient);
            std::mem::swap(&mut pass.delta, &mut pass.back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_a_site_ends_at_the_edges() {
        let network = PixelCnn::<f64>::new(3, 4, PixelCnnParams::default().layers(2, 2, 3)).unwrap();
        let runs = |l: usize, i: usize| network.runs(&network.layers[l], i).collect::<Vec<_>>();
        assert_eq!(runs(0, 0), []);
        assert_eq!(runs(1, 0), [Run { tap: 4, site: 0, len: 1 }]);
        // Row 1, column 3: no upper right.
        assert_eq!(runs(0, 7), [Run { tap: 0, site: 2, len: 2 }, Run { tap: 3, site: 6, len: 1 }]);
        assert_eq!(runs(1, 5), [Run { tap: 0, site: 0, len: 3 }, Run { tap: 3, site: 4, len: 2 }]);
    }
}
