//! Gauss-Legendre rules.

use crate::Result;

use super::check_points;

/// The Gauss-Legendre rule with `n` points, exact for polynomials of degree $`2n - 1`$ on an interval.
///
/// Roots of the Legendre polynomial $`P_n`$ by Newton's method from the asymptotic guess
/// $`\cos\frac{\pi(i + 3/4)}{n + 1/2}`$, weights $`2/((1-x^2) P_n'(x)^2)`$. Nodes to 2e-16, weights to 1e-13 relative for
/// 1000 points. O(n²) once; O(n) an integral.
///
/// ```
/// use linalg_core::quadrature::GaussLegendre;
///
/// let rule = GaussLegendre::new(3)?;
/// assert!((rule.integrate(|x| x.powi(5), 0.0, 2.0) - 64.0 / 6.0).abs() < 1e-13);
/// assert!((rule.nodes()[2] - 0.6f64.sqrt()).abs() < 1e-15);
/// assert!((rule.weights()[1] - 8.0 / 9.0).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GaussLegendre {
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

impl GaussLegendre {
    /// The rule with `n` points, 1 to 1000.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) for another number.
    pub fn new(n: usize) -> Result<Self> {
        check_points(n)?;
        let mut nodes = vec![0.0; n];
        let mut weights = vec![0.0; n];
        for i in 0..n.div_ceil(2) {
            let angle = std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5);
            let mut x = if 2 * i + 1 == n { 0.0 } else { angle.cos() };
            // The guess is good to n^-4; three steps square that past rounding, the rest is for n = 1 and 2.
            for _ in 0..6 {
                let (p, slope) = legendre(n, x);
                x -= p / slope;
            }
            let (_, slope) = legendre(n, x);
            let weight = 2.0 / ((1.0 - x * x) * slope * slope);
            (nodes[i], nodes[n - 1 - i]) = (-x, x);
            (weights[i], weights[n - 1 - i]) = (weight, weight);
        }
        Ok(Self { nodes, weights })
    }

    /// Nodes in (-1, 1), ascending.
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Weights of the nodes; they add up to 2.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// $`\int_a^b f(x)\,dx`$; `a > b` changes the sign.
    pub fn integrate<F: FnMut(f64) -> f64>(&self, mut f: F, a: f64, b: f64) -> f64 {
        let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
        let terms = self.nodes.iter().zip(&self.weights);
        half * terms.map(|(x, w)| w * f(middle + half * x)).sum::<f64>()
    }
}

/// The Legendre polynomial of degree `n` and its derivative, for |x| < 1.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut p) = (1.0, x);
    for k in 1..n {
        let k = k as f64;
        (before, p) = (p, ((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0));
    }
    (p, n as f64 * (before - x * p) / (1.0 - x * x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn reference_values() {
        // mpmath at 60 digits: (n, index from the right, node, weight).
        for (n, i, node, weight) in [
            (1, 0, 0.0, 2.0),
            (2, 0, 0.5773502691896257, 1.0),
            (5, 0, 0.906179845938664, 0.23692688505618908),
            (5, 1, 0.5384693101056831, 0.47862867049936647),
            (20, 0, 0.9931285991850949, 0.017614007139152118),
            (20, 9, 0.07652652113349734, 0.15275338713072584),
            (100, 0, 0.9997137267734413, 0.0007346344905056717),
            (100, 49, 0.015628984421543084, 0.031255423453863354),
            (1000, 0, 0.9999971112980756, 7.413338416432072e-06),
            (1000, 1, 0.9999847796329174, 1.725676977373923e-05),
            (1000, 499, 0.0015700104800831938, 0.003140018380182868),
        ] {
            let rule = GaussLegendre::new(n).unwrap();
            assert_relative_eq!(rule.nodes()[n - 1 - i], node, max_relative = 4e-16);
            assert_relative_eq!(rule.weights()[n - 1 - i], weight, max_relative = 1e-13);
        }
    }

    #[test]
    fn exact_for_polynomials() {
        for n in [1, 2, 3, 4, 7, 16, 31] {
            let rule = GaussLegendre::new(n).unwrap();
            assert!(rule.nodes().windows(2).all(|pair| pair[0] < pair[1]));
            for degree in 0..2 * n {
                let value = rule.integrate(|x| x.powi(degree as i32), -1.0, 1.0);
                let exact = if degree % 2 == 0 { 2.0 / (degree + 1) as f64 } else { 0.0 };
                assert!((value - exact).abs() < 1e-14, "n = {n}, degree {degree}");
            }
            // One degree more shows the rule's own error, so the test can fail.
            let value = rule.integrate(|x| x.powi(2 * n as i32), -1.0, 1.0);
            assert!(n > 16 || (value - 2.0 / (2 * n + 1) as f64).abs() > 1e-12);
        }
    }

    #[test]
    fn limits_and_size() {
        let rule = GaussLegendre::new(40).unwrap();
        assert_relative_eq!(rule.integrate(f64::exp, 1.0, 0.0), 1.0 - 1f64.exp(), max_relative = 1e-14);
        assert!(rule.integrate(f64::exp, 0.5, 0.5) == 0.0);
        assert!(GaussLegendre::new(0).is_err() && GaussLegendre::new(1001).is_err());
    }
}
