//! `gen`: circuits of memory experiments.

use std::path::PathBuf;

use clap::ValueEnum;
use quantum_ec::Circuit;
use quantum_ec::circuit::{BicycleMemory, CircuitNoise, Detectors, Memory};
use quantum_ec::code::BIVARIATE_BICYCLES;

use crate::files::{Outcome, write_circuit};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code: repetition:D, rotated-surface:D, unrotated-surface:D, color-666:D or bb:N,K,D.
    #[arg(long, value_name = "CODE")]
    code: String,
    /// How often the checks are measured.
    #[arg(long, value_name = "N")]
    rounds: u64,
    /// Which logical state is kept; only surface codes know x.
    #[arg(long, value_enum)]
    basis: Option<Basis>,
    /// Noise put into the circuit: circuit:uniform:P, circuit:depolarizing:P, circuit:si1000:P or circuit:ion:P, with any of
    /// ,knob=value after it; none without this flag.
    #[arg(long, value_name = "NOISE", value_parser = noise)]
    noise: Option<CircuitNoise>,
    /// For bb codes: whether checks of X become detectors, too.
    #[arg(long)]
    both_checks: bool,
    /// Where the circuit goes; standard output without this flag.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Basis {
    X,
    Z,
}

fn noise(text: &str) -> Result<CircuitNoise, String> {
    text.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

pub fn run(args: &Args) -> Outcome<()> {
    // Without noise, the pass joins lines and nothing else.
    let clean = experiment(&args.code, args.rounds, args.basis == Some(Basis::X), args.both_checks)?;
    let circuit = args.noise.unwrap_or_default().apply(&clean)?;
    write_circuit(args.out.as_deref(), &circuit)
}

/// The memory experiment of a code by name, without noise.
pub fn experiment(code: &str, rounds: u64, x: bool, both_checks: bool) -> Outcome<Circuit> {
    let (family, parameters) = code.split_once(':').unwrap_or((code, ""));
    let memory = match (family, x) {
        ("repetition", false) => Memory::Repetition,
        ("rotated-surface", true) => Memory::RotatedSurfaceX,
        ("rotated-surface", false) => Memory::RotatedSurfaceZ,
        ("unrotated-surface", true) => Memory::UnrotatedSurfaceX,
        ("unrotated-surface", false) => Memory::UnrotatedSurfaceZ,
        ("color-666", false) => Memory::ColorXyz,
        ("bb", false) => return bicycle(code, parameters, rounds, both_checks),
        ("repetition" | "color-666" | "bb", true) => {
            return Err(format!("--basis is x, but {family} codes have no memory of that basis").into());
        }
        _ => {
            let known = "repetition:D, rotated-surface:D, unrotated-surface:D, color-666:D, bb:N,K,D";
            return Err(format!("--code is {code:?}, expected one of {known}").into());
        }
    };
    if both_checks {
        return Err("--both-checks is for bb codes: all others have all detectors".into());
    }
    let distance =
        parameters.parse().map_err(|_| format!("--code is {code:?}, expected a distance after the colon"))?;
    Ok(memory.circuit(distance, rounds)?)
}

fn bicycle(code: &str, parameters: &str, rounds: u64, both_checks: bool) -> Outcome<Circuit> {
    let text = |[n, k, d]: [usize; 3]| format!("{n},{k},{d}");
    let Some((_, orders, a, b)) = BIVARIATE_BICYCLES.iter().find(|row| text(row.0) == parameters) else {
        let known: Vec<String> = BIVARIATE_BICYCLES.iter().map(|row| text(row.0)).collect();
        return Err(format!("--code is {code:?}, expected bb: with one of {}", known.join(" or ")).into());
    };
    let memory = BicycleMemory { orders: *orders, a: *a, b: *b };
    let detectors = if both_checks { Detectors::Both } else { Detectors::Z };
    Ok(memory.circuit(rounds, detectors)?)
}
