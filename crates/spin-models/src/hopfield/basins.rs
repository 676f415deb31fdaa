//! From how far away a pattern is recalled.

use linalg_core::Streams;
use linalg_core::stats::{Estimate, Running};
use linalg_core::threads;

use super::attractors::{check_sizes, check_threshold};
use super::{Glauber, Network, Patterns, Update};
use crate::Result;

/// Recall from damaged patterns, over the overlap of the start.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::hopfield::{Basin, Hopfield, Patterns};
///
/// // One pattern: every start with a positive overlap leads to it, every other one to its reverse.
/// let patterns = Patterns::random(101, 1, &mut Streams::new(1).stream(0))?;
/// let basin = Basin::default().trials(20).measure(&Hopfield::new(&patterns)?, &patterns, &[-0.2, 0.2], &Streams::new(2))?;
/// assert_eq!((basin[0].recalled.value, basin[1].recalled.value), (0.0, 1.0));
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Basin {
    /// The dynamics; default T = 0, sequential.
    pub dynamics: Glauber,
    /// Starts at every overlap; default 100.
    pub trials: u64,
    /// Sweeps at most; default 100.
    pub max_sweeps: u64,
    /// A final overlap from here on is a recall; default 0.9, between the 0.967 or more of retrieval states and the 0.35 of the glass.
    pub threshold: f64,
    /// Threads, 0 for all there are; the numbers do not depend on it. Default 1.
    pub threads: usize,
}

impl Default for Basin {
    fn default() -> Self {
        let dynamics = Glauber::zero_temperature(Update::Sequential);
        Self { dynamics, trials: 100, max_sweeps: 100, threshold: 0.9, threads: 1 }
    }
}

/// What became of starts with one overlap.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BasinPoint {
    /// The overlap of the starts, as near to the one asked for as the number of spins allows.
    pub start: f64,
    /// The fraction that was recalled.
    pub recalled: Estimate,
    /// The mean overlap at the end.
    pub overlap: Estimate,
    /// The mean number of sweeps.
    pub sweeps: f64,
}

/// Overlap at the start, at the end, and the sweeps between.
type Trial = (f64, f64, u64);

impl Basin {
    /// Sets the dynamics.
    pub fn dynamics(mut self, dynamics: Glauber) -> Self {
        self.dynamics = dynamics;
        self
    }

    /// Sets the number of starts at every overlap.
    pub fn trials(mut self, trials: u64) -> Self {
        self.trials = trials;
        self
    }

    /// Sets the most sweeps of a recall.
    pub fn max_sweeps(mut self, sweeps: u64) -> Self {
        self.max_sweeps = sweeps;
        self
    }

    /// Sets the final overlap from which on a start counts as recalled.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Recalls from every overlap in `starts`; trial t damages pattern t mod P, and trial t of point k draws from stream `k * trials + t`.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for no patterns, no trials, a threshold outside (0, 1] or an overlap outside [-1, 1];
    /// [`Error::WrongLength`](crate::Error::WrongLength) for patterns of another number of spins.
    pub fn measure<N: Network + Sync>(
        &self,
        network: &N,
        patterns: &Patterns,
        starts: &[f64],
        streams: &Streams,
    ) -> Result<Vec<BasinPoint>> {
        check_threshold(self.threshold)?;
        check_sizes(network, patterns)?;
        let positive = |what, value: u64| {
            let expected = "at least 1";
            if value > 0 { Ok(()) } else { Err(crate::Error::Parameter { what, value: value.to_string(), expected }) }
        };
        positive("number of patterns", patterns.n_patterns() as u64)?;
        positive("number of trials", self.trials)?;
        let mut points = Vec::with_capacity(starts.len());
        for (k, &overlap) in starts.iter().enumerate() {
            patterns.with_overlap(0, overlap, &mut streams.stream(0))?;
            let mut trials: Vec<(u64, Option<Trial>)> = (0..self.trials).map(|t| (t, None)).collect();
            threads::for_each(threads::count(self.threads), &mut trials, |(t, outcome)| {
                let mut rng = streams.stream(k as u64 * self.trials + *t);
                let mu = (*t % patterns.n_patterns() as u64) as usize;
                if let Ok(start) = patterns.with_overlap(mu, overlap, &mut rng) {
                    let end = self.dynamics.recall(network, &start, self.max_sweeps, &mut rng);
                    *outcome = Some((patterns.overlap(mu, &start), patterns.overlap(mu, &end.spins), end.sweeps));
                }
            });
            let outcomes = || trials.iter().filter_map(|(_, outcome)| *outcome);
            let ends: Running = outcomes().map(|(_, end, _)| end).collect();
            let recalled: Running = outcomes().map(|(_, end, _)| f64::from(u8::from(end >= self.threshold))).collect();
            let mean = |f: &dyn Fn(Trial) -> f64| outcomes().map(f).sum::<f64>() / self.trials as f64;
            points.push(BasinPoint {
                start: mean(&|(start, ..)| start),
                recalled: recalled.estimate(),
                overlap: ends.estimate(),
                sweeps: mean(&|(.., sweeps)| sweeps as f64),
            });
        }
        Ok(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hopfield::{Hopfield, pseudo_inverse};

    /// The basin is wide at a small load and gone above capacity; threads do not change a bit. N = 500, seed 10.
    #[test]
    fn basins_shrink_with_the_load() {
        let starts = [0.1, 0.3, 0.5, 0.7, 0.9];
        let measure = |p: usize, threads: usize| {
            let patterns = Patterns::random(500, p, &mut Streams::new(10).stream(0)).unwrap();
            let basin = Basin::default().trials(40).threads(threads);
            basin.measure(&Hopfield::new(&patterns).unwrap(), &patterns, &starts, &Streams::new(11)).unwrap()
        };
        let recalled = |points: &[BasinPoint]| points.iter().map(|point| point.recalled.value).collect::<Vec<_>>();
        let small = measure(10, 1);
        assert_eq!(small, measure(10, 3));
        assert!(recalled(&small)[2..].iter().all(|&r| r > 0.95), "{small:?}");
        assert!(recalled(&small)[0] < 0.9, "{small:?}");
        let middle = measure(50, 1);
        assert!(recalled(&middle)[4] > 0.95 && recalled(&middle)[1] < 0.5, "{middle:?}");
        assert!(recalled(&measure(150, 1)).iter().all(|&r| r < 0.1));
    }

    /// The projection rule keeps its patterns far above Hebb's capacity, but its basins are not its diagonal's: half load, N = 100.
    #[test]
    fn projection_has_basins_at_half_load() {
        let patterns = Patterns::random(100, 50, &mut Streams::new(12).stream(0)).unwrap();
        let model = pseudo_inverse(&patterns).unwrap();
        let points =
            Basin::default().threshold(1.0).measure(&model, &patterns, &[0.2, 0.96, 1.0], &Streams::new(13)).unwrap();
        assert_eq!(points[2].recalled.value.to_bits(), 1f64.to_bits());
        assert!(points[1].recalled.value > 0.8 && points[0].recalled.value < 0.2, "{points:?}");
    }

    #[test]
    fn bad_input_is_refused() {
        let patterns = Patterns::random(10, 2, &mut Streams::new(0).stream(0)).unwrap();
        let model = Hopfield::new(&patterns).unwrap();
        let streams = Streams::new(0);
        assert!(Basin::default().trials(0).measure(&model, &patterns, &[0.5], &streams).is_err());
        assert!(Basin::default().threshold(2.0).measure(&model, &patterns, &[0.5], &streams).is_err());
        assert!(Basin::default().measure(&model, &patterns, &[1.5], &streams).is_err());
        assert!(Basin::default().measure(&model, &Patterns::new(10, vec![]).unwrap(), &[0.5], &streams).is_err());
        assert!(Basin::default().measure(&model, &patterns, &[], &streams).unwrap().is_empty());
    }
}
