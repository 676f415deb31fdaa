//! Evaluation of what all blocks recorded.

use linalg_core::stats::{AutocorrelationTime, Estimate, autocorrelation_time};

use super::observables::{ENERGY, MEAN, MIXED, SERIES, THERMODYNAMIC, X2, X4};
use super::regression::{fitted_columns, residuals};
use super::{Correlators, Observables};
use crate::error::{Error, Result};

/// A mean with and without control variates.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Measured {
    /// With control variates, if they were recorded: the value to use. The error is that of `reduced` times $`\sqrt{n/(n-p)}`$ for $`p`$
    /// control variates fitted to $`n`$ samples.
    pub estimate: Estimate,
    /// The plain series: its mean, error, autocorrelation time and effective sample size.
    pub plain: AutocorrelationTime,
    /// The series with control variates taken off.
    pub reduced: AutocorrelationTime,
}

/// Fewest samples for each control variate.
const SAMPLES_A_VARIATE: usize = 20;

impl Measured {
    /// Ratio of the squared errors without and with control variates; infinite when nothing is left.
    pub fn gain(&self) -> f64 {
        (self.plain.std_error() / self.estimate.std_error.unwrap_or(f64::NAN)).powi(2)
    }
}

/// The results of a run.
///
/// ```
/// use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
/// use path_integral_nn::sampler::{Chains, ChainsParams, Method, Target};
/// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
///
/// // The energy of an oscillator has no variance left, and is that of its lattice.
/// let system = System::new(Polynomial::oscillator(1.0, 1.0)?)?;
/// let action = Action::new(&system, &Ensemble::periodic(4.0, 40)?, Rule::Trapezoid)?;
/// let target = Target::variational(&action)?;
/// let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default())?;
/// let mut observables = vec![Observables::new(&target, ObservablesParams::default())?; 2];
/// chains.run(100, &mut observables, &mut ())?;
/// let report = Report::new(&observables)?;
/// let lattice = path_integral_nn::exact::OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Trapezoid, 0.1)?;
/// let exact = lattice.periodic_correlator(40, 0)?; // E = m ω² ⟨x²⟩
/// assert!((report.energy.estimate.value - exact).abs() < 0.002);
/// assert!(report.energy.gain() > 100.0);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Virial energy.
    pub energy: Measured,
    /// Thermodynamic energy.
    pub thermodynamic_energy: Measured,
    /// Mixed energy, with a trial state.
    pub mixed_energy: Option<Measured>,
    /// $`\sum_d\langle x_d^2\rangle`$.
    pub x2: Measured,
    /// $`\sum_d\langle x_d^4\rangle`$.
    pub x4: Measured,
    /// Mean of the points of the window and of the coordinates.
    pub path_mean: Measured,
    /// Correlators of the first coordinate.
    pub correlators: Correlators,
    /// Middles of cells and the density of the first coordinate there, $`\psi_0^2`$ in a ground-state projection. For
    /// Takahashi and Imada's rule it keeps an error of second order in the step.
    pub density: Vec<(f64, f64)>,
    /// The same of the end points: $`\psi_0`$ up to a factor, for free ends.
    pub end_density: Vec<(f64, f64)>,
    /// Samples, over all chains.
    pub samples: usize,
}

impl Report {
    /// Evaluates the blocks of a run.
    ///
    /// # Errors
    /// [`Error::Parameter`] without blocks or samples; errors of the core for series with NaN.
    pub fn new(blocks: &[Observables]) -> Result<Self> {
        let samples: usize = blocks.iter().map(Observables::n_samples).sum();
        let Some(first) = blocks.first().filter(|_| samples >= 2) else {
            return Err(Error::Parameter { what: "number of samples", value: samples as f64, expected: "at least 2" });
        };
        let width = first.width;
        let rows: Vec<&[f64]> =
            blocks.iter().flat_map(|b| b.series.iter()).flat_map(|s| s.chunks_exact(width)).collect();
        let variates: Vec<f64> = rows.iter().flat_map(|row| row[SERIES..].iter().copied()).collect();
        let measured = |place: usize| -> Result<Measured> {
            let series: Vec<f64> = rows.iter().map(|row| row[place]).collect();
            let plain = autocorrelation_time(&series)?;
            let left = residuals(&series, &variates, width - SERIES, SAMPLES_A_VARIATE)?;
            let reduced = autocorrelation_time(&left)?;
            let mut estimate = reduced.estimate();
            // What a fit of few samples takes off by chance.
            let free = rows.len() - fitted_columns(rows.len(), width - SERIES, SAMPLES_A_VARIATE);
            estimate.std_error = estimate.std_error.map(|e| e * (rows.len() as f64 / free as f64).sqrt());
            Ok(Measured { estimate, plain, reduced })
        };
        let mut correlators = first.correlators.clone();
        for block in &blocks[1..] {
            correlators.append(&block.correlators);
        }
        let density = |pick: fn(&Observables) -> &Vec<u64>| {
            let cells = pick(first).len();
            let mut counts = vec![0; cells];
            for block in blocks {
                counts.iter_mut().zip(pick(block)).for_each(|(sum, c)| *sum += c);
            }
            let cell = 12.0 * first.spread / cells as f64;
            let total: u64 = counts.iter().sum();
            let middle = |k: usize| first.center - 6.0 * first.spread + (k as f64 + 0.5) * cell;
            let height = |c: &u64| *c as f64 / (total.max(1) as f64 * cell);
            counts.iter().enumerate().map(|(k, c)| (middle(k), height(c))).collect()
        };
        Ok(Self {
            energy: measured(ENERGY)?,
            thermodynamic_energy: measured(THERMODYNAMIC)?,
            mixed_energy: if first.has_trial { Some(measured(MIXED)?) } else { None },
            x2: measured(X2)?,
            x4: measured(X4)?,
            path_mean: measured(MEAN)?,
            correlators,
            density: density(|b| &b.histogram),
            end_density: density(|b| &b.end_histogram),
            samples,
        })
    }
}
