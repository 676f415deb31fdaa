//! Potentials given by a function.

use std::fmt;

use super::Potential;

type Value = Box<dyn Fn(&[f64]) -> f64 + Send + Sync>;
type Gradient = Box<dyn Fn(&[f64], &mut [f64]) + Send + Sync>;

/// A potential given by a function, with or without its gradient.
///
/// ```
/// use path_integral_nn::potential::{Closure, Potential};
///
/// let morse = Closure::one_dimensional(|x| (1.0 - (-x).exp()).powi(2));
/// let mut slope = [0.0];
/// morse.gradient(&[0.5], &mut slope);
/// let exact = 2.0 * (1.0 - (-0.5f64).exp()) * (-0.5f64).exp();
/// assert!((slope[0] - exact).abs() < 1e-9);
///
/// // Two coordinates with a gradient of their own.
/// let coupled = Closure::new(2, |x| 0.5 * (x[0] - x[1]).powi(2)).with_gradient(|x, out| {
///     out[0] = x[0] - x[1];
///     out[1] = x[1] - x[0];
/// });
/// assert_eq!(coupled.value(&[3.0, 1.0]), 2.0);
/// ```
pub struct Closure {
    dim: usize,
    value: Value,
    gradient: Option<Gradient>,
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gradient = self.gradient.is_some();
        f.debug_struct("Closure").field("dim", &self.dim).field("gradient", &gradient).finish_non_exhaustive()
    }
}

impl Closure {
    /// A function of a point of `dim` coordinates.
    ///
    /// # Panics
    /// When `dim` is 0.
    pub fn new<F: Fn(&[f64]) -> f64 + Send + Sync + 'static>(dim: usize, value: F) -> Self {
        assert!(dim > 0, "a potential of 0 coordinates");
        Self { dim, value: Box::new(value), gradient: None }
    }

    /// A function of one coordinate.
    pub fn one_dimensional<F: Fn(f64) -> f64 + Send + Sync + 'static>(value: F) -> Self {
        Self::new(1, move |x| value(x[0]))
    }

    /// Supplies the gradient, which is otherwise a central difference.
    #[must_use]
    pub fn with_gradient<F: Fn(&[f64], &mut [f64]) + Send + Sync + 'static>(mut self, gradient: F) -> Self {
        self.gradient = Some(Box::new(gradient));
        self
    }

    /// By differences of the value, for potentials without a gradient.
    fn differences(&self, x: &[f64], out: &mut [f64]) {
        struct ValueOnly<'a>(&'a Value);
        impl fmt::Debug for ValueOnly<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("ValueOnly")
            }
        }
        impl Potential for ValueOnly<'_> {
            fn value(&self, x: &[f64]) -> f64 {
                (self.0)(x)
            }
        }
        ValueOnly(&self.value).gradient(x, out);
    }
}

impl Potential for Closure {
    fn dim(&self) -> usize {
        self.dim
    }

    fn value(&self, x: &[f64]) -> f64 {
        (self.value)(x)
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        match &self.gradient {
            Some(gradient) => gradient(x, out),
            None => self.differences(x, out),
        }
    }
}
