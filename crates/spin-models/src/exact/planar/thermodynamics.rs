//! Energy, entropy and specific heat from the derivatives of one elimination.

use super::prepared::Prepared;
use super::{Planar, Thermodynamics, scaled, shifted};
use crate::Result;
use crate::error::check_beta;
use crate::model::Progress;
use crate::models::Ising;
use linalg_core::Observer;

impl Planar {
    /// ln Z, energy, entropy and specific heat, extensive, of any model that [`Planar`] takes, tori included.
    ///
    /// The elimination runs on numbers with their first two derivatives by β (truncated Taylor series), so that there is
    /// no difference quotient:
    ///
    /// ```math
    /// \langle E \rangle = -\frac{\partial \ln Z}{\partial \beta}, \qquad
    /// C = \beta^2 \frac{\partial^2 \ln Z}{\partial \beta^2}, \qquad
    /// S = \ln Z + \beta \langle E \rangle
    /// ```
    ///
    /// Digits are raised as for ln Z, until two runs agree in all three and what the four Pfaffians of a torus cancel is
    /// covered. The specific heat has an absolute accuracy of about 1e-11 of `Σ (2K)² exp(-2|K|)` over the couplings: where
    /// it is much smaller, as in cold ferromagnets, it has no digits. The entropy is the difference of two numbers of the
    /// size of `Σ |K|` and loses what they have in common.
    /// About six times the cost of ln Z.
    ///
    /// # Errors
    /// As [`Planar`].
    ///
    /// ```
    /// use spin_models::{Ising, Planar};
    ///
    /// // Two spins: E = -tanh β, C = β² / cosh² β.
    /// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
    /// let at = Planar::default().thermodynamics(&pair, 0.8)?;
    /// assert!((at.energy + 0.8f64.tanh()).abs() < 1e-14);
    /// assert!((at.specific_heat - (0.8 / 0.8f64.cosh()).powi(2)).abs() < 1e-14);
    /// assert!((at.entropy - ((4.0 * 0.8f64.cosh()).ln() - 0.8 * 0.8f64.tanh())).abs() < 1e-14);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn thermodynamics(&self, model: &Ising, beta: f64) -> Result<Thermodynamics> {
        self.thermodynamics_observed(model, beta, &mut ())
    }

    /// The same with an observer of the steps of the elimination.
    ///
    /// # Errors
    /// As [`thermodynamics`](Self::thermodynamics); [`Error::Stopped`](crate::Error::Stopped).
    pub fn thermodynamics_observed(
        &self,
        model: &Ising,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Thermodynamics> {
        check_beta(beta)?;
        let prepared = Prepared::new(model)?;
        let (ln_z, [value, first, second]) = prepared.jet(&scaled(model, beta), observer)?;
        // At β = 0 all correlations are 0.
        let coupled = if beta > 0.0 { first / beta } else { 0.0 };
        Ok(Thermodynamics {
            ln_z: shifted(ln_z, -beta * model.offset()),
            energy: model.offset() - coupled,
            specific_heat: 2.0 * second,
            entropy: value - first,
        })
    }
}
