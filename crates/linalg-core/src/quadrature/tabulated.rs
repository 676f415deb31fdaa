//! Integrals of measured points with errors.

use crate::{Error, Result};

/// How the points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Rule {
    /// Straight lines: second order, never oscillates.
    Trapezoid,
    /// Parabolas through three neighbouring points, for any spacing: fourth order on an even grid.
    #[default]
    Simpson,
}

/// What [`integrate_tabulated`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TabulatedIntegral {
    /// The integral.
    pub value: f64,
    /// Statistical error from the errors of the points, taken as independent; `None` if none were given.
    pub std_error: Option<f64>,
    /// Estimate of the error of the rule, from every second point; `None` for fewer than three points.
    pub quadrature_error: Option<f64>,
}

impl TabulatedIntegral {
    /// Value with both errors added in quadrature; unknown errors count as 0, and as unknown if both are.
    pub fn estimate(&self) -> crate::stats::Estimate {
        let std_error = match (self.std_error, self.quadrature_error) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0).hypot(b.unwrap_or(0.0))),
        };
        crate::stats::Estimate { value: self.value, std_error }
    }
}

/// The weights $`w_i`$ with which a rule forms $`\int y\,dx \approx \sum_i w_i y_i`$ at the points `x`.
///
/// For Simpson's rule the parabolas lie on pairs of intervals from the left; with an odd number of intervals the last
/// interval takes the parabola through the last three points, and two points fall back to the trapezoid. Use the
/// weights to propagate correlated errors. O(n).
///
/// ```
/// use linalg_core::quadrature::{Rule, tabulated_weights};
///
/// let x = [0.0, 1.0, 2.0];
/// assert_eq!(tabulated_weights(&x, Rule::Trapezoid)?, [0.5, 1.0, 0.5]);
/// assert_eq!(tabulated_weights(&x, Rule::Simpson)?, [1.0 / 3.0, 4.0 / 3.0, 1.0 / 3.0]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooShort`] for fewer than two points, [`Error::NotFinite`], and [`Error::NotAscending`] when `x` does not
/// increase strictly.
pub fn tabulated_weights(x: &[f64], rule: Rule) -> Result<Vec<f64>> {
    check_points(x)?;
    Ok(weights(x, rule))
}

fn check_points(x: &[f64]) -> Result<()> {
    if x.len() < 2 {
        return Err(Error::TooShort { what: "integral of points", got: x.len(), needed: 2 });
    }
    check_finite("x", x)?;
    match x.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(before) => {
            Err(Error::NotAscending { what: "x", index: before + 1, previous: x[before], value: x[before + 1] })
        }
        None => Ok(()),
    }
}

fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

fn weights(x: &[f64], rule: Rule) -> Vec<f64> {
    let n = x.len();
    let mut w = vec![0.0; n];
    if rule == Rule::Trapezoid || n == 2 {
        for i in 1..n {
            let half = 0.5 * (x[i] - x[i - 1]);
            w[i - 1] += half;
            w[i] += half;
        }
        return w;
    }
    // ∫ over both intervals of the parabola through three points, h and k wide.
    for i in (2..n).step_by(2) {
        let (h, k) = (x[i - 1] - x[i - 2], x[i] - x[i - 1]);
        let sixth = (h + k) / 6.0;
        w[i - 2] += sixth * (2.0 - k / h);
        w[i - 1] += sixth * (h + k) * (h + k) / (h * k);
        w[i] += sixth * (2.0 - h / k);
    }
    if n.is_multiple_of(2) {
        // The last interval alone, k wide, after one of width h.
        let (h, k) = (x[n - 2] - x[n - 3], x[n - 1] - x[n - 2]);
        w[n - 1] += k * (2.0 * k + 3.0 * h) / (6.0 * (h + k));
        w[n - 2] += k * (k + 3.0 * h) / (6.0 * h);
        w[n - 3] -= k * k * k / (6.0 * h * (h + k));
    }
    w
}

/// Integral over points $`(x_i, y_i)`$ with optional standard errors of the $`y_i`$.
///
/// The statistical error is $`\sqrt{\sum_i w_i^2 \sigma_i^2}`$ with the weights of the rule: the points are taken as independent
/// measurements. The quadrature error compares with the same rule on every second point (the last point is kept) and
/// divides by 3, the Richardson factor of a second-order rule: for a smooth curve it is the error of the trapezoid and
/// five times that of Simpson's rule. It contains the noise of the points as well, so the two errors overlap rather than
/// fall short. No estimate sees structure between the points.
///
/// For $`\ln Z(\beta) = \ln Z(0) - \int_0^\beta \langle E\rangle\,d\beta'`$, `x` are the inverse temperatures and `y` the
/// energies.
///
/// ```
/// use linalg_core::quadrature::{Rule, integrate_tabulated};
///
/// let x = [0.0, 1.0, 2.0, 3.0, 4.0];
/// let y = x.map(|x: f64| x * x);
/// let integral = integrate_tabulated(&x, &y, Some(&[0.3; 5]), Rule::Simpson)?;
/// assert!((integral.value - 64.0 / 3.0).abs() < 1e-12);
/// assert!(integral.quadrature_error.unwrap() < 1e-12);
/// // weights (1, 4, 2, 4, 1)/3: sqrt(38)/3 times 0.3
/// assert!((integral.std_error.unwrap() - 0.1 * 38f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// As [`tabulated_weights`]; [`Error::NotFinite`] for `y` and the errors; [`Error::OutOfRange`] for a negative error.
///
/// # Panics
/// When `y` or `std_errors` have another length than `x`.
pub fn integrate_tabulated(x: &[f64], y: &[f64], std_errors: Option<&[f64]>, rule: Rule) -> Result<TabulatedIntegral> {
    assert_eq!(y.len(), x.len(), "{} values y at {} points x", y.len(), x.len());
    check_points(x)?;
    check_finite("y", y)?;
    let dot = |w: &[f64], y: &[f64]| w.iter().zip(y).map(|(w, y)| w * y).sum::<f64>();
    let w = weights(x, rule);
    let value = dot(&w, y);
    let mut std_error = None;
    if let Some(errors) = std_errors {
        assert_eq!(errors.len(), x.len(), "{} errors at {} points x", errors.len(), x.len());
        check_finite("std_errors", errors)?;
        if let Some(&negative) = errors.iter().find(|e| **e < 0.0) {
            return Err(Error::OutOfRange { what: "std_error", value: negative, low: 0.0, high: f64::MAX });
        }
        let parts = w.iter().zip(errors).map(|(w, e)| (w * e) * (w * e));
        std_error = Some(parts.sum::<f64>().sqrt());
    }
    let mut quadrature_error = None;
    if x.len() >= 3 {
        let every_second = |values: &[f64]| {
            let mut some: Vec<f64> = values.iter().copied().step_by(2).collect();
            if values.len().is_multiple_of(2) {
                some.extend(values.last());
            }
            some
        };
        let coarse = weights(&every_second(x), rule);
        quadrature_error = Some((value - dot(&coarse, &every_second(y))).abs() / 3.0);
    }
    Ok(TabulatedIntegral { value, std_error, quadrature_error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Streams, standard_normal};
    use crate::stats::Running;
    use approx::assert_relative_eq;

    #[test]
    fn degrees_of_exactness_on_uneven_grids() {
        let x = [0.0, 0.3, 1.0, 1.1, 2.0, 2.7, 2.8, 4.0];
        for n in 2..=x.len() {
            let x = &x[..n];
            let end = x[n - 1];
            for (rule, degree) in [(Rule::Trapezoid, 1), (Rule::Simpson, 2)] {
                let w = tabulated_weights(x, rule).unwrap();
                for power in 0..=3 {
                    let value: f64 = w.iter().zip(x).map(|(w, x)| w * x.powi(power)).sum();
                    let exact = end.powi(power + 1) / f64::from(power + 1);
                    let highest = if n == 2 { 1 } else { degree };
                    let agrees = (value - exact).abs() < 1e-12 * exact;
                    assert_eq!(agrees, power <= highest, "n = {n}, {rule:?}, power {power}");
                }
            }
        }
    }

    #[test]
    fn orders_of_convergence() {
        let integral = |n: usize, rule| {
            let x: Vec<f64> = (0..=n).map(|i| i as f64 / n as f64).collect();
            let y: Vec<f64> = x.iter().map(|x| x.exp()).collect();
            integrate_tabulated(&x, &y, None, rule).unwrap()
        };
        let exact = 1f64.exp() - 1.0;
        for (rule, order) in [(Rule::Trapezoid, 4.0), (Rule::Simpson, 16.0)] {
            let (coarse, fine) = (integral(16, rule), integral(32, rule));
            let ratio = (coarse.value - exact) / (fine.value - exact);
            assert_relative_eq!(ratio, order, max_relative = 0.02);
            let claimed = fine.quadrature_error.unwrap() / (fine.value - exact).abs();
            // 1 for the trapezoid, (16 - 1)/3 for Simpson.
            assert_relative_eq!(claimed, (order - 1.0) / 3.0, max_relative = 0.02);
            // An odd number of intervals has the same order, with a larger constant for Simpson's last one.
            let ratio = (integral(33, rule).value - exact) / (integral(67, rule).value - exact);
            assert_relative_eq!(ratio, (67f64 / 33.0).powf(order.log2()), max_relative = 0.05);
        }
    }

    #[test]
    fn errors_cover() {
        // 2000 noisy tables: the spread of the integrals is the stated error to 4/sqrt(4000).
        let x: Vec<f64> = (0..12).map(|i| f64::from(i * i) / 30.0).collect();
        let errors: Vec<f64> = (0..12).map(|i| 0.1 + 0.02 * f64::from(i)).collect();
        let mut rng = Streams::new(70).stream(0);
        let mut stated = 0.0;
        let spread: Running = (0..2000)
            .map(|_| {
                let y: Vec<f64> = errors.iter().map(|e| e * standard_normal(&mut rng)).collect();
                let integral = integrate_tabulated(&x, &y, Some(&errors), Rule::Simpson).unwrap();
                stated = integral.std_error.unwrap();
                integral.value
            })
            .collect();
        assert_relative_eq!(spread.std_dev(), stated, max_relative = 4.0 / 4000f64.sqrt());
        assert!(spread.mean().abs() < 4.0 * spread.std_error());
    }

    #[test]
    fn bad_input() {
        let run = |x: &[f64], y: &[f64]| integrate_tabulated(x, y, None, Rule::Simpson);
        assert!(matches!(run(&[0.0], &[1.0]), Err(Error::TooShort { got: 1, .. })));
        assert!(matches!(run(&[0.0, 1.0, 1.0], &[0.0; 3]), Err(Error::NotAscending { index: 2, .. })));
        assert!(matches!(run(&[0.0, f64::NAN], &[0.0; 2]), Err(Error::NotFinite { what: "x", .. })));
        assert!(matches!(run(&[0.0, 1.0], &[0.0, f64::INFINITY]), Err(Error::NotFinite { what: "y", index: 1, .. })));
        let negative = integrate_tabulated(&[0.0, 1.0], &[0.0; 2], Some(&[0.1, -0.1]), Rule::Trapezoid);
        assert!(matches!(negative, Err(Error::OutOfRange { .. })));
        let two = run(&[0.0, 2.0], &[1.0, 3.0]).unwrap();
        assert!(two.quadrature_error.is_none() && two.std_error.is_none());
        assert!(two.estimate().std_error.is_none());
        assert_relative_eq!(two.value, 4.0);
    }

    #[test]
    #[should_panic(expected = "1 values y at 2 points x")]
    fn lengths() {
        let _ = integrate_tabulated(&[0.0, 1.0], &[0.0], None, Rule::Simpson);
    }
}
