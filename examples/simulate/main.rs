//! What are the averages of this model at these temperatures, and has the simulation equilibrated?
//!
//! Simulates a lattice or an instance from a file with a chosen engine or the one that suits it, and prints energy,
//! specific heat, magnetization, susceptibility and Binder cumulant with their errors and autocorrelation times;
//! for disordered instances the overlaps of pairs of replicas too.
//!
//! ```text
//! cargo run --release --example simulate -- --lattice square:128 --beta 0.42 --engine auto --sweeps 200000 --seed 1 --json
//! cargo run --release --example simulate -- --lattice cubic:8 --disorder pm:0.5 --beta 0.2:1.2:24
//! cargo run --release --example simulate -- --file instance.txt --beta 0.2:2.0:24 --engine parallel-tempering --houdayer
//! cargo run --release --example simulate -- --quick
//! ```
//!
//! The square ferromagnet without disorder is compared with Kaufman's exact energy. Ctrl-C stops a run after the
//! present sweeps; with `--checkpoint FILE` it goes on later with `--resume`, bit for bit (not wang-landau: a finished
//! measurement is evaluated again).

mod args;
mod density;
mod draw;
mod engines;
mod job;
mod population;
mod row;
mod state;
mod subject;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use clap::Parser;
use linalg_core::{Observer, Streams};
use spin_models::exact::Kaufman;
use spin_models::{EnergyModel, Progress};
use workspace_examples::exit;
use workspace_examples::progress::Bar;

use args::{Args, DisorderName, EngineName, Kind};
use engines::Running;
use job::{Job, STOP};
use row::Row;
use state::State;
use subject::Subject;

type Failure = Box<dyn std::error::Error>;

/// The engine that `auto` stands for at several temperatures.
fn resolved(args: &Args, subject: &Subject) -> EngineName {
    match args.engine {
        EngineName::Auto if args.houdayer || (subject.disordered && args.beta.0.len() > 1) => {
            EngineName::ParallelTempering
        }
        name => name,
    }
}

fn jobs<'a>(args: &Args, subject: &'a Subject, name: EngineName) -> Result<Vec<Job<'a>>, Failure> {
    let betas = &args.beta.0;
    if name == EngineName::ParallelTempering {
        let running = Running::tempering(args, &subject.model, betas, subject.disordered)?;
        return Ok(vec![Job::new(args, subject, "parallel-tempering", None, betas.clone(), running)]);
    }
    let mut jobs = Vec::new();
    for (k, &beta) in betas.iter().enumerate() {
        let (engine, reason) = engines::at_one_temperature(name, &subject.model, beta);
        if let Some(reason) = reason
            && !args.json
        {
            eprintln!("beta = {beta}: {}, {reason}", engine.name());
        }
        let streams = Streams::new(args.seed);
        // Threads that are not needed for other temperatures.
        let threads = (usize::from(args.threads) / betas.len()).max(1);
        let running = Running::at(engine, &subject.model, beta, subject.disordered, streams, k as u64, threads)?;
        jobs.push(Job::new(args, subject, engine.name(), Some(engine), vec![beta], running));
    }
    Ok(jobs)
}

/// Runs all jobs, on several threads if there are several, and prints rows in the order of the temperatures.
fn simulate(args: &Args, jobs: Vec<Job<'_>>, state: &State) -> Result<Vec<Row>, Failure> {
    let total = jobs.iter().map(Job::total).sum();
    let (bar, done) = (Mutex::new(Bar::new("simulate")), AtomicU64::new(0));
    let progress = |sweeps: u64| {
        let done = done.fetch_add(sweeps, Ordering::Relaxed) + sweeps;
        if let Ok(mut bar) = bar.lock() {
            let _ = bar.observe(&Progress::new("sweeps", done, total));
        }
    };
    let n = jobs.len();
    let jobs: Vec<Mutex<Job<'_>>> = jobs.into_iter().map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let k = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(k) else { break };
            if let Ok(mut job) = job.lock() {
                job.run(progress, |bytes| state.put(k, bytes));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..usize::from(args.threads).min(n) {
            scope.spawn(work);
        }
        work();
    });
    if let Ok(bar) = bar.into_inner() {
        bar.finish();
    }
    state.write()?;
    let mut rows = Vec::new();
    for job in jobs {
        let job = job.into_inner().map_err(|_| "a thread failed")?;
        if !job.is_empty() {
            rows.extend(job.rows()?);
        }
    }
    Ok(rows)
}

/// The engines that are no [`Job`]: they go through all temperatures in an order of their own.
fn from_infinite_temperature(
    args: &Args,
    subject: &Subject,
    name: EngineName,
    state: &State,
) -> Result<Vec<Row>, Failure> {
    let population = name == EngineName::PopulationAnnealing;
    let mut bar = Bar::new(if population { "population annealing" } else { "wang-landau" });
    let progress = |event: &Progress| {
        let _ = bar.observe(event);
    };
    let save = |bytes| state.put(0, bytes);
    let before = state.get(0);
    let rows = if population {
        population::run(args, subject, before.as_deref(), progress, save)
    } else {
        density::run(args, subject, before.as_deref(), progress, save)
    };
    bar.finish();
    state.write()?;
    rows
}

/// Kaufman's energy per spin, for the uniform square torus.
fn exact(args: &Args, beta: f64) -> Option<f64> {
    let name = args.lattice.filter(|_| args.file.is_none());
    let (kind, length, open) = name
        .map_or((Kind::Square, if args.quick { 16 } else { 64 }, false), |name| (name.kind, name.length, name.open));
    let plain = args.file.is_none() && args.disorder == DisorderName::None && kind == Kind::Square && !open;
    let n = (length * length) as f64;
    plain.then(|| Some(Kaufman::isotropic(length, length, 1.0).ok()?.at(beta).ok()?.energy / n)).flatten()
}

fn print(args: &Args, rows: &[Row]) {
    if args.json {
        rows.iter().for_each(|row| println!("{}", row.json()));
        return;
    }
    Row::head();
    for row in rows {
        row.print();
        let Some((exact, e)) = exact(args, row.beta).zip(row.energy_per_spin) else { continue };
        match e.std_error.filter(|error| *error > 0.0) {
            Some(error) => {
                println!("{:>9} {exact:>20.10}  exact, {:+.2} standard errors", "", (e.value - exact) / error)
            }
            None => println!("{:>9} {exact:>20.10}  exact", ""),
        }
    }
    if let Some(rate) = rows.first().and_then(|row| row.flips_per_second) {
        println!("{:.3} attempted flips a nanosecond", rate * 1e-9);
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let subject = Subject::new(args)?;
    let name = resolved(args, &subject);
    if args.houdayer && name != EngineName::ParallelTempering {
        return Err("--houdayer needs --engine parallel-tempering: its moves act on pairs of replicas".into());
    }
    args.check(name)?;
    if !args.json {
        eprintln!("{}: {} spins, {} couplings", subject.name, subject.model.n_spins(), subject.model.n_couplings());
    }
    // Only the first call can fail, and then Ctrl-C simply ends the process.
    let _ = ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed));
    let state = State::open(args, &subject, name)?;
    let rows = if matches!(name, EngineName::PopulationAnnealing | EngineName::WangLandau) {
        from_infinite_temperature(args, &subject, name, &state)?
    } else {
        let mut jobs = jobs(args, &subject, name)?;
        for (k, job) in jobs.iter_mut().enumerate() {
            if let Some(bytes) = state.get(k) {
                job.restore(&bytes)?;
            }
        }
        simulate(args, jobs, &state)?
    };
    print(args, &rows);
    if STOP.load(Ordering::Relaxed) {
        match &args.checkpoint {
            // Its weights are not kept.
            Some(file) if name == EngineName::WangLandau => {
                eprintln!("stopped; what was measured until then is above and in {}", file.display());
            }
            Some(file) => eprintln!("stopped; go on with --checkpoint {} --resume", file.display()),
            None => eprintln!("stopped; what was measured until then is above"),
        }
    }
    if let Some(file) = &args.svg {
        draw::draw(file, &subject.name, &rows)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    exit::report(run(&Args::parse()))
}
