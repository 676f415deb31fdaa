//! The perceptron algorithm.

use super::Examples;
use super::examples::dot;
use crate::{Error, Result};

/// Rosenblatt's algorithm: weights start at 0, and an example that is missed is added with its label.
///
/// ```math
/// w \leftarrow w + y_\mu x_\mu \quad \text{while} \quad y_\mu\, w \cdot x_\mu \le 0
/// ```
///
/// If weights of norm 1 exist with $`y_\mu w \cdot x_\mu \ge \gamma`$ for all examples of norm at most R, there are at most (R/γ)² such steps in
/// whatever order ([`mistake_bound`]). Otherwise there is no end, and the report says so. `O(N M)` a pass.
///
/// ```
/// use spin_models::theory::perceptron::{Examples, Learning, mistake_bound};
///
/// // The label is the sign of the first component: R² = 2, γ = 1 with the weights (1, 0).
/// let examples = Examples::new(2, vec![1.0, 1.0, 1.0, -1.0, -1.0, 1.0], vec![1, 1, -1])?;
/// let learnt = Learning::default().run(&examples)?;
/// assert!(learnt.converged && examples.errors(&learnt.weights) == 0);
/// assert_eq!(mistake_bound(&examples, &[1.0, 0.0]), Some(2.0));
/// assert!(learnt.mistakes <= 2);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: A. B. J. Novikoff, Symp. Math. Theory of Automata 12, 615 (1962).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Learning {
    /// Most passes over the examples; default 10 000.
    pub max_passes: u64,
}

impl Default for Learning {
    fn default() -> Self {
        Self { max_passes: 10_000 }
    }
}

/// What the perceptron algorithm did.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LearningReport {
    /// The weights.
    pub weights: Vec<f64>,
    /// Steps: examples met while they were missed.
    pub mistakes: u64,
    /// Passes over the examples, the last one without a mistake.
    pub passes: u64,
    /// Mistakes of the last pass.
    pub residual: u64,
    /// Whether all examples are learnt.
    pub converged: bool,
}

impl Learning {
    /// Sets the most passes.
    pub fn max_passes(mut self, passes: u64) -> Self {
        self.max_passes = passes;
        self
    }

    /// Learns the examples in their order, again and again.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the weights overflow.
    pub fn run(&self, examples: &Examples) -> Result<LearningReport> {
        let mut weights = vec![0.0; examples.n_inputs()];
        let (mut mistakes, mut passes, mut residual) = (0, 0, examples.len() as u64);
        while passes < self.max_passes && (passes == 0 || residual > 0) {
            residual = 0;
            for (x, y) in examples.iter() {
                if f64::from(y) * dot(&weights, x) > 0.0 {
                    continue;
                }
                residual += 1;
                weights.iter_mut().zip(x).for_each(|(w, x)| *w += f64::from(y) * x);
            }
            mistakes += residual;
            passes += 1;
            if let Some(entry) = weights.iter().position(|w| !w.is_finite()) {
                return Err(Error::NotFinite { what: "weight", entry, sites: vec![entry], value: weights[entry] });
            }
        }
        Ok(LearningReport { weights, mistakes, passes, residual, converged: residual == 0 })
    }
}

/// Novikoff's bound (R/γ)² on the mistakes, from weights that separate the examples: R the largest norm of an input, γ the smallest
/// $`y_\mu w \cdot x_\mu / |w|`$. `None` if they do not separate them, or there is no example.
///
/// The larger γ the better the bound; with γ the largest possible it is the best of its kind.
///
/// # Panics
/// If there are not as many weights as components.
pub fn mistake_bound(examples: &Examples, weights: &[f64]) -> Option<f64> {
    let n = examples.n_inputs();
    assert_eq!(weights.len(), n, "{} weights for inputs of {n}", weights.len());
    let norm = dot(weights, weights).sqrt();
    let margins = examples.iter().map(|(x, y)| f64::from(y) * dot(weights, x) / norm);
    let margin = margins.fold(f64::INFINITY, f64::min);
    let square = examples.iter().map(|(x, _)| dot(x, x)).fold(0.0, f64::max);
    (margin > 0.0 && margin.is_finite()).then(|| square / (margin * margin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::perceptron::Inputs;
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    /// 40 teachers of 2 to 30 components with up to 60 examples: all are learnt, and never with more mistakes than the bound of the teacher or
    /// of the weights found.
    #[test]
    fn mistakes_stay_within_the_bound() {
        for k in 0..40u64 {
            let mut rng = Streams::new(41).stream(k);
            let n = 2 + (k as usize * 7) % 29;
            let teacher: Vec<f64> = (0..n).map(|_| standard_normal(&mut rng)).collect();
            let inputs = if k % 2 == 0 { Inputs::Gaussian } else { Inputs::Signs };
            let examples = Examples::from_teacher(&teacher, 5 + k as usize, inputs, 0.0, &mut rng).unwrap();
            let learnt = Learning::default().max_passes(1_000_000).run(&examples).unwrap();
            assert!(learnt.converged && examples.errors(&learnt.weights) == 0);
            for weights in [&teacher, &learnt.weights] {
                let bound = mistake_bound(&examples, weights).unwrap();
                assert!(learnt.mistakes as f64 <= bound, "{} mistakes, at most {bound} are possible", learnt.mistakes);
            }
        }
    }

    /// One input that is repeated with a growing norm: the bound is attained for a single example.
    #[test]
    fn one_example_takes_one_mistake() {
        let one = Examples::new(3, vec![3.0, 0.0, 4.0], vec![-1]).unwrap();
        let learnt = Learning::default().run(&one).unwrap();
        assert_eq!((learnt.weights.clone(), learnt.mistakes, learnt.passes), (vec![-3.0, 0.0, -4.0], 1, 2));
        assert_eq!(mistake_bound(&one, &learnt.weights), Some(1.0));
    }

    #[test]
    fn contradictions_and_edges_are_reported() {
        let both = Examples::new(1, vec![1.0, 1.0], vec![1, -1]).unwrap();
        let report = Learning::default().max_passes(50).run(&both).unwrap();
        assert!(!report.converged && report.passes == 50 && report.residual > 0);
        assert_eq!(mistake_bound(&both, &report.weights), None);
        let none = Examples::new(2, vec![], vec![]).unwrap();
        let report = Learning::default().run(&none).unwrap();
        assert!(report.converged && report.mistakes == 0);
        assert_eq!(mistake_bound(&none, &[1.0, 0.0]), None);
        let large = Examples::new(1, vec![f64::MAX, -f64::MAX], vec![1, 1]).unwrap();
        assert!(Learning::default().max_passes(10).run(&large).is_ok_and(|report| !report.converged));
    }
}
