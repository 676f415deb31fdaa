//! The sinc discrete variable representation.

use super::{GridAxis, check_axes, tabulate};
use crate::eigen::{symmetric_eigen, symmetric_eigenvalues};
use crate::{Error, Result};

/// Points of a product grid beyond which a dense matrix is refused.
const MOST_POINTS: usize = 4096;

/// $`H = -c\,\nabla^2 + V`$ in the basis of sinc functions on a grid.
///
/// The kinetic matrix of one axis is $`\frac{c}{h^2}(-1)^{i-j}\{\pi^2/3,\ 2/(i-j)^2\}`$ (Colbert and Miller, J. Chem. Phys. 96, 1982
/// (1992)), the potential is diagonal. The grid must reach where the wave functions vanish. O(n³) for n points, n at most
/// 4096.
///
/// ```
/// use linalg_core::grid::{GridAxis, SincDvr};
///
/// let axis = GridAxis::new(-8.0, 8.0, 64)?;
/// let oscillator = SincDvr::new(&[axis], 0.5, |x| 0.5 * x[0] * x[0])?;
/// let energies = oscillator.eigenvalues()?;
/// assert!((energies[0] - 0.5).abs() < 1e-12 && (energies[3] - 3.5).abs() < 1e-12);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SincDvr {
    axes: Vec<GridAxis>,
    matrix: Vec<f64>,
    n: usize,
}

/// Eigenvalues and normalised eigenfunctions on the grid.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SincEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenfunctions, a row each: $`\sum_i \psi_i^2\, h^d = 1`$.
    pub functions: Vec<f64>,
}

impl SincDvr {
    /// Sets up the matrix; `potential` is called with a point of as many coordinates as axes.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a negative or NaN `c`, more than three axes or 4096 points, [`Error::NotFinite`] for a
    /// potential that is not finite (`index` counts points, row-major).
    pub fn new<F: FnMut(&[f64]) -> f64>(axes: &[GridAxis], c: f64, potential: F) -> Result<Self> {
        let n = check_axes(axes)?;
        if n > MOST_POINTS {
            return Err(Error::OutOfRange {
                what: "points of the grid",
                value: n as f64,
                low: 1.0,
                high: MOST_POINTS as f64,
            });
        }
        if !(c.is_finite() && c >= 0.0) {
            return Err(Error::OutOfRange { what: "kinetic coefficient", value: c, low: 0.0, high: f64::MAX });
        }
        let values = tabulate(axes, "potential", potential)?;
        let mut matrix = vec![0.0; n * n];
        for (i, v) in values.iter().enumerate() {
            matrix[i * n + i] = *v;
        }
        let mut inner = n;
        for axis in axes {
            let (length, scale) = (axis.n_points(), c / axis.spacing().powi(2));
            inner /= length;
            for i in 0..n {
                let here = i / inner % length;
                let base = i - here * inner;
                for there in 0..length {
                    let distance = here.abs_diff(there);
                    let element = match distance {
                        0 => std::f64::consts::PI.powi(2) / 3.0,
                        _ => (if distance % 2 == 0 { 2.0 } else { -2.0 }) / (distance * distance) as f64,
                    };
                    matrix[i * n + base + there * inner] += scale * element;
                }
            }
        }
        Ok(Self { axes: axes.to_vec(), matrix, n })
    }

    /// The matrix, row-major.
    pub fn matrix(&self) -> &[f64] {
        &self.matrix
    }

    /// Eigenvalues, ascending.
    ///
    /// # Errors
    /// As [`symmetric_eigenvalues`].
    pub fn eigenvalues(&self) -> Result<Vec<f64>> {
        symmetric_eigenvalues(&self.matrix, self.n)
    }

    /// Eigenvalues and eigenfunctions.
    ///
    /// # Errors
    /// As [`symmetric_eigen`].
    pub fn eigen(&self) -> Result<SincEigen> {
        let eigen = symmetric_eigen(&self.matrix, self.n)?;
        let volume: f64 = self.axes.iter().map(GridAxis::spacing).product();
        let scale = 1.0 / volume.sqrt();
        Ok(SincEigen { values: eigen.values, functions: eigen.vectors.iter().map(|x| x * scale).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartic_oscillators() {
        // x²/2 + g x⁴ in high precision (Banerjee et al., Proc. R. Soc. A 360, 575 (1978), in other units).
        let axis = GridAxis::new(-6.0, 6.0, 160).unwrap();
        for (g, low) in [
            (1.0, vec![0.803770651234, 2.737892268009, 5.179291687639, 7.942403984391]),
            (0.1, vec![0.559146327184, 1.769502643949]),
            (10.0, vec![1.504972407779, 5.321608256264]),
        ] {
            let energies = SincDvr::new(&[axis], 0.5, |x| 0.5 * x[0].powi(2) + g * x[0].powi(4)).unwrap();
            for (a, b) in energies.eigenvalues().unwrap().iter().zip(low) {
                assert!((a - b).abs() < 1e-10, "{g}: {a} {b}");
            }
        }
    }

    #[test]
    fn three_dimensions_add_up() {
        // Different frequencies: E = (1 + 2 + 3)/2 and then one quantum of the slowest.
        let axes = [(7.0, 14), (5.0, 14), (4.0, 14)].map(|(a, n)| GridAxis::new(-a, a, n).unwrap());
        let dvr = SincDvr::new(&axes, 0.5, |x| 0.5 * (x[0] * x[0] + 4.0 * x[1] * x[1] + 9.0 * x[2] * x[2]));
        // 14 points an axis: exponential convergence has reached some 1e-3.
        let sums = dvr.unwrap();
        let one = |a: f64, w: f64| {
            let axis = GridAxis::new(-a, a, 14).unwrap();
            SincDvr::new(&[axis], 0.5, |x| 0.5 * w * w * x[0] * x[0]).unwrap().eigenvalues().unwrap()
        };
        let parts = [one(7.0, 1.0), one(5.0, 2.0), one(4.0, 3.0)];
        // The trace is the sum of the traces, each counted as often as the other axes have points.
        let trace: f64 = (0..14 * 14 * 14).map(|i| sums.matrix()[i * 2745]).sum();
        let expected: f64 = parts.iter().map(|p| p.iter().sum::<f64>() * 196.0).sum();
        assert!((trace / expected - 1.0).abs() < 1e-12);
        // A product of one-axis ground states is an eigenvector.
        let small = [GridAxis::new(-5.0, 5.0, 12).unwrap(), GridAxis::new(-4.0, 4.0, 11).unwrap()];
        let both = SincDvr::new(&small, 0.5, |x| 0.5 * (x[0] * x[0] + 4.0 * x[1] * x[1])).unwrap().eigen().unwrap();
        let first = SincDvr::new(&small[..1], 0.5, |x| 0.5 * x[0] * x[0]).unwrap().eigen().unwrap();
        let second = SincDvr::new(&small[1..], 0.5, |x| 2.0 * x[0] * x[0]).unwrap().eigen().unwrap();
        assert!((both.values[0] - first.values[0] - second.values[0]).abs() < 1e-11);
        for i in 0..132 {
            let product = first.functions[i / 11] * second.functions[i % 11];
            assert!((both.functions[i] - product).abs() < 1e-10);
        }
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(0.0, 1.0, 5).unwrap();
        assert!(matches!(SincDvr::new(&[], 0.5, |_| 0.0), Err(Error::OutOfRange { .. })));
        assert!(matches!(SincDvr::new(&[axis; 4], 0.5, |_| 0.0), Err(Error::OutOfRange { .. })));
        assert!(matches!(SincDvr::new(&[axis], -0.5, |_| 0.0), Err(Error::OutOfRange { .. })));
        assert!(matches!(
            SincDvr::new(&[axis], 0.5, |x| 1.0 / x[0]),
            Err(Error::NotFinite { what: "potential", index: 0, .. })
        ));
        let long = GridAxis::new(0.0, 1.0, 5000).unwrap();
        assert!(matches!(SincDvr::new(&[long], 0.5, |_| 0.0), Err(Error::OutOfRange { .. })));
        for (low, high, n) in [(1.0, 1.0, 3), (0.0, f64::NAN, 3), (f64::NEG_INFINITY, 0.0, 3), (0.0, 1.0, 0)] {
            assert!(GridAxis::new(low, high, n).is_err());
        }
    }
}
