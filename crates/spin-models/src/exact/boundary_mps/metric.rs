//! A root of a metric.

use super::select::dot;

/// `L` with `L Lᵗ = G` for a positive semidefinite matrix, up to rounding; rows in the order of those of `G`.
///
/// Pivoted Cholesky decomposition: the largest remaining diagonal entry comes next. What remains at the level of
/// rounding errors is replaced by a diagonal matrix, so that the states it belongs to keep a small weight.
pub(super) fn root(metric: &[f64], n: usize) -> Vec<f64> {
    let mut root = vec![0.0; n * n];
    let mut rest: Vec<f64> = metric.iter().step_by(n + 1).copied().collect();
    let floor = n as f64 * f64::EPSILON * rest.iter().copied().fold(0.0, f64::max);
    let mut open: Vec<usize> = (0..n).collect();
    for column in 0..n {
        let Some(place) = (0..open.len()).max_by(|&p, &q| rest[open[p]].total_cmp(&rest[open[q]])) else { break };
        if rest[open[place]] <= floor {
            for (k, &i) in open.iter().enumerate() {
                root[i * n + column + k] = rest[i].max(floor).sqrt();
            }
            break;
        }
        let pivot = open.swap_remove(place);
        let length = rest[pivot].sqrt();
        let inverse = length.recip();
        let known: Vec<f64> = root[pivot * n..pivot * n + column].to_vec();
        root[pivot * n + column] = length;
        for &i in &open {
            let row = &mut root[i * n..i * n + column + 1];
            let entry = (metric[pivot * n + i] - dot(&row[..column], &known)) * inverse;
            row[column] = entry;
            rest[i] -= entry * entry;
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use linalg_core::Streams;
    use rand::RngExt;

    #[test]
    fn the_square_of_the_root_is_the_metric() {
        let mut rng = Streams::new(6).stream(0);
        for (n, rank) in [(1, 1), (2, 1), (7, 7), (20, 20), (20, 3), (5, 0)] {
            let factors: Vec<f64> = (0..n * rank).map(|_| rng.random_range(-1.0..1.0)).collect();
            let row = |i: usize| &factors[i * rank..(i + 1) * rank];
            let metric: Vec<f64> = (0..n * n).map(|k| dot(row(k / n), row(k % n))).collect();
            let root = root(&metric, n);
            for i in 0..n {
                for j in 0..n {
                    let square = dot(&root[i * n..(i + 1) * n], &root[j * n..(j + 1) * n]);
                    assert_abs_diff_eq!(square, metric[i * n + j], epsilon = 1e-13);
                }
            }
        }
    }
}
