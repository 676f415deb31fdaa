//! Circuits of memory experiments, and noise put into clean circuits.
//!
//! [`Memory`] names an experiment and builds it without noise; [`CircuitNoise`] puts noise into any circuit.

mod bicycle;
mod color;
mod memory;
mod noise;
mod repetition;
mod surface;

pub use bicycle::{BicycleMemory, Detectors};
pub use memory::{MEMORIES, Memory};
pub use noise::{CircuitNoise, IDLE, IdleQubits, KNOBS, PRESETS};

use super::gate::Gate;
use super::model::{Circuit, Repeat};
use super::operation::Operation;
use super::target::Target;
use crate::error::Result;

/// Most qubits of a circuit that is built.
const MAX_QUBITS: usize = 1 << 22;

/// A circuit as it is written down, instruction after instruction.
#[derive(Default)]
struct Writer {
    circuit: Circuit,
}

impl Writer {
    fn gate(&mut self, gate: Gate, qubits: &[u32]) -> Result<()> {
        self.circuit.push_operation(Operation::on_qubits(gate, vec![], qubits.iter().copied()))
    }

    fn pairs(&mut self, gate: Gate, pairs: &[(u32, u32)]) -> Result<()> {
        let qubits = pairs.iter().flat_map(|&(a, b)| [a, b]);
        self.circuit.push_operation(Operation::on_qubits(gate, vec![], qubits))
    }

    fn tick(&mut self) -> Result<()> {
        self.gate(Gate::Tick, &[])
    }

    fn coordinates(&mut self, at: &[f64], qubit: u32) -> Result<()> {
        self.circuit.push_operation(Operation::on_qubits(Gate::QubitCoords, at.to_vec(), [qubit]))
    }

    fn shift(&mut self, by: &[f64]) -> Result<()> {
        self.circuit.push_operation(Operation::new(Gate::ShiftCoords, by.to_vec(), vec![]))
    }

    /// A detector of the records so many back.
    fn detector(&mut self, at: &[f64], records: impl IntoIterator<Item = usize>) -> Result<()> {
        self.circuit.push_operation(Operation::new(Gate::Detector, at.to_vec(), back(records)))
    }

    fn observable(&mut self, number: usize, records: impl IntoIterator<Item = usize>) -> Result<()> {
        self.circuit.push_operation(Operation::new(Gate::ObservableInclude, vec![number as f64], back(records)))
    }

    /// All of another circuit, so many times: as a block if that is more than once.
    fn repeat(&mut self, count: u64, body: Circuit) -> Result<()> {
        match count {
            0 => Ok(()),
            1 => body.instructions().iter().try_for_each(|instruction| self.circuit.push(instruction.clone())),
            _ => self.circuit.push_repeat(Repeat { count, tag: String::new(), body }),
        }
    }
}

fn back(records: impl IntoIterator<Item = usize>) -> Vec<Target> {
    records.into_iter().map(|back| Target::Record(back as u32)).collect()
}
