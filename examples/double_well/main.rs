//! How does a particle tunnel?
//!
//! The splitting of the lowest two levels of -a x² + b x⁴ from correlators, and a path that hops between the wells: each hop is
//! an instanton of width about the inverse frequency of a well.
//!
//! ```text
//! cargo run --release --example double_well
//! cargo run --release --example double_well -- --a 2 --b 1
//! ```
//!
//! The defaults take some seconds. Expected: splitting 0.34589 in the continuum, and the value of the lattice within the error.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::exact::{Spectrum, TransferMatrix};
use path_integral_nn::sampler::{Chains, ChainsParams, LANES, Method, Target};
use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves};

type Failure = Box<dyn std::error::Error>;

/// Tunnelling in a double well.
#[derive(Debug, Clone, Parser)]
#[command(name = "double_well", version)]
struct Args {
    /// The potential is -a x² + b x⁴.
    #[arg(long, default_value_t = 1.0)]
    a: f64,
    /// Its quartic term.
    #[arg(long, default_value_t = 0.25)]
    b: f64,
    /// Length of the paths.
    #[arg(long, default_value_t = 40.0)]
    time: f64,
    /// Time steps.
    #[arg(long, default_value_t = 200)]
    slices: usize,
    /// Paths measured.
    #[arg(long, default_value_t = 64_000)]
    samples: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 16000 paths.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/double_well.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.samples = args.samples.min(16_000);
    }
    let system = System::new(Polynomial::new(&[0.0, 0.0, -args.a, 0.0, args.b])?)?;
    let ensemble = Ensemble::ground_state(args.time, args.slices)?;
    let target = Target::variational(&Action::new(&system, &ensemble, Rule::Trapezoid)?)?;
    let params = ChainsParams::default().seed(args.seed).threads(2);
    let mut chains = Chains::new(&target, Method::HmcReference, params)?;
    let steps = args.samples.div_ceil(chains.n_chains() as u64);
    chains.thermalize((steps / 5).max(200), &mut ())?;
    let measure = ObservablesParams::default().bin((steps / 16).max(1));
    let mut observables = vec![Observables::new(&target, measure)?; chains.n_chains() / LANES];
    chains.run(steps, &mut observables, &mut ())?;
    let report = Report::new(&observables)?;
    let lattice = TransferMatrix::new(&system, Rule::Trapezoid, ensemble.step())?;
    let spectrum = Spectrum::new(&system)?;
    let splitting = spectrum.energy(1) - spectrum.energy(0);
    println!(
        "V = -{} x² + {} x⁴, reference oscillator of frequency {:.4}",
        args.a,
        args.b,
        target.reference().oscillator().frequency
    );
    println!(
        "splitting  {} from paths, {:.6} on this lattice, {splitting:.6} in the continuum",
        report.correlators.gap()?,
        lattice.gap()
    );
    let energy = lattice.virial_energy(None)?;
    println!(
        "energy     {} from paths, {energy:.6} on this lattice, {:.6} in the continuum",
        report.energy.estimate,
        spectrum.energy(0)
    );
    // The path with the most hops among the last of all chains.
    let hops = |path: &[f64]| path.windows(2).filter(|x| x[0] * x[1] < 0.0).count();
    let path = chains.blocks().flat_map(|b| (0..LANES).map(|l| b.path(l))).max_by_key(|p| hops(p)).unwrap_or_default();
    let well = (args.a.max(0.0) / (2.0 * args.b)).sqrt();
    let at = |k: usize| k as f64 * ensemble.step();
    let end = at(path.len().saturating_sub(1));
    let curves = Curves {
        title: format!("A path in -{} x² + {} x⁴", args.a, args.b),
        x_label: "Euclidean time".into(),
        y_label: "x".into(),
        lines: vec![
            ("path".into(), path.iter().enumerate().map(|(k, x)| (at(k), *x)).collect()),
            ("minima".into(), vec![(0.0, well), (end, well)]),
            (String::new(), vec![(0.0, -well), (end, -well)]),
        ],
        ..Curves::default()
    };
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("double_well", "svg")?,
    };
    curves.write_svg(&file)?;
    println!("drawn: {}", file.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
