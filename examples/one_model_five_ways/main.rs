//! Do five methods give one answer?
//!
//! A ±J spin glass on a square lattice is built once. The same object goes to an exact sum, to parallel tempering, to belief
//! propagation, to an autoregressive network, and to a restricted Boltzmann machine that has seen nothing but samples. All
//! five are asked for ln Z and for the correlations of coupled pairs, through one trait.
//!
//! ```text
//! cargo run --release --example one_model_five_ways
//! cargo run --release --example one_model_five_ways -- --size 4 --beta 0.5,1,2
//! cargo run --release --example one_model_five_ways -- --quick --json
//! ```
//!
//! The defaults take about 30 s on one core. What to expect: the three with error bars agree with the exact sum within them; a
//! column gives the difference in standard errors. Belief propagation has no error bar. It is good while correlations are short;
//! from β = 0.5 on frustrated squares carry more than its messages know, and from β = 0.75 on it does not converge. The machine's ln Z is
//! corrected by reweighting, its correlations are not: a deviation above their error bar is what was not learned. Those treat
//! configurations five sweeps apart as independent; the error of its ln Z is the spread of eight sets of replicas.

mod learned;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::Estimate;
use spin_models::mcmc::ParallelTemperingSolver;
use spin_models::{Boundary, Disorder, EnergyModel, Ising, Kind, Lattice, LnZ, Quantities, Solve, TransferMatrix};
use variational::autoregressive::MadeParams;
use variational::van::{TrainerParams, VanParams};
use variational::{Bethe, Van};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;

use learned::Learned;

/// One spin glass, five methods: free energy and correlations with errors.
#[derive(Debug, Parser)]
#[command(name = "one_model_five_ways", version)]
struct Args {
    /// Side of the square, free boundaries.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=6))]
    size: u8,
    /// Inverse temperatures.
    #[arg(long, value_delimiter = ',', default_values_t = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5])]
    beta: Vec<f64>,
    /// Configurations that the machine learns from; as many are kept apart.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    samples: u32,
    /// Hidden units of the machine.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=512))]
    hidden: u16,
    /// Passes of its training.
    #[arg(long, default_value_t = 100)]
    epochs: u64,
    /// Training steps of the autoregressive network.
    #[arg(long, default_value_t = 600)]
    steps: u64,
    /// Seed of couplings and of all that is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Two temperatures, a 4 x 4 lattice, shorter training.
    #[arg(long)]
    quick: bool,
    /// Where to draw the free energies; correlations go beside it with `_correlations` in the name.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object a method and temperature instead of the table.
    #[arg(long)]
    json: bool,
}

/// What one method answered at one temperature.
struct Row {
    method: &'static str,
    beta: f64,
    ln_z: LnZ,
    correlations: Vec<Estimate>,
    seconds: f64,
}

impl Row {
    fn ln_z(&self) -> Estimate {
        Estimate { value: self.ln_z.value, std_error: self.ln_z.std_error }
    }

    /// Root mean square of the differences of correlations to the exact ones, and of their error bars.
    fn deviation(&self, exact: &Row) -> (f64, Option<f64>) {
        let n = self.correlations.len().max(1) as f64;
        let difference =
            self.correlations.iter().zip(&exact.correlations).map(|(a, b)| (a.value - b.value).powi(2)).sum::<f64>();
        let errors: Option<f64> = self.correlations.iter().map(|c| c.std_error.map(|e| e * e)).sum();
        ((difference / n).sqrt(), errors.map(|sum| (sum / n).sqrt()))
    }
}

fn methods(args: &Args) -> Vec<Box<dyn Solve<Ising>>> {
    let made = MadeParams::default().layers(2, 2);
    let trainer = TrainerParams::default().batch(500).learning_rate(0.01);
    let van = VanParams::default().network(made).trainer(trainer).steps(args.steps).annealing(0.98).samples(30_000);
    let tempering = ParallelTemperingSolver::default().with_seed(args.seed).quick();
    vec![
        Box::new(TransferMatrix::default()),
        Box::new(tempering),
        Box::new(Bethe::default()),
        Box::new(Van::new(van).with_seed(args.seed)),
        Box::new(Learned {
            samples: args.samples as usize,
            hidden: usize::from(args.hidden),
            epochs: args.epochs,
            seed: args.seed,
        }),
    ]
}

fn print(row: &Row, exact: &Row, json: bool) {
    let (deviation, error) = row.deviation(exact);
    let difference = row.ln_z.value - exact.ln_z.value;
    let converged = !matches!(row.ln_z.kind, Kind::Approximation { converged: false, .. });
    if json {
        let line = Line::new()
            .text("method", row.method)
            .number("beta", Some(row.beta))
            .text("kind", row.ln_z.kind.name())
            .flag("converged", converged)
            .number("ln_z", Some(row.ln_z.value))
            .number("ln_z_std_error", row.ln_z.std_error)
            .number("ln_z_exact", Some(exact.ln_z.value))
            .number("correlations_rms_difference", Some(deviation))
            .number("correlations_rms_std_error", error)
            .number("seconds", Some(row.seconds));
        println!("{}", line.finish());
        return;
    }
    let z = row.ln_z.std_error.map(|_| row.ln_z().z_score(&exact.ln_z()));
    println!(
        "{:>5} {:<18} {:>20} {:>11.2e} {:>6} {:>12.5} {:>10} {:>8.2}{}",
        row.beta,
        row.method,
        row.ln_z().to_string(),
        difference,
        z.map_or("-".to_owned(), |z| format!("{z:.1}")),
        deviation,
        error.map_or("-".to_owned(), |error| format!("{error:.5}")),
        row.seconds,
        if converged { "" } else { "  not converged" },
    );
}

fn draw(file: &Path, rows: &[Vec<Row>], n: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mut free = Curves {
        title: format!("±J glass of {n} spins: ln Z of four methods against the exact sum"),
        x_label: "beta".to_owned(),
        y_label: "(ln Z - exact) / N".to_owned(),
        lines: vec![("exact".to_owned(), rows.iter().map(|row| (row[0].beta, 0.0)).collect())],
        ..Curves::default()
    };
    let cold = &rows[rows.len() - 1];
    let mut pairs = Curves {
        title: format!("Correlations of coupled pairs at beta = {}", cold[0].beta),
        x_label: "exact".to_owned(),
        y_label: "method".to_owned(),
        lines: vec![("equal".to_owned(), vec![(-1.0, -1.0), (1.0, 1.0)])],
        ..Curves::default()
    };
    for method in 1..cold.len() {
        let name = cold[method].method.to_owned();
        let shifted = rows.iter().map(|row| {
            let (found, exact) = (&row[method], &row[0]);
            // Beside each other, so that the error bars can be seen.
            let beta = found.beta + 0.012 * (method as f64 - 2.5);
            let error = found.ln_z.std_error.unwrap_or(0.0);
            (beta, (found.ln_z.value - exact.ln_z.value) / n as f64, error / n as f64)
        });
        free.points.push(Points { name: name.clone(), points: shifted.collect() });
        let both = cold[0].correlations.iter().zip(&cold[method].correlations);
        let both = both.map(|(exact, found)| (exact.value, found.value, found.std_error.unwrap_or(0.0)));
        pairs.points.push(Points { name, points: both.collect() });
    }
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let second = file.with_file_name(format!("{stem}_correlations.svg"));
    for (curves, file) in [(&free, file), (&pairs, second.as_path())] {
        curves.write_svg(file)?;
        curves.write_csv(&file.with_extension("csv"))?;
        eprintln!("drawn to {}", file.display());
    }
    Ok(())
}

fn run(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        (args.size, args.beta, args.samples, args.epochs, args.steps) = (4, vec![0.5, 1.0], 2000, 40, 150);
    }
    if let Some(beta) = args.beta.iter().find(|beta| !(**beta > 0.0 && beta.is_finite())) {
        return Err(format!("--beta has {beta}, expected positive numbers").into());
    }
    let lattice = Lattice::square(usize::from(args.size), Boundary::Free)?;
    let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut Streams::new(args.seed).stream(0))?;
    let want = Quantities::all();
    if !args.json {
        println!("{} spins, {} couplings of ±1", model.n_spins(), model.n_couplings());
        println!(
            "{:>5} {:<18} {:>20} {:>11} {:>6} {:>12} {:>10} {:>8}",
            "beta", "method", "ln Z", "- exact", "z", "corr. off by", "±", "seconds"
        );
    }
    let mut rows: Vec<Vec<Row>> = Vec::new();
    for &beta in &args.beta {
        let mut at: Vec<Row> = Vec::new();
        for method in methods(&args) {
            let start = Instant::now();
            let mut bar = Bar::new(&format!("{} at {beta}", method.name()));
            let solution = method.solve(&model, beta, want, &mut bar)?;
            bar.finish();
            let row = Row {
                method: method.name(),
                beta,
                ln_z: solution.ln_z.ok_or_else(|| format!("{} gives no ln Z", method.name()))?,
                correlations: solution.correlations.map(|found| found.values).unwrap_or_default(),
                seconds: start.elapsed().as_secs_f64(),
            };
            print(&row, at.first().unwrap_or(&row), args.json);
            at.push(row);
        }
        rows.push(at);
    }
    let file = match args.svg {
        Some(file) => file,
        None => figure::path("one_model_five_ways", "svg")?,
    };
    draw(&file, &rows, model.n_spins())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
