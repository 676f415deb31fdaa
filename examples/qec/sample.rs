//! `sample`: shots drawn from a model.

use std::path::PathBuf;
use std::time::Instant;

use linalg_core::Streams;
use quantum_ec::Shots;
use quantum_ec::dem::Sampler;
use quantum_ec::io::{Layout, ShotFormat};
use workspace_examples::json::Line;

use crate::files::{self, Outcome, Output, named, read_model};

/// Bytes of packed shots in memory at a time.
const MEMORY: usize = 1 << 26;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The detector error model.
    #[arg(long, value_name = "FILE")]
    dem: PathBuf,
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
    /// Threads; the shots do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// One JSON object with counts and times.
    #[arg(long)]
    json: bool,
}

fn create(path: Option<&PathBuf>, format: ShotFormat, layout: Layout) -> Outcome<Option<Output<'_>>> {
    path.map(|path| Output::create(path, format, layout)).transpose()
}

pub fn run(args: &Args) -> Outcome<()> {
    let model = read_model(&args.dem)?;
    let start = Instant::now();
    let threads = usize::from(args.threads);
    let sampler = named(&args.dem, Sampler::of_model(&model))?.with_threads(threads);
    let build_seconds = start.elapsed().as_secs_f64();
    let (n_detectors, n_observables) = (sampler.n_detectors(), sampler.n_observables());

    for (path, format) in [(&args.out, args.out_format), (&args.observables_out, args.observables_format)] {
        if path.is_some() && format == ShotFormat::Ptb64 && !args.shots.is_multiple_of(64) {
            return Err(format!("--shots is {}, ptb64 files hold multiples of 64", args.shots).into());
        }
    }
    let mut events = create(args.out.as_ref(), args.out_format, Layout::detectors(n_detectors))?;
    let mut flips = create(args.observables_out.as_ref(), args.observables_format, Layout::observables(n_observables))?;

    let bytes_per_unit = Sampler::UNIT * (n_detectors + n_observables).div_ceil(8);
    let units_per_chunk = (MEMORY / bytes_per_unit.max(1)).clamp(threads, 64 * threads);
    let chunk = (units_per_chunk * Sampler::UNIT) as u64;
    let streams = Streams::new(args.seed);
    let (mut done, mut sample_seconds, mut io_seconds) = (0, 0.0, 0.0);
    let (mut detectors, mut observables) = (Shots::new(n_detectors), Shots::new(n_observables));
    while done < args.shots {
        let n = (args.shots - done).min(chunk) as usize;
        if n != detectors.n_shots() {
            (detectors, observables) = (Shots::zeros(n, n_detectors), Shots::zeros(n, n_observables));
        }
        let start = Instant::now();
        let first_unit = done / Sampler::UNIT as u64;
        sampler.sample_into(first_unit, &streams, detectors.view_mut(), observables.view_mut(), None);
        sample_seconds += start.elapsed().as_secs_f64();
        let start = Instant::now();
        if let Some(file) = &mut events {
            file.write(&detectors)?;
        }
        if let Some(file) = &mut flips {
            file.write(&observables)?;
        }
        io_seconds += start.elapsed().as_secs_f64();
        done += n as u64;
    }
    let start = Instant::now();
    for file in [events, flips].into_iter().flatten() {
        file.finish()?;
    }
    io_seconds += start.elapsed().as_secs_f64();
    if args.json {
        let line = Line::new()
            .count("shots", args.shots)
            .count("detectors", n_detectors as u64)
            .count("observables", n_observables as u64)
            .count("mechanisms", model.n_errors())
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
