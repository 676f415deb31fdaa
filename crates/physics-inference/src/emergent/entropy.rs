//! Entropy of a density, its production and the Fisher information.

use linalg_core::fft::FftNd;
use linalg_core::grid::GridAxis;
use linalg_core::num_complex::Complex64;

use super::{FokkerPlanck, FpParams, check_density, n_points, point, volume};
use crate::{Error, Result};

/// The rate of change of the entropy and its two sources, (5).
///
/// ```math
/// \frac{dS_q}{dt} = D I_F + \gamma \int p\,\nabla^2 F
/// ```
///
/// The first term is never negative: entropy cannot be conserved by it alone, as the paper's (15) with (6) says. The sum does
/// vanish for the stationary density of the Fokker-Planck equation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct EntropyProduction {
    /// $`dS_q/dt`$, nats over time.
    pub total: f64,
    /// $`D I_F \ge 0`$, the stochastic part, (6).
    pub diffusion: f64,
    /// $`\gamma \int p\,\nabla^2 F`$, the part of learning.
    pub learning: f64,
}

/// $`S_q = -\int p \ln p`$ in nats, (4); $`0 \ln 0 = 0`$. O(n).
///
/// ```
/// use linalg_core::grid::GridAxis;
/// use physics_inference::emergent::entropy;
/// # use physics_inference::linalg_core;
///
/// let axis = GridAxis::new(0.0, 2.0, 4)?;
/// assert!((entropy(&[axis], &[0.5; 4])? - 2f64.ln()).abs() < 1e-15); // uniform over a length of 2
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// For what is no density, as [`FokkerPlanck::propagate`].
///
/// # Panics
/// When there are not as many densities as points.
pub fn entropy(axes: &[GridAxis], p: &[f64]) -> Result<f64> {
    check_density(p, n_points(axes))?;
    Ok(-volume(axes) * p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>())
}

/// $`I_F = \int |\nabla p|^2/p = 4\int|\nabla\sqrt p|^2`$, with the derivative of the Fourier transform.
///
/// For densities that vanish at the ends, or periodic ones; exponentially accurate where √p is smooth. O(n log n).
///
/// ```
/// use linalg_core::grid::GridAxis;
/// use physics_inference::emergent::fisher_information;
/// # use physics_inference::linalg_core;
///
/// // A Gaussian of variance 0.81 has 1/0.81.
/// let axis = GridAxis::new(-9.0, 9.0, 128)?;
/// let p: Vec<f64> = axis.points().map(|x| (-x * x / 1.62).exp() / (1.62 * std::f64::consts::PI).sqrt()).collect();
/// assert!((fisher_information(&[axis], &p)? - 1.2345679012345678).abs() < 1e-12);
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// For what is no density, as [`FokkerPlanck::propagate`].
///
/// # Panics
/// When there are not as many densities as points.
pub fn fisher_information(axes: &[GridAxis], p: &[f64]) -> Result<f64> {
    let n = n_points(axes);
    check_density(p, n)?;
    let shape: Vec<usize> = axes.iter().map(GridAxis::n_points).collect();
    let mut modes: Vec<Complex64> = p.iter().map(|p| p.sqrt().into()).collect();
    FftNd::new(&shape)?.forward(&mut modes);
    let mut sum = 0.0;
    let mut inner = n;
    for axis in axes {
        let length = axis.n_points();
        inner /= length;
        let unit = std::f64::consts::TAU / (axis.spacing() * length as f64);
        for (i, z) in modes.iter().enumerate() {
            let k = i / inner % length;
            // The mode in the middle has no sign and no derivative.
            let signed = match (2 * k).cmp(&length) {
                std::cmp::Ordering::Less => k as f64,
                std::cmp::Ordering::Equal => 0.0,
                std::cmp::Ordering::Greater => k as f64 - length as f64,
            };
            sum += (unit * signed).powi(2) * z.norm_sqr();
        }
    }
    Ok(4.0 * sum * volume(axes) / n as f64)
}

/// Entropy production (5) of a density and a free energy, from [`fisher_information`] and fourth-order differences of $`F`$.
///
/// [`FokkerPlanck::entropy_production`] is the rate of the discrete equation instead.
///
/// # Errors
/// For what is no density, as [`FokkerPlanck::propagate`]; [`Error::NotFinite`] for a free energy that is not finite, which
/// is looked up to two spacings beyond the grid.
///
/// # Panics
/// When there are not as many densities as points.
pub fn entropy_production<F: FnMut(&[f64]) -> f64>(
    axes: &[GridAxis],
    p: &[f64],
    params: FpParams,
    mut free_energy: F,
) -> Result<EntropyProduction> {
    let diffusion = params.d * fisher_information(axes, p)?;
    let mut curvature = 0.0;
    for (index, &p) in p.iter().enumerate() {
        let mut x = point(axes, index);
        let mut laplacian = 0.0;
        for (a, axis) in axes.iter().enumerate() {
            let (centre, h) = (x[a], axis.spacing());
            for (k, weight) in [(-2.0, -1.0), (-1.0, 16.0), (0.0, -30.0), (1.0, 16.0), (2.0, -1.0)] {
                x[a] = centre + k * h;
                laplacian += weight * free_energy(&x[..axes.len()]) / (12.0 * h * h);
            }
            x[a] = centre;
        }
        if !laplacian.is_finite() {
            return Err(Error::NotFinite { what: "free energy", index, value: laplacian });
        }
        curvature += p * laplacian;
    }
    let learning = params.gamma * curvature * volume(axes);
    Ok(EntropyProduction { total: diffusion + learning, diffusion, learning })
}

/// A line of [`entropy_balance`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct EntropyBalance {
    /// Time.
    pub time: f64,
    /// Entropy then.
    pub entropy: f64,
    /// Integral of the diffusive production since 0.
    pub diffusion: f64,
    /// Integral of the learning production since 0.
    pub learning: f64,
    /// Entropy minus its first value minus both integrals: the error of the integration.
    pub residual: f64,
}

/// Books of the entropy along training: what diffusion made and what learning took up to each time.
///
/// Integrates (5) by Simpson's rule over the intervals between `times`, each cut into `pieces`; `p` moves along.
///
/// # Errors
/// As [`FokkerPlanck::entropy_production`]; [`Error::Parameter`] for times that do not ascend from 0 or no pieces.
///
/// # Panics
/// When there are not as many densities as points.
pub fn entropy_balance(fp: &FokkerPlanck, p: &mut [f64], times: &[f64], pieces: usize) -> Result<Vec<EntropyBalance>> {
    if pieces == 0 {
        return Err(Error::Parameter { what: "pieces", value: 0.0, expected: "at least 1" });
    }
    let first = entropy(fp.axes(), p)?;
    let (mut now, mut diffusion, mut learning) = (0.0, 0.0, 0.0);
    let mut rows = Vec::with_capacity(times.len());
    for &time in times {
        if !(time >= now && time.is_finite()) {
            return Err(Error::Parameter { what: "time", value: time, expected: "ascending finite times from 0" });
        }
        let h = (time - now) / pieces as f64;
        let mut left = fp.entropy_production(p)?;
        for _ in 0..pieces {
            fp.propagate(p, 0.5 * h)?;
            let middle = fp.entropy_production(p)?;
            fp.propagate(p, 0.5 * h)?;
            let right = fp.entropy_production(p)?;
            diffusion += h / 6.0 * (left.diffusion + 4.0 * middle.diffusion + right.diffusion);
            learning += h / 6.0 * (left.learning + 4.0 * middle.learning + right.learning);
            left = right;
        }
        now = time;
        let entropy = entropy(fp.axes(), p)?;
        rows.push(EntropyBalance {
            time,
            entropy,
            diffusion,
            learning,
            residual: entropy - first - diffusion - learning,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::grid::Ends;
    use std::f64::consts::PI;

    fn gaussian(axis: GridAxis, variance: f64) -> Vec<f64> {
        axis.points().map(|x| (-x * x / (2.0 * variance)).exp() / (2.0 * PI * variance).sqrt()).collect()
    }

    #[test]
    fn ornstein_uhlenbeck_at_a_time() {
        // γ = 0.8, D = 0.3, var(0) = 2 at t = 0.4.
        let variance = 0.375 + (2.0 - 0.375) * (-0.64f64).exp();
        let axis = GridAxis::new(-16.0, 16.0, 256).unwrap();
        let p = gaussian(axis, variance);
        let params = FpParams::new(0.3, 0.8).unwrap();
        let production = entropy_production(&[axis], &p, params, |q| -0.5 * q[0] * q[0]).unwrap();
        assert!((production.total + 0.5564638926).abs() < 1e-9, "{production:?}");
        assert!((production.diffusion - 0.3 / variance).abs() < 1e-12 && (production.learning + 0.8).abs() < 1e-12);
        // Zero for the stationary density; two axes add up.
        let p = gaussian(axis, 0.375);
        assert!(entropy_production(&[axis], &p, params, |q| -0.5 * q[0] * q[0]).unwrap().total.abs() < 1e-11);
        let small = GridAxis::new(-8.0, 8.0, 64).unwrap();
        let line = gaussian(small, 0.81);
        let both: Vec<f64> = line.iter().flat_map(|x| line.iter().map(move |y| x * y)).collect();
        assert!((fisher_information(&[small, small], &both).unwrap() - 2.0 / 0.81).abs() < 1e-11);
        let exact = 1.0 + (2.0 * PI * 0.81).ln();
        assert!((entropy(&[small, small], &both).unwrap() - exact).abs() < 1e-11);
    }

    #[test]
    fn balance() {
        let axis = GridAxis::new(-8.0, 8.0, 120).unwrap();
        let fp =
            FokkerPlanck::new(&[axis], Ends::Zero, FpParams::new(0.3, 0.8).unwrap(), |q| -0.5 * q[0] * q[0]).unwrap();
        let mut p = gaussian(axis, 1.5);
        let rows = entropy_balance(&fp, &mut p, &[0.0, 0.5, 1.0, 6.0], 24).unwrap();
        assert!(rows.iter().all(|row| row.residual.abs() < 1e-6), "{rows:?}");
        // From variance 1.5 to 0.375: the entropy falls by ln 2 while diffusion only adds.
        assert!((rows[3].entropy - rows[0].entropy + 2f64.ln()).abs() < 1e-2);
        assert!(rows.windows(2).all(|pair| pair[1].diffusion > pair[0].diffusion));
        assert!(
            entropy_balance(&fp, &mut p, &[1.0, 0.5], 4).is_err() && entropy_balance(&fp, &mut p, &[1.0], 0).is_err()
        );
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(0.0, 1.0, 2).unwrap();
        let params = FpParams::new(1.0, 1.0).unwrap();
        assert!(entropy(&[axis], &[0.0, 0.0]).is_err() && fisher_information(&[axis], &[1.0, f64::NAN]).is_err());
        assert!(entropy_production(&[axis], &[1.0, 1.0], params, |_| f64::NAN).is_err());
    }
}
