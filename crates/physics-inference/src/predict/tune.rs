//! Choosing a penalty by validation.

use crate::cluster::ClusterSet;
use crate::series::BitSeries;
use crate::{Error, Result};

use super::{FitParams, Fitted, Model, evaluate};

/// How a penalty is chosen.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Tuning {
    /// Penalties to try; default 1e-5, 1e-4, 1e-3, 3e-3 and 1e-2.
    pub penalties: Vec<f64>,
    /// Share of the steps, the last ones, on which they are compared; default 0.2.
    pub validation: f64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { penalties: vec![1e-5, 1e-4, 1e-3, 3e-3, 1e-2], validation: 0.2 }
    }
}

impl Tuning {
    /// Sets the penalties.
    pub fn penalties(mut self, penalties: Vec<f64>) -> Self {
        self.penalties = penalties;
        self
    }

    /// Sets the share of the steps to compare on.
    pub fn validation(mut self, share: f64) -> Self {
        self.validation = share;
        self
    }
}

/// A model fitted with a penalty chosen by validation.
#[derive(Debug)]
pub struct Tuned {
    /// The fit to all steps with the chosen penalty.
    pub fitted: Fitted,
    /// The chosen penalty.
    pub penalty: f64,
    /// Loss on the validation steps for each penalty tried.
    pub validation: Vec<f64>,
}

impl Model {
    /// Fits the first steps with each penalty, compares the losses on the last ones, and fits all steps with the best.
    ///
    /// Nothing but the series given is looked at: steps to test on must not be part of it. A single penalty is taken as it is.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use physics_inference::cluster::ClusterSet;
    /// use physics_inference::predict::{FitParams, Model, Tuning, generate::kinetic_ising_stream};
    /// # use physics_inference::linalg_core;
    ///
    /// // No couplings at all: the largest penalty is right.
    /// let series = kinetic_ising_stream(&[0.3; 6], &[0.0; 36], 300, &mut Streams::new(1).stream(0))?;
    /// let (none, params) = (ClusterSet::new(6, Vec::new()), FitParams::default());
    /// let tuned = Model::KineticIsing.fit_tuned(&series, &none, &params, &Tuning::default())?;
    /// assert!(tuned.penalty > 1e-3);
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for no penalty or a share outside (0, 1), [`SeriesError::TooShort`](crate::series::SeriesError::TooShort), and those of
    /// [`Model::fit`].
    ///
    /// # Panics
    /// If series and clusters differ in the number of variables.
    pub fn fit_tuned(
        self,
        series: &BitSeries,
        clusters: &ClusterSet,
        params: &FitParams,
        tuning: &Tuning,
    ) -> Result<Tuned> {
        if tuning.penalties.is_empty() {
            return Err(Error::Parameter { what: "number of penalties", value: 0.0, expected: "at least 1" });
        }
        if !(tuning.validation > 0.0 && tuning.validation < 1.0) {
            let value = tuning.validation;
            return Err(Error::Parameter { what: "share of the validation", value, expected: "between 0 and 1" });
        }
        let mut losses = Vec::with_capacity(tuning.penalties.len());
        if tuning.penalties.len() > 1 {
            let (first, last) = series.split(1.0 - tuning.validation)?;
            for &penalty in &tuning.penalties {
                let mut fitted = self.fit(&first, clusters, &params.l2(penalty))?;
                losses.push(evaluate(fitted.predictor.as_mut(), &last)?.mean);
            }
        }
        let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0);
        let penalty = tuning.penalties[best];
        Ok(Tuned { fitted: self.fit(series, clusters, &params.l2(penalty))?, penalty, validation: losses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::generate::kinetic_ising_stream;
    use linalg_core::Streams;

    #[test]
    fn bad_parameters_are_named() {
        let series = kinetic_ising_stream(&[0.0; 2], &[0.3; 4], 40, &mut Streams::new(1).stream(0)).unwrap();
        let none = ClusterSet::new(2, Vec::new());
        let run = |tuning: Tuning| Model::SelfMarkov.fit_tuned(&series, &none, &FitParams::default(), &tuning);
        assert!(matches!(run(Tuning::default().penalties(vec![])), Err(Error::Parameter { .. })));
        assert!(matches!(run(Tuning::default().validation(1.0)), Err(Error::Parameter { .. })));
        assert!(matches!(run(Tuning::default().penalties(vec![-1.0])), Err(Error::Parameter { what: "penalty", .. })));
        assert!(run(Tuning::default().validation(0.001)).is_err(), "one step to validate on");
    }
}
