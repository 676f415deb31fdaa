//! `decode`: a model, and other decoders, on the same shots.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

use linalg_core::Streams;
use linalg_core::stats::wilson_interval;
use quantum_ec::decode::{Decoder, DecoderChoice};
use quantum_ec::dem::Sampler;
use quantum_ec::io::{Layout, ShotFormat, ShotReader, ShotWriter};
use quantum_ec::neural::{
    CodeNoise, ModelHeader, NeuralDecoder, NeuralModel, RefinedDecoder, RefinementParams, Search, Subject,
};
use quantum_ec::noise::independent_paulis;
use quantum_ec::statmech::CosetModel;
use quantum_ec::{PauliTable, Shots, StabilizerCode};
use workspace_examples::json::Line;

use crate::setting::{Outcome, Setting, read_model};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    setting: Setting,
    /// Shots that are drawn.
    #[arg(long, default_value_t = 10_000, conflicts_with = "input")]
    shots: usize,
    /// Seed of the shots.
    #[arg(long, default_value_t = 1000)]
    seed: u64,
    /// How the class is chosen: `greedy`, `beam:WIDTH` or `exact`; exact for up to 12 observables, else greedy.
    #[arg(long, value_parser = search)]
    search: Option<Search>,
    /// Refines by importance sampling, at most so many rounds of so many samples a class.
    #[arg(long, value_name = "SAMPLESxROUNDS", value_parser = refine)]
    refine: Option<(usize, usize)>,
    /// Other decoders for the same shots, separated by commas: `matching`, `maximum-likelihood`, `bp-osd:0`, ..
    #[arg(long, value_delimiter = ',', value_parser = choice)]
    compare: Vec<DecoderChoice>,
    /// Detection events of a detector error model, b8.
    #[arg(long = "in", value_name = "FILE", requires = "dem")]
    input: Option<PathBuf>,
    /// What the observables did, b8.
    #[arg(long, value_name = "FILE", requires = "input")]
    in_observables: Option<PathBuf>,
    /// Where the predictions of the model go, b8.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A JSON object a decoder.
    #[arg(long)]
    json: bool,
}

fn search(text: &str) -> Result<Search, String> {
    text.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

fn choice(text: &str) -> Result<DecoderChoice, String> {
    text.parse().map_err(|error: quantum_ec::Error| error.to_string())
}

fn refine(text: &str) -> Result<(usize, usize), String> {
    let sizes = text.split_once('x').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    sizes.filter(|&(a, b)| a > 1 && b > 0).ok_or_else(|| "expected SAMPLESxROUNDS, at least 2x1".to_owned())
}

/// Syndromes with what the observables did.
pub struct Drawn {
    pub detectors: Shots,
    pub observables: Option<Shots>,
}

/// Shots of a code under independent noise: shot k draws from stream k.
pub fn draw(code: &StabilizerCode, table: &PauliTable, shots: usize, seed: u64) -> Drawn {
    let basis = quantum_ec::Decomposition::new(code);
    let mut detectors = Shots::zeros(shots, code.n_generators());
    let mut observables = Shots::zeros(shots, 2 * code.n_logical());
    for (k, error) in table.sample_shots(0..shots as u64, Streams::new(seed)).iter().enumerate() {
        detectors.row_mut(k).copy_from_slice(code.syndrome(error).words());
        observables.row_mut(k).copy_from_slice(basis.decompose(error).applied().words());
    }
    Drawn { detectors, observables: Some(observables) }
}

fn read(path: &Path, layout: Layout) -> Outcome<Shots> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    let mut reader = ShotReader::new(BufReader::new(file), ShotFormat::B8, layout)?;
    Ok(reader.read_chunk(usize::MAX).map_err(|error| format!("{name}: {error}"))?)
}

/// What a decoder did.
pub struct Outcomes {
    pub name: String,
    pub wrong: Option<Vec<bool>>,
    pub seconds: f64,
    pub predictions: Shots,
}

/// Decodes all shots.
pub fn decode(name: String, decoder: &mut dyn Decoder, drawn: &Drawn) -> Outcome<Outcomes> {
    let shots = drawn.detectors.n_shots();
    let mut predictions = Shots::zeros(shots, decoder.n_observables());
    let start = Instant::now();
    let report = decoder.decode_batch(drawn.detectors.view(), &mut predictions.view_mut())?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some((shot, error)) = report.failures.first() {
        return Err(format!("{name}: shot {shot}: {error}").into());
    }
    let wrong = drawn.observables.as_ref();
    let wrong = wrong.map(|all| (0..shots).map(|k| predictions.row(k) != all.row(k)).collect());
    Ok(Outcomes { name, wrong, seconds, predictions })
}

/// Another decoder of the same noise.
pub fn other(choice: DecoderChoice, code: &StabilizerCode, table: &PauliTable) -> quantum_ec::Result<Box<dyn Decoder>> {
    use DecoderChoice::{MaximumLikelihood, MaximumLikelihoodMarginals, MaximumLikelihoodSequential};
    Ok(match choice {
        MaximumLikelihood(_) | MaximumLikelihoodSequential | MaximumLikelihoodMarginals => {
            choice.build_of_coset(CosetModel::stabilizer(code, table.rows())?)?.decoder
        }
        _ => choice.build(&independent_paulis(code, table)?)?.decoder,
    })
}

fn report(outcomes: &[Outcomes], json: bool, effort: Option<(f64, f64)>, warning: bool, steps: u64) {
    let first = outcomes.first().and_then(|first| first.wrong.as_ref());
    for (k, outcome) in outcomes.iter().enumerate() {
        let n = outcome.predictions.n_shots();
        let errors = outcome.wrong.as_ref().map(|wrong| wrong.iter().filter(|w| **w).count());
        let rate = errors.map(|errors| errors as f64 / n.max(1) as f64);
        // Half of the interval of one standard error: not 0 where nothing failed.
        let half = |errors: usize| wilson_interval(errors as u64, n as u64, 1.0).map(|i| 0.5 * (i.high - i.low));
        let error = errors.and_then(|errors| half(errors).ok());
        // Paired: shots that one of the two alone decodes rightly.
        let paired = first.zip(outcome.wrong.as_ref()).map(|(a, b)| {
            let alone = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && !**b).count() as f64;
            let (lost, won) = (alone(a, b), alone(b, a));
            ((lost - won) / n.max(1) as f64, (lost + won).max(1.0).sqrt() / n.max(1) as f64)
        });
        let microseconds = 1e6 * outcome.seconds / n.max(1) as f64;
        if json {
            let line = Line::new()
                .text("decoder", &outcome.name)
                .count("shots", n as u64)
                .number("logical_error_rate", rate)
                .number("std_error", error)
                .number("model_minus_this", paired.map(|p| p.0))
                .number("model_minus_this_std_error", paired.map(|p| p.1))
                .number("microseconds_per_shot", Some(microseconds));
            let line = if k == 0 {
                line.count("steps", steps)
                    .flag("p_outside_training", warning)
                    .number("samples_per_shot", effort.map(|e| e.0))
                    .number("effective_part", effort.map(|e| e.1))
            } else {
                line
            };
            println!("{}", line.finish());
            continue;
        }
        print!("{:<28}", outcome.name);
        if let (Some(rate), Some(error)) = (rate, error) {
            print!(" {rate:.5} ± {error:.5}");
        }
        if let Some((difference, error)) = paired.filter(|_| k > 0) {
            print!(", model minus this {difference:+.5} ± {error:.5}");
        }
        println!(", {microseconds:.2} µs a shot");
        if let Some((samples, part)) = effort.filter(|_| k == 0) {
            println!("{:<28} {samples:.0} samples a shot, effective part {part:.3}", "");
        }
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    let name = args.model.display();
    let bytes = std::fs::read(&args.model).map_err(|error| format!("{name}: {error}"))?;
    let header = ModelHeader::read(&bytes[..]).map_err(|error| format!("{name}: {error}"))?;
    let noise = args.setting.noise()?;
    let trained = noise.is_some().then_some(header.noise.as_str());
    let subject = args.setting.subject(trained)?;
    let p = match noise {
        Some((noise, low, high)) => {
            if low < high {
                return Err("--noise: shots are drawn at one p".into());
            }
            let same = matches!(subject.noise(), Some(CodeNoise::Named { noise: trained, .. }) if *trained == noise);
            if !same {
                return Err(
                    format!("{name}: the model was trained for noise {}, expected {noise}", header.noise).into()
                );
            }
            Some(low)
        }
        None => None,
    };
    let search = args.search.unwrap_or(if subject.n_observables() <= 12 { Search::Exact } else { Search::Greedy });
    let model = NeuralModel::read(subject, &bytes[..]).map_err(|error| format!("{name}: {error}"))?;
    let steps = model.steps();
    let decoder = NeuralDecoder::new(model, search, p)?;
    let warning = decoder.outside_training();
    if warning {
        eprintln!("warning: p is outside of what the model was trained on, {}", header.noise);
    }
    let subject: &Subject = decoder.model().subject();
    let drawn = match (&args.input, &args.setting.dem, subject.code(), noise) {
        (Some(input), ..) => Drawn {
            detectors: read(input, Layout::detectors(subject.n_detectors()))?,
            observables: match &args.in_observables {
                Some(path) => Some(read(path, Layout::detectors(subject.n_observables()))?),
                None => None,
            },
        },
        (None, Some(path), ..) => {
            let samples = Sampler::of_model(&read_model(path)?)?.sample(args.shots, &Streams::new(args.seed));
            Drawn { detectors: samples.detectors, observables: Some(samples.observables) }
        }
        (None, None, Some(code), Some((noise, p, _))) => {
            draw(code, &noise.table(code.n_qubits(), p)?, args.shots, args.seed)
        }
        _ => return Err("--code and --noise, or --dem, are needed".into()),
    };
    if let Some(observables) = drawn.observables.as_ref().filter(|o| o.n_shots() != drawn.detectors.n_shots()) {
        let (got, expected) = (observables.n_shots(), drawn.detectors.n_shots());
        return Err(format!("--in-observables: {got} shots, {expected} of detection events").into());
    }
    let mut outcomes = Vec::new();
    let mut effort = None;
    match (args.refine, noise) {
        (Some((samples, rounds)), Some((noise, p, _))) => {
            let params = RefinementParams::default().samples(samples, rounds);
            let mut refined = RefinedDecoder::new(decoder.clone(), noise, p, params)?;
            outcomes.push(decode(format!("neural refined {samples}x{rounds}"), &mut refined, &drawn)?);
            effort = Some(refined.effort());
        }
        (Some(_), None) => return Err("--refine needs --code and --noise".into()),
        (None, _) => outcomes.push(decode(format!("neural {search}"), &mut decoder.clone(), &drawn)?),
    }
    if let Some(path) = &args.out {
        let name = path.display();
        let file = File::create(path).map_err(|error| format!("{name}: {error}"))?;
        let mut writer = ShotWriter::new(file, ShotFormat::B8, Layout::detectors(subject.n_observables()))?;
        writer.write(outcomes[0].predictions.view())?;
        writer.finish()?;
    }
    for &choice in &args.compare {
        let mut other = match (&args.setting.dem, subject.code(), noise) {
            (Some(path), ..) => choice.build_of_model(&read_model(path)?)?.decoder,
            (None, Some(code), Some((noise, p, _))) => other(choice, code, &noise.table(code.n_qubits(), p)?)?,
            _ => return Err("--compare needs --code and --noise, or --dem".into()),
        };
        outcomes.push(decode(choice.to_string(), &mut *other, &drawn)?);
    }
    report(&outcomes, args.json, effort, warning, steps);
    Ok(())
}

/// The table of a demonstration.
pub fn print(outcomes: &[Outcomes]) {
    report(outcomes, false, None, false, 0);
}
