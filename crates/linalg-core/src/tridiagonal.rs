//! Linear systems with a tridiagonal matrix, open or closed to a ring.
//!
//! Row `i` of the matrix has `lower[i]` before, `diagonal[i]` on and `upper[i]` after the diagonal. Elimination without
//! pivoting: stable for matrices with a dominant diagonal, as implicit steps of diffusion and Cayley's form of a rotation
//! have. Entries are `f64` or [`Complex64`](crate::num_complex::Complex64).

use std::ops::{Add, Div, Mul, Sub};

/// What the entries have to be able to do.
pub trait Entry:
    Copy + From<f64> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
}

impl<T> Entry for T where T: Copy + From<f64> + Add<Output = T> + Sub<Output = T> + Mul<Output = T> + Div<Output = T> {}

/// Solves $`l_i x_{i-1} + d_i x_i + u_i x_{i+1} = b_i`$ in place of `rhs`; `lower[0]` and the last of `upper` are not read.
///
/// Thomas's algorithm, O(n), with a scratch vector that is resized.
///
/// ```
/// use linalg_core::tridiagonal::solve;
///
/// // 2x - y = 1, -x + 2y = 4.
/// let mut x = [1.0, 4.0];
/// solve(&[0.0, -1.0], &[2.0, 2.0], &[-1.0, 0.0], &mut x, &mut Vec::new());
/// assert!((x[0] - 2.0f64).abs() < 1e-15 && (x[1] - 3.0f64).abs() < 1e-15);
/// ```
///
/// # Panics
/// When the slices differ in length.
pub fn solve<T: Entry>(lower: &[T], diagonal: &[T], upper: &[T], rhs: &mut [T], scratch: &mut Vec<T>) {
    check(lower, diagonal, upper, rhs);
    let n = rhs.len();
    if n == 0 {
        return;
    }
    scratch.clear();
    scratch.push(upper[0] / diagonal[0]);
    rhs[0] = rhs[0] / diagonal[0];
    for i in 1..n {
        let pivot = diagonal[i] - lower[i] * scratch[i - 1];
        scratch.push(upper[i] / pivot);
        rhs[i] = (rhs[i] - lower[i] * rhs[i - 1]) / pivot;
    }
    for i in (0..n - 1).rev() {
        rhs[i] = rhs[i] - scratch[i] * rhs[i + 1];
    }
}

/// The same on a ring: `lower[0]` couples to the last unknown, the last of `upper` to the first.
///
/// A system with an open chain and a correction of rank one (Sherman and Morrison), O(n).
///
/// ```
/// use linalg_core::tridiagonal::solve_cyclic;
///
/// // 4 x_i - x_{i-1} - x_{i+1} = 2 on a ring of three: x = 1.
/// let mut x = [2.0f64; 3];
/// solve_cyclic(&[-1.0; 3], &[4.0; 3], &[-1.0; 3], &mut x, &mut Vec::new());
/// assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-15));
/// ```
///
/// # Panics
/// When the slices differ in length.
pub fn solve_cyclic<T: Entry>(lower: &[T], diagonal: &[T], upper: &[T], rhs: &mut [T], scratch: &mut Vec<T>) {
    check(lower, diagonal, upper, rhs);
    let n = rhs.len();
    match n {
        0 => return,
        1 => {
            rhs[0] = rhs[0] / (lower[0] + diagonal[0] + upper[0]);
            return;
        }
        2 => {
            let (right, left) = (upper[0] + lower[0], lower[1] + upper[1]);
            let determinant = diagonal[0] * diagonal[1] - right * left;
            let (a, b) = (rhs[0], rhs[1]);
            rhs[0] = (diagonal[1] * a - right * b) / determinant;
            rhs[1] = (diagonal[0] * b - left * a) / determinant;
            return;
        }
        _ => {}
    }
    let zero = T::from(0.0);
    let shift = zero - diagonal[0];
    let mut open = diagonal.to_vec();
    open[0] = open[0] - shift;
    open[n - 1] = open[n - 1] - upper[n - 1] * lower[0] / shift;
    solve(lower, &open, upper, rhs, scratch);
    let mut corner = vec![zero; n];
    corner[0] = shift;
    corner[n - 1] = upper[n - 1];
    solve(lower, &open, upper, &mut corner, scratch);
    let weight = lower[0] / shift;
    let factor = (rhs[0] + weight * rhs[n - 1]) / (T::from(1.0) + corner[0] + weight * corner[n - 1]);
    for (x, c) in rhs.iter_mut().zip(&corner) {
        *x = *x - factor * *c;
    }
}

fn check<T>(lower: &[T], diagonal: &[T], upper: &[T], rhs: &[T]) {
    let n = rhs.len();
    assert!(
        lower.len() == n && diagonal.len() == n && upper.len() == n,
        "{} lower, {} diagonal and {} upper entries for {n} unknowns",
        lower.len(),
        diagonal.len(),
        upper.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex64;

    #[test]
    fn residuals_vanish() {
        for n in [1usize, 2, 3, 4, 17] {
            let entry = |i: usize, a: f64| Complex64::new((a * i as f64).sin(), (a + i as f64).cos());
            let lower: Vec<Complex64> = (0..n).map(|i| entry(i, 0.3)).collect();
            let upper: Vec<Complex64> = (0..n).map(|i| entry(i, 1.7)).collect();
            let diagonal: Vec<Complex64> = (0..n).map(|i| 5.0 + entry(i, 0.9)).collect();
            let rhs: Vec<Complex64> = (0..n).map(|i| entry(i, 2.3)).collect();
            for cyclic in [false, true] {
                let mut x = rhs.clone();
                let mut scratch = Vec::new();
                match cyclic {
                    true => solve_cyclic(&lower, &diagonal, &upper, &mut x, &mut scratch),
                    false => solve(&lower, &diagonal, &upper, &mut x, &mut scratch),
                }
                for i in 0..n {
                    let mut sum = diagonal[i] * x[i];
                    if i > 0 || cyclic {
                        sum += lower[i] * x[(i + n - 1) % n];
                    }
                    if i + 1 < n || cyclic {
                        sum += upper[i] * x[(i + 1) % n];
                    }
                    assert!((sum - rhs[i]).norm() < 1e-13, "{n} {cyclic} {i}: {sum} {}", rhs[i]);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "2 lower, 3 diagonal and 3 upper entries for 3 unknowns")]
    fn wrong_length() {
        solve(&[0.0; 2], &[1.0; 3], &[0.0; 3], &mut [1.0; 3], &mut Vec::new());
    }
}
