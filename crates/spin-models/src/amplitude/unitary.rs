//! Unitary matrices of one and two qubits.

use linalg_core::num_complex::Complex64;

use crate::{Error, Result};

/// Largest modulus of an entry of `U†U - 1` that is taken for rounding.
const TOLERANCE: f64 = 1e-9;

/// A unitary matrix of one or two qubits, checked.
///
/// ```
/// use spin_models::Error;
/// use spin_models::amplitude::{Complex64, Unitary};
///
/// let i = Complex64::i();
/// let y = Unitary::new(&[0.0.into(), -i, i, 0.0.into()])?;
/// assert_eq!(y.n_qubits(), 1);
/// // Twice the identity: U†U - 1 is 3 on the diagonal.
/// let two = Complex64::new(2.0, 0.0);
/// let refused = Unitary::new(&[two, 0.0.into(), 0.0.into(), two]);
/// assert!(matches!(refused, Err(Error::NotUnitary { deviation: 3.0, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Unitary {
    n_qubits: usize,
    entries: Vec<Complex64>,
}

impl Unitary {
    /// A matrix from its entries row by row: 4 of them for one qubit, 16 for two.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of entries, [`Error::NotUnitary`] with the deviation.
    pub fn new(entries: &[Complex64]) -> Result<Self> {
        let n_qubits = match entries.len() {
            4 => 1,
            16 => 2,
            got => {
                return Err(Error::WrongLength { what: "entries of a unitary of one or two qubits", got, expected: 4 });
            }
        };
        let deviation = deviation(entries, 1 << n_qubits);
        // NaN fails, too.
        if deviation <= TOLERANCE {
            Ok(Self { n_qubits, entries: entries.to_vec() })
        } else {
            Err(Error::NotUnitary { n_qubits, deviation, tolerance: TOLERANCE })
        }
    }

    /// A matrix that is unitary by its making.
    pub(super) fn trusted(entries: Vec<Complex64>) -> Self {
        debug_assert!(matches!(entries.len(), 4 | 16));
        Self { n_qubits: if entries.len() == 4 { 1 } else { 2 }, entries }
    }

    /// The adjoint, which is the inverse.
    pub fn adjoint(&self) -> Self {
        let dim = 1 << self.n_qubits;
        Self::trusted((0..dim * dim).map(|k| self.entries[k % dim * dim + k / dim].conj()).collect())
    }

    /// 1 or 2.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// The entries row by row.
    pub fn entries(&self) -> &[Complex64] {
        &self.entries
    }
}

/// Largest modulus of an entry of `U†U - 1`, NaN where that is not a number.
fn deviation(entries: &[Complex64], dim: usize) -> f64 {
    let mut largest = 0.0;
    for i in 0..dim {
        for j in 0..dim {
            let product: Complex64 = (0..dim).map(|k| entries[k * dim + i].conj() * entries[k * dim + j]).sum();
            let size = (product - if i == j { 1.0 } else { 0.0 }).norm();
            if size.is_nan() {
                return f64::NAN;
            }
            largest = size.max(largest);
        }
    }
    largest
}

/// `A B` for square matrices row by row.
pub(super) fn product(a: &[Complex64], b: &[Complex64], dim: usize) -> Vec<Complex64> {
    let entry = |k: usize| (0..dim).map(|l| a[k / dim * dim + l] * b[l * dim + k % dim]).sum();
    (0..dim * dim).map(entry).collect()
}

/// `A ⊗ B` for two matrices of one qubit.
pub(super) fn kronecker(a: &[Complex64], b: &[Complex64]) -> Vec<Complex64> {
    let entry = |k: usize| {
        let (row, col) = (k / 4, k % 4);
        a[row / 2 * 2 + col / 2] * b[row % 2 * 2 + col % 2]
    };
    (0..16).map(entry).collect()
}

/// A matrix of two qubits with the qubits in the other order.
pub(super) fn exchanged(entries: &[Complex64]) -> Vec<Complex64> {
    let turn = |x: usize| x % 2 * 2 + x / 2;
    (0..16).map(|k| entries[turn(k / 4) * 4 + turn(k % 4)]).collect()
}
