//! `convert`: shots from one format to another.

use std::path::PathBuf;

use quantum_ec::io::{Layout, ShotFormat};

use crate::files::{self, Input, Outcome, Output};

/// Shots in memory at a time; a multiple of 64.
const CHUNK: usize = 1024;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("width").required(true).multiple(true).args(["bits", "detectors", "observables"]))]
pub struct Args {
    /// Shots to read.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Their format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    in_format: ShotFormat,
    /// Where to write them.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    out_format: ShotFormat,
    /// Bits of a row; measurements M0, M1, … in `dets`.
    #[arg(long, value_name = "N", conflicts_with_all = ["detectors", "observables"])]
    bits: Option<usize>,
    /// Detectors of a row.
    #[arg(long, value_name = "D", default_value_t = 0)]
    detectors: usize,
    /// Observables of a row, after the detectors.
    #[arg(long, value_name = "O", default_value_t = 0)]
    observables: usize,
}

pub fn run(args: &Args) -> Outcome<()> {
    let layout = match args.bits {
        Some(bits) => Layout::measurements(bits),
        None => Layout { detectors: args.detectors, observables: args.observables, ..Layout::default() },
    };
    let same = |a: &PathBuf, b: &PathBuf| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same(&args.input, &args.out) {
        return Err(format!("--out {} is the input, which would be lost", args.out.display()).into());
    }
    // Both widths and the input are checked before the output is touched.
    let mut input = Input::open(&args.input, args.in_format, layout)?;
    let mut chunk = input.read(CHUNK)?;
    let mut output = Output::create(&args.out, args.out_format, layout)?;
    while chunk.n_shots() > 0 {
        output.write(&chunk)?;
        chunk = input.read(CHUNK)?;
    }
    output.finish()?;
    Ok(())
}
