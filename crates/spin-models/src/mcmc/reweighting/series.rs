//! Recorded chains.

use linalg_core::stats::autocorrelation_time;

use crate::error::check_beta;
use crate::{Error, Result};

/// Energies and other observables recorded along a chain at one inverse temperature.
///
/// ```
/// use spin_models::mcmc::EnergySeries;
///
/// let series = EnergySeries::new(0.4, vec![-4.0, 0.0, -4.0])?.with_observable(vec![1.0, 0.0, 1.0])?;
/// assert_eq!((series.len(), series.n_observables()), (3, 1));
/// assert!(EnergySeries::new(0.4, vec![]).is_err());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnergySeries {
    pub(super) beta: f64,
    pub(super) energies: Vec<f64>,
    pub(super) observables: Vec<Vec<f64>>,
}

fn check_values(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(entry) => Err(Error::NotFinite { what, entry, sites: Vec::new(), value: values[entry] }),
    }
}

impl EnergySeries {
    /// Energies, extensive, in the order of the chain, equilibrated at `beta`.
    ///
    /// # Errors
    /// [`Error::Beta`], [`Error::Parameter`] for no energies, [`Error::NotFinite`] with the position of the first energy
    /// that is not finite.
    pub fn new(beta: f64, energies: Vec<f64>) -> Result<Self> {
        check_beta(beta)?;
        check_values("energy", &energies)?;
        let what = "number of energies";
        match energies.len() {
            0 => Err(Error::Parameter { what, value: "0".into(), expected: "at least 1" }),
            n if n > u32::MAX as usize => {
                Err(Error::TooLarge { solver: "reweighting", what, value: n, bound: u32::MAX as usize })
            }
            _ => Ok(Self { beta, energies, observables: Vec::new() }),
        }
    }

    /// Adds the values of another observable at the same times. Its number is that of observables added before.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for another number of values than of energies, [`Error::NotFinite`].
    pub fn with_observable(mut self, values: Vec<f64>) -> Result<Self> {
        if values.len() != self.energies.len() {
            let (got, expected) = (values.len(), self.energies.len());
            return Err(Error::WrongLength { what: "observable", got, expected });
        }
        check_values("observable", &values)?;
        self.observables.push(values);
        Ok(self)
    }

    /// The inverse temperature.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// Number of measurements.
    pub fn len(&self) -> usize {
        self.energies.len()
    }

    /// Never: a series has at least one measurement.
    pub fn is_empty(&self) -> bool {
        self.energies.is_empty()
    }

    /// The energies.
    pub fn energies(&self) -> &[f64] {
        &self.energies
    }

    /// Number of other observables.
    pub fn n_observables(&self) -> usize {
        self.observables.len()
    }

    /// The longest integrated autocorrelation time of energy and observables, at least 1/2; 1/2 for a single value.
    pub fn autocorrelation_time(&self) -> f64 {
        let all = std::iter::once(&self.energies).chain(&self.observables);
        // The values are finite: an error means a single one.
        all.filter_map(|values| autocorrelation_time(values).ok()).map(|time| time.tau).fold(0.5, f64::max)
    }
}
