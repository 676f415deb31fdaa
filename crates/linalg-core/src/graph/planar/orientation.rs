//! On which side of a line a point lies, without rounding.

use std::cmp::Ordering;

/// A point of the plane.
pub(super) type Point = [f64; 2];

/// `Greater` if `c` lies to the left of the line from `a` to `b`, `Less` if to the right, `Equal` if on it.
///
/// The sign of the determinant $`(a_x - c_x)(b_y - c_y) - (a_y - c_y)(b_x - c_x)`$. It is first computed in floating
/// point; when that is smaller than the bound of its error, the products are added without rounding (J. R. Shewchuk,
/// "Adaptive precision floating-point arithmetic and fast robust geometric predicates", 1997).
pub(super) fn orientation(a: Point, b: Point, c: Point) -> Ordering {
    let left = (a[0] - c[0]) * (b[1] - c[1]);
    let right = (a[1] - c[1]) * (b[0] - c[0]);
    let det = left - right;
    // Three roundings of relative size u = 2^-53 on each product, one on the difference; Shewchuk's bound is
    // (3 + 16 u) u.
    let bound = (3.0 + 8.0 * f64::EPSILON) * 0.5 * f64::EPSILON * (left.abs() + right.abs());
    if det > bound {
        Ordering::Greater
    } else if -det > bound {
        Ordering::Less
    } else if on_one_line(a, b, c, left, right) {
        Ordering::Equal
    } else {
        exact(a, b, c)
    }
}

/// Whether differences without rounding have equal products: the three points of a row of a grid. A shortcut, `false` says
/// nothing.
fn on_one_line(a: Point, b: Point, c: Point, left: f64, right: f64) -> bool {
    let difference_is_exact = |x: f64, y: f64| {
        let difference = x - y;
        let back = x - difference;
        (x - (difference + back)) + (back - y) == 0.0
    };
    let error = |x: f64, y: f64, product: f64| x.mul_add(y, -product);
    left - right == 0.0
        && (0..2).all(|k| difference_is_exact(a[k], c[k]) && difference_is_exact(b[k], c[k]))
        && error(a[0] - c[0], b[1] - c[1], left) - error(a[1] - c[1], b[0] - c[0], right) == 0.0
}

fn exact(a: Point, b: Point, c: Point) -> Ordering {
    let mut sum = Expansion::default();
    for (p, q) in [(a, b), (b, c), (c, a)] {
        sum.add_product(p[0], q[1]);
        sum.add_product(-p[1], q[0]);
    }
    sum.sign()
}

/// A sum of doubles kept as parts that do not overlap, in increasing magnitude; at most 12 are needed.
#[derive(Default)]
struct Expansion {
    parts: [f64; 12],
    len: usize,
}

impl Expansion {
    fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        // The rounding error of the product is itself a double.
        self.add(x.mul_add(y, -product));
        self.add(product);
    }

    /// Every addition leaves its rounding error behind as a part of its own.
    fn add(&mut self, x: f64) {
        let mut carry = x;
        for part in &mut self.parts[..self.len] {
            let sum = carry + *part;
            let back = sum - carry;
            *part = (carry - (sum - back)) + (*part - back);
            carry = sum;
        }
        self.parts[self.len] = carry;
        self.len += 1;
    }

    /// The largest part that is not zero outweighs all others.
    fn sign(&self) -> Ordering {
        let parts = self.parts[..self.len].iter().rev();
        let signs = parts.map(|part| part.partial_cmp(&0.0).unwrap_or(Ordering::Equal));
        signs.into_iter().find(|sign| sign.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// Multiplies by the power of two that brings the largest coordinate near 1: no product overflows, and none loses
/// bits unless a coordinate is about $`2^{-480}`$ of the largest.
pub(super) fn normalize(points: &[Point]) -> Vec<Point> {
    let largest = points.iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
    let exponent = ((largest.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    // Two steps: the power itself may be out of range.
    let half = -exponent / 2;
    let (first, second) = (2f64.powi(half), 2f64.powi(-exponent - half));
    points.iter().map(|p| p.map(|x| x * first * second)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;
    use rand::RngExt;

    /// Integers small enough for the determinant to fit into i128, turned into doubles exactly.
    #[test]
    fn agrees_with_integers() {
        let mut rng = Streams::new(1).stream(0);
        let mut zeros = 0;
        for trial in 0..20_000 {
            let range = if trial % 2 == 0 { 4 } else { 1i64 << 50 };
            let mut point = || -> [i64; 2] { [rng.random_range(-range..=range), rng.random_range(-range..=range)] };
            let (a, b) = (point(), point());
            // Every third point lies on the line or one unit beside it.
            let c = if trial % 3 == 0 {
                let k = point()[0] % 7;
                let off = point()[1] % 2;
                [0, 1].map(|i| a[i] + k * (b[i] - a[i]) + off * i as i64)
            } else {
                point()
            };
            let [p, q, r] = [a, b, c].map(|p| p.map(i128::from));
            let det = (p[0] - r[0]) * (q[1] - r[1]) - (p[1] - r[1]) * (q[0] - r[0]);
            zeros += usize::from(det == 0);
            let exact = |p: [i64; 2]| p.map(|x| x as f64);
            if [a, b, c].iter().flatten().all(|x| x.abs() <= 1 << 53) {
                assert_eq!(orientation(exact(a), exact(b), exact(c)), det.cmp(&0), "{a:?} {b:?} {c:?}");
            }
        }
        assert!(zeros > 1000);
    }

    #[test]
    fn the_last_bit_decides() {
        let (a, b) = ([0.5, 0.5], [12.0, 12.0]);
        let step = 2f64.powi(-53);
        for k in 0..16 {
            for l in 0..16 {
                let c = [0.5 + f64::from(k) * step, 0.5 + f64::from(l) * step];
                // Rounded to the grid of doubles above 1/2, which has twice the step.
                assert_eq!(orientation(a, b, c), c[1].total_cmp(&c[0]), "{k} {l}");
            }
        }
    }

    #[test]
    fn huge_and_tiny_coordinates() {
        for scale in [f64::MAX / 4.0, f64::MIN_POSITIVE, 1.0] {
            let points = normalize(&[[0.0, 0.0], [3.0 * scale, scale], [scale, scale]]);
            assert_eq!(orientation(points[0], points[1], points[2]), Ordering::Greater);
        }
        assert_eq!(normalize(&[[0.0, 0.0]]), [[0.0, 0.0]]);
        assert_eq!(normalize(&[]), Vec::<Point>::new());
    }
}
