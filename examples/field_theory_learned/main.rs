//! What do a machine and a predictor learn of a quantum field, and is it what the propagator says?
//!
//! Configurations of lattice φ⁴ theory are drawn by Hamiltonian Monte Carlo and written to a file, which everything else reads.
//! A restricted Boltzmann machine learns the signs of the field in windows of four time slices, and draws its own. The slices one
//! after the other are a stream of binary series, whose next step is predicted. Twice: without interaction, where the
//! propagator is exact and gives both answers in closed form, and with g φ⁴ at the same renormalised mass.
//!
//! ```text
//! cargo run --release --example field_theory_learned
//! cargo run --release --example field_theory_learned -- --coupling 1 --mass-squared 0.1 --out fields.npy
//! cargo run --release --example field_theory_learned -- --quick --json
//! ```
//!
//! Signs of a Gaussian field of correlation ρ agree with mean (2/π) arcsin ρ (W. F. Sheppard, Phil. Trans. R. Soc. A 192, 101
//! (1899)). Expected without interaction: data on that curve within their errors, the machine close to it, the self-Markov
//! predictor at the entropy that the first lag leaves, the kinetic Ising model below it, since neighbours tell more. With
//! interaction the tadpole is all that the renormalised mass takes care of; the rest of the difference is φ⁴.

mod free;
mod learn;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use boltzmann::io::{NpyArray, read_npy, write_npy};
use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::{Binning, Estimate};
use path_integral_nn::field::{FieldHmc, FieldHmcParams, ScalarField, bare_mass_squared};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// Lags of the table and the figure.
const LAGS: usize = 8;

/// Fields on a lattice, learned from a file.
#[derive(Debug, Clone, Parser)]
#[command(name = "field_theory_learned", version)]
struct Args {
    /// Length of the lattice in time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(16..=4096))]
    time: u16,
    /// Length in space.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=16))]
    space: u16,
    /// Renormalised μ² in units of the lattice.
    #[arg(long, default_value_t = 0.25)]
    mass_squared: f64,
    /// Coupling g of the second set; the first is free.
    #[arg(long, default_value_t = 0.2)]
    coupling: f64,
    /// Configurations of each set.
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    samples: u32,
    /// Trajectories from one configuration to the next.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    trajectories: u32,
    /// Hidden units of the machine.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=24))]
    hidden: u16,
    /// Passes of its training.
    #[arg(long, default_value_t = 200)]
    epochs: u64,
    /// Slices that the predictors learn from; as many are predicted.
    #[arg(long, default_value_t = 8000)]
    slices: u32,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 150 configurations, 10 passes, 1500 slices.
    #[arg(long)]
    quick: bool,
    /// Where the configurations of the second set are kept; `target/figures/field_theory_learned.npy` by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to draw; `target/figures/field_theory_learned.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object a lag and a predictor instead of the tables.
    #[arg(long)]
    json: bool,
}

/// Draws configurations and writes them as an array `samples x time x space`.
fn draw_fields(args: &Args, coupling: f64, streams: &Streams, file: &Path) -> Result<f64, Failure> {
    let (time, space) = (usize::from(args.time), usize::from(args.space));
    // Without a coupling the bare mass is the renormalised one.
    let bare = if coupling > 0.0 { bare_mass_squared(args.mass_squared, coupling)? } else { args.mass_squared };
    let field = ScalarField::new(&[time, space], 1.0, 1.0, bare, coupling)?;
    let params = FieldHmcParams::default().reference_mass_squared(args.mass_squared);
    let mut hmc = FieldHmc::new(&field, params)?;
    let mut rng = streams.stream(0);
    (0..100).for_each(|_| {
        hmc.step(&mut rng);
    });
    let mut data = Vec::with_capacity(args.samples as usize * field.n_sites());
    for _ in 0..args.samples {
        (0..args.trajectories).for_each(|_| {
            hmc.step(&mut rng);
        });
        data.extend_from_slice(hmc.phi());
    }
    let array = NpyArray { shape: vec![args.samples as usize, time, space], data };
    let mut out = BufWriter::new(File::create(file).map_err(|error| format!("{}: {error}", file.display()))?);
    write_npy(&array, &mut out)?;
    out.flush()?;
    Ok(hmc.acceptance())
}

/// What is known of one set of configurations.
struct Set {
    coupling: f64,
    acceptance: f64,
    /// `⟨φφ⟩` and the mean product of signs by lag, of the data.
    field: Vec<Estimate>,
    signs: Vec<Estimate>,
    /// The latter of the machine's own samples, in its window.
    machine: Vec<Estimate>,
    /// Mean log-likelihood of unseen windows, in nats a site.
    likelihood: f64,
    losses: Vec<learn::Loss>,
}

/// Means over places of products at lag t, binned over configurations.
fn correlations(fields: &NpyArray, f: impl Fn(f64) -> f64) -> Vec<Estimate> {
    let (time, space) = (fields.shape[1], fields.shape[2]);
    let mut bins = vec![Binning::new(); LAGS + 1];
    for phi in fields.data.chunks_exact(time * space) {
        let values: Vec<f64> = phi.iter().map(|&x| f(x)).collect();
        for (lag, bin) in bins.iter_mut().enumerate() {
            let shift = lag * space;
            let sum: f64 = (0..values.len()).map(|k| values[k] * values[(k + shift) % values.len()]).sum();
            bin.push(sum / values.len() as f64);
        }
    }
    bins.iter().map(Binning::estimate).collect()
}

fn study(args: &Args, coupling: f64, unit: u64, file: &Path) -> Result<Set, Failure> {
    let streams = Streams::new(args.seed).child(unit);
    let acceptance = draw_fields(args, coupling, &streams, file)?;
    // From here on the file is all there is.
    let source = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let fields = read_npy(BufReader::new(source))?;
    let machine = learn::machine(&fields, usize::from(args.hidden), args.epochs, args.seed, streams.child(1))?;
    Ok(Set {
        coupling,
        acceptance,
        field: correlations(&fields, |x| x),
        signs: correlations(&fields, f64::signum),
        machine: machine.signs,
        likelihood: machine.likelihood,
        losses: learn::predict(&fields, args.slices as usize)?,
    })
}

fn print(args: &Args, set: &Set, exact: &[f64], exact_signs: &[f64]) {
    let markov = free::markov_loss(exact_signs[1], usize::from(args.time));
    if args.json {
        for lag in 0..=LAGS {
            let machine = set.machine.get(lag);
            let line = Line::new()
                .number("coupling", Some(set.coupling))
                .count("lag", lag as u64)
                .number("propagator", Some(set.field[lag].value))
                .number("propagator_std_error", set.field[lag].std_error)
                .number("free_propagator", Some(exact[lag]))
                .number("signs", Some(set.signs[lag].value))
                .number("signs_std_error", set.signs[lag].std_error)
                .number("free_signs", Some(exact_signs[lag]))
                .number("machine", machine.map(|c| c.value))
                .number("machine_std_error", machine.and_then(|c| c.std_error));
            println!("{}", line.finish());
        }
        for loss in &set.losses {
            let line = Line::new()
                .number("coupling", Some(set.coupling))
                .text("predictor", &loss.model)
                .count("parameters", loss.parameters as u64)
                .number("log_loss", Some(loss.loss.value))
                .number("log_loss_std_error", loss.loss.std_error)
                .number("free_self_markov", Some(markov));
            println!("{}", line.finish());
        }
        return;
    }
    println!("g = {}, acceptance {:.3}", set.coupling, set.acceptance);
    println!("{:>4} {:>18} {:>10} {:>18} {:>10} {:>18}", "lag", "<phi phi>", "free", "signs", "free", "machine");
    for lag in 0..=LAGS {
        let machine = set.machine.get(lag).map_or("-".to_owned(), ToString::to_string);
        let (field, signs) = (set.field[lag].to_string(), set.signs[lag].to_string());
        println!("{lag:>4} {field:>18} {:>10.5} {signs:>18} {:>10.5} {machine:>18}", exact[lag], exact_signs[lag]);
    }
    println!("machine: {:.4} nats a site on unseen windows, independent signs {:.4}", set.likelihood, -2f64.ln());
    for loss in &set.losses {
        println!("{:<16} {:>5} numbers, {} nats a sign", loss.model, loss.parameters, loss.loss);
    }
    println!("self-markov by the free propagator: {markov:.5}\n");
}

fn draw(args: &Args, sets: &[Set], exact_signs: &[f64]) -> Result<(), Failure> {
    let points = |name: String, values: &[Estimate], shift: f64| Points {
        name,
        points: values
            .iter()
            .enumerate()
            .skip(1)
            .map(|(lag, c)| (lag as f64 + shift, c.value, c.std_error.unwrap_or(0.0)))
            .collect(),
    };
    let mut curves = Curves {
        title: format!("Signs of a lattice field, renormalised mass² {}", args.mass_squared),
        x_label: "lag in time".to_owned(),
        y_label: "mean product of signs".to_owned(),
        lines: vec![(
            "free propagator, arcsine law".to_owned(),
            exact_signs.iter().enumerate().skip(1).map(|(lag, &c)| (lag as f64, c)).collect(),
        )],
        ..Curves::default()
    };
    for (k, set) in sets.iter().enumerate() {
        let shift = 0.06 * k as f64;
        curves.points.push(points(format!("g = {}, data", set.coupling), &set.signs, shift));
        curves.points.push(points(format!("g = {}, machine", set.coupling), &set.machine, shift + 0.03));
    }
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("field_theory_learned", "svg")?,
    };
    curves.write_svg(&file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.samples, args.epochs, args.slices) = (args.samples.min(150), args.epochs.min(10), args.slices.min(1500));
    }
    if !(args.mass_squared > 0.0 && args.mass_squared.is_finite()) {
        return Err(format!("--mass-squared is {}, expected a positive number", args.mass_squared).into());
    }
    if !(args.coupling > 0.0 && args.coupling.is_finite()) {
        return Err(format!("--coupling is {}, expected a positive number", args.coupling).into());
    }
    let available = u64::from(args.samples) * u64::from(args.time);
    if 2 * u64::from(args.slices) > available || args.slices < 100 {
        return Err(format!("--slices is {}, expected 100 to half of the {available} there are", args.slices).into());
    }
    let file = match &args.out {
        Some(file) => file.clone(),
        None => figure::path("field_theory_learned", "npy")?,
    };
    let exact = free::propagator(usize::from(args.time), usize::from(args.space), args.mass_squared, LAGS);
    let exact_signs: Vec<f64> = exact.iter().map(|g| free::sign_correlation(g / exact[0])).collect();
    let mut sets = Vec::new();
    for (unit, coupling) in [0.0, args.coupling].into_iter().enumerate() {
        let set = study(&args, coupling, unit as u64, &file)?;
        print(&args, &set, &exact, &exact_signs);
        sets.push(set);
    }
    draw(&args, &sets, &exact_signs)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
