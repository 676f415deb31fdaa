//! `decode`: predictions from shots.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use linalg_core::stats::wilson_interval;
use quantum_ec::decode::{ChosenDecoder, Decoder, DecoderChoice, Lookup, MatchingGraph, decode_on_threads};
use quantum_ec::io::{Layout, ShotFormat, read_pauli_table};
use quantum_ec::noise::independent_paulis;
use quantum_ec::shots::{Shots, ShotsMut};
use quantum_ec::statmech::{CosetModel, SyndromeDistribution};
use quantum_ec::{BatchReport, DetectorErrorModel, Error, PauliTable, Prediction, StabilizerCode};
use workspace_examples::json::Line;

use crate::files::{self, Input, Outcome, Output, named, open, read_model};
use crate::graph;
use crate::neural::{self, Wanted, wanted};
use crate::subject::Subject;

/// The warm-up pass ends here.
const WARM_UP: Duration = Duration::from_secs(2);

/// Shots decoded between two looks at the clock while warming up.
const PIECE: usize = 64;

/// Observables up to which all classes are columns of a file.
const MOST_OBSERVABLES: usize = 12;

/// Two-sided 95% in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The detector error model; or a code and `--pauli-table`.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["pauli_table", "graph"], conflicts_with = "pauli_table")]
    dem: Option<PathBuf>,
    /// A weighted graph and its shots, `{"n", "edges": [[u, v, weight], ..], "shots": [[defect, ..], ..]}` with v = -1 for
    /// the boundary: the weight and the edges of the lightest matching of every shot.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dem", "pauli_table", "input"])]
    graph: Option<PathBuf>,
    /// Pauli errors of the qubits of a code: comma-separated p_I, p_X, p_Y, p_Z, a line a qubit. Detectors are the
    /// checks of the code, observables the logical X, then the logical Z that the error holds.
    #[arg(long, value_name = "FILE")]
    pauli_table: Option<PathBuf>,
    /// A code by name: `rotated-surface:5`, `steane`, ..; a wrong name lists them all.
    #[arg(long, value_name = "NAME[:PARAMS]", requires = "pauli_table", conflicts_with_all = ["hx", "hz", "dem"])]
    code: Option<String>,
    /// The X checks of a code: alist, Matrix Market or rows of 0 and 1, told apart by their content; none if absent.
    #[arg(long, value_name = "FILE", requires = "pauli_table", conflicts_with = "dem")]
    hx: Option<PathBuf>,
    /// The Z checks, likewise.
    #[arg(long, value_name = "FILE", requires = "pauli_table", conflicts_with = "dem")]
    hz: Option<PathBuf>,
    /// Detection events.
    #[arg(long = "in", value_name = "FILE", required_unless_present = "graph")]
    input: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    in_format: ShotFormat,
    /// Which mechanisms of the model were erased, a bit a mechanism and a row a shot: they happened with probability 1/2.
    /// With --pauli-table a bit a qubit, whose I, X, Y and Z have probability 1/4 each.
    #[arg(long, value_name = "FILE", conflicts_with = "graph")]
    erasures_in: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    erasures_format: ShotFormat,
    /// What the observables really did, to count logical errors.
    #[arg(long, value_name = "FILE")]
    in_observables: Option<PathBuf>,
    /// Format of the file of observables.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    observables_format: ShotFormat,
    /// `maximum-likelihood[:enumeration|transfer-matrix|planar|tensor-network|boundary-mps:CHI]`,
    /// `maximum-likelihood-sequential`, `maximum-likelihood-marginals`, `lookup`, `matching[:correlated]`,
    /// `matching,commit=C,buffer=B` in windows of C + B rounds, `belief-matching`, `union-find`, `bp`, `bp-osd:0`, `bp-osd:cs:W`, `bp-osd:e:W`,
    /// `bp-lsd:W`, `relay:S` or `guided-decimation:R`; options follow as `,key=value`. Without this flag: `matching:correlated` for models whose
    /// mechanisms flip two detectors at most, whole or in pieces, `relay:1` for others, `maximum-likelihood` for
    /// `--pauli-table`. `neural:FILE` decodes the shots of `--dem` by a model of the example `neural_decoder`.
    #[arg(long, value_name = "NAME", value_parser = wanted)]
    decoder: Option<Wanted>,
    /// Where predictions go, a bit an observable.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    out_format: ShotFormat,
    /// Where the sums of ln((1 - p)/p) over the chosen mechanisms go, a line a shot.
    #[arg(long, value_name = "FILE")]
    weights_out: Option<PathBuf>,
    /// Where ln P(syndrome, class) goes, a line a shot, a column a class; ln q(class given the syndrome) from `neural:FILE`.
    #[arg(long, value_name = "FILE")]
    posteriors_out: Option<PathBuf>,
    /// Where the probability goes that an observable is flipped, a line a shot, a column an observable.
    #[arg(long, value_name = "FILE")]
    marginals_out: Option<PathBuf>,
    /// Threads; the predictions do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Decodes every shot once. Without this flag up to two seconds of shots are decoded before the times are taken.
    #[arg(long)]
    no_warm_up: bool,
    /// Goes on with the next shot where one cannot be decoded: predicts no flips there and counts it as a logical error.
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

/// What happens to the qubits.
enum Source {
    Mechanisms(DetectorErrorModel),
    Paulis(StabilizerCode, PauliTable),
}

impl Source {
    /// Reads what the flags name; errors are told of the file returned.
    fn read(args: &Args) -> Outcome<(Self, &Path)> {
        if let Some(path) = &args.dem {
            let model = read_model(path)?;
            return Ok((Self::Mechanisms(model), path));
        }
        let path = args.pauli_table.as_deref().ok_or("--dem or --pauli-table is needed")?;
        if args.code.is_none() && args.hx.is_none() && args.hz.is_none() {
            return Err("--pauli-table needs --code, or --hx and --hz".into());
        }
        let code = Subject { code: args.code.clone(), hx: args.hx.clone(), hz: args.hz.clone() }.read()?;
        let table = named(path, read_pauli_table(open(path)?))?;
        if table.n_qubits() != code.n_qubits() {
            let (got, expected) = (table.n_qubits(), code.n_qubits());
            return Err(format!("{}: a table of {got} qubits for a code of {expected}", path.display()).into());
        }
        Ok((Self::Paulis(code, table), path))
    }

    /// What decodes if nothing is said.
    fn default_choice(&self) -> quantum_ec::Result<DecoderChoice> {
        match self {
            Self::Mechanisms(model) => DecoderChoice::of_model(model),
            Self::Paulis(..) => Ok(DecoderChoice::MaximumLikelihood(None)),
        }
    }

    fn build(&self, choice: DecoderChoice) -> quantum_ec::Result<ChosenDecoder> {
        match (self, choice) {
            (Self::Mechanisms(model), _) => choice.build_of_model(model),
            (Self::Paulis(code, table), DecoderChoice::Lookup) => {
                let lookup = Lookup::of_distribution(SyndromeDistribution::stabilizer(code, table.rows())?);
                Ok(ChosenDecoder { choice, decoder: Box::new(lookup) })
            }
            (Self::Paulis(code, table), DecoderChoice::Propagation(_)) => {
                choice.build(&independent_paulis(code, table)?)
            }
            (Self::Paulis(code, table), _) => choice.build_of_coset(CosetModel::stabilizer(code, table.rows())?),
        }
    }

    /// Decoders that agree, one a thread.
    fn build_all(&self, choice: DecoderChoice, threads: u16) -> quantum_ec::Result<(String, Vec<Box<dyn Decoder>>)> {
        let ChosenDecoder { choice, decoder } = self.build(choice)?;
        let mut decoders = vec![decoder];
        for _ in 1..threads {
            decoders.push(self.build(choice)?.decoder);
        }
        Ok((choice.to_string(), decoders))
    }
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

/// What a decoder is given of all shots.
struct Seen {
    detectors: Shots,
    erased: Option<Shots>,
}

impl Seen {
    fn decode(&self, decoder: &mut dyn Decoder, shot: usize, out: &mut Prediction) -> quantum_ec::Result<()> {
        match &self.erased {
            None => decoder.decode_into(self.detectors.row(shot), out),
            Some(erased) => decoder.decode_erased_into(self.detectors.row(shot), erased.row(shot), out),
        }
    }

    /// Decodes with what was erased in each shot, with one decoder a thread.
    fn decode_one_by_one(&self, decoders: &mut [Box<dyn Decoder>], out: &mut Shots) -> BatchReport {
        let n_shots = self.detectors.n_shots();
        let share = n_shots.div_ceil(decoders.len()).max(1);
        let mut report = BatchReport::default();
        thread::scope(|scope| {
            let mut rest = out.view_mut();
            let mut workers = Vec::new();
            for (k, decoder) in decoders.iter_mut().enumerate() {
                let shots = (k * share).min(n_shots)..((k + 1) * share).min(n_shots);
                let (rows, after) = rest.split_at(shots.len());
                rest = after;
                workers.push(scope.spawn(move || self.decode_rows(&mut **decoder, shots, rows)));
            }
            for worker in workers {
                let part = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
                report.decoded += part.decoded;
                report.unconverged += part.unconverged;
                report.failures.extend(part.failures);
            }
        });
        report
    }

    fn decode_rows(&self, decoder: &mut dyn Decoder, shots: Range<usize>, mut out: ShotsMut<'_>) -> BatchReport {
        let mut report = BatchReport::default();
        let mut prediction = Prediction::new(decoder.n_observables());
        for (row, shot) in shots.enumerate() {
            match self.decode(decoder, shot, &mut prediction) {
                Ok(()) => {
                    out.row_mut(row).copy_from_slice(prediction.observables.words());
                    report.decoded += 1;
                    report.unconverged += usize::from(!prediction.converged);
                }
                Err(error) => {
                    out.row_mut(row).fill(0);
                    report.failures.push((shot, error));
                }
            }
        }
        report
    }
}

/// The rows of erased mechanisms.
fn read_erasures(args: &Args, source: &Source, n_shots: usize) -> Outcome<Option<Shots>> {
    let Some(path) = &args.erasures_in else { return Ok(None) };
    let n = match source {
        Source::Mechanisms(model) => usize::try_from(model.n_errors()).unwrap_or(usize::MAX),
        Source::Paulis(code, _) => code.n_qubits(),
    };
    let erased = read_all(path, args.erasures_format, Layout::measurements(n))?;
    if erased.n_shots() != n_shots {
        return Err(format!("--erasures-in has {} shots, --in has {n_shots}", erased.n_shots()).into());
    }
    Ok(Some(erased))
}

/// Says what a decoder on a graph had to leave out of the model.
fn warn_of_conflicts(choice: DecoderChoice, source: &Source) -> Outcome<()> {
    if let (
        Source::Mechanisms(model),
        DecoderChoice::Matching(_) | DecoderChoice::UnionFind | DecoderChoice::BeliefMatching(_),
    ) = (source, choice)
    {
        let n = MatchingGraph::from_model(model)?.n_conflicts();
        if n > 0 {
            eprintln!("warning: {n} components share an edge with one that flips other observables; the first decides");
        }
    }
    Ok(())
}

/// Shots in which any observable differs, or that were not decoded.
fn logical_errors(predicted: &Shots, actual: &Shots, report: &BatchReport) -> u64 {
    let mut wrong: Vec<bool> = (0..predicted.n_shots()).map(|shot| predicted.row(shot) != actual.row(shot)).collect();
    for (shot, _) in &report.failures {
        wrong[*shot] = true;
    }
    wrong.into_iter().filter(|&wrong| wrong).count() as u64
}

/// 17 digits; `-inf` for what is impossible, `nan` for what is not known.
fn number(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_finite() { format!("{:.16e}", x + 0.0) } else { format!("{x}") }
}

/// One line a shot from a prediction; `Err` where the decoder does not know what is asked for.
type Describe<'a> = dyn Fn(usize, &Prediction) -> Outcome<String> + 'a;

/// A file with a line a shot, from a pass of its own that is not part of the times reported. Shots that are not decoded
/// have `failed` for a line.
fn write_lines(
    args: &Args,
    path: &Path,
    header: Option<String>,
    decoder: &mut dyn Decoder,
    shots: &Seen,
    failed: &dyn Fn(usize) -> String,
    describe: &Describe<'_>,
) -> Outcome<()> {
    let mut file = BufWriter::new(named(path, File::create(path).map_err(Into::into))?);
    let mut write = |line: String| named(path, writeln!(file, "{line}").map_err(Into::into));
    if let Some(header) = header {
        write(header)?;
    }
    let mut prediction = Prediction::new(decoder.n_observables());
    for shot in 0..shots.detectors.n_shots() {
        match shots.decode(decoder, shot, &mut prediction) {
            Ok(()) => write(describe(shot, &prediction)?)?,
            // A line stays a shot.
            Err(_) if args.keep_going => write(failed(shot))?,
            Err(error) => return Err(format!("shot {shot}: {error}").into()),
        }
    }
    named(path, file.flush().map_err(Into::into))
}

/// `shot`, then the name with the numbers of the columns.
pub fn header(name: &str, n: usize) -> Option<String> {
    Some(std::iter::once("shot".to_owned()).chain((0..n).map(|i| format!("{name}_{i}"))).collect::<Vec<_>>().join(","))
}

/// The shot, then the values.
pub fn columns(shot: usize, values: &[f64]) -> String {
    values.iter().fold(shot.to_string(), |line, &value| format!("{line},{}", number(value)))
}

/// Refuses files about what the decoder does not compute, before it is put to work.
fn check_details(args: &Args, choice: Option<DecoderChoice>, name: &str, n_observables: usize) -> Outcome<()> {
    let learnt = n_observables <= MOST_OBSERVABLES;
    let (classes, marginals, weights) = match choice {
        None => (learnt, learnt, false),
        Some(DecoderChoice::MaximumLikelihood(_) | DecoderChoice::Lookup) => (true, true, false),
        Some(DecoderChoice::MaximumLikelihoodMarginals) => (false, true, false),
        Some(DecoderChoice::MaximumLikelihoodSequential) => (false, false, false),
        Some(
            DecoderChoice::Matching(_)
            | DecoderChoice::UnionFind
            | DecoderChoice::BeliefMatching(_)
            | DecoderChoice::Propagation(_),
        ) => (false, false, true),
        // What the predictions say decides.
        _ => (true, true, true),
    };
    if args.weights_out.is_some() && !weights {
        return Err(lacks("--weights-out", name));
    }
    if args.posteriors_out.is_some() {
        if !classes {
            return Err(lacks("--posteriors-out", name));
        }
        if n_observables > MOST_OBSERVABLES {
            let (method, what) = ("--posteriors-out", "number of observables");
            return Err(Error::TooLarge { method, what, value: n_observables, bound: MOST_OBSERVABLES }.into());
        }
    }
    if args.marginals_out.is_some() && !marginals {
        return Err(lacks("--marginals-out", name));
    }
    Ok(())
}

fn lacks(flag: &str, name: &str) -> Box<dyn std::error::Error> {
    match flag {
        "--weights-out" => format!("{flag}: {name} chooses a class, not mechanisms; it has no weight").into(),
        _ => format!("{flag}: {name} does not compute the likelihoods of all classes").into(),
    }
}

fn write_details(args: &Args, name: &str, decoder: &mut dyn Decoder, shots: &Seen) -> Outcome<()> {
    let n = decoder.n_observables();
    if let Some(path) = &args.weights_out {
        write_lines(args, path, None, decoder, shots, &|_| number(f64::NAN), &|_, prediction| {
            if prediction.weight.is_nan() {
                return Err(lacks("--weights-out", name));
            }
            Ok(number(prediction.weight))
        })?;
    }
    let unknown = |n: usize| move |shot| columns(shot, &vec![f64::NAN; n]);
    if let Some(path) = &args.posteriors_out {
        let n_classes = 1 << n;
        let failed = unknown(n_classes);
        write_lines(args, path, header("class", n_classes), decoder, shots, &failed, &|shot, prediction| {
            if prediction.ln_class.is_empty() {
                return Err(lacks("--posteriors-out", name));
            }
            Ok(columns(shot, &prediction.ln_class))
        })?;
    }
    if let Some(path) = &args.marginals_out {
        let failed = unknown(n);
        write_lines(args, path, header("observable", n), decoder, shots, &failed, &|shot, prediction| {
            prediction.marginals().map(|values| columns(shot, &values)).ok_or_else(|| lacks("--marginals-out", name))
        })?;
    }
    Ok(())
}

pub fn run(args: &Args) -> Outcome<()> {
    if let Some(path) = &args.graph {
        return graph::run(path, args.json, args.keep_going);
    }
    let input = args.input.as_deref().ok_or("--in is needed")?;
    let start = Instant::now();
    let (source, path) = Source::read(args)?;
    let read_model_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let (choice, (name, mut decoders)) = match (&args.decoder, &source) {
        (Some(Wanted::Neural(file)), Source::Mechanisms(model)) => (None, neural::decoders(file, model, args.threads)?),
        (Some(Wanted::Neural(_)), Source::Paulis(..)) => {
            return Err("--decoder neural:FILE needs --dem; the example neural_decoder decodes codes".into());
        }
        (wanted, _) => {
            let choice = match wanted {
                Some(Wanted::Named(choice)) => *choice,
                _ => named(path, source.default_choice())?,
            };
            (Some(choice), named(path, source.build_all(choice, args.threads))?)
        }
    };
    let build_seconds = start.elapsed().as_secs_f64();

    let (n_detectors, n_observables) = (decoders[0].n_detectors(), decoders[0].n_observables());
    check_details(args, choice, &name, n_observables)?;
    if let Some(choice) = choice {
        warn_of_conflicts(choice, &source)?;
    }
    let start = Instant::now();
    let shots = read_all(input, args.in_format, Layout::detectors(n_detectors))?;
    let layout = Layout::observables(n_observables);
    let actual = match &args.in_observables {
        Some(path) => Some(read_all(path, args.observables_format, layout)?),
        None => None,
    };
    if let Some(actual) = actual.as_ref().filter(|actual| actual.n_shots() != shots.n_shots()) {
        let (got, expected) = (actual.n_shots(), shots.n_shots());
        return Err(format!("--in-observables has {got} shots, --in has {expected}").into());
    }
    let erased = read_erasures(args, &source, shots.n_shots())?;
    let shots = Seen { detectors: shots, erased };
    let mut io_seconds = read_model_seconds + start.elapsed().as_secs_f64();

    let n_shots = shots.detectors.n_shots();
    let mut predictions = Shots::zeros(n_shots, n_observables);
    if !args.no_warm_up {
        warm_up(&mut decoders, &shots.detectors, &mut predictions)?;
    }
    let start = Instant::now();
    let report = match &shots.erased {
        Some(_) => shots.decode_one_by_one(&mut decoders, &mut predictions),
        None => decode_on_threads(&mut decoders, shots.detectors.view(), predictions.view_mut())?,
    };
    let seconds = start.elapsed().as_secs_f64();
    check_failures(args, input, &report)?;
    if report.unconverged > 0 {
        eprintln!("warning: {name} did not converge in {} of {} shots", report.unconverged, n_shots);
    }

    let start = Instant::now();
    if let Some(path) = &args.out {
        let mut file = Output::create(path, args.out_format, layout)?;
        file.write(&predictions)?;
        file.finish()?;
    }
    io_seconds += start.elapsed().as_secs_f64();
    write_details(args, &name, &mut *decoders[0], &shots)?;

    let errors = actual.as_ref().map(|actual| logical_errors(&predictions, actual, &report));
    let n = n_shots as u64;
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
            .count("failed_shots", report.failures.len() as u64)
            .count("unconverged_shots", report.unconverged as u64);
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
fn check_failures(args: &Args, input: &Path, report: &BatchReport) -> Outcome<()> {
    let Some((shot, error)) = report.failures.first() else { return Ok(()) };
    if args.keep_going {
        eprintln!("{} shots were not decoded; the first is {shot}: {error}", report.failures.len());
        return Ok(());
    }
    Err(format!("{}: shot {shot}: {error}", input.display()).into())
}
