//! Circuits as detector error models.

use super::channels::{Errors, Fault};
use super::decompose::Pieces;
use super::mechanisms::Mechanisms;
use super::set::{OBSERVABLE, Set, detectors};
use super::walk::{DisjointErrors, GaugeDetectors, Loops, MAX_WORK, Visitor, Walk};
use crate::circuit::{Circuit, Gate, Operation};
use crate::dem::{DetectorErrorModel, Instruction, Target};
use crate::error::Result;

/// Whether mechanisms of three detectors or more are split up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decompose {
    /// They stay whole.
    #[default]
    Keep,
    /// They are written as sums of pieces with at most two detectors, with `^` between.
    Graphlike,
}

/// How a detector error model is made of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelParams {
    /// Channels whose cases exclude each other.
    pub disjoint: DisjointErrors,
    /// Detectors that are random without noise.
    pub gauge: GaugeDetectors,
    /// Blocks.
    pub loops: Loops,
    /// Mechanisms of three detectors or more.
    pub decompose: Decompose,
    /// Detector numbers that may be copied before the circuit is refused, a nanosecond or a few each.
    pub max_work: u64,
}

impl Default for ModelParams {
    /// Disjoint cases approximated, random detectors refused, blocks folded, nothing decomposed, $`2^{36}`$ copies.
    fn default() -> Self {
        Self {
            disjoint: DisjointErrors::default(),
            gauge: GaugeDetectors::default(),
            loops: Loops::default(),
            decompose: Decompose::default(),
            max_work: MAX_WORK,
        }
    }
}

impl ModelParams {
    /// Sets what is made of channels whose cases exclude each other.
    #[must_use]
    pub fn with_disjoint(mut self, disjoint: DisjointErrors) -> Self {
        self.disjoint = disjoint;
        self
    }

    /// Sets what is made of random detectors.
    #[must_use]
    pub fn with_gauge(mut self, gauge: GaugeDetectors) -> Self {
        self.gauge = gauge;
        self
    }

    /// Sets what is made of blocks.
    #[must_use]
    pub fn with_loops(mut self, loops: Loops) -> Self {
        self.loops = loops;
        self
    }

    /// Sets what is made of mechanisms with three detectors or more.
    #[must_use]
    pub fn with_decompose(mut self, decompose: Decompose) -> Self {
        self.decompose = decompose;
        self
    }

    /// Sets how much work a circuit may be.
    #[must_use]
    pub fn with_max_work(mut self, max_work: u64) -> Self {
        self.max_work = max_work;
        self
    }
}

/// A detector error model and what had to be approximated for it.
#[derive(Debug, Clone, PartialEq)]
pub struct CircuitModel {
    /// The model.
    pub model: DetectorErrorModel,
    /// The channels whose cases exclude each other and were taken for independent.
    pub approximated: Vec<Gate>,
}

impl Circuit {
    /// The detector error model: what every elementary error of the noise channels flips, and with which probability.
    ///
    /// From the end of the circuit backward, each X and Z of each qubit carries the set of detectors and observables that
    /// such an error would flip at that moment: the detecting regions, all at once. A unitary gate adds the sets of
    /// images; a reset ends them; a measurement adds those that look at its record; a noise channel sends the sums for
    /// its cases to a table that merges equal symptoms by p (1 - q) + q (1 - p). Probabilities of depolarizing channels
    /// and of `PAULI_CHANNEL_1` are turned into those of independent errors exactly where such exist.
    ///
    /// Repetitions of a block are walked through until the sets are those of an earlier repetition, moved by the detectors
    /// between the two: from there on one period stands for all, so a million rounds take no longer than a few. In a model
    /// with blocks equal symptoms are merged within the parts between them.
    ///
    /// Errors are sorted by symptom; every detector and every observable is declared. Tags of noise are dropped.
    ///
    /// Cost: the operations walked through times the size of the sets.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    /// use quantum_ec::sensitivity::ModelParams;
    ///
    /// let circuit: Circuit = "
    ///     R 0
    ///     X_ERROR(0.25) 0
    ///     M(0.125) 0
    ///     DETECTOR(5) rec[-1]
    ///     OBSERVABLE_INCLUDE(0) rec[-1]
    ///     DEPOLARIZE1(0.1) 0
    /// ".parse()?;
    /// // 1/4 + 1/8 - 2 (1/4)(1/8) = 5/16; the last error is seen by nothing.
    /// let text = circuit.to_model(&ModelParams::default())?.model.to_string();
    /// assert_eq!(text, "error(0.3125) D0 L0\ndetector(5) D0\nlogical_observable L0\n");
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NonDeterministic`](crate::Error::NonDeterministic) with the operation and the detectors or observables
    /// whose regions anticommute with it; [`Error::NoiseChannel`](crate::Error::NoiseChannel) for depolarizing channels
    /// above 3/4 and 15/16, for disjoint cases if they are refused, and for `ELSE_CORRELATED_ERROR` without a chain;
    /// [`Error::NotApplicable`](crate::Error::NotApplicable) for a mechanism that cannot be decomposed;
    /// [`Error::TooLarge`](crate::Error::TooLarge); as [`check_records`](Self::check_records).
    pub fn to_model(&self, params: &ModelParams) -> Result<CircuitModel> {
        let mut builder = Builder::new(params.decompose == Decompose::Graphlike);
        let mut walk = Walk::new(self, &mut builder);
        (walk.disjoint, walk.gauge, walk.loops) = (params.disjoint, params.gauge, params.loops);
        walk.max_work = params.max_work;
        walk.run()?;
        let approximated = walk.approximated.into_iter().collect();
        builder.flush();
        let pieces = builder.decompose.then(|| Pieces::new(&builder.items));
        let mut model = DetectorErrorModel::new();
        emit(&builder.items, 0, &mut 0, pieces.as_ref(), &mut model)?;
        Ok(CircuitModel { model, approximated })
    }
}

/// A part of a model, in absolute detector numbers.
pub(super) enum Item {
    Errors(Mechanisms),
    Annotation(Instruction),
    /// The last repetition of so many, and the detectors of one.
    Block {
        count: u64,
        items: Vec<Item>,
        detectors: u64,
    },
}

#[derive(Default)]
pub(super) struct Builder {
    /// Last first.
    pub items: Vec<Item>,
    /// The parts outside of the blocks that are open.
    outside: Vec<Vec<Item>>,
    pub errors: Mechanisms,
    pub decompose: bool,
    size: usize,
}

impl Builder {
    pub(super) fn new(decompose: bool) -> Self {
        Self { decompose, ..Self::default() }
    }

    pub(super) fn flush(&mut self) {
        if self.errors.len() > 0 {
            self.size += self.errors.size();
            self.items.push(Item::Errors(std::mem::take(&mut self.errors)));
        }
    }
}

impl Errors for Builder {
    fn error(&mut self, set: &Set, probability: f64, _fault: Fault, parts: &[&Set]) {
        self.errors.add(set, probability, parts, self.decompose);
    }
}

impl Visitor for Builder {
    fn annotation(&mut self, operation: &Operation, detectors: u64) {
        let (coordinates, tag) = (operation.arguments.clone(), operation.tag.clone());
        self.items.push(Item::Annotation(match operation.gate {
            Gate::Detector => Instruction::Detector { coordinates, detector: detectors, tag },
            Gate::ShiftCoords => Instruction::ShiftDetectors { coordinates, detectors: 0, tag },
            _ => Instruction::LogicalObservable { observable: operation.observable().unwrap_or(0), tag },
        }));
        self.size += 1;
    }

    fn open(&mut self) {
        self.flush();
        self.outside.push(std::mem::take(&mut self.items));
    }

    fn close(&mut self, count: u64, detectors: u64) {
        self.flush();
        let outside = self.outside.pop().unwrap_or_default();
        let items = std::mem::replace(&mut self.items, outside);
        self.items.push(Item::Block { count, items, detectors });
    }

    fn size(&self) -> usize {
        self.size + self.errors.size()
    }
}

/// Writes parts, last first, with `down` taken from detector numbers and then the shift in force.
pub(super) fn emit(
    items: &[Item],
    down: u64,
    shift: &mut u64,
    pieces: Option<&Pieces>,
    model: &mut DetectorErrorModel,
) -> Result<()> {
    for item in items.iter().rev() {
        match item {
            Item::Errors(errors) => {
                let target = |id: u64, shift: u64| match id & OBSERVABLE {
                    0 => Target::Detector(id - down - shift),
                    _ => Target::Observable(id & !OBSERVABLE),
                };
                for (ids, probability, hint) in errors.sorted() {
                    let mut targets: Vec<Target> = Vec::with_capacity(ids.len());
                    match pieces.filter(|_| detectors(ids).len() > 1) {
                        None => targets.extend(ids.iter().map(|&id| target(id, *shift))),
                        Some(pieces) => {
                            for (k, piece) in pieces.of(ids, hint)?.iter().enumerate() {
                                targets.extend((k > 0).then_some(Target::Separator));
                                targets.extend(piece.iter().map(|&id| target(id, *shift)));
                            }
                        }
                    }
                    model.push(Instruction::Error { probability, targets, tag: String::new() })?;
                }
            }
            Item::Annotation(Instruction::Detector { coordinates, detector, tag }) => {
                let (coordinates, tag) = (coordinates.clone(), tag.clone());
                model.push(Instruction::Detector { coordinates, detector: detector - down - *shift, tag })?;
            }
            Item::Annotation(other) => model.push(other.clone())?,
            Item::Block { count, items, detectors } => {
                let down = down + (count - 1) * detectors;
                let mut body = DetectorErrorModel::new();
                let start = *shift;
                let mut inside = start;
                emit(items, down, &mut inside, pieces, &mut body)?;
                let rest = detectors - (inside - start);
                if rest > 0 {
                    let (coordinates, tag) = (Vec::new(), String::new());
                    body.push(Instruction::ShiftDetectors { coordinates, detectors: rest, tag })?;
                }
                // Nothing but operations that do nothing to detectors.
                if body.instructions().is_empty() {
                    continue;
                }
                model.push(Instruction::Repeat { count: *count, body, tag: String::new() })?;
                *shift = start + count * detectors;
            }
        }
    }
    Ok(())
}
