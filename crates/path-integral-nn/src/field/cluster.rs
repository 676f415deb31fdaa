//! Local updates of the magnitudes and cluster updates of the signs.

use linalg_core::rand::{Rng, RngExt};

use super::lattice::neighbour;
use super::{FieldRule, ScalarField, hmc};
use crate::error::{Error, Result};

/// Moments of $`M = \tfrac1V\sum_x\phi_x`$ averaged over the signs of the clusters of one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClusterMoments {
    /// Of $`M^2`$: $`\sum_C m_C^2`$, with $`m_C`$ the share of a cluster.
    pub second: f64,
    /// Of $`M^4`$: $`3(\sum_C m_C^2)^2 - 2\sum_C m_C^4`$.
    pub fourth: f64,
}

/// Metropolis sweeps and Swendsen-Wang clusters for $`\phi^4`$ theory: the sampler for the critical point.
///
/// At given magnitudes the signs are an Ising model with couplings $`K|\phi_x||\phi_y|`$, $`K = a_t a_s^d/a_\mu^2`$; bonds between neighbours of one
/// sign are set with probability $`1 - e^{-2K\phi_x\phi_y}`$ and every cluster takes a new sign (Brower and Tamayo, Phys. Rev. Lett. 62,
/// 1087 (1989)). One sweep of single sites changes the magnitudes. The autocorrelation time of $`M^2`$ hardly grows with the
/// lattice, where [`FieldHmc`](super::FieldHmc) slows down. A step costs some 30 ns a site.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::field::{FieldCluster, ScalarField};
///
/// // A free field of 8 x 8: ⟨M²⟩ = 1/(V m²), the propagator at momentum zero.
/// let free = ScalarField::new(&[8, 8], 1.0, 1.0, 0.25, 0.0)?;
/// let mut cluster = FieldCluster::new(&free)?;
/// let mut rng = Streams::new(1).stream(0);
/// let mut sum = 0.0;
/// for _ in 0..6000 {
///     sum += cluster.step(&mut rng).second;
/// }
/// assert!((sum / 6000.0 - 1.0 / (64.0 * 0.25)).abs() < 0.005);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FieldCluster {
    field: ScalarField,
    /// Stride, length and coupling of the axes with more than one site.
    axes: Vec<(usize, usize, f64)>,
    width: f64,
    phi: Vec<f64>,
    parent: Vec<u32>,
    sums: Vec<f64>,
    proposed: u64,
    accepted: u64,
}

/// Width of a proposal in widths of a site between fixed neighbours: about half are accepted.
const WIDTH: f64 = 2.2;

impl FieldCluster {
    /// Starts from $`\phi = 0`$.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for the midpoint rule, whose corners couple four sites, and for $`2^{32}`$ sites and more.
    pub fn new(field: &ScalarField) -> Result<Self> {
        if field.rule() != FieldRule::Standard {
            let reason = "terms in the middle of two times couple four sites: take FieldHmc, or the standard rule";
            return Err(Error::NotApplicable { what: "a cluster update", reason });
        }
        let n = field.n_sites();
        if u32::try_from(n).is_err() {
            return Err(Error::NotApplicable {
                what: "a cluster update",
                reason: "the lattice has 2^32 sites or more",
            });
        }
        let mut axes = Vec::new();
        let mut stride = n;
        for (axis, &length) in field.shape().iter().enumerate() {
            stride /= length;
            let step = if axis == 0 { field.time_step() } else { field.spacing() };
            if length > 1 {
                axes.push((stride, length, field.cell() / (step * step)));
            }
        }
        let stiffness = axes.iter().map(|(_, _, k)| 2.0 * k).sum::<f64>() + field.cell() * hmc::self_consistent(field);
        Ok(Self {
            field: field.clone(),
            axes,
            width: WIDTH / stiffness.sqrt(),
            phi: vec![0.0; n],
            parent: vec![0; n],
            sums: vec![0.0; n],
            proposed: 0,
            accepted: 0,
        })
    }

    /// The field.
    pub fn phi(&self) -> &[f64] {
        &self.phi
    }

    /// Accepted over proposed changes of single sites; NaN without any.
    pub fn acceptance(&self) -> f64 {
        self.accepted as f64 / self.proposed as f64
    }

    /// One sweep of single sites and one update of all clusters.
    pub fn step<R: Rng + ?Sized>(&mut self, rng: &mut R) -> ClusterMoments {
        self.sweep(rng);
        self.clusters(rng)
    }

    fn sweep<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        let (cell, mass, coupling) = (self.field.cell(), self.field.mass_squared(), self.field.coupling());
        // The part of the action of a site, but for its neighbours: φ²(c + g φ²).
        let curvature = self.axes.iter().map(|(_, _, k)| k).sum::<f64>() + 0.5 * cell * mass;
        let quartic = cell * coupling;
        for site in 0..self.phi.len() {
            let pull: f64 = self
                .axes
                .iter()
                .map(|&(stride, length, k)| {
                    k * (self.phi[neighbour(site, stride, length)] + self.phi[previous(site, stride, length)])
                })
                .sum();
            let old = self.phi[site];
            let new = old + self.width * (2.0 * rng.random::<f64>() - 1.0);
            let of = |x: f64| x * x * (curvature + quartic * x * x) - pull * x;
            let change = of(new) - of(old);
            if change <= 0.0 || rng.random::<f64>() < (-change).exp() {
                self.phi[site] = new;
                self.accepted += 1;
            }
        }
        self.proposed += self.phi.len() as u64;
    }

    fn root(&mut self, site: usize) -> usize {
        let mut at = site;
        while self.parent[at] as usize != at {
            let up = self.parent[at] as usize;
            self.parent[at] = self.parent[up];
            at = self.parent[at] as usize;
        }
        at
    }

    fn clusters<R: Rng + ?Sized>(&mut self, rng: &mut R) -> ClusterMoments {
        let n = self.phi.len();
        self.parent.iter_mut().enumerate().for_each(|(k, p)| *p = k as u32);
        for axis in 0..self.axes.len() {
            let (stride, length, k) = self.axes[axis];
            for site in 0..n {
                let other = neighbour(site, stride, length);
                let product = 2.0 * k * self.phi[site] * self.phi[other];
                if product > 0.0 && rng.random::<f64>() >= (-product).exp() {
                    let (a, b) = (self.root(site), self.root(other));
                    self.parent[a.max(b)] = a.min(b) as u32;
                }
            }
        }
        // A root comes before the rest of its cluster.
        self.sums.fill(0.0);
        for site in 0..n {
            let root = self.root(site);
            if root == site && rng.random() {
                self.phi[site] = -self.phi[site];
            }
            // All of a cluster have the sign of its root.
            self.phi[site] = self.phi[site].abs().copysign(self.phi[root]);
            self.sums[root] += self.phi[site].abs();
        }
        let (mut second, mut fourth) = (0.0, 0.0);
        for sum in &self.sums {
            let square = (sum / n as f64).powi(2);
            second += square;
            fourth += square * square;
        }
        ClusterMoments { second, fourth: 3.0 * second * second - 2.0 * fourth }
    }
}

/// The site before along an axis of a length and a stride.
fn previous(site: usize, stride: usize, length: usize) -> usize {
    if (site / stride).is_multiple_of(length) { site + stride * length - stride } else { site - stride }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{FieldHmc, FieldHmcParams};
    use linalg_core::Streams;
    use linalg_core::stats::{Estimate, autocorrelation_time};

    #[track_caller]
    fn close(series: &[f64], exact: f64, largest: f64) {
        let got: Estimate = autocorrelation_time(series).unwrap().estimate();
        let error = got.std_error.unwrap();
        assert!(error < largest * exact && (got.value - exact).abs() < 4.0 * error, "{got:?}, exact {exact}");
    }

    /// ⟨φ²⟩ by site, ⟨M²⟩ and ⟨M⁴⟩ from both samplers.
    fn both(field: &ScalarField, exact: [f64; 3], steps: usize) {
        let n = field.n_sites() as f64;
        let mut rng = Streams::new(12).stream(0);
        let mut cluster = FieldCluster::new(field).unwrap();
        let (mut of_cluster, mut plain) = ([vec![], vec![], vec![]], vec![]);
        for _ in 0..steps {
            let moments = cluster.step(&mut rng);
            of_cluster[0].push(cluster.phi().iter().map(|x| x * x).sum::<f64>() / n);
            of_cluster[1].push(moments.second);
            of_cluster[2].push(moments.fourth);
            plain.push((cluster.phi().iter().sum::<f64>() / n).powi(2));
        }
        let largest = [0.02, 0.03, 0.05];
        (0..3).for_each(|k| close(&of_cluster[k][100..], exact[k], largest[k]));
        close(&plain[100..], exact[1], 0.03);
        assert!((0.3..0.7).contains(&cluster.acceptance()), "{}", cluster.acceptance());
        let mut hmc = FieldHmc::new(field, FieldHmcParams::default()).unwrap();
        let mut of_hmc = [vec![], vec![], vec![]];
        for _ in 0..steps {
            hmc.step(&mut rng);
            let mean = hmc.phi().iter().sum::<f64>() / n;
            of_hmc[0].push(hmc.phi().iter().map(|x| x * x).sum::<f64>() / n);
            of_hmc[1].push(mean.powi(2));
            of_hmc[2].push(mean.powi(4));
        }
        (0..3).for_each(|k| close(&of_hmc[k][100..], exact[k], largest[k]));
    }

    #[test]
    fn two_by_two_against_quadrature() {
        // Four integrals of the interacting weight on a grid; the trapezoid converges faster than any power.
        let field = ScalarField::new(&[2, 2], 0.8, 1.25, -0.7, 0.4).unwrap();
        let moments = |points: i32, spacing: f64| {
            let axis: Vec<f64> = (-points..=points).map(|k| spacing * f64::from(k)).collect();
            let (mut norm, mut sums) = (0.0, [0.0; 3]);
            for &a in &axis {
                for &b in &axis {
                    for &c in &axis {
                        for &d in &axis {
                            let weight = (-field.action(&[a, b, c, d])).exp();
                            let mean = 0.25 * (a + b + c + d);
                            norm += weight;
                            sums[0] += weight * 0.25 * (a * a + b * b + c * c + d * d);
                            sums[1] += weight * mean * mean;
                            sums[2] += weight * mean.powi(4);
                        }
                    }
                }
            }
            sums.map(|s| s / norm)
        };
        let (coarse, fine) = (moments(9, 0.4), moments(12, 0.3));
        assert!((0..3).all(|k| (coarse[k] / fine[k] - 1.0).abs() < 1e-3), "{coarse:?} {fine:?}");
        both(&field, fine, 30_000);
    }

    #[test]
    fn a_strip_against_its_transfer_matrix() {
        // 1 + 1 dimensions, 8 times of two sites: the transfer matrix of two coupled coordinates on a grid.
        let (mass, coupling, times) = (-1.2, 0.3, 8);
        let field = ScalarField::new(&[times, 2], 1.0, 1.0, mass, coupling).unwrap();
        let (points, spacing) = (10i32, 0.36);
        let axis: Vec<f64> = (-points..=points).map(|k| spacing * f64::from(k)).collect();
        let states: Vec<[f64; 2]> = axis.iter().flat_map(|&a| axis.iter().map(move |&b| [a, b])).collect();
        let n = states.len();
        // Both bonds of a ring of two sites.
        let inside = |[a, b]: [f64; 2]| {
            let site = |x: f64| 0.5 * mass * x * x + coupling * x.powi(4);
            site(a) + site(b) + (a - b) * (a - b)
        };
        let mut transfer = vec![0.0; n * n];
        for (i, s) in states.iter().enumerate() {
            for (j, t) in states.iter().enumerate() {
                let between = 0.5 * ((s[0] - t[0]).powi(2) + (s[1] - t[1]).powi(2));
                transfer[i * n + j] = (-between - 0.5 * (inside(*s) + inside(*t))).exp();
            }
        }
        // In the basis of eigenvectors: ⟨φ²⟩ and all moments of M need traces of products with the fields between.
        let eigen = linalg_core::eigen::symmetric_eigen(&transfer, n).unwrap();
        let kept: Vec<usize> = (0..n).rev().take(24).collect();
        let top = eigen.values[kept[0]];
        let values: Vec<f64> = kept.iter().map(|&k| eigen.values[k] / top).collect();
        let size = kept.len();
        let element = |f: &dyn Fn([f64; 2]) -> f64| -> Vec<f64> {
            let mut out = vec![0.0; size * size];
            for (a, &p) in kept.iter().enumerate() {
                let u = eigen.vector(p);
                for (b, &q) in kept.iter().enumerate() {
                    let v = eigen.vector(q);
                    out[a * size + b] = (0..n).map(|i| u[i] * f(states[i]) * v[i]).sum();
                }
            }
            out
        };
        // tr Π_t (Λ e^{h X}), as a polynomial in h: the moments of Σφ up to the fourth.
        let powers: Vec<Vec<f64>> = (0..=4).map(|p| element(&|[a, b]| (a + b).powi(p) / factorial(p))).collect();
        let mut product: Vec<Vec<f64>> =
            (0..=4).map(|p| if p == 0 { identity(size) } else { vec![0.0; size * size] }).collect();
        for _ in 0..times {
            let mut next = vec![vec![0.0; size * size]; 5];
            for (p, of_p) in product.iter().enumerate() {
                for (q, of_q) in powers.iter().enumerate().take(5 - p) {
                    for i in 0..size {
                        for k in 0..size {
                            let left = of_p[i * size + k] * values[k];
                            for j in 0..size {
                                next[p + q][i * size + j] += left * of_q[k * size + j];
                            }
                        }
                    }
                }
            }
            product = next;
        }
        let trace = |m: &[f64]| (0..size).map(|i| m[i * size + i]).sum::<f64>();
        let norm = trace(&product[0]);
        let sites = (2 * times) as f64;
        let square = element(&|[a, b]| 0.5 * (a * a + b * b));
        let phi2 = (0..size).map(|k| values[k].powi(times as i32) * square[k * size + k]).sum::<f64>() / norm;
        let second = 2.0 * trace(&product[2]) / norm / sites.powi(2);
        let fourth = 24.0 * trace(&product[4]) / norm / sites.powi(4);
        both(&field, [phi2, second, fourth], 20_000);
    }

    fn factorial(n: i32) -> f64 {
        (1..=n).map(f64::from).product()
    }

    fn identity(n: usize) -> Vec<f64> {
        (0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect()
    }

    #[test]
    fn axes_of_one_site_and_three_dimensions() {
        // A free field: the propagator at momentum zero, and the mean over momenta.
        let cube = ScalarField::new(&[4, 1, 3], 0.9, 1.1, 0.6, 0.0).unwrap();
        let mut cluster = FieldCluster::new(&cube).unwrap();
        let mut rng = Streams::new(3).stream(0);
        let (mut second, mut phi2) = (Vec::new(), Vec::new());
        for _ in 0..80_000 {
            second.push(cluster.step(&mut rng).second);
            phi2.push(cluster.phi().iter().map(|x| x * x).sum::<f64>() / 12.0);
        }
        close(&second, 1.0 / (12.0 * 0.6 * cube.cell()), 0.02);
        close(&phi2, cube.free_phi_squared().unwrap(), 0.02);
        let midpoint = cube.with_rule(FieldRule::MidpointInTime);
        assert!(matches!(FieldCluster::new(&midpoint), Err(Error::NotApplicable { .. })));
    }
}
