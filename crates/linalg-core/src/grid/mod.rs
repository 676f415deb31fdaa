//! Operators $`H = -c\,\nabla^2 + V(x)`$ on regular grids in one to three dimensions.
//!
//! | name | is |
//! |---|---|
//! | [`GridAxis`] | equidistant points |
//! | [`SincDvr`] | eigenvalues and eigenvectors in the sinc basis: errors fall exponentially with the spacing |
//! | [`SplitStep`] | $`e^{-zH}`$ by a symmetric product and Fourier transforms, for real and complex $`z`$, of any even order |
//! | [`CrankNicolson`] | $`e^{-zH}`$ by Cayley's form of second differences, between walls or on a ring |
//!
//! Numbers only: what $`c`$, $`V`$ and $`z`$ mean is up to the caller.

mod crank_nicolson;
mod dvr;
mod split_step;

pub use crank_nicolson::{CrankNicolson, Ends};
pub use dvr::{SincDvr, SincEigen};
pub use split_step::SplitStep;

use crate::{Error, Result};

/// Equidistant points.
///
/// ```
/// use linalg_core::grid::GridAxis;
///
/// let axis = GridAxis::new(-1.0, 1.0, 4)?;
/// assert_eq!(axis.points().collect::<Vec<_>>(), [-1.0, -0.5, 0.0, 0.5]);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GridAxis {
    low: f64,
    high: f64,
    n: usize,
}

impl GridAxis {
    /// `n` points from `low`, `(high - low)/n` apart; `high` itself is the first point of the next period.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for no points, [`Error::NotFinite`] and [`Error::NotAscending`] for the ends.
    pub fn new(low: f64, high: f64, n: usize) -> Result<Self> {
        for (index, value) in [low, high].into_iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::NotFinite { what: "ends of the axis", index, value });
            }
        }
        if low >= high {
            return Err(Error::NotAscending { what: "ends of the axis", index: 1, previous: low, value: high });
        }
        if n == 0 {
            return Err(Error::OutOfRange { what: "points of the axis", value: 0.0, low: 1.0, high: f64::MAX });
        }
        Ok(Self { low, high, n })
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        self.n
    }

    /// Distance of neighbours.
    pub fn spacing(&self) -> f64 {
        (self.high - self.low) / self.n as f64
    }

    /// The points, ascending.
    pub fn points(&self) -> impl Iterator<Item = f64> + Clone + use<> {
        let this = *self;
        (0..this.n).map(move |k| this.low + k as f64 * this.spacing())
    }
}

/// Total number of points of one to three axes.
fn check_axes(axes: &[GridAxis]) -> Result<usize> {
    if !(1..=3).contains(&axes.len()) {
        return Err(Error::OutOfRange { what: "number of axes", value: axes.len() as f64, low: 1.0, high: 3.0 });
    }
    Ok(axes.iter().map(GridAxis::n_points).product())
}

/// The points of a product grid, row-major, the last axis fastest; three numbers each, of which the axes' are set.
fn product_points(axes: &[GridAxis]) -> Vec<[f64; 3]> {
    let mut points = vec![[0.0; 3]];
    for (a, axis) in axes.iter().enumerate() {
        let extend = |point: [f64; 3]| {
            axis.points().map(move |x| {
                let mut longer = point;
                longer[a] = x;
                longer
            })
        };
        points = points.into_iter().flat_map(extend).collect();
    }
    points
}

/// Values of a function on a product grid.
fn tabulate(axes: &[GridAxis], what: &'static str, mut f: impl FnMut(&[f64]) -> f64) -> Result<Vec<f64>> {
    let mut values = Vec::new();
    for (index, point) in product_points(axes).iter().enumerate() {
        let value = f(&point[..axes.len()]);
        if !value.is_finite() {
            return Err(Error::NotFinite { what, index, value });
        }
        values.push(value);
    }
    Ok(values)
}
