//! Replica-symmetry breaking in k steps.

use linalg_core::optim::{LbfgsParams, find_root};

use super::functional::Steps;
use crate::theory::replica_symmetric::ReplicaSymmetric;
use crate::theory::saddle_point::{Convergence, check_finite, check_temperature, solve_linear};
use crate::{Error, Result};

/// The Sherrington-Kirkpatrick model with k steps of replica-symmetry breaking.
///
/// With overlaps $`q_0 \le \dots \le q_k`$, breaking parameters $`m_1 \le \dots \le m_k`$, $`m_0 = 0`$, $`m_{k+1} = 1`$ and
/// $`\gamma = \beta m`$,
///
/// ```math
/// -f = \min_{q, m} \Bigl[ \int Dz\, \varphi_0(h + \sqrt{q_0} z)
///      - \frac{\beta}{4} \Bigl(1 - \sum_{i=0}^{k} (m_{i+1} - m_i) q_i^2 \Bigr) \Bigr], \qquad
/// \varphi_{i-1}(y) = \frac{1}{\gamma_i} \ln \int Dz\, e^{\gamma_i \varphi_i(y + z \sqrt{q_i - q_{i-1}})},
/// ```
/// ```math
/// \varphi_k(y) = \frac1\beta \ln 2\cosh \beta y + \frac{\beta}{2} (1 - q_k),
/// ```
///
/// so that f grows with k towards the exact free energy (Guerra 2003, Talagrand 2006); the
/// error falls as `k⁻⁴`. At T = 0 the parameters are $`q_0, \dots, q_{k-1}`$ and finite $`\gamma_i`$, with
/// $`\varphi_k = |y|`$ at q = 1.
///
/// The functions φ live on a grid of fields where Gaussian averages are sums of exponential accuracy; the gradient is exact
/// and L-BFGS with Newton's steps at the end does the rest. Fractions of a second for k up to 8, seconds beyond.
///
/// References: G. Parisi, Phys. Rev. Lett. 43, 1754 (1979) and J. Phys. A 13, 1101 (1980); R. Oppermann, M. J. Schmidt and
/// D. Sherrington, Phys. Rev. Lett. 98, 127201 (2007) for k steps at T = 0.
///
/// ```
/// use spin_models::theory::Parisi;
///
/// // The ground-state energy: -0.7979 without steps, -0.7652 with one, -0.763167 with many.
/// let one = Parisi::new(0.0, 1)?.at_temperature(0.0)?;
/// assert!(one.convergence.converged && (one.free_energy_per_spin + 0.7652).abs() < 1e-4);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parisi {
    field: f64,
    steps: usize,
    tolerance: f64,
}

/// A solution with k steps; energies are per spin.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParisiSolution {
    /// Temperature.
    pub temperature: f64,
    /// The overlaps `q_0 … q_k`; at T = 0 the last one is 1.
    pub overlaps: Vec<f64>,
    /// `γ_i = β m_i` for `i = 1 … k`: q(x) is `overlaps[i]` between `γ_i/β` and `γ_{i+1}/β`.
    pub scaled_breaking: Vec<f64>,
    /// f.
    pub free_energy_per_spin: f64,
    /// `⟨E⟩/N`.
    pub energy_per_spin: f64,
    /// `β(⟨E⟩/N - f)`; NaN at T = 0, where `⟨E⟩/N = f` and the quotient says nothing.
    pub entropy_per_spin: f64,
    /// `⟨s⟩`.
    pub magnetization: f64,
    /// `∂⟨s⟩/∂h = β(1 - ∫ q dx)`; 1 in the exact solution below T = 1 without field.
    pub susceptibility: f64,
    /// Largest derivative of the functional in its parameters, and evaluations.
    pub convergence: Convergence,
}

/// The ground-state energy from several numbers of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroundStateEnergy {
    /// For k → ∞.
    pub energy_per_spin: f64,
    /// The numbers of steps k.
    pub steps: [usize; 3],
    /// The energies with k steps.
    pub energies_per_spin: [f64; 3],
    /// Worst residual of the three; converged if they are and the extrapolation has a solution.
    pub convergence: Convergence,
}

impl ParisiSolution {
    /// q(x) for x in `[0, 1]`; at T = 0 take `x = y T` through [`overlap_at_scaled`](Self::overlap_at_scaled).
    pub fn overlap_at(&self, x: f64) -> f64 {
        self.overlap_at_scaled(x / self.temperature)
    }

    /// q at `y = x/T`.
    pub fn overlap_at_scaled(&self, y: f64) -> f64 {
        let k = self.scaled_breaking.iter().take_while(|gamma| **gamma <= y).count();
        self.overlaps[k.min(self.overlaps.len() - 1)]
    }
}

/// The order parameter from free variables: gains of γ in logarithms, and shares of 1 - q as logits.
struct Variables {
    temperature: f64,
    field: f64,
    /// Whether `q_0` is a variable, else 0.
    lowest: bool,
    steps: usize,
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Variables {
    /// Overlaps that are variables.
    fn n_overlaps(&self) -> usize {
        let below_one = if self.temperature > 0.0 { self.steps } else { self.steps - 1 };
        below_one + usize::from(self.lowest)
    }

    fn steps(&self, v: &[f64]) -> Steps {
        let (shares, gains) = v.split_at(self.n_overlaps());
        let mut q = if self.lowest { Vec::new() } else { vec![0.0] };
        let mut rest = 1.0;
        for &share in shares {
            rest *= logistic(share);
            q.push(1.0 - rest);
        }
        let mut total = 0.0;
        let gamma = gains
            .iter()
            .map(|gain| {
                total += gain.exp();
                total
            })
            .collect();
        Steps { temperature: self.temperature, field: self.field, q, gamma }
    }

    /// Where the search starts: overlaps spread over `[low, high]`, γ as in the solution at small q and near q = 1.
    fn start(&self, low: f64, high: f64) -> Vec<f64> {
        let (k, n) = (self.steps, self.n_overlaps());
        let mut q = Vec::new();
        for i in 1..=n {
            let share = (if self.lowest { i as f64 - 0.5 } else { i as f64 }) / (k as f64 + 0.5);
            q.push(if self.temperature > 0.0 {
                low + (high - low) * share
            } else {
                1.0 - (1.0 - low) * (1.0 - share).powf(2.6)
            });
        }
        let mut v = Vec::new();
        let mut rest = 1.0;
        for q in &q {
            let share: f64 = (1.0 - q) / rest;
            v.push((share / (1.0 - share)).ln());
            rest = 1.0 - q;
        }
        let mut edges = if self.lowest { q } else { std::iter::once(0.0).chain(q).collect() };
        if self.temperature <= 0.0 {
            edges.push(1.0);
        }
        let mut before = 0.0;
        for pair in edges.windows(2) {
            let middle = 0.5 * (pair[0] + pair[1]);
            let gamma = f64::max((1.3 - 0.33 * middle) * middle / (1.0 - middle * middle).sqrt(), 1.05 * before + 1e-3);
            v.push((gamma - before).ln());
            before = gamma;
        }
        v
    }

    /// The gradient in the variables from that in q and γ.
    fn gradient(&self, v: &[f64], steps: &Steps, d_q: &[f64], d_gamma: &[f64], out: &mut [f64]) {
        let n = self.n_overlaps();
        let first = usize::from(!self.lowest);
        let mut tail = 0.0;
        for j in (0..n).rev() {
            tail += d_q[first + j] * (1.0 - steps.q[first + j]);
            out[j] = -tail * (1.0 - logistic(v[j]));
        }
        let mut tail = 0.0;
        for j in (0..self.steps).rev() {
            tail += d_gamma[j];
            out[n + j] = tail * v[n + j].exp();
        }
    }
}

/// Steps at T = 0 at most.
const COLD_STEPS: usize = 10;

/// Newton's steps on a gradient, with a Hessian of central differences; they stop when they no longer help.
fn polish(mut v: Vec<f64>, tolerance: f64, mut gradient: impl FnMut(&[f64]) -> Vec<f64>) -> (Vec<f64>, f64) {
    let size = |g: &[f64]| g.iter().fold(0.0, |most: f64, x| if x.abs() > most || x.is_nan() { x.abs() } else { most });
    let n = v.len();
    let mut at = gradient(&v);
    for _ in 0..12 {
        if size(&at) <= 0.01 * tolerance {
            break;
        }
        let mut hessian = vec![vec![0.0; n]; n];
        for j in 0..n {
            let moved = |d: f64| {
                let mut moved = v.clone();
                moved[j] += d;
                moved
            };
            let (plus, minus) = (gradient(&moved(1e-4)), gradient(&moved(-1e-4)));
            for i in 0..n {
                hessian[i][j] = (plus[i] - minus[i]) / 2e-4;
            }
        }
        let mut step = at.clone();
        let mut rows: Vec<&mut [f64]> = hessian.iter_mut().map(Vec::as_mut_slice).collect();
        if solve_linear(&mut rows, &mut step).is_none() {
            break;
        }
        let mut share = 1.0;
        let next = loop {
            let next: Vec<f64> = v.iter().zip(&step).map(|(v, s)| v - share * s).collect();
            let gradient = gradient(&next);
            if size(&gradient) < size(&at) {
                break Some((next, gradient));
            }
            share *= 0.25;
            if share < 0.01 {
                break None;
            }
        };
        let Some((next, gradient)) = next else { break };
        (v, at) = (next, gradient);
    }
    let residual = size(&at);
    (v, residual)
}

impl Parisi {
    /// Field h and k steps of breaking.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a field that is not finite, [`Error::TooLarge`] for k above 40.
    pub fn new(field: f64, steps: usize) -> Result<Self> {
        check_finite("field", field)?;
        if steps > 40 {
            return Err(Error::TooLarge { solver: "parisi", what: "number of steps", value: steps, bound: 40 });
        }
        Ok(Self { field, steps, tolerance: 1e-7 })
    }

    /// Sets the largest derivative of a converged solution; 1e-7 by default, which leaves an error of f far below it.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless positive and finite.
    pub fn with_tolerance(mut self, tolerance: f64) -> Result<Self> {
        if !(tolerance > 0.0 && tolerance.is_finite()) {
            let expected = "a finite number > 0";
            return Err(Error::Parameter { what: "tolerance", value: tolerance.to_string(), expected });
        }
        self.tolerance = tolerance;
        Ok(self)
    }

    /// The ground-state energy per spin at field h for k → ∞, from k = 6, 8 and 10 steps at T = 0, the error being taken as
    /// `c (k + δ)⁻⁴`; without field -0.763167. A second.
    ///
    /// # Errors
    /// As [`at_temperature`](Self::at_temperature).
    pub fn ground_state_energy(field: f64) -> Result<GroundStateEnergy> {
        let at = |k: usize| Self::new(field, k)?.at_temperature(0.0);
        let (a, b, c) = (at(6)?, at(8)?, at(10)?);
        let energies = [a.free_energy_per_spin, b.free_energy_per_spin, c.free_energy_per_spin];
        // k + δ ∝ (e - e_k)^{-1/4}: equal distances between the three.
        let root = |e: f64| energies.map(|energy| (e - energy).powf(-0.25));
        let uneven = |e: f64| {
            let [a, b, c] = root(e);
            (c - b) / (b - a) - 1.0
        };
        let gap = energies[2] - energies[1];
        let found = find_root(uneven, energies[2] + 0.01 * gap, energies[2] + 10.0 * gap, 0.0);
        let converged = [&a, &b, &c].iter().all(|s| s.convergence.converged) && found.converged;
        let residual = [a, b, c].iter().fold(0.0, |most: f64, s| most.max(s.convergence.residual));
        Ok(GroundStateEnergy {
            energy_per_spin: found.x,
            steps: [6, 8, 10],
            energies_per_spin: energies,
            convergence: Convergence { converged, residual, iterations: found.evaluations },
        })
    }

    /// The solution at temperature T, 0 included.
    ///
    /// Where the replica-symmetric solution is stable it is returned, without steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a negative temperature, and for `0 < T < (10 + |h|)/600`, where exponentials overflow: take 0;
    /// [`Error::TooLarge`] for more than 10 steps at T = 0, where the search for so many parameters no longer ends reliably:
    /// [`ground_state_energy`](Self::ground_state_energy) has the limit; errors of the minimiser.
    pub fn at_temperature(&self, temperature: f64) -> Result<ParisiSolution> {
        check_temperature(temperature)?;
        if temperature <= 0.0 && self.steps > COLD_STEPS {
            let (solver, what) = ("parisi at zero temperature", "number of steps");
            return Err(Error::TooLarge { solver, what, value: self.steps, bound: COLD_STEPS });
        }
        let reach = 10.0 + self.field.abs();
        if temperature > 0.0 && reach / temperature > Steps::RANGE {
            let expected = "0, or at least (10 + |h|)/600";
            return Err(Error::Parameter { what: "temperature", value: temperature.to_string(), expected });
        }
        let symmetric = ReplicaSymmetric::new(0.0, self.field)?.at_temperature(temperature)?;
        if self.steps == 0 || symmetric.is_stable() {
            return Ok(ParisiSolution {
                temperature,
                overlaps: vec![symmetric.overlap],
                scaled_breaking: Vec::new(),
                free_energy_per_spin: symmetric.free_energy_per_spin,
                energy_per_spin: symmetric.energy_per_spin,
                entropy_per_spin: symmetric.entropy_per_spin,
                magnetization: symmetric.magnetization,
                susceptibility: symmetric.susceptibility,
                convergence: symmetric.convergence,
            });
        }
        let variables = Variables { temperature, field: self.field, lowest: true, steps: self.steps };
        let q = symmetric.overlap;
        // The exact q(1) is larger than the symmetric q; without field near T = 1 it is q + 2q²/3.
        let high = q + 0.5 * q * (1.0 - q);
        let low = q * (self.field.abs() / (1.0 + self.field.abs())).sqrt();
        let start = variables.start(low, high);
        let objective = |v: &[f64], gradient: &mut [f64]| {
            let steps = variables.steps(v);
            // Far out the grid cannot follow: the line search comes back.
            let highest = steps.gamma.last().copied().unwrap_or(0.0);
            if highest.is_nan() || highest * reach >= 4.0 * Steps::RANGE || v.iter().any(|x| x.abs() > 30.0) {
                gradient.fill(f64::NAN);
                return f64::NAN;
            }
            let at = steps.evaluate();
            variables.gradient(v, &steps, &at.d_q, &at.d_gamma, gradient);
            at.value
        };
        let minimum = LbfgsParams::default()
            .memory(40)
            .gradient_tolerance(0.1 * self.tolerance)
            .value_tolerance(0.0)
            .max_iterations(600)
            .max_evaluations(600)
            .minimize(objective, &start, &mut ())?;
        let mut evaluations = minimum.evaluations;
        let (v, residual) = polish(minimum.x, self.tolerance, |v| {
            evaluations += 1;
            let mut gradient = vec![0.0; v.len()];
            objective(v, &mut gradient);
            gradient
        });
        let steps = variables.steps(&v);
        let at = steps.evaluate();
        let mut overlaps = steps.q.clone();
        if temperature <= 0.0 {
            overlaps.push(1.0);
        }
        // ∫ γ(q) dq and ∫ γ(q) q dq over [0, 1]: by parts, β(1 - ∫ q dx) and ½β(1 - ∫ q² dx).
        let mut edges = steps.q.clone();
        let mut gammas = steps.gamma.clone();
        edges.push(1.0);
        if temperature > 0.0 {
            gammas.push(1.0 / temperature);
        }
        let pieces = edges.windows(2).zip(&gammas);
        // At T = 0 a part 2 P(y = 0) of both comes from within T of q = 1.
        let cold: f64 = pieces.clone().map(|(pair, gamma)| gamma * (pair[1] - pair[0])).sum();
        let susceptibility = cold + at.response_of_zero_fields;
        let square: f64 = pieces.map(|(pair, gamma)| 0.5 * gamma * (pair[1] * pair[1] - pair[0] * pair[0])).sum();
        let square = square + at.response_of_zero_fields;
        let free = -at.value;
        let energy = -square - self.field * at.magnetization;
        let entropy = if temperature > 0.0 { (energy - free) / temperature } else { f64::NAN };
        let convergence = Convergence::judged(residual, self.tolerance, evaluations);
        Ok(ParisiSolution {
            temperature,
            overlaps,
            scaled_breaking: steps.gamma,
            free_energy_per_spin: free,
            energy_per_spin: energy,
            entropy_per_spin: entropy,
            magnetization: at.magnetization,
            susceptibility,
            convergence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn ground_state_energies() {
        // One and two steps: -0.7652 and -0.7636 (Parisi 1980).
        let energy = |k| Parisi::new(0.0, k).unwrap().at_temperature(0.0).unwrap();
        let one = energy(1);
        assert!(one.convergence.converged, "{one:?}");
        assert_relative_eq!(one.free_energy_per_spin, -0.765_26, epsilon = 1e-5);
        assert_relative_eq!(energy(2).free_energy_per_spin, -0.763_61, epsilon = 1e-5);
        // The energy is the free energy: another formula, right at the stationary point only.
        assert_relative_eq!(one.energy_per_spin, one.free_energy_per_spin, epsilon = 1e-6);
        let exact = -0.763_166_726_5;
        let found = Parisi::ground_state_energy(0.0).unwrap();
        assert!(found.convergence.converged, "{found:?}");
        assert_relative_eq!(found.energy_per_spin, exact, epsilon = 2e-8);
        // Bounds from below that grow.
        let [a, b, c] = found.energies_per_spin;
        assert!(a < b && b < c && c < exact && exact - c < 4e-6);
    }

    #[test]
    fn steps_at_zero_temperature_are_bounded() {
        let more = Parisi::new(0.0, COLD_STEPS + 1).unwrap();
        assert!(matches!(more.at_temperature(0.0), Err(Error::TooLarge { value: 11, bound: 10, .. })));
        assert!(more.at_temperature(1.5).is_ok(), "above the transition nothing is broken");
    }

    #[test]
    fn zero_temperature_is_a_limit() {
        let solver = Parisi::new(0.2, 2).unwrap();
        let (cold, limit) = (solver.at_temperature(0.02).unwrap(), solver.at_temperature(0.0).unwrap());
        // f(T) - f(0) is of order T².
        assert_relative_eq!(cold.free_energy_per_spin, limit.free_energy_per_spin, epsilon = 1e-3);
        assert_relative_eq!(cold.magnetization, limit.magnetization, epsilon = 1e-3);
        assert_relative_eq!(cold.scaled_breaking[0], limit.scaled_breaking[0], epsilon = 0.05);
        assert_relative_eq!(limit.overlap_at_scaled(0.0), limit.overlaps[0], epsilon = 0.0);
        assert_relative_eq!(limit.overlap_at_scaled(1e9), 1.0, epsilon = 0.0);
    }

    #[test]
    fn energy_and_magnetization_are_derivatives() {
        let at = |h: f64, t: f64| Parisi::new(h, 2).unwrap().at_temperature(t).unwrap();
        let here = at(0.2, 0.4);
        assert!(here.convergence.converged, "{here:?}");
        let d = 1e-3;
        let slope = (at(0.2, 0.4 + d).free_energy_per_spin - at(0.2, 0.4 - d).free_energy_per_spin) / (2.0 * d);
        assert_relative_eq!(here.entropy_per_spin, -slope, epsilon = 1e-5);
        let slope = (at(0.2 + d, 0.4).free_energy_per_spin - at(0.2 - d, 0.4).free_energy_per_spin) / (2.0 * d);
        assert_relative_eq!(here.magnetization, -slope, epsilon = 1e-5);
        // Mirrored.
        assert_relative_eq!(at(-0.2, 0.4).magnetization, -here.magnetization, epsilon = 1e-7);
    }

    #[test]
    fn above_the_line_nothing_breaks() {
        let warm = Parisi::new(0.5, 3).unwrap().at_temperature(0.9).unwrap();
        let symmetric = ReplicaSymmetric::new(0.0, 0.5).unwrap().at_temperature(0.9).unwrap();
        assert!(warm.scaled_breaking.is_empty());
        assert_relative_eq!(warm.free_energy_per_spin, symmetric.free_energy_per_spin, epsilon = 0.0);
        assert_relative_eq!(warm.overlap_at(0.7), symmetric.overlap, epsilon = 0.0);
    }

    #[test]
    fn bad_input() {
        assert!(Parisi::new(f64::NAN, 1).is_err() && Parisi::new(0.0, 41).is_err());
        assert!(Parisi::new(0.0, 1).unwrap().with_tolerance(0.0).is_err());
        let solver = Parisi::new(0.0, 1).unwrap();
        for t in [-0.1, f64::NAN, f64::INFINITY, 1e-3] {
            assert!(solver.at_temperature(t).is_err());
        }
    }
}
