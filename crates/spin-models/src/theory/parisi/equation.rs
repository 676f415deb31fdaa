//! Parisi's equation for a smooth order parameter.

use linalg_core::logspace::ln_2cosh;
use linalg_core::quadrature::GaussLegendre;
use linalg_core::special::normal_pdf;

use crate::theory::replica_symmetric::ReplicaSymmetric;
use crate::theory::saddle_point::{Convergence, check_finite, solve_linear};
use crate::{Error, Result};

/// The Sherrington-Kirkpatrick model with a smooth order parameter: full replica-symmetry breaking at T > 0.
///
/// With $`\gamma(q) = \beta x(q)`$ on $`[q_0, q_1]`$,
///
/// ```math
/// \frac{\partial \varphi}{\partial q} = -\frac12 \Bigl[\varphi'' + \gamma\, \varphi'^2\Bigr], \qquad
/// \frac{\partial P}{\partial q} = \frac12 P'' - \gamma\, (\varphi' P)' ,
/// ```
///
/// φ being $`T \ln 2\cosh \beta y + \beta(1 - q_1)/2`$ at `q_1` and P a Gaussian of variance `q_0` around h at `q_0`. The free
/// energy is stationary where $`\int P \varphi'^2 = q`$, that is, where $`\int P\, \varphi''^2 = 1`$ on `[q_0, q_1]` and the first holds
/// at `q_0`: without field `q_0 = 0`.
///
/// γ is a polynomial in q through Chebyshev points; it and `q_1` are found by Newton's method from the stationarity at one
/// point more; φ and P
/// are integrated by Runge-Kutta steps with differences of sixth order in the field. Tens of milliseconds an integration,
/// about a second in all.
///
/// References: G. Parisi, J. Phys. A 13, L115 (1980); H.-J. Sommers and W. Dupont, J. Phys. C 17, 5785 (1984).
///
/// ```no_run
/// use spin_models::theory::ParisiEquation;
///
/// let cold = ParisiEquation::new(0.0)?.at_temperature(0.5)?;
/// assert!(cold.convergence.converged && (cold.susceptibility - 1.0).abs() < 1e-5);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParisiEquation {
    field: f64,
    degree: usize,
    spacing: f64,
}

/// The smooth order parameter and what follows; energies are per spin.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParisiFunction {
    /// Temperature.
    pub temperature: f64,
    /// Overlaps at Chebyshev points from `q_0` to `q_1`.
    pub overlaps: Vec<f64>,
    /// x at these overlaps: q(x) is `q_0` below the first and `q_1` above the last.
    pub breaking: Vec<f64>,
    /// f.
    pub free_energy_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// `β(⟨E⟩/N - f)`.
    pub entropy_per_spin: f64,
    /// `⟨s⟩`.
    pub magnetization: f64,
    /// `β(1 - ∫ q dx)`.
    pub susceptibility: f64,
    /// Largest violation of the stationarity at the Chebyshev points, and integrations of the equation.
    pub convergence: Convergence,
}

impl ParisiFunction {
    /// x(q), by interpolation; 0 below `q_0` and 1 above `q_1`.
    pub fn breaking_at(&self, q: f64) -> f64 {
        let (Some(&low), Some(&high)) = (self.overlaps.first(), self.overlaps.last()) else { return f64::NAN };
        if q < low {
            0.0
        } else if q > high {
            1.0
        } else {
            interpolate(&self.overlaps, &self.breaking, q)
        }
    }
}

/// Barycentric interpolation through Chebyshev points of the second kind.
fn interpolate(points: &[f64], values: &[f64], x: f64) -> f64 {
    let (mut above, mut below) = (0.0, 0.0);
    let last = points.len() - 1;
    for (k, (p, v)) in points.iter().zip(values).enumerate() {
        let distance = x - p;
        if distance.abs() < 1e-15 {
            return *v;
        }
        let end = if k == 0 || k == last { 0.5 } else { 1.0 };
        let w = if k % 2 == 0 { end } else { -end } / distance;
        above += w * v;
        below += w;
    }
    above / below
}

/// Chebyshev points of the second kind on `[low, high]`.
fn chebyshev(low: f64, high: f64, degree: usize) -> Vec<f64> {
    let place = |k: usize| 0.5 - 0.5 * (std::f64::consts::PI * k as f64 / degree as f64).cos();
    (0..=degree).map(|k| low + (high - low) * place(k)).collect()
}

/// First and second differences of sixth order; beyond the ends the function goes on with slopes `left` and `right`.
fn differences(f: &[f64], spacing: f64, left: f64, right: f64, first: &mut [f64], second: &mut [f64]) {
    let n = f.len();
    let at = |j: isize| {
        if j < 0 {
            f[0] + left * spacing * j as f64
        } else if j >= n as isize {
            f[n - 1] + right * spacing * (j - n as isize + 1) as f64
        } else {
            f[j as usize]
        }
    };
    let mut point = |j: usize, v: [f64; 7]| {
        first[j] = ((v[4] - v[2]) * 45.0 - (v[5] - v[1]) * 9.0 + (v[6] - v[0])) / (60.0 * spacing);
        second[j] = ((v[2] + v[4]) * 270.0 - (v[1] + v[5]) * 27.0 + (v[0] + v[6]) * 2.0 - 490.0 * v[3])
            / (180.0 * spacing * spacing);
    };
    for j in (0..3).chain(n - 3..n) {
        point(j, std::array::from_fn(|d| at(j as isize + d as isize - 3)));
    }
    for (j, v) in f.windows(7).enumerate() {
        point(j + 3, std::array::from_fn(|d| v[d]));
    }
}

/// What one integration down and up gives.
struct Pass {
    /// `φ(q_0, ·)` averaged.
    phi: f64,
    magnetization: f64,
    /// `∫P φ'²` at `q_0`.
    moment: f64,
    /// `∫P φ''²` at the points.
    responses: Vec<f64>,
}

struct Solver {
    temperature: f64,
    field: f64,
    spacing: f64,
    n: usize,
}

impl Solver {
    fn y(&self, j: usize) -> f64 {
        self.field + (j as f64 - (self.n / 2) as f64) * self.spacing
    }

    /// Integrates from point to point (ascending, from `q_0` to `q_1`), for γ through `nodes`.
    fn pass(&self, points: &[f64], nodes: &[f64], gammas: &[f64]) -> Pass {
        let (n, h) = (self.n, self.spacing);
        let last = points.len() - 1;
        let gamma = |q: f64| interpolate(nodes, gammas, q);
        let offset = 0.5 * (1.0 - points[last]) / self.temperature;
        let mut phi: Vec<f64> =
            (0..n).map(|j| self.temperature * ln_2cosh(self.y(j) / self.temperature) + offset).collect();
        let (mut first, mut second) = (vec![0.0; n], vec![0.0; n]);
        // Down: half steps are kept, for P to find φ' in the middle of its steps. Stability asks for 0.9 h² with these
        // differences.
        let counts: Vec<usize> =
            points.windows(2).map(|pair| ((pair[1] - pair[0]) / (0.8 * h * h)).ceil().max(1.0) as usize).collect();
        let mut slopes: Vec<Vec<Vec<f64>>> = Vec::new();
        let mut curvatures = vec![Vec::new(); points.len()];
        differences(&phi, h, -1.0, 1.0, &mut first, &mut second);
        curvatures[last] = second.clone();
        let mut low_slopes = vec![first.clone()];
        for piece in (0..last).rev() {
            let halves = 2 * counts[piece];
            let dq = (points[piece + 1] - points[piece]) / halves as f64;
            let mut kept = vec![low_slopes.pop().unwrap_or_default()];
            for k in 0..halves {
                let q = points[piece + 1] - k as f64 * dq;
                let mut rate = |phi: &[f64], q: f64| -> Vec<f64> {
                    differences(phi, h, -1.0, 1.0, &mut first, &mut second);
                    let g = gamma(q);
                    first.iter().zip(&second).map(|(a, b)| 0.5 * (b + g * a * a)).collect()
                };
                phi = runge_kutta(&phi, dq, &mut |phi, t| rate(phi, q - t));
                differences(&phi, h, -1.0, 1.0, &mut first, &mut second);
                kept.push(first.clone());
            }
            curvatures[piece] = second.clone();
            low_slopes.push(first.clone());
            kept.reverse();
            slopes.push(kept);
        }
        slopes.reverse();

        // Up: P as masses on the grid.
        let q0 = points[0];
        let middle = n / 2;
        let slope = &slopes[0][0];
        let mean = |law: &[f64], f: &dyn Fn(usize) -> f64| law.iter().enumerate().map(|(j, p)| p * f(j)).sum::<f64>();
        let gaussian = |variance: f64| -> Vec<f64> {
            let std = variance.sqrt();
            (0..n).map(|j| normal_pdf((self.y(j) - self.field) / std) * h / std).collect()
        };
        let narrow = (4.0 * h).powi(2);
        let mut law = if q0 > 0.0 {
            gaussian(q0)
        } else {
            let mut law = vec![0.0; n];
            law[middle] = 1.0;
            law
        };
        let (start_phi, magnetization) = (mean(&law, &|j| phi[j]), mean(&law, &|j| slope[j]));
        let moment = mean(&law, &|j| slope[j].powi(2));
        let mut responses = vec![mean(&law, &|j| curvatures[0][j].powi(2))];
        let mut spread = q0;
        for piece in 0..last {
            let steps = counts[piece];
            let dq = (points[piece + 1] - points[piece]) / steps as f64;
            for k in 0..steps {
                let q = points[piece] + k as f64 * dq;
                if spread < narrow {
                    // As long as P is too narrow for the grid: the law for constant γ, which is what γ is there to first order.
                    spread = q + dq;
                    let (middle_slope, g) = (&slopes[piece][2 * k + 2], gamma(0.5 * (q + dq)));
                    law = gaussian(spread);
                    let mut rise = vec![0.0; n];
                    for j in middle + 1..n {
                        rise[j] = rise[j - 1] + 0.5 * h * (middle_slope[j] + middle_slope[j - 1]);
                    }
                    for j in (0..middle).rev() {
                        rise[j] = rise[j + 1] - 0.5 * h * (middle_slope[j] + middle_slope[j + 1]);
                    }
                    let total: f64 = law.iter().zip(&rise).map(|(p, r)| p * (g * r).exp()).sum();
                    for (p, r) in law.iter_mut().zip(&rise) {
                        *p *= (g * r).exp() / total;
                    }
                    continue;
                }
                let mut current = vec![0.0; n];
                let mut unused = vec![0.0; n];
                let mut rate = |law: &[f64], t: f64| -> Vec<f64> {
                    // t is 0, half a step or a step.
                    let m = &slopes[piece][2 * k + (2.0 * t / dq).round() as usize];
                    let g = gamma(q + t);
                    differences(law, h, 0.0, 0.0, &mut unused, &mut second);
                    current.iter_mut().zip(law).zip(m).for_each(|((c, p), m)| *c = p * m);
                    let mut drift_second = vec![0.0; n];
                    differences(&current, h, 0.0, 0.0, &mut first, &mut drift_second);
                    second.iter().zip(&first).map(|(b, a)| 0.5 * b - g * a).collect()
                };
                law = runge_kutta(&law, dq, &mut rate);
            }
            responses.push(mean(&law, &|j| curvatures[piece + 1][j].powi(2)));
        }
        Pass { phi: start_phi, magnetization, moment, responses }
    }
}

/// One classical Runge-Kutta step; `rate` gets the time within the step.
fn runge_kutta(f: &[f64], step: f64, rate: &mut dyn FnMut(&[f64], f64) -> Vec<f64>) -> Vec<f64> {
    let add = |f: &[f64], k: &[f64], s: f64| -> Vec<f64> { f.iter().zip(k).map(|(f, k)| f + s * k).collect() };
    let k1 = rate(f, 0.0);
    let k2 = rate(&add(f, &k1, 0.5 * step), 0.5 * step);
    let k3 = rate(&add(f, &k2, 0.5 * step), 0.5 * step);
    let k4 = rate(&add(f, &k3, step), step);
    (0..f.len()).map(|j| f[j] + step / 6.0 * (k1[j] + 2.0 * (k2[j] + k3[j]) + k4[j])).collect()
}

/// Degree of the polynomial γ(q).
const DEGREE: usize = 8;
/// Largest violation of a converged solution.
const TOLERANCE: f64 = 1e-7;

impl ParisiEquation {
    /// Field h.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a field that is not finite.
    pub fn new(field: f64) -> Result<Self> {
        check_finite("field", field)?;
        Ok(Self { field, degree: DEGREE, spacing: 0.1 })
    }

    /// Sets the degree of the polynomial γ(q), 2 to 20, and the spacing of the grid of fields in units of the temperature,
    /// 0.02 to 0.3; 8 and 0.1 by default. The cost grows as `degree / spacing³`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for values out of range.
    pub fn with_resolution(mut self, degree: usize, spacing: f64) -> Result<Self> {
        if !(2..=20).contains(&degree) {
            return Err(Error::Parameter { what: "degree", value: degree.to_string(), expected: "2 to 20" });
        }
        if !(0.02..=0.3).contains(&spacing) {
            return Err(Error::Parameter { what: "spacing", value: spacing.to_string(), expected: "0.02 to 0.3" });
        }
        self.degree = degree;
        self.spacing = spacing;
        Ok(self)
    }

    /// The solution at temperature T below the line of de Almeida and Thouless; above it the replica-symmetric one, with
    /// one overlap.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a temperature below 0.1, where a polynomial is a poor γ(q): take
    /// [`Parisi`](super::Parisi) there.
    pub fn at_temperature(&self, temperature: f64) -> Result<ParisiFunction> {
        if !(temperature >= 0.1 && temperature.is_finite()) {
            let expected = "a finite number >= 0.1";
            return Err(Error::Parameter { what: "temperature", value: temperature.to_string(), expected });
        }
        let symmetric = ReplicaSymmetric::new(0.0, self.field)?.at_temperature(temperature)?;
        if symmetric.is_stable() {
            return Ok(ParisiFunction {
                temperature,
                overlaps: vec![symmetric.overlap],
                breaking: vec![1.0],
                free_energy_per_spin: symmetric.free_energy_per_spin,
                energy_per_spin: symmetric.energy_per_spin,
                entropy_per_spin: symmetric.entropy_per_spin,
                magnetization: symmetric.magnetization,
                susceptibility: symmetric.susceptibility,
                convergence: symmetric.convergence,
            });
        }
        let field = self.field.abs();
        let spacing = self.spacing * temperature;
        let half = (9.0 / spacing).ceil() as usize;
        let solver = Solver { temperature, field, spacing, n: 2 * half + 1 };
        let fielded = field > 0.0;
        let degree = self.degree;
        // Variables: γ at the nodes, then q_1, then q_0 if there is a field.
        let range = |v: &[f64]| (if fielded { v[degree + 2] } else { 0.0 }, v[degree + 1]);
        let mut evaluations = 0;
        let mut violation = |v: &[f64]| -> Vec<f64> {
            let (low, high) = range(v);
            if !(low >= 0.0 && low < 0.98 * high && high < 1.0) {
                return vec![f64::INFINITY; v.len()];
            }
            evaluations += 1;
            let points = chebyshev(low, high, degree + 1);
            let pass = solver.pass(&points, &chebyshev(low, high, degree), &v[..=degree]);
            let moment = fielded.then_some(pass.moment - low);
            pass.responses.iter().map(|r| r - 1.0).chain(moment).collect()
        };
        let q = symmetric.overlap;
        let high = q + 0.5 * q * (1.0 - q);
        let low = if fielded { q * (field / (1.0 + field)).sqrt() } else { 0.0 };
        let guess = |q: f64| (1.3 - 0.33 * q) * q / (1.0 - q * q).sqrt();
        let mut v: Vec<f64> = chebyshev(low, high, degree).into_iter().map(guess).chain([high]).collect();
        if fielded {
            v.push(low);
        }
        let residual = newton(&mut v, &mut violation);

        let (low, high) = range(&v);
        let (nodes, gammas) = (chebyshev(low, high, degree), &v[..=degree]);
        let pass = solver.pass(&chebyshev(low, high, degree + 1), &nodes, gammas);
        let rule = GaussLegendre::new(24)?;
        let cold = rule.integrate(|q| interpolate(&nodes, gammas, q), low, high);
        let square = rule.integrate(|q| q * interpolate(&nodes, gammas, q), low, high);
        let square = square + 0.5 * (1.0 - high * high) / temperature;
        let free = 0.5 * square - pass.phi;
        let magnetization = pass.magnetization.copysign(self.field);
        let energy = -square - field * pass.magnetization;
        Ok(ParisiFunction {
            temperature,
            breaking: gammas.iter().map(|g| g * temperature).collect(),
            overlaps: nodes,
            free_energy_per_spin: free,
            energy_per_spin: energy,
            entropy_per_spin: (energy - free) / temperature,
            magnetization: if fielded { magnetization } else { 0.0 },
            susceptibility: cold + (1.0 - high) / temperature,
            convergence: Convergence::judged(residual, TOLERANCE, evaluations),
        })
    }
}

/// Newton's method with differences for the Jacobian, which is kept as long as it serves; returns the largest violation.
fn newton(v: &mut Vec<f64>, violation: &mut dyn FnMut(&[f64]) -> Vec<f64>) -> f64 {
    let size = |g: &[f64]| g.iter().fold(0.0, |most: f64, x| if x.abs() > most || x.is_nan() { x.abs() } else { most });
    let n = v.len();
    let mut at = violation(v);
    let mut jacobian: Vec<Vec<f64>> = Vec::new();
    for _ in 0..30 {
        if size(&at) <= 0.1 * TOLERANCE {
            break;
        }
        let fresh = jacobian.is_empty();
        if fresh {
            jacobian = vec![vec![0.0; n]; n];
            for j in 0..n {
                let mut moved = v.clone();
                moved[j] += 1e-5;
                let column = violation(&moved);
                for i in 0..n {
                    jacobian[i][j] = (column[i] - at[i]) / 1e-5;
                }
            }
        }
        let mut step = at.clone();
        let mut copy = jacobian.clone();
        let mut rows: Vec<&mut [f64]> = copy.iter_mut().map(Vec::as_mut_slice).collect();
        if solve_linear(&mut rows, &mut step).is_none() {
            break;
        }
        let mut share = 1.0;
        let better = loop {
            let next: Vec<f64> = v.iter().zip(&step).map(|(v, s)| v - share * s).collect();
            let there = violation(&next);
            let ratio = size(&there) / size(&at);
            if ratio < 1.0 {
                *v = next;
                at = there;
                break Some(ratio);
            }
            share *= 0.5;
            if share < 0.05 {
                break None;
            }
        };
        match better {
            Some(ratio) if ratio < 0.2 => {}
            Some(_) => jacobian.clear(),
            None if fresh => break,
            None => jacobian.clear(),
        }
    }
    size(&at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Parisi;
    use approx::assert_relative_eq;

    #[test]
    fn against_many_steps() {
        for (h, t) in [(0.0, 0.6), (0.3, 0.4)] {
            let smooth = ParisiEquation::new(h).unwrap().at_temperature(t).unwrap();
            assert!(smooth.convergence.converged, "{smooth:?}");
            let f = |k: usize| Parisi::new(h, k).unwrap().at_temperature(t).unwrap();
            let (a, b) = (f(3), f(5));
            // Steps bound f from below, by an error of order k⁻⁴.
            assert!(
                a.free_energy_per_spin < b.free_energy_per_spin
                    && b.free_energy_per_spin < smooth.free_energy_per_spin + 1e-9
            );
            let limit = b.free_energy_per_spin
                + (b.free_energy_per_spin - a.free_energy_per_spin) / ((6.2f64 / 4.2).powi(4) - 1.0);
            assert_relative_eq!(smooth.free_energy_per_spin, limit, epsilon = 3e-8);
            assert_relative_eq!(smooth.energy_per_spin, b.energy_per_spin, epsilon = 1e-4);
            assert_relative_eq!(smooth.magnetization, b.magnetization, epsilon = 1e-4);
        }
    }

    #[test]
    fn susceptibility_is_one_without_field() {
        let smooth = ParisiEquation::new(0.0).unwrap().at_temperature(0.7).unwrap();
        assert!(smooth.convergence.converged);
        assert_relative_eq!(smooth.susceptibility, 1.0, epsilon = 1e-4);
        // q(x) starts at 0 and rises; just below T = 1, x(q) = 2q (1 + ..).
        assert!(smooth.breaking.windows(2).all(|pair| pair[0] < pair[1]) && smooth.breaking[0].abs() < 2e-3);
        assert_relative_eq!(smooth.breaking_at(0.5 * smooth.overlaps[8]), 0.5 * smooth.breaking[8], max_relative = 0.1);
        assert!(smooth.breaking_at(-0.1) < 0.5 && smooth.breaking_at(0.99) > 0.99);
        assert!(smooth.entropy_per_spin > 0.0);
    }

    #[test]
    fn above_the_line_and_bad_input() {
        let warm = ParisiEquation::new(0.0).unwrap().at_temperature(1.5).unwrap();
        assert!(warm.overlaps == [0.0] && warm.convergence.converged);
        assert!(ParisiEquation::new(f64::NAN).is_err());
        assert!(ParisiEquation::new(0.0).unwrap().with_resolution(1, 0.1).is_err());
        assert!(ParisiEquation::new(0.0).unwrap().with_resolution(8, f64::NAN).is_err());
        for t in [0.05, f64::NAN, -1.0] {
            assert!(ParisiEquation::new(0.0).unwrap().at_temperature(t).is_err());
        }
    }
}
