//! Averages over a Gaussian whose integrand bends in a small place.

use linalg_core::quadrature::AdaptiveParams;
use linalg_core::special::{erfcx, normal_cdf, normal_pdf};

use crate::Result;

/// Beyond this the Gaussian density, 2e-35 of its maximum, adds nothing.
const FAR: f64 = 12.5;

/// `φ(u)/Φ(u)`, the inverse of Mills' ratio at -u; near -u for u far below 0.
pub(in crate::theory) fn hazard(u: f64) -> f64 {
    if u < 0.0 {
        (2.0 / std::f64::consts::PI).sqrt() / erfcx(-u * std::f64::consts::FRAC_1_SQRT_2)
    } else {
        normal_pdf(u) / normal_cdf(u)
    }
}

/// `∫ Dt f(t)` over a standard Gaussian for an `f` that bends within `width` of `center` and is smooth elsewhere.
///
/// The interval is cut about that place, so that the adaptive rule sees it however narrow it is.
pub(super) fn gaussian_average(f: impl Fn(f64) -> f64, center: f64, width: f64) -> Result<f64> {
    let params = AdaptiveParams::default().relative_tolerance(1e-12).absolute_tolerance(1e-18);
    let mut cuts = vec![-FAR, -3.0, 0.0, 3.0, FAR];
    let near = [center - width, center - 0.2 * width, center, center + 0.2 * width, center + width];
    cuts.extend(near.iter().filter(|cut| cut.abs() < FAR));
    cuts.sort_by(f64::total_cmp);
    let mut sum = 0.0;
    for pair in cuts.windows(2) {
        sum += params.integrate(|t| f(t) * normal_pdf(t), pair[0], pair[1])?.value;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_is_the_derivative_of_ln_phi() {
        for k in -80..=80 {
            let u = f64::from(k) / 8.0;
            let h = 1e-5;
            let ln = linalg_core::special::ln_normal_cdf;
            approx::assert_relative_eq!(
                hazard(u),
                (ln(u + h) - ln(u - h)) / (2.0 * h),
                max_relative = 1e-4,
                epsilon = 1e-10
            );
        }
        // -u + 1/u ..., to the next order.
        approx::assert_relative_eq!(hazard(-1e6), 1e6 + 1e-6, max_relative = 1e-15);
        assert_eq!(hazard(1e6).to_bits(), 0);
    }

    /// `E[Φ(a + b t)] = Φ(a/√(1 + b²))`, for steps of any steepness.
    #[test]
    fn steep_functions_are_integrated() {
        for (a, b) in [(0.3, 1.0f64), (2.0, 30.0), (500.0, 1e3), (1e5, 1e6), (0.0, 1e9)] {
            let value = gaussian_average(|t| normal_cdf(a + b * t), -a / b, 12.0 / b).unwrap();
            approx::assert_relative_eq!(value, normal_cdf(a / (1.0 + b * b).sqrt()), max_relative = 1e-11);
        }
    }
}
