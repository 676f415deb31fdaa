//! Real time by Monte Carlo: what rotated contours and average phases allow.

use linalg_core::Streams;
use linalg_core::num_complex::Complex64;
use linalg_core::rng::standard_normal;

use crate::error::{Error, Result, all_finite, at_least_one, positive};

/// Smallest average phase that is not refused, however many samples.
const LEAST_PHASE: f64 = 0.01;

/// What [`oscillator_kernel_by_phases`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PhaseAverage {
    /// The kernel.
    pub kernel: Complex64,
    /// Standard errors of its real and imaginary part.
    pub std_error: (f64, f64),
    /// Modulus of the mean factor over its root mean square: 1 without cancellation.
    pub average_phase: f64,
}

/// $`\langle x\vert e^{-itH/\hbar}\vert y\rangle`$ of an oscillator by Monte Carlo over free paths.
///
/// All deviations from the straight line are rotated, $`W \to e^{i\pi/4} W`$, which turns the kinetic term into a Gaussian weight and is exact.
/// The potential is left as a factor $`e^{-iS_V/\hbar}`$ on rotated paths, whose modulus and phase are averaged. As long as $`N\theta < \pi`$ that
/// average exists. The average phase, the modulus of the mean factor over its root mean square, is reported; a run is refused where it is
/// below 0.01 or below three times what noise alone gives, $`3/\sqrt n`$. Trapezoid in time.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::real_time::oscillator_kernel_by_phases;
/// use path_integral_nn::{Rule, exact::OscillatorLattice};
///
/// let lattice = OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Trapezoid, 0.1)?;
/// let exact = lattice.kernel_real_time(8, 0.3, -0.5)?;
/// let got = oscillator_kernel_by_phases(1.0, 1.0, 1.0, 0.8, 8, (0.3, -0.5), 4000, Streams::new(1))?;
/// assert!((got.kernel - exact).norm() < 0.01 && got.average_phase > 0.5);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::AveragePhase`]; [`Error::Parameter`] for parameters that are not positive and finite, no samples, and times
/// beyond the first focus.
#[allow(clippy::too_many_arguments)]
pub fn oscillator_kernel_by_phases(
    mass: f64,
    omega: f64,
    hbar: f64,
    time: f64,
    slices: usize,
    ends: (f64, f64),
    samples: u64,
    streams: Streams,
) -> Result<PhaseAverage> {
    positive("mass", mass)?;
    positive("omega", omega)?;
    positive("hbar", hbar)?;
    positive("time", time)?;
    at_least_one("number of slices", slices)?;
    at_least_one("number of samples", samples as usize)?;
    all_finite("end", &[ends.0, ends.1])?;
    let step = time / slices as f64;
    let half_angle = 0.5 * omega * step;
    if half_angle >= 1.0 || 2.0 * half_angle.asin() * slices as f64 >= std::f64::consts::PI {
        let expected = "shorter than half a period: beyond the first focus the rotated average does not exist";
        return Err(Error::Parameter { what: "time", value: time, expected });
    }
    let (x, y) = ends;
    let free = (mass / (std::f64::consts::TAU * hbar * time)).sqrt()
        * Complex64::cis(mass * (x - y).powi(2) / (2.0 * hbar * time) - std::f64::consts::FRAC_PI_4);
    let turn = Complex64::cis(std::f64::consts::FRAC_PI_4);
    let width = (hbar * step / mass).sqrt();
    let (mut sum, mut squares) = (Complex64::new(0.0, 0.0), 0.0);
    let mut walk = vec![0.0; slices + 1];
    for k in 0..samples {
        let mut rng = streams.fast_stream(k);
        for n in 1..=slices {
            walk[n] = walk[n - 1] + width * standard_normal(&mut rng);
        }
        let mut potential = Complex64::new(0.0, 0.0);
        for (n, w) in walk.iter().enumerate() {
            // A bridge around the straight line.
            let share = n as f64 / slices as f64;
            let deviation = w - share * walk[slices];
            let at = turn * deviation + x + (y - x) * share;
            let weight = if n == 0 || n == slices { 0.5 } else { 1.0 };
            potential += 0.5 * mass * omega * omega * step * weight * at * at;
        }
        let factor = (Complex64::new(0.0, -1.0) * potential / hbar).exp();
        sum += factor;
        squares += factor.norm_sqr();
    }
    let n = samples as f64;
    let mean = sum / n;
    let average_phase = mean.norm() / (squares / n).sqrt();
    let bound = LEAST_PHASE.max(3.0 / n.sqrt());
    if average_phase.is_nan() || average_phase < bound {
        return Err(Error::AveragePhase { average: average_phase, bound });
    }
    // Errors of the factor, as a disc, times the modulus of the free kernel.
    let variance = squares / n - mean.norm_sqr();
    let error = free.norm() * (variance.max(0.0) / n).sqrt();
    Ok(PhaseAverage { kernel: free * mean, std_error: (error, error), average_phase })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rule;
    use crate::exact::OscillatorLattice;

    #[test]
    fn agrees_with_the_closed_form_and_refuses() {
        for time in [0.5, 1.5] {
            let lattice = OscillatorLattice::new(1.3, 1.0, 0.8, Rule::Trapezoid, time / 10.0).unwrap();
            let exact = lattice.kernel_real_time(10, 0.3, -0.5).unwrap();
            let got =
                oscillator_kernel_by_phases(1.3, 1.0, 0.8, time, 10, (0.3, -0.5), 40_000, Streams::new(2)).unwrap();
            let error = got.std_error.0;
            assert!(error < 0.01 && (got.kernel - exact).norm() < 5.0 * error, "{got:?} {exact}");
        }
        let beyond = oscillator_kernel_by_phases(1.0, 1.0, 1.0, 3.5, 20, (0.0, 0.0), 100, Streams::new(1));
        assert!(matches!(beyond, Err(Error::Parameter { what: "time", .. })));
        // Far from the centre the classical phase turns fast with the deviation: nothing is left.
        let far = oscillator_kernel_by_phases(1.0, 1.0, 1e-4, 1.5, 20, (3.0, -2.0), 2000, Streams::new(1));
        assert!(matches!(far, Err(Error::AveragePhase { .. })), "{far:?}");
    }
}
