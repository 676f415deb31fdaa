//! Do two order parameters describe how a Hopfield network recalls?
//!
//! The flow of Coolen and Sherrington for the overlap m(t) and the crosstalk r(t) beside Glauber dynamics of a network that
//! starts at random with overlap m₀. At T = 0.1 and load 0.1 the state of recall has unbroken replica symmetry (T > T_R), and
//! the flow follows the network when it recalls; networks that fail end in the spin glass, where replica symmetry is broken,
//! and there the flow misses the slow decay of m.
//!
//! ```text
//! cargo run --release --example hopfield_dynamics
//! cargo run --release --example hopfield_dynamics -- --load 0.06 --temperature 0.3 --starts 0.2,0.4,0.6 --json
//! ```
//!
//! The defaults are 30000 spins and 3000 patterns: 20 seconds of processor time. Expected: for the starts that recall (0.5 and
//! 0.7) m within 0.011 and r within 5.1 % of the network's, which is two standard deviations √(2/P) = 2.6 % of the r of one
//! network; for those that fail, which go to where replica symmetry is broken, misses up to 0.14 in m (from 0.3) and 15 % in r.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::threads;
use spin_models::theory::{AmitGutfreundSompolinsky, CoolenSherrington, Flow, almeida_thouless_retrieval_temperature};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::hopfield::Network;
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// The order-parameter flow of the Hopfield model against simulation.
#[derive(Debug, Clone, Parser)]
#[command(name = "hopfield_dynamics", version)]
struct Args {
    /// Patterns over spins.
    #[arg(long, default_value_t = 0.1)]
    load: f64,
    /// Temperature.
    #[arg(long, default_value_t = 0.1)]
    temperature: f64,
    /// Overlaps at the start.
    #[arg(long, value_delimiter = ',', default_value = "0.1,0.3,0.5,0.7")]
    starts: Vec<f64>,
    /// Spins.
    #[arg(long, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    spins: u64,
    /// Sweeps.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=1000))]
    sweeps: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// 2000 spins, 6 sweeps, two starts.
    #[arg(long)]
    quick: bool,
    /// Where to draw m(t); `target/figures/hopfield_dynamics.svg` by default. The plane of m and r goes beside it, `…_plane.svg`.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object per start instead of the table.
    #[arg(long)]
    json: bool,
}

/// Steps of the flow to a sweep.
const STEPS: usize = 10;

/// One start.
struct Run {
    start: f64,
    flow: Flow,
    /// `(m, r)` after 0, 1, … sweeps.
    network: Vec<(f64, f64)>,
}

impl Run {
    /// Largest difference in m, and in r relative to it, at full sweeps; and the last.
    fn miss(&self) -> (f64, f64, f64) {
        let pairs = self.network.iter().zip(self.flow.points.iter().step_by(STEPS));
        let mut worst = (0.0, 0.0, f64::NAN);
        for (&(m, r), point) in pairs {
            let (dm, dr) = (m - point.magnetization, r / point.crosstalk - 1.0);
            worst = (f64::max(worst.0, dm.abs()), f64::max(worst.1, dr.abs()), dm);
        }
        worst
    }
}

fn check(args: &Args) -> Result<(), Failure> {
    if let Some((k, m)) = args.starts.iter().enumerate().find(|(_, m)| m.is_nan() || m.abs() >= 1.0) {
        return Err(format!("--starts: entry {k} is {m}, expected more than -1 and less than 1").into());
    }
    if args.starts.is_empty() {
        return Err("--starts is empty".into());
    }
    let patterns = args.load * args.spins as f64;
    if patterns.is_nan() || patterns < 1.0 {
        return Err(format!(
            "--load {} makes {patterns} patterns of {} spins, at least 1 is needed",
            args.load, args.spins
        )
        .into());
    }
    if patterns * args.spins as f64 > 1e10 {
        return Err(
            format!("--load {} and --spins {} ask for more than 1e10 bits of patterns", args.load, args.spins).into()
        );
    }
    Ok(())
}

fn draw(args: &Args, runs: &[Run]) -> Result<(PathBuf, PathBuf), Failure> {
    let time = Curves {
        title: format!(
            "Recall at load {} and T = {}: flow and network of {} spins",
            args.load, args.temperature, args.spins
        ),
        x_label: "sweeps".into(),
        y_label: "m".into(),
        lines: runs
            .iter()
            .map(|run| {
                let line = run.flow.points.iter().map(|p| (p.time, p.magnetization)).collect();
                (format!("flow from {}", run.start), line)
            })
            .collect(),
        points: vec![Points {
            name: "network".into(),
            points: runs
                .iter()
                .flat_map(|run| run.network.iter().enumerate().map(|(t, &(m, _))| (t as f64, m, 0.0)))
                .collect(),
        }],
        ..Curves::default()
    };
    let plane = Curves {
        title: format!("Crosstalk against overlap at load {} and T = {}", args.load, args.temperature),
        x_label: "m".into(),
        y_label: "r".into(),
        lines: runs
            .iter()
            .map(|run| {
                let line = run.flow.points.iter().map(|p| (p.magnetization, p.crosstalk)).collect();
                (format!("flow from {}", run.start), line)
            })
            .collect(),
        points: vec![Points {
            name: "network".into(),
            points: runs.iter().flat_map(|run| run.network.iter().map(|&(m, r)| (m, r, 0.0))).collect(),
        }],
        ..Curves::default()
    };
    let file = args.svg.clone().map_or_else(|| figure::path("hopfield_dynamics", "svg"), Ok)?;
    let name = file.file_stem().map_or_else(|| "hopfield_dynamics".into(), |s| s.to_string_lossy().into_owned());
    let beside = file.with_file_name(format!("{name}_plane.svg"));
    for (figure, file) in [(time, &file), (plane, &beside)] {
        figure.write_svg(file)?;
        figure.write_csv(&file.with_extension("csv"))?;
    }
    Ok((file, beside))
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        args.spins = args.spins.min(2000);
        args.sweeps = args.sweeps.min(6);
        args.starts.truncate(2);
    }
    check(&args)?;
    let model = AmitGutfreundSompolinsky::new(args.load)?;
    let flow = CoolenSherrington::new(args.load, args.temperature)?;
    let memory = model.retrieval(args.temperature)?;
    let broken = almeida_thouless_retrieval_temperature(args.load)?;
    let patterns = (args.load * args.spins as f64).round() as usize;
    /// The number of the start, where it starts, and what came of it.
    type Item = (usize, f64, Option<Result<Run, spin_models::Error>>);
    let mut items: Vec<Item> = args.starts.iter().enumerate().map(|(k, &m)| (k, m, None)).collect();
    threads::for_each(threads::count(args.threads), &mut items, |(k, start, run)| {
        let mut network = Network::new(args.spins as usize, patterns, *start, args.seed, *k as u64);
        let mut course = vec![(network.magnetization(), network.crosstalk())];
        for _ in 0..args.sweeps {
            network.sweep(args.temperature);
            course.push((network.magnetization(), network.crosstalk()));
        }
        // From where the network starts, which is m₀ and 1 within 1/√N.
        let (m, r) = course[0];
        let flow = flow.flow(m, r, 1.0 / STEPS as f64, args.sweeps as usize * STEPS);
        *run = Some(flow.map(|flow| Run { start: *start, flow, network: course }));
    });
    let mut runs = Vec::new();
    for (_, _, run) in items {
        runs.push(run.ok_or("a start was left out")??);
    }
    for run in &runs {
        let (worst_m, worst_r, last) = run.miss();
        if args.json {
            let line = Line::new()
                .number("load", Some(args.load))
                .number("temperature", Some(args.temperature))
                .number("replica_symmetry_breaks_below", broken)
                .number("equilibrium_overlap", memory.map(|s| s.magnetization))
                .number("equilibrium_crosstalk", memory.map(|s| s.measured_crosstalk()))
                .number("start", Some(run.start))
                .count("spins", args.spins)
                .numbers("network_m", Some(&run.network.iter().map(|p| p.0).collect::<Vec<_>>()))
                .numbers("network_r", Some(&run.network.iter().map(|p| p.1).collect::<Vec<_>>()))
                .numbers(
                    "flow_m",
                    Some(&run.flow.points.iter().step_by(STEPS).map(|p| p.magnetization).collect::<Vec<_>>()),
                )
                .numbers(
                    "flow_r",
                    Some(&run.flow.points.iter().step_by(STEPS).map(|p| p.crosstalk).collect::<Vec<_>>()),
                )
                .number("worst_m", Some(worst_m))
                .number("worst_r_relative", Some(worst_r))
                .flag("converged", run.flow.convergence.converged);
            println!("{}", line.finish());
            continue;
        }
        println!("start m = {}", run.start);
        println!("{:>8}{:>12}{:>12}{:>12}{:>12}", "sweep", "m network", "m flow", "r network", "r flow");
        for (t, (&(m, r), point)) in run.network.iter().zip(run.flow.points.iter().step_by(STEPS)).enumerate() {
            println!("{t:>8}{m:>12.5}{:>12.5}{r:>12.5}{:>12.5}", point.magnetization, point.crosstalk);
        }
        println!("  largest miss {worst_m:.4} in m and {:.2} % in r; at the end {last:+.4} in m", 100.0 * worst_r);
        if !run.flow.convergence.converged {
            println!("  the flow did not stay where its equations have solutions to 1e-9");
        }
    }
    if args.json {
        return Ok(());
    }
    match memory {
        Some(s) => println!("equilibrium: m = {:.6}, r = {:.6}", s.magnetization, s.measured_crosstalk()),
        None => println!("equilibrium: no memory at this load and temperature"),
    }
    if let Some(t) = broken {
        println!("replica symmetry of memories breaks below T = {t:.6}");
    }
    let (file, beside) = draw(&args, &runs)?;
    println!("figures: {} and {}", file.display(), beside.display());
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
