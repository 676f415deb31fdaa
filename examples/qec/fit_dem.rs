//! `fit-dem`: probabilities of mechanisms from detection events.

use std::path::PathBuf;

use quantum_ec::dem::Fit;
use quantum_ec::io::{Layout, ShotFormat};
use serde_json::json;

use crate::files::{self, Input, Outcome, create_text, named, read_model};

/// Shots in memory at a time.
const CHUNK: usize = 1 << 14;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which mechanisms there are: a detector error model. Its probabilities matter where detectors are shared.
    #[arg(long, value_name = "FILE")]
    structure: PathBuf,
    /// Detection events.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    in_format: ShotFormat,
    /// Where the model with the probabilities found goes.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// One JSON object on one line instead of a table.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome<()> {
    let structure = read_model(&args.structure)?;
    let problem = named(&args.structure, structure.to_problem())?;
    let mut fit = named(&args.structure, Fit::new(&problem))?;
    let mut input = Input::open(&args.input, args.in_format, Layout::detectors(problem.n_detectors()))?;
    loop {
        let shots = input.read(CHUNK)?;
        if shots.n_shots() == 0 {
            break;
        }
        fit.add(shots.view());
    }
    let found = fit.finish();
    if let Some(path) = &args.out {
        create_text(path, &named(path, found.apply(&structure))?)?;
    }
    let undetermined = found.mechanisms.iter().filter(|m| m.probability.is_none()).count();
    if args.json {
        let list: Vec<_> = (found.mechanisms.iter().enumerate())
            .map(|(j, m)| {
                json!({
                    "detectors": problem.checks().column(j), "observables": problem.observables().column(j),
                    "prior": problem.priors()[j], "probability": m.probability, "error": m.error,
                    "shared_by": m.shared_by,
                })
            })
            .collect();
        let object = json!({
            "structure": args.structure.display().to_string(), "shots": found.n_shots,
            "undetermined": undetermined, "mechanisms": list,
        });
        println!("{object}");
        return Ok(());
    }
    println!("{:>6} {:>13} {:>13} {:>13}  flips", "number", "prior", "probability", "error");
    let number = |x: Option<f64>| x.map_or_else(|| "-".to_owned(), |x| format!("{x:.6e}"));
    for (j, m) in found.mechanisms.iter().enumerate() {
        let name = |letter: char| move |id: &usize| format!(" {letter}{id}");
        let flips = problem.checks().column(j).iter().map(name('D'));
        let flips = flips.chain(problem.observables().column(j).iter().map(name('L')));
        let prior = number(Some(problem.priors()[j]));
        let shared =
            if m.shared_by > 1 { format!("  (one of {} with these detectors)", m.shared_by) } else { String::new() };
        let flips: String = flips.collect();
        println!("{j:>6} {prior:>13} {:>13} {:>13} {flips}{shared}", number(m.probability), number(m.error));
    }
    if undetermined > 0 {
        eprintln!("note: {undetermined} mechanisms are not determined by the shots and keep their probability");
    }
    Ok(())
}
