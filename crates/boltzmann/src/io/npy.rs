//! NumPy's array files.

use std::io::{Read, Write};

use super::Bytes;
use crate::error::check_length;
use crate::{Error, Result};

/// An array of numbers with its shape, the last index running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The entries.
    pub data: Vec<f64>,
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads a `.npy` file of format 1 to 3 with entries `|b1`, `|u1`, `|i1`, `<i4`, `<i8`, `<f4` or `<f8`, in C order.
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
    let mut bytes = Bytes::read("npy", &mut source)?;
    let magic = bytes.take(8, "the magic string and the version")?.to_vec();
    if magic[..6] != *MAGIC || !(1..=3).contains(&magic[6]) {
        return Err(bytes.error(0, format!("{magic:02x?}"), "93 4e 55 4d 50 59 and a version 1 to 3"));
    }
    let len = if magic[6] == 1 {
        let len = bytes.take(2, "the length of the header")?;
        usize::from(u16::from_le_bytes([len[0], len[1]]))
    } else {
        let len = bytes.take(4, "the length of the header")?;
        u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize
    };
    let start = bytes.at;
    let header = String::from_utf8_lossy(bytes.take(len, "the header")?).into_owned();
    let field = |name: &str| {
        let key = format!("'{name}':");
        header.find(&key).map(|at| header[at + key.len()..].trim_start())
    };
    let missing = |bytes: &Bytes, what: &str| bytes.error(start, format!("{:.80?}", header), what);
    let descr = field("descr").and_then(|rest| rest.strip_prefix('\'')?.split('\'').next().map(str::to_owned));
    let Some(descr) = descr else { return Err(missing(&bytes, "a header with 'descr'")) };
    match field("fortran_order") {
        Some(rest) if rest.starts_with("False") => {}
        Some(_) => return Err(missing(&bytes, "'fortran_order': False")),
        None => return Err(missing(&bytes, "a header with 'fortran_order'")),
    }
    let shape = field("shape").and_then(|rest| {
        let (inside, _) = rest.strip_prefix('(')?.split_once(')')?;
        let sizes = inside.split(',').map(str::trim).filter(|size| !size.is_empty());
        sizes.map(|size| size.parse::<usize>().ok()).collect::<Option<Vec<_>>>()
    });
    let Some(shape) = shape else { return Err(missing(&bytes, "a header with 'shape': (sizes)")) };
    let size = match descr.as_str() {
        "|b1" | "|u1" | "|i1" => 1,
        "<i4" | "<f4" => 4,
        "<i8" | "<f8" => 8,
        _ => {
            return Err(bytes.error(
                start,
                format!("entries {descr:?}"),
                "b1, u1, i1, i4, i8, f4 or f8, little-endian",
            ));
        }
    };
    bytes.entries(&shape, size)?;
    let entry = |x: &[u8]| match (descr.as_str(), x) {
        ("|i1", x) => f64::from(x[0] as i8),
        (_, &[x]) => f64::from(x),
        ("<i4", &[a, b, c, d]) => f64::from(i32::from_le_bytes([a, b, c, d])),
        (_, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
        ("<i8", &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]) as f64,
        (_, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    };
    let data = bytes.bytes[bytes.at..].chunks_exact(size).map(entry).collect();
    Ok(NpyArray { shape, data })
}

/// Writes a `.npy` file, format 1, entries `<f8`.
///
/// # Errors
/// [`Error::WrongLength`] if shape and entries do not agree; [`Error::Io`].
pub fn write_npy(array: &NpyArray, out: &mut impl Write) -> Result<()> {
    check_length("entries of the array", array.data.len(), array.shape.iter().product())?;
    let sizes: String = array.shape.iter().map(|size| format!("{size}, ")).collect();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", sizes.trim_end());
    // The data begin at a multiple of 64 bytes, after a line end.
    let padding = 63 - (10 + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let len = u16::try_from(header.len()).map_err(|_| Error::Parameter {
        what: "number of dimensions",
        value: array.shape.len().to_string(),
        expected: "so many that the header has at most 65535 bytes",
    })?;
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for x in &array.data {
        out.write_all(&x.to_le_bytes())?;
    }
    Ok(())
}
