//! Where lattice φ⁴ in 1 + 1 dimensions breaks its symmetry, and the continuum limit of it.

use linalg_core::Streams;
use linalg_core::eigen::symmetric_eigen;
use linalg_core::stats::Estimate;

use super::{BinderRun, ScalarField, bare_mass_squared, renormalised_mass_squared};
use crate::error::{Error, Result, positive};

/// The transition of one coupling, from squares of growing size; all numbers are $`m^2`$ in lattice units.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transition {
    /// The coupling $`g`$.
    pub coupling: f64,
    /// The linear sizes.
    pub sizes: Vec<usize>,
    /// Where the ratio of each size is that of the Ising class.
    pub at_ising_ratio: Vec<Estimate>,
    /// Where the ratios of successive sizes cross: one fewer.
    pub crossings: Vec<Estimate>,
}

/// Exponent of the leading correction to where a size has the ratio of the Ising class: $`1/\nu = 1`$ and $`\gamma/\nu = 7/4`$ from the part
/// of $`\langle M^2\rangle`$ that is analytic.
const CORRECTION: f64 = 2.75;

impl Transition {
    /// $`m^2`$ of the infinite lattice from [`at_ising_ratio`](Self::at_ising_ratio) of the two largest sizes, whose correction falls as
    /// $`L^{-11/4}`$: the estimate with the least error.
    ///
    /// # Panics
    /// With fewer than two sizes, which [`transition`] does not return.
    pub fn extrapolated(&self) -> Estimate {
        let n = self.sizes.len();
        assert!(n >= 2 && self.at_ising_ratio.len() == n, "{n} sizes, {} ratios", self.at_ising_ratio.len());
        let (small, large) = (self.at_ising_ratio[n - 2], self.at_ising_ratio[n - 1]);
        let c = 1.0 / ((self.sizes[n - 1] as f64 / self.sizes[n - 2] as f64).powf(CORRECTION) - 1.0);
        let error = |e: Estimate| e.std_error.unwrap_or(f64::NAN);
        Estimate::new((1.0 + c) * large.value - c * small.value, ((1.0 + c) * error(large)).hypot(c * error(small)))
    }
}

/// Steps of each pilot run.
const PILOT: usize = 1000;

/// Runs of [`BinderRun`] at the transition of a coupling, each of `steps` steps.
///
/// Pilot runs walk from $`g/\mu^2 = 2.5`$ to the transition, from the smallest size to the largest; all sizes run at the end of that walk.
/// Both estimates move with the size, by a correction that falls faster than the width $`1/L`$ of the transition once $`L\sqrt g`$ is
/// well above 5.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::field::transition;
///
/// let found = transition(0.5, &[6, 12], 2000, Streams::new(1))?;
/// // Large lattices have m² = -2.19.
/// assert!((found.crossings[0].value + 2.19).abs() < 0.2);
/// assert!((found.extrapolated().value + 2.19).abs() < 0.15);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a coupling that is not positive and finite, and for sizes that are not two or more growing numbers;
/// [`Error::EffectiveSampleSize`] when runs are too short to come close.
pub fn transition(coupling: f64, sizes: &[usize], steps: usize, streams: Streams) -> Result<Transition> {
    positive("coupling", coupling)?;
    if sizes.len() < 2 || sizes[0] < 2 || sizes.windows(2).any(|w| w[1] <= w[0]) {
        let value = sizes.first().copied().unwrap_or(0) as f64;
        return Err(Error::Parameter { what: "first size", value, expected: "two or more growing sizes from 2 on" });
    }
    let run = |size: usize, mass_squared: f64, steps: usize, stream: u64| {
        let field = ScalarField::new(&[size, size], 1.0, 1.0, mass_squared, coupling)?;
        BinderRun::new(&field, steps, &mut streams.fast_stream(stream))
    };
    let mut mass_squared = bare_mass_squared(coupling / 2.5, coupling)?;
    for k in 0..8 {
        mass_squared = run(sizes[0], mass_squared, PILOT, k)?.towards(BinderRun::ISING_RATIO)?;
    }
    for (k, &size) in sizes.iter().enumerate().skip(1) {
        for pilot in 0..3 {
            let stream = 100 + 3 * k as u64 + pilot;
            mass_squared = run(size, mass_squared, 2 * PILOT, stream)?.towards(BinderRun::ISING_RATIO)?;
        }
    }
    // All sizes where the largest has its transition: the smaller a lattice, the further its weights reach.
    let runs: Vec<BinderRun> =
        (0..sizes.len()).map(|k| run(sizes[k], mass_squared, steps, 1000 + k as u64)).collect::<Result<_>>()?;
    let at_ising_ratio = runs.iter().map(|r| r.mass_squared_at(BinderRun::ISING_RATIO)).collect::<Result<_>>()?;
    let crossings = runs.windows(2).map(|pair| pair[1].crossing(&pair[0])).collect::<Result<_>>()?;
    Ok(Transition { coupling, sizes: sizes.to_vec(), at_ising_ratio, crossings })
}

/// $`g/\mu^2`$ of an estimate of $`m^2`$, with the [renormalised](renormalised_mass_squared) $`\mu^2`$ and the error carried along.
///
/// ```
/// use linalg_core::stats::Estimate;
/// use path_integral_nn::field::{bare_mass_squared, renormalised_coupling};
///
/// let mass_squared = Estimate::new(bare_mass_squared(0.1, 0.25)?, 0.0);
/// assert!((renormalised_coupling(mass_squared, 0.25)?.value - 2.5).abs() < 1e-10);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// As [`renormalised_mass_squared`].
pub fn renormalised_coupling(mass_squared: Estimate, coupling: f64) -> Result<Estimate> {
    let of = |m: f64| -> Result<f64> { Ok(coupling / renormalised_mass_squared(m, coupling)?) };
    let slope = (of(mass_squared.value + 1e-6)? - of(mass_squared.value - 1e-6)?) / 2e-6;
    Ok(Estimate::new(of(mass_squared.value)?, slope.abs() * mass_squared.std_error.unwrap_or(f64::NAN)))
}

/// The limit $`f`$ of $`g/\mu^2`$ for $`g \to 0`$: weighted least squares of $`f + a\,g\ln g + b\,g`$ through pairs of a coupling and a ratio.
///
/// The logarithm is that of the two-loop mass (Schaich and Loinaz, Phys. Rev. D 79, 056008 (2009)). The error is that of the points
/// alone: terms of higher order are not in it.
///
/// ```
/// use linalg_core::stats::Estimate;
/// use path_integral_nn::field::continuum_coupling;
///
/// let points = [0.25f64, 0.125, 0.0625].map(|g| (g, Estimate::new(2.777 + 0.4 * g * g.ln() - 0.3 * g, 0.01)));
/// assert!((continuum_coupling(&points)?.value - 2.777).abs() < 1e-9);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for fewer than three points; errors of the core for numbers that are not finite.
pub fn continuum_coupling(points: &[(f64, Estimate)]) -> Result<Estimate> {
    if points.len() < 3 {
        let expected = "at least 3 couplings";
        return Err(Error::Parameter { what: "number of points", value: points.len() as f64, expected });
    }
    let (mut normal, mut right) = ([0.0; 9], [0.0; 3]);
    for (g, ratio) in points {
        let row = [1.0, g * g.ln(), *g];
        let weight = ratio.std_error.unwrap_or(f64::NAN).powi(-2);
        for i in 0..3 {
            right[i] += weight * row[i] * ratio.value;
            (0..3).for_each(|j| normal[3 * i + j] += weight * row[i] * row[j]);
        }
    }
    let eigen = symmetric_eigen(&normal, 3)?;
    let (mut value, mut variance) = (0.0, 0.0);
    for k in 0..3 {
        let v = eigen.vector(k);
        value += v[0] * (0..3).map(|i| v[i] * right[i]).sum::<f64>() / eigen.values[k];
        variance += v[0] * v[0] / eigen.values[k];
    }
    Ok(Estimate::new(value, variance.sqrt()))
}
