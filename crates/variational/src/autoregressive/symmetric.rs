//! Symmetrisation under the reversal of all spins.

use rand::{Rng, RngExt};

use super::network::Autoregressive;
use crate::Result;
use linalg_core::logspace::{log_add_exp, sigmoid};

/// The mixture $`[q(s) + q(-s)]/2`$ of a network and its mirror image, for energies without fields.
///
/// A sample is one of the network, reversed with probability 1/2; ln q needs the network at s and at -s. For a network
/// that is odd the two agree, and the second pass is left out.
///
/// ```
/// use variational::Normalized;
/// use variational::autoregressive::{Made, MadeParams, Symmetric};
///
/// let network = Symmetric::new(Made::<f64>::new(3, MadeParams::default())?);
/// assert!((network.ln_prob(&[1, -1, 1]) - network.ln_prob(&[-1, 1, -1])).abs() < 1e-15);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Symmetric<N> {
    network: N,
}

impl<N: Autoregressive> Symmetric<N> {
    /// The mixture of a network and its mirror image.
    pub fn new(network: N) -> Self {
        Self { network }
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }
}

/// Samples of a [`Symmetric`] network.
#[derive(Debug, Clone)]
pub struct SymmetricPass<P> {
    plus: P,
    /// The same samples reversed; none for an odd network.
    minus: Option<P>,
    /// Whether a sample is handed out reversed.
    reversed: Vec<bool>,
    ln_q: Vec<f64>,
    /// Share of the unreversed network in the mixture.
    share: Vec<f64>,
}

impl<N: Autoregressive> Symmetric<N> {
    fn mix(&self, pass: &mut SymmetricPass<N::Pass>) {
        let plus = self.network.ln_q(&pass.plus);
        match &mut pass.minus {
            None => pass.ln_q.copy_from_slice(plus),
            Some(minus) => {
                self.network.evaluate_reversed(&pass.plus, minus);
                let minus = self.network.ln_q(minus);
                for (((ln_q, share), &a), &b) in pass.ln_q.iter_mut().zip(&mut pass.share).zip(plus).zip(minus) {
                    *ln_q = log_add_exp(a, b) - std::f64::consts::LN_2;
                    *share = sigmoid(a - b);
                }
            }
        }
    }
}

impl<N: Autoregressive> Autoregressive for Symmetric<N> {
    type Scalar = N::Scalar;
    type Pass = SymmetricPass<N::Pass>;

    fn n_spins(&self) -> usize {
        self.network.n_spins()
    }

    fn architecture(&self) -> String {
        format!("symmetric {}", self.network.architecture())
    }

    fn parameters(&self) -> &[f64] {
        self.network.parameters()
    }

    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.network.set_parameters(parameters)
    }

    fn n_free_parameters(&self) -> usize {
        self.network.n_free_parameters()
    }

    fn is_odd(&self) -> bool {
        self.network.is_odd()
    }

    fn new_pass(&self, samples: usize) -> Self::Pass {
        SymmetricPass {
            plus: self.network.new_pass(samples),
            minus: (!self.network.is_odd()).then(|| self.network.new_pass(samples)),
            reversed: vec![false; samples],
            ln_q: vec![0.0; samples],
            share: vec![1.0; samples],
        }
    }

    fn samples(&self, pass: &Self::Pass) -> usize {
        pass.ln_q.len()
    }

    fn sample_pass<R: Rng + ?Sized>(&self, pass: &mut Self::Pass, rng: &mut R) {
        self.network.sample_pass(&mut pass.plus, rng);
        pass.reversed.iter_mut().for_each(|reversed| *reversed = rng.random());
        self.mix(pass);
    }

    fn evaluate(&self, batch: &[i8], pass: &mut Self::Pass) {
        self.network.evaluate(batch, &mut pass.plus);
        pass.reversed.fill(false);
        self.mix(pass);
    }

    fn write_spins(&self, pass: &Self::Pass, out: &mut [i8]) {
        self.network.write_spins(&pass.plus, out);
        let rows = out.chunks_exact_mut(self.network.n_spins());
        for (row, _) in rows.zip(&pass.reversed).filter(|(_, reversed)| **reversed) {
            row.iter_mut().for_each(|s| *s = -*s);
        }
    }

    fn ln_q<'a>(&self, pass: &'a Self::Pass) -> &'a [f64] {
        &pass.ln_q
    }

    fn accumulate_gradient(&self, pass: &mut Self::Pass, weights: &[f64], gradient: &mut [N::Scalar]) {
        assert_eq!(weights.len(), pass.ln_q.len(), "{} weights for {} samples", weights.len(), pass.ln_q.len());
        match &mut pass.minus {
            None => self.network.accumulate_gradient(&mut pass.plus, weights, gradient),
            Some(minus) => {
                let part =
                    |f: fn(f64) -> f64| weights.iter().zip(&pass.share).map(|(w, &s)| w * f(s)).collect::<Vec<_>>();
                self.network.accumulate_gradient(&mut pass.plus, &part(|share| share), gradient);
                self.network.accumulate_gradient(minus, &part(|share| 1.0 - share), gradient);
            }
        }
    }
}
