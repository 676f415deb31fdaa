//! Exchange of overlap clusters between replicas.

use linalg_core::rand::Rng;

use super::draws::{Draws, FromRng};
use crate::model::{CachedModel, PairwiseModel, SweepStats};

/// What a move did to one pair of replicas.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HoudayerMove {
    /// Number of sites of the cluster; 0 when the replicas had none to exchange.
    pub size: usize,
    /// Change of the energy of the first replica; that of the second changes by the opposite.
    pub energy_change: f64,
}

/// Houdayer's cluster move on pairs of replicas, for any graph, couplings and fields.
///
/// Two replicas of one model at one temperature have the local overlap $`q_i = s_i t_i`$. A site is chosen
/// uniformly among those with $`q_i = -1`$, and the cluster is all that is connected to it over bonds
/// $`J_{ij} ≠ 0`$ among such sites. Both replicas are turned on it, which here is the same as exchanging their
/// spins. On a bond at the boundary $`J s_j (s_i + t_i) = 0`$: the total energy stays, fields included, and the
/// overlap too. The choice depends on the overlap alone, so the move is its own reverse with the same probability
/// and leaves $`e^{-β(E(s)+E(t))}`$ invariant. It is not ergodic: alternate it with single flips.
///
/// [`isoenergetic`](Self::isoenergetic) builds the cluster among the sites of the less frequent overlap, as long as
/// the model has no fields: turning both replicas on a cluster of $`q_i = +1`$ conserves the total energy as well.
/// The published rule turns a whole replica instead when $`q = -1`$ prevails, which leaves the law invariant only up
/// to that symmetry; the rule here leaves it invariant as it is.
///
/// With three or more replicas the pairs are disjoint and random: [`replicas`](Self::replicas). The move helps while
/// the sites of one overlap do not percolate, that is in two dimensions and on sparse graphs.
///
/// Cost: `O(N)` to find the sites and `O(Σ degree)` over the cluster.
///
/// References: Houdayer, Eur. Phys. J. B 22, 479 (2001); Zhu, Ochoa and Katzgraber, Phys. Rev. Lett. 115, 077201
/// (2015).
///
/// ```
/// use linalg_core::rng::Streams;
/// use spin_models::mcmc::cluster::Houdayer;
/// use spin_models::{CachedModel, EnergyModel, Ising};
///
/// // A path 0-1-2-3 whose replicas differ on 0, 1 and on 3.
/// let model = Ising::builder(4).coupling(0, 1, 1.0).coupling(1, 2, -2.0).coupling(2, 3, 0.5).field(0, 0.3).build()?;
/// let (mut s, mut t) = ([1, 1, 1, 1], [-1, -1, 1, -1]);
/// let (mut of_s, mut of_t) = (model.cache(&s), model.cache(&t));
/// let before = model.energy(&s);
/// let total = before + model.energy(&t);
/// let done = Houdayer::new().pair(&model, (&mut s, &mut of_s), (&mut t, &mut of_t), &mut Streams::new(1).stream(0));
/// assert!(done.size == 2 || done.size == 1);
/// assert!((model.energy(&s) - before - done.energy_change).abs() < 1e-12);
/// assert!((model.energy(&s) + model.energy(&t) - total).abs() < 1e-12);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Houdayer {
    minority: bool,
    candidates: Vec<u32>,
    member: Vec<bool>,
    cluster: Vec<u32>,
    order: Vec<usize>,
}

impl Houdayer {
    /// Clusters of $`q_i = -1`$.
    pub fn new() -> Self {
        Self::default()
    }

    /// Clusters of the overlap that fewer sites have; of $`q_i = -1`$ on equal numbers or where fields act.
    pub fn isoenergetic() -> Self {
        Self { minority: true, ..Self::default() }
    }

    /// One move on two replicas, each a configuration with its cache.
    ///
    /// # Panics
    /// If a configuration has the wrong length.
    pub fn pair<M, R>(
        &mut self,
        model: &M,
        first: (&mut [i8], &mut M::Cache),
        second: (&mut [i8], &mut M::Cache),
        rng: &mut R,
    ) -> HoudayerMove
    where
        M: CachedModel + PairwiseModel,
        R: Rng + ?Sized,
    {
        self.step(model, first, second, &mut FromRng(rng))
    }

    /// One move on each of `floor(R/2)` disjoint pairs, drawn uniformly; with an odd number one replica rests.
    ///
    /// The statistics count a cluster for every pair that had one; `flipped` counts the spins of both replicas.
    ///
    /// # Panics
    /// If there are as many configurations as caches not, or a configuration has the wrong length.
    pub fn replicas<M, R>(
        &mut self,
        model: &M,
        configurations: &mut [Vec<i8>],
        caches: &mut [M::Cache],
        rng: &mut R,
    ) -> SweepStats
    where
        M: CachedModel + PairwiseModel,
        R: Rng + ?Sized,
    {
        self.step_replicas(model, configurations, caches, &mut FromRng(rng))
    }

    pub(super) fn step_replicas<M: CachedModel + PairwiseModel, D: Draws>(
        &mut self,
        model: &M,
        configurations: &mut [Vec<i8>],
        caches: &mut [M::Cache],
        draws: &mut D,
    ) -> SweepStats {
        let count = configurations.len();
        assert_eq!(caches.len(), count, "{} caches for {count} replicas", caches.len());
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..count);
        let mut stats = SweepStats::default();
        for k in (0..count.saturating_sub(1)).step_by(2) {
            // The first two of a random order, then the next two.
            for place in [k, k + 1] {
                order.swap(place, place + draws.below((count - place) as u32) as usize);
            }
            let (low, high) = (order[k].min(order[k + 1]), order[k].max(order[k + 1]));
            let (s, t) = two(configurations, low, high);
            let (of_s, of_t) = two(caches, low, high);
            let done = self.step(model, (s, of_s), (t, of_t), draws);
            let found = u64::from(done.size > 0);
            stats += SweepStats { attempted: 1, accepted: found, flipped: 2 * done.size as u64, clusters: found };
        }
        self.order = order;
        stats
    }

    pub(super) fn step<M: CachedModel + PairwiseModel, D: Draws>(
        &mut self,
        model: &M,
        (s, of_s): (&mut [i8], &mut M::Cache),
        (t, of_t): (&mut [i8], &mut M::Cache),
        draws: &mut D,
    ) -> HoudayerMove {
        let n = model.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        assert_eq!(t.len(), n, "{} spins for a model of {n}", t.len());
        self.choose_candidates(model, s, t);
        if self.candidates.is_empty() {
            return HoudayerMove::default();
        }
        let seed = self.candidates[draws.below(self.candidates.len() as u32) as usize];
        for &i in &self.candidates {
            self.member[i as usize] = true;
        }
        self.cluster.clear();
        self.cluster.push(seed);
        self.member[seed as usize] = false;
        let mut next = 0;
        while next < self.cluster.len() {
            let i = self.cluster[next] as usize;
            next += 1;
            for (j, coupling) in model.neighbors(i) {
                // A site leaves the candidates when it joins.
                if coupling != 0.0 && std::mem::take(&mut self.member[j]) {
                    self.cluster.push(j as u32);
                }
            }
        }
        for &i in &self.candidates {
            self.member[i as usize] = false;
        }
        let mut energy_change = 0.0;
        for &i in &self.cluster {
            energy_change += model.delta_cached(of_s, s, i as usize);
            model.flip(of_s, s, i as usize);
            model.flip(of_t, t, i as usize);
        }
        HoudayerMove { size: self.cluster.len(), energy_change }
    }

    fn choose_candidates<M: PairwiseModel>(&mut self, model: &M, s: &[i8], t: &[i8]) {
        let n = s.len();
        self.member.resize(n, false);
        let differing = s.iter().zip(t).filter(|(a, b)| a != b).count();
        let take_equal = self.minority && n - differing < differing && (0..n).all(|i| model.field(i) == 0.0);
        self.candidates.clear();
        self.candidates.extend((0..n).filter(|&i| (s[i] == t[i]) == take_equal).map(|i| i as u32));
    }
}

/// Two different elements, `low < high`.
fn two<T>(items: &mut [T], low: usize, high: usize) -> (&mut T, &mut T) {
    let (left, right) = items.split_at_mut(high);
    (&mut left[low], &mut right[0])
}

#[cfg(test)]
mod tests {
    use super::super::transition::{AllPaths, assert_reversible, boltzmann, frustrated_models};
    use super::*;
    use crate::model::EnergyModel;
    use crate::models::Ising;
    use crate::spins::Spins;

    /// The transition matrix of `count` replicas, state `Σ_r state_r 2^(rN)`.
    fn joint_matrix(
        model: &Ising,
        count: usize,
        mut step: impl FnMut(&mut [Vec<i8>], &mut [Vec<f64>], &mut AllPaths),
    ) -> Vec<Vec<f64>> {
        let n = model.n_spins();
        let spins = |state: usize| -> Vec<Vec<i8>> {
            (0..count).map(|r| Spins::from_state((state >> (r * n)) as u64, n).into_vec()).collect()
        };
        let state_of = |s: &[Vec<i8>]| -> usize {
            s.iter().flatten().enumerate().map(|(k, &spin)| usize::from(spin < 0) << k).sum()
        };
        (0..1usize << (n * count))
            .map(|state| {
                let mut row = vec![0.0; 1 << (n * count)];
                AllPaths::visit(
                    |draws| {
                        let mut s = spins(state);
                        let mut caches: Vec<Vec<f64>> = s.iter().map(|s| model.cache(s)).collect();
                        let total: f64 = s.iter().map(|s| model.energy(s)).sum();
                        step(&mut s, &mut caches, draws);
                        approx::assert_abs_diff_eq!(
                            s.iter().map(|s| model.energy(s)).sum::<f64>(),
                            total,
                            epsilon = 1e-12
                        );
                        for (s, cache) in s.iter().zip(&caches) {
                            for (kept, fresh) in cache.iter().zip(model.cache(s)) {
                                approx::assert_abs_diff_eq!(*kept, fresh, epsilon = 1e-13);
                            }
                        }
                        state_of(&s)
                    },
                    |outcome, weight| row[outcome] += weight,
                );
                row
            })
            .collect()
    }

    fn joint_boltzmann(model: &Ising, beta: f64, count: usize) -> Vec<f64> {
        let one = boltzmann(model, beta);
        (0..count).fold(vec![1.0], |joint, _| one.iter().flat_map(|p| joint.iter().map(move |q| p * q)).collect())
    }

    #[test]
    fn pairs_keep_the_product_law() {
        for (model, beta) in frustrated_models() {
            for mut kernel in [Houdayer::new(), Houdayer::isoenergetic()] {
                let matrix = joint_matrix(&model, 2, |s, caches, draws| {
                    let (a, b) = s.split_at_mut(1);
                    let (of_a, of_b) = caches.split_at_mut(1);
                    kernel.step(&model, (&mut a[0], &mut of_a[0]), (&mut b[0], &mut of_b[0]), draws);
                });
                assert_reversible(&joint_boltzmann(&model, beta, 2), &matrix);
            }
        }
    }

    #[test]
    fn three_and_four_replicas_keep_the_product_law() {
        let pair = Ising::builder(2).coupling(0, 1, -0.8).field(0, 0.4).build().unwrap();
        let (triangle, beta) = frustrated_models().swap_remove(0);
        for (model, beta, count) in [(&pair, 1.1, 3), (&pair, 1.1, 4), (&triangle, beta, 3), (&pair, 1.1, 1)] {
            for mut kernel in [Houdayer::new(), Houdayer::isoenergetic()] {
                let matrix = joint_matrix(model, count, |s, caches, draws| {
                    kernel.step_replicas(model, s, caches, draws);
                });
                assert_reversible(&joint_boltzmann(model, beta, count), &matrix);
                // Every replica takes part: something moves in each.
                let n = model.n_spins();
                for r in 0..if count > 1 { count } else { 0 } {
                    let touched = |a: usize, b: usize| (a ^ b) >> (r * n) & ((1 << n) - 1) != 0;
                    assert!((0..matrix.len()).any(|a| (0..matrix.len()).any(|b| matrix[a][b] > 0.0 && touched(a, b))));
                }
            }
        }
    }

    /// The isoenergetic move acts where the sites of q = -1 are the majority, on the others.
    #[test]
    fn minority_is_chosen_without_fields_only() {
        let free = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0)]).build().unwrap();
        let held = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0)]).field(2, 0.1).build().unwrap();
        for (model, expected) in [(&free, [0]), (&held, [1])] {
            let (mut s, mut t) = ([1i8, 1, 1], [1i8, -1, -1]);
            let (mut of_s, mut of_t) = (model.cache(&s), model.cache(&t));
            let mut rng = linalg_core::rng::Streams::new(5).stream(0);
            Houdayer::isoenergetic().pair(model, (&mut s, &mut of_s), (&mut t, &mut of_t), &mut rng);
            let first = s.iter().position(|&spin| spin < 0).unwrap();
            assert_eq!([first], expected);
        }
    }
}
