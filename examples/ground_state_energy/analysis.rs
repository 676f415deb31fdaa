//! Means with control variates, and the extrapolation.

use linalg_core::stats::Estimate;

use super::samples::Sample;

/// One size.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub l: usize,
    pub samples: usize,
    /// Energy per spin, corrected.
    pub energy: Estimate,
    /// By how much the correction has shortened the error bar.
    pub gain: f64,
}

impl Point {
    /// The mean energy per spin. The regression on the controls takes off the part of their deviations from the known
    /// mean; its coefficients come from the same samples, which biases the mean by a part 1/samples of its error.
    pub fn new(l: usize, samples: &[Sample]) -> Self {
        let n = samples.len() as f64;
        let mean = |f: &dyn Fn(&Sample) -> f64| samples.iter().map(f).sum::<f64>() / n;
        let energy = mean(&|s| s.energy);
        let centers: [f64; 3] = std::array::from_fn(|k| mean(&|s| s.controls[k]));
        let moment = |j: usize, k: usize| mean(&|s| (s.controls[j] - centers[j]) * (s.controls[k] - centers[k]));
        let mut rows: Vec<[f64; 4]> = (0..3)
            .map(|j| {
                let with_energy = mean(&|s| (s.controls[j] - centers[j]) * (s.energy - energy));
                [moment(j, 0), moment(j, 1), moment(j, 2), with_energy]
            })
            .collect();
        let slopes = solve(&mut rows);
        let correct = |s: &Sample| s.energy - (0..3).map(|k| slopes[k] * s.controls[k]).sum::<f64>();
        let corrected = mean(&correct);
        let variance = |center: f64, f: &dyn Fn(&Sample) -> f64| mean(&|s| (f(s) - center).powi(2));
        let (plain, left) = (variance(energy, &|s| s.energy), variance(corrected, &correct));
        let sites = (l * l) as f64;
        let error = (left / (n - 4.0)).sqrt() / sites;
        Self { l, samples: samples.len(), energy: Estimate::new(corrected / sites, error), gain: (plain / left).sqrt() }
    }
}

/// Solves a symmetric system without negative eigenvalues, last column the right side; directions without any weight
/// get 0.
fn solve<const N: usize>(rows: &mut [[f64; N]]) -> Vec<f64> {
    let n = rows.len();
    let sizes: Vec<f64> = (0..n).map(|k| rows[k][k]).collect();
    let dead: Vec<bool> = (0..n)
        .map(|k| {
            let pivot = rows[k];
            let dead = pivot[k] <= 1e-10 * sizes[k].max(1e-300);
            for (_, row) in rows.iter_mut().enumerate().filter(|&(i, _)| i != k && !dead) {
                let factor = row[k] / pivot[k];
                row.iter_mut().zip(pivot).for_each(|(x, y)| *x -= factor * y);
            }
            dead
        })
        .collect();
    (0..n).map(|k| if dead[k] { 0.0 } else { rows[k][n] / rows[k][k] }).collect()
}

/// e + a/L + b/L² + c/L³.
///
/// Edges and corners make the first two terms. Without the third one sizes of 4 to 48 give values that are too low by
/// several error bars, and χ² shows it.
#[derive(Debug, Clone, Copy)]
pub struct Fit {
    pub energy: Estimate,
    /// a, b and c.
    pub corrections: [f64; 3],
    pub chi_square: f64,
    pub degrees: usize,
}

impl Fit {
    /// Least squares, weighted by the errors.
    pub fn new(points: &[Point]) -> Self {
        let basis = |l: usize| [0, 1, 2, 3].map(|k| (l as f64).powi(-k));
        let weight = |p: &Point| p.energy.std_error.unwrap_or(1.0).powi(-2);
        // Right sides: the data, and the first unit vector for the variance of e.
        let system = |right: &dyn Fn(usize) -> f64| {
            let mut rows = [[0.0; 5]; 4];
            for p in points {
                let x = basis(p.l);
                for (row, &x_j) in rows.iter_mut().zip(&x) {
                    for (entry, &x_k) in row.iter_mut().zip(&x) {
                        *entry += weight(p) * x_j * x_k;
                    }
                }
            }
            for (k, row) in rows.iter_mut().enumerate() {
                row[4] = right(k);
            }
            solve(&mut rows)
        };
        let coefficients = system(&|k| points.iter().map(|p| weight(p) * basis(p.l)[k] * p.energy.value).sum());
        let variance = system(&|k| if k == 0 { 1.0 } else { 0.0 })[0];
        let mut fit = Self {
            energy: Estimate::new(coefficients[0], variance.sqrt()),
            corrections: [coefficients[1], coefficients[2], coefficients[3]],
            chi_square: 0.0,
            degrees: points.len() - 4,
        };
        fit.chi_square = points.iter().map(|p| weight(p) * (p.energy.value - fit.at(p.l as f64)).powi(2)).sum();
        fit
    }

    /// The fitted energy of a size.
    pub fn at(&self, l: f64) -> f64 {
        let [a, b, c] = self.corrections;
        self.energy.value + (a + (b + c / l) / l) / l
    }
}
