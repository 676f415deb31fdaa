//! All amplitudes of a circuit.

use linalg_core::Observer;
use linalg_core::num_complex::Complex64;
use rand::{Rng, RngExt};

use super::circuit::Circuit;
use crate::model::Progress;
use crate::{Error, Result};

/// The state after a circuit: $`2^n`$ amplitudes.
///
/// Gates are applied one after another, $`2^n`$ operations each; 16 bytes an amplitude, at most 1 GiB: 26 qubits.
///
/// ```
/// use spin_models::Error;
/// use spin_models::amplitude::{Circuit, Gate, StateVector};
///
/// // Uniform over four bitstrings, then a sign for 11.
/// let circuit = Circuit::new(2)?.with(Gate::H, &[0])?.with(Gate::H, &[1])?.with(Gate::Cz, &[0, 1])?;
/// let state = StateVector::run(&circuit)?;
/// let signs: Vec<f64> = state.amplitudes().iter().map(|a| 2.0 * a.re).collect();
/// assert!(signs.iter().zip([1.0, 1.0, 1.0, -1.0]).all(|(a, b)| (a - b).abs() < 1e-15));
/// // 30 qubits need 16 GiB.
/// let refused = StateVector::run(&Circuit::new(30)?);
/// assert!(matches!(refused, Err(Error::MemoryBudget { least, .. }) if least == 16.0 * 2f64.powi(30)));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct StateVector {
    n_qubits: usize,
    amplitudes: Vec<Complex64>,
}

impl StateVector {
    /// Most qubits.
    pub const MAX_QUBITS: usize = 26;

    /// The state after a circuit.
    ///
    /// # Errors
    /// [`Error::MemoryBudget`] for more than [`MAX_QUBITS`](Self::MAX_QUBITS) qubits, with the bytes they would need.
    pub fn run(circuit: &Circuit) -> Result<Self> {
        Self::run_observed(circuit, &mut ())
    }

    /// The same with a report after each gate and the possibility to stop.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::Stopped`].
    pub fn run_observed(circuit: &Circuit, observer: &mut dyn Observer<Progress>) -> Result<Self> {
        let n = circuit.n_qubits();
        let entry = size_of::<Complex64>();
        if n > Self::MAX_QUBITS {
            let least = entry as f64 * 2f64.powf(n as f64);
            return Err(Error::MemoryBudget { what: "the state vector", least, budget: entry << Self::MAX_QUBITS });
        }
        let mut amplitudes = vec![Complex64::ZERO; 1 << n];
        amplitudes[0] = Complex64::ONE;
        let total = circuit.operations().len() as u64;
        for (operation, done) in circuit.operations().iter().zip(1..) {
            let matrix = operation.gate().matrix();
            match *operation.qubits() {
                [q] => apply_one(&mut amplitudes, &matrix, q),
                [a, b] => apply_two(&mut amplitudes, &matrix, a, b),
                _ => unreachable!("gates have one or two qubits"),
            }
            if observer.observe(&Progress::new("gates", done, total)).is_break() {
                return Err(Error::Stopped { solver: "state vector", done, total });
            }
        }
        Ok(Self { n_qubits: n, amplitudes })
    }

    /// Number of qubits.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// All amplitudes; qubit q is the bit $`2^q`$ of the index.
    pub fn amplitudes(&self) -> &[Complex64] {
        &self.amplitudes
    }

    /// The amplitude of a bitstring.
    ///
    /// # Panics
    /// If there are not as many bits as qubits.
    pub fn amplitude(&self, bits: &[bool]) -> Complex64 {
        assert_eq!(bits.len(), self.n_qubits, "{} bits for {} qubits", bits.len(), self.n_qubits);
        self.amplitudes[bits.iter().rev().fold(0, |index, &bit| 2 * index + usize::from(bit))]
    }

    /// The probability of a bitstring.
    ///
    /// # Panics
    /// If there are not as many bits as qubits.
    pub fn probability(&self, bits: &[bool]) -> f64 {
        self.amplitude(bits).norm_sqr()
    }

    /// The sum of all probabilities, 1 up to rounding.
    pub fn norm_squared(&self) -> f64 {
        self.amplitudes.iter().map(|amplitude| amplitude.norm_sqr()).sum()
    }

    /// $`2^n \sum_x p(x)^2 - 1`$, the linear cross entropy of the circuit's own bitstrings: 1 for random states of many
    /// qubits, 0 for the uniform distribution.
    pub fn self_cross_entropy(&self) -> f64 {
        let squares: f64 = self.amplitudes.iter().map(|amplitude| amplitude.norm_sqr().powi(2)).sum();
        self.amplitudes.len() as f64 * squares - 1.0
    }

    /// Indices of bitstrings drawn from the state, independent and in the order of drawing.
    ///
    /// One pass over the state and a sort of `count` numbers.
    pub fn sample<R: Rng + ?Sized>(&self, count: usize, rng: &mut R) -> Vec<usize> {
        let norm = self.norm_squared();
        let mut draws: Vec<(f64, usize)> = (0..count).map(|k| (rng.random::<f64>() * norm, k)).collect();
        draws.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut samples = vec![0; count];
        let (mut index, mut below) = (0, self.amplitudes[0].norm_sqr());
        for (draw, k) in draws {
            // Rounding must not lead to a bitstring that cannot occur.
            while draw >= below && index + 1 < self.amplitudes.len() {
                index += 1;
                below += self.amplitudes[index].norm_sqr();
            }
            samples[k] = index;
        }
        samples
    }
}

fn apply_one(amplitudes: &mut [Complex64], matrix: &[Complex64], qubit: usize) {
    let &[a, b, c, d] = matrix else { unreachable!("4 entries") };
    for pair in amplitudes.chunks_exact_mut(2 << qubit) {
        let (low, high) = pair.split_at_mut(1 << qubit);
        for (x, y) in low.iter_mut().zip(high) {
            (*x, *y) = (a * *x + b * *y, c * *x + d * *y);
        }
    }
}

/// The first qubit is the first digit of rows and columns.
fn apply_two(amplitudes: &mut [Complex64], matrix: &[Complex64], first: usize, second: usize) {
    let (low, high) = (first.min(second), first.max(second));
    // Positions of 00, 01, 10, 11 in a block of the higher qubit.
    let offsets = [0, 1usize << second, 1 << first, (1 << first) + (1 << second)];
    for block in amplitudes.chunks_exact_mut(2 << high) {
        for middle in (0..1 << high).step_by(2 << low) {
            for k in middle..middle + (1 << low) {
                let old = offsets.map(|offset| block[k + offset]);
                for (row, offset) in matrix.chunks_exact(4).zip(offsets) {
                    block[k + offset] = row[0] * old[0] + row[1] * old[1] + row[2] * old[2] + row[3] * old[3];
                }
            }
        }
    }
}
