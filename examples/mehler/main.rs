//! How does the kernel of an oscillator come out of sliced time?
//!
//! ⟨x|exp(-TH)|y⟩ and ⟨x|exp(-iTH)|y⟩ for N slices against Mehler's formula: the midpoint rule is of first order in imaginary
//! time, the trapezoid of second. Beside them the sum over rotated paths in real time, with its average phase.
//!
//! ```text
//! cargo run --release --example mehler
//! cargo run --release --example mehler -- --time 2.5 --from 0 --to 1
//! ```
//!
//! Takes a moment. Expected: 0.21117011 and 0.32440817 - 0.23305357 i for the defaults.

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use path_integral_nn::exact::{Oscillator, OscillatorLattice, free_kernel};
use path_integral_nn::real_time::oscillator_kernel_by_phases;
use path_integral_nn::{Error, Rule};
use workspace_examples::exit;

type Failure = Box<dyn std::error::Error>;

/// Kernels of the oscillator, sliced and exact.
#[derive(Debug, Clone, Parser)]
#[command(name = "mehler", version)]
struct Args {
    /// Time.
    #[arg(long, default_value_t = 1.5)]
    time: f64,
    /// One end.
    #[arg(long, default_value_t = 0.3, allow_hyphen_values = true)]
    from: f64,
    /// The other end.
    #[arg(long, default_value_t = -0.5, allow_hyphen_values = true)]
    to: f64,
    /// Frequency.
    #[arg(long, default_value_t = 1.0)]
    omega: f64,
    /// Seed of the sum over rotated paths.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The same: it is quick already.
    #[arg(long)]
    quick: bool,
}

fn run(args: &Args) -> Result<(), Failure> {
    let oscillator = Oscillator::new(1.0, args.omega, 1.0)?;
    let (x, y) = (args.from, args.to);
    let exact = oscillator.kernel(args.time, x, y);
    println!(
        "imaginary time: Mehler {exact:.12}, free particle {:.12} at any N",
        free_kernel(1.0, 1.0, args.time, x, y)
    );
    println!("{:>6}{:>18}{:>12}{:>18}{:>12}", "N", "midpoint", "error", "trapezoid", "error");
    for n in [2usize, 4, 8, 16, 32, 64, 128] {
        let kernel = |rule| -> Result<f64, Error> {
            OscillatorLattice::new(1.0, args.omega, 1.0, rule, args.time / n as f64)?.kernel(n, x, y)
        };
        match (kernel(Rule::Midpoint), kernel(Rule::Trapezoid)) {
            (Ok(a), Ok(b)) => println!("{n:>6}{a:>18.12}{:>12.1e}{b:>18.12}{:>12.1e}", a - exact, b - exact),
            (Err(error), _) | (_, Err(error)) => println!("{n:>6}  {error}"),
        }
    }
    let exact = oscillator.kernel_real_time(args.time, x, y);
    println!();
    println!("real time: Mehler {exact:.10}");
    println!("{:>6}{:>34}{:>12}", "N", "midpoint", "|error|");
    for n in [2usize, 8, 32, 128] {
        let lattice = OscillatorLattice::new(1.0, args.omega, 1.0, Rule::Trapezoid, args.time / n as f64)?;
        let midpoint = OscillatorLattice::new(1.0, args.omega, 1.0, Rule::Midpoint, args.time / n as f64);
        if let Ok(midpoint) = midpoint {
            let kernel = midpoint.kernel_real_time(n, x, y)?;
            println!("{n:>6}{:>34}{:>12.1e}", format!("{kernel:.10}"), (kernel - exact).norm());
        }
        if n == 8 {
            let sum = oscillator_kernel_by_phases(
                1.0,
                args.omega,
                1.0,
                args.time,
                n,
                (x, y),
                20_000,
                Streams::new(args.seed),
            );
            match sum {
                Ok(sum) => println!(
                    "       rotated paths, trapezoid: {:.5} ± {:.5}, exactly {:.5}; average phase {:.2}",
                    sum.kernel,
                    sum.std_error.0,
                    lattice.kernel_real_time(n, x, y)?,
                    sum.average_phase
                ),
                Err(error) => println!("       rotated paths: {error}"),
            }
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}
