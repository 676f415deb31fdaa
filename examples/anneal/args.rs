//! The flags.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use spin_models::mcmc::{self, AnnealingEngine, AnnealingParams, Dynamics};
use workspace_examples::instance::{Format, Sign};

/// Looks for ground states and maximum cuts by simulated annealing.
#[derive(Debug, Parser)]
#[command(name = "anneal", version)]
pub struct Args {
    /// The instance; a built-in Max-Cut graph if absent.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// File format.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// What the numbers of the file mean: couplings J (the default for a file), Max-Cut weights w = -J, or dimod biases
    /// -J and -h.
    #[arg(long, value_enum)]
    pub sign: Option<Sign>,
    /// Sweeps a read.
    #[arg(long, default_value_t = 1000)]
    pub sweeps: u64,
    /// Independent reads.
    #[arg(long, default_value_t = 100)]
    pub reads: u64,
    /// First and last inverse temperature; fitted to the instance if absent.
    #[arg(long, value_name = "A:B", value_parser = parse_range)]
    pub beta: Option<(f64, f64)>,
    /// Steps of the inverse temperature.
    #[arg(long, value_enum, default_value_t = Schedule::Geometric)]
    pub schedule: Schedule,
    /// How spins are updated.
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    pub engine: Engine,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// At most 100 sweeps and 20 reads.
    #[arg(long)]
    pub quick: bool,
    /// Adds the best configuration to the JSON, or prints it.
    #[arg(long)]
    pub spins: bool,
    /// Draws the histogram of the energies of the reads.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// The meaning of the numbers: the built-in instance is a graph.
    pub fn sign(&self) -> Sign {
        self.sign.unwrap_or(if self.file.is_some() { Sign::Coupling } else { Sign::Maxcut })
    }

    /// The parameters of the run.
    pub fn params(&self) -> AnnealingParams {
        let (sweeps, reads) =
            if self.quick { (self.sweeps.min(100), self.reads.min(20)) } else { (self.sweeps, self.reads) };
        let params = AnnealingParams::default()
            .with_sweeps(sweeps)
            .with_reads(reads)
            .with_threads(usize::from(self.threads))
            .with_schedule(match self.schedule {
                Schedule::Linear => mcmc::Schedule::Linear,
                Schedule::Geometric => mcmc::Schedule::Geometric,
            })
            .with_dynamics(if self.engine == Engine::HeatBath { Dynamics::HeatBath } else { Dynamics::Metropolis });
        match self.beta {
            Some((first, last)) => params.with_range(first, last),
            None => params,
        }
    }
}

/// `A:B`; what numbers are allowed is checked with the other parameters.
fn parse_range(text: &str) -> Result<(f64, f64), String> {
    let number = |part: &str| part.parse::<f64>().map_err(|error| format!("{part:?}: {error}"));
    match text.split_once(':') {
        Some((first, last)) => Ok((number(first)?, number(last)?)),
        None => Err("expected two numbers A:B".to_owned()),
    }
}

/// Schedules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// Equal steps of the inverse temperature.
    Linear,
    /// Equal ratios.
    Geometric,
}

/// Engines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The fastest that applies, Metropolis.
    Auto,
    /// One Metropolis chain a read.
    Metropolis,
    /// One heat-bath chain a read.
    HeatBath,
    /// A full matrix of couplings, Metropolis.
    Dense,
    /// A bit a read, Metropolis.
    Multispin,
}

impl From<Engine> for AnnealingEngine {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Auto => Self::Auto,
            Engine::Metropolis | Engine::HeatBath => Self::SingleSpin,
            Engine::Dense => Self::Dense,
            Engine::Multispin => Self::Multispin,
        }
    }
}
