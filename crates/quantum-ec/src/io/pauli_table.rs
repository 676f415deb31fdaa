//! Tables of Pauli probabilities.

use std::io::{BufRead, Write};

use super::words::{end, lines, read_text};
use crate::error::{Error, Result};
use crate::noise::PauliTable;

/// The names of the columns.
const HEADER: [&str; 4] = ["p_I", "p_X", "p_Y", "p_Z"];

/// Reads a table of Pauli probabilities: CSV, a line a qubit with $`p_I, p_X, p_Y, p_Z`$, after an optional header
/// `p_I,p_X,p_Y,p_Z`. Blank lines and lines that begin with `#` are skipped.
///
/// # Errors
/// [`Error::Parse`] with line and column, also for a number outside [0, 1] and probabilities that do not add up to 1
/// within $`10^{-9}`$; [`Error::Io`].
///
/// ```
/// use quantum_ec::io::read_pauli_table;
///
/// let table = read_pauli_table("p_I,p_X,p_Y,p_Z\n0.7,0.1,0.1,0.1\n1,0,0,0\n".as_bytes())?;
/// assert_eq!((table.n_qubits(), table.row(0)), (2, [0.7, 0.1, 0.1, 0.1]));
/// let error = read_pauli_table("0.7,0.1,0.1,x\n".as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 13: found \"x\", expected a number from 0 to 1");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn read_pauli_table(reader: impl BufRead) -> Result<PauliTable> {
    let text = read_text(reader)?;
    let mut rows = Vec::new();
    let mut first = true;
    for line in lines(&text).filter(|line| !line.is_blank() && !line.text.starts_with('#')) {
        let pieces = line.split(|c| c == ',');
        if std::mem::take(&mut first) && pieces.iter().map(|piece| piece.text.trim()).eq(HEADER) {
            continue;
        }
        let mut row = [0.0; 4];
        for (k, p) in row.iter_mut().enumerate() {
            let piece = pieces.get(k).ok_or_else(|| line.end("four numbers"))?;
            *p = match piece.text.trim().parse::<f64>() {
                Ok(value) if (0.0..=1.0).contains(&value) => value,
                _ => return Err(piece.error("a number from 0 to 1").into()),
            };
        }
        if let Some(piece) = pieces.get(4) {
            return Err(piece.error("end of line after four numbers").into());
        }
        match PauliTable::new(vec![row]) {
            Err(Error::Probability { value, .. }) => {
                return Err(pieces[0].error(format!("four numbers with the sum 1 instead of {value}")).into());
            }
            other => other?,
        };
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(end(&text, "a line with four numbers").into());
    }
    PauliTable::new(rows)
}

/// Writes a table with its header, each number in the shortest form that reads back to the same bits.
///
/// # Errors
/// [`Error::Io`].
pub fn write_pauli_table(table: &PauliTable, mut writer: impl Write) -> Result<()> {
    writeln!(writer, "{}", HEADER.join(","))?;
    for [i, x, y, z] in table.rows() {
        writeln!(writer, "{i:?},{x:?},{y:?},{z:?}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_place() {
        let message = |text: &str| read_pauli_table(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            message("p_I,p_X,p_Y,p_Z\n"),
            "line 2, column 1: found end of file, expected a line with four numbers"
        );
        assert_eq!(message("1,0,0\n"), "line 1, column 6: found end of line, expected four numbers");
        assert_eq!(message("1,0,0,0,0\n"), "line 1, column 9: found \"0\", expected end of line after four numbers");
        assert_eq!(message("1,0,0,0\n1.5,0,0,0\n"), "line 2, column 1: found \"1.5\", expected a number from 0 to 1");
        assert_eq!(message("NaN,0,0,0\n"), "line 1, column 1: found \"NaN\", expected a number from 0 to 1");
        assert_eq!(
            message("0.5,0.25,0,0\n"),
            "line 1, column 1: found \"0.5\", expected four numbers with the sum 1 instead of 0.75"
        );
        assert_eq!(message("p_X,p_I,p_Y,p_Z\n"), "line 1, column 1: found \"p_X\", expected a number from 0 to 1");
    }
}
