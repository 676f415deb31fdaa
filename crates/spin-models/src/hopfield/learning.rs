//! Rules that store more than Hebb's.

use linalg_core::simd::{AddScaled, widest};

use super::{Patterns, Synapses};
use crate::{Error, Result, SherringtonKirkpatrick};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The pseudo-inverse (projection) rule: couplings with which all patterns are fixed points, up to P = N.
///
/// ```math
/// J = \Xi^T C^{-1} \Xi / N, \qquad C_{\mu\nu} = \frac1N \sum_i \xi_i^\mu \xi_i^\nu
/// ```
///
/// is the projector on the span of the patterns, computed here as Σ e eᵀ over an orthonormal basis of it, which also serves
/// patterns that depend on each other. With the diagonal taken away the field on a spin of a stored pattern is
/// $`(1 - J_{ii}) \xi_i`$: aligned while `J_ii < 1`, smaller the higher the load (at P = N it is 0). `O(N P² + N² P)`.
///
/// ```
/// use spin_models::hopfield::{Patterns, pseudo_inverse};
///
/// // Orthogonal patterns: Hebb's rule.
/// let patterns = Patterns::new(4, vec![1, 1, 1, 1, 1, -1, 1, -1])?;
/// assert_eq!(pseudo_inverse(&patterns)?.row(0), [0.0, 0.0, 0.5, 0.0]);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: L. Personnaz, I. Guyon and G. Dreyfus, J. Physique Lett. 46, L359 (1985); I. Kanter and H. Sompolinsky, Phys. Rev. A 35,
/// 380 (1987).
///
/// # Errors
/// [`Error::TooLarge`] for more patterns than spins.
pub fn pseudo_inverse(patterns: &Patterns) -> Result<SherringtonKirkpatrick> {
    let (n, p) = (patterns.n_spins(), patterns.n_patterns());
    if p > n {
        return Err(Error::TooLarge { solver: "pseudo-inverse rule", what: "number of patterns", value: p, bound: n });
    }
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(p);
    for pattern in patterns.iter() {
        let mut rest: Vec<f64> = pattern.iter().map(|&s| f64::from(s)).collect();
        // Twice is enough for orthogonality to rounding (W. Kahan and B. Parlett).
        for _ in 0..2 {
            for e in &basis {
                let along = dot(e, &rest);
                widest(AddScaled { y: &mut rest, a: -along, x: e });
            }
        }
        let norm = dot(&rest, &rest).sqrt();
        // A pattern has norm √N: what is left of a dependent one is rounding.
        if norm > 1e-9 * (n as f64).sqrt() {
            rest.iter_mut().for_each(|x| *x /= norm);
            basis.push(rest);
        }
    }
    let mut matrix = vec![0.0; n * n];
    for e in &basis {
        for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
            widest(AddScaled { y: row, a: e[i], x: e });
        }
    }
    symmetric(n, matrix)
}

/// The matrix without its diagonal, its halves equal to the last bit.
fn symmetric(n: usize, mut matrix: Vec<f64>) -> Result<SherringtonKirkpatrick> {
    for i in 0..n {
        matrix[i * n + i] = 0.0;
        for j in 0..i {
            matrix[j * n + i] = matrix[i * n + j];
        }
    }
    SherringtonKirkpatrick::from_couplings(n, &matrix)
}

/// Storkey's rule, local in space and one pattern after another.
///
/// ```math
/// J_{ij} \leftarrow J_{ij} + \frac1N \left( \xi_i \xi_j - \xi_i h_{ji} - h_{ij} \xi_j \right), \qquad
/// h_{ij} = \sum_{k \ne i, j} J_{ik} \xi_k
/// ```
///
/// The capacity is about N/√(2 ln N), against N/(2 ln N) of Hebb's for patterns without any error. The order of the patterns matters.
/// `O(N² P)`.
///
/// ```
/// use spin_models::hopfield::{Patterns, storkey};
///
/// // The first pattern meets no couplings: Hebb's rule.
/// let patterns = Patterns::new(4, vec![1, 1, -1, 1])?;
/// assert_eq!(storkey(&patterns)?.row(0), [0.0, 0.25, -0.25, 0.25]);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: A. J. Storkey and R. Valabregue, Neural Netw. 12, 869 (1999).
///
/// # Errors
/// None for valid patterns; the checks of the matrix are passed on.
pub fn storkey(patterns: &Patterns) -> Result<SherringtonKirkpatrick> {
    let n = patterns.n_spins();
    let per = 1.0 / n as f64;
    let mut matrix = vec![0.0; n * n];
    for pattern in patterns.iter() {
        let x: Vec<f64> = pattern.iter().map(|&s| f64::from(s)).collect();
        // The diagonal is 0: h_ij = h_i - J_ij ξ_j.
        let fields: Vec<f64> = matrix.chunks_exact(n).map(|row| dot(row, &x)).collect();
        for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
            for (j, coupling) in row.iter_mut().enumerate().filter(|(j, _)| *j != i) {
                let (toward_i, toward_j) = (fields[i] - *coupling * x[j], fields[j] - *coupling * x[i]);
                *coupling += per * (x[i] * x[j] - x[i] * toward_j - toward_i * x[j]);
            }
        }
    }
    symmetric(n, matrix)
}

/// Whether the two couplings of a pair are one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Symmetry {
    /// Every unit learns by itself, up to P = 2N random patterns. The default.
    #[default]
    Free,
    /// `J_ij = J_ji`: an energy exists; each step changes both.
    Symmetric,
}

/// The perceptron rule for the couplings: steps until every pattern is a fixed point with a margin.
///
/// ```math
/// J_{ij} \leftarrow J_{ij} + \frac1N \xi_i^\mu \xi_j^\mu \quad \text{while} \quad \xi_i^\mu \sum_j J_{ij} \xi_j^\mu
/// \le \kappa \Bigl( \sum_j J_{ij}^2 \Bigr)^{1/2}
/// ```
///
/// It ends if a solution with a larger margin exists (S. Diederich and M. Opper, Phys. Rev. Lett. 58, 949 (1987); E. Gardner, J. Phys. A
/// 21, 257 (1988)); how many patterns that are is in [`theory::perceptron`](crate::theory::perceptron). `O(N² P)` a pass.
///
/// ```
/// use spin_models::hopfield::{Patterns, PerceptronRule};
///
/// let patterns = Patterns::new(4, vec![1, 1, 1, 1, 1, -1, 1, -1])?;
/// let learnt = PerceptronRule::default().train(&patterns)?;
/// assert!(learnt.converged && learnt.stability > 0.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PerceptronRule {
    /// The margin κ of every field, for rows of norm 1 and patterns of entries ±1; default 0.
    pub margin: f64,
    /// Most passes over the patterns; default 1000.
    pub max_passes: u64,
    /// Whether the couplings are symmetric; default free.
    pub symmetry: Symmetry,
}

impl Default for PerceptronRule {
    fn default() -> Self {
        Self { margin: 0.0, max_passes: 1000, symmetry: Symmetry::Free }
    }
}

/// What the perceptron rule has learnt.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Training {
    /// The couplings.
    pub synapses: Synapses,
    /// Whether every field passed the margin in the last pass.
    pub converged: bool,
    /// Passes over the patterns.
    pub passes: u64,
    /// Steps of a unit with a pattern.
    pub steps: u64,
    /// Fields below the margin in the last pass.
    pub violations: u64,
    /// The smallest $`\xi_i h_i / |J_i|`$ at the end; -∞ for a unit without couplings, +∞ with no pattern.
    pub stability: f64,
}

impl PerceptronRule {
    /// Sets the margin.
    pub fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Sets the number of passes.
    pub fn max_passes(mut self, passes: u64) -> Self {
        self.max_passes = passes;
        self
    }

    /// Sets the symmetry.
    pub fn symmetry(mut self, symmetry: Symmetry) -> Self {
        self.symmetry = symmetry;
        self
    }

    /// Learns the patterns from zero couplings.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a margin that is negative or not finite.
    pub fn train(&self, patterns: &Patterns) -> Result<Training> {
        if !(self.margin.is_finite() && self.margin >= 0.0) {
            let value = self.margin.to_string();
            return Err(Error::Parameter { what: "margin", value, expected: "a finite number >= 0" });
        }
        let n = patterns.n_spins();
        let rows: Vec<Vec<f64>> = patterns.iter().map(|x| x.iter().map(|&s| f64::from(s)).collect()).collect();
        let mut matrix = vec![0.0; n * n];
        let (mut passes, mut steps, mut violations) = (0, 0, u64::from(!rows.is_empty()));
        while passes < self.max_passes && violations > 0 {
            violations = 0;
            for x in &rows {
                violations += self.learn(&mut matrix, x);
            }
            steps += violations;
            passes += 1;
        }
        let stability = |x: &Vec<f64>| {
            let of_unit = |(row, &x_i): (&[f64], &f64)| {
                let norm = dot(row, row).sqrt();
                if norm > 0.0 { x_i * dot(row, x) / norm } else { f64::NEG_INFINITY }
            };
            matrix.chunks_exact(n).zip(x).map(of_unit).fold(f64::INFINITY, f64::min)
        };
        let stability = rows.iter().map(stability).fold(f64::INFINITY, f64::min);
        let synapses = Synapses::new(n, &matrix)?;
        Ok(Training { synapses, converged: violations == 0, passes, steps, violations, stability })
    }

    /// Steps of all units with one pattern; how many there were.
    fn learn(&self, matrix: &mut [f64], x: &[f64]) -> u64 {
        let n = x.len();
        let mut steps = 0;
        for i in 0..n {
            let row = &mut matrix[i * n..(i + 1) * n];
            let margin = self.margin * dot(row, row).sqrt();
            if x[i] * dot(row, x) > margin {
                continue;
            }
            steps += 1;
            widest(AddScaled { y: row, a: x[i] / n as f64, x });
            row[i] = 0.0;
            if self.symmetry == Symmetry::Symmetric {
                for j in 0..n {
                    matrix[j * n + i] = matrix[i * n + j];
                }
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnergyModel;
    use crate::hopfield::{Glauber, Network, Update};
    use linalg_core::Streams;

    /// `J ξ = ξ` with the diagonal, and the projector against C⁻¹ computed for two patterns by hand.
    #[test]
    fn pseudo_inverse_is_the_projector() {
        let mut rng = Streams::new(4).stream(0);
        let patterns = Patterns::random(40, 30, &mut rng).unwrap();
        let model = pseudo_inverse(&patterns).unwrap();
        // The trace of a projector is its rank, N - Σ (1 - J_ii): from the fields, which are (1 - J_ii) ξ_i.
        for pattern in patterns.iter() {
            let fields = model.prepare(pattern);
            let lost: f64 = fields.iter().zip(pattern).map(|(h, &s)| h * f64::from(s)).sum();
            approx::assert_abs_diff_eq!(lost, 10.0, epsilon = 1e-10);
            assert!(fields.iter().zip(pattern).all(|(h, &s)| h * f64::from(s) > 0.0));
        }
        let two = Patterns::random(9, 2, &mut rng).unwrap();
        let c = two.overlap(0, two.pattern(1));
        let (a, b) = (two.pattern(0), two.pattern(1));
        let model = pseudo_inverse(&two).unwrap();
        for i in 0..9 {
            for j in (0..9).filter(|&j| j != i) {
                let of = |x: &[i8], y: &[i8]| f64::from(x[i] * y[j]);
                let exact = (of(a, a) + of(b, b) - c * (of(a, b) + of(b, a))) / (9.0 * (1.0 - c * c));
                approx::assert_abs_diff_eq!(model.row(i)[j], exact, epsilon = 1e-14);
            }
        }
    }

    #[test]
    fn pseudo_inverse_of_odd_sets() {
        let mut rng = Streams::new(5).stream(0);
        let many = Patterns::random(5, 6, &mut rng).unwrap();
        let error = pseudo_inverse(&many).unwrap_err().to_string();
        assert_eq!(error, "pseudo-inverse rule: number of patterns is 6, at most 5 is possible");
        // A pattern stored twice, and once more with the opposite sign, counts once.
        let one = Patterns::new(4, vec![1, 1, -1, 1]).unwrap();
        let thrice = Patterns::new(4, vec![1, 1, -1, 1, 1, 1, -1, 1, -1, -1, 1, -1]).unwrap();
        assert_eq!(pseudo_inverse(&one).unwrap(), pseudo_inverse(&thrice).unwrap());
        let none = pseudo_inverse(&Patterns::new(3, vec![]).unwrap()).unwrap();
        assert_eq!(none.energy(&[1, 1, 1]).abs().to_bits(), 0);
    }

    /// Directly from the published sums, and more patterns fixed than with Hebb's rule: 100 spins, 25 patterns, seed 6.
    #[test]
    fn storkey_follows_its_formula() {
        let mut rng = Streams::new(6).stream(0);
        let patterns = Patterns::random(7, 3, &mut rng).unwrap();
        let mut slow = vec![vec![0.0; 7]; 7];
        for x in patterns.iter() {
            let x: Vec<f64> = x.iter().map(|&s| f64::from(s)).collect();
            let old = slow.clone();
            let h = |i: usize, j: usize| (0..7).filter(|&k| k != i && k != j).map(|k| old[i][k] * x[k]).sum::<f64>();
            for i in 0..7 {
                for j in (0..7).filter(|&j| j != i) {
                    slow[i][j] += (x[i] * x[j] - x[i] * h(j, i) - h(i, j) * x[j]) / 7.0;
                }
            }
        }
        let model = storkey(&patterns).unwrap();
        for (i, row) in slow.iter().enumerate() {
            for (fast, slow) in model.row(i).iter().zip(row) {
                approx::assert_abs_diff_eq!(*fast, *slow, epsilon = 1e-14);
            }
        }
        let patterns = Patterns::random(100, 25, &mut rng).unwrap();
        let fixed = |network: &dyn Fn(&[i8]) -> Vec<f64>| {
            let stable = |x: &[i8]| network(x).iter().zip(x).all(|(h, &s)| h * f64::from(s) >= 0.0);
            patterns.iter().filter(|x| stable(x)).count()
        };
        let (storkey, hebb) = (storkey(&patterns).unwrap(), crate::hopfield::Hopfield::new(&patterns).unwrap());
        let by_hebb = fixed(&|x| {
            let mut fields = vec![0.0; 100];
            hebb.local_fields(&hebb.prepare(x), x, &mut fields);
            fields
        });
        assert!(fixed(&|x| storkey.prepare(x)) > by_hebb + 10, "{by_hebb}");
    }

    /// Two thirds as many biased patterns as spins, free and symmetric couplings; a margin is kept; a contradiction is reported.
    #[test]
    fn perceptron_rule_reaches_its_margin() {
        let mut rng = Streams::new(7).stream(0);
        let patterns = Patterns::biased(60, 40, 0.2, &mut rng).unwrap();
        for (symmetry, margin) in [(Symmetry::Free, 0.3), (Symmetry::Symmetric, 0.1)] {
            let learnt = PerceptronRule::default().margin(margin).symmetry(symmetry).train(&patterns).unwrap();
            assert!(learnt.converged && learnt.stability > margin, "{symmetry:?}: {}", learnt.stability);
            for pattern in patterns.iter() {
                let cold = Glauber::zero_temperature(Update::Parallel);
                assert_eq!(&*cold.recall(&learnt.synapses, pattern, 3, &mut rng).spins, pattern);
            }
            if symmetry == Symmetry::Symmetric {
                let symmetric = |i: usize, j: usize| {
                    learnt.synapses.coupling(i, j).to_bits() == learnt.synapses.coupling(j, i).to_bits()
                };
                assert!((0..60).all(|i| (0..i).all(|j| symmetric(i, j))));
            }
        }
        // All four patterns of two spins ask for both signs of one coupling.
        let all = Patterns::new(2, vec![1, 1, 1, -1, -1, 1, -1, -1]).unwrap();
        let report = PerceptronRule::default().max_passes(20).train(&all).unwrap();
        assert!(!report.converged && report.passes == 20 && report.violations > 0);
        assert!(PerceptronRule::default().margin(f64::NAN).train(&all).is_err());
        let none = PerceptronRule::default().train(&Patterns::new(2, vec![]).unwrap()).unwrap();
        assert!(none.converged && none.passes == 0);
    }
}
