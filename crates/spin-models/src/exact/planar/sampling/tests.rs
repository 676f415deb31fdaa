//! Frequencies against enumeration, energies against their exact averages.

use super::super::tests::random_model;
use super::*;
use crate::{Boundary, EnergyModel, Quantities, Solve};

/// The probability of every configuration.
fn probabilities(model: &Ising, beta: f64) -> Vec<f64> {
    let n = model.n_spins();
    let weights: Vec<f64> = (0..1u64 << n).map(|state| -beta * model.energy(&Spins::from_state(state, n))).collect();
    let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = weights.iter().map(|x| (x - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|x| x / total).collect()
}

fn state(spins: &Spins) -> usize {
    (0..spins.len()).filter(|&k| Spins::from_state(1 << k, spins.len())[k] == spins[k]).map(|k| 1 << k).sum()
}

/// χ² as a normal variable (E. B. Wilson and M. M. Hilferty, Proceedings of the National Academy of Sciences 17, 684
/// (1931)), cells of less than eight expected counts together; `None` if one cell has all.
fn chi_squared(counts: &[u64], probabilities: &[f64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    let (mut chi, mut cells) = (0.0, 0usize);
    let mut rest = (0.0, 0.0);
    for (&count, &p) in counts.iter().zip(probabilities) {
        let expected = p * total as f64;
        if expected < 8.0 {
            rest = (rest.0 + count as f64, rest.1 + expected);
        } else {
            chi += (count as f64 - expected).powi(2) / expected;
            cells += 1;
        }
    }
    if rest.1 >= 8.0 {
        chi += (rest.0 - rest.1).powi(2) / rest.1;
        cells += 1;
    } else {
        // Poisson: not one of a thousand rounds reaches this.
        assert!(rest.0 <= rest.1 + 6.0 * rest.1.sqrt() + 4.0, "{rest:?}");
    }
    let width = 2.0 / (9.0 * (cells as f64 - 1.0));
    (cells > 1).then(|| ((chi / (cells as f64 - 1.0)).cbrt() - (1.0 - width)) / width.sqrt())
}

#[test]
fn frequencies_agree_with_enumeration() {
    let mut rng = Streams::new(451).stream(0);
    let (mut sum, mut rounds) = (0.0, 0.0);
    for round in 0..200 {
        let n = rng.random_range(1..10u32) as usize;
        let model = random_model(n, &mut rng);
        for beta in [0.0, 0.4, 1.0, 3.0] {
            let p = probabilities(&model, beta);
            let sampler = PlanarSampler::new(&Planar::default(), &model, beta).unwrap();
            let mut counts = vec![0u64; 1 << n];
            for spins in sampler.sample_batch(1000, &Streams::new(round).child(7)).unwrap() {
                counts[state(&spins)] += 1;
            }
            if let Some(z) = chi_squared(&counts, &p) {
                (sum, rounds) = (sum + z, rounds + 1.0);
                assert!(z < 5.0, "round {round}, beta {beta}: {z}, {model:?}");
            }
        }
    }
    // Those of one model at several temperatures share their random numbers: a mean of 200 variables.
    let mean: f64 = sum / rounds;
    assert!(rounds > 700.0 && mean.abs() < 4.5 / 200f64.sqrt(), "{mean} of {rounds}");
}

/// The probabilities of the draws multiply to that of the sample in `f64` and with 106 bits, and these give one sample.
#[test]
fn samples_have_the_probability_with_which_they_are_drawn() {
    let mut rng = Streams::new(452).stream(0);
    for l in [3, 6, 11] {
        for periodic in [Boundary::Free, Boundary::Periodic] {
            let lattice = crate::Lattice::rectangle([l, l + 1], [Boundary::Free, periodic]).unwrap();
            let couplings: Vec<f64> = (0..lattice.n_edges()).map(|_| rng.random_range(-1.0..1.0)).collect();
            let model = Ising::on_lattice(&lattice, &couplings).unwrap();
            for beta in [0.0, 0.5, 1.5, 4.0] {
                let sampler = PlanarSampler::new(&Planar::default(), &model, beta).unwrap();
                for _ in 0..5 {
                    let uniforms = sampler.uniforms(&mut rng);
                    let [plain, double] = sampler.attempts(&uniforms);
                    let double = double.unwrap();
                    if let Ok(plain) = plain {
                        assert_eq!(plain, double);
                    } else {
                        assert!(beta > 1.0, "plain numbers lose {plain:?} at beta {beta}, L = {l}");
                    }
                }
            }
        }
    }
}

#[test]
fn energies_of_lattices() {
    for (l, beta, n, seed) in [(16, 0.5, 400, 453), (16, 1.5, 400, 454), (32, 1.0, 200, 455)] {
        let model = Ising::plus_minus_splitmix(l, l, 1).unwrap();
        let exact = Planar::default().solve(&model, beta, Quantities::all(), &mut ()).unwrap().energy.unwrap().value;
        let sampler = PlanarSampler::new(&Planar::default(), &model, beta).unwrap();
        let energies: Vec<f64> =
            sampler.sample_batch(n, &Streams::new(seed)).unwrap().iter().map(|s| model.energy(s)).collect();
        let mean = energies.iter().sum::<f64>() / n as f64;
        let variance = energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0);
        let z = (mean - exact) / (variance / n as f64).sqrt();
        assert!(z.abs() < 4.0, "L = {l}, beta = {beta}: {mean} and {exact}, {z} standard errors");
    }
}

#[test]
fn edges_of_the_domain() {
    let alone = Ising::builder(3).build().unwrap();
    let sampler = PlanarSampler::new(&Planar::default(), &alone, 1.0).unwrap();
    assert_eq!(sampler.sample_batch(2, &Streams::new(1)).unwrap().len(), 2);
    assert!((sampler.ln_z().value - 3.0 * 2f64.ln()).abs() < 1e-15);
    assert!(sampler.sample_batch(0, &Streams::new(1)).unwrap().is_empty());
    // At so low a temperature every sample is a ground state.
    let cold = Ising::plus_minus_splitmix(6, 6, 3).unwrap();
    let sampler = PlanarSampler::new(&Planar::default(), &cold, 200.0).unwrap();
    let lowest = -(sampler.ln_z().value / 200.0).round();
    for spins in sampler.sample_batch(20, &Streams::new(2)).unwrap() {
        assert!((cold.energy(&spins) - lowest).abs() < 0.5);
    }
    let torus = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    assert!(matches!(PlanarSampler::new(&Planar::default(), &torus, 1.0), Err(Error::NotApplicable { .. })));
    assert!(matches!(PlanarSampler::new(&Planar::default(), &alone, f64::NAN), Err(Error::Beta { .. })));
}

#[test]
fn observers_stop_samples() {
    let model = Ising::plus_minus_splitmix(6, 6, 1).unwrap();
    let mut stop = |_: &Progress| std::ops::ControlFlow::Break(());
    let stopped = PlanarSampler::new_observed(&Planar::default(), &model, 0.7, &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped { solver: "planar", done: 0, .. })));
    let sampler = PlanarSampler::new(&Planar::default(), &model, 0.7).unwrap();
    let mut seen = Vec::new();
    let mut watch = |progress: &Progress| {
        seen.push((progress.done, progress.total));
        std::ops::ControlFlow::Continue(())
    };
    let samples = sampler.sample_batch_observed(100, &Streams::new(3), &mut watch).unwrap();
    assert_eq!(samples.len(), 100);
    assert!(
        samples.iter().zip(0..).all(|(sample, k)| *sample == sampler.sample(&mut Streams::new(3).stream(k)).unwrap())
    );
    assert!(seen.len() > 1 && seen[0] == (0, 100) && seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "{seen:?}");
    let mut later = |progress: &Progress| match progress.done {
        0 => std::ops::ControlFlow::Continue(()),
        _ => std::ops::ControlFlow::Break(()),
    };
    let stopped = sampler.sample_batch_observed(100_000, &Streams::new(3), &mut later);
    assert!(matches!(stopped, Err(Error::Stopped { solver: "planar", done: 1.., total: 100_000 })));
}
