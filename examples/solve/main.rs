//! What are ln Z, the energy, the magnetizations and the correlations of this instance?
//!
//! Reads a spin-glass instance, asks every method that applies at its size, and prints the answers side by side with
//! their kind, error and time. Draws the magnetizations and the satisfaction of the bonds as an SVG.
//!
//! ```text
//! cargo run --release --example solve -- examples/data/pm_square_16.txt --beta 0.5
//! cargo run --release --example solve -- examples/data/gset_small.txt --sign maxcut --beta 1 --json
//! cargo run --release --example solve -- --quick
//! ```
//!
//! Without a file it solves a ±J lattice of 4 x 4 spins. The first command takes about 5 s and prints
//! ln Z = 234.1007387131 from the transfer matrix, and the same within its error from Monte Carlo.
//! Bad input ends with status 2 and names the line and column.

mod args;
mod draw;
mod methods;
mod report;

use std::io::Cursor;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use spin_models::io::Instance;
use spin_models::{Correlations, Quantities};
use workspace_examples::progress::Bar;
use workspace_examples::{exit, instance};

use args::Args;
use report::{Answer, Report};

/// The ±J lattice solved when no file is given.
const DEFAULT_INSTANCE: &str = include_str!("../data/pm_square_4.txt");

fn read(args: &Args) -> Result<Instance, Box<dyn std::error::Error>> {
    match &args.file {
        None => instance::read(Cursor::new(DEFAULT_INSTANCE), "built-in instance", args.format, args.sign),
        Some(path) => instance::read_file(path, args.format, args.sign),
    }
}

fn solve(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let instance = read(args)?;
    let model = &instance.model;
    let methods = methods::chosen(args, model)?;
    let mut want = if args.only_ln_z { Quantities::ln_z() } else { Quantities::all() };
    if !args.correlations && args.json && args.svg.is_none() {
        want = want.with_correlations(Correlations::None);
    }
    let mut report = Report::new(args, model);
    let mut failure = None;
    for method in methods {
        let start = Instant::now();
        let mut bar = Bar::new(method.name());
        let solved = method.solve(model, args.beta, want, &mut bar);
        bar.finish();
        match solved {
            Ok(solution) => {
                let seconds = start.elapsed().as_secs_f64();
                report.answer(Answer { method: method.name(), solution, seconds });
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    report.finish();
    draw::draw(args, model, report.answers())?;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn main() -> ExitCode {
    exit::report(solve(&Args::parse()))
}
