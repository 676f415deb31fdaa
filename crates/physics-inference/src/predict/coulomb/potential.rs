//! Sums over pairs of points with the softened kernel.

use crate::tree::{Octree, OctreeParams, Targets};

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

/// The sum by an [`Octree`], built anew for every call: $`O((N + M) \log N)`$ for N sources and M targets.
///
/// The softening of the parameters is not used, that of the call is. Where no tree can be built, without softening or with
/// a place that is not finite, the sum is direct.
///
/// ```
/// use physics_inference::predict::{DirectSum, PairPotential, TreeSum};
///
/// // A thousand charges of both signs on a spiral.
/// let place = |k: usize| { let t = k as f64 * 0.1; [t.cos() * t, t.sin() * t, t] };
/// let places: Vec<[f64; 3]> = (0..1000).map(place).collect();
/// let charges: Vec<f64> = (0..1000).map(|k| if k % 3 == 0 { 1.0 } else { -0.5 }).collect();
/// let run = |sum: &dyn Fn(&mut [f64], &mut [[f64; 3]])| {
///     let (mut phi, mut slope) = (vec![0.0; 1000], vec![[0.0; 3]; 1000]);
///     sum(&mut phi, &mut slope);
///     phi
/// };
/// let tree = run(&|phi, slope| TreeSum::default().sum(0.2, (&places, &charges), &places, phi, slope));
/// let direct = run(&|phi, slope| DirectSum.sum(0.2, (&places, &charges), &places, phi, slope));
/// let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
/// let off: Vec<f64> = tree.iter().zip(&direct).map(|(a, b)| a - b).collect();
/// assert!(square(&off) < 1e-6 * square(&direct));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TreeSum {
    /// Accuracy and effort.
    pub params: OctreeParams,
}

impl<const D: usize> PairPotential<D> for TreeSum {
    fn sum(
        &self,
        softening: f64,
        sources: (&[[f64; D]], &[f64]),
        targets: &[[f64; D]],
        potentials: &mut [f64],
        gradients: &mut [[f64; D]],
    ) {
        let (places, strengths) = sources;
        assert_eq!(places.len(), strengths.len(), "{} sources with {} strengths", places.len(), strengths.len());
        let tree = Octree::new(places, self.params.softening(softening)).and_then(|mut tree| {
            tree.set_charges(strengths)?;
            Ok((tree, Targets::new(targets)?))
        });
        match tree {
            Ok((tree, targets)) => tree.potential_and_gradient(&targets, potentials, gradients),
            Err(_) => DirectSum.sum(softening, sources, targets, potentials, gradients),
        }
    }
}

#[cfg(test)]
mod tests {
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    use super::*;

    #[test]
    fn tree_and_direct_sum_agree_with_their_gradients() {
        let mut rng = Streams::new(21).stream(0);
        let mut points = |n: usize| -> Vec<[f64; 3]> {
            (0..n).map(|_| std::array::from_fn(|_| rng.random_range(-3.0..3.0))).collect()
        };
        let (sources, targets) = (points(2000), points(300));
        let charges: Vec<f64> = (0..2000).map(|k| f64::from(k % 5) - 2.0).collect();
        let (mut phi, mut slope) = (vec![0.0; 300], vec![[0.0; 3]; 300]);
        let (mut exact, mut exact_slope) = (phi.clone(), slope.clone());
        TreeSum::default().sum(0.2, (&sources, &charges), &targets, &mut phi, &mut slope);
        DirectSum.sum(0.2, (&sources, &charges), &targets, &mut exact, &mut exact_slope);
        let rms = |x: &mut dyn Iterator<Item = f64>| (x.map(|x| x * x).sum::<f64>() / 300.0).sqrt();
        let off = rms(&mut phi.iter().zip(&exact).map(|(a, b)| a - b));
        assert!(off < 1e-3 * rms(&mut exact.iter().copied()), "{off}");
        let off = rms(&mut slope.iter().flatten().zip(exact_slope.iter().flatten()).map(|(a, b)| a - b));
        assert!(off < 2e-3 * rms(&mut exact_slope.iter().flatten().copied()), "{off}");
    }

    #[test]
    fn without_a_tree_the_sum_is_direct() {
        let (mut phi, mut slope) = ([0.0], [[0.0; 2]]);
        TreeSum::default().sum(0.0, (&[[3.0, 4.0]], &[2.0]), &[[0.0; 2]], &mut phi, &mut slope);
        assert!((phi[0] - 0.4).abs() < 1e-15 && (slope[0][0] - 2.0 * 3.0 / 125.0).abs() < 1e-15);
        TreeSum::default().sum(0.1, (&[[f64::NAN, 4.0]], &[2.0]), &[[0.0; 2]], &mut phi, &mut slope);
        assert!(phi[0].is_nan());
    }
}
