//! Newton's method with penalties for many problems side by side.

use linalg_core::cholesky::Cholesky;

use super::columns::Evaluation;
use super::real::Real;

/// A family of convex losses.
pub(in super::super) trait Losses {
    /// Whether the penalties see a variable.
    fn is_penalized(&self, problem: usize, variable: usize) -> bool;
    /// Loss and gradient of some problems at a point each.
    fn evaluate(&self, requests: &[(usize, &[f64])]) -> Vec<Evaluation>;
    /// The Hessian, from about `2^effort` times the least number of samples that make sense.
    fn hessian(&self, problem: usize, point: &[f64], effort: u32) -> Vec<f64>;
    /// The effort from which on all samples are used.
    fn full_effort(&self) -> u32;
    /// Rounding of a loss.
    fn noise(&self) -> f64 {
        f64::NOISE
    }
}

/// What is added to a loss, and when to stop.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Settings {
    pub l1: f64,
    pub l2: f64,
    pub tolerance: f64,
    pub max_iterations: usize,
}

/// Where a minimisation ended.
#[derive(Debug, Clone)]
pub(in super::super) struct Fit {
    pub point: Vec<f64>,
    pub iterations: usize,
    pub residual: f64,
    pub converged: bool,
    /// Along some direction no margin falls and one rises: without a penalty the minimum is at infinity.
    pub separable: bool,
}

struct State {
    problem: usize,
    point: Vec<f64>,
    evaluation: Evaluation,
    hessian: Vec<f64>,
    /// Factor for problems without ℓ1.
    factor: Option<Cholesky>,
    effort: u32,
    /// Steps with this Hessian.
    age: usize,
    residual: f64,
    iterations: usize,
    done: bool,
    separable: bool,
    /// Not known to drift; see [`State::settle`].
    settled: bool,
    direction: Vec<f64>,
    /// Steps and changes of the gradient since the Hessian was new.
    memory: Vec<(Vec<f64>, Vec<f64>)>,
    /// Decrease predicted along the direction.
    slope: f64,
    step: f64,
}

/// Part of the residual that a step has to remove, else the Hessian is renewed.
const PROGRESS: f64 = 0.25;
/// Part of the predicted decrease that a step has to bring.
const ARMIJO: f64 = 1e-4;
/// No step is shorter.
const SHORTEST: f64 = 1e-9;
/// Added to the diagonal of a Hessian, relative to its mean: a part of the samples may leave directions flat.
const RIDGE: f64 = 1e-9;
/// The same where the next step of Newton is looked at, below the curvature that the smallest residuals leave.
const SMALL_RIDGE: f64 = 1e-12;
/// Where the minimum is at infinity each step of Newton changes margins by 1/2 or 1, and by more than this.
const DRIFTING: f64 = 1e-3;
/// A margin that falls by less than this part of the largest component of a direction does not fall.
const LEVEL: f64 = 1e-3;
/// Parameters beyond this are at infinity if margins say so, however small the derivatives are.
const LARGEST_PARAMETER: f64 = 50.0;

/// Minimises `loss + l1 Σ|x| + l2/2 Σ x²` of all problems from `starts`.
pub(in super::super) fn minimize<L: Losses>(losses: &L, starts: Vec<Vec<f64>>, settings: Settings) -> Vec<Fit> {
    let mut minimization = Minimization::new(starts);
    minimization.run(losses, settings);
    minimization.settle(losses, settings);
    minimization.into_fits(settings)
}

/// Minimisations side by side, with losses that may become more accurate from run to run.
///
/// Directions are those of Newton with a Hessian that may be old and may be taken from a part of the samples; it decides how
/// fast, not where the iteration ends. Without ℓ1 it is corrected by the steps since (BFGS). It is renewed, from twice as many
/// samples if it was new, when a step removes less than three quarters of the residual. With ℓ1 the quadratic model is
/// minimised by coordinate descent (proximal Newton: Lee, Sun and Saunders, SIAM J. Optim. 24, 1420 (2014)).
pub(in super::super) struct Minimization {
    states: Vec<State>,
}

impl Minimization {
    pub fn new(starts: Vec<Vec<f64>>) -> Self {
        let state = |(problem, point): (usize, Vec<f64>)| State {
            problem,
            direction: vec![0.0; point.len()],
            point,
            evaluation: Evaluation { value: f64::NAN, gradient: Vec::new(), margin: f64::INFINITY },
            hessian: Vec::new(),
            factor: None,
            effort: 0,
            age: 0,
            residual: f64::INFINITY,
            iterations: 0,
            done: false,
            separable: false,
            settled: true,
            memory: Vec::new(),
            slope: 0.0,
            step: 1.0,
        };
        Self { states: starts.into_iter().enumerate().map(state).collect() }
    }

    /// Goes on from where it is, with the Hessians there are.
    pub fn run<L: Losses>(&mut self, losses: &L, settings: Settings) {
        let requests: Vec<(usize, &[f64])> = self.states.iter().map(|s| (s.problem, &s.point[..])).collect();
        let evaluations = losses.evaluate(&requests);
        for (state, evaluation) in self.states.iter_mut().zip(evaluations) {
            state.residual = residual(losses, state.problem, &state.point, &evaluation, settings);
            state.evaluation = evaluation;
            state.done = false;
        }
        loop {
            for state in &mut self.states {
                state.prepare(losses, settings);
            }
            search(losses, &mut self.states, settings);
            if self.states.iter().all(|state| state.done) {
                break;
            }
        }
    }

    /// Tells minima from directions along which a loss falls for ever; after the last run, with all samples.
    pub fn settle<L: Losses>(&mut self, losses: &L, settings: Settings) {
        if settings.l1 <= 0.0 && settings.l2 <= 0.0 {
            self.states.iter_mut().for_each(|state| state.settle(losses, settings));
        }
    }

    /// Hessians are computed anew in the next run.
    pub fn forget(&mut self) {
        for state in &mut self.states {
            state.hessian.clear();
            state.effort = 0;
        }
    }

    pub fn into_fits(self, settings: Settings) -> Vec<Fit> {
        let finish = |state: State| Fit {
            converged: state.residual <= settings.tolerance && state.settled,
            point: state.point,
            iterations: state.iterations,
            residual: state.residual,
            separable: state.separable,
        };
        self.states.into_iter().map(finish).collect()
    }
}

impl State {
    /// Ends or finds a direction.
    fn prepare<L: Losses>(&mut self, losses: &L, settings: Settings) {
        if self.done {
            return;
        }
        // Without penalties a loss that can fall for ever does.
        self.separable = self.evaluation.margin > 0.0 && settings.l1 <= 0.0 && settings.l2 <= 0.0;
        if self.residual <= settings.tolerance || self.iterations >= settings.max_iterations || self.separable {
            self.done = true;
            return;
        }
        if self.hessian.is_empty() || self.point.is_empty() {
            self.renew(losses, settings, RIDGE);
        }
        loop {
            self.find_direction(losses, settings);
            // A direction that does not descend comes from rounding in an old Hessian.
            if self.slope < 0.0 && self.direction.iter().all(|d| d.is_finite()) {
                self.step = 1.0;
                return;
            }
            if self.age == 0 && self.effort >= losses.full_effort() {
                self.done = true;
                return;
            }
            self.effort = (self.effort + u32::from(self.age == 0)).min(losses.full_effort());
            self.renew(losses, settings, RIDGE);
        }
    }

    /// Goes on below the tolerance until another step changes margins by little, or the loss is known to fall for ever.
    ///
    /// Where margins can grow without one of them falling, derivatives fall to any tolerance by about e in each step,
    /// while the parameters go on. The step before a minimum is small: what the tolerance leaves over the curvature. The
    /// direction that is at hand tells that in most cases, and else one from all samples.
    fn settle<L: Losses>(&mut self, losses: &L, settings: Settings) {
        if self.separable || self.point.is_empty() || self.residual.is_nan() || self.residual > settings.tolerance {
            return;
        }
        let far = largest(&self.point);
        if far > LARGEST_PARAMETER && self.evaluation.margin >= -0.1 * far {
            self.separable = true;
            return;
        }
        if self.factor.is_some() {
            self.find_direction(losses, settings);
            if self.change() <= DRIFTING {
                return;
            }
        }
        loop {
            self.effort = losses.full_effort();
            self.renew(losses, settings, SMALL_RIDGE);
            self.find_direction(losses, settings);
            let known = self.slope.is_finite();
            if known && self.change() <= DRIFTING {
                return;
            }
            self.settled = false;
            if !known || self.slope >= 0.0 || self.iterations >= settings.max_iterations {
                return;
            }
            let size = largest(&self.direction);
            let direction: Vec<f64> = self.direction.iter().map(|d| d / size).collect();
            let margin = losses.evaluate(&[(self.problem, &direction[..])])[0].margin;
            if margin >= -LEVEL {
                self.separable = true;
                return;
            }
            (self.done, self.step) = (false, 1.0);
            search(losses, std::slice::from_mut(self), settings);
            if self.done {
                // The limit of rounding.
                return;
            }
            self.settled = true;
        }
    }

    /// The most that the direction changes a margin.
    fn change(&self) -> f64 {
        self.direction.iter().map(|d| d.abs()).sum()
    }

    fn renew<L: Losses>(&mut self, losses: &L, settings: Settings, ridge: f64) {
        let d = self.point.len();
        self.hessian = losses.hessian(self.problem, &self.point, self.effort);
        self.age = 0;
        self.memory.clear();
        for k in 0..d {
            if losses.is_penalized(self.problem, k) {
                self.hessian[k * d + k] += settings.l2;
            }
        }
        let trace: f64 = (0..d).map(|k| self.hessian[k * d + k]).sum();
        let ridge = ridge * trace / d.max(1) as f64 + 1e-300;
        (0..d).for_each(|k| self.hessian[k * d + k] += ridge);
        self.factor = None;
        if settings.l1 <= 0.0 {
            let mut ridge = 1e3 * ridge;
            self.factor = loop {
                match Cholesky::new(self.hessian.clone(), d) {
                    Ok(factor) => break Some(factor),
                    Err(_) if ridge > 1e6 * (trace + 1.0) || !ridge.is_finite() => break None,
                    Err(_) => (0..d).for_each(|k| self.hessian[k * d + k] += ridge),
                }
                ridge *= 100.0;
            };
        }
    }

    fn find_direction<L: Losses>(&mut self, losses: &L, settings: Settings) {
        let d = self.point.len();
        let penalized: Vec<bool> = (0..d).map(|k| losses.is_penalized(self.problem, k)).collect();
        let l2 = |k: usize, x: f64| if penalized[k] { settings.l2 * x } else { 0.0 };
        let gradient: Vec<f64> = (0..d).map(|k| self.evaluation.gradient[k] + l2(k, self.point[k])).collect();
        if settings.l1 > 0.0 {
            let l1: Vec<f64> = penalized.iter().map(|&yes| if yes { settings.l1 } else { 0.0 }).collect();
            // Not more accurate than the model is.
            let tolerance = settings.tolerance.max(0.1 * self.residual);
            coordinate_descent(&self.hessian, &gradient, &self.point, &l1, &mut self.direction, tolerance);
            let change: f64 =
                (0..d).map(|k| l1[k] * ((self.point[k] + self.direction[k]).abs() - self.point[k].abs())).sum();
            self.slope = dot(&gradient, &self.direction) + change;
        } else if let Some(factor) = &self.factor {
            self.direction.clear();
            self.direction.extend(gradient.iter().map(|g| -g));
            two_loops(&self.memory, factor, &mut self.direction);
            self.slope = dot(&gradient, &self.direction);
        } else {
            self.slope = f64::NAN;
        }
    }

    /// The loss with its penalties.
    fn objective<L: Losses>(&self, losses: &L, point: &[f64], value: f64, settings: Settings) -> f64 {
        let penalized = point.iter().enumerate().filter(|&(k, _)| losses.is_penalized(self.problem, k));
        value + penalized.map(|(_, x)| settings.l1 * x.abs() + 0.5 * settings.l2 * x * x).sum::<f64>()
    }

    fn moved(&self) -> Vec<f64> {
        self.point.iter().zip(&self.direction).map(|(x, d)| x + self.step * d).collect()
    }
}

/// Moves all states along their directions, halving the steps of those that do not get lower.
fn search<L: Losses>(losses: &L, states: &mut [State], settings: Settings) {
    let mut waiting: Vec<usize> = (0..states.len()).filter(|&k| !states[k].done).collect();
    while !waiting.is_empty() {
        let points: Vec<Vec<f64>> = waiting.iter().map(|&k| states[k].moved()).collect();
        let requests: Vec<(usize, &[f64])> =
            waiting.iter().zip(&points).map(|(&k, point)| (states[k].problem, &point[..])).collect();
        let evaluations = losses.evaluate(&requests);
        let mut still = Vec::new();
        for ((k, point), evaluation) in waiting.into_iter().zip(points).zip(evaluations) {
            let state = &mut states[k];
            let before = state.objective(losses, &state.point, state.evaluation.value, settings);
            let after = state.objective(losses, &point, evaluation.value, settings);
            let allowed = before + ARMIJO * state.step * state.slope + losses.noise() * before.abs().max(1.0);
            if after <= allowed && evaluation.gradient.iter().all(|g| g.is_finite()) {
                let residual = residual(losses, state.problem, &point, &evaluation, settings);
                let slow = residual.is_nan() || residual > PROGRESS * state.residual;
                if state.factor.is_some() {
                    let l2 = |k: usize| if losses.is_penalized(state.problem, k) { settings.l2 } else { 0.0 };
                    let step: Vec<f64> = point.iter().zip(&state.point).map(|(a, b)| a - b).collect();
                    let change = evaluation.gradient.iter().zip(&state.evaluation.gradient).zip(&step);
                    let change = change.enumerate().map(|(k, ((a, b), s))| a - b + l2(k) * s).collect();
                    state.memory.push((step, change));
                }
                state.point = point;
                state.evaluation = evaluation;
                state.residual = residual;
                state.iterations += 1;
                state.age += 1;
                if slow {
                    state.effort = (state.effort + u32::from(state.age == 1)).min(losses.full_effort());
                    state.hessian.clear();
                }
            } else if state.step > SHORTEST {
                state.step *= 0.5;
                still.push(k);
            } else if state.age > 0 || state.effort < losses.full_effort() {
                state.effort = (state.effort + u32::from(state.age == 0)).min(losses.full_effort());
                state.hessian.clear();
            } else {
                // The limit of rounding.
                state.done = true;
            }
        }
        waiting = still;
    }
}

/// Largest violation of the conditions of a minimum.
fn residual<L: Losses>(losses: &L, problem: usize, x: &[f64], evaluation: &Evaluation, settings: Settings) -> f64 {
    let mut largest = 0.0f64;
    for (k, (&x, &gradient)) in x.iter().zip(&evaluation.gradient).enumerate() {
        let violation = if !losses.is_penalized(problem, k) {
            gradient.abs()
        } else if x.abs() > 0.0 {
            (gradient + settings.l2 * x + settings.l1 * x.signum()).abs()
        } else {
            (gradient.abs() - settings.l1).max(0.0)
        };
        largest = if violation.is_nan() { f64::NAN } else { largest.max(violation) };
    }
    largest
}

/// Multiplies with the inverse Hessian as the BFGS method would have updated it (Nocedal's two loops).
fn two_loops(memory: &[(Vec<f64>, Vec<f64>)], factor: &Cholesky, direction: &mut [f64]) {
    let add = |x: &mut [f64], a: f64, y: &[f64]| x.iter_mut().zip(y).for_each(|(x, y)| *x += a * y);
    let mut shares = Vec::with_capacity(memory.len());
    for (step, change) in memory.iter().rev() {
        let curvature = dot(step, change);
        let share = if curvature > 0.0 { dot(step, direction) / curvature } else { 0.0 };
        add(direction, -share, change);
        shares.push(share);
    }
    factor.solve(direction);
    for ((step, change), share) in memory.iter().zip(shares.iter().rev()) {
        let curvature = dot(step, change);
        if curvature > 0.0 {
            let part = dot(change, direction) / curvature;
            add(direction, share - part, step);
        }
    }
}

/// Minimises `g·d + ½ d·H d + Σ λ_k |x_k + d_k|` over d.
fn coordinate_descent(
    hessian: &[f64],
    gradient: &[f64],
    x: &[f64],
    l1: &[f64],
    direction: &mut Vec<f64>,
    tolerance: f64,
) {
    const SWEEPS: usize = 200;
    let n = x.len();
    direction.clear();
    direction.resize(n, 0.0);
    // g + H d.
    let mut slope = gradient.to_vec();
    let mut all = true;
    for _ in 0..SWEEPS {
        let mut largest = 0.0f64;
        for k in 0..n {
            let current = x[k] + direction[k];
            // Between full sweeps only what is not 0 moves.
            if !all && current.abs() <= 0.0 {
                continue;
            }
            let row = &hessian[k * n..(k + 1) * n];
            let target = current - slope[k] / row[k];
            let cut = l1[k] / row[k];
            let new = if target > cut {
                target - cut
            } else if target < -cut {
                target + cut
            } else {
                0.0
            };
            let change = new - current;
            if change.abs() > 0.0 {
                direction[k] = new - x[k];
                for (slope, h) in slope.iter_mut().zip(row) {
                    *slope += change * h;
                }
                largest = largest.max(change.abs() * row[k]);
            }
        }
        if largest <= 0.1 * tolerance {
            if all {
                break;
            }
            all = true;
        } else {
            all = false;
        }
    }
}

/// The largest absolute value.
fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| x.abs().max(largest))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
