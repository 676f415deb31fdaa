//! `threshold`: logical error rates over physical ones, for several distances, and where they cross.

use std::ops::Range;
use std::path::PathBuf;

use linalg_core::Streams;
use quantum_ec::Prediction;
use quantum_ec::decode::{Decoder, DecoderChoice};
use quantum_ec::dem::Sampler;
use quantum_ec::sample::{CollectParams, RatePoint, Row, collect, fit_threshold, per_round};
use workspace_examples::figure::{Curves, Points};
use workspace_examples::json::Line;
use workspace_examples::units::{Table, unit_range};

use crate::decode::choice;
use crate::files::Outcome;
use crate::task::{Setting, Task};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A family of codes; the distance is appended: `rotated-surface`, `toric`, `repetition`, ..
    #[arg(long, value_name = "NAME")]
    code: String,
    /// `bit-flip`, `phase-flip`, `y-only`, `depolarizing`, `biased:ETA`, `erasure` at places that the decoder is told,
    /// `phenomenological`, or of circuits: `circuit:uniform`, `circuit:depolarizing`, `circuit:si1000`, `circuit:ion`, each
    /// with any of `,knob=value`; or single knobs at the rate p, `circuit:KNOB+KNOB`.
    #[arg(long, value_name = "NAME", default_value = "depolarizing")]
    noise: String,
    /// The decoder; see `decode --help`.
    #[arg(long, value_name = "NAME", default_value = "maximum-likelihood", value_parser = choice)]
    decoder: DecoderChoice,
    /// Distances.
    #[arg(long, value_name = "D,D,..", default_value = "3,5", value_delimiter = ',')]
    distances: Vec<usize>,
    /// Physical rates: from, to, how many, both ends included.
    #[arg(long, value_name = "A:B:N", value_parser = range)]
    p: Rates,
    /// Which logical operators are kept in memory: x is hurt by Z errors. For `phenomenological` and `circuit:..`.
    #[arg(long, value_enum, default_value_t = Basis::Z)]
    basis: Basis,
    /// Rounds of measurement, for `phenomenological` and `circuit:..`; the distance unless given.
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// Shots a point, rounded up to multiples of 1024; those that the table has count.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    shots: u64,
    /// The share of one machine: these units of 1024 shots of every point, less those that the table of --out has.
    #[arg(long, value_name = "A..B", value_parser = unit_range, requires = "out", conflicts_with_all = ["shots", "max_errors"])]
    units: Option<Range<u64>>,
    /// Errors that are enough for a point.
    #[arg(long, value_name = "N")]
    max_errors: Option<u64>,
    /// Gives up shots whose two most likely classes are closer than this in ln P.
    #[arg(long, value_name = "GAP")]
    postselect: Option<f64>,
    /// Seed; another one adds to the same rows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; the counts do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Rates a round in the place of rates a shot.
    #[arg(long)]
    per_round: bool,
    /// The table of counts. If it exists, its rows are continued. One process writes to it at a time.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Units of 1024 shots between two writes of the table: what a kill costs at most.
    #[arg(long, value_name = "UNITS", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    save_every: u64,
    /// A figure.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// A JSON object a point, and one for the crossing.
    #[arg(long)]
    json: bool,
}

/// Physical rates.
#[derive(Debug, Clone)]
struct Rates(Vec<f64>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Basis {
    X,
    Z,
}

/// `a:b:n`, or one number.
fn range(text: &str) -> Result<Rates, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |part: &str| part.parse::<f64>().ok().filter(|p| (0.0..=1.0).contains(p));
    let rates = match parts[..] {
        [p] => number(p).map(|p| vec![p]),
        [a, b, n] => match (number(a), number(b), n.parse::<usize>()) {
            (Some(a), Some(_), Ok(1)) => Some(vec![a]),
            (Some(a), Some(b), Ok(n)) if (2..=10_000).contains(&n) => {
                Some((0..n).map(|k| a + (b - a) * k as f64 / (n - 1) as f64).collect())
            }
            _ => None,
        },
        _ => None,
    };
    rates.map(Rates).ok_or_else(|| format!("{text:?} is not A:B:N with rates from 0 to 1 and 1 to 10000 points"))
}

/// The table's key and label.
fn metadata(args: &Args, task: &Task) -> String {
    let line = Line::new()
        .text("code", &args.code)
        .text("noise", &args.noise)
        .count("d", task.distance as u64)
        .number("p", Some(task.p))
        .count("r", task.rounds);
    let line = match args.noise.as_str() {
        noise if noise == "phenomenological" || noise.starts_with("circuit:") => {
            line.text("b", if args.basis == Basis::X { "X" } else { "Z" })
        }
        _ => line,
    };
    match args.postselect {
        Some(gap) => line.number("postselect", Some(gap)),
        None => line,
    }
    .finish()
}

/// Rate and error bar of a row, a round if asked for.
fn rate(args: &Args, task: &Task, row: &Row) -> Outcome<[f64; 3]> {
    let interval = row.interval(1.0)?;
    let of = |rate: f64| if args.per_round { per_round(rate, task.rounds as f64) } else { rate };
    Ok([of(row.rate()), of(interval.low), of(interval.high)])
}

fn run_task(args: &Args, task: &Task, table: &mut Table) -> Outcome<Row> {
    // The solver is chosen once for all threads and pieces.
    let (_, name, choice) = task.decoder(args.decoder)?;
    let metadata = metadata(args, task);
    let mut row = table.row(&name, &metadata, &task.id(&name, &metadata))?;
    let build = || task.build(choice).map(|chosen| chosen.decoder);
    let discard = |prediction: &Prediction| {
        args.postselect.is_some_and(|least| prediction.complementary_gap().is_some_and(|gap| gap < least))
    };
    let discard: Option<&(dyn Fn(&Prediction) -> bool + Sync)> = args.postselect.is_some().then_some(&discard);
    let most_errors = args.max_errors.unwrap_or(u64::MAX);
    let shots = if args.units.is_some() { u64::MAX } else { args.shots };
    let unfinished = |row: &Row| -> Outcome<bool> {
        let Some(units) = &args.units else { return Ok(row.shots < shots && row.errors < most_errors) };
        let done = row.units()?.remove(&args.seed).unwrap_or_default();
        Ok(done.first_missing(units.start) < units.end)
    };
    while unfinished(&row)? {
        let before = row.shots;
        let until = (row.shots.saturating_add(args.save_every * Sampler::UNIT as u64)).min(shots);
        let params = CollectParams::default()
            .max_shots(until)
            .max_errors(most_errors)
            .threads(usize::from(args.threads))
            .units(args.units.clone().unwrap_or(0..u64::MAX));
        collect(
            &mut row,
            task.source(),
            &build as &(dyn Fn() -> quantum_ec::Result<Box<dyn Decoder>> + Sync),
            discard,
            &params,
            &Streams::new(args.seed),
            &mut (),
        )?;
        if row.shots == before {
            return Err(format!("{name} on {metadata}: {before} shots, no more can be counted").into());
        }
        table.replace(row.clone());
        if let Some(path) = &args.out {
            table.write(path)?;
        }
    }
    Ok(row)
}

fn count(row: &Row, name: &str) -> u64 {
    row.custom_counts.get(name).copied().unwrap_or(0)
}

fn print_point(args: &Args, task: &Task, row: &Row) -> Outcome<()> {
    let [value, low, high] = rate(args, task, row)?;
    if args.json {
        let interval = row.interval(1.959_963_984_540_054)?;
        let line = Line::new()
            .text("decoder", &row.decoder)
            .count("distance", task.distance as u64)
            .number("p", Some(task.p))
            .count("rounds", task.rounds)
            .count("shots", row.shots)
            .count("logical_errors", row.errors)
            .count("discards", row.discards)
            .count("unconverged_shots", count(row, "unconverged_shots"))
            .count("decoder_failures", count(row, "decoder_failures"))
            .number("logical_error_rate", Some(row.rate()))
            .number("confidence_low", Some(interval.low))
            .number("confidence_high", Some(interval.high))
            .number("logical_error_rate_per_round", Some(per_round(row.rate(), task.rounds as f64)))
            .number("seconds", Some(row.seconds))
            .number("microseconds_per_shot", Some(1e6 * row.seconds / row.shots as f64));
        println!("{}", line.finish());
    } else {
        println!(
            "{:>4} {:>9.5} {:>10} {:>9} {:>10.6} {:>10.6} {:>10.6} {:>10.1}  {}",
            task.distance,
            task.p,
            row.shots,
            row.errors,
            value,
            low,
            high,
            1e6 * row.seconds / row.shots as f64,
            row.decoder
        );
        for (name, what) in [("decoder_failures", "were not decoded"), ("unconverged_shots", "have not converged")] {
            if count(row, name) > 0 {
                eprintln!("warning: {} of {} shots {what}", count(row, name), row.shots);
            }
        }
    }
    Ok(())
}

fn draw(args: &Args, figure: &Curves) -> Outcome<()> {
    let Some(file) = &args.svg else { return Ok(()) };
    figure.write_svg(file)?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}

/// Refuses post-selection that would select nothing.
fn check_postselection(args: &Args) -> Outcome<()> {
    let Some(gap) = args.postselect else { return Ok(()) };
    if !gap.is_finite() {
        return Err(format!("--postselect is {gap}, expected a finite number").into());
    }
    match args.decoder {
        DecoderChoice::MaximumLikelihood(_) | DecoderChoice::Lookup => Ok(()),
        other => Err(format!("--postselect: {other} does not compute the likelihoods of all classes").into()),
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    check_postselection(args)?;
    let mut table = Table::default();
    if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
        table.read(path)?;
    }
    let unit = if args.per_round { "round" } else { "shot" };
    if !args.json {
        println!("{}, {} noise, failures a {unit} with any logical operator wrong", args.code, args.noise);
        println!(
            "{:>4} {:>9} {:>10} {:>9} {:>10} {:>10} {:>10} {:>10}  decoder",
            "d", "p", "shots", "errors", "rate", "- sigma", "+ sigma", "us/shot"
        );
    }
    let setting = Setting {
        code: &args.code,
        noise: &args.noise,
        basis_x: args.basis == Basis::X,
        rounds: args.rounds,
        decoder: args.decoder,
    };
    let mut points = Vec::new();
    let mut figure = Curves {
        title: format!("{}, {} noise, {}", args.code, args.noise, args.decoder),
        x_label: "physical error rate".to_owned(),
        y_label: format!("logical error rate a {unit}"),
        ..Curves::default()
    };
    // A point twice is not two measurements.
    let (mut distances, mut rates) = (args.distances.clone(), args.p.0.clone());
    distances.sort_unstable();
    distances.dedup();
    rates.sort_unstable_by(f64::total_cmp);
    rates.dedup();
    for distance in distances {
        let mut curve = Points { name: format!("d = {distance}"), points: Vec::new() };
        for &p in &rates {
            let task = Task::new(&setting, distance, p)?;
            let row = run_task(args, &task, &mut table)?;
            print_point(args, &task, &row)?;
            let [value, low, high] = rate(args, &task, &row)?;
            curve.points.push((p, value, (high - low) / 2.0));
            points.push(RatePoint {
                distance: distance as f64,
                p,
                shots: row.shots - row.discards,
                errors: row.errors,
            });
        }
        figure.points.push(curve);
    }
    let fit = fit_threshold(&points);
    if let Err(error) = &fit {
        eprintln!("no fit of a crossing: {error}");
    }
    if let Ok(fit) = fit {
        let (value, error) = (fit.threshold.value, fit.threshold.std_error);
        if args.json {
            let line = Line::new()
                .number("threshold", Some(value))
                .number("threshold_std_error", error)
                .number("nu", Some(fit.nu.value))
                .number("nu_std_error", fit.nu.std_error)
                .number("chi_square", Some(fit.chi_square))
                .count("degrees_of_freedom", fit.degrees_of_freedom as u64)
                .flag("converged", fit.converged);
            println!("{}", line.finish());
        } else if fit.converged {
            println!(
                "rates a shot cross at p = {value:.5} ± {:.5}, ν = {:.2}, χ² = {:.1} for {} degrees of freedom",
                error.unwrap_or(f64::NAN),
                fit.nu.value,
                fit.chi_square,
                fit.degrees_of_freedom
            );
        } else {
            println!("no crossing of the rates a shot in this range");
        }
    }
    draw(args, &figure)
}
