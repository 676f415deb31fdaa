//! Symptoms as places in a circuit.

use std::collections::HashMap;

use super::channels::{Errors, Fault};
use super::frontier::{Frontier, observable_id};
use super::location::{Location, Step};
use super::set::Set;
use super::walk::{GaugeDetectors, Loops, MAX_WORK, Visitor, Walk};
use crate::circuit::{Circuit, Gate, Kind, Operation};
use crate::error::Result;
use crate::pauli::Pauli;

/// What an error flips.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Symptom {
    /// Detectors, in any order; those listed twice cancel.
    pub detectors: Vec<u64>,
    /// Observables, likewise.
    pub observables: Vec<u64>,
}

/// An elementary error of a circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct CircuitError {
    /// Where; without steps for a random detector of the initial state.
    pub location: Location,
    /// In which operation; `R` for the initial state.
    pub gate: Gate,
    /// `TICK`s before it.
    pub ticks: u64,
    /// What happens to the qubits; empty if the record alone is wrong.
    pub paulis: Vec<(u32, Pauli)>,
    /// Whether the record is wrong, or set by a herald.
    pub record: bool,
    /// The qubits of the target or targets.
    pub qubits: Vec<u32>,
    /// Its probability as an independent error.
    pub probability: f64,
}

impl Circuit {
    /// The elementary errors that have one of the symptoms, a list for each, the last in the circuit first.
    ///
    /// Walks through the circuit with its blocks unrolled. Cases of a channel or of a chain of correlated errors that
    /// exclude each other and have equal symptoms are one error, the first of them.
    ///
    /// ```
    /// use quantum_ec::{Circuit, Pauli};
    /// use quantum_ec::sensitivity::Symptom;
    ///
    /// let circuit: Circuit = "
    ///     R 0
    ///     TICK
    ///     DEPOLARIZE1(0.1) 0
    ///     M(0.01) 0
    ///     DETECTOR rec[-1]
    /// ".parse()?;
    /// let symptom = Symptom { detectors: vec![0], observables: vec![] };
    /// let found = &circuit.explain(&[symptom])?[0];
    /// assert!(found[0].record && found[0].location.to_string() == "instruction 3");
    /// assert_eq!(found[1].paulis, [(0, Pauli::X)]);
    /// assert_eq!((found[2].paulis.as_slice(), found[2].ticks), (&[(0, Pauli::Y)][..], 1));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`to_model`](Self::to_model), with [`Error::TooLarge`](crate::Error::TooLarge) also for errors that take more than
    /// 2³⁰ words of memory; random detectors are let pass.
    pub fn explain(&self, symptoms: &[Symptom]) -> Result<Vec<Vec<CircuitError>>> {
        self.explain_within(symptoms, MAX_WORK)
    }

    fn explain_within(&self, symptoms: &[Symptom], max_work: u64) -> Result<Vec<Vec<CircuitError>>> {
        let mut wanted: HashMap<Vec<u64>, Vec<usize>> = HashMap::new();
        for (k, symptom) in symptoms.iter().enumerate() {
            let observables = symptom.observables.iter().map(|&o| observable_id(o));
            let ids: Vec<u64> = symptom.detectors.iter().copied().chain(observables).collect();
            wanted.entry(Set::of(&ids).ids().to_vec()).or_default().push(k);
        }
        let found = vec![Vec::new(); symptoms.len()];
        let mut finder = Finder { wanted, found, words: 0, path: Vec::new(), at: None };
        let mut walk = Walk::new(self, &mut finder);
        (walk.loops, walk.gauge) = (Loops::Flatten, GaugeDetectors::Allow);
        walk.max_work = max_work;
        walk.run()?;
        Ok(finder.found)
    }
}

struct Finder {
    wanted: HashMap<Vec<u64>, Vec<usize>>,
    found: Vec<Vec<CircuitError>>,
    /// Words of memory that they take.
    words: usize,
    path: Vec<Step>,
    /// The operation and the ticks before it.
    at: Option<(Operation, u64)>,
}

impl Errors for Finder {
    fn error(&mut self, set: &Set, probability: f64, fault: Fault, _parts: &[&Set]) {
        let (Some(places), Some((operation, ticks))) = (self.wanted.get(set.ids()), &self.at) else { return };
        let qubit = |k: usize| operation.targets.get(k).and_then(|target| target.qubit_number());
        let on = |k: usize, pauli: Pauli| qubit(k).filter(|_| pauli != Pauli::I).map(|qubit| (qubit, pauli));
        let (paulis, record, qubits): (Vec<(u32, Pauli)>, bool, Vec<u32>) = match fault {
            Fault::Paulis(k, [a, b]) => {
                let paulis: Vec<(u32, Pauli)> = on(k, a).into_iter().chain(on(k + 1, b)).collect();
                let width = if operation.gate.takes_pairs() { 2 } else { 1 };
                (paulis, false, (k..k + width).filter_map(qubit).collect())
            }
            Fault::Product => {
                let factors: Vec<(u32, Pauli)> = operation.products().into_iter().flat_map(|p| p.factors).collect();
                let qubits = factors.iter().map(|factor| factor.0).collect();
                (factors, false, qubits)
            }
            Fault::Record(k) => {
                let qubits = match operation.gate.kind() {
                    Kind::MeasurePair(_) => (2 * k..2 * k + 2).filter_map(qubit).collect(),
                    Kind::MeasureProduct => {
                        let product = operation.products().into_iter().nth(k);
                        product.into_iter().flat_map(|p| p.factors).map(|factor| factor.0).collect()
                    }
                    Kind::Pad => Vec::new(),
                    _ => qubit(k).into_iter().collect(),
                };
                (Vec::new(), true, qubits)
            }
            Fault::Herald(k, pauli) => (on(k, pauli).into_iter().collect(), true, qubit(k).into_iter().collect()),
            Fault::Random => (Vec::new(), false, operation.targets.iter().filter_map(|t| t.qubit_number()).collect()),
        };
        // A step takes three words, a Pauli matrix with its qubit one.
        let lists = 3 * self.path.len() + paulis.len() + qubits.len();
        for &place in places {
            self.words += size_of::<CircuitError>() / 8 + lists;
            self.found[place].push(CircuitError {
                location: Location { steps: self.path.clone() },
                gate: operation.gate,
                ticks: *ticks,
                paulis: paulis.clone(),
                record,
                qubits: qubits.clone(),
                probability,
            });
        }
    }
}

impl Visitor for Finder {
    fn at(&mut self, path: &[Step], operation: &Operation, ticks: u64, _frontier: &Frontier) {
        self.path.clear();
        self.path.extend_from_slice(path);
        self.at = Some((operation.clone(), ticks));
    }

    fn beginning(&mut self, qubit: u32) {
        self.path.clear();
        self.at = Some((Operation::on_qubits(Gate::R, vec![], [qubit]), 0));
    }

    fn size(&self) -> usize {
        self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn errors_that_are_held_count() {
        let symptom = [Symptom { detectors: vec![0], observables: vec![] }];
        let text = |count: u32| format!("R 0\nREPEAT {count} {{\nX_ERROR(0.1) 0\n}}\nM 0\nDETECTOR rec[-1]");
        let few = text(1000).parse::<Circuit>().unwrap().explain_within(&symptom, 1 << 24).unwrap();
        assert_eq!(few[0].len(), 1000);
        // Two numbers moved an operation, but twenty words each for what is found.
        let error = text(100_000).parse::<Circuit>().unwrap().explain_within(&symptom, 1 << 24).unwrap_err();
        assert!(matches!(error, Error::TooLarge { bound: 16_777_216, .. }), "{error}");
    }
}
