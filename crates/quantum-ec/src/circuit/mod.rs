//! Circuits of Clifford operations, measurements and noise, in the language of `.stim` files.
//!
//! [`Circuit`] is a file as a tree: REPEAT blocks stay folded, counts are known without unrolling, and
//! [`operations`](Circuit::operations) walks through them one by one. [`Gate`] is the table of instructions with their
//! action on Pauli operators. The language is described in `docs/formats/circuit.md`.

mod clifford;
mod convert;
mod flat;
mod frame;
mod gate;
mod generate;
mod model;
mod operation;
mod parse;
mod print;
mod program;
mod sampler;
mod simulator;
mod tableau;
mod target;

pub use clifford::{Clifford, SignedPair};
pub use convert::RecordConverter;
pub use flat::{FlatOperation, FlatOperations};
pub use gate::{Gate, Kind};
pub use generate::{BicycleMemory, CircuitNoise, Detectors, IDLE, IdleQubits, KNOBS, MEMORIES, Memory, PRESETS};
pub use model::{Circuit, Counts, DEPTH_BOUND, Instruction, Repeat};
pub use operation::{OBSERVABLE_BOUND, Operation, Product};
pub use sampler::{CircuitSampler, DetectionSamples};
pub use simulator::StabilizerSimulator;
pub use target::{TARGET_BOUND, Target};
