//! Circuits as a tree of instructions.

use super::operation::{Operation, Place};
use super::target::Target;
use crate::circuit::gate::Gate;
use crate::error::{Error, Result};

/// Deepest nesting of REPEAT blocks.
pub const DEPTH_BOUND: usize = 64;

/// An operation or a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Instruction {
    /// A line.
    Operation(Operation),
    /// `REPEAT n { … }`.
    Repeat(Repeat),
}

/// `REPEAT n { … }`: the body n times.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// How often, from 1.
    pub count: u64,
    /// Free text in square brackets; empty if there is none.
    pub tag: String,
    /// What is repeated; its records may reach into what comes before the block.
    pub body: Circuit,
}

/// What is known of a circuit without unrolling its blocks. Counts stop at `u64::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Counts {
    /// One past the largest qubit.
    pub qubits: u32,
    /// Records.
    pub measurements: u64,
    /// Detectors.
    pub detectors: u64,
    /// One past the largest observable.
    pub observables: u64,
    /// `TICK`s.
    pub ticks: u64,
    /// One past the largest sweep bit.
    pub sweep_bits: u32,
    /// Operations with all blocks unrolled, annotations included.
    pub operations: u64,
    /// Nesting of blocks.
    pub depth: usize,
    /// How many records before the beginning are named: 0 for a circuit that stands alone.
    pub reach: u64,
}

/// Clifford operations, measurements, noise and annotations, as a `.stim` file writes them.
///
/// Instructions are checked one by one as they are [pushed](Self::push), so a circuit is valid at any time and its counts
/// are known without unrolling the blocks.
///
/// ```
/// use quantum_ec::Circuit;
///
/// let circuit: Circuit = "
///     R 0 1
///     REPEAT 1000 {
///         X_ERROR(0.01) 0
///         CX 0 1
///         MR 1
///         DETECTOR rec[-1]
///         TICK
///     }
///     M 0
///     OBSERVABLE_INCLUDE(0) rec[-1]
/// ".parse()?;
/// let counts = circuit.counts();
/// assert_eq!((counts.qubits, counts.measurements, counts.detectors, counts.observables), (2, 1001, 1000, 1));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Circuit {
    instructions: Vec<Instruction>,
    counts: Counts,
    text: TextPlaces,
}

/// Lines and columns of the first instructions, from 1, for circuits that were read; no part of what a circuit is.
#[derive(Debug, Clone, Default)]
struct TextPlaces(Vec<(usize, usize)>);

impl PartialEq for TextPlaces {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The serialised form is the text of a `.stim` file.
#[cfg(feature = "serde")]
impl From<Circuit> for String {
    fn from(circuit: Circuit) -> Self {
        circuit.to_string()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<String> for Circuit {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl Circuit {
    /// A circuit without instructions.
    pub fn new() -> Self {
        Self::default()
    }

    /// The circuit with these instructions.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn from_instructions(instructions: impl IntoIterator<Item = Instruction>) -> Result<Self> {
        let mut circuit = Self::new();
        for instruction in instructions {
            circuit.push(instruction)?;
        }
        Ok(circuit)
    }

    /// Appends an instruction.
    ///
    /// Records may reach before the beginning, for the body of a block; [`check_records`](Self::check_records) is for
    /// circuits that stand alone.
    ///
    /// # Errors
    /// [`Error::CircuitInstruction`] for arguments and targets that the gate does not take (probabilities outside 0 to 1
    /// or sums above 1, odd lists of pairs, numbers out of range, products that are not Hermitian), blocks repeated
    /// 0 times and blocks nested deeper than [`DEPTH_BOUND`]. The circuit is then unchanged.
    pub fn push(&mut self, instruction: Instruction) -> Result<()> {
        match instruction {
            Instruction::Operation(operation) => self.push_operation(operation),
            Instruction::Repeat(repeat) => self.push_repeat(repeat),
        }
    }

    /// Appends an operation.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_operation(&mut self, operation: Operation) -> Result<()> {
        operation.check().map_err(|fault| {
            let place = match fault.place {
                Place::Arguments | Place::End => String::new(),
                Place::Argument(k) => format!(" as argument {k}"),
                Place::Target(k) => format!(" as target {k}"),
            };
            self.error(operation.gate.name(), fault.found + &place, fault.expected)
        })?;
        self.push_checked(operation);
        Ok(())
    }

    /// Notes the line and the column of the next instruction.
    pub(super) fn note_place(&mut self, place: (usize, usize)) {
        if self.text.0.len() == self.instructions.len() {
            self.text.0.push(place);
        }
    }

    /// Line and column, from 1, where an instruction begins in the text that the circuit was read from; `None` for an
    /// instruction that was not read, and where there is none.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    ///
    /// let circuit: Circuit = "H 0\nREPEAT 2 {\n    M 0\n}".parse()?;
    /// assert_eq!((circuit.text_place(&[1, 0]), circuit.text_place(&[2])), (Some((3, 5)), None));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// `path` is the number of the instruction, or of the block and then of the instruction in its body.
    pub fn text_place(&self, path: &[usize]) -> Option<(usize, usize)> {
        match *path {
            [] => None,
            [last] => self.instructions.get(last).and_then(|_| self.text.0.get(last).copied()),
            [first, ref rest @ ..] => match self.instructions.get(first)? {
                Instruction::Repeat(repeat) => repeat.body.text_place(rest),
                Instruction::Operation(_) => None,
            },
        }
    }

    /// Appends an operation that is known to be good.
    pub(super) fn push_checked(&mut self, operation: Operation) {
        self.counts.add(&operation);
        self.instructions.push(Instruction::Operation(operation));
    }

    /// Appends a block.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_repeat(&mut self, repeat: Repeat) -> Result<()> {
        if repeat.count == 0 {
            return Err(self.error("REPEAT", "0 repetitions".to_owned(), "at least one".to_owned()));
        }
        if repeat.body.counts.depth >= DEPTH_BOUND {
            let found = format!("{} nested blocks", repeat.body.counts.depth + 1);
            return Err(self.error("REPEAT", found, format!("at most {DEPTH_BOUND}")));
        }
        self.counts.repeat(repeat.count, &repeat.body.counts);
        self.instructions.push(Instruction::Repeat(repeat));
        Ok(())
    }

    /// Appends an operation; its targets join those of the last instruction if gate, tag and arguments are the same and
    /// the two lines mean the same as one.
    ///
    /// Detectors, observables, ticks and correlated errors stay on their own.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn append(&mut self, operation: Operation) -> Result<()> {
        let alone = matches!(
            operation.gate,
            Gate::Detector
                | Gate::ObservableInclude
                | Gate::Tick
                | Gate::ShiftCoords
                | Gate::CorrelatedError
                | Gate::ElseCorrelatedError
        );
        match self.instructions.last() {
            Some(Instruction::Operation(last))
                if !alone
                    && last.gate == operation.gate
                    && last.tag == operation.tag
                    && last.arguments == operation.arguments =>
            {
                let at = self.instructions.len() - 1;
                self.push_operation(operation)?;
                self.counts.operations -= 1;
                let Some(Instruction::Operation(added)) = self.instructions.pop() else { unreachable!("just pushed") };
                if let Instruction::Operation(last) = &mut self.instructions[at] {
                    last.targets.extend(added.targets);
                }
                Ok(())
            }
            _ => self.push_operation(operation),
        }
    }

    /// The instructions in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Counts with all blocks unrolled.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether all records exist.
    ///
    /// # Errors
    /// [`Error::CircuitInstruction`] naming the first instruction that reaches before the beginning.
    pub fn check_records(&self) -> Result<()> {
        if self.counts.reach == 0 {
            return Ok(());
        }
        let mut before = 0u64;
        for (index, instruction) in self.instructions.iter().enumerate() {
            let (gate, reach, records) = match instruction {
                Instruction::Operation(op) => (op.gate.name(), op.reach(), op.n_records() as u64),
                Instruction::Repeat(repeat) => {
                    let body = &repeat.body.counts;
                    ("REPEAT", body.reach, body.measurements.saturating_mul(repeat.count))
                }
            };
            if reach > before {
                return Err(Error::CircuitInstruction {
                    instruction: index,
                    gate,
                    found: format!("a record {reach} back"),
                    expected: format!("at most {before} back, the records there are"),
                });
            }
            before = before.saturating_add(records);
        }
        Ok(())
    }

    fn error(&self, gate: &'static str, found: String, expected: String) -> Error {
        Error::CircuitInstruction { instruction: self.instructions.len(), gate, found, expected }
    }
}

impl Counts {
    fn add(&mut self, operation: &Operation) {
        self.reach = self.reach.max(operation.reach().saturating_sub(self.measurements));
        for &target in &operation.targets {
            match target {
                // The bits of a pad are no qubits.
                Target::Qubit { .. } if operation.gate == Gate::Mpad => {}
                Target::Qubit { qubit, .. } | Target::Pauli { qubit, .. } => self.qubits = self.qubits.max(qubit + 1),
                Target::Sweep(bit) => self.sweep_bits = self.sweep_bits.max(bit + 1),
                Target::Record(_) | Target::Combiner => {}
            }
        }
        self.measurements = self.measurements.saturating_add(operation.n_records() as u64);
        self.operations = self.operations.saturating_add(1);
        match operation.gate {
            Gate::Detector => self.detectors = self.detectors.saturating_add(1),
            Gate::Tick => self.ticks = self.ticks.saturating_add(1),
            _ => {}
        }
        if let Some(observable) = operation.observable() {
            self.observables = self.observables.max(observable + 1);
        }
    }

    fn repeat(&mut self, count: u64, body: &Self) {
        // The first repetition has the fewest records before it.
        self.reach = self.reach.max(body.reach.saturating_sub(self.measurements));
        self.qubits = self.qubits.max(body.qubits);
        self.sweep_bits = self.sweep_bits.max(body.sweep_bits);
        self.observables = self.observables.max(body.observables);
        self.depth = self.depth.max(body.depth + 1);
        for (sum, each) in [
            (&mut self.measurements, body.measurements),
            (&mut self.detectors, body.detectors),
            (&mut self.ticks, body.ticks),
            (&mut self.operations, body.operations),
        ] {
            *sum = sum.saturating_add(each.saturating_mul(count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pauli::Pauli;

    #[test]
    fn bad_operations_leave_the_circuit_as_it_was() {
        let mut circuit: Circuit = "H 0".parse().unwrap();
        let before = circuit.clone();
        let pauli = Target::pauli;
        for (operation, message) in [
            (
                Operation::on_qubits(Gate::XError, vec![f64::NAN], [0]),
                "instruction 1, X_ERROR: found NaN as argument 0, expected a probability from 0 to 1",
            ),
            (
                Operation::on_qubits(Gate::Cx, vec![], [0, 1, 2]),
                "instruction 1, CX: found 3 targets, expected another one: CX takes pairs",
            ),
            (
                Operation::on_qubits(Gate::H, vec![], [1 << 24]),
                "instruction 1, H: found \"16777216\" as target 0, expected a number from 0, below 16777216",
            ),
            (
                Operation::new(Gate::Mpp, vec![], vec![pauli(Pauli::I, 0)]),
                "instruction 1, MPP: found \"I0\" as target 0, expected X, Y or Z",
            ),
            (
                Operation::new(Gate::Detector, vec![f64::INFINITY], vec![]),
                "instruction 1, DETECTOR: found inf as argument 0, expected a finite number",
            ),
            (
                Operation::new(Gate::Detector, vec![], vec![Target::Record(0)]),
                "instruction 1, DETECTOR: found \"rec[-0]\" as target 0, expected a number from 1, below 16777216",
            ),
        ] {
            assert_eq!(circuit.push_operation(operation).unwrap_err().to_string(), message);
            assert_eq!(circuit, before);
        }
        let empty = Repeat { count: 0, tag: String::new(), body: Circuit::new() };
        assert_eq!(
            circuit.push_repeat(empty).unwrap_err().to_string(),
            "instruction 1, REPEAT: found 0 repetitions, expected at least one"
        );
        let mut deep = Circuit::new();
        for _ in 0..DEPTH_BOUND {
            let mut outer = Circuit::new();
            outer.push_repeat(Repeat { count: 1, tag: String::new(), body: deep }).unwrap();
            deep = outer;
        }
        assert!(circuit.push_repeat(Repeat { count: 1, tag: String::new(), body: deep }).is_err());
        assert_eq!(circuit, before);
    }

    #[test]
    fn records_before_the_beginning() {
        let mut body = Circuit::new();
        body.push_operation(Operation::on_qubits(Gate::M, vec![], [0])).unwrap();
        body.push_operation(Operation::new(Gate::Detector, vec![], vec![Target::Record(3)])).unwrap();
        assert_eq!(body.counts().reach, 2);
        let mut circuit = Circuit::new();
        circuit.push_operation(Operation::on_qubits(Gate::M, vec![], [0])).unwrap();
        circuit.push_repeat(Repeat { count: 5, tag: String::new(), body }).unwrap();
        assert_eq!(
            circuit.check_records().unwrap_err().to_string(),
            "instruction 1, REPEAT: found a record 2 back, expected at most 1 back, the records there are"
        );
    }

    #[test]
    fn lines_are_joined_where_they_mean_the_same() {
        let mut circuit = Circuit::new();
        for qubit in 0..3 {
            circuit.append(Operation::on_qubits(Gate::H, vec![], [qubit])).unwrap();
        }
        circuit.append(Operation::on_qubits(Gate::M, vec![0.1], [0])).unwrap();
        circuit.append(Operation::on_qubits(Gate::M, vec![0.1], [1])).unwrap();
        circuit.append(Operation::on_qubits(Gate::M, vec![0.2], [1])).unwrap();
        for _ in 0..2 {
            circuit.append(Operation::new(Gate::Tick, vec![], vec![])).unwrap();
        }
        assert_eq!(circuit.to_string(), "H 0 1 2\nM(0.1) 0 1\nM(0.2) 1\nTICK\nTICK\n");
        assert_eq!(circuit, circuit.to_string().parse().unwrap());
    }

    #[test]
    fn counts_need_no_unrolling() {
        let circuit: Circuit = "MPAD 1\nREPEAT 1000000000000 {\nREPEAT 1000000 {\nM 0\nDETECTOR rec[-1]\n}\nTICK\n}\n\
                                CX sweep[4] 7\nOBSERVABLE_INCLUDE(3) X12"
            .parse()
            .unwrap();
        let counts = circuit.counts();
        assert_eq!((counts.qubits, counts.sweep_bits, counts.observables, counts.depth), (13, 5, 4, 2));
        assert_eq!(
            (counts.measurements, counts.detectors, counts.ticks),
            (10u64.pow(18) + 1, 10u64.pow(18), 10u64.pow(12))
        );
        let huge: Circuit = "REPEAT 1000000000000000 {\nREPEAT 1000000000000000 {\nMXX 0 1 2 3\n}\n}".parse().unwrap();
        assert_eq!(huge.counts().measurements, u64::MAX);
    }
}
