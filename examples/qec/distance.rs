//! `distance`: shortest errors that flip an observable and no detector.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use quantum_ec::dem::{Components, LogicalErrorParams, LogicalErrorProgress, UndetectableError};
use quantum_ec::sensitivity::{CircuitError, Loops, ModelParams, Symptom};
use quantum_ec::{Circuit, DecodingProblem, DetectorErrorModel};
use serde_json::{Value, json};

use crate::files::{Outcome, named, read_circuit, read_model};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("subject").required(true).args(["dem", "circuit"]))]
pub struct Args {
    /// A detector error model.
    #[arg(long, value_name = "FILE")]
    dem: Option<PathBuf>,
    /// A circuit: errors are told with their places.
    #[arg(long, value_name = "FILE")]
    circuit: Option<PathBuf>,
    /// Steps of the exhaustive search over all mechanisms.
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    max_steps: u64,
    /// Random information sets, at most.
    #[arg(long, value_name = "N", default_value_t = 200)]
    trials: u64,
    /// Seed of the information sets.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Stops the search after so many seconds; the bounds so far are told.
    #[arg(long, value_name = "S", value_parser = seconds)]
    max_seconds: Option<Duration>,
    /// One JSON object on one line.
    #[arg(long)]
    json: bool,
}

/// A time for flags.
fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(time).map_err(|error| error.to_string())
}

/// What is searched, with the circuit it comes from.
struct Subject<'a> {
    path: &'a Path,
    circuit: Option<Circuit>,
    components: Components,
    problem: DecodingProblem,
}

impl<'a> Subject<'a> {
    fn read(args: &'a Args) -> Outcome<Self> {
        let (path, circuit, model): (_, _, DetectorErrorModel) = match (&args.dem, &args.circuit) {
            (Some(path), _) => (path, None, read_model(path)?),
            (None, Some(path)) => {
                let circuit = read_circuit(path)?;
                let params = ModelParams::default().with_loops(Loops::Flatten);
                let model = named(path, circuit.to_model(&params))?.model;
                (path, Some(circuit), model)
            }
            (None, None) => return Err("--dem or --circuit is needed".into()),
        };
        let components = named(path, model.to_components())?;
        let problem = named(path, model.to_problem())?;
        Ok(Self { path, circuit, components, problem })
    }
}

/// An error of a shortest set.
struct Member<'a> {
    number: usize,
    probability: f64,
    detectors: &'a [usize],
    observables: &'a [usize],
    /// Elementary errors with this symptom, the most probable first; none without a circuit.
    places: Vec<CircuitError>,
}

impl Member<'_> {
    fn json(&self, circuit: Option<&Circuit>, coordinates: &BTreeMap<u32, Vec<f64>>) -> Value {
        let place = |error: &CircuitError| {
            json!({
                "location": error.location.to_string(),
                "line": text_place(circuit, error).map(|place| place.0),
                "column": text_place(circuit, error).map(|place| place.1), "gate": error.gate.name(), "tick": error.ticks,
                "qubits": error.qubits, "paulis": paulis(error), "record": error.record,
                "coordinates": error.qubits.iter().map(|qubit| coordinates.get(qubit)).collect::<Vec<_>>(),
                "probability": error.probability,
            })
        };
        json!({
            "number": self.number, "probability": self.probability,
            "detectors": self.detectors, "observables": self.observables,
            "places": self.places.iter().map(place).collect::<Vec<_>>(),
        })
    }

    fn print(&self, circuit: Option<&Circuit>, coordinates: &BTreeMap<u32, Vec<f64>>) {
        let name = |letter: char| move |id: &usize| format!(" {letter}{id}");
        let targets = self.detectors.iter().map(name('D')).chain(self.observables.iter().map(name('L')));
        println!("  error({}){}", self.probability, targets.collect::<String>());
        let Some(error) = self.places.first() else { return };
        let what = match (paulis(error), error.record) {
            (paulis, false) => paulis,
            (paulis, true) if paulis.is_empty() => "wrong record".to_owned(),
            (paulis, true) => format!("herald with {paulis}"),
        };
        let qubit = |qubit: &u32| match coordinates.get(qubit) {
            Some(place) => {
                let place: Vec<String> = place.iter().map(ToString::to_string).collect();
                format!("{qubit} at ({})", place.join(", "))
            }
            None => qubit.to_string(),
        };
        let qubits: Vec<String> = error.qubits.iter().map(qubit).collect();
        let more = match self.places.len() - 1 {
            0 => String::new(),
            n => format!("; {n} more"),
        };
        let location = circuit.map_or_else(|| error.location.to_string(), |circuit| circuit.describe(&error.location));
        let (gate, tick) = (error.gate.name(), error.ticks);
        println!("    {what} in {gate}, {location}, tick {tick}, on qubits {}{more}", qubits.join(", "));
    }
}

/// Line and column of the operation.
fn text_place(circuit: Option<&Circuit>, error: &CircuitError) -> Option<(usize, usize)> {
    circuit?.text_place(&error.location.path())
}

fn paulis(error: &CircuitError) -> String {
    let factors: Vec<String> = error.paulis.iter().map(|(qubit, pauli)| format!("{}{qubit}", pauli.letter())).collect();
    factors.join("*")
}

/// Finds the places of all members at once.
fn explain(circuit: Option<&Circuit>, members: &mut [Member<'_>]) -> quantum_ec::Result<()> {
    let Some(circuit) = circuit else { return Ok(()) };
    let numbers = |list: &[usize]| list.iter().map(|&id| id as u64).collect();
    let symptoms: Vec<Symptom> = (members.iter())
        .map(|m| Symptom { detectors: numbers(m.detectors), observables: numbers(m.observables) })
        .collect();
    for (member, mut places) in members.iter_mut().zip(circuit.explain(&symptoms)?) {
        places.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        member.places = places;
    }
    Ok(())
}

pub fn run(args: &Args) -> Outcome<()> {
    let subject = Subject::read(args)?;
    let Subject { components, problem, .. } = &subject;
    let graphlike = components.shortest_graphlike_error();
    let params =
        LogicalErrorParams::default().with_max_steps(args.max_steps).with_trials(args.trials).with_seed(args.seed);
    let end = args.max_seconds.and_then(|time| Instant::now().checked_add(time));
    let mut observer = |_: &LogicalErrorProgress| match end {
        Some(end) if Instant::now() >= end => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let search = problem.undetectable_error_observed(&params, &mut observer)?;
    let of_graph = |error: &UndetectableError| -> Vec<Member<'_>> {
        let member = |&k: &usize| {
            let c = &components.list[k];
            let (number, probability) = (c.mechanism, c.probability);
            Member { number, probability, detectors: &c.detectors, observables: &c.observables, places: Vec::new() }
        };
        error.members.iter().map(member).collect()
    };
    let of_problem = |error: &UndetectableError| -> Vec<Member<'_>> {
        let member = |&j: &usize| Member {
            number: j,
            probability: problem.priors()[j],
            detectors: problem.checks().column(j),
            observables: problem.observables().column(j),
            places: Vec::new(),
        };
        error.members.iter().map(member).collect()
    };
    let mut graphlike_members = graphlike.error.as_ref().map(of_graph);
    let mut members = search.error.as_ref().map(of_problem);
    for list in [&mut graphlike_members, &mut members].into_iter().flatten() {
        named(subject.path, explain(subject.circuit.as_ref(), list))?;
    }
    let circuit = subject.circuit.as_ref();
    let coordinates = circuit.map(Circuit::qubit_coordinates).unwrap_or_default();
    if args.json {
        let list = |members: &Option<Vec<Member<'_>>>| {
            members.as_ref().map(|members| members.iter().map(|m| m.json(circuit, &coordinates)).collect::<Vec<_>>())
        };
        let object = json!({
            "file": subject.path.display().to_string(),
            "graphlike_distance": graphlike.error.as_ref().map(UndetectableError::weight),
            "graphlike_observables": graphlike.error.as_ref().map(|e| &e.observables),
            "graphlike_error": list(&graphlike_members),
            "ignored_components": graphlike.ignored,
            "lower": search.lower,
            "upper": search.error.as_ref().map(UndetectableError::weight),
            "observables": search.error.as_ref().map(|e| &e.observables),
            "error": list(&members),
            "information_sets": search.trials,
            "steps": search.steps,
            "exact": search.exact().is_some(),
            "stopped": search.stopped,
        });
        println!("{object}");
        return Ok(());
    }
    let print =
        |members: &Option<Vec<Member<'_>>>| members.iter().flatten().for_each(|m| m.print(circuit, &coordinates));
    let left_out = match graphlike.ignored {
        0 => String::new(),
        n => format!(" ({n} components with three detectors or more left out)"),
    };
    match &graphlike.error {
        Some(error) => println!("graphlike distance {}{left_out}", error.weight()),
        None => println!("graphlike distance: no such error{left_out}"),
    }
    print(&graphlike_members);
    match (&search.error, search.exact()) {
        (Some(_), Some(distance)) => println!("distance of all mechanisms {distance}"),
        (Some(error), None) => {
            let (lower, upper) = (search.lower, error.weight());
            println!(
                "distance of all mechanisms from {lower} to {upper}, not exact: more --max-steps may close the gap"
            );
        }
        (None, _) if search.lower > problem.n_mechanisms() => println!("distance of all mechanisms: no such error"),
        (None, _) => println!("distance of all mechanisms {} or more", search.lower),
    }
    print(&members);
    Ok(())
}
