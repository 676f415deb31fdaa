//! The gamma function and what counts with it.

use std::f64::consts::PI;

/// $`\tfrac12\ln 2\pi`$.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// $`\ln\lvert\Gamma(x)\rvert`$.
///
/// `inf` at 0 and the negative integers. Between the negative integers the logarithm passes zero, where the error is
/// absolute.
///
/// ```
/// use linalg_core::special::ln_gamma;
///
/// assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-14);
/// assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-15);
/// assert_eq!(ln_gamma(-2.0), f64::INFINITY);
/// ```
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The positive zero of the digamma function in two words.
const DIGAMMA_ZERO: (f64, f64) = (1.4616321449683622, 9.549995429965697e-17);

/// Taylor coefficients $`\psi^{(k)}(x_0)/k!`$, k = 1, 2, ..., at that zero.
const DIGAMMA_TAYLOR: [f64; 22] = [
    0.9676722454476212,
    -0.4427631689835921,
    0.258499760955651,
    -0.16394270544240652,
    0.10782405069126237,
    -0.07219956125645471,
    0.04880428816414311,
    -0.03316112647484736,
    0.022597648232218104,
    -0.01542476590494896,
    0.010538791616612175,
    -0.007204534386356869,
    0.004926781395729853,
    -0.003369801655439328,
    0.002305126326734928,
    -0.0015769367714301972,
    0.0010788252019162967,
    -0.0007380709389960052,
    0.000504953265834602,
    -0.0003454680251063077,
    0.00023635601564027053,
    -0.00016170622091974803,
];

/// The digamma function $`\psi(x) = \Gamma'(x)/\Gamma(x)`$.
///
/// The Taylor series at its positive zero 1.46163... within 0.25 of it, else upward recurrence to 10 and the asymptotic series
/// (DLMF 5.11.2); reflection for negative `x`, where the error near the zeros is absolute. NaN at 0 and the negative
/// integers, where the two sides differ.
///
/// ```
/// use linalg_core::special::digamma;
///
/// let euler_gamma = 0.5772156649015329;
/// assert!((digamma(1.0) + euler_gamma).abs() < 1e-15);
/// assert!((digamma(4.0) + euler_gamma - (1.0 + 1.0 / 2.0 + 1.0 / 3.0)).abs() < 1e-15);
/// assert!(digamma(-3.0).is_nan());
/// ```
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        // rem is exact: the cotangent keeps its digits for large arguments.
        let fraction = x % 1.0;
        if fraction == 0.0 || x.is_infinite() {
            return f64::NAN;
        }
        return digamma(1.0 - x) - PI / (PI * fraction).tan();
    }
    let (high, low) = DIGAMMA_ZERO;
    let distance = (x - high) - low;
    if distance.abs() < 0.25 {
        let series = DIGAMMA_TAYLOR.iter().rev();
        return distance * series.fold(0.0, |sum, c| sum * distance + c);
    }
    let mut shift = 0.0;
    let mut y = x;
    while y < 10.0 {
        shift += 1.0 / y;
        y += 1.0;
    }
    // B_2k / (2k y^2k), k = 1 ... 8.
    let inverse = 1.0 / (y * y);
    let bernoulli = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32760.0,
        1.0 / 12.0,
        -3617.0 / 8160.0,
    ];
    let series = bernoulli.iter().rev().fold(0.0, |sum, b| (sum + b) * inverse);
    y.ln() - 0.5 / y - series - shift
}

/// $`\ln n!`$.
///
/// ```
/// use linalg_core::special::ln_factorial;
///
/// assert_eq!(ln_factorial(0), 0.0);
/// assert!((ln_factorial(10) - 3628800f64.ln()).abs() < 1e-14);
/// ```
pub fn ln_factorial(n: u64) -> f64 {
    if n <= 20 {
        let factorial: u64 = (1..=n).product();
        return (factorial as f64).ln();
    }
    let x = n as f64;
    x * (x.ln() - 1.0) + 0.5 * x.ln() + HALF_LN_TAU + stirling_error(x)
}

/// $`\ln\binom{n}{k}`$; `-inf` for $`k > n`$.
///
/// Up to $`k = 30`$ (or $`n - k`$) the logarithm of the product; beyond, the entropy form
///
/// ```math
/// \ln\binom{n}{k} = -k\ln\frac kn - (n-k)\ln\Bigl(1 - \frac kn\Bigr) + \tfrac12\ln\frac{n}{2\pi k(n-k)} + \delta_n - \delta_k - \delta_{n-k}
/// ```
///
/// with the remainders $`\delta`$ of Stirling's formula. Differences of three log-factorials would lose all digits for
/// large `n` and small `k`; here nothing large cancels.
///
/// ```
/// use linalg_core::special::ln_binomial;
///
/// assert!((ln_binomial(5, 2) - 10f64.ln()).abs() < 1e-15);
/// assert_eq!(ln_binomial(3, 4), f64::NEG_INFINITY);
/// ```
pub fn ln_binomial(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    let small = k.min(n - k);
    if small <= 30 {
        // Factors (n - i)/(i + 1): pieces of ten stay below 2^640.
        let factor = |i: u64| (n - i) as f64 / (i + 1) as f64;
        let mut sum = 0.0;
        for start in (0..small).step_by(10) {
            sum += (start..small.min(start + 10)).map(factor).product::<f64>().ln();
        }
        return sum;
    }
    let (total, a, b) = (n as f64, small as f64, (n - small) as f64);
    let entropy = -a * (a / total).ln() - b * (-a / total).ln_1p();
    let width = 0.5 * (total / a / b).ln() - HALF_LN_TAU;
    entropy + width + stirling_error(total) - stirling_error(a) - stirling_error(b)
}

/// $`\ln n! - (n + \frac12)\ln n + n - \frac12\ln 2\pi`$ for $`n > 20`$: five terms, the last below 1e-15.
fn stirling_error(n: f64) -> f64 {
    let inverse = 1.0 / (n * n);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    series.iter().rev().fold(0.0, |sum, c| sum * inverse + c) / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::check;

    #[test]
    fn reference_values() {
        check(
            "ln_gamma",
            ln_gamma,
            1e-15,
            &[
                (1e-10, 23.025850929882736),
                (0.1, 2.252712651734206),
                (0.5, 0.5723649429247001),
                (0.999, 0.0005780385328913802),
                (1.4616321449683622, -0.12148629053584961),
                (1.0001, -5.771334222047127e-05),
                (2.3, 0.15418945495963046),
                (2.0000001, 4.227843666532498e-08),
                (7.5, 7.534364236758733),
                (50.0, 144.5657439463449),
                (1000000.0, 12815504.569147611),
                (1000000000000000.0, 3.3538776394910668e+16),
                (-0.5, 1.2655121234846454),
                (-3.3, -0.8243558050174264),
            ],
        );
        check(
            "digamma",
            digamma,
            1e-14,
            &[
                (1e-06, -1000000.5772140201),
                (0.01, -100.56088545786868),
                (0.3, -3.502524222200133),
                (1.0, -0.5772156649015329),
                (1.4, -0.06138454458511624),
                (1.46, -0.0015805619870834522),
                (1.4616321449683622, -9.241265521729427e-17),
                (1.5, 0.03648997397857652),
                (2.0, 0.42278433509846713),
                (3.7, 1.1671535393615113),
                (9.9, 2.2411803166063815),
                (25.0, 3.198742512851974),
                (100000000.0, 18.420680738952367),
                (-0.5, 0.03648997397857652),
                (-1.7, -1.4857174995110567),
                (-10.25, 5.516858419886273),
            ],
        );
    }

    #[test]
    fn digamma_is_continuous_where_the_methods_meet() {
        for x in [DIGAMMA_ZERO.0 - 0.25, DIGAMMA_ZERO.0 + 0.25, 10.0] {
            let (below, above) = (digamma(x * (1.0 - 1e-15)), digamma(x * (1.0 + 1e-15)));
            assert!((below - above).abs() < 1e-14, "{x}");
        }
        // ψ(x + 1) = ψ(x) + 1/x
        for k in 1..500 {
            let x = f64::from(k) * 0.037;
            assert!((digamma(x + 1.0) - digamma(x) - 1.0 / x).abs() < 1e-14 * (1.0 + 1.0 / x));
        }
        assert!(digamma(f64::INFINITY) == f64::INFINITY && digamma(f64::NEG_INFINITY).is_nan());
        assert!(digamma(0.0).is_nan());
    }

    #[test]
    fn factorials() {
        for (n, expected) in [
            (0, 0.0),
            (1, 0.0),
            (2, std::f64::consts::LN_2),
            (5, 4.787491742782046),
            (20, 42.335616460753485),
            (21, 45.38013889847691),
            (100, 363.73937555556347),
            (170, 706.5730622457874),
            (1000000, 12815518.384658169),
            (1000000000000000000, 4.044653167389282e+19),
        ] {
            assert!((ln_factorial(n) - expected).abs() <= 4e-16 * expected, "{n}");
        }
    }

    #[test]
    fn binomials() {
        for (n, k, expected) in [
            (5u64, 2u64, std::f64::consts::LN_10),
            (10, 10, 0.0),
            (60, 30, 39.31170072601126),
            (100, 3, 11.993498045565198),
            (100, 50, 66.78384165201743),
            (1000, 16, 79.73159951259053),
            (1000000, 500000, 693140.0470130637),
            (1000000000, 2, 40.75338449233288),
            (1000000000, 20, 372.12970008817473),
            (1000000000000, 1000000, 14815502.231270712),
            (1 << 63, 1 << 62, 6.393154322601328e+18),
            (1000000000000000000, 17, 671.0859650060411),
        ] {
            for k in [k, n - k] {
                let value = ln_binomial(n, k);
                assert!((value - expected).abs() <= 1e-15 * expected, "{n} {k}: {value}");
            }
        }
        // Exact integers across the change of method.
        for n in 55..=67u64 {
            let mut row: u128 = 1;
            for k in 0..=n {
                let expected = (row as f64).ln();
                assert!((ln_binomial(n, k) - expected).abs() < 2e-14, "{n} {k}");
                row = row * u128::from(n - k) / u128::from(k + 1);
            }
        }
    }
}
