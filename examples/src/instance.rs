//! Instances from files, with the flags that say how to read them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use clap::ValueEnum;
use spin_models::io::{self, Instance, read_instance};

/// Reads an instance; errors begin with the name.
pub fn read(
    source: impl BufRead,
    name: &str,
    format: Format,
    sign: Sign,
) -> Result<Instance, Box<dyn std::error::Error>> {
    read_instance(source, format.into(), sign.into()).map_err(|error| format!("{name}: {error}").into())
}

/// Reads an instance from a file; errors begin with its name.
pub fn read_file(path: &Path, format: Format, sign: Sign) -> Result<Instance, Box<dyn std::error::Error>> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    read(BufReader::new(file), &name, format, sign)
}

/// Formats by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `n m`, then `i j w` lines, sites from 1.
    EdgeList,
    /// bqpjson 1.0.
    Bqpjson,
    /// dimod's JSON.
    Dimod,
    /// The same lines as an edge list, as spin-glass servers write them.
    SpinGlass,
    /// Decided by the content.
    Auto,
}

impl From<Format> for io::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::EdgeList => Self::EdgeList,
            Format::Bqpjson => Self::Bqpjson,
            Format::Dimod => Self::Dimod,
            Format::SpinGlass => Self::SpinGlass,
            Format::Auto => Self::Auto,
        }
    }
}

/// Sign conventions by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sign {
    /// Numbers are J and h of E = -Σ J s s - Σ h s.
    Coupling,
    /// Numbers are edge weights of Max-Cut: J = -w.
    Maxcut,
    /// Numbers are biases that add: J = -b_ij, h = -b_i.
    Dimod,
}

impl From<Sign> for io::Sign {
    fn from(sign: Sign) -> Self {
        match sign {
            Sign::Coupling => Self::Coupling,
            Sign::Maxcut => Self::MaxCut,
            Sign::Dimod => Self::Dimod,
        }
    }
}
