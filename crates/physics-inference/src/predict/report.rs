//! What every predictor does, and how well it does it.

use std::time::Instant;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::stats::{Running, block_means};

use crate::series::{BitSeries, SeriesError};
use crate::{Error, Result};

/// Predicts a stream one step ahead.
///
/// [`predict`](Self::predict) may be called at any time and does not change what follows; [`observe`](Self::observe) shows the
/// step that came.
pub trait OnlinePredictor {
    /// Number of variables M.
    fn n_variables(&self) -> usize;

    /// Number of free numbers.
    fn n_parameters(&self) -> usize;

    /// Writes the probability of +1 in the next step for each variable.
    ///
    /// # Panics
    /// If `probabilities.len()` is not M.
    fn predict(&mut self, probabilities: &mut [f64]);

    /// Takes in the next step, and learns from it if it learns.
    ///
    /// # Panics
    /// If `step.len()` is not M.
    fn observe(&mut self, step: &[i8]);

    /// The whole state: parameters, history, learner.
    fn checkpoint(&self) -> Checkpoint;

    /// Goes back to a saved state; what follows is bit-identical.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for another model or a damaged state; the predictor is then unchanged.
    fn restore(&mut self, from: &Checkpoint) -> Result<()>;
}

/// Mean of -ln p of what came, in nats a variable and step.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogLossReport {
    /// Mean over variables and steps.
    pub mean: f64,
    /// Standard error from means over blocks of steps.
    pub std_error: f64,
    /// Mean of each variable.
    pub per_variable: Vec<f64>,
    /// Loss of each step, averaged over variables.
    pub per_step: Vec<f64>,
    /// Steps in a block.
    pub block: usize,
    /// Wall-clock seconds a step, prediction and learning.
    pub seconds_per_step: f64,
    /// Free numbers of the predictor.
    pub parameters: usize,
}

/// Lets a predictor run over a series and scores every prediction before the step is shown.
///
/// The standard error treats means over about 30 blocks as independent, which holds when correlations are shorter than a block. A
/// prediction of 0 for what came counts as the smallest normal number.
///
/// ```
/// use physics_inference::predict::{FieldPredictor, Link, NoCoupling, Units, evaluate};
/// use physics_inference::series::BitSeries;
///
/// let series = BitSeries::from_rows(1, &[1, -1, 1, 1, -1, -1])?;
/// let mut coin = FieldPredictor::new(NoCoupling::new(1, 1), Units::variables(1), 0, Link::Tanh, false);
/// let report = evaluate(&mut coin, &series)?;
/// assert!((report.mean - 2.0f64.ln()).abs() < 1e-15); // it says 1/2 each time
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] when the series has another number of variables, [`SeriesError::TooShort`] for fewer than two steps.
pub fn evaluate(predictor: &mut dyn OnlinePredictor, series: &BitSeries) -> Result<LogLossReport> {
    let (m, n) = (series.n_series(), series.n_steps());
    if m != predictor.n_variables() {
        let expected = "as many variables as the predictor has";
        return Err(Error::Parameter { what: "number of series", value: m as f64, expected });
    }
    if n < 2 {
        return Err(SeriesError::TooShort { found: n, needed: 2 }.into());
    }
    let (mut step, mut probabilities) = (vec![0i8; m], vec![0.0; m]);
    let mut per_variable = vec![0.0; m];
    let mut per_step = Vec::with_capacity(n);
    let start = Instant::now();
    for t in 0..n {
        predictor.predict(&mut probabilities);
        series.step_into(t, &mut step);
        let mut sum = 0.0;
        for ((p, &b), total) in probabilities.iter().zip(&step).zip(&mut per_variable) {
            let outcome = if b > 0 { *p } else { 1.0 - p };
            let loss = -outcome.max(f64::MIN_POSITIVE).ln();
            *total += loss / n as f64;
            sum += loss;
        }
        per_step.push(sum / m as f64);
        predictor.observe(&step);
    }
    let seconds_per_step = start.elapsed().as_secs_f64() / n as f64;
    let blocks = n.min(30);
    let means: Running = block_means(&per_step, blocks)?.into_iter().collect();
    Ok(LogLossReport {
        mean: per_step.iter().sum::<f64>() / n as f64,
        std_error: means.std_error(),
        per_variable,
        per_step,
        block: n / blocks,
        seconds_per_step,
        parameters: predictor.n_parameters(),
    })
}
