//! The complete graph and Erdős-Rényi graphs.

use linalg_core::rand::{Rng, RngExt};

use super::{Lattice, circle};
use crate::models::duplicates::check_n_spins;
use crate::{Error, Result};

impl Lattice {
    /// Every pair once, row by row: (0,1), (0,2), …, (1,2), …. Sites on a circle. `O(N²)`.
    ///
    /// # Errors
    /// [`Error::NoSpins`] or [`Error::TooLarge`].
    pub fn complete(n: usize) -> Result<Self> {
        check_n_spins(n)?;
        let edges = (0..n as u32).flat_map(|i| (i + 1..n as u32).map(move |j| (i, j))).collect();
        Ok(Self::assemble(edges, circle(n), None))
    }

    /// The random graph G(n, p): every pair is an edge with probability `p`, independently.
    ///
    /// Sites on a circle, edges row by row. Gaps between edges are drawn from their geometric law, so that the cost
    /// is `O(N + M)`.
    ///
    /// Reference: V. Batagelj and U. Brandes, Phys. Rev. E 71, 036113 (2005).
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Lattice;
    ///
    /// let mut rng = Streams::new(1).stream(0);
    /// assert_eq!(Lattice::erdos_renyi(5, 0.0, &mut rng)?.n_edges(), 0);
    /// assert_eq!(Lattice::erdos_renyi(5, 1.0, &mut rng)?.n_edges(), 10);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSpins`], [`Error::TooLarge`], [`Error::Parameter`] unless 0 ≤ p ≤ 1.
    pub fn erdos_renyi<R: Rng + ?Sized>(n: usize, p: f64, rng: &mut R) -> Result<Self> {
        check_n_spins(n)?;
        if !(0.0..=1.0).contains(&p) {
            let expected = "a probability from 0 to 1";
            return Err(Error::Parameter { what: "edge probability", value: p.to_string(), expected });
        }
        let mut edges = Vec::new();
        if p > 0.0 {
            let ln_q = (-p).ln_1p();
            // The pair (row, row + 1 + rest); `rest` runs past the row's end and is carried over.
            let (mut row, mut rest) = (0u64, 0u64);
            let n = n as u64;
            loop {
                let skip = ((-rng.random::<f64>()).ln_1p() / ln_q).floor();
                // A row has fewer than 2^32 pairs and there are fewer than 2^32 rows.
                if skip >= 2f64.powi(63) {
                    break;
                }
                rest += skip as u64;
                while row + 1 < n && rest >= n - 1 - row {
                    rest -= n - 1 - row;
                    row += 1;
                }
                if row + 1 >= n {
                    break;
                }
                edges.push((row as u32, (row + 1 + rest) as u32));
                rest += 1;
            }
        }
        Ok(Self::assemble(edges, circle(n), None))
    }

    /// The random graph G(n, p) with mean degree `c = p (n - 1)`.
    ///
    /// # Errors
    /// As [`erdos_renyi`](Self::erdos_renyi); [`Error::Parameter`] unless 0 ≤ c ≤ n - 1.
    pub fn erdos_renyi_mean_degree<R: Rng + ?Sized>(n: usize, c: f64, rng: &mut R) -> Result<Self> {
        check_n_spins(n)?;
        let largest = (n - 1) as f64;
        if !(0.0..=largest).contains(&c) {
            let value = format!("{c} on {n} sites");
            return Err(Error::Parameter { what: "mean degree", value, expected: "0 to the number of sites less 1" });
        }
        Self::erdos_renyi(n, if n == 1 { 0.0 } else { c / largest }, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn complete_graph_has_every_pair_once() {
        let graph = Lattice::complete(6).unwrap();
        assert_eq!(graph.n_edges(), 15);
        assert!((0..6).all(|i| graph.degree(i) == 5));
        assert_eq!(graph.edges().nth(5), Some((1, 2)));
        assert_eq!(Lattice::complete(1).unwrap().n_edges(), 0);
    }

    /// All 2^6 graphs on 4 sites with their probabilities p^M (1-p)^(6-M): Pearson's statistic over 63 degrees of
    /// freedom, mean 63 and standard deviation √126; the bound is at 5 standard deviations.
    #[test]
    fn graphs_have_the_binomial_law() {
        let mut rng = Streams::new(20).stream(0);
        let (p, samples) = (0.3f64, 40_000);
        let mut counts = [0u32; 64];
        for _ in 0..samples {
            let graph = Lattice::erdos_renyi(4, p, &mut rng).unwrap();
            let code: usize = graph.edges().map(|(i, j)| 1 << [[9, 0, 1, 2], [9, 9, 3, 4], [9, 9, 9, 5]][i][j]).sum();
            counts[code] += 1;
        }
        let statistic: f64 = (0..64u32)
            .map(|code| {
                let m = code.count_ones() as i32;
                let expected = f64::from(samples) * p.powi(m) * (1.0 - p).powi(6 - m);
                (f64::from(counts[code as usize]) - expected).powi(2) / expected
            })
            .sum();
        assert!((statistic - 63.0).abs() < 5.0 * 126f64.sqrt(), "chi-squared {statistic} for 63");
    }

    /// M is binomial over n(n-1)/2 pairs: within 5 standard deviations.
    #[test]
    fn mean_degree_is_met() {
        let mut rng = Streams::new(21).stream(0);
        let (n, c) = (100_000, 3.0);
        let graph = Lattice::erdos_renyi_mean_degree(n, c, &mut rng).unwrap();
        let mean = c * n as f64 / 2.0;
        assert!((graph.n_edges() as f64 - mean).abs() < 5.0 * mean.sqrt(), "{} edges for {mean}", graph.n_edges());
        assert!(graph.edges().all(|(i, j)| i < j));
        assert!(graph.edges().zip(graph.edges().skip(1)).all(|(a, b)| a < b), "rows out of order");
    }

    #[test]
    fn bad_probabilities_are_refused() {
        let mut rng = Streams::new(22).stream(0);
        for p in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
            assert!(Lattice::erdos_renyi(4, p, &mut rng).is_err());
        }
        for c in [-1.0, 3.5, f64::NAN] {
            assert!(Lattice::erdos_renyi_mean_degree(4, c, &mut rng).is_err());
        }
        assert!(Lattice::erdos_renyi_mean_degree(0, 0.0, &mut rng).is_err());
        assert_eq!(Lattice::erdos_renyi_mean_degree(1, 0.0, &mut rng).unwrap().n_edges(), 0);
        // The smallest positive probability: gaps beyond any graph.
        assert_eq!(Lattice::erdos_renyi(50, f64::MIN_POSITIVE, &mut rng).unwrap().n_edges(), 0);
    }
}
