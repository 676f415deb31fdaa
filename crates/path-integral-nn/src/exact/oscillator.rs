//! The free particle and the harmonic oscillator, in the continuum and on the lattice.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

use linalg_core::num_complex::Complex64;

use crate::action::Rule;
use crate::error::{Error, Result, at_least_one, positive};

/// The Euclidean kernel $`\sqrt{m/2\pi\hbar T}\; e^{-m(x-y)^2/2\hbar T}`$ of a free particle; exact on any time grid.
///
/// ```
/// use path_integral_nn::exact::free_kernel;
///
/// assert!((free_kernel(1.0, 1.0, 1.5, 0.3, -0.5) - 0.26315701214365).abs() < 1e-14);
/// ```
pub fn free_kernel(mass: f64, hbar: f64, time: f64, x: f64, y: f64) -> f64 {
    let a = mass / (hbar * time);
    (a / TAU).sqrt() * (-0.5 * a * (x - y) * (x - y)).exp()
}

/// The harmonic oscillator in the continuum.
///
/// ```
/// use path_integral_nn::exact::Oscillator;
///
/// let oscillator = Oscillator::new(1.0, 1.0, 1.0)?;
/// assert!((oscillator.kernel(1.5, 0.3, -0.5) - 0.21117011135933).abs() < 1e-14);
/// assert_eq!(oscillator.energy(2), 2.5);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Oscillator {
    mass: f64,
    omega: f64,
    hbar: f64,
}

impl Oscillator {
    /// $`V = m\omega^2 x^2/2`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless all three are positive and finite.
    pub fn new(mass: f64, omega: f64, hbar: f64) -> Result<Self> {
        Ok(Self { mass: positive("mass", mass)?, omega: positive("omega", omega)?, hbar: positive("hbar", hbar)? })
    }

    /// $`E_n = \hbar\omega(n + \tfrac12)`$.
    pub fn energy(&self, level: usize) -> f64 {
        self.hbar * self.omega * (level as f64 + 0.5)
    }

    /// $`\psi_n(x)`$ by the recursion of Hermite functions.
    pub fn wave_function(&self, level: usize, x: f64) -> f64 {
        let scale = self.mass * self.omega / self.hbar;
        let y = scale.sqrt() * x;
        let (mut below, mut psi) = (0.0, (scale / PI).powf(0.25) * (-0.5 * y * y).exp());
        for n in 0..level {
            let next =
                ((2.0 * y * psi) / (2.0 * (n as f64 + 1.0)).sqrt()) - (n as f64 / (n as f64 + 1.0)).sqrt() * below;
            (below, psi) = (psi, next);
        }
        psi
    }

    /// Mehler's kernel $`\langle x\vert e^{-TH/\hbar}\vert y\rangle`$.
    pub fn kernel(&self, time: f64, x: f64, y: f64) -> f64 {
        mehler(self.mass * self.omega, self.omega * time, self.hbar, x, y)
    }

    /// $`\langle x\vert e^{-itH/\hbar}\vert y\rangle`$, with the phase $`-\pi/2`$ of each focus passed (Maslov).
    pub fn kernel_real_time(&self, time: f64, x: f64, y: f64) -> Complex64 {
        mehler_real(self.mass * self.omega, self.omega * time, self.hbar, x, y)
    }
}

/// $`\sqrt{B/2\pi\hbar\sinh\alpha}\;\exp(-B[(x^2+y^2)\cosh\alpha - 2xy]/2\hbar\sinh\alpha)`$.
fn mehler(b: f64, angle: f64, hbar: f64, x: f64, y: f64) -> f64 {
    // Through exponentials of -α: sinh and cosh overflow together.
    let decay = (-angle).exp();
    let sinh = 0.5 * (1.0 - decay * decay);
    let coth = 0.5 * (1.0 + decay * decay) / sinh;
    let exponent = -0.5 * b / hbar * ((x * x + y * y) * coth - 2.0 * x * y * decay / sinh);
    (b / (TAU * hbar) / sinh).sqrt() * (exponent - 0.5 * angle).exp()
}

fn mehler_real(b: f64, angle: f64, hbar: f64, x: f64, y: f64) -> Complex64 {
    let (sin, cos) = angle.sin_cos();
    let foci = (angle / PI).floor();
    let phase = b * ((x * x + y * y) * cos - 2.0 * x * y) / (2.0 * hbar * sin) - FRAC_PI_4 - FRAC_PI_2 * foci;
    (b / (TAU * hbar * sin.abs())).sqrt() * Complex64::cis(phase)
}

/// The harmonic oscillator on a time lattice, in closed form.
///
/// The kernel of one step is $`\exp(-[a(x^2+y^2)/2 - bxy]/\hbar)`$ with $`a = b\cosh\theta`$; $`N`$ steps are Mehler's kernel
/// with $`m\omega \to B = b\sinh\theta`$ and $`\omega T \to N\theta`$. With $`t = \omega\Delta/2`$:
/// midpoint $`\theta = 2\operatorname{artanh} t`$ and $`B = m\omega`$ exactly; trapezoid $`\sinh(\theta/2) = t`$ and
/// $`B = m\omega\sqrt{1+t^2}`$.
///
/// ```
/// use path_integral_nn::Rule;
/// use path_integral_nn::exact::OscillatorLattice;
///
/// let lattice = OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Midpoint, 0.1)?;
/// assert!((lattice.ground_state_energy() - 0.4879).abs() < 1e-4); // first order: 1/2 - Δ/8
/// assert!((lattice.x_squared() - 0.5).abs() < 1e-15); // at any step
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OscillatorLattice {
    mass: f64,
    omega: f64,
    hbar: f64,
    step: f64,
    midpoint: bool,
    theta: f64,
    b: f64,
}

impl OscillatorLattice {
    /// The lattice of a rule, trapezoid or midpoint, and a step.
    ///
    /// # Errors
    /// [`Error::Parameter`] for parameters that are not positive and finite and for the midpoint rule at
    /// $`\omega\Delta \ge 2`$; [`Error::NotApplicable`] for the other rules.
    pub fn new(mass: f64, omega: f64, hbar: f64, rule: Rule, step: f64) -> Result<Self> {
        Oscillator::new(mass, omega, hbar)?;
        positive("step", step)?;
        let t = 0.5 * omega * step;
        let midpoint = match rule {
            Rule::Trapezoid => false,
            Rule::Midpoint if t < 1.0 => true,
            Rule::Midpoint => {
                let expected = "below 2/omega for the midpoint rule: its kernel does not decay";
                return Err(Error::Parameter { what: "step", value: step, expected });
            }
            _ => {
                let reason = "closed forms are there for the trapezoid and the midpoint";
                return Err(Error::NotApplicable { what: "the oscillator on this lattice", reason });
            }
        };
        let theta = if midpoint { 2.0 * t.atanh() } else { 2.0 * t.asinh() };
        let b = mass / step * if midpoint { 1.0 - t * t } else { 1.0 };
        Ok(Self { mass, omega, hbar, step, midpoint, theta, b })
    }

    /// $`B = b\sinh\theta`$, which takes the place of $`m\omega`$.
    fn strength(&self) -> f64 {
        self.b * self.theta.sinh()
    }

    /// The angle $`\theta`$ of one step.
    pub fn theta(&self) -> f64 {
        self.theta
    }

    /// $`E_1 - E_0 = \hbar\theta/\Delta`$.
    pub fn gap(&self) -> f64 {
        self.hbar * self.theta / self.step
    }

    /// $`E_0 = \hbar[\theta/2 + \tfrac12\ln(b\Delta/m)]/\Delta`$.
    pub fn ground_state_energy(&self) -> f64 {
        0.5 * self.hbar * (self.theta + (self.b * self.step / self.mass).ln()) / self.step
    }

    /// $`\langle x^2\rangle = \hbar/2B`$ in the ground state.
    pub fn x_squared(&self) -> f64 {
        0.5 * self.hbar / self.strength()
    }

    /// $`\langle x_0 x_n\rangle`$ in the ground state.
    pub fn correlator(&self, steps: usize) -> f64 {
        self.x_squared() * (-(steps as f64) * self.theta).exp()
    }

    /// $`\langle x_0 x_n\rangle`$ on a ring of `slices`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no slices.
    pub fn periodic_correlator(&self, slices: usize, steps: usize) -> Result<f64> {
        at_least_one("number of slices", slices)?;
        let n = (steps % slices) as f64;
        let total = slices as f64;
        // cosh((N/2-n)θ)/sinh(Nθ/2) without overflow.
        let (forth, back) = ((-n * self.theta).exp(), (-(total - n) * self.theta).exp());
        Ok(self.x_squared() * (forth + back) / (-(-total * self.theta).exp_m1()))
    }

    /// The kernel of `steps` steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no steps.
    pub fn kernel(&self, steps: usize, x: f64, y: f64) -> Result<f64> {
        at_least_one("number of steps", steps)?;
        let n = steps as f64;
        let measure = (self.b * self.step / self.mass).powf(-0.5 * n);
        Ok(measure * mehler(self.strength(), n * self.theta, self.hbar, x, y))
    }

    /// The kernel of `steps` steps of real time.
    ///
    /// $`\theta = 2\arctan(\omega\Delta/2)`$ for the midpoint (a Cayley step), $`\sin(\theta/2) = \omega\Delta/2`$ for the trapezoid.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no steps, and for the trapezoid at $`\omega\Delta \ge 2`$, where it is unstable.
    pub fn kernel_real_time(&self, steps: usize, x: f64, y: f64) -> Result<Complex64> {
        at_least_one("number of steps", steps)?;
        let (n, t) = (steps as f64, 0.5 * self.omega * self.step);
        if !self.midpoint && t >= 1.0 {
            let expected = "below 2/omega in real time";
            return Err(Error::Parameter { what: "step", value: self.step, expected });
        }
        let (theta, ratio) = if self.midpoint { (2.0 * t.atan(), 1.0 + t * t) } else { (2.0 * t.asin(), 1.0) };
        let strength = self.mass / self.step * ratio * theta.sin();
        Ok(ratio.powf(-0.5 * n) * mehler_real(strength, n * theta, self.hbar, x, y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_of_the_table() {
        for (n, midpoint, trapezoid) in [
            (2, 0.237552187702, 0.217490668720),
            (8, 0.218337939316, 0.211595098030),
            (64, 0.212093845189, 0.211176784771),
        ] {
            for (rule, expected) in [(Rule::Midpoint, midpoint), (Rule::Trapezoid, trapezoid)] {
                let lattice = OscillatorLattice::new(1.0, 1.0, 1.0, rule, 1.5 / f64::from(n)).unwrap();
                let kernel = lattice.kernel(n as usize, 0.3, -0.5).unwrap();
                assert!((kernel - expected).abs() < 1e-11, "{rule:?} {n}: {kernel}");
            }
        }
        let real = |n: u32| {
            let lattice = OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Midpoint, 1.5 / f64::from(n)).unwrap();
            lattice.kernel_real_time(n as usize, 0.3, -0.5).unwrap()
        };
        assert!((real(8) - Complex64::new(0.3134784002, -0.2248239499)).norm() < 1e-10);
        assert!((real(32) - Complex64::new(0.3215848513, -0.2310010034)).norm() < 1e-10);
        let exact = Oscillator::new(1.0, 1.0, 1.0).unwrap().kernel_real_time(1.5, 0.3, -0.5);
        assert!((exact - Complex64::new(0.3244081742, -0.2330535692)).norm() < 1e-10);
    }

    #[test]
    fn steps_compose() {
        // ∫ K₃(x, z) K₄(z, y) dz = K₇(x, y), with other units; the trapezoidal sum converges exponentially.
        for rule in [Rule::Midpoint, Rule::Trapezoid] {
            let lattice = OscillatorLattice::new(1.3, 0.8, 0.7, rule, 0.3).unwrap();
            let sum: f64 = (-400..=400)
                .map(|k| f64::from(k) * 0.02)
                .map(|z| 0.02 * lattice.kernel(3, 0.4, z).unwrap() * lattice.kernel(4, z, -0.2).unwrap())
                .sum();
            assert!((sum / lattice.kernel(7, 0.4, -0.2).unwrap() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn real_time_composes_through_a_focus() {
        // ∫ K(t₁; x, z) ψ(z) dz against the coherent-state period: after one period every state is back with phase -π.
        let oscillator = Oscillator::new(1.0, 1.0, 1.0).unwrap();
        let psi = |z: f64| (-0.5 * (z - 0.6) * (z - 0.6)).exp();
        for (time, sign, at) in [(PI * 0.5, None, 0.3), (PI * 1.5, None, 0.3), (PI * 2.0 - 0.4, Some(0.4), 0.3)] {
            let sum: Complex64 = (-2000..=2000)
                .map(|k| f64::from(k) * 0.005)
                .map(|z| oscillator.kernel_real_time(time, at, z) * (0.005 * psi(z)))
                .sum();
            // By eigenfunctions.
            let mut exact = Complex64::new(0.0, 0.0);
            for level in 0..60 {
                let overlap: f64 = (-1000..=1000)
                    .map(|k| f64::from(k) * 0.01)
                    .map(|z| 0.01 * oscillator.wave_function(level, z) * psi(z))
                    .sum();
                exact +=
                    Complex64::cis(-oscillator.energy(level) * time) * overlap * oscillator.wave_function(level, at);
            }
            assert!((sum - exact).norm() < 1e-8, "{time} {sign:?}: {sum} {exact}");
        }
    }

    #[test]
    fn moments() {
        let trapezoid = OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Trapezoid, 0.1).unwrap();
        assert!((trapezoid.ground_state_energy() - 0.49979).abs() < 1e-5);
        let ring = trapezoid.periodic_correlator(1000, 3).unwrap();
        assert!((ring - trapezoid.correlator(3)).abs() < 1e-14);
        assert!(OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Midpoint, 2.0).is_err());
        assert!(OscillatorLattice::new(1.0, 1.0, -1.0, Rule::Midpoint, 0.1).is_err());
        assert!(OscillatorLattice::new(1.0, 1.0, 1.0, Rule::TakahashiImada, 0.1).is_err());
    }
}
