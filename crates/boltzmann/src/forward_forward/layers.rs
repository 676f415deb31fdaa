//! What a layer computes, and how it learns by itself.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::logspace::{sigmoid, softplus};

use crate::deep::network::{Block, Real, Shape};

/// Brings a row to the length √n; a row of zeros stays.
pub(super) fn normalise<T: Real>(row: &mut [T]) {
    let squares: f64 = row.iter().map(|x| x.to_f64() * x.to_f64()).sum();
    let scale = (row.len() as f64 / squares.max(1e-30)).sqrt();
    let scale = T::of(if squares > 0.0 { scale } else { 0.0 });
    row.iter_mut().for_each(|x| *x = *x * scale);
}

/// The features that the classifier reads: the activities of all layers but the first, or of the first where there is no other.
pub(super) fn n_features(shape: &Shape) -> usize {
    shape.sizes[first_feature(shape)..].iter().sum()
}

fn first_feature(shape: &Shape) -> usize {
    if shape.sizes.len() > 2 { 2 } else { 1 }
}

/// Copies the features of the rows of a block, after [`goodness`].
pub(super) fn features<T: Real>(shape: &Shape, block: &Block<T>, out: &mut [T]) {
    let first = first_feature(shape);
    let total = n_features(shape);
    let mut start = 0;
    for (n, activities) in shape.sizes[first..].iter().zip(&block.activities[first..]) {
        for (row, out) in activities.chunks_exact(*n).zip(out.chunks_exact_mut(total)) {
            out[start..start + n].copy_from_slice(row);
        }
        start += n;
    }
}

/// The goodness of every layer and row, `G = Σ y²`. The inputs of the block must have their length; its activities become those of
/// each layer, brought to length, and the derivatives hold the activities as they were.
pub(super) fn goodness<T: Real>(shape: &Shape, parameters: &[T], block: &mut Block<T>) -> Vec<Vec<f64>> {
    let mut all = Vec::with_capacity(shape.sizes.len() - 1);
    for k in 0..shape.sizes.len() - 1 {
        let (weights, bias) = shape.layer(k, parameters);
        let (inputs, outputs) = (shape.sizes[k], shape.sizes[k + 1]);
        let rows = block.rows();
        let (below, above) = block.activities.split_at_mut(k + 1);
        let out = &mut block.deltas[k];
        out.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(bias));
        gemm(
            T::ONE,
            Matrix::row_major(&below[k], rows, inputs),
            Matrix::row_major(weights, outputs, inputs).transposed(),
            T::ONE,
            MatrixMut::row_major(out, rows, outputs),
        );
        let mut layer = Vec::with_capacity(rows);
        for (row, above) in out.chunks_exact_mut(outputs).zip(above[0].chunks_exact_mut(outputs)) {
            let mut squares = 0.0;
            for (y, above) in row.iter_mut().zip(above.iter_mut()) {
                *y = if *y > T::ZERO { *y } else { T::ZERO };
                squares += y.to_f64() * y.to_f64();
                *above = *y;
            }
            normalise(above);
            layer.push(squares);
        }
        all.push(layer);
    }
    all
}

/// Derivatives of the loss of each layer by its own fields, after [`goodness`]: `-ln σ(G - θ)` for data and `-ln σ(θ - G)` for negative
/// data, with θ = `threshold` times the number of units; returns the sum over rows and layers.
///
/// `peers` is added to the derivatives by active units of data: it pulls the mean activities of a layer together.
pub(super) fn local_deltas<T: Real>(
    shape: &Shape,
    block: &mut Block<T>,
    goodness: &[Vec<f64>],
    data: bool,
    threshold: f64,
    scale: f64,
    peers: Option<&[Vec<f32>]>,
) -> f64 {
    let mut loss = 0.0;
    for (k, layer) in goodness.iter().enumerate() {
        let outputs = shape.sizes[k + 1];
        for (row, g) in block.deltas[k].chunks_exact_mut(outputs).zip(layer) {
            let excess = g - threshold * outputs as f64;
            let sign = if data { -1.0 } else { 1.0 };
            loss += softplus(sign * excess);
            let factor = T::of(2.0 * scale * sign * sigmoid(sign * excess));
            match peers {
                None => row.iter_mut().for_each(|y| *y = *y * factor),
                Some(peers) => {
                    for (y, pull) in row.iter_mut().zip(&peers[k]) {
                        if *y > T::ZERO {
                            *y = *y * factor + T::of(scale * f64::from(*pull));
                        }
                    }
                }
            }
        }
    }
    scale * loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deep::Activation;
    use crate::deep::network::gradient_of_piece;
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    /// The derivatives of each layer's own loss by its own parameters, against finite differences in `f64`.
    #[test]
    fn local_derivatives_are_those_of_finite_differences() {
        let shape = Shape { sizes: vec![5, 6, 4], activations: vec![Activation::Linear; 2] };
        let mut rng = Streams::new(1).stream(0);
        let mut normals = |n: usize| (0..n).map(|_| standard_normal(&mut rng)).collect::<Vec<f64>>();
        let (parameters, mut inputs) = (normals(shape.n_parameters()), normals(3 * 5));
        inputs.chunks_exact_mut(5).for_each(normalise);
        assert!((inputs[..5].iter().map(|x| x * x).sum::<f64>() - 5.0).abs() < 1e-12);
        for data in [true, false] {
            let run = |parameters: &[f64]| {
                let mut block = Block::new(&shape, 3);
                block.activities[0].copy_from_slice(&inputs);
                let goodness = goodness(&shape, parameters, &mut block);
                local_deltas(&shape, &mut block, &goodness, data, 1.5, 0.25, None);
                (block, goodness)
            };
            let loss = |layer: &[f64], units: f64| -> f64 {
                let sign = if data { -1.0 } else { 1.0 };
                layer.iter().map(|g| 0.25 * softplus(sign * (g - 1.5 * units))).sum()
            };
            let (block, _) = run(&parameters);
            let mut gradient = vec![0.0; shape.n_parameters()];
            let mut rest = &mut gradient[..];
            for piece in shape.pieces() {
                let own = rest.split_off_mut(..shape.len(piece)).unwrap();
                gradient_of_piece(&shape, piece, std::slice::from_ref(&block), own);
            }
            for (layer, range) in [(0, 0..36), (1, 36..64)] {
                let value = |own: &[f64]| {
                    let mut all = parameters.clone();
                    all[range.clone()].copy_from_slice(own);
                    loss(&run(&all).1[layer], [6.0, 4.0][layer])
                };
                let numeric = linalg_core::optim::finite_difference::gradient(value, &parameters[range.clone()]);
                for (a, b) in gradient[range.clone()].iter().zip(&numeric) {
                    assert!((a - b).abs() < 1e-7, "layer {layer}, data {data}: {a} {b}");
                }
            }
        }
    }

    /// A layer of one unit with weights 1, -1 and input (3, 1): length √2 instead of √10, y = 2/√5, G = 4/5.
    #[test]
    fn goodness_by_hand() {
        let shape = Shape { sizes: vec![2, 1], activations: vec![Activation::Linear] };
        let mut block: Block<f64> = Block::new(&shape, 1);
        block.activities[0].copy_from_slice(&[3.0f64, 1.0]);
        normalise(&mut block.activities[0]);
        let all = goodness(&shape, &[1.0, -1.0, 0.0], &mut block);
        assert!((all[0][0] - 0.8).abs() < 1e-12 && (block.activities[1][0] - 1.0).abs() < 1e-12);
        let mut zeros = [0.0f32; 3];
        normalise(&mut zeros);
        assert!(zeros.iter().all(|x| x.abs() < 1e-30));
    }
}
