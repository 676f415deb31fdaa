//! `erasures`: from heralds and leakage flags to the mechanisms that were erased.

use std::path::{Path, PathBuf};

use quantum_ec::Shots;
use quantum_ec::io::{Layout, ShotFormat};
use quantum_ec::sensitivity::{Decompose, Leakage, ModelParams};

use crate::files::{self, Input, Outcome, Output, create_text, named, read_circuit};

/// Bytes of packed shots in memory at a time.
const MEMORY: usize = 1 << 26;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The circuit with heralded noise.
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    /// Heralds, a bit for each record of heralded noise: what `sample --erasures-out` and `m2d --erasures-out` write.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    in_format: ShotFormat,
    /// Leakage flags, a bit for each record: its qubit was found leaked.
    #[arg(long, value_name = "FILE")]
    leakage_in: Option<PathBuf>,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    leakage_format: ShotFormat,
    /// Where the model of shots without flags goes, blocks unrolled: the --dem of `decode`.
    #[arg(long, value_name = "FILE")]
    dem_out: PathBuf,
    /// Where the erased mechanisms go, a bit a mechanism of that model: the --erasures-in of `decode`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    out_format: ShotFormat,
    /// Detection events, of which those are taken back that heralds cause by themselves; needed if there are any.
    #[arg(long, value_name = "FILE", requires = "events_out")]
    events_in: Option<PathBuf>,
    /// Where they go.
    #[arg(long, value_name = "FILE", requires = "events_in")]
    events_out: Option<PathBuf>,
    /// Observables, likewise.
    #[arg(long, value_name = "FILE", requires = "observables_out")]
    observables_in: Option<PathBuf>,
    /// Where they go.
    #[arg(long, value_name = "FILE", requires = "observables_in")]
    observables_out: Option<PathBuf>,
    /// Format of the files of events and observables.
    #[arg(long, value_name = "FORMAT", default_value = "b8", value_parser = files::format)]
    events_format: ShotFormat,
    /// Writes mechanisms as sums of pieces that flip at most two detectors, as matching needs them.
    #[arg(long)]
    decompose_errors: bool,
}

/// A file whose bits are flipped on the way to another one.
struct Flipped<'a> {
    input: Input<'a>,
    output: Output<'a>,
}

impl<'a> Flipped<'a> {
    fn open(
        paths: (&'a Option<PathBuf>, &'a Option<PathBuf>),
        format: ShotFormat,
        layout: Layout,
    ) -> Outcome<Option<Self>> {
        let (Some(input), Some(output)) = paths else { return Ok(None) };
        files::distinct(input, &[Some(output.as_path())])?;
        let (input, output) = (Input::open(input, format, layout)?, Output::create(output, format, layout)?);
        Ok(Some(Self { input, output }))
    }

    fn pass(&mut self, flips: &Shots, name: &str) -> Outcome<()> {
        let mut shots = self.input.read(flips.n_shots())?;
        expect_shots(&shots, flips.n_shots(), name)?;
        for shot in 0..shots.n_shots() {
            shots.row_mut(shot).iter_mut().zip(flips.row(shot)).for_each(|(word, flip)| *word ^= flip);
        }
        self.output.write(&shots)
    }

    fn finish(mut self, name: &str) -> Outcome<()> {
        expect_end(&mut self.input, name)?;
        self.output.finish().map(|_| ())
    }
}

fn expect_shots(shots: &Shots, expected: usize, name: &str) -> Outcome<()> {
    if shots.n_shots() == expected { Ok(()) } else { Err(format!("{name} has fewer shots than --in").into()) }
}

fn expect_end(input: &mut Input<'_>, name: &str) -> Outcome<()> {
    let rest = input.read(1)?.n_shots();
    if rest == 0 { Ok(()) } else { Err(format!("{name} has more shots than --in").into()) }
}

pub fn run(args: &Args) -> Outcome<()> {
    let outputs = [Some(args.out.as_path()), Some(args.dem_out.as_path())];
    for input in [Some(&args.input), Some(&args.circuit), args.leakage_in.as_ref()].into_iter().flatten() {
        let rest = [args.events_out.as_deref(), args.observables_out.as_deref()];
        files::distinct(input, &[outputs, rest].concat())?;
    }
    let circuit = read_circuit(&args.circuit)?;
    let params = ModelParams::default().with_decompose(if args.decompose_errors {
        Decompose::Graphlike
    } else {
        Decompose::Keep
    });
    let leakage = if args.leakage_in.is_some() { Leakage::Flagged } else { Leakage::Absent };
    let flagged = named(&args.circuit, circuit.flagged_model(&params, leakage))?;
    let model = flagged.model();
    create_text(&args.dem_out, model)?;
    if !flagged.approximated().is_empty() {
        let names: Vec<&str> = flagged.approximated().iter().map(|gate| gate.name()).collect();
        eprintln!("note: the cases of {} exclude each other and were taken for independent", names.join(", "));
    }
    let [n_detectors, n_observables, n_mechanisms] = [model.n_detectors(), model.n_observables(), model.n_errors()]
        .map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut heralds = Input::open(&args.input, args.in_format, Layout::measurements(flagged.n_heralds()))?;
    let leakage_layout = Layout::measurements(flagged.n_leakage());
    let mut leakage = (args.leakage_in.as_deref())
        .map(|path: &Path| Input::open(path, args.leakage_format, leakage_layout))
        .transpose()?;
    let mut out = Output::create(&args.out, args.out_format, Layout::measurements(n_mechanisms))?;
    let format = args.events_format;
    let mut events = Flipped::open((&args.events_in, &args.events_out), format, Layout::detectors(n_detectors))?;
    let paths = (&args.observables_in, &args.observables_out);
    let mut observables = Flipped::open(paths, format, Layout::observables(n_observables))?;
    let row = (n_mechanisms + n_detectors + flagged.n_heralds() + flagged.n_leakage()).div_ceil(8).max(1);
    let chunk = (MEMORY / row).clamp(64, 1 << 16) / 64 * 64;
    let mut shots = 0;
    loop {
        let rows = heralds.read(chunk)?;
        if rows.n_shots() == 0 {
            break;
        }
        let leaked = match &mut leakage {
            Some(input) => {
                let table = input.read(rows.n_shots())?;
                expect_shots(&table, rows.n_shots(), "--leakage-in")?;
                Some(table)
            }
            None => None,
        };
        let known = flagged.convert(rows.view(), leaked.as_ref().map(Shots::view));
        let known = known.map_err(|error| format!("flags of the shots from {shots} on: {error}"))?;
        out.write(&known.erased)?;
        for (file, flips, flag, what) in [
            (&mut events, &known.detectors, "--events-in", "detectors"),
            (&mut observables, &known.observables, "--observables-in", "observables"),
        ] {
            let any = (0..flips.n_shots()).find(|&shot| flips.row(shot).iter().any(|word| *word != 0));
            match (file, any) {
                (Some(file), _) => file.pass(flips, flag)?,
                (None, Some(shot)) => {
                    let shot = shots + shot;
                    return Err(format!("{flag} is needed: a herald of shot {shot} flips {what} by itself").into());
                }
                (None, None) => {}
            }
        }
        shots += rows.n_shots();
    }
    if let Some(input) = &mut leakage {
        expect_end(input, "--leakage-in")?;
    }
    out.finish()?;
    for (file, flag) in [(events, "--events-in"), (observables, "--observables-in")] {
        file.map(|file| file.finish(flag)).transpose()?;
    }
    Ok(())
}
