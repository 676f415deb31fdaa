//! Elementary functions whose textbook form overflows or cancels.

use std::f64::consts::LN_2;

/// $`\ln\cosh x`$, for any `x`.
///
/// Below $`|x| = 2`$ this is $`\tfrac12 \ln(1 + \sinh^2 x)`$, which keeps the relative accuracy of the leading term
/// $`x^2/2`$; above it is $`|x| + \ln(1 + e^{-2|x|}) - \ln 2`$, which cannot overflow. Relative error below 1e-15.
///
/// ```
/// use linalg_core::logspace::ln_cosh;
///
/// assert!((ln_cosh(1000.0) - (1000.0 - 2f64.ln())).abs() < 1e-12);
/// // cosh x = 1 + x²/2 + ...; the naive form returns 0 here.
/// assert!((ln_cosh(1e-9) / 5e-19 - 1.0).abs() < 1e-14);
/// assert_eq!(ln_cosh(f64::NEG_INFINITY), f64::INFINITY);
/// ```
pub fn ln_cosh(x: f64) -> f64 {
    let a = x.abs();
    if a < 2.0 {
        let s = a.sinh();
        0.5 * (s * s).ln_1p()
    } else {
        a + (-2.0 * a).exp().ln_1p() - LN_2
    }
}

/// $`\ln(2\cosh x) = \ln(e^x + e^{-x})`$: the log partition function of one spin in the field `x` at $`\beta = 1`$.
///
/// ```
/// use linalg_core::logspace::ln_2cosh;
///
/// assert_eq!(ln_2cosh(0.0), 2f64.ln());
/// assert_eq!(ln_2cosh(-800.0), 800.0);
/// ```
pub fn ln_2cosh(x: f64) -> f64 {
    let a = x.abs();
    a + (-2.0 * a).exp().ln_1p()
}

/// $`\ln(1 + e^x)`$: the log partition function of one unit with values 0 and 1.
///
/// Its derivative is [`sigmoid`]. Decays like $`e^x`$ for negative `x` and tends to `x` for positive `x`.
///
/// ```
/// use linalg_core::logspace::softplus;
///
/// assert_eq!(softplus(0.0), 2f64.ln());
/// assert_eq!(softplus(1e4), 1e4);
/// assert!((softplus(-40.0) / (-40f64).exp() - 1.0).abs() < 1e-15);
/// ```
pub fn softplus(x: f64) -> f64 {
    // `f64::max` would drop a NaN; the sum below restores it because exp(-|NaN|) is NaN.
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// $`\ln(1 - e^x)`$ for $`x \le 0`$: the logarithm of the complement of a probability known by its logarithm.
///
/// Switches between `ln_1p(-exp(x))` and `ln(-expm1(x))` at $`-\ln 2`$, where both lose one bit (Mächler, "Accurately
/// computing log(1 - exp(-|a|))", 2012). `-inf` at 0; NaN for positive `x`.
///
/// ```
/// use linalg_core::logspace::log1m_exp;
///
/// assert_eq!(log1m_exp(f64::NEG_INFINITY), 0.0);
/// assert!((log1m_exp(0.25f64.ln()) - 0.75f64.ln()).abs() < 1e-15);
/// assert!((log1m_exp(-1e-20) - 1e-20f64.ln()).abs() < 1e-13);
/// assert!(log1m_exp(0.1).is_nan());
/// ```
pub fn log1m_exp(x: f64) -> f64 {
    if x > -LN_2 { (-x.exp_m1()).ln() } else { (-x.exp()).ln_1p() }
}

/// $`\ln(e^x - 1)`$ for $`x \ge 0`$: the inverse of [`softplus`].
///
/// `-inf` at 0; NaN for negative `x`.
///
/// ```
/// use linalg_core::logspace::{log_expm1, softplus};
///
/// assert!((log_expm1(softplus(-3.0)) + 3.0).abs() < 1e-14);
/// assert_eq!(log_expm1(5000.0), 5000.0);
/// ```
pub fn log_expm1(x: f64) -> f64 {
    if x < 1.0 { x.exp_m1().ln() } else { x + (-(-x).exp()).ln_1p() }
}

/// The logistic function $`1/(1 + e^{-x})`$.
///
/// Relative accuracy holds for large negative `x` too, where the value is $`e^x`$; the complement is
/// `sigmoid(-x)`, not `1.0 - sigmoid(x)`.
///
/// ```
/// use linalg_core::logspace::sigmoid;
///
/// assert_eq!(sigmoid(0.0), 0.5);
/// assert!((sigmoid(-700.0) / (-700f64).exp() - 1.0).abs() < 1e-15);
/// ```
pub fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    let small = e / (1.0 + e);
    if x < 0.0 { small } else { 1.0 / (1.0 + e) }
}

/// The logarithm of the logistic function, $`-\ln(1 + e^{-x})`$.
///
/// ```
/// use linalg_core::logspace::ln_sigmoid;
///
/// assert_eq!(ln_sigmoid(-1e5), -1e5);
/// assert!((ln_sigmoid(50.0) + (-50f64).exp()).abs() < 1e-36);
/// ```
pub fn ln_sigmoid(x: f64) -> f64 {
    -softplus(-x)
}

/// The log-odds $`\ln\frac{p}{1-p}`$ of a probability, the inverse of [`sigmoid`].
///
/// `-inf` at 0, `inf` at 1, NaN outside `[0, 1]`. Near $`p = \tfrac12`$ the relative accuracy is that of
/// $`2p - 1`$. A probability close to 1 has already lost its complement: keep $`\ln p`$ and call
/// [`logit_from_ln`], or work with the complement.
///
/// ```
/// use linalg_core::logspace::logit;
///
/// assert!((logit(0.75) - 3f64.ln()).abs() < 1e-15);
/// assert_eq!(logit(0.0), f64::NEG_INFINITY);
/// assert!(logit(1.5).is_nan());
/// ```
pub fn logit(p: f64) -> f64 {
    if (0.25..0.75).contains(&p) { ((2.0 * p - 1.0) / (1.0 - p)).ln_1p() } else { p.ln() - (-p).ln_1p() }
}

/// The log-odds $`\ell - \ln(1 - e^\ell)`$ of a probability given by its logarithm $`\ell \le 0`$.
///
/// ```
/// use linalg_core::logspace::{ln_sigmoid, logit_from_ln};
///
/// assert!((logit_from_ln(ln_sigmoid(30.0)) / 30.0 - 1.0).abs() < 1e-14);
/// assert_eq!(logit_from_ln(-2000.0), -2000.0);
/// ```
pub fn logit_from_ln(ln_p: f64) -> f64 {
    ln_p - log1m_exp(ln_p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// mpmath 1.3 at 40 digits.
    #[test]
    fn reference_values() {
        type Row = (fn(f64) -> f64, f64, f64);
        let table: [Row; 20] = [
            (ln_cosh, 1e-05, 4.9999999999166676e-11),
            (ln_cosh, 0.3, 0.04434076992594031),
            (ln_cosh, 1.999, 1.3240387551259147),
            (ln_cosh, 2.0, 1.3250027473578645),
            (ln_cosh, -7.5, 6.806853125342328),
            (ln_2cosh, 0.4, 0.7711006659477778),
            (softplus, -12.5, 3.7266462281239904e-06),
            (softplus, 0.7, 1.103186048885458),
            (softplus, 33.0, 33.00000000000001),
            (log1m_exp, -1e-07, -16.118095700958317),
            (log1m_exp, -0.7, -0.6863410028083852),
            (log1m_exp, -20.0, -2.061153624562735e-09),
            (log_expm1, 1e-06, -13.815510057964232),
            (log_expm1, 3.0, 2.9489308190572987),
            (sigmoid, -2.5, 0.07585818002124355),
            (ln_sigmoid, 4.0, -0.01814992791780974),
            (logit, 0.5000001, 3.99999999789463e-07),
            (logit, 1e-12, -27.631021115927545),
            (logit, 0.9, 2.1972245773362196),
            (logit_from_ln, -1e-09, 20.72326583644641),
        ];
        for (f, x, expected) in table {
            assert_relative_eq!(f(x), expected, max_relative = 1e-15);
        }
    }

    #[test]
    fn symmetries_and_limits() {
        for k in -400..400 {
            let x = f64::from(k) * 0.173;
            assert_relative_eq!(ln_cosh(x), ln_cosh(-x));
            assert_relative_eq!(ln_2cosh(x), ln_cosh(x) + LN_2, max_relative = 1e-15);
            // softplus(x) - softplus(-x) = x
            assert_relative_eq!(softplus(x) - softplus(-x), x, epsilon = 1e-13);
            assert_relative_eq!(sigmoid(x) + sigmoid(-x), 1.0, epsilon = 1e-15);
            assert_relative_eq!(sigmoid(x).ln(), ln_sigmoid(x), epsilon = 1e-15, max_relative = 1e-14);
        }
        for f in [ln_cosh, ln_2cosh, softplus, log1m_exp, log_expm1, sigmoid, logit, logit_from_ln] {
            assert!(f(f64::NAN).is_nan());
        }
        assert_eq!(softplus(f64::NEG_INFINITY).to_bits(), 0);
        assert_eq!(sigmoid(f64::NEG_INFINITY).to_bits(), 0);
        assert!(log1m_exp(0.0) == f64::NEG_INFINITY && log_expm1(0.0) == f64::NEG_INFINITY);
        assert!(log_expm1(-1.0).is_nan() && logit(-0.1).is_nan());
        assert!(logit(1.0) == f64::INFINITY && softplus(f64::INFINITY) == f64::INFINITY);
    }
}
