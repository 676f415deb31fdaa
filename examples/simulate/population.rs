//! Population annealing through the temperatures asked for.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::stats::Estimate;
use spin_models::mcmc::{Cooling, Ladder, Metropolis, PopulationAnnealing, PopulationParams, PopulationStep};
use spin_models::{EnergyModel, Ising, Progress};

use crate::args::Args;
use crate::job::STOP;
use crate::row::{Population, Row};
use crate::subject::Subject;

const SAVE: Duration = Duration::from_secs(30);

fn params(args: &Args, population: usize) -> PopulationParams {
    let sweeps = args.sweeps.unwrap_or(10);
    PopulationParams::default().with_population(population).with_sweeps(sweeps).with_threads(args.threads.into())
}

/// The temperatures asked for and, between them, those of an adaptive run with a tenth of the replicas.
fn ladder(args: &Args, model: &Ising) -> Result<Ladder, Box<dyn std::error::Error>> {
    let asked = &args.beta.0;
    let last = asked[asked.len() - 1];
    let pilot = params(args, (args.population() / 10).max(20)).with_sweeps(args.sweeps.unwrap_or(10).min(10));
    let streams = Streams::new(args.seed).child(1);
    let mut pilot = PopulationAnnealing::new(model, Metropolis::default(), Cooling::to(last), pilot, streams)?;
    pilot.cool(&mut ())?;
    let mut betas: Vec<f64> = pilot.steps().iter().map(|step| step.beta).chain(asked.iter().copied()).collect();
    betas.sort_by(f64::total_cmp);
    betas.dedup();
    Ok(Ladder::new(betas)?)
}

/// Cools the population and gives a row for each temperature asked for that was reached.
pub fn run(
    args: &Args,
    subject: &Subject,
    state: Option<&[u8]>,
    mut progress: impl FnMut(&Progress),
    mut save: impl FnMut(Vec<u8>),
) -> Result<Vec<Row>, Box<dyn std::error::Error>> {
    let model = &subject.model;
    let start = Instant::now();
    let cooling = Cooling::Ladder(ladder(args, model)?);
    let params = params(args, args.population());
    let sweeps = params.sweeps;
    let streams = Streams::new(args.seed);
    let mut population = PopulationAnnealing::new(model, Metropolis::default(), cooling, params, streams)?;
    if let Some(state) = state {
        population.restore(&Checkpoint::from_bytes(state)?)?;
    }
    let before = population.steps().len();
    let kernel = Instant::now();
    let mut saved = Instant::now();
    while !population.is_done() && !STOP.load(Ordering::Relaxed) {
        population.cool(&mut |event: &Progress| {
            progress(event);
            let pause = STOP.load(Ordering::Relaxed) || saved.elapsed() > SAVE;
            if pause { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if saved.elapsed() > SAVE {
            save(population.checkpoint().to_bytes());
            saved = Instant::now();
        }
    }
    save(population.checkpoint().to_bytes());
    let flips =
        (population.steps().len() - before) as f64 * (args.population() * model.n_spins()) as f64 * sweeps as f64;
    let flips_per_second = flips / kernel.elapsed().as_secs_f64();
    let seconds = start.elapsed().as_secs_f64();
    let rows = population.steps().iter().filter(|step| args.beta.0.contains(&step.beta));
    Ok(rows.map(|step| row(step, model.n_spins(), sweeps, args.population(), flips_per_second, seconds)).collect())
}

fn row(step: &PopulationStep, n: usize, sweeps: u64, population: usize, flips_per_second: f64, seconds: f64) -> Row {
    let per_spin = |estimate: Estimate, factor: f64| Estimate {
        value: factor * estimate.value,
        std_error: estimate.std_error.map(|error| factor * error),
    };
    let size = n as f64;
    let beta = step.beta;
    let (m, m2, m4) = (step.abs_magnetization.value, step.magnetization_2.value, step.magnetization_4.value);
    let plain = |value: f64| Some(Estimate { value, std_error: None });
    Row {
        engine: "population-annealing",
        n_spins: n,
        beta,
        energy_per_spin: Some(per_spin(step.energy, 1.0 / size)),
        specific_heat: Some(per_spin(step.energy_variance, beta * beta / size)),
        abs_magnetization: Some(step.abs_magnetization),
        susceptibility: plain(beta * size * (m2 - m * m)),
        binder: plain(1.0 - m4 / (3.0 * m2 * m2)),
        tau_energy: None,
        tau_magnetization: None,
        sweeps,
        flips_per_second: Some(flips_per_second),
        seconds,
        // The usual bound: at least ten families' worth of replicas.
        equilibrated: step.rho_t <= population as f64 / 10.0,
        glass: None,
        exchange: None,
        population: Some(Population {
            rho_t: Some(step.rho_t),
            ln_z: Estimate { value: step.ln_z.value, std_error: step.ln_z.std_error },
        }),
    }
}
