//! Where shots come from.

use linalg_core::Streams;

use crate::dem::Sampler;
use crate::shots::ShotsMut;

/// Draws units of [`Sampler::UNIT`] shots, unit k from stream k.
pub trait ShotSource: Sync {
    /// Bits of a row of detectors.
    fn n_detectors(&self) -> usize;

    /// Bits of a row of observables.
    fn n_observables(&self) -> usize;

    /// Draws the shots of a unit; rows are overwritten.
    ///
    /// # Panics
    /// If the tables have other widths, or more rows than a unit.
    fn sample_unit(&self, unit: u64, streams: &Streams, detectors: ShotsMut<'_>, observables: ShotsMut<'_>);
}

impl ShotSource for Sampler {
    fn n_detectors(&self) -> usize {
        self.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.n_observables()
    }

    fn sample_unit(&self, unit: u64, streams: &Streams, detectors: ShotsMut<'_>, observables: ShotsMut<'_>) {
        self.sample_into(unit, streams, detectors, observables, None);
    }
}
