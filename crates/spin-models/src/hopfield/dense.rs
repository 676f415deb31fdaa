//! Dense associative memories: energies of higher order.

use linalg_core::checkpoint::ContentHash;
use linalg_core::logspace::{ln_2cosh, log_sum_exp};

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
        /// The number λ > 0; 1 in Demircigil's paper. Below 1/N the energy is `-ln P/λ` and little more; differences by
        /// flips keep their digits.
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
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct DenseMemory {
    packed: Packed,
    interaction: Interaction,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    packed: Packed,
    interaction: Interaction,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for DenseMemory {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let Unchecked { packed, interaction } = unchecked;
        check(packed.n_spins(), packed.n_patterns(), interaction)?;
        Ok(Self { packed, interaction })
    }
}

/// Refuses what [`DenseMemory::new`] does.
fn check(n: usize, p: usize, interaction: Interaction) -> Result<()> {
    let bad = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
    if n == 0 {
        return Err(Error::NoSpins);
    }
    if p == 0 {
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
        Interaction::Exponential { lambda } => {
            let (most, least) = (4.0 * lambda * n as f64, 4.0 * (p as f64).ln().max(1.0) / lambda);
            if lambda > 0.0 && most.is_finite() && least.is_finite() {
                return Ok(());
            }
            bad(
                "lambda",
                lambda.to_string(),
                "a positive number so that its product with N and ln P over it are finite",
            )
        }
        _ => Ok(()),
    }
}

impl DenseMemory {
    /// The memory of these patterns, one at least. `O(N P)`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no patterns, a power below 2 or above 1000, or λ that is not positive and finite, so large
    /// that λN overflows, or so small that 1/λ or ln P/λ does; [`Error::TooLarge`] for 2³⁰ spins or more.
    pub fn new(patterns: &Patterns, interaction: Interaction) -> Result<Self> {
        check(patterns.n_spins(), patterns.n_patterns(), interaction)?;
        Ok(Self { packed: Packed::new(patterns), interaction })
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

    /// The change of the exponential energy when spin i of value `s` is flipped: the sums move by ±2, so that
    /// `Δ = -(1/λ) ln [cosh(D/2 + 2λ)/cosh(D/2)]`, D being the logarithm of what the sums that rise have in `Σ e^{λM}`,
    /// over that of those that fall.
    fn exponential_delta(&self, lambda: f64, sums: &[i32], s: i8, i: usize) -> f64 {
        let words = self.packed.spin(i);
        // Bit 1 is ξ = -1; the sum rises where ξ and s differ.
        let rises = |mu: usize| (words[mu / 64] >> (mu % 64)) & 1 == u64::from(s > 0);
        let mut largest = [i32::MIN; 2];
        for (mu, &m) in sums.iter().enumerate() {
            let most = &mut largest[usize::from(rises(mu))];
            *most = m.max(*most);
        }
        match largest {
            [_, i32::MIN] => return 2.0,
            [i32::MIN, _] => return -2.0,
            _ => {}
        }
        let mut weights = [0.0; 2];
        for (mu, &m) in sums.iter().enumerate() {
            let rises = usize::from(rises(mu));
            weights[rises] += (lambda * f64::from(m - largest[rises])).exp();
        }
        let half = 0.5 * (lambda * f64::from(largest[1] - largest[0]) + (weights[1] / weights[0]).ln());
        if lambda > 0.5 {
            return (ln_2cosh(half) - ln_2cosh(half + 2.0 * lambda)) / lambda;
        }
        // The ratio is 1 + 2 sinh λ sinh(D/2 + λ)/cosh(D/2): small λ keep their digits, and a tie is one.
        let middle = half + lambda;
        let share = if half >= 0.0 {
            -lambda.exp() * (-2.0 * middle).exp_m1() / (1.0 + (-2.0 * half).exp())
        } else {
            (-lambda).exp() * (2.0 * middle).exp_m1() / (1.0 + (2.0 * half).exp())
        };
        -(2.0 * lambda.sinh() * share).ln_1p() / lambda
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
        let n = self.packed.n_spins() as f64;
        // Term by term: the difference of two sums would lose what distant patterns add.
        let powers = |k: u32, part: fn(i32) -> i32| {
            let mut after = cache.clone();
            self.packed.add_signed(i, -2 * i32::from(s[i]), &mut after);
            let power = |m: i32| (f64::from(part(m)) / n).powi(k as i32);
            -n / f64::from(k) * after.iter().zip(cache).map(|(&new, &old)| power(new) - power(old)).sum::<f64>()
        };
        match self.interaction {
            Interaction::Power(k) => powers(k, |m| m),
            Interaction::RectifiedPower(k) => powers(k, |m| m.max(0)),
            Interaction::Exponential { lambda } => self.exponential_delta(lambda, cache, s[i], i),
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

    /// For λ → 0 a flip changes the energy by `2 s_i` times the mean of the entries, to within λ times the overlaps; for
    /// λ N of some hundred by what the nearest pattern says.
    #[test]
    fn flips_keep_their_digits_at_all_lambda() {
        let mut rng = Streams::new(17).stream(0);
        let patterns = Patterns::random(30, 9, &mut rng).unwrap();
        let s = Spins::random(30, &mut rng);
        let delta = |lambda, i: usize| {
            DenseMemory::new(&patterns, Interaction::Exponential { lambda }).unwrap().delta_energy(&s, i)
        };
        for i in 0..30 {
            let mean = patterns.iter().map(|x| f64::from(x[i])).sum::<f64>() / 9.0;
            for lambda in [1e-4, 1e-8, 1e-12, 1e-100, 1e-300] {
                let expected = 2.0 * f64::from(s[i]) * mean;
                assert!((delta(lambda, i) - expected).abs() < 200.0 * lambda + 1e-14, "{lambda} {}", delta(lambda, i));
            }
            // The two forms meet.
            approx::assert_abs_diff_eq!(delta(0.5, i), delta(0.5 + 1e-12, i), epsilon = 1e-9);
        }
        let patterns = Patterns::random(4000, 3, &mut rng).unwrap();
        for lambda in [0.4, 2.0, 1e300] {
            let memory = DenseMemory::new(&patterns, Interaction::Exponential { lambda }).unwrap();
            for i in 0..20 {
                approx::assert_abs_diff_eq!(memory.delta_energy(patterns.pattern(1), i), 2.0, epsilon = 1e-11);
            }
        }
        // Two patterns whose overlaps a flip exchanges: a tie, without rounding.
        let tie = Patterns::new(3, vec![1, 1, 1, -1, 1, 1]).unwrap();
        for lambda in [1e-300, 0.3, 1.0, 7.0] {
            let memory = DenseMemory::new(&tie, Interaction::Exponential { lambda }).unwrap();
            assert!(memory.delta_energy(&[1, 1, -1], 0).abs() <= 0.0);
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let patterns = Patterns::new(2, vec![1, 1]).unwrap();
        let text = |interaction| DenseMemory::new(&patterns, interaction).unwrap_err().to_string();
        assert_eq!(text(Interaction::Power(1)), "power of the overlap is 1, expected an integer from 2 to 1000");
        for lambda in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308, 1e-308, 5e-324] {
            assert!(text(Interaction::Exponential { lambda }).starts_with("lambda is"));
        }
        assert!(DenseMemory::new(&Patterns::new(2, vec![]).unwrap(), Interaction::Power(2)).is_err());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_hold_what_can_be_built() {
        let patterns = Patterns::new(2, vec![1, 1, -1, 1]).unwrap();
        let memory = DenseMemory::new(&patterns, Interaction::Power(3)).unwrap();
        let file =
            |packed: &Packed, interaction| DenseMemory::try_from(Unchecked { packed: packed.clone(), interaction });
        assert_eq!(file(&memory.packed, Interaction::Power(3)).unwrap(), memory);
        assert!(file(&memory.packed, Interaction::Power(0)).is_err());
        assert!(file(&memory.packed, Interaction::Exponential { lambda: -1.0 }).is_err());
        let none = Packed::new(&Patterns::new(2, vec![]).unwrap());
        assert!(file(&none, Interaction::Power(3)).is_err());
    }
}
