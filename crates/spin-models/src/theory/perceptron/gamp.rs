//! Message passing on an instance.

use linalg_core::special::ln_normal_cdf;

use super::examples::dot;
use super::integrals::hazard;
use super::{Examples, Weights};
use crate::{Error, Result};

/// Generalised approximate message passing for the posterior of the weights of a perceptron.
///
/// The posterior is the prior of [`Weights`] times $`\prod_\mu \Phi\bigl( (y_\mu z_\mu - \kappa)/\sqrt\Delta \bigr)`$ with
/// $`z = F w`$, $`F = X/\sqrt N`$: for Δ = 0 the condition $`y_\mu z_\mu \ge \kappa`$. Belief propagation with Gaussian messages, for inputs with independent
/// components of variance 1, is
///
/// ```math
/// \omega = F a - V g, \quad u = \frac{y\omega - \kappa}{\sqrt{V + \Delta}}, \quad g \leftarrow \frac{y}{\sqrt{V+\Delta}} \frac{\varphi(u)}{\Phi(u)}, \qquad
/// \Lambda = \frac1N \sum_\mu (-\partial_\omega g_\mu), \quad R = a + \frac{F^T g}{\Lambda}
/// ```
///
/// with the means a and the mean variance V of the weights from the prior and the field ΛR: $`a = \tanh \Lambda R`$ for binary weights,
/// $`a = \Lambda R/(1 + \Lambda)`$ for Gaussian ones. At a fixed point the Bethe free energy counts the weights,
///
/// ```math
/// N s = \sum_\mu \ln \Phi(u_\mu) + \frac V2 \sum_\mu g_\mu^2 + \sum_i s_i
/// ```
///
/// with $`s_i`$ the entropy of ±1 with mean $`a_i`$, or minus the divergence of the Gaussian from its prior. With labels of a teacher the means follow
/// [`TeacherStudent`](super::TeacherStudent), iteration by iteration, for large N; with random labels the entropy is that of
/// [`Storage`](super::Storage) and the margin may be 0 only for Gaussian weights (their norm is free). `O(N M)` an iteration.
///
/// ```
/// use spin_models::theory::perceptron::{Examples, Gamp, Weights};
///
/// // One example halves the 2^N binary weights (N odd: no ties).
/// let examples = Examples::new(3, vec![1.0, -1.0, 1.0], vec![1])?;
/// let solved = Gamp::new(Weights::Binary, 0.0)?.run(&examples)?;
/// assert!(solved.converged && (3.0 * solved.entropy - 4f64.ln()).abs() < 0.1);
/// assert!(solved.means[0] > 0.0 && (solved.means[0] + solved.means[1]).abs() < 1e-9);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: M. Mézard, J. Phys. A 22, 2181 (1989); S. Rangan, ISIT (2011), arXiv:1010.5141; J. Barbier et al., Proc. Natl. Acad. Sci. USA 116,
/// 5451 (2019).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Gamp {
    /// The prior.
    pub weights: Weights,
    /// The variance Δ of the noise.
    pub noise: f64,
    /// The margin κ; default 0.
    pub margin: f64,
    /// Part of the old a and g that is kept, in [0, 1); default 0.
    pub damping: f64,
    /// Converged when the mean square change of a falls below its square; default 1e-9.
    pub tolerance: f64,
    /// Most iterations; default 1000.
    pub max_iterations: u64,
}

/// A fixed point of message passing, or the last iterate where there was none.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GampSolution {
    /// The means of the weights.
    pub means: Vec<f64>,
    /// The mean variance V of a weight.
    pub variance: f64,
    /// The overlap $`\frac1N \sum a_i^2`$ after every iteration, with 0 at the start.
    pub overlaps: Vec<f64>,
    /// The Bethe entropy a weight: of the number of binary weights, or of the mass of the Gaussian prior.
    pub entropy: f64,
    /// The root mean square change of a in the last iteration, undamped.
    pub residual: f64,
    /// Iterations.
    pub iterations: u64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl GampSolution {
    /// The overlap with a teacher, $`\frac1N \sum_i a_i w_i^*`$.
    ///
    /// # Panics
    /// If the teacher has another number of weights.
    pub fn overlap(&self, teacher: &[f64]) -> f64 {
        let n = self.means.len();
        assert_eq!(teacher.len(), n, "a teacher of {} weights for {n}", teacher.len());
        dot(&self.means, teacher) / n as f64
    }
}

impl Gamp {
    /// Weights of this kind, and the variance Δ of the noise.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a noise that is negative or not finite.
    pub fn new(weights: Weights, noise: f64) -> Result<Self> {
        let new = Self { weights, noise, margin: 0.0, damping: 0.0, tolerance: 1e-9, max_iterations: 1000 };
        new.check().map(|()| new)
    }

    /// Sets the margin.
    pub fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Sets the part of the old values that is kept.
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the most iterations.
    pub fn max_iterations(mut self, iterations: u64) -> Self {
        self.max_iterations = iterations;
        self
    }

    fn check(&self) -> Result<()> {
        let bad = |what, value: f64, expected| Err(Error::Parameter { what, value: value.to_string(), expected });
        if !(self.noise >= 0.0 && self.noise.is_finite()) {
            return bad("noise", self.noise, "a finite number >= 0");
        }
        if !self.margin.is_finite() {
            return bad("margin", self.margin, "a finite number");
        }
        if self.weights == Weights::Gaussian && self.margin.abs() > 0.0 {
            return bad("margin", self.margin, "0 for Gaussian weights, whose norm is free");
        }
        if !(0.0..1.0).contains(&self.damping) {
            return bad("damping", self.damping, "a number from 0 to below 1");
        }
        if self.tolerance >= 0.0 { Ok(()) } else { bad("tolerance", self.tolerance, "a number >= 0") }
    }

    /// Iterates from the prior.
    ///
    /// # Errors
    /// [`Error::Parameter`] for parameters out of range.
    pub fn run(&self, examples: &Examples) -> Result<GampSolution> {
        self.check()?;
        let (n, m) = (examples.n_inputs(), examples.len());
        let root = 1.0 / (n as f64).sqrt();
        let keep = self.damping;
        let mut state = State { a: vec![0.0; n], g: vec![0.0; m], u: vec![0.0; m], variance: 1.0 };
        let mut field = vec![0.0; n];
        let mut overlaps = vec![0.0];
        let (mut residual, mut iterations) = (f64::INFINITY, 0);
        while iterations < self.max_iterations && residual > self.tolerance {
            let width = (state.variance + self.noise).max(f64::MIN_POSITIVE).sqrt();
            let mut lambda = 0.0;
            field.fill(0.0);
            let parts = state.g.iter_mut().zip(&mut state.u);
            for ((x, y), (g, u)) in examples.inputs().chunks_exact(n).zip(examples.labels()).zip(parts) {
                let y = f64::from(*y);
                let omega = root * dot(x, &state.a) - state.variance * *g;
                *u = (y * omega - self.margin) / width;
                let ratio = hazard(*u);
                let new = y * ratio / width;
                *g = if iterations == 0 { new } else { *g + (1.0 - keep) * (new - *g) };
                lambda += ratio * (ratio + *u);
                let push = root * *g;
                field.iter_mut().zip(x).for_each(|(h, x)| *h += push * x);
            }
            lambda /= n as f64 * width * width;
            let (mut change, mut variance) = (0.0, 0.0);
            for (a, h) in state.a.iter_mut().zip(&field) {
                let local = lambda * *a + h;
                let (new, spread) = match self.weights {
                    Weights::Gaussian => (local / (1.0 + lambda), 1.0 / (1.0 + lambda)),
                    Weights::Binary => (local.tanh(), 1.0 / local.cosh().powi(2)),
                };
                change += (new - *a).powi(2);
                variance += spread;
                *a = if iterations == 0 { new } else { *a + (1.0 - keep) * (new - *a) };
            }
            state.variance = variance / n as f64;
            residual = (change / n as f64).sqrt();
            iterations += 1;
            overlaps.push(dot(&state.a, &state.a) / n as f64);
            // Contradictory examples drive the fields beyond all bounds.
            if !residual.is_finite() || !lambda.is_finite() {
                residual = f64::INFINITY;
                break;
            }
        }
        let converged = residual <= self.tolerance;
        let entropy = self.entropy(&state) / n as f64;
        Ok(GampSolution {
            means: state.a,
            variance: state.variance,
            overlaps,
            entropy,
            residual,
            iterations,
            converged,
        })
    }

    fn entropy(&self, state: &State) -> f64 {
        let State { a, g, u, variance } = state;
        let labels: f64 = u.iter().map(|&u| ln_normal_cdf(u)).sum();
        let reaction = 0.5 * variance * dot(g, g);
        let half = |x: f64| if x > 0.0 { -x * x.ln() } else { 0.0 };
        let weights: f64 = match self.weights {
            Weights::Binary => a.iter().map(|a| half(0.5 * (1.0 + a)) + half(0.5 * (1.0 - a))).sum(),
            Weights::Gaussian => {
                let divergence = 0.5 * (variance - 1.0 - variance.ln());
                -a.iter().map(|a| divergence + 0.5 * a * a).sum::<f64>()
            }
        };
        labels + reaction + weights
    }
}

/// What the iteration keeps.
struct State {
    a: Vec<f64>,
    g: Vec<f64>,
    u: Vec<f64>,
    variance: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;
    use crate::theory::perceptron::{Inputs, Start, Storage, TeacherStudent};
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;
    use linalg_core::stats::Running;

    fn teacher(weights: Weights, n: usize, rng: &mut impl linalg_core::rand::Rng) -> Vec<f64> {
        match weights {
            Weights::Gaussian => (0..n).map(|_| standard_normal(rng)).collect(),
            Weights::Binary => Spins::random(n, rng).iter().map(|&s| f64::from(s)).collect(),
        }
    }

    /// The number of binary weights and their means against enumeration: N = 15, ten random instances of 6 patterns, seed 42. The Bethe
    /// approximation is exact for large N only: entropies a weight within 0.02, means within 0.1 on average.
    #[test]
    fn counts_and_means_against_enumeration() {
        let (n, m) = (15usize, 6);
        let (mut entropies, mut means) = (Running::new(), Running::new());
        for k in 0..10 {
            let examples = Examples::random(n, m, Inputs::Signs, &mut Streams::new(42).stream(k)).unwrap();
            let (mut count, mut sums) = (0u32, vec![0.0; n]);
            for state in 0..1u64 << n {
                let w: Vec<f64> = Spins::from_state(state, n).iter().map(|&s| f64::from(s)).collect();
                if examples.errors(&w) == 0 {
                    count += 1;
                    sums.iter_mut().zip(&w).for_each(|(sum, w)| *sum += w);
                }
            }
            assert!(count > 0);
            let solved = Gamp::new(Weights::Binary, 0.0).unwrap().damping(0.3).run(&examples).unwrap();
            assert!(solved.converged, "{}", solved.residual);
            entropies.push(solved.entropy - f64::from(count).ln() / n as f64);
            let off = solved.means.iter().zip(&sums).map(|(a, sum)| (a - sum / f64::from(count)).abs());
            means.push(off.sum::<f64>() / n as f64);
        }
        assert!(entropies.mean().abs() < 0.02 && entropies.variance().sqrt() < 0.03, "{}", entropies.estimate());
        assert!(means.mean() < 0.1, "{}", means.estimate());
    }

    /// The Gaussian posterior of few examples against its exact mass: an orthant, for two examples 1/4 + arcsin(ρ)/2π.
    #[test]
    fn gaussian_mass_of_two_examples() {
        let examples = Examples::random(400, 2, Inputs::Signs, &mut Streams::new(43).stream(0)).unwrap();
        let signs = f64::from(examples.labels()[0] * examples.labels()[1]);
        let rho = signs * dot(examples.input(0), examples.input(1)) / 400.0;
        let exact = (0.25 + rho.asin() / std::f64::consts::TAU).ln();
        let solved = Gamp::new(Weights::Gaussian, 0.0).unwrap().run(&examples).unwrap();
        assert!(solved.converged);
        approx::assert_abs_diff_eq!(400.0 * solved.entropy, exact, epsilon = 5e-3);
    }

    /// The entropy of random instances is that of the replica method: binary weights, N = 1000, six instances, seed 44; α = 0.3 and 0.6.
    #[test]
    fn entropy_of_instances_is_that_of_replicas() {
        for (alpha, seed) in [(0.3, 44), (0.6, 45)] {
            let exact = Storage::new(Weights::Binary, 0.0).unwrap().at(alpha).unwrap();
            let (mut entropy, mut overlap) = (Running::new(), Running::new());
            for k in 0..6 {
                let mut rng = Streams::new(seed).stream(k);
                let examples = Examples::random(1000, (1000.0 * alpha) as usize, Inputs::Signs, &mut rng).unwrap();
                let solved = Gamp::new(Weights::Binary, 0.0).unwrap().run(&examples).unwrap();
                assert!(solved.converged, "α = {alpha}: {} after {}", solved.residual, solved.iterations);
                entropy.push(solved.entropy);
                overlap.push(*solved.overlaps.last().unwrap());
            }
            for (name, measured, exact) in [("s", entropy, exact.entropy), ("q", overlap, exact.q)] {
                let error = measured.std_error() + 1.0 / 1000.0;
                assert!(
                    (measured.mean() - exact).abs() < 3.0 * error,
                    "α = {alpha}, {name}: {} for {exact}",
                    measured.estimate()
                );
            }
        }
    }

    /// Overlaps with the teacher follow state evolution from iteration to iteration: sign, probit and binary teachers, N = 2000, eight
    /// instances, seed 46; each within 3σ, σ from the instances.
    #[test]
    fn iterations_follow_state_evolution() {
        for (weights, noise, alpha) in
            [(Weights::Gaussian, 0.0, 1.5), (Weights::Gaussian, 0.5, 1.5), (Weights::Binary, 0.0, 1.0)]
        {
            let model = TeacherStudent::new(weights, noise).unwrap();
            let theory = model.state_evolution(alpha, Start::Uninformed).unwrap();
            let mut overlaps = [Running::new(); 3];
            for k in 0..8 {
                let mut rng = Streams::new(46).stream(k);
                let teacher = teacher(weights, 2000, &mut rng);
                let m = (2000.0 * alpha) as usize;
                let examples = Examples::from_teacher(&teacher, m, Inputs::Signs, noise, &mut rng).unwrap();
                let norm = dot(&teacher, &teacher) / 2000.0;
                let gamp = Gamp::new(weights, noise).unwrap().tolerance(1e-6);
                for (overlap, iterations) in overlaps.iter_mut().zip([1, 4, 60]) {
                    let solved = gamp.max_iterations(iterations).run(&examples).unwrap();
                    assert!(solved.converged || iterations < 60, "{weights:?}: {}", solved.residual);
                    overlap.push(solved.overlap(&teacher) / norm.sqrt());
                }
            }
            for (overlap, t) in overlaps.iter().zip([1, 4, theory.trajectory.len() - 1]) {
                let z = (overlap.mean() - theory.trajectory[t]) / overlap.std_error();
                assert!(
                    z.abs() < 3.0,
                    "{weights:?}, Δ = {noise}, t = {t}: {} for {}, z = {z}",
                    overlap.estimate(),
                    theory.trajectory[t]
                );
            }
        }
    }

    #[test]
    fn bad_input_and_contradictions() {
        assert!(Gamp::new(Weights::Binary, f64::NAN).is_err());
        let gamp = Gamp::new(Weights::Gaussian, 0.0).unwrap();
        let one = Examples::new(1, vec![1.0, 1.0], vec![1, -1]).unwrap();
        assert!(gamp.margin(1.0).run(&one).is_err() && gamp.damping(1.0).run(&one).is_err());
        assert!(gamp.tolerance(f64::NAN).run(&one).is_err());
        // No weight has both signs: the report says that it did not converge, or that next to nothing is left.
        let lost = Gamp::new(Weights::Binary, 0.0).unwrap().run(&one).unwrap();
        assert!(!lost.converged || lost.entropy < 0.0, "{lost:?}");
        let none = gamp.run(&Examples::new(2, vec![], vec![]).unwrap()).unwrap();
        assert!(none.converged && none.entropy.abs() < 1e-12 && none.means == [0.0, 0.0]);
        let far = Examples::new(1, vec![1e300; 3], vec![1, -1, 1]).unwrap();
        assert!(!Gamp::new(Weights::Gaussian, 0.0).unwrap().run(&far).unwrap().converged);
    }
}
