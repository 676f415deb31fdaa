//! Pauli operators: one qubit, many qubits packed in words, and the sparse form.

mod sparse;
mod string;

pub use sparse::SparsePauli;
pub use string::PauliString;

/// A Pauli matrix.
///
/// ```
/// use quantum_ec::pauli::Pauli;
///
/// assert_eq!(Pauli::from_bits(true, true), Pauli::Y);
/// assert_eq!(Pauli::Z.bits(), (false, true));
/// assert!(Pauli::X.commutes_with(Pauli::X) && !Pauli::X.commutes_with(Pauli::Y));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Pauli {
    /// The identity.
    #[default]
    I,
    /// The bit flip.
    X,
    /// `i X Z`: both flips.
    Y,
    /// The phase flip.
    Z,
}

impl Pauli {
    /// The three that are not the identity.
    pub const ERRORS: [Self; 3] = [Self::X, Self::Y, Self::Z];

    /// The Pauli matrix with these symplectic bits.
    pub fn from_bits(x: bool, z: bool) -> Self {
        match (x, z) {
            (false, false) => Self::I,
            (true, false) => Self::X,
            (true, true) => Self::Y,
            (false, true) => Self::Z,
        }
    }

    /// The symplectic bits (x, z).
    pub fn bits(self) -> (bool, bool) {
        (matches!(self, Self::X | Self::Y), matches!(self, Self::Y | Self::Z))
    }

    /// Whether the two matrices commute.
    pub fn commutes_with(self, other: Self) -> bool {
        self == Self::I || other == Self::I || self == other
    }

    /// `I`, `X`, `Y` or `Z`.
    pub fn letter(self) -> char {
        match self {
            Self::I => 'I',
            Self::X => 'X',
            Self::Y => 'Y',
            Self::Z => 'Z',
        }
    }

    /// The matrix with this letter; `_` and `.` stand for the identity.
    pub fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'I' | '_' | '.' => Self::I,
            'X' => Self::X,
            'Y' => Self::Y,
            'Z' => Self::Z,
            _ => return None,
        })
    }
}
