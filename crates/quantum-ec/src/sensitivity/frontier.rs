//! What Pauli errors flip, moved backward through operations.

use std::collections::VecDeque;

use super::set::{OBSERVABLE, Set};
use crate::circuit::{Clifford, Gate, Kind, Operation, Target};
use crate::pauli::Pauli;

/// What errors at one moment of a circuit flip: a set for X and Z of every qubit, one for every record that is referred to
/// later.
#[derive(Debug, Clone)]
pub(super) struct Frontier {
    /// Flipped by X on qubit q at 2q, by Z at 2q + 1.
    pub sets: Vec<Set>,
    /// Flipped by a wrong record: the last record before this moment first.
    pub records: VecDeque<Set>,
    /// Detectors before this moment.
    pub detectors: u64,
    /// Numbers moved so far.
    pub work: u64,
    scratch: Vec<u64>,
}

/// Sets that are not empty although the operation makes their outcome random.
#[derive(Debug)]
pub(super) struct Anticommutes {
    pub set: Set,
    /// The factors of the operator measured.
    pub factors: Vec<(u32, Pauli)>,
}

impl Frontier {
    /// The end of a circuit.
    pub(super) fn new(n_qubits: usize, n_detectors: u64) -> Self {
        Self {
            sets: vec![Set::default(); 2 * n_qubits],
            records: VecDeque::new(),
            detectors: n_detectors,
            work: 0,
            scratch: Vec::new(),
        }
    }

    /// Sum of sets that a product of Pauli matrices flips.
    pub(super) fn flipped_by(&mut self, factors: &[(u32, Pauli)]) -> Set {
        let mut sum = Set::default();
        for &(q, pauli) in factors {
            let (x, z) = pauli.bits();
            for (present, at) in [(x, 2 * q as usize), (z, 2 * q as usize + 1)] {
                if present {
                    sum.xor(&self.sets[at], &mut self.scratch);
                }
            }
        }
        sum
    }

    /// Adds a set to those of all errors that anticommute with the product.
    pub(super) fn add_to_anticommuting(&mut self, factors: &[(u32, Pauli)], set: &Set) {
        for &(q, pauli) in factors {
            let (x, z) = pauli.bits();
            // X anticommutes with what has Z.
            for (present, at) in [(z, 2 * q as usize), (x, 2 * q as usize + 1)] {
                if present {
                    self.sets[at].xor(set, &mut self.scratch);
                    self.work += self.sets[at].ids().len() as u64;
                }
            }
        }
    }

    /// The set of the last record, which is not there before its measurement.
    pub(super) fn pop_record(&mut self) -> Set {
        self.records.pop_front().unwrap_or_default()
    }

    fn add_to_record(&mut self, back: u32, set: &Set) {
        let at = back as usize - 1;
        if self.records.len() <= at {
            self.records.resize_with(at + 1, Set::default);
        }
        self.records[at].xor(set, &mut self.scratch);
        self.work += self.records[at].ids().len() as u64;
    }

    /// What flips a product must be nothing where it is measured or prepared.
    pub(super) fn check(&mut self, factors: &[(u32, Pauli)]) -> Result<(), Anticommutes> {
        let set = self.flipped_by(factors);
        if set.is_empty() { Ok(()) } else { Err(Anticommutes { set, factors: factors.to_vec() }) }
    }

    /// Adds `gauge` to every set that holds its last detector, which then is in none.
    pub(super) fn eliminate(&mut self, gauge: &Set) {
        let Some(&pivot) = gauge.detectors().last() else { return };
        let Self { sets, records, scratch, work, .. } = self;
        for set in sets.iter_mut().chain(records.iter_mut()).filter(|set| set.contains(pivot)) {
            set.xor(gauge, scratch);
            *work += set.ids().len() as u64 + 1;
        }
    }

    /// Moves a detector or an observable into the sets it looks at.
    pub(super) fn annotate(&mut self, operation: &Operation, id: u64) {
        let one = Set::of(&[id]);
        for &target in &operation.targets {
            match target {
                Target::Record(back) => self.add_to_record(back, &one),
                Target::Pauli { pauli, qubit, .. } => self.add_to_anticommuting(&[(qubit, pauli)], &one),
                Target::Qubit { .. } | Target::Sweep(_) | Target::Combiner => {}
            }
        }
    }

    fn add(&mut self, to: usize, from: usize) {
        let Ok([to, from]) = self.sets.get_disjoint_mut([to, from]) else { return };
        to.xor(from, &mut self.scratch);
        self.work += to.ids().len() as u64;
    }

    /// Moves backward through a unitary gate: an error before it flips what its image flips after.
    pub(super) fn unitary(&mut self, operation: &Operation, clifford: &Clifford) {
        if clifford.n_qubits() == 1 {
            let images = [0, 1].map(|k| clifford.images()[k].paulis[0]);
            for &target in operation.targets.iter().rev() {
                if let Target::Qubit { qubit, .. } = target {
                    self.one_qubit(qubit as usize, images);
                }
            }
            return;
        }
        for (first, second) in operation.pairs().rev() {
            match (first, second) {
                (Target::Qubit { qubit: a, .. }, Target::Qubit { qubit: b, .. }) => {
                    self.two_qubits(operation.gate, clifford, 2 * a as usize, 2 * b as usize);
                }
                (Target::Record(back), Target::Qubit { qubit, .. })
                | (Target::Qubit { qubit, .. }, Target::Record(back)) => {
                    let pauli = match operation.gate {
                        Gate::Cx | Gate::Xcz => Pauli::X,
                        Gate::Cy | Gate::Ycz => Pauli::Y,
                        _ => Pauli::Z,
                    };
                    let set = self.flipped_by(&[(qubit, pauli)]);
                    self.add_to_record(back, &set);
                }
                // Sweep bits are the same with and without noise.
                _ => {}
            }
        }
    }

    fn one_qubit(&mut self, qubit: usize, images: [Pauli; 2]) {
        use Pauli::{X, Y, Z};
        let (x, z) = (2 * qubit, 2 * qubit + 1);
        match images {
            [Z, X] => self.sets.swap(x, z),
            [Y, Z] => self.add(x, z),
            [X, Y] => self.add(z, x),
            [Y, X] => {
                self.add(z, x);
                self.sets.swap(x, z);
            }
            [Z, Y] => {
                self.add(x, z);
                self.sets.swap(x, z);
            }
            _ => {}
        }
    }

    /// `a` and `b` are the places of the sets of X.
    fn two_qubits(&mut self, gate: Gate, clifford: &Clifford, a: usize, b: usize) {
        match gate {
            Gate::Ii => {}
            Gate::Cx => {
                self.add(a, b);
                self.add(b + 1, a + 1);
            }
            Gate::Cz => {
                self.add(a, b + 1);
                self.add(b, a + 1);
            }
            Gate::Swap => {
                self.sets.swap(a, b);
                self.sets.swap(a + 1, b + 1);
            }
            _ => {
                let places = [a, a + 1, b, b + 1];
                let after = places.map(|at| std::mem::take(&mut self.sets[at]));
                for (image, at) in clifford.images().iter().zip(places) {
                    let ((xa, za), (xb, zb)) = (image.paulis[0].bits(), image.paulis[1].bits());
                    for (_, set) in [xa, za, xb, zb].into_iter().zip(&after).filter(|(present, _)| *present) {
                        self.sets[at].xor(set, &mut self.scratch);
                        self.work += set.ids().len() as u64;
                    }
                }
            }
        }
    }

    /// Moves backward through the exponential of a product: what anticommutes with it is multiplied by it.
    pub(super) fn rotate(&mut self, factors: &[(u32, Pauli)]) {
        let set = self.flipped_by(factors);
        self.add_to_anticommuting(factors, &set);
    }

    pub(super) fn clear(&mut self, qubit: u32) {
        self.sets[2 * qubit as usize].clear();
        self.sets[2 * qubit as usize + 1].clear();
    }

    /// The products that an operation measures or prepares, last first, one a record where it records.
    pub(super) fn measured(operation: &Operation) -> Vec<Vec<(u32, Pauli)>> {
        match operation.gate.kind() {
            Kind::Measure(pauli) | Kind::MeasureReset(pauli) | Kind::Reset(pauli) => {
                let qubits = operation.targets.iter().rev().filter_map(|target| target.qubit_number());
                qubits.map(|qubit| vec![(qubit, pauli)]).collect()
            }
            Kind::MeasurePair(pauli) => {
                let qubit = |target: Target| target.qubit_number().map(|qubit| (qubit, pauli));
                operation.pairs().rev().map(|(a, b)| [a, b].into_iter().filter_map(qubit).collect()).collect()
            }
            Kind::MeasureProduct | Kind::RotateProduct => {
                operation.products().into_iter().rev().map(|product| product.factors).collect()
            }
            Kind::Pad => vec![Vec::new(); operation.targets.len()],
            Kind::Unitary(_) | Kind::Noise | Kind::Annotation => Vec::new(),
        }
    }

    /// Whether no error flips anything.
    pub(super) fn is_empty(&self) -> bool {
        self.sets.iter().chain(&self.records).all(Set::is_empty)
    }

    /// Takes `by` from the numbers of all detectors.
    pub(super) fn shift_down(&mut self, by: u64) {
        self.detectors -= by;
        self.sets.iter_mut().chain(self.records.iter_mut()).for_each(|set| set.shift_down(by));
    }

    /// Whether `later` is the same with all detectors moved up as far as the numbers of detectors before differ.
    pub(super) fn repeats(&self, later: &Self) -> bool {
        let by = later.detectors - self.detectors;
        let empty = Set::default();
        let longest = self.records.len().max(later.records.len());
        self.sets.iter().zip(&later.sets).all(|(a, b)| a.is_below(b, by))
            && (0..longest).all(|k| {
                let [a, b] = [&self.records, &later.records].map(|records| records.get(k).unwrap_or(&empty));
                a.is_below(b, by)
            })
    }
}

/// The number of an observable among those of detectors.
pub(super) fn observable_id(observable: u64) -> u64 {
    OBSERVABLE | observable
}
