//! What must hold for every network.

#![allow(dead_code)] // Every test binary takes what it needs.

use linalg_core::Streams;
use spin_models::Spins;
use spin_models::rand::RngExt;
use variational::autoregressive::Autoregressive;
use variational::{Normalized, Scalar};

/// Parameters of order one, so that the distribution is far from uniform.
pub fn stir<N: Autoregressive>(mut network: N, seed: u64) -> N {
    let mut rng = Streams::new(seed).stream(9);
    let parameters: Vec<f64> =
        network.parameters().iter().map(|p| 1.5 * p + 0.2 * (2.0 * rng.random::<f64>() - 1.0)).collect();
    network.set_parameters(&parameters).unwrap();
    network
}

pub fn configurations(n: usize) -> Vec<i8> {
    (0..1u64 << n).flat_map(|state| Spins::from_state(state, n).into_vec()).collect()
}

/// All `q(s)` in the order of states.
pub fn table<N: Normalized>(network: &N) -> Vec<f64> {
    let n = network.n_spins();
    let mut ln_q = vec![0.0; 1 << n];
    network.ln_prob_batch(&configurations(n), &mut ln_q);
    ln_q.iter().map(|l| l.exp()).collect()
}

/// Everything that must hold for a network of at most 12 spins; `tolerance` is that of its number type.
pub fn check<N: Autoregressive>(network: &N, tolerance: f64) {
    let n = Autoregressive::n_spins(network);
    let name = network.architecture();
    let q = table(network);
    assert!((q.iter().sum::<f64>() - 1.0).abs() < tolerance, "{name}: sum of q is {}", q.iter().sum::<f64>());

    // Samples: the ln q that sampling gives is that of evaluation, and the frequencies are those of q.
    let draws = 20_000;
    let (mut spins, mut ln_q, mut again) = (vec![0; draws * n], vec![0.0; draws], vec![0.0; draws]);
    network.sample_batch(Streams::new(77), &mut spins, &mut ln_q);
    network.ln_prob_batch(&spins, &mut again);
    for (a, b) in ln_q.iter().zip(&again) {
        assert!((a - b).abs() < tolerance * (1.0 + a.abs()), "{name}: {a} sampled, {b} evaluated");
    }
    let mut counts = vec![0.0; q.len()];
    for row in spins.chunks_exact(n) {
        let state: usize =
            row.iter().enumerate().map(|(i, &s)| usize::from(s == Spins::from_state(1, 1)[0]) << i).sum();
        counts[state] += 1.0;
    }
    // χ² over the states that are expected at least ten times; the others are one class.
    let (mut chi2, mut classes, mut rare) = (0.0, 0.0, [0.0; 2]);
    for (&count, &q) in counts.iter().zip(&q) {
        let expected = q * draws as f64;
        if expected >= 10.0 {
            chi2 += (count - expected).powi(2) / expected;
            classes += 1.0;
        } else {
            rare = [rare[0] + count, rare[1] + expected];
        }
    }
    if rare[1] >= 10.0 {
        chi2 += (rare[0] - rare[1]).powi(2) / rare[1];
        classes += 1.0;
    }
    let freedom: f64 = classes - 1.0;
    // Seed 77; five standard deviations of χ².
    assert!((chi2 - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "{name}: chi² {chi2} for {freedom} degrees");

    // One sample at a time has the same law; its ln q is that of its configuration.
    let mut one = vec![0; n];
    let value = network.sample(&mut one, &mut Streams::new(3).stream(0));
    assert!((value - network.ln_prob(&one)).abs() < tolerance * 10.0, "{name}");

    // The reversed pass is the pass at the reversed spins.
    let rows = &spins[..50 * n];
    let (mut pass, mut reversed, mut direct) = (network.new_pass(50), network.new_pass(50), network.new_pass(50));
    network.evaluate(rows, &mut pass);
    network.evaluate_reversed(&pass, &mut reversed);
    network.evaluate(&rows.iter().map(|s| -s).collect::<Vec<_>>(), &mut direct);
    for (a, b) in network.ln_q(&reversed).iter().zip(network.ln_q(&direct)) {
        assert!((a - b).abs() < tolerance * (1.0 + a.abs()), "{name}: reversed {a}, {b}");
    }
}

/// The gradient of a weighted sum of ln q against central differences; for `f64` networks.
pub fn check_gradient<N: Autoregressive>(network: &N) {
    let n = Autoregressive::n_spins(network);
    let (mut rows, mut ln_q) = (vec![0; 7 * n], vec![0.0; 7]);
    network.sample_batch(Streams::new(5), &mut rows, &mut ln_q);
    let weights: Vec<f64> = (0..7).map(|b| (f64::from(b) * 1.7).sin()).collect();
    let value = |parameters: &[f64]| {
        let mut moved = network.clone();
        moved.set_parameters(parameters).unwrap();
        let mut ln_q = vec![0.0; 7];
        moved.ln_prob_batch(&rows, &mut ln_q);
        ln_q.iter().zip(&weights).map(|(l, w)| l * w).sum::<f64>()
    };
    // A short step: a unit of a piecewise linear layer that changes sign on the way would spoil the difference.
    let step = 3e-7;
    let mut moved = network.parameters().to_vec();
    let expected: Vec<f64> = (0..moved.len())
        .map(|k| {
            let at = moved[k];
            moved[k] = at + step;
            let up = value(&moved);
            moved[k] = at - step;
            let down = value(&moved);
            moved[k] = at;
            (up - down) / (2.0 * step)
        })
        .collect();
    let mut gradient = vec![N::Scalar::from_f64(0.0); expected.len()];
    let mut pass = network.new_pass(7);
    // Twice: gradients are added.
    for _ in 0..2 {
        network.evaluate(&rows, &mut pass);
        network.accumulate_gradient(&mut pass, &weights, &mut gradient);
    }
    let name = network.architecture();
    for (k, (g, expected)) in gradient.iter().zip(&expected).enumerate() {
        let g = 0.5 * g.to_f64();
        assert!((g - expected).abs() < 1e-7, "{name}: parameter {k}: {g} and {expected}");
    }
    // What a mask excludes has no derivative at all, and is not counted.
    let masked = gradient.iter().filter(|g| g.to_f64().abs() < f64::MIN_POSITIVE).count();
    assert!(gradient.len() - masked <= network.n_free_parameters(), "{name}");
    // Gradients of single samples add up to the same.
    let mut rows = vec![N::Scalar::from_f64(0.0); 7 * expected.len()];
    network.evaluate(&rows_of(&pass, network), &mut pass);
    network.sample_gradients(&mut pass, &mut rows);
    for (k, g) in gradient.iter().enumerate() {
        let sum: f64 = weights.iter().zip(rows.chunks_exact(expected.len())).map(|(w, row)| w * row[k].to_f64()).sum();
        assert!((0.5 * g.to_f64() - sum).abs() < 1e-9, "{name}: parameter {k}: {sum}");
    }
}

fn rows_of<N: Autoregressive>(pass: &N::Pass, network: &N) -> Vec<i8> {
    let mut rows = vec![0; network.samples(pass) * Autoregressive::n_spins(network)];
    network.write_spins(pass, &mut rows);
    rows
}
