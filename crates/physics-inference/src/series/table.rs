//! Tables of numbers as text.

use std::io::BufRead;
use std::path::Path;

use crate::{Error, Result};

use super::{BitSeries, SeriesError};

/// Columns of real numbers with names.
///
/// Cells are separated by commas, spaces around them do not count, empty lines are skipped. The first line is a header when one of
/// its cells is not a number; otherwise the columns are called `column 1`, `column 2`, ...
///
/// ```
/// use physics_inference::series::Table;
///
/// let table = Table::read("wind,rain\n3.5,0\n-1,0.2\n".as_bytes())?;
/// assert_eq!(table.names(), ["wind", "rain"]);
/// assert_eq!(table.column(0), [3.5, -1.0]);
/// assert!(table.binary().is_err()); // 3.5 is no bit
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    /// Line of each step in the text.
    lines: Vec<usize>,
}

impl Table {
    /// Columns with their names.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no column, [`SeriesError::DuplicateName`], and
    /// [`Error::NotFinite`] for a number that is not finite.
    ///
    /// # Panics
    /// If the columns differ in length, or there is not a name for each.
    pub fn new(names: Vec<String>, columns: Vec<Vec<f64>>) -> Result<Self> {
        assert_eq!(names.len(), columns.len(), "{} names for {} columns", names.len(), columns.len());
        super::check_names(&names)?;
        let n_steps = columns[0].len();
        for column in &columns {
            assert_eq!(column.len(), n_steps, "column of {} steps beside one of {n_steps}", column.len());
            if let Some(index) = column.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite { what: "step", index, value: column[index] });
            }
        }
        Ok(Self { names, columns, lines: (1..=n_steps).collect() })
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`SeriesError::Ragged`], [`SeriesError::Missing`], [`SeriesError::Value`] for a cell that is no finite number,
    /// [`SeriesError::DuplicateName`], [`SeriesError::TooShort`] for no line of numbers, [`SeriesError::Io`].
    pub fn read<R: BufRead>(source: R) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut lines = Vec::new();
        for (k, line) in source.lines().enumerate() {
            let number = k + 1;
            let line = line.map_err(|error| SeriesError::Io { message: format!("line {number}: {error}") })?;
            let line = if k == 0 { line.trim_start_matches('\u{feff}') } else { &line };
            if line.trim().is_empty() {
                continue;
            }
            let cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
            if names.is_empty() {
                columns = vec![Vec::new(); cells.len()];
                if cells.iter().any(|cell| !cell.is_empty() && cell.parse::<f64>().is_err()) {
                    names = cells.iter().map(|&cell| cell.to_owned()).collect();
                    super::check_names(&names)?;
                    continue;
                }
                names = (1..=cells.len()).map(|i| format!("column {i}")).collect();
            }
            if cells.len() != names.len() {
                let (found, expected) = (cells.len(), names.len());
                return Err(SeriesError::Ragged { line: number, found, expected }.into());
            }
            for (i, (cell, column)) in cells.iter().zip(&mut columns).enumerate() {
                let (at, name) = (i + 1, names[i].clone());
                if cell.is_empty() {
                    return Err(SeriesError::Missing { line: number, column: at, name }.into());
                }
                match cell.parse::<f64>() {
                    Ok(value) if value.is_finite() => column.push(value),
                    _ => {
                        let (found, expected) = ((*cell).to_owned(), "a finite number");
                        return Err(SeriesError::Value { line: number, column: at, name, found, expected }.into());
                    }
                }
            }
            lines.push(number);
        }
        if lines.is_empty() {
            return Err(SeriesError::TooShort { found: 0, needed: 1 }.into());
        }
        Ok(Self { names, columns, lines })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`SeriesError::Io`] begins with the name of the file.
    pub fn load<P: AsRef<Path>>(path: P) -> Result<Self> {
        let path = path.as_ref();
        let failed = |error: std::io::Error| SeriesError::Io { message: format!("{}: {error}", path.display()) };
        match Self::read(std::io::BufReader::new(std::fs::File::open(path).map_err(failed)?)) {
            Err(Error::Series(SeriesError::Io { message })) => {
                Err(SeriesError::Io { message: format!("{}: {message}", path.display()) }.into())
            }
            other => other,
        }
    }

    /// Names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of steps.
    pub fn n_steps(&self) -> usize {
        self.lines.len()
    }

    /// Numbers of column `i`.
    ///
    /// # Panics
    /// If there is no column `i`.
    pub fn column(&self, i: usize) -> &[f64] {
        &self.columns[i]
    }

    /// The columns of these names, in this order.
    ///
    /// # Errors
    /// [`SeriesError::NoSuchColumn`]; [`SeriesError::DuplicateName`] for a name given twice.
    pub fn select(&self, names: &[String]) -> Result<Self> {
        super::check_names(names)?;
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            match self.names.iter().position(|n| n == name) {
                Some(i) => columns.push(self.columns[i].clone()),
                None => return Err(SeriesError::NoSuchColumn { name: name.clone() }.into()),
            }
        }
        Ok(Self { names: names.to_vec(), columns, lines: self.lines.clone() })
    }

    /// The table as bits: all cells 0 or 1, or all cells -1 or 1.
    ///
    /// # Errors
    /// [`SeriesError::Value`] for any other cell, [`SeriesError::Constant`] for a column that never changes,
    /// [`SeriesError::TooShort`] for one step.
    pub fn binary(&self) -> Result<BitSeries> {
        let low_of = |x: f64| if is(x, -1.0) { Some(-1.0) } else { is(x, 0.0).then_some(0.0) };
        // The first cell that is not 1 says which of the two alphabets it is.
        let first = (0..self.n_steps()).find_map(|t| self.columns.iter().find_map(|c| low_of(c[t])));
        let low = first.unwrap_or(0.0);
        let mut series = BitSeries::with_names(self.names.clone())?;
        series.reserve(self.n_steps());
        let mut step = vec![0i8; self.names.len()];
        for t in 0..self.n_steps() {
            for (i, b) in step.iter_mut().enumerate() {
                let x = self.columns[i][t];
                if !is(x, 1.0) && !is(x, low) {
                    let expected = match first {
                        None => "0 or 1, or -1 or 1",
                        Some(_) if low < 0.0 => "-1 or 1",
                        Some(_) => "0 or 1",
                    };
                    let (line, column) = (self.lines[t], i + 1);
                    let (name, found) = (self.names[i].clone(), x.to_string());
                    return Err(SeriesError::Value { line, column, name, found, expected }.into());
                }
                *b = if is(x, 1.0) { 1 } else { -1 };
            }
            series.push(&step);
        }
        match series.check_varying() {
            // The value as it stands in the table.
            Err(Error::Series(SeriesError::Constant { column, name, value })) => {
                let value = if value == "-1" { low.to_string() } else { value };
                Err(SeriesError::Constant { column, name, value }.into())
            }
            other => other.map(|()| series),
        }
    }
}

/// Bitwise meaning is intended: a cell is one of two symbols or it is not.
#[allow(clippy::float_cmp)]
fn is(x: f64, symbol: f64) -> bool {
    x == symbol
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Table::read(text.as_bytes()).and_then(|table| table.binary()).unwrap_err().to_string()
    }

    #[test]
    fn both_alphabets_with_and_without_header() {
        let zero = Table::read("a,b\n0,1\n\n1,0\n".as_bytes()).unwrap().binary().unwrap();
        let minus = Table::read("-1, 1\r\n1,-1\r\n".as_bytes()).unwrap().binary().unwrap();
        assert_eq!(zero.names(), ["a", "b"]);
        assert_eq!(minus.names(), ["column 1", "column 2"]);
        for series in [&zero, &minus] {
            assert_eq!((series.get(0, 0), series.get(1, 0), series.get(0, 1)), (-1, 1, 1));
        }
    }

    #[test]
    fn every_fault_names_its_place() {
        let cases = [
            ("a,b\n0,1\n1,2\n", "line 3, column 2 (b) is \"2\", expected 0 or 1"),
            ("0,1\n1,-1\n", "line 2, column 2 (column 2) is \"-1\", expected 0 or 1"),
            ("-1,1\n1,0\n", "line 2, column 2 (column 2) is \"0\", expected -1 or 1"),
            ("a,b\n0,1\n1\n", "line 3 has 1 cells, the first line has 2"),
            ("a,b\n0,1\n1,\n", "line 3, column 2 (b) is empty"),
            ("a,b\n0,1\n1,x\n", "line 3, column 2 (b) is \"x\", expected a finite number"),
            ("a,b\n0,1\n1,NaN\n", "line 3, column 2 (b) is \"NaN\", expected a finite number"),
            ("a,b\n0,1\n1,1\n", "column 2 (b) is 1 in every step"),
            ("a,b\n0,0\n1,0\n", "column 2 (b) is 0 in every step"),
            ("-1,1\n-1,-1\n", "column 1 (column 1) is -1 in every step"),
            ("a,b\n0,1\n", "1 steps, at least 2 needed"),
            ("a,b\n", "0 steps, at least 1 needed"),
            ("", "0 steps, at least 1 needed"),
            ("a,a\n0,1\n", "columns 1 and 2 are both called \"a\""),
        ];
        for (text, expected) in cases {
            assert_eq!(message(text), expected, "{text:?}");
        }
        let table = Table::read("a,b\n0,1\n1,0\n".as_bytes()).unwrap();
        assert_eq!(table.select(&["c".into()]).unwrap_err().to_string(), "no column is called \"c\"");
        assert_eq!(table.select(&["b".into()]).unwrap().column(0), [1.0, 0.0]);
        let missing = Table::load("/nonexistent/x.csv").unwrap_err().to_string();
        assert!(missing.starts_with("/nonexistent/x.csv: "), "{missing}");
    }
}
