//! Which work units are in a row: whole numbers by name, the only thing that a row of sinter has room for.

use std::collections::BTreeMap;

use linalg_core::merge::{Merge, Units};

use crate::error::{Error, Result};

/// The count `units_of_seed_S` holds units 0 to n - 1 of seed S, `units_of_seed_S_from_A` units A to A + n - 1.
const PREFIX: &str = "units_of_seed_";

/// Units of each seed that the counts name.
pub(super) fn read(counts: &BTreeMap<String, u64>) -> Result<BTreeMap<u64, Units>> {
    let mut units: BTreeMap<u64, Units> = BTreeMap::new();
    for (name, &count) in counts {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let refuse =
            |expected| Err(Error::Parameter { what: "count of units", value: format!("{name}: {count}"), expected });
        let (seed, first) = rest.split_once("_from_").unwrap_or((rest, "0"));
        let (Ok(seed), Ok(first)) = (seed.parse(), first.parse::<u64>()) else {
            return refuse("units_of_seed_SEED or units_of_seed_SEED_from_UNIT with whole numbers");
        };
        let Some(end) = first.checked_add(count) else { return refuse("a last unit below 2^64") };
        if units.entry(seed).or_default().merge(&Units::range(first..end)).is_err() {
            return refuse("units that no other count of the row names");
        }
    }
    Ok(units)
}

/// Puts units in the place of those that the counts name of this seed.
pub(super) fn write(counts: &mut BTreeMap<String, u64>, seed: u64, units: &Units) {
    let whole = format!("{PREFIX}{seed}");
    let pieces = format!("{whole}_from_");
    counts.retain(|name, _| *name != whole && !name.starts_with(&pieces));
    for &(first, end) in units.ranges() {
        let name = if first == 0 { whole.clone() } else { format!("{pieces}{first}") };
        counts.insert(name, end - first);
    }
}

/// Whether a count is one of units.
pub(super) fn is_of_units(name: &str) -> bool {
    name.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut units = Units::range(0..3);
        units.merge(&Units::range(7..8)).unwrap();
        let mut counts: BTreeMap<String, u64> = [("unconverged_shots".to_owned(), 5)].into();
        write(&mut counts, 1, &Units::range(2..9));
        write(&mut counts, 12, &Units::range(4..5));
        write(&mut counts, 1, &units);
        let names: Vec<(&str, u64)> = counts.iter().map(|(name, &count)| (name.as_str(), count)).collect();
        let expected = [
            ("unconverged_shots", 5),
            ("units_of_seed_1", 3),
            ("units_of_seed_12_from_4", 1),
            ("units_of_seed_1_from_7", 1),
        ];
        assert_eq!(names, expected);
        assert_eq!(read(&counts).unwrap(), [(1, units), (12, Units::range(4..5))].into());
    }

    #[test]
    fn counts_that_make_no_sense_are_refused() {
        for (counts, message) in [
            (
                vec![("units_of_seed_x", 1)],
                "count of units is units_of_seed_x: 1, expected units_of_seed_SEED or units_of_seed_SEED_from_UNIT with \
                 whole numbers",
            ),
            (
                vec![("units_of_seed_1", 3), ("units_of_seed_1_from_2", 1)],
                "count of units is units_of_seed_1_from_2: 1, expected units that no other count of the row names",
            ),
            (
                vec![("units_of_seed_1_from_2", u64::MAX)],
                "count of units is units_of_seed_1_from_2: 18446744073709551615, expected a last unit below 2^64",
            ),
        ] {
            let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
            assert_eq!(read(&counts).unwrap_err().to_string(), message);
        }
    }
}
