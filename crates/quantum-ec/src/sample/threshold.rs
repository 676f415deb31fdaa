//! The crossing of logical error rates by finite-size scaling.

use linalg_core::stats::Estimate;

use crate::error::{Error, Result};

/// A measured rate of logical errors.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RatePoint {
    /// Code distance, or another linear size.
    pub distance: f64,
    /// Physical error rate.
    pub p: f64,
    /// Shots kept.
    pub shots: u64,
    /// Logical errors among them.
    pub errors: u64,
}

/// The result of [`fit_threshold`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ThresholdFit {
    /// The physical rate $`p_c`$ at which the curves cross.
    pub threshold: Estimate,
    /// The exponent $`\nu`$.
    pub nu: Estimate,
    /// $`A`$, $`B`$, $`C`$.
    pub coefficients: [f64; 3],
    /// Sum of squared deviations in units of their variances.
    pub chi_square: f64,
    /// Points minus five; the fit is poor where chi square is much larger.
    pub degrees_of_freedom: usize,
    /// Whether the minimum was reached, with the crossing inside the range of `p` and its error smaller than the range.
    pub converged: bool,
}

impl ThresholdFit {
    /// The fitted rate at a distance and a physical rate.
    pub fn rate(&self, distance: f64, p: f64) -> f64 {
        let x = (p - self.threshold.value) * distance.powf(1.0 / self.nu.value);
        let [a, b, c] = self.coefficients;
        a + x * (b + x * c)
    }
}

/// Fits the logical error rates near a threshold.
///
/// The scaling ansatz of Wang, Harrington and Preskill (Ann. Phys. 303, 31 (2003)), to second order:
///
/// ```math
/// P(d, p) = A + B x + C x^2, \qquad x = (p - p_c)\, d^{1/\nu} .
/// ```
///
/// Least squares with the binomial variances, $`\hat P = (k + \tfrac12)/(n + 1)`$ in them so that rare counts keep a weight;
/// $`A, B, C`$ exactly for each $`(p_c, \nu)`$ on a grid, then all five by Levenberg's and Marquardt's method. The errors are
/// those of the inverse curvature matrix; they hold if the ansatz does: check `chi_square`, and keep to a narrow range about
/// the crossing. Cost: some thousand solutions of 5 linear equations.
///
/// ```
/// use quantum_ec::sample::{RatePoint, fit_threshold};
///
/// // A threshold of 0.1 with ν = 1.5, counted exactly.
/// let mut points = Vec::new();
/// for distance in [3.0, 5.0, 7.0] {
///     for p in [0.09, 0.095, 0.1, 0.105, 0.11] {
///         let x = (p - 0.1) * f64::powf(distance, 1.0 / 1.5);
///         let errors = (1e9 * (0.2 + 2.0 * x - x * x)).round() as u64;
///         points.push(RatePoint { distance, p, shots: 1_000_000_000, errors });
///     }
/// }
/// let fit = fit_threshold(&points)?;
/// assert!(fit.converged && (fit.threshold.value - 0.1).abs() < 1e-5 && (fit.nu.value - 1.5).abs() < 1e-2);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for fewer than six points, fewer than two distances or three physical rates, a point without shots
/// or with more errors than shots, and numbers that are not finite or distances that are not positive.
pub fn fit_threshold(points: &[RatePoint]) -> Result<ThresholdFit> {
    let data = Data::new(points)?;
    let mut best = (f64::INFINITY, [0.0; 5]);
    for k in 0..=40 {
        let threshold = data.low + (data.high - data.low) * f64::from(k) / 40.0;
        for step in 0..=24 {
            // 0.4 to 6.3.
            let nu = 0.4 * (f64::from(step) / 8.7).exp();
            let Some([a, b, c]) = data.linear(threshold, nu) else { continue };
            let parameters = [threshold, nu, a, b, c];
            let chi_square = data.chi_square(&parameters);
            if chi_square < best.0 {
                best = (chi_square, parameters);
            }
        }
    }
    let (mut chi_square, mut parameters) = best;
    let (mut damping, mut settled) = (1e-3, false);
    for _ in 0..500 {
        let (matrix, gradient) = data.normal_equations(&parameters);
        let mut damped = matrix;
        (0..5).for_each(|i| damped[i][i] *= 1.0 + damping);
        let step = solve(damped, gradient);
        let next = step.map(|step| std::array::from_fn(|i| parameters[i] + step[i]));
        let lower = next.map(|next| (data.chi_square(&next), next)).filter(|(value, _)| *value <= chi_square);
        match lower {
            Some((value, next)) => {
                settled = chi_square - value <= 1e-12 * (1.0 + chi_square);
                (chi_square, parameters) = (value, next);
                damping = (damping * 0.2f64).max(1e-12);
                if settled {
                    break;
                }
            }
            // As steep as rounding lets it be.
            None if damping > 1e12 => {
                settled = true;
                break;
            }
            None => damping *= 5.0,
        }
    }
    let (matrix, _) = data.normal_equations(&parameters);
    let variance = |i: usize| {
        let unit = std::array::from_fn(|k| f64::from(u8::from(k == i)));
        solve(matrix, unit).map_or(f64::INFINITY, |column| column[i])
    };
    let [threshold, nu, a, b, c] = parameters;
    let (threshold_error, nu_error) = (variance(0).sqrt(), variance(1).sqrt());
    // Curves that do not cross leave the threshold anywhere in the range.
    let isolated = threshold_error < data.high - data.low && nu_error.is_finite();
    Ok(ThresholdFit {
        threshold: Estimate::new(threshold, threshold_error),
        nu: Estimate::new(nu, nu_error),
        coefficients: [a, b, c],
        chi_square,
        degrees_of_freedom: points.len() - 5,
        converged: settled && isolated && nu > 0.0 && (data.low..=data.high).contains(&threshold),
    })
}

struct Data {
    /// Distance, physical rate, logical rate and its standard deviation.
    points: Vec<[f64; 4]>,
    low: f64,
    high: f64,
}

impl Data {
    fn new(points: &[RatePoint]) -> Result<Self> {
        let wrong = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if points.len() < 6 {
            return wrong("number of points", points.len().to_string(), "at least 6 for five parameters");
        }
        for point in points {
            if !(point.distance.is_finite() && point.distance > 0.0 && point.p.is_finite()) {
                return wrong(
                    "distance and rate",
                    format!("{} and {}", point.distance, point.p),
                    "finite, distance > 0",
                );
            }
            if point.shots == 0 || point.errors > point.shots {
                let value = format!("{} of {}", point.errors, point.shots);
                return wrong("errors of shots", value, "at least one shot and no more errors than shots");
            }
        }
        let different = |values: Vec<f64>| {
            let mut values = values;
            values.sort_unstable_by(f64::total_cmp);
            values.dedup();
            values
        };
        let distances = different(points.iter().map(|point| point.distance).collect());
        if distances.len() < 2 {
            return wrong("number of distances", distances.len().to_string(), "at least 2");
        }
        let rates = different(points.iter().map(|point| point.p).collect());
        if rates.len() < 3 {
            return wrong("number of physical rates", rates.len().to_string(), "at least 3");
        }
        let measured = |point: &RatePoint| {
            let n = point.shots as f64;
            let smooth = (point.errors as f64 + 0.5) / (n + 1.0);
            [point.distance, point.p, point.errors as f64 / n, (smooth * (1.0 - smooth) / n).sqrt()]
        };
        let (low, high) = (rates[0], rates[rates.len() - 1]);
        Ok(Self { points: points.iter().map(measured).collect(), low, high })
    }

    fn chi_square(&self, &[threshold, nu, a, b, c]: &[f64; 5]) -> f64 {
        let deviation = |&[d, p, rate, sigma]: &[f64; 4]| {
            let x = (p - threshold) * d.powf(1.0 / nu);
            ((rate - a - x * (b + x * c)) / sigma).powi(2)
        };
        self.points.iter().map(deviation).sum()
    }

    /// The best A, B, C for this threshold and exponent.
    fn linear(&self, threshold: f64, nu: f64) -> Option<[f64; 3]> {
        let (mut matrix, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
        for &[d, p, rate, sigma] in &self.points {
            let x = (p - threshold) * d.powf(1.0 / nu);
            accumulate(&mut matrix, &mut right, [1.0, x, x * x].map(|g| g / sigma), rate / sigma);
        }
        solve(matrix, right)
    }

    /// Curvature matrix and downhill vector at the parameters.
    fn normal_equations(&self, &[threshold, nu, a, b, c]: &[f64; 5]) -> ([[f64; 5]; 5], [f64; 5]) {
        let (mut matrix, mut right) = ([[0.0; 5]; 5], [0.0; 5]);
        for &[d, p, rate, sigma] in &self.points {
            let scale = d.powf(1.0 / nu);
            let x = (p - threshold) * scale;
            let slope = b + 2.0 * c * x;
            let row = [-slope * scale, -slope * x * d.ln() / (nu * nu), 1.0, x, x * x];
            accumulate(&mut matrix, &mut right, row.map(|g| g / sigma), (rate - a - x * (b + x * c)) / sigma);
        }
        (matrix, right)
    }
}

fn accumulate<const N: usize>(matrix: &mut [[f64; N]; N], right: &mut [f64; N], row: [f64; N], value: f64) {
    for i in 0..N {
        right[i] += row[i] * value;
        (0..N).for_each(|k| matrix[i][k] += row[i] * row[k]);
    }
}

/// Solves a symmetric positive definite system by Cholesky's factorisation of the matrix scaled to a unit diagonal; `None`
/// where it is singular to working precision.
fn solve<const N: usize>(matrix: [[f64; N]; N], right: [f64; N]) -> Option<[f64; N]> {
    let scale: [f64; N] = std::array::from_fn(|i| matrix[i][i].sqrt().recip());
    let mut lower = [[0.0; N]; N];
    for i in 0..N {
        for k in 0..=i {
            let dot: f64 = (0..k).map(|m| lower[i][m] * lower[k][m]).sum();
            let rest = matrix[i][k] * scale[i] * scale[k] - dot;
            lower[i][k] = if i > k {
                rest / lower[k][k]
            } else if rest > 1e-14 {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    let mut x = [0.0; N];
    for i in 0..N {
        let dot: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
        x[i] = (right[i] * scale[i] - dot) / lower[i][i];
    }
    for i in (0..N).rev() {
        let dot: f64 = (i + 1..N).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - dot) / lower[i][i];
    }
    (0..N).for_each(|i| x[i] *= scale[i]);
    x.iter().all(|x| x.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    const TRUE: [f64; 5] = [0.103, 1.47, 0.16, 1.1, 1.3];

    fn points(shots: u64, seed: Option<u64>) -> Vec<RatePoint> {
        let [threshold, nu, a, b, c] = TRUE;
        let mut rng = Streams::new(seed.unwrap_or(0)).fast_stream(0);
        let mut points = Vec::new();
        for distance in [5.0, 7.0, 9.0, 11.0f64] {
            for k in 0..7 {
                let p = 0.094 + 0.003 * f64::from(k);
                let x = (p - threshold) * distance.powf(1.0 / nu);
                let rate = a + x * (b + x * c);
                let errors = match seed {
                    None => (rate * shots as f64).round() as u64,
                    Some(_) => (0..shots).filter(|_| rng.random::<f64>() < rate).count() as u64,
                };
                points.push(RatePoint { distance, p, shots, errors });
            }
        }
        points
    }

    #[test]
    fn exact_data_give_the_parameters() {
        let fit = fit_threshold(&points(1 << 50, None)).unwrap();
        assert!(fit.converged);
        approx::assert_relative_eq!(fit.threshold.value, TRUE[0], max_relative = 1e-9);
        approx::assert_relative_eq!(fit.nu.value, TRUE[1], max_relative = 1e-7);
        for (found, expected) in fit.coefficients.into_iter().zip(&TRUE[2..]) {
            approx::assert_relative_eq!(found, expected, max_relative = 1e-6);
        }
        approx::assert_relative_eq!(fit.rate(7.0, TRUE[0]), TRUE[2], max_relative = 1e-6);
    }

    #[test]
    fn errors_cover_the_truth_as_often_as_they_should() {
        // 200 synthetic experiments: deviations in units of the quoted error have variance 1 (relative error 0.1), and
        // chi square is its number of degrees of freedom, 23, with an error of 0.48.
        const RUNS: u64 = 200;
        let (mut threshold, mut nu, mut chi_square) = (0.0, 0.0, 0.0);
        for seed in 0..RUNS {
            let fit = fit_threshold(&points(20_000, Some(seed))).unwrap();
            assert!(fit.converged, "seed {seed}");
            threshold += ((fit.threshold.value - TRUE[0]) / fit.threshold.std_error.unwrap()).powi(2);
            nu += ((fit.nu.value - TRUE[1]) / fit.nu.std_error.unwrap()).powi(2);
            chi_square += fit.chi_square;
        }
        let n = RUNS as f64;
        assert!((threshold / n - 1.0).abs() < 0.4, "{}", threshold / n);
        assert!((nu / n - 1.0).abs() < 0.5, "{}", nu / n);
        assert!((chi_square / n - 23.0).abs() < 2.4, "{}", chi_square / n);
    }

    #[test]
    fn data_without_a_crossing_do_not_converge() {
        let mut flat = points(1000, None);
        flat.iter_mut().for_each(|point| point.errors = 100);
        assert!(!fit_threshold(&flat).unwrap().converged);
        let mut below = points(1 << 40, None);
        below.retain(|point| point.p < 0.1015);
        assert!(!fit_threshold(&below).unwrap().converged);
    }

    #[test]
    fn bad_points_are_named() {
        let good = points(100, None);
        let message = |change: &dyn Fn(&mut Vec<RatePoint>)| {
            let mut list = good.clone();
            change(&mut list);
            fit_threshold(&list).unwrap_err().to_string()
        };
        assert_eq!(message(&|list| list.truncate(5)), "number of points is 5, expected at least 6 for five parameters");
        assert_eq!(message(&|list| list.truncate(7)), "number of distances is 1, expected at least 2");
        assert_eq!(
            message(&|list| list[3].errors = 101),
            "errors of shots is 101 of 100, expected at least one shot and no more errors than shots"
        );
        assert_eq!(
            message(&|list| list[0].p = f64::NAN),
            "distance and rate is 5 and NaN, expected finite, distance > 0"
        );
        assert_eq!(message(&|list| list.retain(|p| p.p < 0.099)), "number of physical rates is 2, expected at least 3");
    }
}
