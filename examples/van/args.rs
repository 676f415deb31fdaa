//! The flags.

use std::path::PathBuf;

use clap::{ArgGroup, Parser, ValueEnum};
use variational::autoregressive::{Activation, MadeParams, PixelCnnParams, TransformerParams, TwoBodyParams};
use variational::van::{NaturalParams, TrainerParams};
use workspace_examples::instance::{Format, Sign};

/// Trains a variational autoregressive network to a spin model.
#[derive(Debug, Parser)]
#[command(name = "van", version)]
#[command(group(ArgGroup::new("model").args(["lattice", "sk", "file"])))]
pub struct Args {
    /// Periodic L x L ferromagnet.
    #[arg(long, value_name = "L", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub lattice: Option<u16>,
    /// Sherrington-Kirkpatrick model of N spins, drawn from the seed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=2000))]
    pub sk: Option<u16>,
    /// An instance file.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// File format.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// What the numbers of the file mean: couplings J, Max-Cut weights w = -J, or dimod biases -J and -h.
    #[arg(long, value_enum, default_value_t = Sign::Coupling)]
    pub sign: Sign,
    /// Inverse temperatures, ascending and comma-separated: trained one after the other, each reported.
    #[arg(long, value_delimiter = ',', default_value = "0.44", allow_hyphen_values = true)]
    pub beta: Vec<f64>,
    /// The network: `made:DEPTH:WIDTH` (with `:odd` for tanh without biases, `:residual` for skipped layers),
    /// `pixelcnn:DEPTH:CHANNELS:KERNEL` (with `:odd`, on lattices), `transformer:DIM:LAYERS` (with `:heads=H`, 2 where they
    /// divide DIM, `:bit` for a single-bit output), `two-body`, or `replica:K` for K steps of replica-symmetry breaking.
    #[arg(long, default_value = "made:3:4")]
    pub network: String,
    /// Samples a step.
    #[arg(long, default_value_t = 1000)]
    pub batch: usize,
    /// Training time in seconds, start-up excluded.
    #[arg(long, conflicts_with = "steps")]
    pub seconds: Option<f64>,
    /// Training steps at the first inverse temperature; half as many at each of the others.
    #[arg(long, default_value_t = 1000)]
    pub steps: u64,
    /// How gradients become steps.
    #[arg(long, value_enum, default_value_t = Method::Adam)]
    pub optimizer: Method,
    /// Learning rate; 0.001 for Adam, 0.1 for natural gradients.
    #[arg(long)]
    pub lr: Option<f64>,
    /// What natural gradients add to the diagonal of the Fisher matrix.
    #[arg(long, default_value_t = 1e-3)]
    pub damping: f64,
    /// Lowers the learning rate to 0 along half a cosine over the run at each inverse temperature.
    #[arg(long)]
    pub cosine: bool,
    /// Rate r of the annealing beta (1 - r^(t+1)) at the first inverse temperature; 0.998, or 0 for `two-body` and `replica`,
    /// which begin close to the end.
    #[arg(long)]
    pub anneal: Option<f64>,
    /// Samples of the importance sampling after training.
    #[arg(long, default_value_t = 100_000)]
    pub samples: usize,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
    /// Seed of the model, the weights and the samples.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Does without the symmetrisation that models without fields get.
    #[arg(long)]
    pub plain: bool,
    /// Symmetries of a lattice over which the network is averaged: a pass for each.
    #[arg(long, value_enum, default_value_t = Symmetries::None)]
    pub symmetries: Symmetries,
    /// Computes in 64-bit numbers.
    #[arg(long)]
    pub double: bool,
    /// Saves the training here, at the end and every 100 steps.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Goes on from the checkpoint, if it is there. Of several inverse temperatures those that it has passed are left out: their
    /// networks are gone.
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
    /// A small run of a few seconds.
    #[arg(long)]
    pub quick: bool,
    /// Where to draw; `target/figures/van.svg` unless `--json` is given.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// JSON lines: one for every inverse temperature.
    #[arg(long)]
    pub json: bool,
}

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Adam.
    Adam,
    /// Natural gradients, solved in the space of samples.
    Natural,
}

/// Symmetries of the square lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Symmetries {
    /// None.
    None,
    /// L² translations.
    Translations,
    /// 4 quarter turns.
    Rotations,
    /// 4 reflections.
    Reflections,
    /// 8 quarter turns and reflections.
    Square,
    /// All 8 L².
    All,
}

/// A network by name.
#[derive(Debug, Clone, Copy)]
pub enum Network {
    /// Masked dense layers.
    Made(MadeParams),
    /// Masked convolutions.
    PixelCnn(PixelCnnParams),
    /// A causal transformer.
    Transformer(TransformerParams),
    /// Conditionals with the couplings built in.
    TwoBody(TwoBodyParams),
}

impl Args {
    /// The rate of annealing.
    pub fn rate(&self) -> f64 {
        let close = self.network.starts_with("two-body") || self.network.starts_with("replica");
        self.anneal.unwrap_or(if close { 0.0 } else { 0.998 })
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        self.lr.unwrap_or(match self.optimizer {
            Method::Adam => 1e-3,
            Method::Natural => 0.1,
        })
    }

    /// The training asked for.
    pub fn trainer(&self) -> TrainerParams {
        let params = TrainerParams::default().batch(self.batch).seed(self.seed).threads(usize::from(self.threads));
        let params = match self.optimizer {
            Method::Adam => params,
            Method::Natural => params.natural(NaturalParams::default().damping(self.damping)),
        };
        params.learning_rate(self.learning_rate())
    }

    /// The network asked for.
    pub fn network(&self) -> Result<Network, String> {
        let wrong = || {
            let expected = "made:DEPTH:WIDTH[:odd][:residual], pixelcnn:DEPTH:CHANNELS:KERNEL[:odd], \
                            transformer:DIM:LAYERS[:heads=H][:bit], two-body or replica:K";
            format!("network is {:?}, expected {expected}", self.network)
        };
        let two_body = |terms| Ok(Network::TwoBody(TwoBodyParams::default().terms(terms).seed(self.seed)));
        let parts: Vec<&str> = self.network.split(':').collect();
        let number = |k: usize| parts.get(k).and_then(|part| part.parse::<usize>().ok()).ok_or_else(wrong);
        match parts[..] {
            ["two-body"] => two_body(1),
            ["replica", _] => two_body(number(1)?.saturating_add(1)),
            ["made", _, _, ref options @ ..] => {
                let mut params = MadeParams::default().layers(number(1)?, number(2)?).seed(self.seed);
                for option in options {
                    params = match *option {
                        "odd" => params.activation(Activation::Tanh).bias(false),
                        "residual" => params.residual(true),
                        _ => return Err(wrong()),
                    };
                }
                Ok(Network::Made(params))
            }
            ["pixelcnn", _, _, _, ref options @ ..] => {
                let params = PixelCnnParams::default().layers(number(1)?, number(2)?, number(3)?).seed(self.seed);
                match options {
                    [] => Ok(Network::PixelCnn(params)),
                    ["odd"] => Ok(Network::PixelCnn(params.activation(Activation::Tanh).bias(false))),
                    _ => Err(wrong()),
                }
            }
            ["transformer", _, _, ref options @ ..] => {
                let dim = number(1)?;
                let mut params = TransformerParams::default().size(dim, number(2)?).seed(self.seed);
                params = params.heads(if dim.is_multiple_of(2) { 2 } else { 1 });
                for option in options {
                    params = match (*option, option.strip_prefix("heads=").map(str::parse)) {
                        (_, Some(Ok(heads))) => params.heads(heads),
                        ("bit", _) => params.tied(false),
                        _ => return Err(wrong()),
                    };
                }
                Ok(Network::Transformer(params))
            }
            _ => Err(wrong()),
        }
    }
}
