//! What is the ground-state energy of the two-dimensional spin glass?
//!
//! Exact ground states of L x L lattices with free boundaries, by matching frustrated plaquettes, averaged over random
//! couplings, ±1 and Gaussian. Free boundaries cost energy in proportion to their length, so that the energy per spin
//! is e + a/L + b/L² + c/L³; a fit extrapolates to L = ∞. What the energy of a sample owes to quantities of known mean (the
//! number of frustrated plaquettes, the sum of |J|) is taken off by regression, which shortens the error bars.
//!
//! ```text
//! cargo run --release --example ground_state_energy
//! cargo run --release --example ground_state_energy -- --sizes 4,6,8,12,16,24,32,48,64 --samples 1000 --threads 4
//! cargo run --release --example ground_state_energy -- --units 40..80 --out states-1.jsonl --resume    # a share; then `merge`
//! cargo run --release --example ground_state_energy -- --samples 150 --out states.jsonl --resume
//! cargo run --release --example ground_state_energy -- --quick --json
//! ```
//!
//! The defaults take about 40 s on one core. Expected: e = -1.40194 for ±1 and -1.31479 for Gaussian couplings
//! (Campbell, Hartmann and Katzgraber, Phys. Rev. B 70, 054429 (2004)), within two error bars.

mod analysis;
mod report;
mod samples;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use workspace_examples::exit;
use workspace_examples::units::{UnitLog, unit_range};

use samples::{Law, OfSize};

type Failure = Box<dyn std::error::Error>;

/// Ground-state energy per spin of two-dimensional spin glasses, extrapolated.
#[derive(Debug, Clone, Parser)]
#[command(name = "ground_state_energy", version)]
struct Args {
    /// Linear sizes, five or more.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 6, 8, 12, 16, 24, 32, 48])]
    sizes: Vec<usize>,
    /// Samples of the largest size; as many spins, in more samples, of each other size.
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u64).range(20..=1_000_000))]
    samples: u64,
    /// The share of one machine: solves these units of all sizes, writes them and ends. A unit is one sample of the largest size
    /// and as many spins, in more samples, of each other size; all shares need the same --sizes.
    #[arg(long, value_name = "A..B", value_parser = units, requires = "out", conflicts_with = "samples")]
    units: Option<Range<u64>>,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Sizes 4, 6, 8, 12, 16, 24 and few samples.
    #[arg(long)]
    quick: bool,
    /// Writes every finished unit to this file as a line of JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Takes the units that are in the file of --out already from there.
    #[arg(long, requires = "out")]
    resume: bool,
    /// Where to draw; `target/figures/ground_state_energy.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the tables.
    #[arg(long)]
    json: bool,
}

/// Units on the command line: the numbers of their samples have 40 bits.
fn units(text: &str) -> Result<Range<u64>, String> {
    let range = unit_range(text)?;
    if range.end > 1_000_000 {
        return Err(format!("unit {} is too large, expected units below 1000000", range.end - 1));
    }
    Ok(range)
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.sizes, args.samples) = (vec![4, 6, 8, 12, 16, 24], args.samples.min(100));
    }
    args.sizes.sort_unstable();
    args.sizes.dedup();
    let fits = args.sizes.iter().all(|l| (4..=512).contains(l));
    if args.sizes.len() < 5 || !fits {
        return Err(format!("--sizes is {:?}, expected five or more different sizes from 4 to 512", args.sizes).into());
    }
    let mut log = UnitLog::open(args.out.as_deref(), args.resume)?;
    let mut solve = |law: Law, number: usize, units: &Range<u64>| {
        let units = log.run(&OfSize::new(&args, law, number)?, units.clone(), args.threads as usize)?;
        Ok::<_, Failure>(units.concat())
    };
    let laws = [Law::PlusMinus, Law::Gaussian];
    if let Some(units) = &args.units {
        for law in laws {
            for (number, l) in args.sizes.iter().enumerate() {
                let samples = solve(law, number, units)?;
                eprintln!(
                    "{} couplings, L = {l}: {} samples, units {}..{}",
                    law.name(),
                    samples.len(),
                    units.start,
                    units.end
                );
            }
        }
        return Ok(());
    }
    let mut results = Vec::new();
    for law in laws {
        let mut points = Vec::new();
        for (number, &l) in args.sizes.iter().enumerate() {
            points.push(analysis::Point::new(l, &solve(law, number, &(0..args.samples))?));
        }
        let fit = analysis::Fit::new(&points);
        report::law(&args, law, &points, &fit);
        results.push((law, points, fit));
    }
    report::draw(&args, &results)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
