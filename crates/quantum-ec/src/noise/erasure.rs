//! Erasure: errors at known places.

use linalg_core::gf2::BitVec;
use linalg_core::rand::{Rng, RngExt};

use super::code_capacity::PauliTable;
use crate::error::{Error, Result};
use crate::pauli::{Pauli, PauliString};

/// The erasure channel: qubit j is lost with probability `p[j]` and replaced by a maximally mixed one, and the place is
/// known (Grassl, Beth, Pellizzari, arXiv:quant-ph/9610042).
///
/// An erased qubit carries I, X, Y or Z with probability 1/4 each.
///
/// ```
/// use linalg_core::Streams;
/// use quantum_ec::noise::Erasure;
///
/// let noise = Erasure::uniform(100, 0.5)?;
/// let (erased, error) = noise.sample(&mut Streams::new(1).stream(0));
/// assert!(error.support().all(|(q, _)| erased.get(q)));
/// // What a decoder knows.
/// assert_eq!(noise.table_given(&erased)?.n_qubits(), 100);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Erasure {
    p: Vec<f64>,
}

impl Erasure {
    /// A probability a qubit.
    ///
    /// # Errors
    /// [`Error::Probability`] naming a qubit.
    pub fn new(p: Vec<f64>) -> Result<Self> {
        match p.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
            None => Ok(Self { p }),
            Some((index, &value)) => {
                Err(Error::Probability { what: "qubit", index, value, expected: "a number from 0 to 1" })
            }
        }
    }

    /// The same probability on `n` qubits.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniform(n: usize, p: f64) -> Result<Self> {
        Self::new(vec![p; n])
    }

    /// The probabilities of being erased.
    pub fn probabilities(&self) -> &[f64] {
        &self.p
    }

    /// The erased qubits and an error on them: two numbers an erased qubit, one otherwise.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> (BitVec, PauliString) {
        let mut erased = BitVec::zeros(self.p.len());
        let mut error = PauliString::identity(self.p.len());
        for (q, &p) in self.p.iter().enumerate() {
            if rng.random::<f64>() < p {
                let bits = rng.next_u64();
                erased.set(q, true);
                error.set(q, Pauli::from_bits(bits >> 63 == 1, bits >> 62 & 1 == 1));
            }
        }
        (erased, error)
    }

    /// The probabilities of errors once the erased qubits are known: 1/4 each there, no error elsewhere.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of flags than qubits.
    pub fn table_given(&self, erased: &BitVec) -> Result<PauliTable> {
        if erased.len() != self.p.len() {
            return Err(Error::WrongLength { what: "erasure flags", got: erased.len(), expected: self.p.len() });
        }
        PauliTable::new(erased.iter().map(|e| if e { [0.25; 4] } else { [1.0, 0.0, 0.0, 0.0] }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn errors_sit_on_erased_qubits_with_quarter_each() {
        let noise = Erasure::new([vec![0.0; 10], vec![1.0; 10], vec![0.3; 20_000]].concat()).unwrap();
        let (erased, error) = noise.sample(&mut Streams::new(6).stream(0));
        assert!((0..10).all(|q| !erased.get(q)) && (10..20).all(|q| erased.get(q)));
        assert!(noise.table_given(&erased).unwrap().ln_prob(&error).is_finite());
        let n = erased.weight() as f64;
        assert!((n - 6010.0).abs() < 4.0 * (20_000.0 * 0.21f64).sqrt(), "{n}");
        for pauli in Pauli::ERRORS {
            let count = error.support().filter(|(_, p)| *p == pauli).count() as f64;
            assert!((count - n / 4.0).abs() < 4.0 * (n * 3.0 / 16.0).sqrt(), "{pauli:?}: {count} of {n}");
        }
        assert!(noise.table_given(&BitVec::zeros(3)).is_err());
        assert!(matches!(Erasure::new(vec![0.1, f64::NAN]), Err(Error::Probability { index: 1, .. })));
    }
}
