//! Where does φ⁴ theory in 1 + 1 dimensions break its symmetry?
//!
//! The Binder cumulant ⟨M⁴⟩/⟨M²⟩² of lattices of two sizes against the bare m² at fixed coupling; where the curves cross is the
//! transition. The crossing gives g/μ² with μ² = m² + 12 g A(μ²), the mass renormalised by the tadpole A; the continuum limit
//! g → 0 is 2.777 (λ/μ² = 11.11 with λ = 4 g, arXiv:2512.16536). A smoke test: sizes and spacing are finite.
//!
//! ```text
//! cargo run --release --example phi4
//! cargo run --release --example phi4 -- --coupling 0.125 --sizes 24,48
//! ```
//!
//! The defaults take about ten seconds. Expected: a crossing near g/μ² = 2.4; it moves up with the sizes, since 1/μ is two to four
//! spacings, a quarter of the smaller lattice.

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::{block_means, jackknife};
use path_integral_nn::field::{FieldHmc, FieldHmcParams, ScalarField};
use workspace_examples::exit;

type Failure = Box<dyn std::error::Error>;

/// Binder cumulants of lattice φ⁴.
#[derive(Debug, Clone, Parser)]
#[command(name = "phi4", version)]
struct Args {
    /// Coupling g of g φ⁴, in lattice units.
    #[arg(long, default_value_t = 0.25)]
    coupling: f64,
    /// Two linear sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [16, 32])]
    sizes: Vec<usize>,
    /// Trajectories at each point.
    #[arg(long, default_value_t = 6000, value_parser = clap::value_parser!(u64).range(200..=10_000_000))]
    trajectories: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sizes 8 and 16, 4000 trajectories.
    #[arg(long)]
    quick: bool,
}

/// 1/(k² + μ²) averaged over the momenta of a large lattice.
fn tadpole(mu_squared: f64) -> f64 {
    ScalarField::new(&[256, 256], 1.0, 1.0, mu_squared, 0.0).and_then(|f| f.free_phi_squared()).unwrap_or(f64::NAN)
}

/// The mass of m² renormalised: μ² = m² + 12 g A(μ²).
fn renormalised(mass_squared: f64, g: f64) -> f64 {
    let (mut low, mut high) = (1e-6, 10.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if mass_squared + 12.0 * g * tadpole(middle) > middle { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn cumulant(l: usize, mass_squared: f64, args: &Args, stream: u64) -> Result<(f64, f64), Failure> {
    let field = ScalarField::new(&[l, l], 1.0, 1.0, mass_squared, args.coupling)?;
    let mut hmc = FieldHmc::new(&field, FieldHmcParams::default())?;
    let mut rng = Streams::new(args.seed).fast_stream(stream);
    let (mut second, mut fourth) = (Vec::new(), Vec::new());
    for step in 0..args.trajectories + args.trajectories / 10 {
        hmc.step(&mut rng);
        if step >= args.trajectories / 10 {
            let m = hmc.phi().iter().sum::<f64>() / field.n_sites() as f64;
            second.push(m * m);
            fourth.push(m.powi(4));
        }
    }
    let blocks: Vec<f64> =
        block_means(&second, 20)?.into_iter().zip(block_means(&fourth, 20)?).flat_map(|(a, b)| [a, b]).collect();
    let estimate = jackknife(&blocks, 2, |m| m[1] / (m[0] * m[0]))?.estimate();
    Ok((estimate.value, estimate.std_error.unwrap_or(f64::NAN)))
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.sizes, args.trajectories) = (vec![8, 16], args.trajectories.min(4000));
    }
    let [small, large] = args.sizes[..] else {
        return Err(format!("--sizes is {:?}, expected two sizes", args.sizes).into());
    };
    if !(args.coupling > 0.0 && args.coupling < 2.0) {
        return Err(format!("--coupling is {}, expected a number between 0 and 2", args.coupling).into());
    }
    println!("g = {}, lattices of {small} x {small} and {large} x {large}", args.coupling);
    println!("{:>10}{:>10}{:>12}{:>10}{:>12}{:>10}", "g/mu^2", "m^2", "U small", "±", "U large", "±");
    let mut rows = Vec::new();
    for (k, ratio) in [1.8, 2.1, 2.4, 2.7, 3.0].into_iter().enumerate() {
        // From the renormalised mass back to the bare one.
        let mu_squared = args.coupling / ratio;
        let mass_squared = mu_squared - 12.0 * args.coupling * tadpole(mu_squared);
        debug_assert!((renormalised(mass_squared, args.coupling) - mu_squared).abs() < 1e-6);
        let (a, da) = cumulant(small, mass_squared, &args, 2 * k as u64)?;
        let (b, db) = cumulant(large, mass_squared, &args, 2 * k as u64 + 1)?;
        println!("{ratio:>10.2}{mass_squared:>10.4}{a:>12.4}{da:>10.4}{b:>12.4}{db:>10.4}");
        rows.push((ratio, b - a, da.hypot(db)));
    }
    let crossing = rows.windows(2).find(|w| w[0].1 > 0.0 && w[1].1 <= 0.0);
    match crossing {
        Some(w) => {
            let (x, y, d) = (w[0], w[1], w[1].1 - w[0].1);
            let at = x.0 - x.1 * (y.0 - x.0) / d;
            let error = x.2.hypot(y.2) * (y.0 - x.0) / d.abs();
            println!("crossing at g/mu^2 = {at:.2} ± {error:.2}; continuum 2.777");
        }
        None => println!("no crossing in this range"),
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
