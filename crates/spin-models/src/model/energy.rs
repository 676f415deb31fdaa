//! Energies of configurations.

use linalg_core::checkpoint::ContentHash;
use linalg_core::rng::SplitMix64;

use crate::Spins;

/// An energy function of ±1 spins; the whole workspace composes through this trait.
///
/// The measure is `p(s) = exp(-βE(s)) / Z`. Configurations are slices of ±1. Other values are a mistake of the caller:
/// energies are then wrong, and products of spins may overflow, a panic in builds with overflow checks. Object-safe.
///
/// ```
/// use spin_models::{EnergyModel, Ising};
///
/// let pair = Ising::builder(2).coupling(0, 1, 1.5).field(0, 0.25).build()?;
/// let model: &dyn EnergyModel = &pair;
/// assert_eq!(model.energy(&[1, 1]), -1.75);
/// assert_eq!(model.delta_energy(&[1, 1], 0), 3.5);
/// # Ok::<(), spin_models::Error>(())
/// ```
pub trait EnergyModel {
    /// Number of spins N.
    fn n_spins(&self) -> usize;

    /// `E(s)`, the constant (k = 0) term included.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()`.
    fn energy(&self, s: &[i8]) -> f64;

    /// `E(s with spin i flipped) - E(s)`.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()` or `i` is not a site.
    fn delta_energy(&self, s: &[i8], i: usize) -> f64;

    /// Energies of a batch, a row of N spins per configuration; `out.len()` rows.
    ///
    /// # Panics
    /// If `batch.len() != out.len() * self.n_spins()`.
    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        let n = self.n_spins();
        assert_eq!(batch.len(), out.len() * n, "{} spins for {} rows of {n}", batch.len(), out.len());
        for (row, energy) in batch.chunks_exact(n.max(1)).zip(out) {
            *energy = self.energy(row);
        }
    }

    /// A hash of the energy function: what ties checkpoints and partial results to their problem.
    ///
    /// The default hashes the energies of 32 fixed configurations, so two models that differ in a single interaction by
    /// more than the rounding of an energy have different hashes. The models of this crate hash their parameters.
    fn content_hash(&self) -> u64 {
        let n = self.n_spins();
        let mut words = SplitMix64::new(0x5370_696e);
        let mut hash = ContentHash::new();
        hash.write_str("energies").write_usizes(&[n]);
        for _ in 0..32 {
            hash.write_f64(self.energy(&Spins::random(n, &mut words)));
        }
        hash.finish()
    }
}

/// A model that keeps what it needs to flip spins in `O(degree)`: local fields, term signs, pattern overlaps.
///
/// The contract, for every configuration `s` and its cache: `delta_cached` equals
/// [`delta_energy`](EnergyModel::delta_energy), and `flip` leaves `s` with spin `i` flipped and the cache that of the
/// new configuration. Both hold up to the rounding that accumulates over flips when couplings are not exactly
/// representable sums; [`refresh`](CachedModel::refresh) removes it.
pub trait CachedModel: EnergyModel {
    /// What is kept beside a configuration.
    type Cache: Clone + Send;

    /// The cache of `s`.
    ///
    /// # Panics
    /// If `s.len() != self.n_spins()`.
    fn cache(&self, s: &[i8]) -> Self::Cache;

    /// `E(s with spin i flipped) - E(s)` from the cache.
    fn delta_cached(&self, cache: &Self::Cache, s: &[i8], i: usize) -> f64;

    /// Flips spin `i` of `s` and brings the cache along.
    fn flip(&self, cache: &mut Self::Cache, s: &mut [i8], i: usize);

    /// `E(s)`, from the cache where that is cheaper than [`energy`](EnergyModel::energy), as for dense couplings.
    ///
    /// Equal to `energy(s)` up to the rounding that the cache has gathered.
    fn energy_cached(&self, cache: &Self::Cache, s: &[i8]) -> f64 {
        let _ = cache;
        self.energy(s)
    }

    /// Recomputes the cache of `s`, so that rounding does not build up over a long run.
    fn refresh(&self, cache: &mut Self::Cache, s: &[i8]) {
        *cache = self.cache(s);
    }
}

/// Serves any [`EnergyModel`] where a [`CachedModel`] is asked for, with an empty cache.
///
/// ```
/// use spin_models::{CachedModel, EnergyModel, Ising, Uncached};
///
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let model = Uncached(&pair as &dyn EnergyModel);
/// let mut s = [1, 1];
/// let mut cache = model.cache(&s);
/// assert_eq!(model.delta_cached(&cache, &s, 1), 2.0);
/// model.flip(&mut cache, &mut s, 1);
/// assert_eq!(s, [1, -1]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Uncached<M>(
    /// The model served.
    pub M,
);

/// A model of fields and pair couplings, `E = -Σ J_ij s_i s_j - Σ h_i s_i + const`: what mean-field equations need.
pub trait PairwiseModel: EnergyModel {
    /// The field `h_i`.
    ///
    /// # Panics
    /// If `i` is not a site.
    fn field(&self, i: usize) -> f64;

    /// The neighbours of `i` with their couplings `J_ij`; every pair appears at both of its ends.
    ///
    /// # Panics
    /// If `i` is not a site.
    fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)>;
}

/// An energy function of sites with any finite alphabet: Potts, clock, and mixtures of them. Object-safe.
pub trait DiscreteModel {
    /// Number of sites.
    fn n_sites(&self) -> usize;

    /// Number of states of site `i`; states are `0 .. n_states(i)`.
    fn n_states(&self, i: usize) -> usize;

    /// `E(s)`.
    ///
    /// # Panics
    /// If `s` has the wrong length or a state out of range.
    fn energy(&self, s: &[u8]) -> f64;

    /// `E(s with site i in state new) - E(s)`.
    ///
    /// # Panics
    /// If `s` has the wrong length, or `i` or a state is out of range.
    fn delta_energy(&self, s: &[u8], i: usize, new: u8) -> f64;
}

impl<T: EnergyModel + ?Sized> EnergyModel for &T {
    fn n_spins(&self) -> usize {
        (**self).n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        (**self).energy(s)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        (**self).delta_energy(s, i)
    }

    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        (**self).energies(batch, out);
    }

    fn content_hash(&self) -> u64 {
        (**self).content_hash()
    }
}

impl<T: EnergyModel + ?Sized> EnergyModel for Box<T> {
    fn n_spins(&self) -> usize {
        (**self).n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        (**self).energy(s)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        (**self).delta_energy(s, i)
    }

    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        (**self).energies(batch, out);
    }

    fn content_hash(&self) -> u64 {
        (**self).content_hash()
    }
}

impl<T: CachedModel + ?Sized> CachedModel for &T {
    type Cache = T::Cache;

    fn cache(&self, s: &[i8]) -> Self::Cache {
        (**self).cache(s)
    }

    fn delta_cached(&self, cache: &Self::Cache, s: &[i8], i: usize) -> f64 {
        (**self).delta_cached(cache, s, i)
    }

    fn flip(&self, cache: &mut Self::Cache, s: &mut [i8], i: usize) {
        (**self).flip(cache, s, i);
    }

    fn energy_cached(&self, cache: &Self::Cache, s: &[i8]) -> f64 {
        (**self).energy_cached(cache, s)
    }

    fn refresh(&self, cache: &mut Self::Cache, s: &[i8]) {
        (**self).refresh(cache, s);
    }
}

impl<T: PairwiseModel + ?Sized> PairwiseModel for &T {
    fn field(&self, i: usize) -> f64 {
        (**self).field(i)
    }

    fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        (**self).neighbors(i)
    }
}

impl<M: EnergyModel> EnergyModel for Uncached<M> {
    fn n_spins(&self) -> usize {
        self.0.n_spins()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        self.0.energy(s)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.0.delta_energy(s, i)
    }

    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        self.0.energies(batch, out);
    }

    fn content_hash(&self) -> u64 {
        self.0.content_hash()
    }
}

impl<M: EnergyModel> CachedModel for Uncached<M> {
    type Cache = ();

    fn cache(&self, s: &[i8]) {
        assert_eq!(s.len(), self.n_spins(), "{} spins for a model of {}", s.len(), self.n_spins());
    }

    fn delta_cached(&self, _cache: &(), s: &[i8], i: usize) -> f64 {
        self.0.delta_energy(s, i)
    }

    fn flip(&self, _cache: &mut (), s: &mut [i8], i: usize) {
        s[i] = -s[i];
    }
}
