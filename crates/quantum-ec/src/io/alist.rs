//! MacKay's alist format of sparse matrices.

use std::io::{BufRead, Write};

use linalg_core::gf2::BinaryCsc;

use super::ParseError;
use super::words::{Line, Word, end, lines, read_text};
use crate::error::Result;

/// Reads a matrix in alist format (MacKay, <http://www.inference.org.uk/mackay/codes/alist.html>).
///
/// The lines: the number of columns and of rows; the largest weight of a column and of a row; the weights of the columns;
/// the weights of the rows; a line a column with its rows, from 1; a line a row with its columns. Short lists may be
/// padded with zeros. Some writers swap the two numbers of the first two lines: the lengths of the lists of weights
/// decide. All that is said twice is checked: the largest weights, and rows against columns.
///
/// # Errors
/// [`Error::Parse`](crate::Error::Parse) with line and column; [`Error::Io`](crate::Error::Io).
///
/// ```
/// use quantum_ec::io::read_alist;
///
/// let file = "3 2\n2 2\n1 2 1\n2 2\n1 0\n1 2\n2 0\n1 2\n2 3\n";
/// let matrix = read_alist(file.as_bytes())?;
/// assert_eq!(matrix.to_matrix().to_string(), "110\n011");
/// // The same with swapped dimensions.
/// assert_eq!(read_alist(file.replacen("3 2", "2 3", 1).as_bytes())?, matrix);
/// let error = read_alist(file.replace("2 3\n", "1 3\n").as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "line 9, column 1: found \"1\", expected 2, as the columns say of row 2");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn read_alist(reader: impl BufRead) -> Result<BinaryCsc> {
    let text = read_text(reader)?;
    let mut rest = Cursor { text: &text, lines: lines(&text).collect(), next: 0 };
    let (_, size) = rest.numbers("the numbers of columns and rows")?;
    let (a, b) = pair(&size, "the numbers of columns and rows")?;
    let (largest_line, largest) = rest.numbers("the largest weights of a column and of a row")?;
    pair(&largest, "the largest weights of a column and of a row")?;
    let (_, columns) = rest.numbers("the weights of the columns")?;
    let (n, m) = match columns.len() {
        len if len == a.1 => (a.1, b.1),
        len if len == b.1 => (b.1, a.1),
        len => {
            let expected = format!("{} or {} weights of columns instead of {len}", a.1, b.1);
            return Err(columns[0].0.error(expected).into());
        }
    };
    let (row_line, rows) = rest.numbers("the weights of the rows")?;
    if rows.len() != m {
        return Err(match rows.get(m) {
            Some((word, _)) => word.error("end of line"),
            None => row_line.end(format!("{m} weights of rows instead of {}", rows.len())),
        }
        .into());
    }
    let most = |list: &[(Word, usize)]| list.iter().map(|w| w.1).max().unwrap_or(0);
    let (most_column, most_row) = (most(&columns), most(&rows));
    let said = (largest[0].1, largest[1].1);
    if said != (most_column, most_row) && said != (most_row, most_column) {
        return Err(largest_line.words()[0].error(format!("the largest weights, {most_column} and {most_row}")).into());
    }
    let mut lists = Vec::with_capacity(n);
    for (j, (_, weight)) in columns.iter().enumerate() {
        lists.push(rest.list(*weight, m, &format!("column {}", j + 1))?.into_iter().map(|w| w.1).collect::<Vec<_>>());
    }
    let matrix = BinaryCsc::from_columns(m, &lists)?;
    let transposed = matrix.transpose();
    for (i, (_, weight)) in rows.iter().enumerate() {
        let name = format!("row {}", i + 1);
        let list = rest.list(*weight, n, &name)?;
        let told = transposed.column(i);
        let wrong = list.iter().zip(told).find(|(w, j)| w.1 != **j);
        if let Some((word, j)) = wrong {
            return Err(word.0.error(format!("{}, as the columns say of {name}", j + 1)).into());
        }
        if list.len() != told.len() {
            let expected = format!("a weight of {}, as the columns say of {name}", told.len());
            return Err(rows[i].0.error(expected).into());
        }
    }
    match rest.lines[rest.next..].iter().find(|line| !line.is_blank()) {
        Some(line) => Err(line.words()[0].error("end of file").into()),
        None => Ok(matrix),
    }
}

type Parsed<T> = std::result::Result<T, ParseError>;
type Number<'a> = (Word<'a>, usize);

fn pair<'a>(numbers: &[Number<'a>], expected: &str) -> Parsed<(Number<'a>, Number<'a>)> {
    match numbers {
        [a, b] => Ok((*a, *b)),
        [a] => Err(a.0.error(format!("two numbers: {expected}"))),
        [_, _, c, ..] => Err(c.0.error("end of line")),
        [] => unreachable!("blank lines are skipped"),
    }
}

/// The lines of a file and the next one to read.
struct Cursor<'a> {
    text: &'a str,
    lines: Vec<Line<'a>>,
    next: usize,
}

impl<'a> Cursor<'a> {
    /// The next line that is not blank.
    fn line(&mut self, expected: &str) -> Parsed<Line<'a>> {
        while let Some(&line) = self.lines.get(self.next) {
            self.next += 1;
            if !line.is_blank() {
                return Ok(line);
            }
        }
        Err(end(self.text, expected))
    }

    /// All numbers of the next line.
    fn numbers(&mut self, expected: &str) -> Parsed<(Line<'a>, Vec<Number<'a>>)> {
        let line = self.line(expected)?;
        let numbers = line.words().into_iter().map(|word| Ok((word, word.number(expected)?))).collect::<Parsed<_>>()?;
        Ok((line, numbers))
    }

    /// The `weight` positions of a column or row, sorted, from 0.
    fn list(&mut self, weight: usize, bound: usize, name: &str) -> Parsed<Vec<Number<'a>>> {
        if weight == 0 {
            // An empty list is a line of zeros, or a blank line.
            match self.lines.get(self.next) {
                Some(line) if line.words().iter().all(|word| word.number("").is_ok_and(|x| x == 0)) => self.next += 1,
                Some(line) => return Err(line.words()[0].error(format!("an empty list for {name}"))),
                None => {}
            }
            return Ok(Vec::new());
        }
        let expected = format!("{weight} numbers from 1 to {bound} for {name}");
        let (line, mut list) = self.numbers(&expected)?;
        let padding = list.split_off(weight.min(list.len()));
        if let Some((word, _)) = padding.iter().find(|w| w.1 != 0) {
            return Err(word.error(format!("nothing after the {weight} numbers for {name}")));
        }
        if list.len() < weight {
            return Err(line.end(expected));
        }
        for (word, value) in &mut list {
            if *value == 0 || *value > bound {
                return Err(word.error(expected));
            }
            *value -= 1;
        }
        list.sort_by_key(|w| w.1);
        match list.windows(2).find(|pair| pair[0].1 == pair[1].1) {
            Some(pair) => Err(pair[1].0.error(format!("each number once for {name}"))),
            None => Ok(list),
        }
    }
}

/// Writes a matrix in alist format: columns before rows, lists padded with zeros.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io), and [`Error::Parameter`](crate::Error::Parameter) for a matrix without rows or
/// columns, which the format does not have.
pub fn write_alist(matrix: &BinaryCsc, mut writer: impl Write) -> Result<()> {
    let transposed = matrix.transpose();
    let (n, m) = (matrix.n_cols(), matrix.n_rows());
    if n == 0 || m == 0 {
        return Err(crate::Error::Parameter {
            what: "size of a matrix in alist format",
            value: format!("{m} rows and {n} columns"),
            expected: "a row and a column at least",
        });
    }
    let most = [matrix, &transposed].map(|a| a.column_weights().into_iter().max().unwrap_or(0));
    let join = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    writeln!(writer, "{n} {m}\n{} {}", most[0], most[1])?;
    writeln!(writer, "{}\n{}", join(&matrix.column_weights()), join(&transposed.column_weights()))?;
    for (a, most) in [matrix, &transposed].into_iter().zip(most) {
        for list in a.columns() {
            let mut padded: Vec<usize> = list.iter().map(|i| i + 1).collect();
            // A line of its own also where no list has an entry.
            padded.resize(most.max(1), 0);
            writeln!(writer, "{}", join(&padded))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        read_alist(text.as_bytes()).unwrap_err().to_string()
    }

    const HAMMING: &str = "7 3\n3 4\n1 1 2 1 2 2 3\n4 4 4\n1 0 0\n2 0 0\n1 2 0\n3 0 0\n1 3 0\n2 3 0\n1 2 3\n\
        1 3 5 7\n2 3 6 7\n4 5 6 7\n";

    #[test]
    fn padded_unpadded_and_swapped_files_are_the_same() {
        let matrix = read_alist(HAMMING.as_bytes()).unwrap();
        assert_eq!(matrix.to_matrix().to_string(), "1010101\n0110011\n0001111");
        let variants = [
            HAMMING.replace(" 0", ""),
            HAMMING.replacen("7 3", "3 7", 1),
            HAMMING.replacen("7 3\n3 4", "3 7\n4 3", 1),
            HAMMING.replace('\n', " \r\n"),
            HAMMING.replace("1 2 3\n", "3 1 2\n\n"),
        ];
        for variant in variants {
            assert_eq!(read_alist(variant.as_bytes()).unwrap(), matrix, "{variant}");
        }
        let mut written = Vec::new();
        write_alist(&matrix, &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), HAMMING);
    }

    #[test]
    fn square_matrices_and_empty_lists() {
        let matrix = BinaryCsc::from_columns(3, [vec![], vec![0, 2], vec![0]]).unwrap();
        let mut file = Vec::new();
        write_alist(&matrix, &mut file).unwrap();
        assert_eq!(read_alist(&file[..]).unwrap(), matrix);
        let unpadded = "3 3\n2 2\n0 2 1\n2 0 1\n\n1 3\n1\n2 3\n\n2\n";
        assert_eq!(read_alist(unpadded.as_bytes()).unwrap(), matrix);
        let zero = BinaryCsc::from_columns(2, [vec![], vec![]]).unwrap();
        let mut file = Vec::new();
        write_alist(&zero, &mut file).unwrap();
        assert_eq!(read_alist(&file[..]).unwrap(), zero);
        assert!(write_alist(&BinaryCsc::from_columns(0, [vec![]]).unwrap(), Vec::new()).is_err());
    }

    #[test]
    fn errors_have_a_place() {
        let broken = |from: &str, to: &str| message(&HAMMING.replacen(from, to, 1));
        assert_eq!(message(""), "line 1, column 1: found end of file, expected the numbers of columns and rows");
        assert_eq!(
            broken("7 3", "8 4"),
            "line 3, column 1: found \"1\", expected 8 or 4 weights of columns instead of 7"
        );
        assert_eq!(broken("3 4", "3 5"), "line 2, column 1: found \"3\", expected the largest weights, 3 and 4");
        assert_eq!(
            broken("4 4 4", "4 4"),
            "line 4, column 4: found end of line, expected 3 weights of rows instead of 2"
        );
        assert_eq!(broken("7 3\n", "7 x\n"), "line 1, column 3: found \"x\", expected the numbers of columns and rows");
        assert_eq!(
            broken("7 3\n", "7\n"),
            "line 1, column 1: found \"7\", expected two numbers: the numbers of columns and rows"
        );
        assert_eq!(
            broken("1 3 0", "1 4 0"),
            "line 9, column 3: found \"4\", expected 2 numbers from 1 to 3 for column 5"
        );
        assert_eq!(broken("1 3 0", "1 1 0"), "line 9, column 3: found \"1\", expected each number once for column 5");
        assert_eq!(
            broken("1 3 0", "1 0 3"),
            "line 9, column 5: found \"3\", expected nothing after the 2 numbers for column 5"
        );
        assert_eq!(
            broken("2 3 6 7", "2 3 5 7"),
            "line 13, column 5: found \"5\", expected 6, as the columns say of row 2"
        );
        assert_eq!(
            broken("4 5 6 7\n", ""),
            "line 14, column 1: found end of file, expected 4 numbers from 1 to 7 for row 3"
        );
        assert_eq!(message(&format!("{HAMMING}1\n")), "line 15, column 1: found \"1\", expected end of file");
    }
}
