//! What does a lower logical error rate cost in time?
//!
//! All decoders of this workspace on the same shots of one problem: microseconds a shot and logical error rate. Those that do
//! not take the problem are named with their reason. Lower left is better.
//!
//! ```text
//! cargo run --release --example decoders_compared
//! cargo run --release --example decoders_compared -- --code bb:144,12,12 --p 0.05 --decoder bp-osd:cs:7 --decoder relay:5
//! cargo run --release --example decoders_compared -- --dem model.dem --seconds 60
//! cargo run --release --example decoders_compared -- --points points.jsonl --svg plane.svg
//! cargo run --release --example decoders_compared -- --quick --json
//! ```
//!
//! `--peers FILE` adds points that were measured elsewhere, with other programs: JSON lines with `program`, `decoder`, `shots`,
//! `logical_errors` and `microseconds_per_shot`, as `benches/compare/belief_propagation.py --points FILE` writes them.
//! `--points FILE` draws such a file alone.
//!
//! Noise: independent bit flips on the Z checks of the code, perfect measurements, unless a detector error model is given. The
//! default is the rotated surface code of distance 7 at p = 0.08, where maximum likelihood is exact. Each decoder takes
//! as many shots as it decodes in its seconds, in one thread, after a first batch that is not timed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::stats::wilson_interval;
use quantum_ec::code::{self, CssCode, Kind};
use quantum_ec::decode::DecoderChoice;
use quantum_ec::dem::Sampler;
use quantum_ec::noise::css_problem;
use quantum_ec::{DecodingProblem, DetectorErrorModel, Shots};
use serde::Deserialize;
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json;

type Failure = Box<dyn std::error::Error>;

/// What is compared without `--decoder`.
const DECODERS: [&str; 14] = [
    "bp",
    "bp,method=sum-product",
    "bp-osd:0",
    "bp-osd:cs:7",
    "bp-osd:e:8",
    "bp-lsd:0",
    "bp-lsd:7",
    "relay:1",
    "relay:5",
    "matching",
    "matching:correlated",
    "union-find",
    "belief-matching",
    "maximum-likelihood",
];

/// Two-sided 95% in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

/// Logical error rate against time for all decoders.
#[derive(Debug, Clone, Parser)]
#[command(name = "decoders_compared", version)]
struct Args {
    /// A CSS code by name, under bit flips.
    #[arg(long, value_name = "NAME[:PARAMS]", default_value = "rotated-surface:7", conflicts_with = "dem")]
    code: String,
    /// Probability of a flip.
    #[arg(long, default_value_t = 0.08, conflicts_with = "dem")]
    p: f64,
    /// A detector error model instead.
    #[arg(long, value_name = "FILE")]
    dem: Option<PathBuf>,
    /// A decoder, with its options; may be repeated.
    #[arg(long, value_name = "NAME")]
    decoder: Vec<String>,
    /// Shots at most, rounded up to multiples of 1024.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    shots: u64,
    /// Seconds for each decoder.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seed of the shots.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Points to draw beside, JSON lines with program, decoder, shots, logical_errors and microseconds_per_shot.
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Draws the points of such a file and measures nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["peers", "dem", "decoder"])]
    points: Option<PathBuf>,
    /// Title of the figure.
    #[arg(long)]
    title: Option<String>,
    /// 4096 shots and half a second each.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/decoders_compared.svg` by default.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a line, instead of the table.
    #[arg(long)]
    json: bool,
}

fn problem(args: &Args) -> Result<(String, DecodingProblem), Failure> {
    if let Some(path) = &args.dem {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(|error| named(&error))?;
        let model = DetectorErrorModel::read(BufReader::new(file)).map_err(|error| named(&error))?;
        return Ok((path.display().to_string(), model.to_problem().map_err(|error| named(&error))?));
    }
    let code = CssCode::from_stabilizer(&code::parse(&args.code)?).ok_or("the code is not a CSS code")?;
    let problem = css_problem(&code, Kind::X, vec![args.p; code.n_qubits()])?;
    Ok((format!("{}, bit flips, p = {}", args.code, args.p), problem))
}

/// One decoder's share of the figure.
struct Found {
    decoder: String,
    shots: u64,
    failures: u64,
    microseconds: f64,
}

/// A point of a file. What else is said of it is not read.
#[derive(Debug, Deserialize)]
struct Line {
    program: String,
    decoder: String,
    shots: u64,
    logical_errors: u64,
    microseconds_per_shot: f64,
}

fn read_points(path: &Path) -> Result<Vec<Found>, Failure> {
    let named = |line: usize, error: &dyn std::fmt::Display| format!("{}: line {line}: {error}", path.display());
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut list = Vec::new();
    for (k, text) in BufReader::new(file).lines().enumerate() {
        let text = text.map_err(|error| named(k + 1, &error))?;
        if text.trim().is_empty() {
            continue;
        }
        let point: Line = serde_json::from_str(&text).map_err(|error| named(k + 1, &error))?;
        if point.logical_errors > point.shots || point.shots == 0 {
            let (errors, shots) = (point.logical_errors, point.shots);
            return Err(named(k + 1, &format!("{errors} logical errors of {shots} shots")).into());
        }
        if !(point.microseconds_per_shot > 0.0 && point.microseconds_per_shot.is_finite()) {
            let time = point.microseconds_per_shot;
            return Err(named(k + 1, &format!("microseconds_per_shot is {time}, expected a positive number")).into());
        }
        list.push(Found {
            decoder: format!("{}: {}", point.program, point.decoder),
            shots: point.shots,
            failures: point.logical_errors,
            microseconds: point.microseconds_per_shot,
        });
    }
    Ok(list)
}

/// A point with its error bar; none without failures.
fn draw(figure: &mut Curves, found: &Found) -> Result<(), Failure> {
    if found.failures > 0 {
        let interval = wilson_interval(found.failures, found.shots, Z95)?;
        let error = 0.5 * (interval.high.log10() - interval.low.log10());
        let middle = 0.5 * (interval.high.log10() + interval.low.log10());
        let points = vec![(found.microseconds.log10(), middle, error)];
        figure.points.push(Points { name: found.decoder.clone(), points });
    }
    Ok(())
}

fn measure(args: &Args, name: &str, problem: &DecodingProblem, streams: &Streams) -> Result<Found, Failure> {
    let mut decoder = name.parse::<DecoderChoice>()?.build(problem)?;
    let sampler = Sampler::new(problem);
    let (mut shots, mut failures, mut seconds) = (0, 0, 0.0);
    let mut out = Shots::zeros(Sampler::UNIT, problem.n_observables());
    let mut unit = 0;
    while shots < args.shots && seconds < args.seconds {
        let samples = sampler.sample_from(unit, Sampler::UNIT, streams);
        if unit == 0 {
            // Memory and caches.
            let few = samples.detectors.view().rows(0, 64);
            decoder.decoder.decode_batch(few, &mut Shots::zeros(64, problem.n_observables()).view_mut())?;
        }
        let start = Instant::now();
        let report = decoder.decoder.decode_batch(samples.detectors.view(), &mut out.view_mut())?;
        seconds += start.elapsed().as_secs_f64();
        if let Some((shot, error)) = report.failures.first() {
            return Err(format!("shot {}: {error}", unit as usize * Sampler::UNIT + shot).into());
        }
        failures += (0..Sampler::UNIT).filter(|&shot| out.row(shot) != samples.observables.row(shot)).count() as u64;
        shots += Sampler::UNIT as u64;
        unit += 1;
    }
    Ok(Found { decoder: decoder.choice.to_string(), shots, failures, microseconds: 1e6 * seconds / shots as f64 })
}

/// The empty plane.
fn plane(title: &str) -> Curves {
    Curves {
        title: title.to_owned(),
        x_label: "log10 of microseconds a shot".to_owned(),
        y_label: "log10 of the logical error rate".to_owned(),
        ..Curves::default()
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut args = args.clone();
    if args.quick {
        (args.shots, args.seconds) = (4096, 0.5);
    }
    if !(args.seconds.is_finite() && args.seconds > 0.0) {
        return Err(format!("--seconds is {}, expected a positive number", args.seconds).into());
    }
    if let Some(path) = &args.points {
        let title = args.title.clone().unwrap_or_else(|| path.display().to_string());
        let mut figure = plane(&title);
        for found in read_points(path)? {
            draw(&mut figure, &found)?;
        }
        let file = args.svg.clone().map_or_else(|| figure::path("decoders_compared", "svg"), Ok)?;
        figure.write_svg(&file)?;
        println!("drawn to {}", file.display());
        return Ok(());
    }
    let peers = args.peers.as_deref().map(read_points).transpose()?.unwrap_or_default();
    let (title, problem) = problem(&args)?;
    let title = args.title.clone().unwrap_or(title);
    let names: Vec<String> =
        if args.decoder.is_empty() { DECODERS.map(str::to_owned).to_vec() } else { args.decoder.clone() };
    let streams = Streams::new(args.seed);
    let mut figure = plane(&title);
    if !args.json {
        println!("{title}: {} mechanisms, {} detectors", problem.n_mechanisms(), problem.n_detectors());
        println!("{:>32} {:>8} {:>9} {:>10} {:>21} {:>12}", "decoder", "shots", "failures", "rate", "95%", "µs a shot");
    }
    for name in &names {
        let found = match measure(&args, name, &problem, &streams) {
            Ok(found) => found,
            // A decoder that was asked for has to be there.
            Err(error) if !args.decoder.is_empty() => return Err(format!("{name}: {error}").into()),
            Err(error) => {
                eprintln!("{name}: {error}");
                continue;
            }
        };
        let rate = found.failures as f64 / found.shots as f64;
        let interval = wilson_interval(found.failures, found.shots, Z95)?;
        if args.json {
            let line = json::Line::new().text("decoder", &found.decoder).count("shots", found.shots);
            let line = line.count("logical_errors", found.failures).number("logical_error_rate", Some(rate));
            let line = line.number("confidence_low", Some(interval.low)).number("confidence_high", Some(interval.high));
            println!("{}", line.number("microseconds_per_shot", Some(found.microseconds)).finish());
        } else {
            println!(
                "{:>32} {:>8} {:>9} {:>10.6} {:>10.6} {:>10.6} {:>12.3}",
                found.decoder, found.shots, found.failures, rate, interval.low, interval.high, found.microseconds
            );
        }
        draw(&mut figure, &found)?;
    }
    for found in &peers {
        draw(&mut figure, found)?;
    }
    let file = args.svg.clone().map_or_else(|| figure::path("decoders_compared", "svg"), Ok)?;
    figure.write_svg(&file)?;
    if !args.json {
        println!("drawn to {}", file.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}
