//! Patterns stored.

use linalg_core::stats::Running;
use linalg_core::{Streams, threads};
use nalgebra::{Matrix3, Vector3};
use spin_models::theory::perceptron::{Examples, Gamp, Inputs, Storage, Weights, gardner_capacity};
use workspace_examples::figure::{Curves, Points};
use workspace_examples::json::Line;

use crate::{Args, Failure};

/// Loads at which solutions are counted; message passing settles there.
const LOADS: [f64; 8] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75];

pub fn run(args: &Args) -> Result<(), Failure> {
    gardner(args)?;
    let storage = Storage::new(Weights::Binary, 0.0)?;
    let replicas = storage.capacity()?;
    if !args.json {
        println!("binary weights, N = {}: entropy a weight", args.n);
        println!("{:>6} {:>10} {:>10} {:>10} {:>7} {:>9}", "load", "replicas", "instances", "±", "z", "settled");
    }
    let mut points = Vec::new();
    for (k, alpha) in LOADS.into_iter().enumerate() {
        let theory = storage.at(alpha)?;
        let (counted, settled) = count(args, alpha, k as u64)?;
        let z = (counted.mean() - theory.entropy) / counted.std_error();
        points.push((alpha, counted.mean(), counted.std_error()));
        if args.json {
            let line = Line::new().text("part", "entropy").number("load", Some(alpha));
            let line = line.number("replicas", Some(theory.entropy)).number("instances", Some(counted.mean()));
            let line = line.number("std_error", Some(counted.std_error())).count("settled", settled);
            println!("{}", line.finish());
        } else {
            let (mean, error) = (counted.mean(), counted.std_error());
            println!(
                "{alpha:>6.2} {:>10.6} {mean:>10.6} {error:>10.6} {z:>7.2} {settled:>6}/{}",
                theory.entropy, args.instances
            );
        }
    }
    let cubic = fit(&points).ok_or("the counts have no error to weigh them by")?;
    let (alpha, error) = root(&cubic).ok_or("the entropy of the instances has no zero between 0.7 and 1")?;
    if args.json {
        let line = Line::new().text("part", "binary capacity").number("replicas", Some(replicas.alpha));
        println!("{}", line.number("instances", Some(alpha)).number("std_error", Some(error)).finish());
    } else {
        println!("binary capacity: {:.6} by replicas, {alpha:.4} ± {error:.4} from the instances\n", replicas.alpha);
    }
    let curve = (0..=90).map(|k| 0.01 * f64::from(k)).map(|alpha| Ok((alpha, storage.at(alpha)?.entropy)));
    let figure = Curves {
        title: "Binary perceptron: ln(number of solutions) / N".to_owned(),
        x_label: "load M/N".to_owned(),
        y_label: "entropy a weight".to_owned(),
        lines: vec![
            ("replica symmetric".to_owned(), curve.collect::<Result<_, Failure>>()?),
            ("nothing left".to_owned(), vec![(0.0, 0.0), (0.9, 0.0)]),
        ],
        points: vec![Points { name: format!("message passing, N = {}", args.n), points }],
        ..Curves::default()
    };
    let file = args.file("perceptron_capacity")?;
    figure.write_svg(&file)?;
    figure.write_csv(&file.with_extension("csv"))?;
    Ok(())
}

/// Continuous weights with a margin.
fn gardner(args: &Args) -> Result<(), Failure> {
    if !args.json {
        println!("continuous weights with margin κ: capacity");
    }
    for margin in [0.0, 0.5, 1.0, 2.0] {
        let alpha = gardner_capacity(margin)?;
        if args.json {
            let line =
                Line::new().text("part", "gardner").number("margin", Some(margin)).number("capacity", Some(alpha));
            println!("{}", line.finish());
        } else {
            println!("{margin:>6.2} {alpha:>10.6}");
        }
    }
    if !args.json {
        println!();
    }
    Ok(())
}

/// Entropies of instances, and how many of them settled; those that did not are left out.
fn count(args: &Args, alpha: f64, unit: u64) -> Result<(Running, u64), Failure> {
    let n = args.n as usize;
    let m = (alpha * f64::from(args.n)).round() as usize;
    let streams = Streams::new(args.seed).child(unit);
    let gamp = Gamp::new(Weights::Binary, 0.0)?.damping(0.1);
    let mut found: Vec<(u64, Option<f64>)> = (0..u64::from(args.instances)).map(|k| (k, None)).collect();
    threads::for_each(threads::count(args.threads), &mut found, |(k, entropy)| {
        let examples = Examples::random(n, m, Inputs::Signs, &mut streams.stream(*k));
        let solved = examples.and_then(|examples| gamp.run(&examples));
        *entropy = solved.ok().filter(|solved| solved.converged).map(|solved| solved.entropy);
    });
    let entropies: Running = found.iter().filter_map(|(_, entropy)| *entropy).collect();
    let settled = entropies.count();
    if settled < 2 {
        return Err(
            format!("message passing settled on {settled} instances at load {alpha}, expected 2 or more").into()
        );
    }
    Ok((entropies, settled))
}

/// Parameters of ln 2 + aα + bα² + cα³ by weighted least squares, with their covariance.
struct Cubic {
    parameters: Vector3<f64>,
    covariance: Matrix3<f64>,
}

fn powers(alpha: f64) -> Vector3<f64> {
    Vector3::new(alpha, alpha * alpha, alpha.powi(3))
}

fn fit(points: &[(f64, f64, f64)]) -> Option<Cubic> {
    let (mut matrix, mut right) = (Matrix3::zeros(), Vector3::zeros());
    for &(alpha, entropy, error) in points.iter().filter(|point| point.2 > 0.0) {
        let powers = powers(alpha);
        matrix += error.powi(-2) * powers * powers.transpose();
        right += error.powi(-2) * (entropy - std::f64::consts::LN_2) * powers;
    }
    let covariance = matrix.try_inverse()?;
    Some(Cubic { parameters: covariance * right, covariance })
}

/// Where the entropy is 0, with the error from those of the parameters.
fn root(cubic: &Cubic) -> Option<(f64, f64)> {
    let value = |alpha: f64| std::f64::consts::LN_2 + cubic.parameters.dot(&powers(alpha));
    let (mut low, mut high) = (0.7, 1.0);
    if value(low) < 0.0 || value(high) > 0.0 {
        return None;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if value(middle) > 0.0 { low = middle } else { high = middle }
    }
    let powers = powers(low);
    let slope = (value(low + 1e-4) - value(low - 1e-4)) / 2e-4;
    Some((low, powers.dot(&(cubic.covariance * powers)).sqrt() / slope.abs()))
}
