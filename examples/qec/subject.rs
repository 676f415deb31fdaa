//! The code that a subcommand is about.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use linalg_core::gf2::BinaryCsc;
use quantum_ec::code::{self, CssCode, StabilizerCode};
use quantum_ec::io::{MatrixFormat, read_matrix};

/// A code by name or by its check matrices.
#[derive(Debug, clap::Args)]
pub struct Subject {
    /// A code by name: `rotated-surface:5`, `bb:144,12,12`, `steane`, ..; a wrong name lists them all.
    #[arg(long, value_name = "NAME[:PARAMS]", required_unless_present_any = ["hx", "hz"], conflicts_with_all = ["hx", "hz"])]
    pub code: Option<String>,
    /// The X checks: alist, Matrix Market or rows of 0 and 1, told apart by their content; none if absent.
    #[arg(long, value_name = "FILE")]
    pub hx: Option<PathBuf>,
    /// The Z checks, likewise.
    #[arg(long, value_name = "FILE")]
    pub hz: Option<PathBuf>,
}

impl Subject {
    /// The code.
    pub fn read(&self) -> Result<StabilizerCode, Box<dyn Error>> {
        if let Some(name) = &self.code {
            return Ok(code::parse(name)?);
        }
        let matrix = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
        let (hx, hz) = (matrix(&self.hx)?, matrix(&self.hz)?);
        let n = hx.as_ref().or(hz.as_ref()).map_or(0, BinaryCsc::n_cols);
        let empty = || BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); n]);
        let (hx, hz) = (hx.map_or_else(empty, Ok)?, hz.map_or_else(empty, Ok)?);
        Ok(CssCode::from_sparse(&hx, &hz)?.into_stabilizer())
    }
}

fn read(path: &Path) -> Result<BinaryCsc, Box<dyn Error>> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    read_matrix(BufReader::new(file), MatrixFormat::Auto).map_err(|error| format!("{name}: {error}").into())
}
