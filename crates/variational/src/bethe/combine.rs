//! The one operation of message passing on products of spins.

use linalg_core::logspace::ln_2cosh;

/// `artanh(tanh a · tanh b)`, without going through the tanh: exact for arguments of any size.
///
/// Associative and commutative; `+∞` is its unit. With the smaller size factored out, what is left is the logarithm of a
/// number in (1/2, 1].
#[inline]
pub(super) fn combine(a: f64, b: f64) -> f64 {
    let (x, y) = (a.abs(), b.abs());
    let small = x.min(y);
    if small == 0.0 || x.max(y).is_infinite() {
        return small.copysign(a) * b.signum();
    }
    let (sum, difference) = ((-2.0 * (x + y)).exp(), (-2.0 * (x - y).abs()).exp());
    let value = small + 0.5 * ((sum - difference) / (1.0 + difference)).ln_1p();
    value.copysign(a) * b.signum()
}

/// `∂ combine(a, b)/∂b`.
#[inline]
pub(super) fn combine_slope(a: f64, b: f64) -> f64 {
    if a.is_infinite() { a.signum() } else { 0.5 * ((a + b).tanh() + (a - b).tanh()) }
}

/// `ln Σ_s exp(K s_1 … s_k + Σ h_i s_i)` from `Σ_i ln 2cosh h_i` and the combination `g` of the `h_i`.
#[inline]
pub(super) fn ln_factor(coupling: f64, g: f64, sum_ln_2cosh: f64) -> f64 {
    sum_ln_2cosh + ln_2cosh(coupling + g) - ln_2cosh(g)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_hyperbolic_form_where_that_is_accurate() {
        for a in [-3.0, -0.7, -1e-3, 0.0, 0.2, 1.5, 4.0] {
            for b in [-2.0, -1e-4, 0.0, 0.3, 2.5] {
                let plain = (f64::tanh(a) * f64::tanh(b)).atanh();
                approx::assert_abs_diff_eq!(combine(a, b), plain, epsilon = 2e-13);
                let h = 1e-6;
                let slope = (combine(a, b + h) - combine(a, b - h)) / (2.0 * h);
                approx::assert_abs_diff_eq!(combine_slope(a, b), slope, epsilon = 1e-8);
            }
        }
        // Where the tanh is 1 in floating point: the smaller argument less ln(2)/2 at equality.
        approx::assert_abs_diff_eq!(combine(300.0, -300.0), -300.0 + 0.5 * 2f64.ln(), epsilon = 1e-13);
        assert!(combine(1e9, 40.0).total_cmp(&40.0).is_eq());
        assert!(combine(f64::INFINITY, -2.5).total_cmp(&-2.5).is_eq());
    }
}
