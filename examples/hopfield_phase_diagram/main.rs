//! At which temperatures and loads does a Hopfield network remember?
//!
//! The three lines of Amit, Gutfreund and Sompolinsky: T_g, where the spin glass begins; T_M, below which memories are
//! metastable; T_c, below which they are the states of lowest free energy; with Monte Carlo points for each. Memories of a
//! network are heated until they are lost (T_M); the free energies of memory and glass are integrated from their energies,
//! from T = 0 and from T = ∞, to where they cross (T_c); the overlap of a glass with itself some time later vanishes
//! linearly (T_g).
//!
//! ```text
//! cargo run --release --example hopfield_phase_diagram
//! cargo run --release --example hopfield_phase_diagram -- --spins 4000 --json
//! cargo run --release --example hopfield_phase_diagram -- --capacity      # α_c from five sizes, two minutes of a processor
//! ```
//!
//! Expected: α_c = 0.137905566 and m_c = 0.967417116 at T = 0; points of T_M some
//! hundredths below the line, for a network of finite size loses its memories a little earlier.

mod capacity;
mod monte_carlo;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::threads;
use spin_models::theory::{
    almeida_thouless_retrieval_temperature, retrieval_capacity, retrieval_temperature, spin_glass_temperature,
    thermodynamic_temperature,
};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;

use monte_carlo::{Effort, Measured};

type Failure = Box<dyn std::error::Error>;

/// α_c and m_c at T = 0, to be compared with.
const CAPACITY: (f64, f64) = (0.137_905_566_494_931_74, 0.967_417_115_685_291_6);

/// The phase diagram of the Hopfield model.
#[derive(Debug, Clone, Parser)]
#[command(name = "hopfield_phase_diagram", version)]
struct Args {
    /// Loads of the Monte Carlo points.
    #[arg(long, value_delimiter = ',', default_value = "0.01,0.02,0.04,0.06,0.08,0.12")]
    loads: Vec<f64>,
    /// Spins.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(200..=100_000))]
    spins: u64,
    /// Sweeps at each temperature.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    sweeps: u64,
    /// Networks for each load.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=1000))]
    samples: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Measure instead the load at T = 0 above which patterns are lost, from 250 to 4000 spins.
    #[arg(long)]
    capacity: bool,
    /// 400 spins, 40 sweeps, two networks and two loads; with --capacity three sizes and 40 samples.
    #[arg(long)]
    quick: bool,
    /// Where to draw it; `target/figures/hopfield_phase_diagram.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object for each load instead of the table.
    #[arg(long)]
    json: bool,
}

/// Curves by name.
type Lines = Vec<(String, Vec<(f64, f64)>)>;

/// The lines as points `(α, T)`, at `count` loads.
fn lines(count: u32) -> Result<Lines, Failure> {
    let (mut glass, mut memory, mut lowest, mut broken) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for k in 0..=count {
        let load = f64::max(1e-6, 0.15 * (f64::from(k) / f64::from(count)).powi(2));
        glass.push((load, spin_glass_temperature(load)?));
        if let Some(t) = retrieval_temperature(load)? {
            memory.push((load, t));
        }
        if let Some(t) = thermodynamic_temperature(load)? {
            lowest.push((load, t));
        }
        if let Some(t) = almeida_thouless_retrieval_temperature(load)? {
            broken.push((load, t));
        }
    }
    // The end of T_M, where the load depends on T and not the other way round.
    for t in [0.12, 0.08, 0.04, 0.02, 0.0] {
        memory.push((retrieval_capacity(t)?.load, t));
    }
    Ok(vec![("T_g".into(), glass), ("T_M".into(), memory), ("T_c".into(), lowest), ("T_R".into(), broken)])
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.capacity {
        let mut bar = Bar::new("capacity");
        let outcome = capacity::run(&args, &mut bar);
        bar.finish();
        return outcome;
    }
    if args.quick {
        args.spins = args.spins.min(400);
        args.sweeps = args.sweeps.min(40);
        args.samples = args.samples.min(2);
        args.loads = vec![0.04, 0.1];
    }
    for (k, load) in args.loads.iter().enumerate() {
        if load.is_nan() || load * (args.spins as f64) < 2.0 || *load > 1.0 {
            let least = 2.0 / args.spins as f64;
            return Err(format!("--loads: entry {k} is {load}, expected {least} to 1 for {} spins", args.spins).into());
        }
    }
    let effort = Effort { spins: args.spins as usize, sweeps: args.sweeps, samples: args.samples, seed: args.seed };
    // A load costs in proportion to its size and threads take equal stretches: loads are dealt out, the largest first.
    let threads = threads::count(args.threads);
    let mut dealt: Vec<usize> = (0..args.loads.len()).collect();
    dealt.sort_by(|&a, &b| args.loads[b].total_cmp(&args.loads[a]));
    let mut items: Vec<(usize, Option<Measured>)> =
        (0..threads).flat_map(|t| dealt.iter().skip(t).step_by(threads)).map(|&k| (k, None)).collect();
    threads::for_each(threads, &mut items, |(k, out)| *out = Some(monte_carlo::measure(args.loads[*k], &effort)));
    items.sort_by_key(|item| item.0);
    let capacity = retrieval_capacity(0.0)?;
    if !args.json {
        println!("T = 0: alpha_c = {:.15}  reference {:.15}", capacity.load, CAPACITY.0);
        println!("           m_c = {:.15}  reference {:.15}", capacity.magnetization, CAPACITY.1);
        println!();
        println!(
            "{:>8}{:>10}{:>18}{:>10}{:>18}{:>10}{:>18}{:>12}",
            "load", "T_g", "network", "T_M", "network", "T_c", "network", "T_R"
        );
    }
    let mut points = [Vec::new(), Vec::new(), Vec::new()];
    for (k, measured) in items {
        let load = args.loads[k];
        let measured = measured.ok_or("a load was left out")?;
        let theory =
            [Some(spin_glass_temperature(load)?), retrieval_temperature(load)?, thermodynamic_temperature(load)?];
        let broken = almeida_thouless_retrieval_temperature(load)?;
        let networks = [measured.glass, measured.memory, measured.lowest];
        for (points, network) in points.iter_mut().zip(networks) {
            points.extend(network.map(|(t, error)| (load, t, error)));
        }
        if args.json {
            let mut line = Line::new().number("load", Some(load)).count("spins", args.spins);
            for (name, (theory, network)) in ["T_g", "T_M", "T_c"].iter().zip(theory.into_iter().zip(networks)) {
                line = line
                    .number(name, theory)
                    .number(&format!("{name}_network"), network.map(|n| n.0))
                    .number(&format!("{name}_network_std_error"), network.map(|n| n.1));
            }
            let line = line
                .number("T_R", broken)
                .number("capacity", Some(capacity.load))
                .number("capacity_reference", Some(CAPACITY.0))
                .number("capacity_overlap", Some(capacity.magnetization))
                .number("capacity_overlap_reference", Some(CAPACITY.1));
            println!("{}", line.finish());
            continue;
        }
        let mut row = format!("{load:>8}");
        for (theory, network) in theory.into_iter().zip(networks) {
            row += &theory.map_or_else(|| format!("{:>10}", "-"), |t| format!("{t:>10.5}"));
            row +=
                &network.map_or_else(|| format!("{:>18}", "-"), |(t, e)| format!("{:>18}", format!("{t:.3} ± {e:.3}")));
        }
        println!("{row}{}", broken.map_or_else(|| format!("{:>12}", "-"), |t| format!("{t:>12.2e}")));
    }
    if args.json {
        return Ok(());
    }
    let [glass, memory, lowest] = points;
    let figure = Curves {
        title: "Phase diagram of the Hopfield model".into(),
        x_label: "patterns over spins".into(),
        y_label: "T".into(),
        lines: lines(if args.quick { 4 } else { 28 })?,
        points: vec![
            Points { name: format!("T_g, {} spins", args.spins), points: glass },
            Points { name: "T_M".into(), points: memory },
            Points { name: "T_c".into(), points: lowest },
        ],
        ..Curves::default()
    };
    let file = args.svg.clone().map_or_else(|| figure::path("hopfield_phase_diagram", "svg"), Ok)?;
    figure.write_svg(&file)?;
    figure.write_csv(&file.with_extension("csv"))?;
    println!("figure: {}", file.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
