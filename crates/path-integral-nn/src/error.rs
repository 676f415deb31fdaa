//! The error type of this crate.

use thiserror::Error as ThisError;

/// What can go wrong with a potential, a grid, a parameter or a run.
///
/// Wrong slice lengths are a caller's bug and panic with both lengths; a fit or an iteration that does not settle is a
/// field of its report.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A parameter outside its range.
    #[error("{what} is {value}, expected {expected}")]
    Parameter {
        /// Name of the parameter.
        what: &'static str,
        /// The value given.
        value: f64,
        /// The range or the rule it breaks, and what to change.
        expected: &'static str,
    },
    /// A NaN or infinite number where a finite one is needed.
    #[error("{what} {index} is {value}, expected a finite number")]
    NotFinite {
        /// What the number is.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The number found.
        value: f64,
    },
    /// A potential or force that is not finite on a path.
    #[error(
        "the {what} of chain {chain} is {value} in step {step}: start closer to the minimum, or bound the potential where paths go"
    )]
    PathNotFinite {
        /// What is not finite, for example `action`.
        what: &'static str,
        /// The chain, from 0.
        chain: usize,
        /// The step of the run, from 0.
        step: u64,
        /// The number found.
        value: f64,
    },
    /// Numbers that must increase strictly and do not.
    #[error(
        "{what} {index} is {value}, expected more than the {previous} before it: sort the knots and merge equal ones"
    )]
    NotAscending {
        /// Name of the list.
        what: &'static str,
        /// Position in the list, from 0.
        index: usize,
        /// The number before it.
        previous: f64,
        /// The number found.
        value: f64,
    },
    /// A potential without a lower bound: no ground state and no finite average.
    #[error("the potential is unbounded below: {reason}; make its leading even power positive")]
    UnboundedBelow {
        /// Where it was seen.
        reason: String,
    },
    /// Fixed ends with nothing between them.
    #[error(
        "fixed ends with {slices} slice leave no point to sample, expected at least 2; the kernel of one slice is a formula"
    )]
    NothingToSample {
        /// The number of slices given.
        slices: usize,
    },
    /// Weights too uneven for reweighting.
    #[error(
        "the effective sample size is {effective:.1} of {samples}, expected at least {bound:.1}: take a closer reference, a shorter time or a sampler that moves"
    )]
    EffectiveSampleSize {
        /// Effective number of samples.
        effective: f64,
        /// Number of samples drawn.
        samples: u64,
        /// Smallest number accepted.
        bound: f64,
    },
    /// A Monte Carlo sum of phases that cancels.
    #[error(
        "the average phase is {average:.2e}, expected at least {bound}: rotate the contour or take the grid propagator"
    )]
    AveragePhase {
        /// Modulus of the average phase.
        average: f64,
        /// Smallest modulus accepted.
        bound: f64,
    },
    /// A request that does not apply to an ensemble or a potential.
    #[error("{what} does not apply: {reason}")]
    NotApplicable {
        /// What was asked.
        what: &'static str,
        /// Why not, and what does apply.
        reason: &'static str,
    },
    /// An observer asked for a stop.
    #[error("stopped after {done} of {total} steps")]
    Stopped {
        /// Steps done.
        done: u64,
        /// Steps planned.
        total: u64,
    },
    /// An error of the numerical core.
    #[error(transparent)]
    Core(#[from] linalg_core::Error),
    /// A checkpoint that cannot be read or belongs to something else.
    #[error(transparent)]
    Checkpoint(#[from] linalg_core::checkpoint::CheckpointError),
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// `value`, if positive and finite.
pub(crate) fn positive(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(Error::Parameter { what, value, expected: "a finite number > 0" })
}

/// `value`, if at least 1.
pub(crate) fn at_least_one(what: &'static str, value: usize) -> Result<usize> {
    if value > 0 {
        return Ok(value);
    }
    Err(Error::Parameter { what, value: 0.0, expected: "at least 1" })
}

/// An error at the first value that is not finite.
pub(crate) fn all_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}
