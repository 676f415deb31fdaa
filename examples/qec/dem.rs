//! `dem`: the detector error model of a circuit.

use std::path::PathBuf;
use std::time::Instant;

use quantum_ec::sensitivity::{Decompose, DisjointErrors, GaugeDetectors, Loops, ModelParams};
use workspace_examples::json::Line;

use crate::files::{Outcome, create_text, named, read_circuit};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The circuit.
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    /// Where the model goes; printed if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes mechanisms as sums of pieces that flip at most two detectors.
    #[arg(long)]
    decompose_errors: bool,
    /// Refuses channels that independent errors only approximate.
    #[arg(long)]
    exact_only: bool,
    /// Lets detectors be random without noise: errors of probability 1/2.
    #[arg(long)]
    allow_gauge_detectors: bool,
    /// Unrolls all blocks.
    #[arg(long)]
    flatten_loops: bool,
    /// Makes the model so often, for the time of the fastest.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// One JSON object with counts and times on stdout; needs --out.
    #[arg(long, requires = "out")]
    json: bool,
}

pub fn run(args: &Args) -> Outcome<()> {
    let circuit = read_circuit(&args.circuit)?;
    let params = ModelParams::default()
        .with_decompose(if args.decompose_errors { Decompose::Graphlike } else { Decompose::Keep })
        .with_disjoint(if args.exact_only { DisjointErrors::Refuse } else { DisjointErrors::Approximate })
        .with_gauge(if args.allow_gauge_detectors { GaugeDetectors::Allow } else { GaugeDetectors::Refuse })
        .with_loops(if args.flatten_loops { Loops::Flatten } else { Loops::Fold });
    let mut seconds = f64::INFINITY;
    let mut made = None;
    for _ in 0..args.repeat {
        let start = Instant::now();
        made = Some(named(&args.circuit, circuit.to_model(&params))?);
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let Some(made) = made else { return Ok(()) };
    if !made.approximated.is_empty() {
        let names: Vec<&str> = made.approximated.iter().map(|gate| gate.name()).collect();
        eprintln!(
            "note: the cases of {} exclude each other and were taken for independent; --exact-only refuses them",
            names.join(", ")
        );
    }
    match &args.out {
        Some(path) => create_text(path, &made.model)?,
        None => print!("{}", made.model),
    }
    if args.json {
        let line = Line::new()
            .text("circuit", &args.circuit.display().to_string())
            .count("detectors", made.model.n_detectors())
            .count("observables", made.model.n_observables())
            .count("mechanisms", made.model.n_errors())
            .flag("exact", made.approximated.is_empty())
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
    }
    Ok(())
}
