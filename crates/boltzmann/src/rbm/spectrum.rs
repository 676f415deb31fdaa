//! Singular values of the weights and overlaps of hidden units: how far a machine has learned.

use super::{Rbm, dot};
use crate::Result;
use crate::units::Unit;

impl<V: Unit, H: Unit> Rbm<V, H> {
    /// The singular values of W, the largest first: as many as the smaller layer has numbers.
    ///
    /// Random weights fill the bulk of Marchenko and Pastur; learning lifts singular values out of it one after another
    /// (A. Decelle, G. Fissore and C. Furtlehner, EPL 119, 60001 (2017)).
    ///
    /// They are roots of eigenvalues of the smaller of `W Wᵀ` and `Wᵀ W`: those below 1e-8 of the largest are rounding.
    ///
    /// Cost: `O(n² N)` for n numbers in the smaller layer and N in the larger.
    ///
    /// ```
    /// use boltzmann::Rbm;
    /// use boltzmann::units::Bernoulli;
    ///
    /// // Orthogonal rows of lengths 5 and 1.
    /// let weights = vec![3.0, 4.0, -0.8, 0.6];
    /// let rbm = Rbm::new(Bernoulli, Bernoulli, weights, vec![0.0; 2], vec![0.0; 2])?;
    /// let values = rbm.singular_values()?;
    /// assert!((values[0] - 5.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the eigenvalues cannot be found.
    pub fn singular_values(&self) -> Result<Vec<f64>> {
        let (nv, nh) = (self.visible_len(), self.hidden_len());
        let lines: Vec<Vec<f64>> = if nh <= nv {
            self.weights.chunks_exact(nv).map(<[f64]>::to_vec).collect()
        } else {
            (0..nv).map(|k| self.weights.iter().skip(k).step_by(nv).copied().collect()).collect()
        };
        let eigenvalues = linalg_core::eigen::symmetric_eigenvalues(&gram(&lines), lines.len())?;
        Ok(eigenvalues.into_iter().rev().map(|x| x.max(0.0).sqrt()).collect())
    }

    /// The cosines between the weights of all pairs of hidden rows, hidden x hidden; 0 with a row of zeros.
    ///
    /// Rows that have learned the same feature have a cosine near 1.
    pub fn hidden_overlaps(&self) -> Vec<f64> {
        let lines: Vec<Vec<f64>> = self
            .weights
            .chunks_exact(self.visible_len())
            .map(|row| {
                let norm = dot(row, row).sqrt();
                row.iter().map(|w| if norm > 0.0 { w / norm } else { 0.0 }).collect()
            })
            .collect();
        gram(&lines)
    }
}

/// The scalar products of all pairs.
fn gram(lines: &[Vec<f64>]) -> Vec<f64> {
    let n = lines.len();
    let mut out = vec![0.0; n * n];
    for i in 0..n {
        for k in 0..=i {
            out[i * n + k] = dot(&lines[i], &lines[k]);
            out[k * n + i] = out[i * n + k];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bernoulli, Spin};

    #[test]
    fn spectra_of_known_matrices() {
        // u vᵀ with |u|² = 14 and |v|² = 3, in both shapes.
        let outer = |u: &[f64], v: &[f64]| u.iter().flat_map(|u| v.iter().map(move |v| u * v)).collect::<Vec<_>>();
        let (u, v) = ([1.0, -2.0, 3.0], [1.0, 1.0, -1.0, 0.0]);
        for (weights, nv, nh) in [(outer(&u, &v), 4, 3), (outer(&v, &u), 3, 4)] {
            let rbm = Rbm::new(Bernoulli, Spin, weights, vec![0.0; nv], vec![0.0; nh]).unwrap();
            let values = rbm.singular_values().unwrap();
            assert_eq!(values.len(), 3);
            assert!((values[0] - 42f64.sqrt()).abs() < 1e-12 && values[1] < 1e-6 && values[2] < 1e-6);
        }
        let rbm = Rbm::new(Bernoulli, Spin, outer(&u, &v), vec![0.0; 4], vec![0.0; 3]).unwrap();
        let overlaps = rbm.hidden_overlaps();
        for (got, expected) in overlaps.iter().zip([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]) {
            assert!((got - expected).abs() < 1e-12);
        }
        let zero = Rbm::new(Bernoulli, Spin, vec![0.0; 2], vec![0.0; 2], vec![0.0]).unwrap();
        assert!(zero.hidden_overlaps()[0].abs() < 1e-300 && zero.singular_values().unwrap()[0].abs() < 1e-300);
    }
}
