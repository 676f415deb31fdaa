//! What is the likelihood of these images under these weights?
//!
//! Reads weights trained anywhere (`.safetensors` with `weights` hidden x visible, `visible_bias`, `hidden_bias`; 0/1 units) and
//! images as `rbm_mnist` does, or one `.npy` array of rows. ln Z is exact with at most 24 units in a layer, else estimated.
//!
//! ```sh
//! cargo run --release --example rbm_eval -- WEIGHTS DATA --json
//! cargo run --release --example rbm_eval -- WEIGHTS DATA --units 40..80 --out part-1.jsonl --resume    # a share; then `merge`
//! cargo run --release --example rbm_eval -- WEIGHTS DATA --units 0..200 --out all.jsonl --resume       # ln Z from all shares
//! ```

mod shares;

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use boltzmann::partition::{AnnealedImportance, Disagreement, bennett, disagreements};
use boltzmann::train::{Trainer, TrainingParams, monitor};
use boltzmann::units::Bernoulli;
use boltzmann::{PackedRbm, io};
use clap::Parser;
use linalg_core::Streams;
use spin_models::LnZ;
use workspace_examples::binary_images::{Binarisation, Effort, Evaluation, Images, evaluate, evaluate_with};
use workspace_examples::exit;
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;
use workspace_examples::units::unit_range;

/// Evaluates the weights of a restricted Boltzmann machine with 0/1 units.
#[derive(Debug, Parser)]
struct Args {
    /// Weights, `.safetensors`.
    weights: Option<PathBuf>,
    /// A directory of IDX files, or one `.npy` file, which then stands for training and test images.
    data: Option<PathBuf>,
    /// How grey pixels become bits.
    #[arg(long, value_enum, default_value = "static")]
    binarisation: Binarisation,
    /// Temperatures of annealed importance sampling.
    #[arg(long, default_value_t = 10_000)]
    temperatures: usize,
    /// Chains of annealed importance sampling.
    #[arg(long, default_value_t = 100)]
    chains: usize,
    /// Estimates ln Z also where it could be summed, from units of 16 chains, and keeps their weights in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Takes the units that are in the file of --out already from there.
    #[arg(long, requires = "out")]
    resume: bool,
    /// The share of one machine: these units instead of as many as --chains fill.
    #[arg(long, value_name = "A..B", value_parser = unit_range, requires = "out", conflicts_with = "chains")]
    units: Option<Range<u64>>,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Also anneals backwards from training rows, joins both by Bennett's ratio, and says where the values of ln Z cannot all be right.
    #[arg(long)]
    check: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
    /// A machine trained on the spot on small digits.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}

/// Other values of ln Z, and whether all can be right.
struct Check {
    upper: LnZ,
    bennett: LnZ,
    disagreements: Vec<Disagreement>,
}

impl Check {
    fn of(
        machine: &PackedRbm,
        images: &Images,
        result: &Evaluation,
        effort: Effort,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let annealing = AnnealedImportance::new(effort.temperatures, effort.chains)?.threads(effort.threads);
        let base = AnnealedImportance::base_rate(&images.train);
        let streams = Streams::new(effort.seed);
        let forward = annealing.run(machine, &base, streams, &mut ())?;
        let reverse = annealing.run_reverse(machine, &base, &images.train, streams.child(1), &mut ())?;
        let (lower, upper) = (forward.estimate(), reverse.estimate());
        let joined = bennett(&forward, &reverse)?;
        let mut values = vec![("annealing", lower), ("annealing backwards", upper), ("Bennett's ratio", joined)];
        if result.exact {
            values.push(("the exact sum", LnZ::exact(result.ln_z)));
        }
        Ok(Self { upper, bennett: joined, disagreements: disagreements(&values, 4.0) })
    }
}

fn load(args: &Args) -> Result<(PackedRbm, Images), Box<dyn std::error::Error>> {
    if args.quick {
        let images = Images::digits(2000, 500, 0);
        let start = PackedRbm::for_data(&images.train, 16, 0.01, &mut Streams::new(1).stream(0))?;
        let mut trainer =
            Trainer::new(&images.train, start, TrainingParams::default().batch(50).learning_rate(0.3).epochs(60))?;
        trainer.run(&mut ())?;
        return Ok((trainer.into_machine(), images));
    }
    let (Some(weights), Some(data)) = (&args.weights, &args.data) else {
        return Err("two arguments are needed: weights and data (or --quick)".into());
    };
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", weights.display());
    let file = BufReader::new(File::open(weights).map_err(|error| fail(&error))?);
    let rbm = io::read_weights(file, |_, _| Ok((Bernoulli, Bernoulli))).map_err(|error| fail(&error))?;
    let images = if data.extension().is_some_and(|extension| extension == "npy") {
        Images::from_npy(data, args.binarisation)?
    } else {
        Images::from_directory(data, args.binarisation)?
    };
    Ok((PackedRbm::new(&rbm)?, images))
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let clock = Instant::now();
    let (machine, images) = load(args)?;
    let effort =
        Effort { temperatures: args.temperatures, chains: args.chains, threads: args.threads, seed: args.seed };
    let mut bar = Bar::new("ln Z");
    let result = if args.out.is_some() {
        evaluate_with(&machine, &images, shares::ln_z(args, &machine, &images, &mut bar)?)?
    } else {
        evaluate(&machine, &images, effort, &mut bar)?
    };
    bar.finish();
    let check = if args.check { Some(Check::of(&machine, &images, &result, effort)?) } else { None };
    let error = monitor::reconstruction_error(&machine, &images.test, Streams::new(args.seed));
    let seconds = clock.elapsed().as_secs_f64();
    if args.json {
        let line = Line::new()
            .number("ln_z", Some(result.ln_z))
            .number("ln_z_std_error", Some(result.ln_z_std_error))
            .flag("exact", result.exact)
            .number("train_log_likelihood", Some(result.train))
            .number("test_log_likelihood", Some(result.test))
            .number("free_energy_mean", Some(result.free_energy))
            .number("reconstruction_error", Some(error))
            .number("seconds", Some(seconds));
        let line = match &check {
            None => line,
            Some(check) => line
                .number("ln_z_upper", Some(check.upper.value))
                .number("ln_z_bennett", Some(check.bennett.value))
                .count("disagreements", check.disagreements.len() as u64),
        };
        println!("{}", line.finish());
        check.iter().flat_map(|check| &check.disagreements).for_each(|found| eprintln!("warning: {found}"));
    } else {
        let kind = if result.exact { "exact" } else { "annealed importance sampling" };
        println!("ln Z = {:.4} ± {:.4} ({kind})", result.ln_z, result.ln_z_std_error);
        println!("test: {:.3} ± {:.3} nats an image, train: {:.3}", result.test, result.test_std_error, result.train);
        println!("reconstruction error {error:.3}, {seconds:.1} s");
        if let Some(check) = &check {
            let error = |ln_z: &LnZ| ln_z.std_error.unwrap_or(0.0);
            println!("backwards from training rows: {:.4} ± {:.4}", check.upper.value, error(&check.upper));
            println!("both, by Bennett's ratio: {:.4} ± {:.4}", check.bennett.value, error(&check.bennett));
            check.disagreements.iter().for_each(|found| println!("warning: {found}"));
        }
    }
    Ok(())
}
