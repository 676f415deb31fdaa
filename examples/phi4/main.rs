//! Where does φ⁴ theory in 1 + 1 dimensions break its symmetry?
//!
//! For each coupling g (in lattice units) the ratio ⟨M⁴⟩/⟨M²⟩² of squares of growing size against the bare m². Two estimates of the
//! transition: where the curves of two successive sizes cross, and where a curve takes the value 1.16792 that every Ising-like
//! square has there. Both as g/μ², with μ² = m² + 12 g A(μ²) the mass renormalised by the tadpole A.
//!
//! g/μ² depends on g: the spacing is √g in units of the coupling. The continuum is g → 0, where it is 2.7774 (λ/μ² = 11.1097(22) with
//! λ = 4 g, arXiv:2512.16536); from three couplings on a fit f + a g ln g + b g is printed beside it.
//!
//! ```text
//! cargo run --release --example phi4
//! cargo run --release --example phi4 -- --couplings 0.25,0.125,0.0625,0.03125 --sizes 32,64,128 --steps 40000
//! ```

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::Estimate;
use path_integral_nn::field::{BinderRun, ScalarField, bare_mass_squared, renormalised_mass_squared};
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

/// g/μ² of an estimate of m².
fn ratio(mass_squared: Estimate, g: f64) -> Estimate {
    let of = |m: f64| g / renormalised_mass_squared(m, g);
    let slope = (of(mass_squared.value + 1e-6) - of(mass_squared.value - 1e-6)) / 2e-6;
    Estimate::new(of(mass_squared.value), slope.abs() * mass_squared.std_error.unwrap_or(f64::NAN))
}

/// The transition at one coupling: the crossing of the two largest sizes, and where the largest has the ratio of the Ising class.
fn transition(g: f64, args: &Args, streams: Streams) -> Result<[Estimate; 2], Failure> {
    let run = |size: usize, mass_squared: f64, steps: u64, stream: u64| -> Result<BinderRun, Failure> {
        let field = ScalarField::new(&[size, size], 1.0, 1.0, mass_squared, g)?;
        Ok(BinderRun::new(&field, steps as usize, &mut streams.fast_stream(stream))?)
    };
    // From the neighbourhood to the transition, on the smallest size.
    let mut mass_squared = bare_mass_squared(g / 2.5, g);
    for k in 0..8 {
        mass_squared = run(args.sizes[0], mass_squared, 1000, k)?.towards(BinderRun::ISING_RATIO)?;
    }
    let (mut before, mut crossing, mut at): (Option<BinderRun>, _, _) = (None, None, None);
    for (k, &size) in args.sizes.iter().enumerate() {
        let stream = 100 + 2 * k as u64;
        mass_squared = run(size, mass_squared, 2000, stream)?.towards(BinderRun::ISING_RATIO)?;
        let now = run(size, mass_squared, args.steps, stream + 1)?;
        let value = now.mass_squared_at(BinderRun::ISING_RATIO)?;
        let cross = before.as_ref().map(|small| now.crossing(small)).transpose()?;
        if !args.json {
            let crossed = cross.map_or("-".to_owned(), |c| format!("{:.4}", ratio(c, g)));
            let taken = format!("{:.4}", ratio(value, g));
            println!("{g:>9}{size:>6}{:>12.5}{taken:>22}{crossed:>22}", value.value);
        }
        mass_squared = value.value;
        (before, crossing, at) = (Some(now), cross.or(crossing), Some(value));
    }
    let (Some(crossing), Some(at)) = (crossing, at) else { return Err("--sizes needs two sizes at least".into()) };
    Ok([ratio(crossing, g), ratio(at, g)])
}

/// Least squares of f + a g ln g + b g: f and its error.
fn continuum(points: &[(f64, Estimate)]) -> Result<Estimate, Failure> {
    let (mut normal, mut right) = (vec![0.0; 9], vec![0.0; 3]);
    for (g, y) in points {
        let row = [1.0, g * g.ln(), *g];
        let weight = y.std_error.unwrap_or(f64::NAN).powi(-2);
        for i in 0..3 {
            right[i] += weight * row[i] * y.value;
            for j in 0..3 {
                normal[3 * i + j] += weight * row[i] * row[j];
            }
        }
    }
    let eigen = linalg_core::eigen::symmetric_eigen(&normal, 3)?;
    let (mut value, mut variance) = (0.0, 0.0);
    for k in 0..3 {
        let v = eigen.vector(k);
        value += v[0] * (0..3).map(|i| v[i] * right[i]).sum::<f64>() / eigen.values[k];
        variance += v[0] * v[0] / eigen.values[k];
    }
    Ok(Estimate::new(value, variance.sqrt()))
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.couplings, args.sizes, args.steps) = (vec![0.25], vec![8, 16], args.steps.min(4000));
    }
    if args.sizes.len() < 2 || args.sizes.windows(2).any(|w| w[1] <= w[0]) || args.sizes[0] < 4 {
        return Err(format!("--sizes is {:?}, expected two or more growing sizes from 4 on", args.sizes).into());
    }
    if let Some(g) = args.couplings.iter().find(|g| !(**g > 0.0 && **g < 2.0)) {
        return Err(format!("--couplings has {g}, expected numbers between 0 and 2").into());
    }
    if !args.json {
        println!("{:>9}{:>6}{:>12}{:>22}{:>22}", "g", "L", "m^2", "g/mu^2 at 1.1679", "g/mu^2 at crossing");
    }
    let mut points = Vec::new();
    for (k, &g) in args.couplings.iter().enumerate() {
        let [crossing, at] = transition(g, &args, Streams::new(args.seed.wrapping_add(1_000_003 * k as u64)))?;
        if args.json {
            let line = Line::new()
                .number("coupling", Some(g))
                .number("crossing", Some(crossing.value))
                .number("crossing_std_error", crossing.std_error)
                .number("at_ising_ratio", Some(at.value))
                .number("at_ising_ratio_std_error", at.std_error);
            println!("{}", line.finish());
        }
        points.push((g, crossing));
    }
    if args.json {
        return Ok(());
    }
    if points.len() > 2 {
        println!("f + a g ln g + b g through the crossings: f = {:.3}; continuum {CONTINUUM}", continuum(&points)?);
    } else {
        println!("continuum, g to 0: {CONTINUUM}");
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
