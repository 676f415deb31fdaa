//! Adding partial results from other seeds, threads or machines.
//!
//! A long computation is cut into numbered work units. Whatever it averages implements [`Merge`]; kept
//! together with the [`Units`] it has done, a sum over machines cannot count one unit twice. Averages of single numbers
//! ([`Running`](crate::stats::Running) and its like) do not carry units: what holds them does.

use thiserror::Error as ThisError;

/// Why two partial results cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum MergeError {
    /// The results belong to different problems.
    #[error("problem hash {found:#018x} differs from {expected:#018x}")]
    Problem {
        /// Hash of the receiving result.
        expected: u64,
        /// Hash of the result to add.
        found: u64,
    },
    /// The results were binned or shaped differently.
    #[error("{what} is {found} in one result and {expected} in the other")]
    Shape {
        /// Name of the size that differs.
        what: &'static str,
        /// Size in the receiving result.
        expected: usize,
        /// Size in the result to add.
        found: usize,
    },
    /// The same work unit is in both results.
    #[error("work unit {unit} is in both results")]
    OverlappingUnits {
        /// The first unit that both contain.
        unit: u64,
    },
}

/// A result that can absorb another of the same kind.
///
/// On `Err` the receiver is unchanged.
pub trait Merge {
    /// Adds `other` to `self`.
    ///
    /// # Errors
    /// [`MergeError`] when the two are not parts of one whole.
    fn merge(&mut self, other: &Self) -> Result<(), MergeError>;
}

/// A set of work-unit numbers, kept as sorted, disjoint, half-open ranges.
///
/// ```
/// use linalg_core::merge::{Merge, Units};
///
/// let mut done = Units::range(0..4);
/// done.merge(&Units::range(6..8))?;
/// done.merge(&Units::range(4..6))?;
/// assert_eq!(done.ranges(), &[(0, 8)]);
/// assert_eq!(done.len(), 8);
/// assert!(done.merge(&Units::range(7..9)).is_err());
/// # Ok::<(), linalg_core::merge::MergeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Units {
    ranges: Vec<(u64, u64)>,
}

impl Units {
    /// No unit.
    pub fn new() -> Self {
        Self::default()
    }

    /// The units `range.start`, …, `range.end - 1`; an empty range gives the empty set.
    pub fn range(range: std::ops::Range<u64>) -> Self {
        let ranges = if range.start < range.end { vec![(range.start, range.end)] } else { Vec::new() };
        Self { ranges }
    }

    /// The half-open ranges, ascending; neighbours are joined.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// How many units the set holds.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(a, b)| b - a).sum()
    }

    /// Whether the set holds no unit.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `unit` is in the set. Binary search.
    pub fn contains(&self, unit: u64) -> bool {
        let after = self.ranges.partition_point(|&(a, _)| a <= unit);
        after > 0 && unit < self.ranges[after - 1].1
    }

    /// The smallest unit from `start` on that is not in the set: where an interrupted computation goes on. Binary search.
    ///
    /// ```
    /// use linalg_core::merge::{Merge, Units};
    ///
    /// let mut done = Units::range(0..4);
    /// done.merge(&Units::range(6..8))?;
    /// assert_eq!([0, 5, 6].map(|start| done.first_missing(start)), [4, 5, 8]);
    /// # Ok::<(), linalg_core::merge::MergeError>(())
    /// ```
    pub fn first_missing(&self, start: u64) -> u64 {
        // Neighbouring ranges are joined: what follows the end of one is missing.
        let after = self.ranges.partition_point(|&(a, _)| a <= start);
        if after > 0 { self.ranges[after - 1].1.max(start) } else { start }
    }

    /// Adds one unit; `false` if it was there already.
    pub fn insert(&mut self, unit: u64) -> bool {
        // The unit u64::MAX has no half-open range.
        unit < u64::MAX && self.merge(&Self::range(unit..unit + 1)).is_ok()
    }
}

impl Merge for Units {
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        let mut all: Vec<(u64, u64)> = self.ranges.iter().chain(&other.ranges).copied().collect();
        all.sort_unstable();
        if let Some(pair) = all.windows(2).find(|pair| pair[1].0 < pair[0].1) {
            return Err(MergeError::OverlappingUnits { unit: pair[1].0 });
        }
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(all.len());
        for (a, b) in all {
            match joined.last_mut() {
                Some(last) if last.1 == a => last.1 = b,
                _ => joined.push((a, b)),
            }
        }
        self.ranges = joined;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_leaves_the_receiver_unchanged() {
        let mut a = Units::range(0..5);
        let before = a.clone();
        let error = a.merge(&Units::range(4..6)).unwrap_err();
        assert_eq!(error, MergeError::OverlappingUnits { unit: 4 });
        assert_eq!(a, before);
    }

    #[test]
    fn membership() {
        let mut a = Units::range(2..4);
        assert!(a.insert(7));
        assert!(!a.insert(3));
        let inside: Vec<u64> = (0..9).filter(|&k| a.contains(k)).collect();
        assert_eq!(inside, [2, 3, 7]);
        assert!(Units::range(5..5).is_empty());
    }
}
