//! Standard errors of couplings that were fitted spin by spin.

use linalg_core::cholesky::Cholesky;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::Loss;
use super::columns::{Columns, Neighborhood, evaluate, hessian};
use crate::Result;

/// Samples that are looked at together.
const BLOCK: usize = 64;

/// Standard errors of couplings (n x n) and fields.
///
/// Moving the weight of sample m by ε moves the fit of spin i by `-ε H_i⁻¹ g_{im}`, H the Hessian and g the gradient of one
/// sample; `J_ij` is the mean of two fits, and its variance is that of the mean of the two influences over the number of
/// samples (the sandwich estimator). At the true parameters of a pseudolikelihood `⟨g gᵀ⟩ = H`, the Fisher information of a
/// spin given the others.
pub(super) fn errors(
    columns: &Columns,
    loss: Loss,
    neighborhoods: &[Neighborhood],
    points: &[&[f64]],
    l2: f64,
    number: f64,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let n = columns.n_spins;
    // n x n, with zeros for variables that are not there.
    let mut inverses = Vec::with_capacity(n);
    for (neighborhood, point) in neighborhoods.iter().zip(points) {
        let variables = &neighborhood.variables;
        let d = variables.len();
        let mut matrix = hessian::<f64>(columns, loss, neighborhood, point, columns.n_samples);
        (0..d).filter(|&k| variables[k] != neighborhood.spin).for_each(|k| matrix[k * d + k] += l2);
        let inverse = Cholesky::new(matrix, d)?.inverse();
        let mut full = vec![0.0; n * n];
        for (a, &j) in variables.iter().enumerate() {
            for (b, &k) in variables.iter().enumerate() {
                full[j * n + k] = inverse[a * d + b];
            }
        }
        inverses.push(full);
    }
    // The logarithm divides gradients by the loss.
    let problems: Vec<(&Neighborhood, &[f64])> = neighborhoods.iter().zip(points.iter().copied()).collect();
    let scale: Vec<f64> = match loss {
        Loss::LogInteractionScreening => {
            evaluate(columns, Loss::InteractionScreening, &problems).iter().map(|found| found.value).collect()
        }
        _ => vec![1.0; n],
    };
    let mut spins = vec![0.0; n * BLOCK];
    let mut scores = vec![0.0; n * BLOCK];
    // Influence of sample m on variable j of spin i at (i n + j) BLOCK + m.
    let mut influence = vec![0.0; n * n * BLOCK];
    let mut squares = vec![0.0; n * n];
    let blocks = (0..columns.n_samples.div_ceil(BLOCK)).map(|k| (k * BLOCK, (k + 1) * BLOCK));
    for (from, to) in blocks {
        columns.unpack(0..n, (from, to), &mut spins);
        for (i, (neighborhood, point)) in neighborhoods.iter().zip(points).enumerate() {
            for m in 0..BLOCK {
                let at = |j: usize| if j == i { 1.0 } else { spins[j * BLOCK + m] };
                let own = spins[i * BLOCK + m];
                let u = own * neighborhood.variables.iter().zip(*point).map(|(&j, x)| x * at(j)).sum::<f64>();
                let derivative = match loss {
                    Loss::PseudoLikelihood => -2.0 * linalg_core::logspace::sigmoid(-2.0 * u),
                    _ => -(-u).exp() / scale[i],
                };
                let score = derivative * own;
                (0..n).for_each(|j| scores[j * BLOCK + m] = score * at(j));
            }
            gemm(
                1.0,
                Matrix::row_major(&inverses[i], n, n),
                Matrix::row_major(&scores, n, BLOCK),
                0.0,
                MatrixMut::row_major(&mut influence[i * n * BLOCK..(i + 1) * n * BLOCK], n, BLOCK),
            );
        }
        let weights = &columns.weights[from..to];
        for i in 0..n {
            for j in 0..=i {
                let (a, b) = (&influence[(i * n + j) * BLOCK..][..BLOCK], &influence[(j * n + i) * BLOCK..][..BLOCK]);
                let sum = a.iter().zip(b).zip(weights).map(|((a, b), w)| w * (0.5 * (a + b)).powi(2));
                squares[i * n + j] += sum.sum::<f64>();
            }
        }
    }
    let mut couplings = vec![0.0; n * n];
    let mut fields = vec![0.0; n];
    for i in 0..n {
        fields[i] = (squares[i * n + i] / number).sqrt();
        for j in 0..i {
            couplings[i * n + j] = (squares[i * n + j] / number).sqrt();
            couplings[j * n + i] = couplings[i * n + j];
        }
    }
    Ok((couplings, fields))
}
