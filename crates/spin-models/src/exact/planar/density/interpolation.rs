//! Polynomials through points, modulo a prime.

use super::modular::Prime;

/// The coefficients, constant term first, of the polynomial of least degree through points with different `x`.
pub(super) fn interpolate(field: Prime, x: &[u64], y: &[u64]) -> Vec<u64> {
    // Divided differences, then Horner's rule for Newton's form.
    let n = x.len();
    let mut divided = y.to_vec();
    for order in 1..n {
        let mut runs: Vec<u64> = (order..n).map(|k| field.sub(x[k], x[k - order])).collect();
        field.invert_all(&mut runs);
        for k in (order..n).rev() {
            divided[k] = field.mul(field.sub(divided[k], divided[k - 1]), runs[k - order]);
        }
    }
    let mut coefficients = vec![0; n];
    for k in (0..n).rev() {
        // Multiplies by (X - x_k) and adds.
        for i in (1..n).rev() {
            coefficients[i] = field.sub(coefficients[i - 1], field.mul(x[k], coefficients[i]));
        }
        coefficients[0] = field.sub(divided[k], field.mul(x[k], coefficients[0]));
    }
    coefficients
}

/// The coefficients of $`x^d Q(x + 1/x)`$ from those of Q, of degree d.
pub(super) fn unfold(field: Prime, q: &[u64]) -> Vec<u64> {
    let d = q.len() - 1;
    let mut p = vec![0; 2 * d + 1];
    p[0] = q[d];
    for j in 1..=d {
        // Times x² + 1, and the next coefficient of Q.
        for i in (2..=2 * j).rev() {
            p[i] = field.add(p[i], p[i - 2]);
        }
        p[j] = field.add(p[j], q[d - j]);
    }
    p
}

#[cfg(test)]
mod tests {
    use super::super::modular::primes;
    use super::*;

    #[test]
    fn a_cubic_is_found_again() {
        let field = primes().next().unwrap();
        let c = [5, 0, 7, 11].map(|x| field.element(x));
        let x: Vec<u64> = [2, 3, 9, 100, 7].into_iter().map(|x| field.element(x)).collect();
        let at = |x: u64| c.iter().rev().fold(0, |y, &c| field.add(field.mul(y, x), c));
        let y: Vec<u64> = x.iter().map(|&x| at(x)).collect();
        assert_eq!(interpolate(field, &x, &y), [c[0], c[1], c[2], c[3], 0]);
    }

    #[test]
    fn unfolding() {
        // x² (1 + 2 y + 3 y²) with y = x + 1/x: 3 + 2 x + 7 x² + 2 x³ + 3 x⁴.
        let field = primes().next().unwrap();
        let p = unfold(field, &[1, 2, 3].map(|x| field.element(x)));
        assert_eq!(p.into_iter().map(|x| field.integer(x)).collect::<Vec<_>>(), [3, 2, 7, 2, 3]);
        assert_eq!(unfold(field, &[4]), [4]);
    }
}
