//! The entropy that clusters correct.

use linalg_core::eigen::symmetric_eigen;

use crate::Result;

/// Averages and connected correlations of some spins, with the strength of their prior.
pub(super) struct Averages<'a> {
    pub magnetizations: &'a [f64],
    /// `⟨s_i s_j⟩ - m_i m_j`, n x n row-major.
    pub connected: &'a [f64],
    /// `γ`.
    pub prior: f64,
}

/// Entropy, couplings (n x n) and fields of a reference.
pub(super) struct ReferenceModel {
    pub entropy: f64,
    pub couplings: Vec<f64>,
    pub fields: Vec<f64>,
}

/// What is known of the cross-entropy before any cluster is added.
///
/// Any reference gives the same result once all clusters are kept; the contributions of clusters are those to the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reference {
    /// Nothing. Contributions on a chain then cancel exactly; for few strong couplings.
    None,
    /// `S_0 = ½ ln det Ĉ` with `Ĉ_ij = C_ij/√(p_i p_j)`, `p_i = 1 - m_i²`: the loops of naive mean field. For many weak couplings.
    ///
    /// With the prior it is the sum over eigenvalues ĉ of Ĉ of
    ///
    /// ```math
    /// -\tfrac12 \ln(1 - x) - \tfrac12 x \hat c + \tfrac{\gamma}{4} x^2, \qquad
    /// x = \frac{2 (\hat c - 1)}{\hat c + \gamma + \sqrt{(\hat c - \gamma)^2 + 4\gamma}} ,
    /// ```
    ///
    /// its minimum over x; the couplings are `Σ x v v^T / √(p_i p_j)` off the diagonal.
    MeanField,
}

impl Reference {
    /// # Errors
    /// Those of the eigenvalues; without prior, eigenvalues of 0 give infinite numbers, which are left to the caller.
    pub(super) fn of(self, averages: &Averages<'_>) -> Result<ReferenceModel> {
        let n = averages.magnetizations.len();
        let mut model = ReferenceModel { entropy: 0.0, couplings: vec![0.0; n * n], fields: vec![0.0; n] };
        if self == Self::None || n < 2 {
            return Ok(model);
        }
        let m = averages.magnetizations;
        let p: Vec<f64> = m.iter().map(|m| 1.0 - m * m).collect();
        let scale = |i: usize, j: usize| (p[i] * p[j]).sqrt();
        let normalized: Vec<f64> = (0..n * n)
            .map(|k| if k / n == k % n { 1.0 } else { averages.connected[k] / scale(k / n, k % n) })
            .collect();
        let eigen = symmetric_eigen(&normalized, n)?;
        let gamma = averages.prior;
        let root = |c: f64| 2.0 * (c - 1.0) / (c + gamma + ((c - gamma).powi(2) + 4.0 * gamma).sqrt());
        let mut matrix = vec![0.0; n * n];
        for (k, &c) in eigen.values.iter().enumerate() {
            let x = root(c);
            model.entropy += -0.5 * (-x).ln_1p() - 0.5 * x * c + 0.25 * gamma * x * x;
            let vector = eigen.vector(k);
            for (row, a) in matrix.chunks_exact_mut(n).zip(vector) {
                row.iter_mut().zip(vector).for_each(|(entry, b)| *entry += x * a * b);
            }
        }
        for i in 0..n {
            for j in (0..n).filter(|&j| j != i) {
                let coupling = matrix[i * n + j] / scale(i, j);
                model.couplings[i * n + j] = coupling;
                // The derivative of Ĉ with respect to m_i.
                model.fields[i] += coupling * (averages.connected[i * n + j] * m[i] / p[i] - m[j]);
            }
        }
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: [f64; 3] = [0.2, -0.3, 0.4];
    const C: [f64; 9] = [0.96, 0.2, -0.1, 0.2, 0.91, 0.15, -0.1, 0.15, 0.84];

    /// Without prior: ½ ln det of a 3 x 3 matrix written out, and minus its derivatives.
    #[test]
    fn parameters_are_derivatives_of_the_entropy() {
        let entropy = |m: [f64; 3], products: [f64; 3]| {
            let c = |i: usize, j: usize, x: f64| (x - m[i] * m[j]) / ((1.0 - m[i] * m[i]) * (1.0 - m[j] * m[j])).sqrt();
            let (a, b, d) = (c(0, 1, products[0]), c(0, 2, products[1]), c(1, 2, products[2]));
            0.5 * (1.0 + 2.0 * a * b * d - a * a - b * b - d * d).ln()
        };
        let products = [C[1] + M[0] * M[1], C[2] + M[0] * M[2], C[5] + M[1] * M[2]];
        let averages = Averages { magnetizations: &M, connected: &C, prior: 0.0 };
        let model = Reference::MeanField.of(&averages).unwrap();
        approx::assert_abs_diff_eq!(model.entropy, entropy(M, products), epsilon = 1e-13);
        let step = 1e-5;
        for (k, at) in [1, 2, 5].into_iter().enumerate() {
            let (mut up, mut down) = (products, products);
            (up[k], down[k]) = (up[k] + step, down[k] - step);
            let slope = (entropy(M, up) - entropy(M, down)) / (2.0 * step);
            approx::assert_abs_diff_eq!(model.couplings[at], -slope, epsilon = 1e-8);
        }
        for i in 0..3 {
            let (mut up, mut down) = (M, M);
            (up[i], down[i]) = (up[i] + step, down[i] - step);
            let slope = (entropy(up, products) - entropy(down, products)) / (2.0 * step);
            approx::assert_abs_diff_eq!(model.fields[i], -slope, epsilon = 1e-8);
        }
    }

    /// The value is a minimum over the matrix of couplings: moved in any direction it rises.
    #[test]
    fn the_prior_enters_as_defined() {
        let gamma = 0.3;
        let p = M.map(|m| 1.0 - m * m);
        let scaled: Vec<f64> = (0..9).map(|k| C[k] / (p[k / 3] * p[k % 3]).sqrt()).collect();
        let value = |x: &[f64]| {
            let rest: Vec<f64> = (0..9).map(|k| f64::from(u8::from(k % 4 == 0)) - x[k]).collect();
            let [a, b, c, d, e, f, g, h, i] = rest[..] else { panic!() };
            let det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
            let trace: f64 = x.iter().zip(&scaled).map(|(x, c)| x * c).sum();
            -0.5 * det.ln() - 0.5 * trace + 0.25 * gamma * x.iter().map(|x| x * x).sum::<f64>()
        };
        let averages = Averages { magnetizations: &M, connected: &C, prior: gamma };
        let model = Reference::MeanField.of(&averages).unwrap();
        let mut x: Vec<f64> = (0..9).map(|k| model.couplings[k] * (p[k / 3] * p[k % 3]).sqrt()).collect();
        // The diagonal is free: its own best value, by a few steps of bisection of nothing but the value.
        for _ in 0..200 {
            for k in [0, 4, 8] {
                let around = |y: f64, x: &[f64]| {
                    let mut x = x.to_vec();
                    x[k] = y;
                    value(&x)
                };
                let (mut low, mut high) = (-0.5, 0.5);
                for _ in 0..60 {
                    let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                    if around(a, &x) < around(b, &x) { high = b } else { low = a }
                }
                x[k] = 0.5 * (low + high);
            }
        }
        approx::assert_abs_diff_eq!(value(&x), model.entropy, epsilon = 1e-12);
        for k in [1, 2, 5] {
            for step in [1e-3, -1e-3] {
                let mut moved = x.clone();
                let mirrored = k % 3 * 3 + k / 3;
                (moved[k], moved[mirrored]) = (moved[k] + step, moved[mirrored] + step);
                assert!(value(&moved) > model.entropy);
            }
        }
    }
}
