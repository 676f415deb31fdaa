//! The whole Boltzmann distribution as a table.

use linalg_core::Observer;
use linalg_core::rand::{Rng, RngExt};

use super::boltzmann::{lowest, weigh};
use super::engine::Engine;
use super::generic::Walk;
use super::terms::Terms;
use super::{Enumerable, NAME};
use crate::model::Progress;
use crate::{Error, Result, Spins};

/// Probabilities of all `2^N` configurations.
///
/// Made by [`Enumeration::distribution`](crate::Enumeration::distribution). Configurations are numbered as in
/// [`Spins::from_state`]: bit i of the state is set for `s_i = -1`.
///
/// ```
/// use spin_models::rand::SeedableRng;
/// use spin_models::{Enumeration, Ising, Spins};
///
/// // A spin in a field h = 1 at β = ln 2 / 2: the odds are e^{2βh} = 2.
/// let spin = Ising::builder(1).field(0, 1.0).build()?;
/// let law = Enumeration::default().distribution(&spin, 0.5 * 2f64.ln())?;
/// assert!((law.probabilities()[0] - 2.0 / 3.0).abs() < 1e-15);
/// assert!((law.mean(|s| f64::from(s[0])) - 1.0 / 3.0).abs() < 1e-15);
/// let entropy = 3f64.ln() - 2.0 / 3.0 * 2f64.ln();
/// assert!((law.entropy() - entropy).abs() < 1e-15);
///
/// let mut rng = linalg_core::Streams::new(7).stream(0);
/// let up = (0..3000).filter(|_| *law.sample(&mut rng) == [1]).count();
/// assert!(up.abs_diff(2000) < 4 * 26); // four standard deviations
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Distribution {
    n_spins: usize,
    ln_z: f64,
    probabilities: Vec<f64>,
    /// Sums over the stretches of probabilities before each stretch.
    cumulative: Vec<f64>,
}

/// States between two entries of the cumulative table.
const STRETCH: usize = 256;

/// Largest number of spins: the table has 128 MiB.
pub(super) const MOST_SPINS: usize = 24;

impl Distribution {
    pub(super) fn of<M: Enumerable + ?Sized>(
        model: &M,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Self> {
        let n = model.n_spins();
        if n > MOST_SPINS {
            let what = "number of spins of a table of probabilities";
            return Err(Error::TooLarge { solver: NAME, what, value: n, bound: MOST_SPINS });
        }
        if let Some(interactions) = model.interactions() {
            Engine::new(Terms::of_interactions(&interactions), false).check_range(beta, super::engine::Ask::LnZ)?;
        }
        let mut table = Vec::with_capacity(1 << n);
        Walk::new(model).for_each_block("distribution", observer, |_, block| table.extend_from_slice(block))?;
        let minimum = lowest(&table);
        // Stretch by stretch, so that the sums are pairwise enough.
        let weights: Vec<f64> = table.chunks_mut(STRETCH).map(|part| weigh(part, minimum, beta).weight).collect();
        let weight: f64 = weights.iter().sum();
        for probability in &mut table {
            *probability /= weight;
        }
        let mut sum = 0.0;
        let cumulative = weights
            .iter()
            .map(|w| {
                let before = sum;
                sum += w / weight;
                before
            })
            .collect();
        Ok(Self { n_spins: n, ln_z: weight.ln() - beta * minimum, probabilities: table, cumulative })
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// ln Z, which normalises the probabilities.
    pub fn ln_z(&self) -> f64 {
        self.ln_z
    }

    /// `p(s)` of all states in order.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The configuration of a state.
    ///
    /// # Panics
    /// If `state >= 2^N`.
    pub fn configuration(&self, state: usize) -> Spins {
        assert!(state < self.probabilities.len(), "state {state} of {}", self.probabilities.len());
        Spins::from_state(state as u64, self.n_spins)
    }

    /// The average of a function of the configuration; configurations of probability 0 are left out.
    pub fn mean(&self, mut f: impl FnMut(&[i8]) -> f64) -> f64 {
        let mut s = vec![1i8; self.n_spins];
        let mut sum = 0.0;
        for (state, &p) in self.probabilities.iter().enumerate() {
            if p > 0.0 {
                for (i, s) in s.iter_mut().enumerate() {
                    *s = 1 - 2 * (state >> i & 1) as i8;
                }
                sum += p * f(&s);
            }
        }
        sum
    }

    /// `-Σ p ln p`.
    pub fn entropy(&self) -> f64 {
        -self.probabilities.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
    }

    /// An independent exact sample, from one 64-bit draw. `O(N)`.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Spins {
        let u: f64 = rng.random();
        let stretch = self.cumulative.partition_point(|&before| before <= u).max(1) - 1;
        let start = stretch * STRETCH;
        let end = self.probabilities.len().min(start + STRETCH);
        let mut sum = self.cumulative[stretch];
        let state = self.probabilities[start..end].iter().position(|&p| {
            sum += p;
            u < sum
        });
        // Rounding can leave u beyond the last sum: the last possible state is then the answer.
        let state = match state {
            Some(k) => start + k,
            None => self.probabilities[..end].iter().rposition(|&p| p > 0.0).unwrap_or(0),
        };
        Spins::from_state(state as u64, self.n_spins)
    }
}
