//! How close does a variational autoregressive network come to a Boltzmann distribution?
//!
//! Trains a network to a lattice, a Sherrington-Kirkpatrick model or an instance from a file, at one inverse temperature
//! or at several in turn, and weighs its samples afterwards. Shows the training live, and the exact value where there is
//! one: Kaufman's for lattices, enumeration up to 24 spins.
//!
//! ```text
//! cargo run --release --example van -- --lattice 8 --beta 0.44 --network made:3:4 --batch 1000 --seconds 60 --threads 2
//! cargo run --release --example van -- --file examples/data/sk_20.txt --network made:1:1 --beta 0.5,1,2,3 --steps 1100 --json
//! cargo run --release --example van -- --quick
//! ```
//!
//! `relative_error` is that of the variational free energy, which lies above the true one. The last JSON line is the
//! summary at the last inverse temperature. The same seed gives the same numbers for any number of threads, unless
//! `--seconds` ends the run by the clock. Ctrl-C is not caught: `--checkpoint FILE` saves every 100 steps.

mod args;
mod run;
mod subject;

use std::process::ExitCode;

use clap::Parser;
use variational::autoregressive::{Made, Symmetric};
use workspace_examples::exit;

use args::Args;
use run::run;
use subject::Subject;

fn van(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        args.steps = args.steps.min(150);
        args.samples = args.samples.min(10_000);
        if args.file.is_none() && args.sk.is_none() {
            args.lattice = Some(args.lattice.unwrap_or(4).min(4));
        }
    }
    if args.beta.iter().any(|beta| !(beta.is_finite() && *beta >= 0.0))
        || args.beta.is_sorted_by(|a, b| a > b) && args.beta.len() > 1
    {
        return Err(format!("beta is {:?}, expected finite numbers >= 0, ascending", args.beta).into());
    }
    if args.seconds.is_some_and(|seconds| !(seconds > 0.0)) {
        return Err(format!("seconds is {:?}, expected a positive number", args.seconds).into());
    }
    let subject = Subject::new(&args)?;
    let params = args.made()?;
    let symmetric = !subject.model.has_fields() && !args.plain;
    let n = subject.n_spins();
    match (symmetric, args.double) {
        (true, false) => run(&args, &subject, Symmetric::new(Made::<f32>::new(n, params)?)),
        (false, false) => run(&args, &subject, Made::<f32>::new(n, params)?),
        (true, true) => run(&args, &subject, Symmetric::new(Made::<f64>::new(n, params)?)),
        (false, true) => run(&args, &subject, Made::<f64>::new(n, params)?),
    }
}

fn main() -> ExitCode {
    exit::report(van(Args::parse()))
}
