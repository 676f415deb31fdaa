//! The learning rule of the text's own prior.

use crate::coulomb::CoulombCovariance;
use crate::{Error, Result, check};

/// The maximum a posteriori step of eqs. (20) and (46).
///
/// The prior has the new positions scattered about the old ones $`r'`$ with the covariance $`K(r')^{-1}`$ in every dimension, so
/// that its most probable step is
///
/// ```math
/// r = \arg\min_r\; \Phi(r), \qquad \Phi(r) = L(r) + \frac\lambda2 \sum_d (r - r')^{(d)T} K(r')\,(r - r')^{(d)}
/// ```
///
/// found by the fixed point $`r = r' - K(r')^{-1}\,\nabla L(r)/\lambda`$. $`K`$ is taken at the old positions: at the new ones the
/// density would not be normalised. λ = 1 is the text; smaller values make longer steps. The step is taken only if
/// $`\Phi`$ does not rise, and then neither does the loss, because $`L(r) \le \Phi(r) \le \Phi(r') = L(r')`$. Where the fixed point is
/// not stable, the first direction is shortened until that holds.
///
/// ```
/// use physics_inference::coulomb::CoulombCovariance;
/// use physics_inference::dynamics::ProximalStep;
///
/// let at = vec![[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 4.0, 0.0]];
/// let k = CoulombCovariance::new(vec![2.0, 1.5, 3.0], vec![1.0, -1.0, 1.0], at, 0.0)?;
/// let s = [2.0, -0.2, 0.3, -0.2, 1.5, -0.1, 0.3, -0.1, 3.0];
/// let (next, report) = ProximalStep::default().step(&k, &s)?;
/// assert!(report.accepted && (report.loss - 5.345119379).abs() < 1e-9);
/// assert!((next.loss_exact(&s)? - report.loss).abs() < 1e-14);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ProximalStep {
    /// Factor λ of the prior's inertia. Default: 1.
    pub strength: f64,
    /// Largest change of a coordinate in the last iteration, relative to the largest change of the step. Default: 1e-10.
    pub tolerance: f64,
    /// Most evaluations of the gradient. Default: 30.
    pub evaluations: usize,
}

impl Default for ProximalStep {
    fn default() -> Self {
        Self { strength: 1.0, tolerance: 1e-10, evaluations: 30 }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProximalReport {
    /// The loss before the step.
    pub loss_before: f64,
    /// The loss after it.
    pub loss: f64,
    /// $`\Phi`$ at the new positions; at the old ones it is `loss_before`.
    pub objective: f64,
    /// Whether the positions moved.
    pub accepted: bool,
    /// Whether the fixed point met the tolerance; a shortened step did not.
    pub converged: bool,
    /// Largest change of a coordinate in the last iteration.
    pub residual: f64,
    /// Evaluations of loss and gradient, that at the old positions among them.
    pub evaluations: usize,
}

impl ProximalStep {
    /// Another factor λ of the prior.
    #[must_use]
    pub fn strength(mut self, strength: f64) -> Self {
        self.strength = strength;
        self
    }

    /// Another bound for the number of evaluations.
    #[must_use]
    pub fn evaluations(mut self, evaluations: usize) -> Self {
        self.evaluations = evaluations;
        self
    }

    /// One step from the positions of `k` for data with second moments `s` under the exact Gaussian loss.
    ///
    /// An iteration costs $`O(N^3)`$.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for the covariance at the start, [`Error::NotFinite`] for a moment,
    /// [`Error::Parameter`] for a strength or tolerance that is not above 0 or fewer than 2 evaluations.
    ///
    /// # Panics
    /// When `s` does not have n² entries.
    pub fn step<const D: usize>(
        &self,
        k: &CoulombCovariance<D>,
        s: &[f64],
    ) -> Result<(CoulombCovariance<D>, ProximalReport)> {
        check::positive_parameter("strength", self.strength)?;
        check::positive_parameter("tolerance", self.tolerance)?;
        if self.evaluations < 2 {
            return Err(Error::Parameter {
                what: "evaluations",
                value: self.evaluations as f64,
                expected: "at least 2, one at the old positions and one at the new",
            });
        }
        let n = k.len();
        let factor = k.factor()?;
        let matrix = k.matrix();
        let (loss_before, gradient) = k.grad_positions_exact(s)?;
        // −K⁻¹ g/λ, a dimension after the other.
        let towards = |gradient: &[[f64; D]]| {
            let mut step = vec![[0.0; D]; n];
            let mut column = vec![0.0; n];
            for d in 0..D {
                (0..n).for_each(|i| column[i] = -gradient[i][d] / self.strength);
                factor.solve(&mut column);
                (0..n).for_each(|i| step[i][d] = column[i]);
            }
            step
        };
        let inertia = |step: &[[f64; D]]| {
            let mut sum = 0.0;
            for i in 0..n {
                for j in 0..n {
                    sum += matrix[i * n + j] * (0..D).map(|d| step[i][d] * step[j][d]).sum::<f64>();
                }
            }
            0.5 * self.strength * sum
        };
        let moved = |step: &[[f64; D]]| {
            let points = k.positions().iter().zip(step).map(|(r, s)| std::array::from_fn(|d| r[d] + s[d])).collect();
            k.with_positions(points)
        };
        let first = towards(&gradient);
        let mut report = ProximalReport {
            loss_before,
            loss: loss_before,
            objective: loss_before,
            accepted: false,
            converged: false,
            residual: f64::INFINITY,
            evaluations: 1,
        };
        let mut next = k.clone();
        let mut step = first.clone();
        let mut scale = 1.0;
        while report.evaluations < self.evaluations {
            report.evaluations += 1;
            let here = moved(&step).and_then(|there| there.grad_positions_exact(s).map(|found| (there, found)));
            let value = here.as_ref().map_or(f64::INFINITY, |(_, (loss, _))| loss + inertia(&step));
            // Near the fixed point the objective changes by less than it is rounded.
            let slack = if report.accepted { 8.0 * f64::EPSILON * report.objective.abs() } else { 0.0 };
            let Some((there, (loss, gradient))) = here.ok().filter(|_| value <= report.objective + slack) else {
                if report.accepted {
                    // The fixed point has begun to turn away.
                    break;
                }
                scale *= 0.25;
                step = first.iter().map(|s| s.map(|x| scale * x)).collect();
                continue;
            };
            (next, report.loss, report.objective, report.accepted) = (there, loss, value, true);
            let following = towards(&gradient);
            let differences = following.iter().flatten().zip(step.iter().flatten());
            report.residual = differences.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let size = step.iter().flatten().fold(0.0, |size: f64, x| size.max(x.abs()));
            report.converged = report.residual <= self.tolerance * size;
            // A shortened step is not on the way to the fixed point.
            if report.converged || scale < 1.0 {
                break;
            }
            step = following;
        }
        if report.accepted && (report.objective > loss_before || report.loss > loss_before) {
            // Rounding at the bottom: stay.
            (next, report.loss, report.objective, report.accepted) = (k.clone(), loss_before, loss_before, false);
        }
        Ok((next, report))
    }
}
