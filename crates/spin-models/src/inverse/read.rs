//! Samples from text and from NumPy's array files.

use std::io::Read;

use super::Samples;
use crate::{Error, Result};

/// What separates values in a line.
fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '\t' | ' ')
}

/// Reads samples from text: a sample a line, values separated by commas, semicolons, tabs or spaces.
///
/// Values are +1 and -1, or 0 and 1 (1 is +1), also written `true` and `false`. Lines that are empty or begin with `#` are
/// passed over; so is a first line of which no value is a number, the names of the spins. A missing value is an error, with
/// its sample and spin: what to do about it is not for a reader to guess.
///
/// ```
/// use spin_models::inverse::read_csv;
///
/// let samples = read_csv("a,b\n1,-1\n-1,-1\n".as_bytes())?;
/// assert_eq!((samples.len(), samples.spins(0)), (2, vec![1, -1]));
/// let error = read_csv("1,0\n1,\n".as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "sample 1, spin 1: found \"\" in line 2, expected +1 or -1, or 0 or 1");
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::SampleValue`] with sample and spin for a value that is missing or no spin, and for a line of another length;
/// [`Error::NoSpins`] for a file without values; [`Error::Io`].
pub fn read_csv(mut source: impl Read) -> Result<Samples> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let (mut values, mut n_spins, mut sample) = (Vec::new(), 0, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields = fields_of(line);
        if n_spins == 0 {
            n_spins = fields.len();
            if fields.iter().all(|field| value_of(field).is_none() && !is_missing(field)) {
                continue;
            }
        }
        let bad = |spin: usize, found: &str| Error::SampleValue {
            sample,
            spin,
            found: format!("{found} in line {}", number + 1),
            expected: "+1 or -1, or 0 or 1",
        };
        for (spin, field) in fields.iter().enumerate().take(n_spins) {
            values.push(value_of(field).ok_or_else(|| bad(spin, &shortened(field)))?);
        }
        match fields.len() {
            len if len < n_spins => return Err(bad(len, "the end of the line")),
            len if len > n_spins => return Err(bad(n_spins, &shortened(fields[n_spins]))),
            _ => sample += 1,
        }
    }
    Samples::from_numbers(n_spins, &values)
}

/// Commas, semicolons and tabs separate even nothing; spaces only values.
fn fields_of(line: &str) -> Vec<&str> {
    match line.find([',', ';', '\t']) {
        Some(_) => line.split([',', ';', '\t']).map(str::trim).collect(),
        None => line.split(is_separator).filter(|field| !field.is_empty()).collect(),
    }
}

fn value_of(field: &str) -> Option<f64> {
    match field.trim_matches('"') {
        "true" | "True" | "TRUE" => Some(1.0),
        "false" | "False" | "FALSE" => Some(0.0),
        text => text.parse().ok().filter(|x: &f64| x.is_finite()),
    }
}

fn is_missing(field: &str) -> bool {
    matches!(
        field.trim_matches('"').to_ascii_lowercase().as_str(),
        "" | "na" | "nan" | "null" | "none" | "?" | "inf" | "-inf"
    )
}

fn shortened(field: &str) -> String {
    format!("{:?}", field.chars().take(40).collect::<String>())
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads samples from a `.npy` file: two dimensions, samples by spins, entries `|b1`, `|u1`, `|i1`, `<i2`, `<i4`, `<i8`,
/// `<f4` or `<f8`, in C or Fortran order. Formats 1 to 3.
///
/// ```
/// use spin_models::inverse::read_npy;
///
/// let mut file = b"\x93NUMPY\x01\x00\x4e\x00".to_vec();
/// file.extend(format!("{:<77}\n", "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }").bytes());
/// file.extend([1u8, 255, 1, 255, 255, 1]);
/// assert_eq!(read_npy(&file[..])?.spins(1), [-1, -1, 1]);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unreadable`] with the byte for what is no such file; [`Error::SampleValue`] with sample and spin for a NaN or
/// another number that is no spin; [`Error::NoSpins`]; [`Error::TooFewSamples`] for none; [`Error::Io`].
pub fn read_npy(mut source: impl Read) -> Result<Samples> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    let bad = |byte: usize, found: String, expected: &'static str| Error::Unreadable { byte, found, expected };
    let short = || bad(bytes.len(), "the end of the file".to_owned(), "a header of the npy format");
    let start = bytes.get(..8).ok_or_else(short)?;
    if start[..6] != *MAGIC || !(1..=3).contains(&start[6]) {
        return Err(bad(0, format!("{start:02x?}"), "93 4e 55 4d 50 59 and a version 1 to 3"));
    }
    let size = if start[6] == 1 { 2 } else { 4 };
    let length = bytes.get(8..8 + size).ok_or_else(short)?.iter().rev().fold(0, |sum, &b| (sum << 8) | usize::from(b));
    let data = 8 + size + length;
    let header = String::from_utf8_lossy(bytes.get(8 + size..data).ok_or_else(short)?);
    let missing = |expected| bad(8 + size, shortened(&header), expected);
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
    let Some([count, n_spins]) = shape.as_deref().and_then(|shape| <[usize; 2]>::try_from(shape).ok()) else {
        return Err(missing("a header with 'shape': (samples, spins)"));
    };
    let (width, number): (usize, fn(&[u8]) -> f64) = match descr {
        "|b1" | "|u1" => (1, |x| f64::from(x[0])),
        "|i1" => (1, |x| f64::from(x[0] as i8)),
        "<i2" => (2, |x| f64::from(i16::from_le_bytes([x[0], x[1]]))),
        "<i4" => (4, |x| f64::from(i32::from_le_bytes([x[0], x[1], x[2], x[3]]))),
        "<f4" => (4, |x| f64::from(f32::from_le_bytes([x[0], x[1], x[2], x[3]]))),
        "<i8" => (8, |x| x.try_into().map_or(f64::NAN, |x| i64::from_le_bytes(x) as f64)),
        "<f8" => (8, |x| x.try_into().map_or(f64::NAN, f64::from_le_bytes)),
        _ => return Err(missing("entries b1, u1, i1, i2, i4, i8, f4 or f8, little-endian")),
    };
    let needed = count.checked_mul(n_spins).and_then(|entries| entries.checked_mul(width));
    let entries = bytes.get(data..).unwrap_or_default();
    if needed != Some(entries.len()) {
        return Err(bad(data, format!("{} bytes", entries.len()), "as many bytes as the shape says"));
    }
    let mut values: Vec<f64> = entries.chunks_exact(width).map(number).collect();
    if fortran {
        values = (0..count * n_spins).map(|k| values[k % n_spins * count + k / n_spins]).collect();
    }
    Samples::from_numbers(n_spins, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend(data);
        file
    }

    #[test]
    fn texts_of_all_kinds() {
        let expected = Samples::from_spins(2, &[1, -1, -1, -1]).unwrap();
        for text in [
            "1,-1\n-1,-1",
            "x y\n1 0\n0 0\n",
            "# c\n1;0\r\n\n0;0\r\n",
            "True\tFalse\nfalse\tFALSE",
            "\u{feff}+1 -1\n -1  -1.0",
        ] {
            assert_eq!(read_csv(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn holes_in_texts_have_places() {
        for (text, sample, spin) in [
            ("1,0\n1\n", 1, 1),
            ("1,0\n1,0,1\n", 1, 2),
            ("1 0\n1 NA\n", 1, 1),
            ("1,2\n", 0, 1),
            ("1,-1\n0,1", 1, 0),
            ("nan,1\n1,1", 0, 0),
            ("a,b\n,1", 0, 0),
        ] {
            match read_csv(text.as_bytes()) {
                Err(Error::SampleValue { sample: s, spin: i, .. }) => assert_eq!((s, i), (sample, spin), "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
        for text in ["", "\n# nothing\n"] {
            assert!(matches!(read_csv(text.as_bytes()), Err(Error::NoSpins)), "{text:?}");
        }
        assert!(matches!(read_csv("a,b\n".as_bytes()), Err(Error::TooFewSamples { .. })));
    }

    #[test]
    fn arrays_of_all_kinds() {
        let spins = [1i8, -1, -1, 1, 1, 1];
        let expected = Samples::from_spins(3, &spins).unwrap();
        let bytes = |width: usize| -> Vec<u8> {
            let entry = |&s: &i8| match width {
                2 => i16::from(s).to_le_bytes().to_vec(),
                4 => i32::from(s).to_le_bytes().to_vec(),
                8 => f64::from(s).to_le_bytes().to_vec(),
                _ => i64::from(s).to_le_bytes().to_vec(),
            };
            spins.iter().flat_map(entry).collect()
        };
        for (descr, width) in [("<i2", 2), ("<i4", 4), ("<f8", 8), ("<i8", 9)] {
            assert_eq!(read_npy(&npy(descr, "False", "(2, 3)", &bytes(width))[..]).unwrap(), expected, "{descr}");
        }
        let floats: Vec<u8> = spins.iter().flat_map(|&s| f32::from(s).to_le_bytes()).collect();
        assert_eq!(read_npy(&npy("<f4", "False", "(2, 3)", &floats)[..]).unwrap(), expected);
        assert_eq!(read_npy(&npy("|b1", "True", "(2, 3)", &[1, 1, 0, 1, 0, 1])[..]).unwrap(), expected);
    }

    #[test]
    fn bad_arrays_are_refused() {
        let nan = f64::NAN.to_le_bytes();
        assert!(matches!(
            read_npy(&npy("<f8", "False", "(1, 1)", &nan)[..]),
            Err(Error::SampleValue { sample: 0, spin: 0, .. })
        ));
        for file in [
            vec![],
            b"\x93NUMPY\x04\x00\x00\x00".to_vec(),
            b"\x93NUMPY\x01\x00\xff\xff".to_vec(),
            npy(">i4", "False", "(1, 1)", &[0; 4]),
            npy("|i1", "False", "(3,)", &[1; 3]),
            npy("|i1", "Maybe", "(1, 3)", &[1; 3]),
            npy("|i1", "False", "(1, 4)", &[1; 3]),
            npy("<f8", "False", "(9999999999, 9999999999)", &[]),
        ] {
            assert!(matches!(read_npy(&file[..]), Err(Error::Unreadable { .. })), "{file:?}");
        }
        assert!(matches!(read_npy(&npy("|i1", "False", "(0, 3)", &[])[..]), Err(Error::TooFewSamples { .. })));
        assert!(matches!(read_npy(&npy("|i1", "True", "(3, 0)", &[])[..]), Err(Error::NoSpins)));
    }
}
