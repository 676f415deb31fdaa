//! From records to detection events.

use super::gate::Gate;
use super::model::Circuit;
use super::target::Target;
use crate::error::{Error, Result};
use crate::shots::{Shots, ShotsRef, words_per_row};

use super::sampler::{DetectionSamples, MAX_OBSERVABLES};

/// Most bits of a row of shots, and most records of all detectors together.
const MAX_BITS: u64 = 1 << 27;

/// Sums of records: detection events and observables of measured shots.
///
/// A detector is the parity of its records, compared with that of a run without noise.
///
/// ```
/// use quantum_ec::circuit::{Circuit, RecordConverter};
/// use quantum_ec::Shots;
///
/// let circuit: Circuit = "X 0\nM 0 1\nDETECTOR rec[-1] rec[-2]\nOBSERVABLE_INCLUDE(0) rec[-1]".parse()?;
/// let mut records = Shots::zeros(2, 2);
/// records.set(1, 0, true); // the run without noise
/// let events = RecordConverter::new(&circuit)?.convert(records.view());
/// assert_eq!([events.detectors.get(0, 0), events.detectors.get(1, 0)], [true, false]);
/// assert!(!events.observables.get(0, 0));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RecordConverter {
    n_records: usize,
    detectors: Sums,
    observables: Sums,
    heralds: Sums,
}

/// Lists of records with the parity of a run without noise, one a bit.
#[derive(Debug, Clone, Default)]
struct Sums {
    records: Vec<u32>,
    ends: Vec<usize>,
    base: Vec<u64>,
}

impl Sums {
    fn push(&mut self, records: impl IntoIterator<Item = u32>, reference: &[u64]) {
        let start = self.records.len();
        self.records.extend(records);
        let odd = self.records[start..].iter().filter(|&&k| bit(reference, k)).count() % 2 == 1;
        let at = self.ends.len();
        if at.is_multiple_of(64) {
            self.base.push(0);
        }
        self.base[at / 64] |= u64::from(odd) << (at % 64);
        self.ends.push(self.records.len());
    }

    fn apply(&self, records: ShotsRef<'_>) -> Shots {
        let mut shots = Shots::zeros(records.n_shots(), self.ends.len());
        for shot in 0..records.n_shots() {
            let row = records.row(shot);
            let out = shots.row_mut(shot);
            out.copy_from_slice(&self.base);
            let mut start = 0;
            for (k, &end) in self.ends.iter().enumerate() {
                let parity = self.records[start..end].iter().fold(false, |sum, &at| sum ^ bit(row, at));
                out[k / 64] ^= u64::from(parity) << (k % 64);
                start = end;
            }
        }
        shots
    }
}

fn bit(words: &[u64], at: u32) -> bool {
    words[at as usize / 64] >> (at % 64) & 1 == 1
}

impl RecordConverter {
    /// The sums of a circuit, compared with its [reference sample](Circuit::reference_sample).
    ///
    /// Time: the reference sample, and all records of all detectors.
    ///
    /// # Errors
    /// As [`Circuit::reference_sample`]; [`Error::TooLarge`] for more than 2²⁷ records, detectors, operations, or records in all
    /// detectors together, and more than 2²⁰ observables; [`Error::NotApplicable`] for an observable with Pauli targets, which no record shows.
    pub fn new(circuit: &Circuit) -> Result<Self> {
        let counts = circuit.counts();
        let too_large = |what, value: u64, most: u64| {
            let value = usize::try_from(value).unwrap_or(usize::MAX);
            Err(Error::TooLarge { method: "conversion of records", what, value, bound: most as usize })
        };
        for (what, value, most) in [
            ("number of records", counts.measurements, MAX_BITS),
            ("number of detectors", counts.detectors, MAX_BITS),
            ("number of observables", counts.observables, MAX_OBSERVABLES),
            // Time to run through.
            ("number of operations", counts.operations, MAX_BITS),
        ] {
            if value > most {
                return too_large(what, value, most);
            }
        }
        let reference = circuit.reference_sample()?;
        let reference = reference.words();
        let mut converter = Self {
            n_records: counts.measurements as usize,
            detectors: Sums::default(),
            observables: Sums::default(),
            heralds: Sums::default(),
        };
        let mut observables = vec![Vec::new(); counts.observables as usize];
        let mut total = 0;
        for flat in circuit.operations() {
            let operation = flat.operation;
            let records = operation.targets.iter().filter_map(|target| match target {
                Target::Record(back) => Some((flat.measurements - u64::from(*back)) as u32),
                _ => None,
            });
            match operation.gate {
                Gate::Detector => converter.detectors.push(records, reference),
                Gate::ObservableInclude => {
                    let number = operation.observable().unwrap_or(0) as usize;
                    if operation.targets.iter().any(|target| matches!(target, Target::Pauli { .. })) {
                        let reason = format!("observable {number} has Pauli targets, which no record shows");
                        return Err(Error::NotApplicable { method: "conversion of records", reason });
                    }
                    observables[number].extend(records);
                }
                Gate::HeraldedErase | Gate::HeraldedPauliChannel1 => {
                    for at in 0..operation.targets.len() as u64 {
                        converter.heralds.push([(flat.measurements + at) as u32], reference);
                    }
                }
                _ => continue,
            }
            total += operation.targets.len() as u64;
            if total > MAX_BITS {
                return too_large("records of all detectors", total, MAX_BITS);
            }
        }
        for records in observables {
            converter.observables.push(records, reference);
        }
        Ok(converter)
    }

    /// Bits of a row of records.
    pub fn n_records(&self) -> usize {
        self.n_records
    }

    /// Bits of a row of detection events.
    pub fn n_detectors(&self) -> usize {
        self.detectors.ends.len()
    }

    /// Bits of a row of observables.
    pub fn n_observables(&self) -> usize {
        self.observables.ends.len()
    }

    /// Bits of a row of heralds.
    pub fn n_heralds(&self) -> usize {
        self.heralds.ends.len()
    }

    /// Detection events, observables and heralds of measured shots.
    ///
    /// # Panics
    /// If the rows have another width than the circuit's number of records.
    pub fn convert(&self, records: ShotsRef<'_>) -> DetectionSamples {
        assert_eq!(records.n_bits(), self.n_records, "rows of {} bits for {}", records.n_bits(), self.n_records);
        debug_assert_eq!(self.detectors.base.len(), words_per_row(self.detectors.ends.len()));
        DetectionSamples {
            detectors: self.detectors.apply(records),
            observables: self.observables.apply(records),
            heralds: self.heralds.apply(records),
        }
    }
}
