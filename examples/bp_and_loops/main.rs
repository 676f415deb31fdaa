//! When does belief propagation need help?
//!
//! Surface codes have short loops and equally light errors that differ by a stabilizer only: plain belief propagation is caught
//! between them, and fails more often the larger the code is, although the error rate is far below the threshold. With a second
//! stage, or decoded exactly, failures fall with the distance. On classical low-density parity-check codes, whose errors are told
//! apart by their syndromes, plain belief propagation is nearly as good, short cycles or not.
//!
//! ```text
//! cargo run --release --example bp_and_loops
//! cargo run --release --example bp_and_loops -- --quick --json
//! ```
//!
//! Noise: independent bit flips, p = 0.05 on rotated surface codes (threshold 0.109) and on the classical codes, Gallager's
//! (3, 4) ensemble with rate 1/4. A minute on one core; a second with `--quick`. Expected: the column `bp` rises with d, all
//! others fall; on the classical codes `bp` falls like the others.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::gf2::BinaryCsc;
use linalg_core::stats::wilson_interval;
use quantum_ec::code::{self, Kind, LinearCode, four_cycles, girth};
use quantum_ec::decode::DecoderChoice;
use quantum_ec::dem::Sampler;
use quantum_ec::noise::css_problem;
use quantum_ec::{DecodingProblem, Shots};
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

type Failure = Box<dyn std::error::Error>;

/// Plain belief propagation, with second stages, and decoders that do without it.
const DECODERS: [&str; 5] = ["bp", "bp-osd:0", "bp-lsd:0", "matching", "maximum-likelihood:planar"];

/// Standard deviations of error bars.
const Z: f64 = 1.0;

/// Belief propagation with and without help.
#[derive(Debug, Clone, Parser)]
#[command(name = "bp_and_loops", version)]
struct Args {
    /// Distances of the rotated surface codes.
    #[arg(long, value_delimiter = ',', default_values_t = [3, 5, 7, 9, 11, 13])]
    distances: Vec<usize>,
    /// Lengths of the classical codes, multiples of 4.
    #[arg(long, value_delimiter = ',', default_values_t = [40, 80, 160, 320])]
    lengths: Vec<usize>,
    /// Probability of a flip.
    #[arg(long, default_value_t = 0.05)]
    p: f64,
    /// Shots a point.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    shots: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Distances 3, 5, 7, lengths 40 and 80, 1000 shots.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/bp_and_loops.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the table.
    #[arg(long)]
    json: bool,
}

/// Bit flips of a classical code; the observables are all bits of the codeword.
fn classical(n: usize, p: f64, streams: &Streams) -> Result<DecodingProblem, Failure> {
    let code = LinearCode::gallager(n, 3, 4, &mut streams.stream(0))?;
    let all = BinaryCsc::from_columns(n, (0..n).map(|j| [j]))?;
    Ok(DecodingProblem::new(code.tanner_graph(), all, vec![p; n])?)
}

/// Failures of a decoder, `None` if there is no such decoder or it does not take the problem.
fn failures(name: &str, problem: &DecodingProblem, detectors: &Shots, observables: &Shots) -> Option<u64> {
    let mut decoder = name.parse::<DecoderChoice>().ok()?.build(problem).ok()?.decoder;
    let mut out = Shots::zeros(detectors.n_shots(), problem.n_observables());
    let report = decoder.decode_batch(detectors.view(), &mut out.view_mut()).ok()?;
    let wrong = (0..detectors.n_shots()).filter(|&shot| out.row(shot) != observables.row(shot)).count();
    report.failures.is_empty().then_some(wrong as u64)
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut args = args.clone();
    if args.quick {
        (args.distances, args.lengths, args.shots) = (vec![3, 5, 7], vec![40, 80], 1000);
    }
    let streams = Streams::new(args.seed);
    let mut problems = Vec::new();
    for &d in &args.distances {
        let code = code::rotated_surface(d)?;
        problems.push(("rotated surface", d, css_problem(&code, Kind::X, vec![args.p; d * d])?));
    }
    for (k, &n) in args.lengths.iter().enumerate() {
        problems.push(("classical", n, classical(n, args.p, &streams.child(k as u64))?));
    }
    if !args.json {
        println!("{:>16} {:>5} {:>6} {:>9}  failures in {} shots", "code", "size", "girth", "4-cycles", args.shots);
        println!("{:>39}  {}", "", DECODERS.map(|name| format!("{name:>14}")).join(" "));
    }
    let mut curves: Vec<Vec<(f64, f64, f64)>> = vec![Vec::new(); DECODERS.len()];
    for (k, (family, size, problem)) in problems.iter().enumerate() {
        let samples = Sampler::new(problem).sample(args.shots as usize, &streams.child(1000 + k as u64));
        let (girth, cycles) = (girth(problem.checks()), four_cycles(problem.checks()));
        let mut cells = Vec::new();
        for (name, curve) in DECODERS.iter().zip(&mut curves) {
            let found = failures(name, problem, &samples.detectors, &samples.observables);
            cells.push(found.map_or("-".to_owned(), |count| count.to_string()));
            if let Some(count) = found {
                let interval = wilson_interval(count, args.shots, Z)?;
                let rate = count as f64 / args.shots as f64;
                if *family == "rotated surface" {
                    curve.push((*size as f64, rate, 0.5 * (interval.high - interval.low)));
                }
                if args.json {
                    let line = Line::new().text("code", family).count("size", *size as u64).text("decoder", name);
                    let line = line.number("girth", girth.map(|girth| girth as f64)).count("four_cycles", cycles);
                    println!("{}", line.count("shots", args.shots).count("failures", count).finish());
                }
            }
        }
        if !args.json {
            let girth = girth.map_or("-".to_owned(), |girth| girth.to_string());
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>14}")).collect();
            println!("{family:>16} {size:>5} {girth:>6} {cycles:>9}  {}", cells.join(" "));
        }
    }
    let points = DECODERS.iter().zip(curves).filter(|(_, points)| !points.is_empty());
    let figure = Curves {
        title: format!("Rotated surface code, bit flips, p = {}", args.p),
        x_label: "distance".to_owned(),
        y_label: "logical error rate a shot".to_owned(),
        points: points.map(|(name, points)| Points { name: (*name).to_owned(), points }).collect(),
        ..Curves::default()
    };
    let file = args.svg.clone().map_or_else(|| figure::path("bp_and_loops", "svg"), Ok)?;
    figure.write_svg(&file)?;
    if !args.json {
        println!("drawn to {}", file.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}
