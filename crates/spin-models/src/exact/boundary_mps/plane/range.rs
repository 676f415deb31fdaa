//! The directions of a matrix that weigh most.

use linalg_core::Streams;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::rng::ChaCha8Rng;
use rand::RngExt;

use crate::exact::boundary_mps::select::{Vectors, select};

/// Mixtures of columns beyond the number of directions that are wanted.
const SPARE: usize = 6;

/// Random numbers that are the same in each use.
#[derive(Debug, Clone)]
pub(super) struct Mixtures {
    rng: ChaCha8Rng,
    numbers: Vec<f64>,
}

impl Default for Mixtures {
    fn default() -> Self {
        Self { rng: Streams::new(0).stream(1), numbers: Vec::new() }
    }
}

impl Mixtures {
    fn take(&mut self, n: usize) -> &[f64] {
        while self.numbers.len() < n {
            self.numbers.push(self.rng.random_range(-1.0..1.0));
        }
        &self.numbers[..n]
    }
}

/// An orthonormal basis of at most `most` directions of the columns of `matrix`, one after another, and an estimate of
/// the share of the squared norm outside of its span.
///
/// Orthogonalisation with pivoting; many columns are first mixed at random to a few more than `most`. No squares of
/// entries are formed: directions of an amplitude of 1e-16 are found. A function that is small where the rest of the
/// network is large has them.
///
/// # References
/// - N. Halko, P.-G. Martinsson and J. A. Tropp, SIAM Review 53, 217 (2011): ranges of random mixtures.
pub(super) fn range(matrix: Matrix<'_, f64>, most: usize, mixtures: &mut Mixtures) -> (Vec<f64>, f64) {
    let (rows, columns) = (matrix.rows(), matrix.cols());
    let count = most.saturating_add(SPARE);
    let mixed = rows > most && columns >= 2 * count;
    let n = if mixed { count } else { columns };
    let mut data = vec![0.0; n * rows];
    if mixed {
        let mix = Matrix::row_major(mixtures.take(n * columns), n, columns);
        gemm(1.0, mix, matrix.transposed(), 0.0, MatrixMut::row_major(&mut data, n, rows));
    } else {
        for (j, vector) in data.chunks_exact_mut(rows).enumerate() {
            vector.iter_mut().enumerate().for_each(|(i, x)| *x = matrix.get(i, j));
        }
    }
    let (basis, charges, loss) = select(vec![Vectors { data, length: rows, charge: 1.0 }], most);
    let kept = charges.len();
    // What is left of a mixture is as much as of all columns; those that were chosen have nothing left.
    let share = if mixed && kept < n { n as f64 / (n - kept) as f64 } else { 1.0 };
    (basis, if rows > most { loss * share } else { 0.0 })
}
