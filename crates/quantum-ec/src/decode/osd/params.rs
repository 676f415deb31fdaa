//! How far ordered statistics decoding searches.

use crate::error::{Error, Result};

/// Which patterns of free columns are tried beside the solution without any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OsdOrder {
    /// None.
    Zero,
    /// All patterns of this many of the least reliable free columns, at most 24.
    Exhaustive(usize),
    /// Every free column alone, and all pairs of this many of the least reliable.
    CombinationSweep(usize),
}

impl OsdOrder {
    pub(super) const MOST_EXHAUSTIVE: usize = 24;
    const LARGEST_SWEEP: usize = 1 << 16;

    /// Checks the order.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 24 columns of [`Exhaustive`](Self::Exhaustive) or 65536 of
    /// [`CombinationSweep`](Self::CombinationSweep).
    pub fn check(self) -> Result<()> {
        let (method, what) = ("ordered statistics decoding", "order");
        match self {
            Self::Exhaustive(value) if value > Self::MOST_EXHAUSTIVE => {
                Err(Error::TooLarge { method, what, value, bound: Self::MOST_EXHAUSTIVE })
            }
            Self::CombinationSweep(value) if value > Self::LARGEST_SWEEP => {
                Err(Error::TooLarge { method, what, value, bound: Self::LARGEST_SWEEP })
            }
            _ => Ok(()),
        }
    }
}
