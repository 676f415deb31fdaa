//! What an instruction acts on.

use std::fmt::{self, Display, Formatter};

use crate::pauli::Pauli;

/// One past the largest number of a qubit, of a sweep bit and of the records one can look back: 2²⁴.
pub const TARGET_BOUND: u32 = 1 << 24;

/// What an instruction acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Target {
    /// `5` or `!5`: a qubit, its record inverted; for `MPAD` a bit.
    Qubit {
        /// Its number.
        qubit: u32,
        /// Whether the record is inverted.
        inverted: bool,
    },
    /// `X5` or `!X5`: a Pauli matrix on a qubit.
    Pauli {
        /// The matrix; not the identity.
        pauli: Pauli,
        /// Its qubit.
        qubit: u32,
        /// Whether the record of the product is inverted.
        inverted: bool,
    },
    /// `rec[-k]`: the k-th record before this instruction, from 1.
    Record(u32),
    /// `sweep[k]`: bit k of a table with a row a shot.
    Sweep(u32),
    /// `*`, between two factors of a product.
    Combiner,
}

impl Target {
    /// Qubit `qubit`, its record not inverted.
    pub const fn qubit(qubit: u32) -> Self {
        Self::Qubit { qubit, inverted: false }
    }

    /// A Pauli matrix on a qubit, not inverted.
    pub const fn pauli(pauli: Pauli, qubit: u32) -> Self {
        Self::Pauli { pauli, qubit, inverted: false }
    }

    /// The number of the qubit, for the two kinds that have one.
    pub fn qubit_number(self) -> Option<u32> {
        match self {
            Self::Qubit { qubit, .. } | Self::Pauli { qubit, .. } => Some(qubit),
            _ => None,
        }
    }

    /// Whether it has a `!`.
    pub fn is_inverted(self) -> bool {
        matches!(self, Self::Qubit { inverted: true, .. } | Self::Pauli { inverted: true, .. })
    }

    /// Whether it is a record or a sweep bit.
    pub fn is_classical(self) -> bool {
        matches!(self, Self::Record(_) | Self::Sweep(_))
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_inverted() {
            f.write_str("!")?;
        }
        match self {
            Self::Qubit { qubit, .. } => write!(f, "{qubit}"),
            Self::Pauli { pauli, qubit, .. } => write!(f, "{}{qubit}", pauli.letter()),
            Self::Record(back) => write!(f, "rec[-{back}]"),
            Self::Sweep(bit) => write!(f, "sweep[{bit}]"),
            Self::Combiner => f.write_str("*"),
        }
    }
}
