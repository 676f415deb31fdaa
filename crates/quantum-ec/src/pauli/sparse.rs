//! Pauli operators as short lists.

use std::fmt;
use std::str::FromStr;

use super::string::parse_phase;
use super::{Pauli, PauliString};
use crate::error::{Error, Result};

/// A Pauli operator as the list of the qubits it acts on.
///
/// Text form: factors like `X1`, qubits from 0, joined by `*`, after an optional sign; the identity is `I`.
///
/// ```
/// use quantum_ec::SparsePauli;
///
/// let p: SparsePauli = "-X1*Z5".parse()?;
/// assert_eq!(p.weight(), 2);
/// assert_eq!(p.to_dense(6)?.to_string(), "-IXIIIZ");
/// assert_eq!(p.to_string(), "-X1*Z5");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SparsePauli {
    /// Qubits ascending, none with I.
    factors: Vec<(usize, Pauli)>,
    phase: u8,
}

impl SparsePauli {
    /// The product of these matrices, phase 0; identities are dropped.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a qubit that is given twice.
    pub fn new(factors: impl IntoIterator<Item = (usize, Pauli)>) -> Result<Self> {
        let mut factors: Vec<_> = factors.into_iter().collect();
        factors.sort_unstable();
        if let Some(pair) = factors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::Parameter {
                what: "qubit of a sparse Pauli operator",
                value: pair[0].0.to_string(),
                expected: "each qubit at most once",
            });
        }
        factors.retain(|&(_, pauli)| pauli != Pauli::I);
        Ok(Self { factors, phase: 0 })
    }

    /// The qubits, ascending, with the matrices.
    pub fn factors(&self) -> &[(usize, Pauli)] {
        &self.factors
    }

    /// `k` of the phase $`i^k`$.
    pub fn phase(&self) -> u8 {
        self.phase
    }

    /// Number of qubits it acts on.
    pub fn weight(&self) -> usize {
        self.factors.len()
    }

    /// Whether the two operators commute; linear in the weights.
    pub fn commutes_with(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self.factors.iter().peekable(), other.factors.iter().peekable());
        let mut commute = true;
        while let (Some(&&(i, p)), Some(&&(j, q))) = (a.peek(), b.peek()) {
            commute ^= i == j && !p.commutes_with(q);
            if i <= j {
                a.next();
            }
            if j <= i {
                b.next();
            }
        }
        commute
    }

    /// The packed operator on `n` qubits.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`] if it acts on a qubit from `n` on.
    pub fn to_dense(&self, n: usize) -> Result<PauliString> {
        let mut out = PauliString::identity(n).with_phase(self.phase);
        for &(q, pauli) in &self.factors {
            if q >= n {
                return Err(Error::OutOfBounds { what: "qubit", index: q, bound: n });
            }
            out.set(q, pauli);
        }
        Ok(out)
    }
}

impl From<&PauliString> for SparsePauli {
    fn from(dense: &PauliString) -> Self {
        Self { factors: dense.support().collect(), phase: dense.phase() }
    }
}

impl fmt::Display for SparsePauli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["", "i", "-", "-i"][usize::from(self.phase)])?;
        if self.factors.is_empty() {
            return f.write_str("I");
        }
        for (k, (q, pauli)) in self.factors.iter().enumerate() {
            write!(f, "{}{}{q}", if k > 0 { "*" } else { "" }, pauli.letter())?;
        }
        Ok(())
    }
}

impl FromStr for SparsePauli {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (phase, taken) = parse_phase(text);
        let body = &text[taken..];
        if body == "I" {
            return Ok(Self { factors: Vec::new(), phase });
        }
        let mut position = taken + 1;
        let mut factors = Vec::new();
        for factor in body.split('*') {
            let error = |offset: usize, expected| {
                let found = factor.chars().nth(offset).map_or("the end of a factor".to_owned(), |c| format!("{c:?}"));
                Error::PauliText { position: position + offset, found, expected }
            };
            let mut characters = factor.chars();
            let pauli = characters.next().filter(|c| "XYZ".contains(*c)).and_then(Pauli::from_letter);
            let pauli = pauli.ok_or_else(|| error(0, "one of X, Y, Z"))?;
            let digits = characters.as_str();
            if let Some(bad) = digits.chars().position(|c| !c.is_ascii_digit()) {
                return Err(error(1 + bad, "a digit or *"));
            }
            let qubit = digits.parse().map_err(|_| error(1, "the number of a qubit"))?;
            factors.push((qubit, pauli));
            position += factor.chars().count() + 1;
        }
        Ok(Self { phase, ..Self::new(factors)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn sparse_and_dense_agree() {
        let mut rng = Streams::new(1).stream(0);
        for _ in 0..100 {
            let (a, b) = (PauliString::random(7, &mut rng), PauliString::random(7, &mut rng));
            let (s, t) = (SparsePauli::from(&a), SparsePauli::from(&b));
            assert_eq!(s.commutes_with(&t), a.commutes_with(&b));
            assert_eq!(s.to_dense(7).unwrap(), a);
            assert_eq!(s.to_string().parse::<SparsePauli>().unwrap(), s);
        }
    }

    #[test]
    fn text_that_is_none() {
        let message = |text: &str| text.parse::<SparsePauli>().unwrap_err().to_string();
        assert_eq!(message("X1*A2"), "character 4 is 'A', expected one of X, Y, Z");
        assert_eq!(message("X"), "character 2 is the end of a factor, expected the number of a qubit");
        assert_eq!(message("-X1Z2"), "character 4 is 'Z', expected a digit or *");
        assert_eq!(message(""), "character 1 is the end of a factor, expected one of X, Y, Z");
        assert_eq!(message("X99999999999999999999999"), "character 2 is '9', expected the number of a qubit");
        assert_eq!(message("X1*Z1"), "qubit of a sparse Pauli operator is 1, expected each qubit at most once");
        let error = "X4".parse::<SparsePauli>().unwrap().to_dense(4).unwrap_err();
        assert_eq!(error.to_string(), "qubit 4 is out of bounds for 4");
    }
}
