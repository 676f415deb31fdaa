//! The determinant of Kac and Ward.

use linalg_core::graph::{Csr, planar};
use linalg_core::num_complex::Complex64;
use std::f64::consts::{LN_2, PI};

use super::prepared::check_fields;
use crate::error::check_beta;
use crate::model::LnZ;
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};

const NAME: &str = "kac-ward";
const MOST_HALVES: usize = 4096;

/// ln Z of an Ising model without fields whose positions are a straight-line drawing, as one dense determinant.
///
/// ```math
/// Z^2 = 2^{2N} \prod_{e} \cosh^2 K_e \; \det(1 - W),
/// \qquad W_{ef} = \tanh K_e \, e^{i \theta_{ef} / 2}
/// ```
///
/// Rows and columns are directed edges; W differs from 0 where f starts at the end of e and is not e reversed, and
/// $`\theta_{ef} \in (-\pi, \pi)`$ is the angle by which the walk turns there. $`O(M^3)`$ time, M edges.
///
/// This is an oracle for small systems and high temperatures: it needs the angles of the drawing and nothing else of
/// the embedding. Digits are lost as in [`kasteleyn`](super::kasteleyn), twice as many.
///
/// # Errors
/// [`Error::NotApplicable`] for fields and for models without positions; [`Error::Numerics`] for positions at which
/// edges meet; [`Error::Beta`]; [`Error::TooLarge`] beyond 4096 directed edges.
///
/// ```
/// use spin_models::{Boundary, Ising};
/// use spin_models::exact::planar::kac_ward;
///
/// // One plaquette: Z = (2 cosh K)⁴ + (2 sinh K)⁴.
/// let plaquette = Ising::square(2, Boundary::Free, 1.0)?;
/// let k = 0.4f64;
/// let expected = ((2.0 * k.cosh()).powi(4) + (2.0 * k.sinh()).powi(4)).ln();
/// assert!((kac_ward(&plaquette, k)?.value - expected).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - M. Kac and J. C. Ward, "A combinatorial solution of the two-dimensional Ising model", Physical Review 88, 1332
///   (1952).
/// - D. Cimasoni, "A generalized Kac-Ward formula", Journal of Statistical Mechanics P07023 (2010).
pub fn kac_ward(model: &Ising, beta: f64) -> Result<LnZ> {
    check_beta(beta)?;
    check_fields(model)?;
    let Some(positions) = model.positions() else {
        return Err(Error::NotApplicable { solver: NAME, reason: "the model has no positions".into() });
    };
    let n = 2 * model.n_couplings();
    if n > MOST_HALVES {
        let what = "number of directed edges";
        return Err(Error::TooLarge { solver: NAME, what, value: n, bound: MOST_HALVES });
    }
    let graph = Csr::from_edges(model.n_spins(), model.couplings().map(|(i, j, _)| (i, j)))?;
    let plane: Vec<[f64; 2]> = positions.iter().map(|p| [p[0], p[1]]).collect();
    let embedding = planar::embed_drawing(&graph, &plane)?;
    let k = super::scaled(model, beta);
    let angle = |h: usize| {
        let (a, b) = (plane[embedding.tail(h)], plane[embedding.head(h)]);
        (b[1] - a[1]).atan2(b[0] - a[0])
    };
    let angles: Vec<f64> = (0..n).map(angle).collect();
    let mut matrix = vec![Complex64::ZERO; n * n];
    for e in 0..n {
        matrix[e * n + e] = Complex64::ONE;
        for &f in embedding.rotation(embedding.head(e)) {
            if f == e ^ 1 {
                continue;
            }
            let mut turn = angles[f] - angles[e];
            if turn > PI {
                turn -= 2.0 * PI;
            } else if turn < -PI {
                turn += 2.0 * PI;
            }
            matrix[e * n + f] -= k[e / 2].tanh() * Complex64::cis(turn / 2.0);
        }
    }
    let edges: f64 = k.iter().map(|k| k.abs() + (-2.0 * k.abs()).exp().ln_1p() - LN_2).sum();
    let half = 0.5 * ln_abs_determinant(&mut matrix, n);
    Ok(LnZ::exact(model.n_spins() as f64 * LN_2 + edges + half - beta * model.offset()))
}

/// ln |det| by elimination with partial pivoting; the matrix is overwritten.
fn ln_abs_determinant(a: &mut [Complex64], n: usize) -> f64 {
    let mut ln_abs = 0.0;
    for k in 0..n {
        let size = |i: usize| a[i * n + k].norm_sqr();
        let pivot = (k + 1..n).fold(k, |best, i| if size(i) > size(best) { i } else { best });
        for j in k..n {
            a.swap(k * n + j, pivot * n + j);
        }
        let p = a[k * n + k];
        ln_abs += p.norm().ln();
        let (head, rest) = a.split_at_mut((k + 1) * n);
        let row = &head[k * n + k + 1..];
        for other in rest.chunks_exact_mut(n) {
            let factor = other[k] / p;
            for (x, &y) in other[k + 1..].iter_mut().zip(row) {
                *x -= factor * y;
            }
        }
    }
    ln_abs
}
