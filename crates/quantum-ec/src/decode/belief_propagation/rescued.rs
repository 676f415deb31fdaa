//! Belief propagation, and what is done where it does not converge.

use std::sync::Arc;

use super::graph::FactorGraph;
use super::params::BpParams;
use super::runner::{Control, End, Lanes, Next, Strengths};
use crate::decode::decoder::{BatchReport, Prediction, check_batch, check_syndrome};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::{ShotsMut, ShotsRef};

/// How the last shot went that was decoded alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BpReport {
    /// Whether the hard decision of belief propagation has the syndrome.
    pub converged: bool,
    /// Iterations, of all attempts together; 0 for a syndrome without ones.
    pub iterations: usize,
}

/// What is done with posteriors whose hard decision has another syndrome.
pub(crate) trait Rescue: Send {
    /// Makes the bits that are predicted from the posteriors; `bits` holds the hard decision, ascending.
    fn rescue(
        &mut self,
        graph: &FactorGraph,
        syndrome: &[u64],
        posteriors: &dyn Fn(&mut Vec<f32>),
        bits: &mut Vec<u32>,
    ) -> Result<()>;
}

/// Belief propagation with a [`Rescue`].
#[derive(Debug, Clone)]
pub(crate) struct Rescued<R> {
    lanes: Lanes,
    priors: Arc<[f64]>,
    rescue: R,
    scratch: Scratch,
    report: BpReport,
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    bits: Vec<u32>,
    shifted: Vec<u64>,
    posteriors: Vec<f32>,
}

/// Where predictions go.
enum Sink<'a, 'b> {
    One(&'a mut Prediction, Result<()>),
    Many(&'a mut ShotsMut<'b>, &'a mut Prediction, BatchReport),
}

struct Finish<'a, 'b, 'c, R> {
    graph: &'a FactorGraph,
    rescue: &'a mut R,
    scratch: &'a mut Scratch,
    report: &'a mut BpReport,
    shots: Syndromes<'a>,
    sink: Sink<'b, 'c>,
}

enum Syndromes<'a> {
    One(&'a [u64]),
    Many(ShotsRef<'a>),
}

impl<R: Rescue> Finish<'_, '_, '_, R> {
    fn give(&mut self, shot: usize, result: Result<()>) {
        let bits = &self.scratch.bits;
        match &mut self.sink {
            Sink::One(out, outcome) => {
                out.weight = self.graph.predict(bits, &mut out.observables);
                *outcome = result;
            }
            Sink::Many(rows, out, report) => match result {
                Ok(()) => {
                    self.graph.predict(bits, &mut out.observables);
                    rows.row_mut(shot).copy_from_slice(out.observables.words());
                    report.decoded += 1;
                }
                Err(error) => {
                    rows.row_mut(shot).fill(0);
                    report.failures.push((shot, error));
                }
            },
        }
    }
}

impl<R: Rescue> Control for Finish<'_, '_, '_, R> {
    fn trivial(&mut self, shot: usize) {
        *self.report = BpReport { converged: true, iterations: 0 };
        self.scratch.bits.clear();
        self.scratch.posteriors.clone_from(&self.graph.priors);
        self.give(shot, Ok(()));
    }

    fn end(&mut self, end: &End<'_>) -> Next {
        *self.report = BpReport { converged: end.converged, iterations: end.iterations };
        self.scratch.bits.clear();
        self.scratch.bits.extend_from_slice(end.chosen);
        if let Sink::One(..) = self.sink {
            (end.posteriors)(&mut self.scratch.posteriors);
        }
        let mut result = Ok(());
        if !end.converged {
            let syndrome = match self.shots {
                Syndromes::One(syndrome) => syndrome,
                Syndromes::Many(shots) => shots.row(end.shot),
            };
            self.graph.shifted(syndrome, &mut self.scratch.shifted);
            result = match self.graph.empty_check_violated(&self.scratch.shifted) {
                Some(i) => Err(Error::ImpossibleSyndrome { checks: vec![i] }),
                None => {
                    let Scratch { bits, shifted, .. } = self.scratch;
                    self.rescue.rescue(self.graph, shifted, end.posteriors, bits)
                }
            };
        }
        self.give(end.shot, result);
        Next::Shot
    }
}

impl<R: Rescue> Rescued<R> {
    pub(crate) fn new(
        problem: &DecodingProblem,
        params: BpParams,
        rescue: impl FnOnce(&FactorGraph) -> Result<R>,
    ) -> Result<Self> {
        params.check()?;
        let graph = FactorGraph::new(problem);
        let rescue = rescue(&graph)?;
        let strengths = if params.memory == 0.0 { Strengths::None } else { Strengths::Uniform(params.memory) };
        let lanes = Lanes::new(&graph, params, strengths);
        let priors = problem.priors().into();
        Ok(Self { lanes, priors, rescue, scratch: Scratch::default(), report: BpReport::default() })
    }

    pub(crate) fn graph(&self) -> &FactorGraph {
        self.lanes.graph()
    }

    pub(crate) fn params(&self) -> &BpParams {
        self.lanes.params()
    }

    pub(crate) fn report(&self) -> BpReport {
        self.report
    }

    /// The mechanisms chosen for the last shot decoded alone.
    pub(crate) fn chosen(&self) -> linalg_core::gf2::BitVec {
        self.graph().chosen(&self.scratch.bits, &self.priors)
    }

    pub(crate) fn posteriors(&self, out: &mut Vec<f64>) {
        self.graph().posteriors(&self.scratch.posteriors, &self.priors, out);
    }

    pub(crate) fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        let graph = Arc::clone(self.lanes.graph());
        check_syndrome(syndrome, graph.n_detectors);
        out.ln_class.clear();
        out.probabilities.clear();
        let mut finish = Finish {
            graph: &graph,
            rescue: &mut self.rescue,
            scratch: &mut self.scratch,
            report: &mut self.report,
            shots: Syndromes::One(syndrome),
            sink: Sink::One(out, Ok(())),
        };
        self.lanes.run_one(syndrome, &mut finish);
        match finish.sink {
            Sink::One(_, outcome) => outcome,
            Sink::Many(..) => Ok(()),
        }
    }

    pub(crate) fn decode_batch(&mut self, shots: ShotsRef<'_>, out: &mut ShotsMut<'_>) -> Result<BatchReport> {
        let graph = Arc::clone(self.lanes.graph());
        check_batch(graph.n_detectors, graph.n_observables, shots, out);
        let mut prediction = Prediction::new(graph.n_observables);
        let mut finish = Finish {
            graph: &graph,
            rescue: &mut self.rescue,
            scratch: &mut self.scratch,
            report: &mut self.report,
            shots: Syndromes::Many(shots),
            sink: Sink::Many(out, &mut prediction, BatchReport::default()),
        };
        self.lanes.run_many(shots, &mut finish);
        let mut report = match finish.sink {
            Sink::Many(_, _, report) => report,
            Sink::One(..) => BatchReport::default(),
        };
        // Lanes end in any order.
        report.failures.sort_by_key(|(shot, _)| *shot);
        Ok(report)
    }
}

/// [`Decoder`](crate::Decoder) by the field `inner`, a [`Rescued`].
macro_rules! decode_by_inner {
    ($name:ty) => {
        impl $crate::decode::Decoder for $name {
            fn n_detectors(&self) -> usize {
                self.inner.graph().n_detectors
            }

            fn n_observables(&self) -> usize {
                self.inner.graph().n_observables
            }

            fn decode_into(&mut self, syndrome: &[u64], out: &mut $crate::decode::Prediction) -> $crate::Result<()> {
                self.inner.decode_into(syndrome, out)
            }

            fn decode_batch(
                &mut self,
                shots: $crate::shots::ShotsRef<'_>,
                out: &mut $crate::shots::ShotsMut<'_>,
            ) -> $crate::Result<$crate::decode::BatchReport> {
                self.inner.decode_batch(shots, out)
            }
        }

        impl $name {
            /// The parameters of belief propagation.
            pub fn params(&self) -> &$crate::decode::BpParams {
                self.inner.params()
            }

            /// How belief propagation went at the last shot that was decoded alone.
            pub fn report(&self) -> $crate::decode::BpReport {
                self.inner.report()
            }

            /// The mechanisms chosen for the last shot that was decoded alone.
            pub fn chosen(&self) -> linalg_core::gf2::BitVec {
                self.inner.chosen()
            }

            /// Writes the posterior log-likelihood ratios `ln(P(not e_j)/P(e_j))` of all mechanisms at the last shot that
            /// was decoded alone. Mechanisms without detectors keep their priors; those that never or always happen have
            /// infinite ones.
            pub fn posteriors_into(&self, out: &mut Vec<f64>) {
                self.inner.posteriors(out);
            }
        }
    };
}
pub(crate) use decode_by_inner;
