//! Without a subcommand: a small memory experiment, sampled, decoded and drawn.

use linalg_core::Streams;
use linalg_core::gf2::BinaryCsc;
use linalg_core::stats::Estimate;
use quantum_ec::code::{self, Kind};
use quantum_ec::decode::{Decoder, Lookup};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::{css_problem, phenomenological};
use quantum_ec::statmech::SyndromeDistribution;
use quantum_ec::{DecodingProblem, Shots};
use workspace_examples::figure::{self, Curves, Points};

use crate::files::Outcome;

const DISTANCES: [usize; 3] = [3, 4, 5];
const RATES: [f64; 6] = [0.02, 0.05, 0.08, 0.11, 0.14, 0.17];
const SHOTS: usize = 100_000;

/// The repetition code, d rounds of measurement, data and measurements failing alike.
fn memory(distance: usize, p: f64) -> Outcome<DecodingProblem> {
    let code = code::repetition(distance)?;
    let sector = css_problem(&code, Kind::X, vec![p; distance])?;
    let (checks, logicals): (&BinaryCsc, &BinaryCsc) = (sector.checks(), sector.observables());
    Ok(phenomenological(checks, logicals, distance as u64, p, p)?.to_problem()?)
}

/// Samples a memory, decodes it by the most likely class, and prints the rate of failures beside the exact one: the sum over
/// all syndromes of what is not in the most likely class.
pub fn run() -> Outcome<()> {
    println!("repetition code, d rounds, data and measurements fail with probability p; {SHOTS} shots a point");
    println!("{:>4} {:>6} {:>10} {:>10} {:>10} {:>7}", "d", "p", "decoded", "±", "exact", "z");
    let mut figure = Curves {
        title: "Repetition code, phenomenological noise, most likely class".to_owned(),
        x_label: "p of data and measurements".to_owned(),
        y_label: "logical error rate a shot".to_owned(),
        ..Curves::default()
    };
    for (k, &distance) in DISTANCES.iter().enumerate() {
        let (mut line, mut points) = (Vec::new(), Vec::new());
        for (l, &p) in RATES.iter().enumerate() {
            let problem = memory(distance, p)?;
            let distribution = SyndromeDistribution::new(&problem)?;
            let exact = distribution.optimal_failure_rate();
            let seed = (k * RATES.len() + l) as u64;
            let samples = Sampler::new(&problem).with_threads(2).sample(SHOTS, &Streams::new(1).child(seed));
            let mut predictions = Shots::zeros(SHOTS, 1);
            Lookup::of_distribution(distribution)
                .decode_batch(samples.detectors.view(), &mut predictions.view_mut())?;
            let wrong = |&shot: &usize| predictions.row(shot) != samples.observables.row(shot);
            let rate = (0..SHOTS).filter(wrong).count() as f64 / SHOTS as f64;
            let error = (exact * (1.0 - exact) / SHOTS as f64).sqrt();
            let z = Estimate::new(rate, error).z_score(&Estimate::exact(exact));
            println!("{distance:>4} {p:>6.2} {rate:>10.6} {error:>10.6} {exact:>10.6} {z:>7.2}");
            line.push((p, exact));
            points.push((p, rate, error));
        }
        figure.lines.push((format!("d = {distance}, exact"), line));
        figure.points.push(Points { name: format!("d = {distance}, decoded"), points });
    }
    let file = figure::path("qec", "svg")?;
    figure.write_svg(&file)?;
    figure.write_csv(&figure::path("qec", "csv")?)?;
    println!("drawn to {}", file.display());
    Ok(())
}
