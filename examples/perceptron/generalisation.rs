//! Labels of a teacher.

use linalg_core::rng::standard_normal;
use linalg_core::stats::Running;
use linalg_core::{Streams, threads};
use spin_models::Spins;
use spin_models::theory::perceptron::{
    Examples, Gamp, Inputs, Learning, Start, TeacherStudent, Weights, mistake_bound,
};
use workspace_examples::figure::{Curves, Points};
use workspace_examples::json::Line;

use crate::{Args, Failure};

const LOADS: [f64; 6] = [0.5, 1.0, 1.3, 1.7, 2.5, 4.0];

fn teacher(weights: Weights, n: usize, rng: &mut impl linalg_core::rand::Rng) -> Vec<f64> {
    match weights {
        Weights::Binary => Spins::random(n, rng).iter().map(|&s| f64::from(s)).collect(),
        Weights::Gaussian => {
            let w: Vec<f64> = (0..n).map(|_| standard_normal(rng)).collect();
            let norm = (w.iter().map(|w| w * w).sum::<f64>() / n as f64).sqrt();
            w.iter().map(|w| w / norm).collect()
        }
    }
}

pub fn run(args: &Args) -> Result<(), Failure> {
    mistakes(args)?;
    let kinds =
        [("sign", Weights::Gaussian, 0.0), ("probit", Weights::Gaussian, args.noise), ("binary", Weights::Binary, 0.0)];
    let mut figure = Curves {
        title: "Generalisation error of the best student".to_owned(),
        x_label: "load M/N".to_owned(),
        y_label: "probability of a wrong label".to_owned(),
        ..Curves::default()
    };
    if !args.json {
        println!("generalisation error, N = {}", args.n);
        println!("{:>8} {:>6} {:>12} {:>12} {:>10} {:>7}", "teacher", "load", "theory", "instances", "±", "z");
    }
    for (kind, (name, weights, noise)) in kinds.into_iter().enumerate() {
        let model = TeacherStudent::new(weights, noise)?;
        let curve = (1..=80).map(|k| 0.05 * f64::from(k));
        let curve = curve.map(|alpha| Ok((alpha, model.state_evolution(alpha, Start::Uninformed)?.bayes_error())));
        figure.lines.push((format!("{name}, state evolution"), curve.collect::<Result<_, Failure>>()?));
        let mut points = Vec::new();
        for (k, alpha) in LOADS.into_iter().enumerate() {
            let theory = model.state_evolution(alpha, Start::Uninformed)?.bayes_error();
            let streams = Streams::new(args.seed).child(100 + 10 * kind as u64 + k as u64);
            let measured = measure(args, (weights, noise), alpha, &streams)?;
            let (mean, error) = (measured.mean(), measured.std_error());
            // Perfect recall has no scatter.
            let z = if error > 0.0 { (mean - theory) / error } else { 0.0 };
            points.push((alpha, mean, error));
            if args.json {
                let line = Line::new().text("part", "generalisation").text("teacher", name).number("load", Some(alpha));
                let line = line
                    .number("theory", Some(theory))
                    .number("instances", Some(mean))
                    .number("std_error", Some(error));
                println!("{}", line.finish());
            } else {
                println!("{name:>8} {alpha:>6.2} {theory:>12.6} {mean:>12.6} {error:>10.6} {z:>7.2}");
            }
        }
        figure.points.push(Points { name: format!("{name}, message passing"), points });
    }
    let file = args.file("perceptron_generalisation")?;
    figure.write_svg(&file)?;
    figure.write_csv(&file.with_extension("csv"))?;
    if !args.json {
        println!("drawn to {} and beside it", file.display());
    }
    Ok(())
}

/// Errors of the sign of the mean field, arccos of the angle to the teacher over π.
fn measure(args: &Args, (weights, noise): (Weights, f64), alpha: f64, streams: &Streams) -> Result<Running, Failure> {
    let n = args.n as usize;
    let m = (alpha * f64::from(args.n)).round() as usize;
    let gamp = Gamp::new(weights, noise)?.tolerance(1e-6);
    let mut errors: Vec<(u64, Option<f64>)> = (0..u64::from(args.instances)).map(|k| (k, None)).collect();
    threads::for_each(threads::count(args.threads), &mut errors, |(k, error)| {
        let mut rng = streams.stream(*k);
        let truth = teacher(weights, n, &mut rng);
        let examples = Examples::from_teacher(&truth, m, Inputs::Signs, noise, &mut rng);
        *error = examples.and_then(|examples| gamp.run(&examples)).ok().map(|solved| {
            let length = (solved.means.iter().map(|a| a * a).sum::<f64>() / n as f64).sqrt();
            (solved.overlap(&truth) / length).clamp(-1.0, 1.0).acos() / std::f64::consts::PI
        });
    });
    let found: Running = errors.iter().filter_map(|(_, error)| *error).filter(|error| error.is_finite()).collect();
    if found.count() < 2 {
        return Err(format!("message passing gave {} errors at load {alpha}, expected 2 or more", found.count()).into());
    }
    Ok(found)
}

/// The perceptron algorithm on examples of a teacher, and its bound.
fn mistakes(args: &Args) -> Result<(), Failure> {
    if !args.json {
        println!("perceptron algorithm, 50 weights: mistakes, and the bound (R/γ)² of the teacher");
    }
    for (k, m) in [10usize, 50, 200].into_iter().enumerate() {
        let mut rng = Streams::new(args.seed).child(200 + k as u64).stream(0);
        let truth = teacher(Weights::Gaussian, 50, &mut rng);
        let examples = Examples::from_teacher(&truth, m, Inputs::Signs, 0.0, &mut rng)?;
        let learnt = Learning::default().max_passes(100_000).run(&examples)?;
        let bound = mistake_bound(&examples, &truth);
        if args.json {
            let line =
                Line::new().text("part", "mistakes").count("examples", m as u64).count("mistakes", learnt.mistakes);
            println!("{}", line.number("bound", bound).flag("converged", learnt.converged).finish());
        } else {
            println!("{m:>6} examples: {:>8} of at most {:.0}", learnt.mistakes, bound.unwrap_or(f64::NAN));
        }
    }
    if !args.json {
        println!();
    }
    Ok(())
}
