//! How many samples does it take to find the graph of an Ising model?
//!
//! Independent samples of a model of 16 spins are given to interaction screening, its logarithm and pseudolikelihood, each
//! with the ℓ1 penalty of Lokhov et al. (Sci. Adv. 4, e1700791 (2018)): `c √(ln(N²/0.05)/M)` with c = 0.4, 0.8 and 0.2, as the
//! authors' programs have it by default (`inverse_ising` and `GraphicalModelLearning.jl`, lanl-ansi). A coupling is there if it
//! is larger than half of the true ones. The graphs are of the kinds studied there: a periodic square lattice and a random
//! graph of degree 3, ferromagnetic or with random signs.
//!
//! ```text
//! cargo run --release --example structure_learning
//! cargo run --release --example structure_learning -- --graph regular --coupling 0.6 --trials 45
//! ```
//!
//! Writes the share of perfect graphs against the number of samples to `target/figures/structure_learning.svg` and `.csv`, with
//! the number from which on every trial succeeds: with 45 trials the probability is then above 0.95 with a confidence of 0.9, for
//! 0.95⁴⁵ = 0.099.
//! Expected: a sharp rise; it moves to more samples roughly like e^{cβ} as the couplings grow, faster for pseudolikelihood on
//! ferromagnets.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::stats::wilson_interval;
use spin_models::inverse::{DrawParams, LocalParams, draw_samples};
use spin_models::{Boundary, Ising, Lattice};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};

type Failure = Box<dyn std::error::Error>;

/// Graphs of 16 spins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Graph {
    /// A periodic square lattice.
    Lattice,
    /// A random graph of degree 3, another one in every trial.
    Regular,
}

/// Probability of a perfect graph against the number of samples.
#[derive(Debug, Clone, Parser)]
#[command(name = "structure_learning", version)]
struct Args {
    /// The graph.
    #[arg(long, value_enum, default_value = "lattice")]
    graph: Graph,
    /// Absolute value of all couplings.
    #[arg(long, default_value_t = 0.7)]
    coupling: f64,
    /// Random signs instead of a ferromagnet.
    #[arg(long)]
    glass: bool,
    /// Trials for each number of samples.
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    trials: u64,
    /// The fewest samples.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(2..=10_000_000))]
    fewest: u64,
    /// The most samples.
    #[arg(long, default_value_t = 51_200, value_parser = clap::value_parser!(u64).range(2..=10_000_000))]
    most: u64,
    /// Numbers of samples for a factor of two.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=16))]
    per_octave: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Six trials, at most 3200 samples, couplings of 0.5.
    #[arg(long)]
    quick: bool,
}

fn model(args: &Args, trial: u64) -> Result<Ising, Failure> {
    let mut rng = Streams::new(args.seed).stream(trial);
    let lattice = match args.graph {
        Graph::Lattice => Lattice::square(4, Boundary::Periodic)?,
        Graph::Regular => Lattice::random_regular(16, 3, &mut rng)?,
    };
    let mut couplings = vec![args.coupling; lattice.n_edges()];
    if args.glass {
        for coupling in &mut couplings {
            if rng.random::<bool>() {
                *coupling = -args.coupling;
            }
        }
    }
    Ok(Ising::on_lattice(&lattice, &couplings)?)
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.trials = args.trials.min(6);
        args.most = args.most.min(3200);
        args.fewest = args.fewest.max(400);
        args.coupling = args.coupling.min(0.5);
    }
    if !(args.coupling > 0.0 && args.coupling <= 5.0) {
        return Err(format!("--coupling is {}, expected a number > 0 and <= 5", args.coupling).into());
    }
    if args.fewest > args.most {
        return Err(format!("--fewest is {}, more than --most, {}", args.fewest, args.most).into());
    }
    let methods = [
        ("RISE", LocalParams::interaction_screening()),
        ("logRISE", LocalParams::log_interaction_screening()),
        ("RPLE", LocalParams::pseudolikelihood()),
    ];
    let octaves = (args.most as f64 / args.fewest as f64).log2();
    let steps = (octaves * args.per_octave as f64 + 1e-9) as u64;
    let counts: Vec<usize> =
        (0..=steps).map(|k| (args.fewest as f64 * 2f64.powf(k as f64 / args.per_octave as f64)) as usize).collect();
    println!("{:>9}{:>10}{:>10}{:>10}   perfect graphs of {}", "samples", "RISE", "logRISE", "RPLE", args.trials);
    let mut successes = vec![vec![0u64; counts.len()]; methods.len()];
    for (k, &count) in counts.iter().enumerate() {
        for trial in 0..args.trials {
            let model = model(&args, trial)?;
            let streams = Streams::new(args.seed).child(1 + trial).child(count as u64);
            let samples = draw_samples(&model, count, &DrawParams::default(), streams)?;
            for (successes, (_, params)) in successes.iter_mut().zip(&methods) {
                // Too few samples of a cold model may have a spin that never turns: no graph then.
                let params = params.clone().published_penalty().fields(false).tolerance(1e-6);
                if let Ok(found) = params.reconstruct(&samples) {
                    successes[k] += u64::from(found.compare(&model)?.is_structure(0.5 * args.coupling));
                }
            }
        }
        println!("{count:>9}{:>10}{:>10}{:>10}", successes[0][k], successes[1][k], successes[2][k]);
    }
    for (successes, (name, _)) in successes.iter().zip(&methods) {
        // From there on all succeed.
        let first = successes.iter().rposition(|&s| s < args.trials).map_or(0, |k| k + 1);
        match counts.get(first) {
            Some(count) => println!("{name}: all {} trials from {count} samples on", args.trials),
            None => println!("{name}: more than {} samples", args.most),
        }
    }
    let points = |successes: &[u64]| -> Result<Vec<(f64, f64, f64)>, Failure> {
        let mut points = Vec::new();
        for (&count, &s) in counts.iter().zip(successes) {
            let interval = wilson_interval(s, args.trials, 1.0)?;
            let share = s as f64 / args.trials as f64;
            points.push(((count as f64).log10(), share, 0.5 * (interval.high - interval.low)));
        }
        Ok(points)
    };
    let mut curves = Curves {
        title: format!("Perfect graphs, 16 spins, {:?}, coupling {}", args.graph, args.coupling),
        x_label: "log10 of the number of samples".to_owned(),
        y_label: "share of trials".to_owned(),
        ..Curves::default()
    };
    for (successes, (name, _)) in successes.iter().zip(&methods) {
        curves.points.push(Points { name: (*name).to_owned(), points: points(successes)? });
    }
    let svg = figure::path("structure_learning", "svg")?;
    curves.write_svg(&svg)?;
    curves.write_csv(&figure::path("structure_learning", "csv")?)?;
    println!("{}", svg.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
