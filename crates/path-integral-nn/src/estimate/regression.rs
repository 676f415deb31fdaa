//! Linear regression on quantities whose mean is known to be zero.

use linalg_core::eigen::symmetric_eigen;

use crate::error::Result;

/// Directions below this share of the largest are left out.
const CUT: f64 = 1e-9;

/// Columns of `width` that are fitted to `n` values: none with fewer than `least` values a column.
pub(super) fn fitted_columns(n: usize, width: usize, least: usize) -> usize {
    if n >= least * width { width } else { 0 }
}

/// `y` minus the linear combination of the columns of `rows` that leaves the least variance; the columns have mean zero by
/// theory, so that the mean stays.
///
/// `rows` are of length `width`, one a value. With fewer than `least` values a column there is nothing to fit: `y` as it is.
pub(super) fn residuals(y: &[f64], rows: &[f64], width: usize, least: usize) -> Result<Vec<f64>> {
    let n = y.len() as f64;
    if fitted_columns(y.len(), width, least) == 0 {
        return Ok(y.to_vec());
    }
    let mean = y.iter().sum::<f64>() / n;
    let mut centers = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        centers.iter_mut().zip(row).for_each(|(c, x)| *c += x / n);
    }
    let (mut covariance, mut with_y) = (vec![0.0; width * width], vec![0.0; width]);
    let mut deviation = vec![0.0; width];
    for (row, y) in rows.chunks_exact(width).zip(y) {
        deviation.iter_mut().zip(row.iter().zip(&centers)).for_each(|(d, (x, c))| *d = x - c);
        for i in 0..width {
            with_y[i] += deviation[i] * (y - mean) / n;
            for j in 0..=i {
                covariance[i * width + j] += deviation[i] * deviation[j] / n;
            }
        }
    }
    let scales: Vec<f64> = (0..width).map(|i| covariance[i * width + i].sqrt()).collect();
    let mut correlation = vec![0.0; width * width];
    for i in 0..width {
        for j in 0..=i {
            let scale = scales[i] * scales[j];
            let value = if scale > 0.0 { covariance[i * width + j] / scale } else { 0.0 };
            (correlation[i * width + j], correlation[j * width + i]) = (value, value);
        }
    }
    let eigen = symmetric_eigen(&correlation, width)?;
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let mut beta = vec![0.0; width];
    for k in (0..width).filter(|&k| eigen.values[k] > CUT * largest) {
        let vector = eigen.vector(k);
        let projected: f64 = (0..width).filter(|&i| scales[i] > 0.0).map(|i| vector[i] * with_y[i] / scales[i]).sum();
        for i in (0..width).filter(|&i| scales[i] > 0.0) {
            beta[i] += vector[i] * projected / (eigen.values[k] * scales[i]);
        }
    }
    let combination = |row: &[f64]| row.iter().zip(&beta).map(|(x, b)| x * b).sum::<f64>();
    Ok(rows.chunks_exact(width).zip(y).map(|(row, y)| y - combination(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::rng::{Streams, standard_normal};

    #[test]
    fn what_is_linear_goes() {
        let mut rng = Streams::new(1).stream(0);
        let (mut y, mut rows) = (Vec::new(), Vec::new());
        for _ in 0..2000 {
            let (a, b) = (standard_normal(&mut rng), standard_normal(&mut rng));
            // The third column is the sum of the others: a singular regression.
            rows.extend([a, 100.0 * b, a + 100.0 * b, 0.0]);
            y.push(2.0 + 3.0 * a - b);
        }
        let left = residuals(&y, &rows, 4, 20).unwrap();
        assert!(left.iter().all(|x| (x - 2.0).abs() < 1e-10));
        // Too few values to fit: as they are.
        assert_eq!(residuals(&y[..50], &rows[..200], 4, 20).unwrap(), y[..50]);
    }
}
