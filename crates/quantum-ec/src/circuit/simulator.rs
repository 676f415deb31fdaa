//! Stabilizer states of circuits, and records of runs without noise.

use linalg_core::gf2::BitVec;
use linalg_core::rand::Rng;

use super::gate::{Gate, Kind};
use super::model::{Circuit, Instruction, Repeat};
use super::operation::Operation;
use super::program::controlled_pauli;
use super::tableau::{Image, Stabilizer, Tableau};
use super::target::Target;
use crate::error::{Error, Result};
use crate::pauli::Pauli;

/// Most qubits of a tableau: 4 GiB of words.
const MAX_QUBITS: usize = 1 << 16;
/// Most records, and most operations, of a circuit that is run through once.
const MAX_STEPS: u64 = 1 << 34;

/// A stabilizer state $`U|0\rangle`$ as the images $`U^\dagger X_q U`$ and $`U^\dagger Z_q U`$.
///
/// A measurement is certain if the image of what is measured has no X, and its sign is the result: one row of words.
/// Uncertain ones, several in turn as a rule, work on the transposed tableau. The inverse tableau and its transposition are those
/// of Gidney, Quantum 5, 497 (2021), the stabilizer formalism that of Aaronson and Gottesman, Phys. Rev. A 70, 052328 (2004).
///
/// ```
/// use quantum_ec::circuit::{Gate, Operation, StabilizerSimulator};
///
/// let mut simulator = StabilizerSimulator::new(2)?;
/// simulator.run(&Operation::on_qubits(Gate::H, vec![], [0]), || false);
/// simulator.run(&Operation::on_qubits(Gate::Cx, vec![], [0, 1]), || false);
/// // The first outcome is chosen, the second follows from it.
/// simulator.run(&Operation::on_qubits(Gate::M, vec![], [0, 1]), || true);
/// assert_eq!(simulator.records().to_string(), "11");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StabilizerSimulator {
    tableau: Tableau,
    records: BitVec,
    image: Image,
}

impl StabilizerSimulator {
    /// All qubits in the state +1 of Z.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond 2¹⁶ qubits.
    pub fn new(n_qubits: usize) -> Result<Self> {
        if n_qubits > MAX_QUBITS {
            let (method, what) = ("stabilizer simulation", "number of qubits");
            return Err(Error::TooLarge { method, what, value: n_qubits, bound: MAX_QUBITS });
        }
        Ok(Self { tableau: Tableau::new(n_qubits), records: BitVec::new(), image: Image::default() })
    }

    /// What has been measured so far.
    pub fn records(&self) -> &BitVec {
        &self.records
    }

    /// Does one operation of a circuit; noise is left out, heralds and sweep bits are 0.
    ///
    /// `outcome` is asked for the eigenvalue, true for -1, of every measurement whose result is not certain; the record has
    /// the inversions of its targets on top. One word operation per 64 qubits for a gate, that many times the factors of what is
    /// measured for an uncertain measurement; the square of it where a gate comes after one.
    ///
    /// # Panics
    /// If there is no such qubit or record.
    pub fn run(&mut self, operation: &Operation, mut outcome: impl FnMut() -> bool) {
        match operation.gate.kind() {
            Kind::Unitary(clifford) => {
                let inverse = clifford.inverse();
                if clifford.n_qubits() == 1 {
                    for target in &operation.targets {
                        self.tableau.unitary(inverse.images(), &[qubit(*target)]);
                    }
                } else {
                    for (a, b) in operation.pairs() {
                        match (a.qubit_number(), b.qubit_number()) {
                            (Some(a), Some(b)) => self.tableau.unitary(inverse.images(), &[a as usize, b as usize]),
                            (Some(q), None) => self.feedback(operation.gate, q as usize, b),
                            (None, Some(q)) => self.feedback(operation.gate, q as usize, a),
                            (None, None) => {}
                        }
                    }
                }
            }
            Kind::RotateProduct => {
                for product in operation.products() {
                    self.tableau.rotate(&product.factors, product.negative ^ (operation.gate == Gate::SppDag));
                }
            }
            Kind::Measure(basis) | Kind::MeasureReset(basis) | Kind::Reset(basis) => {
                for &target in &operation.targets {
                    let q = qubit(target);
                    let result = self.measure(&[(q as u32, basis)], &mut outcome);
                    if operation.gate.is_recorded() {
                        self.records.push(result ^ target.is_inverted());
                    }
                    if result && !matches!(operation.gate.kind(), Kind::Measure(_)) {
                        self.tableau.pauli(if basis == Pauli::X { Pauli::Z } else { Pauli::X }, q);
                    }
                }
            }
            Kind::MeasurePair(basis) => {
                for (a, b) in operation.pairs() {
                    let factors = [(qubit(a) as u32, basis), (qubit(b) as u32, basis)];
                    let result = self.measure(&factors, &mut outcome);
                    self.records.push(result ^ a.is_inverted() ^ b.is_inverted());
                }
            }
            Kind::MeasureProduct => {
                for product in operation.products() {
                    let result = self.measure(&product.factors, &mut outcome);
                    self.records.push(result ^ product.negative);
                }
            }
            Kind::Pad => operation.targets.iter().for_each(|&target| self.records.push(qubit(target) == 1)),
            Kind::Noise => (0..operation.n_records()).for_each(|_| self.records.push(false)),
            Kind::Annotation => {}
        }
    }

    fn feedback(&mut self, gate: Gate, q: usize, control: Target) {
        let Target::Record(back) = control else { return };
        if self.records.get(self.records.len() - back as usize) {
            self.tableau.pauli(controlled_pauli(gate), q);
        }
    }

    fn measure(&mut self, factors: &[(u32, Pauli)], outcome: &mut impl FnMut() -> bool) -> bool {
        self.tableau.image(factors.iter().copied(), &mut self.image);
        if self.image.is_certain() {
            return self.image.negative;
        }
        let result = outcome();
        self.tableau.collapse(&self.image, result);
        result
    }
}

fn qubit(target: Target) -> usize {
    target.qubit_number().expect("a qubit, as the circuit has checked") as usize
}

impl Circuit {
    /// The records of a run without noise in which everything uncertain is +1 (before the inversions of targets).
    ///
    /// Sweep bits are 0. Repetitions of a block are run through until the state, and the records that the block looks back to,
    /// are those of an earlier repetition: from then on the records repeat themselves.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    ///
    /// let circuit: Circuit = "H 0\nCX 0 1\nX 1\nM 0 1 !1".parse()?;
    /// assert_eq!(circuit.reference_sample()?.iter().collect::<Vec<_>>(), [false, true, false]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond 2¹⁶ qubits, 2³⁴ records or 2³⁴ operations, [`Error::CircuitInstruction`] for records before the beginning.
    pub fn reference_sample(&self) -> Result<BitVec> {
        stabilizer_run(self, true, || false)
    }

    /// The records of a run without noise, everything uncertain drawn.
    ///
    /// # Errors
    /// As [`reference_sample`](Self::reference_sample).
    pub fn noiseless_sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<BitVec> {
        stabilizer_run(self, false, || rng.next_u64() >> 63 == 1)
    }
}

/// The records of a run; blocks may be folded if outcomes depend on nothing but the state.
fn stabilizer_run(circuit: &Circuit, fold: bool, outcome: impl FnMut() -> bool) -> Result<BitVec> {
    circuit.check_records()?;
    let counts = circuit.counts();
    for (what, value) in [("number of records", counts.measurements), ("number of operations", counts.operations)] {
        if value > MAX_STEPS {
            let value = usize::try_from(value).unwrap_or(usize::MAX);
            return Err(Error::TooLarge { method: "stabilizer simulation", what, value, bound: MAX_STEPS as usize });
        }
    }
    let mut run = Run { simulator: StabilizerSimulator::new(counts.qubits as usize)?, outcome, fold };
    run.instructions(circuit.instructions());
    Ok(run.simulator.records)
}

struct Run<F> {
    simulator: StabilizerSimulator,
    outcome: F,
    fold: bool,
}

/// A state that was met between repetitions.
struct Mark {
    stabilizers: Vec<Stabilizer>,
    /// Records before it.
    records: usize,
}

impl<F: FnMut() -> bool> Run<F> {
    fn instructions(&mut self, list: &[Instruction]) {
        for instruction in list {
            match instruction {
                Instruction::Operation(operation) => self.simulator.run(operation, &mut self.outcome),
                Instruction::Repeat(repeat) if repeat.body.counts().operations == 0 => {}
                Instruction::Repeat(repeat) => self.repeat(repeat),
            }
        }
    }

    fn repeat(&mut self, repeat: &Repeat) {
        let mut left = repeat.count;
        // To compare states takes a row for every factor, like a gate.
        let work = 4 * work(&repeat.body);
        // Brent's search for a period: the mark moves at powers of two.
        let mut mark: Option<Mark> = None;
        let (mut since_mark, mut power) = (0u64, 1u64);
        let mut searching = self.fold && left > 2;
        while left > 0 {
            if searching {
                if let Some(mark) = mark.as_ref().filter(|_| since_mark > 0)
                    && self.returns(mark, repeat.body.counts().reach as usize)
                {
                    searching = false;
                    let records = &mut self.simulator.records;
                    let period = mark.records..records.len();
                    for _ in 0..left / since_mark {
                        for at in period.clone() {
                            let bit = records.get(at);
                            records.push(bit);
                        }
                    }
                    left %= since_mark;
                    continue;
                }
                if mark.is_none() || since_mark == power {
                    mark = self.mark(work);
                    searching = mark.is_some();
                    power *= 2;
                    since_mark = 0;
                }
                since_mark += 1;
            }
            self.instructions(repeat.body.instructions());
            left -= 1;
        }
    }

    fn mark(&mut self, work: usize) -> Option<Mark> {
        let stabilizers = self.simulator.tableau.stabilizers(work)?;
        Some(Mark { stabilizers, records: self.simulator.records.len() })
    }

    /// Whether all that follows is what followed after the mark.
    fn returns(&mut self, mark: &Mark, reach: usize) -> bool {
        let records = &self.simulator.records;
        let (then, now) = (mark.records, records.len());
        (1..=reach.min(then)).all(|back| records.get(then - back) == records.get(now - back))
            && self.simulator.tableau.is_stabilized_by(&mark.stabilizers)
    }
}

/// Targets of all operations, blocks once.
fn work(circuit: &Circuit) -> usize {
    let instructions = circuit.instructions().iter().map(|instruction| match instruction {
        Instruction::Operation(operation) => operation.targets.len(),
        Instruction::Repeat(repeat) => work(&repeat.body),
    });
    instructions.sum()
}
