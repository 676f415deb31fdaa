//! Propagation by Cayley's form.

use num_complex::Complex64;

use super::{GridAxis, check_axes, tabulate};
use crate::tridiagonal::{solve, solve_cyclic};
use crate::{Error, Result};

/// What lies beyond the ends of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ends {
    /// The function is zero one spacing beyond the first and the last point.
    Zero,
    /// The grid is a ring.
    Periodic,
}

/// $`e^{-zH}`$ for $`H = -c\,\nabla^2 + V`$ with second differences, by Crank and Nicolson's rule.
///
/// On one axis a step is $`(1 + \tfrac z2 H)^{-1}(1 - \tfrac z2 H)`$. On more axes the potential stands outside,
/// $`e^{-zV/2} \prod_a (1 + \tfrac z2 T_a)^{-1}(1 - \tfrac z2 T_a)\, e^{-zV/2}`$; the axes' kinetic terms $`T_a`$ commute. Errors are
/// $`O(z^3)`$ a step and $`O(h^2)`$ in the spacing; imaginary $`z`$ gives a unitary step. A tridiagonal system for each line of
/// the grid and axis, O(n) a step. [`SplitStep`](super::SplitStep) has no error in the spacing but knows rings only.
///
/// ```
/// use linalg_core::grid::{CrankNicolson, Ends, GridAxis};
/// use linalg_core::num_complex::Complex64;
///
/// // A box of 3 inner points, c = h² = 1: the state (1, √2, 1)/2 has the energy 2 - √2.
/// let axis = GridAxis::new(0.0, 3.0, 3)?;
/// let mut box_ = CrankNicolson::new(&[axis], Ends::Zero, 1.0, |_| 0.0)?;
/// let mut psi = [0.5, 0.5f64.sqrt(), 0.5].map(Complex64::from);
/// let z = Complex64::new(0.0, 0.1);
/// box_.step(&mut psi, z, 1);
/// let half = 0.5 * z * (2.0 - 2f64.sqrt());
/// assert!((psi[0] - 0.5 * (1.0 - half) / (1.0 + half)).norm() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CrankNicolson {
    shape: Vec<usize>,
    /// $`c/h^2`$ of each axis.
    hop: Vec<f64>,
    ends: Ends,
    potential: Vec<f64>,
}

/// Memory of a line.
#[derive(Default)]
struct Line {
    psi: Vec<Complex64>,
    rhs: Vec<Complex64>,
    diagonal: Vec<Complex64>,
    beside: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl CrankNicolson {
    /// Tabulates the potential; it is called with a point of as many coordinates as axes.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a negative or NaN `c` or a number of axes outside 1 to 3, [`Error::NotFinite`] for a potential
    /// that is not finite (`index` counts points, row-major).
    pub fn new<F: FnMut(&[f64]) -> f64>(axes: &[GridAxis], ends: Ends, c: f64, potential: F) -> Result<Self> {
        check_axes(axes)?;
        if !(c.is_finite() && c >= 0.0) {
            return Err(Error::OutOfRange { what: "kinetic coefficient", value: c, low: 0.0, high: f64::MAX });
        }
        let potential = tabulate(axes, "potential", potential)?;
        let hop = axes.iter().map(|axis| c / axis.spacing().powi(2)).collect();
        Ok(Self { shape: axes.iter().map(GridAxis::n_points).collect(), hop, ends, potential })
    }

    /// Number of points.
    pub fn n_points(&self) -> usize {
        self.potential.len()
    }

    /// `steps` steps, `z` each: $`z = i\,dt/\hbar`$ turns, real $`z`$ damps.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn step(&mut self, psi: &mut [Complex64], z: Complex64, steps: usize) {
        let n = self.n_points();
        assert!(psi.len() == n, "{} values for {n} points", psi.len());
        let split = self.shape.len() > 1;
        let half: Vec<Complex64> =
            if split { self.potential.iter().map(|v| (-0.5 * z * v).exp()).collect() } else { Vec::new() };
        let mut line = Line::default();
        for _ in 0..steps {
            psi.iter_mut().zip(&half).for_each(|(p, f)| *p *= f);
            let mut inner = n;
            for (axis, &length) in self.shape.iter().enumerate() {
                inner /= length;
                for first in (0..n).filter(|i| (i / inner).is_multiple_of(length)) {
                    self.line(psi, (first, inner, length), axis, z, &mut line);
                }
            }
            psi.iter_mut().zip(&half).for_each(|(p, f)| *p *= f);
        }
    }

    /// Cayley's form along the line of `length` points from `first`, `inner` apart.
    fn line(
        &self,
        psi: &mut [Complex64],
        (first, inner, length): (usize, usize, usize),
        axis: usize,
        z: Complex64,
        line: &mut Line,
    ) {
        let own = self.shape.len() == 1;
        let hop = 0.5 * z * self.hop[axis];
        let Line { psi: old, rhs, diagonal, beside, scratch } = line;
        old.clear();
        old.extend(psi[first..].iter().step_by(inner).take(length));
        diagonal.clear();
        diagonal.extend((0..length).map(|k| {
            let v = if own { self.potential[first + k * inner] } else { 0.0 };
            2.0 * hop + 0.5 * z * v
        }));
        let periodic = self.ends == Ends::Periodic;
        rhs.clear();
        rhs.extend((0..length).map(|k| {
            let zero = Complex64::new(0.0, 0.0);
            let left = if k > 0 || periodic { old[(k + length - 1) % length] } else { zero };
            let right = if k + 1 < length || periodic { old[(k + 1) % length] } else { zero };
            old[k] - diagonal[k] * old[k] + hop * (left + right)
        }));
        diagonal.iter_mut().for_each(|d| *d += 1.0);
        beside.clear();
        beside.resize(length, -hop);
        match self.ends {
            Ends::Zero => solve(beside, diagonal, beside, rhs, scratch),
            Ends::Periodic => solve_cyclic(beside, diagonal, beside, rhs, scratch),
        }
        psi[first..].iter_mut().step_by(inner).zip(rhs.iter()).for_each(|(to, from)| *to = *from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::SplitStep;

    fn packet(axes: &[GridAxis]) -> Vec<Complex64> {
        super::super::product_points(axes)
            .iter()
            .map(|x| {
                let r2 = (x[0] - 0.5).powi(2) + 2.0 * (x[1] + 0.3).powi(2) + (x[2] - 0.1).powi(2);
                Complex64::from_polar((-r2).exp(), x[0] - x[1])
            })
            .collect()
    }

    fn norm(psi: &[Complex64]) -> f64 {
        psi.iter().map(Complex64::norm_sqr).sum()
    }

    #[test]
    fn unitary_reversible_and_second_order_in_the_step() {
        for (dimensions, n) in [(1, 40), (2, 20), (3, 12)] {
            for ends in [Ends::Zero, Ends::Periodic] {
                let axes: Vec<GridAxis> =
                    (0..dimensions).map(|a| GridAxis::new(-4.0, 4.0 + a as f64, n + a).unwrap()).collect();
                let v = |x: &[f64]| x.iter().enumerate().map(|(a, x)| (0.5 + a as f64) * x * x).sum::<f64>() + x[0];
                let mut rule = CrankNicolson::new(&axes, ends, 0.5, v).unwrap();
                let start = packet(&axes);
                let mut run = |steps: usize| {
                    let mut psi = start.clone();
                    rule.step(&mut psi, Complex64::new(0.0, 0.4 / steps as f64), steps);
                    assert!((norm(&psi) / norm(&start) - 1.0).abs() < 1e-12);
                    psi
                };
                let results = [64, 128, 256].map(&mut run);
                let distance = |a: &[Complex64], b: &[Complex64]| {
                    a.iter().zip(b).map(|(a, b)| (a - b).norm_sqr()).sum::<f64>().sqrt()
                };
                let ratio = distance(&results[0], &results[1]) / distance(&results[1], &results[2]);
                assert!((ratio - 4.0).abs() < 0.2, "{dimensions} {ends:?}: {ratio}");
                let mut back = results[0].clone();
                rule.step(&mut back, Complex64::new(0.0, -0.4 / 64.0), 64);
                assert!(distance(&back, &start) < 1e-12);
            }
        }
    }

    #[test]
    fn approaches_the_split_step_with_the_spacing() {
        let v = |x: &[f64]| 0.5 * x[0] * x[0];
        let error = |n: usize| {
            let axis = GridAxis::new(-8.0, 8.0, n).unwrap();
            let start = packet(&[axis]);
            let (mut a, mut b) = (start.clone(), start);
            CrankNicolson::new(&[axis], Ends::Periodic, 0.5, v).unwrap().step(&mut a, Complex64::new(0.0, 1e-3), 500);
            SplitStep::new(&[axis], 0.5, v).unwrap().strang(&mut b, Complex64::new(0.0, 1e-3), 500);
            a.iter().zip(&b).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
        };
        let (coarse, fine) = (error(128), error(256));
        assert!((coarse / fine - 4.0).abs() < 0.4, "{coarse} {fine}");
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(0.0, 1.0, 4).unwrap();
        assert!(CrankNicolson::new(&[axis; 4], Ends::Zero, 0.5, |_| 0.0).is_err());
        assert!(CrankNicolson::new(&[axis], Ends::Zero, -0.5, |_| 0.0).is_err());
        assert!(CrankNicolson::new(&[axis], Ends::Zero, 0.5, |_| f64::NAN).is_err());
    }
}
