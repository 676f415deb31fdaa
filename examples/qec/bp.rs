//! `bp`: posteriors of belief propagation on any check matrix.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use linalg_core::gf2::BinaryCsc;
use quantum_ec::decode::{BeliefPropagation, Decoder, PropagationChoice};
use quantum_ec::io::{Layout, MatrixFormat, ShotFormat, read_matrix};
use quantum_ec::{DecodingProblem, Prediction};
use workspace_examples::json::Line;

use crate::decode::{columns, header};
use crate::files::{self, Input, Outcome, named, open};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The check matrix: alist, Matrix Market or rows of 0 and 1, told apart by their content.
    #[arg(long, value_name = "FILE")]
    h: PathBuf,
    /// Probabilities of the columns, separated by blanks, commas or line ends; one number stands for all.
    #[arg(long, value_name = "FILE")]
    priors: PathBuf,
    /// Syndromes, a shot each.
    #[arg(long, value_name = "FILE")]
    syndromes: PathBuf,
    /// In which format.
    #[arg(long, value_name = "FORMAT", default_value = "01", value_parser = files::format)]
    format: ShotFormat,
    /// `bp` and its options, for example `bp,iterations=50,method=sum-product,schedule=layered`.
    #[arg(long, value_name = "NAME", default_value = "bp", value_parser = choice)]
    decoder: PropagationChoice,
    /// Does all iterations, also where a hard decision has the syndrome earlier.
    #[arg(long)]
    all_iterations: bool,
    /// Where ln(P(not e)/P(e)) goes, a line a shot, a column a mechanism.
    #[arg(long, value_name = "FILE")]
    llr_out: PathBuf,
    /// One JSON object with counts.
    #[arg(long)]
    json: bool,
}

fn choice(name: &str) -> Result<PropagationChoice, String> {
    name.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

fn read_priors(path: &Path, n: usize) -> Outcome<Vec<f64>> {
    let mut text = String::new();
    named(path, open(path)?.read_to_string(&mut text).map_err(Into::into))?;
    let words = text.lines().enumerate().flat_map(|(line, text)| {
        text.split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .map(move |word| (line, word))
    });
    let mut priors = Vec::new();
    for (line, word) in words {
        let place = || format!("{}: line {}: {word:?} is no number", path.display(), line + 1);
        priors.push(word.parse::<f64>().map_err(|_| place())?);
    }
    match priors[..] {
        [p] => Ok(vec![p; n]),
        _ if priors.len() == n => Ok(priors),
        _ => Err(format!("{}: {} probabilities for {n} columns", path.display(), priors.len()).into()),
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    let PropagationChoice::Bp(params) = args.decoder else {
        return Err(format!("--decoder: {} is not bp with options", args.decoder).into());
    };
    let h = named(&args.h, read_matrix(open(&args.h)?, MatrixFormat::Auto))?;
    let (m, n) = (h.n_rows(), h.n_cols());
    let priors = read_priors(&args.priors, n)?;
    let none = BinaryCsc::from_columns(0, vec![Vec::<usize>::new(); n])?;
    let problem = named(&args.priors, DecodingProblem::new(h, none, priors))?;
    let mut decoder = BeliefPropagation::new(&problem, params.early_stopping(!args.all_iterations))?;
    let shots = Input::open(&args.syndromes, args.format, Layout::detectors(m))?.read(usize::MAX)?;

    let path = &args.llr_out;
    let mut file = BufWriter::new(named(path, File::create(path).map_err(Into::into))?);
    let mut write = |line: String| named(path, writeln!(file, "{line}").map_err(Into::into));
    if let Some(header) = header("llr", n) {
        write(header)?;
    }
    let (mut prediction, mut posteriors) = (Prediction::new(0), Vec::new());
    let (mut converged, mut iterations) = (0, 0);
    for shot in 0..shots.n_shots() {
        decoder
            .decode_into(shots.row(shot), &mut prediction)
            .map_err(|error| format!("{}: shot {shot}: {error}", args.syndromes.display()))?;
        decoder.posteriors_into(&mut posteriors);
        write(columns(shot, &posteriors))?;
        converged += u64::from(decoder.report().converged);
        iterations += decoder.report().iterations as u64;
    }
    named(path, file.flush().map_err(Into::into))?;
    let total = shots.n_shots() as u64;
    if args.json {
        let line = Line::new().text("decoder", &args.decoder.to_string()).count("shots", total);
        println!("{}", line.count("converged", converged).count("iterations", iterations).finish());
    } else {
        println!("{converged} of {total} shots converged, {iterations} iterations");
    }
    Ok(())
}
