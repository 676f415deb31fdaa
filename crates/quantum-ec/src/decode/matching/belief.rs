//! Matching with the posteriors of belief propagation.

use linalg_core::gf2::BitVec;

use super::{Matching, MatchingGraph};
use crate::decode::decoder::{Decoder, Prediction};
use crate::decode::{BeliefPropagation, BpParams};
use crate::dem::{DetectorErrorModel, xor_probability};
use crate::error::Result;
use crate::problem::DecodingProblem;

/// Probabilities of edges keep this far from 0 and 1, so that an edge that belief propagation excludes can be used if the
/// syndrome needs it.
const LEAST: f64 = 1e-30;

/// Belief propagation on all mechanisms, then, where it does not converge, matching of their pieces.
///
/// The posteriors of the mechanisms give every edge a probability, $`p (1-q) + q (1-p)`$ over the mechanisms with a piece there,
/// and these are the weights of the matching. So the second stage knows of the correlations that a graph leaves out.
/// Where the hard decision of belief propagation has the syndrome, it is the prediction. The weight reported is the sum
/// over the mechanisms, or over the edges before belief propagation.
///
/// ```
/// use quantum_ec::decode::{BeliefMatching, BpParams, Decoder};
/// use quantum_ec::DetectorErrorModel;
///
/// let model: DetectorErrorModel = "error(0.1) D0 L0\nerror(0.1) D0 D1\nerror(0.2) D1".parse()?;
/// let mut decoder = BeliefMatching::from_model(&model, BpParams::default().iterations(20))?;
/// assert_eq!(decoder.decode(&"10".parse()?)?.observables.to_string(), "1");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - O. Higgott, T. C. Bohdanowicz, A. Kubica, S. T. Flammia and E. T. Campbell, Phys. Rev. X 13, 031007 (2023).
#[derive(Debug, Clone)]
pub struct BeliefMatching {
    propagation: BeliefPropagation,
    matching: Matching,
    /// Weights before belief propagation.
    prior: Vec<f64>,
    posteriors: Vec<f64>,
    weights: Vec<f64>,
    edges: Vec<usize>,
    matched: bool,
}

impl BeliefMatching {
    /// The decoder of a detector error model.
    ///
    /// # Errors
    /// As [`MatchingGraph::from_model`] and [`BpParams::check`].
    pub fn from_model(model: &DetectorErrorModel, params: BpParams) -> Result<Self> {
        Self::new(&model.to_problem()?, MatchingGraph::from_model(model)?, params)
    }

    /// The decoder of a problem.
    ///
    /// # Errors
    /// As [`MatchingGraph::from_problem`] and [`BpParams::check`].
    pub fn from_problem(problem: &DecodingProblem, params: BpParams) -> Result<Self> {
        Self::new(problem, MatchingGraph::from_problem(problem)?, params)
    }

    fn new(problem: &DecodingProblem, graph: MatchingGraph, params: BpParams) -> Result<Self> {
        Ok(Self {
            propagation: BeliefPropagation::new(problem, params)?,
            prior: graph.weights().to_vec(),
            weights: Vec::with_capacity(graph.n_edges()),
            posteriors: Vec::new(),
            edges: Vec::new(),
            matched: false,
            matching: Matching::new(graph),
        })
    }

    /// Whether the last shot needed the matching.
    pub fn matched(&self) -> bool {
        self.matched
    }

    /// Weights of edges from posteriors of mechanisms.
    fn reweight(&mut self) {
        self.propagation.posteriors_into(&mut self.posteriors);
        self.weights.clear();
        self.weights.resize(self.prior.len(), 0.0);
        for (mechanism, &ratio) in self.posteriors.iter().enumerate() {
            let q = 1.0 / (1.0 + ratio.exp());
            for &edge in self.matching.graph().edges_of_mechanism(mechanism) {
                let p = &mut self.weights[edge as usize];
                *p = xor_probability(*p, q);
            }
        }
        for (weight, &prior) in self.weights.iter_mut().zip(&self.prior) {
            // 1 - LEAST is 1; the logarithm of its complement is not what is meant.
            let bound = -LEAST.ln();
            *weight = if prior.is_finite() { ((-*weight).ln_1p() - weight.ln()).clamp(-bound, bound) } else { prior };
        }
    }
}

impl Decoder for BeliefMatching {
    fn n_detectors(&self) -> usize {
        self.matching.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.matching.n_observables()
    }

    /// # Errors
    /// As those of [`Matching`].
    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        self.propagation.decode_into(syndrome, out)?;
        self.matched = !self.propagation.report().converged;
        if !self.matched {
            return Ok(());
        }
        self.reweight();
        self.matching.set_weights(&self.weights)?;
        self.matching.decode_edges(syndrome, &mut self.edges)?;
        let n = self.matching.n_observables();
        if out.observables.len() == n {
            out.observables.clear();
        } else {
            out.observables = BitVec::zeros(n);
        }
        out.ln_class.clear();
        out.probabilities.clear();
        out.weight = 0.0;
        for &edge in &self.edges {
            self.matching.graph().observables(edge).for_each(|i| out.observables.flip(i));
            out.weight += if self.prior[edge].is_finite() { self.prior[edge] } else { 0.0 };
        }
        Ok(())
    }
}
