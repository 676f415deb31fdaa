//! Suggested decompositions: the pieces between separators.

use linalg_core::gf2::BinaryCsc;

use super::flatten::symptom_into;
use super::model::{DetectorErrorModel, Target};
use crate::error::Result;
use crate::problem::DecodingProblem;

/// A piece of a mechanism between separators.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Component {
    /// The mechanism it belongs to, in the order of error instructions.
    pub mechanism: usize,
    /// The probability of that mechanism.
    pub probability: f64,
    /// Detectors flipped, ascending.
    pub detectors: Vec<usize>,
    /// Observables flipped, ascending.
    pub observables: Vec<usize>,
}

/// All mechanisms in pieces, as the separators of the model suggest.
///
/// The pieces of one mechanism happen together; taking them for independent is the approximation behind matching
/// decoders.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Components {
    /// Number of detectors.
    pub n_detectors: usize,
    /// Number of observables.
    pub n_observables: usize,
    /// The pieces, grouped by mechanism.
    pub list: Vec<Component>,
}

impl DetectorErrorModel {
    /// The pieces of all mechanisms.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    ///
    /// let model: DetectorErrorModel = "error(0.1) D0 D1 ^ D2 L0".parse()?;
    /// let components = model.to_components()?;
    /// assert_eq!(components.list[0].detectors, [0, 1]);
    /// assert_eq!((&components.list[1].detectors, &components.list[1].observables), (&vec![2], &vec![0]));
    /// assert_eq!(components.list[1].mechanism, 0);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`to_problem`](Self::to_problem).
    pub fn to_components(&self) -> Result<Components> {
        self.check_size("decomposing a detector error model")?;
        let mut list = Vec::new();
        self.each_component(|mechanism, probability, detectors, observables| {
            let (detectors, observables) = (detectors.to_vec(), observables.to_vec());
            list.push(Component { mechanism, probability, detectors, observables });
            Ok(())
        })?;
        Ok(Components { n_detectors: self.n_detectors() as usize, n_observables: self.n_observables() as usize, list })
    }

    /// Hands over the mechanism, the probability, the detectors and the observables of every piece. The size of the model is
    /// to be checked before.
    pub(crate) fn each_component(
        &self,
        mut visit: impl FnMut(usize, f64, &[usize], &[usize]) -> Result<()>,
    ) -> Result<()> {
        let (mut detectors, mut observables) = (Vec::new(), Vec::new());
        for (mechanism, (probability, targets, shift)) in self.flat_errors().enumerate() {
            for piece in targets.split(|target| *target == Target::Separator) {
                symptom_into(piece, shift, &mut detectors, &mut observables);
                visit(mechanism, probability, &detectors, &observables)?;
            }
        }
        Ok(())
    }
}

impl Components {
    /// The pieces as independent mechanisms: one hyperedge each, equal ones still apart.
    ///
    /// # Errors
    /// None for components of a model.
    pub fn to_problem(&self) -> Result<DecodingProblem> {
        DecodingProblem::new(
            BinaryCsc::from_columns(self.n_detectors, self.list.iter().map(|c| &c.detectors))?,
            BinaryCsc::from_columns(self.n_observables, self.list.iter().map(|c| &c.observables))?,
            self.list.iter().map(|c| c.probability).collect(),
        )
    }
}
