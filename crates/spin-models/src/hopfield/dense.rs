//! Dense associative memories: energies of higher order.

use linalg_core::checkpoint::ContentHash;
use linalg_core::logspace::log_sum_exp;

use super::packed::Packed;
use super::{Network, Patterns};
use crate::model::{CachedModel, EnergyModel};
use crate::{Error, Result};

/// How the overlap of a pattern counts in the energy of a [`DenseMemory`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Interaction {
    /// $`E = -\frac{N}{k} \sum_\mu m_\mu^k`$, k ≥ 2; k = 2 is Hebb's rule with its diagonal. Capacity of the order $`N^{k-1}`$.
    Power(u32),
    /// The same with $`m_\mu^k`$ replaced by 0 for negative overlaps: reversed patterns are not stored.
    RectifiedPower(u32),
    /// $`E = -\frac{1}{\lambda} \ln \sum_\mu e^{\lambda M_\mu}`$ with $`M_\mu = N m_\mu`$. Its logarithm makes the energy extensive; at T = 0
    /// the dynamics is that of $`-\sum_\mu e^{\lambda M_\mu}`$. Capacity exponential in N.
    Exponential {
        /// The number λ > 0; 1 in Demircigil's paper.
        lambda: f64,
    },
}

/// A memory whose energy is a steep function of the overlaps (Krotov and Hopfield).
///
/// ```math
/// E(s) = -\sum_\mu F(M_\mu), \qquad M_\mu = \sum_i \xi_i^\mu s_i
/// ```
///
/// A field or a flip costs `O(P)` from the cached overlaps; fields are half the energy differences of flips, so that all dynamics and
/// samplers of ±1 spins apply.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::hopfield::{DenseMemory, Glauber, Interaction, Patterns, Update};
///
/// // Four times as many patterns as spins, each recalled from ten wrong spins.
/// let mut rng = Streams::new(1).stream(0);
/// let patterns = Patterns::random(100, 400, &mut rng)?;
/// let memory = DenseMemory::new(&patterns, Interaction::Exponential { lambda: 1.0 })?;
/// let start = patterns.with_overlap(7, 0.8, &mut rng)?;
/// let end = Glauber::zero_temperature(Update::Sequential).recall(&memory, &start, 10, &mut rng);
/// assert_eq!(&*end.spins, patterns.pattern(7));
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: D. Krotov and J. J. Hopfield, NIPS 29 (2016); M. Demircigil et al., J. Stat. Phys. 168, 288 (2017).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DenseMemory {
    packed: Packed,
    interaction: Interaction,
}

impl DenseMemory {
    /// The memory of these patterns, one at least. `O(N P)`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no patterns, a power below 2 or above 1000, or λ that is not positive and finite, or so large that λN
    /// overflows; [`Error::TooLarge`] for 2³⁰ spins or more.
    pub fn new(patterns: &Patterns, interaction: Interaction) -> Result<Self> {
        let n = patterns.n_spins();
        let bad = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if patterns.n_patterns() == 0 {
            return bad("number of patterns", "0".to_owned(), "at least 1");
        }
        if n >= 1 << 30 {
            return Err(Error::TooLarge {
                solver: "dense memory",
                what: "number of spins",
                value: n,
                bound: (1 << 30) - 1,
            });
        }
        match interaction {
            Interaction::Power(k) | Interaction::RectifiedPower(k) if !(2..=1000).contains(&k) => {
                bad("power of the overlap", k.to_string(), "an integer from 2 to 1000")
            }
            Interaction::Exponential { lambda } if !(lambda > 0.0 && (4.0 * lambda * n as f64).is_finite()) => {
                bad("lambda", lambda.to_string(), "a positive number whose product with N is finite")
            }
            _ => Ok(Self { packed: Packed::new(patterns), interaction }),
        }
    }

    /// How overlaps count.
    pub fn interaction(&self) -> Interaction {
        self.interaction
    }

    /// Number of patterns.
    pub fn n_patterns(&self) -> usize {
        self.packed.n_patterns()
    }

    /// The overlaps $`m_\mu`$.
    ///
    /// # Panics
    /// If `s` has another number of spins.
    pub fn overlaps(&self, s: &[i8]) -> Vec<f64> {
        self.packed.sums(s).iter().map(|&sum| f64::from(sum) / s.len() as f64).collect()
    }

    fn energy_of(&self, sums: impl Iterator<Item = i32>) -> f64 {
        let n = self.packed.n_spins() as f64;
        let power = |k: u32, m: f64| (m / n).powi(k as i32);
        match self.interaction {
            Interaction::Power(k) => -n / f64::from(k) * sums.map(|m| power(k, f64::from(m))).sum::<f64>(),
            Interaction::RectifiedPower(k) => {
                -n / f64::from(k) * sums.map(|m| power(k, f64::from(m.max(0)))).sum::<f64>()
            }
            Interaction::Exponential { lambda } => {
                -log_sum_exp(&sums.map(|m| lambda * f64::from(m)).collect::<Vec<f64>>()) / lambda
            }
        }
    }
}

impl EnergyModel for DenseMemory {
    fn n_spins(&self) -> usize {
        self.packed.n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.energy_of(self.packed.sums(s).into_iter())
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.delta_cached(&self.packed.sums(s), s, i)
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        let (name, number) = match self.interaction {
            Interaction::Power(k) => ("power", f64::from(k)),
            Interaction::RectifiedPower(k) => ("rectified power", f64::from(k)),
            Interaction::Exponential { lambda } => ("exponential", lambda),
        };
        hash.write_str("dense memory").write_str(name).write_f64(number);
        hash.write_usizes(&[self.packed.n_spins(), self.packed.n_patterns()]);
        for i in 0..self.packed.n_spins() {
            hash.write_u64s(self.packed.spin(i));
        }
        hash.finish()
    }
}

impl CachedModel for DenseMemory {
    /// The sums `M_μ`.
    type Cache = Vec<i32>;

    fn cache(&self, s: &[i8]) -> Vec<i32> {
        self.packed.sums(s)
    }

    fn delta_cached(&self, cache: &Vec<i32>, s: &[i8], i: usize) -> f64 {
        let mut after = cache.clone();
        self.packed.add_signed(i, -2 * i32::from(s[i]), &mut after);
        let n = self.packed.n_spins() as f64;
        // Term by term: the difference of two sums would lose what distant patterns add.
        let powers = |k: u32, part: fn(i32) -> i32| {
            let power = |m: i32| (f64::from(part(m)) / n).powi(k as i32);
            -n / f64::from(k) * after.iter().zip(cache).map(|(&new, &old)| power(new) - power(old)).sum::<f64>()
        };
        match self.interaction {
            Interaction::Power(k) => powers(k, |m| m),
            Interaction::RectifiedPower(k) => powers(k, |m| m.max(0)),
            Interaction::Exponential { .. } => {
                self.energy_of(after.into_iter()) - self.energy_of(cache.iter().copied())
            }
        }
    }

    fn flip(&self, cache: &mut Vec<i32>, s: &mut [i8], i: usize) {
        s[i] = -s[i];
        self.packed.add_signed(i, 2 * i32::from(s[i]), cache);
    }

    /// `O(P)` from the overlaps.
    fn energy_cached(&self, cache: &Vec<i32>, _s: &[i8]) -> f64 {
        self.energy_of(cache.iter().copied())
    }
}

impl Network for DenseMemory {
    type Cache = Vec<i32>;

    fn n_units(&self) -> usize {
        self.packed.n_spins()
    }

    fn prepare(&self, s: &[i8]) -> Vec<i32> {
        self.packed.sums(s)
    }

    fn local_field(&self, cache: &Vec<i32>, s: &[i8], i: usize) -> f64 {
        0.5 * f64::from(s[i]) * self.delta_cached(cache, s, i)
    }

    fn turn(&self, cache: &mut Vec<i32>, s: &mut [i8], i: usize) {
        self.flip(cache, s, i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;
    use crate::hopfield::{Glauber, Hopfield, Update};
    use linalg_core::Streams;

    const KINDS: [Interaction; 5] = [
        Interaction::Power(2),
        Interaction::Power(3),
        Interaction::RectifiedPower(4),
        Interaction::Exponential { lambda: 0.1 },
        Interaction::Exponential { lambda: 1.0 },
    ];

    /// From the definition, in plain sums.
    #[test]
    fn energies_and_caches_follow_the_definition() {
        let mut rng = Streams::new(14).stream(0);
        let patterns = Patterns::random(20, 7, &mut rng).unwrap();
        for interaction in KINDS {
            let model = DenseMemory::new(&patterns, interaction).unwrap();
            let plain = |s: &[i8]| {
                let m: Vec<f64> = (0..7).map(|mu| patterns.overlap(mu, s)).collect();
                match interaction {
                    Interaction::Power(k) => -20.0 / f64::from(k) * m.iter().map(|m| m.powi(k as i32)).sum::<f64>(),
                    Interaction::RectifiedPower(k) => {
                        -20.0 / f64::from(k) * m.iter().filter(|m| **m > 0.0).map(|m| m.powi(k as i32)).sum::<f64>()
                    }
                    Interaction::Exponential { lambda } => {
                        -m.iter().map(|m| (20.0 * lambda * m).exp()).sum::<f64>().ln() / lambda
                    }
                }
            };
            let mut s = Spins::random(20, &mut rng);
            let mut cache = model.cache(&s);
            for step in 0..60 {
                let i = (7 * step) % 20;
                let before = plain(&s);
                approx::assert_abs_diff_eq!(model.energy_cached(&cache, &s), before, epsilon = 1e-12);
                let delta = model.delta_cached(&cache, &s, i);
                approx::assert_abs_diff_eq!(delta, model.delta_energy(&s, i), epsilon = 1e-12);
                approx::assert_abs_diff_eq!(
                    2.0 * f64::from(s[i]) * model.local_field(&cache, &s, i),
                    delta,
                    epsilon = 1e-12
                );
                model.flip(&mut cache, &mut s, i);
                approx::assert_abs_diff_eq!(plain(&s) - before, delta, epsilon = 1e-11);
                assert_eq!(cache, model.cache(&s));
            }
        }
    }

    #[test]
    fn second_power_is_hebb_with_its_diagonal() {
        let mut rng = Streams::new(15).stream(0);
        let patterns = Patterns::random(30, 4, &mut rng).unwrap();
        let (dense, hebb) =
            (DenseMemory::new(&patterns, Interaction::Power(2)).unwrap(), Hopfield::new(&patterns).unwrap());
        for _ in 0..20 {
            let s = Spins::random(30, &mut rng);
            approx::assert_abs_diff_eq!(dense.energy(&s), hebb.energy(&s) - 2.0, epsilon = 1e-12);
        }
    }

    /// At a load of 2 with 60 spins Hebb's rule has lost all patterns, the third power has most and the exponential all. Seed 16.
    #[test]
    fn higher_powers_store_more() {
        let mut rng = Streams::new(16).stream(0);
        let patterns = Patterns::random(60, 120, &mut rng).unwrap();
        let mut fixed = |interaction| {
            let model = DenseMemory::new(&patterns, interaction).unwrap();
            let cold = Glauber::zero_temperature(Update::Parallel);
            patterns.iter().filter(|x| &*cold.recall(&model, x, 1, &mut rng).spins == *x).count()
        };
        let (second, third) = (fixed(Interaction::Power(2)), fixed(Interaction::Power(3)));
        assert!(second < 30 && third > second, "{second}, {third}");
        assert!(fixed(Interaction::RectifiedPower(5)) > 110);
        assert_eq!(fixed(Interaction::Exponential { lambda: 1.0 }), 120);
    }

    #[test]
    fn bad_parameters_are_named() {
        let patterns = Patterns::new(2, vec![1, 1]).unwrap();
        let text = |interaction| DenseMemory::new(&patterns, interaction).unwrap_err().to_string();
        assert_eq!(text(Interaction::Power(1)), "power of the overlap is 1, expected an integer from 2 to 1000");
        for lambda in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308] {
            assert!(text(Interaction::Exponential { lambda }).starts_with("lambda is"));
        }
        assert!(DenseMemory::new(&Patterns::new(2, vec![]).unwrap(), Interaction::Power(2)).is_err());
    }
}
