//! `distance`: shortest errors that flip an observable and no detector.

use std::path::PathBuf;

use quantum_ec::dem::{LogicalErrorParams, UndetectableError};
use serde_json::{Value, json};

use crate::files::{Outcome, named, read_model};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The detector error model.
    #[arg(long, value_name = "FILE")]
    dem: PathBuf,
    /// Steps of the exhaustive search over all mechanisms.
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    max_steps: u64,
    /// Random information sets, at most.
    #[arg(long, value_name = "N", default_value_t = 200)]
    trials: u64,
    /// Seed of the information sets.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// One JSON object on one line.
    #[arg(long)]
    json: bool,
}

/// An error of a shortest set: probability, detectors, observables.
struct Member<'a> {
    number: usize,
    probability: f64,
    detectors: &'a [usize],
    observables: &'a [usize],
}

impl Member<'_> {
    fn json(&self) -> Value {
        json!({
            "number": self.number, "probability": self.probability,
            "detectors": self.detectors, "observables": self.observables,
        })
    }

    fn text(&self) -> String {
        let name = |letter: char| move |id: &usize| format!(" {letter}{id}");
        let targets = self.detectors.iter().map(name('D')).chain(self.observables.iter().map(name('L')));
        format!("  error({}){}", self.probability, targets.collect::<String>())
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    let model = read_model(&args.dem)?;
    let components = named(&args.dem, model.to_components())?;
    let problem = named(&args.dem, model.to_problem())?;
    let graphlike = components.shortest_graphlike_error();
    let params =
        LogicalErrorParams::default().with_max_steps(args.max_steps).with_trials(args.trials).with_seed(args.seed);
    let search = problem.undetectable_error(&params)?;
    let of_graph = |error: &UndetectableError| -> Vec<Member<'_>> {
        let member = |&k: &usize| {
            let c = &components.list[k];
            let (detectors, observables) = (&c.detectors[..], &c.observables[..]);
            Member { number: c.mechanism, probability: c.probability, detectors, observables }
        };
        error.members.iter().map(member).collect()
    };
    let of_problem = |error: &UndetectableError| -> Vec<Member<'_>> {
        let member = |&j: &usize| Member {
            number: j,
            probability: problem.priors()[j],
            detectors: problem.checks().column(j),
            observables: problem.observables().column(j),
        };
        error.members.iter().map(member).collect()
    };
    let graphlike_members = graphlike.error.as_ref().map(of_graph);
    let members = search.error.as_ref().map(of_problem);
    if args.json {
        let list = |members: &Option<Vec<Member<'_>>>| {
            members.as_ref().map(|members| members.iter().map(Member::json).collect::<Vec<_>>())
        };
        let object = json!({
            "file": args.dem.display().to_string(),
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
        });
        println!("{object}");
        return Ok(());
    }
    let print = |members: &Option<Vec<Member<'_>>>| {
        for member in members.iter().flatten() {
            println!("{}", member.text());
        }
    };
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
            println!("distance of all mechanisms from {} to {}", search.lower, error.weight());
        }
        (None, _) if search.lower > problem.n_mechanisms() => println!("distance of all mechanisms: no such error"),
        (None, _) => println!("distance of all mechanisms {} or more", search.lower),
    }
    print(&members);
    Ok(())
}
