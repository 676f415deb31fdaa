//! Discretised Euclidean actions.

use std::sync::Arc;

use crate::ensemble::{Ends, Ensemble, Kind};
use crate::error::{Error, Result};
use crate::potential::{Potential, System, corrected};

/// Chains that are worked on side by side.
pub const LANES: usize = 16;

/// How the potential is put on the time grid.
///
/// Errors of the ground-state energy, with $`\Delta`$ the time step: see the table of each rule's order. The points where the
/// potential is taken are the points of the path or the middles of its segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Rule {
    /// $`\Delta [V(x_n) + V(x_{n-1})]/2`$: second order.
    #[default]
    Trapezoid,
    /// $`\Delta V((x_n + x_{n-1})/2)`$: first order, since $`(x_n - x_{n-1})^2 \sim \hbar\Delta/m`$.
    Midpoint,
    /// The midpoint rule with $`V + \hbar\Delta V''/8m`$: second order.
    MidpointCorrected,
    /// The trapezoid with $`V + \Delta^2 \vert\nabla V\vert^2/24m`$ (Takahashi and Imada, J. Phys. Soc. Jpn. 53, 3765 (1984)):
    /// fourth order for traces and, with their own estimators, for averages.
    TakahashiImada,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Trapezoid, Self::Midpoint, Self::MidpointCorrected, Self::TakahashiImada];

    /// The name in output: `takahashi-imada`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trapezoid => "trapezoid",
            Self::Midpoint => "midpoint",
            Self::MidpointCorrected => "midpoint-corrected",
            Self::TakahashiImada => "takahashi-imada",
        }
    }

    /// The rule of a name.
    ///
    /// ```
    /// use path_integral_nn::Rule;
    ///
    /// assert_eq!(Rule::from_name("midpoint-corrected"), Some(Rule::MidpointCorrected));
    /// assert_eq!(Rule::from_name("simpson"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Whether the potential is taken in the middle of segments.
    pub fn at_midpoints(self) -> bool {
        matches!(self, Self::Midpoint | Self::MidpointCorrected)
    }

    /// The potential that this rule puts on a grid of step `step`.
    pub fn effective_potential(self, system: &System, step: f64) -> Arc<dyn Potential> {
        let (gradient_squared, laplacian) = match self {
            Self::Trapezoid | Self::Midpoint => (0.0, 0.0),
            Self::MidpointCorrected => (0.0, system.hbar() * step / (8.0 * system.mass())),
            Self::TakahashiImada => (step * step / (24.0 * system.mass()), 0.0),
        };
        corrected(&system.shared_potential(), gradient_squared, laplacian)
    }
}

/// The Euclidean action of an ensemble, $`S = \sum_n \frac{m}{2\Delta}(x_n - x_{n-1})^2 + \Delta\sum V`$, and its gradient.
///
/// Blocks of chains are stored point by point, in each point chain by chain, in each chain coordinate by coordinate.
///
/// ```
/// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
///
/// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5])?)?;
/// let action = Action::new(&system, &Ensemble::fixed_ends(1.0, 2, &[0.0], &[0.0])?, Rule::Trapezoid)?;
/// // One point x₁ = 1 between zeros, Δ = 1/2: kinetic 2 · 1/(2 · ½) = 2, potential ½ · ½ = 1/4.
/// assert_eq!(action.value(&[1.0]), 2.25);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Action {
    system: System,
    ensemble: Ensemble,
    rule: Rule,
    effective: Arc<dyn Potential>,
    /// Weight of the potential at each place where it is taken.
    weights: Vec<f64>,
}

/// Memory for a block of chains.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    places: Vec<f64>,
    values: Vec<f64>,
    slopes: Vec<f64>,
}

impl Action {
    /// Puts a system on the grid of an ensemble.
    ///
    /// # Errors
    /// [`Error::Parameter`] when fixed ends have another dimension than the potential.
    pub fn new(system: &System, ensemble: &Ensemble, rule: Rule) -> Result<Self> {
        if let Kind::FixedEnds { from, .. } = &ensemble.kind
            && from.len() != system.dim()
        {
            let expected = "the dimension of the potential";
            return Err(Error::Parameter { what: "coordinates of the ends", value: from.len() as f64, expected });
        }
        let step = ensemble.step();
        let mut weights = match rule.at_midpoints() {
            true => vec![step; ensemble.slices()],
            false => vec![step; ensemble.n_points()],
        };
        if !rule.at_midpoints() && matches!(ensemble.kind, Kind::GroundState(_)) {
            let last = weights.len() - 1;
            weights[0] = 0.5 * step;
            weights[last] = 0.5 * step;
        }
        let effective = rule.effective_potential(system, step);
        Ok(Self { system: system.clone(), ensemble: ensemble.clone(), rule, effective, weights })
    }

    /// The system.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The ensemble.
    pub fn ensemble(&self) -> &Ensemble {
        &self.ensemble
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The potential with the corrections of the rule.
    pub fn effective_potential(&self) -> &dyn Potential {
        &*self.effective
    }

    /// Numbers a path consists of: points times coordinates.
    pub fn path_len(&self) -> usize {
        self.ensemble.n_points() * self.system.dim()
    }

    /// Weight of each point in a quadratic reference: the step, half of it at open ends.
    pub(crate) fn point_weights(&self) -> Vec<f64> {
        let step = self.ensemble.step();
        let mut weights = vec![step; self.ensemble.n_points()];
        if let Kind::GroundState(_) = self.ensemble.kind {
            let last = weights.len() - 1;
            weights[0] = 0.5 * step;
            weights[last] = 0.5 * step;
        }
        weights
    }

    pub(crate) fn ends(&self) -> Option<(&[f64], &[f64])> {
        match &self.ensemble.kind {
            Kind::FixedEnds { from, to } => Some((from, to)),
            _ => None,
        }
    }

    /// The action of one path.
    ///
    /// # Panics
    /// When the length is not [`path_len`](Self::path_len).
    pub fn value(&self, path: &[f64]) -> f64 {
        assert!(path.len() == self.path_len(), "{} numbers for a path of {}", path.len(), self.path_len());
        let mut sum = [0.0];
        self.potential_part(path, 1, &mut Scratch::default(), &mut sum);
        sum[0] + self.kinetic_part(path) + self.end_part(path)
    }

    /// The gradient $`\partial S/\partial x_n`$ of the action of one path; the force is its negative.
    ///
    /// # Panics
    /// When a length is not [`path_len`](Self::path_len).
    pub fn gradient(&self, path: &[f64], out: &mut [f64]) {
        assert!(path.len() == self.path_len(), "{} numbers for a path of {}", path.len(), self.path_len());
        assert!(out.len() == path.len(), "room for {} numbers of {}", out.len(), path.len());
        self.block_gradient(path, 1, &mut Scratch::default(), out);
    }

    /// $`\sum \frac{m}{2\Delta}(x_n - x_{n-1})^2`$ of one path.
    pub(crate) fn kinetic_part(&self, path: &[f64]) -> f64 {
        let dim = self.system.dim();
        let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let mut sum: f64 = path.chunks_exact(dim).zip(path[dim..].chunks_exact(dim)).map(|(a, b)| square(a, b)).sum();
        let last = &path[path.len() - dim..];
        if let Some((from, to)) = self.ends() {
            sum += square(from, &path[..dim]) + square(last, to);
        } else if self.ensemble.is_periodic() {
            sum += square(last, &path[..dim]);
        }
        0.5 * self.system.mass() / self.ensemble.step() * sum
    }

    /// Kinetic and trial-state terms of one chain of a block of [`LANES`].
    pub(crate) fn quadratic_part(&self, block: &[f64], lane: usize) -> f64 {
        let dim = self.system.dim();
        let path: Vec<f64> = block.chunks_exact(dim).skip(lane).step_by(LANES).flatten().copied().collect();
        self.kinetic_part(&path) + self.end_part(&path)
    }

    /// $`-\hbar\ln\psi_T`$ at both ends of one path.
    fn end_part(&self, path: &[f64]) -> f64 {
        let Kind::GroundState(Ends::Gaussian { frequency, center }) = self.ensemble.kind else { return 0.0 };
        let dim = self.system.dim();
        let ends = path[..dim].iter().chain(&path[path.len() - dim..]);
        0.5 * self.system.mass() * frequency * ends.map(|x| (x - center) * (x - center)).sum::<f64>()
    }

    /// Where the potential is taken, in a block of `chains`: the block itself or the middles of its segments.
    pub(crate) fn places<'a>(&self, block: &'a [f64], chains: usize, scratch: &'a mut Vec<f64>) -> &'a [f64] {
        if !self.rule.at_midpoints() {
            return block;
        }
        let cols = chains * self.system.dim();
        scratch.resize(self.ensemble.slices() * cols, 0.0);
        let n = self.ensemble.n_points();
        let offset = usize::from(self.ends().is_some());
        for link in 0..self.ensemble.slices() {
            let middle = &mut scratch[link * cols..(link + 1) * cols];
            // The points at both sides; those beyond the block are fixed ends.
            let (left, right) = (link.checked_sub(offset), link + 1 - offset);
            for (c, to) in middle.iter_mut().enumerate() {
                let at = |k: usize| block[k * cols + c];
                let end = |which: bool| {
                    let (from, to) = self.ends().unwrap_or((&[], &[]));
                    if which { to[c % to.len()] } else { from[c % from.len()] }
                };
                let a = left.map_or_else(|| end(false), at);
                let b = if right < n {
                    at(right)
                } else if self.ensemble.is_periodic() {
                    at(0)
                } else {
                    end(true)
                };
                *to = 0.5 * (a + b);
            }
        }
        scratch
    }

    /// The potential part of the action of each chain of a block, added to `out`; half of fixed ends included.
    pub(crate) fn potential_part(&self, block: &[f64], chains: usize, scratch: &mut Scratch, out: &mut [f64]) {
        let Scratch { places, values, .. } = scratch;
        let places = self.places(block, chains, places);
        values.resize(self.weights.len() * chains, 0.0);
        self.effective.values(places, values);
        for (row, weight) in values.chunks_exact(chains).zip(&self.weights) {
            out.iter_mut().zip(row).for_each(|(sum, v)| *sum += weight * v);
        }
        if let (Some((from, to)), false) = (self.ends(), self.rule.at_midpoints()) {
            let fixed = 0.5 * self.ensemble.step() * (self.effective.value(from) + self.effective.value(to));
            out.iter_mut().for_each(|sum| *sum += fixed);
        }
    }

    /// The gradient of the potential part, into `out`.
    pub(crate) fn potential_gradient(&self, block: &[f64], chains: usize, scratch: &mut Scratch, out: &mut [f64]) {
        let cols = chains * self.system.dim();
        let Scratch { places, slopes, .. } = scratch;
        if !self.rule.at_midpoints() {
            self.effective.gradients(block, out);
            for (row, weight) in out.chunks_exact_mut(cols).zip(&self.weights) {
                row.iter_mut().for_each(|g| *g *= weight);
            }
            return;
        }
        let places = self.places(block, chains, places);
        slopes.resize(places.len(), 0.0);
        self.effective.gradients(places, slopes);
        out.fill(0.0);
        let n = self.ensemble.n_points();
        let half = 0.5 * self.ensemble.step();
        let offset = usize::from(self.ends().is_some());
        for (link, row) in slopes.chunks_exact(cols).enumerate() {
            let right = if link + 1 - offset == n && self.ensemble.is_periodic() { 0 } else { link + 1 - offset };
            for point in [link.checked_sub(offset), (right < n).then_some(right)].into_iter().flatten() {
                let to = &mut out[point * cols..(point + 1) * cols];
                to.iter_mut().zip(row).for_each(|(g, s)| *g += half * s);
            }
        }
    }

    /// The gradient of the whole action of each chain of a block, into `out`.
    pub(crate) fn block_gradient(&self, block: &[f64], chains: usize, scratch: &mut Scratch, out: &mut [f64]) {
        self.potential_gradient(block, chains, scratch, out);
        let dim = self.system.dim();
        let cols = chains * dim;
        let (n, stiffness) = (self.ensemble.n_points(), self.system.mass() / self.ensemble.step());
        for link in 0..n - 1 {
            for c in 0..cols {
                let pull = stiffness * (block[(link + 1) * cols + c] - block[link * cols + c]);
                out[link * cols + c] -= pull;
                out[(link + 1) * cols + c] += pull;
            }
        }
        let last = (n - 1) * cols;
        for c in 0..cols {
            match &self.ensemble.kind {
                Kind::Periodic => {
                    let pull = stiffness * (block[c] - block[last + c]);
                    out[c] += pull;
                    out[last + c] -= pull;
                }
                Kind::FixedEnds { from, to } => {
                    out[c] += stiffness * (block[c] - from[c % dim]);
                    out[last + c] += stiffness * (block[last + c] - to[c % dim]);
                }
                Kind::GroundState(Ends::Gaussian { frequency, center }) => {
                    let strength = self.system.mass() * frequency;
                    out[c] += strength * (block[c] - center);
                    out[last + c] += strength * (block[last + c] - center);
                }
                Kind::GroundState(Ends::Free) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Polynomial;
    use crate::potential::Particles;

    fn systems() -> Vec<System> {
        let quartic = Polynomial::new(&[0.0, 0.3, 0.5, -0.2, 1.0]).unwrap();
        let mut pair = Particles::new();
        pair.add(quartic.clone()).unwrap();
        pair.add(Polynomial::new(&[0.0, 0.0, 1.0]).unwrap()).unwrap();
        pair.couple(0, 1, Polynomial::new(&[0.0, 0.0, 0.4, 0.0, 0.1]).unwrap()).unwrap();
        let one = System::new(quartic).unwrap().with_mass(1.3).unwrap().with_hbar(0.7).unwrap();
        vec![one, System::new(pair).unwrap().with_mass(0.8).unwrap()]
    }

    fn ensembles(dim: usize) -> Vec<Ensemble> {
        let ends = Ends::Gaussian { frequency: 1.4, center: 0.2 };
        let (from, to) = (vec![0.3; dim], vec![-0.5; dim]);
        vec![
            Ensemble::periodic(1.5, 1).unwrap(),
            Ensemble::periodic(1.5, 2).unwrap(),
            Ensemble::periodic(1.5, 5).unwrap(),
            Ensemble::ground_state(1.5, 4).unwrap(),
            Ensemble::ground_state(1.5, 1).unwrap().with_ends(ends).unwrap(),
            Ensemble::fixed_ends(1.5, 2, &from, &to).unwrap(),
            Ensemble::fixed_ends(1.5, 6, &from, &to).unwrap(),
        ]
    }

    #[test]
    fn gradients_by_differences() {
        for system in systems() {
            for ensemble in ensembles(system.dim()) {
                for rule in Rule::ALL {
                    let action = Action::new(&system, &ensemble, rule).unwrap();
                    let path: Vec<f64> = (0..action.path_len()).map(|i| (1.7 * i as f64).sin()).collect();
                    let check = linalg_core::optim::finite_difference::gradient(|x| action.value(x), &path);
                    let mut g = vec![0.0; path.len()];
                    action.gradient(&path, &mut g);
                    for (a, b) in g.iter().zip(&check) {
                        assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{rule:?} {ensemble:?}: {g:?} {check:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_agree_with_single_paths() {
        for system in systems() {
            let dim = system.dim();
            for ensemble in ensembles(dim) {
                for rule in [Rule::Trapezoid, Rule::Midpoint] {
                    let action = Action::new(&system, &ensemble, rule).unwrap();
                    let (n, chains) = (ensemble.n_points(), 3);
                    let block: Vec<f64> = (0..n * chains * dim).map(|i| (0.9 * i as f64).cos()).collect();
                    let mut scratch = Scratch::default();
                    let (mut sums, mut g) = (vec![0.0; chains], vec![0.0; block.len()]);
                    action.potential_part(&block, chains, &mut scratch, &mut sums);
                    action.block_gradient(&block, chains, &mut scratch, &mut g);
                    for chain in 0..chains {
                        let pick = |v: &[f64]| -> Vec<f64> {
                            (0..n * dim).map(|i| v[(i / dim * chains + chain) * dim + i % dim]).collect()
                        };
                        let path = pick(&block);
                        let expected = action.value(&path) - action.kinetic_part(&path) - action.end_part(&path);
                        assert!((sums[chain] - expected).abs() < 1e-12);
                        let mut single = vec![0.0; path.len()];
                        action.gradient(&path, &mut single);
                        assert!(pick(&g).iter().zip(&single).all(|(a, b)| (a - b).abs() < 1e-12));
                    }
                }
            }
        }
    }
}
