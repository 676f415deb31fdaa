//! What the dynamics asks of a memory.

use crate::SherringtonKirkpatrick;
use crate::model::CachedModel;

/// Units of ±1 with local fields: what Glauber dynamics asks for. Couplings need not be symmetric.
///
/// `h_i` is such that the unit takes the value `s` with probability $`e^{\beta h_i s}/2\cosh \beta h_i`$. Where there is an
/// energy, $`h_i = s_i \Delta E_i / 2`$ with ΔE the change by a flip, so that a unit-by-unit run has the measure of Gibbs.
pub trait Network {
    /// What is kept beside a configuration.
    type Cache: Clone + Send;

    /// Number of units.
    fn n_units(&self) -> usize;

    /// What is kept beside `s`.
    ///
    /// # Panics
    /// If `s` has not [`n_units`](Self::n_units) entries.
    fn prepare(&self, s: &[i8]) -> Self::Cache;

    /// The field on unit `i`.
    fn local_field(&self, cache: &Self::Cache, s: &[i8], i: usize) -> f64;

    /// Flips unit `i` and brings the cache along.
    fn turn(&self, cache: &mut Self::Cache, s: &mut [i8], i: usize);

    /// The fields on all units.
    fn local_fields(&self, cache: &Self::Cache, s: &[i8], out: &mut [f64]) {
        out.iter_mut().enumerate().for_each(|(i, h)| *h = self.local_field(cache, s, i));
    }
}

/// Couplings of any rule that gives a symmetric matrix, for example [`pseudo_inverse`](super::pseudo_inverse).
impl Network for SherringtonKirkpatrick {
    type Cache = Vec<f64>;

    fn n_units(&self) -> usize {
        crate::EnergyModel::n_spins(self)
    }

    fn prepare(&self, s: &[i8]) -> Vec<f64> {
        self.cache(s)
    }

    fn local_field(&self, cache: &Vec<f64>, _s: &[i8], i: usize) -> f64 {
        cache[i]
    }

    fn turn(&self, cache: &mut Vec<f64>, s: &mut [i8], i: usize) {
        self.flip(cache, s, i);
    }

    fn local_fields(&self, cache: &Vec<f64>, _s: &[i8], out: &mut [f64]) {
        out.copy_from_slice(cache);
    }
}
