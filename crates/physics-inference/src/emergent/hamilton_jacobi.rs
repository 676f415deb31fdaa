//! The limit ħ → 0.

use linalg_core::grid::{Ends, GridAxis};
use linalg_core::integrate::leapfrog;

use super::{check_density, finite, positive};
use crate::Result;

/// Pieces of a cell that move on their own.
const PIECES: usize = 16;

/// Density on one axis carried along classical paths for a time `t`: the Hamilton-Jacobi description.
///
/// Each piece of a cell starts with the velocity $`u = \nabla S/m`$ there and moves by Newton's law in `potential`; its mass is
/// spread evenly between the new places of its two ends. Paths may cross: where they do, densities add, as ħ → 0 has it. Mass is
/// kept; with open ends what leaves the grid stays in the last cell. Second order in the step, $`16 n`$ paths of `steps` steps.
///
/// ```
/// use linalg_core::grid::{Ends, GridAxis};
/// use physics_inference::emergent::classical_flow;
/// # use physics_inference::linalg_core;
///
/// // A block of four cells moves by half the ring.
/// let ring = GridAxis::new(0.0, 8.0, 8)?;
/// let p = [0.25, 0.25, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0];
/// let moved = classical_flow(ring, Ends::Periodic, &p, &[2.0; 8], 1.0, |_| 0.0, 2.0, 10)?;
/// assert!(moved.iter().take(4).all(|p| *p < 1e-9) && (moved[5] - 0.25).abs() < 1e-9);
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// For what is no density; [`Error::NotFinite`](crate::Error::NotFinite) for velocities, time or places that are not finite; [`Error::Parameter`](crate::Error::Parameter) for a mass
/// that is not positive.
///
/// # Panics
/// When there is not a density and a velocity for each point.
#[allow(clippy::too_many_arguments)]
pub fn classical_flow<V: Fn(f64) -> f64>(
    axis: GridAxis,
    ends: Ends,
    p: &[f64],
    velocity: &[f64],
    mass: f64,
    potential: V,
    t: f64,
    steps: usize,
) -> Result<Vec<f64>> {
    let (n, h) = (axis.n_points(), axis.spacing());
    check_density(p, n)?;
    assert!(velocity.len() == n, "{} velocities for {n} points", velocity.len());
    super::all_finite("velocity", velocity)?;
    positive("mass", mass)?;
    finite("time", t)?;
    let low = axis.points().next().unwrap_or(0.0) - 0.5 * h;
    let edges = n * PIECES + 1;
    let mut x: Vec<f64> = (0..edges).map(|k| low + k as f64 * h / PIECES as f64).collect();
    let mut momentum: Vec<f64> = x
        .iter()
        .map(|x| {
            // Linear between cell centres.
            let place = (x - low) / h - 0.5;
            let (floor, share) = (place.floor(), place - place.floor());
            let at = |k: f64| match ends {
                Ends::Periodic => velocity[k.rem_euclid(n as f64) as usize % n],
                Ends::Zero => velocity[k.clamp(0.0, (n - 1) as f64) as usize],
            };
            mass * ((1.0 - share) * at(floor) + share * at(floor + 1.0))
        })
        .collect();
    let delta = 1e-4 * h;
    if steps > 0 {
        leapfrog(&mut x, &mut momentum, &vec![mass; edges], t / steps as f64, steps, |x, f| {
            for (x, f) in x.iter().zip(f) {
                *f = (potential(x - delta) - potential(x + delta)) / (2.0 * delta);
            }
        });
    }
    super::all_finite("place", &x)?;
    let mut density = vec![0.0; n];
    for k in 0..edges - 1 {
        let weight = p[k / PIECES] / PIECES as f64;
        let (a, b) = ((x[k].min(x[k + 1]) - low) / h, (x[k].max(x[k + 1]) - low) / h);
        // A piece stretched over very many turns is even.
        let wide = b - a;
        if ends == Ends::Periodic && wide > 64.0 * n as f64 {
            density.iter_mut().for_each(|d| *d += weight / n as f64);
            continue;
        }
        let turns = if ends == Ends::Periodic { (a / n as f64).floor() * n as f64 } else { 0.0 };
        let (a, b) = (a - turns, b - turns);
        let mut add = |cell: i64, share: f64| {
            let cell = match ends {
                Ends::Periodic => cell.rem_euclid(n as i64),
                Ends::Zero => cell.clamp(0, n as i64 - 1),
            };
            density[cell as usize] += weight * share;
        };
        // One cell on either side of an open grid stands for all beyond.
        let bound = |place: f64| match ends {
            Ends::Periodic => place.floor() as i64,
            Ends::Zero => place.floor().clamp(-1.0, n as f64) as i64,
        };
        let (first, last) = (bound(a), bound(b));
        if first == last || wide <= 0.0 {
            add(first, 1.0);
            continue;
        }
        for cell in first..=last {
            let from = if cell == first { a } else { cell as f64 };
            let to = if cell == last { b } else { cell as f64 + 1.0 };
            add(cell, (to - from) / wide);
        }
    }
    Ok(density)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_in_a_harmonic_well() {
        // Newton: x → x cos t, so the width shrinks with |cos t|.
        let axis = GridAxis::new(-5.0, 5.0, 200).unwrap();
        let normal = |mean: f64, sigma: f64| -> Vec<f64> {
            axis.points()
                .map(|x| (-(x - mean).powi(2) / (2.0 * sigma * sigma)).exp() / (sigma * std::f64::consts::TAU.sqrt()))
                .collect()
        };
        let t = 0.8f64;
        let moved =
            classical_flow(axis, Ends::Zero, &normal(1.0, 0.5), &[0.0; 200], 1.0, |x| 0.5 * x * x, t, 200).unwrap();
        let distance: f64 = moved.iter().zip(normal(t.cos(), 0.5 * t.cos())).map(|(a, b)| (a - b).abs() * 0.05).sum();
        assert!(distance < 5e-3, "{distance}");
        assert!((moved.iter().sum::<f64>() * 0.05 - 1.0).abs() < 1e-6);
        // All paths meet in one point and the mass stays.
        let focus = std::f64::consts::FRAC_PI_2;
        let moved =
            classical_flow(axis, Ends::Zero, &normal(0.0, 0.5), &[0.0; 200], 1.0, |x| 0.5 * x * x, focus, 400).unwrap();
        assert!((moved[100] * 0.05 - 1.0).abs() < 1e-3, "{}", moved[100]);
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(0.0, 1.0, 2).unwrap();
        let run = |p: [f64; 2], u: f64, m: f64, t: f64| classical_flow(axis, Ends::Zero, &p, &[u; 2], m, |_| 0.0, t, 3);
        assert!(run([0.0; 2], 0.0, 1.0, 1.0).is_err() && run([1.0; 2], f64::NAN, 1.0, 1.0).is_err());
        assert!(run([1.0; 2], 0.0, 0.0, 1.0).is_err() && run([1.0; 2], 0.0, 1.0, f64::NAN).is_err());
        let far = run([1.0; 2], 1e9, 1.0, 1.0).unwrap();
        assert!((far.iter().sum::<f64>() - 2.0).abs() < 1e-12 && far[0] < 1e-12);
    }
}
