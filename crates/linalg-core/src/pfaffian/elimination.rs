//! Elimination of two rows at a time.

use num_complex::Complex64;
use std::ops::{AddAssign, Div, Mul, MulAssign, Neg, Sub};

/// Real and complex entries.
pub(super) trait Entry:
    Copy + AddAssign + MulAssign<f64> + Neg<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    const ZERO: Self;

    /// The modulus, or something within a factor of 2 of it.
    fn size(self) -> f64;
}

impl Entry for f64 {
    const ZERO: Self = 0.0;

    fn size(self) -> f64 {
        self.abs()
    }
}

impl Entry for Complex64 {
    const ZERO: Self = Self::new(0.0, 0.0);

    fn size(self) -> f64 {
        self.re.abs().max(self.im.abs())
    }
}

/// Calls `pivot` with the factors of the Pfaffian but one, and returns the logarithm of that one.
pub(super) fn eliminate<T: Entry>(matrix: &[T], n: usize, mut pivot: impl FnMut(T)) -> f64 {
    assert!(matrix.len() == n * n, "{} entries for a matrix of {n} x {n}", matrix.len());
    if n % 2 == 1 {
        pivot(T::ZERO);
        return 0.0;
    }
    let mut a = matrix.to_vec();
    for i in 0..n {
        a[i * n + i] = T::ZERO;
        for j in 0..i {
            a[i * n + j] = -a[j * n + i];
        }
    }
    let ln_scale = scale(&mut a, n);
    let mut column = vec![T::ZERO; n];
    for k in (0..n).step_by(2) {
        let largest =
            (k + 1..n).fold(k + 1, |best, j| if a[k * n + j].size() > a[k * n + best].size() { j } else { best });
        if largest != k + 1 {
            swap(&mut a, n, k + 1, largest);
        }
        let p = a[k * n + k + 1];
        // A transposition changes the sign.
        pivot(if largest == k + 1 { p } else { -p });
        if p.size() <= 0.0 {
            break;
        }
        // Row k without its multiple of the pivot, row k + 1, then a rank-two change of the rest.
        let (head, rest) = a.split_at_mut((k + 2) * n);
        let tau = &mut column[k + 2..];
        for (t, &x) in tau.iter_mut().zip(&head[k * n + k + 2..(k + 1) * n]) {
            *t = x / p;
        }
        let next = &head[(k + 1) * n + k + 2..(k + 2) * n];
        for (i, row) in rest.chunks_exact_mut(n).enumerate() {
            let (t, v) = (tau[i], next[i]);
            for ((x, &u), &s) in row[k + 2..].iter_mut().zip(next).zip(tau.iter()) {
                *x += v * s - t * u;
            }
        }
    }
    ln_scale
}

fn swap<T: Entry>(a: &mut [T], n: usize, p: usize, q: usize) {
    for j in 0..n {
        a.swap(p * n + j, q * n + j);
    }
    for i in 0..n {
        a.swap(i * n + p, i * n + q);
    }
}

/// Scales rows and columns by powers of two until the largest entry of every row is near 1; returns the logarithm of
/// what the Pfaffian was divided by.
fn scale<T: Entry>(a: &mut [T], n: usize) -> f64 {
    let mut total = 0i64;
    // Each sweep halves the logarithms of what is left.
    for _ in 0..12 {
        let mut changed = false;
        for i in 0..n {
            let largest = a[i * n..(i + 1) * n].iter().fold(0.0f64, |m, x| m.max(x.size()));
            if !(largest > 0.0 && largest.is_finite()) {
                continue;
            }
            let k = (largest.log2() / 2.0).round().clamp(-500.0, 500.0);
            if k.abs() < 1.0 {
                continue;
            }
            changed = true;
            total += k as i64;
            let factor = (-k).exp2();
            for j in 0..n {
                a[i * n + j] *= factor;
                a[j * n + i] *= factor;
            }
        }
        if !changed {
            break;
        }
    }
    total as f64 * std::f64::consts::LN_2
}
