//! Cuts of a weighted graph.

use super::ising::Ising;

impl Ising {
    /// The weight of the cut between up and down spins, for weights `w_ij = -J_ij`.
    ///
    /// ```math
    /// \mathrm{cut}(s) = \sum_{i<j} w_{ij}\, \frac{1 - s_i s_j}{2}
    /// ```
    ///
    /// This is the objective of a Max-Cut instance read with [`Sign::MaxCut`](crate::io::Sign::MaxCut). Without
    /// fields and constant, `E(s) = Σ w - 2 cut(s)`: ground states are maximum cuts. Fields and constant of the model
    /// do not enter. `O(M)`.
    ///
    /// ```
    /// use spin_models::Ising;
    ///
    /// let square = Ising::builder(4)
    ///     .couplings([(0, 1, -1.0), (1, 2, -1.0), (2, 3, -1.0), (0, 3, -1.0)])
    ///     .build()?;
    /// assert_eq!(square.cut_value(&[1, -1, 1, -1]), 4.0);
    /// assert_eq!(square.cut_value(&[1, 1, -1, -1]), 2.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `s` has the wrong length.
    pub fn cut_value(&self, s: &[i8]) -> f64 {
        assert_eq!(s.len(), self.fields().len(), "{} spins for a model of {}", s.len(), self.fields().len());
        // Started from +0.0: an empty float sum is -0.0.
        self.couplings().filter(|&(i, j, _)| s[i] != s[j]).fold(0.0, |cut, (_, _, coupling)| cut - coupling)
    }
}
