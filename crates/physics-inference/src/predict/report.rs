//! What every predictor does, and how well it does it.

use std::time::Instant;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::stats::{Estimate, Running, block_means};

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

impl LogLossReport {
    /// Mean of this loss minus the other one over the same steps, with its error from blocks of the differences.
    ///
    /// What is hard to predict is hard for both: the error of a difference is a fraction of that of either loss.
    ///
    /// # Errors
    /// Of [`block_means`] for a loss that is not finite.
    ///
    /// # Panics
    /// If the reports have different numbers of steps.
    pub fn minus(&self, other: &Self) -> Result<Estimate> {
        let (n, m) = (self.per_step.len(), other.per_step.len());
        assert_eq!(n, m, "losses of {n} and of {m} steps");
        let differences: Vec<f64> = self.per_step.iter().zip(&other.per_step).map(|(a, b)| a - b).collect();
        let means: Running = block_means(&differences, blocks(n).max(1))?.into_iter().collect();
        Ok(Estimate::new(differences.iter().sum::<f64>() / n as f64, means.std_error()))
    }

    /// One report of the steps of all parts, one after the other; the numbers are those of the last part.
    ///
    /// # Errors
    /// [`SeriesError::TooShort`] for no part, errors of [`block_means`].
    ///
    /// # Panics
    /// If the parts have different numbers of variables.
    pub fn joined(parts: &[Self]) -> Result<Self> {
        let Some(last) = parts.last() else { return Err(SeriesError::TooShort { found: 0, needed: 2 }.into()) };
        let per_step: Vec<f64> = parts.iter().flat_map(|part| part.per_step.iter().copied()).collect();
        let n = per_step.len();
        let mut per_variable = vec![0.0; last.per_variable.len()];
        let mut seconds = 0.0;
        for part in parts {
            let (found, expected) = (part.per_variable.len(), per_variable.len());
            assert_eq!(found, expected, "losses of {found} and of {expected} variables");
            let share = part.per_step.len() as f64 / n as f64;
            per_variable.iter_mut().zip(&part.per_variable).for_each(|(sum, x)| *sum += share * x);
            seconds += share * part.seconds_per_step;
        }
        let mut report = of_steps(per_step, per_variable)?;
        (report.seconds_per_step, report.parameters) = (seconds, last.parameters);
        Ok(report)
    }
}

/// Number of blocks for n steps: 30, or the next smaller number with longer blocks where 30 leave out more than a tenth of the
/// steps; as many as steps below 30.
fn blocks(n: usize) -> usize {
    let most = n.min(30);
    if most > 0 && 10 * (n % most) > n { n / (n / most + 1) } else { most }
}

/// Mean and error; seconds and parameters are left at 0.
fn of_steps(per_step: Vec<f64>, per_variable: Vec<f64>) -> Result<LogLossReport> {
    let n = per_step.len();
    let blocks = blocks(n);
    let means: Running = block_means(&per_step, blocks)?.into_iter().collect();
    Ok(LogLossReport {
        mean: per_step.iter().sum::<f64>() / n as f64,
        std_error: means.std_error(),
        per_variable,
        per_step,
        block: n / blocks,
        seconds_per_step: 0.0,
        parameters: 0,
    })
}

/// Lets a predictor run over a series and scores every prediction before the step is shown.
///
/// The standard error treats means over 15 to 30 blocks, fewer for fewer steps, as independent, which holds when correlations are shorter than a block. A
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
    let mut report = of_steps(per_step, per_variable)?;
    (report.seconds_per_step, report.parameters) = (seconds_per_step, predictor.n_parameters());
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_leave_out_few_steps() {
        for n in 2..2000 {
            let blocks = blocks(n);
            assert!(blocks >= n.min(16) && blocks <= 30 && 10 * (n % blocks) <= n, "{n}: {blocks}");
        }
        assert_eq!([2, 30, 31, 34, 59, 89, 249, 1000].map(blocks), [2, 30, 30, 17, 29, 29, 30, 30]);
        // 29 of 59 steps were left out, here all that differ from the others.
        let per_step: Vec<f64> = (0..59).map(|t| f64::from(u8::from(t < 29))).collect();
        assert!(of_steps(per_step, vec![0.5]).unwrap().std_error > 0.0);
    }
}
