//! Steps for Hamiltonians that are not a sum of a kinetic and a potential part.
//!
//! The system is a closure `slope(q, p, dq, dp)` that writes $`\dot q = \partial H/\partial p`$ and
//! $`\dot p = -\partial H/\partial q`$.

use super::MidpointReport;

fn check(q: &[f64], p: &[f64]) {
    assert_eq!(q.len(), p.len(), "{} positions, {} momenta", q.len(), p.len());
}

/// `steps` steps of the implicit midpoint rule for any Hamiltonian, each solved by fixed-point iteration to `tolerance`.
///
/// $`z' = z + dt\, f\bigl(\frac{z + z'}{2}\bigr)`$ for $`z = (q, p)`$: symplectic, reversible, of second order, exact for
/// quadratic invariants. At most `iterations` a step; a step that does not converge is taken as it is and reported.
/// The report counts calls of `slope`; the residual is the largest change of a coordinate in the last iteration.
///
/// ```
/// use linalg_core::integrate::implicit_midpoint_coupled;
///
/// // H = q p: q grows, p decays, their product stays.
/// let (mut q, mut p) = ([1.0], [2.0]);
/// let slope = |q: &[f64], p: &[f64], dq: &mut [f64], dp: &mut [f64]| (dq[0], dp[0]) = (q[0], -p[0]);
/// let report = implicit_midpoint_coupled(&mut q, &mut p, 0.1, 10, 1e-15, 100, slope);
/// assert!(report.converged && (q[0] * p[0] - 2.0).abs() < 1e-13);
/// assert!((q[0] - 1f64.exp()).abs() < 3e-3);
/// ```
///
/// # Panics
/// When `q` and `p` differ in length.
pub fn implicit_midpoint_coupled<F>(
    q: &mut [f64],
    p: &mut [f64],
    dt: f64,
    steps: usize,
    tolerance: f64,
    iterations: usize,
    mut slope: F,
) -> MidpointReport
where
    F: FnMut(&[f64], &[f64], &mut [f64], &mut [f64]),
{
    check(q, p);
    let n = q.len();
    let mut report = MidpointReport { force_evaluations: 0, residual: 0.0, converged: true };
    let (mut dq, mut dp) = (vec![0.0; n], vec![0.0; n]);
    let (mut q_middle, mut p_middle) = (vec![0.0; n], vec![0.0; n]);
    let advance = |to: &mut f64, from: f64, by: f64, change: &mut f64| {
        let next = from + by;
        let moved = 2.0 * (next - *to).abs();
        // `max` would drop a NaN.
        *change = if moved > *change || moved.is_nan() { moved } else { *change };
        *to = next;
    };
    for _ in 0..steps {
        q_middle.copy_from_slice(q);
        p_middle.copy_from_slice(p);
        let mut change = f64::INFINITY;
        for _ in 0..iterations {
            slope(&q_middle, &p_middle, &mut dq, &mut dp);
            report.force_evaluations += 1;
            change = 0.0;
            for i in 0..n {
                advance(&mut q_middle[i], q[i], 0.5 * dt * dq[i], &mut change);
                advance(&mut p_middle[i], p[i], 0.5 * dt * dp[i], &mut change);
            }
            if change <= tolerance || change.is_nan() {
                break;
            }
        }
        report.residual = if change > report.residual || change.is_nan() { change } else { report.residual };
        report.converged &= change <= tolerance;
        q.iter_mut().zip(&q_middle).for_each(|(q, m)| *q = 2.0 * m - *q);
        p.iter_mut().zip(&p_middle).for_each(|(p, m)| *p = 2.0 * m - *p);
    }
    report
}

/// `steps` steps of Tao's explicit method in an extended phase space.
///
/// A copy $`(x, y)`$ of $`(q, p)`$ is bound to it by $`\tfrac\omega2 (|q - x|^2 + |p - y|^2)`$; the parts $`H(q, y)`$,
/// $`H(x, p)`$ and the binding are solved exactly and composed symmetrically (M. Tao, Phys. Rev. E 94, 043303 (2016)).
/// Symplectic in the extended space, of second order; the energy error stays bounded for large enough `omega`, against a
/// step of order $`\omega^{-1/2}`$. Four calls of `slope` a step. Returned is the largest distance $`|q - x|`$ or
/// $`|p - y|`$ of a coordinate from its copy at the end of any step: where it grows, `omega` is too small.
///
/// ```
/// use linalg_core::integrate::tao;
///
/// // H = (q² + 1)(p² + 1)/2, Tao's own example.
/// let h = |q: f64, p: f64| 0.5 * (q * q + 1.0) * (p * p + 1.0);
/// let (mut q, mut p) = ([0.0], [-3.0]);
/// let slope = |q: &[f64], p: &[f64], dq: &mut [f64], dp: &mut [f64]| {
///     dq[0] = (q[0] * q[0] + 1.0) * p[0];
///     dp[0] = -q[0] * (p[0] * p[0] + 1.0);
/// };
/// let apart = tao(&mut q, &mut p, 0.001, 10_000, 20.0, slope);
/// assert!((h(q[0], p[0]) - 5.0).abs() < 1e-3 && apart < 1e-2);
/// ```
///
/// # Panics
/// When `q` and `p` differ in length.
pub fn tao<F>(q: &mut [f64], p: &mut [f64], dt: f64, steps: usize, omega: f64, mut slope: F) -> f64
where
    F: FnMut(&[f64], &[f64], &mut [f64], &mut [f64]),
{
    check(q, p);
    let n = q.len();
    let (mut x, mut y) = (q.to_vec(), p.to_vec());
    let (mut along, mut force) = (vec![0.0; n], vec![0.0; n]);
    let (sine, cosine) = (2.0 * omega * dt).sin_cos();
    let mut apart = 0.0;
    let push = |to: &mut [f64], by: &[f64], dt: f64| to.iter_mut().zip(by).for_each(|(to, by)| *to += dt * by);
    for _ in 0..steps {
        let half = 0.5 * dt;
        // H(q, y) moves x and p.
        slope(q, &y, &mut along, &mut force);
        push(&mut x, &along, half);
        push(p, &force, half);
        // H(x, p) moves q and y.
        slope(&x, p, &mut along, &mut force);
        push(q, &along, half);
        push(&mut y, &force, half);
        for i in 0..n {
            let (sum, difference) = (q[i] + x[i], q[i] - x[i]);
            let (momentum, momenta) = (p[i] + y[i], p[i] - y[i]);
            let (turned, turned_p) = (cosine * difference + sine * momenta, cosine * momenta - sine * difference);
            (q[i], x[i]) = (0.5 * (sum + turned), 0.5 * (sum - turned));
            (p[i], y[i]) = (0.5 * (momentum + turned_p), 0.5 * (momentum - turned_p));
        }
        slope(&x, p, &mut along, &mut force);
        push(q, &along, half);
        push(&mut y, &force, half);
        slope(q, &y, &mut along, &mut force);
        push(&mut x, &along, half);
        push(p, &force, half);
        for (a, b) in q.iter().zip(&x).chain(p.iter().zip(&y)) {
            let distance = (a - b).abs();
            apart = if distance > apart || distance.is_nan() { distance } else { apart };
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrate::implicit_midpoint;

    /// H = ½ p²/(1 + q²) + cos q, not separable.
    fn slope(q: &[f64], p: &[f64], dq: &mut [f64], dp: &mut [f64]) {
        for i in 0..q.len() {
            let mass = 1.0 + q[i] * q[i];
            dq[i] = p[i] / mass;
            dp[i] = p[i] * p[i] * q[i] / (mass * mass) + q[i].sin();
        }
    }

    fn energy(q: f64, p: f64) -> f64 {
        0.5 * p * p / (1.0 + q * q) + q.cos()
    }

    type Step = fn(&mut [f64], &mut [f64], f64, usize);

    const STEPS: [Step; 2] = [
        |q, p, dt, n| assert!(implicit_midpoint_coupled(q, p, dt, n, 1e-14, 100, slope).converged),
        |q, p, dt, n| assert!(tao(q, p, dt, n, 10.0, slope) < 0.1),
    ];

    #[test]
    fn second_order_and_without_drift() {
        for step in STEPS {
            let end = |n: usize| {
                let (mut q, mut p) = ([0.3], [0.8]);
                step(&mut q, &mut p, 2.0 / n as f64, n);
                q[0]
            };
            let reference = end(51_200);
            let ratio = (end(200) - reference) / (end(400) - reference);
            assert!((ratio - 4.0).abs() < 0.3, "{ratio}");
            let (mut q, mut p) = ([0.3], [0.8]);
            for _ in 0..100 {
                step(&mut q, &mut p, 0.02, 100);
                assert!((energy(q[0], p[0]) - energy(0.3, 0.8)).abs() < 2e-3);
            }
        }
    }

    #[test]
    fn of_a_separable_system_it_is_the_implicit_midpoint_rule() {
        let (mut a, mut b, mut c, mut d) = ([1.0], [0.2], [1.0], [0.2]);
        implicit_midpoint(&mut a, &mut b, &[2.0], 0.1, 50, 1e-15, 100, |q, f| f[0] = -q[0].powi(3));
        implicit_midpoint_coupled(&mut c, &mut d, 0.1, 50, 1e-15, 100, |q, p, dq, dp| {
            (dq[0], dp[0]) = (p[0] / 2.0, -q[0].powi(3));
        });
        assert!((a[0] - c[0]).abs() < 1e-13 && (b[0] - d[0]).abs() < 1e-13);
    }

    #[test]
    fn failing_to_converge_is_reported() {
        let (mut q, mut p) = ([f64::NAN], [0.0]);
        assert!(!implicit_midpoint_coupled(&mut q, &mut p, 0.1, 2, 1e-12, 20, slope).converged);
        assert!(tao(&mut q, &mut p, 0.1, 2, 1.0, slope).is_nan());
    }
}
