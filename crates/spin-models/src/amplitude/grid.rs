//! Random circuits on a grid.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_6};

use rand::{Rng, RngExt};

use super::circuit::Circuit;
use super::gate::Gate;
use crate::{Error, Result};

/// The gate of two qubits of a random circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Entangler {
    /// fSim; θ = π/2 and φ = π/6 by [`Default`].
    FSim {
        /// θ.
        theta: f64,
        /// φ.
        phi: f64,
    },
    /// CZ.
    Cz,
}

impl Default for Entangler {
    fn default() -> Self {
        Self::FSim { theta: FRAC_PI_2, phi: FRAC_PI_6 }
    }
}

/// Random circuits on a grid of qubits, in the manner of the Sycamore experiment.
///
/// Each cycle has a gate √X, √Y or √W on every qubit, drawn at random but never the same twice in a row on a qubit, and then
/// gates of two qubits on a quarter of the edges. The quarters come in the order A B C D C D A B: A and B are the edges downwards
/// from sites with even and odd row + column, D and C those to the right. After the last cycle there is one more round of
/// gates on single qubits. Qubit `row * cols + col` is at that place.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::amplitude::{Entangler, RandomGrid};
///
/// // 24 edges on 4 x 4 qubits, each twice in eight cycles; nine rounds of gates on single qubits.
/// let circuit = RandomGrid::new(4, 4, 8)?.with_entangler(Entangler::Cz).circuit(&mut Streams::new(1).stream(0))?;
/// assert_eq!(circuit.n_two_qubit_gates(), 48);
/// assert_eq!(circuit.operations().len(), 48 + 9 * 16);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: F. Arute et al., Nature 574, 505 (2019).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RandomGrid {
    rows: usize,
    cols: usize,
    cycles: usize,
    entangler: Entangler,
}

/// The order of the quarters of edges.
const ORDER: [Quarter; 8] = [A, B, C, D, C, D, A, B];

/// Whether edges go downwards, and the parity of row + column of the site they start from.
type Quarter = (bool, usize);
const A: Quarter = (true, 0);
const B: Quarter = (true, 1);
const C: Quarter = (false, 1);
const D: Quarter = (false, 0);

impl RandomGrid {
    /// Circuits of so many cycles on `rows` x `cols` qubits, with fSim(π/2, π/6).
    ///
    /// # Errors
    /// [`Error::Parameter`] for no rows or columns, [`Error::TooLarge`] for more than
    /// [`Circuit::MAX_QUBITS`] qubits, a million cycles or 2²⁶ gates on single qubits.
    pub fn new(rows: usize, cols: usize, cycles: usize) -> Result<Self> {
        for (what, value) in [("rows", rows), ("columns", cols)] {
            if value == 0 {
                return Err(Error::Parameter { what, value: "0".into(), expected: "at least 1" });
            }
        }
        let solver = "random circuit";
        let n = rows.saturating_mul(cols);
        if n > Circuit::MAX_QUBITS {
            return Err(Error::TooLarge { solver, what: "number of qubits", value: n, bound: Circuit::MAX_QUBITS });
        }
        let bound = 1_000_000;
        if cycles > bound {
            return Err(Error::TooLarge { solver, what: "number of cycles", value: cycles, bound });
        }
        let (gates, bound) = (n.saturating_mul(cycles + 1), 1 << 26);
        if gates > bound {
            return Err(Error::TooLarge { solver, what: "number of gates on single qubits", value: gates, bound });
        }
        Ok(Self { rows, cols, cycles, entangler: Entangler::default() })
    }

    /// The same with another gate of two qubits.
    pub fn with_entangler(mut self, entangler: Entangler) -> Self {
        self.entangler = entangler;
        self
    }

    /// Number of qubits.
    pub fn n_qubits(&self) -> usize {
        self.rows * self.cols
    }

    /// The pairs of qubits that meet in a cycle.
    pub fn pairs(&self, cycle: usize) -> Vec<[usize; 2]> {
        let (down, parity) = ORDER[cycle % ORDER.len()];
        let last = |row: usize, col: usize| if down { row + 1 == self.rows } else { col + 1 == self.cols };
        let step = if down { self.cols } else { 1 };
        let sites = (0..self.rows).flat_map(|row| (0..self.cols).map(move |col| (row, col)));
        sites
            .filter(|&(row, col)| (row + col) % 2 == parity && !last(row, col))
            .map(|(row, col)| [row * self.cols + col, row * self.cols + col + step])
            .collect()
    }

    /// Draws a circuit.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an angle of fSim that is not finite.
    pub fn circuit<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<Circuit> {
        let n = self.n_qubits();
        let mut circuit = Circuit::new(n)?;
        let mut last: Vec<Option<u32>> = vec![None; n];
        for cycle in 0..=self.cycles {
            for (qubit, last) in last.iter_mut().enumerate() {
                // Of three roots the two others than the last.
                let drawn = match *last {
                    None => rng.random_range(0..3u32),
                    Some(last) => (last + 1 + rng.random_range(0..2u32)) % 3,
                };
                *last = Some(drawn);
                let gate = [Gate::SqrtX, Gate::SqrtY, Gate::SqrtW][drawn as usize].clone();
                circuit.push(gate, &[qubit])?;
            }
            if cycle == self.cycles {
                break;
            }
            for pair in self.pairs(cycle) {
                let gate = match self.entangler {
                    Entangler::FSim { theta, phi } => Gate::FSim { theta, phi },
                    Entangler::Cz => Gate::Cz,
                };
                circuit.push(gate, &pair)?;
            }
        }
        Ok(circuit)
    }
}
