//! Crossings, tables and the figure.

use linalg_core::stats::Estimate;
use nalgebra::{Matrix3, Vector3};
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

use crate::{Args, Failure, Point};

/// Published range of the threshold.
const PUBLISHED: [f64; 2] = [0.1092, 0.1094];

/// Weighted least squares `a + b x + c x²` about the mean rate, with the covariance of the parameters.
struct Parabola {
    center: f64,
    parameters: Vector3<f64>,
    covariance: Matrix3<f64>,
}

impl Parabola {
    fn fit(points: &[&Point]) -> Option<Self> {
        let center = points.iter().map(|point| point.p).sum::<f64>() / points.len() as f64;
        let (mut matrix, mut right) = (Matrix3::zeros(), Vector3::zeros());
        for point in points {
            let error = point.binder.std_error.filter(|error| *error > 0.0)?;
            let powers = powers(point.p - center);
            matrix += error.powi(-2) * powers * powers.transpose();
            right += error.powi(-2) * point.binder.value * powers;
        }
        let covariance = matrix.try_inverse()?;
        Some(Self { center, parameters: covariance * right, covariance })
    }

    fn value(&self, p: f64) -> f64 {
        self.parameters.dot(&powers(p - self.center))
    }

    fn variance(&self, p: f64) -> f64 {
        let powers = powers(p - self.center);
        powers.dot(&(self.covariance * powers))
    }
}

fn powers(x: f64) -> Vector3<f64> {
    Vector3::new(1.0, x, x * x)
}

/// Where the curves of two sizes cross within the rates, by bisection; the error from those of both curves and their slopes.
fn crossing(small: &Parabola, large: &Parabola, low: f64, high: f64) -> Option<Estimate> {
    let difference = |p: f64| large.value(p) - small.value(p);
    let (mut a, mut b) = (low, high);
    if difference(a) * difference(b) > 0.0 {
        return None;
    }
    for _ in 0..60 {
        let middle = 0.5 * (a + b);
        if difference(a) * difference(middle) <= 0.0 { b = middle } else { a = middle }
    }
    let p = 0.5 * (a + b);
    let step = 1e-3 * (high - low);
    let slope = (difference(p + step) - difference(p - step)) / (2.0 * step);
    Some(Estimate::new(p, (small.variance(p) + large.variance(p)).sqrt() / slope.abs()))
}

pub fn report(args: &Args, points: &[Point]) -> Result<(), Failure> {
    let of_size = |l: usize| points.iter().filter(|point| point.l == l).collect::<Vec<_>>();
    let mut figure = Curves {
        title: "Toric code, bit flips: Binder cumulant on the Nishimori line".to_owned(),
        x_label: "error rate p".to_owned(),
        y_label: "1 - <m^4> / 3 <m^2>^2".to_owned(),
        ..Curves::default()
    };
    if !args.json {
        println!(
            "{:>4} {:>8} {:>10} {:>9} {:>13} {:>7} {:>12}",
            "L", "p", "Binder", "±", "bond - (1-2p)", "z", "starts, %"
        );
    }
    for point in points {
        let z = point.identity.z_score(&Estimate::exact(0.0));
        if args.json {
            let line = Line::new()
                .count("size", point.l as u64)
                .number("p", Some(point.p))
                .number("binder", Some(point.binder.value))
                .number("binder_std_error", point.binder.std_error)
                .number("bond_minus_exact", Some(point.identity.value))
                .number("bond_std_error", point.identity.std_error)
                .number("starts_difference", Some(point.starts));
            println!("{}", line.finish());
        } else {
            println!(
                "{:>4} {:>8.4} {:>10.5} {:>9.5} {:>13.6} {z:>7.2} {:>12.2}",
                point.l,
                point.p,
                point.binder.value,
                point.binder.std_error.unwrap_or(f64::NAN),
                point.identity.value,
                100.0 * point.starts
            );
        }
    }
    let (low, high) = args.p.iter().fold((f64::INFINITY, 0f64), |(low, high), &p| (low.min(p), high.max(p)));
    let mut previous: Option<(usize, Parabola)> = None;
    for &l in &args.sizes {
        let all = of_size(l);
        let curve = all.iter().map(|point| (point.p, point.binder.value, point.binder.std_error.unwrap_or(0.0)));
        figure.points.push(Points { name: format!("L = {l}"), points: curve.collect() });
        let Some(parabola) = Parabola::fit(&all) else { continue };
        figure.lines.push((
            format!("L = {l}, fit"),
            (0..=60).map(|k| low + (high - low) * f64::from(k) / 60.0).map(|p| (p, parabola.value(p))).collect(),
        ));
        if let Some((small, before)) = &previous {
            let found = crossing(before, &parabola, low, high);
            let (value, error) = (found.map(|found| found.value), found.and_then(|found| found.std_error));
            if args.json {
                let line = Line::new()
                    .count("small", *small as u64)
                    .count("large", l as u64)
                    .number("crossing", value)
                    .number("crossing_std_error", error);
                println!("{}", line.finish());
            } else if let (Some(value), Some(error)) = (value, error) {
                println!(
                    "L = {small} and {l} cross at p = {value:.5} ± {error:.5}; published threshold {} to {}",
                    PUBLISHED[0], PUBLISHED[1]
                );
            } else {
                println!("L = {small} and {l} do not cross between {low} and {high}");
            }
        }
        previous = Some((l, parabola));
    }
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("nishimori", "svg")?,
    };
    figure.write_svg(&file)?;
    figure.write_csv(&file.with_extension("csv"))?;
    if !args.json {
        println!("drawn to {}", file.display());
    }
    Ok(())
}
