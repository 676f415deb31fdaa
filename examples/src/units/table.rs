//! Tables of counts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use linalg_core::checkpoint::replace_file;
use linalg_core::merge::Units;
use quantum_ec::dem::Sampler;
use quantum_ec::sample::{Row, read_numbered_csv, write_csv};

use super::Outcome;

/// Rows of counts, one a task, by the content hash of the task.
///
/// A row that holds units names its task by decoder and metadata; two tasks of one name with different hashes are different
/// problems under one name, as after a change of the noise between two versions, and are refused.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: BTreeMap<String, Row>,
    /// Hash and place of the first row of a decoder and its metadata.
    names: BTreeMap<(String, String), (String, String)>,
}

/// Shots of units of all seeds.
pub fn shots_of(units: &BTreeMap<u64, Units>) -> u128 {
    units.values().map(|units| u128::from(units.len()) * Sampler::UNIT as u128).sum()
}

impl Table {
    /// Adds a row that was found at `place`.
    ///
    /// # Errors
    /// Beginning with `place`: another problem under the same name, units that are there already, fewer shots than
    /// its units have, or a sum of counts that overflows.
    pub fn add(&mut self, row: Row, place: &str) -> Outcome<()> {
        let units = row.units().map_err(|error| format!("{place}: {error}"))?;
        let numbered = shots_of(&units);
        if u128::from(row.shots) < numbered {
            return Err(format!("{place}: {} shots, but its units have {numbered}", row.shots).into());
        }
        if !units.is_empty() {
            self.check_name(&row.decoder, &row.json_metadata, &row.strong_id, place)?;
            let name = (row.decoder.clone(), row.json_metadata.clone());
            self.names.entry(name).or_insert_with(|| (row.strong_id.clone(), place.to_owned()));
        }
        match self.rows.get_mut(&row.strong_id) {
            Some(sum) => sum.merge(&row).map_err(|error| format!("{place}: {error}"))?,
            None => {
                self.rows.insert(row.strong_id.clone(), row);
            }
        }
        Ok(())
    }

    fn check_name(&self, decoder: &str, metadata: &str, id: &str, place: &str) -> Outcome<()> {
        match self.names.get(&(decoder.to_owned(), metadata.to_owned())) {
            Some((other, first)) if other != id => {
                Err(format!("{place}: {decoder} on {metadata} has the problem {id}, expected {other} as in {first}")
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// Adds the rows of a file.
    ///
    /// # Errors
    /// As [`add`](Self::add), with file and line, and when the file is no table of counts.
    pub fn read(&mut self, path: &Path) -> Outcome<()> {
        let name = path.display();
        let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
        let rows = read_numbered_csv(BufReader::new(file)).map_err(|error| format!("{name}: {error}"))?;
        rows.into_iter().try_for_each(|(line, row)| self.add(row, &format!("{name}:{line}")))
    }

    /// The row of a task, empty if there is none.
    ///
    /// # Errors
    /// If the table has another problem under this name.
    pub fn row(&self, decoder: &str, metadata: &str, id: &str) -> Outcome<Row> {
        self.check_name(decoder, metadata, id, "this run")?;
        let empty = || Row {
            decoder: decoder.to_owned(),
            strong_id: id.to_owned(),
            json_metadata: metadata.to_owned(),
            ..Row::default()
        };
        Ok(self.rows.get(id).cloned().unwrap_or_else(empty))
    }

    /// Puts a row in the place of the one that has its hash.
    pub fn replace(&mut self, row: Row) {
        self.rows.insert(row.strong_id.clone(), row);
    }

    /// The rows, by hash: the order in which they were added does not matter.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Replaces a file; a kill leaves the old one or the new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        let rows: Vec<Row> = self.rows().cloned().collect();
        let mut text = Vec::new();
        write_csv(&rows, &mut text)?;
        Ok(replace_file(path, &text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, metadata: &str, units: &str, n: u64) -> Row {
        Row {
            shots: 1024 * n,
            decoder: "x".to_owned(),
            strong_id: id.to_owned(),
            json_metadata: metadata.to_owned(),
            custom_counts: [(units.to_owned(), n)].into(),
            ..Row::default()
        }
    }

    #[test]
    fn what_does_not_belong_is_refused_with_its_place() {
        let mut table = Table::default();
        table.add(row("1f", "{}", "units_of_seed_1", 3), "a:2").unwrap();
        table.add(row("1f", "{}", "units_of_seed_1_from_5", 2), "b:2").unwrap();
        // Rows that nobody numbered may share a name.
        table.add(row("2f", "{}", "other", 1), "b:3").unwrap();
        let error = |row: Row| table.clone().add(row, "c:4").unwrap_err().to_string();
        assert_eq!(
            error(row("1f", "{}", "units_of_seed_1_from_6", 4)),
            "c:4: unit that two rows to add have in common is 6 of seed 1, expected each unit in one of them: its shots are the \
             same"
        );
        assert_eq!(
            error(row("3f", "{}", "units_of_seed_1", 1)),
            "c:4: x on {} has the problem 3f, expected 1f as in a:2"
        );
        let fewer = Row { shots: 2047, ..row("1f", "{}", "units_of_seed_2", 2) };
        assert_eq!(error(fewer), "c:4: 2047 shots, but its units have 2048");
        assert!(table.row("x", "{}", "3f").is_err());
        assert_eq!(table.row("x", "{}", "1f").unwrap().shots, 5 * 1024);
        assert_eq!(table.row("x", "other", "3f").unwrap().shots, 0);
        assert_eq!(table.rows().map(|row| row.strong_id.as_str()).collect::<Vec<_>>(), ["1f", "2f"]);
    }
}
