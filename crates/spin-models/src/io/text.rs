//! Whole input as text.

use std::io::BufRead;

use super::error::ParseError;
use crate::Result;

/// Reads everything and checks that it is UTF-8; a leading byte-order mark is dropped.
pub(super) fn read_text(mut reader: impl BufRead) -> Result<String> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes()[at];
        // What precedes the byte is valid.
        let before = String::from_utf8_lossy(&error.as_bytes()[..at]);
        ParseError::at(&before, at, format_args!("byte {byte:#04x}"), "UTF-8 text").into()
    })
}

/// A finite number in its shortest form that reads back as the same bits, without a trailing `.0`.
pub(super) fn number(x: f64) -> String {
    let digits = format!("{x:?}");
    digits.strip_suffix(".0").map_or_else(|| digits.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_dropped_and_bad_bytes_located() {
        assert_eq!(read_text(&b"\xEF\xBB\xBF1 0"[..]).unwrap(), "1 0");
        let error = read_text(&b"3 1\n\xCE\xBB \xFF"[..]).unwrap_err();
        assert_eq!(error.to_string(), "line 2, column 3: found byte 0xff, expected UTF-8 text");
        assert_eq!(read_text(&b""[..]).unwrap(), "");
    }

    #[test]
    fn numbers_read_back_bit_for_bit() {
        for x in [0.0, -0.0, 1.0, -3.0, 0.1, 1e300, -1e-300, 5e-324, f64::MAX, 1.0 / 3.0, 123456789012345680.0] {
            assert_eq!(number(x).parse::<f64>().unwrap().to_bits(), x.to_bits(), "{}", number(x));
        }
        assert_eq!(number(-1.0), "-1");
    }
}
