//! Deep Boltzmann machines: layers of 0/1 units, couplings between neighbouring layers both ways.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::logspace::sigmoid;
use linalg_core::rand::Rng;
use linalg_core::rng::{standard_normal, uniform_open01};

use crate::error::{check_finite, check_length};
use crate::rbm::dot;
use crate::units::Bernoulli;
use crate::{Error, Rbm, Result};

/// A machine of several layers $`x^0 = v, x^1, \dots, x^L`$ with
///
/// ```math
/// E = -\sum_k b^k \cdot x^k - \sum_k x^{k+1} \cdot W^k x^k .
/// ```
///
/// The even layers together and the odd ones together are the two layers of a restricted machine ([`to_rbm`](Self::to_rbm)): exact
/// sums, annealed importance sampling and chains of that machine are those of this one. The posterior of the hidden layers does not
/// factorise; [`mean_field`](Self::mean_field) approximates it and bounds the likelihood.
///
/// R. Salakhutdinov and G. E. Hinton, AISTATS 2009.
///
/// ```
/// use boltzmann::deep::DeepBoltzmannMachine;
/// use boltzmann::partition::exact_ln_z;
///
/// // A chain of three units, coupled by ln 2: states have weights 2^(number of neighbouring ones).
/// let w = 2f64.ln();
/// let machine = DeepBoltzmannMachine::new(vec![vec![0.0], vec![0.0], vec![0.0]], vec![vec![w], vec![w]])?;
/// // 000, 001, 010, 100, 101: 1 each; 011, 110: 2 each; 111: 4.
/// assert!((exact_ln_z(&machine.to_rbm()?, 1.0)? - 13f64.ln()).abs() < 1e-14);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DeepBoltzmannMachine {
    biases: Vec<Vec<f64>>,
    weights: Vec<Vec<f64>>,
}

/// Means of the hidden units given data, by mean field.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DeepMeanField {
    /// Rows of all layers: the data first, then means of the hidden layers.
    pub layers: Vec<Vec<f64>>,
    /// Iterations made.
    pub iterations: usize,
    /// The largest change of a mean in the last iteration.
    pub residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl DeepBoltzmannMachine {
    /// A machine with these biases, a list for each layer, the data first, and weights between each layer k and the next one:
    /// `n_{k+1}` x `n_k`, row-major.
    ///
    /// # Errors
    /// [`Error::Empty`] for fewer than two layers or one without units, [`Error::WrongLength`], [`Error::NotFinite`].
    pub fn new(biases: Vec<Vec<f64>>, weights: Vec<Vec<f64>>) -> Result<Self> {
        if biases.len() < 2 || biases.iter().any(Vec::is_empty) {
            return Err(Error::Empty { what: "layer of a deep machine" });
        }
        check_length("lists of weights", weights.len(), biases.len() - 1)?;
        for (pair, weights) in biases.windows(2).zip(&weights) {
            check_length("weights between two layers", weights.len(), pair[0].len() * pair[1].len())?;
            check_finite("weights", weights)?;
        }
        biases.iter().try_for_each(|bias| check_finite("bias", bias))?;
        Ok(Self { biases, weights })
    }

    /// A machine with layers of these sizes, Gaussian weights of standard deviation `std_dev` and no biases.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn random<R: Rng + ?Sized>(sizes: &[usize], std_dev: f64, rng: &mut R) -> Result<Self> {
        let weights = sizes
            .windows(2)
            .map(|pair| (0..pair[0] * pair[1]).map(|_| std_dev * standard_normal(rng)).collect())
            .collect();
        Self::new(sizes.iter().map(|&n| vec![0.0; n]).collect(), weights)
    }

    /// Sizes of the layers, the data first.
    pub fn sizes(&self) -> Vec<usize> {
        self.biases.iter().map(Vec::len).collect()
    }

    /// Biases of each layer.
    pub fn biases(&self) -> &[Vec<f64>] {
        &self.biases
    }

    /// Weights between each layer and the next, `n_{k+1}` x `n_k`.
    pub fn weights(&self) -> &[Vec<f64>] {
        &self.weights
    }

    /// The energy of a state of all layers.
    ///
    /// # Panics
    /// If there are not as many layers, or one has the wrong length.
    pub fn energy(&self, layers: &[Vec<f64>]) -> f64 {
        assert_eq!(layers.len(), self.biases.len(), "{} layers of {}", layers.len(), self.biases.len());
        for (x, bias) in layers.iter().zip(&self.biases) {
            assert_eq!(x.len(), bias.len(), "{} values for {} units", x.len(), bias.len());
        }
        let own: f64 = self.biases.iter().zip(layers).map(|(b, x)| dot(b, x)).sum();
        let mut pairs = 0.0;
        for (weights, pair) in self.weights.iter().zip(layers.windows(2)) {
            for (row, x) in weights.chunks_exact(pair[0].len()).zip(&pair[1]) {
                pairs += x * dot(row, &pair[0]);
            }
        }
        -own - pairs
    }

    /// The same machine as a restricted one: visible units are the even layers one after another, hidden ones the odd layers.
    ///
    /// # Errors
    /// As [`Rbm::new`].
    pub fn to_rbm(&self) -> Result<Rbm<Bernoulli, Bernoulli>> {
        let starts = |parity: usize| {
            let mut start = 0;
            let mut starts = vec![0; self.biases.len()];
            for k in (parity..self.biases.len()).step_by(2) {
                starts[k] = start;
                start += self.biases[k].len();
            }
            (starts, start)
        };
        let ((even, nv), (odd, nh)) = (starts(0), starts(1));
        let mut all = vec![0.0; nv * nh];
        for (k, weights) in self.weights.iter().enumerate() {
            let below = self.biases[k].len();
            for (j, row) in weights.chunks_exact(below).enumerate() {
                for (i, w) in row.iter().enumerate() {
                    // Unit i of layer k with unit j of layer k + 1.
                    let (v, h) = if k % 2 == 0 { (even[k] + i, odd[k + 1] + j) } else { (even[k + 1] + j, odd[k] + i) };
                    all[h * nv + v] = *w;
                }
            }
        }
        let joined = |parity: usize| self.biases.iter().skip(parity).step_by(2).flatten().copied().collect();
        Rbm::new(Bernoulli, Bernoulli, all, joined(0), joined(1))
    }

    /// The fields on layer `k` of rows of states.
    fn fields(&self, k: usize, layers: &[Vec<f64>], out: &mut [f64]) {
        let n = self.biases[k].len();
        let rows = out.len() / n;
        out.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(&self.biases[k]));
        if k > 0 {
            let below = self.biases[k - 1].len();
            let weights = Matrix::row_major(&self.weights[k - 1], n, below).transposed();
            gemm(1.0, Matrix::row_major(&layers[k - 1], rows, below), weights, 1.0, MatrixMut::row_major(out, rows, n));
        }
        if k + 1 < self.biases.len() {
            let above = self.biases[k + 1].len();
            let weights = Matrix::row_major(&self.weights[k], above, n);
            gemm(1.0, Matrix::row_major(&layers[k + 1], rows, above), weights, 1.0, MatrixMut::row_major(out, rows, n));
        }
    }

    /// One sweep of block Gibbs sampling over rows of states: the odd layers given the even ones, then the even ones.
    ///
    /// # Panics
    /// If the layers do not hold the same number of rows.
    pub fn gibbs_sweep<R: Rng + ?Sized>(&self, layers: &mut [Vec<f64>], rng: &mut R) {
        self.check_rows(layers);
        for first in [1, 0] {
            for k in (first..self.biases.len()).step_by(2) {
                let mut fields = vec![0.0; layers[k].len()];
                self.fields(k, layers, &mut fields);
                layers[k].iter_mut().zip(fields).for_each(|(x, f)| *x = f64::from(uniform_open01(rng) < sigmoid(f)));
            }
        }
    }

    fn check_rows(&self, layers: &[Vec<f64>]) -> usize {
        assert_eq!(layers.len(), self.biases.len(), "{} layers of {}", layers.len(), self.biases.len());
        let rows = layers[0].len() / self.biases[0].len();
        for (x, bias) in layers.iter().zip(&self.biases) {
            assert_eq!(x.len(), rows * bias.len(), "{} values for {rows} rows of {}", x.len(), bias.len());
        }
        rows
    }

    /// Mean-field means of the hidden units for rows of data: layer by layer, from a pass upwards with doubled weights, until no mean
    /// moves by more than `tolerance`, or `max_iterations` times.
    ///
    /// # Panics
    /// If `data` ends inside a row.
    pub fn mean_field(&self, data: &[f64], tolerance: f64, max_iterations: usize) -> DeepMeanField {
        let n = self.biases[0].len();
        assert!(data.len().is_multiple_of(n), "{} numbers for rows of {n}", data.len());
        let rows = data.len() / n;
        let mut layers = vec![data.to_vec()];
        let top = self.biases.len() - 1;
        for k in 1..=top {
            // What is missing from above is made up for by twice the input from below.
            let below = self.biases[k - 1].len();
            let twice = if k < top { 2.0 } else { 1.0 };
            let mut out: Vec<f64> = (0..rows).flat_map(|_| self.biases[k].iter().copied()).collect();
            let weights = Matrix::row_major(&self.weights[k - 1], self.biases[k].len(), below).transposed();
            let to = MatrixMut::row_major(&mut out, rows, self.biases[k].len());
            gemm(twice, Matrix::row_major(&layers[k - 1], rows, below), weights, 1.0, to);
            out.iter_mut().for_each(|x| *x = sigmoid(*x));
            layers.push(out);
        }
        let (mut iterations, mut residual) = (0, f64::INFINITY);
        while iterations < max_iterations && residual > tolerance {
            residual = 0.0;
            for k in 1..=top {
                let mut fields = vec![0.0; layers[k].len()];
                self.fields(k, &layers, &mut fields);
                for (x, f) in layers[k].iter_mut().zip(fields) {
                    let new = sigmoid(f);
                    let change = (new - *x).abs();
                    if change > residual || change.is_nan() {
                        residual = change;
                    }
                    *x = new;
                }
            }
            iterations += 1;
        }
        DeepMeanField { layers, iterations, residual, converged: residual <= tolerance }
    }

    /// For every row, a lower bound of `ln P(v) + ln Z`: minus the energy of the means, plus their entropy.
    ///
    /// # Panics
    /// If the layers do not hold the same number of rows.
    pub fn bounds(&self, means: &DeepMeanField) -> Vec<f64> {
        let rows = self.check_rows(&means.layers);
        let entropy = |x: f64| {
            let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
            term(x) + term(1.0 - x)
        };
        (0..rows)
            .map(|row| {
                let layers: Vec<Vec<f64>> = (means.layers.iter().zip(&self.biases))
                    .map(|(x, bias)| x[row * bias.len()..][..bias.len()].to_vec())
                    .collect();
                layers[1..].iter().flatten().map(|&x| entropy(x)).sum::<f64>() - self.energy(&layers)
            })
            .collect()
    }
}

mod train;

pub use train::{DeepBoltzmannTrainer, DeepBoltzmannTraining};

#[cfg(test)]
mod tests;
