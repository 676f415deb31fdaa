//! Clifford operations on one or two qubits.

use crate::pauli::Pauli;

/// `+` or `-` and a Pauli matrix for each of two qubits; the second is the identity for an operation on one qubit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignedPair {
    /// Whether the sign is `-`.
    pub negative: bool,
    /// The matrices.
    pub paulis: [Pauli; 2],
}

impl SignedPair {
    const IDENTITY: Self = Self { negative: false, paulis: [Pauli::I; 2] };

    /// The product `self other` as a sign and a power of i.
    fn times(self, other: Self) -> (Self, u8) {
        let [(a, m), (b, n)] = [0, 1].map(|k| times(self.paulis[k], other.paulis[k]));
        (Self { negative: self.negative != other.negative, paulis: [a, b] }, (m + n) % 4)
    }
}

/// The product of two Pauli matrices: `a b = i^k c` as (c, k).
pub(super) const fn times(a: Pauli, b: Pauli) -> (Pauli, u8) {
    use Pauli::{I, X, Y, Z};
    match (a, b) {
        (I, p) | (p, I) => (p, 0),
        (X, X) | (Y, Y) | (Z, Z) => (I, 0),
        (X, Y) => (Z, 1),
        (Y, Z) => (X, 1),
        (Z, X) => (Y, 1),
        (Y, X) => (Z, 3),
        (Z, Y) => (X, 3),
        (X, Z) => (Y, 3),
    }
}

/// A unitary U on one or two qubits by its action on Pauli generators, $`P \mapsto U P U^\dagger`$.
///
/// ```
/// use quantum_ec::Pauli;
/// use quantum_ec::circuit::Gate;
///
/// let cnot = Gate::Cx.clifford().unwrap();
/// // Y on the control becomes Y X, a bit flip of the target comes from it.
/// let image = cnot.conjugate([Pauli::Y, Pauli::I]);
/// assert_eq!((image.negative, image.paulis), (false, [Pauli::Y, Pauli::X]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clifford {
    n_qubits: usize,
    images: [SignedPair; 4],
}

impl Clifford {
    /// From images such as `+XX +Z_ +_X +ZZ`, of X and Z of the first qubit, then of the second.
    pub(super) const fn from_text(n_qubits: usize, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut images = [SignedPair::IDENTITY; 4];
        let mut k = 0;
        while k < 2 * n_qubits {
            let at = k * (n_qubits + 2);
            let second = if n_qubits == 2 { letter(bytes[at + 2]) } else { Pauli::I };
            images[k] = SignedPair { negative: bytes[at] == b'-', paulis: [letter(bytes[at + 1]), second] };
            k += 1;
        }
        Self { n_qubits, images }
    }

    /// 1 or 2.
    pub fn n_qubits(&self) -> usize {
        self.n_qubits
    }

    /// Images of X and Z of the first qubit, then of the second.
    pub fn images(&self) -> &[SignedPair] {
        &self.images[..2 * self.n_qubits]
    }

    /// The image of a Pauli operator.
    ///
    /// # Panics
    /// If the operation is on one qubit and the second matrix is not the identity.
    pub fn conjugate(&self, paulis: [Pauli; 2]) -> SignedPair {
        assert!(self.n_qubits == 2 || paulis[1] == Pauli::I, "a second qubit for an operation on one");
        let (mut image, mut phase) = (SignedPair::IDENTITY, 0);
        for (pauli, images) in paulis.into_iter().zip(self.images.chunks(2)) {
            let (x, z) = pauli.bits();
            // Y = i X Z.
            phase += u8::from(x && z);
            for (present, factor) in [(x, images[0]), (z, images[1])] {
                if present {
                    let (product, power) = image.times(factor);
                    (image, phase) = (product, phase + power);
                }
            }
        }
        // The image of a Hermitian operator is one.
        debug_assert!(phase.is_multiple_of(2), "an odd power of i");
        image.negative ^= phase % 4 == 2;
        image
    }

    /// The inverse operation.
    pub fn inverse(&self) -> Self {
        let all = [Pauli::I, Pauli::X, Pauli::Y, Pauli::Z];
        let mut images = self.images;
        for (k, inverse) in images.iter_mut().enumerate().take(2 * self.n_qubits) {
            let mut generator = [Pauli::I; 2];
            generator[k / 2] = [Pauli::X, Pauli::Z][k % 2];
            let second = if self.n_qubits == 2 { &all[..] } else { &all[..1] };
            for (&a, &b) in all.iter().flat_map(|a| second.iter().map(move |b| (a, b))) {
                let image = self.conjugate([a, b]);
                if image.paulis == generator {
                    *inverse = SignedPair { negative: image.negative, paulis: [a, b] };
                }
            }
        }
        Self { n_qubits: self.n_qubits, images }
    }
}

const fn letter(byte: u8) -> Pauli {
    match byte {
        b'X' => Pauli::X,
        b'Y' => Pauli::Y,
        b'Z' => Pauli::Z,
        _ => Pauli::I,
    }
}

#[cfg(test)]
mod tests {
    use super::super::gate::Gate;
    use super::*;

    #[test]
    fn actions_are_symplectic_and_inverses_undo_them() {
        let mut count = 0;
        for gate in Gate::ALL {
            let Some(clifford) = gate.clifford() else { continue };
            count += 1;
            let images = clifford.images();
            for (i, a) in images.iter().enumerate() {
                for (j, b) in images.iter().enumerate() {
                    let anti = (0..2).filter(|&k| !a.paulis[k].commutes_with(b.paulis[k])).count() % 2 == 1;
                    assert_eq!(anti, i != j && i / 2 == j / 2, "{gate}: generators {i} and {j}");
                }
            }
            let inverse = clifford.inverse();
            for k in 0..images.len() {
                let back = inverse.conjugate(images[k].paulis);
                let mut generator = [Pauli::I; 2];
                generator[k / 2] = [Pauli::X, Pauli::Z][k % 2];
                assert_eq!((back.paulis, back.negative), (generator, images[k].negative), "{gate}: generator {k}");
            }
        }
        assert_eq!(count, 24 + 22);
    }

    #[test]
    fn daggers_are_inverses() {
        for (gate, dagger) in [
            (Gate::S, Gate::SDag),
            (Gate::SqrtX, Gate::SqrtXDag),
            (Gate::SqrtY, Gate::SqrtYDag),
            (Gate::SqrtXx, Gate::SqrtXxDag),
            (Gate::SqrtYy, Gate::SqrtYyDag),
            (Gate::SqrtZz, Gate::SqrtZzDag),
            (Gate::Iswap, Gate::IswapDag),
            (Gate::CXyz, Gate::CZyx),
            (Gate::CxSwap, Gate::SwapCx),
            (Gate::H, Gate::H),
            (Gate::Ycx, Gate::Ycx),
        ] {
            assert_eq!(gate.clifford().unwrap().inverse(), dagger.clifford().unwrap());
        }
    }
}
