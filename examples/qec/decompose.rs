//! `qec decompose`: syndrome, logical class and gauge of an error.

use std::error::Error;

use quantum_ec::code::{Coordinates, Decomposition};
use quantum_ec::{PauliString, SparsePauli};
use serde_json::json;

use crate::subject::Subject;

/// Writes an error as pure error times logical operator times stabilizer.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub subject: Subject,
    /// The error: a letter a qubit (`XZI`), or factors with qubits from 0 (`X0*Z1`).
    #[arg(long, value_name = "PAULI", allow_hyphen_values = true)]
    pub error: String,
    /// One JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let code = args.subject.read()?;
    let n = code.n_qubits();
    let error = read(&args.error, n)?;
    let basis = Decomposition::new(&code);
    let coordinates = basis.decompose(&error);
    let none = basis.decompose(&PauliString::identity(n));
    let part = |pick: fn(&Coordinates, &mut Coordinates)| -> Result<String, quantum_ec::Error> {
        let mut alone = none.clone();
        pick(&coordinates, &mut alone);
        Ok(SparsePauli::from(&basis.compose(&alone)?).to_string())
    };
    let pure = part(|from, to| to.syndrome = from.syndrome.clone())?;
    let logical = part(|from, to| to.logical = from.logical.clone())?;
    let gauge = part(|from, to| to.gauge = from.gauge.clone())?;
    let k = code.n_logical();
    let name = |j: usize| if j < k { format!("X{j}") } else { format!("Z{}", j - k) };
    let applied: Vec<String> = coordinates.applied().iter_ones().map(name).collect();
    let fired: Vec<usize> = code.syndrome(&error).iter_ones().collect();
    if args.json {
        let object = json!({
            "code": code.name(),
            "error": SparsePauli::from(&error).to_string(),
            "weight": error.weight(),
            "detected_by": fired,
            "independent": basis.independent(),
            "syndrome": coordinates.syndrome.to_string(),
            "logical": coordinates.logical.to_string(),
            "class_index": coordinates.class_index(),
            "decoder_class": coordinates.decoder_class(),
            "applied": applied,
            "gauge": coordinates.gauge.to_string(),
            "pure_error": pure,
            "logical_operator": logical,
            "stabilizer": gauge,
        });
        println!("{object}");
        return Ok(());
    }
    let or_none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
    println!("error {}, weight {}", SparsePauli::from(&error), error.weight());
    println!("detected by the checks {fired:?}");
    println!("syndrome  γ = {}   pure error {pure}", coordinates.syndrome);
    println!("logical   β = {}   operator {logical}", coordinates.logical);
    if let Some(index) = coordinates.class_index() {
        println!(
            "class index {index}, of decoders {}; logical operators applied: {}",
            coordinates.decoder_class().unwrap_or(index),
            or_none(applied.join(" "))
        );
    }
    println!("gauge     α = {}   stabilizer {gauge}", coordinates.gauge);
    Ok(())
}

/// Factors where there is a digit, letters otherwise.
fn read(text: &str, n: usize) -> Result<PauliString, Box<dyn Error>> {
    let wrong = |error: quantum_ec::Error| format!("--error {text:?}: {error}");
    // `I` alone is what the sparse form of the identity is printed as.
    let identity = n != 1 && text.trim_start_matches(['+', '-', 'i']) == "I";
    if identity || text.bytes().any(|b| b.is_ascii_digit()) {
        return Ok(text.parse::<SparsePauli>().and_then(|sparse| sparse.to_dense(n)).map_err(wrong)?);
    }
    let error: PauliString = text.parse().map_err(wrong)?;
    if error.n_qubits() != n {
        return Err(format!("--error {text:?}: {} letters for {n} qubits", error.n_qubits()).into());
    }
    Ok(error)
}
