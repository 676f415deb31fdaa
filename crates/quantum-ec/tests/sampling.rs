//! Sampled shots against the exact law of the model.

use linalg_core::Streams;
use quantum_ec::dem::Sampler;
use quantum_ec::{DecodingProblem, DetectorErrorModel, Shots};

/// Repeated blocks, probabilities from 0 to 1 on all paths of the sampler, shared detectors.
const MIXED: &str = "
    error(0) D0 L0
    error(1) D1 D3
    error(0.5) D2
    error(0.3) D3 D4
    error(0.7) D4 L0
    error(0.9) D5 D0
    error(0.2) D5 D70
    error(1e-3) D0 D1 D2 L1
    error(0.75) D70
    error(0.25) D69 D70
    repeat 30 {
        error(0.01) D6 D7
        error(0.004) D6 L1
        error(0.03) D6 D8 ^ D7
        shift_detectors 2
    }
";

fn problem(text: &str) -> DecodingProblem {
    text.parse::<DetectorErrorModel>().unwrap().to_problem().unwrap()
}

/// The mean of (-1)^(sum of the bits): the product of 1 - 2p over mechanisms that flip an odd number of them.
fn exact(problem: &DecodingProblem, detectors: &[usize], observables: &[usize]) -> f64 {
    let odd = |j: &usize| {
        let hits = |column: &[usize], bits: &[usize]| bits.iter().filter(|bit| column.contains(bit)).count();
        (hits(problem.checks().column(*j), detectors) + hits(problem.observables().column(*j), observables)) % 2 == 1
    };
    (0..problem.n_mechanisms()).filter(odd).map(|j| 1.0 - 2.0 * problem.priors()[j]).product()
}

/// Deviation in standard deviations; exact where the law leaves no choice.
fn z_score(mean: f64, exact: f64, n: usize) -> f64 {
    let variance = 1.0 - exact * exact;
    if variance < 1e-12 {
        if (mean - exact).abs() < 1e-12 { 0.0 } else { f64::INFINITY }
    } else {
        (mean - exact) / (variance / n as f64).sqrt()
    }
}

fn parity(shots: &Shots, shot: usize, bits: &[usize]) -> bool {
    bits.iter().fold(false, |sum, &bit| sum ^ shots.get(shot, bit))
}

#[test]
fn rates_and_pair_correlations_are_exact() {
    const N: usize = 200_000;
    let problem = problem(MIXED);
    let samples = Sampler::new(&problem).sample(N, &Streams::new(17));
    let (d, l) = (problem.n_detectors(), problem.n_observables());
    let mut sets: Vec<(Vec<usize>, Vec<usize>)> = (0..d).map(|i| (vec![i], vec![])).collect();
    sets.extend((0..l).map(|k| (vec![], vec![k])));
    sets.push((vec![], vec![0, 1]));
    for i in 0..d {
        sets.extend((i + 1..(i + 4).min(d)).map(|k| (vec![i, k], vec![])));
        sets.extend((0..l).map(|k| (vec![i], vec![k])));
    }
    let mut sum = 0.0;
    for (detectors, observables) in &sets {
        let odd = (0..N)
            .filter(|&s| parity(&samples.detectors, s, detectors) ^ parity(&samples.observables, s, observables))
            .count();
        let z = z_score(1.0 - 2.0 * odd as f64 / N as f64, exact(&problem, detectors, observables), N);
        assert!(z.abs() < 5.0, "{detectors:?} {observables:?}: {z} standard deviations");
        sum += z * z;
    }
    // Not too good either: some 400 squares of unit variance, correlated.
    let mean = sum / sets.len() as f64;
    assert!((0.5..1.6).contains(&mean), "{mean} over {}", sets.len());
}

#[test]
fn shots_do_not_depend_on_threads_or_number() {
    let problem = problem(MIXED);
    let sampler = Sampler::new(&problem).with_mechanisms();
    let streams = Streams::new(5);
    let all = sampler.sample(5000, &streams);
    for threads in [2, 3, 8] {
        assert_eq!(sampler.clone().with_threads(threads).sample(5000, &streams), all);
    }
    let few = sampler.sample(1500, &streams);
    let later = sampler.sample_from(2, 700, &streams);
    let recorded = |samples: &quantum_ec::dem::Samples, shot: usize| {
        let mechanisms = samples.mechanisms.as_ref().unwrap();
        (samples.detectors.row(shot).to_vec(), samples.observables.row(shot).to_vec(), mechanisms.row(shot).to_vec())
    };
    for shot in 0..1500 {
        assert_eq!(recorded(&few, shot), recorded(&all, shot));
    }
    for shot in 0..700 {
        assert_eq!(recorded(&later, shot), recorded(&all, 2 * Sampler::UNIT + shot));
    }
    assert_ne!(sampler.sample(100, &Streams::new(6)).detectors, sampler.sample(100, &streams).detectors);
    // Asking for mechanisms changes nothing else.
    assert_eq!(Sampler::new(&problem).sample(1500, &streams).detectors, few.detectors);
}

#[test]
fn mechanisms_explain_the_shot() {
    let problem = problem(MIXED);
    let samples = Sampler::new(&problem).with_mechanisms().sample(3000, &Streams::new(9));
    let mechanisms = samples.mechanisms.unwrap();
    let mut counts = vec![0u32; problem.n_mechanisms()];
    for shot in 0..3000 {
        let error: Vec<usize> = mechanisms.view().ones(shot).collect();
        error.iter().for_each(|&j| counts[j] += 1);
        let error = linalg_core::gf2::BitVec::from_ones(problem.n_mechanisms(), error).unwrap();
        assert_eq!(problem.syndrome(&error).words(), samples.detectors.row(shot));
        assert_eq!(problem.logical(&error).words(), samples.observables.row(shot));
    }
    for (j, &p) in problem.priors().iter().enumerate() {
        let z = z_score(f64::from(counts[j]) / 1500.0 - 1.0, 2.0 * p - 1.0, 3000);
        assert!(z.abs() < 5.0, "mechanism {j}: {z} standard deviations");
    }
}

#[test]
fn edge_cases() {
    let streams = Streams::new(1);
    let empty = Sampler::of_model(&DetectorErrorModel::new()).unwrap();
    let samples = empty.with_threads(4).sample(3000, &streams);
    assert_eq!((samples.detectors.n_shots(), samples.detectors.n_bits()), (3000, 0));
    assert_eq!(Sampler::new(&problem(MIXED)).sample(0, &streams).detectors.n_shots(), 0);
    let tiny = Sampler::new(&problem("error(5e-324) D0\nerror(1e-300) D1\nerror(0.9999999999999999) D2"));
    let samples = tiny.sample(2048, &streams);
    for shot in 0..2048 {
        assert_eq!(samples.detectors.row(shot), [4]);
    }
}

#[test]
fn values_are_stable() {
    // A change here is a change of the random streams: say so in the changelog.
    let samples = Sampler::new(&problem(MIXED)).sample(3, &Streams::new(1));
    let words: Vec<[u64; 2]> = (0..3).map(|k| samples.detectors.row(k).try_into().unwrap()).collect();
    assert_eq!(words, STABLE);
}

const STABLE: [[u64; 2]; 3] = [[43, 7], [139_611_590_327_648_319, 0], [65_599, 32]];
