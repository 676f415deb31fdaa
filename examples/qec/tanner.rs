//! `tanner`: short cycles of the graph of a check matrix.

use std::path::PathBuf;

use quantum_ec::code::{four_cycles, girth};
use quantum_ec::io::{MatrixFormat, read_matrix};
use workspace_examples::json::Line;

use crate::files::{Outcome, named, open, read_model};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The check matrix: alist, Matrix Market or rows of 0 and 1, told apart by their content.
    #[arg(long, value_name = "FILE", required_unless_present = "dem", conflicts_with = "dem")]
    h: Option<PathBuf>,
    /// Or the detectors and mechanisms of a detector error model.
    #[arg(long, value_name = "FILE")]
    dem: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome<()> {
    let checks = match (&args.h, &args.dem) {
        (Some(path), _) => named(path, read_matrix(open(path)?, MatrixFormat::Auto))?,
        (None, Some(path)) => named(path, read_model(path)?.to_problem())?.checks().clone(),
        (None, None) => return Err("--h or --dem is needed".into()),
    };
    let (girth, cycles) = (girth(&checks), four_cycles(&checks));
    let widest = |weights: Vec<usize>| weights.into_iter().max().unwrap_or(0) as u64;
    let (bit, check) = (widest(checks.column_weights()), widest(checks.row_weights()));
    let (m, n, ones) = (checks.n_rows() as u64, checks.n_cols() as u64, checks.n_ones() as u64);
    if args.json {
        let line = Line::new().count("checks", m).count("bits", n).count("edges", ones);
        let line = line.count("largest_check", check).count("largest_bit", bit);
        let line = line.number("girth", girth.map(|girth| girth as f64)).count("four_cycles", cycles);
        println!("{}", line.finish());
        return Ok(());
    }
    println!("checks          {m}, of at most {check} bits");
    println!("bits            {n}, in at most {bit} checks");
    println!("edges           {ones}");
    println!("girth           {}", girth.map_or("none: a forest".to_owned(), |girth| girth.to_string()));
    println!("cycles of 4     {cycles}");
    Ok(())
}
