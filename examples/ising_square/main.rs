//! What is the magnetization curve of the square-lattice Ising model?
//!
//! Metropolis on an L x L torus at a row of temperatures, started from all spins up. Prints |m| beside Yang's exact
//! value for the infinite lattice, and the energy beside Kaufman's exact value for this very lattice; draws the points
//! on Yang's curve.
//!
//! ```text
//! cargo run --release --example ising_square
//! cargo run --release --example ising_square -- --size 32 --sweeps 5000 --json
//! cargo run --release --example ising_square -- --quick
//! ```
//!
//! The defaults take about 15 s. Energies agree with Kaufman within their errors at every temperature. |m| follows
//! Yang's curve except close to T = 2.269, where a finite lattice rounds the transition: below it the curve is that of
//! the infinite lattice, above it |m| is of order 1/L.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::Estimate;
use spin_models::exact::onsager::CRITICAL_COUPLING;
use spin_models::exact::{Kaufman, Onsager};
use spin_models::mcmc::{Chain, Metropolis, Observables};
use spin_models::{Boundary, Ising, Simulation, Spins};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;

/// Magnetization and energy of the square-lattice Ising model against the exact curves.
#[derive(Debug, Parser)]
#[command(name = "ising_square", version)]
struct Args {
    /// Linear size L.
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Measured sweeps a temperature; a fifth as many come first to equilibrate.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..))]
    sweeps: u64,
    /// Number of temperatures between 1.5 and 3.5.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u64).range(2..=1000))]
    temperatures: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A smaller lattice and shorter chains.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/ising_square.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object a temperature and line instead of the table.
    #[arg(long)]
    json: bool,
}

/// What one temperature gave.
struct Point {
    temperature: f64,
    magnetization: Estimate,
    exact_magnetization: f64,
    energy: Estimate,
    exact_energy: f64,
}

impl Point {
    fn print(&self, args: &Args) {
        let beta = 1.0 / self.temperature;
        if args.json {
            let line = Line::new()
                .number("temperature", Some(self.temperature))
                .number("beta", Some(beta))
                .number("abs_magnetization", Some(self.magnetization.value))
                .number("abs_magnetization_std_error", self.magnetization.std_error)
                .number("exact_magnetization", Some(self.exact_magnetization))
                .number("energy_per_spin", Some(self.energy.value))
                .number("energy_std_error", self.energy.std_error)
                .number("exact_energy_per_spin", Some(self.exact_energy));
            println!("{}", line.finish());
        } else {
            let z = self.energy.z_score(&Estimate::exact(self.exact_energy));
            println!(
                "{:>6.3} {:>20} {:>10.6} {:>22} {:>12.8} {z:>6.1}",
                self.temperature,
                self.magnetization.to_string(),
                self.exact_magnetization,
                self.energy.to_string(),
                self.exact_energy,
            );
        }
    }
}

fn measure(args: &Args, unit: u64, temperature: f64) -> Result<Point, Box<dyn std::error::Error>> {
    let (l, beta) = (args.size, 1.0 / temperature);
    let n = l * l;
    let model = Ising::square(l, Boundary::Periodic, 1.0)?;
    let mut chain =
        Chain::new(&model, Metropolis::default(), beta, Streams::new(args.seed), unit)?.with_spins(Spins::up(n))?;
    chain.advance(args.sweeps / 5, &mut ());
    let mut averages = Observables::new(n, 1);
    let mut bar = Bar::new(&format!("T = {temperature:.3}"));
    chain.run(args.sweeps, 1, &mut averages, &mut bar);
    bar.finish();
    Ok(Point {
        temperature,
        magnetization: averages.abs_magnetization(),
        exact_magnetization: Onsager::isotropic(1.0)?.spontaneous_magnetization(beta)?,
        energy: averages.energy_per_spin(),
        exact_energy: Kaufman::isotropic(l, l, 1.0)?.at(beta)?.energy / n as f64,
    })
}

fn draw(args: &Args, points: &[Point]) -> Result<(), Box<dyn std::error::Error>> {
    let infinite = Onsager::isotropic(1.0)?;
    let critical = 1.0 / CRITICAL_COUPLING;
    // Denser towards the transition, where the curve falls steeply.
    let mut yang = Vec::new();
    for k in 0..=200 {
        let temperature = critical - (critical - 1.45) * (1.0 - f64::from(k) / 200.0).powi(4);
        yang.push((temperature, infinite.spontaneous_magnetization(1.0 / temperature)?));
    }
    yang.push((critical, 0.0));
    yang.push((3.55, 0.0));
    let curves = Curves {
        title: format!("Square-lattice Ising model, {l} x {l}, {s} sweeps", l = args.size, s = args.sweeps),
        x_label: "T".to_owned(),
        y_label: "|m|".to_owned(),
        lines: vec![("Yang 1952, infinite lattice".to_owned(), yang)],
        points: vec![Points {
            name: "Metropolis".to_owned(),
            points: points
                .iter()
                .map(|p| (p.temperature, p.magnetization.value, p.magnetization.std_error.unwrap_or(0.0)))
                .collect(),
        }],
        ..Curves::default()
    };
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("ising_square", "svg")?,
    };
    curves.write_svg(&file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}

fn run(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        (args.size, args.sweeps, args.temperatures) = (args.size.min(32), args.sweeps.min(1000), 11);
    }
    if !args.json {
        println!("{:>6} {:>20} {:>10} {:>22} {:>12} {:>6}", "T", "|m|", "Yang", "energy per spin", "Kaufman", "z");
    }
    let mut points = Vec::new();
    for k in 0..args.temperatures {
        let temperature = 1.5 + 2.0 * k as f64 / (args.temperatures - 1) as f64;
        let point = measure(&args, k, temperature)?;
        point.print(&args);
        points.push(point);
    }
    draw(&args, &points)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
