//! Roots and minima of functions of one variable.

/// What [`find_root`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Root {
    /// The best point.
    pub x: f64,
    /// The function there.
    pub residual: f64,
    /// How often the function was evaluated.
    pub evaluations: usize,
    /// Whether a change of sign is enclosed within the tolerance.
    pub converged: bool,
}

/// What [`minimize_scalar`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScalarMinimum {
    /// The best point.
    pub x: f64,
    /// The function there.
    pub value: f64,
    /// How often the function was evaluated.
    pub evaluations: usize,
    /// Whether the point is located within the tolerance.
    pub converged: bool,
}

/// Evaluations at most; bisection alone needs fewer to exhaust the digits of any interval.
const MOST: usize = 2200;

/// A root of a continuous function between `a` and `b`, where it has opposite signs, by Brent's method.
///
/// The root is enclosed to `tolerance + 4ε|x|`. Without a change of sign, or with NaN at an end, `converged` is false and
/// `x` is the end with the smaller modulus of the function. About ten evaluations for smooth functions.
///
/// Reference: R. P. Brent, *Algorithms for Minimization without Derivatives* (1973), chapter 4.
///
/// ```
/// use linalg_core::optim::find_root;
///
/// let root = find_root(|x| x * x - 2.0, 0.0, 2.0, 0.0);
/// assert!(root.converged && (root.x - 2f64.sqrt()).abs() < 1e-15);
/// assert!(!find_root(|x| x * x + 1.0, -1.0, 1.0, 0.0).converged);
/// ```
pub fn find_root<F: FnMut(f64) -> f64>(mut f: F, a: f64, b: f64, tolerance: f64) -> Root {
    let (mut a, mut b) = (a, b);
    let (mut fa, mut fb) = (f(a), f(b));
    let mut evaluations = 2;
    let done = |x, residual, evaluations, converged| Root { x, residual, evaluations, converged };
    if fa == 0.0 {
        return done(a, fa, evaluations, true);
    }
    if fb == 0.0 {
        return done(b, fb, evaluations, true);
    }
    if !(fa < 0.0 && fb > 0.0 || fa > 0.0 && fb < 0.0) {
        let (x, residual) = if fb.is_nan() || fa.abs() < fb.abs() { (a, fa) } else { (b, fb) };
        return done(x, residual, evaluations, false);
    }
    // b is the best point, a the one before, c the other side.
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut before = step;
    while evaluations < MOST {
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            before = step;
        }
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let accuracy = 2.0 * f64::EPSILON * b.abs() + 0.5 * tolerance.max(0.0);
        let half = 0.5 * (c - b);
        if half.abs() <= accuracy || fb == 0.0 {
            return done(b, fb, evaluations, true);
        }
        if before.abs() >= accuracy && fa.abs() > fb.abs() {
            let s = fb / fa;
            let (mut p, mut q) = if (a - c).abs() < f64::MIN_POSITIVE {
                (2.0 * half * s, 1.0 - s)
            } else {
                let (q, r) = (fa / fc, fb / fc);
                (s * (2.0 * half * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
            };
            if p > 0.0 {
                q = -q
            } else {
                p = -p
            }
            if 2.0 * p < (3.0 * half * q - (accuracy * q).abs()).min((before * q).abs()) {
                before = step;
                step = p / q;
            } else {
                step = half;
                before = half;
            }
        } else {
            step = half;
            before = half;
        }
        (a, fa) = (b, fb);
        b += if step.abs() > accuracy { step } else { accuracy.copysign(half) };
        fb = f(b);
        evaluations += 1;
        if fb.is_nan() {
            return done(a, fa, evaluations, false);
        }
    }
    done(b, fb, evaluations, false)
}

/// A local minimum of a function between `a` and `b`, by Brent's combination of golden sections and parabolas.
///
/// Rounding of the function limits the place to about `√ε` of its scale, and `tolerance` below that is raised to it; the
/// value is then right to rounding. If the function has one minimum in the interval, it is the one found. NaN counts as
/// larger than every number.
///
/// Reference: R. P. Brent, *Algorithms for Minimization without Derivatives* (1973), chapter 5.
///
/// ```
/// use linalg_core::optim::minimize_scalar;
///
/// let minimum = minimize_scalar(|x| (x - 1.0).powi(2) + 3.0, -4.0, 5.0, 0.0);
/// assert!(minimum.converged && (minimum.x - 1.0).abs() < 1e-7);
/// assert_eq!(minimum.value, 3.0);
/// ```
pub fn minimize_scalar<F: FnMut(f64) -> f64>(mut f: F, a: f64, b: f64, tolerance: f64) -> ScalarMinimum {
    let golden = 0.5 * (3.0 - 5f64.sqrt());
    let mut value = |x: f64| {
        let y = f(x);
        if y.is_nan() { f64::INFINITY } else { y }
    };
    let (mut low, mut high) = (a.min(b), a.max(b));
    let mut x = low + golden * (high - low);
    let mut fx = value(x);
    let (mut w, mut v, mut fw, mut fv) = (x, x, fx, fx);
    let (mut step, mut before) = (0.0f64, 0.0f64);
    for evaluations in 1..MOST {
        let middle = 0.5 * (low + high);
        let accuracy = f64::EPSILON.sqrt() * x.abs() + (tolerance / 3.0).max(1e-12 * (b - a).abs());
        if (x - middle).abs() <= 2.0 * accuracy - 0.5 * (high - low) {
            return ScalarMinimum { x, value: fx, evaluations, converged: fx.is_finite() };
        }
        let mut golden_step = true;
        if before.abs() > accuracy {
            let r = (x - w) * (fx - fv);
            let q = (x - v) * (fx - fw);
            let mut p = (x - v) * q - (x - w) * r;
            let mut q = 2.0 * (q - r);
            if q > 0.0 {
                p = -p
            } else {
                q = -q
            }
            if p.abs() < (0.5 * q * before).abs() && p > q * (low - x) && p < q * (high - x) {
                before = step;
                step = p / q;
                golden_step = false;
                let u = x + step;
                if u - low < 2.0 * accuracy || high - u < 2.0 * accuracy {
                    step = accuracy.copysign(middle - x);
                }
            }
        }
        if golden_step {
            before = if x < middle { high - x } else { low - x };
            step = golden * before;
        }
        let u = x + if step.abs() >= accuracy { step } else { accuracy.copysign(step) };
        let fu = value(u);
        if fu <= fx {
            if u < x {
                high = x
            } else {
                low = x
            }
            (v, fv, w, fw, x, fx) = (w, fw, x, fx, u, fu);
        } else {
            if u < x {
                low = u
            } else {
                high = u
            }
            if fu <= fw || (w - x).abs() < f64::MIN_POSITIVE {
                (v, fv, w, fw) = (w, fw, u, fu);
            } else if fu <= fv || (v - x).abs() < f64::MIN_POSITIVE || (v - w).abs() < f64::MIN_POSITIVE {
                (v, fv) = (u, fu);
            }
        }
    }
    ScalarMinimum { x, value: fx, evaluations: MOST, converged: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_smooth_steep_and_flat_functions() {
        // x = cos x; x e^x = 1 (Lambert's W); a cube with a root of order three; a step.
        let cosine = find_root(|x| x - x.cos(), 0.0, 1.0, 0.0);
        assert!((cosine.x - 0.739_085_133_215_160_6).abs() < 1e-15 && cosine.converged && cosine.evaluations < 15);
        let lambert = find_root(|x| x * x.exp() - 1.0, -3.0, 20.0, 0.0);
        assert!((lambert.x - 0.567_143_290_409_783_8).abs() < 1e-15 && lambert.converged);
        let cube = find_root(|x| (x - 0.3).powi(3), -5.0, 1.0, 1e-12);
        assert!((cube.x - 0.3).abs() < 1e-5 && cube.converged);
        let step = find_root(|x| if x < 0.7 { -1.0 } else { 1.0 }, 0.0, 1.0, 1e-9);
        assert!((step.x - 0.7).abs() <= 1e-9 && step.converged);
    }

    #[test]
    fn no_change_of_sign_is_said() {
        assert!(!find_root(|x| x * x + 1.0, -1.0, 2.0, 0.0).converged);
        assert!(!find_root(|_| f64::NAN, -1.0, 2.0, 0.0).converged);
        assert!(!find_root(|x| if x.abs() < 0.9 { f64::NAN } else { x }, -1.0, 1.0, 0.0).converged);
        assert!(find_root(|x| x, 0.0, 1.0, 0.0).converged);
    }

    #[test]
    fn minima() {
        let quartic = minimize_scalar(|x| x.powi(4) - x, -2.0, 3.0, 0.0);
        assert!((quartic.x - 0.25f64.cbrt()).abs() < 1e-7 && quartic.converged);
        let kink = minimize_scalar(|x| (x - 0.2).abs(), -1.0, 1.0, 1e-9);
        assert!((kink.x - 0.2).abs() < 1e-8 && kink.converged);
        // At an end of the interval, and beside NaN.
        assert!(minimize_scalar(|x| x, 1.0, 2.0, 0.0).x < 1.0 + 1e-7);
        let edge = minimize_scalar(|x: f64| x.sqrt() - x, -1.0, 9.0, 0.0);
        assert!((edge.x - 9.0).abs() < 1e-6);
        assert!(!minimize_scalar(|_| f64::NAN, 0.0, 1.0, 0.0).converged);
    }
}
