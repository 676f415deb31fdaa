//! `sweep`: logical error rates of models and other decoders against p, as a figure.

use std::path::PathBuf;
use std::sync::Arc;

use quantum_ec::code;
use quantum_ec::neural::{ModelHeader, NeuralModel, RefinedDecoder, RefinementParams, Subject};
use workspace_examples::figure::{Curves, Points};
use workspace_examples::json::Line;

use crate::outcomes::{Outcomes, decode};
use crate::setting::{Contest, Outcome, QubitNoise, check_writable};
use crate::shots::Source;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model files, separated by commas: one a code, trained for independent noise.
    #[arg(long, value_name = "FILE", value_delimiter = ',', required = true)]
    model: Vec<PathBuf>,
    /// Values of p, evenly from the first to the last; a model that was trained on a range is told each.
    #[arg(long, value_name = "FIRST:LAST:NUMBER", value_parser = values)]
    p: Values,
    /// Shots for every p and model.
    #[arg(long, default_value_t = 10_000)]
    shots: usize,
    /// Seed of the shots; value k of p has the seed of this number plus k.
    #[arg(long, default_value_t = 1000)]
    seed: u64,
    #[command(flatten)]
    contest: Contest,
    /// The figure.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// A JSON object for every model, p and decoder.
    #[arg(long)]
    json: bool,
}

/// Values of p.
#[derive(Debug, Clone)]
struct Values(Vec<f64>);

fn values(text: &str) -> Result<Values, String> {
    let wrong = || "expected FIRST:LAST:NUMBER with 0 <= FIRST <= LAST <= 1 and a number of 1 to 1000".to_owned();
    let fields: Vec<&str> = text.split(':').collect();
    let [first, last, number] = fields[..] else { return Err(wrong()) };
    let (Ok(first), Ok(last), Ok(number)) = (first.parse::<f64>(), last.parse::<f64>(), number.parse::<usize>()) else {
        return Err(wrong());
    };
    let ordered = 0.0 <= first && first <= last && last <= 1.0;
    if !ordered || !(1..=1000).contains(&number) {
        return Err(wrong());
    }
    let step = if number > 1 { (last - first) / (number - 1) as f64 } else { 0.0 };
    // Rounding must not carry the last value beyond the range a model was trained on.
    Ok(Values((0..number).map(|k| (first + step * k as f64).min(last)).collect()))
}

/// A model with what its file says.
struct Trained {
    model: Arc<NeuralModel>,
    noise: QubitNoise,
    name: String,
}

fn read(path: &std::path::Path) -> Outcome<Trained> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    let header = ModelHeader::read(&bytes[..]).map_err(|error| format!("{name}: {error}"))?;
    let noise = QubitNoise::parse(&header.noise).ok().filter(|noise| matches!(noise, QubitNoise::Named { .. }));
    let Some(noise) = noise else {
        return Err(format!("{name}: a sweep over p needs independent noise, found {}", header.noise).into());
    };
    let code = code::parse(&header.name).map_err(|error| format!("{name}: {error}"))?;
    let of_code = noise.on(&code).and_then(|noise| Subject::of_code(code, noise));
    let model = of_code.and_then(|subject| NeuralModel::read(subject, &bytes[..]));
    let model = model.map_err(|error| format!("{name}: {error}"))?;
    Ok(Trained { model: Arc::new(model), noise, name: header.name })
}

/// All decoders on the shots of one p; the first is the network.
fn at(args: &Args, trained: &Trained, p: f64, seed: u64) -> Outcome<(Vec<Outcomes>, bool)> {
    let QubitNoise::Named { noise, .. } = trained.noise else { return Err("the noise is not independent".into()) };
    let subject = trained.model.subject();
    let search = args.contest.search_or_best(subject.n_observables());
    let mut neural = args.contest.decoder(Arc::clone(&trained.model), search, Some(p))?;
    let code = subject.code().ok_or("the model has no code")?.clone();
    let source = Source::of_code(code, quantum_ec::neural::CodeNoise::fixed(noise, p), Some(p))?;
    let drawn = source.draw(args.shots, seed)?;
    let mut outcomes = vec![decode("network".to_owned(), &mut neural, &drawn)?];
    if let Some((samples, rounds)) = args.contest.refine.filter(|_| trained.model.params().joint) {
        let params = RefinementParams::default().samples(samples, rounds);
        let mut refined = RefinedDecoder::new(neural.another(), noise, p, params)?;
        outcomes.push(decode("refined".to_owned(), &mut refined, &drawn)?);
    }
    for &choice in &args.contest.compare {
        outcomes.push(decode(choice.to_string(), &mut *source.decoder(choice)?, &drawn)?);
    }
    Ok((outcomes, neural.outside_training()))
}

pub fn run(args: &Args) -> Outcome<()> {
    if args.shots == 0 {
        return Err("--shots is 0, expected at least 1".into());
    }
    args.svg.iter().try_for_each(|path| check_writable(path))?;
    let trained = args.model.iter().map(|path| read(path)).collect::<Outcome<Vec<_>>>()?;
    let mut series: Vec<Points> = Vec::new();
    // A colour for each decoder, a marker for each model.
    let (mut looks, mut decoders) = (Vec::new(), Vec::<String>::new());
    for (marker, trained) in trained.iter().enumerate() {
        let before = series.len();
        // Largest lead of each of the other decoders, in standard errors, and where.
        let mut worst: Vec<(String, f64, f64)> = Vec::new();
        for (k, &p) in args.p.0.iter().enumerate() {
            let (outcomes, outside) = at(args, trained, p, args.seed.wrapping_add(k as u64))?;
            if outside && !args.json {
                eprintln!("warning: p = {p} is outside of what the model of {} was trained on", trained.name);
            }
            for (i, outcome) in outcomes.iter().enumerate() {
                let (rate, error) = outcome.rate().unwrap_or((f64::NAN, f64::NAN));
                if series.len() == before + i {
                    let color = decoders.iter().position(|name| *name == outcome.name).unwrap_or_else(|| {
                        decoders.push(outcome.name.clone());
                        decoders.len() - 1
                    });
                    looks.push((color, marker));
                    series.push(Points { name: format!("{} {}", trained.name, outcome.name), points: Vec::new() });
                }
                series[before + i].points.push((p, rate, error));
                let paired = outcomes[0].minus(outcome).filter(|_| i > 0);
                if let Some(paired) = paired {
                    match worst.iter_mut().find(|(name, ..)| *name == outcome.name) {
                        Some(entry) if entry.1 >= paired.z() => {}
                        Some(entry) => (entry.1, entry.2) = (paired.z(), p),
                        None => worst.push((outcome.name.clone(), paired.z(), p)),
                    }
                }
                if args.json {
                    let line = Line::new()
                        .text("code", &trained.name)
                        .number("p", Some(p))
                        .text("decoder", &outcome.name)
                        .count("shots", outcome.shots() as u64)
                        .number("logical_error_rate", Some(rate))
                        .number("std_error", Some(error))
                        .number("model_minus_this", paired.map(|x| x.difference))
                        .number("model_minus_this_std_error", paired.map(|x| x.std_error))
                        .number("model_minus_this_z", paired.map(|x| x.z()))
                        .flag("p_outside_training", outside)
                        .number("microseconds_per_shot", Some(outcome.microseconds()));
                    println!("{}", line.finish());
                } else {
                    print!("{:<24} p = {p:<8.5} {:<20} {rate:.5} ± {error:.5}", trained.name, outcome.name);
                    if let Some(x) = paired {
                        print!(", network minus this {:+.5} ± {:.5} ({:+.1} σ)", x.difference, x.std_error, x.z());
                    }
                    println!();
                }
            }
        }
        if !args.json {
            for (name, z, p) in worst {
                println!("{}: network minus {name} is at most {z:+.1} σ, at p = {p}", trained.name);
            }
        }
    }
    if let Some(path) = &args.svg {
        let curves = Curves {
            title: format!("Logical error rate, {} shots a point", args.shots),
            x_label: "p".to_owned(),
            y_label: "any logical operator fails".to_owned(),
            looks,
            points: series,
            log_y: true,
            ..Curves::default()
        };
        curves.write_svg(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
