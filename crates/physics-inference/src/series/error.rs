//! What can be wrong with a table or a series.

use thiserror::Error as ThisError;

/// Why a table is not a set of binary or real series.
///
/// Lines count from 1 with the header, columns from 1; a column without a header is called `column N`.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum SeriesError {
    /// Neither of the two symbols of a binary table, or a binary table with both -1 and 0.
    #[error("line {line}, column {column} ({name}) is {found:?}, expected {expected}")]
    Value {
        /// Line of the table.
        line: usize,
        /// Column of the table.
        column: usize,
        /// Name of the column.
        name: String,
        /// What is there.
        found: String,
        /// What may be there.
        expected: &'static str,
    },
    /// An empty cell.
    #[error("line {line}, column {column} ({name}) is empty")]
    Missing {
        /// Line of the table.
        line: usize,
        /// Column of the table.
        column: usize,
        /// Name of the column.
        name: String,
    },
    /// A line with more or fewer cells than the first one.
    #[error("line {line} has {found} cells, the first line has {expected}")]
    Ragged {
        /// Line of the table.
        line: usize,
        /// Cells of this line.
        found: usize,
        /// Cells of the first line.
        expected: usize,
    },
    /// A column that never changes: there is nothing to predict, and no correlation.
    #[error("column {column} ({name}) is {value} in every step")]
    Constant {
        /// Column of the table.
        column: usize,
        /// Name of the column.
        name: String,
        /// Its only value.
        value: String,
    },
    /// Two columns of one name.
    #[error("columns {first} and {second} are both called {name:?}")]
    DuplicateName {
        /// The earlier column.
        first: usize,
        /// The later column.
        second: usize,
        /// Their name.
        name: String,
    },
    /// Too few steps for what was asked.
    #[error("{found} steps, at least {needed} needed")]
    TooShort {
        /// Steps there are.
        found: usize,
        /// Steps needed.
        needed: usize,
    },
    /// A series that was asked for by a name that no column has.
    #[error("no column is called {name:?}")]
    NoSuchColumn {
        /// The name.
        name: String,
    },
    /// A number that its bits do not give back.
    #[error("step {step} of {name}: {value} became {decoded} after encoding with {scheme}")]
    Lossy {
        /// Step, from 0.
        step: usize,
        /// Name of the column.
        name: String,
        /// The number.
        value: f64,
        /// What its bits stand for.
        decoded: f64,
        /// The encoding.
        scheme: String,
    },
    /// A file could not be read.
    #[error("{message}")]
    Io {
        /// Text of the error.
        message: String,
    },
}
