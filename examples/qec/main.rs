//! Which code, which model, which shots, and how often does a decoder fail?
//!
//! Codes, noise, detector error models and decoders from the shell; a file a subcommand.
//!
//! ```text
//! cargo run --release --example qec -- check   --dem x.dem
//! cargo run --release --example qec -- gen     --code rotated-surface:5 --rounds 5 --basis x --noise circuit:uniform:0.001 --out x.stim
//! cargo run --release --example qec -- sample  --circuit x.stim --shots 100000 --seed 1 --out y.b8 --observables-out o.b8
//! cargo run --release --example qec -- m2d     --circuit x.stim --in m.b8 --out d.b8 --observables-out o.b8
//! cargo run --release --example qec -- sample  --dem x.dem --shots 100000 --seed 1 --out y.b8 --observables-out o.b8
//! cargo run --release --example qec -- decode  --dem x.dem --in y.b8 --in-observables o.b8 --decoder maximum-likelihood
//! cargo run --release --example qec -- threshold --code rotated-surface --noise depolarizing --distances 3,5 --p 0.15:0.21:7 --svg sweep.svg
//! cargo run --release --example qec -- threshold --code toric --p 0.1 --units 40..80 --out part-1.csv    # a share; then `merge`
//! cargo run --release --example qec -- dem     --circuit x.stim --out x.dem --decompose-errors
//! cargo run --release --example qec -- distance --circuit x.stim
//! cargo run --release --example qec -- erasures --circuit x.stim --in h.b8 --out e.b8 --dem-out given.dem --decompose-errors
//! cargo run --release --example qec -- regions --circuit x.stim --detector 5 --svg region.svg
//! cargo run --release --example qec -- fit-dem --structure x.dem --in y.b8 --out fitted.dem
//! cargo run --release --example qec -- decode  --graph g.json --json
//! cargo run --release --example qec -- convert --in y.b8 --in-format b8 --out y.01 --out-format 01 --bits 24
//! cargo run --release --example qec -- bp      --h H.mtx --priors p.txt --syndromes s.01 --llr-out l.csv
//! cargo run --release --example qec -- tanner  --h H.mtx
//! cargo run --release --example qec -- code    --code bb:144,12,12 --json
//! cargo run --release --example qec -- decompose --code five-qubit --error XZIII
//! cargo run --release --example qec
//! ```
//!
//! Without a subcommand a small memory experiment is sampled, decoded and drawn, its rates of failure printed beside the
//! exact ones: they agree within a few standard deviations. Bad input ends with status 2; in text files the line and the
//! column are named, in binary ones the shot and the byte.

mod bp;
mod check;
mod code;
mod convert;
mod decode;
mod decompose;
mod dem;
mod demonstration;
mod distance;
mod erasures;
mod files;
mod fit_dem;
mod generate;
mod graph;
mod m2d;
mod neural;
mod regions;
mod sample;
mod subject;
mod tanner;
mod task;
mod threshold;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workspace_examples::exit;

/// Quantum error correction: models, shots, decoders.
#[derive(Debug, Parser)]
#[command(name = "qec", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The demonstration; as without a subcommand.
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Posteriors of belief propagation on a check matrix.
    Bp(bp::Args),
    /// Counts of a circuit or a detector error model, or the place of its first error.
    Check(check::Args),
    /// Parameters, checks, logical operators and distance of a code.
    Code(code::Args),
    /// Translates shots from one format to another.
    Convert(convert::Args),
    /// Predicts observables from detection events.
    Decode(decode::Args),
    /// Pure error, logical operator and stabilizer of an error.
    Decompose(decompose::Args),
    /// The detector error model of a circuit.
    Dem(dem::Args),
    /// Shortest errors that flip an observable and no detector.
    Distance(distance::Args),
    /// Which mechanisms were erased, from heralds and leakage flags: for `decode --erasures-in`.
    Erasures(erasures::Args),
    /// Probabilities of mechanisms from detection events.
    FitDem(fit_dem::Args),
    /// Writes the circuit of a memory experiment.
    Gen(generate::Args),
    /// Detection events of measured records.
    M2d(m2d::Args),
    /// Where a detector of a circuit sees errors.
    Regions(regions::Args),
    /// Draws shots from a circuit or a detector error model.
    Sample(sample::Args),
    /// Girth and cycles of length 4 of a check matrix.
    Tanner(tanner::Args),
    /// Logical error rates over physical ones, and where they cross.
    Threshold(threshold::Args),
}

/// A reader that has seen enough, as `head`, ends the program without a word.
fn end_with_the_reader() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>();
        if text.is_some_and(|text| text.starts_with("failed printing to stdout: Broken pipe")) {
            std::process::exit(0);
        }
        report(panic);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
    exit::report(match Args::parse().command {
        Some(Command::Bp(args)) => bp::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Code(args)) => code::run(&args),
        Some(Command::Convert(args)) => convert::run(&args),
        Some(Command::Decode(args)) => decode::run(&args),
        Some(Command::Decompose(args)) => decompose::run(&args),
        Some(Command::Dem(args)) => dem::run(&args),
        Some(Command::Distance(args)) => distance::run(&args),
        Some(Command::Erasures(args)) => erasures::run(&args),
        Some(Command::FitDem(args)) => fit_dem::run(&args),
        Some(Command::Gen(args)) => generate::run(&args),
        Some(Command::M2d(args)) => m2d::run(&args),
        Some(Command::Regions(args)) => regions::run(&args),
        Some(Command::Sample(args)) => sample::run(&args),
        Some(Command::Tanner(args)) => tanner::run(&args),
        Some(Command::Threshold(args)) => threshold::run(&args),
        None => demonstration::run(),
    })
}
