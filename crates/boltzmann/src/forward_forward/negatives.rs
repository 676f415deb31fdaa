//! Where negative data come from.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::rand::{Rng, RngExt};

use super::layers::normalise;
use crate::deep::network::Shape;

/// Negative data.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Negatives {
    /// Supervised: the same row with another label, all alike.
    WrongLabel,
    /// Supervised: another label, drawn from what the network's classifier predicts.
    PredictedLabel,
    /// Unsupervised: two rows mixed by a mask of large spots, so that short-range correlations stay.
    Hybrid,
    /// Unsupervised, by own generation: hybrids that climb the goodness of the first layer by so many steps.
    Generated {
        /// Steps.
        steps: usize,
        /// Root mean square of a step.
        size: f64,
    },
}

impl Negatives {
    /// Whether labels are part of the data.
    pub fn supervised(&self) -> bool {
        matches!(self, Self::WrongLabel | Self::PredictedLabel)
    }
}

/// A label other than `label`: with the probabilities of the others in `p`, or all alike.
pub(super) fn wrong_label<R: Rng + ?Sized>(label: usize, p: Option<&[f32]>, n_classes: usize, rng: &mut R) -> usize {
    if let Some(p) = p {
        let weight = |y: usize| if y == label { 0.0 } else { f64::from(p[y]) };
        let total: f64 = (0..n_classes).map(weight).sum();
        // Where the classifier is sure beyond rounding, all others are alike.
        if total > 1e-30 && total.is_finite() {
            let mut left = rng.random::<f64>() * total;
            let mut last = usize::from(label == 0);
            for y in (0..n_classes).filter(|&y| y != label) {
                last = y;
                left -= weight(y);
                if left < 0.0 {
                    break;
                }
            }
            return last;
        }
    }
    let other = rng.random_range(0..n_classes as u64 - 1) as usize;
    other + usize::from(other >= label)
}

/// A mask of spots: noise, blurred by [1/4, 1/2, 1/4] both ways six times, cut at its mean.
pub(super) fn mask<R: Rng + ?Sized>(n: usize, width: usize, rng: &mut R) -> Vec<bool> {
    let mut values: Vec<f32> = (0..n).map(|_| f32::from(u8::from(rng.random::<bool>()))).collect();
    let mut blurred = values.clone();
    for _ in 0..6 {
        for step in [1, width] {
            for k in 0..n {
                let same_line = |other: usize| step == width || other / width == k / width;
                let before = k.checked_sub(step).filter(|&j| same_line(j)).unwrap_or(k);
                let after = Some(k + step).filter(|&j| j < n && same_line(j)).unwrap_or(k);
                blurred[k] = 0.25 * values[before] + 0.5 * values[k] + 0.25 * values[after];
            }
            std::mem::swap(&mut values, &mut blurred);
        }
    }
    let mean = values.iter().sum::<f32>() / n as f32;
    values.iter().map(|&x| x > mean).collect()
}

/// Moves rows up the goodness of the first layer, by steps of root mean square `size` along its gradient, inside 0 to 1.
pub(super) fn climb(shape: &Shape, parameters: &[f32], rows: &mut [f32], steps: usize, size: f64) {
    let (n, units) = (shape.sizes[0], shape.sizes[1]);
    let (weights, bias) = shape.layer(0, parameters);
    let count = rows.len() / n;
    let (mut y, mut slopes) = (vec![0.0f32; count * units], vec![0.0f32; count * n]);
    for _ in 0..steps {
        let mut inputs = rows.to_vec();
        inputs.chunks_exact_mut(n).for_each(normalise);
        y.chunks_exact_mut(units).for_each(|row| row.copy_from_slice(bias));
        let weights = Matrix::row_major(weights, units, n);
        let out = MatrixMut::row_major(&mut y, count, units);
        gemm(1.0, Matrix::row_major(&inputs, count, n), weights.transposed(), 1.0, out);
        y.iter_mut().for_each(|y| *y = y.max(0.0));
        let out = MatrixMut::row_major(&mut slopes, count, n);
        gemm(2.0, Matrix::row_major(&y, count, units), weights, 0.0, out);
        for ((row, input), slope) in
            rows.chunks_exact_mut(n).zip(inputs.chunks_exact(n)).zip(slopes.chunks_exact_mut(n))
        {
            // The length of the input does not count: the component along it goes.
            let along = input.iter().zip(&*slope).map(|(x, g)| x * g).sum::<f32>() / n as f32;
            slope.iter_mut().zip(input).for_each(|(g, x)| *g -= along * x);
            normalise(slope);
            row.iter_mut().zip(&*slope).for_each(|(x, g)| *x = (*x + size as f32 * g).clamp(0.0, 1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deep::Activation;
    use crate::deep::network::Block;
    use crate::forward_forward::layers::goodness;
    use linalg_core::Streams;

    #[test]
    fn wrong_labels_have_their_probabilities() {
        let mut rng = Streams::new(1).stream(0);
        let p = [0.5, 0.1, 0.3, 0.1];
        let mut counts = [[0; 4]; 2];
        for _ in 0..10_000 {
            counts[0][wrong_label(0, Some(&p), 4, &mut rng)] += 1;
            counts[1][wrong_label(2, None, 4, &mut rng)] += 1;
        }
        // Standard deviation of a count of 10 000: at most 50.
        for (counts, expected) in counts.iter().zip([[0, 2000, 6000, 2000], [3333, 3333, 0, 3333]]) {
            assert!(counts.iter().zip(expected).all(|(&a, b): (&i32, i32)| (a - b).abs() < 225), "{counts:?}");
        }
        assert_eq!(wrong_label(1, Some(&[0.0, 1.0]), 2, &mut rng), 0);
    }

    #[test]
    fn masks_have_spots() {
        let mut rng = Streams::new(2).stream(0);
        let (mut ones, mut equal, mut pairs) = (0, 0, 0);
        for _ in 0..50 {
            let mask = mask(784, 28, &mut rng);
            ones += mask.iter().filter(|x| **x).count();
            for row in mask.chunks(28) {
                equal += row.windows(2).filter(|pair| pair[0] == pair[1]).count();
                pairs += 27;
            }
        }
        // Half of the pixels, and neighbours mostly equal.
        assert!((ones as f64 / (50.0 * 784.0) - 0.5).abs() < 0.05 && equal as f64 > 0.8 * f64::from(pairs));
    }

    #[test]
    fn climbing_raises_the_goodness() {
        let mut rng = Streams::new(3).stream(0);
        let shape = Shape { sizes: vec![9, 12], activations: vec![Activation::Linear] };
        let parameters: Vec<f32> =
            (0..shape.n_parameters()).map(|_| linalg_core::rng::standard_normal(&mut rng) as f32 / 3.0).collect();
        let rows: Vec<f32> = (0..5 * 9).map(|_| rng.random::<f32>()).collect();
        let total = |rows: &[f32]| {
            let mut block = Block::new(&shape, 5);
            block.activities[0].copy_from_slice(rows);
            block.activities[0].chunks_exact_mut(9).for_each(normalise);
            goodness(&shape, &parameters, &mut block)[0].clone()
        };
        let mut moved = rows.clone();
        climb(&shape, &parameters, &mut moved, 5, 0.05);
        assert!(total(&rows).iter().zip(total(&moved)).all(|(before, after)| after > *before));
        assert!(moved.iter().all(|x| (0.0..=1.0).contains(x)));
    }
}
