//! Symplectic steps.

use super::{check_lengths, drift, kick};

/// `steps` kick-drift-kick steps of length `dt`; evaluates the force `steps + 1` times.
///
/// The energy error stays bounded and is $`O(dt^2)`$. With `dt` negated, the steps undo themselves up to rounding.
///
/// ```
/// use linalg_core::integrate::leapfrog;
///
/// // Free fall from rest, f = -1: exact for constant forces.
/// let (mut q, mut p) = ([0.0], [0.0]);
/// leapfrog(&mut q, &mut p, &[1.0], 0.5, 4, |_, out| out[0] = -1.0);
/// assert!((q[0] + 2.0).abs() < 1e-15 && (p[0] + 2.0).abs() < 1e-15);
/// ```
///
/// # Panics
/// When the slices differ in length.
pub fn leapfrog<F>(q: &mut [f64], p: &mut [f64], mass: &[f64], dt: f64, steps: usize, mut force: F)
where
    F: FnMut(&[f64], &mut [f64]),
{
    check_lengths(q, p, mass);
    if steps == 0 {
        return;
    }
    let mut f = vec![0.0; q.len()];
    force(q, &mut f);
    kick(p, &f, 0.5 * dt);
    for step in 0..steps {
        drift(q, p, mass, dt);
        force(q, &mut f);
        kick(p, &f, if step + 1 == steps { 0.5 * dt } else { dt });
    }
}

/// `steps` drift-kick-drift steps of length `dt`; evaluates the force `steps` times.
///
/// ```
/// use linalg_core::integrate::position_verlet;
///
/// let (mut q, mut p) = ([1.0], [0.0]);
/// position_verlet(&mut q, &mut p, &[1.0], 0.01, 314, |q, out| out[0] = -q[0]);
/// assert!((q[0] + 1.0).abs() < 1e-4); // half a period of the oscillator
/// ```
///
/// # Panics
/// When the slices differ in length.
pub fn position_verlet<F>(q: &mut [f64], p: &mut [f64], mass: &[f64], dt: f64, steps: usize, mut force: F)
where
    F: FnMut(&[f64], &mut [f64]),
{
    check_lengths(q, p, mass);
    if steps == 0 {
        return;
    }
    let mut f = vec![0.0; q.len()];
    drift(q, p, mass, 0.5 * dt);
    for step in 0..steps {
        force(q, &mut f);
        kick(p, &f, dt);
        drift(q, p, mass, if step + 1 == steps { 0.5 * dt } else { dt });
    }
}

/// What [`implicit_midpoint`] reports.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MidpointReport {
    /// Evaluations of the force over all steps.
    pub force_evaluations: usize,
    /// Largest change of the last iteration of any step.
    pub residual: f64,
    /// Whether every step met the tolerance.
    pub converged: bool,
}

/// `steps` steps of the implicit midpoint rule, each solved by fixed-point iteration to `tolerance`.
///
/// $`q' = q + \frac{dt}{m}\,\frac{p + p'}{2}`$, $`p' = p + dt\, f\bigl(\frac{q + q'}{2}\bigr)`$. At most `iterations` a step;
/// the iteration contracts when $`dt^2`$ times the stiffness is below 4. A step that does not converge is taken as it is
/// and reported.
///
/// ```
/// use linalg_core::integrate::implicit_midpoint;
///
/// // Rotations preserve q² + p² exactly.
/// let (mut q, mut p) = ([1.0], [0.0]);
/// let report = implicit_midpoint(&mut q, &mut p, &[1.0], 0.3, 100, 1e-15, 100, |q, out| out[0] = -q[0]);
/// assert!(report.converged && (q[0] * q[0] + p[0] * p[0] - 1.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// When the slices differ in length.
#[allow(clippy::too_many_arguments)]
pub fn implicit_midpoint<F>(
    q: &mut [f64],
    p: &mut [f64],
    mass: &[f64],
    dt: f64,
    steps: usize,
    tolerance: f64,
    iterations: usize,
    mut force: F,
) -> MidpointReport
where
    F: FnMut(&[f64], &mut [f64]),
{
    check_lengths(q, p, mass);
    let n = q.len();
    let mut report = MidpointReport { force_evaluations: 0, residual: 0.0, converged: true };
    let (mut f, mut middle, mut q_new, mut p_new) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for _ in 0..steps {
        q_new.copy_from_slice(q);
        p_new.copy_from_slice(p);
        drift(&mut q_new, p, mass, dt);
        let mut change = f64::INFINITY;
        for _ in 0..iterations {
            middle.iter_mut().zip(q.iter().zip(&q_new)).for_each(|(to, (a, b))| *to = 0.5 * (a + b));
            force(&middle, &mut f);
            report.force_evaluations += 1;
            change = 0.0;
            for i in 0..n {
                let momentum = p[i] + dt * f[i];
                let position = q[i] + dt * 0.5 * (p[i] + momentum) / mass[i];
                // `max` would drop a NaN.
                let moved = (momentum - p_new[i]).abs() + (position - q_new[i]).abs();
                change = if moved > change || moved.is_nan() { moved } else { change };
                (p_new[i], q_new[i]) = (momentum, position);
            }
            if change <= tolerance || change.is_nan() {
                break;
            }
        }
        report.residual = if change > report.residual || change.is_nan() { change } else { report.residual };
        report.converged &= change <= tolerance;
        q.copy_from_slice(&q_new);
        p.copy_from_slice(&p_new);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pendulum: f = -sin q.
    fn pendulum(q: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(q).for_each(|(f, q)| *f = -q.sin());
    }

    fn energy(q: &[f64], p: &[f64], mass: &[f64]) -> f64 {
        (0..q.len()).map(|i| 0.5 * p[i] * p[i] / mass[i] - q[i].cos()).sum()
    }

    type Step = fn(&mut [f64], &mut [f64], &[f64], f64, usize);

    const STEPS: [Step; 3] = [
        |q, p, m, dt, n| leapfrog(q, p, m, dt, n, pendulum),
        |q, p, m, dt, n| position_verlet(q, p, m, dt, n, pendulum),
        |q, p, m, dt, n| {
            assert!(implicit_midpoint(q, p, m, dt, n, 1e-14, 200, pendulum).converged);
        },
    ];

    #[test]
    fn second_order_and_reversible() {
        let mass = [1.0, 2.5];
        let reference = {
            let (mut q, mut p) = ([1.0, -0.4], [0.3, 0.9]);
            leapfrog(&mut q, &mut p, &mass, 2.0 / 40_000.0, 40_000, pendulum);
            q
        };
        for step in STEPS {
            let error = |n: usize| {
                let (mut q, mut p) = ([1.0, -0.4], [0.3, 0.9]);
                step(&mut q, &mut p, &mass, 2.0 / n as f64, n);
                (q[0] - reference[0]).abs() + (q[1] - reference[1]).abs()
            };
            let ratio = error(40) / error(80);
            assert!((ratio - 4.0).abs() < 0.1, "{ratio}");

            let (mut q, mut p) = ([1.0, -0.4], [0.3, 0.9]);
            let before = energy(&q, &p, &mass);
            step(&mut q, &mut p, &mass, 0.1, 1000);
            assert!((energy(&q, &p, &mass) - before).abs() < 0.01);
            step(&mut q, &mut p, &mass, -0.1, 1000);
            assert!((q[0] - 1.0).abs() < 1e-9 && (p[1] - 0.9).abs() < 1e-9);
        }
    }

    #[test]
    fn preserves_volume() {
        // Determinant of the Jacobian of one step, by central differences.
        for step in STEPS {
            let h = 1e-5;
            let image = |dq: f64, dp: f64| {
                let (mut q, mut p) = ([0.7 + dq], [0.2 + dp]);
                step(&mut q, &mut p, &[1.0], 0.4, 3);
                (q[0], p[0])
            };
            let difference = |a: (f64, f64), b: (f64, f64)| ((a.0 - b.0) / (2.0 * h), (a.1 - b.1) / (2.0 * h));
            let by_q = difference(image(h, 0.0), image(-h, 0.0));
            let by_p = difference(image(0.0, h), image(0.0, -h));
            assert!((by_q.0 * by_p.1 - by_q.1 * by_p.0 - 1.0).abs() < 1e-8);
        }
    }

    #[test]
    fn failing_to_converge_is_reported() {
        let stiff = |q: &[f64], out: &mut [f64]| out[0] = -1e6 * q[0];
        let (mut q, mut p) = ([1.0], [0.0]);
        let report = implicit_midpoint(&mut q, &mut p, &[1.0], 1.0, 1, 1e-12, 20, stiff);
        assert!(!report.converged && report.residual > 1.0 && report.force_evaluations == 20);
        let (mut q, mut p) = ([f64::NAN], [0.0]);
        assert!(!implicit_midpoint(&mut q, &mut p, &[1.0], 0.1, 2, 1e-12, 20, stiff).converged);
    }

    #[test]
    #[should_panic(expected = "2 positions, 1 momenta, 2 masses")]
    fn wrong_lengths() {
        leapfrog(&mut [0.0; 2], &mut [0.0], &[1.0; 2], 0.1, 1, pendulum);
    }
}
