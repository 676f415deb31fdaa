//! Places of qubits.

use std::collections::BTreeMap;

use crate::circuit::{Circuit, Gate, Instruction, Target};

impl Circuit {
    /// The coordinates that `QUBIT_COORDS` gives to qubits, shifts added: the last ones of a qubit that has several, and in
    /// blocks those of the first repetition.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    ///
    /// let circuit: Circuit = "
    ///     QUBIT_COORDS(1, 2) 0
    ///     SHIFT_COORDS(0, 0.5)
    ///     QUBIT_COORDS(3, 4) 1 7
    /// ".parse()?;
    /// let places = circuit.qubit_coordinates();
    /// assert_eq!((&places[&0][..], &places[&7][..], places.len()), (&[1.0, 2.0][..], &[3.0, 4.5][..], 3));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn qubit_coordinates(&self) -> BTreeMap<u32, Vec<f64>> {
        let (mut places, mut shift) = (BTreeMap::new(), Vec::new());
        gather(self, &mut shift, &mut places);
        places
    }
}

fn gather(circuit: &Circuit, shift: &mut Vec<f64>, places: &mut BTreeMap<u32, Vec<f64>>) {
    for instruction in circuit.instructions() {
        match instruction {
            Instruction::Operation(operation) if operation.gate == Gate::QubitCoords => {
                let shifts = shift.iter().copied().chain(std::iter::repeat(0.0));
                let place: Vec<f64> = operation.arguments.iter().zip(shifts).map(|(x, shift)| x + shift).collect();
                for target in &operation.targets {
                    if let Target::Qubit { qubit, .. } = target {
                        places.insert(*qubit, place.clone());
                    }
                }
            }
            Instruction::Operation(operation) if operation.gate == Gate::ShiftCoords => {
                add(shift, &operation.arguments, 1.0);
            }
            Instruction::Operation(_) => {}
            Instruction::Repeat(repeat) => {
                let mut inside = shift.clone();
                gather(&repeat.body, &mut inside, places);
                let before = shift.clone();
                add(&mut inside, &before, -1.0);
                add(shift, &inside, repeat.count as f64);
            }
        }
    }
}

fn add(sum: &mut Vec<f64>, terms: &[f64], factor: f64) {
    if sum.len() < terms.len() {
        sum.resize(terms.len(), 0.0);
    }
    sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += factor * term);
}
