//! Standard errors of maximum likelihood.

use linalg_core::cholesky::Cholesky;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::{Reconstruction, Samples};
use crate::{Error, Result};

/// Name in errors.
const NAME: &str = "Fisher information";
/// Largest number of parameters: a matrix of 72 MB.
const LARGEST: usize = 3000;

impl Reconstruction {
    /// The same with the standard errors that maximum likelihood has with these samples, for fields and for couplings that are not 0.
    ///
    /// They are `√((χ⁻¹)_aa / M)` with the Fisher information `χ_ab = ⟨f_a f_b⟩ - ⟨f_a⟩⟨f_b⟩` of the spins and of the products of
    /// coupled pairs, averaged over the samples. No unbiased estimate has smaller ones (Cramér and Rao): those of a method that is
    /// not of maximum likelihood are larger, and the bias of a closed form is not in them. Fields that are all 0 count as left
    /// out. Couplings of 0 get the error 0.
    ///
    /// `M P²` operations for P parameters.
    ///
    /// ```
    /// use spin_models::inverse::{MeanField, Samples};
    ///
    /// // A pair with equal probabilities of both signs: var(J) = 1/(M (1 - tanh² J)).
    /// let samples = Samples::from_spins(2, &[1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, 1, 1, 1, -1, -1])?;
    /// let found = MeanField::IndependentPair.reconstruct(&samples)?.with_fisher_errors(&samples)?;
    /// let error = found.coupling_errors.as_ref().unwrap()[1];
    /// assert!((error - (1.0 / (8.0 * 0.75f64)).sqrt()).abs() < 1e-12);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`] for samples of another number of spins; [`Error::TooLarge`] for more than 3000 parameters;
    /// [`Error::TooFewSamples`] unless there are more different samples than parameters; [`Error::Numerics`] if the samples leave
    /// some combination of parameters undetermined.
    pub fn with_fisher_errors(mut self, samples: &Samples) -> Result<Self> {
        const BLOCK: usize = 512;
        let n = self.n_spins;
        if samples.n_spins() != n {
            return Err(Error::WrongLength { what: "spins of a sample", got: samples.n_spins(), expected: n });
        }
        let fields = if self.fields.iter().any(|h| h.abs() > 0.0) { n } else { 0 };
        let pairs = self.pairs(0.0);
        let p = fields + pairs.len();
        if p > LARGEST {
            return Err(Error::TooLarge { solver: NAME, what: "number of parameters", value: p, bound: LARGEST });
        }
        let merged = samples.merged();
        super::check_different_samples(NAME, &merged, p + 1)?;
        let total: f64 = merged.weights().iter().sum();
        let mut spins = vec![0.0; BLOCK * n];
        let mut rows = vec![0.0; BLOCK * p];
        let mut weighted = rows.clone();
        let (mut means, mut information) = (vec![0.0; p], vec![0.0; p * p]);
        for from in (0..merged.len()).step_by(BLOCK) {
            let weights = &merged.weights()[from..(from + BLOCK).min(merged.len())];
            let count = weights.len();
            merged.unpack(from, n, &mut spins[..count * n]);
            for (k, weight) in weights.iter().enumerate() {
                let (s, row) = (&spins[k * n..(k + 1) * n], &mut rows[k * p..(k + 1) * p]);
                row[..fields].copy_from_slice(&s[..fields]);
                row[fields..].iter_mut().zip(&pairs).for_each(|(x, &(i, j, _))| *x = s[i] * s[j]);
                for ((x, y), mean) in row.iter().zip(&mut weighted[k * p..(k + 1) * p]).zip(&mut means) {
                    *y = weight / total * x;
                    *mean += *y;
                }
            }
            let left = Matrix::row_major(&rows[..count * p], count, p).transposed();
            let right = Matrix::row_major(&weighted[..count * p], count, p);
            gemm(1.0, left, right, 1.0, MatrixMut::row_major(&mut information, p, p));
        }
        for a in 0..p {
            for b in 0..p {
                information[a * p + b] -= means[a] * means[b];
            }
        }
        let inverse = Cholesky::new(information, p)?.inverse();
        let number = samples.effective_number();
        let error = |a: usize| (inverse[a * p + a] / number).sqrt();
        let mut couplings = vec![0.0; n * n];
        for (k, &(i, j, _)) in pairs.iter().enumerate() {
            (couplings[i * n + j], couplings[j * n + i]) = (error(fields + k), error(fields + k));
        }
        self.coupling_errors = Some(couplings);
        self.field_errors = Some((0..n).map(|i| if i < fields { error(i) } else { 0.0 }).collect());
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::exact_samples;
    use super::super::{MaximumEntropy, MeanField};
    use super::*;
    use crate::models::Ising;

    /// At the law of the model the covariances of samples and of the model are the same.
    #[test]
    fn errors_are_those_of_maximum_entropy() {
        let model = Ising::builder(5)
            .couplings([(0, 1, 0.5), (1, 2, -0.4), (2, 3, 0.3), (3, 4, 0.6), (0, 4, 0.2), (0, 2, -0.3)])
            .fields([0.2, 0.1, -0.3, 0.1, 0.4])
            .build()
            .unwrap();
        let samples = exact_samples(&model);
        let exact = MaximumEntropy::pairs(5).unwrap().fit(&samples).unwrap().to_reconstruction().unwrap();
        let found = MeanField::Naive.reconstruct(&samples).unwrap().with_fisher_errors(&samples).unwrap();
        let errors = |found: &Reconstruction| {
            let couplings = found.coupling_errors.clone().unwrap();
            [couplings, found.field_errors.clone().unwrap()].concat()
        };
        for (a, b) in errors(&found).iter().zip(errors(&exact)) {
            approx::assert_relative_eq!(*a, b, max_relative = 1e-7);
        }
    }

    /// On a tree without fields products of different bonds are independent: var(J) = 1/(M (1 - tanh² J)).
    #[test]
    fn bonds_of_a_tree_are_independent() {
        let bonds = [(0, 1, 0.7), (1, 2, -0.4), (1, 3, 0.9), (3, 4, 0.3)];
        let samples = exact_samples(&Ising::builder(5).couplings(bonds).build().unwrap());
        let mut couplings = vec![0.0; 25];
        bonds.iter().for_each(|&(i, j, x)| (couplings[i * 5 + j], couplings[j * 5 + i]) = (x, x));
        let found = Reconstruction::new("tree", couplings, vec![0.0; 5]).with_fisher_errors(&samples).unwrap();
        let errors = found.coupling_errors.unwrap();
        for (i, j, x) in bonds {
            let expected = (1.0 / (samples.effective_number() * (1.0 - x.tanh().powi(2)))).sqrt();
            approx::assert_relative_eq!(errors[i * 5 + j], expected, max_relative = 1e-9);
            approx::assert_relative_eq!(errors[j * 5 + i], expected, max_relative = 1e-9);
        }
        approx::assert_abs_diff_eq!(errors[2], 0.0, epsilon = 0.0);
        assert!(found.field_errors.unwrap().iter().all(|e| e.abs() <= 0.0));
    }

    #[test]
    fn too_few_samples_are_named() {
        let samples = Samples::from_spins(2, &[1, 1, -1, -1, 1, -1]).unwrap();
        let found = Reconstruction::new("pair", vec![0.0, 0.3, 0.3, 0.0], vec![0.1; 2]);
        let error = found.clone().with_fisher_errors(&samples).unwrap_err();
        assert_eq!(error.to_string(), "Fisher information needs at least 4 different samples, got 3");
        let other = Samples::from_spins(3, &[1, 1, -1]).unwrap();
        assert!(matches!(found.with_fisher_errors(&other), Err(Error::WrongLength { got: 3, expected: 2, .. })));
    }
}
