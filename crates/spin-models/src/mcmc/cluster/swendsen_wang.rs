//! Decomposition of any graph into clusters.

use std::borrow::Borrow;

use linalg_core::rand::Rng;

use super::bond_table::BondTable;
use super::disjoint_sets::{flatten, union};
use super::draws::{Draws, FromRng, Threshold};
use super::estimators::ClusterEstimate;
use super::wolff::check_sweep;
use crate::Result;
use crate::error::check_beta;
use crate::model::{CachedModel, MarkovKernel, SweepStats};
use crate::models::Ising;

/// The Swendsen-Wang algorithm for an [`Ising`] model with any couplings and fields.
///
/// Every satisfied bond is activated with probability $`p_{ij} = 1 - e^{-2β|J_{ij}|}`$; every connected cluster is
/// then turned with probability 1/2. Fields are couplings to a ghost spin, whose cluster stays. A sweep is one
/// decomposition of the whole model. The clusters of the last sweep remain for improved estimators.
///
/// Cost: `O(N + M)` a sweep, one random number for a satisfied bond and one for a cluster; `O(N + M)` memory. The
/// local fields are computed anew, without rounding from earlier sweeps.
///
/// Reference: Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987); Edwards and Sokal, Phys. Rev. D 38, 2009 (1988).
///
/// ```
/// use linalg_core::rng::Streams;
/// use spin_models::mcmc::cluster::SwendsenWang;
/// use spin_models::{CachedModel, Ising, MarkovKernel};
///
/// // At this β every satisfied bond is active: the pair 0-1 is a cluster, the spin 2 another.
/// let model = Ising::builder(3).coupling(0, 1, 1.0).build()?;
/// let mut kernel = SwendsenWang::new(&model, 100.0)?;
/// let mut s = [1, 1, 1];
/// let mut cache = model.cache(&s);
/// let stats = kernel.sweep(&model, 100.0, &mut s, &mut cache, &mut Streams::new(1).stream(0));
/// assert_eq!(stats.clusters, 2);
/// assert_eq!(s[0], s[1]);
/// assert_eq!(kernel.labels(), [0, 0, 2]);
/// // ⟨m²⟩ over the turns is (2² + 1²) / 3².
/// assert!((kernel.estimate(&s).m2 - 5.0 / 9.0).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SwendsenWang {
    table: BondTable<Threshold>,
    /// Label of every site, then of the ghost.
    label: Vec<u32>,
    turn: Vec<bool>,
}

impl SwendsenWang {
    /// A kernel with the probabilities of `model` at `beta`.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) when `beta` is not finite or negative.
    pub fn new(model: &Ising, beta: f64) -> Result<Self> {
        check_beta(beta)?;
        let table = BondTable::new(beta, 0.0, |beta, coupling, _| Threshold::activation(beta, coupling));
        let mut kernel = Self { table, label: Vec::new(), turn: Vec::new() };
        kernel.prepare(model, beta);
        Ok(kernel)
    }

    fn prepare(&mut self, model: &Ising, beta: f64) {
        let len = model.n_couplings() + model.fields().len();
        self.table.prepare(beta, len, || {
            model.couplings().map(|(_, _, coupling)| coupling).chain(model.fields().iter().copied())
        });
    }

    pub(super) fn step<D: Draws>(
        &mut self,
        model: &Ising,
        beta: f64,
        s: &mut [i8],
        cache: &mut [f64],
        draws: &mut D,
    ) -> SweepStats {
        check_sweep(model, beta, s, cache);
        self.prepare(model, beta);
        let n = s.len();
        self.label.clear();
        self.label.extend(0..=n as u32);
        for (a, (i, j, coupling)) in model.couplings().enumerate() {
            if coupling * f64::from(s[i] * s[j]) > 0.0 && draws.happens(self.table.get(a, coupling)) {
                union(&mut self.label, i as u32, j as u32);
            }
        }
        let m = model.n_couplings();
        for (i, &field) in model.fields().iter().enumerate() {
            if field * f64::from(s[i]) > 0.0 && draws.happens(self.table.get(m + i, field)) {
                union(&mut self.label, i as u32, n as u32);
            }
        }
        // Without the ghost as a site; it is alone unless a field acts.
        let clusters = flatten(&mut self.label) - usize::from(self.ghost_label() == n as u32);
        let stats = self.turn(s, draws, clusters as u64);
        if stats.flipped > 0 {
            for (i, field) in cache.iter_mut().enumerate() {
                *field = model.local_field(s, i);
            }
        }
        stats
    }

    fn turn<D: Draws>(&mut self, s: &mut [i8], draws: &mut D, clusters: u64) -> SweepStats {
        let held = self.ghost_label();
        self.turn.clear();
        self.turn.resize(s.len() + 1, false);
        let mut stats = SweepStats { clusters, ..SweepStats::default() };
        for (i, spin) in s.iter_mut().enumerate() {
            let label = self.label[i];
            // A root is the smallest site of its cluster and comes first.
            if label as usize == i && label != held {
                let turns = draws.happens(Threshold::HALF);
                self.turn[i] = turns;
                stats.attempted += 1;
                stats.accepted += u64::from(turns);
            }
            if self.turn[label as usize] {
                *spin = -*spin;
                stats.flipped += 1;
            }
        }
        stats
    }

    fn ghost_label(&self) -> u32 {
        self.label.last().copied().unwrap_or(0)
    }

    /// The cluster of every site in the last decomposition, named by its smallest site; empty before the first sweep.
    pub fn labels(&self) -> &[u32] {
        self.label.split_last().map_or(&[], |(_, sites)| sites)
    }

    /// The cluster that fields hold, where there is one: its label.
    pub fn held_label(&self) -> Option<u32> {
        let held = self.ghost_label();
        ((held as usize) < self.labels().len()).then_some(held)
    }

    /// Improved estimators of the magnetization from the last decomposition; `O(N)`.
    ///
    /// `s` may be the configuration before or after the sweep.
    ///
    /// # Panics
    /// If `s` has another length than the model of the last sweep.
    pub fn estimate(&self, s: &[i8]) -> ClusterEstimate {
        let labels = self.labels();
        assert_eq!(s.len(), labels.len(), "{} spins for a decomposition of {}", s.len(), labels.len());
        let mut magnetization = vec![0i64; s.len()];
        for (&spin, &label) in s.iter().zip(labels) {
            magnetization[label as usize] += i64::from(spin);
        }
        let held = self.held_label().map_or(0, |label| std::mem::take(&mut magnetization[label as usize]));
        ClusterEstimate::from_clusters(s.len(), magnetization, held)
    }

    /// Improved estimators of $`⟨s_i s_j⟩`$: $`s_i s_j`$ where both sites are in one cluster or both are held, else 0.
    ///
    /// A field on one cluster and none on the other averages to 0, as it should.
    ///
    /// # Panics
    /// If `s` has another length than the model of the last sweep, or a site is out of bounds.
    pub fn correlations<'a>(
        &'a self,
        s: &'a [i8],
        pairs: impl IntoIterator<Item = (usize, usize)> + 'a,
    ) -> impl Iterator<Item = f64> + 'a {
        let labels = self.labels();
        assert_eq!(s.len(), labels.len(), "{} spins for a decomposition of {}", s.len(), labels.len());
        pairs.into_iter().map(move |(i, j)| if labels[i] == labels[j] { f64::from(s[i] * s[j]) } else { 0.0 })
    }
}

/// For an [`Ising`] model, owned or borrowed.
impl<M: CachedModel<Cache = Vec<f64>> + Borrow<Ising>> MarkovKernel<M> for SwendsenWang {
    /// One decomposition; `attempted` counts the clusters that are free to turn.
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
    use super::super::transition::{
        AllPaths, assert_detailed_balance, assert_irreducible, boltzmann, frustrated_models, transition_matrix,
    };
    use super::*;
    use crate::model::{CachedModel, EnergyModel};
    use crate::spins::Spins;

    #[test]
    fn transition_matrix_is_reversible() {
        let five = Ising::builder(5)
            .couplings([(0, 1, 0.5), (1, 2, -0.7), (2, 3, 0.9), (3, 4, 0.4), (0, 4, 0.8), (1, 3, 0.6)])
            .build()
            .unwrap();
        for (model, beta) in frustrated_models().into_iter().chain([(five, 0.6)]) {
            let mut kernel = SwendsenWang::new(&model, beta).unwrap();
            let matrix = transition_matrix(&model, |s, cache, draws| {
                kernel.step(&model, beta, s, cache, draws);
            });
            assert_detailed_balance(&model, beta, &matrix);
            assert_irreducible(&matrix);
        }
    }

    /// The mean of every improved estimator over the exact law of decompositions is the Boltzmann mean.
    #[test]
    fn improved_estimators_are_unbiased() {
        for (model, beta) in frustrated_models() {
            let n = model.n_spins();
            let pairs: Vec<(usize, usize)> = (0..n).flat_map(|j| (0..=j).map(move |i| (i, j))).collect();
            let mut kernel = SwendsenWang::new(&model, beta).unwrap();
            let (mut improved, mut plain) = (vec![0.0; 3 + pairs.len()], vec![0.0; 3 + pairs.len()]);
            for (state, &weight) in boltzmann(&model, beta).iter().enumerate() {
                let start = Spins::from_state(state as u64, n);
                let m = start.magnetization_per_spin();
                let correlations = pairs.iter().map(|&(i, j)| f64::from(start[i] * start[j]));
                for (sum, x) in plain.iter_mut().zip([m, m * m, m.powi(4)].into_iter().chain(correlations)) {
                    *sum += weight * x;
                }
                // The values of a path are needed where its probability is known: handed over by position.
                let mut values: Vec<Vec<f64>> = Vec::new();
                let mut means = vec![0.0; 3 + pairs.len()];
                let mut weights = Vec::new();
                AllPaths::visit(
                    |draws| {
                        let mut s = start.clone();
                        let mut cache = model.cache(&s);
                        kernel.step(&model, beta, &mut s, &mut cache, draws);
                        let e = kernel.estimate(&s);
                        values.push(
                            [e.magnetization, e.m2, e.m4]
                                .into_iter()
                                .chain(kernel.correlations(&s, pairs.iter().copied()))
                                .collect(),
                        );
                        values.len() - 1
                    },
                    |_, p| weights.push(p),
                );
                for (row, p) in values.iter().zip(&weights) {
                    means.iter_mut().zip(row).for_each(|(mean, x)| *mean += p * x);
                }
                improved.iter_mut().zip(&means).for_each(|(sum, x)| *sum += weight * x);
            }
            for (a, b) in improved.iter().zip(&plain) {
                approx::assert_abs_diff_eq!(*a, *b, epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn before_the_first_sweep_there_are_no_clusters() {
        let model = Ising::builder(2).build().unwrap();
        let kernel = SwendsenWang::new(&model, 1.0).unwrap();
        assert!(kernel.labels().is_empty());
        assert_eq!(kernel.held_label(), None);
        assert!(SwendsenWang::new(&model, f64::NAN).is_err());
        assert!(SwendsenWang::new(&model, -1.0).is_err());
    }
}
