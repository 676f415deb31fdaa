//! The command line.

use std::path::PathBuf;

use boltzmann::train::{DenseMethod, Method, Schedule, Stepper, TrainingParams};
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
    /// Kind of the visible units: bernoulli, spin, gaussian, potts:Q (so many grey levels), binomial:N. Other kinds than bernoulli
    /// in both layers are trained in f64 by the general trainer, which is slower.
    #[arg(long, default_value = "bernoulli")]
    pub visible: String,
    /// Kind of the hidden units: the same, or relu, double-relu.
    #[arg(long, default_value = "bernoulli")]
    pub hidden_units: String,
    /// cd:K, pcd, pcd:K, fast-pcd, parallel-tempering[:TEMPERATURES], trajectory-tempering, tap, tap:ORDER (1 is mean field), or exact,
    /// which is by the general trainer.
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
    /// First learning rate.
    #[arg(long, default_value_t = 0.1)]
    pub learning_rate: f64,
    /// How the learning rate falls: constant, linear (to 0), exponential (to a hundredth), cooldown (constant for half of the run, then
    /// linear to 0).
    #[arg(long, default_value = "linear")]
    pub schedule: String,
    /// Steps of Adam; a learning rate of 0.001 is a beginning.
    #[arg(long)]
    pub adam: bool,
    /// Stationary points of the method tap.
    #[arg(long, default_value_t = 4)]
    pub points: usize,
    /// Momentum.
    #[arg(long, default_value_t = 0.0)]
    pub momentum: f64,
    /// L2 decay of the weights.
    #[arg(long, default_value_t = 0.0)]
    pub l2: f64,
    /// Rate at which Gaussian visible units learn their precisions, over the learning rate.
    #[arg(long, default_value_t = 0.0)]
    pub precision_rate: f64,
    /// Plain instead of centred gradients.
    #[arg(long)]
    pub plain: bool,
    /// Standard deviation of the first weights.
    #[arg(long, default_value_t = 0.01)]
    pub initial: f64,
    /// Temperatures of annealed importance sampling; 10 000, with the general trainer 500.
    #[arg(long)]
    pub ais_temperatures: Option<usize>,
    /// Chains of annealed importance sampling; 100, with the general trainer 20.
    #[arg(long)]
    pub ais_chains: Option<usize>,
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
    /// Draws singular values of the weights, overlaps of hidden units and correlations of drawn images against the epochs; prints them.
    #[arg(long)]
    pub statistics: bool,
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
    /// Whether the fast trainer of 0/1 units does not do it.
    pub fn general(&self) -> bool {
        self.visible != "bernoulli" || self.hidden_units != "bernoulli" || self.method == "exact"
    }

    /// How the learning rate falls.
    pub fn schedule(&self) -> Result<Schedule, String> {
        match &self.schedule[..] {
            "constant" => Ok(Schedule::Constant),
            "linear" => Ok(Schedule::Linear { end: 0.0 }),
            "exponential" => Ok(Schedule::Exponential { end: 0.01 }),
            "cooldown" => Ok(Schedule::Cooldown { from: 0.5, end: 0.0 }),
            other => Err(format!("schedule {other:?} is unknown, expected constant, linear, exponential or cooldown")),
        }
    }

    /// How a gradient moves the parameters.
    pub fn stepper(&self) -> Stepper {
        if self.adam { Stepper::Adam } else { Stepper::Gradient }
    }

    /// The parameters of the training run.
    pub fn training(&self) -> Result<TrainingParams, String> {
        Ok(TrainingParams::default()
            .method(method(&self.method, self.points)?)
            .epochs(self.epochs)
            .batch(self.batch)
            .chains(self.chains)
            .learning_rate(self.learning_rate)
            .schedule(self.schedule()?)
            .stepper(self.stepper())
            .momentum(self.momentum)
            .decay(self.l2, 0.0)
            .centred(!self.plain)
            .seed(self.seed)
            .threads(self.threads))
    }
}

fn unknown(name: &str) -> String {
    format!(
        "method {name:?} is unknown here, expected cd:K, pcd, pcd:K, fast-pcd (0/1 units), parallel-tempering[:N], \
         trajectory-tempering, tap[:ORDER] or exact"
    )
}

fn split(name: &str) -> Result<(&str, Option<usize>), String> {
    match name.split_once(':') {
        Some((kind, number)) => Ok((kind, Some(number.parse().map_err(|_| unknown(name))?))),
        None => Ok((name, None)),
    }
}

fn temperatures(number: Option<usize>) -> Vec<f64> {
    let n = number.unwrap_or(10).max(2);
    (0..n).map(|k| (0.1 + 0.9 * k as f64 / (n - 1) as f64).min(1.0)).collect()
}

/// The method of the general trainer.
pub fn dense_method(name: &str) -> Result<DenseMethod, String> {
    match split(name)? {
        ("cd", number) => Ok(DenseMethod::ContrastiveDivergence { sweeps: number.unwrap_or(1) }),
        ("pcd", number) => Ok(DenseMethod::Persistent { sweeps: number.unwrap_or(1) }),
        ("parallel-tempering", number) => Ok(DenseMethod::ParallelTempering { betas: temperatures(number) }),
        ("trajectory-tempering", None) => Ok(DenseMethod::TrajectoryTempering { rate: 0.25 }),
        ("tap", order) => {
            let order = u8::try_from(order.unwrap_or(2)).map_err(|_| unknown(name))?;
            Ok(DenseMethod::MeanField { order, iterations: 20 })
        }
        ("exact", None) => Ok(DenseMethod::Exact),
        _ => Err(unknown(name)),
    }
}

fn method(name: &str, points: usize) -> Result<Method, String> {
    match split(name)? {
        ("cd", number) => Ok(Method::ContrastiveDivergence { sweeps: number.unwrap_or(1) }),
        ("pcd", number) => Ok(Method::Persistent { sweeps: number.unwrap_or(1) }),
        ("fast-pcd", None) => Ok(Method::FastPersistent { sweeps: 1, decay: 0.95, rate: 0.05 }),
        ("parallel-tempering", number) => Ok(Method::ParallelTempering { betas: temperatures(number), sweeps: 1 }),
        ("trajectory-tempering", None) => Ok(Method::TrajectoryTempering { rate: 0.25, sweeps: 1 }),
        ("tap", order) => {
            let order = u8::try_from(order.unwrap_or(2)).map_err(|_| unknown(name))?;
            Ok(Method::MeanField { order, iterations: 10, points })
        }
        _ => Err(unknown(name)),
    }
}
