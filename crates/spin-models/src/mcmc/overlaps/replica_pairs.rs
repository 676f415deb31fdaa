//! Simulations with several replicas at every temperature.

use linalg_core::Observer;

use super::Overlaps;
use crate::mcmc::Observables;
use crate::model::{Progress, Simulation, SweepStats};

/// A [`Simulation`] that holds independent replicas at the same temperature and can compare them.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{HeatBath, Ladder, Observables, Overlaps, ParallelTempering, ParallelTemperingParams};
/// use spin_models::mcmc::ReplicaPairs;
/// use spin_models::{Ising, Simulation};
///
/// // Two spins with J = 1: ⟨q_l⟩ = ⟨s_0 s_1⟩² = tanh² β whatever the sign of J, and ⟨q²⟩ = (1 + tanh² β) / 2.
/// let model = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let ladder = Ladder::linear(0.2, 0.8, 3)?;
/// let params = ParallelTemperingParams::default().with_sets(2);
/// let mut tempering = ParallelTempering::new(&model, HeatBath::default(), ladder, params, Streams::new(1))?;
/// let mut averages = Observables::new(2, 3);
/// let mut overlaps = Overlaps::new(2, 3).with_links_of(&model);
/// tempering.run_pairs(20_000, 1, &mut averages, &mut overlaps, &mut ());
/// let squared = 0.8f64.tanh().powi(2);
/// let link = overlaps.lane(2).link_overlap().unwrap();
/// assert!((link.value - squared).abs() < 4.0 * link.std_error.unwrap());
/// let q2 = overlaps.lane(2).q2();
/// assert!((q2.value - 0.5 * (1.0 + squared)).abs() < 4.0 * q2.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
pub trait ReplicaPairs: Simulation {
    /// Adds one measurement of the pairs of replicas at every temperature.
    ///
    /// # Panics
    /// If `into` was made for another number of temperatures or spins, or there are no two replicas at a temperature.
    fn measure_overlaps(&self, into: &mut Overlaps);

    /// Alternates `interval` sweeps and one measurement of single replicas and of pairs, `measurements` times.
    ///
    /// On `Break` from the observer it stops after the present measurement; what was measured until then is kept, and
    /// the statistics count the sweeps done.
    ///
    /// # Panics
    /// As [`measure`](Simulation::measure) and [`measure_overlaps`](Self::measure_overlaps).
    fn run_pairs(
        &mut self,
        measurements: u64,
        interval: u64,
        averages: &mut Observables,
        overlaps: &mut Overlaps,
        observer: &mut dyn Observer<Progress>,
    ) -> SweepStats {
        let mut stats = SweepStats::default();
        for done in 1..=measurements {
            stats += self.advance(interval, &mut ());
            self.measure(averages);
            self.measure_overlaps(overlaps);
            if observer.observe(&Progress::new("measuring", done, measurements)).is_break() {
                break;
            }
        }
        stats
    }
}
