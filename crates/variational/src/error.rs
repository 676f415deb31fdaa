//! The error type of this crate.

use thiserror::Error as ThisError;

/// What can go wrong with a model, a parameter, a network or its training.
///
/// An iteration that does not converge is no error: its report says so.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A parameter outside its range.
    #[error("{what} is {value}, expected {expected}")]
    Parameter {
        /// Name of the parameter.
        what: &'static str,
        /// The value given, as text.
        value: String,
        /// The range or the rule it breaks.
        expected: &'static str,
    },
    /// A NaN or infinite number where a finite one is needed.
    #[error("{what} {index} is {value}, expected a finite number")]
    NotFinite {
        /// What the number is, for example `energy of sample`.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The number found.
        value: f64,
    },
    /// A list of the wrong length.
    #[error("{what}: {got} given, {expected} expected")]
    WrongLength {
        /// Name of the list.
        what: &'static str,
        /// Length given.
        got: usize,
        /// Length expected.
        expected: usize,
    },
    /// A problem too large for a method.
    #[error("{method}: {what} is {value}, at most {bound} is possible")]
    TooLarge {
        /// Name of the method.
        method: &'static str,
        /// What is too large, for example `number of spins`.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The largest value possible.
        bound: usize,
    },
    /// A problem outside what a method can do.
    #[error("{method} does not apply: {reason}")]
    NotApplicable {
        /// Name of the method.
        method: &'static str,
        /// What about the problem excludes it.
        reason: String,
    },
    /// A checkpoint or a file of weights that belongs to another network.
    #[error("weights of {found}, expected {expected}")]
    Architecture {
        /// The architecture of the file.
        found: String,
        /// The architecture that should read it.
        expected: String,
    },
    /// A file that is no file of weights.
    #[error("file of weights: {reason}")]
    File {
        /// What is wrong with it.
        reason: String,
    },
    /// A failure to read or write.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An observer asked for a stop before there was a result.
    #[error("{method} was stopped after {done} of {total} steps")]
    Stopped {
        /// Name of the method.
        method: &'static str,
        /// Steps done.
        done: u64,
        /// Steps planned.
        total: u64,
    },
    /// A failure of a spin model or a solver below.
    #[error(transparent)]
    Spins(#[from] spin_models::Error),
    /// A failure of the numerical core.
    #[error(transparent)]
    Numerics(#[from] linalg_core::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl From<Error> for spin_models::Error {
    /// Errors of `spin-models` and `linalg-core` come back as themselves, a stop as a stop, the others as
    /// [`Solver`](spin_models::Error::Solver).
    fn from(error: Error) -> Self {
        match error {
            Error::Spins(error) => error,
            Error::Numerics(error) => error.into(),
            Error::Stopped { method, done, total } => Self::Stopped { solver: method, done, total },
            other => Self::solver("variational", other),
        }
    }
}

impl From<linalg_core::checkpoint::CheckpointError> for Error {
    fn from(error: linalg_core::checkpoint::CheckpointError) -> Self {
        Self::Numerics(error.into())
    }
}

/// Checks an inverse temperature: finite and not negative.
pub(crate) fn check_beta(beta: f64) -> Result<()> {
    if beta.is_finite() && beta >= 0.0 { Ok(()) } else { Err(spin_models::Error::Beta { beta }.into()) }
}

/// Checks that a parameter lies in `low ..= high`; NaN does not.
pub(crate) fn check_range(what: &'static str, value: f64, low: f64, high: f64, expected: &'static str) -> Result<()> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(Error::Parameter { what, value: value.to_string(), expected })
    }
}

/// Checks that a count is not zero.
pub(crate) fn check_positive(what: &'static str, value: usize) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(Error::Parameter { what, value: "0".to_owned(), expected: "at least 1" }) }
}
