//! Where does φ⁴ theory in 1 + 1 dimensions break its symmetry?
//!
//! For each coupling g (in lattice units) the ratio ⟨M⁴⟩/⟨M²⟩² of squares of growing size against the bare m². Two estimates of the
//! transition: where the curves of two successive sizes cross, and where a curve takes the value 1.16792 that every Ising-like
//! square has there; the latter extrapolated to infinite size with a correction that falls as L^(-11/4). All as g/μ², with
//! μ² = m² + 12 g A(μ²) the mass renormalised by the tadpole A.
//!
//! g/μ² depends on g: the spacing is √g in units of the coupling. It is about 2.57 for g from 0.25 to 0.06 and rises below, by the
//! logarithm; the continuum is g → 0, where it is 2.7774 (λ/μ² = 11.1097(22) with λ = 4 g, arXiv:2512.16536). From three couplings on,
//! the limit of a fit f + a g ln g + b g is printed beside it.
//!
//! ```text
//! cargo run --release --example phi4
//! cargo run --release --example phi4 -- --couplings 0.25,0.125,0.0625,0.03125 --sizes 32,64,128 --steps 40000
//! ```

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use path_integral_nn::field::{continuum_coupling, renormalised_coupling, transition};
use workspace_examples::exit;
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// g/μ² of the continuum.
const CONTINUUM: f64 = 2.7774;

/// Binder cumulants of lattice φ⁴.
#[derive(Debug, Clone, Parser)]
#[command(name = "phi4", version)]
struct Args {
    /// Couplings g of g φ⁴, in lattice units.
    #[arg(long, value_delimiter = ',', default_values_t = [0.25, 0.125, 0.0625])]
    couplings: Vec<f64>,
    /// Linear sizes, growing.
    #[arg(long, value_delimiter = ',', default_values_t = [16, 32, 64])]
    sizes: Vec<usize>,
    /// Steps of each run: a sweep and a cluster update.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(200..=10_000_000))]
    steps: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// g = 0.25, sizes 8 and 16, 4000 steps.
    #[arg(long)]
    quick: bool,
    /// One JSON object for each coupling instead of the table.
    #[arg(long)]
    json: bool,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.couplings, args.sizes, args.steps) = (vec![0.25], vec![8, 16], args.steps.min(4000));
    }
    if let Some(g) = args.couplings.iter().find(|g| !(**g > 0.0 && **g < 2.0)) {
        return Err(format!("--couplings has {g}, expected numbers between 0 and 2").into());
    }
    let mut points = Vec::new();
    for (k, &g) in args.couplings.iter().enumerate() {
        let streams = Streams::new(args.seed.wrapping_add(1_000_003 * k as u64));
        let found = transition(g, &args.sizes, args.steps as usize, streams)?;
        if k == 0 && !args.json {
            println!("{:>9}{:>6}{:>12}{:>22}{:>22}", "g", "L", "m^2", "g/mu^2 at 1.1679", "g/mu^2 at crossing");
        }
        let crossings = found.crossings.iter().map(|m| renormalised_coupling(*m, g)).collect::<Result<Vec<_>, _>>()?;
        let (crossing, last) = (crossings[crossings.len() - 1], found.sizes.len() - 1);
        let at = renormalised_coupling(found.at_ising_ratio[last], g)?;
        let infinite = found.extrapolated();
        let limit = renormalised_coupling(infinite, g)?;
        for (row, size) in found.sizes.iter().enumerate().filter(|_| !args.json) {
            let here = found.at_ising_ratio[row];
            let taken = format!("{:.4}", renormalised_coupling(here, g)?);
            let crossed = if row == 0 { "-".to_owned() } else { format!("{:.4}", crossings[row - 1]) };
            println!("{g:>9}{size:>6}{:>12.5}{taken:>22}{crossed:>22}", here.value);
        }
        if !args.json {
            println!("{g:>9}{:>6}{:>12.5}{:>22}", "inf", infinite.value, format!("{limit:.4}"));
        }
        if args.json {
            let line = Line::new()
                .number("coupling", Some(g))
                .number("crossing", Some(crossing.value))
                .number("crossing_std_error", crossing.std_error)
                .number("at_ising_ratio", Some(at.value))
                .number("at_ising_ratio_std_error", at.std_error)
                .number("infinite", Some(limit.value))
                .number("infinite_std_error", limit.std_error);
            println!("{}", line.finish());
        }
        points.push((g, limit));
    }
    if args.json {
        return Ok(());
    }
    if points.len() > 2 {
        println!(
            "f + a g ln g + b g through the infinite lattices: f = {:.3}; continuum {CONTINUUM}",
            continuum_coupling(&points)?
        );
    } else {
        println!("continuum, g to 0: {CONTINUUM}");
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
