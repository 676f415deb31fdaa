//! What a decoder is given: checks, observables, priors.

use linalg_core::checkpoint::ContentHash;
use linalg_core::gf2::{BinaryCsc, BitSlice, BitVec};

use crate::error::{Error, Result};

/// Independent error mechanisms, the detectors and the logical observables they flip.
///
/// Mechanism `j` happens with probability `p_j`, flips the detectors of column `j` of the check matrix and the observables
/// of column `j` of the observable matrix. A flattened detector error model is one; so is a code under independent
/// noise, with a check for each stabilizer generator.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::DecodingProblem;
///
/// // The repetition code of three bits; the observable is the first bit.
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 3])?;
/// assert_eq!((problem.n_detectors(), problem.n_observables(), problem.n_mechanisms()), (2, 1, 3));
/// assert!((problem.weight(0) - 9f64.ln()).abs() < 1e-15);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DecodingProblem {
    checks: BinaryCsc,
    observables: BinaryCsc,
    priors: Vec<f64>,
}

impl DecodingProblem {
    /// Detectors by mechanisms, observables by mechanisms, a probability a mechanism.
    ///
    /// Probabilities 0, above 1/2 and 1 are allowed here; a decoder that cannot use them says so.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if the three do not agree on the number of mechanisms, [`Error::Probability`] naming the
    /// mechanism whose probability is not in `[0, 1]`.
    pub fn new(checks: BinaryCsc, observables: BinaryCsc, priors: Vec<f64>) -> Result<Self> {
        let n = checks.n_cols();
        for (what, got) in [("columns of the observable matrix", observables.n_cols()), ("priors", priors.len())] {
            if got != n {
                return Err(Error::WrongLength { what, got, expected: n });
            }
        }
        if let Some((index, &value)) = priors.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
            return Err(Error::Probability { what: "mechanism", index, value, expected: "a number from 0 to 1" });
        }
        Ok(Self { checks, observables, priors })
    }

    /// Number of detectors: bits of a syndrome.
    pub fn n_detectors(&self) -> usize {
        self.checks.n_rows()
    }

    /// Number of observables: bits of a prediction.
    pub fn n_observables(&self) -> usize {
        self.observables.n_rows()
    }

    /// Number of mechanisms.
    pub fn n_mechanisms(&self) -> usize {
        self.priors.len()
    }

    /// The check matrix, detectors by mechanisms.
    pub fn checks(&self) -> &BinaryCsc {
        &self.checks
    }

    /// The observable matrix, observables by mechanisms.
    pub fn observables(&self) -> &BinaryCsc {
        &self.observables
    }

    /// The probabilities of the mechanisms.
    pub fn priors(&self) -> &[f64] {
        &self.priors
    }

    /// The log-likelihood ratio `ln((1 - p_j)/p_j)` of mechanism `j`: infinite for 0 and 1, negative above 1/2.
    ///
    /// # Panics
    /// If there is no such mechanism.
    pub fn weight(&self, j: usize) -> f64 {
        let p = self.priors[j];
        (-p).ln_1p() - p.ln()
    }

    /// The detectors that an error flips.
    ///
    /// # Panics
    /// If `error` has another length than the number of mechanisms.
    pub fn syndrome<'a>(&self, error: impl Into<BitSlice<'a>>) -> BitVec {
        self.checks.mul_vec(error)
    }

    /// The observables that an error flips.
    ///
    /// # Panics
    /// If `error` has another length than the number of mechanisms.
    pub fn logical<'a>(&self, error: impl Into<BitSlice<'a>>) -> BitVec {
        self.observables.mul_vec(error)
    }

    /// A number for what the problem is: of its sizes, of all bits of its probabilities, of which mechanism flips what.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    ///
    /// let hash = |text: &str| -> quantum_ec::Result<u64> { Ok(text.parse::<DetectorErrorModel>()?.to_problem()?.content_hash()) };
    /// assert_eq!(hash("error(0.1) D0")?, hash("error(0.1) D0 # the same")?);
    /// assert_ne!(hash("error(0.1) D0")?, hash("error(0.10000000000000002) D0")?);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_u64(self.n_detectors() as u64).write_u64(self.n_observables() as u64).write_f64s(&self.priors);
        for matrix in [&self.checks, &self.observables] {
            matrix.columns().for_each(|column| {
                hash.write_usizes(column);
            });
        }
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_probabilities_are_checked() {
        let checks = || BinaryCsc::from_columns(1, [[0], [0]]).unwrap();
        let observables = |n: usize| BinaryCsc::from_columns(1, vec![Vec::<usize>::new(); n]).unwrap();
        let message = |r: Result<DecodingProblem>| r.unwrap_err().to_string();
        assert_eq!(
            message(DecodingProblem::new(checks(), observables(3), vec![0.1; 2])),
            "columns of the observable matrix: 3 given, 2 expected"
        );
        assert_eq!(message(DecodingProblem::new(checks(), observables(2), vec![0.1])), "priors: 1 given, 2 expected");
        assert_eq!(
            message(DecodingProblem::new(checks(), observables(2), vec![0.1, f64::NAN])),
            "mechanism 1 has probability NaN, expected a number from 0 to 1"
        );
        let edge = DecodingProblem::new(checks(), observables(2), vec![0.0, 1.0]).unwrap();
        assert_eq!((edge.weight(0), edge.weight(1)), (f64::INFINITY, f64::NEG_INFINITY));
    }
}
