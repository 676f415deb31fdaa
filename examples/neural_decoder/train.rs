//! `train`: a model from samples.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use linalg_core::checkpoint::Checkpoint;
use quantum_ec::neural::{NetworkParams, NeuralModel, NeuralTrainer, Subject, TrainingParams, TrainingStep};
use workspace_examples::json::Line;

use crate::setting::{Outcome, Setting, check_writable, read_model};
use crate::shots::Source;

/// Steps that are timed to turn minutes into steps.
const TIMED: u64 = 8;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    setting: Setting,
    /// `made[:CHANNELSxLAYERS[:WIDTHxLAYERS]]`, `local[:..]` for codes with positions, or `transformer[:DIMxBLOCKSxHEADS]`;
    /// `:joint` adds the networks of syndrome and stabilizer part.
    #[arg(long, default_value = "made", value_parser = network)]
    network: NetworkParams,
    /// Steps; instead of minutes.
    #[arg(long, conflicts_with = "minutes")]
    steps: Option<u64>,
    /// About how long; the number of steps is settled after the first few.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Shots a step.
    #[arg(long, default_value_t = 1024)]
    batch: usize,
    /// Largest learning rate.
    #[arg(long, default_value_t = 0.005)]
    learning_rate: f64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Seed of weights and samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the model goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the state of the training is kept, every minute; it ends as the model does.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Goes on from this state, bit for bit; needs --steps of the training that was interrupted.
    #[arg(long, value_name = "FILE", requires = "steps")]
    resume: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn network(text: &str) -> Result<NetworkParams, String> {
    text.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

/// Mean losses over some steps.
#[derive(Default)]
struct Means {
    loss: [f64; 3],
    floor: f64,
    steps: f64,
}

impl Means {
    fn add(&mut self, step: &TrainingStep) {
        for (sum, loss) in self.loss.iter_mut().zip(step.loss) {
            *sum += loss.unwrap_or(f64::NAN);
        }
        self.floor += step.floor;
        self.steps += 1.0;
    }

    fn part(&self, k: usize) -> f64 {
        self.loss[k] / self.steps
    }

    /// Of all parts that the subject has; not finite for a model that lacks one of them.
    fn joint(&self, parts: &[bool; 3]) -> f64 {
        let sum = self.loss.iter().zip(parts).filter(|(_, part)| **part).map(|(loss, _)| loss).sum::<f64>();
        sum / self.steps
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    let subject = args.setting.subject()?;
    let floor = class_floor(args, &subject)?;
    check_writable(&args.out)?;
    let params = TrainingParams::default().batch(args.batch).learning_rate(args.learning_rate).seed(args.seed);
    let params = params.threads(args.threads).steps(args.steps.unwrap_or(u64::MAX));
    let entropy = subject.entropy();
    let parts = [true, true, subject.n_gauge() > 0];
    let mut trainer = NeuralTrainer::new(NeuralModel::new(subject, args.network.seed(args.seed))?, params)?;
    if let Some(path) = &args.resume {
        let state = Checkpoint::load(path).map_err(|error| format!("{}: {error}", path.display()))?;
        trainer.restore(&state).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if args.steps.is_none() {
        if args.minutes.is_nan() || args.minutes <= 0.0 || args.minutes > 1e6 {
            return Err(format!("--minutes is {}, expected a positive number", args.minutes).into());
        }
        let mut timed = trainer.clone();
        timed.step()?;
        let start = Instant::now();
        for _ in 0..TIMED {
            timed.step()?;
        }
        let steps = 60.0 * args.minutes * TIMED as f64 / start.elapsed().as_secs_f64();
        trainer.set_steps((steps as u64).max(10))?;
    }
    let steps = trainer.params().steps;
    // A path that cannot be written is noticed before the work.
    if let Some(path) = &args.checkpoint {
        trainer.checkpoint().save(path)?;
    }
    let start = Instant::now();
    let (mut saved, mut shown) = (start, start);
    let (mut recent, mut last) = (Means::default(), Means::default());
    while trainer.steps() < steps {
        let step = match trainer.step() {
            Ok(step) => step,
            Err(error) => {
                write_model(args, trainer.model())?;
                let (file, steps) = (args.out.display(), trainer.steps());
                return Err(format!("{error}; {file} holds the model after {steps} steps").into());
            }
        };
        recent.add(&step);
        if steps - step.step < steps.div_ceil(20) {
            last.add(&step);
        }
        if shown.elapsed().as_secs() >= 10 || step.step == steps {
            shown = Instant::now();
            if !args.json {
                print!("step {:>7} of {steps}, -ln q of the class {:.5} nats", step.step, recent.part(1));
                if let Some(floor) = floor {
                    print!(", its floor {floor:.5}");
                }
                let (joint, floor) = (recent.joint(&parts), recent.floor / recent.steps);
                if joint.is_finite() && floor.is_finite() {
                    print!(", of the whole error {joint:.4}, its floor {floor:.4}");
                }
                println!();
            }
            recent = Means::default();
        }
        if let Some(path) = args.checkpoint.as_ref().filter(|_| saved.elapsed().as_secs() >= 60) {
            saved = Instant::now();
            // A full disk may have room again later; the training is worth more than one of its states.
            if let Err(error) = trainer.checkpoint().save(path) {
                eprintln!("warning: {}: {error}", path.display());
            }
        }
    }
    write_model(args, trainer.model())?;
    if let Some(path) = &args.checkpoint {
        trainer.checkpoint().save(path)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let model = trainer.model();
    if args.json {
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let line = Line::new()
            .text("code", model.subject().name())
            .text("noise", &model.subject().noise_text())
            .text("network", &model.params().to_string())
            .count("parameters", model.n_parameters() as u64)
            .count("steps", model.steps())
            .count("shots", model.steps() * args.batch as u64)
            .number("nll_logical", finite(last.part(1)))
            .number("nll_logical_floor", floor)
            .number("nll_joint", finite(last.joint(&parts)))
            .number("nll_floor", entropy)
            .number("floor_of_the_shots", finite(last.floor / last.steps))
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
    } else {
        println!("{} parameters, {} steps in {seconds:.0} s: {}", model.n_parameters(), steps, args.out.display());
        match (entropy, last.joint(&parts).is_finite()) {
            (Some(entropy), true) => {
                println!(
                    "-ln q of the last twentieth {:.4} nats, entropy of the error {entropy:.4}",
                    last.joint(&parts)
                );
            }
            (Some(entropy), false) => println!("entropy of the error {entropy:.4} nats, of which the class is a part"),
            _ => {}
        }
    }
    Ok(())
}

/// The entropy of the class given the syndrome, where it is a short sum.
fn class_floor(args: &Args, subject: &Subject) -> Outcome<Option<f64>> {
    let source = match (&args.setting.dem, subject.code(), subject.noise()) {
        (Some(path), ..) => Source::Model(read_model(path)?),
        (None, Some(code), Some(noise)) if subject.n_globals() == 0 && subject.entropy().is_some() => {
            Source::of_code(code.clone(), noise.clone(), None)?
        }
        _ => return Ok(None),
    };
    Ok(source.distribution()?.map(|all| all.class_entropy()))
}

fn write_model(args: &Args, model: &NeuralModel) -> Outcome<()> {
    let name = args.out.display();
    let file = File::create(&args.out).map_err(|error| format!("{name}: {error}"))?;
    let mut file = BufWriter::new(file);
    model.write(&mut file).map_err(|error| format!("{name}: {error}"))?;
    file.flush().map_err(|error| format!("{name}: {error}"))?;
    Ok(())
}
