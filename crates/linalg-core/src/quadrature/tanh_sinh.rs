//! Double-exponential integration for singularities at the ends.

use std::f64::consts::FRAC_PI_2;

use crate::{Error, Result};

use super::{Integral, check_tolerance, checked};

/// A point of the interval with its distances from both ends.
///
/// Near an end `x` itself is rounded to the end, while the distance keeps all its digits: write a singular factor with it,
/// `p.to_high.powf(-0.5)` for $`(b - x)^{-1/2}`$, $`a < b`$.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Abscissa {
    /// The point.
    pub x: f64,
    /// Distance from the lower end.
    pub from_low: f64,
    /// Distance from the upper end.
    pub to_high: f64,
}

/// Tolerances of the double-exponential integration.
///
/// ```
/// use linalg_core::quadrature::TanhSinhParams;
///
/// let params = TanhSinhParams::default().relative_tolerance(1e-6);
/// assert!(params.integrate(|p| p.x.ln(), 0.0, 1.0)?.evaluations < 200);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TanhSinhParams {
    /// Absolute tolerance; default 0.
    pub absolute_tolerance: f64,
    /// Tolerance relative to the integral; default 1e-10.
    pub relative_tolerance: f64,
    /// How often the step may be halved from 1; default 10 (about 12 000 points).
    pub max_level: u32,
}

impl Default for TanhSinhParams {
    fn default() -> Self {
        Self { absolute_tolerance: 0.0, relative_tolerance: 1e-10, max_level: 10 }
    }
}

impl TanhSinhParams {
    /// Sets the absolute tolerance.
    pub fn absolute_tolerance(mut self, tolerance: f64) -> Self {
        self.absolute_tolerance = tolerance;
        self
    }

    /// Sets the relative tolerance.
    pub fn relative_tolerance(mut self, tolerance: f64) -> Self {
        self.relative_tolerance = tolerance;
        self
    }

    /// Sets the largest number of halvings.
    pub fn max_level(mut self, level: u32) -> Self {
        self.max_level = level;
        self
    }

    /// $`\int_a^b f(x)\,dx`$ with these tolerances; see [`tanh_sinh`].
    ///
    /// # Errors
    /// As [`tanh_sinh`], and [`Error::OutOfRange`] for a negative or NaN tolerance or more than 20 levels.
    pub fn integrate<F>(&self, mut f: F, a: f64, b: f64) -> Result<Integral>
    where
        F: FnMut(Abscissa) -> f64,
    {
        check_tolerance("absolute_tolerance", self.absolute_tolerance)?;
        check_tolerance("relative_tolerance", self.relative_tolerance)?;
        if self.max_level > 20 {
            return Err(Error::OutOfRange { what: "max_level", value: self.max_level.into(), low: 0.0, high: 20.0 });
        }
        for (index, value) in [a, b].into_iter().enumerate() {
            if !value.is_finite() {
                let what = "limits";
                return Err(Error::NotFinite { what, index, value });
            }
        }
        let (sign, a, b) = if a > b { (-1.0, b, a) } else { (1.0, a, b) };
        let half = 0.5 * b - 0.5 * a;
        // Contribution of the points at ±t; the largest modulus seen at the last point tells of a cut tail.
        let mut evaluations = 0;
        let mut term = |t: f64| -> Result<[f64; 2]> {
            // 1 - |tanh u| = 2q/(1+q) with q = exp(-2u), and cosh⁻² u = 4q/(1+q)².
            let q = (-2.0 * FRAC_PI_2 * t.sinh()).exp();
            let near = half * 2.0 * q / (1.0 + q);
            let far = half * 2.0 / (1.0 + q);
            let weight = half * FRAC_PI_2 * t.cosh() * 4.0 * q / ((1.0 + q) * (1.0 + q));
            let low = Abscissa { x: a + near, from_low: near, to_high: far };
            let high = Abscissa { x: b - near, from_low: far, to_high: near };
            evaluations += 2;
            let values = [checked(low.x, f(low))?, checked(high.x, f(high))?];
            Ok(values.map(|value| weight * value))
        };
        let last = last_abscissa(half);
        let mut sum = 0.5 * term(0.0)?.iter().sum::<f64>();
        let (mut value, mut error) = (f64::NAN, f64::INFINITY);
        let mut converged = false;
        for level in 0..=self.max_level {
            let step = 0.5f64.powi(level as i32);
            // Odd multiples of the step are new; all multiples at level 0.
            let (first, stride) = if level == 0 { (1, 1) } else { (1, 2) };
            let count = (last / step) as u32;
            let mut edge = 0.0;
            for k in (first..=count).step_by(stride) {
                let pair = term(f64::from(k) * step)?;
                sum += pair[0] + pair[1];
                edge = pair[0].abs().max(pair[1].abs());
            }
            let previous = value;
            value = step * sum;
            // What lies beyond the last point is about as large as what it holds.
            let change = (value - previous).abs();
            error = if change.is_nan() { f64::INFINITY } else { change.max(edge) };
            let tolerance = self.absolute_tolerance.max(self.relative_tolerance * value.abs());
            // Two coarse sums can agree by symmetry: not before level 3.
            converged = level >= 3 && value.is_finite() && error <= tolerance;
            if converged {
                break;
            }
        }
        Ok(Integral { value: sign * value, error, evaluations, converged })
    }
}

/// The largest t at which the distance from the end is still a normal number, with a margin for squares of 1/distance
/// times the weight.
fn last_abscissa(half: f64) -> f64 {
    let smallest = 1e-300f64.max(1e-300 / half.min(1.0));
    let exponent = -smallest.ln() / (2.0 * FRAC_PI_2);
    exponent.max(1.0).asinh()
}

/// $`\int_a^b f(x)\,dx`$ for a function that may be singular at the ends, to a relative tolerance of 1e-10.
///
/// The substitution $`x = \frac{a+b}2 + \frac{b-a}2 \tanh(\frac\pi2 \sinh t)`$ makes any integrable algebraic or
/// logarithmic end decay double-exponentially in $`t`$, where the trapezoidal rule converges exponentially (Takahasi and
/// Mori, Publ. RIMS 9, 721 (1974)). The step is halved until two sums agree; `error` is their difference, usually far
/// above the true error. The integrand receives the distances from both ends with all digits ([`Abscissa`]).
///
/// Inside the interval the integrand must be smooth. An end as strong as $`|x-a|^{-0.95}`$ is cut at distance 1e-300 and the
/// result then says `converged: false`. `a > b` changes the sign.
///
/// ```
/// use linalg_core::quadrature::tanh_sinh;
///
/// // ∫ dx / sqrt(x (1 - x)) = π
/// let integral = tanh_sinh(|p| 1.0 / (p.from_low * p.to_high).sqrt(), 0.0, 1.0)?;
/// assert!(integral.converged);
/// assert!((integral.value - std::f64::consts::PI).abs() < 1e-10);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for a limit that is not finite; [`Error::Integrand`] where `f` is NaN or infinite, for instance
/// at an `x` that was rounded to a singular end.
pub fn tanh_sinh<F>(f: F, a: f64, b: f64) -> Result<Integral>
where
    F: FnMut(Abscissa) -> f64,
{
    TanhSinhParams::default().integrate(f, a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::special::{elliptic_k, ln_gamma};
    use std::f64::consts::PI;

    #[test]
    fn known_integrals() {
        type Case = (fn(Abscissa) -> f64, f64, f64, f64);
        let beta = (2.0 * ln_gamma(0.25) - ln_gamma(0.5)).exp();
        let cases: [Case; 8] = [
            (|p| p.x.exp(), 0.0, 1.0, 1f64.exp() - 1.0),
            (|p| p.x.ln(), 0.0, 1.0, -1.0),
            (|p| p.to_high.powf(-0.5), -1.0, 3.0, 4.0),
            (|p| (p.from_low * p.to_high).powf(-0.75), 0.0, 1.0, beta),
            (|p| p.from_low.powf(-0.9), 2.0, 3.0, 10.0),
            (|p| p.x.ln() * p.to_high.ln(), 0.0, 1.0, 2.0 - PI * PI / 6.0),
            (|p| (p.from_low * p.to_high * (1.0 - 0.25 * p.x * p.x)).powf(-0.5), -1.0, 1.0, 2.0 * elliptic_k(0.25)),
            (|p| p.x, 2.0, -1.0, -1.5),
        ];
        for (i, (f, a, b, exact)) in cases.into_iter().enumerate() {
            let integral = tanh_sinh(f, a, b).unwrap();
            assert!(integral.converged, "case {i}: {integral:?}");
            let error = (integral.value - exact).abs();
            assert!(error < 1e-12 * exact.abs().max(1.0), "case {i}: {error:e}");
            assert!(integral.evaluations < 1600, "case {i}: {integral:?}");
        }
    }

    #[test]
    fn misses_are_reported() {
        let strong = tanh_sinh(|p| p.from_low.powf(-0.99), 0.0, 1.0).unwrap();
        assert!(!strong.converged && strong.error > 0.01, "{strong:?}");
        let divergent = tanh_sinh(|p| 1.0 / p.from_low, 0.0, 1.0).unwrap();
        assert!(!divergent.converged);
        let kink = TanhSinhParams::default().relative_tolerance(1e-14).max_level(5);
        assert!(!kink.integrate(|p| (p.x - 0.3).abs(), 0.0, 1.0).unwrap().converged);
    }

    #[test]
    fn bad_input() {
        // x is rounded to 1 before the distance is lost.
        assert!(matches!(
            tanh_sinh(|p| (1.0 - p.x).powf(-0.5), 0.0, 1.0),
            Err(Error::Integrand { at, .. }) if (at - 1.0).abs() < 1e-300
        ));
        assert!(matches!(
            tanh_sinh(|p| p.x, 0.0, f64::INFINITY),
            Err(Error::NotFinite { what: "limits", index: 1, .. })
        ));
        let params = TanhSinhParams::default().max_level(40);
        assert!(matches!(params.integrate(|p| p.x, 0.0, 1.0), Err(Error::OutOfRange { .. })));
        let empty = tanh_sinh(|p| p.x, 1.0, 1.0).unwrap();
        assert!(empty.value == 0.0);
    }

    #[test]
    fn nothing_to_compare_with_is_no_convergence() {
        let once = TanhSinhParams::default().max_level(0).integrate(|p| p.x.exp(), 0.0, 1.0).unwrap();
        assert!(!once.converged && once.error == f64::INFINITY);
        let huge = tanh_sinh(|_| 1e308, 0.0, 1.0).unwrap();
        assert!(!huge.converged && huge.error == f64::INFINITY, "{huge:?}");
    }
}
