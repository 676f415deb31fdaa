//! What is the lowest energy, or the largest cut, of this instance?
//!
//! Reads an instance, cools independent reads from random spins by simulated annealing, and prints the best and the mean
//! energy. Where the instance is small or narrow enough to be solved exactly, the exact ground state stands beside them.
//!
//! ```text
//! cargo run --release --example anneal -- --file examples/data/gset_small.txt --sign maxcut
//! cargo run --release --example anneal -- --file examples/data/pm_square_16.txt --svg target/figures/anneal.svg
//! cargo run --release --example anneal -- --quick
//! ```
//!
//! The first command takes well under a second and finds the maximum cut of that graph, 49 by enumeration, in every read. Without a
//! file it cools the same graph. Bad input ends with status 2 and names the line and column.

mod args;

use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use linalg_core::Streams;
use spin_models::mcmc::{AnnealedRead, Annealer, Annealing};
use spin_models::{EnergyModel, Enumeration, Ising, TransferMatrix};
use workspace_examples::exit;
use workspace_examples::figure::Histogram;
use workspace_examples::instance::{self, Sign};
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;

use args::Args;

/// The graph that is cooled when no file is given.
const DEFAULT_INSTANCE: &str = include_str!("../data/gset_small.txt");

/// Spins up to which the exact answer comes from enumeration, in a fraction of a second.
const EXACT_SPINS: usize = 26;

/// Frontier up to which it comes from the transfer matrix.
const EXACT_FRONTIER: usize = 17;

/// The ground-state energy, where it is cheap.
fn exact_energy(model: &Ising) -> Option<f64> {
    if model.n_spins() <= EXACT_SPINS {
        return Enumeration::default().ground_state(model).ok().map(|ground| ground.energy);
    }
    let solver = TransferMatrix::default();
    let narrow = model.n_couplings() <= 20_000 && solver.frontier(model).frontier_width() <= EXACT_FRONTIER;
    narrow.then(|| solver.ground_state(model, &mut ()).ok()).flatten().map(|ground| ground.energy)
}

/// The cut of a configuration; `None` unless the numbers are weights.
fn cut(args: &Args, model: &Ising, found: &Annealing) -> Option<f64> {
    (args.sign() == Sign::Maxcut).then(|| model.cut_value(&found.spins))
}

fn print_json(args: &Args, model: &Ising, found: &Annealing, seconds: f64) {
    let params = args.params();
    let mean = found.energies.iter().sum::<f64>() / found.energies.len() as f64;
    let mut line = Line::new()
        .count("reads", params.reads)
        .count("sweeps", params.sweeps)
        .number("best_energy", Some(found.energy))
        .number("mean_energy", Some(mean));
    if args.spins {
        line = line.signs("best_spins", &found.spins);
    }
    if let Some(cut) = cut(args, model, found) {
        line = line.number("best_cut", Some(cut));
    }
    line = line.number("seconds", Some(seconds)).number("seconds_per_read", Some(seconds / params.reads as f64));
    println!("{}", line.finish());
}

fn print_text(args: &Args, model: &Ising, found: &Annealing, seconds: f64) {
    let energies = &found.energies;
    let mean = energies.iter().sum::<f64>() / energies.len() as f64;
    // Energies of one configuration reached on different ways are the same sum.
    let hits = energies.iter().filter(|&&energy| energy <= found.energy).count();
    println!("best energy {} in {hits} of {} reads, mean {mean:.6}", found.energy, energies.len());
    println!(
        "            {} per spin, mean {:.6}",
        found.energy / model.n_spins() as f64,
        mean / model.n_spins() as f64
    );
    if let Some(cut) = cut(args, model, found) {
        println!("best cut    {cut}");
    }
    if let Some(exact) = exact_energy(model) {
        println!("exact       {exact}, best - exact = {:.3e}", found.energy - exact);
    }
    println!("seconds     {seconds:.3}, {:.3e} a read", seconds / energies.len() as f64);
    if args.spins {
        let signs: String = found.spins.iter().map(|&s| if s > 0 { '+' } else { '-' }).collect();
        println!("spins       {signs}");
    }
}

fn draw(args: &Args, model: &Ising, found: &Annealing) -> Result<(), Box<dyn std::error::Error>> {
    let Some(file) = &args.svg else { return Ok(()) };
    let params = args.params();
    let histogram = Histogram {
        title: format!("{} reads of {} sweeps, {} spins", params.reads, params.sweeps, model.n_spins()),
        x_label: "energy".to_owned(),
        values: found.energies.clone(),
        mark: exact_energy(model).map(|energy| ("exact ground state".to_owned(), energy)),
    };
    histogram.write_svg(file)?;
    histogram.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}

fn anneal(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let instance = match &args.file {
        Some(file) => instance::read_file(file, args.format, args.sign())?,
        None => instance::read(DEFAULT_INSTANCE.as_bytes(), "built-in instance", args.format, args.sign())?,
    };
    let model = &instance.model;
    let start = Instant::now();
    let annealer = Annealer::with_engine(model, args.params(), Streams::new(args.seed), args.engine.into())?;
    if !args.json {
        let (first, last) = annealer.range();
        println!(
            "{} spins, {} couplings; {} from beta = {first:.4} to {last:.4}",
            model.n_spins(),
            model.n_couplings(),
            annealer.engine().name()
        );
    }
    let mut lowest = f64::INFINITY;
    let mut tell = |read: &AnnealedRead| {
        if read.energy < lowest && !args.json {
            println!("read {:>8}  {}", read.read, read.energy);
        }
        lowest = lowest.min(read.energy);
        ControlFlow::Continue(())
    };
    let mut bar = Bar::new("annealing");
    let found = annealer.run(&mut tell, &mut bar);
    bar.finish();
    let found = found?;
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        print_json(args, model, &found, seconds);
    } else {
        print_text(args, model, &found, seconds);
    }
    draw(args, model, &found)
}

fn main() -> ExitCode {
    exit::report(anneal(&Args::parse()))
}
