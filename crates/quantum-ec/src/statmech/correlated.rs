//! Errors that depend on each other.

use linalg_core::gf2::BinaryCsc;
use spin_models::{EnergyModel, InteractionModel};

use super::coset::CosetModel;
use super::linear::{Linear, stacked_columns};
use crate::error::{Error, Result};

impl CosetModel {
    /// The cosets of mechanisms that depend on each other: their pattern has a Boltzmann distribution at β = 1.
    ///
    /// Spin $`s_j = 1 - 2 e_j`$ of `errors` tells whether mechanism j happened. Products of any number of them are allowed:
    ///
    /// ```math
    /// P(e) = \exp\Big( \sum_a J_a \prod_{j \in a} (-1)^{e_j} - \ln Z_\text{errors} \Big) .
    /// ```
    ///
    /// In the model of cosets the interaction a is one of all generators that hold an odd number of its mechanisms. `ln_z` is
    /// $`\ln Z_\text{errors}(\beta = 1)`$ of the distribution itself, by any solver; it shifts all ln P, and changes no
    /// decision.
    ///
    /// ```
    /// use linalg_core::gf2::{BinaryCsc, BitVec};
    /// use quantum_ec::statmech::CosetModel;
    /// use spin_models::{Enumeration, InteractionModel, LogPartition};
    ///
    /// // Three bits of a repetition code, the first two of which fail together.
    /// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
    /// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
    /// let terms = [(vec![0, 1], 2.0), (vec![0], 1.0), (vec![2], 1.0)];
    /// let errors = InteractionModel::builder(3).terms(terms).build()?;
    /// let ln_z = Enumeration::default().ln_z(&errors, 1.0)?.value;
    /// let coset = CosetModel::correlated(&checks, &observables, &errors, ln_z)?;
    /// // The second check alone: the last bit, or the first two; one error each.
    /// let ln_p = |error: &[usize]| {
    ///     let model = coset.with_representative(&BitVec::from_ones(3, error.iter().copied())?)?;
    ///     Ok::<_, Box<dyn std::error::Error>>(Enumeration::default().ln_z(&model, 1.0)?.value + coset.ln_normalization())
    /// };
    /// assert!((ln_p(&[2])? - (2.0 + 1.0 - 1.0 - ln_z)).abs() < 1e-12);
    /// assert!((ln_p(&[0, 1])? - (2.0 - 1.0 + 1.0 - ln_z)).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`] if the matrices and the model do not agree on the number of mechanisms,
    /// [`Error::Parameter`] if `ln_z` is not finite; [`Error::TooLarge`] as [`new`](Self::new).
    ///
    /// # References
    /// - C. T. Chubb and S. T. Flammia, Ann. Inst. Henri Poincaré D 8, 269 (2021): correlated noise.
    pub fn correlated(
        checks: &BinaryCsc,
        observables: &BinaryCsc,
        errors: &InteractionModel,
        ln_z: f64,
    ) -> Result<Self> {
        let n = checks.n_cols();
        for (what, got) in [
            ("columns of the observable matrix", observables.n_cols()),
            ("spins of the model of errors", errors.n_spins()),
        ] {
            if got != n {
                return Err(Error::WrongLength { what, got, expected: n });
            }
        }
        if !ln_z.is_finite() {
            return Err(Error::Parameter {
                what: "ln Z of errors",
                value: ln_z.to_string(),
                expected: "a finite number",
            });
        }
        let columns = stacked_columns(checks, observables).collect();
        let linear = Linear::of_correlated(columns, checks.n_rows(), observables.n_rows(), errors, ln_z);
        linear.check_size()?;
        Self::of_linear(linear, &[])
    }
}
