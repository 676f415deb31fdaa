//! `check`: counts of a model or a circuit.

use std::path::{Path, PathBuf};

use quantum_ec::dem::{Components, merge_equal};
use quantum_ec::{DecodingProblem, Error};
use workspace_examples::json::Line;

use crate::files::{Outcome, read_circuit, read_model};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The detector error model.
    #[arg(long, value_name = "FILE", required_unless_present = "circuit")]
    dem: Option<PathBuf>,
    /// A circuit.
    #[arg(long, value_name = "FILE", conflicts_with = "dem")]
    circuit: Option<PathBuf>,
    /// One JSON object on one line.
    #[arg(long)]
    json: bool,
}

/// Counts that need the model unrolled.
struct Unrolled {
    problem: DecodingProblem,
    components: Components,
    merged: usize,
}

pub fn run(args: &Args) -> Outcome<()> {
    match (&args.circuit, &args.dem) {
        (Some(path), _) => check_circuit(path, args.json),
        (None, Some(path)) => check_model(path, args.json),
        (None, None) => Err("--dem or --circuit is needed".into()),
    }
}

fn check_circuit(path: &Path, json: bool) -> Outcome<()> {
    let circuit = read_circuit(path)?;
    let counts = circuit.counts();
    let list = [
        ("qubits", u64::from(counts.qubits)),
        ("measurements", counts.measurements),
        ("detectors", counts.detectors),
        ("observables", counts.observables),
        ("ticks", counts.ticks),
        ("sweep_bits", u64::from(counts.sweep_bits)),
        ("operations", counts.operations),
        ("depth_of_blocks", counts.depth as u64),
    ];
    if json {
        let line = Line::new().text("file", &path.display().to_string());
        println!("{}", list.into_iter().fold(line, |line, (name, count)| line.count(name, count)).finish());
    } else {
        for (name, count) in list {
            println!("{:<34} {count}", name.replace('_', " "));
        }
    }
    Ok(())
}

fn check_model(path: &Path, json: bool) -> Outcome<()> {
    let model = read_model(path)?;
    let unrolled = match model.to_problem() {
        Ok(problem) => {
            let merged = merge_equal(&problem)?.0.n_mechanisms();
            Some(Unrolled { problem, components: model.to_components()?, merged })
        }
        // The counts above stand; the rest stays open.
        Err(error @ Error::TooLarge { .. }) => {
            eprintln!("note: {error}");
            None
        }
        Err(error) => return Err(error.into()),
    };
    let largest = |degrees: &mut dyn Iterator<Item = usize>| degrees.max().unwrap_or(0) as u64;
    let counts: Vec<(&str, Option<u64>)> = vec![
        ("detectors", Some(model.n_detectors())),
        ("observables", Some(model.n_observables())),
        ("mechanisms", Some(model.n_errors())),
        ("merged_mechanisms", unrolled.as_ref().map(|u| u.merged as u64)),
        ("components", unrolled.as_ref().map(|u| u.components.list.len() as u64)),
        (
            "detectors_of_a_mechanism_at_most",
            unrolled.as_ref().map(|u| largest(&mut u.problem.checks().columns().map(<[usize]>::len))),
        ),
        (
            "detectors_of_a_component_at_most",
            unrolled.as_ref().map(|u| largest(&mut u.components.list.iter().map(|c| c.detectors.len()))),
        ),
        (
            "undetectable_mechanisms",
            unrolled.as_ref().map(|u| {
                let (checks, observables) = (u.problem.checks(), u.problem.observables());
                let silent = |j: &usize| checks.column(*j).is_empty() && !observables.column(*j).is_empty();
                (0..u.problem.n_mechanisms()).filter(silent).count() as u64
            }),
        ),
    ];
    let probability =
        |choose: fn(f64, f64) -> f64| unrolled.as_ref().and_then(|u| u.problem.priors().iter().copied().reduce(choose));
    let range = [("probability_low", probability(f64::min)), ("probability_high", probability(f64::max))];
    if json {
        let mut line = Line::new().text("file", &path.display().to_string());
        for (name, count) in counts {
            line = match count {
                Some(count) => line.count(name, count),
                None => line.number(name, None),
            };
        }
        for (name, value) in range {
            line = line.number(name, value);
        }
        println!("{}", line.finish());
    } else {
        for (name, count) in counts {
            println!("{:<34} {}", name.replace('_', " "), count.map_or_else(|| "-".to_owned(), |n| n.to_string()));
        }
        for (name, value) in range {
            println!("{:<34} {}", name.replace('_', " "), value.map_or_else(|| "-".to_owned(), |x| x.to_string()));
        }
    }
    Ok(())
}
