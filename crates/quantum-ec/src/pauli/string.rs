//! Pauli operators on many qubits, packed in words.

use std::fmt;
use std::ops::Mul;
use std::str::FromStr;

use linalg_core::gf2::{BitSlice, BitVec};
use linalg_core::rand::Rng;

use super::Pauli;
use crate::error::{Error, Result};

/// A Pauli operator on n qubits with its phase, $`i^k\, \sigma_0 \otimes \dots \otimes \sigma_{n-1}`$.
///
/// The letters are two rows of bits, x and z, 64 qubits a word; the phase is relative to the product of the Hermitian
/// matrices I, X, Y, Z, so that `Y` has phase 0. Products and commutation take $`n/64`$ word operations.
///
/// The text form is a sign (`+`, `-`, `+i`, `-i`, or nothing for `+`) and a letter a qubit; `_` and `.` are read as `I`.
///
/// ```
/// use quantum_ec::PauliString;
///
/// let a: PauliString = "XZI".parse()?;
/// let b: PauliString = "-iYZZ".parse()?;
/// // X Y = i Z and i (-i) = 1.
/// assert_eq!((&a * &b).to_string(), "+ZIZ");
/// assert!(!a.commutes_with(&b));
/// assert_eq!((b.weight(), b.phase()), (3, 3));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PauliString {
    x: BitVec,
    z: BitVec,
    phase: u8,
}

impl PauliString {
    /// The identity on `n` qubits.
    pub fn identity(n: usize) -> Self {
        Self { x: BitVec::zeros(n), z: BitVec::zeros(n), phase: 0 }
    }

    /// The operator with these bits and phase 0.
    ///
    /// # Panics
    /// If the two have different lengths.
    pub fn from_bits(x: BitVec, z: BitVec) -> Self {
        assert_eq!(x.len(), z.len(), "{} x bits and {} z bits", x.len(), z.len());
        Self { x, z, phase: 0 }
    }

    /// X on the ones of `x`.
    pub fn x_type<'a>(x: impl Into<BitSlice<'a>>) -> Self {
        let x = x.into().to_bitvec();
        Self { z: BitVec::zeros(x.len()), x, phase: 0 }
    }

    /// Z on the ones of `z`.
    pub fn z_type<'a>(z: impl Into<BitSlice<'a>>) -> Self {
        let z = z.into().to_bitvec();
        Self { x: BitVec::zeros(z.len()), z, phase: 0 }
    }

    /// The operator of a symplectic row `[x | z]` of 2n bits.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an odd number of bits.
    ///
    /// ```
    /// use quantum_ec::PauliString;
    ///
    /// let p = PauliString::from_symplectic(&"110011".parse()?)?;
    /// assert_eq!(p.to_string(), "+XYZ");
    /// assert_eq!(p.to_symplectic().to_string(), "110011");
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn from_symplectic(row: &BitVec) -> Result<Self> {
        if row.len() % 2 == 1 {
            return Err(Error::Parameter {
                what: "length of a symplectic row",
                value: row.len().to_string(),
                expected: "an even number, x bits and z bits",
            });
        }
        let n = row.len() / 2;
        let mut out = Self::identity(n);
        for j in row.iter_ones() {
            if j < n {
                out.x.set(j, true);
            } else {
                out.z.set(j - n, true);
            }
        }
        Ok(out)
    }

    /// The symplectic row `[x | z]`, without the phase.
    pub fn to_symplectic(&self) -> BitVec {
        let n = self.n_qubits();
        let mut out = BitVec::zeros(2 * n);
        for j in self.x.iter_ones() {
            out.set(j, true);
        }
        for j in self.z.iter_ones() {
            out.set(n + j, true);
        }
        out
    }

    /// A uniformly random operator with phase 0.
    pub fn random<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Self {
        Self { x: BitVec::random(n, rng), z: BitVec::random(n, rng), phase: 0 }
    }

    /// Number of qubits.
    pub fn n_qubits(&self) -> usize {
        self.x.len()
    }

    /// The x bits: qubits with X or Y.
    pub fn x(&self) -> &BitVec {
        &self.x
    }

    /// The z bits: qubits with Z or Y.
    pub fn z(&self) -> &BitVec {
        &self.z
    }

    /// `k` of the phase $`i^k`$, 0 to 3.
    pub fn phase(&self) -> u8 {
        self.phase
    }

    /// The same operator with the phase $`i^k`$.
    #[must_use]
    pub fn with_phase(mut self, k: u8) -> Self {
        self.phase = k % 4;
        self
    }

    /// Whether the operator is Hermitian: its phase is 1 or -1.
    pub fn is_hermitian(&self) -> bool {
        self.phase.is_multiple_of(2)
    }

    /// The matrix on qubit `q`.
    ///
    /// # Panics
    /// If there is no such qubit.
    pub fn get(&self, q: usize) -> Pauli {
        Pauli::from_bits(self.x.get(q), self.z.get(q))
    }

    /// Sets the matrix on qubit `q`; the phase stays.
    ///
    /// # Panics
    /// If there is no such qubit.
    pub fn set(&mut self, q: usize, pauli: Pauli) {
        let (x, z) = pauli.bits();
        self.x.set(q, x);
        self.z.set(q, z);
    }

    /// Number of qubits on which the operator is not the identity.
    pub fn weight(&self) -> usize {
        self.words().map(|(x, z)| (x | z).count_ones() as usize).sum()
    }

    /// Whether all letters are I, whatever the phase.
    pub fn is_identity(&self) -> bool {
        self.x.is_zero() && self.z.is_zero()
    }

    /// The qubits on which the operator is not the identity, ascending, with the matrix there.
    pub fn support(&self) -> impl Iterator<Item = (usize, Pauli)> + '_ {
        self.words().enumerate().flat_map(move |(k, (x, z))| {
            let mut rest = x | z;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    (64 * k + bit as usize, Pauli::from_bits(x >> bit & 1 == 1, z >> bit & 1 == 1))
                })
            })
        })
    }

    /// Whether the two operators commute: the parity of $`x \cdot z' + z \cdot x'`$.
    ///
    /// # Panics
    /// If they act on different numbers of qubits.
    pub fn commutes_with(&self, other: &Self) -> bool {
        self.check(other);
        let odd = self.words().zip(other.words()).fold(0, |sum, ((x, z), (a, b))| sum ^ (x & b) ^ (z & a));
        odd.count_ones() % 2 == 0
    }

    /// Multiplies by `other` from the right, with the phase.
    ///
    /// # Panics
    /// If they act on different numbers of qubits.
    pub fn mul_assign(&mut self, other: &Self) {
        self.check(other);
        let (mut plus, mut minus) = (0, 0);
        for ((x, z), (a, b)) in self.words().zip(other.words()) {
            // X Y, Y Z and Z X give +i, the reverse -i.
            let forth = (x & !z & a & b) | (x & z & !a & b) | (!x & z & a & !b);
            let back = (x & z & a & !b) | (!x & z & a & b) | (x & !z & !a & b);
            plus += forth.count_ones();
            minus += back.count_ones();
        }
        self.phase = ((u32::from(self.phase) + u32::from(other.phase) + plus + 3 * minus) % 4) as u8;
        self.x.xor_assign(&other.x);
        self.z.xor_assign(&other.z);
    }

    /// The letters alone, a character a qubit.
    pub fn letters(&self) -> String {
        (0..self.n_qubits()).map(|q| self.get(q).letter()).collect()
    }

    fn words(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.x.words().iter().copied().zip(self.z.words().iter().copied())
    }

    fn check(&self, other: &Self) {
        assert_eq!(
            self.n_qubits(),
            other.n_qubits(),
            "an operator on {} qubits and one on {}",
            self.n_qubits(),
            other.n_qubits()
        );
    }
}

impl Mul for &PauliString {
    type Output = PauliString;

    fn mul(self, other: Self) -> PauliString {
        let mut out = self.clone();
        out.mul_assign(other);
        out
    }
}

impl fmt::Display for PauliString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", ["+", "+i", "-", "-i"][usize::from(self.phase)], self.letters())
    }
}

/// The phase in front of `text` and the number of characters it takes.
pub(super) fn parse_phase(text: &str) -> (u8, usize) {
    let (sign, taken) = match text.as_bytes().first() {
        Some(b'+') => (0, 1),
        Some(b'-') => (2, 1),
        _ => (0, 0),
    };
    if text[taken..].starts_with('i') { (sign + 1, taken + 1) } else { (sign, taken) }
}

impl FromStr for PauliString {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (phase, taken) = parse_phase(text);
        let (mut x, mut z) = (BitVec::new(), BitVec::new());
        for (k, found) in text[taken..].chars().enumerate() {
            let Some(pauli) = Pauli::from_letter(found) else {
                return Err(Error::PauliText {
                    position: taken + k + 1,
                    found: format!("{found:?}"),
                    expected: "one of I, X, Y, Z, _",
                });
            };
            let (a, b) = pauli.bits();
            x.push(a);
            z.push(b);
        }
        Ok(Self { x, z, phase })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    type Matrix = [[(i32, i32); 2]; 2];

    fn matrix(p: Pauli) -> Matrix {
        match p {
            Pauli::I => [[(1, 0), (0, 0)], [(0, 0), (1, 0)]],
            Pauli::X => [[(0, 0), (1, 0)], [(1, 0), (0, 0)]],
            Pauli::Y => [[(0, 0), (0, -1)], [(0, 1), (0, 0)]],
            Pauli::Z => [[(1, 0), (0, 0)], [(0, 0), (-1, 0)]],
        }
    }

    fn times(a: (i32, i32), b: (i32, i32)) -> (i32, i32) {
        (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
    }

    #[test]
    fn one_qubit_products_are_those_of_matrices() {
        let all = [Pauli::I, Pauli::X, Pauli::Y, Pauli::Z];
        for a in all {
            for b in all {
                let (ma, mb) = (matrix(a), matrix(b));
                let text = |p: Pauli| p.letter().to_string().parse::<PauliString>().unwrap();
                let product = &text(a) * &text(b);
                let unit = [(1, 0), (0, 1), (-1, 0), (0, -1)][usize::from(product.phase())];
                let mc = matrix(product.get(0));
                for i in 0..2 {
                    for j in 0..2 {
                        let (p, q) = (times(ma[i][0], mb[0][j]), times(ma[i][1], mb[1][j]));
                        assert_eq!((p.0 + q.0, p.1 + q.1), times(unit, mc[i][j]), "{a:?} {b:?}");
                    }
                }
                assert_eq!(a.commutes_with(b), text(a).commutes_with(&text(b)));
            }
        }
    }

    #[test]
    fn products_associate_and_commute_as_they_say() {
        let mut rng = Streams::new(3).stream(0);
        for n in [1, 5, 63, 64, 65, 200] {
            for _ in 0..20 {
                let mut draw = || PauliString::random(n, &mut rng).with_phase(1);
                let (a, b, c) = (draw(), draw(), draw());
                assert_eq!(&(&a * &b) * &c, &a * &(&b * &c));
                assert_eq!(a.commutes_with(&b), &a * &b == &b * &a);
                assert_eq!(a.to_string().parse::<PauliString>().unwrap(), a);
                assert_eq!(PauliString::from_symplectic(&a.to_symplectic()).unwrap(), a.clone().with_phase(0));
                assert_eq!(a.support().count(), a.weight());
                let mut again = PauliString::identity(n).with_phase(1);
                a.support().for_each(|(q, p)| again.set(q, p));
                assert_eq!(again, a);
            }
        }
    }

    #[test]
    fn text_that_is_none() {
        let message = |text: &str| text.parse::<PauliString>().unwrap_err().to_string();
        assert_eq!(message("-iXA"), "character 4 is 'A', expected one of I, X, Y, Z, _");
        assert_eq!(message("λ"), "character 1 is 'λ', expected one of I, X, Y, Z, _");
        assert_eq!("".parse::<PauliString>().unwrap().n_qubits(), 0);
        assert_eq!("i_.Y".parse::<PauliString>().unwrap().to_string(), "+iIIY");
        assert!(PauliString::from_symplectic(&BitVec::zeros(3)).is_err());
    }
}
