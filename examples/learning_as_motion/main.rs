//! What does inference look like when it moves like charges, and when does such motion learn?
//!
//! First two charges in the two readings of the loss: as energy (like charges attract, the loss is conserved) and as Lagrangian
//! of electrodynamics (like charges repel, the energy is conserved and the loss is not). Then charges that have to find the
//! places of a planted covariance: by the proximal step of the text's own prior, by motion with friction, by motion without,
//! by Adam and by gradient descent, all with the same number of evaluations of loss and gradient, each with the rate that is
//! best on problems kept for tuning.
//!
//! ```text
//! cargo run --release --example learning_as_motion
//! cargo run --release --example learning_as_motion -- --clusters 20 --seeds 10 --json
//! ```
//!
//! Takes some seconds and writes `target/figures/two_readings.svg` and `target/figures/learning_as_motion.svg`. Expected:
//! motion without friction does not learn, the text's step learns slowly, longer proximal steps and friction learn, and Adam
//! learns most.

mod rules;

use std::process::ExitCode;

use clap::Parser;
use linalg_core::stats::{Estimate, Running};
use physics_inference::dynamics::{HamiltonianSystem, Kinetics, Sign};
use rules::{Problem, Rule, Setting};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

/// Any error.
pub type Failure = Box<dyn std::error::Error>;

/// Inference as motion of charges, with and without friction.
#[derive(Debug, Clone, Parser)]
#[command(name = "learning_as_motion", version)]
struct Args {
    /// Clusters.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=200))]
    clusters: u64,
    /// Samples behind the second moments.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(2..=10_000_000))]
    samples: u64,
    /// Evaluations of loss and gradient for every rule.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    evaluations: u64,
    /// Problems, one a seed.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(5..=1000))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Six clusters, 200 evaluations, five seeds.
    #[arg(long)]
    quick: bool,
}

/// Ranges of energy and loss over a run, and the distance in time.
struct Reading {
    name: &'static str,
    energy: f64,
    loss: f64,
    distance: Vec<(f64, f64)>,
}

fn reading(name: &'static str, sign: Sign, steps: usize) -> Result<Reading, Failure> {
    let system = HamiltonianSystem::new(vec![1.0, 2.0], vec![1.0, 1.0], 0.2, sign)?;
    let places = [[0.0; 3], [0.8, 0.0, 0.0]];
    let mut state = system.state(&places, &[[0.0, 0.3, 0.0], [0.0, -0.15, 0.0]], Kinetics::Newton)?;
    let (dt, between) = (5e-4, 10);
    let mut bounds = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    let mut distance = Vec::new();
    for k in 0..=steps / between {
        let now = system.conserved(&state, Kinetics::Newton)?;
        for (bounds, value) in bounds.iter_mut().zip([now.energy, now.loss]) {
            *bounds = [bounds[0].min(value), bounds[1].max(value)];
        }
        let r = &state.positions;
        let apart = (0..3).map(|d| (r[d] - r[3 + d]).powi(2)).sum::<f64>().sqrt();
        distance.push(((k * between) as f64 * dt, apart));
        system.verlet(&mut state, dt, between)?;
    }
    let [energy, loss] = bounds.map(|b| b[1] - b[0]);
    Ok(Reading { name, energy, loss, distance })
}

/// What a rule came to.
struct Outcome {
    rule: Rule,
    setting: Setting,
    /// Loss above the best known one, after each evaluation, over the seeds.
    excess: Vec<Running>,
}

fn compare(args: &Args) -> Result<Vec<Outcome>, Failure> {
    let budget = args.evaluations as usize;
    let problem = |seed| Problem::new(args.clusters as usize, args.samples as usize, seed);
    // Seeds of tuning are far from those that are reported.
    let kept = (0..3).map(|k| problem(u64::MAX - k)).collect::<Result<Vec<_>, _>>()?;
    let mut outcomes = Vec::new();
    for rule in Rule::ALL {
        outcomes.push(Outcome { rule, setting: rule.tune(&kept, budget)?, excess: vec![Running::new(); budget] });
    }
    for k in 0..args.seeds {
        let seed = args.seed.wrapping_add(k);
        let problem = problem(seed)?;
        let runs: Vec<Vec<f64>> = outcomes
            .iter()
            .map(|outcome| outcome.rule.learn(&problem, outcome.setting, budget, seed))
            .collect::<Result<_, _>>()?;
        // A run may find what the search has not.
        let best = runs.iter().flatten().fold(problem.best, |best, &loss| best.min(loss));
        for (outcome, run) in outcomes.iter_mut().zip(&runs) {
            outcome.excess.iter_mut().zip(run).for_each(|(excess, loss)| excess.push(loss - best));
        }
    }
    Ok(outcomes)
}

fn draw(readings: &[Reading], outcomes: &[Outcome]) -> Result<(), Failure> {
    let mut motion = Curves {
        title: "Two like charges in the two readings of the loss".to_owned(),
        x_label: "time".to_owned(),
        y_label: "distance".to_owned(),
        ..Curves::default()
    };
    motion.lines = readings.iter().map(|reading| (reading.name.to_owned(), reading.distance.clone())).collect();
    motion.write_svg(&figure::path("two_readings", "svg")?)?;
    let mut learning = Curves {
        title: "Learning the places of charges".to_owned(),
        x_label: "evaluations of loss and gradient".to_owned(),
        y_label: "log10 of the loss above the best known".to_owned(),
        ..Curves::default()
    };
    for outcome in outcomes {
        // Below this the mean is rounding.
        let log = |x: f64| x.max(1e-12).log10();
        let line = outcome.excess.iter().enumerate().map(|(k, excess)| ((k + 1) as f64, log(excess.mean()))).collect();
        learning.lines.push((outcome.rule.name().to_owned(), line));
    }
    for outcome in outcomes {
        let every = outcome.excess.len().div_ceil(8);
        let point = |k: usize| {
            let excess = &outcome.excess[k];
            let error = excess.std_error() / excess.mean().max(1e-12) / std::f64::consts::LN_10;
            ((k + 1) as f64, excess.mean().max(1e-12).log10(), error)
        };
        let points = (0..outcome.excess.len()).rev().step_by(every).map(point).collect();
        learning.points.push(Points { name: String::new(), points });
    }
    learning.points.iter_mut().zip(outcomes).for_each(|(points, o)| points.name = format!("{} +-", o.rule.name()));
    learning.write_svg(&figure::path("learning_as_motion", "svg")?)
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.clusters = args.clusters.min(6);
        args.evaluations = args.evaluations.min(200);
        args.seeds = args.seeds.min(5);
    }
    let readings = [
        reading("loss as energy (A)", Sign::LossAsEnergy { eps2: 0.5 }, 20_000)?,
        reading("electrodynamics (B)", Sign::Electrodynamics { eps2: 0.5 }, 20_000)?,
    ];
    let outcomes = compare(&args)?;
    draw(&readings, &outcomes)?;
    if !args.json {
        println!("two like charges, 20000 Verlet steps:");
        println!("{:<24}{:>16}{:>16}{:>12}", "", "energy within", "loss within", "ends at");
    }
    for r in &readings {
        let end = r.distance.last().map_or(f64::NAN, |d| d.1);
        if args.json {
            let line = Line::new().text("reading", r.name).number("energy_range", Some(r.energy));
            println!("{}", line.number("loss_range", Some(r.loss)).number("distance", Some(end)).finish());
        } else {
            println!("{:<24}{:>16.2e}{:>16.2e}{end:>12.3}", r.name, r.energy, r.loss);
        }
    }
    if !args.json {
        println!();
        println!(
            "loss above the best known: {} clusters, {} evaluations, {} seeds",
            args.clusters, args.evaluations, args.seeds
        );
        println!("{:<16}{:>10}{:>7}{:>14}{:>12}{:>14}{:>12}", "rule", "rate", "lost", "half way", "+-", "end", "+-");
    }
    for outcome in &outcomes {
        let at = |k: usize| -> Estimate { outcome.excess[k].estimate() };
        let error = |k: usize| outcome.excess[k].std_error();
        let (half, end) = (outcome.excess.len() / 2, outcome.excess.len() - 1);
        if args.json {
            let line = Line::new()
                .text("rule", outcome.rule.name())
                .number("rate", Some(outcome.setting.rate))
                .number("lost", Some(outcome.setting.lost))
                .number("excess_half_way", Some(at(half).value))
                .number("excess", Some(at(end).value))
                .number("std_error", Some(error(end)))
                .count("evaluations", args.evaluations)
                .count("clusters", args.clusters)
                .count("seeds", args.seeds);
            println!("{}", line.finish());
        } else {
            println!(
                "{:<16}{:>10.3}{:>7.2}{:>14.3e}{:>12.1e}{:>14.3e}{:>12.1e}",
                outcome.rule.name(),
                outcome.setting.rate,
                outcome.setting.lost,
                at(half).value,
                error(half),
                at(end).value,
                error(end)
            );
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
