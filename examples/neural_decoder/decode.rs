//! `decode`: a model, and other decoders, on the same shots.

use std::fs::File;
use std::path::PathBuf;

use quantum_ec::io::{Layout, ShotFormat, ShotWriter};
use quantum_ec::neural::{CodeNoise, ModelHeader, NeuralModel, RefinedDecoder, RefinementParams, Subject};
use quantum_ec::noise::Noise;
use quantum_ec::{Shots, code};
use workspace_examples::json::Line;

use crate::likelihood::Likelihood;
use crate::outcomes::{Outcomes, decode, print};
use crate::setting::{Contest, Outcome, QubitNoise, Setting, read_model};
use crate::shots::{Drawn, Source, read};

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
    #[command(flatten)]
    contest: Contest,
    /// Syndromes of all checks, or detection events of a detector error model, b8.
    #[arg(long = "in", value_name = "FILE")]
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

/// What the first decoder says beside its outcomes.
struct Beside {
    steps: u64,
    /// Whether p lies outside of what the model was trained on.
    outside: bool,
    /// Samples a shot and the effective part of them.
    effort: Option<(f64, f64)>,
    likelihood: Option<Likelihood>,
}

fn report(outcomes: &[Outcomes], beside: &Beside, json: bool) {
    if !json {
        print(outcomes);
        if let Some((samples, part)) = beside.effort {
            println!("refined by {samples:.0} samples a shot, effective part {part:.3}");
        }
        if let Some(likelihood) = &beside.likelihood {
            likelihood.print();
        }
        return;
    }
    for (k, outcome) in outcomes.iter().enumerate() {
        let (rate, paired) = (outcome.rate(), outcomes[0].minus(outcome).filter(|_| k > 0));
        let mut line = Line::new()
            .text("decoder", &outcome.name)
            .count("shots", outcome.shots() as u64)
            .number("logical_error_rate", rate.map(|r| r.0))
            .number("std_error", rate.map(|r| r.1))
            .number("model_minus_this", paired.map(|p| p.difference))
            .number("model_minus_this_std_error", paired.map(|p| p.std_error))
            .number("microseconds_per_shot", Some(outcome.microseconds()));
        if k == 0 {
            line = line
                .count("steps", beside.steps)
                .flag("p_outside_training", beside.outside)
                .number("samples_per_shot", beside.effort.map(|e| e.0))
                .number("effective_part", beside.effort.map(|e| e.1));
            let of = |pick: fn(&Likelihood) -> Option<f64>| beside.likelihood.as_ref().and_then(pick);
            line = match &beside.likelihood {
                Some(l) => line.count("nll_shots", l.shots as u64),
                None => line.number("nll_shots", None),
            };
            line = line
                .number("nll_logical", of(|l| l.class))
                .number("nll_logical_floor", of(|l| l.class_floor))
                .number("nll_joint", of(|l| l.error))
                .number("nll_floor", of(|l| l.error_floor));
        }
        println!("{}", line.finish());
    }
}

/// The subject of a model file, and the independent noise and its p at which it decodes.
fn subject(setting: &Setting, header: &ModelHeader, file: &str) -> Outcome<(Subject, Option<(Noise, f64)>)> {
    let other = |found: String| format!("{file}: the model was trained for noise {}, expected {found}", header.noise);
    match setting.noise()? {
        None | Some(QubitNoise::Ising { .. }) => Ok((setting.subject()?, None)),
        Some(QubitNoise::Named { low, high, .. }) if low.total_cmp(&high).is_ne() => {
            Err("--noise: shots are drawn at one p".into())
        }
        Some(QubitNoise::Named { noise, low: p, .. }) => {
            // The noise of the file, which may be a range, on the code of the command line.
            let trained = QubitNoise::parse(&header.noise).map_err(|_| other(noise.to_string()))?;
            match trained {
                QubitNoise::Named { noise: found, .. } if found == noise => {}
                _ => return Err(other(noise.to_string()).into()),
            }
            noise.table(1, p)?;
            let code = code::parse(setting.code.as_deref().ok_or("--code is needed")?)?;
            let trained = trained.on(&code)?;
            Ok((Subject::of_code(code, trained)?, Some((noise, p))))
        }
    }
}

pub fn run(args: &Args) -> Outcome<()> {
    let name = args.model.display().to_string();
    let bytes = std::fs::read(&args.model).map_err(|error| format!("{name}: {error}"))?;
    let header = ModelHeader::read(&bytes[..]).map_err(|error| format!("{name}: {error}"))?;
    let (subject, noise) = subject(&args.setting, &header, &name)?;
    let p = noise.map(|(_, p)| p);
    let search = args.contest.search_or_best(subject.n_observables());
    let model = NeuralModel::read(subject, &bytes[..]).map_err(|error| format!("{name}: {error}"))?;
    let decoder = args.contest.decoder(model, search, p)?;
    let outside = decoder.outside_training();
    if outside {
        eprintln!("warning: p is outside of what the model was trained on, {}", header.noise);
    }
    let subject: &Subject = decoder.model().subject();
    let source = match (&args.setting.dem, subject.code(), subject.noise()) {
        (Some(path), ..) => Source::Model(read_model(path)?),
        (None, Some(code), Some(CodeNoise::Named { noise, .. })) => {
            Source::of_code(code.clone(), CodeNoise::fixed(*noise, p.unwrap_or(0.0)), p)?
        }
        (None, Some(code), Some(noise)) => Source::of_code(code.clone(), noise.clone(), None)?,
        _ => return Err("--code and --noise, or --dem, are needed".into()),
    };
    let drawn = match &args.input {
        Some(input) => Drawn {
            detectors: read(input, subject.n_detectors())?,
            observables: match &args.in_observables {
                Some(path) => Some(read(path, subject.n_observables())?),
                None => None,
            },
        },
        None => source.draw(args.shots, args.seed)?,
    };
    if let Some(observables) = drawn.observables.as_ref().filter(|o| o.n_shots() != drawn.detectors.n_shots()) {
        let (got, expected) = (observables.n_shots(), drawn.detectors.n_shots());
        return Err(format!("--in-observables: {got} shots, {expected} of detection events").into());
    }
    let mut outcomes = Vec::new();
    let mut beside = Beside { steps: header.steps, outside, effort: None, likelihood: None };
    match (args.contest.refine, noise) {
        (Some((samples, rounds)), Some((noise, p))) => {
            let params = RefinementParams::default().samples(samples, rounds);
            let mut refined = RefinedDecoder::new(decoder.clone(), noise, p, params)?;
            outcomes.push(decode(format!("neural refined {samples}x{rounds}"), &mut refined, &drawn)?);
            beside.effort = Some(refined.effort());
        }
        (Some(_), None) => return Err("--refine needs --code and independent --noise".into()),
        (None, _) => {
            let name = match decoder.n_symmetries() {
                1 => format!("neural {search}"),
                n => format!("neural {search}, {n} symmetries"),
            };
            outcomes.push(decode(name, &mut decoder.clone(), &drawn)?);
        }
    }
    if let Some(path) = &args.out {
        write(path, subject, &outcomes[0].predictions)?;
    }
    for &choice in &args.contest.compare {
        outcomes.push(decode(choice.to_string(), &mut *source.decoder(choice)?, &drawn)?);
    }
    if args.input.is_none() && args.shots > 0 {
        beside.likelihood = Some(Likelihood::measure(decoder.model(), &source, p, args.shots, args.seed)?);
    }
    report(&outcomes, &beside, args.json);
    Ok(())
}

fn write(path: &std::path::Path, subject: &Subject, predictions: &Shots) -> Outcome<()> {
    let name = path.display();
    let file = File::create(path).map_err(|error| format!("{name}: {error}"))?;
    let mut writer = ShotWriter::new(file, ShotFormat::B8, Layout::detectors(subject.n_observables()))?;
    writer.write(predictions.view())?;
    writer.finish()?;
    Ok(())
}
