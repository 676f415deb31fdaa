//! Mechanisms with equal symptoms.

use std::collections::HashMap;

use linalg_core::gf2::BinaryCsc;

use crate::error::Result;
use crate::problem::DecodingProblem;

/// The probability that exactly one of two independent events happens, $`p (1-q) + q (1-p)`$.
pub fn xor_probability(p: f64, q: f64) -> f64 {
    p * (1.0 - q) + q * (1.0 - p)
}

/// Joins mechanisms that flip the same detectors and the same observables.
///
/// Two of them act together like one with $`p (1-q) + q (1-p)`$, so the law of detectors and observables is unchanged. The
/// list gives, for every mechanism, its number among the merged ones, which keep the order of first appearance. Linear
/// time.
///
/// ```
/// use quantum_ec::DetectorErrorModel;
/// use quantum_ec::dem::merge_equal;
///
/// let model: DetectorErrorModel = "
///     error(0.1) D0 L0
///     error(0.25) D0
///     error(0.5) L0 D0
/// ".parse()?;
/// let (merged, place) = merge_equal(&model.to_problem()?)?;
/// assert_eq!(merged.priors(), [0.5, 0.25]);
/// assert_eq!(place, [0, 1, 0]);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// None for a valid problem.
pub fn merge_equal(problem: &DecodingProblem) -> Result<(DecodingProblem, Vec<usize>)> {
    let mut known: HashMap<(&[usize], &[usize]), usize> = HashMap::new();
    let mut first = Vec::new();
    let mut priors: Vec<f64> = Vec::new();
    let mut place = Vec::with_capacity(problem.n_mechanisms());
    for (j, &p) in problem.priors().iter().enumerate() {
        let symptom = (problem.checks().column(j), problem.observables().column(j));
        let merged = *known.entry(symptom).or_insert(first.len());
        if merged == first.len() {
            first.push(j);
            priors.push(p);
        } else {
            priors[merged] = xor_probability(priors[merged], p);
        }
        place.push(merged);
    }
    let column_of = |matrix: &BinaryCsc| {
        let columns: Vec<Vec<usize>> = first.iter().map(|&j| matrix.column(j).to_vec()).collect();
        BinaryCsc::from_columns(matrix.n_rows(), columns)
    };
    let merged = DecodingProblem::new(column_of(problem.checks())?, column_of(problem.observables())?, priors)?;
    Ok((merged, place))
}
