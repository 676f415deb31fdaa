//! Relay belief propagation: legs of disordered memory, one after the other.

use std::sync::Arc;

use super::graph::FactorGraph;
use super::params::{BpMethod, BpParams, Scaling, Schedule};
use super::rescued::BpReport;
use super::runner::{Control, End, Lanes, Next, Strengths};
use crate::decode::decoder::{BatchReport, Decoder, Prediction, check_batch, check_syndrome};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::{ShotsMut, ShotsRef};

/// Parameters of [`RelayBp`].
///
/// ```
/// use quantum_ec::decode::RelayParams;
///
/// let params = RelayParams::default().solutions(5);
/// assert_eq!((params.first_iterations, params.iterations, params.legs), (80, 60, 300));
/// assert_eq!((params.first_strength, params.strengths), (0.125, (-0.24, 0.66)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RelayParams {
    /// Solutions after which a shot is done; the lightest is predicted.
    pub solutions: usize,
    /// Iterations of the first leg at most.
    pub first_iterations: usize,
    /// Iterations of each other leg at most.
    pub iterations: usize,
    /// Legs after the first.
    pub legs: usize,
    /// The memory strength of all mechanisms in the first leg.
    pub first_strength: f64,
    /// The interval from which the strengths of the other legs are drawn, uniformly.
    pub strengths: (f64, f64),
    /// The correction of min-sum.
    pub scaling: Scaling,
    /// Seed of the strengths; all shots have the same.
    pub seed: u64,
}

impl Default for RelayParams {
    /// One solution; 80 iterations at γ = 0.125, then up to 300 legs of 60 iterations with γ from (-0.24, 0.66); plain min-sum.
    fn default() -> Self {
        Self {
            solutions: 1,
            first_iterations: 80,
            iterations: 60,
            legs: 300,
            first_strength: 0.125,
            strengths: (-0.24, 0.66),
            scaling: Scaling::Factor(1.0),
            seed: 0,
        }
    }
}

impl RelayParams {
    /// Sets the number of solutions.
    pub fn solutions(mut self, solutions: usize) -> Self {
        self.solutions = solutions;
        self
    }

    /// Sets the iterations of the first leg.
    pub fn first_iterations(mut self, iterations: usize) -> Self {
        self.first_iterations = iterations;
        self
    }

    /// Sets the iterations of each other leg.
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Sets the number of legs after the first.
    pub fn legs(mut self, legs: usize) -> Self {
        self.legs = legs;
        self
    }

    /// Sets the memory strength of the first leg.
    pub fn first_strength(mut self, strength: f64) -> Self {
        self.first_strength = strength;
        self
    }

    /// Sets the interval of the other strengths.
    pub fn strengths(mut self, from: f64, to: f64) -> Self {
        self.strengths = (from, to);
        self
    }

    /// Sets the correction of min-sum.
    pub fn scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// Sets the seed of the strengths.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no solutions or iterations, strengths of magnitude 1 or more or in the wrong order, or what
    /// [`BpParams::check`] refuses.
    pub fn check(&self) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if self.solutions == 0 {
            return refuse("solutions", "0".into(), "a number from 1");
        }
        let (from, to) = self.strengths;
        if !(from > -1.0 && from <= to && to < 1.0) {
            return refuse("strengths", format!("({from}, {to})"), "an ascending pair between -1 and 1");
        }
        self.bp(self.iterations).check()?;
        self.bp(self.first_iterations).check()
    }

    fn bp(&self, iterations: usize) -> BpParams {
        BpParams {
            method: BpMethod::MinSum,
            scaling: self.scaling,
            schedule: Schedule::Flooding,
            iterations,
            memory: self.first_strength,
            early_stopping: true,
        }
    }
}

/// Relay belief propagation: legs of min-sum with a memory strength for each mechanism.
///
/// In every leg the prior of the next iteration is $`\lambda_j + \gamma_j (\Lambda_j - \lambda_j)`$ with the posterior
/// $`\Lambda_j`$ of the last. The first leg has one γ; in the others each γ_j is drawn anew, which breaks the symmetry of the
/// patterns on which belief propagation is caught. A leg begins with fresh messages and remembers the posteriors with which
/// the one before ended. It ends at the first hard decision with the syndrome, a solution, or
/// after its iterations. After [`solutions`](RelayParams::solutions) solutions or the last leg, the lightest is predicted. If
/// there is none, the hard decision of the last iteration is: then [`report`](Self::report) says so, and the prediction may
/// have another syndrome.
///
/// Strengths depend on the seed, the leg and the mechanism, not on the shot. Batches are decoded side by side as by
/// [`BeliefPropagation`](super::BeliefPropagation), with the predictions of single shots.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{Decoder, RelayBp, RelayParams};
/// use quantum_ec::DecodingProblem;
///
/// // Two equal bits: only disorder tells them apart.
/// let checks = BinaryCsc::from_columns(1, [[0], [0]])?;
/// let observables = BinaryCsc::from_columns(2, [[0], [1]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 2])?;
/// let mut decoder = RelayBp::new(&problem, RelayParams::default())?;
/// let prediction = decoder.decode(&"1".parse()?)?;
/// assert!(decoder.report().converged);
/// assert_eq!(prediction.observables.weight(), 1);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - T. Müller et al., arXiv:2506.01779 (2025).
#[derive(Debug, Clone)]
pub struct RelayBp {
    params: RelayParams,
    lanes: Lanes,
    priors: Arc<[f64]>,
    /// A lane each; more are added when a batch comes.
    races: Vec<Race>,
    chosen: Vec<u32>,
    report: BpReport,
    shifted: Vec<u64>,
}

/// What a shot has found so far.
#[derive(Debug, Clone, Default)]
struct Race {
    leg: usize,
    solutions: usize,
    iterations: usize,
    weight: f64,
    best: Vec<u32>,
}

/// Most lanes there are.
const MOST_LANES: usize = 16;

/// The strength of a bit in a leg: 0 is the first.
fn strength(&[first, from, to, seed]: &[f64; 4], leg: usize, bit: usize) -> f32 {
    if leg == 0 {
        return first as f32;
    }
    // SplitMix64 of the seed, the leg and the bit.
    let mut x = seed.to_bits() ^ ((leg as u64) << 32 | bit as u64);
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    (from + (to - from) * ((x >> 11) as f64 * (0.5f64).powi(53))) as f32
}

impl RelayBp {
    /// A decoder of a problem.
    ///
    /// # Errors
    /// As [`RelayParams::check`].
    pub fn new(problem: &DecodingProblem, params: RelayParams) -> Result<Self> {
        params.check()?;
        let graph = FactorGraph::new(problem);
        let (from, to) = params.strengths;
        // The seed is spread first, so that seeds, legs and mechanisms do not meet; it is carried as bits.
        let seed = f64::from_bits(params.seed.wrapping_mul(0xd134_2543_de82_ef95).rotate_left(29));
        let strengths = Strengths::Disordered(strength, [params.first_strength, from, to, seed]);
        let lanes = Lanes::new(&graph, params.bp(params.first_iterations), strengths);
        let n = graph.n_bits();
        Ok(Self {
            params,
            lanes,
            priors: problem.priors().into(),
            races: vec![Race { best: Vec::with_capacity(n), ..Race::default() }],
            chosen: Vec::with_capacity(n),
            report: BpReport::default(),
            shifted: Vec::new(),
        })
    }

    /// The parameters.
    pub fn params(&self) -> &RelayParams {
        &self.params
    }

    /// How the last shot went that was decoded alone.
    pub fn report(&self) -> BpReport {
        self.report
    }

    /// The mechanisms chosen for the last shot that was decoded alone.
    pub fn chosen(&self) -> linalg_core::gf2::BitVec {
        self.lanes.graph().chosen(&self.chosen, &self.priors)
    }
}

/// Where predictions go.
enum Sink<'a, 'b> {
    One(&'a mut Prediction),
    Many(&'a mut ShotsMut<'b>, &'a mut Prediction),
}

struct Referee<'a, 'b, 'c> {
    params: &'a RelayParams,
    graph: &'a FactorGraph,
    races: &'a mut [Race],
    chosen: &'a mut Vec<u32>,
    report: &'a mut BpReport,
    sink: Sink<'b, 'c>,
}

impl Referee<'_, '_, '_> {
    fn give(&mut self, shot: usize, report: BpReport) {
        *self.report = report;
        match &mut self.sink {
            Sink::One(out) => out.weight = self.graph.predict(self.chosen, &mut out.observables),
            Sink::Many(rows, out) => {
                self.graph.predict(self.chosen, &mut out.observables);
                rows.row_mut(shot).copy_from_slice(out.observables.words());
            }
        }
    }
}

impl Control for Referee<'_, '_, '_> {
    fn trivial(&mut self, shot: usize) {
        self.chosen.clear();
        self.give(shot, BpReport { converged: true, iterations: 0 });
    }

    fn end(&mut self, end: &End<'_>) -> Next {
        let race = &mut self.races[end.lane];
        race.iterations += end.iterations;
        if end.converged {
            let weight: f64 = end.chosen.iter().map(|&bit| self.graph.weights[bit as usize]).sum();
            if race.solutions == 0 || weight < race.weight {
                race.weight = weight;
                race.best.clear();
                race.best.extend_from_slice(end.chosen);
            }
            race.solutions += 1;
        }
        if race.solutions < self.params.solutions && race.leg < self.params.legs {
            race.leg += 1;
            return Next::Leg { number: race.leg, iterations: self.params.iterations };
        }
        self.chosen.clear();
        self.chosen.extend_from_slice(if race.solutions > 0 { &race.best } else { end.chosen });
        let report = BpReport { converged: race.solutions > 0, iterations: race.iterations };
        (race.leg, race.solutions, race.iterations) = (0, 0, 0);
        self.give(end.shot, report);
        Next::Shot
    }
}

impl Decoder for RelayBp {
    fn n_detectors(&self) -> usize {
        self.lanes.graph().n_detectors
    }

    fn n_observables(&self) -> usize {
        self.lanes.graph().n_observables
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        let graph = Arc::clone(self.lanes.graph());
        check_syndrome(syndrome, graph.n_detectors);
        out.ln_class.clear();
        out.probabilities.clear();
        graph.shifted(syndrome, &mut self.shifted);
        if let Some(i) = graph.empty_check_violated(&self.shifted) {
            return Err(Error::ImpossibleSyndrome { checks: vec![i] });
        }
        let mut referee = Referee {
            params: &self.params,
            graph: &graph,
            races: &mut self.races,
            chosen: &mut self.chosen,
            report: &mut self.report,
            sink: Sink::One(out),
        };
        self.lanes.run_one(syndrome, &mut referee);
        Ok(())
    }

    fn decode_batch(&mut self, shots: ShotsRef<'_>, out: &mut ShotsMut<'_>) -> Result<BatchReport> {
        let graph = Arc::clone(self.lanes.graph());
        check_batch(graph.n_detectors, graph.n_observables, shots, out);
        self.races.resize_with(MOST_LANES, Race::default);
        let mut prediction = Prediction::new(graph.n_observables);
        let mut referee = Referee {
            params: &self.params,
            graph: &graph,
            races: &mut self.races,
            chosen: &mut self.chosen,
            report: &mut self.report,
            sink: Sink::Many(out, &mut prediction),
        };
        self.lanes.run_many(shots, &mut referee);
        let mut report = BatchReport { decoded: shots.n_shots(), ..BatchReport::default() };
        for shot in 0..shots.n_shots() {
            graph.shifted(shots.row(shot), &mut self.shifted);
            if let Some(i) = graph.empty_check_violated(&self.shifted) {
                report.decoded -= 1;
                report.failures.push((shot, Error::ImpossibleSyndrome { checks: vec![i] }));
                out.row_mut(shot).fill(0);
            }
        }
        Ok(report)
    }
}
