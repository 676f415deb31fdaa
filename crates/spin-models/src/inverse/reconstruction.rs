//! What every method returns.

use super::{Samples, pseudo_log_likelihood};
use crate::models::Ising;
use crate::{Error, Result};

/// Couplings and fields inferred from data, with how they were found.
///
/// The law is `P(s) ∝ exp(Σ_{i<j} J_ij s_i s_j + Σ h_i s_i)`: β is part of the parameters.
///
/// ```
/// use spin_models::inverse::{MeanField, Moments};
///
/// let moments = Moments::new(&[0.0, 0.0], &[1.0, 0.5, 0.5, 1.0])?;
/// let found = MeanField::IndependentPair.infer(&moments)?;
/// assert!((found.coupling(0, 1) - 0.5f64.atanh()).abs() < 1e-15);
/// assert_eq!(found.to_ising(0.0)?.n_couplings(), 1);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Reconstruction {
    /// Name of the method.
    pub method: String,
    /// Number of spins.
    pub n_spins: usize,
    /// `J_ij`, n x n row-major, symmetric, 0 on the diagonal.
    pub couplings: Vec<f64>,
    /// `h_i`.
    pub fields: Vec<f64>,
    /// Mean of `ln P(s_i | the others)` over spins and samples: of held-out samples where the method holds some out, else of
    /// those it learned from; see [`scored`](Self::scored). `None` where only moments were given.
    pub score: Option<f64>,
    /// The strength of the ℓ1 penalty that was used or chosen.
    pub l1: Option<f64>,
    /// The threshold below which couplings were set to 0, where one was used or chosen.
    pub threshold: Option<f64>,
    /// Standard errors of the couplings, n x n row-major, where asked for; see also
    /// [`with_fisher_errors`](Self::with_fisher_errors).
    pub coupling_errors: Option<Vec<f64>>,
    /// Standard errors of the fields, where asked for.
    pub field_errors: Option<Vec<f64>>,
    /// The largest number of iterations of any spin.
    pub iterations: usize,
    /// The largest remaining violation of an equation that the method solves.
    pub residual: f64,
    /// Whether the residual is within the tolerance everywhere.
    pub converged: bool,
    /// Pairs for which the equation of the method has no real solution; the nearest value was taken.
    pub unsolvable: Vec<(usize, usize)>,
}

impl Reconstruction {
    /// A result without score; `couplings` n x n.
    pub(super) fn new(method: impl Into<String>, couplings: Vec<f64>, fields: Vec<f64>) -> Self {
        Self {
            method: method.into(),
            n_spins: fields.len(),
            couplings,
            fields,
            score: None,
            l1: None,
            threshold: None,
            coupling_errors: None,
            field_errors: None,
            iterations: 0,
            residual: 0.0,
            converged: true,
            unsolvable: Vec::new(),
        }
    }

    /// `J_ij`.
    ///
    /// # Panics
    /// If a spin is not below their number.
    pub fn coupling(&self, i: usize, j: usize) -> f64 {
        assert!(i < self.n_spins && j < self.n_spins, "spins {i} and {j} of {}", self.n_spins);
        self.couplings[i * self.n_spins + j]
    }

    /// Pairs `i < j` with couplings larger than `threshold`, absolutely.
    pub fn pairs(&self, threshold: f64) -> Vec<(usize, usize, f64)> {
        let n = self.n_spins;
        let all = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        all.map(|(i, j)| (i, j, self.couplings[i * n + j])).filter(|pair| pair.2.abs() > threshold).collect()
    }

    /// The model with the couplings larger than `threshold`, absolutely; its law is that at β = 1.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a method has returned a coupling that is not a number.
    pub fn to_ising(&self, threshold: f64) -> Result<Ising> {
        let n = self.n_spins;
        let all = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j, self.couplings[i * n + j])));
        // Not a number is no small coupling: the builder names its place.
        let kept = all.filter(|pair| pair.2.is_nan() || pair.2.abs() > threshold);
        Ising::builder(n).couplings(kept).fields(self.fields.iter().copied()).build()
    }

    /// The same with the score on these samples.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of spins.
    pub fn scored(mut self, samples: &Samples, threads: usize) -> Result<Self> {
        self.score = Some(pseudo_log_likelihood(samples, &self.couplings, &self.fields, threads)?);
        Ok(self)
    }

    /// Compares with the model behind the data; couplings that it keeps apart on one pair add up.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of spins.
    pub fn compare(&self, truth: &Ising) -> Result<Comparison> {
        let n = crate::EnergyModel::n_spins(truth);
        if n != self.n_spins {
            return Err(Error::WrongLength { what: "spins of the true model", got: n, expected: self.n_spins });
        }
        let mut expected = vec![0.0; n * n];
        for (i, j, coupling) in truth.couplings() {
            expected[i.min(j) * n + i.max(j)] += coupling;
        }
        let (mut error, mut norm, mut largest) = (0.0, 0.0, 0.0f64);
        let (mut largest_absent, mut smallest_present) = (0.0f64, f64::INFINITY);
        for i in 0..n {
            for j in i + 1..n {
                let (found, true_one) = (self.couplings[i * n + j], expected[i * n + j]);
                error += (found - true_one).powi(2);
                norm += true_one.powi(2);
                largest = largest.max((found - true_one).abs());
                if true_one.abs() > 0.0 {
                    smallest_present = smallest_present.min(found.abs());
                } else {
                    largest_absent = largest_absent.max(found.abs());
                }
            }
        }
        let fields = self.fields.iter().zip(truth.fields());
        let field_error = (fields.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n as f64).sqrt();
        Ok(Comparison {
            relative_error: (error / norm).sqrt(),
            largest_error: largest,
            field_error,
            largest_absent,
            smallest_present,
        })
    }
}

/// How far inferred parameters are from true ones.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Comparison {
    /// `γ = √(Σ (J - J*)² / Σ J*²)` over pairs; NaN or infinite where there are no true couplings.
    pub relative_error: f64,
    /// The largest `|J - J*|`.
    pub largest_error: f64,
    /// Root mean square of `h - h*`.
    pub field_error: f64,
    /// The largest `|J|` found where there is no true coupling.
    pub largest_absent: f64,
    /// The smallest `|J|` found where there is one; infinite without any.
    pub smallest_present: f64,
}

impl Comparison {
    /// Whether some threshold tells the couplings of the true model from the others.
    pub fn separable(&self) -> bool {
        self.smallest_present > self.largest_absent
    }

    /// Whether this threshold does.
    pub fn is_structure(&self, threshold: f64) -> bool {
        self.smallest_present > threshold && self.largest_absent <= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Duplicates;

    #[test]
    fn parallel_couplings_add_up() {
        let parallel = Ising::builder(2).couplings([(0, 1, 0.5), (1, 0, 0.25)]).duplicates(Duplicates::Keep).build();
        let found = Reconstruction::new("none", vec![0.0, 0.75, 0.75, 0.0], vec![0.0; 2]);
        let comparison = found.compare(&parallel.unwrap()).unwrap();
        assert!(comparison.largest_error <= 0.0 && comparison.relative_error <= 0.0, "{comparison:?}");
    }

    #[test]
    fn couplings_that_are_not_numbers_are_refused() {
        let mut couplings = vec![0.0; 9];
        (couplings[5], couplings[7]) = (f64::NAN, f64::NAN);
        let found = Reconstruction::new("none", couplings, vec![0.0; 3]);
        assert!(matches!(found.to_ising(0.1), Err(Error::NotFinite { sites, .. }) if sites == [1, 2]));
        assert!(found.pairs(0.1).is_empty());
    }
}
