//! How well do layers that learn by themselves, without a pass backwards, tell digits apart?
//!
//! Trains a network by the forward-forward algorithm and counts the errors on test images, by goodness (a pass for each label) and by
//! the linear classifier on the activities. G. E. Hinton (arXiv:2212.13345) reports on MNIST 1.36 % with labels in the data after
//! 60 epochs, 0.64 % with shifted images after 500, and 1.37 % without labels. `--recurrent 8` trains layers that hear those above
//! them, eight steps in time.
//!
//! ```sh
//! cargo run --release --example forward_forward -- --data DIR --epochs 60
//! ```

mod recurrent;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use boltzmann::forward_forward::{ForwardForward, ForwardForwardParams, ForwardForwardTrainer, Negatives};
use boltzmann::train::Schedule;
use clap::{Parser, ValueEnum};
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use workspace_examples::exit;
use workspace_examples::grey_images::GreyImages;
use workspace_examples::json::Line;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NegativesArg {
    /// Other labels, all alike.
    WrongLabel,
    /// Other labels, as the network predicts them.
    PredictedLabel,
    /// Mixed images, no labels.
    Hybrid,
    /// Mixed images that climb the goodness, no labels.
    Generated,
}

/// Trains a network by the forward-forward algorithm.
#[derive(Debug, Parser)]
struct Args {
    /// Directory with the IDX files of MNIST; small digits made here without it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Sizes of the hidden layers.
    #[arg(long, value_delimiter = ',', default_value = "1000,1000,1000")]
    layers: Vec<usize>,
    /// Where negative data come from.
    #[arg(long, value_enum, default_value = "predicted-label", conflicts_with = "recurrent")]
    negatives: NegativesArg,
    /// Passes through the data.
    #[arg(long, default_value_t = 60)]
    epochs: u64,
    /// Rows of a batch.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// First learning rate; it falls linearly to 0.
    #[arg(long, default_value_t = 0.001)]
    learning_rate: f64,
    /// Decay of the weights.
    #[arg(long, default_value_t = 0.03, conflicts_with = "recurrent")]
    l2: f64,
    /// Largest shift of an image in pixels.
    #[arg(long, default_value_t = 0, conflicts_with = "recurrent")]
    jitter: usize,
    /// Epochs between two counts of errors on the test images.
    #[arg(long, default_value_t = 5)]
    every: u64,
    /// Layers that hear those above them, one step before, for so many steps; errors by goodness alone. One thread, negative data
    /// by other labels, images as they are, no decay of weights.
    #[arg(long)]
    recurrent: Option<usize>,
    /// Couplings within the layers as well, with `--recurrent`.
    #[arg(long, requires = "recurrent")]
    lateral: bool,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Writes a checkpoint to this file after every epoch.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Goes on from a checkpoint of a run with the same data and flags.
    #[arg(long)]
    resume: Option<PathBuf>,
    /// One line of JSON a count.
    #[arg(long)]
    json: bool,
    /// A run of some seconds on small digits.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}

/// The images with room for labels: MNIST has a dark border, small digits get ten pixels in front.
fn with_room(images: GreyImages, front: usize) -> GreyImages {
    if front == 0 {
        return images;
    }
    let mut pixels = Vec::with_capacity(images.len() * (images.n_pixels() + front));
    for image in images.pixels.chunks_exact(images.n_pixels()) {
        pixels.resize(pixels.len() + front, 0.0);
        pixels.extend_from_slice(image);
    }
    let size = (images.size.0, images.size.1 + front / images.size.0);
    GreyImages { pixels, labels: images.labels, size }
}

/// The part of labels that differ, in percent.
fn percent_wrong(found: &[usize], labels: &[usize]) -> f64 {
    100.0 * found.iter().zip(labels).filter(|(a, b)| a != b).count() as f64 / labels.len().max(1) as f64
}

fn run(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        (args.layers, args.epochs, args.batch) = (vec![300, 300], 20, 50);
        args.learning_rate = 0.003;
    }
    let (train, test) = match &args.data {
        Some(directory) => {
            (GreyImages::from_directory(directory, "train")?, GreyImages::from_directory(directory, "t10k")?)
        }
        None => {
            let n = if args.quick { 2000 } else { 20_000 };
            // Two lines of eight pixels.
            (with_room(GreyImages::digits(n, 0, 0), 16), with_room(GreyImages::digits(1000, 0, 1), 16))
        }
    };
    if let Some(steps) = args.recurrent {
        return recurrent::run(&args, steps, &train, &test);
    }
    let negatives = match args.negatives {
        NegativesArg::WrongLabel => Negatives::WrongLabel,
        NegativesArg::PredictedLabel => Negatives::PredictedLabel,
        NegativesArg::Hybrid => Negatives::Hybrid,
        NegativesArg::Generated => Negatives::Generated { steps: 3, size: 0.1 },
    };
    let params = ForwardForwardParams::default()
        .negatives(negatives)
        .epochs(args.epochs)
        .batch(args.batch.min(train.len()))
        .learning_rate(args.learning_rate)
        .schedule(Schedule::Linear { end: 0.0 })
        .l2(args.l2)
        .image(train.size.0, args.jitter)
        .seed(args.seed)
        .threads(args.threads);
    let start = ForwardForward::random(train.n_pixels(), 10, &args.layers, &mut Streams::new(args.seed).stream(0))?;
    let mut trainer = ForwardForwardTrainer::new(start, &train.pixels, &train.labels, params)?;
    if let Some(file) = &args.resume {
        trainer.restore(&Checkpoint::load(file)?)?;
    }
    head(&args);
    let mut seconds = 0.0;
    while trainer.updates() < trainer.total_updates() {
        let clock = Instant::now();
        let loss = trainer.epoch()?;
        seconds += clock.elapsed().as_secs_f64();
        if let Some(file) = &args.checkpoint {
            trainer.checkpoint().save(file)?;
        }
        let epoch = trainer.updates() / trainer.updates_per_epoch();
        if !epoch.is_multiple_of(args.every.max(1)) && trainer.updates() < trainer.total_updates() {
            continue;
        }
        let net = trainer.network();
        let by_classifier = percent_wrong(&net.classify(&test.pixels, args.threads), &test.labels);
        let by_goodness = negatives
            .supervised()
            .then(|| percent_wrong(&net.classify_by_goodness(&test.pixels, args.threads), &test.labels));
        line(&args, (epoch, seconds, loss), [Some(by_classifier), by_goodness]);
    }
    Ok(())
}

fn head(args: &Args) {
    if !args.json {
        println!("{:>6} {:>9} {:>10} {:>14} {:>16}", "epoch", "seconds", "loss", "classifier, %", "by goodness, %");
    }
}

/// Epoch, seconds, loss; errors by the classifier and by goodness.
fn line(args: &Args, (epoch, seconds, loss): (u64, f64, f64), [by_classifier, by_goodness]: [Option<f64>; 2]) {
    if args.json {
        let line = Line::new().count("epoch", epoch).number("seconds", Some(seconds)).number("loss", Some(loss));
        let line = line.number("error_percent_classifier", by_classifier);
        println!("{}", line.number("error_percent_goodness", by_goodness).finish());
    } else {
        let text = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.2}"));
        let (by_classifier, by_goodness) = (text(by_classifier), text(by_goodness));
        println!("{epoch:>6} {seconds:>9.1} {loss:>10.3} {by_classifier:>14} {by_goodness:>16}");
    }
}
