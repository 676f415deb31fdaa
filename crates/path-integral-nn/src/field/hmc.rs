//! Fourier-accelerated Hamiltonian Monte Carlo.

use linalg_core::fft::FftNd;
use linalg_core::num_complex::Complex64;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;

use super::ScalarField;
use crate::error::{Error, Result, positive};

/// Step sizes of [`FieldHmc`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FieldHmcParams {
    /// Kicks on a trajectory.
    pub kicks: usize,
    /// Length of a trajectory as an angle of the reference.
    pub length: f64,
    /// $`m^2`$ of the reference; `None`: $`m^2 + 12 g\langle\phi^2\rangle`$, self-consistent.
    pub reference_mass_squared: Option<f64>,
}

impl Default for FieldHmcParams {
    /// Six kicks, a quarter period, the self-consistent mass.
    fn default() -> Self {
        Self { kicks: 6, length: std::f64::consts::FRAC_PI_2, reference_mass_squared: None }
    }
}

impl FieldHmcParams {
    /// Another number of kicks.
    #[must_use]
    pub fn kicks(mut self, kicks: usize) -> Self {
        self.kicks = kicks;
        self
    }

    /// Another length.
    #[must_use]
    pub fn length(mut self, length: f64) -> Self {
        self.length = length;
        self
    }

    /// A given mass of the reference.
    #[must_use]
    pub fn reference_mass_squared(mut self, mass_squared: f64) -> Self {
        self.reference_mass_squared = Some(mass_squared);
        self
    }
}

/// Hamiltonian Monte Carlo whose mass is the precision of a free field, diagonal in momenta.
///
/// All modes of the reference turn at one rate, as for paths; kicks by the rest of the force cost two Fourier transforms. A
/// reflection $`\phi \to -\phi`$ is offered by symmetry after every trajectory.
///
/// ```
/// use linalg_core::Streams;
/// use path_integral_nn::field::{FieldHmc, FieldHmcParams, ScalarField};
///
/// // A free field: every trajectory is independent and accepted.
/// let free = ScalarField::new(&[8, 8], 1.0, 1.0, 0.25, 0.0)?;
/// let mut hmc = FieldHmc::new(&free, FieldHmcParams::default())?;
/// let mut rng = Streams::new(1).stream(0);
/// let mut sum = 0.0;
/// for _ in 0..2000 {
///     hmc.step(&mut rng);
///     sum += hmc.phi().iter().map(|x| x * x).sum::<f64>() / 64.0;
/// }
/// assert!((sum / 2000.0 - 0.3855).abs() < 0.01);
/// assert_eq!(hmc.acceptance(), 1.0);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FieldHmc {
    field: ScalarField,
    params: FieldHmcParams,
    precisions: Vec<f64>,
    fft: FftNd,
    phi: Vec<f64>,
    modes: Vec<Complex64>,
    proposed: u64,
    accepted: u64,
}

impl FieldHmc {
    /// Starts from $`\phi = 0`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no kicks, a length or a mass that is not positive and finite, and when the reference has a mode
    /// without precision.
    pub fn new(field: &ScalarField, params: FieldHmcParams) -> Result<Self> {
        crate::error::at_least_one("number of kicks", params.kicks)?;
        positive("length of the trajectory", params.length)?;
        let mass_squared = match params.reference_mass_squared {
            Some(mass_squared) => positive("squared mass of the reference", mass_squared)?,
            None => self_consistent(field),
        };
        let precisions = field.precisions(mass_squared);
        let least = precisions.iter().copied().fold(f64::INFINITY, f64::min);
        if least <= 0.0 {
            let expected = "> 0 for every mode: take a larger mass";
            return Err(Error::Parameter { what: "precision of the reference", value: least, expected });
        }
        let n = field.n_sites();
        Ok(Self {
            field: field.clone(),
            params,
            precisions,
            fft: FftNd::new(field.shape())?,
            phi: vec![0.0; n],
            modes: vec![Complex64::new(0.0, 0.0); n],
            proposed: 0,
            accepted: 0,
        })
    }

    /// The field.
    pub fn phi(&self) -> &[f64] {
        &self.phi
    }

    /// Accepted over proposed trajectories; NaN without any.
    pub fn acceptance(&self) -> f64 {
        self.accepted as f64 / self.proposed as f64
    }

    /// Multiplies every mode by a function of its precision.
    fn filter(&mut self, data: &mut [f64], f: impl Fn(f64) -> f64) {
        self.modes.iter_mut().zip(data.iter()).for_each(|(z, x)| *z = (*x).into());
        self.fft.forward(&mut self.modes);
        self.modes.iter_mut().zip(&self.precisions).for_each(|(z, a)| *z *= f(*a));
        self.fft.inverse(&mut self.modes);
        data.iter_mut().zip(&self.modes).for_each(|(x, z)| *x = z.re);
    }

    /// One trajectory; whether it was accepted.
    pub fn step<R: Rng + ?Sized>(&mut self, rng: &mut R) -> bool {
        let n = self.phi.len();
        let mut velocity: Vec<f64> = (0..n).map(|_| standard_normal(rng)).collect();
        self.filter(&mut velocity, |a| 1.0 / a.sqrt());
        let old = self.phi.clone();
        let rest = |this: &mut Self| {
            let mut force = this.phi.clone();
            this.filter(&mut force, |a| a);
            let quadratic: f64 = 0.5 * force.iter().zip(&this.phi).map(|(a, b)| a * b).sum::<f64>();
            this.field.action(&this.phi) - quadratic
        };
        let before = rest(self);
        let h = self.params.length / self.params.kicks as f64;
        let (mut gradient, mut work) = (vec![0.0; n], 0.0);
        rotate(&mut self.phi, &mut velocity, 0.5 * h);
        for kick in 0..self.params.kicks {
            // A⁻¹∇S - φ is A⁻¹∇Φ; with it v·∇Φ = v·(∇S - Aφ).
            self.field.gradient(&self.phi, &mut gradient);
            let mut linear = self.phi.clone();
            self.filter(&mut linear, |a| a);
            gradient.iter_mut().zip(&linear).for_each(|(g, l)| *g -= l);
            let mut w = gradient.clone();
            self.filter(&mut w, |a| 1.0 / a);
            for k in 0..n {
                work += h * gradient[k] * (0.5 * h * w[k] - velocity[k]);
                velocity[k] -= h * w[k];
            }
            let turn = if kick + 1 == self.params.kicks { 0.5 * h } else { h };
            rotate(&mut self.phi, &mut velocity, turn);
        }
        let change = rest(self) - before + work;
        self.proposed += 1;
        let u: f64 = rng.random();
        // Rounding of a free field is no reason to refuse.
        let accept = change <= 1e-9 || u < (-change).exp();
        if accept {
            self.accepted += 1;
        } else {
            self.phi = old;
        }
        if rng.random() {
            self.phi.iter_mut().for_each(|x| *x = -*x);
        }
        accept
    }
}

fn rotate(x: &mut [f64], v: &mut [f64], angle: f64) {
    let (sin, cos) = angle.sin_cos();
    for (x, v) in x.iter_mut().zip(v) {
        (*x, *v) = (cos * *x + sin * *v, cos * *v - sin * *x);
    }
}

/// $`M^2 = m^2 + 12 g\langle\phi^2\rangle_M`$ by bisection; the right-hand side falls with $`M^2`$.
pub(super) fn self_consistent(field: &ScalarField) -> f64 {
    let n = field.n_sites() as f64;
    let excess = |mass_squared: f64| {
        let mean: f64 = field.precisions(mass_squared).iter().map(|a| 1.0 / a.max(1e-300)).sum::<f64>() / n;
        field.mass_squared() + 12.0 * field.coupling() * mean - mass_squared
    };
    let (mut low, mut high) = (1e-6f64, 1.0f64);
    while excess(high) > 0.0 && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if excess(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::TransferMatrix;
    use crate::field::FieldRule;
    use crate::{Polynomial, Rule, System};
    use linalg_core::Streams;
    use linalg_core::stats::{Estimate, autocorrelation_time};

    fn phi2(field: &ScalarField, params: FieldHmcParams, steps: usize) -> Estimate {
        let mut hmc = FieldHmc::new(field, params).unwrap();
        let mut rng = Streams::new(8).stream(0);
        let series: Vec<f64> = (0..steps)
            .map(|_| {
                hmc.step(&mut rng);
                hmc.phi().iter().map(|x| x * x).sum::<f64>() / field.n_sites() as f64
            })
            .collect();
        assert!(hmc.acceptance() > 0.5, "{}", hmc.acceptance());
        autocorrelation_time(&series[100..]).unwrap().estimate()
    }

    fn close(got: Estimate, exact: f64) {
        let error = got.std_error.unwrap();
        assert!(error < 0.01 * exact && (got.value - exact).abs() < 4.0 * error, "{got:?} {exact}");
    }

    #[test]
    fn free_fields_with_a_wrong_reference() {
        let wrong = FieldHmcParams::default().reference_mass_squared(0.8);
        let square = ScalarField::new(&[8, 8], 1.0, 1.0, 0.25, 0.0).unwrap();
        close(phi2(&square, wrong, 8000), 0.3855011890890865);
        close(phi2(&square.with_rule(FieldRule::MidpointInTime), wrong, 12000), 0.44505318382196873);
        // 2 + 1 dimensions.
        let cube = ScalarField::new(&[6, 4, 4], 0.8, 1.0, 0.5, 0.0).unwrap();
        close(phi2(&cube, wrong, 6000), cube.free_phi_squared().unwrap());
    }

    #[test]
    fn one_dimension_is_a_path() {
        // d = 0: a ring of 16 with x²/2 + x⁴, the quantum mechanics of the transfer matrix.
        let field = ScalarField::new(&[16], 0.25, 1.0, 1.0, 1.0).unwrap();
        let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
        let exact =
            TransferMatrix::new(&system, Rule::Trapezoid, 0.25).unwrap().periodic_average(16, |x| x * x).unwrap();
        close(phi2(&field, FieldHmcParams::default(), 20_000), exact);
        let midpoint =
            TransferMatrix::new(&system, Rule::Midpoint, 0.25).unwrap().periodic_average(16, |x| x * x).unwrap();
        close(phi2(&field.with_rule(FieldRule::MidpointInTime), FieldHmcParams::default(), 20_000), midpoint);
    }

    #[test]
    fn bad_input() {
        let field = ScalarField::new(&[4, 4], 1.0, 1.0, -1.0, 0.5).unwrap();
        assert!(FieldHmc::new(&field, FieldHmcParams::default()).is_ok());
        assert!(FieldHmc::new(&field, FieldHmcParams::default().kicks(0)).is_err());
        assert!(FieldHmc::new(&field, FieldHmcParams::default().reference_mass_squared(-1.0)).is_err());
    }
}
