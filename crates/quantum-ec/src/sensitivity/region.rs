//! The detecting region of one detector.

use super::channels::{Errors, Fault};
use super::frontier::{Frontier, observable_id};
use super::location::Step;
use super::set::Set;
use super::walk::{GaugeDetectors, Visitor, Walk};
use crate::circuit::{Circuit, Gate, Operation};
use crate::error::{Error, Result};
use crate::pauli::{Pauli, SparsePauli};

/// Targets of operations that are passed before a region is refused, and qubits at `TICK`s: some seconds.
const MAX_WORK: u64 = 1 << 29;

/// What sees errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Sensor {
    /// A detector by its number.
    Detector(u64),
    /// An observable by its number.
    Observable(u64),
}

/// The operator that a detector stands for at every `TICK`, where it is not the identity; made by
/// [`Circuit::detecting_region`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectingRegion {
    /// The number of the `TICK`, from 0, and the operator: an error there is seen if it anticommutes.
    pub slices: Vec<(u64, SparsePauli)>,
}

impl Circuit {
    /// The region in which a detector or an observable sees errors, as a Pauli operator at every `TICK`.
    ///
    /// The records it looks at are moved backward through the circuit: a measurement puts its operator in, a unitary gate
    /// conjugates, a reset ends it. Errors at that moment that anticommute with the operator flip the detector.
    ///
    /// Cost: the operations from the detector back to where its region begins; repetitions of blocks elsewhere are stepped
    /// over. An observable is followed through the whole circuit.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    /// use quantum_ec::sensitivity::Sensor;
    ///
    /// // From a reset through a CNOT to a measurement: Z on the target comes from Z on both.
    /// let circuit: Circuit = "
    ///     R 0 1
    ///     TICK
    ///     CX 0 1
    ///     TICK
    ///     M 1
    ///     DETECTOR rec[-1]
    /// ".parse()?;
    /// let region = circuit.detecting_region(Sensor::Detector(0))?;
    /// let slices: Vec<String> = region.slices.iter().map(|(tick, p)| format!("{tick}: {p}")).collect();
    /// assert_eq!(slices, ["0: Z0*Z1", "1: Z1"]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] for a detector or an observable that is not there; [`Error::NonDeterministic`] where the region
    /// anticommutes with what is measured or prepared; [`Error::TooLarge`] for a region that goes on through more than 2²⁹
    /// targets of operations and qubits at `TICK`s, or has more than 2²³ slices and factors in them; as
    /// [`check_records`](Self::check_records).
    pub fn detecting_region(&self, sensor: Sensor) -> Result<DetectingRegion> {
        self.region_within(sensor, MAX_WORK)
    }

    fn region_within(&self, sensor: Sensor, max_work: u64) -> Result<DetectingRegion> {
        let (what, number, bound) = match sensor {
            Sensor::Detector(number) => ("detector", number, self.counts().detectors),
            Sensor::Observable(number) => ("observable", number, self.counts().observables),
        };
        if number >= bound {
            let [index, bound] = [number, bound].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
            return Err(Error::OutOfBounds { what, index, bound });
        }
        let mut slices = Slices::default();
        let mut walk = Walk::new(self, &mut slices);
        walk.gauge = GaugeDetectors::Refuse;
        walk.loops = super::walk::Loops::Flatten;
        walk.max_work = max_work;
        walk.only = Some(match sensor {
            Sensor::Detector(number) => number,
            Sensor::Observable(number) => observable_id(number),
        });
        walk.run()?;
        slices.list.reverse();
        Ok(DetectingRegion { slices: slices.list })
    }
}

#[derive(Default)]
struct Slices {
    /// Last first.
    list: Vec<(u64, SparsePauli)>,
    /// Slices and the factors in them.
    size: usize,
    /// Qubits looked at.
    work: u64,
}

impl Errors for Slices {
    fn error(&mut self, _set: &Set, _probability: f64, _fault: Fault, _parts: &[&Set]) {}
}

impl Visitor for Slices {
    fn at(&mut self, _path: &[Step], operation: &Operation, ticks: u64, frontier: &Frontier) {
        if operation.gate != Gate::Tick {
            return;
        }
        let sets = frontier.sets.chunks_exact(2).enumerate();
        self.work += sets.len() as u64;
        let factors: Vec<(usize, Pauli)> = sets
            // X is seen by Z.
            .map(|(qubit, pair)| (qubit, Pauli::from_bits(!pair[1].is_empty(), !pair[0].is_empty())))
            .filter(|&(_, pauli)| pauli != Pauli::I)
            .collect();
        if !factors.is_empty() {
            self.size += 1 + factors.len();
            self.list.push((ticks, SparsePauli::new(factors).expect("a factor a qubit")));
        }
    }

    fn size(&self) -> usize {
        self.size
    }

    fn work(&self) -> u64 {
        self.work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_the_qubits_of_ticks_count() {
        let region = |last_qubit: u32, ticks: u32| {
            let text = format!("R 0\nH {last_qubit}\nREPEAT {ticks} {{\nTICK\n}}\nM 0\nDETECTOR rec[-1]");
            text.parse::<Circuit>().unwrap().region_within(Sensor::Detector(0), 1 << 22)
        };
        assert_eq!(region(1, 20_000).unwrap().slices.len(), 20_000);
        assert_eq!(region(2000, 2000).unwrap().slices.len(), 2000);
        for (last_qubit, ticks) in [(1, 40_000), (10_000, 2000)] {
            let error = region(last_qubit, ticks).unwrap_err();
            assert!(matches!(error, Error::TooLarge { bound: 4_194_304, .. }), "{error}");
        }
    }
}
