//! The grand canonical ensemble of hidden neurons.

use linalg_core::Observer;
use linalg_core::logspace::softplus;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::uniform_open01;
use linalg_core::stats::{Binning, Estimate};

use super::{finite, positive};
use crate::{Error, Result};

/// Neurons beyond which no sum over all occupations is tried.
const MOST_NEURONS: usize = 24;

/// Energy of a set of hidden neurons, some of them active.
pub trait HiddenEnergy {
    /// Number of neurons that can be active.
    fn n_neurons(&self) -> usize;

    /// Energy when exactly these are active.
    fn energy(&self, active: &[bool]) -> f64;

    /// Change of the energy when neuron `k` changes its state; two energies unless there is something cheaper.
    fn change(&self, active: &[bool], k: usize) -> f64 {
        let mut other = active.to_vec();
        other[k] = !other[k];
        self.energy(&other) - self.energy(active)
    }
}

/// Neurons that do not interact: an energy each when active.
///
/// `IndependentNeurons::new(vec![0.0; K])` are `K` two-state units.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IndependentNeurons {
    levels: Vec<f64>,
}

impl IndependentNeurons {
    /// Neurons with these energies.
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for none, [`Error::NotFinite`].
    pub fn new(levels: Vec<f64>) -> Result<Self> {
        if levels.is_empty() {
            return Err(linalg_core::Error::Empty { what: "neurons" }.into());
        }
        super::all_finite("level", &levels)?;
        Ok(Self { levels })
    }

    /// The energies.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }
}

impl HiddenEnergy for IndependentNeurons {
    fn n_neurons(&self) -> usize {
        self.levels.len()
    }

    fn energy(&self, active: &[bool]) -> f64 {
        self.levels.iter().zip(active).filter(|(_, on)| **on).map(|(e, _)| e).sum()
    }

    fn change(&self, active: &[bool], k: usize) -> f64 {
        if active[k] { -self.levels[k] } else { self.levels[k] }
    }
}

/// Hidden neurons at a temperature and a chemical potential: weights $`e^{-(E - \mu N)/T}`$.
///
/// ```
/// use physics_inference::emergent::{GrandCanonical, IndependentNeurons};
///
/// let ensemble = GrandCanonical::new(IndependentNeurons::new(vec![0.0; 50])?, 0.7, 0.3)?;
/// let exact = ensemble.independent();
/// assert!((exact.variance_n - 11.943144707).abs() < 1e-9);
/// assert!((exact.delta_n() - 3.4558855171).abs() < 1e-10);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GrandCanonical<E> {
    /// The neurons.
    pub hidden: E,
    /// Temperature, in units of energy.
    pub temperature: f64,
    /// Chemical potential of a neuron.
    pub mu: f64,
}

/// What the ensemble has on average.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Moments {
    /// Grand potential $`\Omega = -T\ln\Xi`$.
    pub omega: f64,
    /// $`\langle N\rangle`$.
    pub mean_n: f64,
    /// $`\langle N^2\rangle - \langle N\rangle^2`$.
    pub variance_n: f64,
    /// Internal energy $`U = \langle E\rangle`$.
    pub energy: f64,
    /// Gibbs entropy $`-\sum p\ln p`$ of the occupations, nats.
    pub entropy: f64,
    /// Probability of each $`N`$ from 0.
    pub distribution: Vec<f64>,
}

impl Moments {
    /// $`\Delta N = \sqrt{-T\,\partial^2\Omega/\partial\mu^2}`$, (32) with the sign that the text lost.
    pub fn delta_n(&self) -> f64 {
        self.variance_n.max(0.0).sqrt()
    }

    /// $`F = \Omega + \mu N`$, (31).
    pub fn free_energy(&self, mu: f64) -> f64 {
        self.omega + mu * self.mean_n
    }

    /// The three entropies of an uncertain number.
    pub fn number_entropy(&self) -> NumberEntropy {
        let exact = -self.distribution.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>();
        NumberEntropy::new(self.delta_n(), exact)
    }
}

/// The entropies that (33) might mean, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct NumberEntropy {
    /// $`2\Delta N`$ as printed.
    pub printed: f64,
    /// $`2\Delta N\ln 2`$: what $`2\Delta N`$ free two-state units have.
    pub two_state_units: f64,
    /// $`-\sum_N p_N\ln p_N`$: what the uncertainty of the number itself is.
    pub of_number: f64,
    /// $`\ln(\Delta N\sqrt{2\pi e})`$, its value for a Gaussian distribution.
    pub of_number_gaussian: f64,
}

impl NumberEntropy {
    fn new(delta_n: f64, of_number: f64) -> Self {
        let gaussian = (delta_n * (std::f64::consts::TAU * std::f64::consts::E).sqrt()).ln();
        Self {
            printed: 2.0 * delta_n,
            two_state_units: 2.0 * delta_n * std::f64::consts::LN_2,
            of_number,
            of_number_gaussian: gaussian,
        }
    }
}

impl<E: HiddenEnergy> GrandCanonical<E> {
    /// An ensemble.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a temperature that is not positive and finite, [`Error::NotFinite`] for `mu`.
    pub fn new(hidden: E, temperature: f64, mu: f64) -> Result<Self> {
        Ok(Self { hidden, temperature: positive("temperature", temperature)?, mu: finite("chemical potential", mu)? })
    }

    /// Sums over all $`2^K`$ occupations, in the order of Gray's code. $`O(K 2^K)`$ beside the energies.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no neurons or more than 24, [`Error::NotFinite`] for an energy that is not finite (`index` is the
    /// occupation as a binary number).
    pub fn enumerate(&self) -> Result<Moments> {
        let k = self.hidden.n_neurons();
        if !(1..=MOST_NEURONS).contains(&k) {
            return Err(Error::Parameter { what: "neurons to enumerate", value: k as f64, expected: "1 to 24" });
        }
        let mut active = vec![false; k];
        let mut energy = self.hidden.energy(&active);
        let mut number = 0;
        let mut states = Vec::with_capacity(1 << k);
        for step in 0..1usize << k {
            if step > 0 {
                let flip = step.trailing_zeros() as usize;
                active[flip] = !active[flip];
                number = if active[flip] { number + 1 } else { number - 1 };
                // From scratch: rounding does not add up over the code.
                energy = self.hidden.energy(&active);
            }
            if !energy.is_finite() {
                let index = active.iter().rev().fold(0, |sum, on| 2 * sum + usize::from(*on));
                return Err(Error::NotFinite { what: "energy of occupation", index, value: energy });
            }
            states.push((energy, number));
        }
        let exponent = |&(e, n): &(f64, usize)| -(e - self.mu * n as f64) / self.temperature;
        let top = states.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = states.iter().map(|s| (exponent(s) - top).exp()).sum();
        let (mut distribution, mut mean_energy, mut entropy) = (vec![0.0; k + 1], 0.0, 0.0);
        for state in &states {
            let ln_p = exponent(state) - top - total.ln();
            let p = ln_p.exp();
            distribution[state.1] += p;
            mean_energy += p * state.0;
            if p > 0.0 {
                entropy -= p * ln_p;
            }
        }
        let omega = -self.temperature * (top + total.ln());
        Ok(moments(omega, mean_energy, entropy, distribution))
    }
}

fn moments(omega: f64, energy: f64, entropy: f64, distribution: Vec<f64>) -> Moments {
    let mean_n: f64 = distribution.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
    let variance_n = distribution.iter().enumerate().map(|(n, p)| (n as f64 - mean_n).powi(2) * p).sum();
    Moments { omega, mean_n, variance_n, energy, entropy, distribution }
}

impl GrandCanonical<IndependentNeurons> {
    /// The sums factorise for neurons that do not interact; the distribution of $`N`$ by adding one neuron after the other.
    /// $`O(K^2)`$, any number.
    pub fn independent(&self) -> Moments {
        let (mut omega, mut energy, mut entropy) = (0.0, 0.0, 0.0);
        let mut distribution = vec![1.0];
        for level in self.hidden.levels() {
            let x = (self.mu - level) / self.temperature;
            let p = linalg_core::logspace::sigmoid(x);
            omega -= self.temperature * softplus(x);
            energy += p * level;
            // Of a two-state unit: ln(1 + e^x) - x p.
            entropy += softplus(x) - x * p;
            let mut next = vec![0.0; distribution.len() + 1];
            for (n, q) in distribution.iter().enumerate() {
                next[n] += (1.0 - p) * q;
                next[n + 1] += p * q;
            }
            distribution = next;
        }
        moments(omega, energy, entropy, distribution)
    }
}

/// Sampling of the occupations by birth and death of neurons.
///
/// A move is a birth or a death with even odds. A birth picks one of the $`K - N`$ inactive neurons and is accepted with
/// $`\min\left(1, \frac{K-N}{N+1}e^{-(\Delta E-\mu)/T}\right)`$, a death picks one of the $`N`$ active ones and is accepted with
/// $`\min\left(1, \frac{N}{K-N+1}e^{-(\Delta E+\mu)/T}\right)`$: detailed balance with $`e^{-(E-\mu N)/T}`$.
#[derive(Debug, Clone)]
pub struct BirthDeath<'a, E> {
    ensemble: &'a GrandCanonical<E>,
    active: Vec<bool>,
    /// Active neurons first.
    order: Vec<usize>,
    number: usize,
}

/// What [`BirthDeath::run`] measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Sampled {
    /// $`\langle N\rangle`$.
    pub mean_n: Estimate,
    /// $`\Delta N`$, the error propagated from that of the variance.
    pub delta_n: Estimate,
    /// Share of the moves that were accepted.
    pub accepted: f64,
    /// Moves done; fewer than asked for when the observer stopped the run.
    pub moves: u64,
}

impl<'a, E: HiddenEnergy> BirthDeath<'a, E> {
    /// Begins with no active neuron.
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for no neurons.
    pub fn new(ensemble: &'a GrandCanonical<E>) -> Result<Self> {
        let k = ensemble.hidden.n_neurons();
        if k == 0 {
            return Err(linalg_core::Error::Empty { what: "neurons" }.into());
        }
        Ok(Self { ensemble, active: vec![false; k], order: (0..k).collect(), number: 0 })
    }

    /// Which neurons are active.
    pub fn active(&self) -> &[bool] {
        &self.active
    }

    /// Number of active neurons.
    pub fn number(&self) -> usize {
        self.number
    }

    /// One move; the change of the energy when it was accepted.
    pub fn step<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<f64> {
        let k = self.active.len();
        let birth = rng.random_range(0..2u32) == 0;
        let (from, count, ratio) = match birth {
            true => (self.number, k - self.number, (k - self.number) as f64 / (self.number + 1) as f64),
            false => (0, self.number, self.number as f64 / (k - self.number + 1) as f64),
        };
        if count == 0 {
            return None;
        }
        let place = from + rng.random_range(0..count as u64) as usize;
        let neuron = self.order[place];
        let change = self.ensemble.hidden.change(&self.active, neuron);
        let gain = if birth { self.ensemble.mu } else { -self.ensemble.mu };
        // A NaN refuses.
        let exponent = (gain - change) / self.ensemble.temperature;
        if uniform_open01(rng).ln() >= ratio.ln() + exponent || exponent.is_nan() {
            return None;
        }
        self.active[neuron] = birth;
        match birth {
            true => {
                self.order.swap(place, self.number);
                self.number += 1;
            }
            false => {
                self.number -= 1;
                self.order.swap(place, self.number);
            }
        }
        Some(change)
    }

    /// `warm_up` moves, then `moves` measured ones. The observer gets the number of active neurons after each measured move.
    pub fn run<O, R>(&mut self, warm_up: u64, moves: u64, observer: &mut O, rng: &mut R) -> Sampled
    where
        O: Observer<usize> + ?Sized,
        R: Rng + ?Sized,
    {
        for _ in 0..warm_up {
            self.step(rng);
        }
        // Around the first number, so that the square does not cancel.
        let origin = self.number as f64;
        let (mut first, mut second, mut sum, mut accepted) = (Binning::new(), Binning::new(), Binning::new(), 0);
        for _ in 0..moves {
            accepted += u64::from(self.step(rng).is_some());
            let x = self.number as f64 - origin;
            first.push(x);
            second.push(x * x);
            sum.push(x + x * x);
            if observer.observe(&self.number).is_break() {
                break;
            }
        }
        let done = first.count();
        let (mean, square) = (first.mean(), second.mean());
        let variance = (square - mean * mean).max(0.0);
        // The variance moves as x² - 2⟨x⟩x does, whose two parts depend on each other: their covariance from the error of the sum,
        // all at one size of bins.
        let size = [&first, &second, &sum].iter().filter_map(|x| x.plateau()).map(|(level, _)| level.bin_size).max();
        let at = |x: &Binning| {
            x.levels()
                .iter()
                .find(|level| Some(level.bin_size) == size)
                .map_or(f64::NAN, |level| level.std_error.powi(2))
        };
        let covariance = 0.5 * (at(&sum) - at(&first) - at(&second));
        let error = (at(&second) + 4.0 * mean * mean * at(&first) - 4.0 * mean * covariance).max(0.0).sqrt();
        let delta = variance.sqrt();
        let accepted = accepted as f64 / done.max(1) as f64;
        Sampled {
            mean_n: Estimate::new(origin + mean, first.std_error()),
            delta_n: Estimate::new(delta, error / (2.0 * delta)),
            accepted,
            moves: done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::stats::Running;

    /// Neurons that crowd each other out.
    struct Crowded {
        levels: Vec<f64>,
        repulsion: f64,
    }

    impl HiddenEnergy for Crowded {
        fn n_neurons(&self) -> usize {
            self.levels.len()
        }

        fn energy(&self, active: &[bool]) -> f64 {
            let n = active.iter().filter(|on| **on).count() as f64;
            let own: f64 = self.levels.iter().zip(active).filter(|(_, on)| **on).map(|(e, _)| e).sum();
            own + 0.5 * self.repulsion * n * (n - 1.0)
        }
    }

    #[test]
    fn fifty_free_neurons() {
        let make = |mu: f64| GrandCanonical::new(IndependentNeurons::new(vec![0.0; 50]).unwrap(), 0.7, mu).unwrap();
        let exact = make(0.3).independent();
        assert!((exact.omega + 0.7 * 50.0 * (0.3f64 / 0.7).exp().ln_1p()).abs() < 1e-12);
        // (32) by differences of the grand potential.
        let h = 1e-3;
        let second =
            (make(0.3 + h).independent().omega + make(0.3 - h).independent().omega - 2.0 * exact.omega) / (h * h);
        assert!((-0.7 * second - 11.943144707).abs() < 1e-4);
        let entropies = exact.number_entropy();
        assert!((entropies.printed - 6.911771034).abs() < 1e-9);
        assert!((entropies.two_state_units - 4.790874605).abs() < 1e-9);
        assert!((entropies.of_number - 2.658657524).abs() < 1e-9);
        assert!((entropies.of_number_gaussian - 2.659017258).abs() < 1e-9);
    }

    #[test]
    fn enumeration_agrees_with_products() {
        let levels = vec![0.3, -0.2, 0.9, 0.0, 1.4, -0.7];
        let ensemble = GrandCanonical::new(IndependentNeurons::new(levels).unwrap(), 0.6, 0.25).unwrap();
        let (a, b) = (ensemble.enumerate().unwrap(), ensemble.independent());
        for (x, y) in [
            (a.omega, b.omega),
            (a.mean_n, b.mean_n),
            (a.variance_n, b.variance_n),
            (a.energy, b.energy),
            (a.entropy, b.entropy),
        ] {
            assert!((x - y).abs() < 1e-13, "{x} {y}");
        }
        assert!(a.distribution.iter().zip(&b.distribution).all(|(x, y)| (x - y).abs() < 1e-14));
    }

    #[test]
    fn birth_and_death_sample_the_ensemble() {
        let levels: Vec<f64> = (0..12).map(|k| (1.3 * f64::from(k)).sin()).collect();
        for (mu, seed) in [(0.4, 1), (2.5, 2)] {
            let ensemble = GrandCanonical::new(Crowded { levels: levels.clone(), repulsion: 0.3 }, 0.8, mu).unwrap();
            let exact = ensemble.enumerate().unwrap();
            let mut chain = BirthDeath::new(&ensemble).unwrap();
            let sampled = chain.run(2000, 200_000, &mut (), &mut Streams::new(seed).fast_stream(0));
            for (estimate, value) in [(sampled.mean_n, exact.mean_n), (sampled.delta_n, exact.delta_n())] {
                let z = estimate.z_score(&value.into());
                assert!(z.abs() < 3.0 && estimate.std_error.unwrap() < 0.05, "{mu}: {estimate} {value}");
            }
        }
    }

    #[test]
    fn detailed_balance() {
        // Three neurons, all eight occupations. The error of a frequency is that of the means of 200 independent runs.
        let levels = vec![0.5, -0.4, 0.1];
        let ensemble = GrandCanonical::new(Crowded { levels, repulsion: 0.7 }, 0.9, 0.2).unwrap();
        let weight = |state: usize| {
            let active: Vec<bool> = (0..3).map(|k| state >> k & 1 == 1).collect();
            (-(ensemble.hidden.energy(&active) - 0.2 * state.count_ones() as f64) / 0.9).exp()
        };
        let total: f64 = (0..8).map(weight).sum();
        let number =
            |chain: &BirthDeath<'_, Crowded>| chain.active().iter().rev().fold(0, |s, on| 2 * s + usize::from(*on));
        let mut frequencies = vec![Running::new(); 8];
        let mut flows = [[0u32; 8]; 8];
        for run in 0..200 {
            let mut rng = Streams::new(9).fast_stream(run);
            let mut chain = BirthDeath::new(&ensemble).unwrap();
            (0..50).for_each(|_| {
                chain.step(&mut rng);
            });
            let (moves, mut counts) = (2000, [0u32; 8]);
            for _ in 0..moves {
                let before = number(&chain);
                chain.step(&mut rng);
                let after = number(&chain);
                counts[after] += 1;
                flows[before][after] += 1;
            }
            counts.iter().zip(&mut frequencies).for_each(|(n, f)| f.push(f64::from(*n) / f64::from(moves)));
        }
        for (state, frequency) in frequencies.iter().enumerate() {
            let z = (frequency.mean() - weight(state) / total) / frequency.std_error();
            // 8 comparisons.
            assert!(z.abs() < 4.0, "{state}: {z}");
        }
        for (i, row) in flows.iter().enumerate() {
            for (j, &there) in row[..i].iter().enumerate() {
                // As often one way as the other, one neuron at a time.
                let (there, back) = (f64::from(there), f64::from(flows[j][i]));
                if (i ^ j).count_ones() == 1 {
                    let even = (there - back).abs() < 4.0 * (there + back).sqrt();
                    assert!(there > 1000.0 && even, "{i} {j}: {there} {back}");
                } else {
                    assert!(there + back < 0.5, "{i} {j}: {there} {back}");
                }
            }
        }
    }

    #[test]
    fn bad_input() {
        let free = |k: usize| IndependentNeurons::new(vec![0.0; k]);
        assert!(free(0).is_err() && IndependentNeurons::new(vec![f64::NAN]).is_err());
        assert!(GrandCanonical::new(free(2).unwrap(), 0.0, 1.0).is_err());
        assert!(GrandCanonical::new(free(2).unwrap(), 1.0, f64::INFINITY).is_err());
        let many = GrandCanonical::new(free(25).unwrap(), 1.0, 0.0).unwrap();
        assert!(matches!(many.enumerate(), Err(Error::Parameter { what: "neurons to enumerate", .. })));
        let broken = GrandCanonical::new(Crowded { levels: vec![f64::NAN], repulsion: 0.0 }, 1.0, 0.0).unwrap();
        assert!(matches!(broken.enumerate(), Err(Error::NotFinite { index: 1, .. })));
    }
}
