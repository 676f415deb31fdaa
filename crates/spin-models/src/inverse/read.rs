//! Samples from text and from NumPy's array files.

use std::io::Read;

use linalg_core::npy;

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
    let array = npy::read(&bytes).map_err(|npy::Unreadable { byte, found, expected }| Error::Unreadable {
        byte,
        found,
        expected,
    })?;
    let [_, n_spins] = array.shape[..] else {
        let (found, expected) = (format!("the shape {:?}", array.shape), "samples by spins".to_owned());
        return Err(Error::Unreadable { byte: 0, found, expected });
    };
    Samples::from_numbers(n_spins, &array.data)
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
    fn arrays_in_both_orders() {
        let expected = Samples::from_spins(3, &[1, -1, -1, 1, 1, 1]).unwrap();
        let floats: Vec<u8> = [1.0f64, -1.0, -1.0, 1.0, 1.0, 1.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(read_npy(&npy("<f8", "False", "(2, 3)", &floats)[..]).unwrap(), expected);
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
