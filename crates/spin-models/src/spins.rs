//! Spin configurations and their conversions from bits.

use std::ops::{Deref, DerefMut};

use linalg_core::rand::{Rng, RngExt};

use crate::{Error, Result};

/// A configuration of ±1 spins.
///
/// Two alphabets of bits meet in this field and disagree: decoding writes `s = 1 - 2b` (bit 0 is +1), learning
/// and QUBO write `s = 2x - 1` (bit 1 is +1). The constructors say which one they mean.
///
/// ```
/// use spin_models::Spins;
///
/// assert_eq!(*Spins::from_parity_bits(&[0, 1])?, [1, -1]);
/// assert_eq!(*Spins::from_binary(&[0, 1])?, [-1, 1]);
/// assert!(Spins::from_signs(&[1, 0]).is_err());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Spins(Vec<i8>);

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked(Vec<i8>);

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Spins {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        check_signs(&unchecked.0)?;
        Ok(Self(unchecked.0))
    }
}

fn check_signs(signs: &[i8]) -> Result<()> {
    match signs.iter().position(|&s| s != 1 && s != -1) {
        None => Ok(()),
        Some(k) => Err(entry_error("spin", k, i64::from(signs[k]), "+1 or -1")),
    }
}

fn entry_error(what: &'static str, entry: usize, value: i64, expected: &'static str) -> Error {
    Error::Parameter { what, value: format!("{value} at position {entry}"), expected }
}

impl Spins {
    /// All spins +1.
    pub fn up(n: usize) -> Self {
        Self(vec![1; n])
    }

    /// Independent uniform spins; one 64-bit draw for 64 spins.
    pub fn random<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Self {
        let mut spins = vec![1i8; n];
        for chunk in spins.chunks_mut(64) {
            let word: u64 = rng.random();
            for (k, s) in chunk.iter_mut().enumerate() {
                *s = 1 - 2 * ((word >> k) & 1) as i8;
            }
        }
        Self(spins)
    }

    /// Takes ±1 values as they are.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the position and value of the first entry that is neither +1 nor -1.
    pub fn from_signs(signs: &[i8]) -> Result<Self> {
        check_signs(signs)?;
        Ok(Self(signs.to_vec()))
    }

    /// Takes values that are +1 or -1 by construction.
    pub(crate) fn from_known_signs(signs: Vec<i8>) -> Self {
        debug_assert!(signs.iter().all(|&s| s == 1 || s == -1), "spins that are neither +1 nor -1");
        Self(signs)
    }

    /// `s = 1 - 2b`, the alphabet of decoding: bit 0 is +1.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the position and value of the first entry above 1.
    pub fn from_parity_bits(bits: &[u8]) -> Result<Self> {
        Self::from_bits(bits, |b| 1 - 2 * b)
    }

    /// `s = 2x - 1`, the alphabet of learning and QUBO: bit 1 is +1.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the position and value of the first entry above 1.
    pub fn from_binary(bits: &[u8]) -> Result<Self> {
        Self::from_bits(bits, |x| 2 * x - 1)
    }

    /// Spin `i` is `1 - 2 b_i` with `b_i` the `i`-th lowest bit of `state`: state 0 is all up.
    ///
    /// # Panics
    /// If `n > 64`.
    pub fn from_state(state: u64, n: usize) -> Self {
        assert!(n <= 64, "{n} spins do not fit in 64 bits");
        Self((0..n).map(|i| 1 - 2 * ((state >> i) & 1) as i8).collect())
    }

    fn from_bits(bits: &[u8], spin: impl Fn(i8) -> i8) -> Result<Self> {
        match bits.iter().position(|&b| b > 1) {
            None => Ok(Self(bits.iter().map(|&b| spin(b as i8)).collect())),
            Some(k) => Err(entry_error("bit", k, i64::from(bits[k]), "0 or 1")),
        }
    }

    /// `b = (1 - s)/2`: the inverse of [`from_parity_bits`](Self::from_parity_bits).
    pub fn to_parity_bits(&self) -> Vec<u8> {
        self.0.iter().map(|&s| u8::from(s < 0)).collect()
    }

    /// `x = (1 + s)/2`: the inverse of [`from_binary`](Self::from_binary).
    pub fn to_binary(&self) -> Vec<u8> {
        self.0.iter().map(|&s| u8::from(s > 0)).collect()
    }

    /// Mean of the spins, `m = Σ s_i / N`; 0 for no spins.
    pub fn magnetization_per_spin(&self) -> f64 {
        let sum: i64 = self.0.iter().map(|&s| i64::from(s)).sum();
        if self.0.is_empty() { 0.0 } else { sum as f64 / self.0.len() as f64 }
    }

    /// Overlap `q = Σ s_i t_i / N` with another configuration; 0 for no spins.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn overlap(&self, other: &[i8]) -> f64 {
        assert_eq!(self.len(), other.len(), "overlap of {} spins with {}", self.len(), other.len());
        let sum: i64 = self.0.iter().zip(other).map(|(&s, &t)| i64::from(s * t)).sum();
        if self.0.is_empty() { 0.0 } else { sum as f64 / self.0.len() as f64 }
    }

    /// The spins as a vector.
    pub fn into_vec(self) -> Vec<i8> {
        self.0
    }
}

impl Deref for Spins {
    type Target = [i8];

    fn deref(&self) -> &[i8] {
        &self.0
    }
}

impl DerefMut for Spins {
    fn deref_mut(&mut self) -> &mut [i8] {
        &mut self.0
    }
}

/// `Σ s_i (a_i + b_i)`, the double sum behind energies from local fields.
///
/// Eight partial sums, so that the order of additions is fixed and still fits vector registers.
pub(crate) fn signed_sum(s: &[i8], a: &[f64], b: &[f64]) -> f64 {
    const WIDTH: usize = 8;
    let (s_rows, s_rest) = s.as_chunks::<WIDTH>();
    let (a_rows, a_rest) = a.as_chunks::<WIDTH>();
    let (b_rows, b_rest) = b.as_chunks::<WIDTH>();
    let mut partial = [0.0; WIDTH];
    for ((s, a), b) in s_rows.iter().zip(a_rows).zip(b_rows) {
        for k in 0..WIDTH {
            partial[k] += f64::from(s[k]) * (a[k] + b[k]);
        }
    }
    let rest: f64 = s_rest.iter().zip(a_rest).zip(b_rest).map(|((&s, &a), &b)| f64::from(s) * (a + b)).sum();
    partial.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_inverse() {
        let bits = [0, 1, 1, 0, 1];
        assert_eq!(Spins::from_parity_bits(&bits).unwrap().to_parity_bits(), bits);
        assert_eq!(Spins::from_binary(&bits).unwrap().to_binary(), bits);
        assert_eq!(*Spins::from_state(0b10, 3), [1, -1, 1]);
    }

    #[test]
    fn bad_entries_are_named() {
        let error = Spins::from_binary(&[0, 1, 2]).unwrap_err().to_string();
        assert_eq!(error, "bit is 2 at position 2, expected 0 or 1");
        let error = Spins::from_parity_bits(&[255]).unwrap_err().to_string();
        assert_eq!(error, "bit is 255 at position 0, expected 0 or 1");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_signs() {
        assert_eq!(*Spins::try_from(Unchecked(vec![1, -1])).unwrap(), [1, -1]);
        assert!(Spins::try_from(Unchecked(vec![1, 0])).is_err());
    }
}
