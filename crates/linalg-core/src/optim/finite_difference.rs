//! Derivatives from function values, to check analytic ones.

use crate::{Error, Result};

use super::{dot, largest};

/// Gradient of `f` at `x` by central differences of fourth order.
///
/// ```math
/// \partial_i f \approx \frac{8\,[f(x + h e_i) - f(x - h e_i)] - [f(x + 2h e_i) - f(x - 2h e_i)]}{12\,h}, \qquad
/// h = \epsilon^{1/5} \max(|x_i|, 1)
/// ```
///
/// Truncation and rounding both leave about 1e-12 relative to the scale of `f`. 4n evaluations.
///
/// ```
/// use linalg_core::optim::finite_difference::gradient;
///
/// let g = gradient(|x| x[0] * x[0] * x[1], &[3.0, 2.0]);
/// assert!((g[0] - 12.0).abs() < 1e-10 && (g[1] - 9.0).abs() < 1e-10);
/// ```
pub fn gradient<F: FnMut(&[f64]) -> f64>(mut f: F, x: &[f64]) -> Vec<f64> {
    let mut point = x.to_vec();
    let mut derivative = |i: usize| {
        let scale = x[i].abs().max(1.0);
        let mut at = |shift: f64| {
            point[i] = shift;
            let value = f(&point);
            point[i] = x[i];
            value
        };
        // A power of two: x ± h and x ± 2h are then rounded alike.
        let h = f64::EPSILON.powf(0.2).log2().round().exp2() * scale.log2().round().exp2();
        let near = at(x[i] + h) - at(x[i] - h);
        let far = at(x[i] + 2.0 * h) - at(x[i] - 2.0 * h);
        (8.0 * near - far) / (12.0 * h)
    };
    (0..x.len()).map(&mut derivative).collect()
}

/// How an analytic gradient compares with finite differences.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GradientCheck {
    /// Largest difference, divided by the largest modulus of a component of either gradient.
    pub relative_error: f64,
    /// The component with that difference.
    pub index: usize,
    /// What the function says there.
    pub analytic: f64,
    /// What the differences say there.
    pub numeric: f64,
}

/// Compares the gradient that `f(x, gradient) -> value` writes with finite differences of its values.
///
/// A correct gradient of a smooth function has a relative error of 1e-9 or less; a wrong one rarely below 1e-3.
///
/// ```
/// use linalg_core::optim::finite_difference::check_gradient;
///
/// let wrong = |x: &[f64], g: &mut [f64]| {
///     (g[0], g[1]) = (2.0 * x[0], x[1]); // the second should be 2 y
///     x[0] * x[0] + x[1] * x[1]
/// };
/// let check = check_gradient(wrong, &[0.5, 3.0])?;
/// assert!(check.index == 1 && (check.relative_error - 0.5).abs() < 1e-9);
/// # Ok::<(), linalg_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] for no components, [`Error::NotFinite`] when either gradient is not finite.
pub fn check_gradient<F>(mut f: F, x: &[f64]) -> Result<GradientCheck>
where
    F: FnMut(&[f64], &mut [f64]) -> f64,
{
    if x.is_empty() {
        return Err(Error::Empty { what: "x" });
    }
    let mut analytic = vec![0.0; x.len()];
    f(x, &mut analytic);
    super::check_gradient(&analytic)?;
    let mut unused = vec![0.0; x.len()];
    let numeric = gradient(|x| f(x, &mut unused), x);
    if let Some(index) = numeric.iter().position(|g| !g.is_finite()) {
        return Err(Error::NotFinite { what: "finite differences", index, value: numeric[index] });
    }
    let scale = largest(&analytic).max(largest(&numeric)).max(f64::MIN_POSITIVE);
    let difference = |i: usize| (analytic[i] - numeric[i]).abs();
    let index = (0..x.len()).max_by(|&i, &j| difference(i).total_cmp(&difference(j))).unwrap_or(0);
    Ok(GradientCheck {
        relative_error: difference(index) / scale,
        index,
        analytic: analytic[index],
        numeric: numeric[index],
    })
}

/// Derivative of `f` along `direction` at `x`, with the differences of [`gradient()`]; for gradients too long to check
/// component by component.
///
/// ```
/// use linalg_core::optim::finite_difference::directional_derivative;
///
/// let slope = directional_derivative(|x| x[0] * x[1], &[3.0, 2.0], &[1.0, -1.0]);
/// assert!((slope - (2.0 - 3.0)).abs() < 1e-10);
/// ```
///
/// # Panics
/// When the lengths differ.
pub fn directional_derivative<F: FnMut(&[f64]) -> f64>(mut f: F, x: &[f64], direction: &[f64]) -> f64 {
    assert_eq!(x.len(), direction.len(), "direction of {} for {} parameters", direction.len(), x.len());
    let length = dot(direction, direction).sqrt();
    if length == 0.0 {
        return 0.0;
    }
    let along = |t: &[f64]| {
        let moved: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + t[0] * (d / length)).collect();
        f(&moved)
    };
    gradient(along, &[0.0])[0] * length
}
