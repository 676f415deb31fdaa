//! The error type of this crate.

use thiserror::Error as ThisError;

use spin_models::io::ParseError;

/// What can go wrong with a code, a noise model, a file or a decoder.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A probability outside its range, or NaN.
    #[error("{what} {index} has probability {value}, expected {expected}")]
    Probability {
        /// What has the probability, for example `mechanism`.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The number given.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// A list or a matrix of the wrong size.
    #[error("{what}: {got} given, {expected} expected")]
    WrongLength {
        /// Name of the list.
        what: &'static str,
        /// Size given.
        got: usize,
        /// Size expected.
        expected: usize,
    },
    /// An index beyond its bound.
    #[error("{what} {index} is out of bounds for {bound}")]
    OutOfBounds {
        /// Kind of index, for example `detector`.
        what: &'static str,
        /// The index given.
        index: usize,
        /// One past the largest index allowed.
        bound: usize,
    },
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
    /// A problem too large for a method.
    #[error("{method}: {what} is {value}, at most {bound} is possible")]
    TooLarge {
        /// Name of the method.
        method: &'static str,
        /// What is too large, for example `number of generators`.
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
        /// What about the problem excludes it, with the place.
        reason: String,
    },
    /// A syndrome that no error has.
    #[error("no error has this syndrome: the checks {checks:?} add up to nothing, their bits to one")]
    ImpossibleSyndrome {
        /// Rows of the check matrix whose sum is zero and whose syndrome bits add up to one.
        checks: Vec<usize>,
    },
    /// A file that cannot be read as what it should be.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A file that cannot be read from or written to.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// A failure of a spin model or a solver.
    #[error(transparent)]
    Spins(#[from] spin_models::Error),
    /// A failure of the numerical core.
    #[error(transparent)]
    Numerics(#[from] linalg_core::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
