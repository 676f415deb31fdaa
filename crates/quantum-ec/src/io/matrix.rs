//! Check matrices in any of the formats.

use std::io::{BufRead, Write};

use linalg_core::gf2::BinaryCsc;

use super::words::{Line, lines, read_text};
use super::{read_alist, read_dense, read_matrix_market, write_alist, write_dense, write_matrix_market};
use crate::error::Result;

/// How a check matrix is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MatrixFormat {
    /// MacKay's lists of positions.
    Alist,
    /// Matrix Market's coordinates.
    MatrixMarket,
    /// Rows of 0 and 1.
    Dense,
    /// Decided by the content when reading; dense when writing.
    Auto,
}

impl MatrixFormat {
    /// The format of a text: Matrix Market has its banner; the lines of a dense file hold nothing but 0 and 1, as many in
    /// each, which no alist file does (after `1 1` its third line has one number, after `10 1` ten). What follows `#` in a
    /// dense file does not count.
    fn of(text: &str) -> Self {
        if text.get(..14).is_some_and(|banner| banner.eq_ignore_ascii_case("%%MatrixMarket")) {
            return Self::MatrixMarket;
        }
        let content = || lines(text).map(|line| Line { text: line.text.split('#').next().unwrap_or(""), ..line });
        let bits = |line: &str| -> Option<usize> {
            let bare = |c: &char| !c.is_ascii_whitespace() && *c != ',';
            line.chars().filter(bare).try_fold(0, |n, c| matches!(c, '0' | '1').then_some(n + 1))
        };
        let words = content().find(|line| !line.is_blank()).map(|line| line.words().len());
        let mut widths = content().map(|line| bits(line.text)).filter(|width| *width != Some(0));
        match widths.next() {
            Some(Some(first)) if widths.all(|width| width == Some(first)) => Self::Dense,
            // A dense file with a mistake rather than an alist, which begins with two numbers.
            Some(Some(_)) if words != Some(2) => Self::Dense,
            _ => Self::Alist,
        }
    }
}

/// Reads a check matrix.
///
/// # Errors
/// [`Error::Parse`](crate::Error::Parse) with line and column; [`Error::Io`](crate::Error::Io).
///
/// ```
/// use quantum_ec::io::{MatrixFormat, read_matrix, write_matrix};
///
/// let matrix = read_matrix("110\n011\n".as_bytes(), MatrixFormat::Auto)?;
/// for format in [MatrixFormat::Alist, MatrixFormat::MatrixMarket, MatrixFormat::Dense] {
///     let mut file = Vec::new();
///     write_matrix(&matrix, format, &mut file)?;
///     assert_eq!(read_matrix(&file[..], MatrixFormat::Auto)?, matrix);
/// }
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn read_matrix(reader: impl BufRead, format: MatrixFormat) -> Result<BinaryCsc> {
    let text = read_text(reader)?;
    let format = if format == MatrixFormat::Auto { MatrixFormat::of(&text) } else { format };
    match format {
        MatrixFormat::MatrixMarket => read_matrix_market(text.as_bytes()),
        MatrixFormat::Alist => read_alist(text.as_bytes()),
        _ => Ok(BinaryCsc::from_matrix(&read_dense(text.as_bytes())?)),
    }
}

/// Writes a check matrix.
///
/// # Errors
/// As [`write_alist`], [`write_matrix_market`] and [`write_dense`].
pub fn write_matrix(matrix: &BinaryCsc, format: MatrixFormat, writer: impl Write) -> Result<()> {
    match format {
        MatrixFormat::MatrixMarket => write_matrix_market(matrix, writer),
        MatrixFormat::Alist => write_alist(matrix, writer),
        _ => write_dense(&matrix.to_matrix(), writer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_do_not_decide_the_format() {
        let message = |text: &str| read_matrix(text.as_bytes(), MatrixFormat::Auto).unwrap_err().to_string();
        let place = "line 3, column 6: found \"2\", expected 0 or 1";
        assert_eq!(message("# Steane\n1010101\n0110021\n"), place);
        assert_eq!(message("# Steane code\n1010101\n0110021\n"), place);
        // Two words in the first line that is none: an alist with a mistake.
        assert_eq!(message("# a\n3 x\n"), "line 1, column 1: found \"#\", expected the numbers of columns and rows");
        let matrix = read_matrix("# two rows\n10 # one\n01\n".as_bytes(), MatrixFormat::Auto).unwrap();
        assert_eq!(matrix.to_matrix().to_string(), "10\n01");
    }
}
