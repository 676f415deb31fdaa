//! The leading eigenvalue of a symmetric operator.

use linalg_core::Observer;
use linalg_core::eigen::symmetric_eigen;

use super::super::NAME;
use crate::model::Progress;
use crate::{Error, Result};

/// Vectors of one Krylov space; a restart continues from the best vector in it.
const SPACE: usize = 24;

/// Restarts before the iteration is given up.
const RESTARTS: u64 = 100;

/// Residual, relative to the eigenvalue, at which an eigenvector is accepted.
const TOLERANCE: f64 = 1e-10;

/// Which eigenvalue leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// The largest one, as that of a positive vector (Perron and Frobenius), even beside a negative one of equal modulus.
    Largest,
    /// That of largest modulus.
    Modulus,
}

/// A symmetric operator on the image of a projector that commutes with it.
pub(super) struct Search<'a> {
    pub lead: Lead,
    pub apply: &'a dyn Fn(&mut [f64]),
    /// Takes out what rounding puts outside the subspace.
    pub project: &'a dyn Fn(&mut [f64]),
}

/// An eigenvalue with its vector of length 1.
pub(super) struct Leading {
    pub value: f64,
    pub vector: Vec<f64>,
    pub converged: bool,
    pub residual: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a8.iter().zip(b8) {
        for k in 0..8 {
            lanes[k] += a[k] * b[k];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

fn subtract(v: &mut [f64], factor: f64, other: &[f64]) {
    for (x, y) in v.iter_mut().zip(other) {
        *x -= factor * y;
    }
}

/// Finds the leading eigenvalue from a start vector; `None` where the subspace is empty.
///
/// Lanczos iterations with full orthogonalisation, restarted. `steps` counts applications of the operator.
pub(super) fn leading(
    search: &Search<'_>,
    start: Vec<f64>,
    steps: &mut u64,
    observer: &mut dyn Observer<Progress>,
) -> Result<Option<Leading>> {
    let before = dot(&start, &start).sqrt();
    let mut x = start;
    (search.project)(&mut x);
    let size = dot(&x, &x).sqrt();
    if size <= 1e-10 * before || size == 0.0 {
        return Ok(None);
    }
    x.iter_mut().for_each(|x| *x /= size);
    let mut best = Leading { value: 0.0, vector: Vec::new(), converged: false, residual: f64::INFINITY };
    for _ in 0..RESTARTS {
        let mut basis = vec![std::mem::take(&mut x)];
        let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
        let ritz = loop {
            let total = (RESTARTS * SPACE as u64).max(*steps);
            if observer.observe(&Progress::new("leading eigenvalue", *steps, total)).is_break() {
                return Err(Error::Stopped { solver: NAME, done: *steps, total });
            }
            let mut v = basis[basis.len() - 1].clone();
            (search.apply)(&mut v);
            (search.project)(&mut v);
            *steps += 1;
            diagonal.push(dot(&v, &basis[basis.len() - 1]));
            // Twice: once leaves what rounding puts in.
            for _ in 0..2 {
                for q in &basis {
                    let overlap = dot(&v, q);
                    subtract(&mut v, overlap, q);
                }
            }
            let length = dot(&v, &v).sqrt();
            beside.push(length);
            let ritz = Ritz::new(&diagonal, &beside, search.lead)?;
            if ritz.residual <= TOLERANCE || basis.len() == SPACE {
                break ritz;
            }
            v.iter_mut().for_each(|x| *x /= length);
            basis.push(v);
        };
        let mut vector = vec![0.0; basis[0].len()];
        for (q, &y) in basis.iter().zip(&ritz.vector) {
            subtract(&mut vector, -y, q);
        }
        let converged = ritz.residual <= TOLERANCE;
        best = Leading { value: ritz.value, vector, converged, residual: ritz.residual };
        if best.converged {
            break;
        }
        x = best.vector.clone();
        (search.project)(&mut x);
        let size = dot(&x, &x).sqrt();
        x.iter_mut().for_each(|x| *x /= size);
    }
    Ok(Some(best))
}

/// The leading eigenvalue of a tridiagonal matrix.
struct Ritz {
    value: f64,
    vector: Vec<f64>,
    /// Norm of what the operator takes out of the Krylov space, relative to the value; at least a rounding error.
    residual: f64,
}

impl Ritz {
    /// `beside` ends with the length of the vector that would come next.
    fn new(diagonal: &[f64], beside: &[f64], lead: Lead) -> Result<Self> {
        let n = diagonal.len();
        let mut matrix = vec![0.0; n * n];
        for j in 0..n {
            matrix[j * n + j] = diagonal[j];
            if j + 1 < n {
                matrix[j * n + j + 1] = beside[j];
                matrix[(j + 1) * n + j] = beside[j];
            }
        }
        let eigen = symmetric_eigen(&matrix, n)?;
        let lowest = lead == Lead::Modulus && eigen.values[0].abs() > eigen.values[n - 1].abs();
        let k = if lowest { 0 } else { n - 1 };
        let (value, vector) = (eigen.values[k], eigen.vector(k).to_vec());
        let outside = (beside[n - 1] * vector[n - 1]).abs();
        // An operator that is 0 on the subspace has nothing outside either.
        let residual = if outside > 0.0 { (outside / value.abs()).max(f64::EPSILON) } else { f64::EPSILON };
        Ok(Self { value, vector, residual })
    }
}
