//! Checkpoints: a small binary container, bit-identical restore.
//!
//! A long computation writes its state into a [`Writer`], wraps the bytes in a [`Checkpoint`] together with its kind and
//! the [`ContentHash`] of the problem, and saves it. Restoring opens the container for the expected kind and problem and
//! reads the numbers back with a [`Reader`], bit for bit, generators included.
//!
//! # Format
//!
//! All numbers are little-endian. Text is UTF-8 with a length before it.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic `89 4c 41 43 4b 50 0d 0a` (`\x89LACKP\r\n`) |
//! | 4 | version of this container, [`VERSION`] |
//! | 4 + k | kind: length k, text |
//! | 8 | content hash of the problem |
//! | 8 + n | payload: length n, bytes |
//! | 8 | FNV-1a 64 of everything before |
//!
//! The magic has a byte above 127 and a line end, so that a transfer in text mode breaks it. The checksum guards against
//! accidents, not against an attacker; yet no input makes the readers panic or allocate more than its own size.
//!
//! The kind names the writer and the layout of its payload, with a version of its own where it may change
//! (`"metropolis 2"`).

mod container;
mod error;
mod hash;
mod reader;
mod replace;
mod writer;

pub use container::{Checkpoint, MAGIC, VERSION};
pub use error::CheckpointError;
pub use hash::ContentHash;
pub use reader::Reader;
pub use replace::replace_file;
pub use writer::Writer;
