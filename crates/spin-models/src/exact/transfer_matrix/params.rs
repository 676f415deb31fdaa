//! Limits of the solver.

use super::compiled::too_large;
use crate::{Error, Result};

/// Limits of [`TransferMatrix`](super::TransferMatrix), checked before any work starts.
///
/// ```
/// use spin_models::{Error, Ising, LogPartition, TransferMatrix, TransferMatrixParams};
///
/// // The complete graph on six sites has five of them in the frontier; one is held by the symmetry s → -s.
/// let pairs = (0..6).flat_map(|i| (0..i).map(move |j| (j, i, 0.3)));
/// let model = Ising::builder(6).couplings(pairs).build()?;
/// let solver = TransferMatrix::new(TransferMatrixParams::default().with_max_frontier(3));
/// let error = solver.ln_z(&model, 1.0).unwrap_err();
/// assert!(matches!(error, Error::TooLarge { what: "frontier width", value: 4, bound: 3, .. }));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TransferMatrixParams {
    /// Most spins in the state vector, which has two to this power entries of 8 bytes; 26 by default, at most 40.
    pub max_frontier: usize,
    /// Most bytes of state vectors at one time, for means and samples the checkpoints included; 2³⁰ by default. The
    /// scratch space of a backward pass, at most 6 MiB, comes on top.
    pub memory_bytes: usize,
}

impl Default for TransferMatrixParams {
    fn default() -> Self {
        Self { max_frontier: 26, memory_bytes: 1 << 30 }
    }
}

impl TransferMatrixParams {
    /// The same with another bound of the frontier.
    pub fn with_max_frontier(mut self, max_frontier: usize) -> Self {
        self.max_frontier = max_frontier;
        self
    }

    /// The same with another memory budget.
    pub fn with_memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.max_frontier > 40 {
            let value = self.max_frontier.to_string();
            return Err(Error::Parameter { what: "max_frontier", value, expected: "at most 40" });
        }
        Ok(())
    }

    pub(super) fn check_width(&self, width: usize) -> Result<()> {
        if width > self.max_frontier { Err(too_large("frontier width", width, self.max_frontier)) } else { Ok(()) }
    }

    pub(super) fn check_bytes(&self, what: &'static str, bytes: usize) -> Result<()> {
        if bytes > self.memory_bytes { Err(too_large(what, bytes, self.memory_bytes)) } else { Ok(()) }
    }
}

/// Size of a state vector of `2^width` entries.
pub(super) fn bytes<V>(width: usize) -> usize {
    size_of::<V>().saturating_mul(1usize.checked_shl(width as u32).unwrap_or(usize::MAX))
}
