//! The Schrödinger equation on a grid.

use linalg_core::fft::FftNd;
use linalg_core::grid::{CrankNicolson, Ends, GridAxis, SplitStep};
use linalg_core::num_complex::Complex64;

use super::{Wave, n_points, point, volume};
use crate::Result;

/// $`i\hbar\,\partial_t\psi = \left(-\frac{\hbar^2}{2m}\nabla^2 + V\right)\psi`$ on one to three axes, (19).
///
/// The equation is postulated for long times: it does not follow from the diffusion of the parameters. Two steps are at hand,
/// both unitary, reversible and of second order in the step: Strang's product with Fourier transforms on a torus and Crank and
/// Nicolson's rule between walls or on a torus. The work is [`SplitStep`]'s and [`CrankNicolson`]'s.
///
/// ```
/// use linalg_core::grid::GridAxis;
/// use physics_inference::emergent::{Schroedinger, Wave, gaussian_packet};
/// # use physics_inference::linalg_core;
///
/// // A packet at rest at 1 in V = x²/2: after half a period it is at -1.
/// let axis = GridAxis::new(-8.0, 8.0, 64)?;
/// let mut equation = Schroedinger::new(&[axis], Wave::new(1.0, 1.0)?, |x| 0.5 * x[0] * x[0])?;
/// let mut psi = gaussian_packet(&[axis], &[1.0], 0.7, &[0.0]);
/// equation.strang(&mut psi, std::f64::consts::PI / 200.0, 200)?;
/// assert!((equation.mean(&psi, 0) + 1.0).abs() < 1e-4);
/// assert!((equation.norm(&psi) - 1.0).abs() < 1e-12);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Schroedinger {
    axes: Vec<GridAxis>,
    wave: Wave,
    potential: Vec<f64>,
    split: SplitStep,
    fft: FftNd,
}

impl Schroedinger {
    /// Tabulates the potential; it is called with a point of as many coordinates as axes.
    ///
    /// # Errors
    /// Those of [`SplitStep::new`].
    pub fn new<F: FnMut(&[f64]) -> f64>(axes: &[GridAxis], wave: Wave, mut potential: F) -> Result<Self> {
        let mut values = Vec::new();
        let split = SplitStep::new(axes, wave.hbar * wave.hbar / (2.0 * wave.mass), |x| {
            let v = potential(x);
            values.push(v);
            v
        })?;
        let shape: Vec<usize> = axes.iter().map(GridAxis::n_points).collect();
        Ok(Self { axes: axes.to_vec(), wave, potential: values, split, fft: FftNd::new(&shape)? })
    }

    /// The axes.
    pub fn axes(&self) -> &[GridAxis] {
        &self.axes
    }

    /// The potential on the grid.
    pub fn potential(&self) -> &[f64] {
        &self.potential
    }

    /// `steps` of Strang's product, `dt` each; negative steps go back.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) for `dt`.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn strang(&mut self, psi: &mut [Complex64], dt: f64, steps: usize) -> Result<()> {
        super::finite("time step", dt)?;
        self.split.strang(psi, Complex64::new(0.0, dt / self.wave.hbar), steps);
        Ok(())
    }

    /// `steps` of Crank and Nicolson's rule, `dt` each.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) for `dt`.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn crank_nicolson(&self, psi: &mut [Complex64], ends: Ends, dt: f64, steps: usize) -> Result<()> {
        super::finite("time step", dt)?;
        // The rule asks for the potential point by point, in the order of the table.
        let mut values = self.potential.iter();
        let c = self.wave.hbar * self.wave.hbar / (2.0 * self.wave.mass);
        let mut rule = CrankNicolson::new(&self.axes, ends, c, |_| values.next().copied().unwrap_or(f64::NAN))?;
        rule.step(psi, Complex64::new(0.0, dt / self.wave.hbar), steps);
        Ok(())
    }

    /// $`\int|\psi|^2`$.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn norm(&self, psi: &[Complex64]) -> f64 {
        self.check(psi);
        psi.iter().map(Complex64::norm_sqr).sum::<f64>() * volume(&self.axes)
    }

    /// Density $`|\psi|^2`$ on the grid, not normalised.
    pub fn density(psi: &[Complex64]) -> Vec<f64> {
        psi.iter().map(Complex64::norm_sqr).collect()
    }

    /// Mean of a coordinate.
    ///
    /// # Panics
    /// When there are not as many values as points, or no such axis.
    pub fn mean(&self, psi: &[Complex64], axis: usize) -> f64 {
        self.moment(psi, |x| x[axis])
    }

    /// Variance of a coordinate.
    ///
    /// # Panics
    /// When there are not as many values as points, or no such axis.
    pub fn variance(&self, psi: &[Complex64], axis: usize) -> f64 {
        let mean = self.mean(psi, axis);
        self.moment(psi, |x| (x[axis] - mean).powi(2))
    }

    fn moment(&self, psi: &[Complex64], f: impl Fn(&[f64]) -> f64) -> f64 {
        self.check(psi);
        let sum = |f: &dyn Fn(&[f64]) -> f64| {
            psi.iter().enumerate().map(|(i, z)| z.norm_sqr() * f(&point(&self.axes, i)[..self.axes.len()])).sum::<f64>()
        };
        sum(&f) / sum(&|_| 1.0)
    }

    /// Mean energy $`\langle H\rangle`$, the kinetic part by Fourier transform.
    ///
    /// # Panics
    /// When there are not as many values as points.
    pub fn energy(&self, psi: &[Complex64]) -> f64 {
        self.check(psi);
        let total: f64 = psi.iter().map(Complex64::norm_sqr).sum();
        let potential: f64 = psi.iter().zip(&self.potential).map(|(z, v)| z.norm_sqr() * v).sum();
        let mut modes = psi.to_vec();
        self.fft.clone().forward(&mut modes);
        let mut kinetic = 0.0;
        let mut inner = psi.len();
        for axis in &self.axes {
            let length = axis.n_points();
            inner /= length;
            let unit = std::f64::consts::TAU / (axis.spacing() * length as f64);
            for (i, z) in modes.iter().enumerate() {
                let k = i / inner % length;
                let signed = if 2 * k > length { k as f64 - length as f64 } else { k as f64 };
                kinetic += (unit * signed * self.wave.hbar).powi(2) / (2.0 * self.wave.mass) * z.norm_sqr();
            }
        }
        (kinetic / psi.len() as f64 + potential) / total
    }

    fn check(&self, psi: &[Complex64]) {
        let n = self.potential.len();
        assert!(psi.len() == n, "{} values for {n} points", psi.len());
    }
}

/// A Gaussian packet $`\prod_a e^{-(x_a - \bar x_a)^2/4\sigma^2 + i k_a x_a}`$ of norm 1 on the grid.
///
/// `sigma` is the standard deviation of $`|\psi|^2`$, `k` the wave numbers, momentum over ħ.
///
/// # Panics
/// When `mean` or `k` have not a number for each axis.
pub fn gaussian_packet(axes: &[GridAxis], mean: &[f64], sigma: f64, k: &[f64]) -> Vec<Complex64> {
    let d = axes.len();
    assert!(mean.len() == d && k.len() == d, "{} means and {} wave numbers for {d} axes", mean.len(), k.len());
    let mut psi: Vec<Complex64> = (0..n_points(axes))
        .map(|i| {
            let x = point(axes, i);
            let square: f64 = x.iter().zip(mean).map(|(x, m)| (x - m).powi(2)).sum();
            let phase: f64 = x.iter().zip(k).map(|(x, k)| x * k).sum();
            Complex64::from_polar((-square / (4.0 * sigma * sigma)).exp(), phase)
        })
        .collect();
    let norm = (psi.iter().map(Complex64::norm_sqr).sum::<f64>() * volume(axes)).sqrt();
    psi.iter_mut().for_each(|z| *z /= norm);
    psi
}

/// Mean and variance at time `t` of a packet at rest at `x0` with standard deviation `sigma` in $`m\omega^2x^2/2`$.
///
/// $`x_0\cos\omega t`$ and $`\sigma^2\cos^2\omega t + (\hbar/2m\omega\sigma)^2\sin^2\omega t`$.
///
/// ```
/// use physics_inference::emergent::{Wave, gaussian_moments};
///
/// let (mean, variance) = gaussian_moments(Wave::new(1.0, 1.0)?, 1.0, 1.0, 0.9, 2.0);
/// assert!((mean + 0.4161468365).abs() < 1e-10 && (variance - 0.3954662504).abs() < 1e-10);
/// # Ok::<(), physics_inference::Error>(())
/// ```
pub fn gaussian_moments(wave: Wave, omega: f64, x0: f64, sigma: f64, t: f64) -> (f64, f64) {
    let (sine, cosine) = (omega * t).sin_cos();
    let spread = wave.hbar / (2.0 * wave.mass * omega * sigma);
    (x0 * cosine, (sigma * cosine).powi(2) + (spread * sine).powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn the_packet_of_the_specification() {
        let axis = GridAxis::new(-12.0, 12.0, 512).unwrap();
        let mut equation = Schroedinger::new(&[axis], Wave::new(1.0, 1.0).unwrap(), |x| 0.5 * x[0] * x[0]).unwrap();
        let start = gaussian_packet(&[axis], &[1.0], 0.9, &[0.0]);
        let mut psi = start.clone();
        let energy = equation.energy(&psi);
        equation.strang(&mut psi, 0.002, 1000).unwrap();
        assert!((equation.mean(&psi, 0) + 0.4161471396).abs() < 1e-9, "{}", equation.mean(&psi, 0));
        assert!((equation.variance(&psi, 0) - 0.3954666320).abs() < 1e-9);
        assert!((equation.norm(&psi) - 1.0).abs() < 1e-12);
        assert!((equation.energy(&psi) - energy + 6.2e-7).abs() < 1e-7);
        equation.strang(&mut psi, -0.002, 1000).unwrap();
        let back = psi.iter().zip(&start).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
        assert!(back < 1e-11, "{back}");
        // The reduction of the fluid, a'' = -a + 1/(4 a³), is the same oscillation of the width.
        let (mut a, mut v) = ([0.9], [0.0]);
        let force = |a: &[f64], f: &mut [f64]| f[0] = -a[0] + 0.25 / a[0].powi(3);
        linalg_core::integrate::leapfrog(&mut a, &mut v, &[1.0], 2e-5, 100_000, force);
        assert!((a[0] * a[0] - 0.3954662504).abs() < 1e-9, "{}", a[0] * a[0]);
    }

    #[test]
    fn second_order_in_one_to_three_dimensions() {
        for (d, n) in [(1, 64), (2, 32), (3, 16)] {
            let axes = vec![GridAxis::new(-5.0, 5.0, n).unwrap(); d];
            let wave = Wave::new(0.8, 0.9).unwrap();
            let v = |x: &[f64]| x.iter().map(|x| 0.4 * x * x + 0.02 * x.powi(4)).sum::<f64>();
            let mut equation = Schroedinger::new(&axes, wave, v).unwrap();
            let start = gaussian_packet(&axes, &vec![0.6; d], 0.6, &vec![0.3; d]);
            for cayley in [false, true] {
                let mut results: Vec<Vec<Complex64>> = Vec::new();
                for steps in [48, 96, 192] {
                    let mut psi = start.clone();
                    match cayley {
                        false => equation.strang(&mut psi, 0.5 / steps as f64, steps).unwrap(),
                        true => equation.crank_nicolson(&mut psi, Ends::Zero, 0.5 / steps as f64, steps).unwrap(),
                    }
                    assert!((equation.norm(&psi) - 1.0).abs() < 1e-12);
                    results.push(psi);
                }
                let distance = |a: &[Complex64], b: &[Complex64]| {
                    a.iter().zip(b).map(|(a, b)| (a - b).norm_sqr()).sum::<f64>().sqrt()
                };
                let ratio = distance(&results[0], &results[1]) / distance(&results[1], &results[2]);
                assert!((ratio - 4.0).abs() < 0.3, "{d} {cayley}: {ratio}");
            }
        }
    }

    #[test]
    fn bad_input() {
        let axis = GridAxis::new(0.0, 1.0, 4).unwrap();
        let wave = Wave::new(1.0, 1.0).unwrap();
        assert!(Schroedinger::new(&[axis; 4], wave, |_| 0.0).is_err());
        assert!(Schroedinger::new(&[axis], wave, |_| f64::NAN).is_err());
        let mut free = Schroedinger::new(&[axis], wave, |_| 0.0).unwrap();
        let mut psi = gaussian_packet(&[axis], &[0.5], 1.0, &[0.0]);
        assert!(matches!(free.strang(&mut psi, f64::NAN, 1), Err(Error::NotFinite { .. })));
        assert!(free.crank_nicolson(&mut psi, Ends::Zero, f64::NAN, 1).is_err());
    }
}
