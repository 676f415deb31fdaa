//! Ranges of units on the command line.

use std::ops::Range;

use linalg_core::merge::Units;

/// Units `a..b`: a, …, b - 1.
///
/// ```
/// use workspace_examples::units::unit_range;
///
/// assert_eq!(unit_range("3..10"), Ok(3..10));
/// assert_eq!(unit_range("10..3").unwrap_err(), "\"10..3\" is not A..B with whole numbers A < B");
/// ```
///
/// # Errors
/// For anything else, and for a range without a unit.
pub fn unit_range(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(a, b)| Some(a.trim().parse().ok()?..b.trim().parse().ok()?));
    let found: Option<Range<u64>> = ends.filter(|range: &Range<u64>| range.start < range.end);
    found.ok_or_else(|| format!("{text:?} is not A..B with whole numbers A < B"))
}

/// The units of a range that are not done, as `a..b` with commas between; `None` if none is missing.
///
/// ```
/// use linalg_core::merge::{Merge, Units};
/// use workspace_examples::units::missing;
///
/// let mut done = Units::range(2..4);
/// done.merge(&Units::range(6..20))?;
/// assert_eq!(missing(&done, &(0..10)).as_deref(), Some("0..2, 4..6"));
/// assert_eq!(missing(&done, &(7..20)), None);
/// # Ok::<(), linalg_core::merge::MergeError>(())
/// ```
pub fn missing(done: &Units, wanted: &Range<u64>) -> Option<String> {
    let mut holes = Vec::new();
    let mut start = done.first_missing(wanted.start);
    while start < wanted.end {
        let next = done.ranges().iter().map(|&(a, _)| a).find(|&a| a > start);
        let end = next.map_or(wanted.end, |a| a.min(wanted.end));
        holes.push(format!("{start}..{end}"));
        start = done.first_missing(end);
    }
    (!holes.is_empty()).then(|| holes.join(", "))
}
