//! Sequences of gates.

use super::gate::Gate;
use crate::{Error, Result};

/// A gate and the qubits it acts on.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    gate: Gate,
    qubits: [usize; 2],
}

impl Operation {
    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Its qubits, one or two, in the order of the gate's matrix.
    pub fn qubits(&self) -> &[usize] {
        &self.qubits[..self.gate.n_qubits()]
    }
}

/// A circuit: gates on qubits 0, 1, …, all of which start as 0.
///
/// ```
/// use spin_models::Error;
/// use spin_models::amplitude::{Circuit, Gate};
///
/// let ghz = Circuit::new(3)?.with(Gate::H, &[0])?.with(Gate::Cnot, &[0, 1])?.with(Gate::Cnot, &[1, 2])?;
/// assert_eq!((ghz.operations().len(), ghz.depth(), ghz.n_two_qubit_gates()), (3, 3, 2));
/// // Checked gate by gate.
/// let twice = ghz.clone().with(Gate::Cz, &[1, 1]);
/// assert!(matches!(twice, Err(Error::SameQubit { operation: 3, qubit: 1, .. })));
/// let beyond = ghz.with(Gate::X, &[3]);
/// assert!(matches!(beyond, Err(Error::QubitOutOfBounds { operation: 3, qubit: 3, n_qubits: 3, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Circuit {
    n_qubits: usize,
    operations: Vec<Operation>,
}

impl Circuit {
    /// Most qubits. State vectors end long before, contractions depend on the depth as well.
    pub const MAX_QUBITS: usize = 1 << 16;

    /// A circuit without gates.
    ///
    /// # Errors
    /// [`Error::Parameter`] for 0 qubits, [`Error::TooLarge`] for more than [`MAX_QUBITS`](Self::MAX_QUBITS).
    pub fn new(n_qubits: usize) -> Result<Self> {
        if n_qubits == 0 {
            return Err(Error::Parameter { what: "number of qubits", value: "0".into(), expected: "at least 1" });
        }
        if n_qubits > Self::MAX_QUBITS {
            let what = "number of qubits";
            return Err(Error::TooLarge { solver: "circuit", what, value: n_qubits, bound: Self::MAX_QUBITS });
        }
        Ok(Self { n_qubits, operations: Vec::new() })
    }

    /// The same with one more gate at the end.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn with(mut self, gate: Gate, qubits: &[usize]) -> Result<Self> {
        self.push(gate, qubits)?;
        Ok(self)
    }

    /// Adds a gate at the end.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of qubits than the gate has, [`Error::QubitOutOfBounds`],
    /// [`Error::SameQubit`], [`Error::Parameter`] for an angle that is not finite. The circuit is left as it was.
    pub fn push(&mut self, gate: Gate, qubits: &[usize]) -> Result<()> {
        let expected = gate.n_qubits();
        if qubits.len() != expected {
            return Err(Error::WrongLength { what: "qubits of a gate", got: qubits.len(), expected });
        }
        let (operation, name) = (self.operations.len(), gate.name());
        if let Some(&qubit) = qubits.iter().find(|&&qubit| qubit >= self.n_qubits) {
            return Err(Error::QubitOutOfBounds { operation, gate: name, qubit, n_qubits: self.n_qubits });
        }
        if expected == 2 && qubits[0] == qubits[1] {
            return Err(Error::SameQubit { operation, gate: name, qubit: qubits[0] });
        }
        if let Some(angle) = gate.angles().iter().find(|angle| !angle.is_finite()) {
            let value = format!("{angle} in operation {operation} ({name})");
            return Err(Error::Parameter { what: "angle", value, expected: "a finite number" });
        }
        self.operations.push(Operation { gate, qubits: [qubits[0], qubits[expected - 1]] });
        Ok(())
    }

    /// Number of qubits.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// The gates in their order in time.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Number of gates of two qubits.
    pub fn n_two_qubit_gates(&self) -> usize {
        self.operations.iter().filter(|operation| operation.gate.n_qubits() == 2).count()
    }

    /// Number of moments when every gate comes as early as it can; gates of one qubit count.
    pub fn depth(&self) -> usize {
        let mut busy = vec![0; self.n_qubits];
        for operation in &self.operations {
            let moment = operation.qubits().iter().map(|&qubit| busy[qubit]).max().unwrap_or(0) + 1;
            operation.qubits().iter().for_each(|&qubit| busy[qubit] = moment);
        }
        busy.into_iter().max().unwrap_or(0)
    }

    /// The circuit that undoes this one: the inverse gates in reverse order.
    pub fn inverse(&self) -> Self {
        let undone = |operation: &Operation| Operation { gate: operation.gate.inverse(), qubits: operation.qubits };
        Self { n_qubits: self.n_qubits, operations: self.operations.iter().rev().map(undone).collect() }
    }

    /// This circuit, then another on the same qubits.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of qubits.
    pub fn then(&self, next: &Self) -> Result<Self> {
        if next.n_qubits != self.n_qubits {
            return Err(Error::WrongLength {
                what: "qubits of a circuit",
                got: next.n_qubits,
                expected: self.n_qubits,
            });
        }
        let operations = self.operations.iter().chain(&next.operations).cloned().collect();
        Ok(Self { n_qubits: self.n_qubits, operations })
    }
}
