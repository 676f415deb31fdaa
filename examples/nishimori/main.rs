//! At which error rate can the toric code no longer be decoded, read off a phase transition?
//!
//! Bit flips with probability p on the toric code make a spin model with one spin a plaquette: couplings K_p, negative where a
//! flip happened, at β = 1. Errors and spins together then follow one law, the Nishimori line: below the threshold the spins keep
//! the order of the error that happened, so that its class is known; above it they do not. The Binder cumulants of different
//! sizes cross at the threshold. All samples are simulated twice, from all spins up and from random spins: m² comes down in the one
//! and goes up in the other, and the two must have met: the last column says by how many percent they differ.
//!
//! ```text
//! cargo run --release --example nishimori
//! cargo run --release --example nishimori -- --sizes 8,12,16,24 --samples 8192 --sweeps 100000 --threads 4
//! cargo run --release --example nishimori -- --units 4..8 --out line-1.jsonl --resume    # a share; then `merge`
//! cargo run --release --example nishimori -- --samples 8192 --out line.jsonl --resume
//! cargo run --release --example nishimori -- --quick --json
//! ```
//!
//! Noise: independent bit flips, perfect measurements, decoded by the most likely class. Published thresholds are 0.1092 to
//! 0.1094 (the Nishimori point of the two-dimensional random-bond Ising model: Honecker, Picco and Pujol, Phys. Rev. Lett. 87,
//! 047201 (2001); Merz and Chalker, Phys. Rev. B 65, 054425 (2002)). Crossings of small sizes lie near it, not on it. The energy
//! of a bond is exactly K_p (2p - 1) on the line for every size, which checks the simulation.

mod measure;
mod report;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use workspace_examples::exit;
use workspace_examples::units::{UnitLog, unit_range};

use measure::{Point, Samples, UNIT};

type Failure = Box<dyn std::error::Error>;

/// The threshold of the toric code as a phase transition.
#[derive(Debug, Clone, Parser)]
#[command(name = "nishimori", version)]
struct Args {
    /// Linear sizes, two or more.
    #[arg(long, value_delimiter = ',', default_values_t = [6, 8, 12])]
    sizes: Vec<usize>,
    /// Error rates.
    #[arg(long, value_delimiter = ',', default_values_t = [0.095, 0.1, 0.105, 0.11, 0.115, 0.12])]
    p: Vec<f64>,
    /// Samples of errors at every size and rate, in units of 512, which cost as much as one; the last unit is filled up.
    #[arg(long, default_value_t = 8192, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    samples: u64,
    /// The share of one machine: simulates these units at every size and rate, writes them and ends.
    #[arg(long, value_name = "A..B", value_parser = unit_range, requires = "out", conflicts_with = "samples")]
    units: Option<Range<u64>>,
    /// Measured sweeps; as many come first.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    sweeps: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, which share the units; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Sizes 4, 6, 8 and 512 samples.
    #[arg(long)]
    quick: bool,
    /// Writes every finished unit to this file as a line of JSON of 45 kB.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Takes the units that are in the file of --out already from there.
    #[arg(long, requires = "out")]
    resume: bool,
    /// Where to draw; `target/figures/nishimori.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the table.
    #[arg(long)]
    json: bool,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.sizes, args.samples, args.sweeps) = (vec![4, 6, 8], args.samples.min(512), args.sweeps.min(4000));
    }
    args.sizes.sort_unstable();
    args.sizes.dedup();
    if args.sizes.len() < 2 || args.sizes[0] < 3 {
        return Err(format!("--sizes is {:?}, expected two or more different sizes of at least 3", args.sizes).into());
    }
    args.p.sort_unstable_by(f64::total_cmp);
    args.p.dedup();
    if args.p.len() < 3 || args.p.iter().any(|p| !(*p > 0.0 && *p < 0.5)) {
        return Err(format!("--p is {:?}, expected three or more different rates between 0 and 1/2", args.p).into());
    }
    let mut log = UnitLog::open(args.out.as_deref(), args.resume)?;
    let units = args.units.clone().unwrap_or(0..args.samples.div_ceil(UNIT as u64));
    let mut points = Vec::new();
    for &l in &args.sizes {
        for &p in &args.p {
            let means = log.run(&Samples::new(&args, l, p)?, units.clone(), usize::from(args.threads))?.concat();
            if args.units.is_none() {
                points.push(Point::new(l, p, &means)?);
            }
        }
    }
    if args.units.is_some() {
        let n = args.sizes.len() * args.p.len();
        eprintln!("units {}..{} of {n} sizes and rates", units.start, units.end);
        return Ok(());
    }
    report::report(&args, &points)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
