//! Globally adaptive Gauss-Kronrod integration.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::{Error, Result};

use super::{Integral, check_tolerance, checked};

/// Positive nodes of the 15-point Kronrod rule, descending; those with odd index are Gauss nodes.
const NODES: [f64; 8] = [
    0.9914553711208126,
    0.9491079123427585,
    0.8648644233597691,
    0.7415311855993945,
    0.5860872354676911,
    0.4058451513773972,
    0.20778495500789848,
    0.0,
];
const KRONROD: [f64; 8] = [
    0.022935322010529224,
    0.06309209262997856,
    0.10479001032225019,
    0.14065325971552592,
    0.1690047266392679,
    0.19035057806478542,
    0.20443294007529889,
    0.20948214108472782,
];
const GAUSS: [f64; 4] = [0.1294849661688697, 0.27970539148927664, 0.3818300505051189, 0.4179591836734694];

/// Tolerances of the adaptive integration.
///
/// ```
/// use linalg_core::quadrature::AdaptiveParams;
///
/// let params = AdaptiveParams::default().relative_tolerance(1e-6);
/// let bell = params.integrate(|x| (-x * x).exp(), f64::NEG_INFINITY, f64::INFINITY)?;
/// assert!(bell.converged && (bell.value - std::f64::consts::PI.sqrt()).abs() < 1e-6);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AdaptiveParams {
    /// Absolute tolerance; default 0.
    pub absolute_tolerance: f64,
    /// Tolerance relative to the integral; default 1e-10.
    pub relative_tolerance: f64,
    /// Evaluations of the integrand after which to give up; default 100 000.
    pub max_evaluations: usize,
}

impl Default for AdaptiveParams {
    fn default() -> Self {
        Self { absolute_tolerance: 0.0, relative_tolerance: 1e-10, max_evaluations: 100_000 }
    }
}

impl AdaptiveParams {
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

    /// Sets the largest number of evaluations.
    pub fn max_evaluations(mut self, evaluations: usize) -> Self {
        self.max_evaluations = evaluations;
        self
    }

    /// $`\int_a^b f(x)\,dx`$ with these tolerances; see [`integrate`].
    ///
    /// # Errors
    /// As [`integrate`], and [`Error::OutOfRange`] for a negative or NaN tolerance.
    pub fn integrate<F: FnMut(f64) -> f64>(&self, mut f: F, a: f64, b: f64) -> Result<Integral> {
        check_tolerance("absolute_tolerance", self.absolute_tolerance)?;
        check_tolerance("relative_tolerance", self.relative_tolerance)?;
        for (index, limit) in [a, b].into_iter().enumerate() {
            if limit.is_nan() {
                return Err(Error::NotFinite { what: "limits", index, value: limit });
            }
        }
        if a > b {
            let mut reversed = self.integrate(f, b, a)?;
            reversed.value = -reversed.value;
            return Ok(reversed);
        }
        if a >= b {
            return Ok(Integral { value: 0.0, error: 0.0, evaluations: 0, converged: true });
        }
        match (a.is_finite(), b.is_finite()) {
            (true, true) => self.run(|x| checked(x, f(x)), a, b),
            (true, false) => self.run(|t| half_line(&mut f, t, |u| a + u), 0.0, 1.0),
            (false, true) => self.run(|t| half_line(&mut f, t, |u| b - u), 0.0, 1.0),
            (false, false) => self.run(|t| whole_line(&mut f, t), -1.0, 1.0),
        }
    }

    fn run(&self, mut f: impl FnMut(f64) -> Result<f64>, a: f64, b: f64) -> Result<Integral> {
        let mut evaluations = 15;
        let mut pieces = BinaryHeap::from([Piece::new(&mut f, a, b)?]);
        // Pieces too short to be cut again, or whose error is rounding.
        let mut done: Vec<Piece> = Vec::new();
        loop {
            let all = || pieces.iter().chain(&done);
            let value: f64 = all().map(|piece| piece.value).sum();
            let error: f64 = all().map(|piece| piece.error).sum();
            let tolerance = self.absolute_tolerance.max(self.relative_tolerance * value.abs());
            let converged = value.is_finite() && error <= tolerance;
            let out_of_budget = evaluations + 30 > self.max_evaluations;
            if converged || out_of_budget || pieces.is_empty() {
                return Ok(Integral { value, error, evaluations, converged });
            }
            // Cut every piece that holds more than its share, worst first: the sums above are then taken
            // once for many cuts.
            let share = 0.5 * error / (pieces.len() + done.len()) as f64;
            let mut cuts = Vec::new();
            while let Some(piece) = pieces.peek() {
                if piece.error < share || evaluations + 30 * (cuts.len() + 1) > self.max_evaluations {
                    break;
                }
                cuts.extend(pieces.pop());
            }
            if cuts.is_empty() {
                done.extend(pieces.pop());
            }
            for piece in cuts {
                let middle = 0.5 * (piece.a + piece.b);
                let width = piece.b - piece.a;
                // Next to a singularity at 0 the first bound alone would go on down to subnormal numbers.
                let too_short = width <= 1e-14 * (piece.a.abs() + piece.b.abs()) || width <= 1e-60 * (b - a);
                if too_short || piece.rounding {
                    done.push(piece);
                    continue;
                }
                evaluations += 30;
                pieces.push(Piece::new(&mut f, piece.a, middle)?);
                pieces.push(Piece::new(&mut f, middle, piece.b)?);
            }
        }
    }
}

/// x = a + t/(1-t) or its mirror image, with the Jacobian.
fn half_line(f: &mut impl FnMut(f64) -> f64, t: f64, map: impl Fn(f64) -> f64) -> Result<f64> {
    let rest = 1.0 - t;
    let x = map(t / rest);
    if x.is_infinite() {
        return Ok(0.0);
    }
    Ok(checked(x, f(x))? / rest / rest)
}

/// x = t/(1-t²), with the Jacobian.
fn whole_line(f: &mut impl FnMut(f64) -> f64, t: f64) -> Result<f64> {
    let rest = (1.0 - t) * (1.0 + t);
    let x = t / rest;
    if x.is_infinite() {
        return Ok(0.0);
    }
    Ok(checked(x, f(x))? * (1.0 + t * t) / rest / rest)
}

/// A part of the interval with its integral and error estimate.
struct Piece {
    a: f64,
    b: f64,
    value: f64,
    error: f64,
    /// The error estimate is at the level of rounding: cutting cannot lower it.
    rounding: bool,
}

impl Piece {
    fn new(f: &mut impl FnMut(f64) -> Result<f64>, a: f64, b: f64) -> Result<Self> {
        let (middle, half) = (0.5 * a + 0.5 * b, 0.5 * b - 0.5 * a);
        let mut values = [(0.0, 0.0); 8];
        for (pair, x) in values.iter_mut().zip(&NODES[..7]) {
            *pair = (f(middle - half * x)?, f(middle + half * x)?);
        }
        let centre = f(middle)?;
        // The centre stands once: as a pair with 0.
        values[7] = (centre, 0.0);
        let weighted = |g: &dyn Fn(f64) -> f64| -> f64 {
            let sides = values[..7].iter().zip(&KRONROD);
            sides.map(|(v, w)| w * (g(v.0) + g(v.1))).sum::<f64>() + KRONROD[7] * g(centre)
        };
        let kronrod = weighted(&|v| v);
        let gauss: f64 = (0..4).map(|k| GAUSS[k] * (values[2 * k + 1].0 + values[2 * k + 1].1)).sum();
        let mean = 0.5 * kronrod;
        let modulus = half * weighted(&f64::abs);
        let spread = half * weighted(&|v| (v - mean).abs());
        // The difference overestimates by far; this is QUADPACK's empirical correction (Piessens et al., 1983).
        let mut error = (half * (kronrod - gauss)).abs();
        if spread > 0.0 && error > 0.0 {
            error = spread * (200.0 * error / spread).powf(1.5).min(1.0);
        }
        let floor = 50.0 * f64::EPSILON * modulus;
        Ok(Self { a, b, value: half * kronrod, error: error.max(floor), rounding: error <= floor })
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Piece {}

impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Piece {
    /// By error, then by position, so that the order of cuts is fixed.
    fn cmp(&self, other: &Self) -> Ordering {
        self.error.total_cmp(&other.error).then(other.a.total_cmp(&self.a))
    }
}

/// $`\int_a^b f(x)\,dx`$ to a relative tolerance of 1e-10; the limits may be infinite.
///
/// Gauss-Kronrod rules with 7 and 15 points on a partition that is refined where the error is largest. A half-line is
/// mapped by $`x = a + t/(1-t)`$, the line by $`x = t/(1-t^2)`$. The ends themselves are not evaluated. `a > b` changes the
/// sign.
///
/// Use [`tanh_sinh`](super::tanh_sinh) for singularities at an end, and split the interval at known kinks and narrow
/// peaks: no rule sees a peak that lies between its points.
///
/// ```
/// use linalg_core::quadrature::integrate;
///
/// let integral = integrate(|x| 1.0 / (1.0 + x * x), 0.0, f64::INFINITY)?;
/// assert!(integral.converged);
/// assert!((integral.value - std::f64::consts::FRAC_PI_2).abs() < 1e-10);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`] for a NaN limit, [`Error::Integrand`] where `f` is NaN or infinite.
pub fn integrate<F: FnMut(f64) -> f64>(f: F, a: f64, b: f64) -> Result<Integral> {
    AdaptiveParams::default().integrate(f, a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn the_rule_has_its_degree() {
        // Kronrod's 15 points are exact to degree 23, Gauss's 7 to degree 13.
        for degree in (0..=22).step_by(2) {
            let power = |x: f64| x.powi(degree);
            let exact = 2.0 / f64::from(degree + 1);
            let kronrod: f64 =
                (0..7).map(|k| 2.0 * KRONROD[k] * power(NODES[k])).sum::<f64>() + KRONROD[7] * power(0.0);
            assert!((kronrod - exact).abs() < 1e-15);
            let gauss: f64 =
                (0..3).map(|k| 2.0 * GAUSS[k] * power(NODES[2 * k + 1])).sum::<f64>() + GAUSS[3] * power(0.0);
            assert_eq!((gauss - exact).abs() < 1e-15, degree < 14);
        }
    }

    #[test]
    fn known_integrals() {
        type Case = (fn(f64) -> f64, f64, f64, f64);
        let cases: [Case; 9] = [
            (|x| x.exp(), 0.0, 1.0, 1f64.exp() - 1.0),
            (|x| (50.0 * x).sin(), 0.0, PI, 0.0),
            (|x| x.abs().sqrt(), -1.0, 1.0, 4.0 / 3.0),
            (|x| 1.0 / (1e-6 + x * x), -1.0, 1.0, 2e3 * 1e3f64.atan()),
            (|x| (-x * x / 2.0).exp(), f64::NEG_INFINITY, f64::INFINITY, (2.0 * PI).sqrt()),
            (|x| x * (-x).exp(), 0.0, f64::INFINITY, 1.0),
            (|x| x.exp(), f64::NEG_INFINITY, 2.0, 2f64.exp()),
            (|x| x.powi(3), 2.0, -1.0, -3.75),
            (|_| 0.0, 0.0, 5.0, 0.0),
        ];
        for (i, (f, a, b, exact)) in cases.into_iter().enumerate() {
            let params = AdaptiveParams::default().absolute_tolerance(1e-12);
            let integral = params.integrate(f, a, b).unwrap();
            assert!(integral.converged, "case {i}: {integral:?}");
            let error = (integral.value - exact).abs();
            assert!(error <= integral.error.max(1e-13 * exact.abs()), "case {i}: {error:e}, {integral:?}");
            assert!(integral.evaluations < 3000, "case {i}: {integral:?}");
        }
    }

    #[test]
    fn misses_are_reported() {
        // 1/x diverges: the estimate grows and the flag stays down.
        let integral = integrate(|x| 1.0 / x, 0.0, 1.0).unwrap();
        assert!(!integral.converged && integral.evaluations <= 100_000);
        let params = AdaptiveParams::default().max_evaluations(20);
        let short = params.integrate(|x| (300.0 * x).sin().abs(), 0.0, 1.0).unwrap();
        assert!(!short.converged && short.evaluations == 15);
        // A tolerance below rounding ends with the flag down instead of running on.
        let params = AdaptiveParams::default().relative_tolerance(0.0);
        let strict = params.integrate(f64::exp, 0.0, 1.0).unwrap();
        assert!(!strict.converged && strict.evaluations < 1000);
        assert!((strict.value - (1f64.exp() - 1.0)).abs() < 1e-15);
    }

    #[test]
    fn bad_input() {
        assert!(matches!(
            integrate(|x| 1.0 / x, -1.0, 1.0),
            Err(Error::Integrand { at, value }) if at == 0.0 && value.is_infinite()
        ));
        assert!(matches!(integrate(|x| x, 0.0, f64::NAN), Err(Error::NotFinite { what: "limits", index: 1, .. })));
        let params = AdaptiveParams::default().relative_tolerance(-1.0);
        assert!(matches!(params.integrate(|x| x, 0.0, 1.0), Err(Error::OutOfRange { .. })));
        assert!(integrate(|_| f64::NAN, 1.0, 1.0).unwrap().value == 0.0);
    }

    #[test]
    fn an_overflow_does_not_converge() {
        let huge = integrate(|_| 1e308, 0.0, 1.0).unwrap();
        assert!(!huge.converged || huge.value.is_finite(), "{huge:?}");
    }
}
