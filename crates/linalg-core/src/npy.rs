//! NumPy's array files.
//!
//! [`read`] takes the bytes of a `.npy` file of format 1 to 3, [`write`](write()) makes one of format 1. What is wrong with a
//! file is said with its byte, so that crates can put it into their own errors.
//!
//! Reference: NumPy Enhancement Proposal 1, *A simple file format for NumPy arrays*.

/// An array of numbers with its shape, the last index running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The entries.
    pub data: Vec<f64>,
}

/// What no array file has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {byte}: found {found}, expected {expected}")]
pub struct Unreadable {
    /// Place in the file, from 0.
    pub byte: usize,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: String,
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// A file with a position.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn error(byte: usize, found: impl Into<String>, expected: impl Into<String>) -> Unreadable {
    Unreadable { byte, found: found.into(), expected: expected.into() }
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8], Unreadable> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..n) else {
            return Err(error(self.at, format!("{} bytes to the end", rest.len()), format!("{n} bytes of {what}")));
        };
        self.at += n;
        Ok(taken)
    }
}

/// Reads a file with entries `|b1`, `|u1`, `|i1`, `<i2`, `<i4`, `<i8`, `<f4` or `<f8`, in C or Fortran order.
///
/// ```
/// use linalg_core::npy::{Array, read, write};
///
/// let array = Array { shape: vec![2, 1], data: vec![0.5, -1.0] };
/// assert_eq!(read(&write(&array)?)?, array);
/// assert_eq!(read(b"PK\x03\x04....").unwrap_err().byte, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Unreadable`] with the place of what is no such file.
pub fn read(bytes: &[u8]) -> Result<Array, Unreadable> {
    let mut file = Cursor { bytes, at: 0 };
    let magic = file.take(8, "the magic string and the version")?;
    if magic[..6] != *MAGIC || !(1..=3).contains(&magic[6]) {
        return Err(error(0, format!("{magic:02x?}"), "93 4e 55 4d 50 59 and a version 1 to 3"));
    }
    let width = if magic[6] == 1 { 2 } else { 4 };
    let length = file.take(width, "the length of the header")?;
    let length = length.iter().rev().fold(0, |sum, &byte| (sum << 8) | usize::from(byte));
    let start = file.at;
    let header = String::from_utf8_lossy(file.take(length, "the header")?).into_owned();
    let missing = |expected: &str| error(start, format!("{:?}", header.chars().take(80).collect::<String>()), expected);
    let field = |name: &str| header.split_once(&format!("'{name}':")).map(|(_, rest)| rest.trim_start());
    let descr = field("descr").and_then(|rest| rest.strip_prefix('\'')?.split('\'').next());
    let descr = descr.ok_or_else(|| missing("a header with 'descr'"))?;
    let fortran = match field("fortran_order") {
        Some(rest) if rest.starts_with("False") => false,
        Some(rest) if rest.starts_with("True") => true,
        _ => return Err(missing("a header with 'fortran_order': True or False")),
    };
    let shape = field("shape").and_then(|rest| {
        let (inside, _) = rest.strip_prefix('(')?.split_once(')')?;
        let sizes = inside.split(',').map(str::trim).filter(|size| !size.is_empty());
        sizes.map(|size| size.parse::<usize>().ok()).collect::<Option<Vec<_>>>()
    });
    let shape = shape.ok_or_else(|| missing("a header with 'shape': (sizes)"))?;
    let (width, number): (usize, fn(&[u8]) -> f64) = match descr {
        "|b1" | "|u1" => (1, |x| f64::from(x[0])),
        "|i1" => (1, |x| f64::from(x[0] as i8)),
        "<i2" => (2, |x| f64::from(i16::from_le_bytes([x[0], x[1]]))),
        "<i4" => (4, |x| f64::from(i32::from_le_bytes([x[0], x[1], x[2], x[3]]))),
        "<f4" => (4, |x| f64::from(f32::from_le_bytes([x[0], x[1], x[2], x[3]]))),
        "<i8" => (8, |x| x.try_into().map_or(f64::NAN, |x| i64::from_le_bytes(x) as f64)),
        "<f8" => (8, |x| x.try_into().map_or(f64::NAN, f64::from_le_bytes)),
        _ => return Err(error(start, format!("entries {descr:?}"), "b1, u1, i1, i2, i4, i8, f4 or f8, little-endian")),
    };
    let needed = shape.iter().try_fold(width, |n, &size| n.checked_mul(size));
    let entries = &bytes[file.at..];
    if needed != Some(entries.len()) {
        let needed = needed.map_or("more than can be counted".to_owned(), |needed| needed.to_string());
        let expected = format!("{needed} bytes for the shape {shape:?}");
        return Err(error(file.at, format!("{} bytes to the end", entries.len()), expected));
    }
    let data: Vec<f64> = entries.chunks_exact(width).map(number).collect();
    let data = if fortran { rows_first(&shape, &data) } else { data };
    Ok(Array { shape, data })
}

/// Entries with the first index running fastest, put so that the last one does.
fn rows_first(shape: &[usize], data: &[f64]) -> Vec<f64> {
    let mut strides = vec![1; shape.len()];
    for k in 1..shape.len() {
        strides[k] = strides[k - 1] * shape[k - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut place = 0;
    let mut out = Vec::with_capacity(data.len());
    for _ in data {
        out.push(data[place]);
        // The next index, the last one fastest.
        for k in (0..shape.len()).rev() {
            index[k] += 1;
            place += strides[k];
            if index[k] < shape[k] {
                break;
            }
            place -= strides[k] * index[k];
            index[k] = 0;
        }
    }
    out
}

/// The bytes of a file of format 1 with entries `<f8`, in C order.
///
/// # Errors
/// [`Error::OutOfRange`](crate::Error::OutOfRange) for so many dimensions that the header is longer than its 65535 bytes.
///
/// # Panics
/// Unless there are as many entries as the shape says.
pub fn write(array: &Array) -> crate::Result<Vec<u8>> {
    let expected = array.shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    assert_eq!(Some(array.data.len()), expected, "{} entries for the shape {:?}", array.data.len(), array.shape);
    let sizes: String = array.shape.iter().map(|size| format!("{size}, ")).collect();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", sizes.trim_end());
    // The data begin at a multiple of 64 bytes, after a line end.
    let padding = 63 - (MAGIC.len() + 4 + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let Ok(length) = u16::try_from(header.len()) else {
        let (value, high) = (header.len() as f64, f64::from(u16::MAX));
        return Err(crate::Error::OutOfRange { what: "length of the header", value, low: 0.0, high });
    };
    let mut file = MAGIC.to_vec();
    file.extend([1, 0]);
    file.extend(length.to_le_bytes());
    file.extend(header.bytes());
    file.extend(array.data.iter().flat_map(|x| x.to_le_bytes()));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x02\x00".to_vec();
        file.extend((header.len() as u32).to_le_bytes());
        file.extend(header.bytes());
        file.extend(data);
        file
    }

    #[test]
    fn arrays_of_all_kinds() {
        let numbers = [1i8, -1, 3, 0, 7, -6];
        let expected = Array { shape: vec![2, 3], data: numbers.map(f64::from).to_vec() };
        let bytes = |entry: fn(i8) -> Vec<u8>| numbers.iter().flat_map(|&x| entry(x)).collect::<Vec<u8>>();
        for (descr, data) in [
            ("|i1", bytes(|x| x.to_le_bytes().to_vec())),
            ("<i2", bytes(|x| i16::from(x).to_le_bytes().to_vec())),
            ("<i4", bytes(|x| i32::from(x).to_le_bytes().to_vec())),
            ("<i8", bytes(|x| i64::from(x).to_le_bytes().to_vec())),
            ("<f4", bytes(|x| f32::from(x).to_le_bytes().to_vec())),
            ("<f8", bytes(|x| f64::from(x).to_le_bytes().to_vec())),
        ] {
            assert_eq!(read(&file(descr, "False", "(2, 3)", &data)).unwrap(), expected, "{descr}");
        }
        let scalar = read(&file("|u1", "False", "()", &[200])).unwrap();
        assert_eq!(scalar, Array { shape: vec![], data: vec![200.0] });
        // Fortran order: entry (i, j, k) stands at i + 2 j + 4 k.
        let found = read(&file("|u1", "True", "(2, 2, 2)", &[0, 1, 2, 3, 4, 5, 6, 7])).unwrap();
        assert_eq!(found.data, [0.0, 4.0, 2.0, 6.0, 1.0, 5.0, 3.0, 7.0]);
        assert_eq!(read(&file("|b1", "True", "(0, 3)", &[])).unwrap().shape, [0, 3]);
    }

    #[test]
    fn written_arrays_come_back() {
        let array = Array { shape: vec![2, 3], data: vec![1.0, 2.0, f64::INFINITY, 4.0, -0.0, 6.5] };
        let bytes = write(&array).unwrap();
        assert_eq!((bytes.len(), read(&bytes).unwrap()), (128 + 48, array));
        assert!(write(&Array { shape: vec![1; 40_000], data: vec![1.0] }).is_err());
    }

    #[test]
    fn bad_arrays_have_places() {
        for (bytes, byte) in [
            (vec![], 0),
            (b"\x93NUMPY\x04\x00\x00\x00".to_vec(), 0),
            (b"\x93NUMPY\x01\x00\xff\xff".to_vec(), 10),
            (b"\x93NUMPY\x02\x00\xff".to_vec(), 8),
            (file(">i4", "False", "(1, 1)", &[0; 4]), 12),
            (file("|i1", "Maybe", "(3,)", &[1; 3]), 12),
            (file("|i1", "False", "(x,)", &[1; 3]), 12),
            (file("|i1", "False", "(1, 4)", &[1; 3]), 72),
            (file("<f8", "False", "(9999999999, 9999999999)", &[]), 90),
        ] {
            assert_eq!(read(&bytes).unwrap_err().byte, byte, "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
