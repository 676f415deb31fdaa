//! Tests that go forward in time.

use std::ops::{ControlFlow, Range};

use linalg_core::Observer;

use crate::cluster::{ClusterSet, SignedClustering};
use crate::series::{BitSeries, Correlations, SeriesError};
use crate::{Error, Result};

use super::{FitParams, Fitted, LogLossReport, Model, Tuned, Tuning, evaluate};

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
        return Err(Error::Parameter { what: "train fraction", value: first, expected: "between 0 and 1" });
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

/// How a model is tested on pieces of a series, each predicted from everything before it.
///
/// Clusters, penalty and all numbers of a model come from the steps before a piece. The pieces are those of [`forward_chain`].
///
/// ```
/// use linalg_core::Streams;
/// use physics_inference::predict::{ForwardTest, Model, generate::kinetic_ising_stream};
/// # use physics_inference::linalg_core;
///
/// // The second series copies the first with a delay of one.
/// let series = kinetic_ising_stream(&[0.0; 2], &[0.0, 0.0, 1.5, 0.0], 1200, &mut Streams::new(1).stream(0))?;
/// let test = ForwardTest::default().first(0.5).folds(3);
/// let free = test.run(Model::KineticIsing, &series, &mut ())?;
/// let alone = test.run(Model::SelfMarkov, &series, &mut ())?;
/// let gain = alone.loss.minus(&free.loss)?;
/// assert!((gain.value - (alone.loss.mean - free.loss.mean)).abs() < 1e-12);
/// assert!(gain.value > 5.0 * gain.std_error.unwrap());
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ForwardTest {
    /// Share of the steps before the first piece; default 0.6.
    pub first: f64,
    /// Number of pieces; default 1.
    pub folds: usize,
    /// How the clusters of a model that needs them are found; by default with a threshold of 0.5.
    pub clustering: SignedClustering,
    /// How a model is fitted.
    pub fit: FitParams,
    /// How its penalty is chosen; that of [`fit`](Self::fit) is taken by default.
    pub tuning: Option<Tuning>,
}

impl Default for ForwardTest {
    fn default() -> Self {
        Self {
            first: 0.6,
            folds: 1,
            clustering: SignedClustering::default().hysteresis(0.0),
            fit: FitParams::default(),
            tuning: None,
        }
    }
}

impl ForwardTest {
    /// Sets the share of the steps before the first piece.
    #[must_use]
    pub fn first(mut self, share: f64) -> Self {
        self.first = share;
        self
    }

    /// Sets the number of pieces.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// Sets how clusters are found.
    #[must_use]
    pub fn clustering(mut self, clustering: SignedClustering) -> Self {
        self.clustering = clustering;
        self
    }

    /// Sets how a model is fitted.
    #[must_use]
    pub fn fit(mut self, params: FitParams) -> Self {
        self.fit = params;
        self
    }

    /// Lets the penalty be chosen on the last steps before each piece.
    #[must_use]
    pub fn tuning(mut self, tuning: Tuning) -> Self {
        self.tuning = Some(tuning);
        self
    }

    /// Fits and scores a model on one piece after the other. Costs `folds` fits, with tuning times one more than penalties.
    ///
    /// The observer sees every piece when it is done; when it asks to stop, the report is of the pieces so far.
    ///
    /// # Errors
    /// Of [`forward_chain`]; [`SeriesError::Constant`] for a series that does not vary before the first piece; those of
    /// [`Model::fit_tuned`], [`SignedClustering::run`] and [`evaluate`].
    pub fn run<O: Observer<ForwardPiece> + ?Sized>(
        &self,
        model: Model,
        series: &BitSeries,
        observer: &mut O,
    ) -> Result<ForwardReport> {
        let mut pieces = Vec::with_capacity(self.folds);
        for (train, test) in forward_chain(series.n_steps(), self.first, self.folds)? {
            let before = series.steps(train.clone());
            before.check_varying()?;
            let clusters = if model.uses_clusters() {
                self.clustering.run(&Correlations::new(&before)?, None)?.set
            } else {
                ClusterSet::singles(series.n_series())
            };
            let single = || Tuning::default().penalties(vec![self.fit.l2]);
            let tuning = self.tuning.clone().unwrap_or_else(single);
            let Tuned { mut fitted, penalty, .. } = model.fit_tuned(&before, &clusters, &self.fit, &tuning)?;
            let loss = evaluate(fitted.predictor.as_mut(), &series.steps(test.clone()))?;
            let piece = ForwardPiece { train, test, fitted, penalty, loss };
            let flow = observer.observe(&piece);
            pieces.push(piece);
            if flow == ControlFlow::Break(()) {
                break;
            }
        }
        let losses: Vec<LogLossReport> = pieces.iter().map(|piece| piece.loss.clone()).collect();
        Ok(ForwardReport { loss: LogLossReport::joined(&losses)?, pieces })
    }
}

/// A model on one piece.
#[derive(Debug)]
pub struct ForwardPiece {
    /// Steps it was fitted to.
    pub train: Range<usize>,
    /// Steps it predicted.
    pub test: Range<usize>,
    /// The fit; its predictor is at the end of the piece.
    pub fitted: Fitted,
    /// The penalty of the fit.
    pub penalty: f64,
    /// Losses on the piece.
    pub loss: LogLossReport,
}

/// A model on all pieces.
#[derive(Debug)]
pub struct ForwardReport {
    /// The pieces, in time.
    pub pieces: Vec<ForwardPiece>,
    /// Losses on all of them, one after the other: [`LogLossReport::minus`] compares two models on the same pieces.
    pub loss: LogLossReport,
}

impl ForwardReport {
    /// Mean over the pieces of the loss on the steps before them.
    pub fn train_log_loss(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.fitted.train_log_loss).sum::<f64>() / self.pieces.len() as f64
    }

    /// Whether the search of every fit met its tolerance.
    pub fn converged(&self) -> bool {
        self.pieces.iter().all(|piece| piece.fitted.converged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::generate::kinetic_ising_stream;
    use linalg_core::Streams;

    fn stream(n: usize, steps: usize) -> BitSeries {
        let j: Vec<f64> = (0..n * n).map(|k| 0.4 * (k as f64 * 1.7).sin()).collect();
        kinetic_ising_stream(&vec![0.1; n], &j, steps, &mut Streams::new(7).stream(0)).unwrap()
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn pieces_follow_each_other_and_cover_the_end() {
        let chain = forward_chain(103, 0.5, 4).unwrap();
        assert!(chain.iter().all(|(train, test)| train.start == 0 && train.end == test.start && test.len() == 12));
        assert!(chain.windows(2).all(|pair| pair[0].1.end == pair[1].1.start) && chain[3].1.end == 103);
        assert!(forward_chain(10, 0.5, 0).is_err() && forward_chain(10, f64::NAN, 2).is_err());
        assert!(forward_chain(10, 0.5, 3).is_err() && forward_chain(0, 0.5, 1).is_err());
    }

    #[test]
    fn a_forward_test_is_its_fits_one_by_one() {
        let series = stream(4, 500);
        let test = ForwardTest::default().first(0.5).folds(3);
        let report = test.run(Model::KineticIsing, &series, &mut ()).unwrap();
        let alone = test.run(Model::SelfMarkov, &series, &mut ()).unwrap();
        let mut per_step = Vec::new();
        for ((train, test), piece) in forward_chain(500, 0.5, 3).unwrap().into_iter().zip(&report.pieces) {
            assert_eq!((&train, &test), (&piece.train, &piece.test));
            let none = ClusterSet::singles(4);
            let mut fitted = Model::KineticIsing.fit(&series.steps(train), &none, &FitParams::default()).unwrap();
            let loss = evaluate(fitted.predictor.as_mut(), &series.steps(test)).unwrap();
            assert_eq!(bits(&loss.per_step), bits(&piece.loss.per_step));
            per_step.extend(loss.per_step);
        }
        assert_eq!(bits(&per_step), bits(&report.loss.per_step));
        // Every step of the second half once: 3 times 83 steps, what is left is learned from.
        assert_eq!((per_step.len(), report.pieces[0].test.start, report.pieces[2].test.end), (249, 251, 500));
        // The paired difference is the difference of the losses, and its error that of the differences of blocks.
        let difference = alone.loss.minus(&report.loss).unwrap();
        assert!((difference.value - (alone.loss.mean - report.loss.mean)).abs() < 1e-13);
        assert!(difference.std_error.unwrap() < alone.loss.std_error + report.loss.std_error);
    }

    #[test]
    fn what_is_tested_on_is_not_looked_at() {
        let series = stream(4, 400);
        let mut changed = BitSeries::new(4).unwrap();
        let mut step = [0i8; 4];
        for t in 0..400 {
            series.step_into(t, &mut step);
            if t >= 350 {
                step.iter_mut().for_each(|b| *b = -*b);
            }
            changed.push(&step);
        }
        let test = ForwardTest::default().first(0.75).folds(2).tuning(Tuning::default());
        for model in [Model::KineticIsing, Model::Mixture] {
            let (a, b) = (test.run(model, &series, &mut ()).unwrap(), test.run(model, &changed, &mut ()).unwrap());
            for (a, b) in a.pieces.iter().zip(&b.pieces) {
                assert_eq!(a.penalty.to_bits(), b.penalty.to_bits());
                assert_eq!(a.fitted.train_log_loss.to_bits(), b.fitted.train_log_loss.to_bits());
            }
            assert_eq!(bits(&a.pieces[0].loss.per_step), bits(&b.pieces[0].loss.per_step));
            assert_ne!(bits(&a.pieces[1].loss.per_step), bits(&b.pieces[1].loss.per_step));
        }
    }

    #[test]
    fn a_stop_leaves_the_pieces_done() {
        let series = stream(3, 300);
        let mut seen = 0;
        let mut stop = |_: &ForwardPiece| {
            seen += 1;
            if seen < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let report = ForwardTest::default().folds(4).run(Model::SelfMarkov, &series, &mut stop).unwrap();
        assert_eq!((report.pieces.len(), report.loss.per_step.len()), (2, 60));
        assert!(report.converged() && report.train_log_loss().is_finite());
    }

    #[test]
    fn a_series_that_varies_too_late_is_named() {
        let mut series = BitSeries::new(2).unwrap();
        (0..40).for_each(|t| series.push(&[if t % 3 == 0 { 1 } else { -1 }, if t < 30 { 1 } else { -1 }]));
        let result = ForwardTest::default().run(Model::SelfMarkov, &series, &mut ());
        assert!(matches!(result, Err(Error::Series(SeriesError::Constant { column: 2, .. }))), "{result:?}");
    }
}
