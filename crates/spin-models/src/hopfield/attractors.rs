//! Which states a memory falls into.

use std::collections::BTreeMap;

use linalg_core::Streams;

use super::{Ending, Glauber, Network, Patterns};
use crate::{Error, Result, Spins};

/// What a configuration is, measured by the patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Attractor {
    /// A stored pattern.
    Pattern(usize),
    /// A stored pattern with all spins reversed, as stable as the pattern.
    Reversed(usize),
    /// The majority of an odd number, three or more, of patterns with signs, the largest overlap first.
    Mixture(Vec<(usize, i8)>),
    /// None of these: for many patterns a state of the glass.
    Other,
}

/// Most patterns of a mixture that is looked for.
const LARGEST_MIXTURE: usize = 9;

impl Attractor {
    /// What `s` is, if its overlap with one of these is at least `threshold`.
    ///
    /// Mixtures are tried with the patterns of largest overlap, 3, 5, 7 and 9 of them. `O(N P)`.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::hopfield::{Attractor, Patterns};
    ///
    /// let patterns = Patterns::random(1000, 5, &mut Streams::new(1).stream(0))?;
    /// let mixed = patterns.mixture(&[(4, -1), (0, 1), (2, 1)])?;
    /// let Attractor::Mixture(mut parts) = Attractor::of(&patterns, &mixed, 0.99)? else { panic!() };
    /// parts.sort_unstable();
    /// assert_eq!(parts, [(0, 1), (2, 1), (4, -1)]);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a threshold outside (0, 1].
    ///
    /// # Panics
    /// If `s` has another number of spins.
    pub fn of(patterns: &Patterns, s: &[i8], threshold: f64) -> Result<Self> {
        check_threshold(threshold)?;
        let overlaps: Vec<f64> = (0..patterns.n_patterns()).map(|mu| patterns.overlap(mu, s)).collect();
        let mut order: Vec<usize> = (0..overlaps.len()).collect();
        order.sort_by(|&a, &b| overlaps[b].abs().total_cmp(&overlaps[a].abs()));
        if let Some(&mu) = order.first().filter(|&&mu| overlaps[mu].abs() >= threshold) {
            return Ok(if overlaps[mu] > 0.0 { Self::Pattern(mu) } else { Self::Reversed(mu) });
        }
        for size in (3..=LARGEST_MIXTURE.min(order.len())).step_by(2) {
            let sign = |mu: usize| if overlaps[mu] < 0.0 { -1 } else { 1 };
            let parts: Vec<(usize, i8)> = order[..size].iter().map(|&mu| (mu, sign(mu))).collect();
            if patterns.mixture(&parts)?.overlap(s) >= threshold {
                return Ok(Self::Mixture(parts));
            }
        }
        Ok(Self::Other)
    }
}

pub(super) fn check_threshold(threshold: f64) -> Result<()> {
    if threshold > 0.0 && threshold <= 1.0 {
        return Ok(());
    }
    let value = threshold.to_string();
    Err(Error::Parameter { what: "threshold of the overlap", value, expected: "a number above 0, at most 1" })
}

/// Where random starts end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Survey {
    /// In stored patterns.
    pub patterns: u64,
    /// In reversed patterns.
    pub reversed: u64,
    /// In mixtures, by the number of patterns mixed.
    pub mixtures: BTreeMap<usize, u64>,
    /// Elsewhere.
    pub others: u64,
    /// Of all of them, ends that are no fixed points: cycles, and runs out of sweeps.
    pub unsettled: u64,
}

impl Survey {
    /// The number of starts.
    pub fn total(&self) -> u64 {
        self.patterns + self.reversed + self.mixtures.values().sum::<u64>() + self.others
    }

    /// The fraction that ended neither in a pattern nor in a reversed one.
    pub fn spurious_fraction(&self) -> f64 {
        1.0 - (self.patterns + self.reversed) as f64 / self.total() as f64
    }
}

/// Starts from random configurations and looks where they end. Start k draws from stream k.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::hopfield::{Glauber, Hopfield, Patterns, Update, survey};
///
/// // One pattern has no spurious states.
/// let patterns = Patterns::random(101, 1, &mut Streams::new(1).stream(0))?;
/// let cold = Glauber::zero_temperature(Update::Sequential);
/// let ends = survey(&Hopfield::new(&patterns)?, &patterns, &cold, 50, 100, 1.0, &Streams::new(2))?;
/// assert_eq!((ends.patterns + ends.reversed, ends.unsettled), (50, 0));
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a threshold outside (0, 1]; [`Error::WrongLength`] for patterns of another number of spins.
pub fn survey<N: Network>(
    network: &N,
    patterns: &Patterns,
    dynamics: &Glauber,
    starts: u64,
    max_sweeps: u64,
    threshold: f64,
    streams: &Streams,
) -> Result<Survey> {
    check_threshold(threshold)?;
    check_sizes(network, patterns)?;
    let mut survey = Survey::default();
    for k in 0..starts {
        let mut rng = streams.stream(k);
        let start = Spins::random(patterns.n_spins(), &mut rng);
        let end = dynamics.recall(network, &start, max_sweeps, &mut rng);
        survey.unsettled += u64::from(end.ending != Ending::FixedPoint);
        match Attractor::of(patterns, &end.spins, threshold)? {
            Attractor::Pattern(_) => survey.patterns += 1,
            Attractor::Reversed(_) => survey.reversed += 1,
            Attractor::Mixture(parts) => *survey.mixtures.entry(parts.len()).or_default() += 1,
            Attractor::Other => survey.others += 1,
        }
    }
    Ok(survey)
}

pub(super) fn check_sizes<N: Network>(network: &N, patterns: &Patterns) -> Result<()> {
    let (got, expected) = (patterns.n_spins(), network.n_units());
    if got == expected { Ok(()) } else { Err(Error::WrongLength { what: "spins of a pattern", got, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hopfield::{Hopfield, Update};

    /// For few patterns mixtures of three are stable at T = 0 and of even numbers not (Amit, Gutfreund and Sompolinsky, Phys. Rev. A
    /// 32, 1007 (1985)): 400 starts with 5 patterns of 2000 spins, seed 8.
    #[test]
    fn few_patterns_have_odd_mixtures() {
        let patterns = Patterns::random(2000, 5, &mut Streams::new(8).stream(0)).unwrap();
        let model = Hopfield::new(&patterns).unwrap();
        let cold = Glauber::zero_temperature(Update::Sequential);
        let ends = survey(&model, &patterns, &cold, 400, 200, 0.97, &Streams::new(9)).unwrap();
        assert_eq!((ends.total(), ends.unsettled), (400, 0));
        assert!(ends.patterns > 50 && ends.reversed > 50, "{ends:?}");
        assert!(ends.mixtures.get(&3).is_some_and(|&n| n > 5), "{ends:?}");
        // Both signs are the same state: equal within 4σ.
        let (a, b) = (ends.patterns as f64, ends.reversed as f64);
        assert!((a - b).abs() < 4.0 * (a + b).sqrt(), "{ends:?}");
    }

    #[test]
    fn bad_input_is_refused() {
        let patterns = Patterns::random(10, 2, &mut Streams::new(8).stream(0)).unwrap();
        let other = Patterns::random(11, 2, &mut Streams::new(8).stream(0)).unwrap();
        let model = Hopfield::new(&patterns).unwrap();
        let cold = Glauber::zero_temperature(Update::Sequential);
        assert!(survey(&model, &other, &cold, 1, 1, 1.0, &Streams::new(0)).is_err());
        for threshold in [0.0, 1.5, f64::NAN] {
            assert!(survey(&model, &patterns, &cold, 1, 1, threshold, &Streams::new(0)).is_err());
            assert!(Attractor::of(&patterns, patterns.pattern(0), threshold).is_err());
        }
        // Without patterns everything is elsewhere, and without couplings everything is fixed.
        let none = Patterns::new(10, vec![]).unwrap();
        let ends = survey(&Hopfield::new(&none).unwrap(), &none, &cold, 3, 5, 1.0, &Streams::new(0)).unwrap();
        assert_eq!((ends.others, ends.unsettled), (3, 0));
    }
}
