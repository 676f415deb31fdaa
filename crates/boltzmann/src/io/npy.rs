//! NumPy's array files.

use std::io::{Read, Write};

use linalg_core::npy;

use crate::error::check_length;
use crate::{Error, Result};

pub use linalg_core::npy::Array as NpyArray;

/// Reads a `.npy` file of format 1 to 3 with entries `|b1`, `|u1`, `|i1`, `<i2`, `<i4`, `<i8`, `<f4` or `<f8`, in C or
/// Fortran order.
///
/// ```
/// use boltzmann::io::{NpyArray, read_npy, write_npy};
///
/// let array = NpyArray { shape: vec![2, 1], data: vec![0.5, -1.0] };
/// let mut file = Vec::new();
/// write_npy(&array, &mut file)?;
/// assert_eq!(read_npy(&file[..])?, array);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`] with the byte for what is no such file; [`Error::Io`].
pub fn read_npy(mut source: impl Read) -> Result<NpyArray> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    npy::read(&bytes).map_err(|npy::Unreadable { byte, found, expected }| Error::File {
        format: "npy",
        byte: byte as u64,
        found,
        expected,
    })
}

/// Writes a `.npy` file, format 1, entries `<f8`.
///
/// # Errors
/// [`Error::WrongLength`] if shape and entries do not agree; [`Error::Parameter`] for so many dimensions that the header is too long;
/// [`Error::Io`].
pub fn write_npy(array: &NpyArray, out: &mut impl Write) -> Result<()> {
    check_length("entries of the array", array.data.len(), array.shape.iter().product())?;
    let bytes = npy::write(array).map_err(|_| Error::Parameter {
        what: "number of dimensions",
        value: array.shape.len().to_string(),
        expected: "so many that the header has at most 65535 bytes",
    })?;
    out.write_all(&bytes)?;
    Ok(())
}
