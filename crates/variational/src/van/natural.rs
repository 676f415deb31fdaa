//! Natural gradients, solved in the space of samples.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use crate::error::check_range;
use crate::scalar::Scalar;
use crate::{Error, Result};
use linalg_core::cholesky::Cholesky;
use linalg_core::threads::for_each;

/// Columns of gradients that are widened at once.
const PANEL: usize = 512;

/// Samples of a block of rows of the Gram matrix.
const BLOCK: usize = 128;

/// Parameters of the natural gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct NaturalParams {
    /// Step size η; default 0.1.
    pub learning_rate: f64,
    /// λ, added to the diagonal of the Fisher matrix; default 0.001.
    pub damping: f64,
}

impl Default for NaturalParams {
    fn default() -> Self {
        Self { learning_rate: 0.1, damping: 1e-3 }
    }
}

impl NaturalParams {
    /// Sets the step size.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Sets the damping.
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_range("learning rate", self.learning_rate, 0.0, f64::MAX, "a finite number >= 0")?;
        check_range("damping", self.damping, f64::MIN_POSITIVE, f64::MAX, "a finite number > 0")
    }
}

/// The direction $`(S + \lambda)^{-1} g`$ from the gradients of single samples.
///
/// Row b of `gradients` is $`o_b = \nabla \ln q(s_b)`$, and `weights` add up to 0. With the centred rows X,
///
/// ```math
/// S = \frac{1}{B} X^T X, \qquad g = X^T w, \qquad
/// (S + \lambda)^{-1} X^T w = X^T \Bigl(\frac{1}{B} X X^T + \lambda\Bigr)^{-1} w
/// ```
///
/// so that only a matrix of the size of the batch is factorised: `B² P + B³/3` operations for P parameters instead of
/// `B P² + P³/3` (Chen and Heyl, Nature Physics 20, 1476 (2024)). S is the Fisher matrix of the batch, so that the step does
/// not depend on how the network is parametrised, up to the damping.
///
/// ```
/// use variational::van::natural_direction;
///
/// // Two samples, two parameters: X = [[1, 0], [-1, 0]], S = [[1, 0], [0, 0]], g = [1, 0].
/// let direction = natural_direction(&[1.0, 3.0, -1.0, 3.0], &[0.5, -0.5], 0.25, 1)?;
/// assert!((direction[0] - 1.0 / 1.25).abs() < 1e-14 && direction[1].abs() < 1e-14);
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a damping that is not positive and finite; [`Error::NotFinite`] for gradients so large that the
/// matrix is none.
///
/// # Panics
/// If the gradients are no whole number of rows, one for each weight.
pub fn natural_direction<T: Scalar>(
    gradients: &[T],
    weights: &[f64],
    damping: f64,
    threads: usize,
) -> Result<Vec<f64>> {
    NaturalParams::default().damping(damping).validate()?;
    let batch = weights.len();
    if batch == 0 {
        assert!(gradients.is_empty(), "{} numbers for no samples", gradients.len());
        return Ok(Vec::new());
    }
    let parameters = gradients.len() / batch;
    assert_eq!(gradients.len(), parameters * batch, "{} numbers for {batch} samples", gradients.len());
    let mut gram = gram(gradients, batch, parameters, threads);
    centre(&mut gram, batch);
    let per = 1.0 / batch as f64;
    gram.iter_mut().for_each(|k| *k *= per);
    for i in 0..batch {
        gram[i * batch + i] += damping;
    }
    let trace = (0..batch).map(|i| gram[i * batch + i]).sum::<f64>();
    let factor = Cholesky::new(gram, batch).ok();
    let factor =
        factor.ok_or(Error::NotFinite { what: "trace of the Gram matrix of sample", index: 0, value: trace })?;
    let mut alpha = weights.to_vec();
    factor.solve(&mut alpha);
    let mean = alpha.iter().sum::<f64>() * per;
    let mut direction = vec![0.0; parameters];
    for (row, alpha) in gradients.chunks_exact(parameters.max(1)).zip(&alpha) {
        let alpha = alpha - mean;
        direction.iter_mut().zip(row).for_each(|(d, &o)| *d += alpha * o.to_f64());
    }
    Ok(direction)
}

/// `O Oᵀ` in 64 bits, panel by panel of parameters.
fn gram<T: Scalar>(gradients: &[T], batch: usize, parameters: usize, threads: usize) -> Vec<f64> {
    let mut gram = vec![0.0; batch * batch];
    let mut panel = Vec::with_capacity(batch * PANEL);
    for first in (0..parameters).step_by(PANEL) {
        let width = PANEL.min(parameters - first);
        panel.clear();
        for row in gradients.chunks_exact(parameters) {
            panel.extend(row[first..first + width].iter().map(|x| x.to_f64()));
        }
        let panel = &panel;
        let mut blocks: Vec<(usize, &mut [f64])> = gram.chunks_mut(BLOCK * batch).enumerate().collect();
        for_each(threads, &mut blocks, |(k, block)| {
            let rows = block.len() / batch;
            gemm(
                1.0,
                Matrix::row_major(&panel[*k * BLOCK * width..], rows, width),
                Matrix::row_major(panel, batch, width).transposed(),
                1.0,
                MatrixMut::row_major(block, rows, batch),
            );
        });
    }
    gram
}

/// What the Gram matrix is when the mean row is taken from every row.
fn centre(gram: &mut [f64], n: usize) {
    let means: Vec<f64> = gram.chunks_exact(n).map(|row| row.iter().sum::<f64>() / n as f64).collect();
    let mean = means.iter().sum::<f64>() / n as f64;
    for (row, own) in gram.chunks_exact_mut(n).zip(&means) {
        row.iter_mut().zip(&means).for_each(|(k, other)| *k += mean - own - other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use rand::RngExt;

    #[test]
    fn the_direction_solves_the_dense_fisher_equations() {
        let mut rng = Streams::new(3).stream(0);
        for (batch, parameters) in [(5, 12), (40, 7), (150, 600)] {
            let gradients: Vec<f64> = (0..batch * parameters).map(|_| 2.0 * rng.random::<f64>() - 0.7).collect();
            let mut weights: Vec<f64> = (0..batch).map(|_| rng.random::<f64>()).collect();
            let mean = weights.iter().sum::<f64>() / batch as f64;
            weights.iter_mut().for_each(|w| *w -= mean);
            let direction = natural_direction(&gradients, &weights, 0.01, 1).unwrap();
            // S + λ and g, written out.
            let means: Vec<f64> =
                (0..parameters).map(|p| (0..batch).map(|b| gradients[b * parameters + p]).sum::<f64>()).collect();
            let x = |b: usize, p: usize| gradients[b * parameters + p] - means[p] / batch as f64;
            let mut fisher = vec![0.0; parameters * parameters];
            for p in 0..parameters {
                for r in 0..parameters {
                    let sum: f64 = (0..batch).map(|b| x(b, p) * x(b, r)).sum();
                    fisher[p * parameters + r] = sum / batch as f64 + if p == r { 0.01 } else { 0.0 };
                }
            }
            let mut dense: Vec<f64> = (0..parameters).map(|p| (0..batch).map(|b| x(b, p) * weights[b]).sum()).collect();
            Cholesky::new(fisher, parameters).unwrap().solve(&mut dense);
            for (mine, dense) in direction.iter().zip(&dense) {
                approx::assert_abs_diff_eq!(mine, dense, epsilon = 1e-9);
            }
            let threaded = natural_direction(&gradients, &weights, 0.01, 3).unwrap();
            assert!(threaded.iter().zip(&direction).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    #[test]
    fn bad_input_is_named() {
        let error = natural_direction(&[1.0, 2.0], &[0.5, -0.5], 0.0, 1).unwrap_err().to_string();
        assert_eq!(error, "damping is 0, expected a finite number > 0");
        assert!(matches!(
            natural_direction(&[f64::NAN, 2.0], &[0.5, -0.5], 0.1, 1),
            Err(Error::NotFinite { value, .. }) if value.is_nan()
        ));
        assert_eq!(natural_direction::<f32>(&[], &[], 0.1, 1).unwrap(), [0.0; 0]);
    }
}
