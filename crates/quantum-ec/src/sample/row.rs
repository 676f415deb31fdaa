//! Counts of a task: a row of the table.

use std::collections::BTreeMap;
use std::collections::HashMap;

use linalg_core::checkpoint::ContentHash;
use linalg_core::merge::{Merge, MergeError, Units};
use linalg_core::stats::{Interval, wilson_interval};

use super::units;
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// What was counted for one task; rows of the same task add up.
///
/// The columns are those of Stim's collection tool sinter.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Row {
    /// Shots sampled.
    pub shots: u64,
    /// Shots kept in which any observable was predicted wrongly.
    pub errors: u64,
    /// Shots given up by post-selection.
    pub discards: u64,
    /// Processor time of sampling and decoding.
    pub seconds: f64,
    /// Name of the decoder.
    pub decoder: String,
    /// Names the task; rows with the same one add up.
    pub strong_id: String,
    /// Any JSON value, as text.
    pub json_metadata: String,
    /// Further counts by name.
    pub custom_counts: BTreeMap<String, u64>,
}

impl Row {
    /// Errors among the shots that were kept; NaN without any.
    ///
    /// ```
    /// use quantum_ec::sample::Row;
    ///
    /// let row = Row { shots: 1000, discards: 200, errors: 8, ..Row::default() };
    /// assert_eq!(row.rate(), 0.01);
    /// ```
    pub fn rate(&self) -> f64 {
        self.errors as f64 / self.shots.saturating_sub(self.discards) as f64
    }

    /// Wilson interval of the rate, `z` standard deviations to each side.
    ///
    /// # Errors
    /// If there are more errors than shots kept, or `z` is negative or not finite.
    pub fn interval(&self, z: f64) -> Result<Interval> {
        Ok(wilson_interval(self.errors, self.shots.saturating_sub(self.discards), z)?)
    }

    /// The work units of each seed that are in the row, from the counts `units_of_seed_S` (units 0 to n - 1) and
    /// `units_of_seed_S_from_A` (units A to A + n - 1); see [`collect`](super::collect()).
    ///
    /// ```
    /// use linalg_core::merge::Units;
    /// use quantum_ec::sample::Row;
    ///
    /// let mut row = Row::default();
    /// row.custom_counts.insert("units_of_seed_7_from_20".to_owned(), 5);
    /// assert_eq!(row.units()?[&7], Units::range(20..25));
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for such a count with another number in its name, and where two of them name one unit.
    pub fn units(&self) -> Result<BTreeMap<u64, Units>> {
        units::read(&self.custom_counts)
    }

    /// Adds the counts of `other`.
    ///
    /// A unit of a seed is the same shots wherever it was run, so that both rows must not hold it.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is the row of another task or decoder, both rows hold a unit of the same seed, the units of one
    /// cannot be read, or a sum overflows; `self` is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if other.strong_id != self.strong_id || other.decoder != self.decoder {
            return Err(Error::Parameter {
                what: "strong_id and decoder of a row to add",
                value: format!("{:?} and {:?}", other.strong_id, other.decoder),
                expected: "those of the row it is added to",
            });
        }
        let mut done = self.units()?;
        for (seed, more) in other.units()? {
            if let Err(MergeError::OverlappingUnits { unit }) = done.entry(seed).or_default().merge(&more) {
                return Err(Error::Parameter {
                    what: "unit that two rows to add have in common",
                    value: format!("{unit} of seed {seed}"),
                    expected: "each unit in one of them: its shots are the same",
                });
            }
        }
        let add = |a: u64, b: u64| {
            let overflow = || Error::Parameter {
                what: "sum of counts",
                value: format!("{a} + {b}"),
                expected: "a number below 2^64",
            };
            a.checked_add(b).ok_or_else(overflow)
        };
        let mut sum = self.clone();
        sum.shots = add(self.shots, other.shots)?;
        sum.errors = add(self.errors, other.errors)?;
        sum.discards = add(self.discards, other.discards)?;
        sum.seconds += other.seconds;
        for (name, &count) in other.custom_counts.iter().filter(|(name, _)| !units::is_of_units(name)) {
            let entry = sum.custom_counts.entry(name.clone()).or_default();
            *entry = add(*entry, count)?;
        }
        done.iter().for_each(|(&seed, done)| units::write(&mut sum.custom_counts, seed, done));
        *self = sum;
        Ok(())
    }
}

/// Adds up rows of the same task, in order of first appearance.
///
/// Runs on several machines take different units or different seeds: rows of one task with one unit of one seed hold the same
/// shots, and are refused.
///
/// # Errors
/// As [`Row::merge`].
pub fn merge_rows(rows: impl IntoIterator<Item = Row>) -> Result<Vec<Row>> {
    let mut merged: Vec<Row> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for row in rows {
        match place.get(&row.strong_id) {
            Some(&at) => merged[at].merge(&row)?,
            None => {
                place.insert(row.strong_id.clone(), merged.len());
                merged.push(row);
            }
        }
    }
    Ok(merged)
}

/// Part of every name, raised when the shots of a unit or what a decoder of one name makes of them change: counts of two such
/// versions do not add up.
const COUNTS: &str = "counts 2";

/// A name for a task: 16 hexadecimal digits from the problem, the decoder and the metadata, and from the version of the numbers.
///
/// The seed is not in it: runs with other seeds are the same task.
pub fn strong_id(problem: &DecodingProblem, decoder: &str, json_metadata: &str) -> String {
    strong_id_of_table(problem, &[], decoder, json_metadata)
}

/// The same for a decoder that knows a table of probabilities `p_I, p_X, p_Y, p_Z` besides the problem the shots are drawn
/// from: every number of it counts.
pub fn strong_id_of_table(problem: &DecodingProblem, table: &[[f64; 4]], decoder: &str, json_metadata: &str) -> String {
    let mut hash = ContentHash::new();
    hash.write_str(COUNTS);
    table.iter().for_each(|row| {
        hash.write_f64s(row);
    });
    hash.write_str(decoder).write_str(json_metadata).write_u64(problem.content_hash());
    format!("{:016x}", hash.finish())
}

/// The rate of logical errors a round from the rate a shot of `rounds` equal, independent rounds.
///
/// An observable that is flipped in every round with probability q is flipped in the end with
/// $`P = \tfrac12 (1 - (1 - 2q)^r)`$; this is the inverse. Above 1/2 it continues by symmetry about 1/2.
///
/// ```
/// use quantum_ec::sample::per_round;
///
/// // Two rounds of 0.1: 2 (0.1)(0.9) = 0.18.
/// assert!((per_round(0.18, 2.0) - 0.1).abs() < 1e-15);
/// ```
pub fn per_round(rate: f64, rounds: f64) -> f64 {
    if rate > 0.5 {
        return 1.0 - per_round(1.0 - rate, rounds);
    }
    // 1 - (1 - 2P)^(1/r) without cancellation.
    -0.5 * ((-2.0 * rate).ln_1p() / rounds).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, shots: u64) -> Row {
        Row { shots, errors: 1, strong_id: id.to_owned(), ..Row::default() }
    }

    #[test]
    fn rows_of_a_task_add_up() {
        let mut counted = row("a", 10);
        counted.custom_counts.insert("x".to_owned(), 3);
        let merged = merge_rows([counted.clone(), row("b", 5), counted, row("a", 1)]).unwrap();
        assert_eq!(merged.iter().map(|r| (r.shots, r.errors)).collect::<Vec<_>>(), [(21, 3), (5, 1)]);
        assert_eq!(merged[0].custom_counts["x"], 6);
        let mut full = row("a", u64::MAX);
        let before = full.clone();
        assert_eq!(
            full.merge(&row("a", 1)).unwrap_err().to_string(),
            "sum of counts is 18446744073709551615 + 1, expected a number below 2^64"
        );
        assert!(full.merge(&row("b", 0)).is_err());
        assert_eq!(full, before);
    }

    #[test]
    fn shots_of_one_seed_are_not_counted_twice() {
        let of_seed = |seed: u64, range: std::ops::Range<u64>| {
            let mut row = row("a", 1024 * (range.end - range.start));
            units::write(&mut row.custom_counts, seed, &Units::range(range));
            row
        };
        let mut sum = of_seed(1, 0..3);
        sum.merge(&of_seed(2, 4..9)).unwrap();
        sum.merge(&of_seed(1, 0..0)).unwrap();
        let before = sum.clone();
        assert_eq!(
            sum.merge(&of_seed(2, 8..10)).unwrap_err().to_string(),
            "unit that two rows to add have in common is 8 of seed 2, expected each unit in one of them: its shots are the same"
        );
        assert_eq!(sum, before);
        // The rest of both, in any order.
        sum.merge(&of_seed(2, 0..4)).unwrap();
        sum.merge(&of_seed(1, 5..6)).unwrap();
        sum.merge(&of_seed(1, 3..5)).unwrap();
        assert_eq!(sum.units().unwrap(), [(1, Units::range(0..6)), (2, Units::range(0..9))].into());
        assert_eq!((sum.shots, sum.custom_counts.len()), (15 * 1024, 2));
        assert!(merge_rows([of_seed(1, 0..3), of_seed(1, 2..3)]).is_err());
    }

    #[test]
    fn names_follow_the_content() {
        let problem = |text: &str| text.parse::<crate::DetectorErrorModel>().unwrap().to_problem().unwrap();
        let names = [
            strong_id(&problem("error(0.1) D0"), "x", "{}"),
            strong_id(&problem("error(0.2) D0"), "x", "{}"),
            strong_id(&problem("error(0.1) D1"), "x", "{}"),
            strong_id(&problem("error(0.1) D0 L0"), "x", "{}"),
            strong_id(&problem("error(0.1) D0"), "y", "{}"),
            strong_id(&problem("error(0.1) D0"), "x", "1"),
            strong_id(&problem("error(0.1) D0\nerror(0.1) D1"), "x", "{}"),
            // Where the flips end counts, too, and the last digit of every probability.
            strong_id(&problem("error(0.1) D0 D1\nerror(0.1) D2"), "x", "{}"),
            strong_id(&problem("error(0.1) D0\nerror(0.1) D1 D2"), "x", "{}"),
            strong_id(&problem("error(0.1) D0\nerror(0.10000000000000002) D1 D2"), "x", "{}"),
            strong_id_of_table(&problem("error(0.1) D0"), &[[0.9, 0.1, 0.0, 0.0]], "x", "{}"),
            strong_id_of_table(&problem("error(0.1) D0"), &[[0.9, 0.0, 0.1, 0.0]], "x", "{}"),
            strong_id_of_table(&problem("error(0.1) D0"), &[[0.9, 0.0, 0.1, 0.0], [1.0, 0.0, 0.0, 0.0]], "x", "{}"),
        ];
        for (i, name) in names.iter().enumerate() {
            assert_eq!(names.iter().position(|other| other == name), Some(i));
        }
    }

    #[test]
    fn rounds_invert() {
        for (q, rounds) in [(1e-12f64, 5.0), (0.1, 3.0), (0.5, 2.0)] {
            let shot = -0.5 * (rounds * (-2.0 * q).ln_1p()).exp_m1();
            approx::assert_relative_eq!(per_round(shot, rounds), q, max_relative = 1e-12);
        }
        assert!((per_round(1.0, 3.0) - 1.0).abs() < 1e-15);
    }
}
