//! Lattices whose rows are all alike: powers of one matrix.

mod lanczos;
mod row;
mod sectors;

pub use row::{StripLimit, UniformRow};

use crate::Result;
use crate::model::LnZ;
use crate::models::Boundary;

/// ln Z of the translation-invariant torus of `width` by `length` sites, `Z = Σ_i λ_i^length`.
///
/// `k_around` and `k_along` are βJ of the bonds around the width and along the length, `field` is βh; parallel bonds
/// on lengths of 2 add. The eigenvalues are those of the row transfer matrix, by its symmetries; see
/// [`UniformRow::torus`] for the cost and the errors.
///
/// ```
/// use spin_models::exact::homogeneous_torus;
///
/// // 2 x 2: a ring of four with doubled couplings, Z = (2 cosh 2K)^4 + (2 sinh 2K)^4.
/// let k = 0.3f64;
/// let exact = ((2.0 * (2.0 * k).cosh()).powi(4) + (2.0 * (2.0 * k).sinh()).powi(4)).ln();
/// assert!((homogeneous_torus(2, 2, k, k, 0.0)?.value - exact).abs() < 1e-14);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// As [`UniformRow::new`] and [`UniformRow::torus`].
pub fn homogeneous_torus(width: usize, length: usize, k_around: f64, k_along: f64, field: f64) -> Result<LnZ> {
    UniformRow::new(width, Boundary::Periodic, k_around, k_along, field)?.torus(length)
}
