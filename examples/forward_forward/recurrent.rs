//! The recurrent variant: section 4 of the paper, where labels are the top layer.

use std::time::Instant;

use boltzmann::forward_forward::{RecurrentForwardForward, RecurrentParams, RecurrentTrainer};
use boltzmann::train::Schedule;
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use workspace_examples::grey_images::GreyImages;

use crate::{Args, head, line, percent_wrong};

pub fn run(args: &Args, steps: usize, train: &GreyImages, test: &GreyImages) -> Result<(), Box<dyn std::error::Error>> {
    let params = RecurrentParams::default()
        .epochs(args.epochs)
        .batch(args.batch.min(train.len()))
        .learning_rate(args.learning_rate)
        .schedule(Schedule::Linear { end: 0.0 })
        .seed(args.seed);
    let mut rng = Streams::new(args.seed).stream(0);
    let start = RecurrentForwardForward::random(train.n_pixels(), 10, &args.layers, args.lateral, &mut rng)?;
    let start = start.with_steps(steps);
    let mut trainer = RecurrentTrainer::new(start, &train.pixels, &train.labels, params)?;
    if let Some(file) = &args.resume {
        trainer.restore(&Checkpoint::load(file)?)?;
    }
    head(args);
    let mut seconds = 0.0;
    while trainer.updates() < trainer.total_updates() {
        let clock = Instant::now();
        let loss = trainer.epoch()?;
        seconds += clock.elapsed().as_secs_f64();
        if let Some(file) = &args.checkpoint {
            trainer.checkpoint().save(file)?;
        }
        let epoch = trainer.updates() / trainer.updates_per_epoch();
        if epoch.is_multiple_of(args.every.max(1)) || trainer.updates() == trainer.total_updates() {
            let wrong = percent_wrong(&trainer.network().classify(&test.pixels), &test.labels);
            line(args, (epoch, seconds, loss), [None, Some(wrong)]);
        }
    }
    Ok(())
}
