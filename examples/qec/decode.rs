//! `decode`: predictions from shots.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linalg_core::stats::wilson_interval;
use quantum_ec::decode::{ChosenDecoder, Decoder, DecoderChoice, decode_on_threads};
use quantum_ec::io::{Layout, ShotFormat};
use quantum_ec::shots::Shots;
use quantum_ec::{BatchReport, DecodingProblem, Prediction};
use workspace_examples::json::Line;

use crate::files::{self, Input, Outcome, Output, named, read_model};

/// The warm-up pass ends here.
const WARM_UP: Duration = Duration::from_secs(2);

/// Shots decoded between two looks at the clock while warming up.
const PIECE: usize = 4096;

/// Observables up to which all classes are columns of a file.
const MOST_OBSERVABLES: usize = 12;

/// Two-sided 95% in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The detector error model.
    #[arg(long, value_name = "FILE")]
    dem: PathBuf,
    /// Detection events.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    in_format: ShotFormat,
    /// What the observables really did, to count logical errors.
    #[arg(long, value_name = "FILE")]
    in_observables: Option<PathBuf>,
    /// Format of the file of observables.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    observables_format: ShotFormat,
    /// `maximum-likelihood[:enumeration|transfer-matrix|planar|tensor-network|boundary-mps:CHI]`,
    /// `maximum-likelihood-sequential`, `maximum-likelihood-marginals` or `lookup`.
    #[arg(long, value_name = "NAME", default_value = "maximum-likelihood", value_parser = choice)]
    decoder: DecoderChoice,
    /// Where predictions go, a bit an observable.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    out_format: ShotFormat,
    /// Where the sums of ln((1 - p)/p) over the chosen mechanisms go, a line a shot.
    #[arg(long, value_name = "FILE")]
    weights_out: Option<PathBuf>,
    /// Where ln P(syndrome, class) goes, a line a shot, a column a class.
    #[arg(long, value_name = "FILE")]
    posteriors_out: Option<PathBuf>,
    /// Where the probability goes that an observable is flipped, a line a shot, a column an observable.
    #[arg(long, value_name = "FILE")]
    marginals_out: Option<PathBuf>,
    /// Threads; the predictions do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Goes on with the next shot where one cannot be decoded: predicts no flips there and counts it.
    #[arg(long)]
    keep_going: bool,
    /// One JSON object with counts and times.
    #[arg(long)]
    json: bool,
}

/// A decoder by name, for flags.
pub fn choice(name: &str) -> Result<DecoderChoice, String> {
    name.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

/// All shots of a file.
fn read_all(path: &Path, format: ShotFormat, layout: Layout) -> Outcome<Shots> {
    Input::open(path, format, layout)?.read(usize::MAX)
}

/// Decoders that agree, one a thread.
fn build(
    choice: DecoderChoice,
    problem: &DecodingProblem,
    threads: u16,
) -> quantum_ec::Result<(String, Vec<Box<dyn Decoder>>)> {
    let ChosenDecoder { name, decoder } = choice.build(problem)?;
    let mut decoders = vec![decoder];
    for _ in 1..threads {
        decoders.push(choice.build(problem)?.decoder);
    }
    Ok((name, decoders))
}

/// Decodes for a while, so that memory is there and the clock of the machine is up.
fn warm_up(decoders: &mut [Box<dyn Decoder>], shots: &Shots, out: &mut Shots) -> quantum_ec::Result<()> {
    let start = Instant::now();
    let mut from = 0;
    while from < shots.n_shots() && start.elapsed() < WARM_UP {
        let to = (from + PIECE).min(shots.n_shots());
        let (_, rows) = out.view_mut().split_at(from);
        let (rows, _) = rows.split_at(to - from);
        decode_on_threads(decoders, shots.view().rows(from, to), rows)?;
        from = to;
    }
    Ok(())
}

/// Shots in which any observable differs.
fn logical_errors(predicted: &Shots, actual: &Shots) -> u64 {
    (0..predicted.n_shots()).filter(|&shot| predicted.row(shot) != actual.row(shot)).count() as u64
}

/// 17 digits; `-inf` for what is impossible.
fn number(x: f64) -> String {
    if x.is_finite() { format!("{:.16e}", x + 0.0) } else { format!("{x}") }
}

/// One line a shot from a prediction; `Err` where the decoder does not know what is asked for.
type Describe<'a> = dyn Fn(usize, &Prediction) -> Outcome<String> + 'a;

/// A file with a line a shot, from a pass of its own that is not part of the time reported.
fn write_lines(
    args: &Args,
    path: &Path,
    header: Option<String>,
    decoder: &mut dyn Decoder,
    shots: &Shots,
    describe: &Describe<'_>,
) -> Outcome<()> {
    let mut file = BufWriter::new(named(path, File::create(path).map_err(Into::into))?);
    let mut write = |line: String| named(path, writeln!(file, "{line}").map_err(Into::into));
    if let Some(header) = header {
        write(header)?;
    }
    let mut prediction = Prediction::new(decoder.n_observables());
    for shot in 0..shots.n_shots() {
        match decoder.decode_into(shots.row(shot), &mut prediction) {
            Ok(()) => write(describe(shot, &prediction)?)?,
            // A line stays a shot.
            Err(_) if args.keep_going => write("nan".to_owned())?,
            Err(error) => return Err(format!("shot {shot}: {error}").into()),
        }
    }
    named(path, file.flush().map_err(Into::into))
}

fn header(name: &str, n: usize) -> Option<String> {
    Some(std::iter::once("shot".to_owned()).chain((0..n).map(|i| format!("{name}_{i}"))).collect::<Vec<_>>().join(","))
}

fn columns(shot: usize, values: &[f64]) -> String {
    values.iter().fold(shot.to_string(), |line, &value| format!("{line},{}", number(value)))
}

fn write_details(args: &Args, name: &str, decoder: &mut dyn Decoder, shots: &Shots) -> Outcome<()> {
    let n = decoder.n_observables();
    if let Some(path) = &args.weights_out {
        write_lines(args, path, None, decoder, shots, &|_, prediction| {
            if prediction.weight.is_nan() {
                return Err(format!("--weights-out: {name} chooses a class, not mechanisms; it has no weight").into());
            }
            Ok(number(prediction.weight))
        })?;
    }
    let lacks = |flag: &str| format!("{flag}: {name} does not compute the likelihoods of all classes");
    if let Some(path) = &args.posteriors_out {
        if n > MOST_OBSERVABLES {
            return Err(format!(
                "--posteriors-out: {n} observables have 2^{n} classes, at most 2^{MOST_OBSERVABLES} are listed; \
                 --marginals-out has a column an observable"
            )
            .into());
        }
        write_lines(args, path, header("class", 1 << n), decoder, shots, &|shot, prediction| match prediction
            .ln_class
            .is_empty()
        {
            true => Err(lacks("--posteriors-out").into()),
            false => Ok(columns(shot, &prediction.ln_class)),
        })?;
    }
    if let Some(path) = &args.marginals_out {
        write_lines(args, path, header("observable", n), decoder, shots, &|shot, prediction| {
            prediction.marginals().map(|values| columns(shot, &values)).ok_or_else(|| lacks("--marginals-out").into())
        })?;
    }
    Ok(())
}

pub fn run(args: &Args) -> Outcome<()> {
    let start = Instant::now();
    let model = read_model(&args.dem)?;
    let problem = named(&args.dem, model.to_problem())?;
    let read_model_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let (name, mut decoders) = named(&args.dem, build(args.decoder, &problem, args.threads))?;
    let build_seconds = start.elapsed().as_secs_f64();

    let (n_detectors, n_observables) = (problem.n_detectors(), problem.n_observables());
    let start = Instant::now();
    let shots = read_all(&args.input, args.in_format, Layout::detectors(n_detectors))?;
    let layout = Layout::observables(n_observables);
    let actual = match &args.in_observables {
        Some(path) => Some(read_all(path, args.observables_format, layout)?),
        None => None,
    };
    if let Some(actual) = actual.as_ref().filter(|actual| actual.n_shots() != shots.n_shots()) {
        let (got, expected) = (actual.n_shots(), shots.n_shots());
        return Err(format!("--in-observables has {got} shots, --in has {expected}").into());
    }
    let mut io_seconds = read_model_seconds + start.elapsed().as_secs_f64();

    let mut predictions = Shots::zeros(shots.n_shots(), n_observables);
    warm_up(&mut decoders, &shots, &mut predictions)?;
    let start = Instant::now();
    let report = decode_on_threads(&mut decoders, shots.view(), predictions.view_mut())?;
    let seconds = start.elapsed().as_secs_f64();
    check_failures(args, &report)?;

    let start = Instant::now();
    if let Some(path) = &args.out {
        let mut file = Output::create(path, args.out_format, layout)?;
        file.write(&predictions)?;
        file.finish()?;
    }
    write_details(args, &name, &mut *decoders[0], &shots)?;
    io_seconds += start.elapsed().as_secs_f64();

    let errors = actual.as_ref().map(|actual| logical_errors(&predictions, actual));
    let n = shots.n_shots() as u64;
    let interval = errors.filter(|_| n > 0).map(|errors| wilson_interval(errors, n, Z95)).transpose()?;
    let rate = errors.filter(|_| n > 0).map(|errors| errors as f64 / n as f64);
    let per_shot = (n > 0).then(|| 1e6 * seconds / n as f64);
    if args.json {
        let line = Line::new().text("decoder", &name).count("shots", n);
        let line = match errors {
            Some(errors) => line.count("logical_errors", errors),
            None => line.number("logical_errors", None),
        };
        let line = line
            .number("logical_error_rate", rate)
            .number("confidence_low", interval.map(|interval| interval.low))
            .number("confidence_high", interval.map(|interval| interval.high))
            .number("seconds", Some(seconds))
            .number("microseconds_per_shot", per_shot)
            .number("build_seconds", Some(build_seconds))
            .number("io_seconds", Some(io_seconds))
            .count("threads", u64::from(args.threads))
            .count("failed_shots", report.failures.len() as u64);
        println!("{}", line.finish());
        return Ok(());
    }
    println!("decoder              {name}");
    println!("shots                {n}");
    if let (Some(errors), Some(rate), Some(interval)) = (errors, rate, interval) {
        println!("logical errors       {errors}");
        println!("logical error rate   {rate:.6}, 95% from {:.6} to {:.6}", interval.low, interval.high);
    }
    if let Some(per_shot) = per_shot {
        println!("microseconds a shot  {per_shot:.3} on {} threads, built in {build_seconds:.3} s", args.threads);
    }
    Ok(())
}

/// Stops at the first shot that was not decoded, unless it may go on.
fn check_failures(args: &Args, report: &BatchReport) -> Outcome<()> {
    let Some((shot, error)) = report.failures.first() else { return Ok(()) };
    if args.keep_going {
        eprintln!("{} shots were not decoded; the first is {shot}: {error}", report.failures.len());
        return Ok(());
    }
    Err(format!("{}: shot {shot}: {error}", args.input.display()).into())
}
