//! Files: images and labels (IDX), arrays (npy), weights (safetensors), and the rule that makes grey pixels bits.
//!
//! Readers take any [`Read`], hold no more than the file is long, and name format and byte where something is wrong.

mod idx;
mod json;
mod npy;
mod safetensors;

pub use idx::{IdxArray, read_idx, static_binarisation};
pub use npy::{NpyArray, read_npy, write_npy};
pub use safetensors::{read_weights, write_weights};

use std::io::Read;

use crate::{Error, Result};

/// A whole file with a position, for readers that count bytes.
struct Bytes {
    format: &'static str,
    bytes: Vec<u8>,
    at: usize,
}

impl Bytes {
    fn read(format: &'static str, source: &mut impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes)?;
        Ok(Self { format, bytes, at: 0 })
    }

    fn error(&self, at: usize, found: impl Into<String>, expected: impl Into<String>) -> Error {
        Error::File { format: self.format, byte: at as u64, found: found.into(), expected: expected.into() }
    }

    fn take(&mut self, n: usize, what: &str) -> Result<&[u8]> {
        let left = self.bytes.len() - self.at;
        if n > left {
            return Err(self.error(self.at, format!("{left} bytes to the end"), format!("{n} bytes of {what}")));
        }
        self.at += n;
        Ok(&self.bytes[self.at - n..self.at])
    }

    /// An array with this shape must fill the rest of the file; returns its number of entries.
    fn entries(&self, shape: &[usize], size: usize) -> Result<usize> {
        let entries = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let bytes = entries.and_then(|n| n.checked_mul(size));
        let left = self.bytes.len() - self.at;
        match (entries, bytes) {
            (Some(entries), Some(bytes)) if bytes == left => Ok(entries),
            (_, bytes) => {
                let expected = bytes.map_or("more than can be counted".to_owned(), |bytes| bytes.to_string());
                let expected = format!("{expected} bytes for the shape {shape:?}");
                Err(self.error(self.at, format!("{left} bytes to the end"), expected))
            }
        }
    }
}
