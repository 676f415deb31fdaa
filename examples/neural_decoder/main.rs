//! How well does a network decode that has seen nothing but samples of the noise?
//!
//! A normalised model of (syndrome, logical class, stabilizer part) is trained by maximum likelihood on fresh errors; its
//! conditional distribution of the class decodes, beside matching and the exact answer on the same shots.
//!
//! ```text
//! cargo run --release --example neural_decoder -- train  --code unrotated-surface:5 --noise depolarizing:0.15 --network local --minutes 10 --out d5.safetensors
//! cargo run --release --example neural_decoder -- decode --model d5.safetensors --code unrotated-surface:5 --noise depolarizing:0.15 --shots 100000 --compare matching,maximum-likelihood --json
//! cargo run --release --example neural_decoder -- train  --code rotated-surface:3 --noise depolarizing:0.02:0.2 --network transformer --minutes 5 --out d3.safetensors
//! cargo run --release --example neural_decoder -- sweep  --model d3.safetensors --p 0.02:0.2:7 --shots 20000 --compare matching,maximum-likelihood --svg sweep.svg
//! cargo run --release --example neural_decoder -- train  --code rotated-surface:3 --noise ising:X:0.5:0.8,0 --minutes 1 --out ising.safetensors
//! cargo run --release --example neural_decoder -- train  --dem x.dem --network made --minutes 10 --out x.safetensors
//! cargo run --release --example neural_decoder -- decode --model x.safetensors --dem x.dem --in y.b8 --in-observables o.b8
//! cargo run --release --example neural_decoder -- --quick
//! ```
//!
//! Without a subcommand a small network is trained in some seconds on the rotated surface code of distance 3, where the exact
//! logical error rate is a sum over all syndromes. Bad input ends with status 2.

mod decode;
mod demonstration;
mod likelihood;
mod outcomes;
mod setting;
mod shots;
mod sweep;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workspace_examples::exit;

/// Generative neural decoding.
#[derive(Debug, Parser)]
#[command(name = "neural_decoder", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The demonstration; as without a subcommand.
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains a model and writes it to a file.
    Train(train::Args),
    /// Decodes shots with a model, and with other decoders.
    Decode(decode::Args),
    /// Draws logical error rates against p.
    Sweep(sweep::Args),
}

fn main() -> ExitCode {
    exit::report(match Args::parse().command {
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Decode(args)) => decode::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        None => demonstration::run(),
    })
}
