//! Feed-forward networks: shapes, values, derivatives by hand.

use std::ops::{Neg, Sub};

use linalg_core::gemm::{GemmScalar, Matrix, MatrixMut, gemm};
use linalg_core::rand::Rng;
use linalg_core::rng::standard_normal;

use crate::{Error, Result};
use linalg_core::simd::{Work, widest};
use linalg_core::threads;

/// What a unit of a layer does with its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Activation {
    /// $`1/(1 + e^{-x})`$.
    Logistic,
    /// The field itself.
    Linear,
}

/// What is minimised, summed over the outputs of a row and averaged over rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Loss {
    /// $`-\sum_i t_i \ln y_i + (1 - t_i) \ln(1 - y_i)`$ with targets from 0 to 1: for logistic outputs.
    CrossEntropy,
    /// $`\sum_i (y_i - t_i)^2`$.
    SquaredError,
}

/// `f32` to compute with, `f64` to check derivatives with.
pub(crate) trait Real: GemmScalar + Sub<Output = Self> + Neg<Output = Self> + PartialOrd {
    const EPSILON: f64;

    fn of(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn logistic(values: &mut [Self]);
}

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;

    fn of(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn logistic(values: &mut [Self]) {
        widest(Logistic(values));
    }
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;

    fn of(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn logistic(values: &mut [Self]) {
        values.iter_mut().for_each(|x| *x = linalg_core::logspace::sigmoid(*x));
    }
}

struct Logistic<'a>(&'a mut [f32]);

impl Work for Logistic<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for x in self.0 {
            *x = crate::fast::math::sigmoid(*x);
        }
    }
}

/// Sizes of the layers and what their units do. Parameters lie one layer after another: weights outputs x inputs, then biases.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Shape {
    pub(crate) sizes: Vec<usize>,
    pub(crate) activations: Vec<Activation>,
}

/// A part of the parameters that is worked on by itself: weights of some outputs, or the biases of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    layer: usize,
    first: usize,
    n: usize,
    pub(crate) bias: bool,
}

/// Outputs whose weights are one piece.
const OUTPUTS: usize = 128;

/// Rows that are worked on together.
pub(crate) const ROWS: usize = 64;

impl Shape {
    fn n_layers(&self) -> usize {
        self.activations.len()
    }

    pub(crate) fn n_parameters(&self) -> usize {
        self.sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    /// Weights and biases of a layer.
    pub(crate) fn layer<'a, T>(&self, k: usize, parameters: &'a [T]) -> (&'a [T], &'a [T]) {
        let start: usize = self.sizes.windows(2).take(k).map(|pair| (pair[0] + 1) * pair[1]).sum();
        let (inputs, outputs) = (self.sizes[k], self.sizes[k + 1]);
        parameters[start..][..(inputs + 1) * outputs].split_at(inputs * outputs)
    }

    /// All pieces in the order of the parameters.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (layer, &outputs) in self.sizes[1..].iter().enumerate() {
            for first in (0..outputs).step_by(OUTPUTS) {
                pieces.push(Piece { layer, first, n: OUTPUTS.min(outputs - first), bias: false });
            }
            pieces.push(Piece { layer, first: 0, n: outputs, bias: true });
        }
        pieces
    }

    /// Number of parameters of a piece.
    pub(crate) fn len(&self, piece: Piece) -> usize {
        if piece.bias { piece.n } else { piece.n * self.sizes[piece.layer] }
    }
}

/// Activities of some rows in all layers, and the derivatives of the loss by the fields.
#[derive(Debug, Clone)]
pub(crate) struct Block<T> {
    rows: usize,
    pub(crate) activities: Vec<Vec<T>>,
    pub(crate) deltas: Vec<Vec<T>>,
    /// Sum of the losses of the rows.
    pub(crate) loss: f64,
}

impl<T: Real> Block<T> {
    pub(crate) fn new(shape: &Shape, rows: usize) -> Self {
        let zeros = |n: &usize| vec![T::ZERO; rows * n];
        Self {
            rows,
            activities: shape.sizes.iter().map(zeros).collect(),
            deltas: shape.sizes[1..].iter().map(zeros).collect(),
            loss: 0.0,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn forward(&mut self, shape: &Shape, parameters: &[T]) {
        for k in 0..shape.n_layers() {
            let (weights, bias) = shape.layer(k, parameters);
            let (inputs, outputs) = (shape.sizes[k], shape.sizes[k + 1]);
            let (below, above) = self.activities.split_at_mut(k + 1);
            let out = &mut above[0][..];
            out.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(bias));
            gemm(
                T::ONE,
                Matrix::row_major(&below[k], self.rows, inputs),
                Matrix::row_major(weights, outputs, inputs).transposed(),
                T::ONE,
                MatrixMut::row_major(out, self.rows, outputs),
            );
            if shape.activations[k] == Activation::Logistic {
                T::logistic(out);
            }
        }
    }

    /// Loss and derivatives after [`forward`](Self::forward); derivatives are multiplied by `scale`.
    pub(crate) fn backward(&mut self, shape: &Shape, parameters: &[T], targets: &[T], loss: Loss, scale: f64) {
        let last = shape.n_layers() - 1;
        let logistic = shape.activations[last] == Activation::Logistic;
        self.loss = 0.0;
        let pairs = self.activities[last + 1].iter().zip(targets);
        for (delta, (&y, &t)) in self.deltas[last].iter_mut().zip(pairs) {
            let (y, t) = (y.to_f64(), t.to_f64());
            let mut slope = if logistic { y * (1.0 - y) } else { 1.0 };
            match loss {
                Loss::CrossEntropy => {
                    let p = y.clamp(T::EPSILON, 1.0 - T::EPSILON);
                    self.loss -= t * p.ln() + (1.0 - t) * (-p).ln_1p();
                    // With logistic outputs the slope cancels.
                    slope = if logistic { 1.0 } else { 1.0 / (p * (1.0 - p)) };
                    slope *= y - t;
                }
                Loss::SquaredError => {
                    self.loss += (y - t) * (y - t);
                    slope *= 2.0 * (y - t);
                }
            }
            *delta = T::of(scale * slope);
        }
        for k in (0..last).rev() {
            let (weights, _) = shape.layer(k + 1, parameters);
            let (inputs, outputs) = (shape.sizes[k + 1], shape.sizes[k + 2]);
            let (below, above) = self.deltas.split_at_mut(k + 1);
            gemm(
                T::ONE,
                Matrix::row_major(&above[0], self.rows, outputs),
                Matrix::row_major(weights, outputs, inputs),
                T::ZERO,
                MatrixMut::row_major(&mut below[k], self.rows, inputs),
            );
            if shape.activations[k] == Activation::Logistic {
                for (delta, &y) in below[k].iter_mut().zip(&self.activities[k + 1]) {
                    *delta = *delta * (y * (T::ONE - y));
                }
            }
        }
    }
}

/// The derivatives by the parameters of one piece, summed over blocks.
pub(crate) fn gradient_of_piece<T: Real>(shape: &Shape, piece: Piece, blocks: &[Block<T>], out: &mut [T]) {
    let (inputs, outputs) = (shape.sizes[piece.layer], shape.sizes[piece.layer + 1]);
    if piece.bias {
        out.fill(T::ZERO);
        for row in blocks.iter().flat_map(|block| block.deltas[piece.layer].chunks_exact(outputs)) {
            out.iter_mut().zip(row).for_each(|(out, &x)| *out = *out + x);
        }
        return;
    }
    for (k, block) in blocks.iter().enumerate() {
        let deltas = &block.deltas[piece.layer][piece.first..];
        gemm(
            T::ONE,
            Matrix::strided(deltas, piece.n, block.rows, 1, outputs),
            Matrix::row_major(&block.activities[piece.layer], block.rows, inputs),
            if k == 0 { T::ZERO } else { T::ONE },
            MatrixMut::row_major(out, piece.n, inputs),
        );
    }
}

/// A feed-forward network in `f32`.
///
/// ```
/// use boltzmann::deep::{Activation, Network};
///
/// // One output: the logistic function of 2x - 1.
/// let network = Network::new(vec![1, 1], vec![Activation::Logistic], vec![2.0, -1.0])?;
/// assert!((network.forward(&[0.5], 1)[0] - 0.5).abs() < 1e-6);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Network {
    pub(crate) shape: Shape,
    pub(crate) parameters: Vec<f32>,
}

impl Network {
    /// A network with layers of these `sizes`, the inputs first, and an activation for every layer but the inputs.
    ///
    /// Parameters lie one layer after another: weights outputs x inputs, row-major, then biases.
    ///
    /// # Errors
    /// [`Error::Empty`] for fewer than two layers or one without units, [`Error::WrongLength`], [`Error::NotFinite`].
    pub fn new(sizes: Vec<usize>, activations: Vec<Activation>, parameters: Vec<f32>) -> Result<Self> {
        if sizes.len() < 2 || sizes.contains(&0) {
            return Err(Error::Empty { what: "layer of a network" });
        }
        crate::error::check_length("activations", activations.len(), sizes.len() - 1)?;
        let shape = Shape { sizes, activations };
        crate::error::check_length("parameters of the network", parameters.len(), shape.n_parameters())?;
        if let Some(index) = parameters.iter().position(|x| !x.is_finite()) {
            let value = f64::from(parameters[index]);
            return Err(Error::NotFinite { what: "parameters of the network", index, value });
        }
        Ok(Self { shape, parameters })
    }

    /// Gaussian weights of variance 1 over the number of inputs of their unit, biases 0.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn random<R: Rng + ?Sized>(sizes: Vec<usize>, activations: Vec<Activation>, rng: &mut R) -> Result<Self> {
        let mut parameters = Vec::new();
        for pair in sizes.windows(2) {
            let scale = 1.0 / (pair[0].max(1) as f64).sqrt();
            parameters.extend((0..pair[0] * pair[1]).map(|_| (scale * standard_normal(rng)) as f32));
            parameters.resize(parameters.len() + pair[1], 0.0);
        }
        Self::new(sizes, activations, parameters)
    }

    /// Sizes of the layers, the inputs first.
    pub fn sizes(&self) -> &[usize] {
        &self.shape.sizes
    }

    /// What the units of each layer do.
    pub fn activations(&self) -> &[Activation] {
        &self.shape.activations
    }

    /// The parameters, in the order of [`new`](Self::new).
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// The first `layers` layers of units after the inputs as a network of their own.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `layers` is from 1 to the number of layers.
    pub fn first_layers(&self, layers: usize) -> Result<Self> {
        if !(1..=self.shape.n_layers()).contains(&layers) {
            let value = layers.to_string();
            return Err(Error::Parameter { what: "number of layers", value, expected: "1 to the layers there are" });
        }
        let sizes = self.shape.sizes[..=layers].to_vec();
        let activations = self.shape.activations[..layers].to_vec();
        let shape = Shape { sizes, activations };
        let n = shape.n_parameters();
        Ok(Self { shape, parameters: self.parameters[..n].to_vec() })
    }

    /// The outputs of rows of inputs, on up to `threads` threads (0: all there are).
    ///
    /// Cost: two operations a weight and row.
    ///
    /// # Panics
    /// If `inputs` ends inside a row.
    pub fn forward(&self, inputs: &[f32], threads: usize) -> Vec<f32> {
        let sizes = &self.shape.sizes;
        let (n, m) = (sizes[0], sizes[sizes.len() - 1]);
        let rows = self.rows(inputs);
        let mut out = vec![0.0; rows * m];
        let mut pieces: Vec<(&[f32], &mut [f32])> = inputs.chunks(ROWS * n).zip(out.chunks_mut(ROWS * m)).collect();
        threads::for_pieces(threads::count(threads), &mut pieces, |_, pieces| {
            for (inputs, out) in pieces {
                let mut block = Block::new(&self.shape, inputs.len() / n);
                block.activities[0].copy_from_slice(inputs);
                block.forward(&self.shape, &self.parameters);
                out.copy_from_slice(&block.activities[sizes.len() - 1]);
            }
        });
        out
    }

    /// The mean over rows of the summed squared differences between outputs and targets.
    ///
    /// # Panics
    /// If the slices do not hold the same number of rows.
    pub fn squared_error(&self, inputs: &[f32], targets: &[f32], threads: usize) -> f64 {
        let out = self.forward(inputs, threads);
        assert_eq!(out.len(), targets.len(), "{} outputs, {} targets", out.len(), targets.len());
        let squares = out.iter().zip(targets).map(|(y, t)| f64::from(y - t) * f64::from(y - t));
        squares.sum::<f64>() / self.rows(inputs).max(1) as f64
    }

    fn rows(&self, inputs: &[f32]) -> usize {
        let n = self.shape.sizes[0];
        assert!(inputs.len().is_multiple_of(n), "{} inputs for rows of {n}", inputs.len());
        inputs.len() / n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    /// All derivatives of both losses against finite differences, in `f64`, over a network of three layers.
    #[test]
    fn derivatives_are_those_of_finite_differences() {
        use Activation::{Linear, Logistic};
        let cases = [
            (vec![Logistic, Linear, Logistic], Loss::CrossEntropy),
            (vec![Logistic, Logistic, Logistic], Loss::SquaredError),
            (vec![Linear, Logistic, Linear], Loss::SquaredError),
        ];
        let mut rng = Streams::new(1).stream(0);
        for (activations, loss) in cases {
            let shape = Shape { sizes: vec![4, 130, 3, 2], activations };
            let mut normals = |n: usize| (0..n).map(|_| 0.5 * standard_normal(&mut rng)).collect::<Vec<f64>>();
            let (parameters, inputs) = (normals(shape.n_parameters()), normals(5 * 4));
            let targets: Vec<f64> = normals(5 * 2).iter().map(|x| linalg_core::logspace::sigmoid(*x)).collect();
            let run = |parameters: &[f64]| {
                // Two blocks, of three and of two rows.
                let mut blocks = vec![Block::new(&shape, 3), Block::new(&shape, 2)];
                for (block, rows) in blocks.iter_mut().zip([0..3, 3..5]) {
                    block.activities[0].copy_from_slice(&inputs[4 * rows.start..4 * rows.end]);
                    block.forward(&shape, parameters);
                    block.backward(&shape, parameters, &targets[2 * rows.start..2 * rows.end], loss, 0.2);
                }
                blocks
            };
            let blocks = run(&parameters);
            let mut gradient = vec![0.0; shape.n_parameters()];
            let mut rest = &mut gradient[..];
            for piece in shape.pieces() {
                let (own, others) = rest.split_at_mut(shape.len(piece));
                gradient_of_piece(&shape, piece, &blocks, own);
                rest = others;
            }
            assert!(rest.is_empty());
            let value = |x: &[f64]| 0.2 * run(x).iter().map(|block| block.loss).sum::<f64>();
            let numeric = linalg_core::optim::finite_difference::gradient(value, &parameters);
            for (a, b) in gradient.iter().zip(&numeric) {
                assert!((a - b).abs() < 1e-8, "{a} {b}");
            }
        }
    }

    #[test]
    fn outputs_do_not_depend_on_threads_and_parts_are_networks() {
        let mut rng = Streams::new(2).stream(0);
        let activations = vec![Activation::Logistic, Activation::Linear];
        let network = Network::random(vec![7, 5, 3], activations, &mut rng).unwrap();
        let inputs: Vec<f32> = (0..200 * 7).map(|k| (k as f32 * 0.37).sin()).collect();
        assert_eq!(network.forward(&inputs, 1), network.forward(&inputs, 3));
        let first = network.first_layers(1).unwrap();
        assert_eq!((first.sizes(), first.parameters().len()), (&[7, 5][..], 40));
        // The first layer of the first row, by hand.
        let field: f32 = (0..7).map(|k| network.parameters()[k] * inputs[k]).sum();
        assert!((first.forward(&inputs, 1)[0] - 1.0 / (1.0 + (-field).exp())).abs() < 1e-6);
        assert!(network.first_layers(0).is_err() && network.first_layers(3).is_err());
    }

    #[test]
    fn bad_networks_are_refused() {
        let message = |sizes: &[usize], n: usize, bad: f32| {
            let activations = vec![Activation::Linear; sizes.len().saturating_sub(1)];
            let mut parameters = vec![0.5; n];
            parameters.iter_mut().take(1).for_each(|x| *x = bad);
            Network::new(sizes.to_vec(), activations, parameters).unwrap_err().to_string()
        };
        assert_eq!(message(&[2], 1, 0.0), "layer of a network is empty");
        assert_eq!(message(&[2, 0], 1, 0.0), "layer of a network is empty");
        assert_eq!(message(&[2, 1], 2, 0.0), "parameters of the network: 2 values, expected 3");
        assert_eq!(message(&[2, 1], 3, f32::NAN), "parameters of the network[0] is NaN, expected a finite number");
    }
}
