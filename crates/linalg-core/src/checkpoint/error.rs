//! Why a checkpoint cannot be used.

use std::io;

use thiserror::Error as ThisError;

/// Why a checkpoint cannot be used.
///
/// Positions count bytes from the start of what was being read: the container, or its payload for errors of
/// [`Reader`](super::Reader).
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes do not start with the magic of this format.
    #[error("not a checkpoint: the first bytes are {found:02x?}")]
    Magic {
        /// What stands there instead.
        found: [u8; 8],
    },
    /// The container was written by another version of the format.
    #[error("checkpoint format version {found}, expected {expected}")]
    Version {
        /// The version this code reads.
        expected: u32,
        /// The version in the bytes.
        found: u32,
    },
    /// The checkpoint belongs to another kind of computation.
    #[error("checkpoint of kind {found:?}, expected {expected:?}")]
    Kind {
        /// The kind asked for.
        expected: String,
        /// The kind in the checkpoint.
        found: String,
    },
    /// The checkpoint belongs to another problem.
    #[error("checkpoint of the problem with hash {found:#018x}, expected {expected:#018x}")]
    Problem {
        /// Hash of the problem at hand.
        expected: u64,
        /// Hash in the checkpoint.
        found: u64,
    },
    /// The bytes were damaged.
    #[error("checksum {found:#018x}, computed {expected:#018x}: the checkpoint is damaged")]
    Checksum {
        /// Checksum of the bytes as they are.
        expected: u64,
        /// Checksum stored behind them.
        found: u64,
    },
    /// The bytes end too early.
    #[error("truncated at byte {at}: {needed} bytes needed, {available} left")]
    Truncated {
        /// Where the item starts that is incomplete.
        at: usize,
        /// Bytes it needs.
        needed: u64,
        /// Bytes that are left.
        available: usize,
    },
    /// There are bytes behind the end.
    #[error("{extra} bytes too many from byte {at} on")]
    Trailing {
        /// Where the content ends.
        at: usize,
        /// Bytes behind it.
        extra: usize,
    },
    /// An array does not have the length the reader needs.
    #[error("array of length {found} at byte {at}, expected {expected}")]
    Length {
        /// Where the array starts.
        at: usize,
        /// Length needed.
        expected: usize,
        /// Length stored.
        found: u64,
    },
    /// A value that its type does not have.
    #[error("invalid {what} at byte {at}")]
    Invalid {
        /// Name of the value.
        what: &'static str,
        /// Where it starts.
        at: usize,
    },
    /// The file system refused.
    #[error("cannot {operation}: {message}")]
    Io {
        /// What was tried, with the path.
        operation: String,
        /// Kind of the error.
        kind: io::ErrorKind,
        /// Text of the error.
        message: String,
    },
}

impl CheckpointError {
    pub(super) fn io(operation: impl Into<String>, error: &io::Error) -> Self {
        Self::Io { operation: operation.into(), kind: error.kind(), message: error.to_string() }
    }
}
