//! Where and why a file could not be read.

use thiserror::Error as ThisError;

/// A place in an instance file that cannot be read, with what was found and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("line {line}, column {column}: found {found}, expected {expected}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What stands there, shortened.
    pub found: String,
    /// What should.
    pub expected: String,
}
