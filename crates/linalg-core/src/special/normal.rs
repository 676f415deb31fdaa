//! The standard Gaussian distribution.

use std::f64::consts::FRAC_1_SQRT_2;

use super::error_function::{erf, erfc, erfcx, exp_square};

/// $`1/\sqrt{2\pi}`$, $`\sqrt{\pi/2}`$ and $`\tfrac12\ln 2\pi`$.
const FRAC_1_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
const SQRT_HALF_PI: f64 = 1.253_314_137_315_500_3;
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// The density $`e^{-x^2/2}/\sqrt{2\pi}`$.
///
/// ```
/// use linalg_core::special::normal_pdf;
///
/// assert!((normal_pdf(0.0) - 0.3989422804014327).abs() < 1e-16);
/// ```
pub fn normal_pdf(x: f64) -> f64 {
    FRAC_1_SQRT_TAU * exp_square(x, -0.5)
}

/// The distribution function $`\Phi(x) = \frac12\mathrm{erfc}(-x/\sqrt2)`$.
///
/// Relative accuracy in the lower tail, down to the underflow near -38.5; the upper tail is `normal_cdf(-x)`.
///
/// ```
/// use linalg_core::special::normal_cdf;
///
/// assert_eq!(normal_cdf(0.0), 0.5);
/// assert!((normal_cdf(-10.0) / 7.619853024160526e-24 - 1.0).abs() < 1e-14);
/// ```
pub fn normal_cdf(x: f64) -> f64 {
    if x < -1.0 {
        // Rounding x/√2 inside erfc would be multiplied by x².
        0.5 * erfcx(-x * FRAC_1_SQRT_2) * exp_square(x, -0.5)
    } else {
        0.5 * erfc(-x * FRAC_1_SQRT_2)
    }
}

/// $`\ln\Phi(x)`$, without underflow.
///
/// ```
/// use linalg_core::special::ln_normal_cdf;
///
/// // The tail is φ(x)/|x| (1 - 1/x² + ...).
/// let x = -1e4f64;
/// let leading = -0.5 * x * x - 0.5 * std::f64::consts::TAU.ln() - x.abs().ln();
/// assert!((ln_normal_cdf(x) - leading).abs() < 2e-8);
/// ```
pub fn ln_normal_cdf(x: f64) -> f64 {
    if x < -1.0 {
        (0.5 * erfcx(-x * FRAC_1_SQRT_2)).ln() - 0.5 * x * x
    } else if x < 0.0 {
        normal_cdf(x).ln()
    } else {
        (-normal_cdf(-x)).ln_1p()
    }
}

/// The inverse of [`normal_cdf`]: the `x` with $`\Phi(x) = p`$.
///
/// `-inf` at 0, `inf` at 1, NaN outside `[0, 1]`. Halley's iteration from a rational start (Abramowitz and Stegun
/// 26.2.23), on the scaled tail for $`p < 0.2`$ and on `erf` near the centre, so that the relative accuracy holds for
/// the smallest `p` and for `p` near 1/2. A `p` near 1 has lost its complement before it arrives here: pass the
/// complement and change the sign.
///
/// ```
/// use linalg_core::special::normal_quantile;
///
/// assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-14);
/// assert_eq!(normal_quantile(0.5), 0.0);
/// assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
/// ```
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    let t = (-2.0 * p.ln()).sqrt();
    let numerator = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let denominator = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = numerator / denominator - t;
    // The start is good to 5e-4 and each step cubes the error.
    for _ in 0..3 {
        // (Φ(x) - p) / φ(x)
        let newton = if p < 0.2 {
            let scaled = (p.ln() + 0.5 * x * x + HALF_LN_TAU).exp();
            SQRT_HALF_PI * erfcx(-x * FRAC_1_SQRT_2) - scaled
        } else {
            (0.5 * erf(x * FRAC_1_SQRT_2) - (p - 0.5)) / normal_pdf(x)
        };
        x -= newton / (1.0 + 0.5 * x * newton);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::check;

    #[test]
    fn reference_values() {
        check(
            "normal_pdf",
            normal_pdf,
            1e-15,
            &[
                (0.0, 0.3989422804014327),
                (1.0, 0.24197072451914334),
                (-3.5, 0.00087268269504576),
                (20.0, 5.520948362159764e-88),
                (37.5, 1.7282337322841054e-306),
            ],
        );
        check(
            "normal_cdf",
            normal_cdf,
            1e-15,
            &[
                (-37.5, 4.605353009581955e-308),
                (-20.0, 2.7536241186062337e-89),
                (-8.3, 5.205569744890254e-17),
                (-5.0, 2.866515718791939e-07),
                (-1.5, 0.06680720126885807),
                (-0.99, 0.1610870595108309),
                (-0.3, 0.3820885778110474),
                (1e-12, 0.5000000000003989),
                (0.7, 0.758036347776927),
                (1.2, 0.8849303297782917),
                (3.0, 0.9986501019683699),
                (8.0, 0.9999999999999993),
            ],
        );
        check(
            "ln_normal_cdf",
            ln_normal_cdf,
            2e-15,
            &[
                (-10000.0, -50000010.12927891),
                (-50.0, -1254.8313611394199),
                (-5.0, -15.064998393988725),
                (-1.0, -1.8410216450092636),
                (-0.5, -1.1759117615936185),
                (0.0, -std::f64::consts::LN_2),
                (1.0, -0.17275377902344988),
                (5.0, -2.866516129637636e-07),
                (10.0, -7.619853024160525e-24),
            ],
        );
        check(
            "normal_quantile",
            normal_quantile,
            1e-15,
            &[
                (5e-324, -38.467405617144344),
                (1e-300, -37.0470962993612),
                (1e-50, -14.933337534788489),
                (1e-10, -6.361340902404057),
                (1e-05, -4.264890793922825),
                (0.01, -2.326347874040841),
                (0.024, -1.9773684281819468),
                (0.2, -0.8416212335729142),
                (0.4, -0.2533471031357997),
                (0.4999999, -2.5066282747031063e-07),
                (0.5000000001, 2.506628482030354e-10),
                (0.75, 0.6744897501960817),
                (0.99, 2.3263478740408408),
                (0.9999999, 5.199337582290661),
            ],
        );
    }

    #[test]
    fn quantile_inverts_the_cdf() {
        for k in 1..4000 {
            let p = f64::from(k) / 4000.0;
            // Rounding x by an ulp moves the probability by φ(x) x ε, below 1e-16.
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 4e-16, "{p}");
        }
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(1.1).is_nan());
        assert!(normal_quantile(1.0) == f64::INFINITY);
    }

    #[test]
    fn limits() {
        assert!(normal_cdf(f64::NEG_INFINITY) == 0.0 && normal_cdf(f64::INFINITY) >= 1.0);
        assert!(normal_pdf(f64::INFINITY) == 0.0 && normal_pdf(1e200) == 0.0);
        assert!(ln_normal_cdf(f64::NEG_INFINITY) == f64::NEG_INFINITY);
        assert!(ln_normal_cdf(f64::INFINITY) == 0.0);
    }
}
