//! How Gaussian is a random network of finite width?
//!
//! Two- and four-point function of networks whose two-point function is the oscillator's, against the width N: the design
//! with Cauchy frequencies has the exact two-point function at any N and an excess kurtosis of 1.5/N; a cut-off loses a share
//! of ⟨x²⟩ and needs N far above Λ/ω.
//!
//! ```text
//! cargo run --release --example network_field_theory
//! ```
//!
//! The defaults take some seconds. Expected: measured values within two or three error bars of the exact ones.

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::Running;
use path_integral_nn::nnft::{Design, NetworkEnsemble};
use workspace_examples::exit;

type Failure = Box<dyn std::error::Error>;

/// Non-Gaussianity of network field theories.
#[derive(Debug, Clone, Parser)]
#[command(name = "network_field_theory", version)]
struct Args {
    /// Networks drawn for each row.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    samples: u64,
    /// Cut-off in units of ω.
    #[arg(long, default_value_t = 20.0)]
    cutoff: f64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 20000 networks.
    #[arg(long)]
    quick: bool,
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.samples = args.samples.min(20_000);
    }
    println!(
        "{:<9}{:>6}{:>24}{:>10}{:>26}{:>10}",
        "design", "N", "<x(0)x(1)>", "exact", "N <x(0)^4>_c/<x^2>^2", "exact"
    );
    for design in [Design::Cauchy, Design::Uniform { cutoff: args.cutoff }] {
        for width in [4, 16, 64] {
            let ensemble = NetworkEnsemble::new(design, width, 1, 1.0, 1.0, 1.0)?;
            let variance = ensemble.two_point(&[0.0])?;
            let (mut products, mut fourth) = (Running::new(), Running::new());
            for k in 0..args.samples {
                let network = ensemble.draw(&mut Streams::new(args.seed).fast_stream(k));
                let (x, y) = (network.evaluate(&[0.0]), network.evaluate(&[1.0]));
                products.push(x * y);
                fourth.push(width as f64 * ((x * x / variance).powi(2) - 3.0));
            }
            println!(
                "{:<9}{width:>6}{:>14.5} ± {:.5}{:>10.5}{:>16.3} ± {:.3}{:>10.3}",
                if design == Design::Cauchy { "cauchy" } else { "uniform" },
                products.mean(),
                products.std_error(),
                ensemble.two_point(&[1.0])?,
                fourth.mean(),
                fourth.std_error(),
                width as f64 * ensemble.excess_kurtosis()?,
            );
        }
    }
    let cut = NetworkEnsemble::new(Design::Uniform { cutoff: args.cutoff }, 1, 1, 1.0, 1.0, 1.0)?;
    println!("the cut-off loses {:.2} % of <x^2>", 100.0 * cut.lost_share()?);
    let cauchy = NetworkEnsemble::new(Design::Cauchy, 100, 1, 1.0, 1.0, 1.0)?;
    println!(
        "connected four-point function of N = 100 at times 0, 0.5, 1, 1.5: {:.6}",
        cauchy.connected_four_point([0.0, 0.5, 1.0, 1.5])?
    );
    let streams = Streams::new(args.seed).child(1);
    let interacting = cauchy.interacting_x_squared(0.2, 3.0, 24, args.samples.min(20_000), streams)?;
    println!("<x^2> with 0.2 x^4 switched on for a time of 3, by reweighting: {interacting}");
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
