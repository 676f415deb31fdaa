//! How much better than principal components does a deep autoencoder restore digits from 30 numbers, and does pretraining help?
//!
//! Stacks restricted machines, unrolls them into an autoencoder, trains that on by backpropagation, and compares with as many
//! principal components and with the same network from random weights, given the same time. On MNIST thirty components leave a
//! squared error of 13.866 an image; G. E. Hinton and R. R. Salakhutdinov (Science 313, 504 (2006)) report 3.00 for the layers
//! 784-1000-500-250-30.
//!
//! ```sh
//! cargo run --release --example deep_autoencoder -- --data DIR --random-start --figure
//! ```

mod codes;
mod pca;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use boltzmann::Rbm;
use boltzmann::deep::{
    Autoencoder, BeliefTraining, DeepBeliefNet, Loss, Network, NetworkTrainer, NetworkTraining, Optimizer,
};
use boltzmann::train::{DenseMethod, DenseParams, DenseTrainer, Method, Schedule, TrainingParams};
use boltzmann::units::{Bernoulli, Gaussian};
use clap::{Parser, ValueEnum};
use linalg_core::Streams;
use linalg_core::checkpoint::{Checkpoint, Writer};
use workspace_examples::exit;
use workspace_examples::grey_images::GreyImages;
use workspace_examples::json::Line;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LossArg {
    CrossEntropy,
    SquaredError,
}

/// Trains a deep autoencoder on grey images.
#[derive(Debug, Parser)]
struct Args {
    /// Directory with the IDX files of MNIST; small digits made here without it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Sizes of the hidden layers up to the code.
    #[arg(long, value_delimiter = ',', default_value = "1000,500,250,30")]
    layers: Vec<usize>,
    /// Passes through the data for each machine of the stack.
    #[arg(long, default_value_t = 20)]
    pretraining_epochs: u64,
    /// First learning rate of the machines of the stack, with a momentum of 0.9.
    #[arg(long, default_value_t = 0.1)]
    pretraining_rate: f64,
    /// The same of the machine with the code.
    #[arg(long, default_value_t = 0.01)]
    code_rate: f64,
    /// Passes of backpropagation.
    #[arg(long, default_value_t = 50)]
    epochs: u64,
    /// Rows of a batch of backpropagation.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// First learning rate of Adam; it falls linearly to 0.
    #[arg(long, default_value_t = 0.001)]
    learning_rate: f64,
    /// Line searches of conjugate gradients a batch, in place of Adam.
    #[arg(long)]
    conjugate_gradient: Option<usize>,
    /// What backpropagation minimises.
    #[arg(long, value_enum, default_value = "cross-entropy")]
    loss: LossArg,
    /// The same network from random weights, for as long as pretraining and training took together.
    #[arg(long)]
    random_start: bool,
    /// Draws the codes of test images in the plane of their two first principal components, with --layers ...,2 as they are.
    #[arg(long)]
    figure: bool,
    /// Writes a checkpoint of backpropagation to this file after every epoch.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Goes on from a checkpoint of a run with the same data and flags; pretraining is done again.
    #[arg(long)]
    resume: Option<PathBuf>,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// One line of JSON an epoch, and one at the end.
    #[arg(long)]
    json: bool,
    /// A run of some seconds on small digits.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}

fn run(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        args.layers = vec![100, 50, 8];
        (args.pretraining_epochs, args.epochs, args.learning_rate) = (10, 15, 0.003);
        (args.batch, args.random_start, args.figure) = (50, true, true);
    }
    let (train, test) = match &args.data {
        Some(directory) => {
            (GreyImages::from_directory(directory, "train")?, GreyImages::from_directory(directory, "t10k")?)
        }
        None => {
            let n = if args.quick { 3000 } else { 20_000 };
            (GreyImages::digits(n, 0, 0), GreyImages::digits(2000, 0, 1))
        }
    };
    let Some((&code, hidden)) = args.layers.split_last().filter(|(_, hidden)| !hidden.is_empty()) else {
        return Err("--layers needs at least two sizes".into());
    };
    let baseline = pca::squared_error(&train, &test, code)?;
    if !args.json {
        println!("{code} principal components: squared error {baseline:.3} an image");
    }
    let clock = Instant::now();
    let autoencoder = pretrain(&args, &train, hidden, code)?;
    let pretraining_seconds = clock.elapsed().as_secs_f64();
    let pretrained = autoencoder.squared_error(&test.pixels, args.threads);
    if !args.json {
        println!("pretrained, {pretraining_seconds:.1} s: {pretrained:.3}");
    }
    let sizes = autoencoder.network().sizes().to_vec();
    let activations = autoencoder.network().activations().to_vec();
    let (tuned, seconds) = tune(&args, "pretrained", autoencoder.into_network(), &train, &test, None)?;
    let error = tuned.squared_error(&test.pixels, &test.pixels, args.threads);
    let mut random = None;
    if args.random_start {
        // Equal time: what pretraining and training took.
        let start = Network::random(sizes, activations, &mut Streams::new(args.seed).stream(9))?;
        let (network, _) = tune(&args, "random", start, &train, &test, Some(pretraining_seconds + seconds))?;
        random = Some(network.squared_error(&test.pixels, &test.pixels, args.threads));
    }
    if args.figure {
        let autoencoder = Autoencoder::from_network(tuned)?;
        codes::draw(&autoencoder, &test, args.threads)?;
    }
    if args.json {
        let line = Line::new()
            .number("pca_squared_error", Some(baseline))
            .number("pretrained_squared_error", Some(pretrained))
            .number("test_squared_error", Some(error))
            .number("random_start_squared_error", random)
            .number("pretraining_seconds", Some(pretraining_seconds))
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
    } else {
        println!("pretrained and trained on, {:.1} s: {error:.3}", pretraining_seconds + seconds);
        if let Some(random) = random {
            println!("random start, as long: {random:.3}");
        }
    }
    Ok(())
}

/// A stack of machines up to the last hidden layer, and one with Gaussian code units on top.
fn pretrain(
    args: &Args,
    train: &GreyImages,
    hidden: &[usize],
    code: usize,
) -> Result<Autoencoder, Box<dyn std::error::Error>> {
    let streams = Streams::new(args.seed);
    let batch = 100.min(train.len());
    let machine = TrainingParams::default()
        .method(Method::ContrastiveDivergence { sweeps: 1 })
        .epochs(args.pretraining_epochs)
        .batch(batch)
        .learning_rate(args.pretraining_rate)
        .momentum(0.9)
        .decay(2e-4, 0.0)
        .seed(args.seed)
        .threads(args.threads);
    let params = BeliefTraining::default().hidden(hidden.to_vec()).machine(machine);
    // Bits of so many epochs are held at a time.
    let draws = args.pretraining_epochs.clamp(1, 5) as usize;
    let (net, means) =
        DeepBeliefNet::pretrain_on_means(&train.pixels, train.n_pixels(), &params, draws, streams, |k, machine| {
            if !args.json {
                println!("layer {}: {} x {} trained", k + 1, machine.n_visible(), machine.n_hidden());
            }
        })?;
    let width = means.len() / train.len();
    let data: Vec<f64> = means.into_iter().map(f64::from).collect();
    let units = Gaussian::unit_variance(code);
    let start = Rbm::random(Bernoulli, units, width, code, 0.1, &mut streams.stream(8))?;
    let params = DenseParams::default()
        .method(DenseMethod::ContrastiveDivergence { sweeps: 1 })
        .probabilities(true)
        .batch(batch)
        .updates(args.pretraining_epochs * (train.len() / batch) as u64)
        .learning_rate(args.code_rate, Schedule::Linear { end: 0.0 })
        .momentum(0.9, 2e-5);
    let mut trainer = DenseTrainer::new(start, &data, params, streams.child(7))?;
    trainer.run()?;
    Ok(Autoencoder::unroll(&net, trainer.machine())?)
}

/// Backpropagation for the epochs asked for, or for so many seconds; returns the network and the seconds of updates.
fn tune(
    args: &Args,
    name: &str,
    start: Network,
    train: &GreyImages,
    test: &GreyImages,
    limit: Option<f64>,
) -> Result<(Network, f64), Box<dyn std::error::Error>> {
    let optimizer = match args.conjugate_gradient {
        Some(line_searches) => Optimizer::ConjugateGradient { line_searches },
        None => Optimizer::Adam,
    };
    // With a limit of time, the number of epochs follows from the first one.
    let mut epochs = args.epochs;
    let params = |epochs: u64| {
        NetworkTraining::default()
            .optimizer(optimizer)
            .loss(if args.loss == LossArg::CrossEntropy { Loss::CrossEntropy } else { Loss::SquaredError })
            .learning_rate(args.learning_rate, Schedule::Linear { end: 0.0 })
            .batch(args.batch.min(train.len()))
            .epochs(epochs)
            .seed(args.seed)
            .threads(args.threads)
    };
    if let Some(limit) = limit {
        let clock = Instant::now();
        NetworkTrainer::new(start.clone(), &train.pixels, &train.pixels, params(1))?.epoch()?;
        epochs = ((limit / clock.elapsed().as_secs_f64()).round() as u64).max(1);
    }
    let mut trainer = NetworkTrainer::new(start, &train.pixels, &train.pixels, params(epochs))?;
    let mut seconds = 0.0;
    if let Some(file) = args.resume.as_ref().filter(|_| limit.is_none()) {
        let (before, state) = load(file).map_err(|error| format!("{}: {error}", file.display()))?;
        trainer.restore(&state)?;
        seconds = before;
    }
    while trainer.updates() < trainer.total_updates() {
        let clock = Instant::now();
        let loss = trainer.epoch()?;
        seconds += clock.elapsed().as_secs_f64();
        let epoch = trainer.updates() / trainer.updates_per_epoch();
        let error = trainer.network().squared_error(&test.pixels, &test.pixels, args.threads);
        if args.json {
            let line = Line::new().text("start", name).count("epoch", epoch).number("loss", Some(loss));
            let line = line.number("test_squared_error", Some(error)).number("seconds", Some(seconds));
            println!("{}", line.finish());
        } else {
            println!("{name:>10} {epoch:>4} {seconds:>8.1} s  loss {loss:>9.4}  test squared error {error:>7.3}");
        }
        if let Some(file) = args.checkpoint.as_ref().filter(|_| limit.is_none()) {
            let mut out = Writer::new();
            out.write_f64(seconds).write_u8s(&trainer.checkpoint().to_bytes());
            Checkpoint::new(KIND, 0, out).save(file)?;
        }
    }
    Ok((trainer.into_network(), seconds))
}

const KIND: &str = "deep autoencoder 1";

/// The seconds of updates so far, which a random start gets too, and the state of the trainer.
fn load(file: &Path) -> Result<(f64, Checkpoint), Box<dyn std::error::Error>> {
    let checkpoint = Checkpoint::load(file)?;
    let mut from = checkpoint.open(KIND, 0)?;
    let (seconds, bytes) = (from.read_f64()?, from.read_u8s()?);
    from.finish()?;
    if !(seconds >= 0.0 && seconds.is_finite()) {
        return Err(format!("{seconds} seconds of updates, expected a finite number >= 0").into());
    }
    Ok((seconds, Checkpoint::from_bytes(&bytes)?))
}
