//! Nelson's stochastic mechanics: a diffusion whose stationary density is $`\psi_0^2`$.
//!
//! $`dx = F\,d\tau + \sqrt{\hbar/m}\,dB`$ with $`F = (\hbar/m)\,d\ln\psi_0/dx = -G'`$ has the stationary density $`e^{-2mG/\hbar} = \psi_0^2`$, and
//! $`V - E_0 = \tfrac m2 G'^2 - \tfrac\hbar2 G''`$. Its paths are not those of the path integral for $`\psi_0`$: the weights differ by the factor
//! $`e^{-mG(x)/\hbar}`$ at the end.

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;

use crate::error::{Error, Result, positive};
use crate::exact::Spectrum;
use crate::potential::System;

/// How a step of the diffusion is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Scheme {
    /// $`x' = x + F\Delta + \sqrt{\hbar\Delta/m}\,\xi`$: the variance of an oscillator is too large by $`1/(1 - \omega\Delta/2)`$.
    Euler,
    /// The exact step of an oscillator of this frequency, and Euler's for the rest of the force.
    OrnsteinUhlenbeck,
    /// Euler's step as a proposal, accepted by the density: exact at any step.
    Adjusted,
}

/// The diffusion of a ground state given by $`\ln\psi_0`$ and its derivative.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::nelson::{Nelson, Scheme};
///
/// let oscillator = Nelson::oscillator(1.0, 1.0, 1.0)?;
/// assert_eq!(oscillator.drift(0.7), -0.7);
/// // A step of any length of the exact scheme has the exact variance.
/// let mut rng = Streams::new(1).stream(0);
/// let (mut x, mut sum) = (0.0, 0.0);
/// for _ in 0..40_000 {
///     x = oscillator.step(Scheme::OrnsteinUhlenbeck, x, 1.0, &mut rng);
///     sum += x * x / 40_000.0;
/// }
/// assert!((sum - 0.5).abs() < 0.02);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
pub struct Nelson {
    mass: f64,
    hbar: f64,
    /// Frequency and centre of the exact part.
    omega: f64,
    center: f64,
    ln_psi: Box<dyn Fn(f64) -> (f64, f64) + Send + Sync>,
}

impl std::fmt::Debug for Nelson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nelson").field("mass", &self.mass).field("hbar", &self.hbar).finish_non_exhaustive()
    }
}

impl Nelson {
    /// From a function that returns $`\ln\psi_0`$ and its derivative; `omega` is the frequency of the exact scheme.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless mass, $`\hbar`$ and `omega` are positive and finite.
    pub fn new<F>(mass: f64, hbar: f64, omega: f64, ln_psi: F) -> Result<Self>
    where
        F: Fn(f64) -> (f64, f64) + Send + Sync + 'static,
    {
        positive("mass", mass)?;
        positive("hbar", hbar)?;
        positive("omega", omega)?;
        Ok(Self { mass, hbar, omega, center: 0.0, ln_psi: Box::new(ln_psi) })
    }

    /// $`\psi_0 = e^{-m\omega x^2/2\hbar}`$, $`F = -\omega x`$.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn oscillator(mass: f64, omega: f64, hbar: f64) -> Result<Self> {
        let a = mass * omega / hbar;
        Self::new(mass, hbar, omega, move |x| (-0.5 * a * x * x, -a * x))
    }

    /// From the ground state of a system with one coordinate, on the grid of [`Spectrum`]: cubic interpolation of $`\ln\psi_0`$,
    /// continued as a parabola where the state is below 1e-10 of its height.
    ///
    /// # Errors
    /// As [`Spectrum::new`].
    pub fn ground_state(system: &System) -> Result<Self> {
        let spectrum = Spectrum::new(system)?;
        let psi = spectrum.wave_function(0);
        let top = psi.iter().fold(0f64, |m, p| m.max(p.abs()));
        let kept: Vec<usize> = (0..psi.len()).filter(|&k| psi[k].abs() > 1e-10 * top).collect();
        let (Some(&first), Some(&last)) = (kept.first(), kept.last()) else {
            return Err(Error::NotApplicable { what: "Nelson's diffusion", reason: "the ground state is zero" });
        };
        let x: Vec<f64> = spectrum.points()[first..=last].iter().map(|x| x[0]).collect();
        let ln: Vec<f64> = psi[first..=last].iter().map(|p| p.abs().max(1e-12 * top).ln()).collect();
        let h = x[1] - x[0];
        let n = x.len();
        // Slopes by differences of fourth order inside.
        let slope: Vec<f64> = (0..n)
            .map(|k| match k {
                0 => (-3.0 * ln[0] + 4.0 * ln[1] - ln[2]) / (2.0 * h),
                k if k == n - 1 => (3.0 * ln[k] - 4.0 * ln[k - 1] + ln[k - 2]) / (2.0 * h),
                k if k == 1 || k == n - 2 => (ln[k + 1] - ln[k - 1]) / (2.0 * h),
                k => (8.0 * (ln[k + 1] - ln[k - 1]) - (ln[k + 2] - ln[k - 2])) / (12.0 * h),
            })
            .collect();
        let reference = crate::ReferenceOscillator::variational(system)?;
        let mut this = Self::new(system.mass(), system.hbar(), reference.frequency, move |at| {
            let place = ((at - x[0]) / h).floor();
            let end = if place < 0.0 { Some((0, 0)) } else { (place >= (n - 1) as f64).then_some((n - 1, n - 2)) };
            if let Some((edge, _)) = end {
                let inner = if edge == 0 { 2 } else { n - 3 };
                let curvature = ((slope[edge] - slope[inner]) / (x[edge] - x[inner])).min(0.0);
                let d = at - x[edge];
                return (ln[edge] + slope[edge] * d + 0.5 * curvature * d * d, slope[edge] + curvature * d);
            }
            // Hermite's cubic.
            let k = place as usize;
            let u = (at - x[k]) / h;
            let (a, b, s, t) = (ln[k], ln[k + 1], h * slope[k], h * slope[k + 1]);
            let (p, q) = (3.0 * (b - a) - 2.0 * s - t, 2.0 * (a - b) + s + t);
            (a + u * (s + u * (p + u * q)), (s + u * (2.0 * p + 3.0 * u * q)) / h)
        })?;
        this.center = reference.center;
        Ok(this)
    }

    /// $`\ln\psi_0(x)`$, up to a constant: $`-mG/\hbar`$, the factor by which the two kinds of paths differ.
    pub fn ln_psi(&self, x: f64) -> f64 {
        (self.ln_psi)(x).0
    }

    /// $`F(x) = (\hbar/m)\,d\ln\psi_0/dx`$.
    pub fn drift(&self, x: f64) -> f64 {
        self.hbar / self.mass * (self.ln_psi)(x).1
    }

    /// One step of length `dt` from `x`.
    pub fn step<R: Rng + ?Sized>(&self, scheme: Scheme, x: f64, dt: f64, rng: &mut R) -> f64 {
        let variance = self.hbar * dt / self.mass;
        match scheme {
            Scheme::Euler => x + self.drift(x) * dt + variance.sqrt() * standard_normal(rng),
            Scheme::OrnsteinUhlenbeck => {
                let decay = (-self.omega * dt).exp();
                let rest = self.drift(x) + self.omega * (x - self.center);
                let spread = (self.hbar / (2.0 * self.mass * self.omega) * (1.0 - decay * decay)).sqrt();
                let kick = rest * (1.0 - decay) / self.omega;
                self.center + decay * (x - self.center) + kick + spread * standard_normal(rng)
            }
            Scheme::Adjusted => {
                let (here, forth) = ((self.ln_psi)(x), self.drift(x));
                let y = x + forth * dt + variance.sqrt() * standard_normal(rng);
                let (there, back) = ((self.ln_psi)(y), self.drift(y));
                let ln_forth = -(y - x - forth * dt).powi(2) / (2.0 * variance);
                let ln_back = -(x - y - back * dt).powi(2) / (2.0 * variance);
                let ln_ratio = 2.0 * (there.0 - here.0) + ln_back - ln_forth;
                let u: f64 = rng.random();
                if ln_ratio >= 0.0 || u < ln_ratio.exp() { y } else { x }
            }
        }
    }

    /// Variance of Euler's stationary distribution for an oscillator, $`\frac{\hbar}{2m\omega}/(1 - \omega\Delta/2)`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] when $`\omega\Delta \ge 2`$, where the scheme diverges.
    pub fn euler_variance(mass: f64, omega: f64, hbar: f64, dt: f64) -> Result<f64> {
        let rate = positive("omega", omega)? * positive("step", dt)?;
        if rate >= 2.0 {
            let expected = "below 2/omega: Euler's scheme diverges";
            return Err(Error::Parameter { what: "step", value: dt, expected });
        }
        Ok(hbar / (2.0 * mass * omega) / (1.0 - 0.5 * omega * dt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Polynomial;
    use linalg_core::Streams;
    use linalg_core::stats::{Estimate, autocorrelation_time};

    fn x2(nelson: &Nelson, scheme: Scheme, dt: f64, steps: usize) -> Estimate {
        let mut rng = Streams::new(4).stream(scheme as u64);
        let mut x = 0.1;
        let squares: Vec<f64> = (0..steps)
            .map(|_| {
                x = nelson.step(scheme, x, dt, &mut rng);
                x * x
            })
            .collect();
        autocorrelation_time(&squares[100..]).unwrap().estimate()
    }

    fn close(got: Estimate, exact: f64) {
        let error = got.std_error.unwrap();
        assert!(error < 0.02 * exact && (got.value - exact).abs() < 4.0 * error, "{got:?} {exact}");
    }

    #[test]
    fn oscillator() {
        let nelson = Nelson::oscillator(1.0, 1.0, 1.0).unwrap();
        let euler = Nelson::euler_variance(1.0, 1.0, 1.0, 0.1).unwrap();
        assert!((euler - 0.526316).abs() < 1e-6);
        close(x2(&nelson, Scheme::Euler, 0.1, 400_000), euler);
        close(x2(&nelson, Scheme::OrnsteinUhlenbeck, 0.5, 200_000), 0.5);
        close(x2(&nelson, Scheme::Adjusted, 0.5, 200_000), 0.5);
        assert!(Nelson::euler_variance(1.0, 1.0, 1.0, 2.0).is_err());
        let other = Nelson::oscillator(2.0, 1.5, 0.3).unwrap();
        close(x2(&other, Scheme::Adjusted, 0.4, 200_000), 0.3 / 6.0);
    }

    #[test]
    fn quartic() {
        let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
        let nelson = Nelson::ground_state(&system).unwrap();
        close(x2(&nelson, Scheme::Adjusted, 0.2, 300_000), 0.2571498214428);
        // V - E₀ = (m/2) F² + (ħ/2) F': the drift knows the potential.
        for x in [-1.2f64, -0.3, 0.0, 0.8, 1.5] {
            let h = 1e-4;
            let slope = (nelson.drift(x + h) - nelson.drift(x - h)) / (2.0 * h);
            let v = 0.5 * x * x + x.powi(4) - 0.803_770_651_234_273_8;
            assert!((0.5 * nelson.drift(x).powi(2) + 0.5 * slope - v).abs() < 2e-3 * (1.0 + v.abs()), "{x}");
        }
    }
}
