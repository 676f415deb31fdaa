//! The IDX format of the MNIST files.

use std::io::Read;

use linalg_core::rand::Rng;
use linalg_core::rng::SplitMix64;

use super::Bytes;
use crate::{BitRows, Error, Result};

/// An array of bytes with its shape, the last index running fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxArray {
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The entries.
    pub data: Vec<u8>,
}

impl IdxArray {
    /// Entries of one item: the product of all sizes but the first.
    pub fn item_len(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// The bits `pixel >= threshold`, a row for each item.
    ///
    /// # Errors
    /// [`Error::Empty`] for an array without entries.
    pub fn threshold(&self, threshold: u8) -> Result<BitRows> {
        let bits: Vec<u8> = self.data.iter().map(|&x| u8::from(x >= threshold)).collect();
        BitRows::from_bytes(&bits, self.item_len())
    }
}

/// Reads an IDX file of unsigned bytes: two zeros, the type 8, the number of dimensions, the sizes as big-endian 32-bit
/// numbers, the entries.
///
/// ```
/// use boltzmann::io::read_idx;
///
/// let array = read_idx(&[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 200][..])?;
/// assert_eq!((array.shape, array.data), (vec![1, 2], vec![7, 200]));
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`] with the byte for another magic number, a file too short or too long; [`Error::Io`].
pub fn read_idx(mut source: impl Read) -> Result<IdxArray> {
    let mut bytes = Bytes::read("idx", &mut source)?;
    let magic = bytes.take(4, "the magic number")?.to_vec();
    if magic[..3] != [0, 0, 8] || magic[3] == 0 {
        let expected = "the bytes 0 0 8 (unsigned bytes) and a number of dimensions >= 1";
        return Err(bytes.error(0, format!("{magic:?}"), expected));
    }
    let mut shape = Vec::new();
    for _ in 0..magic[3] {
        let size = bytes.take(4, "a size")?;
        shape.push(u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize);
    }
    bytes.entries(&shape, 1)?;
    Ok(IdxArray { shape, data: bytes.bytes.split_off(bytes.at) })
}

/// Bits that are 1 with probability `pixel/255`, the same on every machine.
///
/// Bit j of item i is 1 iff `pixel · 2^24 > 255 u` in integers, with u the upper 24 bits of number `i · pixels + j` of the
/// SplitMix64 sequence of `seed`. The convention: seed 0 for a training file, 2^40 for a test file.
///
/// # Errors
/// [`Error::Empty`] for an array without entries.
pub fn static_binarisation(images: &IdxArray, seed: u64) -> Result<BitRows> {
    if images.data.is_empty() {
        return Err(Error::Empty { what: "data" });
    }
    let mut words = SplitMix64::new(seed);
    let bit = |&pixel: &u8| u8::from(u64::from(pixel) << 24 > 255 * (words.next_u64() >> 40));
    let bits: Vec<u8> = images.data.iter().map(bit).collect();
    BitRows::from_bytes(&bits, images.item_len())
}
