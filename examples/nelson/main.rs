//! Do Nelson's stochastic mechanics and the path integral agree?
//!
//! A diffusion with drift (ħ/m) d ln ψ₀/dx has the density ψ₀²; the path integral over half an axis of time gives ψ₀ itself at
//! its end. The ratio of the two densities is ψ₀, the factor by which both kinds of paths differ at the end.
//!
//! ```text
//! cargo run --release --example nelson
//! cargo run --release --example nelson -- --potential 0,0,-1,0,0.25 --dt 0.05
//! ```
//!
//! The defaults (x²/2 + x⁴) take a second. Expected: ⟨x²⟩ = 0.25715 for the adjusted scheme, a bias for Euler's, and a ratio
//! that is ψ₀ within the noise.

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::autocorrelation_time;
use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::exact::Spectrum;
use path_integral_nn::nelson::{Nelson, Scheme};
use path_integral_nn::sampler::{Chains, ChainsParams, LANES, Method, Target};
use path_integral_nn::{Action, Ensemble, Polynomial, ReferenceOscillator, Rule, System};
use workspace_examples::exit;

type Failure = Box<dyn std::error::Error>;

/// Nelson's diffusion beside the path integral.
#[derive(Debug, Clone, Parser)]
#[command(name = "nelson", version)]
struct Args {
    /// Coefficients of the potential from x⁰ up.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, default_value = "0,0,0.5,0,1")]
    potential: Vec<f64>,
    /// Step of the diffusion.
    #[arg(long, default_value_t = 0.1)]
    dt: f64,
    /// Steps of the diffusion.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..=1_000_000_000))]
    steps: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 200000 steps.
    #[arg(long)]
    quick: bool,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.steps = args.steps.min(200_000);
    }
    if !(args.dt > 0.0 && args.dt.is_finite()) {
        return Err(format!("--dt is {}, expected a number > 0", args.dt).into());
    }
    let system = System::new(Polynomial::new(&args.potential)?)?;
    let spectrum = Spectrum::new(&system)?;
    let nelson = Nelson::ground_state(&system)?;
    let oscillator = ReferenceOscillator::variational(&system)?;
    let width = 1.0 / (2.0 * oscillator.frequency).sqrt();
    // Of half a width, with edges where the histogram of the paths has some.
    let cells = 12;
    let cell = |x: f64| {
        let place = ((x - oscillator.center) / width * 2.0 + 0.5 * f64::from(cells)).floor();
        (place >= 0.0 && place < f64::from(cells)).then_some(place as usize)
    };
    let exact = spectrum.average(0, |x| x[0] * x[0]);
    println!("<x^2> of the diffusion at step {}; the grid solution has {exact:.6}", args.dt);
    let mut counts = vec![0u64; cells as usize];
    for (k, (name, scheme)) in
        [("euler", Scheme::Euler), ("ornstein-uhlenbeck", Scheme::OrnsteinUhlenbeck), ("adjusted", Scheme::Adjusted)]
            .into_iter()
            .enumerate()
    {
        let mut rng = Streams::new(args.seed).fast_stream(k as u64);
        let mut x = oscillator.center;
        let mut squares = Vec::with_capacity(args.steps as usize);
        for step in 0..args.steps {
            x = nelson.step(scheme, x, args.dt, &mut rng);
            if step < args.steps / 100 {
                continue;
            }
            squares.push(x * x);
            if scheme == Scheme::Adjusted
                && let Some(c) = cell(x)
            {
                counts[c] += 1;
            }
        }
        match autocorrelation_time(&squares) {
            Ok(time) => println!("  {name:<20}{:.6} ± {:.6}   tau {:.1} steps", time.mean, time.std_error(), time.tau),
            // Euler's scheme runs away where the drift is steep against the step.
            Err(_) => println!("  {name:<20}diverges: take a shorter step"),
        }
    }

    // ψ₀ from the open ends of paths.
    let ensemble = Ensemble::ground_state(8.0, 160)?;
    let target = Target::new(&Action::new(&system, &ensemble, Rule::Trapezoid)?, oscillator)?;
    let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default().seed(args.seed).threads(2))?;
    chains.thermalize(200, &mut ())?;
    let measure = ObservablesParams::default().control_variates(false).correlators(false);
    let mut observables = vec![Observables::new(&target, measure)?; chains.n_chains() / LANES];
    chains.run(args.steps / 200, &mut observables, &mut ())?;
    let report = Report::new(&observables)?;
    let mut ends = vec![0.0; cells as usize];
    for (x, height) in &report.end_density {
        if let Some(c) = cell(*x) {
            ends[c] += height;
        }
    }
    let total: u64 = counts.iter().sum();
    let middle = cells as usize / 2;
    println!();
    println!("{:>8}{:>12}{:>12}{:>14}{:>12}", "x", "diffusion", "path ends", "their ratio", "psi0");
    let ratio = |c: usize| counts[c] as f64 / total as f64 / ends[c];
    let place = |c: usize| oscillator.center + (c as f64 + 0.5 - 0.5 * f64::from(cells)) * 0.5 * width;
    for c in 0..cells as usize {
        let x = place(c);
        // Both columns are 1 in the same cell; its centre is not that of the oscillator.
        let relative = (nelson.ln_psi(x) - nelson.ln_psi(place(middle))).exp();
        let density = counts[c] as f64 / total as f64;
        let end = ends[c] / ends.iter().sum::<f64>();
        println!("{x:>8.3}{density:>12.5}{end:>12.5}{:>14.4}{relative:>12.4}", ratio(c) / ratio(middle));
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
