//! `qec code`: the parameters, checks and logical operators of a code.

use std::error::Error;

use quantum_ec::code::{Decomposition, Distance, DistanceParams, Kind, StabilizerCode, distance};
use quantum_ec::{CssCode, PauliString, SparsePauli};
use serde_json::{Value, json};

use crate::subject::Subject;

/// Prints [[n, k, d]], the checks, the logical operators, and with `--els` the pure errors of a code.
///
/// The distance is exact where the search ends within `--max-steps`, else an upper bound by random information sets.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub subject: Subject,
    /// Adds the pure errors, so that the whole {E, L, S} basis is there.
    #[arg(long)]
    pub els: bool,
    /// Steps of the exact search for the distance; 0 for bounds alone.
    #[arg(long, default_value_t = 20_000_000)]
    pub max_steps: u64,
    /// Random information sets for the upper bound.
    #[arg(long, default_value_t = 1000)]
    pub trials: u64,
    /// Seed of the information sets.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// One JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let code = args.subject.read()?;
    let params = DistanceParams::default().with_max_steps(args.max_steps).with_trials(args.trials).with_seed(args.seed);
    let kinds: &[(&str, Kind)] = if CssCode::from_stabilizer(&code).is_some() {
        &[("X", Kind::X), ("Z", Kind::Z)]
    } else {
        &[("any", Kind::Any)]
    };
    let found = kinds.iter().map(|&(name, kind)| Ok((name, distance(&code, kind, params)?)));
    let found: Vec<(&str, Option<Distance>)> = found.collect::<Result<_, quantum_ec::Error>>()?;
    let basis = args.els.then(|| Decomposition::new(&code));
    if args.json {
        println!("{}", object(&code, &found, basis.as_ref()));
    } else {
        print(&code, &found, basis.as_ref());
    }
    Ok(())
}

/// The distance of the code: that of the weaker kind of operators.
fn both(found: &[(&str, Option<Distance>)]) -> Option<(usize, usize)> {
    let bounds = |pick: fn(&Distance) -> usize| found.iter().filter_map(|(_, d)| d.as_ref().map(pick)).min();
    bounds(|d| d.lower).zip(bounds(|d| d.upper))
}

fn texts(operators: &[PauliString]) -> Vec<String> {
    operators.iter().map(|p| SparsePauli::from(p).to_string()).collect()
}

fn object(code: &StabilizerCode, found: &[(&str, Option<Distance>)], basis: Option<&Decomposition>) -> Value {
    let bounds = both(found);
    let exact = bounds.filter(|(lower, upper)| lower == upper).map(|(d, _)| d);
    let details: serde_json::Map<String, Value> = found
        .iter()
        .map(|(name, d)| {
            let value = d.as_ref().map_or(Value::Null, |d| {
                json!({
                    "exact": d.exact(), "lower": d.lower, "upper": d.upper, "confidence": d.confidence,
                    "trials": d.trials, "mean_hits": d.mean_hits, "operator": SparsePauli::from(&d.operator).to_string(),
                })
            });
            ((*name).to_owned(), value)
        })
        .collect();
    let mut out = json!({
        "code": code.name(),
        "n": code.n_qubits(),
        "k": code.n_logical(),
        "d": exact,
        "d_lower": bounds.map(|b| b.0),
        "d_upper": bounds.map(|b| b.1),
        "distances": details,
        "n_checks": code.n_generators(),
        "rank": code.rank(),
        "relations": code.relations(),
        "checks": texts(code.generators()),
        "logical_x": texts(code.logical_x()),
        "logical_z": texts(code.logical_z()),
    });
    if let Some(basis) = basis {
        out["independent"] = json!(basis.independent());
        out["pure_errors"] = json!(texts(basis.pure_errors()));
    }
    out
}

fn print(code: &StabilizerCode, found: &[(&str, Option<Distance>)], basis: Option<&Decomposition>) {
    let d = match both(found) {
        None => "-".to_owned(),
        Some((lower, upper)) if lower == upper => format!("{upper}"),
        Some((lower, upper)) => format!("{lower}..{upper}"),
    };
    let name = if code.name().is_empty() { "code from files" } else { code.name() };
    println!("{name}: [[{}, {}, {d}]]", code.n_qubits(), code.n_logical());
    for (kind, d) in found {
        let Some(d) = d else { continue };
        let what = if *kind == "any" { "any kind".to_owned() } else { format!("{kind} alone") };
        let how = match d.exact() {
            Some(d) => format!("{d}, exact"),
            None => format!(
                "at least {}, at most {} (confidence {:.4} from {} information sets)",
                d.lower, d.upper, d.confidence, d.trials
            ),
        };
        println!("lightest logical operator of {what}: {how}: {}", SparsePauli::from(&d.operator));
    }
    println!("{} checks of rank {}", code.n_generators(), code.rank());
    list("check", code.generators());
    for relation in code.relations() {
        println!("the product of the checks {relation:?} is 1");
    }
    list("logical X", code.logical_x());
    list("logical Z", code.logical_z());
    if let Some(basis) = basis {
        println!("pure errors of the independent checks {:?}", basis.independent());
        list("pure error", basis.pure_errors());
    }
}

fn list(name: &str, operators: &[PauliString]) {
    for (i, text) in texts(operators).iter().enumerate() {
        println!("{name} {i}: {text}");
    }
}
