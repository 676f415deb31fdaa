//! Checkpoints: header with magic, version, content hash and generator state; bit-identical restore.

use thiserror::Error as ThisError;

/// Why a checkpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes do not start with the magic of this format.
    #[error("not a checkpoint: the first bytes are {found:02x?}")]
    Magic {
        /// What stands there instead.
        found: [u8; 8],
    },
}

/// A saved state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What was saved, for example the name of an engine.
    pub kind: String,
    /// Content hash of the problem.
    pub problem: u64,
    /// The state.
    pub payload: Vec<u8>,
}
