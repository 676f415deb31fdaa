//! Training and reports.

use std::ops::ControlFlow;
use std::time::Instant;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::{Observer, Streams};
use spin_models::{EnergyModel, Progress};
use variational::autoregressive::Autoregressive;
use variational::van::{Annealing, Importance, NeuralMcmc, Step, Trainer, importance};
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;

use crate::args::Args;
use crate::subject::Subject;

type Failure = Box<dyn std::error::Error>;

/// Steps between two savings.
const SAVE_EVERY: u64 = 100;

/// What one inverse temperature gave.
struct Outcome {
    beta: f64,
    steps: u64,
    seconds: f64,
    exact: Option<f64>,
    estimate: Importance,
    acceptance: f64,
    tau: Option<f64>,
}

/// Trains at every inverse temperature and reports each.
pub fn run<N: Autoregressive>(args: &Args, subject: &Subject, network: N) -> Result<(), Failure> {
    let free = network.n_free_parameters();
    let mut trainer = Trainer::new(&subject.model, network, args.trainer())?;
    if args.resume
        && let Some(file) = args.checkpoint.as_ref().filter(|file| file.exists())
    {
        trainer.restore(&Checkpoint::load(file)?)?;
        eprintln!("goes on after step {}", trainer.steps());
    }
    if !args.json {
        println!("{}, {} spins, {free} parameters", subject.name, subject.model.n_spins());
        println!(
            "{:>7} {:>7} {:>10} {:>24} {:>26} {:>16} {:>7} {:>9} {:>8}",
            "beta",
            "steps",
            "ms a step",
            "ln Z, variational",
            "ln Z, importance",
            "exact",
            "ESS",
            "rel.error",
            "accepted"
        );
    }
    let mut history = Vec::new();
    let mut begin = 0;
    for (k, &beta) in args.beta.iter().enumerate() {
        let length = if k == 0 { args.steps } else { args.steps.div_ceil(2) };
        let (end, done) = (begin + length, trainer.steps());
        // The network of a checkpoint is that of a later temperature: nothing is left to report of this one.
        if args.seconds.is_none() && k + 1 < args.beta.len() && done > end {
            eprintln!(
                "beta = {beta} is skipped: its training ended with step {end}, the network is that of step {done}"
            );
            begin = end;
            continue;
        }
        let outcome = at(args, subject, &mut trainer, k, beta, begin, length, &mut history)?;
        // By the clock the next temperature begins wherever the last one ended.
        begin = if args.seconds.is_some() { trainer.steps() } else { end };
        report(args, subject, &outcome, free);
    }
    draw(args, subject, &history)
}

/// The schedule at the k-th inverse temperature, as a function of the step in all.
fn schedule(args: &Args, k: usize, beta: f64, begin: u64, length: u64) -> impl Fn(u64) -> f64 {
    let from = if k == 0 { 0.0 } else { args.beta[k - 1] };
    let rate = args.rate();
    move |step| {
        let t = step.saturating_sub(begin);
        if k == 0 {
            Annealing::Exponential { beta, rate }.beta(t)
        } else {
            Annealing::Linear { from, to: beta, steps: length / 2 }.beta(t)
        }
    }
}

#[allow(clippy::too_many_arguments)] // The state of a run.
fn at<N: Autoregressive>(
    args: &Args,
    subject: &Subject,
    trainer: &mut Trainer<'_, spin_models::Ising, N>,
    k: usize,
    beta: f64,
    begin: u64,
    length: u64,
    history: &mut Vec<(Step, f64)>,
) -> Result<Outcome, Failure> {
    let exact = subject.exact(beta);
    let beta_of = schedule(args, k, beta, begin, length);
    let mut bar = Bar::new(&format!("beta = {beta}"));
    let (start, first) = (Instant::now(), trainer.steps());
    let share = args.seconds.map(|seconds| seconds / args.beta.len() as f64);
    loop {
        let done = trainer.steps().saturating_sub(begin);
        let part = match share {
            Some(seconds) => start.elapsed().as_secs_f64() / seconds,
            None => done as f64 / length as f64,
        };
        if part >= 1.0 {
            break;
        }
        if args.cosine {
            trainer.set_learning_rate(args.learning_rate() * 0.5 * (1.0 + (std::f64::consts::PI * part).cos()))?;
        }
        let step = trainer.step(beta_of(trainer.steps()))?;
        history.push((step, exact.unwrap_or(f64::NAN)));
        let total = share.map_or(length, |_| ((done + 1) as f64 / part.max(1e-3)) as u64);
        if step.step % 10 == 0 {
            let progress = Progress::new("training", done + 1, total.max(done + 1)).with_ln_z(step.ln_z.value);
            if bar.observe(&progress) == ControlFlow::Break(()) {
                break;
            }
        }
        if step.step % SAVE_EVERY == 0 {
            save(args, trainer)?;
        }
    }
    save(args, trainer)?;
    let (seconds, steps) = (start.elapsed().as_secs_f64(), trainer.steps() - first);
    bar.finish();
    let (streams, threads) = (Streams::new(!args.seed).child(k as u64), usize::from(args.threads));
    let network = trainer.network();
    let mut bar = Bar::new("importance");
    let estimate = importance(network, &subject.model, beta, args.samples, streams, threads, &[], &mut bar)?;
    bar.finish();
    let chain_streams = streams.child(u64::MAX);
    let mut chain = NeuralMcmc::new(network, &subject.model, beta, &mut chain_streams.stream(0))?;
    let proposals = args.samples.clamp(1, 10_000);
    let chain = chain.run(network, &subject.model, beta, proposals, chain_streams, &mut |_| ())?;
    let tau = chain.energy.map(|energy| energy.tau);
    Ok(Outcome { beta, steps, seconds, exact, estimate, acceptance: chain.acceptance, tau })
}

fn save<N: Autoregressive>(args: &Args, trainer: &Trainer<'_, spin_models::Ising, N>) -> Result<(), Failure> {
    match &args.checkpoint {
        Some(file) => Ok(trainer.checkpoint().save(file)?),
        None => Ok(()),
    }
}

fn report(args: &Args, subject: &Subject, outcome: &Outcome, free: usize) {
    let Outcome { beta, steps, seconds, exact, estimate, acceptance, tau } = outcome;
    let seconds_per_step = (*steps > 0).then(|| seconds / *steps as f64);
    let relative = exact.map(|exact| (exact - estimate.ln_z_variational.value) / exact.abs());
    if args.json {
        let line = Line::new()
            .text("network", &args.network)
            .count("n_spins", subject.n_spins() as u64)
            .count("parameters", free as u64)
            .number("beta", Some(*beta))
            .count("batch", args.batch as u64)
            .count("threads", u64::from(args.threads))
            .count("seed", args.seed)
            .count("steps", *steps)
            .number("seconds", Some(*seconds))
            .number("seconds_per_step", seconds_per_step)
            .number("ln_z", Some(estimate.ln_z_variational.value))
            .number("ln_z_std_error", estimate.ln_z_variational.std_error)
            .number("ln_z_importance", Some(estimate.ln_z.value))
            .number("ln_z_importance_std_error", estimate.ln_z.std_error)
            .count("samples", estimate.samples)
            .number("ess", Some(estimate.ess))
            .number("energy", Some(estimate.energy.value))
            .number("energy_std_error", estimate.energy.std_error)
            .number("acceptance", Some(*acceptance))
            .number("autocorrelation_time", *tau)
            .number("exact_ln_z", *exact)
            .number("relative_error", relative);
        println!("{}", line.finish());
    } else {
        println!(
            "{beta:>7} {steps:>7} {:>10.3} {:>24} {:>26} {:>16} {:>7.4} {:>9} {acceptance:>8.3}",
            1e3 * seconds_per_step.unwrap_or(f64::NAN),
            estimate.ln_z_variational.to_string(),
            estimate.ln_z.to_string(),
            exact.map_or("-".to_owned(), |exact| format!("{exact:.9}")),
            estimate.ess,
            relative.map_or("-".to_owned(), |relative| format!("{relative:.2e}")),
        );
    }
}

/// The variational ln Z along the training, and what it should become.
fn draw(args: &Args, subject: &Subject, history: &[(Step, f64)]) -> Result<(), Failure> {
    let file = match &args.svg {
        Some(file) => file.clone(),
        None if args.json || history.is_empty() => return Ok(()),
        None => figure::path("van", "svg")?,
    };
    let every = history.len().div_ceil(400).max(1);
    let kept: Vec<&(Step, f64)> = history.iter().step_by(every).collect();
    let points = kept.iter().map(|(step, _)| (step.step as f64, step.ln_z.value, step.ln_z.std_error.unwrap_or(0.0)));
    let exact: Vec<(f64, f64)> =
        kept.iter().filter(|(_, exact)| exact.is_finite()).map(|(step, exact)| (step.step as f64, *exact)).collect();
    let curves = Curves {
        title: format!("{}, {}", subject.name, args.network),
        x_label: "step".to_owned(),
        y_label: "ln Z, variational (at the temperature of the step)".to_owned(),
        lines: if exact.is_empty() { Vec::new() } else { vec![("exact at the last temperature".to_owned(), exact)] },
        points: vec![Points { name: "batch".to_owned(), points: points.collect() }],
        ..Curves::default()
    };
    curves.write_svg(&file)?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}
