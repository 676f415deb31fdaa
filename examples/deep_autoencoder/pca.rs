//! Principal components: the best linear code.

use linalg_core::eigen::symmetric_eigen;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use workspace_examples::grey_images::GreyImages;

/// The squared error a test image that `n` principal components of the training images leave.
pub fn squared_error(train: &GreyImages, test: &GreyImages, n: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let d = train.n_pixels();
    let mean = mean(&train.pixels, d);
    let basis = components(&train.pixels, d, n.min(d))?;
    let mut error = 0.0;
    for row in test.pixels.chunks_exact(d) {
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| f64::from(*x) - m).collect();
        let all: f64 = centred.iter().map(|x| x * x).sum();
        let kept: f64 = basis
            .iter()
            .map(|direction| direction.iter().zip(&centred).map(|(a, b)| a * b).sum::<f64>())
            .map(|x| x * x)
            .sum();
        error += all - kept;
    }
    Ok(error / test.len() as f64)
}

/// The mean row.
pub fn mean(rows: &[f32], d: usize) -> Vec<f64> {
    let mut mean = vec![0.0; d];
    for row in rows.chunks_exact(d) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += f64::from(*x));
    }
    let n = (rows.len() / d) as f64;
    mean.iter_mut().for_each(|mean| *mean /= n);
    mean
}

/// The `n` directions of largest variance.
pub fn components(rows: &[f32], d: usize, n: usize) -> Result<Vec<Vec<f64>>, Box<dyn std::error::Error>> {
    let mean = mean(rows, d);
    let mut covariance = vec![0.0; d * d];
    for block in rows.chunks(512 * d) {
        let centred: Vec<f64> =
            block.chunks_exact(d).flat_map(|row| row.iter().zip(&mean).map(|(x, m)| f64::from(*x) - m)).collect();
        let centred = Matrix::row_major(&centred, block.len() / d, d);
        gemm(1.0, centred.transposed(), centred, 1.0, MatrixMut::row_major(&mut covariance, d, d));
    }
    // Symmetric beyond rounding.
    for i in 0..d {
        for k in 0..i {
            covariance[i * d + k] = covariance[k * d + i];
        }
    }
    let eigen = symmetric_eigen(&covariance, d)?;
    Ok((0..n).map(|k| eigen.vector(d - 1 - k).to_vec()).collect())
}
