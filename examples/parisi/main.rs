//! What is the order parameter of the Sherrington-Kirkpatrick model?
//!
//! q(x) by Parisi's equation and by k steps of replica-symmetry breaking at one temperature and field, the ground-state energy
//! from k steps at T = 0, the number of metastable states there, and the line of de Almeida and Thouless below which all this
//! is needed.
//!
//! ```text
//! cargo run --release --example parisi
//! cargo run --release --example parisi -- --temperature 0.3 --field 0.2 --steps 6 --json
//! ```
//!
//! A few seconds. Expected: a ground-state energy of -0.763167 from k = 6, 8 and 10, a susceptibility of 1 without field, and
//! ln⟨N⟩/N = 0.1992 with counts that agree with the exact mean at their size.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::Running;
use spin_models::SherringtonKirkpatrick;
use spin_models::theory::{
    BrayMoore, GroundStateEnergy, Parisi, ParisiEquation, ParisiFunction, ParisiSolution, ReplicaSymmetric,
    StableStates, almeida_thouless_temperature,
};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// The ground-state energy per spin to the digits that are known of it.
const GROUND_STATE: f64 = -0.763_166_726_5;

/// Replica-symmetry breaking in the Sherrington-Kirkpatrick model.
#[derive(Debug, Clone, Parser)]
#[command(name = "parisi", version)]
struct Args {
    /// Temperature of q(x), at least 0.1.
    #[arg(long, default_value_t = 0.5)]
    temperature: f64,
    /// Field.
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    field: f64,
    /// Steps of breaking beside the smooth solution.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=10))]
    steps: u64,
    /// Spins of the instances whose metastable states are counted.
    #[arg(long, default_value_t = 18, value_parser = clap::value_parser!(u64).range(2..=28))]
    spins: u64,
    /// Instances.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    samples: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// 14 spins.
    #[arg(long)]
    quick: bool,
    /// Where to draw q(x); `target/figures/parisi.svg` by default. The line goes into a file beside it, `…_line.svg`.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object instead of the tables.
    #[arg(long)]
    json: bool,
}

/// q(x) as a figure.
fn draw(args: &Args, smooth: &ParisiFunction, steps: &ParisiSolution) -> Result<PathBuf, Failure> {
    let mut line = vec![(0.0, smooth.overlaps[0])];
    line.extend(smooth.breaking.iter().copied().zip(smooth.overlaps.iter().copied()));
    line.push((1.0, smooth.overlaps[smooth.overlaps.len() - 1]));
    let mut stairs = Vec::new();
    let mut edges = vec![0.0];
    edges.extend(steps.scaled_breaking.iter().map(|gamma| gamma * steps.temperature));
    edges.push(1.0);
    for (pair, &q) in edges.windows(2).zip(&steps.overlaps) {
        stairs.extend([(pair[0], q), (pair[1], q)]);
    }
    let figure = Curves {
        title: format!("Order parameter at T = {}, h = {}", args.temperature, args.field),
        x_label: "x".into(),
        y_label: "q".into(),
        lines: vec![("Parisi's equation".into(), line), (format!("{} steps", args.steps), stairs)],
        ..Curves::default()
    };
    let file = args.svg.clone().map_or_else(|| figure::path("parisi", "svg"), Ok)?;
    figure.write_svg(&file)?;
    figure.write_csv(&file.with_extension("csv"))?;
    Ok(file)
}

/// The line of de Almeida and Thouless with its limits.
fn draw_line(beside: &std::path::Path) -> Result<PathBuf, Failure> {
    let mut line = Vec::new();
    for k in 0..=60 {
        let h = 0.05 * f64::from(k);
        line.push((almeida_thouless_temperature(h)?.0, h));
    }
    let near = (0..=40).map(|k| {
        let h = 0.01 * f64::from(k);
        (1.0 - (0.75 * h * h).cbrt(), h)
    });
    let far = (20..=60).map(|k| {
        let h = 0.05 * f64::from(k);
        (4.0 / 3.0 / (2.0 * std::f64::consts::PI).sqrt() * (-0.5 * h * h).exp(), h)
    });
    let figure = Curves {
        title: "Replica symmetry is broken below the line".into(),
        x_label: "T".into(),
        y_label: "h".into(),
        lines: vec![
            ("de Almeida and Thouless".into(), line),
            ("small fields".into(), near.collect()),
            ("large fields".into(), far.collect()),
        ],
        points: Vec::<Points>::new(),
        ..Curves::default()
    };
    let name = beside.file_stem().map_or_else(|| "parisi".into(), |s| s.to_string_lossy().into_owned());
    let file = beside.with_file_name(format!("{name}_line.svg"));
    figure.write_svg(&file)?;
    figure.write_csv(&file.with_extension("csv"))?;
    Ok(file)
}

/// Counts of metastable states over instances.
fn counts(args: &Args) -> Result<Running, Failure> {
    let streams = Streams::new(args.seed);
    let mut counts = Running::new();
    for k in 0..args.samples {
        let model = SherringtonKirkpatrick::gaussian(args.spins as usize, &mut streams.stream(k))?;
        counts.push(StableStates::count(&model, args.threads)?.count as f64);
    }
    Ok(counts)
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.spins = args.spins.min(14);
        args.samples = args.samples.min(40);
    }
    let smooth = ParisiEquation::new(args.field)?.at_temperature(args.temperature)?;
    let steps = Parisi::new(args.field, args.steps as usize)?.at_temperature(args.temperature)?;
    let symmetric = ReplicaSymmetric::new(0.0, args.field)?.at_temperature(args.temperature)?;
    let ground: GroundStateEnergy = Parisi::ground_state_energy(0.0)?;
    let (line, _) = almeida_thouless_temperature(args.field)?;
    let counts = counts(&args)?;
    let exact = BrayMoore::ln_mean_count(args.spins as usize)?.exp();
    let total = BrayMoore::total();
    if args.json {
        let line = Line::new()
            .number("temperature", Some(args.temperature))
            .number("field", Some(args.field))
            .number("almeida_thouless_temperature", Some(line))
            .number("free_energy", Some(smooth.free_energy_per_spin))
            .number("free_energy_steps", Some(steps.free_energy_per_spin))
            .number("free_energy_replica_symmetric", Some(symmetric.free_energy_per_spin))
            .number("energy", Some(smooth.energy_per_spin))
            .number("susceptibility", Some(smooth.susceptibility))
            .numbers("breaking", Some(&smooth.breaking))
            .numbers("overlaps", Some(&smooth.overlaps))
            .number("residual", Some(smooth.convergence.residual))
            .flag("converged", smooth.convergence.converged && steps.convergence.converged)
            .number("ground_state_energy", Some(ground.energy_per_spin))
            .numbers("ground_state_energies_of_steps", Some(&ground.energies_per_spin))
            .number("ground_state_energy_reference", Some(GROUND_STATE))
            .number("metastable_complexity", Some(total.complexity))
            .number("metastable_count", Some(counts.mean()))
            .number("metastable_count_std_error", Some(counts.std_error()))
            .number("metastable_count_exact_mean", Some(exact));
        println!("{}", line.finish());
        return Ok(());
    }
    println!("T = {}, h = {}; replica symmetry breaks below T = {line:.6}", args.temperature, args.field);
    println!("{:<24}{:>14}{:>14}{:>14}", "", "f", "energy", "dm/dh");
    let row = |name: &str, f: f64, e: f64, chi: f64| println!("{name:<24}{f:>14.8}{e:>14.8}{chi:>14.6}");
    row("replica symmetric", symmetric.free_energy_per_spin, symmetric.energy_per_spin, symmetric.susceptibility);
    row(&format!("{} steps", args.steps), steps.free_energy_per_spin, steps.energy_per_spin, steps.susceptibility);
    row("Parisi's equation", smooth.free_energy_per_spin, smooth.energy_per_spin, smooth.susceptibility);
    let report = |name: &str, c: &spin_models::theory::Convergence| {
        println!(
            "{name}: {} after {} evaluations, residual {:.1e}",
            if c.converged { "converged" } else { "NOT converged" },
            c.iterations,
            c.residual
        );
    };
    report("equation", &smooth.convergence);
    report("steps", &steps.convergence);
    println!();
    println!("ground state, h = 0:");
    for (k, e) in ground.steps.iter().zip(ground.energies_per_spin) {
        println!("  k = {k:<4}{e:>16.9}");
    }
    println!("  k -> oo {:>14.9}   reference {GROUND_STATE:.9}", ground.energy_per_spin);
    println!();
    println!("metastable states: ln<N>/N = {:.6} for large N, reference 0.1992", total.complexity);
    println!(
        "  N = {}: {:.2} ± {:.2} states over {} instances, exact mean {exact:.2}",
        args.spins,
        counts.mean(),
        counts.std_error(),
        args.samples
    );
    let file = draw(&args, &smooth, &steps)?;
    println!("figures: {} and {}", file.display(), draw_line(&file)?.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
