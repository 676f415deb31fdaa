//! The loop shared by the line-search methods.

use crate::observe::Observer;
use crate::{Error, Result};

use super::line_search::{LineSearch, LineSearchParams, Point, line_search};
use super::{Iteration, Report, StopReason, check_range, dot, largest};

/// What distinguishes one method from another.
pub(super) trait Direction {
    /// Forgets the past: the next direction is that of steepest descent.
    fn reset(&mut self);

    /// Writes the direction at a point with this gradient.
    fn direction(&mut self, gradient: &[f64], direction: &mut [f64]);

    /// Learns from a step: displacement and gradients before and after.
    fn update(&mut self, displacement: &[f64], before: &[f64], after: &[f64]);

    /// First trial step along a direction of slope `slope` after a step `last` along one of slope `last_slope`.
    fn first_step(&self, last: f64, last_slope: f64, slope: f64) -> f64;
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub gradient_tolerance: f64,
    pub value_tolerance: f64,
    pub max_iterations: usize,
    pub max_evaluations: usize,
}

impl Stop {
    pub fn validate(&self) -> Result<()> {
        check_range("gradient_tolerance", self.gradient_tolerance, 0.0, f64::MAX)?;
        check_range("value_tolerance", self.value_tolerance, 0.0, f64::MAX)
    }
}

/// The function with its trial point, gradient and counter.
struct Objective<F> {
    f: F,
    x: Vec<f64>,
    gradient: Vec<f64>,
    /// Step of the trial point, to know whether the gradient belongs to it.
    step: f64,
    evaluations: usize,
}

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Objective<F> {
    /// Evaluates at `from + step * direction`; NaN when the gradient is not finite.
    fn evaluate(&mut self, from: &[f64], direction: &[f64], step: f64) -> (f64, f64) {
        for ((x, start), d) in self.x.iter_mut().zip(from).zip(direction) {
            *x = start + step * d;
        }
        self.step = step;
        self.evaluations += 1;
        let value = (self.f)(&self.x, &mut self.gradient);
        // The slope alone could hide a NaN behind a zero component of the direction: 0 * NaN is NaN, 0 * inf too.
        (value, dot(&self.gradient, direction))
    }
}

pub(super) fn minimize<D, F, O>(
    method: &mut D,
    stop: &Stop,
    search: &LineSearchParams,
    f: F,
    x0: &[f64],
    observer: &mut O,
) -> Result<Report>
where
    D: Direction,
    F: FnMut(&[f64], &mut [f64]) -> f64,
    O: Observer<Iteration> + ?Sized,
{
    stop.validate()?;
    search.validate()?;
    if x0.is_empty() {
        return Err(Error::Empty { what: "x0" });
    }
    if let Some(index) = x0.iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "x0", index, value: x0[index] });
    }
    let n = x0.len();
    let mut objective = Objective { f, x: x0.to_vec(), gradient: vec![0.0; n], step: 0.0, evaluations: 0 };
    let mut direction = vec![0.0; n];
    let (mut value, _) = objective.evaluate(x0, &direction, 0.0);
    if !value.is_finite() || !objective.gradient.iter().all(|g| g.is_finite()) {
        return Err(Error::Objective { iteration: 0, value });
    }
    let mut x = x0.to_vec();
    let mut gradient = objective.gradient.clone();
    let mut displacement = vec![0.0; n];
    let (mut last_step, mut last_slope) = (0.0, 0.0);
    let mut fresh = true;
    let mut iteration = 0;
    let mut reason = None;
    method.reset();
    loop {
        let gradient_norm = largest(&gradient);
        let evaluations = objective.evaluations;
        let event = Iteration { iteration, evaluations, value, gradient_norm, step: last_step };
        let stopped = observer.observe(&event).is_break();
        if gradient_norm <= stop.gradient_tolerance {
            reason = Some(StopReason::Gradient);
        } else if reason.is_none() {
            reason = match () {
                () if stopped => Some(StopReason::Observer),
                () if iteration >= stop.max_iterations => Some(StopReason::Iterations),
                () if evaluations >= stop.max_evaluations => Some(StopReason::Evaluations),
                () => None,
            };
        }
        if let Some(reason) = reason {
            let iterations = iteration;
            let converged = matches!(reason, StopReason::Gradient | StopReason::Value);
            return Ok(Report { x, value, gradient_norm, iterations, evaluations, converged, reason });
        }
        method.direction(&gradient, &mut direction);
        let mut slope = dot(&gradient, &direction);
        if !(slope < 0.0 && slope.is_finite() && largest(&direction).is_finite()) {
            (fresh, slope) = steepest(method, &gradient, &mut direction);
        }
        let point = loop {
            // Without a scale from the past: a step of at most unit length.
            let length = dot(&direction, &direction).sqrt();
            let first = if fresh { (1.0 / length).min(1.0) } else { method.first_step(last_step, last_slope, slope) };
            let first = if first.is_normal() && first > 0.0 { first } else { 1.0 };
            let origin = Point { step: 0.0, value, slope };
            let outcome = if slope < 0.0 && slope.is_finite() {
                let phi = |step: f64| objective.evaluate(&x, &direction, step);
                line_search(phi, origin, first.min(search.max_step), search)?
            } else {
                // The square of the gradient under- or overflows.
                LineSearch::Failed
            };
            match outcome {
                LineSearch::Wolfe(point) | LineSearch::Decrease(point) => break Some(point),
                _ if !fresh => (fresh, slope) = steepest(method, &gradient, &mut direction),
                LineSearch::NotFinite(value) => return Err(Error::Objective { iteration: iteration + 1, value }),
                LineSearch::Failed => break None,
            }
        };
        let Some(point) = point else {
            reason = Some(StopReason::LineSearch);
            continue;
        };
        if objective.step.to_bits() != point.step.to_bits() {
            objective.evaluate(&x, &direction, point.step);
        }
        if objective.x == x {
            // The step is lost in rounding.
            reason = Some(StopReason::LineSearch);
            continue;
        }
        for ((s, new), old) in displacement.iter_mut().zip(&objective.x).zip(&x) {
            *s = new - old;
        }
        method.update(&displacement, &gradient, &objective.gradient);
        x.copy_from_slice(&objective.x);
        gradient.copy_from_slice(&objective.gradient);
        let fall = value - point.value;
        let scale = value.abs().max(point.value.abs()).max(1.0);
        // By default the tolerance is 0, and a rise within rounding is no reason to stop.
        if stop.value_tolerance > 0.0 && fall < stop.value_tolerance * scale {
            reason = Some(StopReason::Value);
        }
        value = point.value;
        (last_step, last_slope) = (point.step, slope);
        fresh = false;
        iteration += 1;
    }
}

/// Falls back to steepest descent.
fn steepest<D: Direction>(method: &mut D, gradient: &[f64], direction: &mut [f64]) -> (bool, f64) {
    method.reset();
    method.direction(gradient, direction);
    (true, -dot(gradient, gradient))
}
