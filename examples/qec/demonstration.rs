//! Without a subcommand: a small memory experiment.

use linalg_core::Streams;
use linalg_core::gf2::BinaryCsc;
use linalg_core::stats::Estimate;
use quantum_ec::dem::Sampler;
use quantum_ec::noise::phenomenological;

use crate::files::Outcome;

const DISTANCE: usize = 5;
const ROUNDS: u64 = 5;
const P: f64 = 0.02;
const SHOTS: usize = 1_000_000;

/// Samples the repetition code and prints how often each detector fires, beside the exact rates.
pub fn run() -> Outcome<()> {
    let bits = |i: usize| [i.checked_sub(1), Some(i)].into_iter().flatten().filter(|&check| check < DISTANCE - 1);
    let checks = BinaryCsc::from_columns(DISTANCE - 1, (0..DISTANCE).map(|i| bits(i).collect::<Vec<_>>()))?;
    let first = |i: usize| if i == 0 { vec![0] } else { vec![] };
    let logicals = BinaryCsc::from_columns(1, (0..DISTANCE).map(first))?;
    let model = phenomenological(&checks, &logicals, ROUNDS, P, P)?;
    let problem = model.to_problem()?;
    println!(
        "repetition code, distance {DISTANCE}, {ROUNDS} rounds, phenomenological noise p = q = {P}, {SHOTS} shots"
    );
    println!("{model}");

    // The mean of (-1)^flips is the product of 1 - 2p over the mechanisms.
    let mut signs = vec![1.0; problem.n_detectors() + 1];
    for (j, p) in problem.priors().iter().enumerate() {
        let observable = problem.observables().column(j).iter().map(|k| problem.n_detectors() + k);
        problem.checks().column(j).iter().copied().chain(observable).for_each(|i| signs[i] *= 1.0 - 2.0 * p);
    }
    let samples = Sampler::new(&problem).with_threads(2).sample(SHOTS, &Streams::new(1));
    let mut counts = vec![0u32; signs.len()];
    for shot in 0..SHOTS {
        samples.detectors.view().ones(shot).for_each(|i| counts[i] += 1);
        counts[problem.n_detectors()] += u32::from(samples.observables.get(shot, 0));
    }
    println!("{:>12} {:>10} {:>10} {:>8}", "", "sampled", "exact", "z");
    for (i, (&count, sign)) in counts.iter().zip(&signs).enumerate() {
        let (rate, exact) = (f64::from(count) / SHOTS as f64, (1.0 - sign) / 2.0);
        let sampled = Estimate::new(rate, (exact * (1.0 - exact) / SHOTS as f64).sqrt());
        let name = if i < problem.n_detectors() { format!("D{i}") } else { "L0".to_owned() };
        println!("{name:>12} {rate:>10.6} {exact:>10.6} {:>8.2}", sampled.z_score(&Estimate::exact(exact)));
    }
    Ok(())
}
