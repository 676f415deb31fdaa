//! The flags.

use std::path::PathBuf;

use clap::Parser;
use workspace_examples::instance::{Format, Sign};

/// Solves a spin-glass instance by every method that applies.
#[derive(Debug, Parser)]
#[command(name = "solve", version)]
pub struct Args {
    /// The instance; a built-in ±J lattice if absent.
    pub file: Option<PathBuf>,
    /// Inverse temperature.
    #[arg(long, default_value_t = 1.0, allow_hyphen_values = true)]
    pub beta: f64,
    /// Methods, separated by commas, or `auto` for all that apply; may be repeated.
    #[arg(long = "method", value_name = "NAME", default_value = "auto", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// File format.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// What the numbers of the file mean: couplings J, Max-Cut weights w = -J, or dimod biases -J and -h.
    #[arg(long, value_enum, default_value_t = Sign::Coupling)]
    pub sign: Sign,
    /// Adds the correlations of coupled pairs to the JSON, as `[i, j, value]` with sites from 0.
    #[arg(long)]
    pub correlations: bool,
    /// ln Z alone: no energy, magnetizations or correlations, which cost more with some methods.
    #[arg(long, conflicts_with = "correlations")]
    pub only_ln_z: bool,
    /// Less Monte Carlo and smaller limits: a few seconds at most.
    #[arg(long)]
    pub quick: bool,
    /// Bond dimension of `boundary-mps`.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub chi: u16,
    /// Most memory of the intermediate tensors of `tensor-network`, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub memory: u32,
    /// Adds what the contraction of `tensor-network` costs to the JSON; the order is searched once more for it.
    #[arg(long)]
    pub cost: bool,
    /// Seed of the Monte Carlo methods.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads of the Monte Carlo methods; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
    /// Where to draw; `target/figures/solve.svg` unless `--json` is given.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// One JSON object a method and line instead of the table.
    #[arg(long)]
    pub json: bool,
}
