//! From a field to a probability.

/// The smallest probability under the sine link: its tails would be 0.
const SINE_FLOOR: f64 = 1e-4;

/// How the mean of a variable follows from its field f.
///
/// All three agree to first order, $`E[b] = f + O(f^3)`$.
///
/// ```
/// use physics_inference::predict::Link;
///
/// assert_eq!(Link::Tanh.probability(0.0), 0.5);
/// assert!((Link::Tanh.probability(0.5) - 1.0 / (1.0 + (-1.0f64).exp())).abs() < 1e-15);
/// assert_eq!(Link::Linear { clip: 0.01 }.probability(3.0), 0.99);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Link {
    /// $`E[b] = \tanh f`$, logistic regression; the loss is convex in f.
    Tanh,
    /// $`E[b] = \sin f`$, the spin-1/2 turned by the field; probabilities are mixed with a half to stay above 1e-4. Not monotone
    /// beyond $`|f| = \pi/2`$.
    Sine,
    /// $`E[b] = f`$, fitted by least squares; probabilities are kept within `clip` and `1 - clip`.
    Linear {
        /// Smallest probability.
        clip: f64,
    },
}

impl Link {
    /// Probability of +1.
    #[inline]
    pub fn probability(self, f: f64) -> f64 {
        match self {
            Self::Tanh => 1.0 / (1.0 + (-2.0 * f).exp()),
            Self::Sine => SINE_FLOOR + (1.0 - 2.0 * SINE_FLOOR) * 0.5 * (1.0 + f.sin()),
            Self::Linear { clip } => (0.5 * (1.0 + f)).clamp(clip, 1.0 - clip),
        }
    }

    /// What is minimised in a fit for outcome `b`, and minus its derivative by the field.
    #[inline]
    pub(crate) fn loss(self, f: f64, b: f64) -> (f64, f64) {
        match self {
            Self::Tanh => {
                let x = 2.0 * b * f;
                // ln(1 + e^{-x}) and the residual b - tanh f without overflow, from one exponential.
                let small = (-x.abs()).exp();
                let value = small.ln_1p() + (-x).max(0.0);
                let wrong = if x > 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) };
                (value, 2.0 * b * wrong)
            }
            Self::Sine => {
                let p = SINE_FLOOR + (1.0 - 2.0 * SINE_FLOOR) * 0.5 * (1.0 + b * f.sin());
                (-p.ln(), (1.0 - 2.0 * SINE_FLOOR) * 0.5 * b * f.cos() / p)
            }
            Self::Linear { .. } => (0.5 * (b - f) * (b - f), b - f),
        }
    }

    /// Mean squared derivative of the loss at this field: the weight of a step in the Fisher matrix.
    #[inline]
    pub(crate) fn curvature(self, f: f64) -> f64 {
        match self {
            Self::Tanh => {
                let mean = f.tanh();
                1.0 - mean * mean
            }
            Self::Sine | Self::Linear { .. } => 1.0,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tanh => "tanh",
            Self::Sine => "sine",
            Self::Linear { .. } => "linear",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_are_derivatives() {
        for link in [Link::Tanh, Link::Sine, Link::Linear { clip: 0.01 }] {
            for f in [-30.0, -1.2, -0.1, 0.0, 0.4, 1.5, 25.0] {
                for b in [-1.0, 1.0] {
                    let (value, residual) = link.loss(f, b);
                    let h = 1e-6;
                    let numeric = -(link.loss(f + h, b).0 - link.loss(f - h, b).0) / (2.0 * h);
                    assert!((residual - numeric).abs() < 1e-6 * (1.0 + residual.abs()), "{link:?} {f} {b}");
                    let p = link.probability(f);
                    let outcome = if b > 0.0 { p } else { 1.0 - p };
                    if matches!(link, Link::Sine) || (link == Link::Tanh && f.abs() < 10.0) {
                        assert!((value + outcome.ln()).abs() < 1e-9, "{link:?} {f} {b}");
                    }
                    assert!((0.0..=1.0).contains(&p));
                }
            }
        }
    }
}
