//! Single clusters with a free parameter, between single flips and Wolff's clusters.

use std::borrow::Borrow;

use linalg_core::rand::Rng;

use super::bond_table::RowTable;
use super::draws::{Draws, FromRng, Threshold};
use super::wolff::check_sweep;
use crate::error::check_beta;
use crate::model::{CachedModel, MarkovKernel, SweepStats};
use crate::models::Ising;
use crate::{Error, Result};

/// What the algorithm needs to know of a bond.
#[derive(Debug, Clone, Copy)]
struct Bond {
    /// Probability to join over the bond when it is satisfied.
    satisfied: Threshold,
    /// The same when it is not.
    unsatisfied: Threshold,
    /// Exponent that a satisfied bond on the boundary adds to the acceptance; an unsatisfied one subtracts it.
    cost: f64,
}

impl Bond {
    fn new(beta: f64, coupling: f64, e0: f64) -> Self {
        let strength = coupling.abs();
        let join = |energy: f64| {
            let exponent = beta * (e0 - energy);
            Threshold::new(if strength > 0.0 && exponent > 0.0 { -(-exponent).exp_m1() } else { 0.0 })
        };
        let cost = beta * (strength - e0).clamp(0.0, 2.0 * strength);
        Self { satisfied: join(-strength), unsatisfied: join(strength), cost: if cost.is_nan() { 0.0 } else { cost } }
    }
}

/// Niedermayer's cluster algorithm for an [`Ising`] model with any couplings and fields.
///
/// The cluster grows over a bond of energy $`E_{ij} = -J_{ij} s_i s_j`$ with probability
///
/// ```math
/// P(E_{ij}) = 1 - e^{-β (E_0 - E_{ij})} \quad\text{for } E_{ij} ≤ E_0, \qquad 0 \text{ otherwise}
/// ```
///
/// and is turned with probability $`\min(1, e^{-Δ})`$, where
/// $`Δ = β \sum_{∂C} ± c_{ij}`$, $`c_{ij} = \min(\max(|J_{ij}| - E_0, 0), 2|J_{ij}|)`$, over the bonds between the
/// cluster and the rest, plus for satisfied bonds.
/// With $`E_0 ≤ -\max|J|`$ every cluster is one spin and the rule is Metropolis; with $`E_0 = |J|`$ for all bonds
/// it is [`Wolff`](super::Wolff); above, unsatisfied bonds join too and clusters grow to the whole model. A field is
/// a coupling to a ghost spin, and a cluster that reaches the ghost is left as it is. A sweep is one cluster.
///
/// Cost as for [`Wolff`](super::Wolff).
///
/// References: Niedermayer, Phys. Rev. Lett. 61, 2026 (1988); Newman and Barkema, *Monte Carlo Methods in
/// Statistical Physics* (1999), section 4.4.1.
///
/// ```
/// use linalg_core::rng::Streams;
/// use spin_models::mcmc::cluster::Niedermayer;
/// use spin_models::{CachedModel, Ising, MarkovKernel};
///
/// // E0 below -|J|: single flips, and at β = 0 every one is accepted.
/// let model = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 1.0).build()?;
/// let mut kernel = Niedermayer::new(&model, 0.0, -1.0)?;
/// let mut s = [1, 1, 1];
/// let mut cache = model.cache(&s);
/// let stats = kernel.sweep(&model, 0.0, &mut s, &mut cache, &mut Streams::new(1).stream(0));
/// assert_eq!((stats.accepted, stats.flipped), (1, 1));
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Niedermayer {
    e0: f64,
    table: RowTable<Bond>,
    cluster: Vec<u32>,
    inside: Vec<bool>,
}

impl Niedermayer {
    /// A kernel with the probabilities of `model` at `beta` and the energy `e0`.
    ///
    /// # Errors
    /// [`Error::Beta`] when `beta` is not finite or negative, [`Error::Parameter`] when `e0` is not finite.
    pub fn new(model: &Ising, beta: f64, e0: f64) -> Result<Self> {
        check_beta(beta)?;
        if !e0.is_finite() {
            return Err(Error::Parameter { what: "e0", value: e0.to_string(), expected: "a finite energy" });
        }
        let mut table = RowTable::new(beta, e0, Bond::new);
        table.prepare(model, beta);
        Ok(Self { e0, table, cluster: Vec::new(), inside: Vec::new() })
    }

    /// The energy $`E_0`$.
    pub fn e0(&self) -> f64 {
        self.e0
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
        let accepted = self.grow(model, s, draws) && self.accept(model, s, draws);
        for &i in &self.cluster {
            self.inside[i as usize] = false;
        }
        let mut stats = SweepStats { attempted: 1, clusters: 1, ..SweepStats::default() };
        if accepted {
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
            let mut joins = |k: usize, coupling: f64, other: f64| {
                let bond = self.table.get(start + k, coupling);
                draws.happens(if coupling * spin * other > 0.0 { bond.satisfied } else { bond.unsatisfied })
            };
            if joins(neighbors.len(), model.fields()[i], 1.0) {
                return false;
            }
            for (k, (&j, &coupling)) in neighbors.iter().zip(couplings).enumerate() {
                if !self.inside[j as usize] && joins(k, coupling, f64::from(s[j as usize])) {
                    self.inside[j as usize] = true;
                    self.cluster.push(j);
                }
            }
        }
        true
    }

    /// Decides by the bonds that leave the complete cluster.
    fn accept<D: Draws>(&mut self, model: &Ising, s: &[i8], draws: &mut D) -> bool {
        let mut exponent = 0.0;
        for &i in &self.cluster {
            let i = i as usize;
            let spin = f64::from(s[i]);
            let (neighbors, couplings) = model.row(i);
            let start = self.table.row_start(model, i);
            let mut cost = |k: usize, coupling: f64, other: f64| {
                self.table.get(start + k, coupling).cost * (coupling * spin * other).signum()
            };
            exponent += cost(neighbors.len(), model.fields()[i], 1.0);
            for (k, (&j, &coupling)) in neighbors.iter().zip(couplings).enumerate() {
                if !self.inside[j as usize] {
                    exponent += cost(k, coupling, f64::from(s[j as usize]));
                }
            }
        }
        exponent <= 0.0 || draws.happens(Threshold::new((-exponent).exp()))
    }
}

/// For an [`Ising`] model, owned or borrowed.
impl<M: CachedModel<Cache = Vec<f64>> + Borrow<Ising>> MarkovKernel<M> for Niedermayer {
    /// Grows one cluster and decides whether it is turned.
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
    use super::super::transition::{assert_detailed_balance, frustrated_models, transition_matrix};
    use super::super::wolff::Wolff;
    use super::*;

    #[test]
    fn transition_matrix_is_reversible_for_every_e0() {
        for (model, beta) in frustrated_models() {
            for e0 in [-3.0, -0.8, -0.2, 0.0, 0.3, 0.7, 1.0, 2.5] {
                let mut kernel = Niedermayer::new(&model, beta, e0).unwrap();
                let matrix = transition_matrix(&model, |s, cache, draws| {
                    kernel.step(&model, beta, s, cache, draws);
                });
                assert_detailed_balance(&model, beta, &matrix);
            }
        }
    }

    #[test]
    fn limits_are_metropolis_and_wolff() {
        let model = Ising::builder(4)
            .couplings([(0, 1, 0.7), (1, 2, -0.7), (2, 3, 0.7), (0, 3, 0.7), (0, 2, 0.7)])
            .build()
            .unwrap();
        let beta = 0.9;
        let run = |e0| {
            let mut kernel = Niedermayer::new(&model, beta, e0).unwrap();
            transition_matrix(&model, |s, cache, draws| {
                kernel.step(&model, beta, s, cache, draws);
            })
        };
        let mut wolff = Wolff::new(&model, beta).unwrap();
        let expected = transition_matrix(&model, |s, cache, draws| {
            wolff.step(&model, beta, s, cache, draws);
        });
        let metropolis = transition_matrix(&model, |s, cache, draws| {
            let i = draws.below(4) as usize;
            let delta = model.delta_cached(cache, s, i);
            if delta <= 0.0 || draws.happens(Threshold::new((-beta * delta).exp())) {
                model.flip(cache, s, i);
            }
        });
        for (row, (low, high)) in run(-0.7).into_iter().zip(run(0.7)).enumerate() {
            for column in 0..16 {
                approx::assert_abs_diff_eq!(low[column], metropolis[row][column], epsilon = 1e-14);
                approx::assert_abs_diff_eq!(high[column], expected[row][column], epsilon = 1e-14);
            }
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        let model = Ising::builder(1).build().unwrap();
        assert!(matches!(Niedermayer::new(&model, f64::NAN, 0.0), Err(Error::Beta { .. })));
        assert!(matches!(Niedermayer::new(&model, 1.0, f64::NAN), Err(Error::Parameter { what: "e0", .. })));
    }
}
