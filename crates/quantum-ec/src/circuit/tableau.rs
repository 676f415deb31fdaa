//! Stabilizer states by their inverse tableau.

use linalg_core::gf2::BitVec;
use linalg_core::rand::Rng;

use super::clifford::SignedPair;
use super::gate::{Gate, Kind};
use super::model::Circuit;
use super::operation::{Operation, Product};
use super::program::controlled_pauli;
use super::target::Target;
use crate::error::{Error, Result};
use crate::pauli::Pauli;

/// Most qubits of a tableau: 2 GiB of words.
const MAX_QUBITS: usize = 1 << 16;
/// Most records, and most operations, of a circuit that is run through once.
const MAX_STEPS: u64 = 1 << 34;

/// A Pauli operator on all qubits: `sign · Π i^{xz} X^x Z^z`.
#[derive(Debug, Clone)]
struct Row {
    x: Vec<u64>,
    z: Vec<u64>,
    negative: bool,
}

impl Row {
    fn identity(words: usize) -> Self {
        Self { x: vec![0; words], z: vec![0; words], negative: false }
    }

    /// Multiplies from the right; the power of i, modulo 4, that comes out beside the sign.
    fn times(&mut self, other: &Self) -> u32 {
        let mut power = 0u32;
        for ((x, z), (&a, &b)) in self.x.iter_mut().zip(&mut self.z).zip(other.x.iter().zip(&other.z)) {
            // Z of the left factor passes X of the right one; Y is i X Z before and after.
            let before = (*x & *z).count_ones() + (a & b).count_ones() + 2 * (*z & a).count_ones();
            *x ^= a;
            *z ^= b;
            power = power.wrapping_add(before).wrapping_sub((*x & *z).count_ones());
        }
        self.negative ^= other.negative;
        power % 4
    }
}

/// A stabilizer state $`U|0\rangle`$ as the images $`U^\dagger X_q U`$ and $`U^\dagger Z_q U`$.
///
/// A measurement is certain if the image of what is measured has no X, and its sign is the result: one row of words. The
/// inverse tableau is that of Gidney, Quantum 5, 497 (2021), the stabilizer formalism that of Aaronson and Gottesman, Phys.
/// Rev. A 70, 052328 (2004).
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
    n_qubits: usize,
    /// X and Z of every qubit in turn.
    rows: Vec<Row>,
    records: BitVec,
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
        let words = n_qubits.div_ceil(64);
        let mut rows = vec![Row::identity(words); 2 * n_qubits];
        for q in 0..n_qubits {
            rows[2 * q].x[q / 64] |= 1 << (q % 64);
            rows[2 * q + 1].z[q / 64] |= 1 << (q % 64);
        }
        Ok(Self { n_qubits, rows, records: BitVec::new() })
    }

    /// What has been measured so far.
    pub fn records(&self) -> &BitVec {
        &self.records
    }

    /// Does one operation of a circuit; noise is left out, heralds and sweep bits are 0.
    ///
    /// `outcome` is asked for the eigenvalue, true for -1, of every measurement whose result is not certain; the record has
    /// the inversions of its targets on top. One word operation per 64 qubits for a gate, the square of that for an uncertain
    /// measurement.
    ///
    /// # Panics
    /// If there is no such qubit or record.
    pub fn run(&mut self, operation: &Operation, mut outcome: impl FnMut() -> bool) {
        match operation.gate.kind() {
            Kind::Unitary(clifford) => {
                let inverse = clifford.inverse();
                if clifford.n_qubits() == 1 {
                    for target in &operation.targets {
                        self.unitary(inverse.images(), &[qubit(*target)]);
                    }
                } else {
                    for (a, b) in operation.pairs() {
                        match (a.qubit_number(), b.qubit_number()) {
                            (Some(a), Some(b)) => self.unitary(inverse.images(), &[a as usize, b as usize]),
                            (Some(q), None) => self.feedback(operation.gate, q as usize, b),
                            (None, Some(q)) => self.feedback(operation.gate, q as usize, a),
                            (None, None) => {}
                        }
                    }
                }
            }
            Kind::RotateProduct => {
                for product in operation.products() {
                    self.rotate(&product, operation.gate == Gate::SppDag);
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
                        self.pauli(if basis == Pauli::X { Pauli::Z } else { Pauli::X }, q);
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

    /// The images of generators become products of what they were; those that stay are not touched.
    fn unitary(&mut self, images: &[SignedPair], qubits: &[usize]) {
        let mut new: [Option<Row>; 4] = [const { None }; 4];
        for (k, image) in images.iter().enumerate() {
            let mut same = [Pauli::I; 2];
            same[k / 2] = [Pauli::X, Pauli::Z][k % 2];
            if image.paulis != same {
                new[k] = Some(self.image(qubits.iter().zip(image.paulis).map(|(&q, pauli)| (q as u32, pauli))));
            }
        }
        // Only now: images are products of the old ones.
        for (k, (image, row)) in images.iter().zip(new).enumerate() {
            let old = &mut self.rows[2 * qubits[k / 2] + k % 2];
            if let Some(row) = row {
                *old = row;
            }
            old.negative ^= image.negative;
        }
    }

    /// The image of a product of matrices on different qubits.
    fn image(&self, factors: impl Iterator<Item = (u32, Pauli)>) -> Row {
        let mut row = Row::identity(self.n_qubits.div_ceil(64));
        let mut power = 0;
        for (q, pauli) in factors {
            let (x, z) = pauli.bits();
            power += u32::from(x && z);
            for (present, k) in [(x, 0), (z, 1)] {
                if present {
                    power += row.times(&self.rows[2 * q as usize + k]);
                }
            }
        }
        debug_assert!(power.is_multiple_of(2), "the image of a Hermitian operator is one");
        row.negative ^= power & 2 == 2;
        row
    }

    /// A square root of the product: what anticommutes with it gets a factor ± i times the product.
    fn rotate(&mut self, product: &Product, dagger: bool) {
        let mut image = self.image(product.factors.iter().copied());
        image.negative ^= product.negative ^ dagger;
        for &(q, pauli) in &product.factors {
            for (k, generator) in [Pauli::X, Pauli::Z].into_iter().enumerate() {
                if !pauli.commutes_with(generator) {
                    let mut row = image.clone();
                    let power = 1 + row.times(&self.rows[2 * q as usize + k]);
                    row.negative ^= power & 2 == 2;
                    self.rows[2 * q as usize + k] = row;
                }
            }
        }
    }

    fn feedback(&mut self, gate: Gate, q: usize, control: Target) {
        let Target::Record(back) = control else { return };
        if self.records.get(self.records.len() - back as usize) {
            self.pauli(controlled_pauli(gate), q);
        }
    }

    fn pauli(&mut self, pauli: Pauli, q: usize) {
        self.rows[2 * q].negative ^= !pauli.commutes_with(Pauli::X);
        self.rows[2 * q + 1].negative ^= !pauli.commutes_with(Pauli::Z);
    }

    fn measure(&mut self, factors: &[(u32, Pauli)], outcome: &mut impl FnMut() -> bool) -> bool {
        let image = self.image(factors.iter().copied());
        let Some(word) = image.x.iter().position(|&x| x != 0) else { return image.negative };
        let result = outcome();
        let pivot = 64 * word + image.x[word].trailing_zeros() as usize;
        // On the side of |0⟩: CX from the pivot to all other X of the image, which then has one X.
        let mut targets = image.x.clone();
        targets[word] ^= 1 << (pivot % 64);
        let mut measured = image;
        for row in self.rows.iter_mut().chain([&mut measured]) {
            fan_out(row, pivot, &targets);
        }
        // What is measured is now ± X or ± Y of the pivot, with Z of others: these and the turn from Y to X leave |0⟩ alone,
        // too. After H, it is Z of the pivot, and a flip of that qubit makes its sign the result.
        let (at, bit) = (pivot / 64, 1u64 << (pivot % 64));
        let mut others = measured.z.clone();
        others[at] &= !bit;
        let turn = measured.z[at] & bit != 0;
        collapse(&mut measured, pivot, &others, turn);
        let flip = measured.negative != result;
        for row in &mut self.rows {
            collapse(row, pivot, &others, turn);
            row.negative ^= flip && row.z[at] & bit != 0;
        }
        result
    }
}

/// Conjugation by CX from `control` to every bit of `targets`.
fn fan_out(row: &mut Row, control: usize, targets: &[u64]) {
    let (at, bit) = (control / 64, 1u64 << (control % 64));
    let has_x = row.x[at] & bit != 0;
    let before = u32::from(row.z[at] & bit != 0);
    let (mut flips, mut both) = (0, 0);
    for ((x, z), &mask) in row.x.iter_mut().zip(&row.z).zip(targets) {
        flips += (z & mask).count_ones();
        both += (*x & z & mask).count_ones();
        if has_x {
            *x ^= mask;
        }
    }
    if flips % 2 == 1 {
        row.z[at] ^= bit;
    }
    if has_x {
        // One after another: a sign for every target with Z whose X equals the control's Z at that moment.
        let sign = both + flips * (before + 1) + flips * (flips.max(1) - 1) / 2;
        row.negative ^= sign % 2 == 1;
    }
}

/// Conjugation by CZ from the pivot to every bit of `others`, by S on the pivot if `turn`, by H on the pivot.
fn collapse(row: &mut Row, pivot: usize, others: &[u64], turn: bool) {
    let (at, bit) = (pivot / 64, 1u64 << (pivot % 64));
    let (x, z) = (row.x[at] & bit != 0, row.z[at] & bit != 0);
    let (mut crossings, mut both) = (0, 0);
    for ((rx, rz), &mask) in row.x.iter().zip(&mut row.z).zip(others) {
        crossings += (rx & mask).count_ones();
        both += (rx & *rz & mask).count_ones();
        if x {
            *rz ^= mask;
        }
    }
    if x {
        // One after another: a sign for every qubit with X whose Z differs from the pivot's at that moment.
        let sign = both + crossings * u32::from(z) + crossings * (crossings.max(1) - 1) / 2;
        row.negative ^= sign % 2 == 1;
    }
    let mut z = z ^ (crossings % 2 == 1);
    if turn && x {
        // S† X S = -Y, S† Y S = X.
        row.negative ^= !z;
        z = !z;
    }
    row.negative ^= x && z;
    row.x[at] = row.x[at] & !bit | if z { bit } else { 0 };
    row.z[at] = row.z[at] & !bit | if x { bit } else { 0 };
}

fn qubit(target: Target) -> usize {
    target.qubit_number().expect("a qubit, as the circuit has checked") as usize
}

impl Circuit {
    /// The records of a run without noise in which everything uncertain is +1 (before the inversions of targets).
    ///
    /// Sweep bits are 0. Blocks are run through as often as they say.
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
        self.stabilizer_run(|| false)
    }

    /// The records of a run without noise, everything uncertain drawn.
    ///
    /// # Errors
    /// As [`reference_sample`](Self::reference_sample).
    pub fn noiseless_sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<BitVec> {
        self.stabilizer_run(|| rng.next_u64() >> 63 == 1)
    }

    fn stabilizer_run(&self, mut outcome: impl FnMut() -> bool) -> Result<BitVec> {
        self.check_records()?;
        let counts = self.counts();
        for (what, value) in [("number of records", counts.measurements), ("number of operations", counts.operations)] {
            if value > MAX_STEPS {
                let value = usize::try_from(value).unwrap_or(usize::MAX);
                return Err(Error::TooLarge {
                    method: "stabilizer simulation",
                    what,
                    value,
                    bound: MAX_STEPS as usize,
                });
            }
        }
        let mut simulator = StabilizerSimulator::new(counts.qubits as usize)?;
        for flat in self.operations() {
            simulator.run(flat.operation, &mut outcome);
        }
        Ok(simulator.records)
    }
}
