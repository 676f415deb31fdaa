//! One-dimensional search with the strong Wolfe conditions.

use super::check_range;

/// Relative size of the rounding error of an objective: differences below it are not taken for rises.
const NOISE: f64 = 1e-12;

/// Constants of the line search.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LineSearchParams {
    /// $`c_1`$ of the sufficient decrease; default 1e-4.
    pub sufficient_decrease: f64,
    /// $`c_2`$ of the curvature condition; default 0.9.
    pub curvature: f64,
    /// Evaluations after which to give up; default 50.
    pub max_evaluations: usize,
    /// Largest step; default 1e20.
    pub max_step: f64,
}

impl Default for LineSearchParams {
    fn default() -> Self {
        Self { sufficient_decrease: 1e-4, curvature: 0.9, max_evaluations: 50, max_step: 1e20 }
    }
}

impl LineSearchParams {
    /// Sets $`c_1`$.
    pub fn sufficient_decrease(mut self, c1: f64) -> Self {
        self.sufficient_decrease = c1;
        self
    }

    /// Sets $`c_2`$.
    pub fn curvature(mut self, c2: f64) -> Self {
        self.curvature = c2;
        self
    }

    /// Sets the largest number of evaluations.
    pub fn max_evaluations(mut self, evaluations: usize) -> Self {
        self.max_evaluations = evaluations;
        self
    }

    /// Sets the largest step.
    pub fn max_step(mut self, step: f64) -> Self {
        self.max_step = step;
        self
    }

    pub(super) fn validate(&self) -> crate::Result<()> {
        check_range("sufficient_decrease", self.sufficient_decrease, f64::MIN_POSITIVE, 0.5)?;
        check_range("curvature", self.curvature, self.sufficient_decrease, 1.0 - f64::EPSILON)?;
        check_range("line search max_evaluations", self.max_evaluations as f64, 1.0, f64::MAX)?;
        check_range("max_step", self.max_step, f64::MIN_POSITIVE, f64::MAX)
    }
}

/// A point on the line.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Point {
    /// Step from the origin of the line.
    pub step: f64,
    /// $`\varphi(\alpha)`$.
    pub value: f64,
    /// $`\varphi'(\alpha)`$.
    pub slope: f64,
}

/// How a line search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum LineSearch {
    /// The point satisfies the strong Wolfe conditions.
    Wolfe(Point),
    /// The evaluations ended, or the step reached its largest value; the point has sufficient decrease only.
    Decrease(Point),
    /// No point with sufficient decrease was found.
    Failed,
    /// At no trial point were value and slope finite; the last such value.
    NotFinite(f64),
}

/// Finds a step $`\alpha > 0`$ with the strong Wolfe conditions
///
/// ```math
/// \varphi(\alpha) \le \varphi(0) + c_1 \alpha \varphi'(0), \qquad |\varphi'(\alpha)| \le c_2\,|\varphi'(0)| .
/// ```
///
/// `phi(α)` returns value and slope. A bracket is grown from the step `first` and then shrunk by cubic interpolation with
/// safeguards (Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6). When the change of the value is lost in
/// rounding, $`10^{-12}\,|\varphi(0)|`$, the decrease is judged by the slopes, $`\varphi'(\alpha) \le (2c_1 - 1)\varphi'(0)`$ (Hager and Zhang, SIAM
/// J. Optim. 16, 170 (2005), Eq. (4.1)). A trial point where value or slope is not finite bounds the step from above.
///
/// ```
/// use linalg_core::optim::line_search::{LineSearch, LineSearchParams, Point, line_search};
///
/// // φ(α) = (α - 3)², from a first step ten times too short.
/// let phi = |a: f64| ((a - 3.0).powi(2), 2.0 * (a - 3.0));
/// let origin = Point { step: 0.0, value: 9.0, slope: -6.0 };
/// let params = LineSearchParams::default().curvature(0.1);
/// let LineSearch::Wolfe(end) = line_search(phi, origin, 0.3, &params)? else { panic!() };
/// assert!(end.slope.abs() <= 0.1 * 6.0 && (end.step - 3.0).abs() <= 0.3);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::OutOfRange`](crate::Error::OutOfRange) when the constants do not satisfy $`0 < c_1 \le c_2 < 1`$,
/// $`c_1 \le \tfrac12`$, when `first` is not positive and finite, or the slope at the origin is not negative and finite.
pub fn line_search<F>(mut phi: F, origin: Point, first: f64, params: &LineSearchParams) -> crate::Result<LineSearch>
where
    F: FnMut(f64) -> (f64, f64),
{
    params.validate()?;
    check_range("first step", first, f64::MIN_POSITIVE, f64::MAX)?;
    check_range("slope at the origin", origin.slope, f64::MIN, -f64::MIN_POSITIVE)?;
    let mut evaluate = |step: f64| {
        let (value, slope) = phi(step);
        Point { step, value, slope }
    };
    Ok(Search { origin, params, noise: NOISE * origin.value.abs() }.run(&mut evaluate, first))
}

struct Search<'a> {
    origin: Point,
    params: &'a LineSearchParams,
    noise: f64,
}

impl Search<'_> {
    fn decreases(&self, p: &Point) -> bool {
        p.value <= self.origin.value + self.params.sufficient_decrease * p.step * self.origin.slope
    }

    fn wolfe(&self, p: &Point) -> bool {
        let Point { value, slope, .. } = self.origin;
        let flat = (p.value - value).abs() <= self.noise;
        let by_slope = p.slope <= (2.0 * self.params.sufficient_decrease - 1.0) * slope;
        p.slope.abs() <= self.params.curvature * slope.abs() && (self.decreases(p) || (flat && by_slope))
    }

    /// Whether the value lies above the line of sufficient decrease, rounding apart.
    fn too_high(&self, p: &Point) -> bool {
        let line = self.params.sufficient_decrease * p.step * self.origin.slope;
        p.value > self.origin.value + line + self.noise
    }

    fn run(&self, evaluate: &mut dyn FnMut(f64) -> Point, first: f64) -> LineSearch {
        let mut before = self.origin;
        let mut step = first.min(self.params.max_step);
        // No step beyond this one: the largest allowed, or the smallest found not to be finite.
        let mut barrier = self.params.max_step;
        let mut bad = None;
        for used in 1..=self.params.max_evaluations {
            let here = evaluate(step);
            if !finite(&here) {
                bad = Some(here.value);
                barrier = step;
                step = before.step + 0.1 * (step - before.step);
                if step <= before.step {
                    break;
                }
                continue;
            }
            if self.wolfe(&here) {
                return LineSearch::Wolfe(here);
            }
            let left = self.params.max_evaluations - used;
            if self.too_high(&here) || (before.step > 0.0 && here.value > before.value + self.noise) {
                return self.zoom(evaluate, before, here, left);
            }
            if here.slope >= 0.0 {
                return self.zoom(evaluate, here, before, left);
            }
            before = here;
            if step >= self.params.max_step {
                break;
            }
            let grown = 5.0 * step;
            let ahead = cubic_minimum(&self.origin, &here).filter(|a| *a > 1.1 * step);
            let next = ahead.unwrap_or(grown).min(grown);
            step = if bad.is_some() { next.min(0.5 * (step + barrier)) } else { next.min(barrier) };
            if step <= before.step {
                break;
            }
        }
        self.best(before, bad)
    }

    /// Shrinks an interval whose end `low` has the lower value, with a slope that points into the interval.
    fn zoom(&self, evaluate: &mut dyn FnMut(f64) -> Point, low: Point, high: Point, left: usize) -> LineSearch {
        let (mut low, mut high) = (low, high);
        for _ in 0..left {
            let width = high.step - low.step;
            // No double between the ends.
            if width.abs() <= 4.0 * f64::EPSILON * low.step.abs().max(high.step.abs()) {
                break;
            }
            let (near, far) = (low.step + 0.1 * width, high.step - 0.1 * width);
            let (first, last) = (near.min(far), near.max(far));
            let middle = 0.5 * (low.step + high.step);
            let step = cubic_minimum(&low, &high).map_or(middle, |a| a.clamp(first, last));
            let here = evaluate(step);
            if !finite(&here) {
                high = Point { step, value: f64::INFINITY, slope: f64::INFINITY };
                continue;
            }
            if self.wolfe(&here) {
                return LineSearch::Wolfe(here);
            }
            if self.too_high(&here) || here.value > low.value + self.noise {
                high = here;
            } else {
                if here.slope * (high.step - low.step) >= 0.0 {
                    high = low;
                }
                low = here;
            }
        }
        self.best(low, None)
    }

    fn best(&self, candidate: Point, bad: Option<f64>) -> LineSearch {
        if candidate.step > 0.0 && self.decreases(&candidate) {
            return LineSearch::Decrease(candidate);
        }
        match bad {
            Some(value) if candidate.step == 0.0 => LineSearch::NotFinite(value),
            _ => LineSearch::Failed,
        }
    }
}

fn finite(p: &Point) -> bool {
    p.value.is_finite() && p.slope.is_finite()
}

/// The minimum of the cubic through two values and slopes; `None` where it has none or is not finite.
fn cubic_minimum(a: &Point, b: &Point) -> Option<f64> {
    let width = b.step - a.step;
    let chord = a.slope + b.slope - 3.0 * (b.value - a.value) / width;
    let discriminant = chord * chord - a.slope * b.slope;
    if discriminant.is_nan() || discriminant < 0.0 {
        return None;
    }
    let root = discriminant.sqrt().copysign(width);
    let step = b.step - width * (b.slope + root - chord) / (b.slope - a.slope + 2.0 * root);
    step.is_finite().then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Line = fn(f64) -> (f64, f64);

    fn run(phi: Line, first: f64, params: &LineSearchParams) -> (LineSearch, usize) {
        let mut evaluations = 0;
        let (value, slope) = phi(0.0);
        let counted = |a: f64| {
            evaluations += 1;
            phi(a)
        };
        let result = line_search(counted, Point { step: 0.0, value, slope }, first, params).unwrap();
        (result, evaluations)
    }

    #[test]
    fn wolfe_points_from_any_first_step() {
        // More and Thuente, ACM Trans. Math. Softw. 20, 286 (1994): their functions 1 to 3, a bowl of unit
        // curvature, and one that is +inf beyond 2.
        let lines: [Line; 5] = [
            |a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)),
            |a| {
                let b = a + 0.004;
                (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
            },
            |a| {
                let (s, c) = (10.0 * std::f64::consts::PI * a).sin_cos();
                (0.5 * (a - 1.0).powi(2) - 0.06 * s, a - 1.0 - 0.6 * std::f64::consts::PI * c)
            },
            |a| (0.5 * (a - 1.0).powi(2) + 7.0, a - 1.0),
            |a| if a < 2.0 { (-a - (2.0 - a).ln(), -1.0 + 1.0 / (2.0 - a)) } else { (f64::INFINITY, 0.0) },
        ];
        for (i, phi) in lines.into_iter().enumerate() {
            for exponent in -4..=4 {
                for c2 in [0.9, 0.1] {
                    let params = LineSearchParams::default().curvature(c2);
                    let first = 10f64.powi(exponent);
                    let (result, evaluations) = run(phi, first, &params);
                    let LineSearch::Wolfe(end) = result else {
                        panic!("line {i}, first {first}, c2 {c2}: {result:?}");
                    };
                    let (value, slope) = phi(0.0);
                    assert!(end.value <= value + 1e-4 * end.step * slope);
                    assert!(end.slope.abs() <= c2 * slope.abs());
                    assert!(evaluations <= 20, "line {i}, first {first}: {evaluations}");
                }
            }
        }
    }

    #[test]
    fn endings_without_wolfe_points() {
        let params = LineSearchParams::default();
        // Unbounded below: the step stops at its largest value.
        let bounded = params.max_step(1e3);
        assert!(matches!(run(|a| (-a, -1.0), 1.0, &bounded).0, LineSearch::Decrease(p) if p.step >= 1e3));
        // A slope of the wrong sign at the origin only: never lower.
        assert_eq!(run(|a| (a, if a > 0.0 { 1.0 } else { -1.0 }), 1.0, &params).0, LineSearch::Failed);
        // Finite at the origin alone.
        let alone: Line = |a| if a > 0.0 { (f64::NAN, f64::NAN) } else { (0.0, -1.0) };
        assert!(matches!(run(alone, 1.0, &params).0, LineSearch::NotFinite(v) if v.is_nan()));
        // The evaluations run out.
        let short = params.max_evaluations(2).curvature(1e-3);
        assert!(matches!(
            run(|a| ((a - 9.0).powi(4), 4.0 * (a - 9.0).powi(3)), 0.1, &short).0,
            LineSearch::Decrease(_)
        ));
    }

    #[test]
    fn rounding_does_not_hide_the_minimum() {
        // A bowl of depth 1e-14 on a height of 1: the values are all equal or one ulp apart.
        let bowl: Line = |a| (1.0 + 1e-14 * (a - 1.0).powi(2), 2e-14 * (a - 1.0));
        let params = LineSearchParams::default().curvature(0.1);
        for first in [0.01, 0.5, 30.0] {
            let LineSearch::Wolfe(end) = run(bowl, first, &params).0 else { panic!("{first}") };
            assert!((end.step - 1.0).abs() <= 0.1 + 1e-9, "{first}");
        }
    }

    #[test]
    fn bad_input() {
        let origin = Point { step: 0.0, value: 0.0, slope: -1.0 };
        let phi = |a: f64| (-a, -1.0);
        for params in [
            LineSearchParams::default().sufficient_decrease(0.0),
            LineSearchParams::default().curvature(1.0),
            LineSearchParams::default().curvature(1e-5),
            LineSearchParams::default().max_evaluations(0),
            LineSearchParams::default().max_step(f64::NAN),
        ] {
            assert!(line_search(phi, origin, 1.0, &params).is_err(), "{params:?}");
        }
        let params = LineSearchParams::default();
        assert!(line_search(phi, origin, 0.0, &params).is_err());
        assert!(line_search(phi, Point { slope: 0.0, ..origin }, 1.0, &params).is_err());
        assert!(line_search(phi, Point { slope: f64::NAN, ..origin }, 1.0, &params).is_err());
    }
}
