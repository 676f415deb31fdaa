//! Matrix Market's coordinate format.

use std::io::{BufRead, Write};

use linalg_core::gf2::BinaryCsc;

use super::words::{Line, end, lines, read_text};
use crate::error::Result;

/// Rows or columns without an entry that a header may claim: memory stays bounded by the input, and this.
const EMPTY: usize = 1 << 20;

/// Reads a 0/1 matrix in Matrix Market's coordinate format, `pattern`, `integer` or `unsigned-integer`, `general` or
/// `symmetric` (Boisvert, Pozo, Remington, NISTIR 5935 (1996); `unsigned-integer` is a later word of some writers).
///
/// A banner, comments behind `%`, a line with the numbers of rows, columns and entries, then a line an entry: row and
/// column from 1, and for integers the value, 0 or 1. A `symmetric` file is square and has the entries on and below the
/// diagonal; those above are added.
///
/// # Errors
/// [`Error::Parse`](crate::Error::Parse) with line and column; [`Error::Io`](crate::Error::Io).
///
/// ```
/// use quantum_ec::io::read_matrix_market;
///
/// let file = "%%MatrixMarket matrix coordinate pattern general\n2 3 4\n1 1\n1 2\n2 2\n2 3\n";
/// assert_eq!(read_matrix_market(file.as_bytes())?.to_matrix().to_string(), "110\n011");
/// let error = read_matrix_market(file.replace("2 3\n", "2 4\n").as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "line 6, column 3: found \"4\", expected a column from 1 to 3");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn read_matrix_market(reader: impl BufRead) -> Result<BinaryCsc> {
    let text = read_text(reader)?;
    let mut rest = lines(&text);
    let banner = rest.next().unwrap_or(Line { number: 1, text: "" });
    let (has_value, symmetric) = kind(&banner)?;
    let mut rest = rest.filter(|line| !line.is_blank() && !line.text.starts_with('%'));
    let size = rest.next().ok_or_else(|| end(&text, "the numbers of rows, columns and entries"))?;
    let [m, n, entries] = numbers::<3>(&size, "the numbers of rows, columns and entries")?;
    for (what, value, word) in [("rows", m, 0), ("columns", n, 1)] {
        // An entry takes more than one character: there is room for all that have one.
        if value > EMPTY + text.len() {
            return Err(size.words()[word].error(format!("at most {} {what}", EMPTY + text.len())).into());
        }
    }
    if symmetric && m != n {
        return Err(size.words()[1].error(format!("{m} columns, as many as rows")).into());
    }
    let mut places = Vec::new();
    for _ in 0..entries {
        let line = rest.next().ok_or_else(|| end(&text, format!("{entries} entries instead of {}", places.len())))?;
        let (i, j, value) = if has_value {
            let [i, j, value] = numbers::<3>(&line, "a row, a column and 0 or 1")?;
            (i, j, value)
        } else {
            let [i, j] = numbers::<2>(&line, "a row and a column")?;
            (i, j, 1)
        };
        for (what, index, bound, word) in [("row", i, m, 0), ("column", j, n, 1)] {
            if index == 0 || index > bound {
                return Err(line.words()[word].error(format!("a {what} from 1 to {bound}")).into());
            }
        }
        if symmetric && i < j {
            return Err(line.words()[0]
                .error(format!("a row from {j}, as the entries above the diagonal follow"))
                .into());
        }
        if value > 1 {
            return Err(line.words()[2].error("0 or 1").into());
        }
        places.push((j - 1, i - 1, value, line));
    }
    if let Some(line) = rest.next() {
        return Err(line.words()[0].error(format!("end of file after {entries} entries")).into());
    }
    places.sort_by_key(|&(j, i, _, line)| (j, i, line.number));
    if let Some(pair) = places.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        let expected = format!("another place than line {}", pair[0].3.number);
        return Err(pair[1].3.words()[0].error(expected).into());
    }
    let mut columns = vec![Vec::new(); n];
    for &(j, i, ..) in places.iter().filter(|place| place.2 == 1) {
        columns[j].push(i);
        if symmetric && i != j {
            columns[i].push(j);
        }
    }
    columns.iter_mut().for_each(|column| column.sort_unstable());
    Ok(BinaryCsc::from_columns(m, columns)?)
}

/// Whether entries have a value, and whether the matrix is symmetric.
fn kind(banner: &Line<'_>) -> Result<(bool, bool)> {
    let words = banner.words();
    let fields = ["pattern", "integer", "unsigned-integer"];
    let expected: [&[&str]; 5] =
        [&["%%matrixmarket"], &["matrix"], &["coordinate"], &fields, &["general", "symmetric"]];
    let spelled =
        ["%%MatrixMarket", "matrix", "coordinate", "pattern, integer or unsigned-integer", "general or symmetric"];
    for (k, choices) in expected.iter().enumerate() {
        let word = words.get(k).ok_or_else(|| banner.end(spelled[k]))?;
        if !choices.contains(&word.text.to_ascii_lowercase().as_str()) {
            return Err(word.error(spelled[k]).into());
        }
    }
    match words.get(5) {
        Some(word) => Err(word.error("end of line").into()),
        None => Ok((!words[3].text.eq_ignore_ascii_case(fields[0]), words[4].text.eq_ignore_ascii_case("symmetric"))),
    }
}

fn numbers<const N: usize>(line: &Line<'_>, expected: &str) -> Result<[usize; N]> {
    let words = line.words();
    let mut out = [0; N];
    for (k, number) in out.iter_mut().enumerate() {
        *number = words.get(k).ok_or_else(|| line.end(expected))?.number(expected)?;
    }
    match words.get(N) {
        Some(word) => Err(word.error("end of line").into()),
        None => Ok(out),
    }
}

/// Writes a matrix in coordinate format, `pattern` and `general`, column by column.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io).
pub fn write_matrix_market(matrix: &BinaryCsc, mut writer: impl Write) -> Result<()> {
    writeln!(writer, "%%MatrixMarket matrix coordinate pattern general")?;
    writeln!(writer, "{} {} {}", matrix.n_rows(), matrix.n_cols(), matrix.n_ones())?;
    for (j, column) in matrix.columns().enumerate() {
        for i in column {
            writeln!(writer, "{} {}", i + 1, j + 1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "%%MatrixMarket matrix coordinate integer general\n% comment\n\n2 2 3\n1 1 1\n2 1 0\n2 2 1\n";

    #[test]
    fn integers_comments_and_case() {
        let matrix = read_matrix_market(FILE.as_bytes()).unwrap();
        assert_eq!(matrix.to_matrix().to_string(), "10\n01");
        let shouted = FILE.replace("matrix coordinate integer general", "MATRIX Coordinate INTEGER General");
        assert_eq!(read_matrix_market(shouted.as_bytes()).unwrap(), matrix);
        let mut file = Vec::new();
        write_matrix_market(&BinaryCsc::from_columns(0, [vec![], vec![]]).unwrap(), &mut file).unwrap();
        assert_eq!(read_matrix_market(&file[..]).unwrap().n_cols(), 2);
    }

    #[test]
    fn symmetric_files_have_one_half() {
        let file = "%%MatrixMarket matrix coordinate unsigned-integer symmetric\n3 3 4\n3 1 1\n2 2 1\n3 2 0\n2 1 1\n";
        assert_eq!(read_matrix_market(file.as_bytes()).unwrap().to_matrix().to_string(), "011\n110\n100");
        let broken =
            |from: &str, to: &str| read_matrix_market(file.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert_eq!(broken("3 3 4", "3 4 4"), "line 2, column 3: found \"4\", expected 3 columns, as many as rows");
        assert_eq!(
            broken("2 1 1", "1 2 1"),
            "line 6, column 1: found \"1\", expected a row from 2, as the entries above the diagonal follow"
        );
        assert_eq!(broken("2 1 1", "3 1 1"), "line 6, column 1: found \"3\", expected another place than line 3");
    }

    #[test]
    fn errors_have_a_place() {
        let broken =
            |from: &str, to: &str| read_matrix_market(FILE.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert_eq!(broken(FILE, ""), "line 1, column 1: found end of line, expected %%MatrixMarket");
        assert_eq!(
            broken("integer", "real"),
            "line 1, column 34: found \"real\", expected pattern, integer or unsigned-integer"
        );
        assert_eq!(
            broken("general", "hermitian"),
            "line 1, column 42: found \"hermitian\", expected general or symmetric"
        );
        assert_eq!(broken("2 2 3", "2 2 4"), "line 8, column 1: found end of file, expected 4 entries instead of 3");
        assert_eq!(broken("2 2 3", "2 2 2"), "line 7, column 1: found \"2\", expected end of file after 2 entries");
        assert_eq!(
            broken("2 2 3", "2 99999999999 3"),
            "line 4, column 3: found \"99999999999\", expected at most 1048670 columns"
        );
        assert_eq!(broken("1 1 1", "0 1 1"), "line 5, column 1: found \"0\", expected a row from 1 to 2");
        assert_eq!(broken("1 1 1", "1 1 2"), "line 5, column 5: found \"2\", expected 0 or 1");
        assert_eq!(broken("1 1 1", "1 1 -1"), "line 5, column 5: found \"-1\", expected a row, a column and 0 or 1");
        assert_eq!(broken("1 1 1", "1 1"), "line 5, column 4: found end of line, expected a row, a column and 0 or 1");
        assert_eq!(broken("2 2 1", "1 1 0"), "line 7, column 1: found \"1\", expected another place than line 5");
    }
}
