//! Does learning look quantum, and what would it take?
//!
//! Each subcommand measures statements of Katsnelson and Vanchurin, "Emergent Quantumness in Neural Networks" (2021), next to what
//! the theory, or plain mathematics, predicts.
//!
//! ```text
//! cargo run --release --example emergent_quantumness -- --quick
//! cargo run --release --example emergent_quantumness -- diagnose
//! cargo run --release --example emergent_quantumness -- grand-canonical --quick --json
//! ```
//!
//! `--quick` alone is a tour of all six in a few seconds; at full size `grand-canonical` takes a minute or two, the others some
//! seconds each. Expected: an ensemble of descents follows the Fokker-Planck equation and not the Schrödinger equation; Madelung
//! and Schrödinger differ by circulation only.

mod diagnose;
mod fokker_planck;
mod grand_canonical;
mod madelung;
mod measure;
mod neurogenesis;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use linalg_core::stats::Estimate;
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves};
use workspace_examples::json::Line;

pub(crate) type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
enum Command {
    /// Diffusion, entropy production and the noise temperature of descent.
    FokkerPlanck,
    /// The fluid and the Schrödinger equation, circulation, a ring with flux.
    Madelung,
    /// Hidden neurons at a chemical potential, the laws, jumps of the loss.
    GrandCanonical,
    /// Preparation and measurement by evolution before and after.
    Measure,
    /// Neurons added where they help most and removed where they cost least.
    Neurogenesis,
    /// Which description an ensemble follows.
    Diagnose,
}

impl Command {
    const ALL: [Self; 6] =
        [Self::FokkerPlanck, Self::Madelung, Self::GrandCanonical, Self::Measure, Self::Neurogenesis, Self::Diagnose];

    fn name(self) -> &'static str {
        match self {
            Self::FokkerPlanck => "fokker-planck",
            Self::Madelung => "madelung",
            Self::GrandCanonical => "grand-canonical",
            Self::Measure => "measure",
            Self::Neurogenesis => "neurogenesis",
            Self::Diagnose => "diagnose",
        }
    }

    fn run(self, settings: &Settings) -> Result<Vec<Row>, Failure> {
        match self {
            Self::FokkerPlanck => fokker_planck::run(settings),
            Self::Madelung => madelung::run(settings),
            Self::GrandCanonical => grand_canonical::run(settings),
            Self::Measure => measure::run(settings),
            Self::Neurogenesis => neurogenesis::run(settings),
            Self::Diagnose => diagnose::run(settings),
        }
    }
}

/// Tests of emergent quantumness in learning.
#[derive(Debug, Clone, Parser)]
#[command(name = "emergent_quantumness", version)]
struct Args {
    /// What to look at; all six without.
    #[command(subcommand)]
    command: Option<Command>,
    /// Diffusion of the Fokker-Planck equation.
    #[arg(long, global = true, default_value_t = 0.3)]
    diffusion: f64,
    /// Mobility.
    #[arg(long, global = true, default_value_t = 0.8)]
    gamma: f64,
    /// Temperature of the hidden neurons.
    #[arg(long, global = true, default_value_t = 0.7)]
    temperature: f64,
    /// Chemical potential of a hidden neuron.
    #[arg(long, global = true, default_value_t = 0.3, allow_hyphen_values = true)]
    mu: f64,
    /// Members of an ensemble to diagnose.
    #[arg(long, global = true, default_value_t = 500, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    samples: u64,
    /// Seed.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, global = true, default_value_t = 2)]
    threads: usize,
    /// Small sizes.
    #[arg(long, global = true)]
    quick: bool,
    /// A JSON object a line instead of tables and figures.
    #[arg(long, global = true)]
    json: bool,
    /// Where to draw; `target/figures/emergent_quantumness_NAME.svg` by default. For a single subcommand.
    #[arg(long, global = true, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What the subcommands share.
pub(crate) struct Settings {
    args: Args,
    name: &'static str,
}

impl Settings {
    /// The first number with `--quick`, else the second.
    pub(crate) fn size<T>(&self, quick: T, full: T) -> T {
        if self.args.quick { quick } else { full }
    }

    /// Draws a figure unless JSON is wanted.
    pub(crate) fn draw(&self, curves: &Curves) -> Result<(), Failure> {
        if self.args.json {
            return Ok(());
        }
        let file = match (&self.args.svg, self.args.command) {
            (Some(file), Some(_)) => file.clone(),
            _ => figure::path(&format!("emergent_quantumness_{}", self.name), "svg")?,
        };
        curves.write_svg(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("drawn: {}", file.display());
        Ok(())
    }
}

/// A measured number beside its prediction.
pub(crate) struct Row {
    quantity: String,
    value: Estimate,
    prediction: Option<f64>,
}

/// A measured number with an error.
pub(crate) fn measured(quantity: impl Into<String>, value: Estimate, prediction: f64) -> Row {
    Row { quantity: quantity.into(), value, prediction: Some(prediction) }
}

/// A number without statistical error.
pub(crate) fn exact(quantity: impl Into<String>, value: f64, prediction: f64) -> Row {
    measured(quantity, Estimate::exact(value), prediction)
}

/// A number nobody predicts.
pub(crate) fn open(quantity: impl Into<String>, value: Estimate) -> Row {
    Row { quantity: quantity.into(), value, prediction: None }
}

fn print(command: Command, rows: &[Row], json: bool) {
    if json {
        for row in rows {
            let line = Line::new()
                .text("command", command.name())
                .text("quantity", &row.quantity)
                .number("value", Some(row.value.value))
                .number("prediction", row.prediction)
                .number("std_error", row.value.std_error);
            println!("{}", line.finish());
        }
        return;
    }
    println!("{:<58}{:>16}{:>12}{:>16}", command.name(), "value", "±", "prediction");
    for row in rows {
        let error = row.value.std_error.map_or("-".to_owned(), |e| format!("{e:.2e}"));
        let prediction = row.prediction.map_or("-".to_owned(), |p| format!("{p:.8}"));
        println!("  {:<56}{:>16.8}{error:>12}{prediction:>16}", row.quantity, row.value.value);
    }
    println!();
}

fn run(args: Args) -> Result<(), Failure> {
    if args.svg.is_some() && args.command.is_none() {
        return Err("--svg is for one figure: name a subcommand".into());
    }
    let json = args.json;
    let commands = args.command.map_or(Command::ALL.to_vec(), |c| vec![c]);
    for command in commands {
        let rows = command.run(&Settings { args: args.clone(), name: command.name() })?;
        print(command, &rows, json);
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
