//! Hebb's rule without its matrix.

use linalg_core::checkpoint::ContentHash;

use super::packed::Packed;
use super::{Network, Patterns};
use crate::model::{CachedModel, EnergyModel};
use crate::{Error, Ising, Result};

/// By what the sum over patterns is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Hebb {
    /// $`J_{ij} = \frac1N \sum_\mu \xi_i^\mu \xi_j^\mu`$, the convention of Amit, Gutfreund and Sompolinsky. The default.
    #[default]
    PerNeuron,
    /// $`J_{ij} = \frac1P \sum_\mu \xi_i^\mu \xi_j^\mu`$: temperatures are those of [`PerNeuron`](Self::PerNeuron) divided by
    /// α = P/N.
    PerPattern,
}

/// Largest (N + 1) P: sums of all signs, and differences of two of them, fit into 32 bits.
const LARGEST: usize = (i32::MAX / 4) as usize;

/// The Hopfield model of given patterns.
///
/// ```math
/// E(s) = -\sum_{i<j} J_{ij} s_i s_j = -\frac{c}{2} \Bigl( \sum_\mu M_\mu^2 - N P \Bigr), \qquad
/// J_{ij} = c \sum_\mu \xi_i^\mu \xi_j^\mu, \quad M_\mu = \sum_i \xi_i^\mu s_i
/// ```
///
/// with c = 1/N or 1/P, see [`Hebb`], and no diagonal. The matrix is never formed: the patterns are kept as bits, once by
/// pattern and once by spin, N P / 4 bytes in all, and a configuration is accompanied by the integers `M_μ`. A field or a
/// flip costs `O(P)`; all fields together a table look-up for eight patterns and spin. All sums are integers: fields carry no
/// rounding, and a tie is one.
///
/// ```
/// use spin_models::hopfield::{Hopfield, Patterns};
/// use spin_models::EnergyModel;
///
/// // One pattern: a ferromagnet after a gauge, E = -(N - 1)/2 in the pattern.
/// let patterns = Patterns::new(4, vec![1, -1, -1, 1])?;
/// let model = Hopfield::new(&patterns)?;
/// assert_eq!(model.energy(&[1, -1, -1, 1]), -1.5);
/// assert_eq!(model.delta_energy(&[1, -1, -1, 1], 2), 1.5);
/// assert_eq!(model.overlaps(&[1, -1, -1, -1]), [0.5]);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// As an [`EnergyModel`] and [`CachedModel`] it runs in every sampler of [`mcmc`](crate::mcmc).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Hopfield {
    packed: Packed,
    hebb: Hebb,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    packed: Packed,
    hebb: Hebb,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Hopfield {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let Unchecked { packed, hebb } = unchecked;
        if packed.n_spins() == 0 {
            return Err(Error::NoSpins);
        }
        Self::check_size(packed.n_spins(), packed.n_patterns())?;
        Ok(Self { packed, hebb })
    }
}

impl Hopfield {
    /// The model of these patterns, divided by the number of neurons. `O(N P)`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if (N + 1) P is above 2²⁹.
    pub fn new(patterns: &Patterns) -> Result<Self> {
        Self::check_size(patterns.n_spins(), patterns.n_patterns())?;
        Ok(Self { packed: Packed::new(patterns), hebb: Hebb::default() })
    }

    /// Whether sums over so many spins and patterns fit.
    pub(super) fn check_size(n: usize, p: usize) -> Result<()> {
        let size = n.saturating_add(1).saturating_mul(p.max(1));
        if size > LARGEST {
            let (what, bound) = ("spins times patterns", LARGEST);
            return Err(Error::TooLarge { solver: "hopfield model", what, value: size, bound });
        }
        Ok(())
    }

    /// The same with another normalisation.
    pub fn with_hebb(mut self, hebb: Hebb) -> Self {
        self.hebb = hebb;
        self
    }

    /// The normalisation.
    pub fn hebb(&self) -> Hebb {
        self.hebb
    }

    /// Number of patterns.
    pub fn n_patterns(&self) -> usize {
        self.packed.n_patterns()
    }

    /// The load α = P/N.
    pub fn load(&self) -> f64 {
        self.n_patterns() as f64 / self.n_spins() as f64
    }

    /// The factor c of the couplings.
    fn scale(&self) -> f64 {
        match self.hebb {
            Hebb::PerNeuron => 1.0 / self.n_spins() as f64,
            Hebb::PerPattern => 1.0 / self.n_patterns().max(1) as f64,
        }
    }

    /// The coupling of two spins; 0 of a spin with itself. `O(P)`.
    ///
    /// # Panics
    /// If `i` or `j` is not a site.
    pub fn coupling(&self, i: usize, j: usize) -> f64 {
        let n = self.n_spins();
        assert!(i < n && j < n, "coupling of sites {i} and {j} of {n}");
        if i == j {
            return 0.0;
        }
        let differ: u32 = self.packed.spin(i).iter().zip(self.packed.spin(j)).map(|(a, b)| (a ^ b).count_ones()).sum();
        self.scale() * (self.n_patterns() as f64 - 2.0 * f64::from(differ))
    }

    /// The entry $`\xi_i^\mu`$.
    ///
    /// # Panics
    /// If there is no such pattern or site.
    pub fn entry(&self, mu: usize, i: usize) -> i8 {
        self.packed.sign(mu, i)
    }

    /// The overlaps $`m_\mu = \frac1N \sum_i \xi_i^\mu s_i`$. `O(N P / 64)`.
    ///
    /// # Panics
    /// If `s` has another number of spins.
    pub fn overlaps(&self, s: &[i8]) -> Vec<f64> {
        self.overlaps_of(&self.packed.sums(s))
    }

    /// The overlaps from a cache, the sums `M_μ`.
    pub fn overlaps_of(&self, cache: &[i32]) -> Vec<f64> {
        cache.iter().map(|&sum| f64::from(sum) / self.n_spins() as f64).collect()
    }

    /// The noise of the patterns other than `mu`, $`r = \frac{1}{\alpha} \sum_{\nu \ne \mu} m_\nu^2`$, from a cache; 1 for random
    /// spins, 0 with no other pattern.
    pub fn crosstalk(&self, cache: &[i32], mu: usize) -> f64 {
        let square = |m: i32| f64::from(m) * f64::from(m);
        let others: f64 = cache.iter().enumerate().filter(|(nu, _)| *nu != mu).map(|(_, &m)| square(m)).sum();
        others / (self.n_spins() as f64 * self.n_patterns().max(1) as f64)
    }

    /// The fraction of bits, over all patterns, that turn when a pattern is the start of one parallel step at T = 0.
    ///
    /// For large N it is $`\tfrac12 \mathrm{erfc}(1/\sqrt{2\alpha})`$: 7.83e-4 at α = 0.1. `O(N P²)`. NaN without patterns.
    pub fn unstable_fraction(&self) -> f64 {
        let (n, p) = (self.n_spins(), self.n_patterns());
        let mut unstable = 0u64;
        let mut s = vec![0; n];
        for mu in 0..p {
            s.iter_mut().enumerate().for_each(|(i, s)| *s = self.packed.sign(mu, i));
            self.packed.signed_sums(&self.packed.sums(&s), |i, sum| {
                let field = sum - p as i32 * i32::from(s[i]);
                unstable += u64::from(i64::from(field) * i64::from(s[i]) < 0);
            });
        }
        unstable as f64 / (n as f64 * p as f64)
    }

    /// The same energy as an [`Ising`] model, for the exact solvers: couplings of value 0 are left out. `O(N² P)`.
    ///
    /// # Errors
    /// None for a model that could be built; the builder's checks are passed on.
    pub fn to_ising(&self) -> Result<Ising> {
        let n = self.n_spins();
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        let couplings = pairs.map(|(i, j)| (i, j, self.coupling(i, j)));
        Ising::builder(n).couplings(couplings.filter(|(.., coupling)| *coupling != 0.0)).build()
    }

    /// `Σ_μ ξ_i^μ M_μ - P s_i`, the field in units of c.
    fn raw_field(&self, sums: &[i32], s: &[i8], i: usize) -> i32 {
        self.packed.signed_sum(i, sums) - self.n_patterns() as i32 * i32::from(s[i])
    }

    fn energy_of(&self, sums: &[i32]) -> f64 {
        let squares: i64 = sums.iter().map(|&m| i64::from(m) * i64::from(m)).sum();
        let diagonal = self.n_spins() as i64 * self.n_patterns() as i64;
        // Twice the sum over pairs: even, so that the half is exact.
        -self.scale() * ((squares - diagonal) / 2) as f64
    }
}

impl EnergyModel for Hopfield {
    fn n_spins(&self) -> usize {
        self.packed.n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.energy_of(&self.packed.sums(s))
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.delta_cached(&self.packed.sums(s), s, i)
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("hopfield").write_usizes(&[self.n_spins(), self.n_patterns(), self.hebb as usize]);
        for i in 0..self.n_spins() {
            self.packed.spin(i).iter().for_each(|&word| {
                hash.write_u64(word);
            });
        }
        hash.finish()
    }
}

impl CachedModel for Hopfield {
    /// The sums `M_μ = Σ_i ξ_i^μ s_i`.
    type Cache = Vec<i32>;

    fn cache(&self, s: &[i8]) -> Vec<i32> {
        self.packed.sums(s)
    }

    fn delta_cached(&self, cache: &Vec<i32>, s: &[i8], i: usize) -> f64 {
        2.0 * self.scale() * f64::from(s[i]) * f64::from(self.raw_field(cache, s, i))
    }

    fn flip(&self, cache: &mut Vec<i32>, s: &mut [i8], i: usize) {
        s[i] = -s[i];
        self.packed.add_signed(i, 2 * i32::from(s[i]), cache);
    }

    /// `O(P)` from the overlaps.
    fn energy_cached(&self, cache: &Vec<i32>, _s: &[i8]) -> f64 {
        self.energy_of(cache)
    }
}

impl Network for Hopfield {
    type Cache = Vec<i32>;

    fn n_units(&self) -> usize {
        self.n_spins()
    }

    fn prepare(&self, s: &[i8]) -> Vec<i32> {
        self.packed.sums(s)
    }

    fn local_field(&self, cache: &Vec<i32>, s: &[i8], i: usize) -> f64 {
        self.scale() * f64::from(self.raw_field(cache, s, i))
    }

    fn turn(&self, cache: &mut Vec<i32>, s: &mut [i8], i: usize) {
        self.flip(cache, s, i);
    }

    fn local_fields(&self, cache: &Vec<i32>, s: &[i8], out: &mut [f64]) {
        let (scale, p) = (self.scale(), self.n_patterns() as i32);
        self.packed.signed_sums(cache, |i, sum| out[i] = scale * f64::from(sum - p * i32::from(s[i])));
    }
}
