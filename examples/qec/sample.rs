//! `sample`: shots drawn from a model or a circuit.

use std::path::{Path, PathBuf};
use std::time::Instant;

use linalg_core::Streams;
use quantum_ec::Shots;
use quantum_ec::circuit::CircuitSampler;
use quantum_ec::dem::Sampler;
use quantum_ec::io::{Layout, ShotFormat};
use workspace_examples::json::Line;

use crate::files::{self, Outcome, Output, named, read_circuit, read_model};

/// Bytes of packed shots in memory at a time.
const MEMORY: usize = 1 << 26;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The detector error model.
    #[arg(long, value_name = "FILE", required_unless_present = "circuit")]
    dem: Option<PathBuf>,
    /// The circuit.
    #[arg(long, value_name = "FILE", conflicts_with = "dem")]
    circuit: Option<PathBuf>,
    /// Number of shots.
    #[arg(long, value_name = "N")]
    shots: u64,
    /// Seed: the same seed gives the same shots, more of them if more are asked for.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where detection events go.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    out_format: ShotFormat,
    /// Where flipped observables go.
    #[arg(long, value_name = "FILE")]
    observables_out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    observables_format: ShotFormat,
    /// Where measured records go; with a circuit.
    #[arg(long, value_name = "FILE", requires = "circuit")]
    measurements_out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    measurements_format: ShotFormat,
    /// Where heralds go, a bit for each record of heralded noise; with a circuit.
    #[arg(long, value_name = "FILE", requires = "circuit")]
    erasures_out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    erasures_format: ShotFormat,
    /// Threads; the shots do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// One JSON object with counts and times.
    #[arg(long)]
    json: bool,
}

/// What shots are drawn from; unit k has the same number of shots for both.
enum Source {
    Model(Box<Sampler>, u64),
    /// With the records of a run without noise, if records are wanted.
    Circuit(Box<CircuitSampler>, Vec<u64>),
}

/// Kinds of tables in the order of the flags: detectors, observables, records, heralds.
const KINDS: usize = 4;

impl Source {
    fn read(args: &Args) -> Outcome<Self> {
        let threads = usize::from(args.threads);
        if let Some(path) = &args.circuit {
            let circuit = read_circuit(path)?;
            let sampler = named(path, CircuitSampler::new(&circuit))?.with_threads(threads);
            let reference = match args.measurements_out {
                None => Vec::new(),
                Some(_) => named(path, circuit.reference_sample())?.words().to_vec(),
            };
            return Ok(Self::Circuit(Box::new(sampler), reference));
        }
        let path: &Path = args.dem.as_deref().ok_or("--dem or --circuit is needed")?;
        let model = read_model(path)?;
        let sampler = named(path, Sampler::of_model(&model))?.with_threads(threads);
        Ok(Self::Model(Box::new(sampler), model.n_errors()))
    }

    fn widths(&self) -> [usize; KINDS] {
        match self {
            Self::Model(sampler, _) => [sampler.n_detectors(), sampler.n_observables(), 0, 0],
            Self::Circuit(sampler, reference) => {
                // More records than a file can hold are refused where it is created.
                let records = usize::try_from(sampler.n_measurements()).unwrap_or(usize::MAX);
                let records = if reference.is_empty() { 0 } else { records };
                [sampler.n_detectors(), sampler.n_observables(), records, sampler.n_heralds()]
            }
        }
    }

    fn sample(&self, unit: u64, streams: &Streams, tables: &mut [Shots; KINDS]) {
        let [detectors, observables, records, heralds] = tables.each_mut().map(Shots::view_mut);
        match self {
            Self::Model(sampler, _) => sampler.sample_into(unit, streams, detectors, observables, None),
            Self::Circuit(sampler, reference) => {
                sampler.sample_into(unit, streams, detectors, observables, Some(heralds));
                if !reference.is_empty() {
                    sampler.sample_measurements_into(unit, streams, reference, records);
                }
            }
        }
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    let start = Instant::now();
    let source = Source::read(args)?;
    let build_seconds = start.elapsed().as_secs_f64();
    let widths = source.widths();

    let outputs = [&args.out, &args.observables_out, &args.measurements_out, &args.erasures_out];
    let formats = [args.out_format, args.observables_format, args.measurements_format, args.erasures_format];
    let [d, o, m, h] = widths;
    let layouts = [Layout::detectors(d), Layout::observables(o), Layout::measurements(m), Layout::measurements(h)];
    for (path, format) in outputs.into_iter().zip(formats) {
        if path.is_some() && format == ShotFormat::Ptb64 && !args.shots.is_multiple_of(64) {
            return Err(format!("--shots is {}, ptb64 files hold multiples of 64", args.shots).into());
        }
    }
    let mut files = Vec::new();
    for ((path, format), layout) in outputs.into_iter().zip(formats).zip(layouts) {
        files.push(path.as_ref().map(|path| Output::create(path, format, layout)).transpose()?);
    }

    let threads = usize::from(args.threads);
    let bytes_per_unit = Sampler::UNIT * widths.into_iter().sum::<usize>().div_ceil(8);
    let units_per_chunk = (MEMORY / bytes_per_unit.max(1)).clamp(threads, 64 * threads);
    let chunk = (units_per_chunk * Sampler::UNIT) as u64;
    let streams = Streams::new(args.seed);
    let (mut done, mut sample_seconds, mut io_seconds) = (0, 0.0, 0.0);
    let mut tables = widths.map(Shots::new);
    while done < args.shots {
        let n = (args.shots - done).min(chunk) as usize;
        if n != tables[0].n_shots() {
            tables = widths.map(|bits| Shots::zeros(n, bits));
        }
        let start = Instant::now();
        source.sample(done / Sampler::UNIT as u64, &streams, &mut tables);
        sample_seconds += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for (file, table) in files.iter_mut().zip(&tables) {
            if let Some(file) = file {
                file.write(table)?;
            }
        }
        io_seconds += start.elapsed().as_secs_f64();
        done += n as u64;
    }
    let start = Instant::now();
    for file in files.into_iter().flatten() {
        file.finish()?;
    }
    io_seconds += start.elapsed().as_secs_f64();
    if args.json {
        let mut line =
            Line::new().count("shots", args.shots).count("detectors", d as u64).count("observables", o as u64);
        line = match &source {
            Source::Model(_, mechanisms) => line.count("mechanisms", *mechanisms),
            Source::Circuit(sampler, _) => {
                line.count("measurements", sampler.n_measurements()).count("heralds", sampler.n_heralds() as u64)
            }
        };
        let line = line
            .count("seed", args.seed)
            .number("seconds", Some(sample_seconds))
            .number("shots_per_second", (sample_seconds > 0.0).then(|| args.shots as f64 / sample_seconds))
            .number("build_seconds", Some(build_seconds))
            .number("io_seconds", Some(io_seconds))
            .count("threads", u64::from(args.threads));
        println!("{}", line.finish());
    }
    Ok(())
}
