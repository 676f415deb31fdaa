//! Quantum circuits as spins with complex couplings.
//!
//! An amplitude of a circuit is a sum over the values that the qubits have between the gates, each path with the product of
//! the gates' entries: a partition function $`\sum_s e^{-E(s)}`$ with a complex energy. Gates that are diagonal, as CZ and T, are
//! couplings and fields of the spins of their qubits; a gate that mixes, as H or √X, couples the spin before it with a new one
//! after it. What the exact methods do with real couplings, they do with complex ones.
//!
//! | name | is |
//! |---|---|
//! | [`Gate`], [`Unitary`], [`Circuit`] | named gates, any unitary matrix of one or two qubits, and their sequence |
//! | [`read_open_qasm`], [`write_open_qasm`] | circuits as OpenQASM 2 |
//! | [`RandomGrid`] | random circuits on a grid, as those of quantum supremacy experiments |
//! | [`StateVector`] | all amplitudes at once, to 26 qubits |
//! | [`Contraction`] | one amplitude, or a batch of them, by tensor network contraction within a memory budget |
//! | [`ComplexIsing`] | the same amplitude literally as a partition function of spins |
//! | [`Sampling`] | bitstrings from batches of amplitudes by rejection |
//! | [`linear_cross_entropy`] | how well bitstrings fit a circuit |
//!
//! # Conventions
//!
//! Qubit q of a bitstring is its entry q; in an index it is the bit $`2^q`$. A matrix of two qubits has rows and columns in
//! the order 00, 01, 10, 11, the first qubit named being the first digit: `Gate::Cnot` on `[0, 1]` has qubit 0 as control. Spin +1
//! is bit 0.
//!
//! ```
//! use spin_models::amplitude::{Circuit, Contraction, ContractionParams, Gate, StateVector};
//!
//! // A Bell pair: amplitudes 1/√2 of 00 and 11.
//! let bell = Circuit::new(2)?.with(Gate::H, &[0])?.with(Gate::Cnot, &[0, 1])?;
//! let contraction = Contraction::new(&bell, &[], &ContractionParams::default())?;
//! assert!((contraction.amplitude(&[true, true])?.re - 0.5f64.sqrt()).abs() < 1e-15);
//! assert!(contraction.amplitude(&[true, false])?.norm() < 1e-15);
//! assert!((StateVector::run(&bell)?.probability(&[false, false]) - 0.5).abs() < 1e-15);
//! # Ok::<(), spin_models::Error>(())
//! ```
//!
//! References: S. Boixo, S. V. Isakov, V. N. Smelyanskiy and H. Neven, arXiv:1712.05384 (circuits as undirected graphical models);
//! F. Arute et al., Nature 574, 505 (2019); F. Pan, K. Chen and P. Zhang, Phys. Rev. Lett. 129, 090502 (2022).

mod circuit;
mod complex_ising;
mod contract;
mod cross_entropy;
mod engine;
mod gate;
mod grid;
mod open_qasm;
mod path_sum;
mod sample;
mod state_vector;
#[cfg(test)]
mod tests;
mod unitary;

pub use circuit::{Circuit, Operation};
pub use complex_ising::ComplexIsing;
pub use contract::{Contraction, ContractionCost, ContractionParams};
pub use cross_entropy::linear_cross_entropy;
pub use gate::Gate;
pub use grid::{Entangler, RandomGrid};
pub use linalg_core::num_complex::Complex64;
pub use open_qasm::{read_open_qasm, write_open_qasm};
pub use sample::{SampleReport, Sampling};
pub use state_vector::StateVector;
pub use unitary::Unitary;
