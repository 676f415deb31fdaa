//! Single clusters on any graph.

use std::borrow::Borrow;

use linalg_core::rand::Rng;

use super::bond_table::RowTable;
use super::draws::{Draws, FromRng, Threshold};
use crate::Result;
use crate::error::check_beta;
use crate::model::{CachedModel, MarkovKernel, SweepStats};
use crate::models::Ising;

/// Wolff's single-cluster algorithm for an [`Ising`] model with any couplings and fields.
///
/// From a uniformly chosen spin the cluster grows over satisfied bonds, each with probability
/// $`p_{ij} = 1 - e^{-2β|J_{ij}|}`$, and is turned. A field is a coupling to a ghost spin: when the cluster reaches
/// it, nothing is turned and the sweep ends. A sweep is one cluster.
///
/// Cost: `O(Σ degree)` over the cluster, two random numbers a spin on a square lattice; `O(N + M)` memory for the
/// table of probabilities, which is made anew when β changes. The local fields are updated along the cluster; with
/// couplings that are no exact binary fractions rounding builds up as in single flips, see
/// [`refresh`](CachedModel::refresh).
///
/// ```
/// use linalg_core::rng::Streams;
/// use spin_models::mcmc::cluster::Wolff;
/// use spin_models::{CachedModel, Ising, MarkovKernel};
///
/// // Two separate pairs. At this β every satisfied bond is active: a pair turns as a whole.
/// let model = Ising::builder(4).coupling(0, 1, 1.0).coupling(2, 3, -1.0).build()?;
/// let mut wolff = Wolff::new(&model, 100.0)?;
/// let mut s = [1, 1, 1, -1];
/// let mut cache = model.cache(&s);
/// let stats = wolff.sweep(&model, 100.0, &mut s, &mut cache, &mut Streams::new(1).stream(0));
/// assert_eq!(stats.flipped, 2);
/// assert!(s == [-1, -1, 1, -1] || s == [1, 1, -1, 1]);
/// assert_eq!(cache, model.cache(&s));
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Wolff {
    table: RowTable<Threshold>,
    cluster: Vec<u32>,
    inside: Vec<bool>,
}

impl Wolff {
    /// A kernel with the probabilities of `model` at `beta`.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) when `beta` is not finite or negative.
    pub fn new(model: &Ising, beta: f64) -> Result<Self> {
        check_beta(beta)?;
        let mut table = RowTable::new(beta, 0.0, |beta, coupling, _| Threshold::activation(beta, coupling));
        table.prepare(model, beta);
        Ok(Self { table, cluster: Vec::new(), inside: Vec::new() })
    }

    /// The sites of the last cluster, the seed first; empty before the first sweep.
    ///
    /// Where no field acts, $`N^{-1} \sum_{j ∈ C} s_0 s_j`$ with the seed $`s_0`$ is an estimator of
    /// $`⟨m^2⟩`$: [`cluster_m2`](Self::cluster_m2). A cluster that stopped at the ghost is incomplete.
    pub fn cluster(&self) -> &[u32] {
        &self.cluster
    }

    /// The improved estimator of $`⟨m^2⟩`$ from the last cluster, $`N^{-1} \sum_{j ∈ C} s_0 s_j`$.
    ///
    /// `s` may be the configuration before or after the turn. For models without fields. 0 before the first sweep.
    ///
    /// Reference: Wolff, Phys. Rev. Lett. 62, 361 (1989).
    ///
    /// # Panics
    /// If `s` is shorter than the model of the last sweep.
    pub fn cluster_m2(&self, s: &[i8]) -> f64 {
        let Some(&seed) = self.cluster.first() else { return 0.0 };
        let sum: i64 = self.cluster.iter().map(|&j| i64::from(s[j as usize])).sum();
        (i64::from(s[seed as usize]) * sum) as f64 / s.len() as f64
    }

    pub(super) fn step<D: Draws>(
        &mut self,
        model: &Ising,
        beta: f64,
        s: &mut [i8],
        cache: &mut Vec<f64>,
        draws: &mut D,
    ) -> SweepStats {
        check_sweep(model, beta, s, cache);
        self.table.prepare(model, beta);
        self.inside.resize(s.len(), false);
        self.cluster.clear();
        let seed = draws.below(s.len() as u32);
        self.cluster.push(seed);
        self.inside[seed as usize] = true;
        let free = self.grow(model, s, draws);
        for &i in &self.cluster {
            self.inside[i as usize] = false;
        }
        let mut stats = SweepStats { attempted: 1, clusters: 1, ..SweepStats::default() };
        if free {
            for &i in &self.cluster {
                model.flip(cache, s, i as usize);
            }
            stats.accepted = 1;
            stats.flipped = self.cluster.len() as u64;
        }
        stats
    }

    /// Completes the cluster; false as soon as it holds the ghost.
    fn grow<D: Draws>(&mut self, model: &Ising, s: &[i8], draws: &mut D) -> bool {
        let mut next = 0;
        while next < self.cluster.len() {
            let i = self.cluster[next] as usize;
            next += 1;
            let spin = f64::from(s[i]);
            let (neighbors, couplings) = model.row(i);
            let start = self.table.row_start(model, i);
            let field = model.fields()[i];
            if field * spin > 0.0 && draws.happens(self.table.get(start + neighbors.len(), field)) {
                return false;
            }
            for (k, (&j, &coupling)) in neighbors.iter().zip(couplings).enumerate() {
                let satisfied = coupling * spin * f64::from(s[j as usize]) > 0.0;
                if satisfied && !self.inside[j as usize] && draws.happens(self.table.get(start + k, coupling)) {
                    self.inside[j as usize] = true;
                    self.cluster.push(j);
                }
            }
        }
        true
    }
}

/// The checks every kernel on [`Ising`] makes.
pub(super) fn check_sweep(model: &Ising, beta: f64, s: &[i8], cache: &[f64]) {
    let n = model.fields().len();
    assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
    assert_eq!(cache.len(), n, "{} local fields for a model of {n}", cache.len());
    assert!(beta >= 0.0, "beta is {beta}, expected a number >= 0");
}

/// For an [`Ising`] model, owned or borrowed.
impl<M: CachedModel<Cache = Vec<f64>> + Borrow<Ising>> MarkovKernel<M> for Wolff {
    /// Grows and turns one cluster; `flipped` is its size, or 0 when a field held it.
    ///
    /// # Panics
    /// If `s` or `cache` has the wrong length, or `beta` is NaN or negative.
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        cache: &mut Vec<f64>,
        rng: &mut R,
    ) -> SweepStats {
        self.step(model.borrow(), beta, s, cache, &mut FromRng(rng))
    }
}

#[cfg(test)]
mod tests {
    use super::super::transition::{assert_detailed_balance, assert_irreducible, frustrated_models, transition_matrix};
    use super::*;

    #[test]
    fn transition_matrix_is_reversible() {
        for (model, beta) in frustrated_models() {
            let mut wolff = Wolff::new(&model, beta).unwrap();
            let matrix = transition_matrix(&model, |s, cache, draws| {
                wolff.step(&model, beta, s, cache, draws);
            });
            assert_detailed_balance(&model, beta, &matrix);
            assert_irreducible(&matrix);
        }
    }

    #[test]
    fn a_table_for_another_model_is_replaced() {
        let models = frustrated_models();
        let mut wolff = Wolff::new(&models[0].0, 3.0).unwrap();
        for (model, beta) in &models {
            let matrix = transition_matrix(model, |s, cache, draws| {
                wolff.step(model, *beta, s, cache, draws);
            });
            assert_detailed_balance(model, *beta, &matrix);
        }
    }
}
