//! What does a decoder lose that looks for the lightest error instead of the most likely class?
//!
//! Bit flips with probability p on the rotated surface code. The same shots are decoded four ways: by minimum-weight perfect
//! matching, which minimises an energy; by the exact partition functions of both classes, which compares free energies; by
//! Monte Carlo at the Nishimori temperature, β = 1, which samples errors of both classes and counts; and by a network that has
//! learnt the conditional distribution of the class from errors alone. Exact sums and Monte Carlo must agree but for sampling noise;
//! columns say in which share of the shots they, and the network, do. Where the classes are small enough to sum error by
//! error, the difference between the first two is taken apart: the lightest error lies in the less likely class when the other
//! class has more errors that are nearly as light.
//!
//! ```text
//! cargo run --release --example decoding_is_statistical_mechanics
//! cargo run --release --example decoding_is_statistical_mechanics -- --distances 3,5,7 --p 0.08,0.1,0.12 --shots 20000
//! cargo run --release --example decoding_is_statistical_mechanics -- --quick --json
//! ```
//!
//! Noise: independent bit flips, perfect measurements. A failure is a shot with the wrong logical bit. Published thresholds:
//! 0.103 for matching, 0.109 for the most likely class. "excess" is what matching fails more often than the most likely class,
//! from the posteriors of the classes, ties of weight included. In the shots where the lightest error lies in the less likely
//! class, "lighter by" is what matching saves in energy, "degeneracy" what the likelier class gains from its other errors. The
//! second exceeds the first in every one of them, by definition; their means show by how much. With one error rate for all
//! qubits the saving is a flip or none: ln((1-p)/p). The network of a distance is trained once, for all rates. The defaults take
//! less than a minute on one core.

mod entropy;
mod network;
mod nishimori;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use linalg_core::logspace::sigmoid;
use linalg_core::stats::{Running, wilson_interval};
use quantum_ec::DecodingProblem;
use quantum_ec::code::{self, CssCode, Kind};
use quantum_ec::decode::{Decoder, Matching, MaximumLikelihood, Prediction};
use quantum_ec::dem::Sampler;
use quantum_ec::neural::NeuralModel;
use quantum_ec::noise::css_problem;
use workspace_examples::exit;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

use entropy::{Classes, Gap};
use network::Network;
use nishimori::NishimoriSampler;

type Failure = Box<dyn std::error::Error>;

/// Minimum weight, exact likelihood, Monte Carlo and a network on the same shots of a surface code.
#[derive(Debug, Parser)]
#[command(name = "decoding_is_statistical_mechanics", version)]
struct Args {
    /// Distances of the rotated surface code, odd.
    #[arg(long, value_delimiter = ',', default_values_t = [3, 5, 7])]
    distances: Vec<usize>,
    /// Error rates.
    #[arg(long, value_delimiter = ',', default_values_t = [0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16])]
    p: Vec<f64>,
    /// Shots at every distance and rate.
    #[arg(long, default_value_t = 6000, value_parser = clap::value_parser!(u32).range(10..=10_000_000))]
    shots: u32,
    /// Shots of them that are decoded by Monte Carlo, too.
    #[arg(long, default_value_t = 600)]
    sampled: u32,
    /// Sweeps of Monte Carlo a shot.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..))]
    sweeps: u64,
    /// Steps of training of the network of a distance, 512 errors each; 0 leaves it out.
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    training: u64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Three rates, 1000 shots, 100 of them sampled, 150 steps of training.
    #[arg(long)]
    quick: bool,
    /// Where to draw; `target/figures/decoding_is_statistical_mechanics.svg` by default. What matching loses goes beside it, with `_gap`
    /// in the name.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// JSON objects, one a decoder and point and one a point for the entropies, instead of the tables.
    #[arg(long)]
    json: bool,
}

/// Failures of one decoder among the first shots of a point.
struct Count {
    decoder: &'static str,
    distance: usize,
    p: f64,
    shots: usize,
    failures: u64,
    /// Share of its shots in which it names the same class as the exact sums.
    agrees: f64,
    /// Failures a shot beyond those of the most likely class: the mean of what the posterior of the class named lacks to the larger
    /// one. The noise of the errors themselves is not in it.
    excess: Running,
}

impl Count {
    fn rate(&self) -> f64 {
        self.failures as f64 / self.shots as f64
    }

    /// Half the width of the interval of one standard deviation.
    fn error(&self) -> Result<f64, Failure> {
        let interval = wilson_interval(self.failures, self.shots as u64, 1.0)?;
        Ok(0.5 * (interval.high - interval.low))
    }
}

/// Name of the decoder by whose posteriors the others are judged.
const EXACT: &str = "exact";

/// A decoder with its name and the number of shots it is given.
type Contestant = (&'static str, usize, Box<dyn Decoder>);

/// A code and the network that was trained for it.
struct Subject {
    code: CssCode,
    distance: usize,
    model: Option<Arc<NeuralModel>>,
}

/// The decoders by name, each with the number of shots it is given. A further one is one more line here: table, JSON and figure
/// take what they find.
fn decoders(
    args: &Args,
    subject: &Subject,
    problem: &DecodingProblem,
    p: f64,
    streams: Streams,
) -> Result<Vec<Contestant>, Failure> {
    let code = &subject.code;
    let (all, some) = (args.shots as usize, args.sampled.min(args.shots) as usize);
    let mut decoders: Vec<Contestant> = vec![
        ("matching", all, Box::new(Matching::from_problem(problem)?)),
        (EXACT, all, Box::new(MaximumLikelihood::automatic(problem)?)),
        ("monte-carlo", some, Box::new(NishimoriSampler::new(code, problem, args.sweeps, streams)?)),
    ];
    if let Some(model) = &subject.model {
        decoders.push(("network", all, Box::new(Network::new(Arc::clone(model), code, p)?)));
    }
    Ok(decoders)
}

fn point(args: &Args, subject: &Subject, p: f64, unit: u64) -> Result<(Vec<Count>, Gap), Failure> {
    let (code, distance) = (&subject.code, subject.distance);
    let streams = Streams::new(args.seed).child(unit);
    let problem = css_problem(code, Kind::X, vec![p; code.n_qubits()])?;
    let samples = Sampler::new(&problem).sample(args.shots as usize, &streams.child(0));
    let mut counts: Vec<Count> = Vec::new();
    let mut named: Vec<Vec<bool>> = Vec::new();
    // The probability that the logical bit is flipped, given the syndrome, from the exact sums.
    let mut posterior: Vec<f64> = Vec::new();
    for (decoder, shots, mut decode) in decoders(args, subject, &problem, p, streams.child(1))? {
        let mut prediction = Prediction::new(problem.n_observables());
        let mut failures = 0;
        let mut flipped = Vec::with_capacity(shots);
        for shot in 0..shots {
            decode.decode_into(samples.detectors.row(shot), &mut prediction)?;
            failures += u64::from(prediction.observables.words() != samples.observables.row(shot));
            flipped.push(prediction.observables.get(0));
            if let (EXACT, [without, with]) = (decoder, prediction.ln_class.as_slice()) {
                posterior.push(sigmoid(with - without));
            }
        }
        counts.push(Count { decoder, distance, p, shots, failures, agrees: f64::NAN, excess: Running::new() });
        named.push(flipped);
    }
    for (count, flipped) in counts.iter_mut().zip(&named) {
        let mut same = 0;
        for (&flipped, &posterior) in flipped.iter().zip(&posterior) {
            let likely = posterior > 0.5;
            same += usize::from(likely == flipped);
            count.excess.push(if likely == flipped { 0.0 } else { (2.0 * posterior - 1.0).abs() });
        }
        count.agrees = same as f64 / flipped.len().min(posterior.len()) as f64;
    }
    let mut gap = Gap::default();
    if let Some(classes) = Classes::new(code, &problem, p)? {
        for shot in 0..args.shots as usize {
            let syndrome = BitVec::from_words(samples.detectors.row(shot).to_vec(), problem.n_detectors())?;
            classes.add(&syndrome, &mut gap)?;
        }
    }
    Ok((counts, gap))
}

fn print_counts(counts: &[Count], json: bool) -> Result<(), Failure> {
    for count in counts {
        if json {
            let line = Line::new()
                .text("decoder", count.decoder)
                .count("distance", count.distance as u64)
                .number("p", Some(count.p))
                .count("shots", count.shots as u64)
                .count("failures", count.failures)
                .number("rate", Some(count.rate()))
                .number("std_error", Some(count.error()?))
                .number("agrees_with_exact", Some(count.agrees))
                .number("excess", Some(count.excess.mean()))
                .number("excess_std_error", Some(count.excess.std_error()));
            println!("{}", line.finish());
        }
    }
    if !json {
        print!("{:>3} {:>6}", counts[0].distance, counts[0].p);
        for count in counts {
            print!("  {:>8.5} ± {:.5}", count.rate(), count.error()?);
            match count.decoder {
                "matching" => print!(" {:>8.1e}", count.excess.mean()),
                "monte-carlo" | "network" => print!(" {:>7.4}", count.agrees),
                _ => {}
            }
        }
    }
    Ok(())
}

fn print_gap(distance: usize, p: f64, gap: &Gap, json: bool) {
    let share = (gap.shots > 0).then(|| gap.disagreements as f64 / gap.shots as f64);
    let some = |x: f64| (gap.disagreements > 0).then_some(x);
    let (energy, degeneracy) = (some(gap.energy.mean()), some(gap.degeneracy.mean()));
    if json {
        let line = Line::new()
            .count("distance", distance as u64)
            .number("p", Some(p))
            .number("entropy", share.map(|_| gap.entropy.mean()))
            .number("disagreements", share)
            .number("lighter_by", energy)
            .number("degeneracy", degeneracy);
        println!("{}", line.finish());
    } else {
        let show = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.4}"));
        let entropy = show(share.map(|_| gap.entropy.mean()));
        println!("  {entropy:>8} {:>9} {:>10} {:>10}", show(share), show(energy), show(degeneracy));
    }
}

fn draw(args: &Args, counts: &[Count]) -> Result<(), Failure> {
    let mut curves = Curves {
        title: format!("Rotated surface code, bit flips, {} shots a point", args.shots),
        x_label: "error rate p".to_owned(),
        y_label: "logical error rate".to_owned(),
        ..Curves::default()
    };
    for &distance in &args.distances {
        let mut names: Vec<&'static str> = Vec::new();
        for count in counts {
            if !names.contains(&count.decoder) {
                names.push(count.decoder);
            }
        }
        for name in names {
            let mut points = Vec::new();
            for count in counts.iter().filter(|count| count.distance == distance && count.decoder == name) {
                points.push((count.p, count.rate(), count.error()?));
            }
            let label = format!("d = {distance}, {name}");
            // Lines for what every shot went through, points for samples of them.
            if name == EXACT {
                curves.lines.push((label, points.iter().map(|&(x, y, _)| (x, y)).collect()));
            } else {
                curves.points.push(Points { name: label, points });
            }
        }
    }
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("decoding_is_statistical_mechanics", "svg")?,
    };
    let mut gap = Curves {
        title: "What minimum weight loses: failures beyond those of the most likely class".to_owned(),
        x_label: "error rate p".to_owned(),
        y_label: "excess failures a shot".to_owned(),
        ..Curves::default()
    };
    for &distance in &args.distances {
        let matching = counts.iter().filter(|count| count.distance == distance && count.decoder == "matching");
        let points = matching.map(|count| (count.p, count.excess.mean(), count.excess.std_error())).collect();
        gap.points.push(Points { name: format!("d = {distance}, matching"), points });
    }
    let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let second = file.with_file_name(format!("{stem}_gap.svg"));
    for (curves, file) in [(&curves, &file), (&gap, &second)] {
        curves.write_svg(file)?;
        curves.write_csv(&file.with_extension("csv"))?;
        eprintln!("drawn to {}", file.display());
    }
    Ok(())
}

fn run(mut args: Args) -> Result<(), Failure> {
    if args.quick {
        (args.p, args.shots, args.sampled) = (vec![0.06, 0.1, 0.14], args.shots.min(1000), args.sampled.min(100));
        args.training = args.training.min(150);
    }
    if let Some(d) = args.distances.iter().find(|d| **d < 3 || **d % 2 == 0) {
        return Err(format!("--distances has {d}, expected odd numbers of at least 3").into());
    }
    if args.distances.is_empty() || args.p.is_empty() {
        return Err("--distances and --p need one number or more".into());
    }
    if let Some(p) = args.p.iter().find(|p| !(**p > 0.0 && **p < 0.5)) {
        return Err(format!("--p has {p}, expected rates between 0 and 1/2").into());
    }
    if !args.json {
        let network = if args.training > 0 { format!("  {:>18} {:>7}", "network", "as ex.") } else { String::new() };
        println!(
            "{:>3} {:>6}  {:>18} {:>8}  {:>18}  {:>18} {:>7}{network}  {:>8} {:>9} {:>10} {:>10}",
            "d",
            "p",
            "matching",
            "excess",
            "exact",
            "monte-carlo",
            "as ex.",
            "entropy",
            "disagree",
            "lighter by",
            "degeneracy"
        );
    }
    let mut counts = Vec::new();
    for (k, &distance) in args.distances.iter().enumerate() {
        let code = code::parse(&format!("rotated-surface:{distance}"))?;
        let code = CssCode::from_stabilizer(&code).ok_or("the surface code is CSS")?;
        let mut model = None;
        if args.training > 0 {
            eprintln!("d = {distance}: training a network, {} steps", args.training);
            let range = args.p.iter().fold((1.0f64, 0.0f64), |(low, high), &p| (low.min(p), high.max(p)));
            model = Some(network::train(&code, range, args.training, args.seed)?);
        }
        let subject = Subject { code, distance, model };
        for (j, &p) in args.p.iter().enumerate() {
            let (found, gap) = point(&args, &subject, p, (k * args.p.len() + j) as u64)?;
            print_counts(&found, args.json)?;
            print_gap(distance, p, &gap, args.json);
            counts.extend(found);
        }
    }
    draw(&args, &counts)
}

fn main() -> ExitCode {
    exit::report(run(Args::parse()))
}
