//! `m2d`: measured records to detection events.

use std::path::PathBuf;

use quantum_ec::circuit::RecordConverter;
use quantum_ec::io::{Layout, ShotFormat};

use crate::files::{self, Input, Outcome, Output, named, read_circuit};

/// Bytes of packed shots in memory at a time.
const MEMORY: usize = 1 << 26;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The circuit that was measured.
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    /// The records, a bit for each measurement.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    in_format: ShotFormat,
    /// Where detection events go.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    out_format: ShotFormat,
    /// Where flipped observables go.
    #[arg(long, value_name = "FILE")]
    observables_out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    observables_format: ShotFormat,
    /// Where heralds go: the records of heralded noise.
    #[arg(long, value_name = "FILE")]
    erasures_out: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    erasures_format: ShotFormat,
}

pub fn run(args: &Args) -> Outcome<()> {
    let outputs = [&args.out, &args.observables_out, &args.erasures_out].map(|path| path.as_deref());
    files::distinct(&args.input, &outputs)?;
    let circuit = read_circuit(&args.circuit)?;
    let converter = named(&args.circuit, RecordConverter::new(&circuit))?;
    let n = converter.n_records();
    let mut input = Input::open(&args.input, args.in_format, Layout::measurements(n))?;
    let layouts = [
        Layout::detectors(converter.n_detectors()),
        Layout::observables(converter.n_observables()),
        Layout::measurements(converter.n_heralds()),
    ];
    let formats = [args.out_format, args.observables_format, args.erasures_format];
    let mut files = Vec::new();
    for ((path, format), layout) in outputs.into_iter().zip(formats).zip(layouts) {
        files.push(path.map(|path| Output::create(path, format, layout)).transpose()?);
    }
    let row = (n + converter.n_detectors()).div_ceil(8).max(1);
    let chunk = (MEMORY / row).clamp(64, 1 << 16);
    loop {
        let records = input.read(chunk)?;
        if records.n_shots() == 0 {
            break;
        }
        let events = converter.convert(records.view());
        for (file, shots) in files.iter_mut().zip([&events.detectors, &events.observables, &events.heralds]) {
            if let Some(file) = file {
                file.write(shots)?;
            }
        }
    }
    for file in files.into_iter().flatten() {
        file.finish()?;
    }
    Ok(())
}
