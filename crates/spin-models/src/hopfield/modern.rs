//! Continuous states recalled by attention.

use linalg_core::logspace::{log_normalize, log_sum_exp};

use super::Patterns;
use crate::{Error, Result};

/// The modern Hopfield network with continuous states: one step is softmax attention over the stored patterns.
///
/// ```math
/// E(\xi) = -\frac1\beta \ln \sum_\mu e^{\beta\, x_\mu \cdot \xi} + \frac12 \xi \cdot \xi + \frac1\beta \ln P + \frac12 \max_\mu |x_\mu|^2,
/// \qquad \xi \leftarrow \sum_\mu p_\mu x_\mu, \quad p = \mathrm{softmax}(\beta\, x \cdot \xi)
/// ```
///
/// The step is the concave-convex procedure of E, which never rises. At large β the fixed points are near single patterns, at small β
/// near their mean. A step costs `O(N P)`.
///
/// ```
/// use spin_models::hopfield::ModernHopfield;
///
/// // Two orthogonal patterns of length 1, asked for with part of the first: p = 1/(1 + e^-4·0.9).
/// let memory = ModernHopfield::new(2, vec![1.0, 0.0, 0.0, 1.0], 4.0)?;
/// let mut state = [0.9, 0.0];
/// let attention = memory.step(&mut state);
/// assert!((attention[0] - 1.0 / (1.0 + (-3.6f64).exp())).abs() < 1e-15);
/// assert_eq!(state, [attention[0], attention[1]]);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: H. Ramsauer et al., ICLR (2021), arXiv:2008.02217.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct ModernHopfield {
    n: usize,
    rows: Vec<f64>,
    beta: f64,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n: usize,
    rows: Vec<f64>,
    beta: f64,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for ModernHopfield {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        Self::new(unchecked.n, unchecked.rows, unchecked.beta)
    }
}

/// Where repeated steps led.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Retrieval {
    /// The state.
    pub state: Vec<f64>,
    /// The weights of the patterns in the last step; they add up to 1.
    pub attention: Vec<f64>,
    /// The energies before every step and at the end.
    pub energies: Vec<f64>,
    /// The largest change of a component in the last step.
    pub residual: f64,
    /// Steps.
    pub iterations: u64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl ModernHopfield {
    /// Patterns as rows of `n` real numbers, one at least, with the inverse temperature of the softmax.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::Parameter`] for no patterns or β that is not positive and finite; [`Error::WrongLength`] for rows that
    /// are not whole; [`Error::NotFinite`] naming the entry, also for entries so large that β times a product of patterns may overflow.
    pub fn new(n: usize, rows: Vec<f64>, beta: f64) -> Result<Self> {
        if n == 0 {
            return Err(Error::NoSpins);
        }
        if rows.is_empty() {
            let (what, value) = ("number of patterns", "0".to_owned());
            return Err(Error::Parameter { what, value, expected: "at least 1" });
        }
        if !rows.len().is_multiple_of(n) {
            let expected = rows.len().div_ceil(n) * n;
            return Err(Error::WrongLength { what: "entries of patterns", got: rows.len(), expected });
        }
        if !(beta > 0.0 && beta.is_finite()) {
            return Err(Error::Parameter { what: "beta", value: beta.to_string(), expected: "a positive number" });
        }
        let fits = |x: f64| (4.0 * beta.max(1.0) * n as f64 * x * x).is_finite();
        match rows.iter().position(|&x| !fits(x)) {
            None => Ok(Self { n, rows, beta }),
            Some(entry) => {
                let (what, sites) = ("component times itself times beta of entry", vec![entry % n]);
                Err(Error::NotFinite { what, entry, sites, value: rows[entry] })
            }
        }
    }

    /// Patterns of ±1 divided by √N, so that they have length 1.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_patterns(patterns: &Patterns, beta: f64) -> Result<Self> {
        let scale = 1.0 / (patterns.n_spins() as f64).sqrt();
        let rows = patterns.iter().flatten().map(|&s| scale * f64::from(s)).collect();
        Self::new(patterns.n_spins(), rows, beta)
    }

    /// Number of components of a state.
    pub fn n_components(&self) -> usize {
        self.n
    }

    /// Number of patterns.
    pub fn n_patterns(&self) -> usize {
        self.rows.len() / self.n
    }

    /// β times the products of a state with the patterns.
    fn scores(&self, state: &[f64]) -> Vec<f64> {
        assert_eq!(state.len(), self.n, "{} components for patterns of {}", state.len(), self.n);
        let dot = |row: &[f64]| row.iter().zip(state).map(|(x, y)| x * y).sum::<f64>();
        self.rows.chunks_exact(self.n).map(|row| self.beta * dot(row)).collect()
    }

    /// The energy of a state, not negative.
    ///
    /// # Panics
    /// If the state has another number of components.
    pub fn energy(&self, state: &[f64]) -> f64 {
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let largest = self.rows.chunks_exact(self.n).map(square).fold(0.0, f64::max);
        let ln_mean = log_sum_exp(&self.scores(state)) - (self.n_patterns() as f64).ln();
        -ln_mean / self.beta + 0.5 * (square(state) + largest)
    }

    /// One step of `state`; the weights of the patterns.
    ///
    /// # Panics
    /// If the state has another number of components.
    pub fn step(&self, state: &mut [f64]) -> Vec<f64> {
        let mut weights = self.scores(state);
        log_normalize(&mut weights);
        weights.iter_mut().for_each(|w| *w = w.exp());
        state.fill(0.0);
        for (row, w) in self.rows.chunks_exact(self.n).zip(&weights) {
            state.iter_mut().zip(row).for_each(|(y, x)| *y += w * x);
        }
        weights
    }

    /// Steps until no component changes by more than `tolerance`, or `max_iterations`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a start that is not finite.
    ///
    /// # Panics
    /// If the start has another number of components.
    pub fn retrieve(&self, start: &[f64], tolerance: f64, max_iterations: u64) -> Result<Retrieval> {
        assert_eq!(start.len(), self.n, "{} components for patterns of {}", start.len(), self.n);
        let largest = self.rows.iter().fold(1.0, |largest: f64, x| largest.max(x.abs()));
        let fits = |x: f64| (4.0 * self.beta.max(1.0) * self.n as f64 * largest.max(x.abs()) * x).is_finite();
        if let Some(entry) = start.iter().position(|&x| !fits(x)) {
            let (what, sites) = ("component of the start", vec![entry]);
            return Err(Error::NotFinite { what, entry, sites, value: start[entry] });
        }
        let mut state = start.to_vec();
        let mut energies = vec![self.energy(&state)];
        let (mut attention, mut residual, mut iterations) = (Vec::new(), f64::INFINITY, 0);
        while iterations < max_iterations && residual > tolerance {
            let before = state.clone();
            attention = self.step(&mut state);
            residual = state.iter().zip(&before).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            energies.push(self.energy(&state));
            iterations += 1;
        }
        let converged = residual <= tolerance;
        Ok(Retrieval { state, attention, energies, residual, iterations, converged })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    /// The gradient of E is ξ minus the step; E does not rise; both by independent means.
    #[test]
    fn a_step_removes_the_gradient_and_the_energy_falls() {
        let mut rng = Streams::new(17).stream(0);
        let rows: Vec<f64> = (0..8 * 5).map(|_| standard_normal(&mut rng)).collect();
        for beta in [0.1, 1.0, 8.0] {
            let memory = ModernHopfield::new(8, rows.clone(), beta).unwrap();
            let start: Vec<f64> = (0..8).map(|_| standard_normal(&mut rng)).collect();
            let mut state = start.clone();
            let attention = memory.step(&mut state);
            approx::assert_abs_diff_eq!(attention.iter().sum::<f64>(), 1.0, epsilon = 1e-14);
            let gradient = linalg_core::optim::finite_difference::gradient(|x| memory.energy(x), &start);
            for ((g, x), new) in gradient.iter().zip(&start).zip(&state) {
                approx::assert_abs_diff_eq!(*g, x - new, epsilon = 1e-6);
            }
            let end = memory.retrieve(&start, 1e-12, 10_000).unwrap();
            assert!(end.converged && end.residual <= 1e-12, "beta = {beta}: {}", end.residual);
            assert!(end.energies.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12));
            assert!(end.energies.iter().all(|&e| e >= 0.0));
        }
    }

    /// Far more patterns than components, recalled in a step with an error e^(-β Δ): 64 components, 1000 patterns, seed 18.
    #[test]
    fn attention_recalls_in_a_step() {
        let mut rng = Streams::new(18).stream(0);
        let patterns = Patterns::random(64, 1000, &mut rng).unwrap();
        let memory = ModernHopfield::from_patterns(&patterns, 50.0).unwrap();
        for mu in [0, 500, 999] {
            let start = patterns.with_overlap(mu, 0.75, &mut rng).unwrap();
            let mut state: Vec<f64> = start.iter().map(|&s| f64::from(s) / 8.0).collect();
            let attention = memory.step(&mut state);
            assert!(attention[mu] > 0.99, "{}", attention[mu]);
        }
        // At small β the only fixed point is near the mean of all patterns.
        let blurred = ModernHopfield::from_patterns(&patterns, 0.01).unwrap().retrieve(&[0.1; 64], 1e-13, 100).unwrap();
        assert!(blurred.converged && blurred.attention.iter().all(|p| (p - 1e-3).abs() < 1e-5));
    }

    #[test]
    fn bad_input_is_named() {
        let text = |n, rows, beta| ModernHopfield::new(n, rows, beta).unwrap_err().to_string();
        assert_eq!(text(2, vec![1.0; 3], 1.0), "entries of patterns: 3 values for 4");
        assert_eq!(text(2, vec![1.0; 4], 0.0), "beta is 0, expected a positive number");
        assert!(text(1, vec![f64::NAN], 1.0).contains("NaN"));
        assert!(text(1, vec![1e200], 1.0).contains("finite"));
        assert!(ModernHopfield::new(1, vec![], 1.0).is_err() && ModernHopfield::new(0, vec![], 1.0).is_err());
        let memory = ModernHopfield::new(1, vec![1.0, -1.0], 1.0).unwrap();
        assert!(memory.retrieve(&[f64::INFINITY], 1e-9, 5).is_err());
        let unfinished = memory.retrieve(&[0.5], 0.0, 1).unwrap();
        assert!(!unfinished.converged && unfinished.iterations == 1);
    }
}
