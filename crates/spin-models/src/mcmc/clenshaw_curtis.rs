//! Clenshaw-Curtis quadrature with its embedded rule of half the order.

use std::f64::consts::PI;

/// Nodes on `[-1, 1]`, ascending, the weights of the full rule and those of the embedded one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClenshawCurtis {
    pub nodes: Vec<f64>,
    pub weights: Vec<f64>,
    /// Zero at the nodes that the embedded rule does not use, every second one.
    pub embedded: Vec<f64>,
}

/// The weights of `n + 1` points `cos(kπ/n)`, n even (C. W. Clenshaw and A. R. Curtis, Numer. Math. 2, 197 (1960)).
fn weights(n: usize) -> Vec<f64> {
    let weight = |k: usize| {
        let theta = k as f64 * PI / n as f64;
        let terms = (1..=n / 2).map(|j| {
            let factor = if 2 * j == n { 1.0 } else { 2.0 };
            factor * (2.0 * j as f64 * theta).cos() / (4.0 * (j * j) as f64 - 1.0)
        });
        let ends = if k == 0 || k == n { 1.0 } else { 2.0 };
        ends / n as f64 * (1.0 - terms.sum::<f64>())
    };
    (0..=n).map(weight).collect()
}

impl ClenshawCurtis {
    /// The rule of `n + 1` nodes; `n` a multiple of 4.
    pub fn new(n: usize) -> Self {
        let half = weights(n / 2);
        Self {
            nodes: (0..=n).map(|k| -(k as f64 * PI / n as f64).cos()).collect(),
            weights: weights(n),
            embedded: (0..=n).map(|k| if k % 2 == 0 { half[k / 2] } else { 0.0 }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for n in [4, 8, 16, 32] {
            let rule = ClenshawCurtis::new(n);
            let integral = |weights: &[f64], power: i32| -> f64 {
                rule.nodes.iter().zip(weights).map(|(x, w)| w * x.powi(power)).sum()
            };
            for power in 0..=n as i32 {
                let exact = if power % 2 == 0 { 2.0 / f64::from(power + 1) } else { 0.0 };
                approx::assert_abs_diff_eq!(integral(&rule.weights, power), exact, epsilon = 1e-14);
                if power <= n as i32 / 2 {
                    approx::assert_abs_diff_eq!(integral(&rule.embedded, power), exact, epsilon = 1e-14);
                }
            }
            assert!(rule.nodes.windows(2).all(|pair| pair[0] < pair[1]));
        }
        // Simpson's rule is the first.
        for (got, simpson) in weights(2).into_iter().zip([1.0 / 3.0, 4.0 / 3.0, 1.0 / 3.0]) {
            approx::assert_abs_diff_eq!(got, simpson, epsilon = 1e-15);
        }
    }
}
