//! Decomposition of a uniform periodic lattice, 64 sites a word.

use std::borrow::Borrow;

use linalg_core::rand::Rng;

use super::bernoulli::Fraction;
use super::disjoint_sets::union;
use super::estimators::ClusterEstimate;
use super::torus::UniformTorus;
use crate::Result;
use crate::error::check_beta;
use crate::model::{CachedModel, EnergyModel, MarkovKernel, SweepStats};

/// The Swendsen-Wang algorithm for a [`UniformTorus`].
///
/// The lattice is read row by row. Sixty-four bonds are decided at a time, so that a bond costs a fraction of a
/// random word. The sites that are connected along a row form a run, and runs are what is labelled: in two
/// dimensions at the critical point there are N/2 of them. Runs are joined to the rows before as in the labelling of
/// Hoshen and Kopelman: a run that meets its first neighbour takes over its label without a search. One ascending
/// pass over the runs finds the roots and draws a bit for each.
///
/// Probabilities are rounded down by less than 2⁻⁶⁴. Cost: `O(N)` a sweep; memory at most 10 bytes a site for rows of 16 sites
/// or more, 17 for rows of two.
///
/// References: Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987); Hoshen and Kopelman, Phys. Rev. B 14, 3438 (1976).
///
/// ```
/// use linalg_core::rng::Streams;
/// use spin_models::MarkovKernel;
/// use spin_models::mcmc::cluster::{TorusSwendsenWang, UniformTorus};
///
/// // At β = 0 no bond is active and every site is a cluster.
/// let torus = UniformTorus::new(&[8, 6], 1.0)?;
/// let mut kernel = TorusSwendsenWang::new(&torus, 0.0)?;
/// let mut s = vec![1; 48];
/// let stats = kernel.sweep(&torus, 0.0, &mut s, &mut (), &mut Streams::new(1).stream(0));
/// assert_eq!(stats.clusters, 48);
/// assert_eq!(stats.flipped, s.iter().filter(|&&spin| spin < 0).count() as u64);
/// assert!((kernel.estimate().m2 - 1.0 / 48.0).abs() < 1e-15);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TorusSwendsenWang {
    /// Lengths of the lattice of the last sweep, that of the rows first.
    extents: Vec<usize>,
    /// Spins of every row as bits, 1 is down; rows begin on a word.
    down: Vec<u64>,
    /// Bit x: the bond between the sites x and x + 1 of the row is active.
    right: Vec<u64>,
    /// The run of every site; runs are numbered in order of their first sites.
    run: Vec<u32>,
    /// A run with a smaller number in the same cluster; its root after a sweep.
    parent: Vec<u32>,
    /// What the spins of a run are multiplied with.
    sign: Vec<i8>,
    clusters: usize,
}

impl TorusSwendsenWang {
    /// A kernel with memory for `torus`.
    ///
    /// # Errors
    /// [`Error::Beta`](crate::Error::Beta) when `beta` is not finite or negative.
    pub fn new(torus: &UniformTorus, beta: f64) -> Result<Self> {
        check_beta(beta)?;
        let mut kernel = Self {
            extents: Vec::new(),
            down: Vec::new(),
            right: Vec::new(),
            run: Vec::new(),
            parent: Vec::new(),
            sign: Vec::new(),
            clusters: 0,
        };
        kernel.lay_out(torus);
        Ok(kernel)
    }

    fn lay_out(&mut self, torus: &UniformTorus) {
        if !torus.fastest_first().eq(self.extents.iter().copied()) {
            self.extents = torus.fastest_first().collect();
            let n = torus.n_spins();
            let words = n / self.extents[0] * self.extents[0].div_ceil(64);
            for (bits, len) in [(&mut self.down, words), (&mut self.right, words)] {
                bits.clear();
                bits.resize(len, 0);
            }
            self.run.clear();
            self.run.resize(n, 0);
            self.parent.clear();
            self.clusters = 0;
        }
    }

    /// Draws the active bonds of `s` and joins the runs.
    fn decompose<R: Rng + ?Sized>(&mut self, s: &[i8], active: Fraction, rng: &mut R) {
        let length = self.extents[0];
        let words = length.div_ceil(64);
        self.parent.clear();
        for (row, bits) in s.chunks_exact(length).zip(self.down.chunks_exact_mut(words)) {
            pack(row, bits);
        }
        for row in 0..s.len() / length {
            self.cut_into_runs(row, active, rng);
            let mut stride = 1;
            for axis in 1..self.extents.len() {
                let extent = self.extents[axis];
                let x = row / stride % extent;
                if x > 0 {
                    // Only while no run of this row has a label yet can it take one over.
                    let how = if axis == 1 { Meeting::First } else { Meeting::Later };
                    self.join_rows(row - stride, row, how, active, rng);
                }
                if x + 1 == extent {
                    self.join_rows(row + stride - stride * extent, row, Meeting::Later, active, rng);
                }
                stride *= extent;
            }
            // The bond around the row.
            let last = row * words + words - 1;
            if self.right[last] >> ((length - 1) % 64) & 1 == 1 {
                union(&mut self.parent, self.run[row * length], self.run[row * length + length - 1]);
            }
        }
    }

    /// Draws the bonds along a row and numbers its runs.
    #[inline]
    fn cut_into_runs<R: Rng + ?Sized>(&mut self, row: usize, active: Fraction, rng: &mut R) {
        let length = self.extents[0];
        let words = length.div_ceil(64);
        let down = &self.down[row * words..(row + 1) * words];
        let right = &mut self.right[row * words..(row + 1) * words];
        let runs = &mut self.run[row * length..(row + 1) * length];
        let mut next = self.parent.len() as u32;
        let mut bond_before = 0;
        for (k, runs) in runs.chunks_mut(64).enumerate() {
            let top = runs.len() - 1;
            let following = (if k + 1 < words { down[k + 1] } else { down[0] }) & 1;
            // The spin to the right of each: bits above `top` are 0 in `down`.
            let neighbor = down[k] >> 1 | following << top;
            let bonds = active.choose(!(down[k] ^ neighbor) & lowest(runs.len()), rng);
            right[k] = bonds;
            let mut starts = !(bonds << 1 | bond_before);
            bond_before = bonds >> 63;
            // The first run of a row starts whatever the bond around the row is.
            starts |= u64::from(k == 0);
            for run in runs {
                next = next.wrapping_add((starts & 1) as u32);
                *run = next.wrapping_sub(1);
                starts >>= 1;
            }
        }
        self.parent.extend(self.parent.len() as u32..next);
    }

    /// Draws the bonds between two rows and joins their runs.
    #[inline]
    fn join_rows<R: Rng + ?Sized>(&mut self, a: usize, b: usize, how: Meeting, active: Fraction, rng: &mut R) {
        let length = self.extents[0];
        let words = length.div_ceil(64);
        let runs_a = &self.run[a * length..(a + 1) * length];
        let runs_b = &self.run[b * length..(b + 1) * length];
        let mut joined_before = 0;
        for (k, (runs_a, runs_b)) in runs_a.chunks(64).zip(runs_b.chunks(64)).enumerate() {
            let (word_a, word_b) = (a * words + k, b * words + k);
            let aligned = !(self.down[word_a] ^ self.down[word_b]) & lowest(runs_a.len());
            let drawn = active.choose(aligned, rng);
            // A second bond between the same two runs joins nothing.
            let right = self.right[word_b];
            let both = right & self.right[word_a];
            let mut bonds = drawn & !((spread(drawn, both) & both) << 1);
            if how == Meeting::First {
                // Runs that met a bond further left in this row, and go on to the site's left.
                let reached = spread(bonds | joined_before, right) & right;
                let later = reached << 1 | joined_before;
                joined_before = reached >> 63;
                let mut first = bonds & !later;
                bonds &= later;
                while first != 0 {
                    let x = first.trailing_zeros() as usize;
                    first &= first - 1;
                    self.parent[runs_b[x] as usize] = self.parent[runs_a[x] as usize];
                }
            }
            while bonds != 0 {
                let x = bonds.trailing_zeros() as usize;
                bonds &= bonds - 1;
                union(&mut self.parent, runs_a[x], runs_b[x]);
            }
        }
    }

    /// Finds the root of every run and draws whether its cluster turns.
    fn turn<R: Rng + ?Sized>(&mut self, s: &mut [i8], rng: &mut R) -> SweepStats {
        let runs = self.parent.len();
        self.sign.resize(runs, 1);
        let mut turned = 0u64;
        self.clusters = 0;
        for start in (0..runs).step_by(64) {
            let mut word = rng.next_u64();
            for k in start..runs.min(start + 64) {
                // Roots come before their runs, so that one step leads to the root.
                let up = self.parent[k] as usize;
                self.parent[k] = self.parent[up];
                let is_root = up == k;
                let bit = (word & 1) as i8;
                word >>= 1;
                // A select without a branch: half of the time a guess would be wrong.
                let own = -i8::from(is_root);
                self.sign[k] = (self.sign[up] & !own) | ((1 - 2 * bit) & own);
                self.clusters += usize::from(is_root);
                turned += u64::from(is_root & (bit == 1));
            }
        }
        let mut flipped = 0;
        for (spins, runs) in s.chunks_mut(1 << 16).zip(self.run.chunks(1 << 16)) {
            let mut signs = 0i32;
            for (spin, &run) in spins.iter_mut().zip(runs) {
                let sign = self.sign[run as usize];
                *spin *= sign;
                signs += i32::from(sign);
            }
            flipped += ((spins.len() as i32 - signs) / 2) as u64;
        }
        let clusters = self.clusters as u64;
        SweepStats { attempted: clusters, accepted: turned, flipped, clusters }
    }

    /// Number of clusters of the last decomposition; 0 before the first sweep.
    pub fn n_clusters(&self) -> usize {
        self.clusters
    }

    /// The cluster of a site in the last decomposition, a number that its sites share.
    ///
    /// # Panics
    /// Before the first sweep, or if `site` is out of bounds.
    pub fn label(&self, site: usize) -> u32 {
        self.parent[self.run[site] as usize]
    }

    /// Improved estimators of the magnetization from the last decomposition; `O(N)`.
    ///
    /// Before the first sweep every moment is 0.
    pub fn estimate(&self) -> ClusterEstimate {
        let mut size = vec![0i64; self.parent.len()];
        if !self.parent.is_empty() {
            for &run in &self.run {
                size[self.parent[run as usize] as usize] += 1;
            }
        }
        ClusterEstimate::from_clusters(self.run.len(), size, 0)
    }

    /// The improved estimator of $`⟨s_x s_{x + r e_a}⟩`$, averaged over the sites x: the fraction of pairs in one
    /// cluster. `O(N)`.
    ///
    /// # Panics
    /// Before the first sweep, or if there is no direction `axis`.
    pub fn correlation(&self, axis: usize, distance: usize) -> f64 {
        let (length, stride) = self.length_and_stride(axis);
        let shift = distance % length * stride;
        let mut same = 0u64;
        for block in self.run.chunks_exact(stride * length) {
            let (wrapped, rest) = block.split_at(shift);
            let moved = rest.iter().chain(wrapped);
            let equal = |&(a, b): &(&u32, &u32)| self.parent[*a as usize] == self.parent[*b as usize];
            same += block.iter().zip(moved).filter(equal).count() as u64;
        }
        same as f64 / self.run.len() as f64
    }

    fn length_and_stride(&self, axis: usize) -> (usize, usize) {
        let fastest_first = self.extents.len() - 1 - axis;
        (self.extents[fastest_first], self.extents[..fastest_first].iter().product())
    }

    /// The improved estimator of the structure factor $`N^{-1} ⟨|\sum_x e^{ikx_a} s_x|^2⟩`$ at the wave number
    /// $`k = 2π m / L_a`$ along a direction. `O(N)`.
    ///
    /// With `mode` 0 it is $`N⟨m^2⟩`$, and with $`S_0`$ and $`S_1`$ at the smallest wave number the second-moment
    /// correlation length is $`ξ = \sqrt{S_0/S_1 - 1} / (2 \sin(k/2))`$.
    ///
    /// # Panics
    /// Before the first sweep, or if there is no direction `axis`.
    pub fn structure_factor(&self, axis: usize, mode: usize) -> f64 {
        let (length, stride) = self.length_and_stride(axis);
        let step = std::f64::consts::TAU / length as f64;
        let phases: Vec<(f64, f64)> =
            (0..length).map(|x| (step * (mode % length * x % length) as f64).sin_cos()).collect();
        let mut sums = vec![[0.0f64; 2]; self.parent.len()];
        for (slab, runs) in self.run.chunks_exact(stride).enumerate() {
            let (sin, cos) = phases[slab % length];
            for &run in runs {
                let sum = &mut sums[self.parent[run as usize] as usize];
                sum[0] += cos;
                sum[1] += sin;
            }
        }
        sums.iter().map(|[re, im]| re * re + im * im).sum::<f64>() / self.run.len() as f64
    }
}

/// Whether runs of the later row may still be without a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    First,
    Later,
}

/// The word whose lowest `n` bits are set, `1 <= n <= 64`.
#[inline]
fn lowest(n: usize) -> u64 {
    !0 >> (64 - n)
}

/// Sets the bit of every site that is reached from a set bit through bonds to the right.
///
/// Bit x of `bonds` joins the sites x and x + 1. Distances double from step to step (Kogge and Stone).
#[inline]
fn spread(mut sites: u64, mut bonds: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        sites |= (sites & bonds) << distance;
        bonds &= bonds >> distance;
    }
    sites
}

/// Bit x of `bits` is 1 where spin x is down.
fn pack(spins: &[i8], bits: &mut [u64]) {
    for (chunk, word) in spins.chunks(64).zip(bits) {
        let mut eights = chunk.chunks_exact(8);
        *word = 0;
        let mut place = 0;
        for eight in &mut eights {
            *word |= pack_eight(std::array::from_fn(|k| eight[k])) << place;
            place += 8;
        }
        for &spin in eights.remainder() {
            *word |= u64::from(spin < 0) << place;
            place += 1;
        }
    }
}

/// The sign bits of eight spins, the first in the lowest bit.
#[inline]
pub(in crate::mcmc) fn pack_eight(spins: [i8; 8]) -> u64 {
    let signs = u64::from_le_bytes(spins.map(|spin| spin as u8)) >> 7 & 0x0101_0101_0101_0101;
    // The product moves bit 8k to bit 56 + k; no two terms meet.
    signs.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// For a [`UniformTorus`], owned or borrowed.
impl<M: CachedModel<Cache = ()> + Borrow<UniformTorus>> MarkovKernel<M> for TorusSwendsenWang {
    /// One decomposition of the lattice.
    ///
    /// # Panics
    /// If `s` has the wrong length, or `beta` is NaN or negative.
    fn sweep<R: Rng + ?Sized>(
        &mut self,
        model: &M,
        beta: f64,
        s: &mut [i8],
        _cache: &mut (),
        rng: &mut R,
    ) -> SweepStats {
        let model = model.borrow();
        let n = model.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        assert!(beta >= 0.0, "beta is {beta}, expected a number >= 0");
        self.lay_out(model);
        self.decompose(s, Fraction::activation(beta, model.coupling()), rng);
        self.turn(s, rng)
    }
}

#[cfg(test)]
mod tests {
    use linalg_core::rng::Streams;

    use super::*;
    use crate::spins::Spins;

    #[test]
    fn spins_are_packed_in_order() {
        let mut rng = Streams::new(4).stream(0);
        for n in [1, 7, 8, 63, 64, 65, 200] {
            let s = Spins::random(n, &mut rng);
            let mut bits = vec![!0; n.div_ceil(64)];
            pack(&s, &mut bits);
            for (i, &spin) in s.iter().enumerate() {
                assert_eq!(bits[i / 64] >> (i % 64) & 1 == 1, spin < 0);
            }
            assert_eq!(
                bits.iter().map(|word| word.count_ones()).sum::<u32>(),
                s.to_parity_bits().iter().map(|&b| u32::from(b)).sum()
            );
        }
    }

    #[test]
    fn spreading_follows_bonds() {
        let mut rng = Streams::new(4).stream(1);
        for _ in 0..1000 {
            let (sites, bonds) = (rng.next_u64() & rng.next_u64(), rng.next_u64() | rng.next_u64());
            let mut slow = sites;
            for x in 0..63 {
                slow |= (slow & bonds & 1 << x) << 1;
            }
            assert_eq!(spread(sites, bonds), slow);
        }
    }

    /// With every satisfied bond active the clusters are the domains; those of a flood fill.
    #[test]
    fn domains_are_those_of_a_flood_fill() {
        let shapes: [&[usize]; 16] = [
            &[2],
            &[65],
            &[300],
            &[2, 2],
            &[3, 5],
            &[4, 63],
            &[3, 64],
            &[7, 65],
            &[65, 7],
            &[9, 200],
            &[40, 130],
            &[2, 2, 2],
            &[5, 4, 3],
            &[4, 3, 70],
            &[3, 2, 4, 3],
            &[2, 3, 2, 129],
        ];
        for extents in shapes {
            let torus = UniformTorus::new(extents, 1.0).unwrap();
            let graph = torus.to_ising().unwrap();
            let n = torus.n_spins();
            let mut kernel = TorusSwendsenWang::new(&torus, 1.0).unwrap();
            for round in 0..20 {
                let mut rng = Streams::new(6).stream(round);
                let s = Spins::random(n, &mut rng);
                kernel.decompose(&s, Fraction::new(1.0), &mut rng);
                kernel.turn(&mut s.to_vec(), &mut rng);
                let mut label = vec![usize::MAX; n];
                let mut domains = 0;
                for start in 0..n {
                    if label[start] != usize::MAX {
                        continue;
                    }
                    let mut queue = vec![start];
                    while let Some(i) = queue.pop() {
                        if std::mem::replace(&mut label[i], domains) == usize::MAX {
                            let (neighbors, _) = graph.row(i);
                            queue.extend(
                                neighbors
                                    .iter()
                                    .map(|&j| j as usize)
                                    .filter(|&j| s[j] == s[i] && label[j] == usize::MAX),
                            );
                        }
                    }
                    domains += 1;
                }
                assert_eq!(kernel.n_clusters(), domains, "{extents:?}");
                let mut name = vec![None; domains];
                for i in 0..n {
                    assert_eq!(*name[label[i]].get_or_insert(kernel.label(i)), kernel.label(i), "{extents:?} site {i}");
                }
            }
        }
    }

    #[test]
    fn estimators_are_sums_over_pairs() {
        for extents in [&[6, 5][..], &[4, 3, 2]] {
            let torus = UniformTorus::new(extents, 1.0).unwrap();
            let n = torus.n_spins();
            let mut kernel = TorusSwendsenWang::new(&torus, 0.4).unwrap();
            let mut s = vec![1i8; n];
            let mut rng = Streams::new(7).stream(0);
            for _ in 0..10 {
                kernel.sweep(&torus, 0.4, &mut s, &mut (), &mut rng);
            }
            let same = |i: usize, j: usize| f64::from(u8::from(kernel.label(i) == kernel.label(j)));
            let all: f64 = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| same(i, j)).sum();
            approx::assert_abs_diff_eq!(kernel.estimate().m2, all / (n * n) as f64, epsilon = 1e-12);
            approx::assert_abs_diff_eq!(kernel.structure_factor(0, 0), all / n as f64, epsilon = 1e-12);
            let mut stride = n;
            for (axis, &length) in extents.iter().enumerate() {
                stride /= length;
                let at = |i: usize| i / stride % length;
                for r in 0..length {
                    let moved = |i: usize| i - at(i) * stride + (at(i) + r) % length * stride;
                    let mean = (0..n).map(|i| same(i, moved(i))).sum::<f64>() / n as f64;
                    approx::assert_abs_diff_eq!(kernel.correlation(axis, r), mean, epsilon = 1e-12);
                }
                let k = std::f64::consts::TAU / length as f64;
                let sum: f64 = (0..n)
                    .flat_map(|i| (0..n).map(move |j| (i, j)))
                    .map(|(i, j)| same(i, j) * (k * (at(i) as f64 - at(j) as f64)).cos())
                    .sum();
                approx::assert_abs_diff_eq!(kernel.structure_factor(axis, 1), sum / n as f64, epsilon = 1e-12);
            }
        }
    }
}
