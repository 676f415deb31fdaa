//! Circulation and winding numbers of wave functions.
//!
//! ```
//! use linalg_core::grid::GridAxis;
//! use physics_inference::emergent::{Wave, vortex};
//! use linalg_core::num_complex::Complex64;
//! # use physics_inference::linalg_core;
//!
//! let axis = GridAxis::new(-4.0, 4.0, 40)?;
//! let psi: Vec<Complex64> = (0..1600)
//!     .map(|i| {
//!         let (x, y) = (-4.0 + 0.2 * (i / 40) as f64, -4.0 + 0.2 * (i % 40) as f64);
//!         Complex64::new(x - 0.1, y - 0.1) * (-0.5 * (x * x + y * y)).exp()
//!     })
//!     .collect();
//! let around = vortex::circle(&[axis; 2], [0.0, 0.0], 1.5);
//! let turn = vortex::circulation(&psi, &around, Wave::new(1.0, 1.0)?, 1e-9)?;
//! assert!((turn - std::f64::consts::TAU).abs() < 1e-12); // 2πħ/m
//! assert_eq!(vortex::winding_numbers(&psi, &[axis; 2], 1e-4).iter().sum::<i32>(), 1);
//! # Ok::<(), physics_inference::Error>(())
//! ```

use std::f64::consts::TAU;

use linalg_core::grid::GridAxis;
use linalg_core::num_complex::Complex64;

use super::Wave;
use crate::{Error, Result};

/// Points of a grid of two axes next to a circle, in order, none twice in a row.
///
/// # Panics
/// When there are not two axes.
pub fn circle(axes: &[GridAxis], centre: [f64; 2], radius: f64) -> Vec<usize> {
    assert!(axes.len() == 2, "{} axes, expected 2", axes.len());
    let nearest = |axis: &GridAxis, x: f64| {
        let low = axis.points().next().unwrap_or(0.0);
        (((x - low) / axis.spacing()).round().max(0.0) as usize).min(axis.n_points() - 1)
    };
    let steps = (16.0 * radius.abs() / axes[0].spacing().min(axes[1].spacing())).ceil().clamp(8.0, 1e6);
    let mut points: Vec<usize> = (0..steps as usize)
        .map(|k| {
            let (sine, cosine) = (TAU * k as f64 / steps).sin_cos();
            let (i, j) = (nearest(&axes[0], centre[0] + radius * cosine), nearest(&axes[1], centre[1] + radius * sine));
            i * axes[1].n_points() + j
        })
        .collect();
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    points
}

/// $`\oint u\cdot dl = \frac{\hbar}{m}\sum \arg(\psi_i^*\psi_{i+1})`$ along a closed loop of points.
///
/// An integer multiple of $`2\pi\hbar/m`$ always; neighbours on the loop must be near enough that the phase turns by less than π
/// between them.
///
/// # Errors
/// [`Error::NodeInDensity`] for a point of the loop with a density below `threshold` of the largest of all,
/// [`linalg_core::Error::Empty`] for no loop, [`linalg_core::Error::IndexOutOfBounds`] for a point beyond the end.
pub fn circulation(psi: &[Complex64], points: &[usize], wave: Wave, threshold: f64) -> Result<f64> {
    if points.is_empty() {
        return Err(linalg_core::Error::Empty { what: "loop" }.into());
    }
    let top = largest(psi)?;
    for &index in points {
        let Some(z) = psi.get(index) else {
            return Err(
                linalg_core::Error::IndexOutOfBounds { what: "point of the loop", index, bound: psi.len() }.into()
            );
        };
        let density = z.norm_sqr() / top;
        if density.is_nan() || density < threshold || density == 0.0 {
            return Err(Error::NodeInDensity { index, density, threshold });
        }
    }
    let next = points.iter().cycle().skip(1);
    let turn: f64 = points.iter().zip(next).map(|(&i, &j)| (psi[i].conj() * psi[j]).arg()).sum();
    // The sum of angles is a whole number of turns but for rounding.
    Ok(wave.hbar / wave.mass * TAU * (turn / TAU).round())
}

/// Turns of the phase around each plaquette of a grid of two axes, both periodic.
///
/// Plaquette `(i, j)` has the corners `(i, j)`, `(i+1, j)`, `(i+1, j+1)`, `(i, j+1)`; it counts 0 where a corner has a density
/// below `threshold` of the largest: phases in empty space are rounding. With nothing left out the sum over a torus is 0.
///
/// # Panics
/// When there are not two axes or not as many values as points.
pub fn winding_numbers(psi: &[Complex64], axes: &[GridAxis], threshold: f64) -> Vec<i32> {
    assert!(axes.len() == 2, "{} axes, expected 2", axes.len());
    let (rows, columns) = (axes[0].n_points(), axes[1].n_points());
    assert!(psi.len() == rows * columns, "{} values for {rows} x {columns} points", psi.len());
    let top = psi.iter().map(Complex64::norm_sqr).fold(0.0, f64::max);
    (0..psi.len())
        .map(|k| {
            let (i, j) = (k / columns, k % columns);
            let at = |i: usize, j: usize| psi[i % rows * columns + j % columns];
            let corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
            if corners.iter().any(|z| z.norm_sqr() <= threshold * top) {
                return 0;
            }
            let turn: f64 = (0..4).map(|c| (corners[c].conj() * corners[(c + 1) % 4]).arg()).sum();
            (turn / TAU).round() as i32
        })
        .collect()
}

fn largest(psi: &[Complex64]) -> Result<f64> {
    if let Some(index) = psi.iter().position(|z| !z.is_finite()) {
        return Err(Error::NotFinite { what: "wave function", index, value: f64::NAN });
    }
    let top = psi.iter().map(Complex64::norm_sqr).fold(0.0, f64::max);
    if top > 0.0 { Ok(top) } else { Err(linalg_core::Error::Empty { what: "wave function" }.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emergent::{Schroedinger, point};

    fn tabulate(axes: &[GridAxis], f: impl Fn(Complex64) -> Complex64) -> Vec<Complex64> {
        (0..axes[0].n_points() * axes[1].n_points())
            .map(|i| {
                let x = point(axes, i);
                let z = Complex64::new(x[0], x[1]);
                f(z) * (-0.5 * z.norm_sqr()).exp()
            })
            .collect()
    }

    #[test]
    fn circulation_is_quantised() {
        let axes = [GridAxis::new(-5.05, 4.95, 100).unwrap(); 2];
        let wave = Wave::new(0.8125, 1.07).unwrap();
        for l in 0..3u32 {
            let psi = tabulate(&axes, |z| z.powu(l));
            let turn = circulation(&psi, &circle(&axes, [0.0; 2], 1.5), wave, 1e-12).unwrap();
            assert!((turn - TAU * 1.07 / 0.8125 * f64::from(l)).abs() < 1e-12);
            // Beside the vortex there is none.
            let beside = circulation(&psi, &circle(&axes, [2.0, 0.5], 0.8), wave, 1e-12).unwrap();
            assert!(beside.abs() < 1e-12);
        }
    }

    #[test]
    fn a_pair_of_vortices_keeps_its_winding() {
        let axes = [GridAxis::new(-6.03, 5.97, 64).unwrap(); 2];
        let mut psi = tabulate(&axes, |z| z * z - 0.8);
        let v = |x: &[f64]| 0.5 * (x[0] * x[0] + x[1] * x[1]) + 0.05 * x[0].powi(4);
        let mut equation = Schroedinger::new(&axes, Wave::new(1.0, 1.0).unwrap(), v).unwrap();
        for _ in 0..5 {
            let winding = winding_numbers(&psi, &axes, 1e-5);
            let plus = winding.iter().filter(|w| **w == 1).count();
            assert!(plus == 2 && winding.iter().all(|w| (0..=1).contains(w)), "{plus}");
            let around = circulation(&psi, &circle(&axes, [0.0; 2], 2.2), Wave::new(1.0, 1.0).unwrap(), 1e-7).unwrap();
            assert!((around - 2.0 * TAU).abs() < 1e-12);
            equation.strang(&mut psi, 0.01, 20).unwrap();
        }
    }

    #[test]
    fn bad_input() {
        let one = Complex64::new(1.0, 0.0);
        let wave = Wave::new(1.0, 1.0).unwrap();
        assert!(circulation(&[one; 3], &[], wave, 0.0).is_err());
        assert!(circulation(&[one; 3], &[3], wave, 0.0).is_err());
        assert!(circulation(&[one * 0.0; 3], &[0], wave, 0.0).is_err());
        assert!(circulation(&[one, one * f64::NAN], &[0], wave, 0.0).is_err());
        let node = circulation(&[one, one * 0.0, -one], &[0, 1, 2], wave, 1e-9);
        assert!(matches!(node, Err(Error::NodeInDensity { index: 1, .. })));
    }
}
