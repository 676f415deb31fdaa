//! The error type of this crate.

use thiserror::Error as ThisError;

/// What can go wrong with a series, a parameter or a run.
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
    /// An error of the numerical core.
    #[error(transparent)]
    Core(#[from] linalg_core::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
