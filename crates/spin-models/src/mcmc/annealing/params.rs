//! Effort and schedule.

use linalg_core::Streams;

use crate::error::check_beta;
use crate::mcmc::Dynamics;
use crate::model::CachedModel;
use crate::{Error, Result, Spins};

/// How β goes from its first to its last value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Schedule {
    /// In equal steps.
    Linear,
    /// In equal ratios. The default.
    #[default]
    Geometric,
}

/// Effort of [`simulated_annealing`](super::simulated_annealing) and [`Annealer`](super::Annealer).
///
/// ```
/// use spin_models::mcmc::{AnnealingParams, Schedule};
///
/// let params = AnnealingParams::default().with_range(0.1, 5.0).with_schedule(Schedule::Linear).with_sweeps(200);
/// assert_eq!((params.range, params.sweeps, params.reads), (Some((0.1, 5.0)), 200, 32));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnnealingParams {
    /// First and last β. `None`, the default, takes them from the energy changes of single flips in four random
    /// configurations, zeros left out: with their root mean square `R` and the change `r` that a tenth of them lie below,
    ///
    /// ```math
    /// β_\text{first} = \frac{\ln 2}{R}, \qquad β_\text{last} = \frac{\ln 10 N}{r}.
    /// ```
    ///
    /// At first a typical rise in energy is accepted every other time; a few much larger couplings count in `R`. In the
    /// end the smallest rises, of which there are N at most, happen once in ten sweeps.
    pub range: Option<(f64, f64)>,
    /// How β goes between them; geometric by default.
    pub schedule: Schedule,
    /// Sweeps a read, each at its own β; 1000 by default.
    pub sweeps: u64,
    /// Independent reads; 32 by default. Read `k` draws from fast stream `k`.
    pub reads: u64,
    /// Metropolis by default.
    pub dynamics: Dynamics,
    /// Threads that share the reads; 1 by default, which with the feature `rayon` means all cores. The results do not
    /// depend on it.
    pub threads: usize,
}

impl Default for AnnealingParams {
    fn default() -> Self {
        Self {
            range: None,
            schedule: Schedule::default(),
            sweeps: 1000,
            reads: 32,
            dynamics: Dynamics::Metropolis,
            threads: 1,
        }
    }
}

impl AnnealingParams {
    /// The same from `first` to `last` β.
    pub fn with_range(mut self, first: f64, last: f64) -> Self {
        self.range = Some((first, last));
        self
    }

    /// The same with this schedule.
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The same with these sweeps a read.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = sweeps;
        self
    }

    /// The same with this number of reads.
    pub fn with_reads(mut self, reads: u64) -> Self {
        self.reads = reads;
        self
    }

    /// The same with these dynamics.
    pub fn with_dynamics(mut self, dynamics: Dynamics) -> Self {
        self.dynamics = dynamics;
        self
    }

    /// The same on this number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if let Some((first, last)) = self.range {
            check_beta(first)?;
            check_beta(last)?;
            if first > last {
                return refuse("range", format!("{first} to {last}"), "an ascending range of beta");
            }
            if self.schedule == Schedule::Geometric && first == 0.0 && last > 0.0 {
                return refuse("first beta", first.to_string(), "more than 0 for a geometric schedule");
            }
        }
        let counts = [("sweeps", self.sweeps), ("reads", self.reads), ("threads", self.threads as u64)];
        if let Some((what, _)) = counts.into_iter().find(|&(_, count)| count == 0) {
            return refuse(what, "0".to_owned(), "at least 1");
        }
        Ok(())
    }

    /// β of sweep `k`.
    pub(super) fn beta(&self, (first, last): (f64, f64), k: u64) -> f64 {
        let fraction = if self.sweeps > 1 { k as f64 / (self.sweeps - 1) as f64 } else { 1.0 };
        let beta = match self.schedule {
            Schedule::Linear => first + (last - first) * fraction,
            Schedule::Geometric if first == 0.0 => 0.0,
            // The ratio of the two may overflow.
            Schedule::Geometric if !(last / first).is_finite() => {
                (first.ln() + fraction * (last.ln() - first.ln())).exp()
            }
            Schedule::Geometric => first * (last / first).powf(fraction),
        };
        beta.clamp(first, last)
    }
}

/// From the energy changes of single flips in a few random configurations; see [`AnnealingParams::range`].
pub(super) fn automatic_range<M: CachedModel + ?Sized>(model: &M, streams: Streams) -> (f64, f64) {
    let mut rng = streams.child(u64::MAX).stream(0);
    let n = model.n_spins();
    let mut changes: Vec<f64> = Vec::new();
    for _ in 0..4 {
        let s = Spins::random(n, &mut rng);
        let cache = model.cache(&s);
        let deltas = (0..n).map(|i| model.delta_cached(&cache, &s, i).abs());
        changes.extend(deltas.filter(|delta| delta.is_finite() && *delta > 0.0));
    }
    changes.sort_by(f64::total_cmp);
    let Some(&largest) = changes.last() else {
        // Flat: any temperature will do.
        return (1.0, 1.0);
    };
    let squares: f64 = changes.iter().map(|change| (change / largest).powi(2)).sum();
    let typical = largest * (squares / changes.len() as f64).sqrt();
    let small = changes[changes.len() / 10];
    let (hot, cold) = (std::f64::consts::LN_2 / typical, (10.0 * n as f64).ln() / small);
    // Energies so small that their inverse overflows cannot be told apart anyway.
    (hot.min(f64::MAX), cold.min(f64::MAX))
}
