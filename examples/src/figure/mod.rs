//! Figures as SVG, with the numbers behind them as CSV.

mod bars;
mod curves;
mod spins;

use std::io;
use std::path::PathBuf;

pub use bars::Histogram;
pub use curves::{Curves, Points};
pub use spins::draw_spins;

/// `target/figures/NAME.EXTENSION` of the workspace; creates the folder.
///
/// # Errors
/// When the folder cannot be created.
pub fn path(name: &str, extension: &str) -> io::Result<PathBuf> {
    let folder = PathBuf::from("target/figures");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{name}.{extension}")))
}
