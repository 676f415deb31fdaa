//! The distribution of the overlap.

use linalg_core::stats::Estimate;

use crate::mcmc::observables::{SignBlocks, column_estimate};

/// Rows of block sums kept of the histogram.
pub(super) const ROWS: usize = 32;

/// Bins of the N + 1 values of an overlap, arranged symmetrically about 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Bins {
    n_spins: usize,
    pub count: usize,
}

impl Bins {
    /// Rounded to the parity of N + 1, so that bins mirror each other, and at most one a value.
    pub fn new(n_spins: usize, wanted: usize) -> Self {
        let values = n_spins + 1;
        let count = wanted.clamp(1, values);
        Self { n_spins, count: if count % 2 == values % 2 { count } else { count + 1 } }
    }

    /// The bin of the overlap `1 - 2k/N` with k spins different; descending k is ascending q.
    pub fn of(&self, different: usize) -> usize {
        let n = self.n_spins;
        // Ties would fall to different sides of a bin and its mirror image.
        if 2 * different < n {
            return self.count - 1 - self.of(n - different);
        }
        ((2 * (n - different) + 1) as u128 * self.count as u128 / (2 * (n + 1)) as u128) as usize
    }

    /// Center and width of every bin, from the values that fall there.
    fn extents(&self) -> Vec<(f64, f64)> {
        let n = self.n_spins as f64;
        let mut extents = vec![(0.0, 0.0); self.count];
        for different in 0..=self.n_spins {
            let (center, width) = &mut extents[self.of(different)];
            *center += 1.0 - 2.0 * different as f64 / n;
            *width += 1.0;
        }
        extents.iter().map(|&(sum, values)| (sum / values, 2.0 * values / n)).collect()
    }
}

/// A histogram P(q) of overlaps, or P(|q|) folded to q ≥ 0.
///
/// Densities: the sum of density times width is 1 for either.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OverlapDistribution {
    /// Mean of the possible overlaps in each bin, ascending; of their absolute values in the middle bin of a folded one.
    pub centers: Vec<f64>,
    /// Width of each bin: the number of its possible overlaps times 2/N. Folded, the bin of q = 0 alone counts half.
    pub widths: Vec<f64>,
    /// Density in each bin, with its error.
    pub densities: Vec<Estimate>,
}

impl OverlapDistribution {
    fn of(columns: &[&SignBlocks], extents: Vec<(f64, f64)>) -> Self {
        let (centers, widths): (Vec<f64>, Vec<f64>) = extents.into_iter().unzip();
        let density = |(column, width): (usize, &f64)| {
            // The mean of +1 in the bin and -1 outside is 2p - 1.
            let sign = column_estimate(columns, column);
            let scale = |x: f64| 0.5 * x / width;
            Estimate { value: scale(sign.value + 1.0), std_error: sign.std_error.map(scale) }
        };
        let densities = widths.iter().enumerate().map(density).collect();
        Self { centers, widths, densities }
    }

    pub(super) fn plain(bins: Bins, chains: &[&SignBlocks]) -> Self {
        Self::of(chains, bins.extents())
    }

    pub(super) fn folded(bins: Bins, chains: &[&SignBlocks]) -> Self {
        let b = bins.count;
        // Columns from the bin of q = 0 upward. An odd number has a bin that is its own image.
        let upper = b / 2..b;
        let fold = |sums: &[i32], count: u64| -> Vec<i32> {
            let add = |c: usize| {
                let image = b - 1 - c;
                if image == c { sums[c] } else { (i64::from(sums[c]) + i64::from(sums[image]) + count as i64) as i32 }
            };
            upper.clone().map(add).collect()
        };
        let folded: Vec<SignBlocks> = chains
            .iter()
            .map(|chain| SignBlocks {
                width: b - b / 2,
                most_rows: chain.most_rows,
                rows: chain.rows.chunks(b).flat_map(|row| fold(row, chain.block_length)).collect(),
                block_length: chain.block_length,
                current: fold(&chain.current, chain.filled),
                filled: chain.filled,
            })
            .collect();
        let extents = bins.extents();
        let half = |c: usize| {
            let (center, width) = extents[c];
            if b - 1 - c != c {
                return (center, width);
            }
            // The mean of |q| over the values of the middle bin.
            let n = bins.n_spins;
            let values = (0..=n).filter(|&different| bins.of(different) == c);
            let distances: Vec<f64> = values.map(|k| (n as f64 - 2.0 * k as f64).abs() / n as f64).collect();
            (distances.iter().sum::<f64>() / distances.len() as f64, 0.5 * width)
        };
        Self::of(&folded.iter().collect::<Vec<_>>(), upper.map(half).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_mirror_each_other_and_hold_every_value_once() {
        for n in 1..40 {
            for wanted in 0..=n + 3 {
                let bins = Bins::new(n, wanted);
                assert!(bins.count >= wanted.clamp(1, n + 1) && bins.count <= n + 1);
                let mut last = bins.count - 1;
                for k in 0..=n {
                    let bin = bins.of(k);
                    assert_eq!(bin, bins.count - 1 - bins.of(n - k));
                    assert!(bin == last || bin + 1 == last);
                    last = bin;
                }
                assert_eq!(last, 0);
                let extents = bins.extents();
                let width: f64 = extents.iter().map(|(_, width)| width).sum();
                approx::assert_relative_eq!(width, 2.0 * (n + 1) as f64 / n as f64, max_relative = 1e-12);
            }
        }
    }
}
