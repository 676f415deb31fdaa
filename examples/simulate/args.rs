//! The flags.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use workspace_examples::instance::{Format, Sign};

/// Simulates a spin model at one or many temperatures.
#[derive(Debug, Parser)]
#[command(name = "simulate", version)]
pub struct Args {
    /// `KIND:L` or `KIND:L:open` with KIND chain, square, triangular, honeycomb, cubic or hypercubic (four dimensions);
    /// periodic unless open. `square:64` if there is no file either.
    #[arg(long, value_name = "KIND:L[:open]", conflicts_with = "file")]
    pub lattice: Option<LatticeName>,
    /// An instance instead of a lattice.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// File format.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// What the numbers of the file mean: couplings J, Max-Cut weights w = -J, or dimod biases -J and -h.
    #[arg(long, value_enum, default_value_t = Sign::Coupling)]
    pub sign: Sign,
    /// Couplings of the lattice: `none` for J = 1, `pm:p` for -1 with probability p, otherwise +1, or `gaussian`.
    #[arg(long, default_value = "none")]
    pub disorder: DisorderName,
    /// Seed of the couplings; that of the simulation if absent.
    #[arg(long, value_name = "SEED")]
    pub disorder_seed: Option<u64>,
    /// Inverse temperature `B`, or `A:B:N` for N of them in equal steps.
    #[arg(long, default_value = "0.44", allow_hyphen_values = true)]
    pub beta: Betas,
    /// The engine. `auto`: parallel tempering for disordered instances at several temperatures, otherwise what suits the
    /// model at each of them.
    #[arg(long, value_enum, default_value_t = EngineName::Auto)]
    pub engine: EngineName,
    /// Houdayer's cluster moves in parallel tempering.
    #[arg(long)]
    pub houdayer: bool,
    /// Measured sweeps. A sweep is N attempted flips, one cluster for wolff and niedermayer, one decomposition for
    /// swendsen-wang. For population annealing sweeps at each temperature, 10 if absent.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub sweeps: Option<u64>,
    /// Sweeps before the first measurement; a tenth of the measured ones if absent. Not for population-annealing and
    /// wang-landau, nor the two intervals.
    #[arg(long)]
    pub burn_in: Option<u64>,
    /// Sweeps from one measurement to the next, 1 if absent; at most the measured ones.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub interval: Option<u64>,
    /// Measurements from one measurement of overlaps to the next, 10 if absent; they cost more than a sweep.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub overlap_interval: Option<u64>,
    /// Replicas of population annealing.
    #[arg(long)]
    pub population: Option<usize>,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads; the numbers do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
    /// Where the state is kept: written every 30 s, on interruption and at the end; only at the end for wang-landau.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Goes on from the state in the checkpoint, if there is one, up to `--sweeps` in all; of wang-landau the measurement is
    /// evaluated again, without more sweeps.
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
    /// A small lattice and few sweeps.
    #[arg(long)]
    pub quick: bool,
    /// Where to draw the averages over the temperatures.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// One JSON object a temperature and line instead of the table.
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// Measured sweeps.
    pub fn sweeps(&self) -> u64 {
        self.sweeps.unwrap_or(if self.quick { 2000 } else { 20_000 })
    }

    /// Sweeps from one measurement to the next.
    pub fn interval(&self) -> u64 {
        self.interval.unwrap_or(1)
    }

    /// Measurements from one measurement of overlaps to the next.
    pub fn overlap_interval(&self) -> u64 {
        self.overlap_interval.unwrap_or(10)
    }

    /// Refuses flags that the engine would not look at, and an interval in which nothing is measured.
    pub fn check(&self, engine: EngineName) -> Result<(), String> {
        let name = engine.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let population = engine == EngineName::PopulationAnnealing;
        if population || engine == EngineName::WangLandau {
            let given = [
                ("--burn-in", self.burn_in.is_some()),
                ("--interval", self.interval.is_some()),
                ("--overlap-interval", self.overlap_interval.is_some()),
            ];
            if let Some((flag, _)) = given.iter().find(|(_, given)| *given) {
                return Err(format!("{flag} does not apply to --engine {name}, which measures in its own order"));
            }
        } else if self.interval() > self.sweeps() {
            return Err(format!("--interval is {}, expected at most the {} sweeps", self.interval(), self.sweeps()));
        }
        if self.population.is_some() && !population {
            return Err(format!("--population does not apply to --engine {name}, only to population-annealing"));
        }
        Ok(())
    }

    /// Replicas of population annealing.
    pub fn population(&self) -> usize {
        self.population.unwrap_or(if self.quick { 200 } else { 1000 })
    }

    /// Sweeps before the first measurement.
    pub fn burn_in(&self) -> u64 {
        self.burn_in.unwrap_or(self.sweeps().div_ceil(10))
    }
}

/// Engines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    Auto,
    Metropolis,
    HeatBath,
    Multispin,
    Vector,
    Wolff,
    SwendsenWang,
    Niedermayer,
    ParallelTempering,
    PopulationAnnealing,
    WangLandau,
}

/// What a lattice looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Chain,
    Square,
    Triangular,
    Honeycomb,
    Cubic,
    Hypercubic,
}

/// `KIND:L[:open]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatticeName {
    pub kind: Kind,
    pub length: usize,
    pub open: bool,
}

impl FromStr for LatticeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let (kind, length, open) = match parts[..] {
            [kind, length] => (kind, length, false),
            [kind, length, "open"] => (kind, length, true),
            _ => return Err("expected KIND:L or KIND:L:open".to_owned()),
        };
        let kind = Kind::from_str(kind, false).map_err(|_| {
            let names: Vec<String> = Kind::value_variants()
                .iter()
                .filter_map(|k| Some(k.to_possible_value()?.get_name().to_owned()))
                .collect();
            format!("unknown lattice `{kind}`, expected one of {}", names.join(", "))
        })?;
        let length = length.parse().map_err(|_| format!("length `{length}` is not a whole number"))?;
        Ok(Self { kind, length, open })
    }
}

/// `none`, `pm:p` or `gaussian`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DisorderName {
    None,
    PlusMinus(f64),
    Gaussian,
}

impl FromStr for DisorderName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "gaussian" => Ok(Self::Gaussian),
            "pm" => Ok(Self::PlusMinus(0.5)),
            _ => match text.strip_prefix("pm:").map(str::parse) {
                Some(Ok(p)) if (0.0..=1.0).contains(&p) => Ok(Self::PlusMinus(p)),
                Some(_) => Err("expected pm:p with p from 0 to 1".to_owned()),
                None => Err("expected none, pm:p or gaussian".to_owned()),
            },
        }
    }
}

/// `B` or `A:B:N`.
#[derive(Debug, Clone, PartialEq)]
pub struct Betas(pub Vec<f64>);

impl FromStr for Betas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| match text.parse::<f64>() {
            Ok(beta) if beta.is_finite() && beta >= 0.0 => Ok(beta),
            Ok(beta) => Err(format!("beta is {beta}, expected a finite number >= 0")),
            Err(_) => Err(format!("`{text}` is not a number")),
        };
        match text.split(':').collect::<Vec<_>>()[..] {
            [beta] => Ok(Self(vec![number(beta)?])),
            [first, last, n] => {
                let (first, last) = (number(first)?, number(last)?);
                let n: usize = n.parse().map_err(|_| format!("`{n}` is not a whole number"))?;
                match n {
                    0 => Err("the ladder is empty: N is 0".to_owned()),
                    1 if (last - first).abs() == 0.0 => Ok(Self(vec![first])),
                    _ if n == 1 || first >= last => {
                        Err(format!("{n} temperatures from {first} to {last} do not ascend"))
                    }
                    100_000.. => Err(format!("{n} temperatures, at most 99999")),
                    _ => {
                        let beta = |k| (first * (n - 1 - k) as f64 + last * k as f64) / (n - 1) as f64;
                        Ok(Self((0..n).map(beta).collect()))
                    }
                }
            }
            _ => Err("expected B or A:B:N".to_owned()),
        }
    }
}
