//! Choosing a penalty by validation, and tests that go forward in time.

use std::ops::Range;

use crate::cluster::ClusterSet;
use crate::series::{BitSeries, SeriesError};
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
    /// [`Error::Parameter`] for no penalty or a share outside (0, 1), [`SeriesError::TooShort`], and those of [`Model::fit`].
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

/// Steps to learn from and steps to test on, `folds` times: the tests are pieces of equal length that cover the series from the
/// share `first` on, and each is predicted from everything before it.
///
/// ```
/// use physics_inference::predict::forward_chain;
///
/// assert_eq!(forward_chain(10, 0.4, 3)?, [(0..4, 4..6), (0..6, 6..8), (0..8, 8..10)]);
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for no folds or a share outside (0, 1), [`SeriesError::TooShort`] where a piece would have fewer than two
/// steps.
pub fn forward_chain(n_steps: usize, first: f64, folds: usize) -> Result<Vec<(Range<usize>, Range<usize>)>> {
    if folds == 0 {
        return Err(Error::Parameter { what: "folds", value: 0.0, expected: "at least 1" });
    }
    if !(first > 0.0 && first < 1.0) {
        return Err(Error::Parameter { what: "first share", value: first, expected: "between 0 and 1" });
    }
    let start = (first * n_steps as f64).round() as usize;
    let length = n_steps.saturating_sub(start) / folds;
    if length < 2 || start < 2 {
        return Err(SeriesError::TooShort {
            found: n_steps,
            needed: ((2.0 * folds as f64 / (1.0 - first)).ceil() as usize + 2).max((2.0 / first).ceil() as usize),
        }
        .into());
    }
    // What does not divide goes to the first piece to learn from.
    let start = n_steps - folds * length;
    Ok((0..folds).map(|k| (0..start + k * length, start + k * length..start + (k + 1) * length)).collect())
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
        assert!(forward_chain(10, 0.5, 0).is_err() && forward_chain(10, f64::NAN, 2).is_err());
        assert!(forward_chain(10, 0.5, 3).is_err() && forward_chain(0, 0.5, 1).is_err());
    }

    #[test]
    fn pieces_follow_each_other_and_cover_the_end() {
        let chain = forward_chain(103, 0.5, 4).unwrap();
        assert!(chain.iter().all(|(train, test)| train.start == 0 && train.end == test.start && test.len() == 12));
        assert!(chain.windows(2).all(|pair| pair[0].1.end == pair[1].1.start) && chain[3].1.end == 103);
    }
}
