//! Backward through a circuit, blocks folded where what errors flip repeats itself.

use std::collections::{BTreeSet, HashMap};

use super::channels::{Errors, Fault, Verdict, channel, correlated, product};
use super::frontier::{Anticommutes, Frontier, observable_id};
use super::location::{Location, Step};
use super::set::{OBSERVABLE, Set, observables};
use crate::circuit::{Circuit, Counts, Gate, Instruction, Kind, Operation, Repeat, Target};
use crate::error::{Error, Result};

/// Numbers that may be moved by default: some minutes.
pub(super) const MAX_WORK: u64 = 1 << 36;

const METHOD: &str = "propagating detectors";

/// What is made of disjoint cases of a noise channel, which a detector error model cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DisjointErrors {
    /// Cases with equal symptom add up, those with different ones are taken for independent. Where all cases that are seen
    /// have one symptom, that is exact.
    #[default]
    Approximate,
    /// An error.
    Refuse,
}

/// What is made of detectors that are random without noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GaugeDetectors {
    /// An error.
    #[default]
    Refuse,
    /// They are flipped by a mechanism of probability 1/2. Random observables are refused nevertheless.
    Allow,
}

/// What is made of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loops {
    /// They become blocks where they are long enough to repeat themselves.
    #[default]
    Fold,
    /// They are unrolled.
    Flatten,
}

/// What moves along with the frontier.
pub(super) trait Visitor: Errors {
    /// A detector or an observable is declared.
    fn annotation(&mut self, _operation: &Operation, _detectors: u64) {}
    /// From here back the body of a block that will be repeated is walked through once.
    fn open(&mut self) {}
    /// It was, and stands for so many repetitions.
    fn close(&mut self, _count: u64, _detectors: u64) {}
    /// Where the walk is.
    fn at(&mut self, _path: &[Step], _operation: &Operation, _ticks: u64, _frontier: &Frontier) {}
    /// The walk is before the first operation, at the initial state of a qubit.
    fn beginning(&mut self, _qubit: u32) {}
    /// Whether operations on disjoint targets, written as one, are to be met one by one.
    fn one_at_a_time(&self) -> bool {
        false
    }
    /// Numbers held in memory.
    fn size(&self) -> usize {
        0
    }
    /// Numbers looked at, beside those that the frontier moves.
    fn work(&self) -> u64 {
        0
    }
}

pub(super) struct Walk<'v, V> {
    circuit: &'v Circuit,
    pub frontier: Frontier,
    pub visitor: &'v mut V,
    pub disjoint: DisjointErrors,
    pub gauge: GaugeDetectors,
    pub loops: Loops,
    /// The one detector or observable to follow; all if absent.
    pub only: Option<u64>,
    /// Numbers that may be moved before the circuit is refused.
    pub max_work: u64,
    pub approximated: BTreeSet<Gate>,
    path: Vec<Step>,
    ticks: u64,
    scratch: Vec<Set>,
    /// What is left of the chain of correlated errors that the walk is in: probabilities, the last operation last.
    chain: Vec<f64>,
    /// How many symptoms the cases of that chain have.
    chain_symptoms: usize,
}

impl<'v, V: Visitor> Walk<'v, V> {
    pub(super) fn new(circuit: &'v Circuit, visitor: &'v mut V) -> Self {
        let counts = circuit.counts();
        Self {
            circuit,
            frontier: Frontier::new(counts.qubits as usize, counts.detectors),
            visitor,
            disjoint: DisjointErrors::default(),
            gauge: GaugeDetectors::default(),
            loops: Loops::default(),
            only: None,
            max_work: MAX_WORK,
            approximated: BTreeSet::new(),
            path: Vec::new(),
            ticks: counts.ticks,
            scratch: Vec::new(),
            chain: Vec::new(),
            chain_symptoms: 0,
        }
    }

    /// From the end to the beginning, where all qubits are in the state 0.
    pub(super) fn run(&mut self) -> Result<()> {
        let circuit = self.circuit;
        circuit.check_records()?;
        for (what, value) in [("detectors", circuit.counts().detectors), ("observables", circuit.counts().observables)]
        {
            if value >= OBSERVABLE {
                let (value, bound) = (usize::MAX, OBSERVABLE as usize - 1);
                return Err(Error::TooLarge { method: METHOD, what, value, bound });
            }
        }
        self.instructions(circuit.instructions())?;
        for qubit in (0..circuit.counts().qubits).rev() {
            if let Err(found) = self.frontier.check(&[(qubit, crate::Pauli::Z)]) {
                self.visitor.beginning(qubit);
                self.collapse(found, "the initial state 0", Fault::Random)?;
            }
        }
        Ok(())
    }

    fn instructions(&mut self, list: &[Instruction]) -> Result<()> {
        for (instruction, what) in list.iter().enumerate().rev() {
            self.path.push(Step { instruction, repetition: None });
            match what {
                Instruction::Operation(operation) => self.operation(operation, &list[..instruction])?,
                Instruction::Repeat(repeat) => self.repeat(repeat)?,
            }
            self.path.pop();
            let work = (self.frontier.work + self.visitor.work()).max(64 * self.visitor.size() as u64);
            if work > self.max_work {
                let [value, bound] = [work, self.max_work].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
                return Err(Error::TooLarge { method: METHOD, what: "number of detectors moved", value, bound });
            }
        }
        Ok(())
    }

    /// Where the walk is, in words.
    fn place(&self) -> String {
        self.circuit.describe(&Location { steps: self.path.clone() })
    }

    fn operation(&mut self, operation: &Operation, before: &[Instruction]) -> Result<()> {
        let plain = !matches!(operation.gate.kind(), Kind::Annotation | Kind::Noise | Kind::Pad);
        if plain && self.visitor.one_at_a_time() {
            let groups: Vec<&[Target]> = match operation.gate.kind() {
                Kind::MeasureProduct | Kind::RotateProduct => operation.groups().collect(),
                _ => operation.targets.chunks(if operation.gate.takes_pairs() { 2 } else { 1 }).collect(),
            };
            let mut one = Operation { targets: Vec::new(), ..operation.clone() };
            for group in groups.into_iter().rev() {
                one.targets = group.to_vec();
                self.single(&one, before)?;
            }
            return Ok(());
        }
        self.single(operation, before)
    }

    fn single(&mut self, operation: &Operation, before: &[Instruction]) -> Result<()> {
        if operation.gate == Gate::Tick {
            // Numbers beyond 64 bits are counted as the largest.
            self.ticks = self.ticks.saturating_sub(1);
        }
        self.frontier.work += operation.targets.len() as u64 + 1;
        self.visitor.at(&self.path, operation, self.ticks, &self.frontier);
        match operation.gate.kind() {
            Kind::Unitary(clifford) => self.frontier.unitary(operation, &clifford),
            Kind::RotateProduct => {
                for factors in Frontier::measured(operation) {
                    self.frontier.rotate(&factors);
                }
            }
            Kind::Reset(_)
            | Kind::Measure(_)
            | Kind::MeasureReset(_)
            | Kind::MeasurePair(_)
            | Kind::MeasureProduct
            | Kind::Pad => self.collapsing(operation)?,
            Kind::Annotation => self.annotation(operation),
            Kind::Noise => self.noise(operation, before)?,
        }
        Ok(())
    }

    fn collapsing(&mut self, operation: &Operation) -> Result<()> {
        let flip = operation.flip_probability();
        let resets = matches!(operation.gate.kind(), Kind::Reset(_) | Kind::MeasureReset(_));
        let products = Frontier::measured(operation);
        let n = products.len();
        for (k, factors) in products.into_iter().enumerate() {
            if let Err(found) = self.frontier.check(&factors) {
                self.collapse(found, operation.gate.name(), Fault::Random)?;
            }
            if resets {
                factors.iter().for_each(|&(qubit, _)| self.frontier.clear(qubit));
            }
            if operation.gate.is_recorded() {
                let record = self.frontier.pop_record();
                if flip > 0.0 && !record.is_empty() {
                    self.visitor.error(&record, flip, Fault::Record(n - 1 - k), &[&record]);
                }
                self.frontier.add_to_anticommuting(&factors, &record);
            }
        }
        Ok(())
    }

    fn collapse(&mut self, found: Anticommutes, what: &str, fault: Fault) -> Result<()> {
        let Anticommutes { set, factors } = found;
        if self.gauge == GaugeDetectors::Allow && observables(set.ids()).next().is_none() {
            self.visitor.error(&set, 0.5, fault, &[]);
            self.frontier.eliminate(&set);
            return Ok(());
        }
        let product: Vec<String> = factors.iter().map(|(qubit, pauli)| format!("{}{qubit}", pauli.letter())).collect();
        Err(Error::NonDeterministic {
            operation: format!("{what} on {}", product.join("*")),
            location: self.place(),
            detectors: set.detectors().to_vec(),
            observables: observables(set.ids()).collect(),
        })
    }

    fn annotation(&mut self, operation: &Operation) {
        let id = match operation.gate {
            Gate::Detector => {
                self.frontier.detectors -= 1;
                Some(self.frontier.detectors)
            }
            Gate::ObservableInclude => Some(observable_id(operation.observable().unwrap_or(0))),
            Gate::ShiftCoords => None,
            _ => return,
        };
        if let Some(id) = id.filter(|&id| self.only.is_none_or(|only| only == id)) {
            self.frontier.annotate(operation, id);
        }
        self.visitor.annotation(operation, self.frontier.detectors);
    }

    fn noise(&mut self, operation: &Operation, before: &[Instruction]) -> Result<()> {
        let refused = |location: String, reason: String| {
            let gate = operation.gate.name();
            Err(Error::NoiseChannel { gate, location, reason })
        };
        let verdict = match operation.gate {
            Gate::CorrelatedError | Gate::ElseCorrelatedError => {
                if self.chain.is_empty() {
                    let Some(chain) = chain_of(operation, before) else {
                        let reason = "it does not follow E or ELSE_CORRELATED_ERROR directly".to_owned();
                        return refused(self.place(), reason);
                    };
                    self.enter(&chain);
                }
                let p = self.chain.pop().unwrap_or(0.0);
                correlated(&mut self.frontier, operation, p, self.visitor);
                let approximated = operation.gate == Gate::ElseCorrelatedError && p > 0.0 && self.chain_symptoms > 1;
                if approximated { Verdict::Approximated } else { Verdict::Exact }
            }
            _ => channel(&mut self.frontier, operation, &mut self.scratch, self.visitor),
        };
        match verdict {
            Verdict::Exact => Ok(()),
            Verdict::Approximated if self.disjoint == DisjointErrors::Approximate => {
                self.approximated.insert(operation.gate);
                Ok(())
            }
            Verdict::Approximated => {
                let reason = "its cases exclude each other, which independent errors only approximate".to_owned();
                refused(self.place(), reason)
            }
            Verdict::Refused(reason) => refused(self.place(), reason),
        }
    }

    /// Finds the probabilities of the cases of a chain, which the walk meets from the last to the first. They exclude each
    /// other: of cases with equal symptom the first has the sum, the others 0.
    fn enter(&mut self, chain: &[&Operation]) {
        let mut first: HashMap<Vec<u64>, usize> = HashMap::new();
        self.chain.resize(chain.len(), 0.0);
        let mut none_before = 1.0;
        for (k, operation) in chain.iter().enumerate() {
            let p = operation.arguments[0] * none_before;
            none_before *= 1.0 - operation.arguments[0];
            let (symptom, _) = product(&mut self.frontier, operation);
            if p > 0.0 && !symptom.is_empty() {
                let place = *first.entry(symptom.ids().to_vec()).or_insert(k);
                self.chain[place] = (self.chain[place] + p).min(1.0);
            }
        }
        self.chain_symptoms = first.len();
    }

    /// Repetitions one by one, until the frontier is one that was met before up to a shift; then the walk is periodic.
    fn repeat(&mut self, repeat: &Repeat) -> Result<()> {
        let counts = *repeat.body.counts();
        if counts.operations == 0 {
            return Ok(());
        }
        let step = self.path.len() - 1;
        let mut left = repeat.count;
        // Brent's search for a period: the mark moves at powers of two.
        let mut mark: Option<Frontier> = None;
        let (mut since_mark, mut power) = (0u64, 1u64);
        let mut searching = self.loops == Loops::Fold && left > 2;
        while left > 0 {
            if searching {
                let period = mark.as_ref().is_some_and(|mark| since_mark > 0 && self.frontier.repeats(mark));
                if period {
                    searching = false;
                    if left / since_mark >= 2 {
                        left = self.fold(repeat, left, since_mark)?;
                        continue;
                    }
                } else if mark.is_none() || since_mark == power {
                    mark = Some(self.frontier.clone());
                    power *= 2;
                    since_mark = 0;
                }
                since_mark += 1;
            }
            left = self.skip(left, &counts);
            if left == 0 {
                break;
            }
            left -= 1;
            self.path[step].repetition = Some(left);
            self.instructions(repeat.body.instructions())?;
        }
        self.path[step].repetition = None;
        Ok(())
    }

    /// Where one detector is followed, steps over the repetitions that neither hold it nor anything it looks at; returns
    /// those left.
    fn skip(&mut self, left: u64, counts: &Counts) -> u64 {
        let Some(only) = self.only.filter(|id| id & OBSERVABLE == 0 && self.frontier.is_empty()) else { return left };
        let first = self.frontier.detectors - left * counts.detectors;
        let kept = match only.checked_sub(first) {
            // The repetition with the detector is the last one kept.
            Some(later) if only < self.frontier.detectors => later / counts.detectors + 1,
            _ => 0,
        };
        self.frontier.detectors -= (left - kept) * counts.detectors;
        self.ticks = self.ticks.saturating_sub((left - kept).saturating_mul(counts.ticks));
        kept
    }

    /// Walks through one period and lets it stand for all that fit; returns the repetitions left over.
    fn fold(&mut self, repeat: &Repeat, left: u64, period: u64) -> Result<u64> {
        let (count, counts) = (left / period, *repeat.body.counts());
        let step = self.path.len() - 1;
        self.visitor.open();
        for k in 1..=period {
            self.path[step].repetition = Some(left - k);
            self.instructions(repeat.body.instructions())?;
        }
        let detectors = period * counts.detectors;
        self.visitor.close(count, detectors);
        self.frontier.shift_down((count - 1) * detectors);
        self.ticks = self.ticks.saturating_sub(((count - 1) * period).saturating_mul(counts.ticks));
        Ok(left - count * period)
    }
}

/// The operations of the chain that ends with one, from its `E` on; `None` if no chain does.
fn chain_of<'a>(last: &'a Operation, before: &'a [Instruction]) -> Option<Vec<&'a Operation>> {
    let mut chain = vec![last];
    let mut earlier = before.iter().rev();
    while chain[chain.len() - 1].gate != Gate::CorrelatedError {
        match earlier.next()? {
            Instruction::Operation(operation)
                if matches!(operation.gate, Gate::CorrelatedError | Gate::ElseCorrelatedError) =>
            {
                chain.push(operation);
            }
            _ => return None,
        }
    }
    chain.reverse();
    Some(chain)
}
