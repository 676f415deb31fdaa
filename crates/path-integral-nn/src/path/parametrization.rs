//! Weights to path and back.

use std::f64::consts::PI;

use linalg_core::fft::{CosineTransform, SineTransform};

use super::TimeGrid;
use crate::error::{Error, Result};

/// The activation functions of a path network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Parametrization {
    /// Ramps: piecewise linear paths.
    Relu,
    /// Steps in the middle of the intervals: piecewise constant paths.
    Step,
    /// Cosines, for free ends; equidistant times.
    Cosine,
    /// The chord between the ends and sines; equidistant times.
    Sine,
}

impl Parametrization {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Relu, Self::Step, Self::Cosine, Self::Sine];

    /// The name in output: `relu`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Step => "step",
            Self::Cosine => "cosine",
            Self::Sine => "sine",
        }
    }
}

/// A network of one hidden layer whose output at $`t_0 \dots t_N`$ is any path there is, and back.
///
/// Parameters come as $`N + 1`$ numbers: for ReLU and step the bias $`b = x_0`$ and $`N`$ weights; for cosines $`a_0 \dots a_N`$; for
/// sines $`x_0`$, $`a_1 \dots a_{N-1}`$, $`x_N`$. All maps take O(N), those of cosines and sines O(N log N).
///
/// ```
/// use path_integral_nn::path::{Parametrization, PathNetwork, TimeGrid};
///
/// let grid = TimeGrid::uniform(0.0, 3.0, 3)?;
/// let mut relu = PathNetwork::new(Parametrization::Relu, &grid)?;
/// // b = 1, initial velocity 2, accelerations -3 and 0.5 at t = 1 and 2.
/// assert_eq!(relu.to_path(&[1.0, 2.0, -3.0, 0.5]), [1.0, 3.0, 2.0, 1.5]);
/// assert_eq!(relu.to_parameters(&[1.0, 3.0, 2.0, 1.5]), [1.0, 2.0, -3.0, 0.5]);
/// // The same path by velocities.
/// let mut step = PathNetwork::new(Parametrization::Step, &grid)?;
/// assert_eq!(step.to_parameters(&[1.0, 3.0, 2.0, 1.5]), [1.0, 2.0, -1.0, -0.5]);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PathNetwork {
    kind: Parametrization,
    grid: TimeGrid,
    cosine: Option<CosineTransform>,
    sine: Option<SineTransform>,
}

impl PathNetwork {
    /// A parametrisation on a grid.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for cosines and sines on times that are not equidistant.
    pub fn new(kind: Parametrization, grid: &TimeGrid) -> Result<Self> {
        let n = grid.n_steps();
        let trigonometric = matches!(kind, Parametrization::Cosine | Parametrization::Sine);
        if trigonometric && !grid.is_uniform() {
            let reason = "its inverse is a fast transform on equidistant times: take relu or step";
            return Err(Error::NotApplicable { what: "a trigonometric parametrisation", reason });
        }
        Ok(Self {
            kind,
            grid: grid.clone(),
            cosine: (kind == Parametrization::Cosine).then(|| CosineTransform::new(n)).transpose()?,
            sine: (kind == Parametrization::Sine).then(|| SineTransform::new(n)).transpose()?,
        })
    }

    /// The parametrisation.
    pub fn kind(&self) -> Parametrization {
        self.kind
    }

    /// The times.
    pub fn grid(&self) -> &TimeGrid {
        &self.grid
    }

    fn check(&self, length: usize) {
        let expected = self.grid.times().len();
        assert!(length == expected, "{length} numbers for {expected} times");
    }

    /// The path of parameters.
    ///
    /// # Panics
    /// When there are not as many numbers as times.
    pub fn to_path(&mut self, parameters: &[f64]) -> Vec<f64> {
        self.check(parameters.len());
        let n = self.grid.n_steps();
        let mut path = parameters.to_vec();
        match self.kind {
            Parametrization::Relu | Parametrization::Step => {
                let mut velocity = 0.0;
                for k in 1..=n {
                    velocity =
                        if self.kind == Parametrization::Relu { velocity + parameters[k] } else { parameters[k] };
                    path[k] = path[k - 1] + self.grid.step(k) * velocity;
                }
            }
            Parametrization::Cosine => {
                // The transform halves its first and last term.
                path[0] *= 2.0;
                path[n] *= 2.0;
                if let Some(transform) = &mut self.cosine {
                    transform.forward(&mut path);
                }
            }
            Parametrization::Sine => {
                if let Some(transform) = &mut self.sine {
                    transform.forward(&mut path[1..n]);
                }
                let (first, last) = (parameters[0], parameters[n]);
                for (k, x) in path.iter_mut().enumerate().take(n).skip(1) {
                    *x += first + (last - first) * k as f64 / n as f64;
                }
            }
        }
        path
    }

    /// The parameters of a path: the exact inverse of [`to_path`](Self::to_path).
    ///
    /// # Panics
    /// When there are not as many values as times.
    pub fn to_parameters(&mut self, path: &[f64]) -> Vec<f64> {
        self.check(path.len());
        let n = self.grid.n_steps();
        let mut parameters = path.to_vec();
        match self.kind {
            Parametrization::Relu | Parametrization::Step => {
                // From where the network is after rounding, not from where it should be: errors do not add up.
                let (mut velocity, mut at) = (0.0, path[0]);
                for k in 1..=n {
                    let wanted = (path[k] - at) / self.grid.step(k);
                    if self.kind == Parametrization::Relu {
                        parameters[k] = wanted - velocity;
                        velocity += parameters[k];
                    } else {
                        parameters[k] = wanted;
                        velocity = wanted;
                    }
                    at += self.grid.step(k) * velocity;
                }
            }
            Parametrization::Cosine => {
                if let Some(transform) = &mut self.cosine {
                    transform.inverse(&mut parameters);
                }
                parameters[0] *= 0.5;
                parameters[n] *= 0.5;
            }
            Parametrization::Sine => {
                for (k, a) in parameters.iter_mut().enumerate().take(n).skip(1) {
                    *a -= path[0] + (path[n] - path[0]) * k as f64 / n as f64;
                }
                if let Some(transform) = &mut self.sine {
                    transform.inverse(&mut parameters[1..n]);
                }
            }
        }
        parameters
    }

    /// $`\ln|\det \partial(x_0 \dots x_N)/\partial(\text{parameters})|`$, a constant: $`\sum\ln\Delta_n`$ for ReLU and step.
    pub fn ln_jacobian(&self) -> f64 {
        let n = self.grid.n_steps() as f64;
        match self.kind {
            Parametrization::Relu | Parametrization::Step => self.grid.steps().map(f64::ln).sum(),
            // The transform with halved ends squares to n/2; each halved end gives a factor of 2 back.
            Parametrization::Cosine => 0.5 * (n + 1.0) * (0.5 * n).ln() + 2.0 * std::f64::consts::LN_2,
            Parametrization::Sine => 0.5 * (n - 1.0) * (0.5 * n).ln(),
        }
    }

    /// Forces on the parameters from forces $`f_n = -\partial S/\partial x_n`$ on the path: the transposed map.
    ///
    /// For ReLU and step reverse cumulative sums: $`-\partial S/\partial W_k = \Delta_k \sum_{n \ge k} f_n`$.
    ///
    /// # Panics
    /// When there are not as many forces as times.
    pub fn forces(&mut self, path_forces: &[f64]) -> Vec<f64> {
        self.check(path_forces.len());
        let n = self.grid.n_steps();
        let mut forces = path_forces.to_vec();
        match self.kind {
            Parametrization::Relu | Parametrization::Step => {
                let (mut tail, mut sum) = (0.0, 0.0);
                for k in (1..=n).rev() {
                    tail += path_forces[k];
                    let on_velocity = self.grid.step(k) * tail;
                    sum += on_velocity;
                    forces[k] = if self.kind == Parametrization::Relu { sum } else { on_velocity };
                }
                forces[0] = tail + path_forces[0];
            }
            Parametrization::Cosine => {
                // cos(π jk/n) is symmetric; the ends count in full here.
                forces[0] *= 2.0;
                forces[n] *= 2.0;
                if let Some(transform) = &mut self.cosine {
                    transform.forward(&mut forces);
                }
            }
            Parametrization::Sine => {
                let weighted: f64 = (1..=n).map(|k| path_forces[k] * k as f64 / n as f64).sum();
                let all: f64 = path_forces.iter().sum();
                if let Some(transform) = &mut self.sine {
                    transform.forward(&mut forces[1..n]);
                }
                (forces[0], forces[n]) = (all - weighted, weighted);
            }
        }
        forces
    }

    /// The output of the network at any time: what lies beyond the grid is what the activations say there.
    ///
    /// # Panics
    /// When there are not as many parameters as times.
    pub fn evaluate(&self, parameters: &[f64], t: f64) -> f64 {
        self.check(parameters.len());
        let (n, times) = (self.grid.n_steps(), self.grid.times());
        let s = (t - times[0]) / self.grid.length();
        match self.kind {
            Parametrization::Relu => {
                parameters[0] + (1..=n).map(|k| parameters[k] * (t - times[k - 1]).max(0.0)).sum::<f64>()
            }
            Parametrization::Step => {
                let passed = (1..=n).filter(|&k| t >= 0.5 * (times[k] + times[k - 1]));
                parameters[0] + passed.map(|k| self.grid.step(k) * parameters[k]).sum::<f64>()
            }
            Parametrization::Cosine => (0..=n).map(|k| parameters[k] * (k as f64 * PI * s).cos()).sum(),
            Parametrization::Sine => {
                let chord = parameters[0] + (parameters[n] - parameters[0]) * s;
                chord + (1..n).map(|k| parameters[k] * (k as f64 * PI * s).sin()).sum::<f64>()
            }
        }
    }

    /// Changes the last weight so that the path ends at `end`; for cosines the weight $`a_N`$.
    ///
    /// # Panics
    /// When there are not as many parameters as times.
    pub fn pin_end(&mut self, parameters: &mut [f64], end: f64) {
        let n = self.grid.n_steps();
        let path = self.to_path(parameters);
        let missing = end - path[n];
        match self.kind {
            Parametrization::Relu | Parametrization::Step => parameters[n] += missing / self.grid.step(n),
            Parametrization::Cosine => parameters[n] += if n.is_multiple_of(2) { missing } else { -missing },
            Parametrization::Sine => parameters[n] = end,
        }
    }

    /// The continuum action of the cosine network for $`m\dot x^2/2 - kx^2/2`$ in real time,
    /// $`\sum_{n\ge1} \frac T4 a_n^2 [m(n\pi/T)^2 - k] - \frac T2 k a_0^2`$; `None` for other parametrisations.
    ///
    /// # Panics
    /// When there are not as many parameters as times.
    pub fn oscillator_action(&self, parameters: &[f64], mass: f64, k: f64) -> Option<f64> {
        self.check(parameters.len());
        let time = self.grid.length();
        (self.kind == Parametrization::Cosine).then(|| {
            let mode = |(n, a): (usize, &f64)| 0.25 * time * a * a * (mass * (n as f64 * PI / time).powi(2) - k);
            let waves: f64 = parameters.iter().enumerate().skip(1).map(mode).sum();
            waves - 0.5 * time * k * parameters[0] * parameters[0]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::optim::finite_difference;

    fn noise(n: usize) -> Vec<f64> {
        (0..n).map(|i| (1.3 * i as f64 + 0.2).sin()).collect()
    }

    fn uneven(n: usize) -> TimeGrid {
        let mut t = -0.7;
        let times: Vec<f64> = (0..=n)
            .map(|k| {
                let now = t;
                t += 0.1 + 0.05 * (k as f64 * 1.1).sin();
                now
            })
            .collect();
        TimeGrid::new(&times).unwrap()
    }

    #[test]
    fn maps_invert() {
        for n in [1, 2, 3, 17, 256, 4096] {
            let path = noise(n + 1);
            for kind in Parametrization::ALL {
                let mut grids = vec![TimeGrid::uniform(0.3, 2.0, n).unwrap()];
                if matches!(kind, Parametrization::Relu | Parametrization::Step) {
                    grids.push(uneven(n));
                }
                for grid in grids {
                    let mut network = PathNetwork::new(kind, &grid).unwrap();
                    let parameters = network.to_parameters(&path);
                    let back = network.to_path(&parameters);
                    let worst = back.iter().zip(&path).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert!(worst < 1e-13, "{kind:?} {n}: {worst:e}");
                    if n <= 17 && kind != Parametrization::Step {
                        for (t, x) in grid.times().iter().zip(&path) {
                            assert!((network.evaluate(&parameters, *t) - x).abs() < 1e-11, "{kind:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn steps_are_constant_in_between() {
        let grid = TimeGrid::uniform(0.0, 2.0, 2).unwrap();
        let network = PathNetwork::new(Parametrization::Step, &grid).unwrap();
        let parameters = [1.0, 2.0, -3.0];
        for (t, x) in [(0.0, 1.0), (0.49, 1.0), (0.51, 3.0), (1.0, 3.0), (1.49, 3.0), (1.51, 0.0), (2.0, 0.0)] {
            assert!((network.evaluate(&parameters, t) - x).abs() < 1e-14);
        }
    }

    #[test]
    fn jacobians_and_forces_by_differences() {
        for kind in Parametrization::ALL {
            for n in [1, 2, 5, 6] {
                let uniform = TimeGrid::uniform(0.0, 1.7, n).unwrap();
                let grid =
                    if matches!(kind, Parametrization::Relu | Parametrization::Step) { uneven(n) } else { uniform };
                let mut network = PathNetwork::new(kind, &grid).unwrap();
                // The maps are linear: columns of the Jacobian are images of unit vectors.
                let mut columns = vec![];
                for k in 0..=n {
                    let mut unit = vec![0.0; n + 1];
                    unit[k] = 1.0;
                    columns.push(network.to_path(&unit));
                }
                let determinant = determinant(&columns);
                assert!((determinant.abs().ln() - network.ln_jacobian()).abs() < 1e-10, "{kind:?} {n}: {determinant}");

                let v = |x: f64| 0.5 * x * x + 0.3 * x.powi(4);
                let parameters = noise(n + 1);
                let (other, times) = (network.clone(), grid.clone());
                let numeric = finite_difference::gradient(
                    |p| times.action(1.2, v, &other.clone().to_path(p), false),
                    &parameters,
                );
                let path = network.to_path(&parameters);
                let on_path = finite_difference::gradient(|x| grid.action(1.2, v, x, false), &path);
                let negative: Vec<f64> = on_path.iter().map(|g| -g).collect();
                for (force, gradient) in network.forces(&negative).iter().zip(&numeric) {
                    assert!((force + gradient).abs() < 1e-6 * (1.0 + gradient.abs()), "{kind:?} {n}");
                }
            }
        }
    }

    fn determinant(columns: &[Vec<f64>]) -> f64 {
        let (n, mut a, mut product) = (columns.len(), columns.to_vec(), 1.0);
        for k in 0..n {
            let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap();
            if pivot != k {
                a.swap(pivot, k);
                product = -product;
            }
            product *= a[k][k];
            for i in k + 1..n {
                let factor = a[i][k] / a[k][k];
                let upper = a[k].clone();
                a[i].iter_mut().zip(&upper).skip(k).for_each(|(x, u)| *x -= factor * u);
            }
        }
        product
    }

    #[test]
    fn fixed_ends_and_the_cosine_action() {
        for kind in Parametrization::ALL {
            let mut network = PathNetwork::new(kind, &TimeGrid::uniform(0.0, 2.0, 7).unwrap()).unwrap();
            let mut parameters = noise(8);
            network.pin_end(&mut parameters, 0.37);
            assert!((network.to_path(&parameters)[7] - 0.37).abs() < 1e-13, "{kind:?}");
        }
        // m = 1.3, k = 0.7, T = 2, a₃ = 0.9: against the integral of the Lagrangian.
        let network = PathNetwork::new(Parametrization::Cosine, &TimeGrid::uniform(0.0, 2.0, 4).unwrap()).unwrap();
        let action = network.oscillator_action(&[0.0, 0.0, 0.0, 0.9, 0.0], 1.3, 0.7).unwrap();
        assert!((action - 11.40828011364).abs() < 1e-10, "{action}");
        assert!(PathNetwork::new(Parametrization::Sine, &TimeGrid::new(&[0.0, 1.0, 3.0]).unwrap()).is_err());
    }
}
