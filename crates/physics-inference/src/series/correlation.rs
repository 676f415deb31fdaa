//! Correlations of all pairs by XOR and popcount.

use linalg_core::simd::{Work, widest_popcount};
use linalg_core::threads::for_each;

use crate::Result;

use super::BitSeries;

/// Series compared at a time, TILE against TILE; their counts stay in registers.
const TILE: usize = 4;
/// Series of a band. All series are read once a band, so that a band should be wide; its chunk stays in the second cache.
const BAND: usize = 16 * TILE;
/// Words of a series in a chunk, 1 kB: a tile against a tile is 8 kB.
const CHUNK: usize = 128;

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
        // A band is BAND rows of the triangle; long and short ones alternate over the threads.
        let mut rest = distances.as_mut_slice();
        let mut bands = Vec::with_capacity(n.div_ceil(BAND));
        for first in (0..n).step_by(BAND) {
            let pairs = (first..n.min(first + BAND)).sum();
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

/// Up to BAND rows of the triangle.
struct Band<'a> {
    series: &'a BitSeries,
    first: usize,
    distances: &'a mut [u32],
}

impl Work for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let last = self.series.n_series().min(self.first + BAND);
        let words = self.series.n_steps().div_ceil(64);
        // Where row i of the triangle begins in the band.
        let offset = |i: usize| i * (i - 1) / 2 - self.first * self.first.saturating_sub(1) / 2;
        for start in (0..words).step_by(CHUNK) {
            let range = start..words.min(start + CHUNK);
            // Rows beyond the last repeat it and are not stored.
            let tile = |from: usize| -> [&[u64]; TILE] {
                std::array::from_fn(|i| &self.series.series((from + i).min(last - 1))[range.clone()])
            };
            for column in (0..last).step_by(TILE) {
                let right = tile(column);
                for row in (self.first.max(column)..last).step_by(TILE) {
                    let counts = compare(&tile(row), &right);
                    for (i, counts) in (row..last.min(row + TILE)).zip(&counts) {
                        let from = column.min(i);
                        let to = (column + TILE).min(i);
                        let start = if i == 0 { 0 } else { offset(i) };
                        for (distance, count) in self.distances[start + from..start + to].iter_mut().zip(counts) {
                            *distance += *count as u32;
                        }
                    }
                }
            }
        }
    }
}

/// Bits in which each left piece differs from each right one. Plain loops over words are what the compiler turns into vectors: with sums
/// in lanes by hand it did not, and took four times as long.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one index into five slices")]
fn compare(left: &[&[u64]; TILE], right: &[&[u64]; TILE]) -> [[u64; TILE]; TILE] {
    let n = left[0].len();
    let right = right.map(|row| &row[..n]);
    let mut out = [[0; TILE]; TILE];
    for (x, out) in left.iter().zip(&mut out) {
        let x = &x[..n];
        let mut sums = [0u64; TILE];
        for k in 0..n {
            for j in 0..TILE {
                sums[j] += u64::from((x[k] ^ right[j][k]).count_ones());
            }
        }
        *out = sums;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use rand::RngExt;

    #[test]
    fn equals_the_sum_over_steps() {
        let mut rng = Streams::new(1).stream(0);
        // Around the sizes of tiles, bands and chunks.
        for (n, steps) in [(1, 2), (2, 63), (4, 64), (5, 129), (9, 1000), (13, 64 * 300 + 17), (64, 65), (131, 100)] {
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
    #[ignore = "4096 series of 100 000 steps, some seconds; run by .ci/long"]
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
