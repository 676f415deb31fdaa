//! Correlations of all pairs by XOR and popcount.

use linalg_core::simd::{Work, widest_popcount};
use linalg_core::threads::for_each;

use crate::Result;

use super::BitSeries;

/// Series compared at a time; their words stay in the first cache.
const TILE: usize = 4;
/// Words compared before the next pair of tiles: 2 * TILE pieces of 2 kB.
const CHUNK: usize = 256;

/// Hamming distances of all pairs of series, and the correlations that follow from them.
///
/// With $`d_{ij}`$ the number of steps in which two series differ and $`m_i`$ their means,
///
/// ```math
/// \langle b_i b_j\rangle = 1 - \frac{2 d_{ij}}{T}, \qquad
/// \rho_{ij} = \frac{\langle b_i b_j\rangle - m_i m_j}{\sqrt{(1-m_i^2)(1-m_j^2)}}.
/// ```
///
/// Counts are exact integers. $`M(M-1)/2 \cdot T/64`$ words are compared; 4 bytes a pair are stored.
///
/// ```
/// use physics_inference::series::{BitSeries, Correlations};
///
/// // The second is the negative of the first, the third agrees with the first in 3 of 4 steps.
/// let series = BitSeries::from_rows(3, &[1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, 1])?;
/// let pairs = Correlations::new(&series)?;
/// assert_eq!((pairs.distance(0, 1), pairs.distance(0, 2)), (4, 1));
/// assert!((pairs.rho(1, 0) + 1.0).abs() < 1e-15);
/// assert!((pairs.rho(0, 2) - 0.5 / 0.75f64.sqrt()).abs() < 1e-15);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Correlations {
    n_steps: usize,
    means: Vec<f64>,
    /// Pairs (i, j) with j < i, row after row.
    distances: Vec<u32>,
}

impl Correlations {
    /// Compares all pairs on one thread.
    ///
    /// # Errors
    /// As [`with_threads`](Self::with_threads).
    pub fn new(series: &BitSeries) -> Result<Self> {
        Self::with_threads(series, 1)
    }

    /// Compares all pairs on up to `threads` threads; the result does not depend on how many.
    ///
    /// # Errors
    /// Of [`BitSeries::check_varying`]: a constant series has no correlation. [`Error::Parameter`](crate::Error::Parameter)
    /// for $`2^{32}`$ steps or more.
    pub fn with_threads(series: &BitSeries, threads: usize) -> Result<Self> {
        series.check_varying()?;
        let (n, n_steps) = (series.n_series(), series.n_steps());
        if u32::try_from(n_steps).is_err() {
            let value = n_steps as f64;
            return Err(crate::Error::Parameter { what: "number of steps", value, expected: "below 2^32" });
        }
        let mut distances = vec![0u32; n * (n - 1) / 2];
        // A band is TILE rows of the triangle; long and short ones alternate over the threads.
        let mut rest = distances.as_mut_slice();
        let mut bands = Vec::with_capacity(n.div_ceil(TILE));
        for first in (0..n).step_by(TILE) {
            let pairs = (first..n.min(first + TILE)).sum();
            let (band, after) = rest.split_at_mut(pairs);
            rest = after;
            bands.push((first, band));
        }
        let mut shares: Vec<Vec<_>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
        let n_shares = shares.len();
        bands.into_iter().enumerate().for_each(|(k, band)| shares[k % n_shares].push(band));
        for_each(threads, &mut shares, |share| {
            for (first, band) in share {
                widest_popcount(Band { series, first: *first, distances: band });
            }
        });
        let means = (0..n).map(|i| series.mean(i)).collect();
        Ok(Self { n_steps, means, distances })
    }

    /// Number of series.
    pub fn n_series(&self) -> usize {
        self.means.len()
    }

    /// Steps in which series `i` and `j` differ.
    ///
    /// # Panics
    /// If there is no such series.
    pub fn distance(&self, i: usize, j: usize) -> u64 {
        let n = self.n_series();
        assert!(i < n && j < n, "pair {i}, {j} of {n} series");
        let (low, high) = (i.min(j), i.max(j));
        if low == high { 0 } else { self.distances[high * (high - 1) / 2 + low].into() }
    }

    /// Mean of series `i`.
    ///
    /// # Panics
    /// If there is no series `i`.
    pub fn mean(&self, i: usize) -> f64 {
        self.means[i]
    }

    /// Covariance $`\langle b_i b_j\rangle - m_i m_j`$.
    ///
    /// # Panics
    /// If there is no such series.
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        1.0 - 2.0 * self.distance(i, j) as f64 / self.n_steps as f64 - self.means[i] * self.means[j]
    }

    /// Correlation coefficient $`\rho_{ij}`$, 1 for `i == j`.
    ///
    /// # Panics
    /// If there is no such series.
    pub fn rho(&self, i: usize, j: usize) -> f64 {
        if i == j {
            return 1.0;
        }
        let variance = |m: f64| 1.0 - m * m;
        let scale = (variance(self.means[i]) * variance(self.means[j])).sqrt();
        (self.covariance(i, j) / scale).clamp(-1.0, 1.0)
    }

    /// All pairs j < i with $`|\rho_{ij}| \ge \tau`$, as `(i, j, rho)`.
    pub fn strong_pairs(&self, tau: f64) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let pairs = (1..self.n_series()).flat_map(|i| (0..i).map(move |j| (i, j)));
        pairs.map(|(i, j)| (i, j, self.rho(i, j))).filter(move |(_, _, rho)| rho.abs() >= tau)
    }
}

/// Up to TILE rows of the triangle.
struct Band<'a> {
    series: &'a BitSeries,
    first: usize,
    distances: &'a mut [u32],
}

impl Work for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let last = self.series.n_series().min(self.first + TILE);
        let rows = |from: usize, i: usize| self.series.series((from + i).min(last - 1));
        let words = self.series.n_steps().div_ceil(64);
        for start in (0..words).step_by(CHUNK) {
            let range = start..words.min(start + CHUNK);
            // Rows beyond the last repeat it and are not stored.
            let left: [&[u64]; TILE] = std::array::from_fn(|i| &rows(self.first, i)[range.clone()]);
            for column in (0..last).step_by(TILE) {
                let right: [&[u64]; TILE] = std::array::from_fn(|j| &rows(column, j)[range.clone()]);
                let counts = compare(&left, &right);
                let mut offset = 0;
                for i in self.first..last {
                    for j in column..(column + TILE).min(i) {
                        self.distances[offset + j] += counts[i - self.first][j - column] as u32;
                    }
                    offset += i;
                }
            }
        }
    }
}

/// Bits in which each left piece differs from each right one.
#[inline(always)]
fn compare(left: &[&[u64]; TILE], right: &[&[u64]; TILE]) -> [[u64; TILE]; TILE] {
    const LANES: usize = 8;
    let n = left[0].len();
    let whole = n - n % LANES;
    let mut sums = [[[0u64; LANES]; TILE]; TILE];
    let mut at = 0;
    while at < whole {
        for (x, sums) in left.iter().zip(&mut sums) {
            let x: &[u64; LANES] = x[at..at + LANES].try_into().unwrap_or(&[0; LANES]);
            for (y, sums) in right.iter().zip(sums) {
                let y: &[u64; LANES] = y[at..at + LANES].try_into().unwrap_or(&[0; LANES]);
                for (sum, (a, b)) in sums.iter_mut().zip(x.iter().zip(y)) {
                    *sum += u64::from((a ^ b).count_ones());
                }
            }
        }
        at += LANES;
    }
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let rest = left[i][whole..].iter().zip(&right[j][whole..]);
            let rest: u64 = rest.map(|(x, y)| u64::from((x ^ y).count_ones())).sum();
            sums[i][j].iter().sum::<u64>() + rest
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use rand::RngExt;

    #[test]
    fn equals_the_sum_over_steps() {
        let mut rng = Streams::new(1).stream(0);
        // Around the sizes of tiles, lanes and chunks.
        for (n, steps) in [(1, 2), (2, 63), (4, 64), (5, 129), (9, 1000), (13, 64 * 300 + 17)] {
            let values: Vec<i8> = (0..n * steps)
                .map(|k| if k < 2 * n { 1 - 2 * (k < n) as i8 } else { 2 * rng.random::<bool>() as i8 - 1 })
                .collect();
            let series = BitSeries::from_rows(n, &values).unwrap();
            let pairs = Correlations::new(&series).unwrap();
            assert_eq!(Correlations::with_threads(&series, 3).unwrap(), pairs);
            for i in 0..n {
                for j in 0..n {
                    let direct = values.chunks(n).filter(|step| step[i] != step[j]).count() as u64;
                    assert_eq!(pairs.distance(i, j), direct, "{n} series, {steps} steps, pair {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn strong_pairs_are_those_above_the_threshold() {
        let series = BitSeries::from_rows(3, &[1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, 1]).unwrap();
        let pairs = Correlations::new(&series).unwrap();
        let strong: Vec<_> = pairs.strong_pairs(0.9).map(|(i, j, _)| (i, j)).collect();
        assert_eq!(strong, [(1, 0)]);
        assert_eq!(pairs.strong_pairs(0.5).count(), 3);
    }

    #[test]
    #[ignore = "4096 series of 100 000 steps, 13 s on a busy machine; run by .ci/long"]
    fn four_thousand_series() {
        let mut rng = Streams::new(2).fast_stream(0);
        let mut series = BitSeries::new(4096).unwrap();
        let steps = 100_000;
        series.reserve(steps);
        let mut step = vec![0i8; 4096];
        for _ in 0..steps {
            for eight in step.chunks_mut(64) {
                let word = rng.random::<u64>();
                eight.iter_mut().enumerate().for_each(|(k, b)| *b = 2 * (word >> k & 1) as i8 - 1);
            }
            series.push(&step);
        }
        let start = crate::clock::processor_seconds();
        let pairs = Correlations::new(&series).unwrap();
        let seconds = crate::clock::processor_seconds() - start;
        println!("4096 series x 100000 steps: {seconds:.3} processor seconds on one thread");
        // 8.4 million independent pairs: the mean of ρ² is 1/T to 0.05 %, z = 5.
        let n = 4096;
        let sum: f64 = (1..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| pairs.rho(i, j).powi(2)).sum();
        let count = (n * (n - 1) / 2) as f64;
        let z = (sum / count * steps as f64 - 1.0) / (2.0 / count).sqrt();
        assert!(z.abs() < 5.0, "z = {z}");
    }
}
