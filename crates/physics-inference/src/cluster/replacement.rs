//! One coefficient for a whole cluster.

/// The coefficient $`\frac1K \sum_k q_k J_k`$ of the cluster variable that replaces $`\sum_k J_k b_k`$.
///
/// ```
/// use physics_inference::cluster::replacement_coefficient;
///
/// assert!((replacement_coefficient(&[0.3, -0.1], &[1, -1]) - 0.2).abs() < 1e-15);
/// ```
///
/// # Panics
/// If the lengths differ or are 0.
pub fn replacement_coefficient(couplings: &[f64], signs: &[i8]) -> f64 {
    assert_eq!(couplings.len(), signs.len(), "{} couplings for {} signs", couplings.len(), signs.len());
    assert!(!signs.is_empty(), "a cluster has a member");
    couplings.iter().zip(signs).map(|(j, &q)| j * f64::from(q)).sum::<f64>() / signs.len() as f64
}

/// Exact mean-square error of the replacement.
///
/// ```math
/// \delta J^T C\,\delta J, \qquad \delta J_k = q_k J_k - \tfrac1K \sum_l q_l J_l,
/// ```
///
/// with the signed covariance $`C_{kl} = q_k q_l\,\mathrm{Cov}(b_k, b_l)`$. For unit variances and equal signed correlations
/// $`\rho`$ it is $`|\delta J|^2 (1-\rho)`$. `covariance(k, l)` is that of the members, without signs.
///
/// ```
/// use physics_inference::cluster::replacement_error;
///
/// // Six copies of one hidden spin, each flipped with probability 0.05: ρ = 0.9².
/// let signs = [1, 1, -1, 1, -1, 1];
/// let covariance = |k: usize, l: usize| if k == l { 1.0 } else { 0.81 * f64::from(signs[k] * signs[l]) };
/// let error = replacement_error(&[0.3, -0.2, 0.5, 0.1, 0.7, -0.4], &signs, covariance);
/// assert!((error.sqrt() - 0.368148520753966).abs() < 1e-12);
/// ```
///
/// # Panics
/// If the lengths differ or are 0.
pub fn replacement_error(couplings: &[f64], signs: &[i8], covariance: impl Fn(usize, usize) -> f64) -> f64 {
    let mean = replacement_coefficient(couplings, signs);
    // δJ_k times the sign once more, so that the covariance needs none.
    let delta: Vec<f64> = couplings.iter().zip(signs).map(|(j, &q)| j - mean * f64::from(q)).collect();
    quadratic_form(&delta, covariance)
}

/// Variance of the cluster variable, $`\sum_{kl} q_k q_l\,\mathrm{Cov}(b_k, b_l)`$: the mass of the cluster.
///
/// ```
/// use physics_inference::cluster::mass;
///
/// let covariance = |k: usize, l: usize| if k == l { 1.0 } else { 0.81 };
/// assert!((mass(&[1; 6], covariance) - 30.3).abs() < 1e-12);
/// ```
pub fn mass(signs: &[i8], covariance: impl Fn(usize, usize) -> f64) -> f64 {
    let signs: Vec<f64> = signs.iter().map(|&q| f64::from(q)).collect();
    quadratic_form(&signs, covariance)
}

fn quadratic_form(x: &[f64], matrix: impl Fn(usize, usize) -> f64) -> f64 {
    (0..x.len()).map(|k| x[k] * (0..x.len()).map(|l| matrix(k, l) * x[l]).sum::<f64>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::generate::planted_clusters;
    use crate::series::Correlations;
    use linalg_core::Streams;

    #[test]
    fn a_sum_without_signs_is_worse() {
        // The text multiplies the same coefficient with the plain sum of the members.
        let (couplings, signs) = ([0.3, -0.2, 0.5, 0.1, 0.7, -0.4], [1, 1, -1, 1, -1, 1]);
        let covariance = |k: usize, l: usize| if k == l { 1.0 } else { 0.81 * f64::from(signs[k] * signs[l]) };
        let mean = replacement_coefficient(&couplings, &signs);
        let unsigned = quadratic_form(&couplings.map(|j| j - mean), covariance);
        assert!((unsigned.sqrt() - 1.0266125526864227).abs() < 1e-12);
        assert!((replacement_error(&couplings, &signs, covariance).sqrt() - 0.36815).abs() < 5e-6);
    }

    #[test]
    fn the_error_is_that_of_the_samples() {
        // The formula holds exactly for the empirical covariance of any stream.
        let mut rng = Streams::new(3).stream(0);
        let stream = planted_clusters(1, 5, 0.1, 2000, &mut rng).unwrap();
        let pairs = Correlations::new(&stream.series).unwrap();
        let signs: Vec<i8> = (0..5).map(|k| if pairs.rho(0, k) < 0.0 { -1 } else { 1 }).collect();
        let couplings = [0.3, -0.2, 0.5, 0.1, 0.7];
        let coefficient = replacement_coefficient(&couplings, &signs);
        let (mut mean, mut square) = (0.0, 0.0);
        for t in 0..2000 {
            let b = |k: usize| f64::from(stream.series.get(k, t));
            let difference: f64 = (0..5).map(|k| (couplings[k] - coefficient * f64::from(signs[k])) * b(k)).sum();
            mean += difference / 2000.0;
            square += difference * difference / 2000.0;
        }
        let error = replacement_error(&couplings, &signs, |k, l| pairs.covariance(k, l));
        assert!((error - (square - mean * mean)).abs() < 1e-12);
    }
}
