//! The action of a lattice field and its free propagator.

use std::f64::consts::PI;

use crate::error::{Error, Result, all_finite, positive};

/// Where terms without a time derivative are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FieldRule {
    /// At the sites.
    #[default]
    Standard,
    /// In the middle of neighbouring times: $`\phi \to \tfrac12(\phi_t + \phi_{t+1})`$.
    MidpointInTime,
}

/// $`\phi^4`$ theory on a periodic lattice in $`d + 1`$ dimensions.
///
/// ```
/// use path_integral_nn::field::{FieldRule, ScalarField};
///
/// let free = ScalarField::new(&[8, 8], 1.0, 1.0, 0.25, 0.0)?;
/// assert!((free.free_phi_squared()? - 0.3855011890890865).abs() < 1e-14);
/// let midpoint = free.with_rule(FieldRule::MidpointInTime);
/// assert!((midpoint.free_phi_squared()? - 0.44505318382196873).abs() < 1e-14);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScalarField {
    shape: Vec<usize>,
    time_step: f64,
    spacing: f64,
    mass_squared: f64,
    coupling: f64,
    rule: FieldRule,
}

impl ScalarField {
    /// A lattice of these lengths (time first), steps in time and space, $`m^2`$ (of either sign) and $`g`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no axes, a length of 0, steps that are not positive and finite, a negative coupling;
    /// [`Error::UnboundedBelow`] for $`m^2 < 0`$ without a coupling.
    pub fn new(shape: &[usize], time_step: f64, spacing: f64, mass_squared: f64, coupling: f64) -> Result<Self> {
        if shape.is_empty() || shape.contains(&0) {
            let expected = "one or more axes of at least one site";
            return Err(Error::Parameter { what: "length of the lattice", value: 0.0, expected });
        }
        positive("time step", time_step)?;
        positive("lattice spacing", spacing)?;
        all_finite("squared mass and coupling", &[mass_squared, coupling])?;
        if coupling < 0.0 || (coupling == 0.0 && mass_squared < 0.0) {
            let reason = format!("g is {coupling} and m² is {mass_squared}");
            return Err(Error::UnboundedBelow { reason });
        }
        let rule = FieldRule::Standard;
        Ok(Self { shape: shape.to_vec(), time_step, spacing, mass_squared, coupling, rule })
    }

    /// Another rule.
    #[must_use]
    pub fn with_rule(&self, rule: FieldRule) -> Self {
        Self { rule, ..self.clone() }
    }

    /// The lengths, time first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.shape.iter().product()
    }

    /// $`m^2`$.
    pub fn mass_squared(&self) -> f64 {
        self.mass_squared
    }

    /// $`g`$.
    pub fn coupling(&self) -> f64 {
        self.coupling
    }

    /// The rule.
    pub fn rule(&self) -> FieldRule {
        self.rule
    }

    /// Step in time.
    pub fn time_step(&self) -> f64 {
        self.time_step
    }

    /// Lattice spacing in space.
    pub fn spacing(&self) -> f64 {
        self.spacing
    }

    /// Volume of a cell.
    pub(super) fn cell(&self) -> f64 {
        self.time_step * self.spacing.powi(self.shape.len() as i32 - 1)
    }

    /// Precision of the free action for a given $`m^2`$ at each momentum, row-major: $`\tilde S = \frac{1}{2V}\sum_k A_k |\tilde\phi_k|^2`$.
    pub(super) fn precisions(&self, mass_squared: f64) -> Vec<f64> {
        let n = self.n_sites();
        let square = |k: usize, length: usize, step: f64| {
            let s = 2.0 * (PI * k as f64 / length as f64).sin() / step;
            s * s
        };
        (0..n)
            .map(|site| {
                let (mut rest, mut inner) = (site, n);
                let (mut time, mut space, mut average) = (0.0, 0.0, 1.0);
                for (axis, &length) in self.shape.iter().enumerate() {
                    inner /= length;
                    let k = rest / inner;
                    rest %= inner;
                    if axis == 0 {
                        time = square(k, length, self.time_step);
                        if self.rule == FieldRule::MidpointInTime {
                            average = (PI * k as f64 / length as f64).cos().powi(2);
                        }
                    } else {
                        space += square(k, length, self.spacing);
                    }
                }
                self.cell() * (time + average * (space + mass_squared))
            })
            .collect()
    }

    /// $`\langle\phi^2\rangle`$ without coupling: the mean over momenta of the propagator.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless $`m^2 > 0`$.
    pub fn free_phi_squared(&self) -> Result<f64> {
        positive("squared mass", self.mass_squared)?;
        let precisions = self.precisions(self.mass_squared);
        Ok(precisions.iter().map(|a| 1.0 / a).sum::<f64>() / self.n_sites() as f64)
    }

    /// The action of a configuration, row-major.
    ///
    /// # Panics
    /// When there are not as many values as sites.
    pub fn action(&self, phi: &[f64]) -> f64 {
        let mut sum = 0.0;
        self.visit(phi, |derivative, value| {
            let square = value * value;
            sum += match derivative {
                true => 0.5 * square,
                false => 0.5 * self.mass_squared * square + self.coupling * square * square,
            };
        });
        self.cell() * sum
    }

    /// The gradient of the action into `out`.
    ///
    /// # Panics
    /// When a length is not the number of sites.
    pub fn gradient(&self, phi: &[f64], out: &mut [f64]) {
        let n = self.n_sites();
        assert!(phi.len() == n && out.len() == n, "{} and {} values for {n} sites", phi.len(), out.len());
        out.fill(0.0);
        let cell = self.cell();
        let time = n / self.shape[0];
        let next_in_time = |site: usize| if site + time < n { site + time } else { site + time - n };
        let slope = |value: f64| value * (self.mass_squared + 4.0 * self.coupling * value * value);
        let average = self.rule == FieldRule::MidpointInTime;
        for site in 0..n {
            let up = next_in_time(site);
            let pull = cell / (self.time_step * self.time_step) * (phi[up] - phi[site]);
            out[up] += pull;
            out[site] -= pull;
            let value = if average { 0.5 * (phi[site] + phi[up]) } else { phi[site] };
            let force = cell * slope(value);
            if average {
                out[site] += 0.5 * force;
                out[up] += 0.5 * force;
            } else {
                out[site] += force;
            }
        }
        let mut inner = time;
        for &length in &self.shape[1..] {
            inner /= length;
            for site in 0..n {
                let side = neighbour(site, inner, length);
                let stiffness = cell / (self.spacing * self.spacing);
                if average {
                    let (up, corner) = (next_in_time(site), next_in_time(side));
                    let pull = 0.25 * stiffness * (phi[side] + phi[corner] - phi[site] - phi[up]);
                    out[side] += pull;
                    out[corner] += pull;
                    out[site] -= pull;
                    out[up] -= pull;
                } else {
                    let pull = stiffness * (phi[side] - phi[site]);
                    out[side] += pull;
                    out[site] -= pull;
                }
            }
        }
    }

    /// Calls `f(is_derivative, value)` for every term of the action.
    fn visit(&self, phi: &[f64], mut f: impl FnMut(bool, f64)) {
        let n = self.n_sites();
        assert!(phi.len() == n, "{} values for {n} sites", phi.len());
        let time = n / self.shape[0];
        let average = self.rule == FieldRule::MidpointInTime;
        let next_in_time = |site: usize| if site + time < n { site + time } else { site + time - n };
        let value = |site: usize| if average { 0.5 * (phi[site] + phi[next_in_time(site)]) } else { phi[site] };
        for site in 0..n {
            f(true, (phi[next_in_time(site)] - phi[site]) / self.time_step);
            f(false, value(site));
            let mut inner = time;
            for &length in &self.shape[1..] {
                inner /= length;
                f(true, (value(neighbour(site, inner, length)) - value(site)) / self.spacing);
            }
        }
    }
}

/// The next site along an axis of a length and a stride.
pub(super) fn neighbour(site: usize, stride: usize, length: usize) -> usize {
    if site / stride % length + 1 == length { site + stride - stride * length } else { site + stride }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::fft::FftNd;
    use linalg_core::num_complex::Complex64;

    #[test]
    fn gradients_and_precisions() {
        for shape in [vec![5], vec![4, 3], vec![1, 4], vec![3, 2, 4]] {
            for rule in [FieldRule::Standard, FieldRule::MidpointInTime] {
                let field = ScalarField::new(&shape, 0.7, 1.3, -0.4, 0.6).unwrap().with_rule(rule);
                let n = field.n_sites();
                let phi: Vec<f64> = (0..n).map(|i| (1.9 * i as f64).sin()).collect();
                let numeric = linalg_core::optim::finite_difference::gradient(|x| field.action(x), &phi);
                let mut g = vec![0.0; n];
                field.gradient(&phi, &mut g);
                assert!(g.iter().zip(&numeric).all(|(a, b)| (a - b).abs() < 1e-6), "{shape:?} {rule:?}");
                // Without coupling the action is diagonal in momenta.
                let free = ScalarField::new(&shape, 0.7, 1.3, 0.4, 0.0).unwrap().with_rule(rule);
                let mut modes: Vec<Complex64> = phi.iter().map(|x| (*x).into()).collect();
                FftNd::new(&shape).unwrap().forward(&mut modes);
                let sum: f64 = modes.iter().zip(free.precisions(0.4)).map(|(z, a)| a * z.norm_sqr()).sum();
                assert!((free.action(&phi) - 0.5 * sum / n as f64).abs() < 1e-10, "{shape:?} {rule:?}");
            }
        }
    }

    #[test]
    fn bad_input() {
        assert!(matches!(ScalarField::new(&[4], 1.0, 1.0, -1.0, 0.0), Err(Error::UnboundedBelow { .. })));
        assert!(matches!(ScalarField::new(&[4], 1.0, 1.0, 1.0, -1.0), Err(Error::UnboundedBelow { .. })));
        assert!(
            ScalarField::new(&[], 1.0, 1.0, 1.0, 0.0).is_err()
                && ScalarField::new(&[3, 0], 1.0, 1.0, 1.0, 0.0).is_err()
        );
        assert!(ScalarField::new(&[3], 0.0, 1.0, 1.0, 0.0).is_err());
    }
}
