//! Modified Bessel functions of order 0 and 1.

/// From here on the asymptotic series has all digits.
const LARGE: f64 = 25.0;

/// $`I_1(x)/I_0(x)`$: the magnetization of a planar rotor in the field `x`, the mean resultant length of the von Mises
/// law.
///
/// Odd, $`x/2`$ near 0, tends to 1 like $`1 - 1/(2x)`$. The continued fraction of $`I_{\nu+1}/I_\nu`$ (DLMF 10.33.1) below
/// 25, the ratio of the asymptotic series (DLMF 10.40.1) above.
///
/// ```
/// use linalg_core::special::bessel_i1_i0_ratio;
///
/// assert!((bessel_i1_i0_ratio(1.0) - 0.4463899658965345).abs() < 1e-15);
/// assert_eq!(bessel_i1_i0_ratio(f64::NEG_INFINITY), -1.0);
/// ```
pub fn bessel_i1_i0_ratio(x: f64) -> f64 {
    let a = x.abs();
    let ratio = if a >= LARGE {
        asymptotic(a, 4.0) / asymptotic(a, 0.0)
    } else {
        // Upward stable from order 60 for every argument below 25.
        (1..=60).rev().fold(0.0, |r, order| a / (2.0 * f64::from(order) + a * r))
    };
    ratio.copysign(x)
}

/// $`\ln I_0(x)`$: the log partition function of a planar rotor in the field `x`.
///
/// ```
/// use linalg_core::special::ln_bessel_i0;
///
/// assert!((ln_bessel_i0(1.0) - 1.2660658777520084f64.ln()).abs() < 1e-15);
/// assert!((ln_bessel_i0(1e-6) / 2.5e-13 - 1.0).abs() < 1e-12); // x²/4
/// ```
pub fn ln_bessel_i0(x: f64) -> f64 {
    let a = x.abs();
    if a >= LARGE {
        if a.is_infinite() {
            return f64::INFINITY;
        }
        return a - 0.5 * (std::f64::consts::TAU * a).ln() + asymptotic(a, 0.0).ln();
    }
    // Σ (x²/4)^k / k!², all positive.
    let quarter = 0.25 * a * a;
    let mut term = 1.0;
    let mut sum = 0.0;
    for k in 1..60 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum.ln_1p()
}

/// $`\sqrt{2\pi x}\,e^{-x} I_\nu(x)`$ for `mu` = 4ν² and large `x`.
fn asymptotic(x: f64, mu: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..30 {
        let odd = f64::from(2 * k - 1);
        term *= (odd * odd - mu) / (8.0 * f64::from(k) * x);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::check;

    #[test]
    fn reference_values() {
        check(
            "bessel_i1_i0_ratio",
            bessel_i1_i0_ratio,
            1e-15,
            &[
                (1e-08, 5e-09),
                (0.1, 0.04993760398793892),
                (1.0, 0.4463899658965345),
                (-3.0, -0.8099852939565045),
                (10.0, 0.9485998259548459),
                (25.0, 0.9797914534905159),
                (30.0, 0.9831895553653361),
                (40.0, 0.9874198413363506),
                (100.0, 0.9949873730051688),
                (10000.0, 0.999949998749875),
                (1000000000.0, 0.9999999995),
            ],
        );
        check(
            "ln_bessel_i0",
            ln_bessel_i0,
            1e-15,
            &[
                (1e-05, 2.4999999999843754e-11),
                (0.1, 0.0024984392338762438),
                (1.0, 0.23591435850717865),
                (-3.0, 1.585307621813421),
                (10.0, 7.942972083118695),
                (25.0, 22.476728004999245),
                (30.0, 27.384701433171937),
                (40.0, 37.23978686135236),
                (100.0, 96.77973268994258),
                (10000.0, 9994.475903781433),
                (1000000000.0, 999999988.7194285),
            ],
        );
    }

    #[test]
    fn derivative_and_limits() {
        // d ln I0 / dx = I1/I0, also across the change of method.
        for k in 1..400 {
            let (x, h) = (f64::from(k) * 0.125, 1e-4);
            let slope = (ln_bessel_i0(x + h) - ln_bessel_i0(x - h)) / (2.0 * h);
            assert!((slope - bessel_i1_i0_ratio(x)).abs() < 1e-8, "{x}");
        }
        assert!(bessel_i1_i0_ratio(0.0) == 0.0 && ln_bessel_i0(0.0) == 0.0);
        assert!((bessel_i1_i0_ratio(f64::INFINITY) - 1.0).abs() < 1e-300);
        assert!(ln_bessel_i0(f64::NEG_INFINITY) == f64::INFINITY);
    }
}
