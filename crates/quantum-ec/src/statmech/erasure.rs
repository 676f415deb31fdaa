//! Models of shots in which the places of errors are known.

use linalg_core::gf2::BitVec;

use super::coset::CosetModel;
use super::linear::Given;
use crate::error::{Error, Result};
use crate::shots::words_per_row;

/// What becomes of a model when a mechanism is known to be fully random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Erasure {
    /// Nothing: it flips nothing, or was fully random before.
    Nothing,
    /// The coupling of this term is 0.
    Term(usize),
    /// It was never there or always; now it is there in half of the shots.
    Rebuild,
}

impl CosetModel {
    /// The cosets of a shot in which errors at known places are fully random: mechanisms of probability 1/2, or qubits
    /// with probability 1/4 for I, X, Y and Z. `erased` has a bit a mechanism or a qubit, packed as a row of
    /// [`Shots`](crate::Shots).
    ///
    /// Generators are chosen anew; for [`planar`](Self::planar) models they are faces again.
    ///
    /// ```
    /// use linalg_core::gf2::BinaryCsc;
    /// use quantum_ec::{DecodingProblem, statmech::CosetModel};
    ///
    /// // The three bits of a repetition code; the last does not fail unless it is erased.
    /// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
    /// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
    /// let problem = DecodingProblem::new(checks, observables, vec![0.1, 0.1, 0.0])?;
    /// let erased = CosetModel::new(&problem)?.with_erased(&[0b100])?;
    /// // The second check fires: the last bit, or the other two.
    /// let class = |bit: &str| Ok::<_, quantum_ec::Error>(erased.representative(&"01".parse()?, &bit.parse()?)?);
    /// assert_eq!(class("0")?.unwrap().to_string(), "001");
    /// assert_eq!(class("1")?.unwrap().to_string(), "110");
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for errors that depend on each other; as [`new`](Self::new), [`planar`](Self::planar).
    ///
    /// # Panics
    /// If `erased` has another number of words than its bits need, or ones beyond them.
    pub fn with_erased(&self, erased: &[u64]) -> Result<Self> {
        let n = self.linear.n_erasable();
        let words = words_per_row(n);
        assert_eq!(erased.len(), words, "{} words of erasure flags for {words}", erased.len());
        let linear = self.linear.erased(erased).ok_or_else(|| Error::NotApplicable {
            method: "erasure",
            reason: "the errors of this model depend on each other".to_owned(),
        })??;
        if self.planar {
            return Self::of_planar(linear);
        }
        let hints: Vec<BitVec> = self.generators().collect();
        Self::of_linear(linear, &hints)
    }

    /// What erasing each mechanism does to the model; `None` if it is not made of mechanisms.
    pub(crate) fn erasures(&self) -> Option<Vec<Erasure>> {
        let Given::Mechanisms(priors) = &self.linear.given else { return None };
        let mut all: Vec<Erasure> = priors.iter().map(|_| Erasure::Nothing).collect();
        for (bits, _) in &self.linear.fixed {
            bits.iter().for_each(|&j| all[j] = Erasure::Rebuild);
        }
        for (a, term) in self.linear.terms.iter().enumerate() {
            term.of_error.iter().for_each(|&j| all[j] = Erasure::Term(a));
        }
        Some(all)
    }
}
