//! Does the three-dimensional ±J spin glass have a transition at T > 0?
//!
//! Parallel tempering with eight replicas at every temperature, in the bits of words, on L x L x L tori with random
//! couplings ±1. The correlation length of the spin-glass overlap over L does not depend on L at a transition: the curves
//! of different sizes cross. Errors and the crossing's are those of the scatter of the samples (bootstrap).
//!
//! ```text
//! cargo run --release --example edwards_anderson
//! cargo run --release --example edwards_anderson -- --sizes 4,6,8 --samples 1000 --sweeps 20000 --threads 8 --out ea.jsonl
//! cargo run --release --example edwards_anderson -- --out ea.jsonl --resume
//! cargo run --release --example edwards_anderson -- --units 40..80 --out ea-1.jsonl --resume    # a share; then `merge`
//! cargo run --release --example edwards_anderson -- --quick --json
//! ```
//!
//! The defaults take about 35 s on one core and give the crossing of L = 4 and 6: 1.23 ± 0.13 for seed 1.
//! Published: T_c = 1.102(3) (Baity-Jesi et al., Phys. Rev. B 88, 224416 (2013)), towards which the crossings of small
//! sizes move with corrections to scaling. Whether the samples are in equilibrium is shown by `[<q²>]` at the lowest
//! temperature in the last three doublings of the run.

mod analysis;
mod engine;
mod record;
mod report;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use workspace_examples::exit;
use workspace_examples::units::{UnitLog, unit_range};

use engine::Plan;
use record::OfSize;

type Failure = Box<dyn std::error::Error>;

/// Finite-size crossing of the correlation length of the three-dimensional ±J model.
#[derive(Debug, Clone, Parser)]
#[command(name = "edwards_anderson", version)]
struct Args {
    /// Linear sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 6])]
    sizes: Vec<usize>,
    /// Samples of the couplings for each size.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(2..))]
    samples: u64,
    /// The share of one machine: simulates these samples of each size, writes them and ends.
    #[arg(long, value_name = "A..B", value_parser = unit_range, requires = "out", conflicts_with = "samples")]
    units: Option<Range<u64>>,
    /// Measured sweeps a sample; as many come first.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(80..))]
    sweeps: u64,
    /// Number of temperatures.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(4..=1000))]
    temperatures: u64,
    /// Lowest temperature.
    #[arg(long, default_value_t = 0.9)]
    coldest: f64,
    /// Highest temperature.
    #[arg(long, default_value_t = 1.9)]
    hottest: f64,
    /// Seed; every sample has streams of its own.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, which share the samples; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Sizes 3 and 4 with few samples.
    #[arg(long)]
    quick: bool,
    /// Writes every finished sample to this file as a line of JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Takes the samples that are in the file of --out already from there.
    #[arg(long, requires = "out")]
    resume: bool,
    /// Where to draw; `target/figures/edwards_anderson.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the tables.
    #[arg(long)]
    json: bool,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.sizes, args.samples) = (vec![3, 4], args.samples.min(24));
        (args.sweeps, args.temperatures) = (args.sweeps.min(400), args.temperatures.min(8));
    }
    args.sizes.sort_unstable();
    args.sizes.dedup();
    if args.sizes.first().is_none_or(|&l| l < 2) {
        return Err(format!("--sizes is {:?}, expected sizes of at least 2", args.sizes).into());
    }
    let plan = Plan::new(&args)?;
    let mut log = UnitLog::open(args.out.as_deref(), args.resume)?;
    let threads = args.threads as usize;
    if let Some(units) = &args.units {
        return args.sizes.iter().try_for_each(|&l| {
            let samples = log.run(&OfSize { plan: &plan, l }, units.clone(), threads)?;
            eprintln!("L = {l}: {} samples, numbers {}..{}", samples.len(), units.start, units.end);
            Ok(())
        });
    }
    let mut results = Vec::new();
    for &l in &args.sizes {
        let samples = log.run(&OfSize { plan: &plan, l }, 0..args.samples, threads)?;
        let size = analysis::Size::new(l, &plan, samples)?;
        report::size(&args, &plan, &size)?;
        results.push(size);
    }
    report::crossings(&args, &analysis::crossings(&plan, &results, args.seed)?);
    report::draw(&args, &plan, &results)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
