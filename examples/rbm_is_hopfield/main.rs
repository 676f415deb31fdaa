//! Is the Hopfield model a restricted Boltzmann machine with Gaussian hidden units?
//!
//! Writes a Hopfield model of random patterns as a machine, and an arbitrary Ising model, too; compares ln Z at several
//! temperatures by two exact sums that share no code. The machine has the diagonal of the Hebb matrix, worth βP/2, and the factors
//! of its Gaussian integrals, worth (P/2) ln(2π/β); with both taken into account the differences are rounding.
//!
//! ```sh
//! cargo run --release --example rbm_is_hopfield
//! ```

use std::f64::consts::PI;
use std::process::ExitCode;

use boltzmann::Rbm;
use boltzmann::partition::exact_ln_z;
use clap::Parser;
use linalg_core::Streams;
use spin_models::{Enumeration, Ising, LogPartition, Spins};
use workspace_examples::exit;
use workspace_examples::json::Line;

/// Compares Hopfield models with Gaussian machines.
#[derive(Debug, Parser)]
struct Args {
    /// Number of spins.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=20))]
    spins: u32,
    /// Number of patterns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    patterns: u32,
    /// Inverse temperatures.
    #[arg(long, value_delimiter = ',', default_value = "0.5,1,2")]
    beta: Vec<f64>,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One line of JSON a temperature.
    #[arg(long)]
    json: bool,
    /// The same.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let (n, p) = (args.spins as usize, args.patterns as usize);
    let patterns = Spins::random(n * p, &mut Streams::new(args.seed).stream(0));
    // Hebb's couplings without their diagonal, by themselves.
    let mut hebb = Ising::builder(n);
    for i in 0..n {
        for k in i + 1..n {
            let sum: i32 = patterns.chunks(n).map(|xi| i32::from(xi[i]) * i32::from(xi[k])).sum();
            hebb = hebb.coupling(i, k, f64::from(sum) / n as f64);
        }
    }
    let hebb = hebb.build()?;
    let machine = Rbm::from_patterns(&patterns, n)?;
    let turned_back = Rbm::from_ising(&hebb)?;
    if !args.json {
        println!(
            "{n} spins, {p} patterns; the model turned back into a machine needs {} hidden units",
            turned_back.n_hidden()
        );
        println!("{:>6} {:>18} {:>18} {:>12} {:>12}", "beta", "Hopfield", "machine", "difference", "turned back");
    }
    for &beta in &args.beta {
        let exact = Enumeration::default().ln_z(&hebb, beta)?.value;
        let factors = |hidden: usize| 0.5 * hidden as f64 * (2.0 * PI / beta).ln();
        let of_machine = exact_ln_z(&machine, beta)? - factors(p) - 0.5 * beta * p as f64;
        let of_other = exact_ln_z(&turned_back, beta)? - factors(turned_back.n_hidden());
        if args.json {
            let line = Line::new().number("beta", Some(beta)).number("ln_z_hopfield", Some(exact));
            let line = line.number("ln_z_machine", Some(of_machine)).number("ln_z_turned_back", Some(of_other));
            println!("{}", line.finish());
        } else {
            let difference = of_machine - exact;
            println!("{beta:>6} {exact:>18.12} {of_machine:>18.12} {difference:>12.2e} {:>12.2e}", of_other - exact);
        }
    }
    Ok(())
}
