//! Saddle-point equations as fixed points of a map.

use crate::{Error, Result};

/// How far the solution of saddle-point equations `x = G(x)` was driven.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Convergence {
    /// Whether the residual is within the tolerance.
    pub converged: bool,
    /// Largest `|G(x) - x|` among the equations.
    pub residual: f64,
    /// Evaluations of the equations.
    pub iterations: usize,
}

impl Convergence {
    /// For a solution found in another way, judged by its residual.
    pub(crate) fn judged(residual: f64, tolerance: f64, iterations: usize) -> Self {
        Self { converged: residual <= tolerance, residual, iterations }
    }
}

/// Damped iteration `x ← (1 - d) G(x) + d x`, with Newton's steps where they lower the residual.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SaddlePointParams {
    /// Largest residual of a converged solution; default 1e-12.
    pub tolerance: f64,
    /// Evaluations of the equations at most; default 20000.
    pub max_iterations: usize,
    /// The damping d in `[0, 1)`; default 0.
    pub damping: f64,
}

impl Default for SaddlePointParams {
    fn default() -> Self {
        Self { tolerance: 1e-12, max_iterations: 20_000, damping: 0.0 }
    }
}

impl SaddlePointParams {
    /// Sets the largest residual.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the largest number of evaluations.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// Sets the damping.
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        let bad = |what, value: f64, expected| Err(Error::Parameter { what, value: value.to_string(), expected });
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return bad("tolerance", self.tolerance, "a finite number >= 0");
        }
        if !(0.0..1.0).contains(&self.damping) {
            return bad("damping", self.damping, "at least 0 and less than 1");
        }
        Ok(())
    }

    /// Solves `x = G(x)` from `start`.
    pub(crate) fn solve<const N: usize>(
        &self,
        start: [f64; N],
        mut map: impl FnMut([f64; N]) -> [f64; N],
    ) -> ([f64; N], Convergence) {
        let mut x = start;
        let mut image = map(x);
        let mut iterations = 1;
        let size = |x: &[f64; N], image: &[f64; N]| {
            x.iter()
                .zip(image)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, |most: f64, d| if d > most || d.is_nan() { d } else { most })
        };
        let mut residual = size(&x, &image);
        // Newton's steps are tried now and then, more often once they work.
        let (mut wait, mut due) = (4, 4);
        while residual > self.tolerance && iterations < self.max_iterations {
            if due == 0 {
                if let Some(next) = newton(&x, &image, &mut map) {
                    let next_image = map(next);
                    iterations += N + 1;
                    let next_residual = size(&next, &next_image);
                    if next_residual < 0.5 * residual {
                        (x, image, residual) = (next, next_image, next_residual);
                        wait = 0;
                        continue;
                    }
                }
                wait = (2 * wait).clamp(4, 256);
            }
            due = if due == 0 { wait } else { due - 1 };
            for (x, image) in x.iter_mut().zip(&image) {
                *x = self.damping * *x + (1.0 - self.damping) * image;
            }
            image = map(x);
            iterations += 1;
            residual = size(&x, &image);
            if residual.is_nan() {
                break;
            }
        }
        (x, Convergence { converged: residual <= self.tolerance, residual, iterations })
    }
}

/// `x - (G' - 1)⁻¹ (G - x)` with a Jacobian of differences.
fn newton<const N: usize>(
    x: &[f64; N],
    image: &[f64; N],
    map: &mut impl FnMut([f64; N]) -> [f64; N],
) -> Option<[f64; N]> {
    let mut matrix = [[0.0; N]; N];
    for j in 0..N {
        let mut moved = *x;
        let step = 1e-7 * x[j].abs().max(1e-4);
        moved[j] += step;
        let column = map(moved);
        for i in 0..N {
            matrix[i][j] = (column[i] - image[i]) / (moved[j] - x[j]) - f64::from(u8::from(i == j));
        }
    }
    let mut right: [f64; N] = std::array::from_fn(|i| x[i] - image[i]);
    let mut rows: Vec<&mut [f64]> = matrix.iter_mut().map(|row| row.as_mut_slice()).collect();
    solve_linear(&mut rows, &mut right)?;
    let next: [f64; N] = std::array::from_fn(|i| x[i] + right[i]);
    next.iter().all(|v| v.is_finite()).then_some(next)
}

/// Solves a small system in place by elimination with row exchanges; `None` if it is singular.
pub(crate) fn solve_linear(rows: &mut [&mut [f64]], right: &mut [f64]) -> Option<()> {
    let n = right.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| rows[i][k].abs().total_cmp(&rows[j][k].abs()))?;
        rows.swap(k, pivot);
        right.swap(k, pivot);
        if !(rows[k][k].abs() > 0.0 && rows[k][k].is_finite()) {
            return None;
        }
        let (above, below) = rows.split_at_mut(k + 1);
        let top = &above[k];
        for (i, row) in below.iter_mut().enumerate() {
            let factor = row[k] / top[k];
            for (a, b) in row[k..].iter_mut().zip(&top[k..]) {
                *a -= factor * b;
            }
            right[k + 1 + i] -= factor * right[k];
        }
    }
    for k in (0..n).rev() {
        let tail: f64 = (k + 1..n).map(|j| rows[k][j] * right[j]).sum();
        right[k] = (right[k] - tail) / rows[k][k];
    }
    Some(())
}

/// Checks a temperature that may be zero.
pub(crate) fn check_temperature(temperature: f64) -> Result<()> {
    if temperature.is_finite() && temperature >= 0.0 {
        return Ok(());
    }
    Err(Error::Parameter { what: "temperature", value: temperature.to_string(), expected: "a finite number >= 0" })
}

/// Checks that a parameter is finite.
pub(crate) fn check_finite(what: &'static str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { what, value: value.to_string(), expected: "a finite number" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_and_oscillating_maps_converge() {
        // m = tanh 1.0001 m: plain iteration gains a factor 1 - 2e-4 a step.
        let map = |[m]: [f64; 1]| [(1.0001 * m).tanh()];
        let ([m], report) = SaddlePointParams::default().solve([1.0], map);
        assert!(report.converged && report.iterations < 600, "{report:?}");
        assert!((m - (1.0001 * m).tanh()).abs() < 1e-12 && m > 0.01);
        // x = -2 y, y = 3 x + 1 diverges when iterated.
        let ([x, y], report) = SaddlePointParams::default().solve([0.3, 0.2], |[x, y]| [-2.0 * y, 3.0 * x + 1.0]);
        assert!(report.converged, "{report:?}");
        assert!((y - 1.0 / 7.0).abs() < 1e-10 && (x + 2.0 / 7.0).abs() < 1e-10);
    }

    #[test]
    fn failure_is_reported() {
        let (_, report) = SaddlePointParams::default().max_iterations(50).solve([0.5], |[x]| [x + 1.0]);
        assert!(!report.converged && (report.residual - 1.0).abs() < 1e-12);
        let (_, report) = SaddlePointParams::default().solve([0.5], |_| [f64::NAN]);
        assert!(!report.converged);
        assert!(SaddlePointParams::default().damping(1.0).check().is_err());
        assert!(SaddlePointParams::default().tolerance(f64::NAN).check().is_err());
    }

    #[test]
    fn elimination_exchanges_rows() {
        let (mut a, mut b, mut c) = ([0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [3.0, 0.0, 1.0]);
        let mut right = [7.0, 3.0, 6.0];
        solve_linear(&mut [&mut a[..], &mut b[..], &mut c[..]], &mut right).unwrap();
        for (x, exact) in right.iter().zip([1.0, 2.0, 3.0]) {
            assert!((x - exact).abs() < 1e-14);
        }
        let (mut a, mut b) = ([1.0, 2.0], [2.0, 4.0]);
        assert!(solve_linear(&mut [&mut a[..], &mut b[..]], &mut [1.0, 2.0]).is_none());
    }
}
