//! How a population is cooled.

use super::super::Ladder;
use crate::error::check_beta;
use crate::{Error, Result};

/// The temperatures of a [`PopulationAnnealing`](super::PopulationAnnealing) run.
///
/// ```
/// use spin_models::mcmc::{Cooling, Ladder};
///
/// assert_eq!(Cooling::to(2.0), Cooling::Adaptive { beta: 2.0, culled: 0.1 });
/// let given = Cooling::Ladder(Ladder::linear(0.1, 2.0, 20)?);
/// assert_eq!(given.last_beta(), 2.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Cooling {
    /// Steps as long as they can be while the expected share of replicas that the resampling removes,
    ///
    /// ```math
    /// ε = 1 - \frac1R \sum_j \min(1, τ_j), \qquad τ_j = \frac{R\, w_j}{\sum_i w_i},
    /// ```
    ///
    /// stays at `culled` or below. `1 - ε` is the overlap of the energy histograms before and after the step, so this
    /// is the rule of constant overlap too.
    Adaptive {
        /// The last inverse temperature.
        beta: f64,
        /// The share ε, between 0 and 1.
        culled: f64,
    },
    /// These inverse temperatures. One that is the start of the run is passed over.
    Ladder(Ladder),
}

impl Cooling {
    /// Steps to `beta` that remove a tenth of the replicas each.
    pub fn to(beta: f64) -> Self {
        Self::Adaptive { beta, culled: 0.1 }
    }

    /// The inverse temperature at which the run ends.
    pub fn last_beta(&self) -> f64 {
        match self {
            Self::Adaptive { beta, .. } => *beta,
            Self::Ladder(ladder) => ladder.betas()[ladder.len() - 1],
        }
    }

    /// Checks the numbers, and that the run leads from `start` to lower temperatures.
    pub(super) fn check(&self, start: f64) -> Result<()> {
        let first = match self {
            Self::Adaptive { beta, culled } => {
                check_beta(*beta)?;
                if !(*culled > 0.0 && *culled < 1.0) {
                    let value = culled.to_string();
                    return Err(Error::Parameter { what: "culled share", value, expected: "between 0 and 1" });
                }
                *beta
            }
            Self::Ladder(ladder) => ladder.betas()[0],
        };
        if first < start {
            let value = format!("{first}, the start {start}");
            return Err(Error::Parameter { what: "first beta", value, expected: "no less than the start" });
        }
        Ok(())
    }

    /// The β after `now`.
    pub(super) fn next(&self, now: f64, energies: &[f64]) -> Option<f64> {
        match self {
            Self::Adaptive { beta, culled } if now < *beta => Some(next_beta(energies, now, *beta, *culled)),
            Self::Adaptive { .. } => None,
            Self::Ladder(ladder) => ladder.betas().iter().copied().find(|&beta| beta > now),
        }
    }
}

/// The largest β' up to `last` at which the weights `exp(-(β' - β) E)` remove the share `culled` at most.
fn next_beta(energies: &[f64], now: f64, last: f64, culled: f64) -> f64 {
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let mut weights = vec![0.0; energies.len()];
    let mut removed = |step: f64| {
        let mut sum = 0.0;
        for (weight, energy) in weights.iter_mut().zip(energies) {
            *weight = (-step * (energy - lowest)).exp();
            sum += *weight;
        }
        let mean = sum / energies.len() as f64;
        1.0 - weights.iter().map(|weight| (weight / mean).min(1.0)).sum::<f64>() / energies.len() as f64
    };
    if removed(last - now) <= culled {
        return last;
    }
    // The share grows with the step, from 0 at 0.
    let (mut low, mut high) = (0.0, last - now);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if removed(middle) <= culled { low = middle } else { high = middle }
    }
    if low == 0.0 {
        // Energies so far apart that the step is a vanishing part of the way.
        while removed(high) > culled && high > f64::MIN_POSITIVE {
            high *= 0.5;
        }
        (low, high) = (high, 2.0 * high);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if removed(middle) <= culled { low = middle } else { high = middle }
        }
    }
    // A step too small to change β would not end.
    (now + low).max(now.next_up()).min(last)
}

/// Effort of a [`PopulationAnnealing`](super::PopulationAnnealing) run.
///
/// ```
/// use spin_models::mcmc::PopulationParams;
///
/// let params = PopulationParams::default().with_population(200).with_threads(2);
/// assert_eq!((params.population, params.sweeps, params.threads), (200, 10, 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PopulationParams {
    /// Replicas R; 1000 by default.
    pub population: usize,
    /// Sweeps of every replica at every temperature; 10 by default.
    pub sweeps: u64,
    /// Pairs of sites whose correlations are measured at the last temperature; none by default.
    pub pairs: Vec<(usize, usize)>,
    /// Threads; the numbers do not depend on it. 1 by default.
    pub threads: usize,
}

impl Default for PopulationParams {
    fn default() -> Self {
        Self { population: 1000, sweeps: 10, pairs: Vec::new(), threads: 1 }
    }
}

impl PopulationParams {
    /// The same with this number of replicas.
    pub fn with_population(mut self, population: usize) -> Self {
        self.population = population;
        self
    }

    /// The same with this number of sweeps at every temperature.
    pub fn with_sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = sweeps;
        self
    }

    /// The same with the correlations of these pairs.
    pub fn with_pairs(mut self, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        self.pairs = pairs.into_iter().collect();
        self
    }

    /// The same on this number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    pub(super) fn check(&self, n_spins: usize) -> Result<()> {
        let refuse = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if self.population < 2 {
            return refuse("population", self.population.to_string(), "at least 2 replicas");
        }
        if self.population > u32::MAX as usize || self.population.checked_mul(n_spins.max(1)).is_none() {
            return Err(Error::TooLarge {
                solver: super::NAME,
                what: "population",
                value: self.population,
                bound: (u32::MAX as usize).min(usize::MAX / n_spins.max(1)),
            });
        }
        if self.sweeps == 0 {
            return refuse("sweeps", "0".to_owned(), "at least 1");
        }
        if self.threads == 0 {
            return refuse("number of threads", "0".to_owned(), "at least 1");
        }
        for (entry, &(i, j)) in self.pairs.iter().enumerate() {
            if let Some(site) = [i, j].into_iter().find(|&site| site >= n_spins) {
                return Err(Error::SiteOutOfBounds { what: "pair", entry, site, n_spins });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adaptive_steps_remove_what_was_asked() {
        let energies: Vec<f64> = (0..1000).map(|j| f64::from(j * j % 101) / 7.0).collect();
        for culled in [0.02, 0.1, 0.5] {
            let step = next_beta(&energies, 0.3, 50.0, culled) - 0.3;
            let weights: Vec<f64> = energies.iter().map(|e| (-step * e).exp()).collect();
            let mean = weights.iter().sum::<f64>() / 1000.0;
            let removed = weights.iter().map(|w| (1.0 - w / mean).max(0.0)).sum::<f64>() / 1000.0;
            approx::assert_abs_diff_eq!(removed, culled, epsilon = 1e-10);
        }
        // Equal energies are never in the way, and huge ones still leave a step.
        assert!((next_beta(&[3.0; 5], 0.0, 7.0, 0.1) - 7.0).abs() < 1e-15);
        let tiny = next_beta(&[0.0, 1e300, 1e300], 1.0, 2.0, 0.1);
        assert!(tiny > 1.0 && tiny < 1.0 + 1e-12);
        // From 0 a step has the size that the energies ask for, however far it is to the end.
        for last in [1e3, 1e18, 1e300] {
            let step = next_beta(&[-1.0, 1.0, 1.0, -1.0], 0.0, last, 0.1);
            // Half of the weights are e^{-2 step} of the others.
            let removed = 0.5 - 1.0 / (1.0 + (2.0 * step).exp());
            approx::assert_abs_diff_eq!(removed, 0.1, epsilon = 1e-10);
        }
    }

    #[test]
    fn bad_coolings_are_named() {
        for culled in [0.0, 1.0, f64::NAN] {
            let bad = Cooling::Adaptive { beta: 1.0, culled };
            assert!(matches!(bad.check(0.0), Err(Error::Parameter { what: "culled share", .. })));
        }
        assert!(matches!(Cooling::to(f64::NAN).check(0.0), Err(Error::Beta { .. })));
        let early = Cooling::Ladder(Ladder::new(vec![0.5, 1.0]).unwrap());
        assert!(early.check(0.5).is_ok());
        assert!(matches!(early.check(0.7), Err(Error::Parameter { what: "first beta", .. })));
    }
}
