//! A partition of series into signed clusters and single ones.

use crate::series::Correlations;

use super::mass;

/// Series that move together up to a sign.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cluster {
    /// Members, ascending; at least two.
    pub members: Vec<usize>,
    /// Sign of each member; that of the first is 1.
    pub signs: Vec<i8>,
    /// Mean of $`|\rho|`$ over the pairs of members.
    pub mean_abs_rho: f64,
}

/// Clusters and what is left.
///
/// ```
/// use physics_inference::cluster::ClusterSet;
///
/// let alone = ClusterSet::singles(3);
/// assert_eq!((alone.n_series(), alone.clusters().len(), alone.cluster_of(1)), (3, 0, None));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClusterSet {
    clusters: Vec<Cluster>,
    /// Cluster and sign of each series.
    place: Vec<Option<(usize, i8)>>,
}

impl ClusterSet {
    /// No clusters among `n` series.
    pub fn singles(n: usize) -> Self {
        Self { clusters: Vec::new(), place: vec![None; n] }
    }

    /// The clusters given; who is in none is single.
    ///
    /// # Panics
    /// If a member is not below `n`, is in two clusters, or has no sign of ±1.
    pub fn new(n: usize, clusters: Vec<Cluster>) -> Self {
        let mut place = vec![None; n];
        for (c, cluster) in clusters.iter().enumerate() {
            let (members, signs) = (&cluster.members, &cluster.signs);
            assert_eq!(members.len(), signs.len(), "{} members with {} signs", members.len(), signs.len());
            for (&i, &sign) in members.iter().zip(signs) {
                assert!(i < n && sign.abs() == 1, "member {i} of {n} series with sign {sign}");
                assert!(place[i].is_none(), "series {i} is in two clusters");
                place[i] = Some((c, sign));
            }
        }
        Self { clusters, place }
    }

    /// Number of series.
    pub fn n_series(&self) -> usize {
        self.place.len()
    }

    /// The clusters, ordered by their first member.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// Cluster of series `i`.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn cluster_of(&self, i: usize) -> Option<usize> {
        self.place[i].map(|(c, _)| c)
    }

    /// Sign of series `i`, 1 outside clusters.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn sign(&self, i: usize) -> i8 {
        self.place[i].map_or(1, |(_, sign)| sign)
    }

    /// Number of series outside clusters.
    pub fn n_singles(&self) -> usize {
        self.place.iter().filter(|place| place.is_none()).count()
    }

    /// Variance of each cluster's variable, the masses.
    ///
    /// # Panics
    /// If the correlations are of another number of series.
    pub fn masses(&self, correlations: &Correlations) -> Vec<f64> {
        let (n, found) = (self.n_series(), correlations.n_series());
        assert_eq!(n, found, "{n} series with correlations of {found}");
        let of = |c: &Cluster| mass(&c.signs, |k, l| correlations.covariance(c.members[k], c.members[l]));
        self.clusters.iter().map(of).collect()
    }

    /// Writes the variable $`\sum_k q_k b_k`$ of each cluster, without its mean.
    ///
    /// # Panics
    /// If the lengths are not the numbers of series and of clusters.
    pub fn variables(&self, step: &[i8], out: &mut [f64]) {
        assert_eq!(step.len(), self.n_series(), "step of {} for {} series", step.len(), self.n_series());
        assert_eq!(out.len(), self.clusters.len(), "{} places for {} clusters", out.len(), self.clusters.len());
        for (x, cluster) in out.iter_mut().zip(&self.clusters) {
            let terms = cluster.members.iter().zip(&cluster.signs).map(|(&i, &q)| f64::from(q * step[i]));
            *x = terms.sum();
        }
    }
}
