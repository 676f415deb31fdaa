//! Which network is a path, and which path is a network?
//!
//! One path of the quartic oscillator, drawn from the reference, written as a network in four ways and back; what the weights
//! mean; the gauge orbit of one ReLU network and its canonical form.
//!
//! ```text
//! cargo run --release --example path_network
//! cargo run --release --example path_network -- --slices 12 --seed 3
//! ```
//!
//! Takes a moment. Expected: every map is undone to 1e-13, and no gauge transformation changes an output.

use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use path_integral_nn::path::{Network, Parametrization, PathNetwork, TimeGrid, Unit};
use path_integral_nn::sampler::{Block, Target};
use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
use workspace_examples::exit;

type Failure = Box<dyn std::error::Error>;

/// Paths as networks and networks as paths.
#[derive(Debug, Clone, Parser)]
#[command(name = "path_network", version)]
struct Args {
    /// Time steps, and hidden units.
    #[arg(long, default_value_t = 8)]
    slices: usize,
    /// Length of the path.
    #[arg(long, default_value_t = 2.0)]
    time: f64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The same: it is quick already.
    #[arg(long)]
    quick: bool,
}

fn run(args: &Args) -> Result<(), Failure> {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
    let action = Action::new(&system, &Ensemble::ground_state(args.time, args.slices)?, Rule::Trapezoid)?;
    let target = std::sync::Arc::new(Target::variational(&action)?);
    let path = Block::new(&target, Streams::new(args.seed), 0)?.path(0);
    let grid = TimeGrid::uniform(0.0, args.time, args.slices)?;

    println!("a path of x²/2 + x⁴ and its weights, step {}", grid.step(1));
    println!("{:>6}{:>10}{:>11}{:>11}{:>11}{:>11}", "t", "x", "relu", "step", "cosine", "sine");
    let mut columns = Vec::new();
    for kind in Parametrization::ALL {
        let mut network = PathNetwork::new(kind, &grid)?;
        let parameters = network.to_parameters(&path);
        let back = network.to_path(&parameters);
        let worst = back.iter().zip(&path).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        columns.push((kind, parameters, worst, network.ln_jacobian()));
    }
    for (k, (t, x)) in grid.times().iter().zip(&path).enumerate() {
        let weights: String = columns.iter().map(|(_, p, ..)| format!("{:>11.5}", p[k])).collect();
        println!("{t:>6.3}{x:>10.5}{weights}");
    }
    for (kind, _, worst, ln_jacobian) in &columns {
        println!("{:>8}: undone to {worst:.1e}, ln |det J| = {ln_jacobian:.6}", kind.name());
    }
    println!();
    println!("{:<10}{:<26}what a weight means", "", "first number");
    for (name, first, meaning) in [
        ("relu", "b = x(0)", "w_1 initial velocity; w_n/step acceleration at t_(n-1)"),
        ("step", "b = x(0)", "W_n velocity in the middle of interval n: independent for a free particle"),
        ("cosine", "a_0 = mean", "a_n amplitude of a mode with free ends"),
        ("sine", "x(0); the last is x(T)", "a_n amplitude of a mode with fixed ends"),
    ] {
        println!("{name:<10}{first:<26}{meaning}");
    }

    let mut rng = Streams::new(args.seed).stream(99);
    let mut number = || standard_normal(&mut rng);
    let units: Vec<Unit> = (0..4).map(|_| Unit { output: number(), input: number(), bias: number() }).collect();
    let network = Network::new(0.2, &units)?;
    println!();
    println!("the gauge orbit of one network: (w, w~, b~) -> (w/a, a w~, a b~)");
    for a in [0.01, 1.0, 100.0] {
        let mut other = network.clone();
        for k in 0..units.len() {
            other = other.rescaled(k, a)?;
        }
        let u = other.units()[0];
        println!(
            "  a = {a:<6} first unit ({:>9.4}, {:>9.4}, {:>9.4})   x(0.5) = {:.12}",
            u.output,
            u.input,
            u.bias,
            other.evaluate(0.5)
        );
    }
    let canonical = network.canonicalize();
    let (constant, velocity) = canonical.line();
    println!("canonical form: {constant:.4} + {velocity:.4} t and");
    for (knot, slope) in canonical.knots().iter().zip(canonical.slopes()) {
        println!("  {slope:>8.4} max(0, t - {knot:.4})");
    }
    let (knots, path) = canonical.to_path(-2.0, 2.0)?;
    println!("as a path on {} uneven steps from -2 to 2:", knots.n_steps());
    for (t, x) in knots.times().iter().zip(&path) {
        println!("  x({t:>7.4}) = {x:>9.5}");
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}
