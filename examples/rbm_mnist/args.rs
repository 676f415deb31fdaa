//! The command line.

use std::path::PathBuf;

use boltzmann::train::{Method, Schedule, TrainingParams};
use clap::Parser;
use workspace_examples::binary_images::Binarisation;

/// Trains a restricted Boltzmann machine on binary images and says how likely it makes images it has not seen.
#[derive(Debug, Parser)]
pub struct Args {
    /// Directory with the IDX files of MNIST; small digits made here without it.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// How grey pixels become bits.
    #[arg(long, value_enum, default_value = "static")]
    pub binarisation: Binarisation,
    /// Number of hidden units.
    #[arg(long, default_value_t = 500)]
    pub hidden: usize,
    /// cd:K, pcd, pcd:K, fast-pcd or parallel-tempering[:TEMPERATURES].
    #[arg(long, default_value = "pcd")]
    pub method: String,
    /// Passes through the data.
    #[arg(long, default_value_t = 10)]
    pub epochs: u64,
    /// Rows of a batch.
    #[arg(long, default_value_t = 128)]
    pub batch: usize,
    /// Persistent chains, at every temperature.
    #[arg(long, default_value_t = 128)]
    pub chains: usize,
    /// First learning rate; it falls linearly to 0.
    #[arg(long, default_value_t = 0.1)]
    pub learning_rate: f64,
    /// Momentum.
    #[arg(long, default_value_t = 0.0)]
    pub momentum: f64,
    /// L2 decay of the weights.
    #[arg(long, default_value_t = 0.0)]
    pub l2: f64,
    /// Plain instead of centred gradients.
    #[arg(long)]
    pub plain: bool,
    /// Standard deviation of the first weights.
    #[arg(long, default_value_t = 0.01)]
    pub initial: f64,
    /// Temperatures of annealed importance sampling.
    #[arg(long, default_value_t = 10_000)]
    pub ais_temperatures: usize,
    /// Chains of annealed importance sampling.
    #[arg(long, default_value_t = 100)]
    pub ais_chains: usize,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads, 0 for all; the numbers do not depend on it.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Writes a checkpoint to this file after every epoch.
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,
    /// Goes on from a checkpoint of a run with the same data and flags.
    #[arg(long)]
    pub resume: Option<PathBuf>,
    /// Writes the weights to this .safetensors file.
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// Writes filters and samples to this directory, as PNG.
    #[arg(long)]
    pub figures: Option<PathBuf>,
    /// One line of JSON an epoch, and one at the end.
    #[arg(long)]
    pub json: bool,
    /// A run of some seconds on small digits.
    #[arg(long)]
    pub quick: bool,
}

impl Args {
    /// The parameters of the training run.
    pub fn training(&self) -> Result<TrainingParams, String> {
        Ok(TrainingParams::default()
            .method(method(&self.method)?)
            .epochs(self.epochs)
            .batch(self.batch)
            .chains(self.chains)
            .learning_rate(self.learning_rate)
            .schedule(Schedule::Linear { end: 0.0 })
            .momentum(self.momentum)
            .decay(self.l2, 0.0)
            .centred(!self.plain)
            .seed(self.seed)
            .threads(self.threads))
    }
}

fn method(name: &str) -> Result<Method, String> {
    let unknown =
        || format!("method {name:?} is unknown, expected cd:K, pcd, pcd:K, fast-pcd or parallel-tempering[:N]");
    let (kind, number) = match name.split_once(':') {
        Some((kind, number)) => (kind, Some(number.parse::<usize>().map_err(|_| unknown())?)),
        None => (name, None),
    };
    match (kind, number) {
        ("cd", number) => Ok(Method::ContrastiveDivergence { sweeps: number.unwrap_or(1) }),
        ("pcd", number) => Ok(Method::Persistent { sweeps: number.unwrap_or(1) }),
        ("fast-pcd", None) => Ok(Method::FastPersistent { sweeps: 1, decay: 0.95, rate: 0.05 }),
        ("parallel-tempering", number) => {
            let n = number.unwrap_or(10).max(2);
            let betas = (0..n).map(|k| (0.1 + 0.9 * k as f64 / (n - 1) as f64).min(1.0)).collect();
            Ok(Method::ParallelTempering { betas, sweeps: 1 })
        }
        _ => Err(unknown()),
    }
}
