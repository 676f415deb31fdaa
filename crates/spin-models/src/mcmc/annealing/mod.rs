//! Simulated annealing.

mod annealer;
mod drive;
mod params;

use linalg_core::{Observer, Streams};

pub use self::annealer::{Annealer, AnnealingEngine};
use self::drive::{ChainRead, Cut, drive};
use self::params::automatic_range;
pub use self::params::{AnnealingParams, Schedule};
use crate::model::{CachedModel, Progress};
use crate::{Result, Spins};

/// What [`simulated_annealing`] found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Annealing {
    /// The lowest energy met, computed afresh from the configuration.
    pub energy: f64,
    /// The first configuration that had it.
    pub spins: Spins,
    /// The lowest energy of every read that was begun.
    pub energies: Vec<f64>,
    /// Sweeps done, over all reads.
    pub sweeps: u64,
    /// Whether every read came to its end.
    pub complete: bool,
}

/// One read of an [`Annealer`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AnnealedRead {
    /// Its number, which is that of its random stream.
    pub read: u64,
    /// Its lowest energy.
    pub energy: f64,
    /// A configuration that has it.
    pub spins: Spins,
}

/// Looks for a configuration of low energy by cooling independent chains from random spins.
///
/// Each read makes `sweeps` sweeps at rising β, remembers the lowest configuration it met after a sweep, and from there
/// flips spins as long as that lowers the energy. No promise that it is the ground state. The answer is the same for
/// any number of threads. For pairwise models [`Annealer`] chooses faster engines where it can.
///
/// An observer that stops the run keeps the best so far, the random start in the extreme.
///
/// Cost: `reads · sweeps` sweeps and energies.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::Ising;
/// use spin_models::mcmc::{AnnealingParams, simulated_annealing};
///
/// // A ring of 12 with one negative bond: all but one bond can be satisfied.
/// let ring = Ising::builder(12).couplings((0..12).map(|i| (i, (i + 1) % 12, if i == 5 { -1.0 } else { 1.0 }))).build()?;
/// let params = AnnealingParams::default().with_sweeps(100).with_reads(8);
/// let found = simulated_annealing(&ring, &params, Streams::new(1), &mut ())?;
/// assert_eq!(found.energy, -10.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, Science 220, 671 (1983).
///
/// # Errors
/// [`Error::Beta`](crate::Error::Beta) or [`Error::Parameter`](crate::Error::Parameter).
pub fn simulated_annealing<M: CachedModel + Sync>(
    model: &M,
    params: &AnnealingParams,
    streams: Streams,
    observer: &mut dyn Observer<Progress>,
) -> Result<Annealing> {
    params.check()?;
    let range = params.range.unwrap_or_else(|| automatic_range(model, streams));
    let new = |units: std::ops::Range<u64>| ChainRead::new(model, params, streams, units.start);
    drive(model, params, range, &Cut { batch: 64, group: 1 }, new, &mut (), observer)
}

#[cfg(test)]
mod tests;
