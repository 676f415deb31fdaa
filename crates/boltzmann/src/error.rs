//! The error type of this crate.

use thiserror::Error as ThisError;

/// What can go wrong with a machine, data, a parameter or a file.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A list of the wrong length.
    #[error("{what}: {got} values, expected {expected}")]
    WrongLength {
        /// Name of the list.
        what: &'static str,
        /// Values given.
        got: usize,
        /// Values expected.
        expected: usize,
    },
    /// Something that must have elements has none.
    #[error("{what} is empty")]
    Empty {
        /// Name of what is empty.
        what: &'static str,
    },
    /// A number that must be finite is NaN or infinite.
    #[error("{what}[{index}] is {value}, expected a finite number")]
    NotFinite {
        /// Name of the array.
        what: &'static str,
        /// Position in the array.
        index: usize,
        /// The number found there.
        value: f64,
    },
    /// A value of the data that the units cannot take.
    #[error("row {row}, entry {entry} is {value}, expected {expected}")]
    Alphabet {
        /// Row of the data, from 0.
        row: usize,
        /// Entry of the row, from 0.
        entry: usize,
        /// The value found.
        value: f64,
        /// The values allowed.
        expected: &'static str,
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
        /// What is too large, for example `number of units to enumerate`.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The largest value possible.
        bound: usize,
    },
    /// A machine outside what a method can do.
    #[error("{method} does not apply: {reason}")]
    NotApplicable {
        /// Name of the method.
        method: &'static str,
        /// What about the machine excludes it.
        reason: &'static str,
    },
    /// An energy without lower bound: the measure cannot be normalised.
    #[error(
        "the energy has no lower bound: the largest eigenvalue of W diag(1/γ_v) W' against γ_h is {eigenvalue}, expected < 1"
    )]
    Unbounded {
        /// The largest eigenvalue of the scaled product of the couplings; the threshold is 1.
        eigenvalue: f64,
    },
    /// The parameters became NaN or infinite during training; the machine keeps the last good state.
    #[error("training diverged in update {update}: {what}; the state of update {kept} was kept")]
    Diverged {
        /// The update after which a parameter was not finite.
        update: u64,
        /// Name of the array.
        what: &'static str,
        /// The update whose parameters were kept.
        kept: u64,
    },
    /// A file that is not what its reader expects.
    #[error("{format}, byte {byte}: found {found}, expected {expected}")]
    File {
        /// Name of the format.
        format: &'static str,
        /// Where, in bytes from 0.
        byte: u64,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// A file that cannot be read from or written to.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// A failure of a spin model or a solver.
    #[error(transparent)]
    Spins(#[from] spin_models::Error),
    /// A failure of the numerical core.
    #[error(transparent)]
    Numerics(#[from] linalg_core::Error),
    /// A checkpoint that cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] linalg_core::checkpoint::CheckpointError),
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Checks that all numbers are finite.
pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
    }
}

/// Checks the length of a list.
pub(crate) fn check_length(what: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::WrongLength { what, got, expected }) }
}

/// Checks an inverse temperature: finite and positive.
pub(crate) fn check_beta(beta: f64) -> Result<()> {
    if beta.is_finite() && beta > 0.0 {
        Ok(())
    } else {
        Err(Error::Parameter { what: "beta", value: beta.to_string(), expected: "a finite number > 0" })
    }
}
