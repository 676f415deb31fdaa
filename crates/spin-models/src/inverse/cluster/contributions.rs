//! What each cluster adds to the cross-entropy.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use linalg_core::threads;

use super::super::dual::Dual;
use super::super::{Moments, exact};
use super::reference::{Averages, Reference, ReferenceModel};
use crate::{Error, Result};

/// Name in errors.
const NAME: &str = "adaptive cluster expansion";
/// Largest derivative that counts as 0 in the fit of a cluster; the error of the entropy is its square.
const TOLERANCE: f64 = 1e-11;
/// Parameters beyond this are no good start.
const LARGEST_START: f64 = 10.0;

/// Spins in ascending order.
pub(super) type Spins = Box<[u32]>;

/// `ΔS`, `Δh` of the spins and `ΔJ` of their pairs, (0, 1), (0, 2) .. (1, 2) ..
#[derive(Debug, Clone)]
struct Contribution {
    entropy: f64,
    parameters: Vec<f64>,
}

/// The sum over kept clusters.
pub(super) struct ClusterSum {
    pub cross_entropy: f64,
    pub couplings: Vec<f64>,
    pub fields: Vec<f64>,
    /// Kept clusters with their contributions, smaller ones first.
    pub kept: Vec<(Spins, f64)>,
}

/// Bounds of the work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub size: usize,
    pub clusters: usize,
    pub threads: usize,
}

/// Contributions of clusters, remembered: a lower threshold starts from those of the higher one.
pub(super) struct Contributions<'a> {
    moments: &'a Moments,
    connected: Vec<f64>,
    prior: f64,
    reference: Reference,
    whole: ReferenceModel,
    bounds: Bounds,
    /// With a cluster all its subsets are there.
    known: HashMap<Spins, Contribution>,
}

/// Place of a pair among the parameters of k spins, fields first.
fn pair(k: usize, a: usize, b: usize) -> usize {
    k + a * (2 * k - a - 1) / 2 + b - a - 1
}

impl<'a> Contributions<'a> {
    /// # Errors
    /// [`Error::Numerics`] for a covariance without inverse where the reference needs one.
    pub fn new(moments: &'a Moments, prior: f64, reference: Reference, bounds: Bounds) -> Result<Self> {
        if reference == Reference::MeanField && prior <= 0.0 {
            moments.inverse_covariance()?;
        }
        let connected = moments.connected();
        let averages = Averages { magnetizations: moments.magnetizations(), connected: &connected, prior };
        let whole = reference.of(&averages)?;
        Ok(Self { moments, connected, prior, reference, whole, bounds, known: HashMap::new() })
    }

    /// The largest `|ΔS|` of a pair.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    pub fn largest_of_pairs(&mut self) -> Result<f64> {
        let pairs = self.pairs();
        self.evaluate(&pairs)?;
        Ok(pairs.iter().fold(0.0, |largest, pair| self.known[pair].entropy.abs().max(largest)))
    }

    /// The sum over all single spins and over all clusters with `|ΔS| >= threshold` that the construction reaches.
    ///
    /// # Errors
    /// [`Error::ClusterTooLarge`], [`Error::TooLarge`] for too many clusters; [`Error::Divergent`].
    pub fn sum(&mut self, threshold: f64) -> Result<ClusterSum> {
        let n = self.moments.n_spins();
        let mut kept: Vec<Spins> = (0..n as u32).map(|i| Spins::from([i])).collect();
        self.evaluate(&kept)?;
        let mut layer = self.pairs();
        while !layer.is_empty() {
            let size = layer[0].len();
            if size > self.bounds.size {
                let spins = layer[0].iter().map(|&i| i as usize).collect();
                return Err(Error::ClusterTooLarge { spins, bound: self.bounds.size, threshold });
            }
            self.evaluate(&layer)?;
            layer.retain(|cluster| self.known[cluster].entropy.abs() >= threshold);
            kept.extend_from_slice(&layer);
            layer = unions(&layer);
        }
        let ReferenceModel { entropy: mut cross_entropy, ref couplings, ref fields } = self.whole;
        let (mut couplings, mut fields) = (couplings.clone(), fields.clone());
        for cluster in &kept {
            let contribution = &self.known[cluster];
            let k = cluster.len();
            cross_entropy += contribution.entropy;
            for (a, &i) in cluster.iter().enumerate() {
                let i = i as usize;
                fields[i] += contribution.parameters[a];
                for (b, &j) in cluster.iter().enumerate().skip(a + 1) {
                    couplings[i * n + j as usize] += contribution.parameters[pair(k, a, b)];
                }
            }
        }
        for i in 0..n {
            for j in 0..i {
                couplings[i * n + j] = couplings[j * n + i];
            }
        }
        let kept = kept.into_iter().map(|cluster| {
            let entropy = self.known[&cluster].entropy;
            (cluster, entropy)
        });
        Ok(ClusterSum { cross_entropy, couplings, fields, kept: kept.collect() })
    }

    fn pairs(&self) -> Vec<Spins> {
        let n = self.moments.n_spins() as u32;
        (0..n).flat_map(|i| (i + 1..n).map(move |j| Spins::from([i, j]))).collect()
    }

    /// Finds the contributions of clusters and of all their subsets, smaller ones first.
    fn evaluate(&mut self, clusters: &[Spins]) -> Result<()> {
        let mut missing: BTreeMap<usize, BTreeSet<Spins>> = BTreeMap::new();
        let mut count = self.known.len();
        let mut open: Vec<Spins> = clusters.to_vec();
        while let Some(cluster) = open.pop() {
            if self.known.contains_key(&cluster) {
                continue;
            }
            if cluster.len() > 1 {
                open.extend((0..cluster.len()).map(|without| subset(&cluster, without)));
            }
            if missing.entry(cluster.len()).or_default().insert(cluster) {
                count += 1;
            }
            if count > self.bounds.clusters {
                let (what, bound) = ("number of clusters", self.bounds.clusters);
                return Err(Error::TooLarge { solver: NAME, what, value: count, bound });
            }
        }
        for clusters in missing.into_values() {
            let mut items: Vec<(Spins, Option<Result<Contribution>>)> =
                clusters.into_iter().map(|cluster| (cluster, None)).collect();
            let this = &*self;
            threads::for_each(threads::count(self.bounds.threads), &mut items, |(cluster, found)| {
                *found = Some(this.contribution(cluster));
            });
            for (cluster, found) in items {
                if let Some(found) = found {
                    self.known.insert(cluster, found?);
                }
            }
        }
        Ok(())
    }

    /// `ΔS_Γ = S_Γ - S_0,Γ - Σ ΔS_Γ'` over the proper subsets Γ', which are known.
    fn contribution(&self, cluster: &[u32]) -> Result<Contribution> {
        let (n, k) = (self.moments.n_spins(), cluster.len());
        let m: Vec<f64> = cluster.iter().map(|&i| self.moments.magnetizations()[i as usize]).collect();
        let global = |a: usize, b: usize| cluster[a] as usize * n + cluster[b] as usize;
        let connected: Vec<f64> = (0..k * k).map(|at| self.connected[global(at / k, at % k)]).collect();
        let averages = Averages { magnetizations: &m, connected: &connected, prior: self.prior };
        let reference = self.reference.of(&averages)?;
        let pairs: Vec<(usize, usize)> = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b))).collect();
        let mut below = Contribution { entropy: reference.entropy, parameters: reference.fields };
        below.parameters.extend(pairs.iter().map(|&(a, b)| reference.couplings[a * k + b]));
        self.add_subsets(cluster, &mut below);

        let masks: Vec<u32> =
            (0..k).map(|a| 1 << a).chain(pairs.iter().map(|&(a, b)| (1u32 << a) | (1 << b))).collect();
        let products = pairs.iter().map(|&(a, b)| self.moments.correlations()[global(a, b)]);
        let averages: Vec<f64> = m.iter().copied().chain(products).collect();
        let weight = |&(a, b): &(usize, usize)| self.prior * (1.0 - m[a] * m[a]) * (1.0 - m[b] * m[b]);
        let prior: Vec<f64> = m.iter().map(|_| 0.0).chain(pairs.iter().map(weight)).collect();
        let start: Vec<f64> = if k == 1 {
            vec![m[0].atanh()]
        } else if below.parameters.iter().all(|x| x.abs() < LARGEST_START) {
            below.parameters.clone()
        } else {
            vec![0.0; averages.len()]
        };
        let dual = Dual {
            n_spins: k,
            masks: &masks,
            averages: &averages,
            prior: &prior,
            tolerance: TOLERANCE,
            max_iterations: 200,
        };
        let found = dual.minimize(start)?;
        if let Some(face) = found.face {
            let spins = |a: usize| (0..k).filter(|b| (masks[a] >> b) & 1 == 1).map(|b| cluster[b] as usize).collect();
            return Err(face.error(NAME, spins));
        }
        let parameters = found.parameters.iter().zip(&below.parameters).map(|(x, y)| x - y).collect();
        Ok(Contribution { entropy: found.value - below.entropy, parameters })
    }

    /// Adds the contributions of all proper subsets, each parameter at its place in the cluster.
    fn add_subsets(&self, cluster: &[u32], sum: &mut Contribution) {
        let k = cluster.len();
        let (mut key, mut places) = (Vec::with_capacity(k), Vec::with_capacity(k));
        for mask in 1..(1u32 << k) - 1 {
            key.clear();
            places.clear();
            places.extend((0..k).filter(|a| (mask >> a) & 1 == 1));
            key.extend(places.iter().map(|&a| cluster[a]));
            let part = &self.known[&key[..]];
            sum.entropy += part.entropy;
            let mut values = part.parameters.iter();
            for (&a, x) in places.iter().zip(&mut values) {
                sum.parameters[a] += x;
            }
            for (first, &a) in places.iter().enumerate() {
                for (&b, x) in places[first + 1..].iter().zip(&mut values) {
                    sum.parameters[pair(k, a, b)] += x;
                }
            }
        }
    }
}

fn subset(cluster: &[u32], without: usize) -> Spins {
    cluster.iter().enumerate().filter(|spin| spin.0 != without).map(|spin| *spin.1).collect()
}

/// Unions of two clusters of k spins that share k - 1.
fn unions(layer: &[Spins]) -> Vec<Spins> {
    let mut completions: BTreeMap<Spins, Vec<u32>> = BTreeMap::new();
    for cluster in layer {
        for (without, &spin) in cluster.iter().enumerate() {
            completions.entry(subset(cluster, without)).or_default().push(spin);
        }
    }
    let mut found = BTreeSet::new();
    for (shared, spins) in &completions {
        for (k, &i) in spins.iter().enumerate() {
            for &j in &spins[k + 1..] {
                let mut union: Vec<u32> = shared.iter().copied().chain([i, j]).collect();
                union.sort_unstable();
                found.insert(Spins::from(union));
            }
        }
    }
    found.into_iter().collect()
}

/// The largest cluster there can be a table for.
pub(super) const LARGEST: usize = exact::LARGEST;

#[cfg(test)]
mod tests {
    use super::super::super::tests::exact_samples;
    use super::*;
    use crate::models::Ising;

    fn moments(model: &Ising) -> Moments {
        Moments::of_samples(&exact_samples(model))
    }

    fn expand(moments: &Moments, reference: Reference) -> Contributions<'_> {
        Contributions::new(moments, 0.0, reference, Bounds { size: 12, clusters: 100_000, threads: 2 }).unwrap()
    }

    /// Mutual information of a pair, from its four probabilities.
    fn information(moments: &Moments, i: usize, j: usize) -> f64 {
        let (a, b, c) = (moments.magnetizations()[i], moments.magnetizations()[j], moments.correlation(i, j));
        let mut sum = 0.0;
        for (s, t) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
            let p: f64 = 0.25 * (1.0 + s * a + t * b + s * t * c);
            sum += p * (p / (0.25 * (1.0 + s * a) * (1.0 + t * b))).ln();
        }
        sum
    }

    /// On a chain a cluster of k spins contributes (-1)^(k+1) times the mutual information of its ends, whatever lies between:
    /// the entropy of spins of a chain is that of pairs that follow each other.
    #[test]
    fn contributions_on_a_chain_are_those_of_the_ends() {
        let couplings = [0.6, -0.8, 0.5, 0.9, -0.4, 0.7].iter().enumerate().map(|(i, &x)| (i, i + 1, x));
        let chain =
            Ising::builder(7).couplings(couplings).fields([0.2, -0.1, 0.3, 0.0, 0.4, -0.2, 0.1]).build().unwrap();
        let moments = moments(&chain);
        let mut contributions = expand(&moments, Reference::None);
        contributions.sum(0.0).unwrap();
        assert_eq!(contributions.known.len(), 127);
        for (cluster, found) in &contributions.known {
            let k = cluster.len();
            if k == 1 {
                continue;
            }
            let sign = if k % 2 == 0 { -1.0 } else { 1.0 };
            let expected = sign * information(&moments, cluster[0] as usize, cluster[k - 1] as usize);
            approx::assert_abs_diff_eq!(found.entropy, expected, epsilon = 1e-9);
        }
    }

    /// So that a sum that is cut keeps nothing but neighbours: any threshold below their information gives the chain.
    #[test]
    fn a_chain_is_exact_at_any_threshold() {
        let couplings = (0..11).map(|i| (i, i + 1, if i % 3 == 0 { -0.7 } else { 0.6 }));
        let chain = Ising::builder(12).couplings(couplings).fields([0.1; 12]).build().unwrap();
        let moments = moments(&chain);
        let mut contributions = expand(&moments, Reference::None);
        let entropy: f64 = -exact::probabilities_of(&chain).unwrap().iter().map(|p| p * p.ln()).sum::<f64>();
        let mut sizes = Vec::new();
        for threshold in [0.1, 0.01, 1e-3] {
            let sum = contributions.sum(threshold).unwrap();
            approx::assert_abs_diff_eq!(sum.cross_entropy, entropy, epsilon = 1e-8);
            for i in 0..12 {
                approx::assert_abs_diff_eq!(sum.fields[i], 0.1, epsilon = 1e-7);
                for j in i + 1..12 {
                    let truth = chain.couplings().find(|pair| (pair.0, pair.1) == (i, j)).map_or(0.0, |pair| pair.2);
                    approx::assert_abs_diff_eq!(sum.couplings[i * 12 + j], truth, epsilon = 1e-7);
                }
            }
            sizes.push(sum.kept.len());
        }
        // Twelve spins and eleven pairs, then clusters of more distant ends that cancel.
        assert!(sizes[0] == 23 && sizes[1] > 23 && sizes[2] > sizes[1], "{sizes:?}");
    }

    /// With all clusters kept the reference does not matter, and nothing is missing.
    #[test]
    fn references_give_the_same_sum() {
        let pairs = (0..6).flat_map(|i| (i + 1..6).map(move |j| (i, j)));
        let couplings = pairs.map(|(i, j)| (i, j, 0.5 * ((i * 7 + j * j) as f64).sin()));
        let model =
            Ising::builder(6).couplings(couplings).fields((0..6).map(|i| 0.3 * (i as f64).cos())).build().unwrap();
        let moments = moments(&model);
        let sums =
            [Reference::None, Reference::MeanField].map(|reference| expand(&moments, reference).sum(0.0).unwrap());
        approx::assert_abs_diff_eq!(sums[0].cross_entropy, sums[1].cross_entropy, epsilon = 1e-9);
        assert_eq!((sums[0].kept.len(), sums[1].kept.len()), (63, 63));
        for (a, b) in sums[0].couplings.iter().zip(&sums[1].couplings) {
            approx::assert_abs_diff_eq!(a, b, epsilon = 1e-8);
        }
        // Contributions of large clusters are smaller where the reference knows of loops.
        let largest =
            |sum: &ClusterSum| sum.kept.iter().filter(|c| c.0.len() == 4).fold(0.0f64, |x, c| x.max(c.1.abs()));
        assert!(largest(&sums[1]) < largest(&sums[0]), "{} {}", largest(&sums[1]), largest(&sums[0]));
    }

    #[test]
    fn unions_share_all_but_one() {
        let layer = [[0, 1], [1, 2], [3, 4], [0, 5]].map(Spins::from);
        let found: Vec<Vec<u32>> = unions(&layer).iter().map(|cluster| cluster.to_vec()).collect();
        assert_eq!(found, [vec![0, 1, 2], vec![0, 1, 5]]);
    }
}
