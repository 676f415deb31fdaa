//! Matrices as rows of 0 and 1.

use std::io::{BufRead, Write};

use linalg_core::gf2::{BitMatrix, BitVec};

use super::words::{Word, end, lines, read_text};
use crate::error::Result;

/// Reads a matrix written as a line of 0 and 1 a row, with or without spaces or commas between them; blank lines and what
/// follows `#` are skipped.
///
/// # Errors
/// [`Error::Parse`](crate::Error::Parse) with line and column, also for a file without a row;
/// [`Error::Io`](crate::Error::Io).
///
/// ```
/// use quantum_ec::io::read_dense;
///
/// let matrix = read_dense("110  # a check\n0, 1, 1\n".as_bytes())?;
/// assert_eq!((matrix.n_rows(), matrix.n_cols()), (2, 3));
/// let error = read_dense("110\n01\n".as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column 3: found end of line, expected 3 bits");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn read_dense(reader: impl BufRead) -> Result<BitMatrix> {
    let text = read_text(reader)?;
    let mut matrix: Option<BitMatrix> = None;
    for line in lines(&text) {
        let mut row = BitVec::new();
        let mut blank = true;
        for (column, (at, c)) in (1..).zip(line.text.char_indices()) {
            let word = || Word { line: line.number, column, text: &line.text[at..at + c.len_utf8()] };
            match c {
                '#' => break,
                ',' | ' ' | '\t' => {}
                '0' | '1' => {
                    if let Some(width) = matrix.as_ref().map(BitMatrix::n_cols).filter(|&width| row.len() == width) {
                        return Err(word().error(format!("end of line after {width} bits")).into());
                    }
                    row.push(c == '1');
                }
                _ => return Err(word().error("0 or 1").into()),
            }
            blank &= c.is_ascii_whitespace();
        }
        if blank {
            continue;
        }
        let matrix = matrix.get_or_insert_with(|| BitMatrix::zeros(0, row.len()));
        if row.is_empty() {
            return Err(line.end("0 or 1").into());
        }
        if row.len() < matrix.n_cols() {
            return Err(line.end(format!("{} bits", matrix.n_cols())).into());
        }
        matrix.push_row(&row);
    }
    matrix.ok_or_else(|| end(&text, "a row of 0 and 1").into())
}

/// Writes a row a line, without spaces.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io), and [`Error::Parameter`](crate::Error::Parameter) for a matrix without rows or
/// columns, which cannot be read again.
pub fn write_dense(matrix: &BitMatrix, mut writer: impl Write) -> Result<()> {
    if matrix.n_rows() == 0 || matrix.n_cols() == 0 {
        return Err(crate::Error::Parameter {
            what: "size of a matrix written as text",
            value: format!("{} rows and {} columns", matrix.n_rows(), matrix.n_cols()),
            expected: "a row and a column at least",
        });
    }
    for row in matrix.rows() {
        writeln!(writer, "{row}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_place() {
        let message = |text: &str| read_dense(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(message("10\n12\n"), "line 2, column 2: found \"2\", expected 0 or 1");
        assert_eq!(message("10\n011\n"), "line 2, column 3: found \"1\", expected end of line after 2 bits");
        assert_eq!(message("# nothing\n\n"), "line 3, column 1: found end of file, expected a row of 0 and 1");
        assert_eq!(message(" , \n"), "line 1, column 4: found end of line, expected 0 or 1");
        assert_eq!(
            read_dense(&b"1\xff"[..]).unwrap_err().to_string(),
            "line 1, column 2: found byte 0xff, expected UTF-8 text"
        );
    }
}
