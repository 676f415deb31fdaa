//! What flags say about errors, gathered on the way back through a circuit.

use std::collections::HashMap;

use super::channels::{Errors, Fault, independent};
use super::decompose::Pieces;
use super::flags::Numbers;
use super::frontier::Frontier;
use super::location::{Location, Step};
use super::model::{Builder, Decompose, Item, ModelParams, emit};
use super::set::Set;
use super::walk::{Loops, Visitor, Walk};
use crate::circuit::{Circuit, Gate, Kind, Operation};
use crate::dem::DetectorErrorModel;
use crate::error::Result;

/// What one flag says, in symptoms.
pub(super) struct Given {
    pub location: Location,
    pub gate: Gate,
    /// What is flipped for certain.
    pub offset: Vec<u64>,
    /// Independent errors.
    pub errors: Vec<(Vec<u64>, f64)>,
}

/// What a walk has found.
pub(super) struct FlagWalk {
    builder: Builder,
    /// Last first.
    pub heralds: Vec<Given>,
    /// A flag a record of a single qubit.
    pub leakage: Vec<Option<Given>>,
    pub approximated: Vec<Gate>,
    /// Records before the present operation.
    records: u64,
    /// The record whose leakage flag a qubit is under.
    under: HashMap<u32, u64>,
    path: Vec<Step>,
    gate: Gate,
    /// Errors of flags.
    held: usize,
}

impl FlagWalk {
    /// Walks through a circuit; `records` is the number of leakage flags.
    pub(super) fn run(circuit: &Circuit, params: &ModelParams, records: u64) -> Result<Self> {
        let mut found = Self {
            builder: Builder::new(params.decompose == Decompose::Graphlike),
            heralds: Vec::new(),
            leakage: std::iter::repeat_with(|| None).take(records as usize).collect(),
            approximated: Vec::new(),
            records: circuit.counts().measurements,
            under: HashMap::new(),
            path: Vec::new(),
            gate: Gate::Tick,
            held: 0,
        };
        let mut walk = Walk::new(circuit, &mut found);
        (walk.disjoint, walk.gauge, walk.loops) = (params.disjoint, params.gauge, Loops::Flatten);
        walk.max_work = params.max_work;
        walk.run()?;
        found.approximated = walk.approximated.into_iter().collect();
        found.builder.flush();
        for given in found.leakage.iter_mut().flatten() {
            given.errors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            given.errors.dedup_by(|a, b| a.0 == b.0);
        }
        Ok(found)
    }

    /// The model, and the numbers of its mechanisms.
    pub(super) fn model(&self) -> Result<(DetectorErrorModel, Numbers<'_>)> {
        let items = &self.builder.items;
        let pieces = self.builder.decompose.then(|| Pieces::new(items));
        let mut model = DetectorErrorModel::new();
        emit(items, 0, &mut 0, pieces.as_ref(), &mut model)?;
        // Without blocks there is one list of errors, written in this order.
        let errors = items.iter().filter_map(|item| if let Item::Errors(errors) = item { Some(errors) } else { None });
        let numbers = errors.flat_map(|errors| errors.sorted()).enumerate().map(|(k, (ids, ..))| (ids, k)).collect();
        Ok((model, numbers))
    }

    fn location(&self) -> Location {
        Location { steps: self.path.clone() }
    }

    /// Lists an error that a flag makes possible: without it, its probability is 0.
    fn possible(&mut self, set: &Set, parts: &[&Set], probability: f64) -> (Vec<u64>, f64) {
        self.builder.errors.add(set, 0.0, parts, self.builder.decompose);
        (set.ids().to_vec(), probability)
    }

    /// X and Z of a qubit, each flipped like a coin.
    fn coins(&mut self, [x, z]: [&Set; 2]) -> Vec<(Vec<u64>, f64)> {
        // Any two of X, Y and Z give all four cases; those with the fewest detectors are best known to decoders.
        let mut y = Set::default();
        y.set_to_sum(x, z);
        let mut three = [(x, &[x][..]), (z, &[z]), (&y, &[x, z])];
        three.sort_by_key(|(set, _)| set.detectors().len());
        if let Some(at) = three.iter().position(|(set, _)| set.is_empty()) {
            // Two are the same, or all nothing.
            let (set, parts) = three[if at == 0 { 1 } else { 0 }];
            return if set.is_empty() { Vec::new() } else { vec![self.possible(set, parts, 0.5)] };
        }
        three[..2].iter().map(|(set, parts)| self.possible(set, parts, 0.5)).collect()
    }

    fn leaked(&mut self, record: u64, errors: Vec<(Vec<u64>, f64)>) {
        if let Some(Some(given)) = self.leakage.get_mut(record as usize) {
            self.held += errors.len();
            given.errors.extend(errors);
        }
    }

    /// Gathers what a leaked qubit does at an operation on it; `frontier` is behind the operation.
    fn leakage(&mut self, operation: &Operation, frontier: &Frontier) {
        let kind = operation.gate.kind();
        if matches!(kind, Kind::Annotation | Kind::Noise | Kind::Pad) {
            return;
        }
        let qubits: Vec<u32> = match kind {
            Kind::MeasureProduct | Kind::RotateProduct => {
                operation.products().into_iter().flat_map(|product| product.factors).map(|factor| factor.0).collect()
            }
            _ => operation.targets.iter().filter_map(|target| target.qubit_number()).collect(),
        };
        let mut flagged: Vec<u64> = qubits.iter().filter_map(|qubit| self.under.get(qubit).copied()).collect();
        flagged.sort_unstable();
        flagged.dedup();
        for record in flagged {
            for &qubit in &qubits {
                let at = 2 * qubit as usize;
                let errors = self.coins([&frontier.sets[at], &frontier.sets[at + 1]]);
                self.leaked(record, errors);
            }
        }
        let [single, recorded] =
            [matches!(kind, Kind::Measure(_) | Kind::MeasureReset(_) | Kind::Reset(_)), operation.gate.is_recorded()];
        if !single {
            return;
        }
        for qubit in qubits {
            self.under.remove(&qubit);
            if recorded {
                // The operation has one target: its record is the last one.
                let record = self.records;
                self.under.insert(qubit, record);
                self.leakage[record as usize] = Some(Given {
                    location: self.location(),
                    gate: operation.gate,
                    offset: Vec::new(),
                    errors: Vec::new(),
                });
                if let Some(set) = frontier.records.front().filter(|set| !set.is_empty()) {
                    let error = self.possible(set, &[set], 0.5);
                    self.leaked(record, vec![error]);
                }
            }
        }
    }
}

impl Errors for FlagWalk {
    fn error(&mut self, set: &Set, probability: f64, fault: Fault, parts: &[&Set]) {
        self.builder.error(set, probability, fault, parts);
    }

    fn herald(&mut self, [herald, x, z]: [&Set; 3], cases: [f64; 4]) -> bool {
        let all: f64 = cases.iter().sum();
        let mut y = Set::default();
        y.set_to_sum(x, z);
        let sets = [&Set::default(), x, &y, z];
        // Cases with equal symptoms add up. The likeliest one is the offset.
        let mut distinct: Vec<(usize, f64)> = Vec::new();
        for (k, &p) in cases.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            match distinct.iter_mut().find(|(other, _)| sets[*other] == sets[k]) {
                Some((_, sum)) => *sum += p / all,
                None => distinct.push((k, p / all)),
            }
        }
        let (likeliest, _) = distinct.iter().copied().fold((0, 0.0), |a, b| if b.1 > a.1 + 1e-12 { b } else { a });
        let mut offset = Set::default();
        offset.set_to_sum(herald, sets[likeliest]);
        // X, Y and Z beside the offset; the product of two of I, X, Y, Z is the one that is left, or I.
        const PRODUCTS: [[usize; 4]; 4] = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]];
        let mut beside = [0.0; 4];
        distinct.iter().for_each(|&(k, p)| beside[PRODUCTS[likeliest][k]] += p);
        let error = |this: &mut Self, k: usize, p: f64| {
            let parts = if k == 2 { &[x, z][..] } else { &[sets[k]] };
            this.possible(sets[k], parts, p)
        };
        let errors = if distinct.len() == 4 && distinct.iter().all(|(_, p)| (p - 0.25).abs() < 1e-12) {
            self.coins([x, z])
        } else if distinct.len() == 2 {
            let k = (1..4).find(|&k| beside[k] > 0.0).unwrap_or(0);
            vec![error(self, k, beside[k])]
        } else {
            let rates = independent([beside[1], beside[2], beside[3]]);
            let rates = rates.unwrap_or([beside[1], beside[2], beside[3]]);
            (1..4).filter(|&k| rates[k - 1] > 0.0).map(|k| error(self, k, rates[k - 1])).collect()
        };
        self.held += 1 + errors.len();
        self.heralds.push(Given { location: self.location(), gate: self.gate, offset: offset.ids().to_vec(), errors });
        true
    }
}

impl Visitor for FlagWalk {
    fn annotation(&mut self, operation: &Operation, detectors: u64) {
        self.builder.annotation(operation, detectors);
    }

    fn one_at_a_time(&self) -> bool {
        !self.leakage.is_empty()
    }

    fn at(&mut self, path: &[Step], operation: &Operation, _ticks: u64, frontier: &Frontier) {
        self.path.clear();
        self.path.extend_from_slice(path);
        self.gate = operation.gate;
        self.records -= operation.n_records() as u64;
        if !self.leakage.is_empty() {
            self.leakage(operation, frontier);
        }
    }

    fn size(&self) -> usize {
        self.builder.size() + self.held
    }
}
