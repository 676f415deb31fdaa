//! Clusters with signs from correlations.

use std::collections::VecDeque;

use linalg_core::graph::UnionFind;

use crate::series::Correlations;
use crate::{Error, Result};

use super::{Cluster, ClusterSet};

/// An edge of the correlation graph.
type Edge = (usize, usize, f64);

/// Finds groups of series with strong correlations of consistent signs.
///
/// Edges join pairs with $`|\rho_{ij}| \ge \tau`$. Connected components are clusters; signs follow the edges of a breadth-first
/// tree, the strongest first. A pair of members that correlates above τ against the signs is *frustrated*. A component with one, or whose mean
/// $`|\rho|`$ over all pairs is below $`\tau`$, loses its weakest twentieth of edges and is looked at again, until neither holds.
///
/// With a previous set, pairs within one cluster need only $`\tau - \eta`$ to stay together and other pairs $`\tau + \eta`$ to
/// come together: a stream near the threshold does not flicker.
///
/// ```
/// use physics_inference::cluster::SignedClustering;
/// use physics_inference::series::{BitSeries, Correlations};
///
/// let series = BitSeries::from_rows(3, &[1, -1, 1, 1, -1, -1, -1, 1, 1, -1, 1, -1])?;
/// let report = SignedClustering::default().run(&Correlations::new(&series)?, None)?;
/// assert_eq!(report.set.clusters()[0].members, [0, 1]);
/// assert_eq!(report.set.clusters()[0].signs, [1, -1]);
/// assert_eq!(report.set.cluster_of(2), None);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SignedClustering {
    /// Threshold τ; default 0.5.
    pub threshold: f64,
    /// Half-width η of the band in which nothing changes; default 0.05.
    pub hysteresis: f64,
}

impl Default for SignedClustering {
    fn default() -> Self {
        Self { threshold: 0.5, hysteresis: 0.05 }
    }
}

/// What [`SignedClustering::run`] found.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClusterReport {
    /// The clusters.
    pub set: ClusterSet,
    /// Edges of the graph, all with $`|\rho| \ge \tau`$.
    pub edges: usize,
    /// Pairs above τ that contradicted the signs of the first tree, as `(i, j)` with j < i.
    pub frustrated: Vec<(usize, usize)>,
    /// How often a component lost edges because of frustration or weak pairs.
    pub splits: usize,
}

impl SignedClustering {
    /// Sets τ.
    pub fn threshold(mut self, tau: f64) -> Self {
        self.threshold = tau;
        self
    }

    /// Sets η.
    pub fn hysteresis(mut self, eta: f64) -> Self {
        self.hysteresis = eta;
        self
    }

    /// Finds the clusters; `previous` is the set to change as little as needed.
    ///
    /// All pairs are looked at: $`O(M^2)`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] for τ outside (0, 1] or η outside [0, τ).
    ///
    /// # Panics
    /// If `previous` is of another number of series.
    pub fn run(&self, correlations: &Correlations, previous: Option<&ClusterSet>) -> Result<ClusterReport> {
        let (tau, eta, n) = (self.threshold, self.hysteresis, correlations.n_series());
        if !(tau > 0.0 && tau <= 1.0) {
            return Err(Error::Parameter { what: "threshold", value: tau, expected: "above 0 and at most 1" });
        }
        if !(0.0..tau).contains(&eta) {
            return Err(Error::Parameter { what: "hysteresis", value: eta, expected: "from 0 to below the threshold" });
        }
        if let Some(set) = previous {
            assert_eq!(set.n_series(), n, "previous clusters of {} series for {n}", set.n_series());
        }
        let least = if previous.is_some() { tau - eta } else { tau };
        let needed = |i: usize, j: usize| match previous {
            None => tau,
            Some(set) if set.cluster_of(i).is_some() && set.cluster_of(i) == set.cluster_of(j) => tau - eta,
            Some(_) => (tau + eta).min(1.0),
        };
        let mut edges: Vec<Edge> =
            correlations.strong_pairs(least).filter(|&(i, j, rho)| rho.abs() >= needed(i, j)).collect();
        let n_edges = edges.len();
        edges.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then((a.0, a.1).cmp(&(b.0, b.1))));
        let mut signs = vec![0i8; n];
        let (mut clusters, mut frustrated, mut splits) = (Vec::new(), Vec::new(), 0);
        let mut work = vec![(edges, true)];
        while let Some((edges, first)) = work.pop() {
            for edges in components(n, edges) {
                let members = assign_signs(&edges, &mut signs);
                let bound = if previous.is_some() { tau - eta } else { tau };
                let (mut sum, mut contradictions) = (0.0, Vec::new());
                for (a, &i) in members.iter().enumerate() {
                    for &j in &members[..a] {
                        let rho = correlations.rho(i, j);
                        sum += rho.abs();
                        if rho.abs() >= bound && f64::from(signs[i] * signs[j]) * rho < 0.0 {
                            contradictions.push((i, j));
                        }
                    }
                }
                let mean_abs_rho = sum / (members.len() * (members.len() - 1) / 2) as f64;
                if contradictions.is_empty() && mean_abs_rho >= bound {
                    let flip = signs[members[0]];
                    let signs = members.iter().map(|&i| signs[i] * flip).collect();
                    clusters.push(Cluster { members, signs, mean_abs_rho });
                } else {
                    if first {
                        frustrated.extend(contradictions);
                    }
                    splits += 1;
                    let mut kept = edges;
                    kept.truncate(kept.len() - kept.len().div_ceil(20));
                    work.push((kept, false));
                }
            }
        }
        clusters.sort_by_key(|cluster| cluster.members[0]);
        frustrated.sort_unstable();
        Ok(ClusterReport { set: ClusterSet::new(n, clusters), edges: n_edges, frustrated, splits })
    }
}

/// Edges by connected component, the order kept.
fn components(n: usize, edges: Vec<Edge>) -> Vec<Vec<Edge>> {
    let mut sets = UnionFind::new(n);
    edges.iter().for_each(|&(i, j, _)| _ = sets.union(i, j));
    let mut number = vec![usize::MAX; n];
    let mut parts: Vec<Vec<Edge>> = Vec::new();
    for edge in edges {
        let root = sets.find(edge.0);
        if number[root] == usize::MAX {
            number[root] = parts.len();
            parts.push(Vec::new());
        }
        parts[number[root]].push(edge);
    }
    parts
}

/// Signs along a breadth-first tree of one component; returns its members, ascending.
fn assign_signs(edges: &[Edge], signs: &mut [i8]) -> Vec<usize> {
    let mut members: Vec<usize> = edges.iter().flat_map(|&(i, j, _)| [i, j]).collect();
    members.sort_unstable();
    members.dedup();
    let place = |i: usize| members.binary_search(&i).unwrap_or_else(|_| unreachable!("every end is a member"));
    let mut neighbours: Vec<Vec<(usize, f64)>> = vec![Vec::new(); members.len()];
    for &(i, j, rho) in edges {
        neighbours[place(i)].push((j, rho));
        neighbours[place(j)].push((i, rho));
    }
    members.iter().for_each(|&i| signs[i] = 0);
    let mut queue = VecDeque::from([members[0]]);
    signs[members[0]] = 1;
    while let Some(i) = queue.pop_front() {
        for &(j, rho) in &neighbours[place(i)] {
            if signs[j] == 0 {
                signs[j] = if rho < 0.0 { -signs[i] } else { signs[i] };
                queue.push_back(j);
            }
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::generate::planted_clusters;
    use crate::series::BitSeries;
    use linalg_core::Streams;
    use rand::RngExt;

    #[test]
    fn planted_clusters_and_signs_are_found() {
        for seed in 0..5 {
            let mut rng = Streams::new(seed).stream(0);
            let stream = planted_clusters(4, 6, 0.05, 2000, &mut rng).unwrap();
            let pairs = Correlations::new(&stream.series).unwrap();
            let report = SignedClustering::default().run(&pairs, None).unwrap();
            assert_eq!(report.set, {
                // Equal up to the mean correlations.
                let strength = |c: usize| report.set.clusters()[c].mean_abs_rho;
                let planted = stream.clusters.clusters().iter().enumerate();
                let clusters = planted.map(|(c, x)| Cluster { mean_abs_rho: strength(c), ..x.clone() }).collect();
                ClusterSet::new(24, clusters)
            });
            assert!(report.frustrated.is_empty() && report.splits == 0);
            // Var x = K (1 + (K-1) ρ) for variances of nearly 1; five standard errors of a variance from 2000 steps in which the
            // hidden spins are correlated for about two steps.
            for m in report.set.masses(&pairs) {
                assert!((m - 30.3).abs() < 5.0 * 30.3 * (2.0f64 / 700.0).sqrt(), "mass {m}");
            }
        }
    }

    /// Three series, each pair anticorrelated, and a copy of the first.
    fn frustrated(steps: usize) -> BitSeries {
        let mut rng = Streams::new(9).stream(0);
        let mut series = BitSeries::new(4).unwrap();
        for _ in 0..steps {
            let odd = rng.random_range(0..3u64) as usize;
            let all: i8 = if rng.random::<bool>() { 1 } else { -1 };
            let mut step = [all; 4];
            step[odd] = -all;
            step[3] = step[0];
            series.push(&step);
        }
        series
    }

    #[test]
    fn frustration_is_reported_and_split() {
        let pairs = Correlations::new(&frustrated(3000)).unwrap();
        let report = SignedClustering::default().threshold(0.25).hysteresis(0.0).run(&pairs, None).unwrap();
        assert!(!report.frustrated.is_empty() && report.splits > 0);
        // The copy stays with the original, whatever becomes of the rest.
        assert_eq!(report.set.cluster_of(3), report.set.cluster_of(0));
        assert!(report.set.cluster_of(0).is_some());
        // No two of the three fit together with the third.
        assert!(
            report
                .set
                .clusters()
                .iter()
                .all(|c| !(c.members.contains(&1) && c.members.contains(&2)) || c.members.len() == 2)
        );
    }

    #[test]
    fn hysteresis_keeps_what_is_in_the_band() {
        // An error of 0.005 a correlation; what follows allows 0.02.
        let pairs = Correlations::new(&frustrated(30_000)).unwrap();
        let rho = pairs.rho(1, 2).abs();
        let params = SignedClustering::default().threshold(rho + 0.02).hysteresis(0.05);
        let together = ClusterSet::new(4, vec![Cluster { members: vec![1, 2], signs: vec![1, -1], mean_abs_rho: 1.0 }]);
        let stays = params.run(&pairs, Some(&together)).unwrap().set;
        assert_eq!((stays.cluster_of(1), stays.cluster_of(1).is_some()), (stays.cluster_of(2), true));
        assert_eq!(params.run(&pairs, None).unwrap().set.cluster_of(1), None);
        let apart = params.threshold(rho - 0.02).run(&pairs, Some(&ClusterSet::singles(4))).unwrap().set;
        assert_eq!(apart.cluster_of(1), None);
    }

    #[test]
    fn parameters_outside_their_range() {
        let pairs = Correlations::new(&frustrated(100)).unwrap();
        for (tau, eta) in [(0.0, 0.0), (1.5, 0.0), (f64::NAN, 0.0), (0.5, 0.5), (0.5, -0.1), (0.5, f64::NAN)] {
            assert!(SignedClustering::default().threshold(tau).hysteresis(eta).run(&pairs, None).is_err());
        }
    }
}
