//! Gauss-Hermite rules for averages over a Gaussian.

use crate::Result;

use super::check_points;

/// Rescaling threshold of the three-term recurrence.
const LARGE: f64 = 1e140;

/// The Gauss-Hermite rule for the weight $`e^{-x^2/2}/\sqrt{2\pi}`$.
///
/// $`\int Dz\, f(z) \approx \sum_i w_i f(x_i)`$ with $`Dz`$ the standard Gaussian measure, exact for polynomials of degree
/// $`2n - 1`$: the average of replica theory. Nodes are the eigenvalues of the Jacobi matrix with off-diagonal
/// $`\sqrt k`$ (Golub and Welsch, Math. Comput. 23, 221 (1969)), located by Sturm sequences and refined by Newton's
/// method; weights are $`1/\sum_{k<n} p_k(x_i)^2`$ with the orthonormal polynomials. Nodes to 1e-15, weights to
/// 1e-12 relative. Beyond about 370 points the outermost weights are below 1e-308 and become 0.
/// O(n²) once, a fraction of a second for 1000 points.
///
/// Convergence is geometric for functions analytic in a strip and slow for kinks and steps; there use
/// [`integrate`](super::integrate) with the density.
///
/// ```
/// use linalg_core::quadrature::GaussHermite;
///
/// let rule = GaussHermite::new(20)?;
/// assert!((rule.average(|z| z.powi(4)) - 3.0).abs() < 1e-13);
/// assert!((rule.average(f64::exp) - 0.5f64.exp()).abs() < 1e-14);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GaussHermite {
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

impl GaussHermite {
    /// The rule with `n` points, 1 to 1000.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) for another number.
    pub fn new(n: usize) -> Result<Self> {
        check_points(n)?;
        let mut nodes = vec![0.0; n];
        let mut weights = vec![0.0; n];
        for i in n / 2..n {
            let x = if 2 * i + 1 == n { 0.0 } else { node(n, i) };
            let weight = weight(n, x);
            (nodes[n - 1 - i], nodes[i]) = (-x, x);
            (weights[n - 1 - i], weights[i]) = (weight, weight);
        }
        Ok(Self { nodes, weights })
    }

    /// Nodes, ascending.
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Weights of the nodes; they add up to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// $`\int Dz\, f(z)`$ over a standard Gaussian $`z`$.
    ///
    /// Points of weight 0 (underflow) are skipped.
    pub fn average<F: FnMut(f64) -> f64>(&self, mut f: F) -> f64 {
        let terms = self.nodes.iter().zip(&self.weights).filter(|(_, w)| **w > 0.0);
        terms.map(|(&x, w)| w * f(x)).sum()
    }
}

/// Node `i` in ascending order, in the upper half.
fn node(n: usize, i: usize) -> f64 {
    // All nodes lie within 2 sqrt(n); at least i + 1 of them are at or below the upper end.
    let (mut low, mut high) = (0.0, 2.0 * (n as f64).sqrt());
    for _ in 0..24 {
        let middle = 0.5 * (low + high);
        if nodes_below(n, middle) > i {
            high = middle;
        } else {
            low = middle;
        }
    }
    let mut x = 0.5 * (low + high);
    for _ in 0..4 {
        x -= newton_step(n, x);
    }
    x
}

/// How many eigenvalues of the Jacobi matrix lie below `x`: negative pivots of its factorisation.
fn nodes_below(n: usize, x: f64) -> usize {
    let mut count = 0;
    let mut pivot = -x;
    for k in 1..=n {
        count += usize::from(pivot < 0.0);
        // A zero pivot counts as positive and makes the next one -inf, as a tiny positive one would.
        pivot = -x - k as f64 / if pivot == 0.0 { f64::MIN_POSITIVE } else { pivot };
    }
    count
}

/// p_n / p_n' with p_n' = sqrt(n) p_{n-1}.
fn newton_step(n: usize, x: f64) -> f64 {
    let (mut before, mut p) = (1.0, x);
    for k in 1..n {
        let k = k as f64;
        (before, p) = (p, (x * p - k.sqrt() * before) / (k + 1.0).sqrt());
        if p.abs() > LARGE {
            (before, p) = (before / LARGE, p / LARGE);
        }
    }
    p / ((n as f64).sqrt() * before)
}

fn weight(n: usize, x: f64) -> f64 {
    let (mut before, mut p) = (0.0, 1.0);
    let mut sum = 0.0;
    let mut scale = 1.0f64;
    for k in 0..n {
        sum += p * p;
        let k = k as f64;
        (before, p) = (p, (x * p - k.sqrt() * before) / (k + 1.0).sqrt());
        if p.abs() > LARGE {
            (before, p) = (before / LARGE, p / LARGE);
            sum /= LARGE * LARGE;
            scale /= LARGE * LARGE;
        }
    }
    scale / sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn reference_values() {
        // mpmath at 60 digits: (n, index from the right, node, weight).
        for (n, i, node, weight) in [
            (1, 0, 0.0, 1.0),
            (3, 0, 3f64.sqrt(), 1.0 / 6.0),
            (5, 0, 2.8569700138728056, 0.01125741132772069),
            (20, 0, 7.619048541679758, 1.257800672437927e-13),
            (20, 9, 0.3469641570813559, 0.2607930634495549),
            (64, 0, 14.886186143339453, 3.123187965107721e-49),
            (200, 99, 0.1109336043783837, 0.08796970496605233),
            (200, 0, 27.349827752266123, 1.2576313313555794e-163),
        ] {
            let rule = GaussHermite::new(n).unwrap();
            assert_relative_eq!(rule.nodes()[n - 1 - i], node, max_relative = 1e-15);
            assert_relative_eq!(rule.weights()[n - 1 - i], weight, max_relative = 1e-12);
        }
    }

    #[test]
    fn exact_for_polynomials() {
        for n in [1usize, 2, 3, 8, 15] {
            let rule = GaussHermite::new(n).unwrap();
            let mut moment = 1.0;
            for degree in 0..2 * n {
                if degree % 2 == 0 {
                    assert_relative_eq!(rule.average(|z| z.powi(degree as i32)), moment, max_relative = 1e-13);
                    moment *= (degree + 1) as f64;
                } else {
                    assert!(rule.average(|z| z.powi(degree as i32)).abs() < 1e-13 * moment);
                }
            }
            // The next moment is (2n - 1)!!; the rule falls short by n!.
            let shortfall = moment - rule.average(|z| z.powi(2 * n as i32));
            let factorial: f64 = (1..=n).map(|k| k as f64).product();
            assert_relative_eq!(shortfall, factorial, max_relative = 1e-6);
        }
    }

    #[test]
    fn large_rules() {
        let rule = GaussHermite::new(1000).unwrap();
        assert!(rule.nodes().windows(2).all(|pair| pair[0] < pair[1]));
        assert_relative_eq!(rule.weights().iter().sum::<f64>(), 1.0, max_relative = 1e-13);
        assert!(rule.weights()[0] == 0.0 && rule.weights()[500] > 0.0);
        // <tanh²(2 z + 1)> has poles at a distance π/4 from the axis.
        let f = |z: f64| (2.0 * z + 1.0).tanh().powi(2);
        let density = |z: f64| f(z) * crate::special::normal_pdf(z);
        let direct = crate::quadrature::integrate(density, f64::NEG_INFINITY, f64::INFINITY).unwrap();
        assert!(direct.converged);
        assert_relative_eq!(rule.average(f), direct.value, max_relative = 1e-10);
        assert!(GaussHermite::new(0).is_err() && GaussHermite::new(1001).is_err());
    }
}
