//! Sums over pairs of points with the softened kernel.

/// Potentials of sources at targets, and their gradients.
///
/// ```math
/// \phi_i = \sum_n w_n\, k(x_i - y_n), \qquad k(d) = \frac{1}{\sqrt{|d|^2 + a^2}}.
/// ```
///
/// A source at a target counts with $`1/a`$ and no gradient. Tree codes can take the place of [`DirectSum`].
pub trait PairPotential<const D: usize>: Clone + Send + Sync {
    /// Writes potentials and gradients by the position of the target.
    ///
    /// # Panics
    /// Implementations panic when strengths and sources, or potentials, gradients and targets, differ in number.
    fn sum(
        &self,
        softening: f64,
        sources: (&[[f64; D]], &[f64]),
        targets: &[[f64; D]],
        potentials: &mut [f64],
        gradients: &mut [[f64; D]],
    );
}

/// The sum itself: sources times targets kernel evaluations.
///
/// ```
/// use physics_inference::predict::{DirectSum, PairPotential};
///
/// let (mut potential, mut gradient) = ([0.0], [[0.0; 3]]);
/// let sources: (&[_], &[_]) = (&[[0.0; 3], [0.0, 4.0, 0.0]], &[2.0, 10.0]);
/// DirectSum.sum(3.0, sources, &[[0.0; 3]], &mut potential, &mut gradient);
/// assert!((potential[0] - (2.0 / 3.0 + 10.0 / 5.0)).abs() < 1e-15);
/// assert!((gradient[0][1] - 10.0 * 4.0 / 125.0).abs() < 1e-15); // uphill is towards the charge
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DirectSum;

impl<const D: usize> PairPotential<D> for DirectSum {
    fn sum(
        &self,
        softening: f64,
        (sources, strengths): (&[[f64; D]], &[f64]),
        targets: &[[f64; D]],
        potentials: &mut [f64],
        gradients: &mut [[f64; D]],
    ) {
        assert_eq!(sources.len(), strengths.len(), "{} sources with {} strengths", sources.len(), strengths.len());
        let places = (potentials.len(), gradients.len());
        assert_eq!(places, (targets.len(), targets.len()), "places {places:?} for {} targets", targets.len());
        for ((x, potential), gradient) in targets.iter().zip(potentials).zip(gradients) {
            let (mut phi, mut slope) = (0.0, [0.0; D]);
            for (y, w) in sources.iter().zip(strengths) {
                let mut square = softening * softening;
                let d: [f64; D] = std::array::from_fn(|k| x[k] - y[k]);
                d.iter().for_each(|d| square += d * d);
                let kernel = 1.0 / square.sqrt();
                phi += w * kernel;
                let factor = w * kernel / square;
                slope.iter_mut().zip(&d).for_each(|(s, d)| *s -= factor * d);
            }
            *potential = phi;
            *gradient = slope;
        }
    }
}
