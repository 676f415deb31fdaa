//! Symptoms as places in a circuit.

use std::collections::HashMap;

use super::channels::{Errors, Fault};
use super::frontier::{Frontier, observable_id};
use super::location::{Location, Step};
use super::set::Set;
use super::walk::{GaugeDetectors, Loops, Visitor, Walk};
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
    /// Where.
    pub location: Location,
    /// In which operation.
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
    /// Walks through the circuit with its blocks unrolled.
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
    /// As [`to_model`](Self::to_model); random detectors are let pass.
    pub fn explain(&self, symptoms: &[Symptom]) -> Result<Vec<Vec<CircuitError>>> {
        let mut wanted: HashMap<Vec<u64>, Vec<usize>> = HashMap::new();
        for (k, symptom) in symptoms.iter().enumerate() {
            let observables = symptom.observables.iter().map(|&o| observable_id(o));
            let ids: Vec<u64> = symptom.detectors.iter().copied().chain(observables).collect();
            wanted.entry(Set::of(&ids).ids().to_vec()).or_default().push(k);
        }
        let mut finder = Finder { wanted, found: vec![Vec::new(); symptoms.len()], path: Vec::new(), at: None };
        let mut walk = Walk::new(self, &mut finder);
        (walk.loops, walk.gauge) = (Loops::Flatten, GaugeDetectors::Allow);
        walk.run()?;
        Ok(finder.found)
    }
}

struct Finder {
    wanted: HashMap<Vec<u64>, Vec<usize>>,
    found: Vec<Vec<CircuitError>>,
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
        for &place in places {
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
}
