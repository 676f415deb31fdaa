//! Names of shot formats and what the bits of a row stand for.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Most bits of a row in a file.
pub const MAX_ROW_BITS: usize = 1 << 32;

/// How shots are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ShotFormat {
    /// Text, a character a bit.
    Bits01,
    /// Bytes, eight bits each.
    B8,
    /// Bytes, run lengths of zeros.
    R8,
    /// Text, positions of ones.
    Hits,
    /// Text, positions of ones with their kind.
    Dets,
    /// Bytes, 64 shots side by side.
    Ptb64,
}

impl ShotFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [Self::Bits01, Self::B8, Self::R8, Self::Hits, Self::Dets, Self::Ptb64];

    /// The name by which the format is known: `01`, `b8`, `r8`, `hits`, `dets`, `ptb64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bits01 => "01",
            Self::B8 => "b8",
            Self::R8 => "r8",
            Self::Hits => "hits",
            Self::Dets => "dets",
            Self::Ptb64 => "ptb64",
        }
    }
}

impl fmt::Display for ShotFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ShotFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| Error::Parameter {
            what: "shot format",
            value: format!("{name:?}"),
            expected: "01, b8, r8, hits, dets or ptb64",
        })
    }
}

/// What the bits of a row are: measurements, then detectors, then observables.
///
/// Only `dets` files tell the three apart; the others need the sum.
///
/// ```
/// use quantum_ec::io::Layout;
///
/// assert_eq!(Layout { detectors: 24, observables: 1, ..Layout::default() }.n_bits(), 25);
/// assert_eq!(Layout::measurements(7).n_bits(), 7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Layout {
    /// Bits `M0`, `M1`, …, the first of a row.
    pub measurements: usize,
    /// Bits `D0`, `D1`, …, after the measurements.
    pub detectors: usize,
    /// Bits `L0`, `L1`, …, the last of a row.
    pub observables: usize,
}

impl Layout {
    /// Rows of measurements.
    pub fn measurements(n: usize) -> Self {
        Self { measurements: n, ..Self::default() }
    }

    /// Rows of detection events.
    pub fn detectors(n: usize) -> Self {
        Self { detectors: n, ..Self::default() }
    }

    /// Rows of observables.
    pub fn observables(n: usize) -> Self {
        Self { observables: n, ..Self::default() }
    }

    /// Bits of a row.
    ///
    /// # Panics
    /// If the sum overflows.
    pub fn n_bits(self) -> usize {
        self.measurements + self.detectors + self.observables
    }

    /// Letter, first bit and number of bits of the three parts.
    pub(super) fn parts(self) -> [(u8, usize, usize); 3] {
        [
            (b'M', 0, self.measurements),
            (b'D', self.measurements, self.detectors),
            (b'L', self.measurements + self.detectors, self.observables),
        ]
    }

    /// The width, if it is one that files may have.
    pub(super) fn checked(self) -> Result<usize> {
        let sum = self.measurements.saturating_add(self.detectors).saturating_add(self.observables);
        if sum > MAX_ROW_BITS {
            return Err(Error::TooLarge {
                method: "shot files",
                what: "number of bits in a row",
                value: sum,
                bound: MAX_ROW_BITS,
            });
        }
        Ok(sum)
    }
}
