//! Belief propagation that decides one mechanism after the other.

use std::sync::Arc;

use super::engine::{Engine, Memory};
use super::graph::FactorGraph;
use super::params::BpParams;
use super::rescued::BpReport;
use super::rules::LARGEST;
use super::simd::Simd;
use crate::decode::decoder::{Decoder, Prediction, check_syndrome};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// Belief propagation guided by decimation.
///
/// Where [`BpParams::iterations`] iterations do not converge, the mechanism with the largest posterior magnitude is decided
/// for good, the first of equals: its prior becomes ±8192. Belief propagation goes on with the messages it has, for as many
/// iterations again, until a hard decision has the syndrome or `rounds` mechanisms are decided. If none has, the last hard
/// decision is the prediction, and [`report`](Self::report) says so.
///
/// A shot costs up to `rounds` times [`BpParams::iterations`] iterations.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{BpParams, Decoder, GuidedDecimation};
/// use quantum_ec::DecodingProblem;
///
/// // Two equal bits: one has to be decided.
/// let checks = BinaryCsc::from_columns(1, [[0], [0]])?;
/// let observables = BinaryCsc::from_columns(2, [[0], [1]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 2])?;
/// let mut decoder = GuidedDecimation::new(&problem, BpParams::default().iterations(10), 2)?;
/// let prediction = decoder.decode(&"1".parse()?)?;
/// assert_eq!(prediction.observables.weight(), 1);
/// assert!(decoder.report().converged);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - H. Yao et al., arXiv:2312.10950 (2023).
#[derive(Debug, Clone)]
pub struct GuidedDecimation {
    graph: Arc<FactorGraph>,
    params: BpParams,
    rounds: usize,
    engine: Engine<1>,
    posteriors: Vec<f32>,
    decided: Vec<bool>,
    bits: [Vec<u32>; 1],
    shifted: Vec<u64>,
    report: BpReport,
}

impl GuidedDecimation {
    /// A decoder of a problem that decides up to `rounds` mechanisms.
    ///
    /// # Errors
    /// As [`BpParams::check`].
    pub fn new(problem: &DecodingProblem, params: BpParams, rounds: usize) -> Result<Self> {
        params.check()?;
        let graph = FactorGraph::new(problem);
        let memory = if params.memory == 0.0 { Memory::None } else { Memory::Uniform(params.memory as f32) };
        let n = graph.n_bits();
        Ok(Self {
            engine: Engine::new(&graph, params, memory),
            posteriors: Vec::with_capacity(n),
            decided: vec![false; n],
            bits: [Vec::with_capacity(n)],
            graph,
            params,
            rounds,
            shifted: Vec::new(),
            report: BpReport::default(),
        })
    }

    /// The parameters of belief propagation.
    pub fn params(&self) -> &BpParams {
        &self.params
    }

    /// Mechanisms decided at most.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// How the last shot went.
    pub fn report(&self) -> BpReport {
        self.report
    }

    /// Iterates until the hard decision has the syndrome; whether it has.
    fn run(&mut self) -> bool {
        let simd = Simd::PORTABLE;
        simd.reset(&mut self.engine, &[!0]);
        self.report.iterations = 0;
        for round in 0..=self.rounds {
            for _ in 0..self.params.iterations {
                self.report.iterations += 1;
                simd.step(&mut self.engine, &[self.report.iterations.min(u32::MAX as usize) as u32]);
                if simd.unsatisfied(&self.engine, &[!0])[0] >> 31 == 0 {
                    return true;
                }
            }
            if round == self.rounds {
                break;
            }
            self.engine.posteriors(0, &mut self.posteriors);
            let open = (0..self.posteriors.len()).filter(|&bit| !self.decided[bit]);
            let surest = open.reduce(|a, b| if self.posteriors[b].abs() > self.posteriors[a].abs() { b } else { a });
            let Some(bit) = surest else { break };
            self.decided[bit] = true;
            self.engine.priors_mut()[bit] = LARGEST.copysign(self.posteriors[bit]);
        }
        false
    }
}

impl Decoder for GuidedDecimation {
    fn n_detectors(&self) -> usize {
        self.graph.n_detectors
    }

    fn n_observables(&self) -> usize {
        self.graph.n_observables
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.graph.n_detectors);
        out.ln_class.clear();
        out.probabilities.clear();
        self.graph.shifted(syndrome, &mut self.shifted);
        if let Some(i) = self.graph.empty_check_violated(&self.shifted) {
            return Err(Error::ImpossibleSyndrome { checks: vec![i] });
        }
        self.bits[0].clear();
        if self.shifted.iter().all(|&word| word == 0) {
            self.report = BpReport { converged: true, iterations: 0 };
        } else {
            self.engine.priors_mut().copy_from_slice(&self.graph.priors);
            self.decided.fill(false);
            self.engine.set_syndrome(0, &self.shifted);
            self.report.converged = self.run();
            Simd::PORTABLE.negative(&self.engine, &[!0], &mut self.bits);
        }
        out.weight = self.graph.predict(&self.bits[0], &mut out.observables);
        Ok(())
    }
}
