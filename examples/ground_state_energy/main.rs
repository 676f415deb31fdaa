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
//! cargo run --release --example ground_state_energy -- --quick --json
//! ```
//!
//! The defaults take about 40 s on one core. Expected: e = -1.40194 for ±1 and -1.31479 for Gaussian couplings
//! (Campbell, Hartmann and Katzgraber, Phys. Rev. B 70, 054429 (2004)), within two error bars.

mod analysis;
mod report;
mod samples;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use workspace_examples::exit;

use samples::Law;

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
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// Sizes 4, 6, 8, 12, 16, 24 and few samples.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/ground_state_energy.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the tables.
    #[arg(long)]
    json: bool,
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
    let mut results = Vec::new();
    for law in [Law::PlusMinus, Law::Gaussian] {
        let mut points = Vec::new();
        for (number, &l) in args.sizes.iter().enumerate() {
            let samples = samples::draw(&args, law, number, l)?;
            points.push(analysis::Point::new(l, &samples));
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
